#define _GNU_SOURCE /* syscall() */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/first-of-day.h"
#include "policy/append-file.h"
#include "policy/journal.h"
#include "policy/line-ring.h"

static char directory[] = "/tmp/portcullis-journal.XXXXXX";
static char path[128], moved_path[128];

static struct rule rules[] = {{.title = (char *)"encryption"}};
static struct policy policy = {.rules = rules, .rule_count = 1};
static const struct verdict broken = {.broken = 1, .phases = {PHASE_NOTIFY}};
static const struct verdict fine = {0};

/* What tests of single things change, and fresh_directory() sets back. */
static struct attempt attempt;
static const char *edition;
static bool modes_cannot_be_set;

/* As where another account owns the file. */
int fchmod(int file, mode_t mode)
{
	if (!modes_cannot_be_set)
		return (int)syscall(SYS_fchmod, file, mode);
	errno = EPERM;
	return -1;
}

static void record(struct journal *journal, const char *user, const struct verdict *verdict,
		   bool verified)
{
	struct sighting sighting = {
		.attempt = &attempt,
		.policy = &policy,
		.verdict = verdict,
		.verified = verified,
		.edition = edition,
	};

	attempt.user = user;
	clock_gettime(CLOCK_REALTIME, &sighting.time);
	journal_record(journal, &sighting);
}

static struct journal *start(struct messages *messages)
{
	struct journal *journal = journal_create(directory, SOURCE_DOVECOT, messages);

	assert_non_null(journal);
	assert_true(journal_start(journal));
	return journal;
}

static unsigned long number_in(const char *line, const char *key)
{
	const char *found = strstr(line, key);

	return found == NULL ? 0 : strtoul(found + strlen(key), NULL, 10);
}

/* Counts whole lines, and adds up the sightings that they tell of, and what they
   carry as lost. */
static unsigned long count_sightings(const char *file_path, unsigned long *sightings_r,
				     unsigned long *lost_r)
{
	FILE *file = fopen(file_path, "r");
	char *line = NULL;
	size_t size = 0;
	unsigned long count = 0;

	*lost_r = *sightings_r = 0;
	if (file == NULL)
		return 0;
	while (getline(&line, &size, file) > 0) {
		/* Half a line is not one. */
		if (strncmp(line, "{\"time\"", 7) != 0 || strstr(line, "}\n") == NULL)
			continue;
		count++;
		*sightings_r += number_in(line, ",\"count\":");
		*lost_r += number_in(line, ",\"lost\":");
	}
	free(line);
	fclose(file);
	return count;
}

static unsigned long count_lines(const char *file_path, unsigned long *lost_r)
{
	unsigned long sightings;

	return count_sightings(file_path, &sightings, lost_r);
}

/* Whether a line of the file has all these words. */
static bool has_line(const char *file_path, const char *words, const char *more_words)
{
	FILE *file = fopen(file_path, "r");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0)
		found |= strstr(line, words) != NULL && strstr(line, more_words) != NULL;
	free(line);
	fclose(file);
	return found;
}

/* The lines that have some words. */
struct lines {
	unsigned long count;
	size_t bytes, longest;
};

static struct lines lines_with(const char *file_path, const char *words)
{
	FILE *file = fopen(file_path, "r");
	struct lines lines = {0};
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	assert_non_null(file);
	while ((length = getline(&line, &size, file)) > 0) {
		if (strstr(line, words) == NULL)
			continue;
		lines.count++;
		lines.bytes += (size_t)length;
		lines.longest = (size_t)length > lines.longest ? (size_t)length : lines.longest;
	}
	free(line);
	fclose(file);
	return lines;
}

/* Sightings that the ring holds with ease. */
#define CATCH_UP 500

/* Waits until all that was recorded is taken out of the ring, which is not what is tested,
   by one sighting more: that of somebody who is fine is written by itself. */
