#include "address-map.h"

#include <glib.h>
#include <string.h>

#include "address-command.h"
#include "mail-domains.h"
#include "table-file.h"

struct address_map {
	GHashTable *addresses;           /* of a file */
	struct address_command *command; /* NULL: there is none */
	struct mail_domains *domains;
	const char *default_domain; /* the policy's */
};

/* "USER ADDRESS"; what is wrong with it, or NULL. A user name may have blanks. */
static const char *take_line(void *table, char *user)
{
	struct address_map *map = table;
	char *address = user + strlen(user);
	char name[USER_SIZE];

	while (address > user && address[-1] != ' ' && address[-1] != '\t')
		address--;
	if (address == user)
		return "no address after the user name";
	address[-1] = '\0';
	g_strchomp(user);
	if (!mail_address_is_valid(address))
		return "invalid mail address";
	if (!user_normalise(user, map->default_domain, name, sizeof(name)))
		return "user name too long";
	if (!g_hash_table_insert(map->addresses, g_strdup(name), g_strdup(address)))
		return "duplicate user; the last line counts";
	return NULL;
}

static enum address_found ask_command(struct address_map *map, const char *user,
				      char address_r[static MAIL_ADDRESS_SIZE],
				      const char **error_r)
{
	char answer[MAIL_ADDRESS_SIZE + 1]; /* and its newline */

	/* A line break would be two questions. */
	if (strpbrk(user, "\r\n") != NULL)
		return ADDRESS_NONE;
	if (!address_command_ask(map->command, user, answer, sizeof(answer), error_r))
		return ADDRESS_FAILED;
	if (!mail_address_is_valid(answer))
		return ADDRESS_NONE;
	strcpy(address_r, answer);
	return ADDRESS_FOUND;
}

struct address_map *address_map_open(const struct policy *policy, config_report *error,
				     void *context)
{
	const struct notice_settings *settings = &policy->notices;
	struct address_map *map = g_new0(struct address_map, 1);

	map->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (settings->address_map_kind == ADDRESS_MAP_COMMAND)
		map->command = address_command_create(settings->address_map);
	map->domains = mail_domains_open(policy, error, context);
	map->default_domain = policy->default_domain;
	if (map->domains == NULL ||
	    (settings->address_map_kind == ADDRESS_MAP_FILE &&
	     !table_file_read(settings->address_map, take_line, map, error, context))) {
		address_map_close(map);
		return NULL;
	}
	return map;
}

void address_map_close(struct address_map *map)
{
	if (map == NULL)
		return;
	address_command_free(map->command);
	mail_domains_close(map->domains);
	g_hash_table_unref(map->addresses);
	g_free(map);
}

const char *address_found_text(enum address_found found)
{
	switch (found) {
	case ADDRESS_NONE:
		return "there is no address for this user";
	case ADDRESS_OUTSIDE:
		return "this user is in none of the domains that are written to";
	case ADDRESS_FOUND:
	case ADDRESS_FAILED:
		break;
	}
	return NULL;
}

bool address_map_is_outside(const struct address_map *map, const char *user)
{
	return !g_hash_table_contains(map->addresses, user) &&
	       !mail_domains_have(map->domains, user);
}

enum address_found address_map_find(struct address_map *map, const char *user,
				    char address_r[static MAIL_ADDRESS_SIZE], const char **error_r)
{
	const char *mapped;

	mapped = g_hash_table_lookup(map->addresses, user);
	if (mapped != NULL) {
		strcpy(address_r, mapped);
		return ADDRESS_FOUND;
	}
	if (address_map_is_outside(map, user))
		return ADDRESS_OUTSIDE;
	if (map->command != NULL)
		return ask_command(map, user, address_r, error_r);
	return mail_address_from_user(user, address_r) ? ADDRESS_FOUND : ADDRESS_NONE;
}
