#include "dovecot.h"

#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "program-output.h"

/* A directory service that names accounts may be slow. */
#define ANSWER_SECONDS 10
#define ANSWER_LENGTH_MAX ((size_t)4 << 20)

/* Those of a Dovecot are fewer. */
#define PROTOCOLS_MAX 16

#define GATE_DRIVER "portcullis"

/* ---- asking doveconf ---- */

/* What a version does not know, it passes over. */
#define ASKED                                                                                      \
	"service", "passdb", "protocols", "ssl", "disable_plaintext_auth", "auth_allow_cleartext", \
		"auth_mechanisms", "auth_use_winbind", "auth_master_user_separator",               \
		"login_trusted_networks", "haproxy_trusted_networks", "auth_policy_server_url",    \
		"auth_policy_check_before_auth", "auth_policy_check_after_auth",                   \
		"auth_policy_report_after_auth", "auth_policy_log_only", "mail_plugin_dir",        \
		"libexec_dir", "base_dir", "default_internal_user", "import_environment"

/* "# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf" */
static bool read_head(struct dovecot *dovecot, const char *text)
{
	const char *end = strchr(text, '\n'), *path = strstr(text, "): ");

	if (!g_str_has_prefix(text, "# 2.") || end == NULL || path == NULL || path > end)
		return false;
	dovecot->is_2_4 = atoi(text + strlen("# 2.")) >= 4;
	dovecot->config = g_strndup(path + strlen("): "), (size_t)(end - path) - strlen("): "));
	return true;
}

static char *ask(struct dovecot *dovecot, const char *const arguments[])
{
	struct program_output output = program_output(arguments, ANSWER_SECONDS, ANSWER_LENGTH_MAX);

	if (output.problem != NULL && dovecot->problem == NULL)
		dovecot->problem = g_strdup_printf(
			"%s %s: %s", arguments[0],
			arguments[2] == NULL ? arguments[1] : "SETTING...", output.problem);
	g_free(output.problem);
	return output.text;
}

/* In 2.3 a protocol's own come first, in 2.4 last: Dovecot itself says how they stand. */
static void read_protocol(struct dovecot *dovecot, const char *program, const char *name)
{
	char *filter = g_strdup_printf("protocol=%s", name), *text;
	const char *const arguments[] = {program, "-f", filter, "passdb", NULL};
	struct setting *passdbs;

	text = ask(dovecot, arguments);
	if (text != NULL) {
		passdbs = setting_parse(text);
		g_free(passdbs->value);
		passdbs->value = g_strdup(name);
		g_ptr_array_add(dovecot->protocols, passdbs);
	}
	g_free(text);
	g_free(filter);
}

static void read_protocols(struct dovecot *dovecot, const char *program)
{
	dovecot->protocols = g_ptr_array_new_with_free_func((GDestroyNotify)setting_free);
	for (guint i = 0; i < dovecot->set->settings->len; i++) {
		const struct setting *section = dovecot->set->settings->pdata[i];

		if (section->settings != NULL && strcmp(section->name, "protocol") == 0 &&
		    section->value[0] != '!' && setting_find(section, "passdb") != NULL &&
		    dovecot->protocols->len < PROTOCOLS_MAX)
			read_protocol(dovecot, program, section->value);
	}
}

static void read_all(struct dovecot *dovecot, const char *program)
{
	const char *const changed[] = {program, "-n", NULL}, *const asked[] = {program, ASKED,
									       NULL};
	char *text = ask(dovecot, changed), *all = NULL;

	if (text != NULL && !read_head(dovecot, text))
		dovecot->problem = g_strdup_printf("%s -n prints no configuration of Dovecot 2.3 "
						   "or later",
						   program);
	if (dovecot->problem == NULL)
		all = ask(dovecot, asked);
	if (dovecot->problem == NULL) {
		dovecot->set = setting_parse(text);
		dovecot->all = setting_parse(all);
		read_protocols(dovecot, program);
	}
	g_free(text);
	g_free(all);
}

void dovecot_read(struct dovecot *dovecot_r)
{
	char *program = program_path("doveconf");

	*dovecot_r = (struct dovecot){.installed = program != NULL};
	if (program == NULL)
		dovecot_r->problem = g_strdup("there is no doveconf");
	else
		read_all(dovecot_r, program);
	g_free(program);
}

void dovecot_clear(struct dovecot *dovecot)
{
	g_clear_pointer(&dovecot->problem, g_free);
	g_clear_pointer(&dovecot->config, g_free);
	g_clear_pointer(&dovecot->all, setting_free);
	g_clear_pointer(&dovecot->set, setting_free);
	g_clear_pointer(&dovecot->protocols, g_ptr_array_unref);
}

