#include "sighting-text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "mail-program.h"

#define ELLIPSIS "\xe2\x80\xa6"

const char *service_format(const struct store_habit *habit, char text_r[static SERVICE_TEXT_SIZE])
{
	if (habit->port == 0)
		snprintf(text_r, SERVICE_TEXT_SIZE, "%s", service_name(habit->service));
	else
		snprintf(text_r, SERVICE_TEXT_SIZE, "%s:%u", service_name(habit->service),
			 habit->port);
	return text_r;
}

const char *tls_format(const struct store_habit *habit, char text_r[static TLS_TEXT_SIZE])
{
	bool known = habit->tls_version != TLS_VERSION_UNKNOWN;

	/* A version alone says that there was TLS. */
	if (known && habit->tls == TLS_SOME)
		return tls_version_name(habit->tls_version);
	snprintf(text_r, TLS_TEXT_SIZE, "%s%s%s", tls_state_name(habit->tls), known ? " " : "",
		 known ? tls_version_name(habit->tls_version) : "");
	return text_r;
}

char *program_format(const char *client_id)
{
	char *name = mail_program_name(client_id);

	/* What a mail shortens is whole here. */
	if (name != NULL && strstr(name, ELLIPSIS) == NULL)
		return name;
	g_free(name);
	return g_strdup(client_id[0] == '\0' ? "?" : client_id);
}
