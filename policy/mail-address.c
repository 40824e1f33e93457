#include "mail-address.h"

#include <stdio.h>
#include <string.h>

#define LOCAL_PART_MAX ((size_t)64)
#define DOMAIN_MAX ((size_t)255)
#define LABEL_MAX ((size_t)63)

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* RFC 5322, 3.2.3. */
static const char atext[] = LETTERS_AND_DIGITS "!#$%&'*+-/=?^_`{|}~";

static bool is_dot_string(const char *text, size_t length)
{
	const char *end = text + length;

	for (;;) {
		size_t atom = strspn(text, atext);

		if (atom == 0)
			return false;
		text += atom;
		if (text >= end)
			return text == end;
		if (*text++ != '.')
			return false;
	}
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static bool is_quoted_string(const char *text, size_t length)
{
	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return false;
	for (size_t i = 1; i < length - 1; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == '"')
			return false;
		if (i == length - 1 || !is_printable(text[i]))
			return false;
	}
	return true;
}

static bool is_domain(const char *text)
{
	if (strlen(text) > DOMAIN_MAX)
		return false;
	for (;;) {
		size_t label = strspn(text, LETTERS_AND_DIGITS "-");

		if (label == 0 || label > LABEL_MAX || text[0] == '-' || text[label - 1] == '-')
			return false;
		text += label;
		if (*text == '\0')
			return true;
		if (*text++ != '.')
			return false;
	}
}

bool mail_address_is_valid(const char *address)
{
	/* A domain has no "@", but a quoted local part may. */
	const char *at = strrchr(address, '@');
	size_t length;

	if (at == NULL)
		return false;
	length = (size_t)(at - address);
	return length <= LOCAL_PART_MAX && is_domain(at + 1) &&
	       (is_dot_string(address, length) || is_quoted_string(address, length));
}

bool mail_address_from_user(const char *user, char address_r[static MAIL_ADDRESS_SIZE])
{
	const char *at = strrchr(user, '@');
	size_t length, written = 0;

	if (at == NULL || strlen(user) >= MAIL_ADDRESS_SIZE)
		return false;
	length = (size_t)(at - user);
	if (is_dot_string(user, length) || is_quoted_string(user, length)) {
		strcpy(address_r, user);
		return mail_address_is_valid(address_r);
	}
	if (length == 0 || length > LOCAL_PART_MAX || !is_domain(at + 1))
		return false;
	address_r[written++] = '"';
	for (size_t i = 0; i < length; i++) {
		/* Two quotes and backslashes make it longer than it may be. */
		if (written + 3 > LOCAL_PART_MAX)
			return false;
		if (user[i] == '"' || user[i] == '\\')
			address_r[written++] = '\\';
		address_r[written++] = user[i];
	}
	snprintf(address_r + written, MAIL_ADDRESS_SIZE - written, "\"%s", at);
	return mail_address_is_valid(address_r);
}
