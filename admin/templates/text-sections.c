#include "text-nodes.h"

struct text_sections *text_sections_create(const struct text_vocabulary *vocabulary)
{
	struct text_sections *sections = g_new0(struct text_sections, 1);

	sections->vocabulary = vocabulary;
	sections->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	sections->phrases = g_new0(struct text_phrase, vocabulary->word_count);
	sections->memory = g_ptr_array_new_with_free_func(g_free);
	sections->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return sections;
}

void text_sections_free(struct text_sections *sections)
{
	if (sections == NULL)
		return;
	g_hash_table_unref(sections->by_name);
	for (unsigned int i = 0; i < sections->vocabulary->word_count; i++)
		g_strfreev(sections->phrases[i].names);
	g_free(sections->phrases);
	g_hash_table_unref(sections->said);
	g_ptr_array_unref(sections->memory);
	g_free(sections);
}

bool text_sections_has(const struct text_sections *sections, const char *name)
{
	return g_hash_table_contains(sections->by_name, name);
}

bool text_sections_has_word(const struct text_sections *sections, unsigned int word)
{
	return sections->phrases[word].nodes != NULL;
}

const char *const *text_sections_names(const struct text_sections *sections, unsigned int word)
{
	return (const char *const *)sections->phrases[word].names;
}

void *text_allocate(struct text_sections *sections, size_t size)
{
	void *memory = g_malloc0(size);

	g_ptr_array_add(sections->memory, memory);
	return memory;
}

char *text_keep(struct text_sections *sections, const char *text)
{
	char *copy = g_strdup(text);

	g_ptr_array_add(sections->memory, copy);
	return copy;
}

void text_mistake(struct text_reporter *reporter, unsigned int line, const char *format, ...)
{
	va_list arguments;
	char *text, *message;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	message = g_strdup_printf("%s:%u: %s", reporter->file, line, text);
	g_free(text);
	reporter->failed = true;
	if (!g_hash_table_contains(reporter->sections->said, message))
		reporter->error(reporter->context, message);
	g_hash_table_add(reporter->sections->said, message);
}
