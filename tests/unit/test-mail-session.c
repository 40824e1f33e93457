#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/delivery/mail-session.h"

static char directory[] = "/tmp/portcullis-session.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listening;

static int start_listening(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/server", directory);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening < 0 ||
	    bind(listening, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return listen(listening, 1);
}

static int stop_listening(void **state)
{
	(void)state;
	close(listening);
	unlink(address.sun_path);
	return rmdir(directory);
}

/* A server that says everything at once, and then listens to the end. */
static void *serve(void *said)
{
	int connection = accept(listening, NULL, NULL);
	char heard[4096];

	if (send(connection, said, strlen(said), MSG_NOSIGNAL) > 0)
		shutdown(connection, SHUT_WR);
	while (read(connection, heard, sizeof(heard)) > 0)
		;
	close(connection);
	return NULL;
}

static void assert_hands_over(enum transport_kind kind, const char *said)
{
	const struct transport_settings settings = {.kind = kind, .path = address.sun_path};
	const struct mail_envelope envelope = {.from = "postmaster@example.org",
					       .recipient = "alice@example.org",
					       .message = "Subject: x\n\ntext\n",
					       .length = 17};
	char error[HAND_OVER_ERROR_SIZE] = "";
	struct mail_session *session;
	pthread_t server;

	assert_int_equal(pthread_create(&server, NULL, serve, (void *)said), 0);
	/* A session that never comes to an end ends the test. */
	alarm(20);
	session = mail_session_open(&settings, error);
	if (session == NULL)
		fail_msg("%s", error);
	if (mail_session_hand_over(session, &envelope, error) != HAND_OVER_TAKEN)
		fail_msg("%s", error);
	mail_session_close(session);
	alarm(0);
	assert_int_equal(pthread_join(server, NULL), 0);
}

#define TAKEN "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End\r\n250 2.0.0 Ok\r\n"

/* Extensions are no concern of ours, however a server writes them. */
static void test_extensions(void **state)
{
	static const char *const extensions[] = {
		"",
		"250-PIPELINING\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n",
		"250-AUTH PLAIN\tLOGIN\r\n", /* with which libetpan's own reader never ends */
		"250-AUTH=\t\r\n250-AUTH \t\r\n250-SIZE -1\r\n250-\r\n",
	};
	(void)state;

	for (size_t i = 0; i < COUNT(extensions); i++) {
		char said[512];

		snprintf(said, sizeof(said), "220 mx1\r\n250-mx1\r\n%s250 DSN\r\n" TAKEN,
			 extensions[i]);
		assert_hands_over(TRANSPORT_SMTP, said);
		assert_hands_over(TRANSPORT_LMTP, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extensions),
	};

	return cmocka_run_group_tests(tests, start_listening, stop_listening);
}
