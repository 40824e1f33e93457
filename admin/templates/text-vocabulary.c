#include "text-nodes.h"

#include <string.h>

const struct text_name *text_find_name(const struct text_vocabulary *vocabulary, const char *text,
				       unsigned int *index_r)
{
	for (unsigned int i = 0; i < vocabulary->name_count; i++) {
		if (strcmp(vocabulary->names[i].spelling, text) == 0) {
			*index_r = i;
			return &vocabulary->names[i];
		}
	}
	return NULL;
}

bool text_find_loop(const struct text_vocabulary *vocabulary, const char *text,
		    unsigned int *index_r)
{
	for (unsigned int i = 0; i < vocabulary->loop_count; i++) {
		if (strcmp(vocabulary->loops[i].spelling, text) == 0) {
			*index_r = i;
			return true;
		}
	}
	return false;
}

char *text_loop_list(const struct text_vocabulary *vocabulary)
{
	GString *list = g_string_new(NULL);

	for (unsigned int i = 0; i < vocabulary->loop_count; i++)
		g_string_append_printf(list, "%s%s", i > 0 ? ", " : "",
				       vocabulary->loops[i].spelling);
	return g_string_free(list, FALSE);
}

const struct text_word *text_find_word(const struct text_vocabulary *vocabulary, const char *key,
				       unsigned int *index_r)
{
	for (unsigned int i = 0; i < vocabulary->word_count; i++) {
		if (strcmp(vocabulary->words[i].key, key) == 0) {
			*index_r = i;
			return &vocabulary->words[i];
		}
	}
	return NULL;
}
