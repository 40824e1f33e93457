#include "watch.h"

#include <string.h>

#include "mend.h"

/* Fewer people may well sit in one office. */
#define USERS_MIN 20

/* More addresses than that are nobody's proxies. */
#define ADDRESSES_MAX 4096

struct hidden_clients {
	struct doctor *doctor;
	const struct rule *rule; /* NULL: none asks where somebody is */
	int64_t since;
	int64_t user; /* the last one */
	uint64_t users;
	GHashTable *addresses; /* struct counted by text */
	bool many;
};

struct counted {
	int64_t user;
	uint64_t users;
};

/* ---- login_trusted_networks ---- */

static bool is_named(const struct policy *policy, const char *range)
{
	struct address_range parsed;
	const char *error;

	if (!address_range_parse(range, &parsed, &error))
		return false;
	for (size_t i = 0; i < policy->network_count; i++) {
		if (network_contains_range(&policy->networks[i].network, &parsed))
			return true;
	}
	return false;
}

/* A name that no network has. */
static char *new_name(const struct policy *policy, const char *name)
{
	char *wanted = g_strdup(name);

	for (unsigned int number = 2;; number++) {
		bool taken = false;

		for (size_t i = 0; i < policy->network_count; i++)
			taken |= strcmp(policy->networks[i].name, wanted) == 0;
		if (!taken)
			return wanted;
		g_free(wanted);
		wanted = g_strdup_printf("%s-%u", name, number);
	}
}

static void look_at_trusted(struct doctor *doctor)
{
	char **trusted = setting_list(doctor->dovecot.all, "login_trusted_networks");
	GString *unnamed = g_string_new(NULL);
	char *script, *name, *where;

	for (size_t i = 0; trusted[i] != NULL; i++) {
		if (!is_named(doctor->policy, trusted[i]))
			g_string_append_printf(unnamed, "%s\"%s\"", unnamed->len == 0 ? "" : ", ",
					       trusted[i]);
	}
	if (unnamed->len > 0) {
		name = new_name(doctor->policy, "trusted");
		script =
			g_strdup_printf("1i network %s { addresses = { %s } }", name, unnamed->str);
		where = where_in_dovecot(doctor, "login_trusted_networks");
		finding_add(&doctor->findings, FINDING_LOGIN_TRUSTED_NETWORKS, where,
			    mend_policy(doctor, script),
			    "whoever comes from login_trusted_networks (%s) may say what his "
			    "address is, and so his country: that is right for proxies and webmail "
			    "of your own, which portcullis.conf then names",
			    unnamed->str);
		g_free(where);
		g_free(script);
		g_free(name);
	}
	g_string_free(unnamed, TRUE);
	g_strfreev(trusted);
}

void doctor_look_at_clients(struct doctor *doctor)
{
	if (doctor_rule(doctor, KIND_COUNTRY, PHASE_OBSERVE, PHASE_ENFORCE) != NULL)
		look_at_trusted(doctor);
}

/* ---- too few addresses ---- */

struct hidden_clients *hidden_clients_begin(struct doctor *doctor)
{
	struct hidden_clients *clients = g_new0(struct hidden_clients, 1);

	clients->doctor = doctor;
	clients->rule = doctor_rule(doctor, KIND_COUNTRY, PHASE_OBSERVE, PHASE_ENFORCE);
	clients->since = (int64_t)doctor->now * 1000 - LATELY;
	clients->user = STORE_NOBODY;
	clients->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return clients;
}

static void count_address(struct hidden_clients *clients, const struct store_sighting *sighting)
{
	struct counted *counted = g_hash_table_lookup(clients->addresses, sighting->last_client);

	if (counted == NULL && g_hash_table_size(clients->addresses) >= ADDRESSES_MAX) {
		clients->many = true;
		return;
	}
	if (counted == NULL) {
		counted = g_new0(struct counted, 1);
		g_hash_table_insert(clients->addresses, g_strdup(sighting->last_client), counted);
	}
	counted->users += counted->user != sighting->user_id;
	counted->user = sighting->user_id;
}

void hidden_clients_take(struct hidden_clients *clients, const struct store_sighting *sighting)
{
	if (clients->rule == NULL || sighting->last_seen < clients->since ||
	    sighting->last_client[0] == '\0' ||
	    (clients->rule->services & SERVICE_BIT(sighting->habit->service)) == 0)
		return;
	clients->users += clients->user != sighting->user_id;
	clients->user = sighting->user_id;
	count_address(clients, sighting);
}

/* Excepting an address in the lines of a rule, for sed; NULL where they are not found. */
static char *except_script(const struct policy *policy, const struct rule *rule,
			   const char *network, const char *address)
{
	char **lines = g_strsplit(policy->text, "\n", -1);
	char *head = g_strdup_printf("rule %s", rule->title), *place = NULL, *script = NULL;
	unsigned int found = 0;

	for (unsigned int i = 0; lines[i] != NULL && place == NULL; i++) {
		char *line = g_strstrip(lines[i]);
		char behind = g_str_has_prefix(line, head) ? line[strlen(head)] : 'x';

		if (found == 0 && (behind == '\0' || strchr(" \t{", behind) != NULL))
			found = i + 1;
		if (found != 0 && strstr(line, "except-networks") != NULL && line[0] != '#')
			place = g_strdup_printf("%us/except-networks *= *{/& \"%s\",/", i + 1,
						network);
		else if (found != 0 && i + 1 > found && g_str_has_prefix(line, "rule "))
			break;
	}
	if (place == NULL && found != 0)
		place = g_strdup_printf("%us/{/{ except-networks = { \"%s\" }/", found, network);
	if (place != NULL)
		script = g_strdup_printf("1i network %s { addresses = { \"%s\" } }\n%s", network,
					 address, place);
	g_free(place);
	g_free(head);
	g_strfreev(lines);
	return script;
}

/* sed -e ONE -e OTHER: without line breaks. */
static char *mend(const struct doctor *doctor, const struct rule *rule, const char *address)
{
	char *network = new_name(doctor->policy, "proxies");
	char *script = except_script(doctor->policy, rule, network, address), *command, *second;

	if (script == NULL) {
		command = g_strdup_printf("%s, in the rule %s: an except-networks with %s",
					  doctor->policy->file, rule->title, address);
	} else {
		second = strchr(script, '\n');
		*second++ = '\0';
		command = mend_policy_twice(doctor, script, second);
	}
	g_free(script);
	g_free(network);
	return command;
}

static bool is_excepted(const struct rule *rule, const char *text)
{
	struct address address;

	return !address_parse(text, &address) || network_contains(&rule->except, &address);
}

void hidden_clients_end(struct hidden_clients *clients)
{
	struct doctor *doctor = clients->doctor;
	GHashTableIter each;
	gpointer address, counted;

	g_hash_table_iter_init(&each, clients->addresses);
	while (!clients->many && clients->users >= USERS_MIN &&
	       g_hash_table_iter_next(&each, &address, &counted)) {
		uint64_t users = ((const struct counted *)counted)->users;

		if (users * 2 < clients->users || is_excepted(clients->rule, address))
			continue;
		finding_add(&doctor->findings, FINDING_FEW_CLIENT_ADDRESSES, address,
			    mend(doctor, clients->rule, address),
			    "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " people came from the "
			    "address %s lately: it is a proxy's or webmail's, and the rule %s "
			    "judges its country, not theirs",
			    users, clients->users, (const char *)address, clients->rule->title);
	}
	g_hash_table_unref(clients->addresses);
	g_free(clients);
}
