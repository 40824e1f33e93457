#define _GNU_SOURCE /* pipe2() */

#include "address-map.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/config-problems.h"
#include "policy/text-file.h"

#define FILE_SIZE_MAX ((size_t)256 << 20)

/* Enough for a directory service that is asked over a slow line. */
#define PATIENCE_SECONDS 60

struct address_map {
	const struct notice_settings *settings;
	GHashTable *addresses; /* of a file */
	/* Of a command: */
	pid_t pid; /* 0: not started */
	int questions;
	int answers;
	bool broken;
};

/* --- A file --- */

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
		return "there is a user name, but no address";
	address[-1] = '\0';
	g_strchomp(user);
	if (!mail_address_is_valid(address))
		return "this is no mail address";
	if (!user_normalise(user, default_domain, name, sizeof(name)))
		return "this user name is too long";
	if (!g_hash_table_insert(map->addresses, g_strdup(name), g_strdup(address)))
		return "this user stands here twice; the last line counts";
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

/* --- A command --- */

static bool start_command(struct address_map *map)
{
	char *const arguments[] = {map->settings->address_map, NULL};
	int to[2] = {-1, -1}, from[2] = {-1, -1}, error;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
		if (to[0] >= 0) {
			close(to[0]);
			close(to[1]);
		}
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(&map->pid, arguments[0], &files, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	close(to[0]);
	close(from[1]);
	map->questions = to[1];
	map->answers = from[0];
	if (error == 0)
		return true;
	map->pid = 0;
	close(map->questions);
	close(map->answers);
	return false;
}

/* The end of its input ends a command that is made well. */
static void stop_command(struct address_map *map)
{
	close(map->questions);
	close(map->answers);
	if (map->broken)
		kill(map->pid, SIGTERM);
	while (waitpid(map->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	map->pid = 0;
}

static bool write_all(int file, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, text, length);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* Reads one line, without its newline. It is the only one: the command was asked
   once. False when none comes in time, or more than fits. */
static bool read_answer(int file, char *line_r, size_t size)
{
	size_t length = 0;

	while (length < size) {
		struct pollfd readable = {.fd = file, .events = POLLIN};
		int ready = poll(&readable, 1, PATIENCE_SECONDS * 1000);
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		got = read(file, line_r + length, size - length);
		if (got <= 0)
			return false;
		length += (size_t)got;
		if (line_r[length - 1] == '\n') {
			line_r[length - 1] = '\0';
			return strlen(line_r) == length - 1 && strchr(line_r, '\n') == NULL;
		}
	}
	return false;
}

static enum address_found ask_command(struct address_map *map, const char *user,
				      char address_r[static MAIL_ADDRESS_SIZE],
				      const char **error_r)
{
	char question[USER_SIZE + 1], answer[MAIL_ADDRESS_SIZE + 1];
	int length = snprintf(question, sizeof(question), "%s\n", user);

	*error_r = "the command of address-map does not answer as it should";
	if (map->broken)
		return ADDRESS_FAILED;
	/* A line break would be two questions. */
	if (length < 0 || (size_t)length >= sizeof(question) || strchr(user, '\n') != NULL ||
	    strchr(user, '\r') != NULL)
		return ADDRESS_NONE;
	if (map->pid == 0 && !start_command(map)) {
		*error_r = "the command of address-map cannot be started";
		map->broken = true;
		return ADDRESS_FAILED;
	}
	if (!write_all(map->questions, question, (size_t)length) ||
	    !read_answer(map->answers, answer, sizeof(answer))) {
		map->broken = true;
		return ADDRESS_FAILED;
	}
	if (!mail_address_is_valid(answer))
		return ADDRESS_NONE;
	strcpy(address_r, answer);
	return ADDRESS_FOUND;
}

struct address_map *address_map_open(const struct policy *policy, config_report *error,
				     void *context)
{
	struct address_map *map = g_new0(struct address_map, 1);

	map->settings = &policy->notices;
	map->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (map->settings->address_map_kind == ADDRESS_MAP_FILE &&
	    !read_file(map, policy, error, context)) {
		address_map_close(map);
		return NULL;
	}
	return map;
}

void address_map_close(struct address_map *map)
{
	if (map == NULL)
		return;
	if (map->pid != 0)
		stop_command(map);
	g_hash_table_unref(map->addresses);
	g_free(map);
}

enum address_found address_map_find(struct address_map *map, const char *user,
				    char address_r[static MAIL_ADDRESS_SIZE], const char **error_r)
{
	const char *mapped;

	if (map->settings->address_map_kind == ADDRESS_MAP_COMMAND)
		return ask_command(map, user, address_r, error_r);
	mapped = g_hash_table_lookup(map->addresses, user);
	if (mapped != NULL) {
		strcpy(address_r, mapped);
		return ADDRESS_FOUND;
	}
	return mail_address_from_user(user, address_r) ? ADDRESS_FOUND : ADDRESS_NONE;
}
