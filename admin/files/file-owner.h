#ifndef PORTCULLIS_FILE_OWNER_H
#define PORTCULLIS_FILE_OWNER_H

/* A file that root makes, trying an import by hand, belongs to whoever owns its
   directory: the service that imports later on has to write to it. For other users
   than root nothing changes. A failure is said on standard error. */
void file_give_to_owner_of_directory(const char *path, int descriptor);

#endif
