#ifndef PORTCULLIS_EXEMPTION_SOURCE_H
#define PORTCULLIS_EXEMPTION_SOURCE_H

#include "exemption.h"
#include "valid-copy.h"

/* The file of exemptions, or that of grace, as a server reads it, again and again. Nobody is to
   be locked out because somebody broke, emptied or removed it: the last text of it that had no
   wrong line is remembered, and kept as a last valid copy. All zero but for copies and of_grace
   at first. */
struct exemption_source {
	const struct valid_copies *copies; /* NULL: none are kept */
	bool of_grace;
	char *path;      /* whose text that is; NULL: no text is known */
	char *read_from; /* the same, or a copy of it */
	char *text;
	size_t length;
	bool is_kept; /* there is a copy of it */
};

/* Reads a policy's file. While it has wrong lines, of which error is told, what the last valid
   text lets off holds as well. NULL with the reason in *problem_r (allocated; NULL: memory is
   short) where it cannot be read, or has nothing in it though there were more than ten lines: who
   means that writes a comment. In a file of grace, there always is one. */
struct exemptions *exemption_source_read(struct exemption_source *source,
					 const struct policy *policy, config_report *error,
					 void *context, char **problem_r);

/* What the last valid text of a policy's file lets off; source->read_from is then where that
   was found. NULL when there is none. */
struct exemptions *exemption_source_last_valid(struct exemption_source *source,
					       const struct policy *policy, config_report *error,
					       void *context);

/* Brings the copy up to date, which waits for a disk; returns what valid_copy_keep() does. */
int exemption_source_keep(struct exemption_source *source, const char *journal);

void exemption_source_free(struct exemption_source *source);

#endif
