#define _GNU_SOURCE /* asprintf(), sem_clockwait() */
#include "journal.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "background-thread.h"
#include "combining.h"
#include "first-of-day.h"
#include "append-file.h"
#include "line-ring.h"
#include "monotonic-clock.h"

/* Some five thousand lines. */
#define RING_SIZE ((size_t)1 << 21)

#define HOST_SIZE 256

/* For combining: about ten thousand ways to the mail. */
#define COMBINING_MEMORY ((size_t)6 << 20)

/* What comes while the writing thread rests needs no waking, and is lost by a kill.
   Stated in portcullis.conf(5). */
#define REST_NANOSECONDS 5000000

#define REPORT_INTERVAL_SECONDS 60
#define FLUSH_SECONDS 2

/* A writer that has nothing to write holds no file open, so that the importer
   need not wait for it. */
#define IDLE_SECONDS 5

/* The clock by which a waiting thread waits. */
#if __GLIBC__ * 100 + __GLIBC_MINOR__ >= 230
#define WAITING_CLOCK CLOCK_MONOTONIC
#else
/* Other C libraries have this one only: when it is set back, a thread waits for that much
   longer, or until the next record. */
#define WAITING_CLOCK CLOCK_REALTIME
#define sem_clockwait(semaphore, clock, deadline) sem_timedwait(semaphore, deadline)
#endif

struct journal {
	char *path;
	struct messages *messages;
	struct line_ring ring; /* of struct sighting_record, without what is free in it */
	sem_t lines;           /* posted once for each record pushed, and to stop */
	_Atomic bool stopping;
	_Atomic unsigned long lost; /* not yet carried in a line */
	_Atomic unsigned long lost_unreported;

	/* The deciding thread's. */
	char host[HOST_SIZE];
	struct first_of_day *seen;
	time_t lost_reported; /* monotonic */
	bool started;
	pthread_t thread;

	/* The writing thread's. */
	struct append_file file;
	struct combining *combining;
	time_t looked;                 /* monotonic; whether the file was renamed */
	char edition[EDITION_ID_SIZE]; /* of the latest sighting */
};

/* ---- the writing thread ---- */

/* What is told of several, or of nobody in particular, has none. */
static const char no_session[] = "\"session\":\"\",";

/* What a file has no room for is lost. */
static bool append(struct journal *journal, struct sighting_line *line)
{
	unsigned long lost = atomic_load(&journal->lost);

	line->lost = lost;
	switch (append_file_append(&journal->file, line, journal->edition)) {
	case APPEND_DONE:
		atomic_fetch_sub(&journal->lost, lost);
		return true;
	case APPEND_FULL:
		atomic_fetch_add(&journal->lost, line->count);
		atomic_fetch_add(&journal->lost_unreported, line->count);
		return true;
	case APPEND_FAILED:
		break;
	}
	return false;
}

static struct combining_words words(const void *original, enum detail detail,
				    char buffer[static COMBINING_WORDS_SIZE])
{
	return sighting_words(original, detail, buffer);
}

static bool tell(void *context, const void *original, enum detail detail,
		 const struct combining_words *words)
{
	struct sighting_line line = sighting_line_of(original);

	line.equal = words->text;
	line.equal_length = words->length;
	if (detail == DETAIL_NOBODY) {
		line.session = no_session;
		line.session_length = strlen(no_session);
		line.client = "";
	}
	return append(context, &line);
}

static bool tell_repeat(void *context, const struct repeat *repeat)
{
	struct sighting_line line = {
		.equal = repeat->text,
		.equal_length = repeat->length,
		.session = no_session,
		.session_length = strlen(no_session),
		.client = repeat->note,
		.time = repeat->first,
		.until = repeat->last,
		.count = repeat->count,
	};

	return append(context, &line);
}

/* Takes the oldest sighting out of the ring; false when that must be tried again. */
static bool take_record(struct journal *journal)
{
	struct sighting_record record;

	if (line_ring_peek(&journal->ring, (char *)&record) == 0)
		return true;
	strcpy(journal->edition, record.edition);
	if (!combining_take(journal->combining,
			    &(const struct combining_attempt){
				    .original = &record,
				    .user = record.text + record.server_length + record.way_length,
				    .user_length = record.user_length,
				    .note = record.client,
				    .time = record.time,
				    /* Of those who are fine, none comes twice a day. */
				    .seconds = record.breaks_rule ? record.combine_seconds : 0,
				    .unverified_per_minute = record.unverified_per_minute,
				    .verified = record.verified,
			    }))
		return false;
	line_ring_pop(&journal->ring);
	return true;
}

/* Looked at once a second at most. */
static bool file_was_renamed(struct journal *journal)
{
	time_t now = monotonic_seconds();

	if (now == journal->looked)
		return false;
	journal->looked = now;
	return append_file_was_renamed(&journal->file);
}

/* What is due; and all, when the importer takes the lines that it belongs to. */
static bool write_counted(struct journal *journal)
{
	if (combining_waiting(journal->combining) > 0 && file_was_renamed(journal) &&
	    !combining_tell_all(journal->combining))
		return false;
	while (combining_is_due(journal->combining)) {
		if (!combining_tell_due(journal->combining))
			return false;
	}
	return true;
}