static void catch_up(struct journal *journal)
{
	static unsigned int number;
	struct stat status = {0};
	char user[32], words[64], *line = NULL;
	size_t size = 0;
	bool found = false;

	stat(path, &status);
	snprintf(user, sizeof(user), "late%u", number++);
	snprintf(words, sizeof(words), "\"user\":\"%s\"", user);
	record(journal, user, &fine, true);
	for (int tries = 0; !found && tries < 30000; tries++) {
		FILE *file = fopen(path, "r");

		usleep(2000);
		if (file == NULL)
			continue;
		fseek(file, status.st_size, SEEK_SET);
		while (!found && getline(&line, &size, file) > 0)
			found = strstr(line, words) != NULL;
		fclose(file);
	}
	free(line);
	assert_true(found);
}

static void wait_for_lines(const char *file_path, unsigned long expected)
{
	unsigned long count = 0, lost;

	for (int tries = 0; tries < 500; tries++) {
		count = count_lines(file_path, &lost);
		if (count == expected)
			return;
		usleep(20000);
	}
	fail_msg("%s has %lu lines, not %lu", file_path, count, expected);
}

/* How many sightings were said to be lost, in however many messages. */
static unsigned long said_to_be_lost;

static void add_said_to_be_lost(const char *text)
{
	const char *count = strstr(text, ": ");

	if (count != NULL && strstr(count, " sightings lost") != NULL)
		said_to_be_lost += strtoul(count + 2, NULL, 10);
}

static bool was_said(struct messages *messages, const char *words)
{
	enum message_level level;
	char text[MESSAGE_SIZE];
	bool said = false;

	while (messages_take(messages, &level, text)) {
		said |= strstr(text, words) != NULL;
		add_said_to_be_lost(text);
	}
	return said;
}

static void wait_until_said(struct messages *messages, const char *words)
{
	for (int tries = 0; tries < 3000; tries++) {
		if (was_said(messages, words))
			return;
		usleep(20000);
	}
	fail_msg("nobody said \"%s\"", words);
}

/* Whether the file can be locked as the importer does before it removes it. */
static bool is_in_use(const char *file_path)
{
	int descriptor = open(file_path, O_RDONLY);
	bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;

	assert_true(descriptor >= 0);
	assert_true(locked || errno == EWOULDBLOCK);
	close(descriptor);
	return !locked;
}

static void wait_until_let_go(const char *file_path)
{
	for (int tries = 0; tries < 300 && is_in_use(file_path); tries++)
		usleep(100000);
	assert_false(is_in_use(file_path));
}

static int fresh_directory(void **state)
{
	(void)state;
	policy.combine_seconds = 0;
	policy.unverified_per_minute = 600;
	attempt = (struct attempt){.mechanism = "PLAIN", .client_id = "", .session = ""};
	edition = NULL;
	modes_cannot_be_set = false;
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/dovecot.jsonl", directory);
	snprintf(moved_path, sizeof(moved_path), "%s/moved.jsonl", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved_path);
	return rmdir(directory);
}

