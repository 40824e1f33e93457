#include "setting.h"

#include <string.h>

/* Deeper sections are none of Dovecot's. */
#define DEPTH_MAX 16

static struct setting *create(const char *name, const char *value, bool section)
{
	struct setting *setting = g_new0(struct setting, 1);

	setting->name = g_strdup(name);
	setting->value = g_strdup(value);
	if (section)
		setting->settings = g_ptr_array_new_with_free_func((GDestroyNotify)setting_free);
	return setting;
}

void setting_free(struct setting *setting)
{
	if (setting == NULL)
		return;
	g_clear_pointer(&setting->settings, g_ptr_array_unref);
	g_free(setting->name);
	g_free(setting->value);
	g_free(setting);
}

/* Takes the quotes off, as far as there are some. */
static void unquote(char *text)
{
	size_t length = strlen(text);
	char *to = text;

	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return;
	text[length - 1] = '\0';
	for (char *from = text + 1; *from != '\0'; from++) {
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

/* "passdb portcullis {" */
static void split_section(char *line, char **name_r, char **value_r)
{
	char *title;

	line[strlen(line) - 1] = '\0';
	title = line + strcspn(line, " \t");
	if (*title != '\0')
		*title++ = '\0';
	*name_r = line;
	*value_r = g_strstrip(title);
	unquote(*value_r);
}

enum setting_line setting_split(char *line, char **name_r, char **value_r)
{
	char *value;

	g_strstrip(line);
	if (strcmp(line, "}") == 0)
		return SETTING_END;
	if (g_str_has_suffix(line, "{")) {
		split_section(line, name_r, value_r);
		return SETTING_SECTION;
	}
	value = strchr(line, '=');
	if (line[0] == '#' || value == NULL)
		return SETTING_NOTHING;
	*value++ = '\0';
	*name_r = g_strstrip(line);
	*value_r = g_strstrip(value);
	unquote(*name_r);
	unquote(*value_r);
	return SETTING_VALUE;
}

struct setting *setting_parse(const char *text)
{
	struct setting *all = create("", "", true), *open[DEPTH_MAX] = {all};
	char **lines = g_strsplit(text, "\n", -1);
	size_t depth = 0;

	for (size_t i = 0; lines[i] != NULL; i++) {
		char *name, *value;
		enum setting_line kind = setting_split(lines[i], &name, &value);
		struct setting *setting;

		if (kind == SETTING_END)
			depth -= depth > 0;
		if (kind != SETTING_SECTION && kind != SETTING_VALUE)
			continue;
		setting = create(name, value, kind == SETTING_SECTION);
		g_ptr_array_add(open[depth]->settings, setting);
		if (kind == SETTING_SECTION && depth + 1 < DEPTH_MAX)
			open[++depth] = setting;
	}
	g_strfreev(lines);
	return all;
}

const struct setting *setting_find(const struct setting *section, const char *name)
{
	for (guint i = 0; section != NULL && i < section->settings->len; i++) {
		const struct setting *setting = section->settings->pdata[i];

		if (strcmp(setting->name, name) == 0)
			return setting;
	}
	return NULL;
}

const char *setting_value(const struct setting *section, const char *name)
{
	const struct setting *found = setting_find(section, name);

	return found == NULL ? "" : found->value;
}

bool setting_is_yes(const struct setting *section, const char *name)
{
	return strcmp(setting_value(section, name), "yes") == 0;
}

char **setting_list(const struct setting *section, const char *name)
{
	const struct setting *found = setting_find(section, name);
	GPtrArray *list = g_ptr_array_new();
	char **words = g_strsplit_set(found == NULL ? "" : found->value, " \t,", -1);

	for (size_t i = 0; words[i] != NULL; i++) {
		if (words[i][0] != '\0')
			g_ptr_array_add(list, g_strdup(words[i]));
	}
	g_strfreev(words);
	for (guint i = 0; found != NULL && found->settings != NULL && i < found->settings->len;
	     i++) {
		const struct setting *entry = found->settings->pdata[i];

		if (strcmp(entry->value, "yes") == 0)
			g_ptr_array_add(list, g_strdup(entry->name));
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}
