#include "shared-files-thread.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "policy/background-thread.h"
#include "shared-files.h"

#define LOOK_MILLISECONDS 1000
/* Of many hosts, not all come back at the same moment when the store does. */
#define AWAY_MILLISECONDS_MIN 2000
#define AWAY_MILLISECONDS_MAX 5000

struct shared_files_thread {
	const struct policy *policy;
	pthread_t thread;
	GMutex lock;
	GCond wake;
	bool stopping;
	struct shared_files *files;
	struct store *store; /* NULL: it is not open */
	char *told;          /* what the store failed with last; NULL: it works */
};

/* That a server is away, who imports says. */
static void report(struct shared_files_thread *thread, const struct store_failure *failure)
{
	if (failure->away || failure->again || g_strcmp0(thread->told, failure->text) == 0)
		return;
	g_free(thread->told);
	thread->told = g_strdup(failure->text);
	fprintf(stderr, "portcullis import: %s; the servers' files stay as they are\n",
		failure->text);
}

/* False when the store fails. */
static bool look(struct shared_files_thread *thread)
{
	struct store_failure failure;
	bool settled;

	if (thread->store == NULL)
		thread->store = store_open(thread->policy->store, thread->policy->host, STORE_WRITE,
					   &failure);
	if (thread->store == NULL) {
		report(thread, &failure);
		return false;
	}
	if (!shared_files_look(thread->files, thread->store, &settled)) {
		report(thread, store_failure(thread->store));
		return false;
	}
	g_clear_pointer(&thread->told, g_free);
	return true;
}

static unsigned int pause_after(bool fine)
{
	return fine ? LOOK_MILLISECONDS
		    : (unsigned int)g_random_int_range(AWAY_MILLISECONDS_MIN,
						       AWAY_MILLISECONDS_MAX);
}

/* False when the thread is to end. */
static bool wait_for(struct shared_files_thread *thread, unsigned int milliseconds)
{
	gint64 until = g_get_monotonic_time() + milliseconds * G_TIME_SPAN_MILLISECOND;
	bool go_on;

	g_mutex_lock(&thread->lock);
	while (!thread->stopping && g_cond_wait_until(&thread->wake, &thread->lock, until))
		;
	go_on = !thread->stopping;
	g_mutex_unlock(&thread->lock);
	return go_on;
}

static void *run(void *argument)
{
	struct shared_files_thread *thread = argument;

	while (wait_for(thread, pause_after(look(thread))))
		;
	return NULL;
}

static void free_thread(struct shared_files_thread *thread)
{
	store_close(thread->store);
	shared_files_free(thread->files);
	g_mutex_clear(&thread->lock);
	g_cond_clear(&thread->wake);
	g_free(thread->told);
	g_free(thread);
}

struct shared_files_thread *shared_files_thread_start(const struct policy *policy)
{
	struct shared_files_thread *thread;

	if (!shared_files_are_wanted(policy))
		return NULL;
	thread = g_new0(struct shared_files_thread, 1);
	thread->policy = policy;
	thread->files = shared_files_create(policy);
	g_mutex_init(&thread->lock);
	g_cond_init(&thread->wake);
	if (background_thread_start(&thread->thread, run, thread))
		return thread;
	fprintf(stderr, "portcullis import: no thread for the servers' files: %s\n",
		strerror(errno));
	free_thread(thread);
	return NULL;
}

void shared_files_thread_stop(struct shared_files_thread *thread)
{
	if (thread == NULL)
		return;
	g_mutex_lock(&thread->lock);
	thread->stopping = true;
	g_cond_signal(&thread->wake);
	g_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	free_thread(thread);
}
