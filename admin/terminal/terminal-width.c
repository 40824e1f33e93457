#include "terminal-width.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_WIDTH 80

/* Of what stands in COLUMNS; 0 for nonsense. */
static size_t width_parse(const char *text)
{
	char *end;
	long width = strtol(text, &end, 10);

	return end == text || *end != '\0' || width < 1 || width > INT16_MAX ? 0 : (size_t)width;
}

size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	size_t width = columns == NULL ? 0 : width_parse(columns);
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return SIZE_MAX;
	if (width == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	return width == 0 ? USUAL_WIDTH : width;
}
