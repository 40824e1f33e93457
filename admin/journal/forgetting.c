#include "forgetting.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>

#include "admin/files/file-open.h"
#include "admin/store/store-orders.h"
#include "set-aside.h"

/* Each file is taken twice: once for what is written, and once for what comes when a server finds
   that its file was taken: what it has counted, within the one time, or was just writing. */
#define ROUNDS 2
#define COUNTED_MICROSECONDS (IMPORTER_COUNTED_MILLISECONDS * G_TIME_SPAN_MILLISECOND)
#define WRITTEN_MICROSECONDS G_TIME_SPAN_SECOND

#define TELL_MICROSECONDS (10 * G_TIME_SPAN_MINUTE)

struct forgetting {
	struct store *store;
	const struct policy *policy;
	GHashTable *orders;  /* those that are being carried out: users by id */
	unsigned int rounds; /* that are left */
	bool rotates;        /* the next pass takes the files */
	int64_t written;     /* when servers have written what they had */
	int64_t told;        /* when the last trouble was; 0: never */
};

struct forgetting *forgetting_create(struct store *store, const struct policy *policy)
{
	struct forgetting *forgetting = g_new0(struct forgetting, 1);

	forgetting->store = store;
	forgetting->policy = policy;
	forgetting->orders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	return forgetting;
}

void forgetting_free(struct forgetting *forgetting)
{
	g_hash_table_unref(forgetting->orders);
	g_free(forgetting);
}

bool forgetting_goes_on(const struct forgetting *forgetting)
{
	return g_hash_table_size(forgetting->orders) > 0;
}

static bool add_order(void *context, const struct store_order *order)
{
	struct forgetting *forgetting = context;

	if (order->is_ours)
		g_hash_table_insert(forgetting->orders, g_memdup2(&order->id, sizeof(order->id)),
				    g_strdup(order->user));
	return true;
}

/* One that comes while others are carried out has its turn after them. */
bool forgetting_look(struct forgetting *forgetting)
{
	if (forgetting_goes_on(forgetting))
		return true;
	if (!store_each_order(forgetting->store, add_order, forgetting))
		return false;
	forgetting->rounds = ROUNDS;
	forgetting->rotates = forgetting_goes_on(forgetting);
	return true;
}

uint64_t forgetting_rotate_size(const struct forgetting *forgetting, uint64_t usual)
{
	return forgetting->rotates ? 0 : usual;
}

static bool clear_set_aside(struct forgetting *forgetting, const char *user)
{
	const char *directory = forgetting->policy->journal;
	int64_t now = g_get_monotonic_time();
	bool found;

	if (set_aside_forget(directory, user, &found))
		return true;
	if (forgetting->told == 0 || now - forgetting->told >= TELL_MICROSECONDS) {
		fprintf(stderr, "%s/set-aside: somebody cannot be forgotten: %s\n", directory,
			file_problem(errno));
		forgetting->told = now;
	}
	return false;
}

/* Those that cannot be carried out now are looked at again. */
static bool answer(struct forgetting *forgetting)
{
	GHashTableIter each;
	gpointer id, user;
	bool fine = true;

	g_hash_table_iter_init(&each, forgetting->orders);
	while (fine && g_hash_table_iter_next(&each, &id, &user)) {
		if (clear_set_aside(forgetting, user))
			fine = store_answer_order(forgetting->store, *(int64_t *)id);
	}
	g_hash_table_remove_all(forgetting->orders);
	return fine;
}

bool forgetting_note_pass(struct forgetting *forgetting, const struct importer_rest *rest,
			  size_t problems)
{
	int64_t now = g_get_monotonic_time();

	if (!forgetting_goes_on(forgetting))
		return true;
	if (forgetting->rotates && forgetting->rounds == ROUNDS)
		forgetting->written =
			now + (forgetting->policy->combine_seconds > 0 ? COUNTED_MICROSECONDS
								       : WRITTEN_MICROSECONDS);
	forgetting->rotates = false;
	if (rest->soon > 0 || rest->in_use > 0 || problems > 0 || now < forgetting->written)
		return true;
	forgetting->rounds--;
	forgetting->rotates = forgetting->rounds > 0;
	return forgetting->rotates || answer(forgetting);
}
