/* What combining makes of a storm: bench-journal DIRECTORY SECONDS

   Offers logins at a steady rate to two journals at a time, one that combines as a
   configuration does that says nothing about it, and one that writes each sighting by
   itself. First 5,000 logins a second of 50,000 people, one in five of which break a rule;
   then 20,000 names a second that nobody has, each from another address.

   Prints for each journal how long a decision takes with what it records, the CPU time of
   its thread, the bytes that it grew by, its lines, and what was lost. */

#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/config.h"
#include "policy/edition.h"
#include "policy/journal.h"
#include "policy/judge.h"
#include "random-bits.h"

/* A login that waited longer than this has been delayed. */
#define DECISION_MICROSECONDS_MAX 10000

/* Of what is offered in a millisecond. */
#define LOGINS 5
#define NAMES 20

#define PEOPLE 50000

#define BUCKETS 1000000 /* of 10 ns */

static const char rules[] = "rule encryption { notify = \"always\" }\n";

/* One of the two journals. */
struct side {
	const char *title;
	char path[256];
	struct policy *policy;
	struct edition edition;
	struct journal *journal;
	char thread[64];
	uint32_t *times; /* decisions by the time they took */
	uint64_t longest;
};

struct tally {
	unsigned long lines, sightings, lost;
	off_t bytes;
	double cpu; /* of the writing thread, seconds */
};

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void report(void *context, const char *message)
{
	(void)context;
	errx(1, "%s", message);
}

/* ---- a journal ---- */

/* The sum of the threads' ids: what it grows by is the id of a new one. */
static long sum_of_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	long sum = 0;

	if (tasks == NULL)
		err(1, "/proc/self/task");
	while ((task = readdir(tasks)) != NULL)
		sum += strtol(task->d_name, NULL, 10);
	closedir(tasks);
	return sum;
}

static double thread_cpu(const struct side *side)
{
	FILE *file = fopen(side->thread, "r");
	uint64_t on_cpu;

	if (file == NULL || fscanf(file, "%" SCNu64, &on_cpu) != 1)
		err(1, "%s", side->thread);
	fclose(file);
	return (double)on_cpu / 1e9;
}

static void begin(struct side *side, const char *directory, const char *name, bool combining,
		  struct messages *messages)
{
	char folder[200];
	long before = sum_of_threads();

	snprintf(folder, sizeof(folder), "%s/%s", directory, name);
	snprintf(side->path, sizeof(side->path), "%s/dovecot.jsonl", folder);
	if (mkdir(folder, 0700) < 0)
		err(1, "%s", folder);
	side->policy = config_load_text("rules", rules, strlen(rules), report, NULL, NULL);
	if (!combining) {
		side->policy->combine_seconds = 0;
		side->policy->unverified_per_minute = UINT32_MAX;
	}
	side->title = combining ? "combined" : "each by itself";
	side->edition = edition_of(side->policy, NULL, NULL, NULL);
	side->journal = journal_create(folder, SOURCE_DOVECOT, messages);
	side->times = calloc(BUCKETS, sizeof(*side->times));
	if (side->journal == NULL || side->times == NULL || !journal_start(side->journal))
		err(1, "%s", folder);
	snprintf(side->thread, sizeof(side->thread), "/proc/self/task/%ld/schedstat",
		 sum_of_threads() - before);
}

static unsigned long number_in(const char *line, const char *key)
{
	const char *found = strstr(line, key);

	return found == NULL ? 0 : strtoul(found + strlen(key), NULL, 10);
}

static struct tally end(struct side *side)
{
	struct tally tally = {.cpu = thread_cpu(side)};
	FILE *file;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	if (!journal_free(side->journal))
		errx(1, "%s: the disk does not respond", side->path);
	file = fopen(side->path, "r");
	if (file == NULL)
		err(1, "%s", side->path);
	while ((length = getline(&line, &size, file)) > 0) {
		tally.lines++;
		tally.bytes += length;
		tally.sightings += number_in(line, ",\"count\":");
		tally.lost += number_in(line, ",\"lost\":");
	}
	free(line);
	fclose(file);
	unlink(side->path);
	policy_free(side->policy);
	return tally;
}

/* ---- logins ---- */

static void decide(struct side *side, struct attempt *attempt, bool verified)
{
	uint64_t begun = nanoseconds(), taken;
	struct verdict verdict;
	struct sighting sighting = {
		.attempt = attempt,
		.policy = side->policy,
		.verdict = &verdict,
		.verified = verified,
		.edition = side->edition.id,
	};

	clock_gettime(CLOCK_REALTIME, &sighting.time);
	judge(&side->edition, attempt, sighting.time.tv_sec, &verdict);
	journal_record(side->journal, &sighting);
	taken = nanoseconds() - begun;
	side->times[taken / 10 < BUCKETS ? taken / 10 : BUCKETS - 1]++;
	side->longest = taken > side->longest ? taken : side->longest;
}

