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

char *program_format(const char *client_id)
{
	char *name = mail_program_name(client_id);

	/* What a mail shortens is whole here. */
	if (name != NULL && strstr(name, ELLIPSIS) == NULL)
		return name;
	g_free(name);
	return g_strdup(client_id[0] == '\0' ? "?" : client_id);
}
