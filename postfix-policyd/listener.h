#ifndef PORTCULLIS_LISTENER_H
#define PORTCULLIS_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The sockets on which policy clients connect. All are non-blocking and closed
   on exec. */
struct listeners {
	struct listener *list;
	size_t count;
};

struct listener {
	int fd;
	char *path; /* of a Unix socket that was made here, to be removed; or NULL */
};

/* True for what listeners_open() takes: unix:PATH, inet:HOST:PORT, with an IPv6
   address as inet:[::1]:10040. */
bool listener_address_valid(const char *address);

/* Listens on an address; on each one that an inet host name has. A Unix socket
   gets the file mode; one that is left over from a daemon that died is replaced,
   one that is in use is not. False with *error_r allocated for the caller to
   free, or NULL without memory; what was opened before stays in listeners. */
bool listeners_open(struct listeners *listeners, const char *address, mode_t mode, char **error_r);

/* True when systemd passes sockets (sd_listen_fds(3)). */
bool listeners_can_inherit(void);

/* Takes over the sockets that systemd passes, if any. False as above. */
bool listeners_inherit(struct listeners *listeners, char **error_r);

/* Closes all and removes the files of Unix sockets that were made here. */
void listeners_close(struct listeners *listeners);

#endif
