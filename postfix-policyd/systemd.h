#ifndef PORTCULLIS_POLICYD_SYSTEMD_H
#define PORTCULLIS_POLICYD_SYSTEMD_H

/* What the daemon asks of systemd, and tells it; built without, there is none. */
#ifndef WITHOUT_SYSTEMD
#include <systemd/sd-daemon.h>
#else

#define SD_LISTEN_FDS_START 3
#define SD_ERR "<3>"
#define SD_WARNING "<4>"
#define SD_INFO "<6>"

static inline int sd_listen_fds(int unset_environment)
{
	(void)unset_environment;
	return 0;
}

static inline int sd_is_socket(int fd, int family, int type, int listening)
{
	(void)fd, (void)family, (void)type, (void)listening;
	return 0;
}

static inline int sd_notify(int unset_environment, const char *state)
{
	(void)unset_environment, (void)state;
	return 0;
}

#endif
#endif
