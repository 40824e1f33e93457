#include "doctor.h"

#include <unistd.h>

#include "admin/files/account.h"

const struct rule *doctor_rule(const struct doctor *doctor, enum kind kind, enum phase first,
			       enum phase last)
{
	for (size_t i = 0; i < doctor->policy->rule_count; i++) {
		const struct rule *rule = &doctor->policy->rules[i];
		enum phase phase = schedule_phase(&rule->schedule, doctor->now);

		if (rule->kind == kind && phase >= first && phase <= last)
			return rule;
	}
	return NULL;
}

static void look(struct doctor *doctor, const char *subject, void (*look_at)(struct doctor *doctor))
{
	guint before = doctor->findings.list->len;

	look_at(doctor);
	if (doctor->findings.list->len == before)
		g_ptr_array_add(doctor->findings.right, (char *)subject);
}

/* A host may well have one of them only; a server that says nothing is another matter. */
static void add_unseen(struct doctor *doctor, const char *server, bool installed,
		       const char *problem, const char *command)
{
	if (!installed)
		finding_add(&doctor->findings, FINDING_NOT_INSTALLED, server, g_strdup(command),
			    "not looked at: %s, which is not installed here", server);
	else
		finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT, server, g_strdup(command),
			    "not looked at: %s; %s", server, problem);
}

static void look_at_dovecot(struct doctor *doctor)
{
	const struct dovecot *dovecot = &doctor->dovecot;

	if (dovecot->problem != NULL) {
		add_unseen(doctor, "Dovecot", dovecot->installed, dovecot->problem,
			   dovecot->installed ? "doveconf -n" : "apt-get install dovecot-core");
		return;
	}
	dovecot_files_read(&doctor->files, dovecot->config);
	if (doctor->files.unreadable)
		finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT, dovecot->config,
			    g_strdup("sudo portcullis doctor"),
			    "not looked at: some files of Dovecot's configuration, which cannot be "
			    "read");
	dovecot_process_find(&doctor->process, setting_value(dovecot->all, "base_dir"));
	look(doctor, "the gate", doctor_look_at_gate);
	look(doctor, "its module", doctor_look_at_module);
	look(doctor, "what Dovecot refuses by itself", doctor_look_at_refusals);
	look(doctor, "trusted networks", doctor_look_at_clients);
	look(doctor, "the Dovecot that runs", doctor_look_at_running);
}

static void look_at_postfix(struct doctor *doctor)
{
	const struct postfix *postfix = &doctor->postfix;

	if (postfix->problem == NULL)
		look(doctor, "what Postfix asks", doctor_look_at_policy_services);
	else
		add_unseen(doctor, "Postfix", postfix->installed, postfix->problem,
			   postfix->installed ? "postconf -n" : "apt-get install postfix");
}

void doctor_look(struct doctor *doctor_r, struct inquiry *inquiry)
{
	*doctor_r = (struct doctor){
		.inquiry = inquiry, .policy = inquiry->loaded.policy, .now = time(NULL)};
	findings_begin(&doctor_r->findings);
	if (inquiry->loaded.problems > 0)
		finding_add(&doctor_r->findings, FINDING_POLICY_FILES, doctor_r->policy->file,
			    g_strdup("portcullis check-config"),
			    "%u problem%s in the files that the configuration names",
			    inquiry->loaded.problems, inquiry->loaded.problems == 1 ? "" : "s");
	dovecot_read(&doctor_r->dovecot);
	postfix_read(&doctor_r->postfix);
	look_at_dovecot(doctor_r);
	look_at_postfix(doctor_r);
	if (doctor_r->dovecot.problem == NULL || doctor_r->postfix.problem == NULL)
		look(doctor_r, "listeners", doctor_look_at_listeners);
	if (geteuid() == 0) {
		look(doctor_r, "accounts", doctor_look_at_accounts);
		if (selinux_is_enforced())
			look(doctor_r, "SELinux", doctor_look_at_selinux);
	} else {
		finding_add(&doctor_r->findings, FINDING_NOT_LOOKED_AT, "accounts",
			    g_strdup("sudo portcullis doctor"),
			    "not looked at: what the servers' accounts may read and write, which "
			    "only root can tell");
	}
	if (account_become_owner(policy_records(doctor_r->policy)))
		look(doctor_r, "records", doctor_look_at_records);
	else
		finding_add(&doctor_r->findings, FINDING_NOT_LOOKED_AT, "store",
			    g_strdup("portcullis status"), "not looked at: the records");
	findings_sort(&doctor_r->findings);
}

void doctor_clear(struct doctor *doctor)
{
	dovecot_clear(&doctor->dovecot);
	dovecot_files_clear(&doctor->files);
	postfix_clear(&doctor->postfix);
	findings_clear(&doctor->findings);
}
