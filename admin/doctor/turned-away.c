#include "watch.h"

#include <string.h>

#include "mend.h"

struct turned_away {
	struct doctor *doctor;
	char **offered;
	const struct rule *encryption, *mechanism; /* not enforced yet; NULL: none to look at */
	int64_t since;
	int64_t cleartext_user;
	uint64_t cleartext;
	GHashTable *mechanisms; /* not offered any more: struct counted by name */
};

struct counted {
	int64_t user; /* the last one */
	uint64_t users;
};

struct turned_away *turned_away_begin(struct doctor *doctor)
{
	struct turned_away *turned_away = g_new0(struct turned_away, 1);

	turned_away->doctor = doctor;
	turned_away->since = (int64_t)doctor->now * 1000 - LATELY;
	turned_away->cleartext_user = STORE_NOBODY;
	turned_away->mechanisms = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (doctor->dovecot.problem != NULL)
		return turned_away;
	turned_away->offered = dovecot_mechanisms(&doctor->dovecot);
	turned_away->mechanism = doctor_rule(doctor, KIND_MECHANISM, PHASE_OBSERVE, PHASE_NOTIFY);
	/* Where it is set, refusals-before-gate.c has said so. */
	if (!dovecot_allows_cleartext(&doctor->dovecot) &&
	    dovecot_files_find(&doctor->files, dovecot_cleartext_setting(&doctor->dovecot)) == NULL)
		turned_away->encryption =
			doctor_rule(doctor, KIND_ENCRYPTION, PHASE_OBSERVE, PHASE_NOTIFY);
	return turned_away;
}

/* What servers record is theirs to choose, and this one goes into a command: RFC 4422, 3.1. */
static bool is_mechanism(const char *name)
{
	return name[0] != '\0' && name[strspn(name, G_CSET_A_2_Z G_CSET_DIGITS "-_")] == '\0' &&
	       strlen(name) <= 20;
}

static void count_mechanism(struct turned_away *turned_away, const struct store_sighting *sighting)
{
	const char *name = sighting->habit->mechanism;
	struct counted *counted = g_hash_table_lookup(turned_away->mechanisms, name);

	if (counted == NULL) {
		counted = g_new0(struct counted, 1);
		g_hash_table_insert(turned_away->mechanisms, g_strdup(name), counted);
	}
	counted->users += counted->user != sighting->user_id;
	counted->user = sighting->user_id;
}

void turned_away_take(struct turned_away *turned_away, const struct store_sighting *sighting)
{
	const struct store_habit *habit = sighting->habit;

	if (sighting->last_seen < turned_away->since || habit->source != SOURCE_DOVECOT)
		return;
	if (turned_away->encryption != NULL && habit->tls == TLS_NONE &&
	    turned_away->cleartext_user != sighting->user_id) {
		turned_away->cleartext_user = sighting->user_id;
		turned_away->cleartext++;
	}
	if (turned_away->mechanism != NULL && is_mechanism(habit->mechanism) &&
	    !rule_allows_mechanism(turned_away->mechanism, habit->mechanism) &&
	    !g_strv_contains((const char *const *)turned_away->offered, habit->mechanism))
		count_mechanism(turned_away, sighting);
}

static void add_mechanism(struct turned_away *turned_away, const char *name, uint64_t users)
{
	struct doctor *doctor = turned_away->doctor;
	guint count = g_strv_length(turned_away->offered);
	char **wanted = g_new0(char *, count + 2);
	char *line, *where;

	memcpy(wanted, turned_away->offered, count * sizeof(*wanted));
	wanted[count] = (char *)name;
	line = dovecot_mechanisms_line(wanted);
	where = where_in_dovecot(doctor, "auth_mechanisms");
	finding_add(&doctor->findings, FINDING_MECHANISM_NOT_OFFERED, where,
		    mend_dovecot(doctor, line),
		    "%" G_GUINT64_FORMAT " of the people of the last 30 days came by %s, which "
		    "Dovecot offers no more, while the rule %s does not refuse it yet: they are "
		    "turned away untold",
		    users, name, turned_away->mechanism->title);
	g_free(where);
	g_free(line);
	g_free(wanted);
}

void turned_away_end(struct turned_away *turned_away)
{
	struct doctor *doctor = turned_away->doctor;
	GList *names =
		g_list_sort(g_hash_table_get_keys(turned_away->mechanisms), (GCompareFunc)strcmp);
	const char *setting = dovecot_cleartext_setting(&doctor->dovecot);

	if (turned_away->cleartext > 0)
		finding_add(&doctor->findings, FINDING_CLEARTEXT_REFUSED, setting,
			    mend_dovecot(doctor, dovecot_cleartext_line(&doctor->dovecot)),
			    "%" G_GUINT64_FORMAT " of the people of the last 30 days came without "
			    "TLS, which Dovecot refuses by itself, while the rule %s does not "
			    "refuse it yet: they are turned away untold",
			    turned_away->cleartext, turned_away->encryption->title);
	for (const GList *name = names; name != NULL; name = name->next) {
		const struct counted *counted =
			g_hash_table_lookup(turned_away->mechanisms, name->data);

		add_mechanism(turned_away, name->data, counted->users);
	}
	g_list_free(names);
	g_hash_table_unref(turned_away->mechanisms);
	g_strfreev(turned_away->offered);
	g_free(turned_away);
}
