#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "admin/exemptions/exemption-file.h"
#include "mend.h"
#include "policy/text-file.h"

/* So many are named in the finding; all of them are counted. */
#define NAMES_SHOWN 3

/* A host that has recorded for less time has not seen everybody. */
#define RECORDED_MIN (14 * MILLISECONDS_A_DAY)

struct unseen {
	struct doctor *doctor;
	GHashTable *users; /* let off, by normalised name: who was not seen yet */
	int64_t first_seen;
};

static bool still_holds(const struct doctor *doctor, const char *user)
{
	size_t count;
	const struct exemption *exemptions =
		exemptions_of_user(doctor->inquiry->loaded.exemptions, user, &count);

	for (size_t i = 0; i < count; i++) {
		if (exemptions[i].end > doctor->now)
			return true;
	}
	return false;
}

static void note_line(struct unseen *unseen, const char *line, size_t length)
{
	const char *domain = unseen->doctor->policy->default_domain;
	struct exemption_line parts;
	char user[USER_SIZE], *name;

	if (!exemption_line_split(line, length, &parts))
		return;
	name = g_strndup(line + parts.user, parts.user_end - parts.user);
	if (name[0] != '@' && user_normalise(name, domain, user, sizeof(user)) &&
	    still_holds(unseen->doctor, user))
		g_hash_table_add(unseen->users, g_strdup(user));
	g_free(name);
}

struct unseen *unseen_begin(struct doctor *doctor)
{
	const char *path = doctor->policy->exemptions, *line, *problem;
	struct unseen *unseen = g_new0(struct unseen, 1);
	size_t position = 0, length;
	GString text;
	char *read;

	unseen->doctor = doctor;
	unseen->first_seen = INT64_MAX;
	unseen->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* Where it cannot be read, that was said when it was loaded. */
	read = path == NULL || doctor->inquiry->loaded.exemptions == NULL
		       ? NULL
		       : text_file_read(path, EXEMPTIONS_SIZE_MAX, &length, &problem);
	if (read == NULL)
		return unseen;
	text = (GString){.str = read, .len = length, .allocated_len = length + 1};
	while (exemption_file_next(&text, &position, &line, &length))
		note_line(unseen, line, length);
	free(read);
	return unseen;
}

void unseen_take(struct unseen *unseen, const struct store_sighting *sighting)
{
	unseen->first_seen = MIN(unseen->first_seen, sighting->first_seen);
	if (sighting->user != NULL)
		g_hash_table_remove(unseen->users, sighting->user);
}

void unseen_end(struct unseen *unseen)
{
	struct doctor *doctor = unseen->doctor;
	guint count = g_hash_table_size(unseen->users), shown = 0;
	GList *names = g_list_sort(g_hash_table_get_keys(unseen->users), (GCompareFunc)strcmp);
	GString *list = g_string_new(NULL), *command = g_string_new(NULL);

	for (const GList *name = names; name != NULL && shown < NAMES_SHOWN;
	     name = name->next, shown++) {
		char *word = mend_word(name->data);

		g_string_append_printf(list, "%s%s", shown == 0 ? "" : ", ", (char *)name->data);
		g_string_append_printf(command, "%sportcullis exempt --remove %s",
				       shown == 0 ? "" : " && ", word);
		g_free(word);
	}
	if (count > 0 && unseen->first_seen < (int64_t)doctor->now * 1000 - RECORDED_MIN)
		finding_add(&doctor->findings, FINDING_EXEMPTION_OF_NOBODY,
			    doctor->policy->exemptions, g_strdup(command->str),
			    "%u who are let off were never seen (%s%s): their names may be wrong",
			    count, list->str, count > shown ? ", ..." : "");
	g_string_free(command, TRUE);
	g_string_free(list, TRUE);
	g_list_free(names);
	g_hash_table_unref(unseen->users);
	g_free(unseen);
}