static void wait_a_second(void)
{
	nanosleep(&(const struct timespec){.tv_sec = 1}, NULL);
}

static void close_idle_file(struct journal *journal)
{
	/* Whoever opens a file anew does not know that it ends within a line. */
	if (!append_file_owes_newline(&journal->file) &&
	    monotonic_seconds() - journal->file.written >= IDLE_SECONDS)
		append_file_close(&journal->file);
}

/* To wake a thread costs a decision more than all the rest of recording it. So a
   thread that has nothing left to write rests a moment before it waits; at most a
   second where something waits for its time. */
static void wait_for_record(struct journal *journal)
{
	struct timespec deadline;

	if (sem_trywait(&journal->lines) == 0)
		return;
	nanosleep(&(const struct timespec){.tv_nsec = REST_NANOSECONDS}, NULL);
	while (journal->file.descriptor >= 0 || combining_waiting(journal->combining) > 0) {
		clock_gettime(WAITING_CLOCK, &deadline);
		deadline.tv_sec++;
		if (sem_clockwait(&journal->lines, WAITING_CLOCK, &deadline) == 0)
			return;
		if (!write_counted(journal) || append_file_owes_newline(&journal->file))
			continue;
		close_idle_file(journal);
	}
	while (sem_wait(&journal->lines) < 0)
		continue;
}

static void *write_lines(void *argument)
{
	struct journal *journal = argument;

	for (;;) {
		wait_for_record(journal);
		while (!take_record(journal) || !write_counted(journal)) {
			if (atomic_load(&journal->stopping))
				return NULL;
			wait_a_second();
		}
		/* One post came without a record; with the last record it is due. */
		if (atomic_load(&journal->stopping)) {
			int waiting;

			sem_getvalue(&journal->lines, &waiting);
			if (waiting == 0) {
				combining_tell_all(journal->combining);
				return NULL;
			}
		}
	}
}

/* ---- the deciding thread ---- */

struct journal *journal_create(const char *directory, enum source source, struct messages *messages)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal == NULL)
		return NULL;
	journal->messages = messages;
	if (sem_init(&journal->lines, 0, 0) < 0)
		goto no_semaphore;
	if (gethostname(journal->host, sizeof(journal->host)) < 0)
		strcpy(journal->host, "localhost");
	journal->host[sizeof(journal->host) - 1] = '\0';
	if (asprintf(&journal->path, "%s/%s.jsonl", directory, source_name(source)) < 0)
		goto no_path;
	append_file_init(&journal->file, journal->path, messages);
	journal->seen = first_of_day_create();
	if (journal->seen == NULL)
		goto no_seen;
	journal->combining = combining_create(COMBINING_MEMORY, &(const struct combining_teller){
									.words = words,
									.tell = tell,
									.tell_repeat = tell_repeat,
									.context = journal,
								});
	if (journal->combining == NULL)
		goto no_combining;
	if (!line_ring_init(&journal->ring, RING_SIZE))
		goto no_ring;
	return journal;

no_ring:
	combining_free(journal->combining);
no_combining:
	first_of_day_free(journal->seen);
no_seen:
	free(journal->path);
no_path:
	sem_destroy(&journal->lines);
no_semaphore:
	free(journal);
	return NULL;
}

bool journal_start(struct journal *journal)
{
	journal->started = background_thread_start(&journal->thread, write_lines, journal);
	return journal->started;
}

static void report_lost(struct journal *journal)
{
	time_t now = monotonic_seconds();

	if (atomic_load(&journal->lost_unreported) == 0 ||
	    (journal->lost_reported != 0 && now - journal->lost_reported < REPORT_INTERVAL_SECONDS))
		return;
	messages_post(journal->messages, MESSAGE_ERROR, "journal %s: %lu sightings lost",
		      journal->path, atomic_exchange(&journal->lost_unreported, 0));
	journal->lost_reported = now;
}

void journal_record(struct journal *journal, const struct sighting *sighting)
{
	struct sighting_record record;

	if (sighting->verdict->broken == 0 &&
	    (!sighting->verified ||
	     !first_of_day(journal->seen, sighting->attempt, sighting->time.tv_sec)))
		return;
	if (sighting_record_make(&record, sighting, journal->host) &&
	    line_ring_push(&journal->ring, (const char *)&record, sighting_record_size(&record))) {
		sem_post(&journal->lines);
	} else {
		atomic_fetch_add(&journal->lost, 1);
		atomic_fetch_add(&journal->lost_unreported, 1);
	}
	report_lost(journal);
}

/* How many sightings were not written, when nobody else touches them any more. */
static unsigned long count_unwritten(struct journal *journal)
{
	struct sighting_record record;
	unsigned long count = combining_waiting(journal->combining);

	for (; line_ring_peek(&journal->ring, (char *)&record) > 0; count++)
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
	left = count_unwritten(journal) + journal->lost_unreported;
	if (left > 0)
		messages_post(journal->messages, MESSAGE_ERROR, "journal %s: %lu sightings lost",
			      journal->path, left);
	append_file_close(&journal->file);
	combining_free(journal->combining);
	line_ring_free(&journal->ring);
	first_of_day_free(journal->seen);
	free(journal->path);
	sem_destroy(&journal->lines);
	free(journal);
	return true;
}
