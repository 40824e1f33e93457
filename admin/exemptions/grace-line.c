#include "grace-line.h"

#include <stdlib.h>
#include <string.h>

#include "exemption-line.h"
#include "policy/trusted-file.h"

/* NULL: there is none. */
static const char *find_line(const char *text, unsigned int line)
{
	for (unsigned int i = 1; i < line && text != NULL; i++) {
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return text;
}

char *grace_line_reason(const struct policy *policy, unsigned int line)
{
	const char *error;
	size_t length;
	char *text = trusted_file_read(policy->grace_file, EXEMPTIONS_SIZE_MAX, &length, &error);
	const char *found = find_line(text, line);
	struct exemption_line parts;
	char *reason = NULL;

	if (found != NULL && exemption_line_split(found, strcspn(found, "\n"), &parts))
		reason = g_utf8_make_valid(found + parts.comment,
					   (gssize)(parts.end - parts.comment));
	free(text);
	return reason == NULL ? g_strdup("") : reason;
}
