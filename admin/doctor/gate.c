#include <string.h>

#include "mend.h"

/* The gate comes first, in each chain of passdbs that lets anybody in: dovecot-plugin/ways-around.c
   warns of the same, in Dovecot's log. */
struct chain {
	const char *protocol; /* NULL: of all */
	bool master;
	/* The first one that lets in before there is a gate, and the gate behind it. */
	const struct passdb *before, *gate;
	guint count;                      /* of the passdbs of all */
	guint before_number, gate_number; /* of the passdbs in the files, in that section */
};

static struct chain find_chain(const GArray *passdbs, const char *protocol, bool master)
{
	struct chain chain = {.protocol = protocol,
			      .master = master,
			      .count = protocol == NULL ? passdbs->len : 0};

	for (guint i = 0; i < passdbs->len && chain.gate == NULL; i++) {
		const struct passdb *passdb = &g_array_index(passdbs, struct passdb, i);

		if (passdb->master != master)
			continue;
		if (passdb->gate) {
			chain.gate = passdb;
			chain.gate_number = i;
		} else if (chain.before == NULL && passdb->lets_in) {
			chain.before = passdb;
			chain.before_number = i;
		}
	}
	return chain;
}

/* The passdb of that number in a section of the files; NULL: there is none, or it may be another,
   where there are not as many as Dovecot has. count: those; 0: that is not known. */
static const struct dovecot_entry *find_entry(const struct doctor *doctor, const char *in,
					      guint number, guint count)
{
	const GArray *entries = doctor->files.entries;
	const struct dovecot_entry *found = NULL;
	guint passdbs = 0;

	for (guint i = 0; i < entries->len; i++) {
		const struct dovecot_entry *entry =
			&g_array_index(entries, struct dovecot_entry, i);

		if (!entry->section || strcmp(entry->name, "passdb") != 0 ||
		    strcmp(entry->in, in) != 0)
			continue;
		if (passdbs++ == number)
			found = entry;
	}
	return count == 0 || count == passdbs ? found : NULL;
}

static char *section_of(const struct chain *chain)
{
	return chain->protocol == NULL ? g_strdup("")
				       : g_strdup_printf("protocol %s", chain->protocol);
}

/* A gate before that passdb; an old one is taken out, and first, since it stands behind. */
static char *mend(const struct doctor *doctor, const struct chain *chain,
		  const struct dovecot_entry *first, const struct dovecot_entry *old)
{
	const char *config = chain->gate != NULL && chain->gate->config[0] != '\0'
				     ? chain->gate->config
				     : doctor->policy->file;
	char *lines = dovecot_gate_lines(&doctor->dovecot, config, chain->master);
	GString *text = g_string_new(NULL);
	char *script, *file;

	if (first == NULL) {
		g_string_printf(text, "%s, before the passdb %s: %s", doctor->dovecot.config,
				chain->before->driver, lines);
		g_free(lines);
		return g_string_free(text, FALSE);
	}
	if (old != NULL) {
		file = mend_word(old->path);
		g_string_append_printf(text, "sed -i %u,%ud %s && ", old->line, old->end, file);
		g_free(file);
	}
	script = g_strdup_printf("%ui %s", first->line, lines);
	g_free(lines);
	lines = mend_word(script);
	file = mend_word(first->path);
	g_string_append_printf(text, "sed -i %s %s && " MEND_RESTART, lines, file);
	g_free(file);
	g_free(lines);
	g_free(script);
	return g_string_free(text, FALSE);
}

#define CONF_D "/etc/dovecot/conf.d"

static bool reads_conf_d(const struct doctor *doctor)
{
	for (guint i = 0; i < doctor->files.paths->len; i++) {
		if (g_str_has_prefix(doctor->files.paths->pdata[i], CONF_D "/"))
			return true;
	}
	return false;
}

