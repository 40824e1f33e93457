#include <string.h>
#include <sys/stat.h>

#include "mend.h"

/* Whether the Dovecot that runs is the one that is configured and installed. */

struct newest {
	int64_t time;
	const char *path;
};

static void consider(struct newest *newest, const char *path)
{
	struct stat status;
	int64_t time;

	if (stat(path, &status) != 0)
		return;
	time = (int64_t)status.st_ctim.tv_sec * 1000 + status.st_ctim.tv_nsec / 1000000;
	if (time > newest->time)
		*newest = (struct newest){time, path};
}

static void look_at_age(struct doctor *doctor)
{
	const struct dovecot *dovecot = &doctor->dovecot;
	char *module = g_build_filename(dovecot_module_folder(dovecot), "auth",
					"libauthdb_portcullis.so", NULL);
	char *program = g_build_filename(setting_value(dovecot->all, "libexec_dir"), "auth", NULL);
	struct newest newest = {0};

	for (guint i = 0; i < doctor->files.paths->len; i++)
		consider(&newest, doctor->files.paths->pdata[i]);
	consider(&newest, module);
	consider(&newest, program);
	if (newest.time > doctor->process.started)
		finding_add(&doctor->findings, FINDING_DOVECOT_NOT_RESTARTED, newest.path,
			    g_strdup(MEND_RESTART), "the Dovecot that runs is older than %s",
			    newest.path);
	g_free(program);
	g_free(module);
}

/* Local time at some moments, as one number: it differs where a zone does. */
static uint64_t local_times(time_t now, const char *zone)
{
	char *own = g_strdup(g_getenv("TZ"));
	uint64_t sum = 0;

	if (zone != NULL)
		g_setenv("TZ", zone, TRUE);
	tzset();
	for (int month = 0; month < 12; month++) {
		time_t moment = now + month * 30 * SECONDS_A_DAY;
		struct tm local;

		localtime_r(&moment, &local);
		sum = sum * 31 + (uint64_t)local.tm_gmtoff;
	}
	if (own != NULL)
		g_setenv("TZ", own, TRUE);
	else
		g_unsetenv("TZ");
	tzset();
	g_free(own);
	return sum;
}

/* Dates of the policy are of the time zone of who reads them. */
static void look_at_time_zone(struct doctor *doctor)
{
	char *zone = dovecot_time_zone(&doctor->dovecot), *line, *where;

	if (zone[0] != '\0' && local_times(doctor->now, zone) != local_times(doctor->now, NULL)) {
		line = dovecot_time_zone_line(&doctor->dovecot);
		where = where_in_dovecot(doctor, "import_environment");
		finding_add(&doctor->findings, FINDING_TIME_ZONE, where, mend_dovecot(doctor, line),
			    "Dovecot goes by the time zone %s, not by this machine's: dates of "
			    "rules begin at other hours",
			    zone);
		g_free(where);
		g_free(line);
	}
	g_free(zone);
}

void doctor_look_at_running(struct doctor *doctor)
{
	const struct dovecot_process *process = &doctor->process;

	look_at_time_zone(doctor);
	if (process->master != 0 && process->started != 0) {
		look_at_age(doctor);
	} else {
		finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT,
			    setting_value(doctor->dovecot.all, "base_dir"),
			    g_strdup(process->hidden ? "sudo portcullis doctor"
						     : "systemctl start dovecot"),
			    "not looked at: the Dovecot that runs; %s",
			    process->hidden ? "it is not this account's to see"
					    : "none does, as far as its sockets tell");
	}
}
