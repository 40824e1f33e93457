#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "background-thread.h"
#include "edition-maker.h"

#define STOP_SECONDS 2

struct keeper {
	struct edition_maker maker;
	bool started;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	bool reload_asked;
};

/* ---- the keeping thread ---- */

/* Sleeps until it is time to look. False when the thread is to end. */
static bool wait_for_work(struct keeper *keeper, bool *reload_asked_r)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += KEEPER_INTERVAL_SECONDS;
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stopping && !keeper->reload_asked) {
		if (pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == ETIMEDOUT)
			break;
	}
	go_on = !keeper->stopping;
	*reload_asked_r = keeper->reload_asked;
	keeper->reload_asked = false;
	pthread_mutex_unlock(&keeper->lock);
	return go_on;
}

static void *keep(void *argument)
{
	struct keeper *keeper = argument;
	bool reload_asked;

	edition_maker_begin(&keeper->maker);
	while (wait_for_work(keeper, &reload_asked)) {
		if (reload_asked)
			edition_maker_reload(&keeper->maker);
		edition_maker_look(&keeper->maker);
	}
	return NULL;
}

/* ---- the deciding thread ---- */

struct keeper *keeper_create(struct policy *policy, const struct keeper_sources *sources)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	pthread_condattr_t attributes;

	if (keeper == NULL) {
		policy_free(policy);
		return NULL;
	}
	if (!edition_maker_init(&keeper->maker, policy, sources->config, sources->copies,
				sources->messages)) {
		edition_maker_free(&keeper->maker);
		free(keeper);
		return NULL;
	}
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return keeper;
}

bool keeper_start(struct keeper *keeper)
{
	keeper->started = background_thread_start(&keeper->thread, keep, keeper);
	return keeper->started;
}

static void wake(struct keeper *keeper, bool *flag)
{
	pthread_mutex_lock(&keeper->lock);
	*flag = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_reload(struct keeper *keeper)
{
	wake(keeper, &keeper->reload_asked);
}

const struct edition *keeper_current(struct keeper *keeper)
{
	return edition_handover_current(&keeper->maker.handover);
}

bool keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return true;
	if (keeper->started) {
		wake(keeper, &keeper->stopping);
		if (!background_thread_join(keeper->thread, STOP_SECONDS))
			return false; /* what the thread uses is left to it */
	}
	edition_maker_free(&keeper->maker);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
	return true;
}
