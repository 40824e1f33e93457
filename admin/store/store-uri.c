#include "store-uri.h"

#include <glib.h>
#include <string.h>

bool store_uri_is_postgresql(const char *uri)
{
	return g_str_has_prefix(uri, "postgresql://") || g_str_has_prefix(uri, "postgres://");
}

/* Of "user:password@host". */
static void hide_in_authority(GString *uri)
{
	char *begin = strstr(uri->str, "://"), *end, *at, *colon;

	if (begin == NULL)
		return;
	begin += strlen("://");
	end = begin + strcspn(begin, "/?#");
	/* One that was not encoded may have these characters, too. */
	at = strrchr(begin, '@');
	if (at == NULL)
		return;
	end = MAX(end, at);
	colon = memchr(begin, ':', (size_t)(at - begin));
	if (colon != NULL && at < end + 1)
		g_string_erase(uri, colon - uri->str, at - colon);
}

/* Those whose letters are encoded may be any. */
static bool is_secret(const char *name, size_t length)
{
	static const char *const names[] = {"password", "sslpassword"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (length == strlen(names[i]) && memcmp(name, names[i], length) == 0)
			return true;
	}
	return memchr(name, '%', length) != NULL;
}

/* Of "?sslpassword=secret&password=secret". */
static void hide_in_options(GString *uri)
{
	char *option = strchr(uri->str, '?');

	while (option != NULL) {
		char *begin = option + 1, *value = begin + strcspn(begin, "=&");

		if (*value == '=' && is_secret(begin, (size_t)(value - begin)))
			g_string_erase(uri, value + 1 - uri->str, (gssize)strcspn(value + 1, "&"));
		option = strchr(begin, '&');
	}
}

char *store_uri_to_show(const char *uri)
{
	GString *shown = g_string_new(uri);

	if (store_uri_is_postgresql(uri)) {
		hide_in_authority(shown);
		hide_in_options(shown);
	}
	return g_string_free(shown, FALSE);
}
