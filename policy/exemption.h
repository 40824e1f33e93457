#ifndef PORTCULLIS_EXEMPTION_H
#define PORTCULLIS_EXEMPTION_H

#include "config.h"

/* The file of users who are let off rules between two dates; its format stands
   in portcullis.conf(5). Rules are those of one policy, which must outlive it.
   Never changes once loaded, so threads may share it. */
struct exemptions;

/* One line's effect on one rule. */
struct exemption {
	time_t begin; /* holds in [begin, end) */
	time_t end;
	unsigned int rule; /* index in the policy */
	unsigned int line; /* in the file */
	/* Countries that a country rule allows in addition; none: the user is
	   let off the whole rule. */
	const struct country *countries;
	size_t country_count;
};

/* Reads the file of a policy. A wrong line is reported as "FILE:LINE: ..." and
   left out. NULL when the file cannot be read at all or memory is short; that
   is reported too. What an importer writes (exemptions-in-store) stands where others
   may put something else, so it must be as trusted-file.h says. Never call it where a
   decision waits: it reads a disk. */
struct exemptions *exemptions_load(const char *path, const struct policy *policy,
				   config_report *error, void *context);

/* Bytes. */
#define EXEMPTIONS_SIZE_MAX ((size_t)128 << 20)

/* The same from what was read from path: length bytes with a NUL behind them, which are
   cut up. NULL only when memory is short. */
struct exemptions *exemptions_load_text(const char *path, char *text, size_t length,
					const struct policy *policy, config_report *error,
					void *context);

/* The same of the file of who is given grace (see grace.h), which names rules and last days,
   and whose writer cannot let anybody off for longer than the policy says: what is about a rule
   that gives no grace, or about none, has no effect; the others begin at their rule's date and
   end with its last grace. */
struct exemptions *grace_load_text(const char *path, char *text, size_t length,
				   const struct policy *policy, config_report *error,
				   void *context);
void exemptions_free(struct exemptions *exemptions);

/* Of the text, and of when the exemptions begin and end. */
uint64_t exemptions_digest(const struct exemptions *exemptions);

/* Lines read, not counting wrong ones. */
size_t exemptions_count(const struct exemptions *exemptions);

/* A normalised user's exemptions in the order of the file; *count_r is 0 and
   the result NULL for nearly everybody. exemptions may be NULL. */
const struct exemption *exemptions_of_user(const struct exemptions *exemptions, const char *user,
					   size_t *count_r);

#endif
