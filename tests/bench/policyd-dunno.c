/* What portcullis-policyd is measured against: a policy daemon on libevent that
   reads each request to its empty line and answers DUNNO without thinking, with
   as few system calls as libevent needs: one wait, one read, one write.

   Usage: policyd-dunno SOCKET-PATH */

#define _GNU_SOURCE /* memmem(), accept4() */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MAX 65536

struct connection {
	struct event *event;
	size_t length;
	char bytes[REQUEST_MAX];
};

static const char answer[] = "action=DUNNO\n\n";

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;
	char *end;
	ssize_t got = read(fd, connection->bytes + connection->length,
			   sizeof(connection->bytes) - connection->length);

	(void)what;
	if (got <= 0) {
		event_free(connection->event);
		close(fd);
		free(connection);
		return;
	}
	connection->length += (size_t)got;
	while ((end = memmem(connection->bytes, connection->length, "\n\n", 2)) != NULL) {
		size_t taken = (size_t)(end - connection->bytes) + 2;

		connection->length -= taken;
		memmove(connection->bytes, connection->bytes + taken, connection->length);
		if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			break;
	}
}

static void on_connect(evutil_socket_t listener, short what, void *context)
{
	struct event_base *base = context;
	struct connection *connection;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	connection = malloc(sizeof(*connection));
	if (connection == NULL)
		abort();
	connection->length = 0;
	connection->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
	event_add(connection->event, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct event_base *base = event_base_new();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fputs("Usage: policyd-dunno SOCKET-PATH\n", stderr);
		return 64;
	}
	strcpy(address.sun_path, argv[1]);
	unlink(argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 4096) < 0) {
		perror(argv[1]);
		return 71;
	}
	event_add(event_new(base, listener, EV_READ | EV_PERSIST, on_connect, base), NULL);
	return event_base_dispatch(base) < 0;
}
