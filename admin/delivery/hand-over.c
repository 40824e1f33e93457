#include "hand-over.h"

#include <stdio.h>
#include <string.h>

void hand_over_error(char error_r[static HAND_OVER_ERROR_SIZE], const char *what, const char *said)
{
	size_t length;

	snprintf(error_r, HAND_OVER_ERROR_SIZE, "%s: %s", what, said);
	for (char *c = error_r; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = *c == '\n' || *c == '\r' || *c == '\t' ? ' ' : '?';
	}
	length = strlen(error_r);
	while (length > 0 && error_r[length - 1] == ' ')
		error_r[--length] = '\0';
}