static void test_what_is_recorded(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	struct stat status;
	unsigned long lost;
	(void)state;

	record(journal, "alice", &fine, true);
	record(journal, "alice", &fine, true); /* seen today */
	record(journal, "bob", &fine, false);  /* anybody can type a name */
	record(journal, "bob", &fine, true);
	record(journal, "carol", &broken, false);
	record(journal, "carol", &broken, false);
	journal_free(journal);
	assert_int_equal(count_lines(path, &lost), 4);
	assert_int_equal(lost, 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_false(was_said(messages, ""));
	messages_free(messages);
}

static void test_mode_that_cannot_be_set(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	enum message_level level;
	char text[MESSAGE_SIZE];
	(void)state;

	modes_cannot_be_set = true;
	journal = start(messages);
	record(journal, "carol", &broken, true);
	wait_for_lines(path, 1);
	journal_free(journal);
	assert_true(messages_take(messages, &level, text));
	assert_int_equal(level, MESSAGE_WARNING);
	assert_non_null(strstr(text, "cannot set its mode: Operation not permitted; 'portcullis "
				     "import' may not be able to read it"));
	assert_false(messages_take(messages, &level, text));
	messages_free(messages);
}

static void test_renamed_file(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	(void)state;

	record(journal, "alice", &broken, true);
	wait_for_lines(path, 1);
	assert_int_equal(rename(path, moved_path), 0);
	wait_until_let_go(moved_path);
	record(journal, "bob", &broken, true);
	wait_for_lines(path, 1);
	wait_for_lines(moved_path, 1);
	journal_free(journal);
	messages_free(messages);
}

static void test_file_is_held_while_written(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	unsigned long lost;
	(void)state;

	record(journal, "alice", &broken, true);
	wait_for_lines(path, 1);
	assert_true(is_in_use(path));
	assert_int_equal(rename(path, moved_path), 0);
	assert_true(is_in_use(moved_path));
	wait_until_let_go(moved_path);
	record(journal, "bob", &broken, true);
	wait_for_lines(path, 1);
	assert_false(is_in_use(moved_path));
	/* Who has nothing to write lets go, */
	wait_until_let_go(path);
	/* and goes on in the same file. */
	record(journal, "carol", &broken, true);
	wait_for_lines(path, 2);
	journal_free(journal);
	assert_int_equal(count_lines(moved_path, &lost), 1);
	assert_false(was_said(messages, ""));
	messages_free(messages);
}

/* The importer has the renamed file locked, and the writer came too late. */
static void test_locked_file_is_not_written(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	int descriptor;
	(void)state;

	descriptor = open(path, O_RDONLY | O_CREAT, 0640);
	assert_true(descriptor >= 0);
	assert_int_equal(flock(descriptor, LOCK_EX), 0);
	journal = start(messages);
	record(journal, "alice", &broken, true);
	wait_until_said(messages, "cannot lock");
	assert_int_equal(rename(path, moved_path), 0);
	wait_for_lines(path, 1);
	wait_for_lines(moved_path, 0);
	close(descriptor);
	journal_free(journal);
	messages_free(messages);
}

static void test_directory_comes_later(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	unsigned long lost;
	(void)state;

	assert_int_equal(rmdir(directory), 0);
	journal = start(messages);
	for (int i = 0; i < 100; i++)
		record(journal, "alice", &broken, true);
	wait_until_said(messages, "cannot open");
	assert_int_equal(mkdir(directory, 0700), 0);
	wait_for_lines(path, 100);
	assert_true(was_said(messages, "writing again"));
	journal_free(journal);
	assert_int_equal(count_lines(path, &lost), 100);
	messages_free(messages);
}

/* A FIFO whose other end nobody reads stands for a disk that stands still. */
static void test_stuck_disk_loses_the_newest_and_counts(void **state)
{
	enum { ATTEMPTS = 50000 };
	struct messages *messages = messages_create();
	struct journal *journal;
	struct timespec before, after;
	unsigned long written, lost;
	int fifo;
	(void)state;

	assert_int_equal(mkfifo(path, 0600), 0);
	journal = start(messages);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < ATTEMPTS; i++)
		record(journal, "alice", &broken, true);
	clock_gettime(CLOCK_MONOTONIC, &after);
	/* No claim of speed: it just must not have waited for the disk. */
	assert_true(after.tv_sec - before.tv_sec < 20);
	assert_true(was_said(messages, "sightings lost"));

	/* Let the thread out of open(); it refuses the FIFO, and then finds a
	   file in its place. */
	fifo = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fifo >= 0);
	assert_int_equal(unlink(path), 0);
	for (int tries = 0; tries < 500 && access(path, F_OK) != 0; tries++)
		usleep(20000);
	usleep(500000);
	record(journal, "alice", &broken, true);
	journal_free(journal);
	close(fifo);
	written = count_lines(path, &lost);
	assert_true(written > 1000);
	assert_true(lost > 0);
	assert_int_equal(written + lost, ATTEMPTS + 1);
	messages_free(messages);
}

