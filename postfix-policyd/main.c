#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "identity.h"
#include "listener.h"
#include "log.h"
#include "server.h"
#include "policy/last-valid.h"
#include "policy/message-writer.h"

/* As long as Postfix waits (smtpd_policy_service_timeout). */
#define REQUEST_TIMEOUT_DEFAULT 100
#define REQUEST_TIMEOUT_MAX 3600

/* Postfix's own sockets are open to all as well: who may connect is decided by
   the directory. The daemon cannot give a socket to Postfix's user anyway. */
#define SOCKET_MODE_DEFAULT 0666

struct options {
	const char *config;
	const char *user; /* NULL: stays who it is */
	const char **addresses;
	size_t address_count;
	mode_t socket_mode;
	unsigned int request_timeout;
	enum log_target log_target;
};

static void print_usage(FILE *file)
{
	fputs("Usage: portcullis-policyd [-c FILE] -l unix:PATH|inet:HOST:PORT [-l ...]\n"
	      "\n"
	      "  -c, --config FILE              read FILE instead of " CONFIG_DEFAULT_PATH "\n"
	      "  -l, --listen ADDRESS           listen on unix:PATH or inet:HOST:PORT\n"
	      "  -m, --socket-mode MODE         file mode of Unix sockets, octal (0666)\n"
	      "  -s, --syslog                   log to syslog instead of standard error\n"
	      "  -t, --request-timeout SECONDS  time for a request to arrive (100)\n"
	      "  -u, --user USER                become USER once the sockets are open\n"
	      "  -V, --version                  print the version\n"
	      "  -h, --help                     print this\n",
	      file);
}

static bool parse_number(const char *text, int base, unsigned long max, unsigned long *number_r)
{
	char *end;

	errno = 0;
	*number_r = strtoul(text, &end, base);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number_r <= max;
}

static int usage_error(const char *format, const char *value)
{
	fputs("portcullis-policyd: ", stderr);
	fprintf(stderr, format, value);
	fputs("\n", stderr);
	print_usage(stderr);
	return EX_USAGE;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {{"config", required_argument, NULL, 'c'},
					      {"listen", required_argument, NULL, 'l'},
					      {"socket-mode", required_argument, NULL, 'm'},
					      {"syslog", no_argument, NULL, 's'},
					      {"request-timeout", required_argument, NULL, 't'},
					      {"user", required_argument, NULL, 'u'},
					      {"version", no_argument, NULL, 'V'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	unsigned long number;
	int option;

	while ((option = getopt_long(argc, argv, "c:l:m:st:u:Vh", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'l':
			if (!listener_address_valid(optarg))
				return usage_error("\"%s\" is neither unix:PATH nor "
						   "inet:HOST:PORT",
						   optarg);
			options->addresses[options->address_count++] = optarg;
			break;
		case 'm':
			if (!parse_number(optarg, 8, 0777, &number))
				return usage_error("\"%s\" is not an octal file mode", optarg);
			options->socket_mode = (mode_t)number;
			break;
		case 's':
			options->log_target = LOG_TARGET_SYSLOG;
			break;
		case 't':
			if (!parse_number(optarg, 10, REQUEST_TIMEOUT_MAX, &number) || number == 0)
				return usage_error(
					"\"%s\" is not a number of seconds from 1 to 3600", optarg);
			options->request_timeout = (unsigned int)number;
			break;
		case 'u':
			options->user = optarg;
			break;
		case 'V':
			puts("portcullis-policyd " PORTCULLIS_VERSION);
			return EX_OK;
		case 'h':
			print_usage(stdout);
			return EX_OK;
		default:
			print_usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument \"%s\"", argv[optind]);
	if (options->address_count == 0 && !listeners_can_inherit())
		return usage_error("no address to listen on%s", "");
	return -1;
}

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
	messages_post(messages, MESSAGE_INFO, "version %s ready, policy %s", PORTCULLIS_VERSION,
		      options->config);
	done = server_run(listeners, &answerer, options->request_timeout, &error);
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
	struct options options = {.config = CONFIG_DEFAULT_PATH,
				  .socket_mode = SOCKET_MODE_DEFAULT,
				  .request_timeout = REQUEST_TIMEOUT_DEFAULT,
				  .addresses = calloc((size_t)argc, sizeof(char *))};
	struct listeners listeners = {0};
	/* As messages in serve(): a thread that hangs on a disk still knows it. */
	static struct valid_copies copies = {.directory = PORTCULLIS_LAST_VALID,
					     .server = SOURCE_POSTFIX};
	struct policy *policy;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (options.addresses == NULL)
		return EX_OSERR;
	status = parse_options(argc, argv, &options);
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
	free(options.addresses);
	return status;
}
