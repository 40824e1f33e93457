#define _GNU_SOURCE /* struct ucred */
#include "connection.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy-request.h"
#include "policy/monotonic-clock.h"

/* Answers are collected and sent in portions of this size. */
#define OUTPUT_SIZE ((size_t)64 * 1024)

/* What all connections together may have in hand, in bytes. */
#define HELD_MAX ((size_t)16 * 1024 * 1024)

/* What strangers may make the daemon log, in lines a minute. */
#define COMPLAINTS_PER_MINUTE 10

/* Bytes that wait for more to arrive, or to be taken. */
struct held {
	char *bytes;
	size_t length;
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct connections *all;
	struct event readable;
	struct event writable;
	struct held input;  /* the begin of a request; more when output waits */
	struct held output; /* answers not taken; then nothing is read */
	time_t since;       /* of its state, or of the last progress in it */
	bool busy;
	bool failed; /* to be closed when its output is sent */
};

TAILQ_HEAD(queue, connection);

struct connections {
	struct event_base *base;
	const struct answerer *answerer;
	time_t request_timeout;
	bool finishing;
	size_t count;
	size_t held;
	time_t complaints_since;
	unsigned int complaints;
	/* Each in the order of since, so that those whose time is over are at
	   the head: no timer of its own for each. */
	struct queue resting; /* nothing in hand */
	struct queue busy;
	char input[POLICY_REQUEST_SIZE_MAX];
	char output[OUTPUT_SIZE];
};

static int connection_fd(const struct connection *connection)
{
	return event_get_fd(&connection->readable);
}

static bool hold(struct connection *connection, struct held *held, const char *bytes, size_t length)
{
	char *copy = NULL;

	if (length > 0 && (copy = malloc(length)) == NULL)
		return false;
	if (length > 0)
		memcpy(copy, bytes, length);
	free(held->bytes);
	connection->all->held += length - held->length;
	held->bytes = copy;
	held->length = length;
	return true;
}

static struct queue *queue_of(const struct connection *connection)
{
	return connection->busy ? &connection->all->busy : &connection->all->resting;
}

static void connection_close(struct connection *connection)
{
	int fd = connection_fd(connection);

	hold(connection, &connection->input, NULL, 0);
	hold(connection, &connection->output, NULL, 0);
	TAILQ_REMOVE(queue_of(connection), connection, link);
	connection->all->count--;
	event_del(&connection->readable);
	event_del(&connection->writable);
	close(fd);
	free(connection);
}

static void describe_peer(int fd, char *text_r, size_t size)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(address);
	struct ucred peer;
	socklen_t peer_length = sizeof(peer);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	    address.ss_family != AF_UNIX &&
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text_r, size, "%s port %s", host, port);
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_length) == 0)
		snprintf(text_r, size, "process %ld of user %ld", (long)peer.pid, (long)peer.uid);
	else
		snprintf(text_r, size, "somebody");
}

/* Logs why a connection is cut off, unless that was said often enough. */
static void complain(struct connection *connection, const char *why)
{
	struct connections *all = connection->all;
	time_t now = monotonic_seconds();
	char peer[NI_MAXHOST + NI_MAXSERV + sizeof(" port ")];

	if (now - all->complaints_since >= 60) {
		if (all->complaints > COMPLAINTS_PER_MINUTE)
			messages_post(all->answerer->messages, MESSAGE_WARNING,
				      "%u more policy clients were cut off",
				      all->complaints - COMPLAINTS_PER_MINUTE);
		all->complaints_since = now;
		all->complaints = 0;
	}
	if (++all->complaints > COMPLAINTS_PER_MINUTE)
		return;
	describe_peer(connection_fd(connection), peer, sizeof(peer));
	messages_post(all->answerer->messages, MESSAGE_WARNING,
		      "policy client %s cut off without an answer: %s", peer, why);
}

/* Puts a connection where it belongs after something was done for it. */
static void connection_requeue(struct connection *connection, bool progress)
{
	struct connections *all = connection->all;
	bool busy = connection->input.length > 0 || connection->output.length > 0;

	if (progress || busy != connection->busy) {
		TAILQ_REMOVE(queue_of(connection), connection, link);
		connection->busy = busy;
		connection->since = monotonic_seconds();
		TAILQ_INSERT_TAIL(queue_of(connection), connection, link);
	}
	while (all->held > HELD_MAX) {
		connection = TAILQ_FIRST(&all->busy);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not follow TAILQ_REMOVE() */
		complain(connection, "too much is pending for all clients together");
		connection_close(connection);
	}
}

/* Sends what it can of length bytes and holds the rest. False when the connection
   is of no use any more. */
