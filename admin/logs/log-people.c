#include "log-people.h"

#include <string.h>

#include "policy/fnv.h"

void log_people_init(struct log_people *people_r)
{
	*people_r =
		(struct log_people){.people = g_array_new(FALSE, FALSE, sizeof(struct log_person)),
				    .rows = g_array_new(FALSE, FALSE, sizeof(struct log_row)),
				    .names = g_string_chunk_new(65536)};
}

void log_people_clear(struct log_people *people)
{
	g_array_unref(people->people);
	g_array_unref(people->rows);
	log_index_clear(&people->index);
	g_string_chunk_free(people->names);
}

struct wanted {
	const struct log_people *people;
	const char *name;
};

static bool is_wanted(const void *context, uint32_t number)
{
	const struct wanted *wanted = context;

	return strcmp(g_array_index(wanted->people->people, struct log_person, number).name,
		      wanted->name) == 0;
}

struct log_person *log_people_find(struct log_people *people, const char *name)
{
	const struct wanted wanted = {people, name};
	uint64_t hash = fnv_hash(FNV_START, name, strlen(name));
	uint32_t number = log_index_find(&people->index, hash, is_wanted, &wanted);

	if (number == LOG_INDEX_NONE) {
		const struct log_person person = {
			.name = g_string_chunk_insert(people->names, name), .row = LOG_ROW_NONE};

		number = people->people->len;
		g_array_append_val(people->people, person);
		log_index_add(&people->index, hash, number);
	}
	return &g_array_index(people->people, struct log_person, number);
}

struct log_row *log_people_find_row(struct log_people *people, const struct log_person *person,
				    uint32_t way, uint32_t place)
{
	for (uint32_t i = person->row; i != LOG_ROW_NONE;) {
		struct log_row *row = log_people_row(people, i);

		if (row->way == way && row->place == place)
			return row;
		i = row->next;
	}
	return NULL;
}

struct log_row *log_people_add_row(struct log_people *people, struct log_person *person,
				   uint32_t way, uint32_t place)
{
	const struct log_row row = {.next = person->row, .way = way, .place = place};

	person->row = people->rows->len;
	person->rows++;
	g_array_append_val(people->rows, row);
	return log_people_row(people, person->row);
}
