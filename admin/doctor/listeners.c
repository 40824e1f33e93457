#include <string.h>

#include "mend.h"

/* A login counts as TLS from the first byte by its port alone: implicit-tls-ports have to be
   those of the listeners that are. */
struct ports {
	GArray *tls, *plain; /* of uint16_t, sorted, each once */
};

static bool has(const GArray *ports, uint16_t port)
{
	for (guint i = 0; i < ports->len; i++) {
		if (g_array_index(ports, uint16_t, i) == port)
			return true;
	}
	return false;
}

static void note(struct ports *ports, uint16_t port, bool tls)
{
	GArray *kind = tls ? ports->tls : ports->plain;

	if (port != 0 && !has(kind, port))
		g_array_append_val(kind, port);
}

/* What stands behind a proxy is told the proxy's port. */
static void note_dovecot(struct ports *ports, const struct dovecot *dovecot)
{
	GArray *listeners = dovecot_listeners(dovecot);

	for (guint i = 0; i < listeners->len; i++) {
		const struct dovecot_listener *listener =
			&g_array_index(listeners, struct dovecot_listener, i);

		if (!listener->proxy)
			note(ports, listener->port, listener->tls);
	}
	g_array_unref(listeners);
}

static void note_postfix(struct ports *ports, const struct postfix *postfix)
{
	for (guint i = 0; i < postfix->services->len; i++) {
		const struct postfix_service *service =
			&g_array_index(postfix->services, struct postfix_service, i);

		if (postfix_value(postfix, service, "smtpd_upstream_proxy_protocol")[0] == '\0')
			note(ports, service->port,
			     strcmp(postfix_value(postfix, service, "smtpd_tls_wrappermode"),
				    "yes") == 0);
	}
}

static char *list(const GArray *ports)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < ports->len; i++)
		g_string_append_printf(text, "%s%u", i == 0 ? "" : ", ",
				       g_array_index(ports, uint16_t, i));
	return g_string_free(text, FALSE);
}

/* Where the setting stands in the policy's file, as sed has it: "3,4c"; before the first line
   where it does not. *line_r: its number, 0 then. */
static char *find_lines(const struct policy *policy, unsigned int *line_r)
{
	char **lines = g_strsplit(policy->text, "\n", -1), *place = NULL;
	unsigned int begin = 0;

	for (unsigned int i = 0; lines[i] != NULL && place == NULL; i++) {
		if (begin == 0 && g_str_has_prefix(g_strchug(lines[i]), "implicit-tls-ports"))
			begin = i + 1;
		if (begin != 0 && strchr(lines[i], '}') != NULL)
			place = g_strdup_printf("%u,%uc", begin, i + 1);
	}
	g_strfreev(lines);
	*line_r = place == NULL ? 0 : begin;
	return place == NULL ? g_strdup("1i") : place;
}

/* Both findings are mended by the same line: one of them must not undo the other. */
struct mended {
	GArray *ports;
	char *where, *command;
};

static struct mended find_mended(const struct doctor *doctor, const GArray *missing,
				 const GArray *wrong)
{
	const struct policy *policy = doctor->policy;
	struct mended mended = {.ports = g_array_new(FALSE, FALSE, sizeof(uint16_t))};
	unsigned int line;
	char *place = find_lines(policy, &line), *text, *script;

	for (size_t i = 0; i < policy->implicit_tls_port_count; i++) {
		if (!has(wrong, policy->implicit_tls_ports[i]))
			g_array_append_val(mended.ports, policy->implicit_tls_ports[i]);
	}
	g_array_append_vals(mended.ports, missing->data, missing->len);
	text = list(mended.ports);
	script = g_strdup_printf("%s implicit-tls-ports = { %s }", place, text);
	mended.command = mend_policy(doctor, script);
	mended.where = line == 0 ? g_strdup("implicit-tls-ports")
				 : g_strdup_printf("%s:%u", policy->file, line);
	g_free(script);
	g_free(text);
	g_free(place);
	return mended;
}

static void add(struct doctor *doctor, enum finding_id id, const struct mended *mended,
		const GArray *ports, const char *what)
{
	char *text = list(ports);

	if (ports->len > 0)
		finding_add(&doctor->findings, id, mended->where, g_strdup(mended->command),
			    "%s %s %s", ports->len == 1 ? "port" : "ports", text, what);
	g_free(text);
}

static void compare(struct doctor *doctor, const struct ports *ports)
{
	const struct policy *policy = doctor->policy;
	GArray *missing = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	GArray *wrong = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	struct mended mended;

	for (guint i = 0; i < ports->tls->len; i++) {
		uint16_t port = g_array_index(ports->tls, uint16_t, i);

		if (!policy_port_is_implicit_tls(policy, port))
			g_array_append_val(missing, port);
	}
	for (guint i = 0; i < ports->plain->len; i++) {
		uint16_t port = g_array_index(ports->plain, uint16_t, i);

		if (policy_port_is_implicit_tls(policy, port) && !has(ports->tls, port))
			g_array_append_val(wrong, port);
	}
	mended = find_mended(doctor, missing, wrong);
	add(doctor, FINDING_IMPLICIT_TLS_PORT_MISSING, &mended, missing,
	    "has TLS from the first byte, but is none of implicit-tls-ports: logins there count as "
	    "STARTTLS");
	add(doctor, FINDING_IMPLICIT_TLS_PORT_WITHOUT_TLS, &mended, wrong,
	    "is one of implicit-tls-ports, but does not have TLS from the first byte: STARTTLS "
	    "counts as implicit TLS there");
	g_array_unref(mended.ports);
	g_free(mended.where);
	g_free(mended.command);
	g_array_unref(missing);
	g_array_unref(wrong);
}

void doctor_look_at_listeners(struct doctor *doctor)
{
	struct ports ports = {g_array_new(FALSE, FALSE, sizeof(uint16_t)),
			      g_array_new(FALSE, FALSE, sizeof(uint16_t))};

	if (doctor->dovecot.problem == NULL)
		note_dovecot(&ports, &doctor->dovecot);
	if (doctor->postfix.problem == NULL)
		note_postfix(&ports, &doctor->postfix);
	compare(doctor, &ports);
	g_array_unref(ports.tls);
	g_array_unref(ports.plain);
}
