#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "identity.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "server.h"
#include "policy/last-valid.h"
#include "policy/message-writer.h"

static int open_listeners(const struct options *options, struct listeners *listeners)
{
	char *error = NULL;
	bool done = listeners_inherit(listeners, &error);

	for (size_t i = 0; done && i < options->address_count; i++)
		done = listeners_open(listeners, options->addresses[i], options->socket_mode,
				      &error);
	if (done)
		return EX_OK;
	log_write(MESSAGE_ERROR, error != NULL ? error : "out of memory");
	free(error);
	return EX_OSERR;
}

static int become_user(const char *user)
{
	char *error = NULL;

	if (user == NULL || identity_become(user, &error))
		return EX_OK;
	log_write(MESSAGE_ERROR, error != NULL ? error : "out of memory");
	free(error);
	return EX_NOUSER;
}

static void report_error(void *context, const char *message)
{
	(void)context;
	log_write(MESSAGE_ERROR, message);
}

static void report_warning(void *context, const char *message)
{
	(void)context;
	log_write(MESSAGE_WARNING, message);
}

static void write_messages(struct messages *messages)
{
	enum message_level level;
	char text[MESSAGE_SIZE];

	while (messages_take(messages, &level, text))
		log_write(level, text);
}

/* Takes the policy over. */
static int serve(struct policy *policy, const struct valid_copies *copies,
		 struct listeners *listeners, const struct options *options)
{
	/* Never freed: a thread that hangs on a disk may have something to say
	   as long as the process lives. */
	static struct messages *messages;
	struct answerer answerer = {.instances = instances_create()};
	struct keeper_sources sources = {.config = options->config, .copies = copies};
	struct message_writer *writer = NULL;
	const char *error = "out of memory";
	bool done = false;

	answerer.messages = messages = messages_create();
	if (messages != NULL)
		answerer.decisions = decision_log_create(messages);
	if (answerer.decisions != NULL && answerer.instances != NULL)
		answerer.journal = journal_create(policy->journal, SOURCE_POSTFIX, messages);
	sources.messages = messages;
	if (answerer.journal != NULL)
		answerer.keeper = keeper_create(policy, &sources);
	else
		policy_free(policy);
	if (answerer.keeper == NULL)
		goto cleanup;

	error = "cannot start a thread";
	writer = message_writer_start(messages, log_write);
	if (writer == NULL || !keeper_start(answerer.keeper) || !journal_start(answerer.journal))
		goto cleanup;
	if (identity_is_root())
		messages_post(messages, MESSAGE_WARNING,
			      "runs with all rights of root, which it does not need: "
			      "start it by systemd, or with -u USER");
	done = server_run(listeners, &answerer, options, &error);
cleanup:
	keeper_free(answerer.keeper);
	journal_free(answerer.journal);
	decision_log_free(answerer.decisions);
	if (messages != NULL && (writer == NULL || message_writer_stop(writer)))
		write_messages(messages);
	instances_free(answerer.instances);
	if (!done)
		log_write(MESSAGE_ERROR, error);
	return done ? EX_OK : EX_OSERR;
}

int main(int argc, char **argv)
{
	struct options options;
	struct listeners listeners = {0};
	/* As messages in serve(): a thread that hangs on a disk still knows it. */
	static struct valid_copies copies = {.directory = PORTCULLIS_LAST_VALID,
					     .server = SOURCE_POSTFIX};
	struct policy *policy;
	int status;

	signal(SIGPIPE, SIG_IGN);
	status = options_parse(argc, argv, &options);
	if (status >= 0)
		goto cleanup;
	log_open(options.log_target);
	status = open_listeners(&options, &listeners);
	if (status == EX_OK)
		status = become_user(options.user);
	if (status != EX_OK)
		goto cleanup;
	/* As who it will be when it reads them again. */
	copies.user = geteuid();
	policy = last_valid_load(&copies, options.config, report_error, report_warning, NULL);
	status = policy == NULL ? EX_CONFIG : serve(policy, &copies, &listeners, &options);
cleanup:
	listeners_close(&listeners);
	options_free(&options);
	return status;
}
