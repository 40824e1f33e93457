#include "mend.h"

#include <string.h>
#include <unistd.h>

#include "policy/config.h"

char *mend_word(const char *text)
{
	static const char plain[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_./:=,+-@";

	if (text[0] != '\0' && text[strspn(text, plain)] == '\0')
		return g_strdup(text);
	return g_shell_quote(text);
}

char *mend_dovecot(const struct doctor *doctor, const char *line)
{
	bool several = strstr(line, "\\n") != NULL;
	char *text = mend_word(line), *file = mend_word(doctor->files.last);
	char *command = g_strdup_printf("%s %s >>%s && " MEND_RESTART,
					several ? "printf '%b\\n'" : "echo", text, file);

	g_free(file);
	g_free(text);
	return command;
}

/* edits: what sed is given. */
static char *edit_policy(const struct doctor *doctor, const char *edits)
{
	const char *path = doctor->policy->file;
	bool usual = strcmp(path, CONFIG_DEFAULT_PATH) == 0;
	char *file = mend_word(path);
	char *command = g_strdup_printf(
		"sed -i %s %s && portcullis %s%s%scheck-config && systemctl try-reload-or-restart "
		"dovecot portcullis-policyd portcullis-import",
		edits, file, usual ? "" : "-c ", usual ? "" : file, usual ? "" : " ");

	g_free(file);
	return command;
}

char *mend_policy(const struct doctor *doctor, const char *script)
{
	char *quoted = mend_word(script), *command = edit_policy(doctor, quoted);

	g_free(quoted);
	return command;
}

char *mend_policy_twice(const struct doctor *doctor, const char *first, const char *second)
{
	char *one = mend_word(first), *other = mend_word(second);
	char *edits = g_strdup_printf("-e %s -e %s", one, other);
	char *command = edit_policy(doctor, edits);

	g_free(edits);
	g_free(one);
	g_free(other);
	return command;
}

bool gate_is_packaged(void)
{
	return access(GATE_TOOL, X_OK) == 0;
}

char *mend_gate(void)
{
	return g_strdup_printf("%s && " MEND_RESTART,
			       gate_is_packaged() ? "apt-get install --reinstall dovecot-portcullis"
						  : "make clean all && make install");
}

char *mend_postfix(const char *script)
{
	return g_strdup_printf(TOOLS "/postfix/%s && postfix reload", script);
}

char *where_in_dovecot(const struct doctor *doctor, const char *setting)
{
	const struct dovecot_entry *entry = dovecot_files_find(&doctor->files, setting);

	return entry == NULL ? g_strdup_printf("doveconf %s", setting)
			     : g_strdup_printf("%s:%u", entry->path, entry->line);
}
