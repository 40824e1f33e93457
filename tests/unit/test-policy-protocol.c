#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postfix-policyd/attempt-from-policy.h"
#include "postfix-policyd/instances.h"
#include "postfix-policyd/policy-request.h"
#include "postfix-policyd/reply.h"

#define REQUEST "request=smtpd_access_policy\n"

/* A copy without anything behind its end, so that ASan and valgrind see a read
   beyond it. */
static char *copy(const char *bytes, size_t length)
{
	char *text = malloc(length);

	assert_non_null(text);
	memcpy(text, bytes, length);
	return text;
}

static void test_length(void **state)
{
	static const struct {
		const char *bytes;
		size_t length; /* 0: not whole */
	} cases[] = {
		{"", 0},
		{"r", 0},
		{"request", 0},
		{"request=", 0},
		{"request=smtpd_access_policy", 0},
		{REQUEST, 0},
		{REQUEST "\n", 29},
		{REQUEST "\n\n", 29},
		{REQUEST "a=", 0},
		{REQUEST "a=b\n", 0},
		{REQUEST "a=b\n\n", 33},
		{REQUEST "\nnonsense", 29},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t size = strlen(cases[i].bytes);
		char *bytes = copy(cases[i].bytes, size);
		struct policy_request request;
		const char *error;

		assert_int_equal(policy_request_parse(bytes, size, 0, &request, &error),
				 cases[i].length);
		assert_null(error);
		if (cases[i].length == 0)
			assert_memory_equal(bytes, cases[i].bytes, size);
		free(bytes);
	}
}

/* It comes out the same whether a request arrives at once or byte by byte. */
static void test_length_in_pieces(void **state)
{
	static const char whole[] = REQUEST "instance=1\n\n";
	size_t size = strlen(whole);
	struct policy_request request;
	const char *error;
	(void)state;

	for (size_t arrived = 1; arrived <= size; arrived++) {
		char *part = copy(whole, arrived), *rest = copy(whole, size);

		assert_int_equal(policy_request_parse(part, arrived, arrived - 1, &request, &error),
				 arrived == size ? size : 0);
		assert_null(error);
		assert_int_equal(policy_request_parse(rest, size, arrived - 1, &request, &error),
				 size);
		assert_string_equal(request.instance, "1");
		free(part);
		free(rest);
	}
}

static void test_parse(void **state)
{
	static const char text[] = "protocol_state=RCPT\n" REQUEST "client_address=192.0.2.1\n"
				   "server_port=587\nsasl_username=a=b\xff\nsasl_method=plain\n"
				   "encryption_protocol=TLSv1.2\n"
				   "helo_name=\nsender=\nsender=twice\n=\ninstance=1.2\n\n";
	struct policy_request request;
	const char *error;
	char *bytes = copy(text, sizeof(text) - 1);
	(void)state;

	assert_int_equal(policy_request_parse(bytes, sizeof(text) - 1, 0, &request, &error),
			 sizeof(text) - 1);
	assert_string_equal(request.client_address, "192.0.2.1");
	assert_string_equal(request.server_port, "587");
	assert_string_equal(request.sasl_username, "a=b\xff");
	assert_string_equal(request.sasl_method, "plain");
	assert_string_equal(request.encryption_protocol, "TLSv1.2");
	assert_string_equal(request.helo_name, "");
	assert_string_equal(request.instance, "1.2");
	free(bytes);
}

/* Names that begin or end like one that is used. */
static void test_other_attributes(void **state)
{
	char text[] = REQUEST "client_addres=1\nclient_address6=1\nserver_por=1\nsasl_sender=1\n"
			      "instances=1\nInstance=1\n instance=1\ninstance =1\nhelo=1\n\n";
	struct policy_request request;
	const char *error;
	(void)state;

	assert_int_equal(policy_request_parse(text, sizeof(text) - 1, 0, &request, &error),
			 sizeof(text) - 1);
	assert_string_equal(request.client_address, "");
	assert_string_equal(request.server_port, "");
	assert_string_equal(request.sasl_method, "");
	assert_string_equal(request.sasl_username, "");
	assert_string_equal(request.encryption_protocol, "");
	assert_string_equal(request.helo_name, "");
	assert_string_equal(request.instance, "");
}

