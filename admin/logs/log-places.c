#include "log-places.h"

#include <string.h>

#include "admin/sightings/whereabouts.h"
#include "policy/fnv.h"
#include "policy/judge.h"

/* To look for an address in networks and countries takes longer than all else about a login,
   and most clients come again. */
#define REMEMBERED 16384

struct remembered {
	unsigned char bytes[16];
	uint32_t place; /* and 1; 0: none */
};

struct log_places {
	const struct edition *edition;
	GArray *places;      /* of struct log_place */
	GHashTable *numbers; /* by their whereabouts and country; and 1 */
	struct remembered *remembered;
};

struct log_places *log_places_create(const struct edition *edition)
{
	struct log_places *places = g_new0(struct log_places, 1);

	places->edition = edition;
	places->places = g_array_new(FALSE, FALSE, sizeof(struct log_place));
	places->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	places->remembered = g_new0(struct remembered, REMEMBERED);
	return places;
}

void log_places_free(struct log_places *places)
{
	g_array_unref(places->places);
	g_hash_table_unref(places->numbers);
	g_free(places->remembered);
	g_free(places);
}

static uint32_t find_slowly(struct log_places *places, const struct address *client)
{
	const struct attempt attempt = {.client = *client, .user = ""};
	const struct log_place place = {.known = client->known,
					.country = judge_country(places->edition, &attempt, NULL)};
	char whereabouts[WHEREABOUTS_SIZE] = "unknown";
	gpointer number;
	char *key;

	if (client->known)
		whereabouts_format(places->edition->policy, client, whereabouts);
	key = g_strconcat(place.country.code, " ", whereabouts, NULL);
	number = g_hash_table_lookup(places->numbers, key);
	if (number == NULL) {
		g_array_append_val(places->places, place);
		number = GUINT_TO_POINTER(places->places->len);
		g_hash_table_insert(places->numbers, key, number);
	} else {
		g_free(key);
	}
	return GPOINTER_TO_UINT(number);
}

uint32_t log_places_find(struct log_places *places, const struct address *client)
{
	struct remembered *remembered;

	if (!client->known)
		return find_slowly(places, client) - 1;
	remembered = &places->remembered[fnv_hash(FNV_START, client->bytes, sizeof(client->bytes)) %
					 REMEMBERED];
	if (remembered->place == 0 ||
	    memcmp(remembered->bytes, client->bytes, sizeof(client->bytes)) != 0) {
		memcpy(remembered->bytes, client->bytes, sizeof(client->bytes));
		remembered->place = find_slowly(places, client);
	}
	return remembered->place - 1;
}

const struct log_place *log_places_get(const struct log_places *places, uint32_t place)
{
	return &g_array_index(places->places, struct log_place, place);
}
