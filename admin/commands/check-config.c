#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/delivery/address-map.h"
#include "admin/files/account-access.h"
#include "admin/files/account.h"
#include "admin/files/path-owner.h"
#include "admin/notices/mail-limits.h"
#include "admin/questions/loaded-policy.h"
#include "admin/questions/notice-limits.h"
#include "admin/questions/recommended-settings.h"
#include "admin/store/store-admin.h"
#include "admin/terminal/command-options.h"
#include "admin/terminal/json-output.h"
#include "admin/terminal/listing.h"
#include "admin/wording/notice-texts.h"
#include "command.h"

enum { FORM_TITLES = 1 };

static const struct command_help help = {
	.name = "check-config",
	.usage = "[--at DATE] [--json]\n"
		 "--titles",
	.description =
		"Checks the configuration, the exemptions, the country database and the texts "
		"of notices, and prints the phase of every rule.",
	.closing =
		"Exit status: 0 all is well, 1 a file that the configuration names has problems, "
		"78 the configuration is wrong.",
};

/* As wide as what may stand there, so that two answers can be compared line by line. */
static const struct column columns[] = {
	{"RULE", "rule", COLUMN_SHRINKS_LAST}, {"KIND           ", "kind", COLUMN_TEXT},
	{NULL, "services", COLUMN_TEXT},       {"PHASE  ", "phase", COLUMN_TEXT},
	{NULL, "next_phase", COLUMN_TEXT},     {NULL, "next_change", COLUMN_TEXT},
	{"NEXT", NULL, COLUMN_WHOLE},          {NULL, "grace", COLUMN_TEXT},
};

/* As in the configuration: "7d". NULL: none. */
#define GRACE_SIZE sizeof("7776000s")

static const char *grace_format(const struct rule *rule, char text_r[static GRACE_SIZE])
{
	static const struct {
		time_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t unit = 0;

	while (rule->grace % units[unit].seconds != 0)
		unit++;
	snprintf(text_r, GRACE_SIZE, "%d%c", (int)(rule->grace / units[unit].seconds),
		 units[unit].letter);
	return rule->grace == 0 ? NULL : text_r;
}

/* "imap,pop3"; the caller frees it with g_free(). */
static char *list_services(unsigned int services)
{
	GString *list = g_string_new(NULL);

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((services & SERVICE_BIT(service)) != 0)
			g_string_append_printf(list, "%s%s", list->len == 0 ? "" : ",",
					       service_name(service));
	}
	return g_string_free(list, FALSE);
}

static void add(struct listing *listing, const struct rule *rule, time_t at)
{
	enum phase next_phase;
	time_t next_change = schedule_next_change(&rule->schedule, at, &next_phase);
	bool changes = next_change != SCHEDULE_NEVER;
	char date[DATE_TEXT_SIZE], next[sizeof("observe from ") + DATE_TEXT_SIZE];
	char *services = list_services(rule->services), grace[GRACE_SIZE];
	const struct cell cells[G_N_ELEMENTS(columns)] = {
		cell_text(rule->title),
		cell_text(kind_name(rule->kind)),
		cell_list(services),
		cell_text(phase_name(schedule_phase(&rule->schedule, at))),
		cell_text(changes ? phase_name(next_phase) : NULL),
		cell_date(next_change, NULL),
		cell_text(changes ? next : "-"),
		cell_text(grace_format(rule, grace)),
	};

	date_format(next_change, date);
	snprintf(next, sizeof(next), "%s from %s", phase_name(next_phase), date);
	listing_add(listing, cells);
	g_free(services);
}

static struct listing *list_rules(enum listing_format format, const struct policy *policy,
				  time_t at)
{
	struct listing *listing = listing_begin(format, columns, G_N_ELEMENTS(columns));

	for (size_t i = 0; i < policy->rule_count; i++)
		add(listing, &policy->rules[i], at);
	return listing;
}

static void print_grace(const struct loaded_policy *loaded)
{
	const struct policy *policy = loaded->policy;
	size_t lines = loaded->grace == NULL ? 0 : exemptions_count(loaded->grace);
	char grace[GRACE_SIZE];

	if (policy->grace_file == NULL)
		return;
	putchar('\n');
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].grace > 0)
			printf("Grace of rule %s: %s\n", policy->rules[i].title,
			       grace_format(&policy->rules[i], grace));
	}
	if (loaded->grace == NULL)
		printf("Nobody is known to have it: %s\n", policy->grace_file);
	else
		printf("%zu line%s who has it, in %s\n", lines, lines == 1 ? " says" : "s say",
		       policy->grace_file);
}

static void print_text(const struct loaded_policy *loaded, time_t at)
{
	const struct policy *policy = loaded->policy;
	char built[DATE_TEXT_SIZE], *limits;

	listing_end(list_rules(LISTING_TABLE, policy, at), NULL);
	if (loaded->exemptions != NULL)
		printf("\n%zu exemptions%s in %s\n", exemptions_count(loaded->exemptions),
		       policy->exemptions_in_store ? ", those of the store," : "",
		       policy->exemptions);
	print_grace(loaded);
	if (loaded->countries != NULL) {
		date_format(country_database_built(loaded->countries), built);
		printf("\nCountries from %s, built %s\n", policy->country_database, built);
	}
	limits = notices_are_configured(&policy->notices) ? notice_limits_text(policy, at) : NULL;
	if (limits != NULL)
		printf("\nMails: %s\n", limits);
	g_free(limits);
}