/* A thread that hangs to the end has something to say when the disk is back. */
static void test_stuck_disk_at_the_end(void **state)
{
	/* Left to the thread. */
	static struct messages *messages;
	static struct journal *journal;
	int fifo;
	(void)state;

	messages = messages_create();
	assert_int_equal(mkfifo(path, 0600), 0);
	journal = start(messages);
	record(journal, "alice", &broken, true);
	assert_false(journal_free(journal));
	assert_true(was_said(messages, "the disk does not respond"));

	fifo = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fifo >= 0);
	wait_until_said(messages, "is not a regular file");
	close(fifo);
	assert_int_equal(unlink(path), 0);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the file's size fails within a line, as a full disk does. */
static void test_full_disk_keeps_lines_whole(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	unsigned long lost;
	(void)state;

	/* The thread blocks SIGXFSZ, so that it gets EFBIG. */
	limit_file_size(2000);
	journal = start(messages);
	for (int i = 0; i < 20; i++)
		record(journal, "alice", &broken, true);
	wait_until_said(messages, "cannot write");
	limit_file_size(RLIM_INFINITY);
	wait_for_lines(path, 20);
	journal_free(journal);
	assert_int_equal(count_lines(path, &lost), 20);
	assert_int_equal(lost, 0);
	messages_free(messages);
}

static void test_symbolic_link_is_refused(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	(void)state;

	assert_int_equal(symlink("/dev/null", path), 0);
	journal = start(messages);
	record(journal, "alice", &broken, true);
	wait_until_said(messages, "cannot open");
	journal_free(journal);
	messages_free(messages);
}

static void test_lost_at_the_end_is_said(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	(void)state;

	assert_int_equal(mkdir(path, 0700), 0);
	journal = start(messages);
	for (int i = 0; i < 3; i++)
		record(journal, "alice", &broken, true);
	journal_free(journal);
	assert_true(was_said(messages, "3 sightings lost"));
	assert_int_equal(rmdir(path), 0);
	messages_free(messages);
}

static void test_equal_sightings_are_combined(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	unsigned long sightings, lost;
	(void)state;

	policy.combine_seconds = 3600;
	for (int i = 0; i < 5; i++) {
		char client[32];

		snprintf(client, sizeof(client), "192.0.2.%d", i);
		assert_true(address_parse(client, &attempt.client));
		record(journal, "alice", &broken, true);
	}
	record(journal, "alice", &broken, false);
	attempt.port = 993;
	record(journal, "alice", &broken, true);
	attempt.client_id = "name=x";
	record(journal, "alice", &broken, true);
	record(journal, "bob", &broken, true);
	/* The first of each at once. */
	wait_for_lines(path, 5);
	journal_free(journal);
	assert_int_equal(count_sightings(path, &sightings, &lost), 6);
	assert_int_equal(sightings, 9);
	assert_true(has_line(path, "\"client\":\"192.0.2.4\",\"count\":4", ",\"until\":\"20"));
	assert_false(was_said(messages, ""));
	messages_free(messages);
}

