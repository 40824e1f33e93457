#define _GNU_SOURCE /* asprintf(), sem_clockwait() */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "background-thread.h"
#include "first-of-day.h"
#include "line-ring.h"
#include "monotonic-clock.h"

/* About seven thousand lines. */
#define RING_SIZE ((size_t)1 << 21)

#define HOST_SIZE 256
/* Room behind a line for its lost count, and in front for a newline. */
#define LOST_SIZE 32

/* What comes while the writing thread rests needs no waking. */
#define REST_NANOSECONDS 50000000

#define REPORT_INTERVAL_SECONDS 60
#define FLUSH_SECONDS 2

/* A writer that has nothing to write holds no file open, so that the importer
   need not wait for it. */
#define IDLE_SECONDS 5

struct journal {
	char *path;
	struct messages *messages;
	struct line_ring ring;
	sem_t lines; /* posted once for each line pushed, and to stop */
	_Atomic bool stopping;
	_Atomic unsigned long lost; /* not yet carried in a line */

	/* The deciding thread's. */
	char host[HOST_SIZE];
	struct first_of_day *seen;
	unsigned long lost_unreported;
	time_t lost_reported; /* monotonic */
	bool started;
	pthread_t thread;

	/* The writing thread's. */
	int descriptor; /* -1: not open */
	time_t checked; /* monotonic */
	bool half_line; /* the file ends within a line */
	bool failing;
	time_t failure_reported; /* monotonic */
};

struct journal *journal_create(const char *directory, enum source source, struct messages *messages)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal == NULL)
		return NULL;
	journal->messages = messages;
	journal->descriptor = -1;
	if (sem_init(&journal->lines, 0, 0) < 0)
		goto no_semaphore;
	if (gethostname(journal->host, sizeof(journal->host)) < 0)
		strcpy(journal->host, "localhost");
	journal->host[sizeof(journal->host) - 1] = '\0';
	if (asprintf(&journal->path, "%s/%s.jsonl", directory, source_name(source)) < 0)
		goto no_path;
	journal->seen = first_of_day_create();
	if (journal->seen == NULL)
		goto no_seen;
	if (!line_ring_init(&journal->ring, RING_SIZE))
		goto no_ring;
	return journal;

no_ring:
	first_of_day_free(journal->seen);
no_seen:
	free(journal->path);
no_path:
	sem_destroy(&journal->lines);
no_semaphore:
	free(journal);
	return NULL;
}

/* ---- the writing thread ---- */

static void report_failure(struct journal *journal, const char *what)
{
	int error = errno;
	time_t now = monotonic_seconds();

	if (journal->failing && now - journal->failure_reported < REPORT_INTERVAL_SECONDS)
		return;
	messages_post(journal->messages, MESSAGE_ERROR,
		      "journal %s: %s: %s%s; sightings wait in memory", journal->path, what,
		      strerror(error),
		      error == EACCES ? " (is this process in the directory's group?)" : "");
	journal->failing = true;
	journal->failure_reported = now;
}

static void report_recovery(struct journal *journal)
{
	if (!journal->failing)
		return;
	messages_post(journal->messages, MESSAGE_INFO, "journal %s: writing again", journal->path);
	journal->failing = false;
}

static void close_file(struct journal *journal)
{
	if (journal->descriptor >= 0)
		close(journal->descriptor);
	journal->descriptor = -1;
	journal->half_line = false;
}

static bool open_named_file(struct journal *journal)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	struct stat status;

	journal->descriptor = open(journal->path, flags);
	if (journal->descriptor < 0 && errno == ENOENT) {
		journal->descriptor = open(journal->path, flags | O_CREAT | O_EXCL, 0640);
		/* The importer reads it as the group; Dovecot's umask forbids that. */
		if (journal->descriptor >= 0 && fchmod(journal->descriptor, 0640) < 0)
			report_failure(journal, "cannot set its mode");
		/* Another process of the server's was faster. */
		if (journal->descriptor < 0 && errno == EEXIST)
			journal->descriptor = open(journal->path, flags);
	}
	if (journal->descriptor < 0) {
		report_failure(journal, "cannot open");
		return false;
	}
	if (fstat(journal->descriptor, &status) == 0 && !S_ISREG(status.st_mode)) {
		close_file(journal);
		errno = EINVAL;
		report_failure(journal, "is not a regular file");
		return false;
	}
	return true;
}

/* The importer renames the file away; whoever writes then makes a new one. */
static bool file_was_replaced(const struct journal *journal)
{
	struct stat opened, named;

	if (fstat(journal->descriptor, &opened) < 0 || stat(journal->path, &named) < 0)
		return true;
	return opened.st_ino != named.st_ino || opened.st_dev != named.st_dev;
}

/* The importer removes a file only when it has it locked exclusively, after it
   renamed it. False when it does just that. Where the file system has no locks,
   the importer can only go by the time. */
