#include "suggestion.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* Our names are shorter. */
#define NAME_LENGTH_MAX 32

/* As much as is taken for a slip: a letter in three. */
#define LETTERS_A_SLIP 3

/* That much of a name's beginning says which is meant. */
#define BEGINNING_LENGTH_MIN 3

static bool equal(char a, char b)
{
	return g_ascii_tolower(a) == g_ascii_tolower(b);
}

/* How many letters are missing, superfluous, wrong, or swapped with the next one. */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int table[NAME_LENGTH_MAX + 1][NAME_LENGTH_MAX + 1];

	for (size_t i = 0; i <= a_length; i++) {
		for (size_t j = 0; j <= b_length; j++) {
			unsigned int *here = &table[i][j];

			if (i == 0 || j == 0) {
				*here = (unsigned int)(i + j);
				continue;
			}
			*here = table[i - 1][j - 1] + !equal(a[i - 1], b[j - 1]);
			*here = MIN(*here, table[i - 1][j] + 1);
			*here = MIN(*here, table[i][j - 1] + 1);
			if (i > 1 && j > 1 && equal(a[i - 1], b[j - 2]) &&
			    equal(a[i - 2], b[j - 1]))
				*here = MIN(*here, table[i - 2][j - 2] + 1);
		}
	}
	return table[a_length][b_length];
}

struct suggestion suggestion_for(const char *typed)
{
	return (struct suggestion){.typed = typed, .distance = NAME_LENGTH_MAX};
}

void suggestion_consider(struct suggestion *suggestion, const char *name)
{
	size_t typed_length = strlen(suggestion->typed), length = strlen(name);
	unsigned int found;

	if (typed_length > NAME_LENGTH_MAX || length > NAME_LENGTH_MAX)
		return;
	found = distance(suggestion->typed, typed_length, name, length);
	if (typed_length >= BEGINNING_LENGTH_MIN && typed_length < length &&
	    strncmp(name, suggestion->typed, typed_length) == 0)
		found = 1;
	if (found <= MAX(length / LETTERS_A_SLIP, 1) && found < suggestion->distance) {
		suggestion->name = name;
		suggestion->distance = found;
	}
}