/* ---- passdbs ---- */

/* As lets_in() of dovecot-plugin/ways-around.c has it. */
static bool lets_in(const struct setting *section)
{
	const char *result = setting_value(section, "result_success");

	return !setting_is_yes(section, "deny") && !setting_is_yes(section, "pass") &&
	       (result[0] == '\0' || strcmp(result, "return-ok") == 0 ||
		strcmp(result, "return") == 0);
}

/* 2.4 calls a passdb by its driver where it says nothing else. */
static struct passdb read_passdb(const struct setting *section)
{
	const char *driver = setting_value(section, "driver");
	const char *config = setting_value(section, "args");

	if (driver[0] == '\0')
		driver = section->value;
	if (config[0] == '\0')
		config = setting_value(section, "config");
	if (config[0] == '\0')
		config = setting_value(section, "passdb_portcullis_config");
	return (struct passdb){.driver = driver,
			       .gate = strcmp(driver, GATE_DRIVER) == 0,
			       .master = setting_is_yes(section, "master"),
			       .lets_in = lets_in(section),
			       .config = config};
}

GArray *dovecot_passdbs(const struct setting *section)
{
	GArray *passdbs = g_array_new(FALSE, FALSE, sizeof(struct passdb));

	for (guint i = 0; i < section->settings->len; i++) {
		const struct setting *setting = section->settings->pdata[i];

		if (setting->settings != NULL && strcmp(setting->name, "passdb") == 0) {
			struct passdb passdb = read_passdb(setting);

			g_array_append_val(passdbs, passdb);
		}
	}
	return passdbs;
}

bool dovecot_has_gate(const struct dovecot *dovecot)
{
	GArray *passdbs = dovecot_passdbs(dovecot->all);
	bool found = false;

	for (guint i = 0; i < passdbs->len; i++)
		found |= g_array_index(passdbs, struct passdb, i).gate;
	g_array_unref(passdbs);
	return found;
}

char *dovecot_gate_lines(const struct dovecot *dovecot, const char *config, bool master)
{
	const char *more = master ? "  master = yes\\n" : "";

	if (dovecot->is_2_4)
		return g_strdup_printf("passdb portcullis%s {\\n  driver = portcullis\\n"
				       "  passdb_portcullis_config = %s\\n%s}",
				       master ? "-master" : "", config, more);
	return g_strdup_printf("passdb {\\n  driver = portcullis\\n  args = %s\\n%s}", config,
			       more);
}

/* ---- listeners ---- */

static void add_listener(GArray *listeners, const struct setting *service,
			 const struct setting *section)
{
	struct dovecot_listener listener = {
		.service = service->value,
		.tls = setting_is_yes(section, "ssl"),
		.proxy = setting_is_yes(section, "haproxy"),
	};

	/* 0: it is switched off. */
	if (port_parse(setting_value(section, "port"), &listener.port))
		g_array_append_val(listeners, listener);
}

/* A login process whose protocol is not switched on is not started. */
static bool is_on(char *const *protocols, const struct setting *service)
{
	return strcmp(setting_value(service, "type"), "login") == 0 &&
	       g_strv_contains((const char *const *)protocols, setting_value(service, "protocol"));
}

GArray *dovecot_listeners(const struct dovecot *dovecot)
{
	GArray *listeners = g_array_new(FALSE, FALSE, sizeof(struct dovecot_listener));
	char **protocols = setting_list(dovecot->all, "protocols");

	for (guint i = 0; i < dovecot->all->settings->len; i++) {
		const struct setting *service = dovecot->all->settings->pdata[i];

		if (strcmp(service->name, "service") != 0 || service->settings == NULL ||
		    !is_on(protocols, service))
			continue;
		for (guint j = 0; j < service->settings->len; j++) {
			const struct setting *section = service->settings->pdata[j];

			if (strcmp(section->name, "inet_listener") == 0 &&
			    section->settings != NULL)
				add_listener(listeners, service, section);
		}
	}
	g_strfreev(protocols);
	return listeners;
}

/* ---- who may log in how ---- */

char **dovecot_mechanisms(const struct dovecot *dovecot)
{
	char **mechanisms = setting_list(dovecot->all, "auth_mechanisms");

	for (size_t i = 0; mechanisms[i] != NULL; i++) {
		char *capitals = g_ascii_strup(mechanisms[i], -1);

		g_free(mechanisms[i]);
		mechanisms[i] = capitals;
	}
	return mechanisms;
}

