#include "survey-gaps.h"

static const char port[] = "which port a login came by";
static const char tls[] = "whether a login had TLS";
static const char starttls[] = "whether TLS was STARTTLS";
static const char version[] = "which version of TLS it was";
static const char client[] = "from which address a login came";

/* One line tells all of these. Dovecot names STARTTLS nowhere: the port tells it. */
#define ELEMENTS_2_3                                                                               \
	"login_log_format_elements = user=<%u> method=%m rip=%r lip=%l lport=%a mpid=%e %c %k "    \
	"session=<%{session}>"
#define ELEMENTS_2_4                                                                               \
	"login_log_format_elements = user=<%{user}> method=%{mechanism} rip=%{remote_ip} "         \
	"lip=%{local_ip} lport=%{local_port} mpid=%{mail_pid} %{secured} %{ssl_security} "         \
	"session=<%{session}>"

static const char elements_place[] = "dovecot.conf, replacing any such line (then: doveadm reload)";

struct gaps {
	bool dovecot_2_3, dovecot_2_4; /* whose lines are of use */
	struct survey_gap *gaps;
	size_t count;
};

static void add(struct gaps *gaps, const char *what, const char *missing, const char *server,
		const char *place, const char *setting)
{
	gaps->gaps[gaps->count++] = (struct survey_gap){what, missing, server, place, setting};
}

static void add_dovecot(struct gaps *gaps, const char *what, const char *missing)
{
	if (gaps->dovecot_2_3)
		add(gaps, what, missing, "dovecot 2.3", elements_place, ELEMENTS_2_3);
	if (gaps->dovecot_2_4)
		add(gaps, what, missing, "dovecot 2.4", elements_place, ELEMENTS_2_4);
}

static void find_dovecot(struct gaps *gaps, const struct log_told *told)
{
	if (told->port < told->logins)
		add_dovecot(gaps, "port", port);
	if (told->tls < told->logins)
		add_dovecot(gaps, "tls", tls);
	if (told->tls_kind < told->tls)
		add_dovecot(gaps, "starttls", starttls);
	if (told->tls_version < told->with_tls)
		add_dovecot(gaps, "tls_version", version);
	if (told->client < told->logins)
		add_dovecot(gaps, "client", client);
}

/* The name of a service tells its port, and whether connections to it begin with TLS. */
static void add_names(struct gaps *gaps, const char *what, const char *missing)
{
	add(gaps, what, missing, "postfix", "master.cf, below submission (then: postfix reload)",
	    "-o syslog_name=postfix/submission");
	add(gaps, what, missing, "postfix",
	    "master.cf, below submissions or smtps (then: postfix reload)",
	    "-o syslog_name=postfix/submissions");
}

static void add_loglevel(struct gaps *gaps, const char *what, const char *missing)
{
	add(gaps, what, missing, "postfix", "main.cf (then: postfix reload)",
	    "smtpd_tls_loglevel = 1");
}

static void find_postfix(struct gaps *gaps, const struct log_told *told)
{
	if (told->port < told->logins)
		add_names(gaps, "port", port);
	if (told->tls < told->logins)
		add_loglevel(gaps, "tls", tls);
	if (told->tls_kind < told->tls)
		add_names(gaps, "starttls", starttls);
	if (told->tls_version < told->with_tls)
		add_loglevel(gaps, "tls_version", version);
}

size_t survey_gaps(const struct log_tally_counts *counts,
		   struct survey_gap gaps_r[static SURVEY_GAPS_MAX])
{
	const unsigned int series = counts->series & (1U << DOVECOT_2_3 | 1U << DOVECOT_2_4);
	/* Where nothing tells which Dovecot it is, that is for the reader to know. */
	struct gaps gaps = {.dovecot_2_3 = series != 1U << DOVECOT_2_4,
			    .dovecot_2_4 = series != 1U << DOVECOT_2_3,
			    .gaps = gaps_r};

	find_dovecot(&gaps, &counts->told[SOURCE_DOVECOT]);
	find_postfix(&gaps, &counts->told[SOURCE_POSTFIX]);
	return gaps.count;
}
