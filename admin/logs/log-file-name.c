#include "log-file-name.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

static const char *const packers[] = {".gz", ".bz2", ".xz", ".zst"};

/* Length of the path without what a packing program added. */
static size_t unpacked_length(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < G_N_ELEMENTS(packers); i++) {
		if (g_str_has_suffix(path, packers[i]))
			return length - strlen(packers[i]);
	}
	return length;
}

static bool is_of_rotation(char character)
{
	return g_ascii_isdigit(character) || strchr("-._T:", character) != NULL;
}

/* Length of the path without what rotating and packing added, ".1.gz" or "-20261129". */
static size_t plain_length(const char *path)
{
	size_t length = unpacked_length(path);
	size_t begin = length;

	while (begin > 0 && is_of_rotation(path[begin - 1]))
		begin--;
	/* A 'T' can be of a date only. */
	while (begin < length && path[begin] != '.' && path[begin] != '-')
		begin++;
	return begin < length && g_ascii_isdigit(path[begin + 1]) ? begin : length;
}

static bool is_plainly(const char *name, const char *plain)
{
	size_t length = plain_length(name);

	return length == strlen(plain) && memcmp(name, plain, length) == 0;
}

bool log_file_name_is_whole(const char *name)
{
	return is_plainly(name, "mail.log") || is_plainly(name, "maillog");
}

bool log_file_name_is_part(const char *name)
{
	return is_plainly(name, "mail.info");
}

bool log_file_name_fits(const char *name)
{
	size_t length = plain_length(name);

	if (log_file_name_is_whole(name) || log_file_name_is_part(name))
		return true;
	return (g_str_has_prefix(name, "dovecot") || g_str_has_prefix(name, "postfix")) &&
	       length > strlen("dovecot.log") - 1 &&
	       memcmp(name + length - strlen(".log"), ".log", strlen(".log")) == 0;
}

bool log_file_names_match(const char *path, const char *other)
{
	size_t length = plain_length(path);

	return plain_length(other) == length && memcmp(path, other, length) == 0;
}

/* Of what was added: number_r a rotation's, the greater the older; digits_r a date's or
   time's digits, of which more are later. */
static void read_age(const char *path, guint64 *number_r, guint64 *date_r)
{
	size_t end = unpacked_length(path);
	guint64 value = 0;
	int digits = 0;

	for (size_t i = plain_length(path); i < end; i++) {
		if (!g_ascii_isdigit(path[i]) || digits == 18)
			continue;
		value = value * 10 + (guint64)(path[i] - '0');
		digits++;
	}
	*number_r = digits > 0 && digits < 8 ? value : 0;
	*date_r = digits == 0 ? G_MAXUINT64 : digits < 8 ? 0 : value;
}

int log_file_name_compare(const char *path, const char *other)
{
	guint64 number, date, other_number, other_date;

	read_age(path, &number, &date);
	read_age(other, &other_number, &other_date);
	if (date != other_date)
		return date < other_date ? -1 : 1;
	return (number < other_number) - (number > other_number);
}
