#include "dovecot-files.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text-file.h"
#include "setting.h"

#ifndef GLOB_BRACE
#define GLOB_BRACE 0 /* musl's glob() takes "{a,b}" for a name */
#endif

#define FILE_SIZE_MAX ((size_t)4 << 20)

/* Files that include each other in a circle, Dovecot does not read at all. */
#define INCLUDES_MAX 20
#define FILES_MAX 500

/* Sections that are deeper are passed over. */
#define ENTRIES_DEPTH 2

struct reading {
	struct dovecot_files *files;
	unsigned int includes;
	size_t depth;              /* of sections */
	guint open[ENTRIES_DEPTH]; /* indexes of the entries whose sections are open */
};

static void read_file(struct reading *reading, const char *path);

static void set_last(struct dovecot_files *files, const char *path)
{
	char *last = g_strdup(path);

	g_free(files->last);
	files->last = last;
}

static void free_entry(struct dovecot_entry *entry)
{
	g_free(entry->in);
	g_free(entry->name);
	g_free(entry->value);
}

static struct dovecot_entry *open_entry(struct reading *reading, size_t depth)
{
	return &g_array_index(reading->files->entries, struct dovecot_entry, reading->open[depth]);
}

static struct dovecot_entry entry_of(char *name, char *value, const char *path, unsigned int line)
{
	return (struct dovecot_entry){
		.name = name, .value = value, .path = path, .line = line, .end = line};
}

/* Copies the name and the value. */
static void add_entry(struct reading *reading, struct dovecot_entry entry)
{
	const struct dovecot_entry *outer = reading->depth == 0 ? NULL : open_entry(reading, 0);

	entry.name = g_strdup(entry.name);
	entry.value = g_strdup(entry.value);
	entry.in =
		outer == NULL ? g_strdup("") : g_strdup_printf("%s %s", outer->name, outer->value);
	g_array_append_val(reading->files->entries, entry);
}

/* A pattern, beside the file that names it. */
static void include(struct reading *reading, const char *from, const char *pattern)
{
	char *folder = g_path_get_dirname(from), *whole = g_canonicalize_filename(pattern, folder);
	glob_t found = {0};

	/* One that is not there yet can be made. */
	if (strpbrk(pattern, "*?[{") == NULL)
		set_last(reading->files, whole);
	if (reading->includes < INCLUDES_MAX && glob(whole, GLOB_BRACE, NULL, &found) == 0) {
		reading->includes++;
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_file(reading, found.gl_pathv[i]);
		reading->includes--;
	}
	globfree(&found);
	g_free(whole);
	g_free(folder);
}

/* Without a comment, as far as no quote is open. */
static void cut_comment(char *line)
{
	bool quoted = false;

	for (char *at = line; *at != '\0'; at++) {
		quoted ^= *at == '"' && (at == line || at[-1] != '\\');
		if (*at == '#' && !quoted && (at == line || g_ascii_isspace(at[-1])))
			*at = '\0';
		if (*at == '\0')
			break;
	}
	g_strstrip(line);
}

static void begin_section(struct reading *reading, struct dovecot_entry entry)
{
	if (reading->depth < ENTRIES_DEPTH) {
		guint index = reading->files->entries->len;

		entry.section = true;
		add_entry(reading, entry);
		reading->open[reading->depth] = index;
	}
	reading->depth++;
}

static void end_section(struct reading *reading, unsigned int number)
{
	if (reading->depth > 0 && --reading->depth < ENTRIES_DEPTH)
		open_entry(reading, reading->depth)->end = number;
}

static void read_line(struct reading *reading, char *line, const char *path, unsigned int number)
{
	char *name, *value;

	cut_comment(line);
	if (line[0] == '\0')
		return;
	if (g_str_has_prefix(line, "!include")) {
		include(reading, path, g_strstrip(line + strcspn(line, " \t")));
		return;
	}
	switch (setting_split(line, &name, &value)) {
	case SETTING_SECTION:
		begin_section(reading, entry_of(name, value, path, number));
		break;
	case SETTING_VALUE:
		if (reading->depth < ENTRIES_DEPTH)
			add_entry(reading, entry_of(name, value, path, number));
		break;
	case SETTING_END:
		end_section(reading, number);
		break;
	case SETTING_NOTHING:
		break;
	}
	set_last(reading->files, path);
}

static void read_file(struct reading *reading, const char *path)
{
	struct dovecot_files *files = reading->files;
	const char *problem;
	size_t length;
	char *text, **lines;

	if (files->paths->len >= FILES_MAX)
		return;
	text = text_file_read(path, FILE_SIZE_MAX, &length, &problem);
	files->unreadable |= text == NULL;
	if (text == NULL)
		return;
	path = g_strdup(path);
	g_ptr_array_add(files->paths, (char *)path);
	set_last(files, path);
	lines = g_strsplit(text, "\n", -1);
	for (unsigned int i = 0; lines[i] != NULL; i++)
		read_line(reading, lines[i], path, i + 1);
	g_strfreev(lines);
	free(text);
}

void dovecot_files_read(struct dovecot_files *files_r, const char *path)
{
	struct reading reading = {.files = files_r};

	*files_r = (struct dovecot_files){
		.paths = g_ptr_array_new_with_free_func(g_free),
		.entries = g_array_new(FALSE, FALSE, sizeof(struct dovecot_entry)),
	};
	g_array_set_clear_func(files_r->entries, (GDestroyNotify)free_entry);
	read_file(&reading, path);
	if (files_r->last == NULL)
		set_last(files_r, path);
}

void dovecot_files_clear(struct dovecot_files *files)
{
	g_clear_pointer(&files->paths, g_ptr_array_unref);
	g_clear_pointer(&files->entries, g_array_unref);
	g_clear_pointer(&files->last, g_free);
}

const struct dovecot_entry *dovecot_files_find(const struct dovecot_files *files, const char *name)
{
	for (guint i = files->entries->len; i-- > 0;) {
		const struct dovecot_entry *entry =
			&g_array_index(files->entries, struct dovecot_entry, i);

		if (!entry->section && entry->in[0] == '\0' && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}