static void test_parse_errors(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *error;
	} cases[] = {
#define CASE(text, error) {text, sizeof(text) - 1, error}
		CASE("\n", "not a request=smtpd_access_policy"),
		CASE("instance=1\n\n", "not a request=smtpd_access_policy"),
		CASE("request=\n\n", "not a request=smtpd_access_policy"),
		CASE("request=junk_policy\n\n", "not a request=smtpd_access_policy"),
		CASE("Request=smtpd_access_policy\n\n", "not a request=smtpd_access_policy"),
		CASE("request=smtpd_access_policy\0\n\n", "a NUL byte in the request"),
		CASE(REQUEST "sender=\0\n\n", "a NUL byte in the request"),
		CASE(REQUEST "GET / HTTP/1.1\n\n", "a line without \"=\" in the request"),
		CASE(REQUEST "instance\n", "a line without \"=\" in the request"),
		CASE(REQUEST "a=b\r\n\r\n", "a line without \"=\" in the request"),
		CASE(REQUEST "instance=1\ninstance=1\n", "an attribute twice in the request"),
		CASE(REQUEST REQUEST "\n", "an attribute twice in the request"),
		CASE(REQUEST "sasl_username=\nsasl_username=a\n\n",
		     "an attribute twice in the request"),
#undef CASE
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_request request;
		const char *error = NULL;
		char *bytes = copy(cases[i].text, cases[i].length);

		assert_int_equal(policy_request_parse(bytes, cases[i].length, 0, &request, &error),
				 0);
		assert_non_null(error);
		assert_string_equal(error, cases[i].error);
		free(bytes);
	}
}

static uint16_t implicit_tls_ports[] = {465};
static const struct policy policy = {
	.default_domain = (char *)"example.org",
	.implicit_tls_ports = implicit_tls_ports,
	.implicit_tls_port_count = 1,
};

static bool attempt_of(const char *attributes, struct policy_attempt *attempt_r,
		       const char **error_r)
{
	static char text[4096];
	struct policy_request request;

	snprintf(text, sizeof(text), REQUEST "%s\n", attributes);
	assert_true(policy_request_parse(text, strlen(text), 0, &request, error_r) > 0);
	return attempt_from_policy(&request, &policy, attempt_r, error_r);
}

static void test_attempt(void **state)
{
	static const struct {
		const char *attributes;
		enum service service;
		enum tls_state tls;
		enum tls_version version;
		uint16_t port;
		const char *client, *user, *mechanism;
		bool verified;
	} cases[] = {
		{"client_address=unknown\nserver_port=unknown\n", SERVICE_SMTP, TLS_NONE,
		 TLS_VERSION_UNKNOWN, 0, "", "", "", false},
		{"client_address=2001:db8::1\nserver_port=25\nsasl_method=\nsasl_username=\n"
		 "encryption_protocol=TLSv1.3\n",
		 SERVICE_SMTP, TLS_STARTTLS, TLS_V1_3, 25, "2001:db8::1", "", "", false},
		{"client_address=192.0.2.1\nserver_port=587\nsasl_method=cram-md5\n"
		 "sasl_username=Alice\nencryption_protocol=\n",
		 SERVICE_SUBMISSION, TLS_NONE, TLS_VERSION_UNKNOWN, 587, "192.0.2.1",
		 "alice@example.org", "CRAM-MD5", true},
		{"client_address=::ffff:192.0.2.1\nserver_port=465\nsasl_method=PLAIN\n"
		 "sasl_username=bob@example.net\nencryption_protocol=TLSv1.2\n",
		 SERVICE_SUBMISSION, TLS_IMPLICIT, TLS_V1_2, 465, "192.0.2.1", "bob@example.net",
		 "PLAIN", true},
		/* By which somebody shows that he is nobody. */
		{"client_address=192.0.2.1\nserver_port=587\nsasl_method=anonymous\n"
		 "sasl_username=anonymous\n",
		 SERVICE_SUBMISSION, TLS_NONE, TLS_VERSION_UNKNOWN, 587, "192.0.2.1",
		 "anonymous@example.org", "ANONYMOUS", false},
		{"client_address=unknown\nserver_port=65535\nencryption_protocol=TLSv9\n",
		 SERVICE_SMTP, TLS_STARTTLS, TLS_VERSION_UNKNOWN, 65535, "", "", "", false},
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_attempt attempt;
		const char *error;
		char client[ADDRESS_TEXT_SIZE];

		assert_true(attempt_of(cases[i].attributes, &attempt, &error));
		address_format(&attempt.attempt.client, client);
		assert_int_equal(attempt.attempt.source, SOURCE_POSTFIX);
		assert_int_equal(attempt.attempt.service, cases[i].service);
		assert_int_equal(attempt.attempt.tls, cases[i].tls);
		assert_int_equal(attempt.attempt.tls_version, cases[i].version);
		assert_int_equal(attempt.attempt.port, cases[i].port);
		assert_string_equal(client, cases[i].client);
		assert_string_equal(attempt.attempt.user, cases[i].user);
		assert_string_equal(attempt.attempt.mechanism, cases[i].mechanism);
		assert_int_equal(attempt.verified, cases[i].verified);
	}
}