static double milliseconds_until_line(struct journal *journal, const char *user)
{
	struct timespec before, now;
	struct stat status = {0};
	off_t size;

	assert_int_equal(stat(path, &status), 0);
	size = status.st_size;
	clock_gettime(CLOCK_MONOTONIC, &before);
	record(journal, user, &broken, true);
	do {
		usleep(100);
		assert_int_equal(stat(path, &status), 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (status.st_size == size && now.tv_sec - before.tv_sec < 60);
	return (double)(now.tv_sec - before.tv_sec) * 1e3 +
	       (double)(now.tv_nsec - before.tv_nsec) / 1e6;
}

/* The thread rests from the line before, but not for long: a kill could lose somebody. A
   machine may be busy, but not each time. */
static void test_a_line_does_not_wait_long(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	double fastest = 1000;
	char user[32];
	(void)state;

	policy.combine_seconds = 3600;
	record(journal, "alice", &broken, true);
	wait_for_lines(path, 1);
	for (int i = 0; i < 20; i++) {
		double taken;

		snprintf(user, sizeof(user), "user%d", i);
		taken = milliseconds_until_line(journal, user);
		fastest = taken < fastest ? taken : fastest;
	}
	journal_free(journal);
	assert_true(fastest < 20);
	messages_free(messages);
}

static void test_combined_are_told_in_time(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	(void)state;

	policy.combine_seconds = 1;
	for (int i = 0; i < 3; i++)
		record(journal, "alice", &broken, true);
	wait_for_lines(path, 2);
	assert_true(has_line(path, "\"count\":2", "until"));
	/* The next is a first one. */
	record(journal, "alice", &broken, true);
	wait_for_lines(path, 3);
	journal_free(journal);
	messages_free(messages);
}

/* What was read at a reload holds for what is remembered, too. */
static void test_a_shorter_time_holds_at_once(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	(void)state;

	policy.combine_seconds = 24 * 60 * 60;
	for (int i = 0; i < 3; i++)
		record(journal, "alice", &broken, true);
	record(journal, "bob", &broken, true);
	record(journal, "bob", &broken, true);
	wait_for_lines(path, 2);
	policy.combine_seconds = 1;
	record(journal, "bob", &broken, true);
	wait_for_lines(path, 4);
	assert_true(has_line(path, "\"user\":\"alice\"", "\"count\":2,"));
	assert_true(has_line(path, "\"user\":\"bob\"", "\"count\":2,"));
	journal_free(journal);
	messages_free(messages);
}

static void test_combined_are_told_at_rotation(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	unsigned long lost;
	(void)state;

	policy.combine_seconds = 3600;
	for (int i = 0; i < 3; i++)
		record(journal, "alice", &broken, true);
	catch_up(journal);
	assert_int_equal(rename(path, moved_path), 0);
	wait_for_lines(path, 1);
	assert_true(has_line(path, "\"count\":2", "until"));
	/* Equal ones are counted on. */
	record(journal, "alice", &broken, true);
	usleep(300000);
	assert_int_equal(count_lines(path, &lost), 1);
	journal_free(journal);
	assert_int_equal(count_lines(path, &lost), 2);
	messages_free(messages);
}

/* More ways than there is memory for. */
static void test_oldest_are_told_where_memory_is_short(void **state)
{
	enum { USERS = 20000, ROUNDS = 2, CAUGHT_UP = USERS * ROUNDS / CATCH_UP };
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	unsigned long lines = 0, sightings, lost;
	char user[64];
	(void)state;

	policy.combine_seconds = 3600;
	for (int i = 0; i < USERS * ROUNDS; i++) {
		/* Each twice, one behind the other, and all again later. */
		snprintf(user, sizeof(user), "user%d@example.org", i / 2 % (USERS / ROUNDS));
		record(journal, user, &broken, true);
		if (i % CATCH_UP == CATCH_UP - 1)
			catch_up(journal);
	}
	journal_free(journal);
	lines = count_sightings(path, &sightings, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(sightings, USERS * ROUNDS + CAUGHT_UP);
	assert_true(lines >= USERS);
	messages_free(messages);
}

/* How many parts of so many seconds have begun since a monotonic time. */
static unsigned long periods_since(const struct timespec *before, time_t seconds)
{
	struct timespec after;

	clock_gettime(CLOCK_MONOTONIC, &after);
	/* The journal's clock is a second ahead of this one. */
	return (unsigned long)((after.tv_sec + 1) / seconds - before->tv_sec / seconds + 1);
}

/* So many bytes of a character that is as long as one can be when it is escaped. */
static const char *longest(char *name, size_t size, int number)
{
	memset(name, 1, size - 1);
	name[size - 1] = '\0';
	snprintf(name, 9, "%08d", number);
	name[8] = 1;
	return name;
}

/* However many names strangers invent, and however long they are, a journal grows by what
   portcullis.conf(5) says and no more; also while more people come than there is memory
   for. */
static void test_what_strangers_invent_is_bounded(void **state)
{
	enum { BUDGET = 20, WAYS = 2 };
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	const size_t longest_line = SIGHTING_STRANGERS_LINE_MAX + strlen("encryption") + 14;
	const int attempts = rounds(50000), caught_up = attempts / CATCH_UP;
	unsigned long sightings, lost, most;
	struct lines lines;
	struct timespec before;
	char user[USER_SIZE], program[1000], client[64], person[64];
	(void)state;

	policy.combine_seconds = 3600;
	policy.unverified_per_minute = BUDGET;
	edition = "0123456789abcdef";
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < attempts; i++) {
		snprintf(client, sizeof(client), "2001:db8:ffff:ffff:ffff:ffff:%x:ffff",
			 i + 0x1000);
		assert_true(address_parse(client, &attempt.client));
		attempt.client_id = longest(program, sizeof(program), i);
		attempt.port = i % WAYS == 0 ? 143 : 993;
		attempt.mechanism = i % 3 == 0 ? "PLAIN" : "LOGIN";
		record(journal, longest(user, sizeof(user), i), &broken, false);
		attempt.client_id = "";
		snprintf(person, sizeof(person), "user%d@example.org", i);
		record(journal, person, &broken, true);
		if (i % CATCH_UP == CATCH_UP - 1)
			catch_up(journal);
	}
	journal_free(journal);
	count_sightings(path, &sightings, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(sightings, 2 * attempts + caught_up);
	assert_int_equal(lines_with(path, "\"verified\":true").count, attempts + caught_up);
	most = 2 * BUDGET * periods_since(&before, 60) + 2 * WAYS * periods_since(&before, 3600);
	lines = lines_with(path, "\"verified\":false");
	assert_in_range(lines.count, BUDGET, most);
	assert_in_range(lines.bytes, BUDGET * lines.longest, most * longest_line);
	/* Nor does the manual exaggerate. */
	assert_in_range(lines.longest, longest_line / 4 * 3, longest_line);
	assert_true(has_line(path,
			     "\"mechanism\":\"\",\"country\":\"\",\"user\":\"\",\"client_id\":\"\","
			     "\"session\":\"\"",
			     ",\"until\":\"20"));
	messages_free(messages);
}

/* Nor does it for somebody whose password is right, and no way of his is lost. */
static void test_what_a_user_invents_is_bounded(void **state)
{
	enum { ATTEMPTS = 10000, WAYS = 3, CAUGHT_UP = ATTEMPTS / CATCH_UP };
	static const uint16_t ports[WAYS] = {143, 993, 4190};
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	unsigned long lines, sightings, lost;
	struct timespec before;
	char program[64];
	(void)state;

	policy.combine_seconds = 3600;
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < ATTEMPTS; i++) {
		snprintf(program, sizeof(program), "name=%d", i);
		attempt.client_id = program;
		/* The last way comes late. */
		attempt.port = ports[i < ATTEMPTS - 10 ? i % (WAYS - 1) : WAYS - 1];
		record(journal, "mallory", &broken, true);
		if (i % CATCH_UP == CATCH_UP - 1)
			catch_up(journal);
	}
	/* Nobody else is told of with less. */
	attempt.client_id = "name=Thunderbird";
	record(journal, "alice", &broken, true);
	journal_free(journal);
	lines = count_sightings(path, &sightings, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(sightings, ATTEMPTS + 1 + CAUGHT_UP);
	lines -= CAUGHT_UP;
	assert_in_range(lines, COMBINING_DETAILED_MAX + WAYS,
			2 * periods_since(&before, 3600) * (COMBINING_DETAILED_MAX + WAYS) + 1);
	assert_true(has_line(path, "\"port\":4190,",
			     "\"user\":\"mallory\",\"client_id\":\"\",\"session\""));
	assert_true(has_line(path, "\"user\":\"alice\"", "\"client_id\":\"name=Thunderbird\""));
	messages_free(messages);
}

static void test_file_has_a_largest_size(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal;
	unsigned long lost;
	int descriptor;
	(void)state;

	/* A hole takes no room on the disk. */
	descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
	assert_true(descriptor >= 0);
	assert_int_equal(ftruncate(descriptor, APPEND_FILE_MAX), 0);
	close(descriptor);
	journal = start(messages);
	said_to_be_lost = 0;
	for (int i = 0; i < 7; i++)
		record(journal, "alice", &broken, true);
	wait_until_said(messages, "as large as it may be");
	assert_int_equal(rename(path, moved_path), 0);
	wait_until_let_go(moved_path);
	record(journal, "bob", &broken, true);
	wait_for_lines(path, 1);
	journal_free(journal);
	assert_int_equal(count_lines(path, &lost), 1);
	assert_int_equal(lost, 7);
	was_said(messages, "sightings lost");
	assert_int_equal(said_to_be_lost, 7);
	messages_free(messages);
}

static void test_edition(void **state)
{
	struct messages *messages = messages_create();
	struct journal *journal = start(messages);
	(void)state;

	edition = "0123456789abcdef";
	record(journal, "alice", &broken, true);
	record(journal, "bob", &broken, true);
	edition = "fedcba9876543210";
	record(journal, "carol", &broken, true);
	record(journal, "dave", &broken, true);
	wait_for_lines(path, 4);
	assert_true(has_line(path, "alice", ",\"edition\":\"0123456789abcdef\"}"));
	assert_false(has_line(path, "bob", "edition"));
	assert_true(has_line(path, "carol", ",\"edition\":\"fedcba9876543210\"}"));
	assert_false(has_line(path, "dave", "edition"));
	/* In the first line of each file. */
	assert_int_equal(rename(path, moved_path), 0);
	wait_until_let_go(moved_path);
	record(journal, "erin", &broken, true);
	wait_for_lines(path, 1);
	assert_true(has_line(path, "erin", ",\"edition\":\"fedcba9876543210\"}"));
	journal_free(journal);
	messages_free(messages);
}

/* How many of so many programs are recorded that come twice on one day. */
static int record_programs(struct first_of_day *seen, int count, time_t now)
{
	char program[32];
	const struct attempt programs = {.user = "alice", .port = 993, .client_id = program};
	int recorded = 0;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < count; i++) {
			snprintf(program, sizeof(program), "name=Program%d", i);
			recorded += first_of_day(seen, &programs, now);
		}
	}
	return recorded;
}

/* Each shows by itself whether it was repaired, but nobody may fill the memory of all. */
static void test_programs_of_a_day(void **state)
{
	struct first_of_day *seen = first_of_day_create();
	const time_t noon = 1726826400;
	int both = 0;
	(void)state;

	for (int day = 0; day < 100; day++)
		both += record_programs(seen, 2, noon + day * 86400) == 2;
	assert_in_range(both, 90, 100);
	assert_in_range(record_programs(seen, 100000, noon), FIRST_OF_DAY_PROGRAMS - 4,
			FIRST_OF_DAY_PROGRAMS);
	first_of_day_free(seen);
}

static void test_first_of_day(void **state)
{
	struct first_of_day *seen = first_of_day_create();
	char user[32];
	const time_t noon = 1726826400;
	(void)state;

	setenv("TZ", "UTC", 1);
	tzset();
	attempt = (struct attempt){.user = "alice", .port = 143, .client_id = ""};
	assert_true(first_of_day(seen, &attempt, noon));
	assert_false(first_of_day(seen, &attempt, noon));
	attempt.port = 993;
	assert_true(first_of_day(seen, &attempt, noon));
	attempt.service = SERVICE_POP3;
	assert_true(first_of_day(seen, &attempt, noon));
	assert_false(first_of_day(seen, &attempt, noon / 86400 * 86400 + 86399));
	assert_true(first_of_day(seen, &attempt, noon / 86400 * 86400 + 86400));
	attempt.user = user;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 100000; i++) {
			snprintf(user, sizeof(user), "user%d", i);
			assert_int_equal(first_of_day(seen, &attempt, noon + 86400), round == 0);
		}
	}
	first_of_day_free(seen);
}