/* A configuration without Debian's folder names the gate's file itself, before a passdb. */
static char *mend_missing(const struct doctor *doctor, const struct chain *chain)
{
	const struct dovecot_entry *first =
		find_entry(doctor, "", chain->before_number, chain->count);
	bool in_conf_d = first == NULL || reads_conf_d(doctor);
	char *folder, *gate, *file, *command, *example;

	if (in_conf_d && gate_is_packaged())
		return g_strdup("portcullis check-config && " GATE_TOOL " load");
	example =
		g_strdup_printf("portcullis check-config && cp " EXAMPLES "/%s/05-portcullis.conf",
				dovecot_examples(&doctor->dovecot));
	if (in_conf_d) {
		command = g_strdup_printf("%s " CONF_D "/ && " MEND_RESTART, example);
	} else {
		folder = g_path_get_dirname(first->path);
		gate = g_build_filename(folder, "portcullis-gate.conf", NULL);
		file = mend_word(first->path);
		command = g_strdup_printf("%s %s && sed -i '%ui !include %s' %s && " MEND_RESTART,
					  example, gate, first->line, gate, file);
		g_free(file);
		g_free(gate);
		g_free(folder);
	}
	g_free(example);
	return command;
}

static void add_missing(struct doctor *doctor, const struct chain *chain)
{
	finding_add(&doctor->findings, FINDING_GATE_MISSING, "doveconf passdb",
		    mend_missing(doctor, chain),
		    "no passdb of Dovecot is the gate: no rule holds for its logins, and none is "
		    "recorded");
}

static void add(struct doctor *doctor, const struct chain *chain)
{
	static const char consequence[] = "no rule refuses whom it lets in, nor is that recorded";
	enum finding_id id = chain->protocol != NULL ? FINDING_GATE_MISSING_IN_PROTOCOL
			     : chain->gate != NULL   ? FINDING_GATE_NOT_FIRST
						     : FINDING_GATE_MISSING_FOR_MASTERS;
	char *section = section_of(chain), *where;
	const struct dovecot_entry *first =
		find_entry(doctor, section, chain->before_number, chain->count);
	const struct dovecot_entry *old = NULL;

	/* That of all stays for the other protocols. */
	if (chain->gate != NULL && chain->protocol == NULL)
		old = find_entry(doctor, section, chain->gate_number, chain->count);
	where = first == NULL ? g_strdup("doveconf passdb")
			      : g_strdup_printf("%s:%u", first->path, first->line);
	finding_add(&doctor->findings, id, where, mend(doctor, chain, first, old),
		    "the %spassdb %s%s%s stands before any gate: %s",
		    chain->master ? "master " : "", chain->before->driver,
		    chain->protocol == NULL ? "" : " of protocol ",
		    chain->protocol == NULL ? "" : chain->protocol, consequence);
	g_free(where);
	g_free(section);
}

/* What stands wrong for all protocols is said once. */
static void look_at_protocol(struct doctor *doctor, const struct setting *passdbs_of,
			     const struct chain *of_all)
{
	GArray *passdbs = dovecot_passdbs(passdbs_of);
	struct chain chain = find_chain(passdbs, passdbs_of->value, of_all->master);
	const char *usual = of_all->before == NULL ? "" : of_all->before->driver;

	if (chain.before != NULL && strcmp(chain.before->driver, usual) != 0)
		add(doctor, &chain);
	g_array_unref(passdbs);
}

void doctor_look_at_gate(struct doctor *doctor)
{
	GArray *passdbs = dovecot_passdbs(doctor->dovecot.all);
	const GPtrArray *protocols = doctor->dovecot.protocols;

	for (int master = 0; master <= 1; master++) {
		struct chain chain = find_chain(passdbs, NULL, master);

		if (chain.before != NULL && chain.gate == NULL && !master)
			add_missing(doctor, &chain);
		else if (chain.before != NULL)
			add(doctor, &chain);
		for (guint i = 0; i < protocols->len; i++)
			look_at_protocol(doctor, protocols->pdata[i], &chain);
	}
	g_array_unref(passdbs);
}
