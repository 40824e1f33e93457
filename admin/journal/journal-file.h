#ifndef PORTCULLIS_JOURNAL_FILE_H
#define PORTCULLIS_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* The files of the journal's directory:

   dovecot.jsonl, postfix.jsonl          our writers append to them
   NAME.jsonl                            copied here from another host
   NAME.jsonl-20240920T081502.123456Z    renamed by the importer: nobody opens it
                                         by this name to append to it */

struct journal_file {
	char *name; /* in the directory */
	bool rotated;
	bool ours; /* of our writers on this host, rotated or not */
	int descriptor;
	struct stat status; /* when it was opened, or looked at again */
};

/* Whether our writers on this host write, or wrote, a file of this name. */
bool journal_name_is_ours(const char *name);

/* Whether two names are the same but for what renaming added. */
bool journal_names_match(const char *name, const char *other);

/* A name as it may be shown on a terminal and in a line: other accounts make files here,
   too. The caller frees it with g_free(). */
char *journal_name_text(const char *name);

/* What is in a directory: renamed files first, then by name. */
struct journal_listing {
	char **names;
	size_t count;
};

/* False with errno set when the directory cannot be read. */
bool journal_list(const char *directory, struct journal_listing *listing_r);
void journal_listing_free(struct journal_listing *listing);

/* 1 opened, 0 there is no such file any more, -1 errno is set; file_problem() of
   admin/files/file-open.h says what it means. Whoever
   opened it closes it. */
int journal_file_open(const char *directory, const char *name, struct journal_file *file_r);
void journal_file_close(struct journal_file *file);

/* Looks again how long it is. False with errno set. */
bool journal_file_look(struct journal_file *file);

/* Hash of the first bytes, by which a file is known again when it was copied, or
   when its inode has a new file. False when it is shorter or cannot be read. */
#define JOURNAL_HEAD_LENGTH_MAX 1024
bool journal_file_head(const struct journal_file *file, uint64_t length, uint64_t *head_r);

/* Gives the file a name under which no writer looks for it. 1 renamed, 0 it is
   gone or another file has its name by now, -1 errno is set. */
int journal_file_rotate(const char *directory, struct journal_file *file);

/* Removes the file, if its name still means it. False with errno set. */
bool journal_file_remove(const char *directory, const struct journal_file *file);

enum journal_left {
	JOURNAL_IN_USE,
	JOURNAL_LEFT_SOON, /* when it has been quiet for JOURNAL_QUIET_SECONDS */
	JOURNAL_LEFT       /* nobody will append to it any more */
};

/* Whether someone may still append to a file that was renamed, or was copied
   here. From JOURNAL_LEFT on it is locked against our writers until it is closed.
   See policy/journal.h for what our writers promise. */
enum journal_left journal_file_is_left(const struct journal_file *file);

/* A writer that takes no lock, but looks for its file at least once a second, has
   moved on then. */
#define JOURNAL_QUIET_SECONDS 2

#endif
