#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "listener.h"
#include "policy/config.h"

/* As long as Postfix waits (smtpd_policy_service_timeout). */
#define REQUEST_TIMEOUT_DEFAULT 100
#define REQUEST_TIMEOUT_MAX 3600

/* Postfix's own sockets are open to all as well: who may connect is decided by
   the directory. The daemon cannot give a socket to Postfix's user anyway. */
#define SOCKET_MODE_DEFAULT 0666

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

static int usage_error(const char *format, const char *value)
{
	fputs("portcullis-policyd: ", stderr);
	fprintf(stderr, format, value);
	fputs("\n", stderr);
	print_usage(stderr);
	return EX_USAGE;
}

static bool parse_number(const char *text, int base, unsigned long max, unsigned long *number_r)
{
	char *end;

	errno = 0;
	*number_r = strtoul(text, &end, base);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && *number_r <= max;
}

/* Each of these returns as options_parse(). */

static int take_address(struct options *options, const char *address)
{
	if (!listener_address_valid(address))
		return usage_error("\"%s\" is neither unix:PATH nor inet:HOST:PORT", address);
	options->addresses[options->address_count++] = address;
	return -1;
}

static int take_socket_mode(struct options *options, const char *mode)
{
	unsigned long number;

	if (!parse_number(mode, 8, 0777, &number))
		return usage_error("\"%s\" is not an octal file mode", mode);
	options->socket_mode = (mode_t)number;
	return -1;
}

static int take_request_timeout(struct options *options, const char *seconds)
{
	unsigned long number;

	if (!parse_number(seconds, 10, REQUEST_TIMEOUT_MAX, &number) || number == 0)
		return usage_error("\"%s\" is not a number of seconds from 1 to 3600", seconds);
	options->request_timeout = (unsigned int)number;
	return -1;
}

static int take_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'c':
		options->config = value;
		return -1;
	case 'l':
		return take_address(options, value);
	case 'm':
		return take_socket_mode(options, value);
	case 's':
		options->log_target = LOG_TARGET_SYSLOG;
		return -1;
	case 't':
		return take_request_timeout(options, value);
	case 'u':
		options->user = value;
		return -1;
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

static int take_options(int argc, char **argv, struct options *options)
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
	int option, status;

	while ((option = getopt_long(argc, argv, "c:l:m:st:u:Vh", names, NULL)) != -1) {
		status = take_option(options, option, optarg);
		if (status >= 0)
			return status;
	}
	return -1;
}

int options_parse(int argc, char **argv, struct options *options_r)
{
	int status;

	*options_r = (struct options){.config = CONFIG_DEFAULT_PATH,
				      .socket_mode = SOCKET_MODE_DEFAULT,
				      .request_timeout = REQUEST_TIMEOUT_DEFAULT,
				      .addresses = calloc((size_t)argc, sizeof(char *))};
	if (options_r->addresses == NULL)
		return EX_OSERR;
	status = take_options(argc, argv, options_r);
	if (status >= 0)
		return status;
	if (optind < argc)
		return usage_error("unexpected argument \"%s\"", argv[optind]);
	if (options_r->address_count == 0 && !listeners_can_inherit())
		return usage_error("no address to listen on%s", "");
	return -1;
}

void options_free(struct options *options)
{
	free(options->addresses);
}
