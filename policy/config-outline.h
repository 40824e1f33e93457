#ifndef PORTCULLIS_CONFIG_OUTLINE_H
#define PORTCULLIS_CONFIG_OUTLINE_H

#include <confuse.h>

#include "config-problems.h"

/* Where one section or key stands. */
struct config_place {
	char *section; /* its name, "" for the top of the file */
	char *title;   /* of the section, "" without one */
	char *key;     /* NULL: the section itself */
	unsigned int line;
};

/* What stands where in a configuration file. libconfuse does not tell the line
   of a key or a section, and it gives up at the first key that it does not
   know; hence this look at the file beforehand. */
struct config_outline {
	struct config_place *places; /* in the order of the file */
	size_t count;
};

/* Reads the outline of a text, and makes the text ready for libconfuse: what is
   reported as wrong here (unknown keys and sections, those that come twice, a
   list for one value, strings that do not end on their line) is blanked out, so
   that libconfuse finds the rest; comments are blanked out too, because its line
   numbers run away behind them and it refuses them within lists. Lines stay where
   they are. Where the text is not made as libconfuse wants it, the outline ends,
   and libconfuse will say why. */
void config_outline_read(struct config_outline *outline, char *text, const cfg_opt_t *options,
			 struct config_problems *problems);
void config_outline_free(struct config_outline *outline);

/* The line of a section (key NULL) or of a key in it; 0 when there is none. */
unsigned int config_outline_line(const struct config_outline *outline, const char *section,
				 const char *title, const char *key);

#endif
