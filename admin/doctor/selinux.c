#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "admin/files/file-open.h"
#include "admin/terminal/display.h"
#include "mend.h"

/* Where SELinux is enforced, Dovecot's auth, Postfix' smtpd and systemd may only do what a policy
   says, and that of the distributions lacks what packaging/selinux adds. */

#define ENFORCING "/sys/fs/selinux/enforce"
#define AUDIT_LOG "/var/log/audit/audit.log"

/* Of its end. */
#define AUDIT_BYTES (4 << 20)
#define LATELY_SECONDS (7 * SECONDS_A_DAY)

static const char install[] =
	"semodule -i " TOOLS "/selinux/portcullis.cil && "
	"restorecon -R /var/lib/portcullis /var/spool/postfix/portcullis && " MEND_RESTART;

/* Who is denied what, by types: the rules of portcullis.cil. */
static const struct need {
	const char *from, *to;
} needs[] = {
	{":dovecot_auth_t:", ":var_lib_t:"},
	{":dovecot_auth_t:", ":portcullis_var_lib_t:"},
	{":dovecot_auth_t:", ":tmpfs_t:"},
	{":init_t:", ":postfix_spool_t:"},
	{":init_t:", ":portcullis_socket_t:"},
	{":postfix_smtpd_t:", ":postfix_spool_t:"},
	{":postfix_smtpd_t:", ":portcullis_socket_t:"},
	{":postfix_smtpd_t:", ":init_t:"},
	{":postfix_smtpd_t:", ":unconfined_service_t:"},
};

bool selinux_is_enforced(void)
{
	int descriptor = file_open_found(ENFORCING);
	char digit = '0';

	if (descriptor < 0)
		return false;
	if (read(descriptor, &digit, 1) != 1)
		digit = '0';
	file_close(descriptor);
	return digit == '1';
}

/* By the module, and by restorecon: what was made before the module has another type. */
static bool is_labelled(const char *path)
{
	char label[256] = "";

	return lgetxattr(path, "security.selinux", label, sizeof(label) - 1) > 0 &&
	       strstr(label, ":portcullis_var_lib_t:") != NULL;
}

/* "type=AVC msg=audit(1700000000.123:45): avc:  denied  { write } for ... scontext=...
   tcontext=... tclass=...". */
static bool is_denial(const char *line, time_t since, time_t *time_r)
{
	const char *time = strstr(line, "msg=audit("), *from = strstr(line, " scontext="),
		   *to = strstr(line, " tcontext=");

	if (time == NULL || from == NULL || to == NULL || to < from ||
	    strstr(line, "avc:  denied") == NULL)
		return false;
	*time_r = (time_t)strtoll(time + strlen("msg=audit("), NULL, 10);
	if (*time_r < since)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
		const char *place = strstr(from, needs[i].from);

		if (place != NULL && place < to && strstr(to, needs[i].to) != NULL)
			return true;
	}
	return false;
}

static void count_denials(FILE *log, time_t since, unsigned *count_r, time_t *last_r)
{
	char *line = NULL;
	size_t size = 0;
	time_t time;

	*count_r = 0;
	*last_r = 0;
	while (getline(&line, &size, log) > 0) {
		if (is_denial(line, since, &time)) {
			++*count_r;
			*last_r = MAX(*last_r, time);
		}
	}
	free(line);
}

static void look_at_denials(struct doctor *doctor, time_t since)
{
	int descriptor = file_open_found(AUDIT_LOG);
	FILE *log = descriptor < 0 ? NULL : fdopen(descriptor, "r");
	char date[OFFSET_DATE_TEXT_SIZE];
	unsigned count;
	time_t last;

	if (log == NULL) {
		finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT, AUDIT_LOG,
			    g_strdup("ausearch -m AVC -ts this-week -c auth -c smtpd"),
			    "not looked at: what SELinux has denied (%s)", file_problem(errno));
		file_close(descriptor);
		return;
	}
	if (fseeko(log, -(off_t)AUDIT_BYTES, SEEK_END) != 0)
		rewind(log);
	count_denials(log, since, &count, &last);
	fclose(log);
	if (count == 0)
		return;
	offset_date_format(last, date);
	finding_add(&doctor->findings, FINDING_SELINUX_DENIALS, AUDIT_LOG, g_strdup(install),
		    "SELinux has denied the servers what they need %u times, the last time at %s: "
		    "records and refusals may be missing",
		    count, date);
}

void doctor_look_at_selinux(struct doctor *doctor)
{
	const char *journal = doctor->policy->journal;

	/* What was denied before Dovecot's start may be mended since. */
	if (is_labelled(journal))
		look_at_denials(doctor, MAX((time_t)(doctor->process.started / 1000),
					    doctor->now - LATELY_SECONDS));
	else
		finding_add(&doctor->findings, FINDING_SELINUX_MODULE_MISSING, journal,
			    g_strdup(install),
			    "SELinux is enforced without the policy module that the servers need, "
			    "or without its labels: nothing is recorded, and nobody refused");
}