static bool lock_file(const struct journal *journal)
{
	return flock(journal->descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

static bool open_file(struct journal *journal)
{
	/* The file may be renamed between being opened and being locked. */
	for (int tries = 0; tries < 3; tries++) {
		if (!open_named_file(journal))
			return false;
		if (lock_file(journal) && !file_was_replaced(journal))
			return true;
		close_file(journal);
	}
	errno = EWOULDBLOCK;
	report_failure(journal, "cannot lock");
	return false;
}

static bool ready_to_write(struct journal *journal)
{
	time_t now = monotonic_seconds();

	if (journal->descriptor >= 0 && now != journal->checked && file_was_replaced(journal))
		close_file(journal);
	journal->checked = now;
	return journal->descriptor >= 0 || open_file(journal);
}

/* Puts the count of lost lines into a line; the rest stays as it is. */
static size_t add_lost(char *line, size_t length, unsigned long lost)
{
	size_t body = length - strlen("}\n");

	return body +
	       (size_t)snprintf(line + body, strlen("}\n") + LOST_SIZE, ",\"lost\":%lu}\n", lost);
}

/* Writes the oldest line of the ring; false when it must be tried again. */
static bool write_line(struct journal *journal)
{
	char buffer[1 + SIGHTING_LINE_SIZE + LOST_SIZE];
	char *line = buffer + 1;
	size_t length = line_ring_peek(&journal->ring, line);
	unsigned long lost;
	ssize_t written;

	if (length == 0)
		return true;
	if (!ready_to_write(journal))
		return false;
	lost = atomic_load(&journal->lost);
	if (lost > 0)
		length = add_lost(line, length, lost);
	if (journal->half_line) {
		*--line = '\n';
		length++;
	}
	written = write(journal->descriptor, line, length);
	if (written != (ssize_t)length) {
		if (written >= 0)
			errno = ENOSPC;
		/* The next try begins a line of its own. The importer sets the
		   half one aside. */
		if (written > 0)
			journal->half_line = line[written - 1] != '\n';
		report_failure(journal, "cannot write");
		return false;
	}
	journal->half_line = false;
	atomic_fetch_sub(&journal->lost, lost);
	line_ring_pop(&journal->ring);
	report_recovery(journal);
	return true;
}

static void wait_a_second(void)
{
	nanosleep(&(const struct timespec){.tv_sec = 1}, NULL);
}

/* To wake a thread costs a decision more than all the rest of recording it. So a
   thread that has nothing left to write rests a moment before it waits. */
static void wait_for_line(struct journal *journal)
{
	struct timespec deadline;

	if (sem_trywait(&journal->lines) == 0)
		return;
	nanosleep(&(const struct timespec){.tv_nsec = REST_NANOSECONDS}, NULL);
	/* Whoever opens a file anew does not know that it ends within a line. */
	if (journal->descriptor >= 0 && !journal->half_line) {
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_sec += IDLE_SECONDS;
		if (sem_clockwait(&journal->lines, CLOCK_MONOTONIC, &deadline) == 0)
			return;
		if (errno == ETIMEDOUT)
			close_file(journal);
	}
	while (sem_wait(&journal->lines) < 0)
		continue;
}

static void *write_lines(void *argument)
{
	struct journal *journal = argument;

	for (;;) {
		wait_for_line(journal);
		while (!write_line(journal)) {
			if (atomic_load(&journal->stopping))
				return NULL;
			wait_a_second();
		}
		/* One post came without a line; with the last line it is due. */
		if (atomic_load(&journal->stopping)) {
			int waiting;

			sem_getvalue(&journal->lines, &waiting);
			if (waiting == 0)
				return NULL;
		}
	}
}

/* ---- the deciding thread ---- */

bool journal_start(struct journal *journal)
{
	journal->started = background_thread_start(&journal->thread, write_lines, journal);
	return journal->started;
}

static void report_lost(struct journal *journal)
{
	time_t now = monotonic_seconds();

	if (journal->lost_unreported == 0 ||
	    (journal->lost_reported != 0 && now - journal->lost_reported < REPORT_INTERVAL_SECONDS))
		return;
	messages_post(journal->messages, MESSAGE_ERROR, "journal %s: %lu sightings lost",
		      journal->path, journal->lost_unreported);
	journal->lost_unreported = 0;
	journal->lost_reported = now;
}

void journal_record(struct journal *journal, const struct sighting *sighting)
{
	char line[SIGHTING_LINE_SIZE];
	size_t length;

	if (sighting->verdict->broken == 0 &&
	    (!sighting->verified ||
	     !first_of_day(journal->seen, sighting->attempt, sighting->time.tv_sec)))
		return;
	length = sighting_format(sighting, journal->host, line);
	if (length > 0 && line_ring_push(&journal->ring, line, length)) {
		sem_post(&journal->lines);
	} else {
		atomic_fetch_add(&journal->lost, 1);
		journal->lost_unreported++;
	}
	report_lost(journal);
}

/* How many lines wait in a ring that nobody else touches any more. */
static unsigned long count_lines(struct journal *journal)
{
	char line[SIGHTING_LINE_SIZE];
	unsigned long count = 0;

	for (; line_ring_peek(&journal->ring, line) > 0; count++)
		line_ring_pop(&journal->ring);
	return count;
}

bool journal_free(struct journal *journal)
{
	unsigned long left;

	if (journal == NULL)
		return true;
	if (journal->started) {
		atomic_store(&journal->stopping, true);
		sem_post(&journal->lines);
		if (!background_thread_join(journal->thread, FLUSH_SECONDS)) {
			messages_post(journal->messages, MESSAGE_ERROR,
				      "journal %s: the disk does not respond; "
				      "sightings in memory are lost",
				      journal->path);
			return false; /* what the thread uses is left to it */
		}
	}
	left = count_lines(journal) + journal->lost_unreported;
	if (left > 0)
		messages_post(journal->messages, MESSAGE_ERROR, "journal %s: %lu sightings lost",
			      journal->path, left);
	close_file(journal);
	line_ring_free(&journal->ring);
	first_of_day_free(journal->seen);
	free(journal->path);
	sem_destroy(&journal->lines);
	free(journal);
	return true;
}
