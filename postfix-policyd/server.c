#define _GNU_SOURCE /* accept4() */
#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "systemd.h"

/* Descriptors that are not for connections: listeners, journal, configuration,
   country database, log. */
#define DESCRIPTORS_RESERVED 64

/* How long SIGTERM waits for requests that have begun to arrive. */
#define FINISH_SECONDS 5

#define SIGNALS 3

struct server {
	struct event_base *base;
	struct listeners *listeners;
	struct event **accepting; /* one for each listener */
	size_t accepting_count;
	struct event *signals[SIGNALS];
	struct event *sweep;
	struct connections *connections;
	const struct answerer *answerer;
	size_t connections_max;
	bool paused; /* no descriptor or memory for another connection */
	bool finishing;
	unsigned int ticks; /* while finishing */
};

/* While finishing, the sweep is what closes connections, so it comes often. */
static const struct timeval sweep_interval = {.tv_sec = 1};
static const struct timeval finish_interval = {.tv_usec = 100000};
#define FINISH_TICKS (FINISH_SECONDS * 10)

static void server_pause(struct server *server)
{
	server->paused = true;
	for (size_t i = 0; i < server->listeners->count; i++)
		event_del(server->accepting[i]);
}

static void server_resume(struct server *server)
{
	server->paused = false;
	for (size_t i = 0; i < server->listeners->count; i++)
		event_add(server->accepting[i], NULL);
}

/* One event accepts so many at most, then those who are connected have a turn. */
#define ACCEPT_BATCH 64

static void server_accept(evutil_socket_t listener, short what, void *context)
{
	struct server *server = context;

	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		bool full = connections_count(server->connections) >= server->connections_max;
		int fd;

		if (full && !connections_can_evict(server->connections)) {
			server_pause(server);
			return;
		}
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (full)
				connections_evict(server->connections);
			connections_add(server->connections, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		messages_post(server->answerer->messages, MESSAGE_WARNING,
			      "cannot accept a connection: %s", strerror(errno));
		server_pause(server);
		return;
	}
}

static void server_sweep(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	(void)fd, (void)what;
	connections_sweep(server->connections);
	decision_log_tell_due(server->answerer->decisions);
	if (server->finishing) {
		if (connections_count(server->connections) == 0 || ++server->ticks > FINISH_TICKS)
			event_base_loopbreak(server->base);
	} else if (server->paused) {
		server_resume(server);
	}
}

static void server_reload(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	(void)fd, (void)what;
	keeper_reload(server->answerer->keeper);
}

static void server_stop(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	(void)fd, (void)what;
	if (server->finishing)
		return;
	server->finishing = true;
	sd_notify(0, "STOPPING=1");
	server_pause(server);
	listeners_close(server->listeners);
	connections_finish(server->connections);
	event_add(server->sweep, &finish_interval);
}

/* As many connections as there may be descriptors. */
static size_t raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur <= DESCRIPTORS_RESERVED)
		return 1;
	return (size_t)limit.rlim_cur - DESCRIPTORS_RESERVED;
}

/* What is done at a signal. */
static const struct {
	int number;
	event_callback_fn react;
} reactions[SIGNALS] = {
	{SIGHUP, server_reload},
	{SIGTERM, server_stop},
	{SIGINT, server_stop},
};

static bool make_events(struct server *server)
{
	server->sweep = event_new(server->base, -1, EV_PERSIST, server_sweep, server);
	if (server->sweep == NULL)
		return false;
	for (size_t i = 0; i < SIGNALS; i++) {
		server->signals[i] =
			evsignal_new(server->base, reactions[i].number, reactions[i].react, server);
		if (server->signals[i] == NULL)
			return false;
	}
	for (size_t i = 0; i < server->accepting_count; i++) {
		server->accepting[i] = event_new(server->base, server->listeners->list[i].fd,
						 EV_READ | EV_PERSIST, server_accept, server);
		if (server->accepting[i] == NULL)
			return false;
	}
	return true;
}

static bool watch_for_signals(struct server *server)
{
	for (size_t i = 0; i < SIGNALS; i++) {
		if (event_add(server->signals[i], NULL) < 0)
			return false;
	}
	return event_add(server->sweep, &sweep_interval) == 0;
}

static void free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void free_events(struct server *server)
{
	for (size_t i = 0; i < server->accepting_count; i++)
		free_event(server->accepting[i]);
	for (size_t i = 0; i < SIGNALS; i++)
		free_event(server->signals[i]);
	free_event(server->sweep);
}

bool server_run(struct listeners *listeners, const struct answerer *answerer,
		const struct options *options, const char **error_r)
{
	struct server server = {.listeners = listeners, .answerer = answerer};
	bool done = false;

	*error_r = "out of memory";
	server.connections_max = raise_descriptor_limit();
	server.base = event_base_new();
	server.accepting = calloc(listeners->count, sizeof(struct event *));
	if (server.base == NULL || server.accepting == NULL)
		goto cleanup;
	server.accepting_count = listeners->count;
	server.connections = connections_create(server.base, answerer, options->request_timeout);
	if (server.connections == NULL || !make_events(&server))
		goto cleanup;
	if (!watch_for_signals(&server)) {
		*error_r = "cannot watch for signals";
		goto cleanup;
	}
	server_resume(&server);
	messages_post(answerer->messages, MESSAGE_INFO, "version %s ready, policy %s",
		      PORTCULLIS_VERSION, options->config);
	sd_notify(0, "READY=1");
	done = event_base_dispatch(server.base) >= 0;
	*error_r = "the event loop failed";
cleanup:
	connections_free(server.connections);
	free_events(&server);
	free(server.accepting);
	if (server.base != NULL)
		event_base_free(server.base);
	return done;
}
