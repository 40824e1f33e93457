#ifndef PORTCULLIS_SET_ASIDE_H
#define PORTCULLIS_SET_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of the journal that could not be understood, kept beside it for whoever
   wants to know: DIRECTORY/set-aside, and DIRECTORY/set-aside.old when that grew
   larger than SET_ASIDE_SIZE_MAX. Each line follows one that begins with '#' and
   says where it stood and what is wrong. Nothing reads them back. */
#define SET_ASIDE_SIZE_MAX ((size_t)1 << 20)

/* Long lines are cut. False with errno set when it cannot be written. */
bool set_aside(const char *directory, const char *file, uint64_t offset, const char *reason,
	       const char *line, size_t length);

/* Removes the file, or the old one, when nothing was added for so long. */
void set_aside_expire(const char *directory, int64_t seconds);

/* Takes out the lines that name a user. False with errno set. */
bool set_aside_forget(const char *directory, const char *user);

#endif
