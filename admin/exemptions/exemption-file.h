#ifndef PORTCULLIS_EXEMPTION_FILE_H
#define PORTCULLIS_EXEMPTION_FILE_H

#include <sys/stat.h>

#include "exemption-line.h"

/* The file of exemptions, while it is edited, or what the store has in its place. What is not
   changed stays as it is, byte by byte. */
struct exemption_file {
	char *path;       /* without symbolic links */
	const char *name; /* in the directory; points into path */
	const struct policy *policy;
	int64_t version;    /* that was read from the store */
	int directory;      /* locked against others who edit; -1: none */
	struct stat status; /* of the file when it was read */
	bool exists;
	GString *text;
	struct exemptions *before; /* as the servers read it */
	size_t lines_added, lines_removed;
	/* For the check: what is to be different for whom, as struct exemption_change, and
	   the numbers of the lines that something was taken out of. */
	GPtrArray *changed;
	GHashTable *lines_edited;
};

/* Locks and reads the file of a policy, or reads what the store has. Returns 0, or what is
   wrong as an exit status, having said so. Close it also then. */
int exemption_file_open(struct exemption_file *file_r, const struct policy *policy);
void exemption_file_close(struct exemption_file *file);

/* user is normalised, and writable. */
void exemption_file_add(struct exemption_file *file, const char *user,
			const struct exemption_wish *wish, const char *reason);

/* Takes rules, a bit each, out of the lines of a user. Returns how many lines were
   changed. */
size_t exemption_file_remove(struct exemption_file *file, const char *user, uint64_t rules);

/* Removes the lines that have this reason, to the letter. Returns how many. */
size_t exemption_file_remove_reason(struct exemption_file *file, const char *reason);

/* Puts a new file in the place of the old one, with its owner and mode, unless the
   servers would not read from it what was meant. Returns 0 or an exit status, as
   above. EXEMPTIONS_CHANGED, of which nothing was said: in the store, somebody else has just
   changed them, so that all is to be done again with what they are now. */
int exemption_file_save(struct exemption_file *file);
#define EXEMPTIONS_CHANGED (-1)

/* Puts a text in place of all that the store has: a copy of the file that an importer wrote,
   which somebody has edited, of the version that the store still has, and without wrong lines.
   Sets lines_removed and lines_added to what there was and is. path: where the text comes from.
   Returns 0 or an exit status, as above, or EXEMPTIONS_CHANGED. */
int exemption_file_replace_all(struct exemption_file *file, const char *path, char *text,
			       size_t length);

/* The next line from *position on, which is moved behind it; false at the end. */
bool exemption_file_next(const GString *text, size_t *position, const char **line_r,
			 size_t *length_r);

/* A line, by its number, as the servers read it: its parts, its user, and the first
   exemption that it gives him. NULL for one that gives none. */
const struct exemption *exemption_file_read_line(const struct exemption_file *file,
						 const char *line, size_t length,
						 unsigned int number,
						 struct exemption_line *parts_r,
						 char user_r[static USER_SIZE]);

#endif
