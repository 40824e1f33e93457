#define _GNU_SOURCE /* vasprintf() */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "systemd.h"

/* Connections that wait until the daemon accepts them; the kernel lowers it to
   net.core.somaxconn. */
#define BACKLOG 4096

#define UNIX_PREFIX "unix:"
#define INET_PREFIX "inet:"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

__attribute__((format(printf, 2, 3))) static bool fail(char **error_r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(error_r, format, arguments) < 0)
		*error_r = NULL;
	va_end(arguments);
	return false;
}

static bool add(struct listeners *listeners, int fd, const char *path, char **error_r)
{
	struct listener *list = reallocarray(listeners->list, listeners->count + 1, sizeof(*list));
	char *copy = NULL;

	if (list != NULL)
		listeners->list = list;
	if (list == NULL || (path != NULL && (copy = strdup(path)) == NULL))
		return fail(error_r, "out of memory");
	list[listeners->count++] = (struct listener){.fd = fd, .path = copy};
	return true;
}

/* Removes a socket on which nobody listens. */
static bool remove_stale(const struct sockaddr_un *address, char **error_r)
{
	const char *path = address->sun_path;
	struct stat status;
	bool refused;
	int fd;

	if (lstat(path, &status) < 0)
		return errno == ENOENT || fail(error_r, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return fail(error_r, "%s: exists and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error_r, "%s: %s", path, strerror(errno));
	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	if (!refused)
		return fail(error_r, "%s: in use by another process", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error_r, "%s: cannot remove the old socket: %s", path, strerror(errno));
	return true;
}

static bool open_unix(struct listeners *listeners, const char *path, mode_t mode, char **error_r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(error_r, "%s: the path is longer than %zu bytes", path,
			    sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	if (!remove_stale(&address, error_r))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error_r, "%s: %s", path, strerror(errno));

	/* Made with its mode, so that it never has another one. */
	mask = umask(0777 & ~mode);
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (result < 0 || listen(fd, BACKLOG) < 0) {
		fail(error_r, "%s: %s", path, strerror(errno));
		if (result == 0)
			unlink(path);
		goto failed;
	}
	if (add(listeners, fd, path, error_r))
		return true;
	unlink(path);
failed:
	close(fd);
	return false;
}

static bool open_inet_address(struct listeners *listeners, const struct addrinfo *info,
			      const char *name, char **error_r)
{
	const int on = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(error_r, "%s: %s", name, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		fail(error_r, "%s: %s", name, strerror(errno));
		goto failed;
	}
	if (add(listeners, fd, NULL, error_r))
		return true;
failed:
	close(fd);
	return false;
}

/* Splits HOST:PORT or [HOST]:PORT. The result is allocated, *port_r points into
   it. NULL when it is neither, or memory is short. */
static char *split_host_port(const char *text, const char **port_r)
{
	bool brackets = *text == '[';
	char *host = strdup(brackets ? text + 1 : text);
	char *colon = host == NULL ? NULL : strrchr(host, ':');
	char *end = colon;

	if (colon == NULL)
		goto failed;
	if (brackets && (--end < host || *end != ']'))
		goto failed;
	*end = '\0';
	*port_r = colon + 1;
	if (*host == '\0' || **port_r == '\0' || (!brackets && strchr(host, ':') != NULL))
		goto failed;
	return host;
failed:
	free(host);
	return NULL;
}

static bool open_inet(struct listeners *listeners, const char *name, char **error_r)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	const char *port;
	char *host = split_host_port(name, &port);
	bool done;
	int result;

	if (host == NULL)
		return fail(error_r, "%s: not HOST:PORT", name);
	result = getaddrinfo(host, port, &hints, &found);
	free(host);
	if (result != 0)
		return fail(error_r, "%s: %s", name,
			    result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
	done = true;
	for (const struct addrinfo *info = found; done && info != NULL; info = info->ai_next)
		done = open_inet_address(listeners, info, name, error_r);
	freeaddrinfo(found);
	return done;
}

bool listener_address_valid(const char *address)
{
	const char *port;
	char *host;

	if (has_prefix(address, UNIX_PREFIX))
		return address[strlen(UNIX_PREFIX)] != '\0';
	if (!has_prefix(address, INET_PREFIX))
		return false;
	host = split_host_port(address + strlen(INET_PREFIX), &port);
	free(host);
	return host != NULL;
}

bool listeners_open(struct listeners *listeners, const char *address, mode_t mode, char **error_r)
{
	if (has_prefix(address, UNIX_PREFIX))
		return open_unix(listeners, address + strlen(UNIX_PREFIX), mode, error_r);
	return open_inet(listeners, address + strlen(INET_PREFIX), error_r);
}

bool listeners_can_inherit(void)
{
	return sd_listen_fds(0) > 0;
}

bool listeners_inherit(struct listeners *listeners, char **error_r)
{
	int count = sd_listen_fds(1);

	if (count < 0)
		return fail(error_r, "the sockets that systemd passes: %s", strerror(-count));
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
			return fail(
				error_r,
				"a socket that systemd passes is not a listening stream socket");
		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
			return fail(error_r, "a socket that systemd passes: %s", strerror(errno));
		if (!add(listeners, fd, NULL, error_r))
			return false;
	}
	return true;
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->list[i];

		/* First the name, so that a successor's socket is not removed. */
		if (listener->path != NULL)
			unlink(listener->path);
		close(listener->fd);
		free(listener->path);
	}
	free(listeners->list);
	*listeners = (struct listeners){0};
}
