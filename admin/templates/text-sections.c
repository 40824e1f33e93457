#include "text-nodes.h"

#include <string.h>

struct text_sections *text_sections_create(void)
{
	struct text_sections *sections = g_new0(struct text_sections, 1);

	sections->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	sections->memory = g_ptr_array_new_with_free_func(g_free);
	sections->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return sections;
}

void text_sections_free(struct text_sections *sections)
{
	if (sections == NULL)
		return;
	g_hash_table_unref(sections->by_name);
	g_hash_table_unref(sections->said);
	g_ptr_array_unref(sections->memory);
	g_free(sections);
}

void text_mistake(struct text_reporter *reporter, unsigned int line, const char *format, ...)
{
	va_list arguments;
	char *text, *message;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	message = g_strdup_printf("%s:%u: %s", reporter->file, line, text);
	reporter->failed = true;
	g_free(text);
	if (g_hash_table_contains(reporter->sections->said, message)) {
		g_free(message);
		return;
	}
	reporter->error(reporter->context, message);
	g_hash_table_add(reporter->sections->said, message);
}

void *text_allocate(struct text_sections *sections, size_t size)
{
	void *memory = g_malloc0(size);

	g_ptr_array_add(sections->memory, memory);
	return memory;
}

char *text_keep(struct text_sections *sections, const char *text, size_t length)
{
	char *copy = g_strndup(text, length);

	g_ptr_array_add(sections->memory, copy);
	return copy;
}

bool text_sections_has(const struct text_sections *sections, const char *name)
{
	return g_hash_table_contains(sections->by_name, name);
}
