#ifndef PORTCULLIS_LOG_PEOPLE_H
#define PORTCULLIS_LOG_PEOPLE_H

#include <glib.h>

#include "log-index.h"
#include "log-rows.h"

/* People by their names, with their rows. */
struct log_person {
	const char *name;
	uint32_t row;  /* the first of them */
	uint32_t rows; /* how many there are */
};

struct log_people {
	GArray *people; /* of struct log_person */
	GArray *rows;   /* of struct log_row */
	struct log_index index;
	GStringChunk *names;
};

void log_people_init(struct log_people *people_r);
void log_people_clear(struct log_people *people);

/* The person of a name, who is added when there is none yet. Lives until another one is added. */
struct log_person *log_people_find(struct log_people *people, const char *name);

/* The person's row of a way and a place; NULL: there is none. */
struct log_row *log_people_find_row(struct log_people *people, const struct log_person *person,
				    uint32_t way, uint32_t place);
struct log_row *log_people_add_row(struct log_people *people, struct log_person *person,
				   uint32_t way, uint32_t place);

static inline struct log_row *log_people_row(const struct log_people *people, uint32_t row)
{
	return &g_array_index(people->rows, struct log_row, row);
}

#endif