static bool connection_send(struct connection *connection, const char *bytes, size_t length)
{
	ssize_t sent = 0;

	if (length > 0)
		sent = send(connection_fd(connection), bytes, length, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (sent < 0)
		sent = 0;
	return hold(connection, &connection->output, bytes + sent, length - (size_t)sent);
}

/* Answers the whole requests among the length bytes of all->input, of which
   searched were seen before, and holds what is left. */
static void connection_serve(struct connection *connection, size_t length, size_t searched)
{
	struct connections *all = connection->all;
	const char *error = NULL;
	struct policy_request request;
	struct timespec now;
	size_t start = 0, taken, filled;
	bool progress = false;

	/* Not libevent's: for some seconds it does not know that the clock was set. */
	clock_gettime(CLOCK_REALTIME, &now);
	do {
		filled = 0;
		while (error == NULL && filled + REPLY_SIZE <= OUTPUT_SIZE &&
		       (taken = policy_request_parse(all->input + start, length - start, searched,
						     &request, &error)) > 0) {
			filled += answer_request(all->answerer, &request, &now,
						 all->output + filled, &error);
			start += taken;
			searched = 0;
		}
		if (!connection_send(connection, all->output, filled)) {
			connection_close(connection);
			return;
		}
		progress |= filled > 0;
	} while (filled > 0 && connection->output.length == 0);

	if (error == NULL && start == 0 && length == sizeof(all->input))
		error = "a request too long";
	if (error == NULL &&
	    !hold(connection, &connection->input, all->input + start, length - start))
		error = "out of memory";
	if (error != NULL) {
		complain(connection, error);
		connection->failed = true;
		hold(connection, &connection->input, NULL, 0);
	}
	if (connection->output.length > 0) {
		event_del(&connection->readable);
		event_add(&connection->writable, NULL);
	} else if (connection->failed) {
		connection_close(connection);
		return;
	}
	connection_requeue(connection, progress);
}

static void connection_readable(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;
	char *input = connection->all->input;
	size_t before = connection->input.length;
	ssize_t got;

	(void)what;
	got = read(fd, input + before, POLICY_REQUEST_SIZE_MAX - before);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection_close(connection);
		return;
	}
	if (before > 0)
		memcpy(input, connection->input.bytes, before);
	connection_serve(connection, before + (size_t)got, before);
}

static void connection_writable(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;
	size_t before = connection->output.length, length = connection->input.length;

	(void)fd, (void)what;
	if (!connection_send(connection, connection->output.bytes, before)) {
		connection_close(connection);
		return;
	}
	if (connection->output.length > 0) {
		connection_requeue(connection, connection->output.length < before);
		return;
	}
	if (connection->failed) {
		connection_close(connection);
		return;
	}
	event_del(&connection->writable);
	event_add(&connection->readable, NULL);
	if (length > 0)
		memcpy(connection->all->input, connection->input.bytes, length);
	connection_serve(connection, length, 0);
}

struct connections *connections_create(struct event_base *base, const struct answerer *answerer,
				       unsigned int request_timeout)
{
	struct connections *connections = calloc(1, sizeof(*connections));

	if (connections == NULL)
		return NULL;
	connections->base = base;
	connections->answerer = answerer;
	connections->request_timeout = (time_t)request_timeout;
	TAILQ_INIT(&connections->resting);
	TAILQ_INIT(&connections->busy);
	return connections;
}

void connections_free(struct connections *connections)
{
	struct connection *connection;

	if (connections == NULL)
		return;
	while ((connection = TAILQ_FIRST(&connections->resting)) != NULL ||
	       (connection = TAILQ_FIRST(&connections->busy)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not follow TAILQ_REMOVE() */
		connection_close(connection);
	free(connections);
}

void connections_add(struct connections *connections, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		close(fd);
		return;
	}
	connection->all = connections;
	connection->since = monotonic_seconds();
	event_assign(&connection->readable, connections->base, fd, EV_READ | EV_PERSIST,
		     connection_readable, connection);
	event_assign(&connection->writable, connections->base, fd, EV_WRITE | EV_PERSIST,
		     connection_writable, connection);
	TAILQ_INSERT_TAIL(&connections->resting, connection, link);
	connections->count++;
	if (event_add(&connection->readable, NULL) < 0)
		connection_close(connection);
}

size_t connections_count(const struct connections *connections)
{
	return connections->count;
}

void connections_sweep(struct connections *connections)
{
	time_t now = monotonic_seconds();
	time_t idle = connections->finishing ? 0 : CONNECTION_IDLE_SECONDS;
	struct connection *connection, *next;

	for (connection = TAILQ_FIRST(&connections->busy); connection != NULL; connection = next) {
		next = TAILQ_NEXT(connection, link);
		if (now - connection->since < connections->request_timeout)
			break;
		complain(connection, connection->output.length > 0
					     ? "it does not read its answers"
					     : "an incomplete request, then silence");
		connection_close(connection);
	}
	for (connection = TAILQ_FIRST(&connections->resting); connection != NULL;
	     connection = next) {
		int unread = 0;

		next = TAILQ_NEXT(connection, link);
		if (now - connection->since < idle)
			break;
		if (ioctl(connection_fd(connection), FIONREAD, &unread) < 0 || unread == 0)
			connection_close(connection);
	}
}

bool connections_can_evict(const struct connections *connections)
{
	return !TAILQ_EMPTY(&connections->resting);
}

void connections_evict(struct connections *connections)
{
	struct connection *connection = TAILQ_FIRST(&connections->resting);

	if (connection == NULL)
		return;
	complain(connection, "too many connections, and it was idle longest");
	connection_close(connection);
}

void connections_finish(struct connections *connections)
{
	connections->finishing = true;
}
