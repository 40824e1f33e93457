#ifndef PORTCULLIS_SHARED_FILES_THREAD_H
#define PORTCULLIS_SHARED_FILES_THREAD_H

#include "policy/policy.h"

/* Keeps this host's shared files, see shared-files.h, in a thread of its own: however long a
   backlog is imported, an exemption shall reach the servers within seconds. It has a connection
   of its own to the store. */
struct shared_files_thread;

/* The policy must live as long. NULL where there is nothing to keep. */
struct shared_files_thread *shared_files_thread_start(const struct policy *policy);
/* NULL is allowed. */
void shared_files_thread_stop(struct shared_files_thread *thread);

#endif
