#include "dovecot-compat.h"
#include "portcullis.h"
#include "policy/message-writer.h"
#include "server-log.h"
#include "ways-around.h"

#include <unistd.h>

/* How often it is looked at whether counted decisions are to be told of. */
#define TELL_MILLISECONDS 5000

struct portcullis *portcullis_list;

static struct valid_copies copies = {.directory = PORTCULLIS_LAST_VALID, .server = SOURCE_DOVECOT};

static void report_error(void *context ATTR_UNUSED, const char *message)
{
	i_error("portcullis: %s", message);
}

static void report_warning(void *context ATTR_UNUSED, const char *message)
{
	i_warning("portcullis: %s", message);
}

static void log_messages(struct messages *messages)
{
	enum message_level level;
	char text[MESSAGE_SIZE];

	while (messages_take(messages, &level, text)) {
		switch (level) {
		case MESSAGE_INFO:
			i_info("portcullis: %s", text);
			break;
		case MESSAGE_WARNING:
			i_warning("portcullis: %s", text);
			break;
		case MESSAGE_ERROR:
			i_error("portcullis: %s", text);
			break;
		}
	}
}

static struct portcullis *portcullis_find(const char *path)
{
	struct portcullis *portcullis;

	for (portcullis = portcullis_list; portcullis != NULL; portcullis = portcullis->next) {
		if (strcmp(portcullis->path, path) == 0)
			return portcullis;
	}
	return NULL;
}

/* Whom this process will be when it has read its configuration as root. */
static uid_t auth_user(void)
{
	struct restrict_access_settings settings;

	restrict_access_get_env(&settings);
	return settings.uid == (uid_t)-1 ? geteuid() : settings.uid;
}

static void portcullis_free(struct portcullis *portcullis)
{
	bool threads_ended = keeper_free(portcullis->keeper);

	threads_ended = journal_free(portcullis->journal) && threads_ended;
	timeout_remove(&portcullis->telling);
	decision_log_free(portcullis->decisions);
	if (portcullis->writer != NULL)
		threads_ended = message_writer_stop(portcullis->writer) && threads_ended;
	else if (portcullis->messages != NULL)
		log_messages(portcullis->messages);
	/* Else what a thread that hangs in a disk still uses is left to it. */
	if (threads_ended) {
		messages_free(portcullis->messages);
		i_free(portcullis->path);
	}
	i_free(portcullis);
}

struct portcullis *portcullis_open(const char *path, const char **error_r)
{
	struct portcullis *portcullis = portcullis_find(path);
	struct keeper_sources sources;
	struct policy *policy;

	if (portcullis != NULL)
		return portcullis;

	copies.user = auth_user();
	policy = last_valid_load(&copies, path, report_error, report_warning, NULL);
	if (policy == NULL) {
		*error_r = t_strdup_printf("Cannot use %s, see the errors above", path);
		return NULL;
	}
	warn_of_mechanisms_without_passdb(policy);

	portcullis = i_new(struct portcullis, 1);
	portcullis->path = i_strdup(path);
	portcullis->messages = messages_create();
	if (portcullis->messages != NULL) {
		portcullis->journal =
			journal_create(policy->journal, SOURCE_DOVECOT, portcullis->messages);
		portcullis->decisions = decision_log_create(portcullis->messages);
		sources = (struct keeper_sources){.config = portcullis->path,
						  .copies = &copies,
						  .messages = portcullis->messages};
		portcullis->keeper = keeper_create(policy, &sources);
	}
	if (portcullis->keeper == NULL || portcullis->journal == NULL ||
	    portcullis->decisions == NULL) {
		/* The process ends now, so nobody asks who owns the policy. */
		*error_r = t_strdup_printf("Cannot set up %s: %m", path);
		portcullis_free(portcullis);
		return NULL;
	}
	log_messages(portcullis->messages);
	portcullis->next = portcullis_list;
	portcullis_list = portcullis;
	return portcullis;
}

void portcullis_start(struct portcullis *portcullis)
{
	if (portcullis->started)
		return;
	portcullis->started = TRUE;
	server_log_init();
	portcullis->writer = message_writer_start(portcullis->messages, server_log_write);
	if (portcullis->writer == NULL) {
		i_error("portcullis: Cannot start a thread, so NO DECISION IS LOGGED "
			"until Dovecot is restarted: %m");
	}
	portcullis->telling =
		timeout_add(TELL_MILLISECONDS, decision_log_tell_due, portcullis->decisions);
	if (!keeper_start(portcullis->keeper)) {
		i_error("portcullis: Cannot start a thread, so exemptions and country database "
			"stay as they are until Dovecot is restarted: %m");
	}
	if (!journal_start(portcullis->journal)) {
		i_error("portcullis: Cannot start a thread, so NOTHING IS RECORDED "
			"until Dovecot is restarted: %m");
	}
}

void portcullis_close_all(void)
{
	while (portcullis_list != NULL) {
		struct portcullis *portcullis = portcullis_list;

		portcullis_list = portcullis->next;
		portcullis_free(portcullis);
	}
}
