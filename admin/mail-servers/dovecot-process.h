#ifndef PORTCULLIS_DOVECOT_PROCESS_H
#define PORTCULLIS_DOVECOT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The Dovecot that runs. Times are milliseconds since 1970. */
struct dovecot_process {
	pid_t master;    /* 0: none runs, as far as can be seen */
	bool hidden;     /* it cannot be seen whether one runs */
	int64_t started; /* the master, or the auth process where it is younger: a reload
				 ends that, and it has read what was there then */
	bool has_auth;   /* the auth process runs, which comes when it is first asked */
};

/* base: the directory of its sockets. */
void dovecot_process_find(struct dovecot_process *process_r, const char *base);

#endif
