#include "text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE ((size_t)65536)

/* Room for one more chunk and the NUL, twice as much each time it runs out. */
static bool make_room(char **text, size_t length, size_t *allocated)
{
	char *larger;

	if (length + CHUNK_SIZE < *allocated)
		return true;
	*allocated = (length + CHUNK_SIZE) * 2;
	larger = realloc(*text, *allocated);
	if (larger == NULL)
		return false;
	*text = larger;
	return true;
}

static char *read_all(int file, size_t size_max, size_t *length_r, const char **error_r)
{
	static const char byte_order_mark[] = {'\xef', '\xbb', '\xbf'};
	size_t length = 0, allocated = 0;
	char *text = NULL;

	for (;;) {
		ssize_t got;

		if (!make_room(&text, length, &allocated)) {
			*error_r = strerror(errno);
			goto failed;
		}
		got = read(file, text + length, CHUNK_SIZE);
		if (got == 0)
			break;
		if (got > 0) {
			length += (size_t)got;
		} else if (errno != EINTR) {
			*error_r = strerror(errno);
			goto failed;
		}
		if (length > size_max) {
			*error_r = "the file is too large";
			goto failed;
		}
	}
	if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
		length -= 3;
		memmove(text, text + 3, length);
	}
	text[length] = '\0';
	*length_r = length;
	return text;
failed:
	free(text);
	return NULL;
}

char *text_file_read_close(int file, size_t size_max, size_t *length_r, const char **error_r)
{
	char *text;

	if (file < 0) {
		*error_r = strerror(errno);
		return NULL;
	}
	text = read_all(file, size_max, length_r, error_r);
	close(file);
	return text;
}

char *text_file_read(const char *path, size_t size_max, size_t *length_r, const char **error_r)
{
	return text_file_read_close(open(path, O_RDONLY | O_CLOEXEC), size_max, length_r, error_r);
}
