#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/files/account-access.h"
#include "mend.h"

/* Whether each service of Postfix asks portcullis-policyd, and in time. */

#define CLASS "portcullis"
#define RESTRICTIONS "smtpd_recipient_restrictions"

/* How a list of restrictions asks. */
struct asking {
	bool found, late; /* behind what permits */
	bool by_class;    /* of that name */
	char *service;    /* the argument of check_policy_service; NULL: none */
};

static bool asks_by(const char *word, const char *argument)
{
	return strcmp(word, "check_policy_service") == 0 && argument != NULL &&
	       strstr(argument, "portcullis") != NULL;
}

/* What stands behind check_policy_service in a list; the first one, or the first that is
   ours. The caller frees it. */
static char *find_service(const char *value, bool ours)
{
	char **list = postfix_list(value), *service = NULL;

	for (size_t i = 0; list[i] != NULL && service == NULL; i++) {
		if (ours ? asks_by(list[i], list[i + 1])
			 : strcmp(list[i], "check_policy_service") == 0)
			service = g_strdup(list[i + 1]);
	}
	g_strfreev(list);
	return service;
}

static struct asking find_asking(const struct postfix *postfix,
				 const struct postfix_service *service)
{
	const char *value = postfix_value(postfix, service, RESTRICTIONS);
	char **list = postfix_list(value);
	struct asking asking = {0};

	for (size_t i = 0; list[i] != NULL && !asking.found; i++) {
		asking.by_class = strcmp(list[i], CLASS) == 0;
		asking.found = asking.by_class || asks_by(list[i], list[i + 1]);
		if (!asking.found)
			asking.late |= g_str_has_prefix(list[i], "permit");
	}
	g_strfreev(list);
	if (asking.found)
		asking.service = asking.by_class
					 ? find_service(postfix_value(postfix, NULL, CLASS), false)
					 : find_service(value, true);
	return asking;
}

static bool knows_class(const struct postfix *postfix, const struct postfix_service *service)
{
	char **list = postfix_list(postfix_value(postfix, service, "smtpd_restriction_classes"));
	bool knows = g_strv_contains((const char *const *)list, CLASS);

	g_strfreev(list);
	return knows;
}

static bool is_usual_port(const struct postfix_service *service)
{
	return service->port == 25 || service->port == 587 || service->port == 465;
}

static bool is_yes(const struct postfix *postfix, const struct postfix_service *service,
		   const char *parameter)
{
	return strcmp(postfix_value(postfix, service, parameter), "yes") == 0;
}

/* postconf-commands.sh leaves services on other ports alone. */
static char *mend_service(const struct postfix *postfix, const struct postfix_service *service)
{
	const char *value = postfix_value(postfix, service, RESTRICTIONS);
	char **words, *list, *setting, *word, *command;

	if (is_usual_port(service))
		return mend_postfix("postconf-commands.sh");
	words = postfix_list(value);
	list = g_strjoinv(",", words);
	g_strfreev(words);
	/* Which postconf -P does not take. */
	if (strpbrk(list, " \t") != NULL) {
		command = g_strdup_printf("master.cf, %s: -o { " RESTRICTIONS " = " CLASS ", %s }",
					  service->name, value);
		g_free(list);
		return command;
	}
	setting = g_strdup_printf("%s/" RESTRICTIONS "=" CLASS "%s%s", service->name,
				  list[0] == '\0' ? "" : ",", list);
	word = mend_word(setting);
	command = g_strdup_printf(TOOLS "/postfix/postconf-commands.sh && postconf -P %s && "
					"postfix reload",
				  word);
	g_free(word);
	g_free(setting);
	g_free(list);
	return command;
}

static void look_at_service(struct doctor *doctor, const struct postfix_service *service,
			    const struct asking *asking)
{
	const struct postfix *postfix = &doctor->postfix;
	bool own = postfix_is_own(postfix, service, RESTRICTIONS);
	char *where = g_strdup_printf("%s%s" RESTRICTIONS, own ? service->name : "main.cf",
				      own ? "/" : ": ");

	if (!asking->found)
		finding_add(&doctor->findings,
			    own ? FINDING_POLICY_SERVICE_HIDDEN : FINDING_POLICY_SERVICE_MISSING,
			    where, mend_service(postfix, service),
			    "%s (port %u) does not ask portcullis-policyd%s", service->name,
			    service->port,
			    own ? ": master.cf hides the restrictions of main.cf" : "");
	else if (asking->late)
		finding_add(
			&doctor->findings, FINDING_POLICY_SERVICE_LATE, where,
			mend_service(postfix, service),
			"%s (port %u) asks portcullis-policyd only about those whom nothing has "
			"permitted before",
			service->name, service->port);
	if (asking->found && asking->by_class && !knows_class(postfix, service))
		finding_add(&doctor->findings, FINDING_POLICY_SERVICE_CLASS_MISSING, where,
			    mend_postfix("postconf-commands.sh"),
			    "%s (port %u) names the class " CLASS
			    ", which it does not know: it turns all mail away",
			    service->name, service->port);
	g_free(where);
}

/* Without one, Postfix answers 451 to all mail while the daemon is away. */
static bool has_default_action(const struct postfix *postfix, const char *service)
{
	const char *usual = postfix_value(postfix, NULL, "smtpd_policy_service_default_action");

	return strstr(service, "default_action") != NULL ||
	       g_ascii_strncasecmp(usual, "dunno", strlen("dunno")) == 0;
}

