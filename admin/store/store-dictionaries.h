#ifndef PORTCULLIS_STORE_DICTIONARIES_H
#define PORTCULLIS_STORE_DICTIONARIES_H

#include "store.h"

/* The habits and rule sets of a store, held in memory while it is read. They are added
   in the order of the ids that they have in the store, and found by them, or by their
   index: the number of those that were added before. What is handed out lives until
   the dictionaries are cleared or freed. */
struct store_dictionaries;

struct store_dictionaries *store_dictionaries_create(void);
void store_dictionaries_free(struct store_dictionaries *dictionaries);
void store_dictionaries_clear(struct store_dictionaries *dictionaries);

/* Takes a copy; habit->index is not used. */
void store_dictionaries_add_habit(struct store_dictionaries *dictionaries, int64_t id,
				  const struct store_habit *habit);

/* text is as store_rule_set_format() writes it. */
void store_dictionaries_add_rule_set(struct store_dictionaries *dictionaries, int64_t id,
				     const char *text);

/* NULL when nothing has this id. */
const struct store_habit *store_dictionaries_find_habit(
	const struct store_dictionaries *dictionaries, int64_t id);
const struct store_rule_set *store_dictionaries_find_rule_set(
	const struct store_dictionaries *dictionaries, int64_t id);

/* index is below the count. */
size_t store_dictionaries_habit_count(const struct store_dictionaries *dictionaries);
const struct store_habit *store_dictionaries_habit(const struct store_dictionaries *dictionaries,
						   size_t index);
int64_t store_dictionaries_habit_id(const struct store_dictionaries *dictionaries, size_t index);
int64_t store_dictionaries_rule_set_id(const struct store_dictionaries *dictionaries, size_t index);
size_t store_dictionaries_rule_set_count(const struct store_dictionaries *dictionaries);
const struct store_rule_set *store_dictionaries_rule_set(
	const struct store_dictionaries *dictionaries, size_t index);

/* A rule set as stores keep it: "country=enforce,encryption=notify". The caller frees
   it with g_free(). */
char *store_rule_set_format(const struct store_rule_set *rule_set);

#endif
