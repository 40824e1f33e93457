#include "mail-session.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <libetpan/mailsmtp.h>

#define CONNECT_SECONDS 30
/* RFC 5321, 4.5.3.2: minutes, for a server that looks at a mail before it takes it. */
#define ANSWER_SECONDS 300

/* libetpan has them, but its headers do not. */
int mailsmtp_send_command(mailsmtp *session, char *command);
int mailsmtp_read_response(mailsmtp *session);

struct mail_session {
	mailsmtp *smtp;
	bool is_alive;
};

static int connect_address(int family, const struct sockaddr *address, socklen_t length)
{
	const struct timeval patience = {.tv_sec = CONNECT_SECONDS};
	int error, connection = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connection < 0)
		return -1;
	/* It holds for connect(2), too. */
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	/* libetpan writes the end of a mail by itself, and this waits for an answer.
	   A Unix socket does not know it. */
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(connection, address, length) == 0)
		return connection;
	error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(connection);
	errno = error;
	return -1;
}

static int connect_unix(const char *path, char error_r[static HAND_OVER_ERROR_SIZE])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int connection;

	if (strlen(path) >= sizeof(address.sun_path)) {
		hand_over_error(error_r, path, strerror(ENAMETOOLONG));
		return -1;
	}
	strcpy(address.sun_path, path);
	connection = connect_address(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
	if (connection < 0)
		hand_over_error(error_r, path, strerror(errno));
	return connection;
}

static int connect_host(const char *host, uint16_t port, char error_r[static HAND_OVER_ERROR_SIZE])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *addresses;
	int connection = -1, error;
	char service[sizeof("65535")];

	snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &addresses);
	if (error != 0) {
		hand_over_error(error_r, host,
				error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	for (const struct addrinfo *a = addresses; a != NULL && connection < 0; a = a->ai_next)
		connection = connect_address(a->ai_family, a->ai_addr, a->ai_addrlen);
	if (connection < 0)
		hand_over_error(error_r, host, strerror(errno));
	freeaddrinfo(addresses);
	return connection;
}

/* Tells what the server said, or that it said nothing. */
static void tell(const struct mail_session *session, const char *what,
		 char error_r[static HAND_OVER_ERROR_SIZE])
{
	char said[HAND_OVER_ERROR_SIZE];

	if (session->smtp->response_code == 0 || session->smtp->response == NULL)
		snprintf(said, sizeof(said), "the connection broke");
	else
		snprintf(said, sizeof(said), "%d %s", session->smtp->response_code,
			 session->smtp->response);
	hand_over_error(error_r, what, said);
}

/* Finishes a step that was answered otherwise than hoped for: what the answer
   means for the mail. permanent is what a 5yz means at this step, broken what a
   closed connection means. */
static enum hand_over fail(struct mail_session *session, int result, const char *what,
			   enum hand_over permanent, enum hand_over broken,
			   char error_r[static HAND_OVER_ERROR_SIZE])
{
	int code = session->smtp->response_code;

	if (result == MAILSMTP_ERROR_STREAM) {
		session->smtp->response_code = 0;
		session->is_alive = false;
		tell(session, what, error_r);
		return broken;
	}
	tell(session, what, error_r);
	if (code == 421) {
		session->is_alive = false;
		return HAND_OVER_LATER;
	}
	/* Clears the transaction, for the next one. */
	if (mailsmtp_reset(session->smtp) != MAILSMTP_NO_ERROR)
		session->is_alive = false;
	return code >= 500 ? permanent : HAND_OVER_LATER;
}

/* Not mailesmtp_ehlo(), and for LMTP mailesmtp_lhlo(): they read the extensions, which are
   not needed here, and never end when there is a tab among the mechanisms of AUTH. */
static bool say_hello(struct mail_session *session, enum transport_kind kind,
		      char error_r[static HAND_OVER_ERROR_SIZE])
{
	const char *hello = kind == TRANSPORT_SMTP ? "EHLO" : "LHLO";
	char host[256], command[sizeof("EHLO \r\n") + sizeof(host)];

	if (gethostname(host, sizeof(host)) < 0)
		strcpy(host, "localhost");
	host[sizeof(host) - 1] = '\0';
	snprintf(command, sizeof(command), "%s %s\r\n", hello, host);
	session->smtp->response_code = 0;
	if (mailsmtp_send_command(session->smtp, command) != -1 &&
	    mailsmtp_read_response(session->smtp) == 250)
		return true;
	tell(session, hello, error_r);
	return false;
}

/* Takes a connection, and reads what the server says first. */
static bool begin(struct mail_session *session, int connection,
		  char error_r[static HAND_OVER_ERROR_SIZE])
{
	mailstream *stream = mailstream_socket_open_timeout(connection, ANSWER_SECONDS);

	session->smtp = mailsmtp_new(0, NULL);
	if (stream == NULL || session->smtp == NULL)
		g_error("out of memory");
	mailsmtp_set_timeout(session->smtp, ANSWER_SECONDS);
	session->is_alive = true;
	/* It closes the stream when it fails. */
	if (mailsmtp_connect(session->smtp, stream) == MAILSMTP_NO_ERROR)
		return true;
	tell(session, "greeting", error_r);
	return false;
}

struct mail_session *mail_session_open(const struct transport_settings *settings,
				       char error_r[static HAND_OVER_ERROR_SIZE])
{
	int connection = settings->path != NULL
				 ? connect_unix(settings->path, error_r)
				 : connect_host(settings->host, settings->port, error_r);
	struct mail_session *session;

	if (connection < 0)
		return NULL;
	/* libetpan writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	session = g_new0(struct mail_session, 1);
	if (begin(session, connection, error_r) && say_hello(session, settings->kind, error_r))
		return session;
	mail_session_close(session);
	return NULL;
}

void mail_session_close(struct mail_session *session)
{
	if (session == NULL)
		return;
	mailsmtp_free(session->smtp);
	g_free(session);
}

bool mail_session_is_alive(const struct mail_session *session)
{
	return session->is_alive;
}

enum hand_over mail_session_hand_over(struct mail_session *session,
				      const struct mail_envelope *envelope,
				      char error_r[static HAND_OVER_ERROR_SIZE])
{
	int result = mailsmtp_mail(session->smtp, envelope->from);

	if (result != MAILSMTP_NO_ERROR)
		return fail(session, result, "MAIL FROM", HAND_OVER_UNAVAILABLE,
			    HAND_OVER_UNAVAILABLE, error_r);
	result = mailsmtp_rcpt(session->smtp, envelope->recipient);
	if (result != MAILSMTP_NO_ERROR)
		return fail(session, result, "RCPT TO", HAND_OVER_REFUSED, HAND_OVER_UNAVAILABLE,
			    error_r);
	result = mailsmtp_data(session->smtp);
	if (result != MAILSMTP_NO_ERROR)
		return fail(session, result, "DATA", HAND_OVER_REFUSED, HAND_OVER_UNAVAILABLE,
			    error_r);
	/* With one recipient, LMTP answers once as well. */
	result = mailsmtp_data_message(session->smtp, envelope->message, envelope->length);
	if (result != MAILSMTP_NO_ERROR)
		return fail(session, result, "end of data", HAND_OVER_REFUSED, HAND_OVER_UNKNOWN,
			    error_r);
	return HAND_OVER_TAKEN;
}
