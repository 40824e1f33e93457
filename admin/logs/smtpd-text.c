#define _GNU_SOURCE /* memmem(), memrchr() */
#include "smtpd-text.h"

#include <glib.h>

const char *smtpd_find(struct log_slice slice, const char *text)
{
	return memmem(slice.text, slice.length, text, strlen(text));
}

struct log_slice smtpd_before(struct log_slice slice, char letter)
{
	const char *end = memchr(slice.text, letter, slice.length);

	return end == NULL ? slice : (struct log_slice){slice.text, (size_t)(end - slice.text)};
}

struct log_slice smtpd_behind(struct log_slice slice, char letter)
{
	size_t length = smtpd_before(slice, letter).length;

	return log_slice_behind(slice, MIN(length + 1, slice.length));
}

struct log_slice smtpd_behind_last(struct log_slice slice, char letter)
{
	const char *found = memrchr(slice.text, letter, slice.length);

	return log_slice_behind(slice,
				found == NULL ? slice.length : (size_t)(found + 1 - slice.text));
}

struct log_slice smtpd_before_text(struct log_slice slice, const char *text)
{
	const char *end = smtpd_find(slice, text);

	return end == NULL ? slice : (struct log_slice){slice.text, (size_t)(end - slice.text)};
}

/* Names hold neither spaces nor brackets. */
bool smtpd_take_client(struct log_slice *rest, struct smtpd_client *client_r)
{
	const char *open = memchr(rest->text, '[', rest->length);
	const char *end = rest->text + rest->length;
	const char *close;

	if (open == NULL || memchr(rest->text, ' ', (size_t)(open - rest->text)) != NULL)
		return false;
	close = memchr(open, ']', (size_t)(end - open));
	if (close == NULL)
		return false;
	client_r->address = (struct log_slice){open + 1, (size_t)(close - open - 1)};
	client_r->text.text = rest->text;
	close++;
	if (end - close >= 2 && close[0] == ':' && g_ascii_isdigit(close[1])) {
		for (close++; close < end && g_ascii_isdigit(*close);)
			close++;
	}
	client_r->text.length = (size_t)(close - rest->text);
	*rest = log_slice_behind(*rest, client_r->text.length);
	return true;
}

bool smtpd_copy_text(struct log_slice slice, char *text_r, size_t size)
{
	size_t length = MIN(slice.length, size - 1);

	memcpy(text_r, slice.text, length);
	text_r[length] = '\0';
	return strlen(text_r) == length;
}

void smtpd_address(struct log_slice slice, struct address *address_r)
{
	char text[ADDRESS_TEXT_SIZE];

	*address_r = (struct address){0};
	if (slice.length < sizeof(text) && smtpd_copy_text(slice, text, sizeof(text)))
		address_parse(text, address_r);
}

enum tls_version smtpd_tls_version(struct log_slice slice)
{
	enum tls_version version = TLS_VERSION_UNKNOWN;
	char text[sizeof("TLSv1.2")];

	if (slice.length < sizeof(text) && smtpd_copy_text(slice, text, sizeof(text)) &&
	    !tls_version_from_name(text, &version))
		version = TLS_VERSION_UNKNOWN;
	return version;
}

void smtpd_copy_mechanism(struct log_slice method, char mechanism_r[static SMTPD_MECHANISM_SIZE])
{
	size_t i;

	for (i = 0; i < method.length && i < SMTPD_MECHANISM_SIZE; i++) {
		char letter = method.text[i];

		if (!g_ascii_isalnum(letter) && letter != '-' && letter != '_')
			break;
		mechanism_r[i] = g_ascii_toupper(letter);
	}
	mechanism_r[i == method.length && i < SMTPD_MECHANISM_SIZE ? i : 0] = '\0';
}