static void print_json(const struct loaded_policy *loaded, time_t at)
{
	const struct policy *policy = loaded->policy;
	char built[UTC_TEXT_SIZE] = "";
	json_t *top;

	if (loaded->countries != NULL)
		utc_format((int64_t)country_database_built(loaded->countries) * 1000, built);
	top = json_pack(
		"{s:s, s:i, s:o, s:I, s:s?}", "file", policy->file, "problems",
		(int)loaded->problems, "rules",
		listing_end_json(list_rules(LISTING_ARRAY, policy, at)), "exemptions",
		(json_int_t)(loaded->exemptions == NULL ? 0 : exemptions_count(loaded->exemptions)),
		"country_database_built", loaded->countries == NULL ? NULL : built);
	json_print(top);
}

/* The texts of mails and the addresses, if any are to be sent. */
static void check_notices(struct loaded_policy *loaded)
{
	if (!notices_are_configured(&loaded->policy->notices))
		return;
	notice_texts_free(notice_texts_load(loaded->policy, report_problem, loaded));
	address_map_close(address_map_open(loaded->policy, report_problem, loaded));
}

/* What is wrong with the limits, as the store knows whom they concern; NULL: nothing, or there
   is none that may be read. The caller frees it with g_free(). */
static char *find_shortage(const struct loaded_policy *loaded, time_t at)
{
	struct store_failure failure;
	struct store *store =
		store_open(loaded->policy->store, loaded->policy->host, STORE_READ, &failure);
	char *text = NULL;
	bool enough = true;

	if (store != NULL && store_begin_reading(store))
		notice_limits_find(loaded, store, at, &enough, &text);
	store_close(store);
	if (!enough)
		return text;
	g_free(text);
	return NULL;
}

/* Nobody else can tell what the account that imports may write. */
static bool is_importer_or_root(const struct policy *policy)
{
	struct path_owner owner;

	return geteuid() == 0 ||
	       (path_owner_find(policy_records(policy), &owner) && geteuid() == owner.user);
}

/* The importer writes the file that the servers read. */
static void check_importer(struct loaded_policy *loaded)
{
	const struct policy *policy = loaded->policy;
	char *folder, *text;
	bool may_write;

	if (!policy->exemptions_in_store || !is_importer_or_root(policy) ||
	    !account_lend_owner(policy_records(policy)))
		return;
	folder = g_path_get_dirname(policy->exemptions);
	may_write = !access_is_denied(folder, W_OK);
	account_return();
	g_free(folder);
	if (may_write)
		return;
	text = g_strdup_printf("%s: 'portcullis import' cannot write it; with exemptions-in-store, "
			       "it belongs into a directory of the account that imports, such as "
			       "/var/lib/portcullis",
			       policy->exemptions);
	report_problem(loaded, text);
	g_free(text);
}

static void warn_of_limits(const struct loaded_policy *loaded, time_t at)
{
	const struct notice_settings *settings = &loaded->policy->notices;
	char *shortage, *text;

	if (!notices_are_configured(settings) || mail_limit_an_hour(settings) == 0 ||
	    !account_lend_owner(policy_records(loaded->policy)))
		return;
	shortage = find_shortage(loaded, at);
	account_return();
	if (shortage == NULL)
		return;
	text = g_strdup_printf("%s:%u: notices: %s", loaded->policy->file, settings->line,
			       shortage);
	report_warning(NULL, text);
	g_free(text);
	g_free(shortage);
}

static void warn_of_store(void *context, const char *id, const char *text, const char *mend)
{
	const struct loaded_policy *loaded = context;
	char *line = g_strdup_printf("%s: store: %s; %s", loaded->policy->file, text, mend);

	(void)id;
	report_warning(NULL, line);
	g_free(line);
}

/* As the account that opens it: its files and its home are those that count. */
static void check_store(struct loaded_policy *loaded)
{
	if (!account_lend_owner(policy_records(loaded->policy)))
		return;
	store_review(loaded->policy->store, warn_of_store, loaded);
	account_return();
}

/* For whoever types: nothing else is opened, which might take its time. */
static int print_titles(const char *config_path)
{
	struct policy *policy = policy_load_alone(config_path);

	if (policy == NULL)
		return EX_CONFIG;
	for (size_t i = 0; i < policy->rule_count; i++)
		puts(policy->rules[i].title);
	policy_free(policy);
	return EXIT_SUCCESS;
}

static int check(const char *config_path, time_t at, bool json)
{
	struct loaded_policy loaded;
	int status;

	if (!policy_load(config_path, &loaded))
		return EX_CONFIG;
	recommended_settings_check(loaded.policy, report_warning, NULL);
	check_store(&loaded);
	check_notices(&loaded);
	check_importer(&loaded);
	warn_of_limits(&loaded, at);
	if (json)
		print_json(&loaded, at);
	else
		print_text(&loaded, at);
	status = loaded.problems > 0 ? EXIT_NO : EXIT_SUCCESS;
	policy_unload(&loaded);
	return status;
}

int check_config_command(const char *config_path, int argc, char **argv)
{
	time_t at = time(NULL);
	bool json = false, titles = false;
	const struct command_option known[] = {
		{"at", '\0', "DATE", "print the phases at this time instead of now", .date = &at,
		 .forms = COMMAND_FORM(0)},
		{"json", 'j', NULL, "print JSON", .flag = &json, .forms = COMMAND_FORM(0)},
		{"titles", '\0', NULL,
		 "print the titles of the rules alone, and check no other file", .flag = &titles,
		 .makes = FORM_TITLES},
		{0},
	};
	int status;

	if (!command_options_read_all(argc, argv, &help, known, &status))
		return status;
	return titles ? print_titles(config_path) : check(config_path, at, json);
}
