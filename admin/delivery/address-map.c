#include "address-map.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "address-command.h"
#include "mail-domains.h"
#include "policy/config-problems.h"
#include "policy/text-file.h"

#define FILE_SIZE_MAX ((size_t)256 << 20)

struct address_map {
	GHashTable *addresses;           /* of a file */
	struct address_command *command; /* NULL: there is none */
	struct mail_domains *domains;
};

/* "USER ADDRESS"; what is wrong with it, or NULL. A user name may have blanks. */
static const char *read_line(struct address_map *map, const char *default_domain, char *line)
{
	char *user = g_strstrip(line), *address;
	char name[USER_SIZE];

	if (user[0] == '\0' || user[0] == '#')
		return NULL;
	address = user + strlen(user);
	while (address > user && address[-1] != ' ' && address[-1] != '\t')
		address--;
	if (address == user)
		return "no address after the user name";
	address[-1] = '\0';
	g_strchomp(user);
	if (!mail_address_is_valid(address))
		return "invalid mail address";
	if (!user_normalise(user, default_domain, name, sizeof(name)))
		return "user name too long";
	if (!g_hash_table_insert(map->addresses, g_strdup(name), g_strdup(address)))
		return "duplicate user; the last line counts";
	return NULL;
}

static bool read_file(struct address_map *map, const struct policy *policy, config_report *error,
		      void *context)
{
	const char *path = policy->notices.address_map, *problem;
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
		problem = read_line(map, policy->default_domain, line);
		if (problem != NULL)
			config_report_at(error, context, path, number, problem);
	}
	free(text);
	return true;
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
	if (map->domains == NULL || (settings->address_map_kind == ADDRESS_MAP_FILE &&
				     !read_file(map, policy, error, context))) {
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
