#include "server-host.h"

#include <glib.h>
#include <unistd.h>

char *server_host(const char *host)
{
	char own[256] = "";

	if (host[0] != '\0')
		return g_ascii_strdown(host, -1);
	/* As our servers name themselves. */
	if (gethostname(own, sizeof(own) - 1) < 0)
		own[0] = '\0';
	return g_ascii_strdown(own, -1);
}