static void test_attempt_strings(void **state)
{
	struct policy_attempt attempt;
	const char *error;
	char attributes[3000] =
		"client_address=unknown\nhelo_name=[192.168.1.7]\ninstance=1.2.3\nsasl_method="
		"a-mechanism-whose-name-nobody-would-believe\nsasl_username=";
	(void)state;

	memset(attributes + strlen(attributes), 'u', 2000);
	strcat(attributes, "\n");
	assert_true(attempt_of(attributes, &attempt, &error));
	assert_string_equal(attempt.attempt.client_id, "[192.168.1.7]");
	assert_string_equal(attempt.attempt.session, "1.2.3");
	assert_int_equal(strlen(attempt.attempt.mechanism), MECHANISM_SIZE - 1);
	assert_true(strlen(attempt.attempt.user) < USER_SIZE);
}

static void test_attempt_errors(void **state)
{
	static const char *const addresses[] = {"",
						"client_address=\n",
						"client_address=Unknown\n",
						"client_address=192.0.2.256\n",
						"client_address=mx.example.org\n",
						"client_address=192.0.2.1 \n",
						"client_address=IPv6:2001:db8::1\n"};
	static const char *const ports[] = {"server_port=65536\n", "server_port=-1\n",
					    "server_port=25 \n", "server_port=smtp\n",
					    "server_port=000025\n"};
	struct policy_attempt attempt;
	const char *error;
	(void)state;

	for (size_t i = 0; i < COUNT(addresses); i++) {
		assert_false(attempt_of(addresses[i], &attempt, &error));
		assert_string_equal(error, "invalid client_address");
	}
	for (size_t i = 0; i < COUNT(ports); i++) {
		char attributes[64] = "client_address=unknown\n";

		assert_false(attempt_of(strcat(attributes, ports[i]), &attempt, &error));
		assert_string_equal(error, "invalid server_port");
	}
}

static void test_reply(void **state)
{
	static const struct {
		enum kind kind;
		const char *reply;
	} cases[] = {
		{KIND_ENCRYPTION, "action=530 5.7.0 Use TLS\n\n"},
		{KIND_IMPLICIT_TLS, "action=550 5.7.1 Use TLS\n\n"},
		{KIND_MECHANISM, "action=534 5.7.9 Use TLS\n\n"},
		{KIND_COUNTRY, "action=550 5.7.1 Use TLS\n\n"},
		{KIND_PROTOCOL, "action=550 5.7.1 Use TLS\n\n"},
		{KIND_SUBMISSION_PORT, "action=550 5.7.1 Use TLS\n\n"},
		{KIND_RELAY, "action=550 5.7.1 Use TLS\n\n"},
	};
	struct rule rule = {.message = (char *)"Use TLS"};
	struct verdict verdict = {.outcome = OUTCOME_REJECT_AFTER, .rejecting = &rule};
	char reply[REPLY_SIZE];
	(void)state;

	assert_int_equal(COUNT(cases), KIND_COUNT);
	for (size_t i = 0; i < COUNT(cases); i++) {
		rule.kind = cases[i].kind;
		assert_int_equal(reply_format(&verdict, reply), strlen(cases[i].reply));
		assert_string_equal(reply, cases[i].reply);
	}
	verdict = (struct verdict){.outcome = OUTCOME_ALLOW, .broken = 1};
	assert_int_equal(reply_format(&verdict, reply), strlen("action=DUNNO\n\n"));
	assert_string_equal(reply, "action=DUNNO\n\n");
}

