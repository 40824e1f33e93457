#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "admin/doctor/doctor.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/terminal-width.h"
#include "admin/terminal/wrapped-text.h"
#include "command.h"

static const struct command_help help = {
	.name = "doctor",
	.usage = "[--json]",
	.description =
		"Looks at the configuration of Dovecot and Postfix, at the policy, accounts and "
		"records, and says what is wrong, the worst first, each with what mends it. "
		"Changes nothing. Run it as root: others do not see everything.",
	.closing = "Exit status: 0 nothing is wrong, though there may be advice, 1 something is, "
		   "or could not be looked at, 78 the configuration is wrong.",
};

static const char *severity_name(const struct doctor_finding *finding)
{
	return finding_is_wrong(finding->id) ? "wrong" : "advice";
}

static void print_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (guint i = 0; i < findings->list->len; i++) {
		const struct doctor_finding *finding = findings->list->pdata[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "id",
						finding_name(finding->id), "severity",
						severity_name(finding), "text", finding->text,
						"mend", finding->mend, "where", finding->where));
	}
	json_print(json_pack("{s:b, s:o}", "healthy", findings_are_healthy(findings), "findings",
			     list));
}

#define INDENT 8

static void print_finding(const struct doctor_finding *finding)
{
	wrapped_line_print(INDENT, "%-6s  %s: %s (%s)",
			   finding_is_wrong(finding->id) ? "WRONG" : "advice",
			   finding_name(finding->id), finding->text, finding->where);
	/* Nothing of a command is wrapped: it is to be copied. */
	printf("%*s%s\n", INDENT, "", finding->mend);
}

static void print_right(const struct findings *findings)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < findings->right->len; i++)
		g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ",
				       (const char *)findings->right->pdata[i]);
	if (list->len > 0)
		wrapped_line_print(INDENT, "%-6s  %s", "ok", list->str);
	g_string_free(list, TRUE);
}

static void print_text(const struct findings *findings)
{
	for (guint i = 0; i < findings->list->len; i++)
		print_finding(findings->list->pdata[i]);
	print_right(findings);
}

int doctor_command(const char *config_path, int argc, char **argv)
{
	bool json = false;
	const struct command_option known[] = {
		{"json", 'j', NULL, "print JSON", .flag = &json},
		{0},
	};
	struct inquiry inquiry = {0};
	struct doctor doctor;
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	inquiry.loaded.policy = policy_load_alone(config_path);
	if (inquiry.loaded.policy == NULL)
		return EX_CONFIG;
	policy_load_files(&inquiry.loaded);
	doctor_look(&doctor, &inquiry);
	if (json)
		print_json(&doctor.findings);
	else
		print_text(&doctor.findings);
	status = findings_are_healthy(&doctor.findings) ? EXIT_SUCCESS : EXIT_NO;
	doctor_clear(&doctor);
	policy_unload(&inquiry.loaded);
	return status;
}
