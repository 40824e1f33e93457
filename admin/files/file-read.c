#include "file-read.h"

#include <errno.h>

#include "file-open.h"
#include "policy/text-file.h"

char *file_read(int descriptor, size_t size_max, size_t *length_r, const char **error_r)
{
	char *text;

	if (descriptor < 0) {
		*error_r = file_problem(errno);
		return NULL;
	}
	text = text_file_read_close(descriptor, size_max, length_r, error_r);
	if (text == NULL)
		errno = EIO;
	return text;
}