static void test_long_reply(void **state)
{
	char message[2000];
	struct rule rule = {.kind = KIND_RELAY, .message = message};
	struct verdict verdict = {.outcome = OUTCOME_REJECT_BEFORE, .rejecting = &rule};
	char reply[REPLY_SIZE];
	size_t length;
	(void)state;

	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	length = reply_format(&verdict, reply);
	assert_int_equal(length, strlen(reply));
	assert_true(length < REPLY_SIZE);
	assert_string_equal(reply + length - 3, "m\n\n");
}

static void test_instances(void **state)
{
	struct instances *instances = instances_create();
	struct verdict verdict = {.outcome = OUTCOME_ALLOW, .broken = 1};
	(void)state;

	assert_non_null(instances);
	assert_true(instances_add(instances, "1.2.3", "alice", &verdict));
	assert_false(instances_add(instances, "1.2.3", "alice", &verdict));
	assert_true(instances_add(instances, "1.2.4", "alice", &verdict));
	assert_true(instances_add(instances, "1.2.3", "bob", &verdict));
	assert_true(instances_add(instances, "1.2.3a", "lice", &verdict));
	assert_false(instances_add(instances, "1.2.3", "alice", &verdict));

	/* What the record says has changed, because a date has come. */
	verdict.outcome = OUTCOME_REJECT_AFTER;
	assert_true(instances_add(instances, "1.2.3", "alice", &verdict));
	verdict.broken = 3;
	assert_true(instances_add(instances, "1.2.3", "alice", &verdict));

	assert_true(instances_add(instances, "", "alice", &verdict));
	assert_true(instances_add(instances, "", "alice", &verdict));
	instances_free(instances);
}

/* Recipients of a thousand mails at once, each mail recorded once; and however
   many come, what is in use is not forgotten. */
static void test_many_instances(void **state)
{
	struct instances *instances = instances_create();
	const struct verdict verdict = {.outcome = OUTCOME_ALLOW, .broken = 1};
	char instance[32];
	unsigned int again = 0;
	(void)state;

	assert_non_null(instances);
	for (unsigned int recipient = 0; recipient < 3; recipient++) {
		for (unsigned int mail = 0; mail < 1000; mail++) {
			snprintf(instance, sizeof(instance), "%x.1", mail);
			again += instances_add(instances, instance, "u", &verdict);
		}
	}
	/* A bucket may overflow, but hardly ever does. */
	assert_true(again >= 1000 && again <= 1020);
	for (unsigned int mail = 0; mail < (unsigned int)rounds(1000000); mail++) {
		snprintf(instance, sizeof(instance), "%x.2", mail);
		assert_true(instances_add(instances, instance, "u", &verdict));
		assert_false(instances_add(instances, instance, "u", &verdict));
	}
	instances_free(instances);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),          cmocka_unit_test(test_length_in_pieces),
		cmocka_unit_test(test_parse),           cmocka_unit_test(test_other_attributes),
		cmocka_unit_test(test_parse_errors),    cmocka_unit_test(test_attempt),
		cmocka_unit_test(test_attempt_strings), cmocka_unit_test(test_attempt_errors),
		cmocka_unit_test(test_reply),           cmocka_unit_test(test_long_reply),
		cmocka_unit_test(test_instances),       cmocka_unit_test(test_many_instances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
