/* Whatever a mail server may answer: each mail is taken, or it is told on one line why
   not. */

#define _GNU_SOURCE /* memmem() */
#include "fuzz.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/delivery/mail-session.h"

#define MAILS_MAX 3

/* A server that says everything at once, and then listens to the end. */
struct server {
	int listening;
	const uint8_t *answers;
	size_t size;
};

static void *serve(void *argument)
{
	const struct server *server = argument;
	int connection = accept(server->listening, NULL, NULL);
	char heard[4096];

	require(connection >= 0);
	/* Who has heard enough may have closed it. */
	if (send(connection, server->answers, server->size, MSG_NOSIGNAL) >= 0)
		shutdown(connection, SHUT_WR);
	while (read(connection, heard, sizeof(heard)) > 0)
		;
	close(connection);
	return NULL;
}

/* Returns the path. */
static const char *listen_once(int *listening_r)
{
	static struct sockaddr_un address = {.sun_family = AF_UNIX};
	static int listening = -1;

	if (listening < 0) {
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/lmtp", fuzz_folder());
		unlink(address.sun_path);
		listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		require(listening >= 0);
		require(bind(listening, (const struct sockaddr *)&address, sizeof(address)) == 0);
		require(listen(listening, 1) == 0);
	}
	*listening_r = listening;
	return address.sun_path;
}

static void look_at_error(const char *error)
{
	require(error[0] != '\0' && strlen(error) < HAND_OVER_ERROR_SIZE);
	for (; *error != '\0'; error++)
		require(*error >= ' ' && *error <= '~');
}

static bool has_said(const struct server *server, const char *code)
{
	return memmem(server->answers, server->size, code, strlen(code)) != NULL;
}

static void hand_over(struct mail_session *session, const struct server *server)
{
	static const char message[] = "Subject: x\n\n.\n..\nEnd\n";
	const struct mail_envelope envelope = {.from = "postmaster@example.org",
					       .recipient = "alice@example.org",
					       .message = message,
					       .length = sizeof(message) - 1};
	char error[HAND_OVER_ERROR_SIZE] = "";

	for (int mails = 0; mails < MAILS_MAX && mail_session_is_alive(session); mails++) {
		enum hand_over result = mail_session_hand_over(session, &envelope, error);

		if (result == HAND_OVER_TAKEN)
			require(has_said(server, "354") && has_said(server, "250"));
		else
			look_at_error(error);
	}
}

/* The first byte chooses the protocol. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server server;
	struct transport_settings settings = {.kind = TRANSPORT_LMTP};
	struct mail_session *session;
	char error[HAND_OVER_ERROR_SIZE] = "";
	pthread_t thread;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		settings.kind = TRANSPORT_SMTP;
	settings.path = (char *)listen_once(&server.listening);
	server.answers = data + 1;
	server.size = size - 1;
	require(pthread_create(&thread, NULL, serve, &server) == 0);
	session = mail_session_open(&settings, error);
	if (session == NULL)
		look_at_error(error);
	else
		hand_over(session, &server);
	mail_session_close(session);
	require(pthread_join(thread, NULL) == 0);
	return 0;
}
