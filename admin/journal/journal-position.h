#ifndef PORTCULLIS_JOURNAL_POSITION_H
#define PORTCULLIS_JOURNAL_POSITION_H

#include "admin/store/store.h"
#include "journal-file.h"

/* How far each journal file is imported, as the store has it. */
struct journal_positions {
	struct store_file *files;
	size_t count;
};

/* False when the store fails. */
bool journal_positions_load(struct store *store, struct journal_positions *positions_r);
void journal_positions_free(struct journal_positions *positions);

/* Whether it is the same file, by its inode, and its device or first bytes. */
bool journal_position_is_of(const struct store_file *row, const struct journal_file *file);

/* What is known of an open file. A file is known by its inode, if its first bytes
   are still the same. One that was copied here is known by its name and first bytes:
   copying it again gives it another inode. For a new file, and one
   whose content was replaced or cut short (*replaced_r), the position is 0.
   row_r->name is file->name. */
void journal_position_find(const struct journal_positions *positions,
			   const struct journal_file *file, struct store_file *row_r,
			   bool *replaced_r);

/* Of a file that the store does not know: whether it is one that another host has read, by its
   inode and first bytes. Fails then, as store_refuse_foreign_file(). */
bool journal_position_refuse_foreign(struct store *store, const struct journal_file *file);

/* Notes the position, and what the file can be known by. */
void journal_position_set(struct store_file *row, const struct journal_file *file,
			  uint64_t position, int64_t now);

/* How much waits to be imported. Asks only for what can be known without reading
   the files: half a line at an end counts. Without a store, which knows the positions, it is
   all that there is. False when the store fails. */
struct journal_backlog {
	size_t files;
	uint64_t bytes;
	int64_t oldest; /* the time of the first line of these, in milliseconds; 0: there is none */
	size_t unreadable; /* files that are left out; 1 where the directory is */
	size_t forbidden;  /* the same, for want of permission; not among these */
};
bool journal_backlog(const char *directory, struct store *store, struct journal_backlog *backlog_r);

#endif
