/* What doveconf, postconf and Dovecot's own files may hold, for `portcullis doctor`. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "admin/mail-servers/dovecot-files.h"
#include "admin/mail-servers/postfix.h"
#include "admin/mail-servers/setting.h"

static void look_at(const struct setting *section, unsigned int depth)
{
	require(depth < 100 && section->name != NULL && section->value != NULL);
	for (guint i = 0; section->settings != NULL && i < section->settings->len; i++) {
		const struct setting *setting = section->settings->pdata[i];

		look_at(setting, depth + 1);
		g_strfreev(setting_list(section, setting->name));
	}
}

static void look_at_files(const char *path)
{
	struct dovecot_files files;

	dovecot_files_read(&files, path);
	for (guint i = 0; i < files.entries->len; i++) {
		const struct dovecot_entry *entry =
			&g_array_index(files.entries, struct dovecot_entry, i);

		require(entry->in != NULL && entry->name != NULL && entry->value != NULL);
		require(entry->line >= 1 && (entry->end >= entry->line || files.paths->len > 1));
	}
	dovecot_files_clear(&files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct setting *all = setting_parse(text);

	look_at(all, 0);
	setting_free(all);
	g_strfreev(postfix_list(text));
	/* It would read whatever the data names. */
	if (strstr(text, "!include") == NULL)
		look_at_files(fuzz_file(data, size));
	free(text);
	return 0;
}