static void test_ring_wraps(void **state)
{
	struct line_ring ring;
	char in[100], out[100];
	(void)state;

	assert_true(line_ring_init(&ring, 256));
	assert_int_equal(line_ring_peek(&ring, out), 0);
	for (unsigned int round = 0; round < 1000; round++) {
		size_t length = 1 + round % sizeof(in);

		memset(in, (int)round, length);
		assert_true(line_ring_push(&ring, in, length));
		assert_int_equal(line_ring_peek(&ring, out), length);
		assert_memory_equal(in, out, length);
		line_ring_pop(&ring);
	}
	assert_true(line_ring_push(&ring, in, 100));
	assert_true(line_ring_push(&ring, in, 100));
	assert_false(line_ring_push(&ring, in, 100));
	assert_true(line_ring_push(&ring, in, 256 - 3 * sizeof(size_t) - 200));
	assert_false(line_ring_push(&ring, in, 1));
	line_ring_free(&ring);
}

static void test_messages(void **state)
{
	struct messages *messages = messages_create();
	enum message_level level;
	char text[MESSAGE_SIZE], endless[2 * MESSAGE_SIZE];
	int count = 0;
	(void)state;

	assert_false(messages_take(messages, &level, text));
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	messages_post(messages, MESSAGE_ERROR, "%s", endless);
	assert_true(messages_take(messages, &level, text));
	assert_int_equal(strlen(text), MESSAGE_SIZE - 1);
	for (int i = 0; i < 1000; i++)
		messages_post(messages, MESSAGE_INFO, "message %d", i);
	while (messages_take(messages, &level, text))
		count++;
	assert_int_equal(count, 449);
	assert_string_equal(text, "552 log lines were dropped");
	messages_free(messages);
}

