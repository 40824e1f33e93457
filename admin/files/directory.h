#ifndef PORTCULLIS_DIRECTORY_H
#define PORTCULLIS_DIRECTORY_H

/* A directory that is held open. Names are looked up below it, so that nobody can put
   another one in its place in between. Whoever opens it closes it with close(2). */

/* -1 with errno set; ENOTDIR also for a symbolic link. */
int directory_open(const char *path);

/* The one that a file lies in, or would; *name_r, the file's name in it, points into
   path. What leads there may be a symbolic link. -1 with errno set. */
int directory_open_of(const char *path, const char **name_r);

#endif
