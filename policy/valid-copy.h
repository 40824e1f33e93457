#ifndef PORTCULLIS_VALID_COPY_H
#define PORTCULLIS_VALID_COPY_H

#include <stddef.h>
#include <sys/types.h>

#include "attempt.h"

#ifndef PORTCULLIS_LAST_VALID
#define PORTCULLIS_LAST_VALID "/var/lib/portcullis/last-valid"
#endif

/* Copies of the files that a server has read and found valid, so that it can start when
   one is broken or missing. They lie where no file has to be read to find them, and where
   that cannot be, in the journal's directory. Others may write in both, and this process
   may be root: neither directory nor copy may be a symbolic link, and only a copy that a
   trusted user made is used. */
struct valid_copies {
	const char *directory; /* PORTCULLIS_LAST_VALID; made like the journal's when missing */
	enum source server;    /* each has copies of its own */
	uid_t user;            /* that the server runs as, which may not be its user yet */
};

/* The path of the copy of a file in a directory, allocated. The name is the file's path
   with everything but letters, digits, "." and "_" percent-encoded. NULL with errno set
   when out of memory or the name becomes too long. */
char *valid_copy_path(const char *directory, enum source server, const char *path);

/* Brings the copy of a file up to date; journal is the journal's directory. An empty text
   takes the place of no other. Returns 0, an errno where there is no copy now, or a negative
   one where the copy lies in the journal's directory: why not in its own. */
int valid_copy_keep(const struct valid_copies *copies, const char *journal, const char *path,
		    const char *text, size_t length);

/* The same at a start, which waits for it two seconds at most: ETIMEDOUT means that the
   disk does not respond. Not while there are threads. */
int valid_copy_keep_at_start(const struct valid_copies *copies, const char *journal,
			     const char *path, const char *text, size_t length);

/* What one of these has returned, if not 0, in words that go on after "no copy in", allocated:
   "/var/lib/portcullis/last-valid: Permission denied; it lies in JOURNAL instead". NULL when
   out of memory. */
char *valid_copy_problem(const struct valid_copies *copies, const char *journal, int result);

/* The two directories in which the copy of a file may lie, the one with the newer copy first,
   as valid_copy_read() reads them. */
void valid_copy_directories(const struct valid_copies *copies, const char *journal,
			    const char *path, uid_t trusted, const char *directories_r[static 2]);

/* Reads the copy in a directory that root or one of two users made, as
   text_file_read() does. *copy_r is its path, allocated, also when there is none; NULL
   when out of memory or too long. */
char *valid_copy_read(const struct valid_copies *copies, const char *directory, const char *path,
		      uid_t trusted, size_t size_max, size_t *length_r, char **copy_r,
		      const char **error_r);

#endif
