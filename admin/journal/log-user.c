#include "log-user.h"

#include <glib.h>

void log_user_normalise(const char *name, const char *default_domain, char user_r[static USER_SIZE])
{
	char *valid = g_utf8_validate(name, -1, NULL) ? NULL : g_utf8_make_valid(name, -1);

	user_normalise(valid == NULL ? name : valid, default_domain, user_r, USER_SIZE);
	g_free(valid);
}