static void log_in(struct side sides[static 2], bool hostile)
{
	static unsigned long number;
	char user[64], program[64], session[32], client[64];
	struct attempt attempt = {
		.service = SERVICE_IMAP,
		.port = 143,
		.tls = TLS_STARTTLS,
		.user = user,
		.mechanism = "PLAIN",
		.client_id = program,
		.session = session,
	};
	uint64_t bits = random_bits();
	unsigned long person = (unsigned long)(bits % PEOPLE);

	number++;
	snprintf(session, sizeof(session), "%016" PRIx64, bits);
	if (hostile) {
		snprintf(user, sizeof(user), "invented%lu@example.org", number);
		snprintf(program, sizeof(program), "name=invented %lu", number);
	} else {
		snprintf(user, sizeof(user), "user%lu@example.org", person);
		strcpy(program, "name=Thunderbird");
	}
	snprintf(client, sizeof(client), "2001:db8::%" PRIx64 ":%" PRIx64, bits & 0xffff,
		 bits >> 48);
	address_parse(client, &attempt.client);
	/* It is the same people who have not changed their settings. */
	if (hostile || person % 5 == 0)
		attempt.tls = TLS_NONE;
	/* By turns, so that none always finds what the other one has warmed up. */
	decide(&sides[number % 2], &attempt, !hostile);
	decide(&sides[1 - number % 2], &attempt, !hostile);
}

static void offer(struct side sides[static 2], bool hostile, unsigned long seconds)
{
	uint64_t due = nanoseconds(), stop = due + seconds * UINT64_C(1000000000);

	while (due < stop) {
		uint64_t now = nanoseconds();

		if (now < due) {
			nanosleep(&(const struct timespec){.tv_nsec = (long)(due - now)}, NULL);
			continue;
		}
		/* Where the machine was elsewhere, what is late comes at once. */
		for (int i = 0; i < (hostile ? NAMES : LOGINS); i++)
			log_in(sides, hostile);
		due += 1000000;
	}
}

/* Microseconds that so much of the decisions took at most. */
static double quantile(const struct side *side, double part)
{
	uint64_t all = 0, count = 0;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		all += side->times[i];
	for (i = 0; i < BUCKETS && (double)count < part * (double)all; i++)
		count += side->times[i];
	return (double)i / 100;
}

static bool measure(const char *directory, bool hostile, unsigned long seconds,
		    struct messages *messages)
{
	static const char *const names[2][2] = {{"logins-combined", "logins-each"},
						{"names-combined", "names-each"}};
	struct side sides[2] = {0};
	struct tally tallies[2];
	bool fine;

	for (int i = 0; i < 2; i++)
		begin(&sides[i], directory, names[hostile][i], i == 0, messages);
	printf("%s, %lu s:\n",
	       hostile ? "20,000 names a second that nobody has"
		       : "5,000 logins a second, one in five breaks a rule",
	       seconds);
	offer(sides, hostile, seconds);
	for (int i = 0; i < 2; i++) {
		tallies[i] = end(&sides[i]);
		printf("  %-15s %9lu sightings, %9lu lines, %8.2f MB, %lu lost, "
		       "%.2f s CPU of its thread; a decision: %.2f us, 99.9%% %.1f us, "
		       "longest %.1f ms\n",
		       sides[i].title, tallies[i].sightings, tallies[i].lines,
		       (double)tallies[i].bytes / 1e6, tallies[i].lost, tallies[i].cpu,
		       quantile(&sides[i], 0.5), quantile(&sides[i], 0.999),
		       (double)sides[i].longest / 1e6);
	}
	printf("  combined has %.4f of the bytes\n",
	       (double)tallies[0].bytes / (double)tallies[1].bytes);
	fine = tallies[0].lost == 0 && tallies[0].bytes < tallies[1].bytes &&
	       quantile(&sides[0], 0.999) < DECISION_MICROSECONDS_MAX;
	for (int i = 0; i < 2; i++)
		free(sides[i].times);
	return fine;
}

int main(int argc, char **argv)
{
	struct messages *messages = messages_create();
	unsigned long seconds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	bool fine;

	if (seconds == 0 || messages == NULL) {
		fputs("Usage: bench-journal DIRECTORY SECONDS\n", stderr);
		return 64;
	}
	fine = measure(argv[1], false, seconds, messages);
	fine = measure(argv[1], true, seconds, messages) && fine;
	messages_free(messages);
	if (!fine)
		puts("a line was lost, a decision was delayed, or nothing was combined");
	return !fine;
}
