#ifndef PORTCULLIS_DOVECOT_FILES_H
#define PORTCULLIS_DOVECOT_FILES_H

#include <glib.h>
#include <stdbool.h>

/* The files of Dovecot's configuration, read as it reads them, to know where something stands. */
struct dovecot_files {
	GPtrArray *paths; /* as strings, in the order in which they begin */
	GArray *entries;  /* of struct dovecot_entry, in the order in which they are read */
	char *last;       /* what stands at the end of this one is read last; it may be missing */
	bool unreadable;  /* some cannot be read: not all is known */
};

/* A setting or section, not deeper than in one section. */
struct dovecot_entry {
	char *in; /* the section that it stands in: "protocol imap"; "" none */
	char *name;
	char *value; /* of a section, its title */
	const char *path;
	unsigned int line, end; /* the last line of a section; of a setting, the same */
	bool section;
};

/* path: of the first one. Clear it. */
void dovecot_files_read(struct dovecot_files *files_r, const char *path);
void dovecot_files_clear(struct dovecot_files *files);

/* The entry that holds of a setting that nothing else sets: the last one. NULL: there is none. */
const struct dovecot_entry *dovecot_files_find(const struct dovecot_files *files, const char *name);

#endif