/* "{ unix:portcullis/policyd, timeout=10s }": the path; NULL: it is none. The caller frees it. */
static char *find_path(const char *service)
{
	const char *path = strstr(service, "unix:");

	return path == NULL ? NULL
			    : g_strndup(path + strlen("unix:"),
					strcspn(path + strlen("unix:"), ", \t}"));
}

/* As smtpd sees it, out of its chroot or not. */
static void look_at_socket(struct doctor *doctor, const struct postfix_service *service,
			   const char *path)
{
	const struct postfix *postfix = &doctor->postfix;
	const char *queue = postfix_value(postfix, NULL, "queue_directory");
	const char *account = postfix_value(postfix, NULL, "mail_owner");
	char *inside = g_build_filename(queue, path, NULL);
	const char *seen = path[0] != '/' || service->chroot ? inside : path;
	struct stat status;

	if (path[0] == '/' && service->chroot && stat(inside, &status) != 0)
		finding_add(&doctor->findings, FINDING_POLICY_SOCKET_OUTSIDE_CHROOT,
			    "main.cf: " CLASS, mend_postfix("postconf-commands.sh"),
			    "%s runs in %s, where there is no %s: it never reaches "
			    "portcullis-policyd",
			    service->name, queue, path);
	else if (stat(seen, &status) != 0 || !S_ISSOCK(status.st_mode))
		finding_add(&doctor->findings, FINDING_POLICY_SOCKET_MISSING, seen,
			    g_strdup("systemctl enable --now portcullis-policyd.socket"),
			    "there is no socket of portcullis-policyd");
	else if (account_access_as(account, NULL, seen, R_OK | W_OK) != 0)
		finding_add(&doctor->findings, FINDING_POLICY_SOCKET_FORBIDDEN, seen,
			    g_strdup("systemctl restart portcullis-policyd.socket"),
			    "the account %s may not connect to the socket of portcullis-policyd",
			    account);
	g_free(inside);
}

/* What is the same for all that ask is said once. */
static void look_at_way(struct doctor *doctor, const struct postfix_service *service,
			const char *asked)
{
	char *path = find_path(asked);

	if (!has_default_action(&doctor->postfix, asked))
		finding_add(&doctor->findings, FINDING_POLICY_SERVICE_DEFAULT_ACTION,
			    "main.cf: " CLASS, mend_postfix("postconf-commands.sh"),
			    "no default_action says what Postfix does without portcullis-policyd: "
			    "it turns all mail away while that cannot be reached");
	if (path != NULL)
		look_at_socket(doctor, service, path);
	g_free(path);
}

/* What is not for mail programs, such as a content filter's way back, need not ask. */
static bool has_to_ask(const struct postfix *postfix, const struct postfix_service *service)
{
	return is_usual_port(service) ||
	       (service->port != 0 && is_yes(postfix, service, "smtpd_sasl_auth_enable") &&
		postfix_value(postfix, service, "smtpd_upstream_proxy_protocol")[0] == '\0');
}

static void look_at_port_25(struct doctor *doctor, const struct postfix_service *service)
{
	const struct rule *rule =
		doctor_rule(doctor, KIND_SUBMISSION_PORT, PHASE_ENFORCE, PHASE_ENFORCE);
	char *where;

	if (rule == NULL || service->port != 25 ||
	    !is_yes(&doctor->postfix, service, "smtpd_sasl_auth_enable"))
		return;
	where = g_strdup_printf("%s/smtpd_sasl_auth_enable", service->name);
	finding_add(&doctor->findings, FINDING_SASL_ON_PORT_25, where,
		    mend_postfix("postconf-last-step.sh"),
		    "%s still takes logins, which the rule %s refuses", service->name, rule->title);
	g_free(where);
}

/* A policy about reading mail only asks nothing of Postfix. */
static bool asks_of_postfix(const struct policy *policy)
{
	const unsigned int services = SERVICE_BIT(SERVICE_SUBMISSION) | SERVICE_BIT(SERVICE_SMTP);

	for (size_t i = 0; i < policy->rule_count; i++) {
		if ((policy->rules[i].services & services) != 0)
			return !policy->smtp_enforced_at_auth;
	}
	return false;
}

void doctor_look_at_policy_services(struct doctor *doctor)
{
	const GArray *services = doctor->postfix.services;
	const struct postfix_service *asker = NULL;
	bool wanted = asks_of_postfix(doctor->policy);
	char *asked = NULL;

	for (guint i = 0; i < services->len; i++) {
		const struct postfix_service *service =
			&g_array_index(services, struct postfix_service, i);
		struct asking asking;

		look_at_port_25(doctor, service);
		if (!wanted || !has_to_ask(&doctor->postfix, service))
			continue;
		asking = find_asking(&doctor->postfix, service);
		look_at_service(doctor, service, &asking);
		/* One in a chroot sees less than others. */
		if (asking.service != NULL &&
		    (asker == NULL || (service->chroot && !asker->chroot))) {
			asker = service;
			g_free(asked);
			asked = g_steal_pointer(&asking.service);
		}
		g_free(asking.service);
	}
	if (asker != NULL)
		look_at_way(doctor, asker, asked);
	g_free(asked);
}
