#include "mail-domains.h"

#include <glib.h>
#include <string.h>

#include "policy/config-problems.h"
#include "policy/mail-address.h"
#include "table-file.h"

struct mail_domains {
	bool any;
	GHashTable *names; /* in small letters */
};

static void add(struct mail_domains *domains, const char *name)
{
	g_hash_table_add(domains->names, g_ascii_strdown(name, -1));
}

/* "example.org". What stands behind it is another program's, as in Postfix's tables. */
static const char *take_line(void *table, char *name)
{
	char *address;
	bool valid;

	name[strcspn(name, " \t")] = '\0';
	address = g_strconcat("a@", name, NULL);
	valid = mail_address_is_valid(address);
	g_free(address);
	if (!valid)
		return "not the name of a domain";
	add(table, name);
	return NULL;
}

/* False after a report. A file without a domain is one that went wrong while it was made: so
   that nobody is told anything, and nobody notices. */
static bool read_file(struct mail_domains *domains, const char *path, config_report *error,
		      void *context)
{
	if (!table_file_read(path, take_line, domains, error, context))
		return false;
	if (g_hash_table_size(domains->names) > 0)
		return true;
	config_report_at(error, context, path, 0, "there is no domain in it");
	return false;
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
