#include "postfix.h"

#include <netdb.h>
#include <string.h>

#include "policy/address.h"
#include "program-output.h"

#define ANSWER_SECONDS 10
#define ANSWER_LENGTH_MAX ((size_t)4 << 20)

static char *ask(struct postfix *postfix, const char *program, const char *option)
{
	/* -x: $name is expanded. */
	const char *const arguments[] = {program, "-x", option, NULL};
	struct program_output output = program_output(arguments, ANSWER_SECONDS, ANSWER_LENGTH_MAX);

	if (output.problem != NULL && postfix->problem == NULL)
		postfix->problem = g_strdup_printf("%s -x %s: %s", program,
						   option == NULL ? "" : option, output.problem);
	g_free(output.problem);
	return output.text;
}

/* "name = value", one a line. */
static GHashTable *read_parameters(const char *text)
{
	GHashTable *parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	char **lines = g_strsplit(text == NULL ? "" : text, "\n", -1);

	for (size_t i = 0; lines[i] != NULL; i++) {
		char *value = strchr(lines[i], '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		g_hash_table_insert(parameters, g_strdup(g_strstrip(lines[i])),
				    g_strdup(g_strstrip(value)));
	}
	g_strfreev(lines);
	return parameters;
}

/* ---- master.cf ---- */

static uint16_t find_port(const char *name, const char *type)
{
	const char *last = strrchr(name, ':');
	const struct servent *entry;
	uint16_t port = 0;

	if (strcmp(type, "pass") == 0)
		return 25;
	if (strcmp(type, "inet") != 0)
		return 0;
	name = last == NULL ? name : last + 1;
	if (port_parse(name, &port))
		return port;
	entry = getservbyname(name, "tcp");
	return entry == NULL ? 0 : g_ntohs((uint16_t)entry->s_port);
}

static void free_service(struct postfix_service *service)
{
	g_free(service->name);
}

/* "name type private unpriv chroot wakeup maxproc command": which are eight. */
static void read_service(GArray *services, const char *line)
{
	char **words = g_strsplit_set(line, " \t", -1);
	const char *fields[8];
	size_t count = 0;

	for (size_t i = 0; words[i] != NULL && count < G_N_ELEMENTS(fields); i++) {
		if (words[i][0] != '\0')
			fields[count++] = words[i];
	}
	if (count == G_N_ELEMENTS(fields) && strcmp(fields[7], "smtpd") == 0) {
		struct postfix_service service = {
			.name = g_strdup_printf("%s/%s", fields[0], fields[1]),
			.port = find_port(fields[0], fields[1]),
			.chroot = strcmp(fields[4], "n") != 0,
		};

		g_array_append_val(services, service);
	}
	g_strfreev(words);
}

static GArray *read_services(const char *text)
{
	GArray *services = g_array_new(FALSE, FALSE, sizeof(struct postfix_service));
	char **lines = g_strsplit(text == NULL ? "" : text, "\n", -1);

	g_array_set_clear_func(services, (GDestroyNotify)free_service);
	for (size_t i = 0; lines[i] != NULL; i++)
		read_service(services, lines[i]);
	g_strfreev(lines);
	return services;
}

/* ---- the whole ---- */

void postfix_read(struct postfix *postfix_r)
{
	char *program = program_path("postconf");
	char *parameters, *services, *own;

	*postfix_r = (struct postfix){.installed = program != NULL};
	if (program == NULL) {
		postfix_r->problem = g_strdup("there is no postconf");
		return;
	}
	parameters = ask(postfix_r, program, NULL);
	services = postfix_r->problem == NULL ? ask(postfix_r, program, "-M") : NULL;
	own = postfix_r->problem == NULL ? ask(postfix_r, program, "-P") : NULL;
	postfix_r->parameters = read_parameters(parameters);
	postfix_r->services = read_services(services);
	postfix_r->own = read_parameters(own);
	if (postfix_r->problem == NULL &&
	    (g_hash_table_lookup(postfix_r->parameters, "queue_directory") == NULL ||
	     strstr(services, "smtpd") == NULL))
		postfix_r->problem =
			g_strdup_printf("%s prints no configuration of a Postfix that receives "
					"mail",
					program);
	g_free(program);
	g_free(parameters);
	g_free(services);
	g_free(own);
}

void postfix_clear(struct postfix *postfix)
{
	g_clear_pointer(&postfix->problem, g_free);
	g_clear_pointer(&postfix->parameters, g_hash_table_unref);
	g_clear_pointer(&postfix->own, g_hash_table_unref);
	g_clear_pointer(&postfix->services, g_array_unref);
}

static const char *own_value(const struct postfix *postfix, const struct postfix_service *service,
			     const char *parameter)
{
	char *key;
	const char *value;

	if (service == NULL)
		return NULL;
	key = g_strdup_printf("%s/%s", service->name, parameter);
	value = g_hash_table_lookup(postfix->own, key);
	g_free(key);
	return value;
}

bool postfix_is_own(const struct postfix *postfix, const struct postfix_service *service,
		    const char *parameter)
{
	return own_value(postfix, service, parameter) != NULL;
}

const char *postfix_value(const struct postfix *postfix, const struct postfix_service *service,
			  const char *parameter)
{
	const char *value = own_value(postfix, service, parameter);

	if (value == NULL)
		value = g_hash_table_lookup(postfix->parameters, parameter);
	return value == NULL ? "" : value;
}

char **postfix_list(const char *value)
{
	GPtrArray *list = g_ptr_array_new();
	const char *begin = NULL;
	size_t depth = 0;

	for (const char *at = value;; at++) {
		bool ends = *at == '\0' || (depth == 0 && strchr(", \t\r\n", *at) != NULL);

		depth += *at == '{';
		depth -= *at == '}' && depth > 0;
		if (!ends && begin == NULL)
			begin = at;
		if (ends && begin != NULL) {
			g_ptr_array_add(list, g_strndup(begin, (size_t)(at - begin)));
			begin = NULL;
		}
		if (*at == '\0')
			break;
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}
