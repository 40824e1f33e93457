/* Composes notices for many people, each with two rules and five sightings, and
   tells how long that took and how much memory. */

#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "admin/wording/notice-mail.h"
#include "policy/config.h"

#define SIGHTINGS 5

struct work {
	const struct policy *policy;
	const struct notice_texts *texts;
	unsigned int first, last;
	size_t bytes;
	bool failed;
};

static void report(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

static void set_devices(struct notice_sighting sightings[SIGHTINGS],
			struct notice_known_device devices[SIGHTINGS])
{
	static const char *const programs[SIGHTINGS] = {
		"name=Thunderbird version=115.3.1", "name=iPhone Mail version=20A362", "",
		"name=K-9 Mail", "name=Outlook version=16.0"};

	for (size_t i = 0; i < SIGHTINGS; i++) {
		bool sends = i == 2;

		sightings[i] = (struct notice_sighting){.client_id = programs[i],
							.service = sends ? SERVICE_SUBMISSION
									 : SERVICE_IMAP,
							.port = sends ? 587 : 143,
							.tls = i % 2 == 0 ? TLS_NONE : TLS_STARTTLS,
							.mechanism = i == 3 ? "CRAM-MD5" : "PLAIN",
							.country = {"DE"},
							.device = i,
							.last_seen = 1717900000 - (time_t)i * 5000,
							.client = "203.0.113.5"};
		devices[i] = (struct notice_known_device){.client_id = programs[i],
							  .first_seen = 1716000000,
							  .days = 10,
							  .rhythm = 200000};
	}
}

static char *compose_one(const struct work *work, struct notice_composer *composer,
			 unsigned int number, size_t *length_r)
{
	struct notice_sighting sightings[SIGHTINGS];
	struct notice_known_device devices[SIGHTINGS];
	struct notice_rule rules[2] = {{0}};
	char user[64], id[96];
	struct notice notice = {.reason = NOTICE_FIRST,
				.recipient = user,
				.user = user,
				.message_id = id,
				.date = 1718000000,
				.rules = rules,
				.devices = devices,
				.device_count = SIGHTINGS};
	const char *error;
	char *mail;

	snprintf(user, sizeof(user), "user%u@example.org", number);
	snprintf(id, sizeof(id), "%032x@example.org", number);
	set_devices(sightings, devices);
	for (size_t i = 0; i < 2 && i < work->policy->rule_count; i++) {
		const struct rule *rule = &work->policy->rules[i];

		rules[i] = (struct notice_rule){.rule = rule,
						.enforce = rule->schedule.enforce,
						.sightings = sightings,
						.sighting_count = SIGHTINGS};
		notice.rule_count++;
	}
	mail = notice_compose(composer, &notice, length_r, &error);
	if (mail == NULL)
		fprintf(stderr, "%s\n", error);
	return mail;
}

static void *compose_many(void *argument)
{
	struct work *work = argument;
	struct notice_composer *composer = notice_composer_create(work->policy, work->texts);

	for (unsigned int i = work->first; i < work->last; i++) {
		size_t length;
		char *mail = compose_one(work, composer, i, &length);

		if (mail == NULL) {
			work->failed = true;
			break;
		}
		work->bytes += length;
		g_free(mail);
	}
	notice_composer_free(composer);
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run(const struct work *all, unsigned int count, unsigned int threads)
{
	struct work *works = g_new0(struct work, threads);
	pthread_t *ids = g_new0(pthread_t, threads);
	double begin = seconds(), took;
	struct rusage usage;
	size_t bytes = 0;
	bool failed = false;

	for (unsigned int i = 0; i < threads; i++) {
		works[i] = *all;
		works[i].first = count / threads * i;
		works[i].last = i + 1 == threads ? count : count / threads * (i + 1);
		pthread_create(&ids[i], NULL, compose_many, &works[i]);
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		bytes += works[i].bytes;
	}
	for (unsigned int i = 0; i < threads && !failed; i++)
		failed = works[i].failed;
	took = seconds() - begin;
	getrusage(RUSAGE_SELF, &usage);
	if (!failed)
		printf("%u notices, %u thread%s: %.1f s, %.0f us each, %.1f kB each, memory %ld "
		       "MiB\n",
		       count, threads, threads == 1 ? "" : "s", took, took * 1e6 / count,
		       (double)bytes / 1e3 / count, usage.ru_maxrss / 1024);
	g_free(works);
	g_free(ids);
	return !failed;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	struct work work = {0};
	struct notice_texts *texts = NULL;
	struct policy *policy;
	bool fine = false;

	if (argc < 3) {
		fprintf(stderr, "Usage: bench-notices CONFIG COUNT (0: print one)\n");
		return 64;
	}
	policy = config_load(argv[1], report, report, NULL);
	if (policy == NULL)
		return 78;
	texts = notice_texts_load(policy, report, NULL);
	if (texts == NULL)
		goto done;
	work.policy = policy;
	work.texts = texts;
	if (count == 0) {
		struct notice_composer *composer = notice_composer_create(policy, texts);
		size_t length;
		char *mail = compose_one(&work, composer, 1, &length);

		fine = mail != NULL && fwrite(mail, 1, length, stdout) == length;
		g_free(mail);
		notice_composer_free(composer);
	} else {
		fine = run(&work, count, 1) && run(&work, count, 2);
	}
done:
	notice_texts_free(texts);
	policy_free(policy);
	return fine ? 0 : 1;
}
