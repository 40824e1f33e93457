/* What portcullis-policyd is measured against: a policy daemon on libevent that
   reads each request to its empty line and answers DUNNO without thinking. By
   itself it uses bufferevents, libevent's own way to do so; with --bare as few
   system calls as can be: one wait, one read, one write.

   Usage: policyd-dunno [--bare] SOCKET-PATH */

#define _GNU_SOURCE /* memmem(), accept4() */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
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

static void on_arrival(struct bufferevent *connection, void *context)
{
	struct evbuffer *input = bufferevent_get_input(connection);
	struct evbuffer_ptr end;

	(void)context;
	while ((end = evbuffer_search(input, "\n\n", 2, NULL)).pos >= 0) {
		evbuffer_drain(input, (size_t)end.pos + 2);
		bufferevent_write(connection, answer, sizeof(answer) - 1);
	}
}

static void on_end(struct bufferevent *connection, short what, void *context)
{
	(void)what, (void)context;
	bufferevent_free(connection);
}

static void serve(struct event_base *base, int fd)
{
	struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (connection == NULL)
		abort();
	bufferevent_setcb(connection, on_arrival, NULL, on_end, NULL);
	bufferevent_enable(connection, EV_READ | EV_WRITE);
}

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

static void serve_bare(struct event_base *base, int fd)
{
	struct connection *connection = malloc(sizeof(*connection));

	if (connection == NULL)
		abort();
	connection->length = 0;
	connection->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
	event_add(connection->event, NULL);
}

static bool bare;

static void on_connect(evutil_socket_t listener, short what, void *context)
{
	struct event_base *base = context;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return;
	if (bare)
		serve_bare(base, fd);
	else
		serve(base, fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct event_base *base = event_base_new();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (argc > 1 && strcmp(argv[1], "--bare") == 0) {
		bare = true;
		argc--;
		argv++;
	}
	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fputs("Usage: policyd-dunno [--bare] SOCKET-PATH\n", stderr);
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
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
