#include "mail-domains.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config-problems.h"
#include "policy/mail-address.h"
#include "policy/text-file.h"

#define FILE_SIZE_MAX ((size_t)64 << 20)

struct mail_domains {
	bool any;
	GHashTable *names; /* in small letters */
};

static void add(struct mail_domains *domains, const char *name)
{
	g_hash_table_add(domains->names, g_ascii_strdown(name, -1));
}

/* "example.org". What stands behind it is another program's, as in Postfix's tables. */
static const char *read_line(struct mail_domains *domains, char *line)
{
	char *name = g_strstrip(line), *address;
	bool valid;

	if (name[0] == '\0' || name[0] == '#')
		return NULL;
	name[strcspn(name, " \t")] = '\0';
	address = g_strconcat("a@", name, NULL);
	valid = mail_address_is_valid(address);
	g_free(address);
	if (!valid)
		return "not the name of a domain";
	add(domains, name);
	return NULL;
}

static bool read_file(struct mail_domains *domains, const char *path, config_report *error,
		      void *context)
{
	const char *problem;
	size_t length;
	char *text = text_file_read(path, FILE_SIZE_MAX, &length, &problem), *line = text, *next;

	if (text == NULL) {
		config_report_at(error, context, path, 0, problem);
		return false;
	}
	for (unsigned int number = 1; line != NULL; number++, line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		problem = read_line(domains, line);
		if (problem != NULL)
			config_report_at(error, context, path, number, problem);
	}
	free(text);
	return true;
}

/* False after a report. */
static bool read_all(struct mail_domains *domains, const struct policy *policy,
		     config_report *error, void *context)
{
	const struct notice_settings *settings = &policy->notices;

	domains->any = settings->any_domain;
	if (settings->domains_file != NULL)
		return read_file(domains, settings->domains_file, error, context);
	for (size_t i = 0; i < settings->domain_count; i++)
		add(domains, settings->domains[i]);
	if (domains->any || settings->domain_count > 0)
		return true;
	if (policy->default_domain == NULL) {
		config_report_at(error, context, policy->file, settings->line,
				 "notices need to know whose accounts are written to: "
				 "domains = { \"example.org\" }, or default-domain");
		return false;
	}
	add(domains, policy->default_domain);
	return true;
}

struct mail_domains *mail_domains_open(const struct policy *policy, config_report *error,
				       void *context)
{
	struct mail_domains *domains = g_new0(struct mail_domains, 1);

	domains->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (read_all(domains, policy, error, context))
		return domains;
	mail_domains_close(domains);
	return NULL;
}

void mail_domains_close(struct mail_domains *domains)
{
	if (domains == NULL)
		return;
	g_hash_table_unref(domains->names);
	g_free(domains);
}

bool mail_domains_have(const struct mail_domains *domains, const char *user)
{
	const char *at = strrchr(user, '@');

	return domains->any || at == NULL || g_hash_table_contains(domains->names, at + 1);
}