char *dovecot_mechanisms_line(char *const *mechanisms)
{
	char *list = g_strjoinv(" ", (char **)mechanisms), *small = g_ascii_strdown(list, -1);
	char *line = g_strdup_printf("auth_mechanisms = %s", small);

	g_free(list);
	g_free(small);
	return line;
}

bool dovecot_allows_cleartext(const struct dovecot *dovecot)
{
	return dovecot->is_2_4 ? setting_is_yes(dovecot->all, "auth_allow_cleartext")
			       : !setting_is_yes(dovecot->all, "disable_plaintext_auth");
}

const char *dovecot_cleartext_setting(const struct dovecot *dovecot)
{
	return dovecot->is_2_4 ? "auth_allow_cleartext" : "disable_plaintext_auth";
}

const char *dovecot_cleartext_line(const struct dovecot *dovecot)
{
	return dovecot->is_2_4 ? "auth_allow_cleartext = yes" : "disable_plaintext_auth = no";
}

/* 2.4 has those that are set in a section of their own, and the others outside. */
const char *dovecot_auth_policy(const struct dovecot *dovecot, const char *name)
{
	const struct setting *section = setting_find(dovecot->set, "auth_policy");
	char *whole = g_strconcat("auth_policy_", name, NULL);
	const char *value = setting_value(dovecot->all, whole);

	if (section != NULL && section->settings != NULL && setting_find(section, name) != NULL)
		value = setting_value(section, name);
	g_free(whole);
	return value;
}

const char *dovecot_examples(const struct dovecot *dovecot)
{
	return dovecot->is_2_4 ? "dovecot-2.4" : "dovecot-2.3";
}

/* ---- where things are ---- */

const char *dovecot_module_folder(const struct dovecot *dovecot)
{
	return setting_value(dovecot->all, "mail_plugin_dir");
}

static const struct setting *auth_service(const struct dovecot *dovecot)
{
	for (guint i = 0; i < dovecot->all->settings->len; i++) {
		const struct setting *setting = dovecot->all->settings->pdata[i];

		if (strcmp(setting->name, "service") == 0 && strcmp(setting->value, "auth") == 0)
			return setting;
	}
	return NULL;
}

char **dovecot_auth_groups(const struct dovecot *dovecot)
{
	return setting_list(auth_service(dovecot), "extra_groups");
}

const char *dovecot_auth_account(const struct dovecot *dovecot)
{
	const char *user = setting_value(auth_service(dovecot), "user");

	/* "$default_internal_user", and 2.4's "$SET:default_internal_user". */
	if (user[0] != '$')
		return user;
	return setting_value(dovecot->all, "default_internal_user");
}

char *dovecot_auth_groups_line(const struct dovecot *dovecot, char *const *groups)
{
	char *list = g_strjoinv(dovecot->is_2_4 ? " " : ",", (char **)groups);
	char *line = g_strdup_printf("service auth {\\n  extra_groups = %s\\n}", list);

	g_free(list);
	return line;
}

/* ---- environment ---- */

/* "TZ=Europe/Berlin" among others in 2.3, a section in 2.4, where %{env:TZ} is the master's. */
char *dovecot_time_zone(const struct dovecot *dovecot)
{
	const struct setting *found = setting_find(dovecot->all, "import_environment");
	char **words = g_strsplit(found == NULL ? "" : found->value, " ", -1), *zone;

	if (found != NULL && found->settings != NULL)
		zone = g_strdup(setting_value(found, "TZ"));
	else
		zone = g_strdup("");
	for (size_t i = 0; words[i] != NULL; i++) {
		if (g_str_has_prefix(words[i], "TZ=")) {
			g_free(zone);
			zone = g_strdup(words[i] + strlen("TZ="));
		}
	}
	if (strchr(zone, '%') != NULL)
		zone[0] = '\0';
	g_strfreev(words);
	return zone;
}

char *dovecot_time_zone_line(const struct dovecot *dovecot)
{
	char **words;
	GString *line;

	if (dovecot->is_2_4)
		return g_strdup("import_environment {\\n  TZ = %{env:TZ}\\n}");
	words = g_strsplit(setting_value(dovecot->all, "import_environment"), " ", -1);
	line = g_string_new("import_environment =");
	for (size_t i = 0; words[i] != NULL; i++)
		g_string_append_printf(line, " %s",
				       g_str_has_prefix(words[i], "TZ=") ? "TZ" : words[i]);
	g_strfreev(words);
	return g_string_free(line, FALSE);
}
