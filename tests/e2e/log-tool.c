/* For the tests: what mail logs tell of logins, one by one.

   log-tool FILE...     prints each login as JSON, one a line; and at the end, one more:
			{"lines", "unknown": [...], "no_common_tls"} */

#include <jansson.h>
#include <stdio.h>

#include "admin/logs/log-reader.h"

static const char *const tls_names[] = {
	[LOG_TLS_UNKNOWN] = "unknown",   [LOG_TLS_NONE] = "none",
	[LOG_TLS_SOME] = "tls",          [LOG_TLS_STARTTLS] = "starttls",
	[LOG_TLS_IMPLICIT] = "implicit", [LOG_TLS_UNMENTIONED] = "unmentioned",
};

static json_t *describe(const struct log_login *login)
{
	char client[ADDRESS_TEXT_SIZE];

	address_format(&login->client, client);
	return json_pack("{sI ss ss ss ss ss ss si ss ss ss sb si}", "time",
			 (json_int_t)login->time, "host", login->host, "source",
			 source_name(login->source), "user", login->user, "service",
			 service_name(login->service), "mechanism", login->mechanism, "tls",
			 tls_names[login->tls], "port", login->port, "tls_version",
			 tls_version_name(login->tls_version), "client", client, "client_id",
			 login->client_id, "verified", login->verified, "count", (int)login->count);
}

static json_t *describe_rest(const struct log_reader *reader)
{
	const struct log_reader_counts *counts = log_reader_counts(reader);
	const GArray *examples = log_reader_examples(reader)->examples;
	json_t *unknown = json_array();

	for (guint i = 0; i < examples->len; i++)
		json_array_append_new(
			unknown, json_string(g_array_index(examples, struct log_example, i).text));
	return json_pack("{sI so sI}", "lines", (json_int_t)counts->lines, "unknown", unknown,
			 "no_common_tls", (json_int_t)counts->no_common_tls);
}

static void print(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

int main(int argc, char *argv[])
{
	const struct log_reader_options options = {0};
	struct log_input *input = log_input_create();
	struct log_reader *reader;
	struct log_login login;

	for (int i = 1; i < argc; i++) {
		if (!log_input_add(input, argv[i], NULL))
			return 66;
	}
	reader = log_reader_create(input, &options);
	while (log_reader_next(reader, &login))
		print(describe(&login));
	print(describe_rest(reader));
	log_reader_free(reader);
	log_input_free(input);
	return fflush(stdout) == 0 ? 0 : 1;
}
