#include "host-standing.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/terminal/display.h"
#include "admin/terminal/terminal-text.h"
#include "policy-digest.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* So many are named in a sentence. */
#define NAMED_MAX 3
#define NAME_COLUMNS 40

/* ---- finding them ---- */

static bool keep(void *context, const struct store_host *host)
{
	GArray *kept = context;
	struct host_standing standing = {.host = *host};

	standing.host.name = g_strdup(host->name);
	standing.host.portcullis = g_strdup(host->portcullis);
	standing.host.dovecot = g_strdup(host->dovecot);
	standing.host.postfix = g_strdup(host->postfix);
	g_array_append_val(kept, standing);
	return true;
}

void host_standings_free(struct host_standings *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		struct store_host *host = &hosts->standings[i].host;

		g_free((char *)host->name);
		g_free((char *)host->portcullis);
		g_free((char *)host->dovecot);
		g_free((char *)host->postfix);
	}
	g_free(hosts->standings);
	*hosts = (struct host_standings){0};
}

static void judge_host(struct host_standing *standing, size_t count, int64_t now)
{
	const struct store_host *host = &standing->host;
	int64_t since = host->backlog_since - host->clock_offset;

	/* When one that is alone imported last, is another question. */
	standing->silent = count > 1 && now - host->told > HOST_MINUTES_MAX * MINUTE;
	standing->behind =
		host->backlog_since != 0 && host->told - since > HOST_MINUTES_MAX * MINUTE;
	standing->wrong_clock = llabs(host->clock_offset) >= HOST_CLOCK_MAX;
}

/* How many of those that speak judge by a policy. */
static size_t count_policy(const struct host_standings *hosts, const char *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < hosts->count; i++)
		count += !hosts->standings[i].silent &&
			 strcmp(hosts->standings[i].host.policy, policy) == 0;
	return count;
}

/* Of two policies that as many have: that of the files here, or else the one that was there
   first. */
static bool is_preferred(const struct store_host *host, const struct store_host *other,
			 const char *here)
{
	bool is_here = strcmp(host->policy, here) == 0;

	if (is_here != (strcmp(other->policy, here) == 0))
		return is_here;
	return host->edition_since < other->edition_since;
}

/* One of those whose policy the most have; here: that of the files here. NULL: nobody speaks. */
static const struct store_host *find_usual(const struct host_standings *hosts, const char *here)
{
	const struct store_host *usual = NULL;
	size_t most = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		const struct store_host *host = &hosts->standings[i].host;
		size_t count = hosts->standings[i].silent ? 0 : count_policy(hosts, host->policy);

		if (count == 0 || count < most)
			continue;
		if (usual != NULL && count == most && !is_preferred(host, usual, here))
			continue;
		usual = host;
		most = count;
	}
	return usual;
}

static void compare_policies(struct host_standings *hosts, const struct loaded_policy *loaded)
{
	const struct store_host *usual;
	char here[EDITION_ID_SIZE];

	policy_digest(loaded->policy, loaded->exemptions, here);
	usual = find_usual(hosts, here);
	for (size_t i = 0; usual != NULL && i < hosts->count; i++)
		hosts->standings[i].differs =
			strcmp(hosts->standings[i].host.policy, usual->policy) != 0;
}

bool host_standings_find(struct host_standings *hosts_r, const struct inquiry *inquiry)
{
	GArray *kept = g_array_new(FALSE, FALSE, sizeof(struct host_standing));
	bool fine = store_each_host(inquiry->store, keep, kept) &&
		    store_clock(inquiry->store, &hosts_r->now);

	hosts_r->count = kept->len;
	hosts_r->standings = (struct host_standing *)(void *)g_array_free(kept, FALSE);
	if (!fine) {
		host_standings_free(hosts_r);
		return false;
	}
	for (size_t i = 0; i < hosts_r->count; i++)
		judge_host(&hosts_r->standings[i], hosts_r->count, hosts_r->now);
	compare_policies(hosts_r, &inquiry->loaded);
	return true;
}

const struct host_standing *host_standings_of(const struct host_standings *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (strcmp(hosts->standings[i].host.name, name) == 0)
			return &hosts->standings[i];
	}
	return NULL;
}

/* ---- what is said ---- */

static void append_duration(GString *text, int64_t milliseconds)
{
	if (milliseconds >= 2 * MILLISECONDS_A_DAY)
		g_string_append_printf(text, "%" PRId64 " days", milliseconds / MILLISECONDS_A_DAY);
	else if (milliseconds >= 2 * HOUR)
		g_string_append_printf(text, "%" PRId64 " hours", milliseconds / HOUR);
	else
		g_string_append_printf(text, "%" PRId64 " minutes", milliseconds / MINUTE);
}

static void begin_clause(GString *text, const char *words)
{
	g_string_append(text, text->len == 0 ? "" : ", ");
	g_string_append(text, words);
}

char *host_standing_problem(const struct host_standing *standing, int64_t now)
{
	const struct store_host *host = &standing->host;
	GString *text = g_string_new(NULL);

	if (standing->differs)
		begin_clause(text, "another policy");
	if (standing->silent) {
		begin_clause(text, "silent for ");
		append_duration(text, now - host->told);
	}
	if (standing->behind) {
		begin_clause(text, "behind by ");
		append_duration(text, host->told - host->backlog_since + host->clock_offset);
	}
	if (standing->wrong_clock) {
		begin_clause(text, "");
		g_string_append_printf(text, "clock %" PRId64 " s %s",
				       (int64_t)llabs(host->clock_offset) / 1000,
				       host->clock_offset > 0 ? "ahead" : "behind");
	}
	return g_string_free(text, text->len == 0);
}

static void add_problem(GString *text, const struct host_standing *standing, int64_t now)
{
	char *problem = host_standing_problem(standing, now);

	g_string_append(text, text->len == 0 ? "" : "; ");
	terminal_text_append(text, standing->host.name, NAME_COLUMNS);
	g_string_append_printf(text, ": %s", problem);
	g_free(problem);
}

static bool is_fine(const struct host_standing *standing)
{
	return !standing->differs && !standing->silent && !standing->behind &&
	       !standing->wrong_clock;
}

char *host_standings_summary(const struct host_standings *hosts, bool *healthy_r)
{
	GString *text = g_string_new(NULL);
	size_t wrong = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		if (!is_fine(&hosts->standings[i]) && ++wrong <= NAMED_MAX)
			add_problem(text, &hosts->standings[i], hosts->now);
	}
	if (wrong > NAMED_MAX)
		g_string_append_printf(text, "; and %zu more", wrong - NAMED_MAX);
	if (wrong == 0 && hosts->count == 0)
		g_string_append(text, "none has told of itself yet");
	else if (wrong == 0 && hosts->count == 1)
		g_string_append(text, "one imports into this store");
	else if (wrong == 0)
		g_string_append_printf(text,
				       "%zu have the same policy, are up to date, and have the "
				       "right time",
				       hosts->count);
	*healthy_r = wrong == 0;
	return g_string_free(text, FALSE);
}