/* What an operator must know has room of its own, however much else there is to say. */
static void test_errors_find_room(void **state)
{
	struct messages *messages = messages_create();
	enum message_level level;
	char text[MESSAGE_SIZE];
	unsigned int said[MESSAGE_ERROR + 1] = {0};
	(void)state;

	for (int i = 0; i < 1000; i++)
		messages_post(messages, MESSAGE_INFO, "message %d", i);
	for (int i = 0; i < 5; i++) {
		messages_post(messages, MESSAGE_WARNING, "warning %d", i);
		messages_post(messages, MESSAGE_ERROR, "error %d", i);
		messages_post(messages, MESSAGE_INFO, "one message more");
	}
	while (messages_take(messages, &level, text))
		said[level]++;
	assert_int_equal(said[MESSAGE_ERROR], 5);
	assert_int_equal(said[MESSAGE_WARNING], 5 + 1);
	assert_string_equal(text, "557 log lines were dropped");
	/* That, too, has an end. */
	for (int i = 0; i < 1000; i++)
		messages_post(messages, MESSAGE_ERROR, "error %d", i);
	while (messages_take(messages, &level, text))
		continue;
	assert_string_equal(text, "488 log lines were dropped");
	messages_free(messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, fresh_directory, remove_directory)
		JOURNAL_TEST(test_what_is_recorded),
		JOURNAL_TEST(test_mode_that_cannot_be_set),
		JOURNAL_TEST(test_renamed_file),
		JOURNAL_TEST(test_file_is_held_while_written),
		JOURNAL_TEST(test_locked_file_is_not_written),
		JOURNAL_TEST(test_directory_comes_later),
		JOURNAL_TEST(test_stuck_disk_loses_the_newest_and_counts),
		JOURNAL_TEST(test_stuck_disk_at_the_end),
		JOURNAL_TEST(test_full_disk_keeps_lines_whole),
		JOURNAL_TEST(test_symbolic_link_is_refused),
		JOURNAL_TEST(test_lost_at_the_end_is_said),
		JOURNAL_TEST(test_equal_sightings_are_combined),
		JOURNAL_TEST(test_a_line_does_not_wait_long),
		JOURNAL_TEST(test_combined_are_told_in_time),
		JOURNAL_TEST(test_a_shorter_time_holds_at_once),
		JOURNAL_TEST(test_combined_are_told_at_rotation),
		JOURNAL_TEST(test_oldest_are_told_where_memory_is_short),
		JOURNAL_TEST(test_what_strangers_invent_is_bounded),
		JOURNAL_TEST(test_what_a_user_invents_is_bounded),
		JOURNAL_TEST(test_file_has_a_largest_size),
		JOURNAL_TEST(test_edition),
		cmocka_unit_test(test_first_of_day),
		cmocka_unit_test(test_programs_of_a_day),
		cmocka_unit_test(test_ring_wraps),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_errors_find_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
