#include "config-tree.h"

#include <stdlib.h>
#include <string.h>

static size_t count_options(const struct config_option *options)
{
	size_t count = 0;

	while (options[count].name != NULL)
		count++;
	return count;
}

struct config_section *config_section_create(const struct config_option *option, const char *title,
					     unsigned int line)
{
	struct config_section *section = calloc(1, sizeof(*section));

	if (section == NULL)
		return NULL;
	section->option = option;
	section->title = title;
	section->line = line;
	section->keys = calloc(count_options(option->options), sizeof(*section->keys));
	if (section->keys == NULL) {
		free(section);
		return NULL;
	}
	return section;
}

void config_section_free(struct config_section *section)
{
	if (section == NULL)
		return;
	/* Not deeper than the tables of options. */
	while (section->sections != NULL) {
		struct config_section *inner = section->sections;

		section->sections = inner->next;
		config_section_free(inner);
	}
	for (size_t i = 0; i < count_options(section->option->options); i++)
		free(section->keys[i].values);
	free(section->keys);
	free(section);
}

const struct config_option *config_find_option(const struct config_section *section,
					       const char *name)
{
	const struct config_option *option = section->option->options;

	while (option->name != NULL && strcmp(option->name, name) != 0)
		option++;
	return option->name == NULL ? NULL : option;
}

struct config_key *config_find_key(const struct config_section *section, const char *name)
{
	const struct config_option *option = config_find_option(section, name);

	if (option == NULL || option->options != NULL)
		return NULL;
	return &section->keys[option - section->option->options];
}

bool config_key_add(struct config_key *key, const char *text, unsigned int line)
{
	/* The room is a power of two, so that it is full when the count is one. */
	if ((key->value_count & (key->value_count - 1)) == 0) {
		size_t room = key->value_count == 0 ? 1 : key->value_count * 2;
		struct config_value *values = reallocarray(key->values, room, sizeof(*key->values));

		if (values == NULL)
			return false;
		key->values = values;
	}
	key->values[key->value_count++] = (struct config_value){.text = text, .line = line};
	return true;
}

const struct config_section *config_find_section(const struct config_section *list,
						 const char *name)
{
	while (list != NULL && strcmp(list->option->name, name) != 0)
		list = list->next;
	return list;
}

/* Never NULL. */
static const struct config_key *find_key(const struct config_section *section, const char *name)
{
	static const struct config_key unset;
	const struct config_key *key = section == NULL ? NULL : config_find_key(section, name);

	return key == NULL ? &unset : key;
}

bool config_is_set(const struct config_section *section, const char *key)
{
	return find_key(section, key)->line > 0;
}

bool config_lacks(const struct config_section *section, const char *key)
{
	return !config_is_set(section, key) && !section->malformed;
}

size_t config_value_count(const struct config_section *section, const char *key)
{
	return find_key(section, key)->value_count;
}

const struct config_value *config_value(const struct config_section *section, const char *key,
					size_t index)
{
	const struct config_key *found = find_key(section, key);

	return index < found->value_count ? &found->values[index] : NULL;
}

unsigned int config_line(const struct config_section *section, const char *key)
{
	return config_is_set(section, key) ? find_key(section, key)->line : section->line;
}
