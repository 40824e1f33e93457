/* How much judging costs on top of looking up a country.

   bench-judge PORTCULLIS.CONF: judges logins from random addresses by that
   policy, and looks the same addresses up with libmaxminddb alone, by turns.
   Prints nanoseconds and the ratio of each round, then the medians. */

#include <arpa/inet.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "policy/config.h"
#include "policy/judge.h"
#include "random-bits.h"

#define ADDRESSES 200000
#define ROUNDS 11

/* A client's address as each of the two wants it. */
struct client {
	struct address address;
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} socket_address;
};

static void make_client(struct client *client, bool ipv4)
{
	if (ipv4) {
		struct sockaddr_in *to = &client->socket_address.ipv4;

		to->sin_family = AF_INET;
		to->sin_addr.s_addr = (in_addr_t)random_bits();
		address_from_ipv4(&to->sin_addr, &client->address);
	} else {
		struct sockaddr_in6 *to = &client->socket_address.ipv6;
		uint64_t halves[2] = {random_bits(), random_bits()};

		to->sin6_family = AF_INET6;
		memcpy(&to->sin6_addr, halves, sizeof(halves));
		/* 2000::/3, where addresses are given out. */
		to->sin6_addr.s6_addr[0] = 0x20 | (to->sin6_addr.s6_addr[0] & 0x0f);
		address_from_ipv6(&to->sin6_addr, &client->address);
	}
}

static double nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What both measurements must agree on, so that none can be left out. */
struct round {
	double each;
	unsigned long found;
};

static struct round look_up_all(const MMDB_s *database, const struct client *clients)
{
	struct round round = {0};
	double start = nanoseconds();

	for (size_t i = 0; i < ADDRESSES; i++) {
		int error;
		MMDB_lookup_result_s result =
			MMDB_lookup_sockaddr(database, &clients[i].socket_address.any, &error);

		round.found += result.found_entry;
	}
	round.each = (nanoseconds() - start) / ADDRESSES;
	return round;
}

static struct round look_up_code_all(const MMDB_s *database, const struct client *clients)
{
	struct round round = {0};
	double start = nanoseconds();

	for (size_t i = 0; i < ADDRESSES; i++) {
		int error;
		MMDB_entry_data_s data;
		MMDB_lookup_result_s result =
			MMDB_lookup_sockaddr(database, &clients[i].socket_address.any, &error);

		if (result.found_entry &&
		    MMDB_get_value(&result.entry, &data, "country_code", NULL) == MMDB_SUCCESS)
			round.found++;
	}
	round.each = (nanoseconds() - start) / ADDRESSES;
	return round;
}

static struct round judge_all(const struct edition *edition, const struct client *clients)
{
	struct attempt attempt = {
		.source = SOURCE_DOVECOT,
		.service = SERVICE_IMAP,
		.tls = TLS_IMPLICIT,
		.port = 993,
		.user = "alice@example.org",
		.mechanism = "PLAIN",
		.client_id = "",
		.session = "",
	};
	struct round round = {0};
	double start = nanoseconds();
	time_t now = time(NULL);

	for (size_t i = 0; i < ADDRESSES; i++) {
		struct verdict verdict;

		attempt.client = clients[i].address;
		judge(edition, &attempt, now, &verdict);
		round.found += verdict.country.code[0] != '\0';
	}
	round.each = (nanoseconds() - start) / ADDRESSES;
	return round;
}

static int compare(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(double numbers[static ROUNDS])
{
	qsort(numbers, ROUNDS, sizeof(*numbers), compare);
	return numbers[ROUNDS / 2];
}

enum family { IPV4, IPV6, BOTH };

static void measure(const char *name, const MMDB_s *database, const struct edition *edition,
		    enum family family)
{
	struct client *clients = calloc(ADDRESSES, sizeof(*clients));
	double bare[ROUNDS], code[ROUNDS], judged[ROUNDS], ratio[ROUNDS], code_ratio[ROUNDS];

	if (clients == NULL)
		exit(EX_OSERR);
	for (size_t i = 0; i < ADDRESSES; i++)
		make_client(&clients[i], family == IPV4 || (family == BOTH && i % 2 == 0));
	look_up_all(database, clients); /* to warm up */
	judge_all(edition, clients);
	for (size_t i = 0; i < ROUNDS; i++) {
		struct round bare_round = look_up_all(database, clients);
		struct round code_round = look_up_code_all(database, clients);
		struct round judged_round = judge_all(edition, clients);

		if (judged_round.found > bare_round.found || code_round.found == 0)
			exit(EX_SOFTWARE);
		bare[i] = bare_round.each;
		code[i] = code_round.each;
		judged[i] = judged_round.each;
		ratio[i] = judged[i] / bare[i];
		code_ratio[i] = judged[i] / code[i];
	}
	printf("%s  bare lookup %4.0f ns  lookup and code %4.0f ns  judge %4.0f ns  "
	       "judge/bare %.2f  judge/code %.2f\n",
	       name, median(bare), median(code), median(judged), median(ratio), median(code_ratio));
	free(clients);
}

static void report(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

int main(int argc, char **argv)
{
	struct edition edition;
	struct policy *policy;
	struct country_database *countries;
	MMDB_s database;
	char *error = NULL;

	if (argc != 2) {
		fprintf(stderr, "usage: bench-judge PORTCULLIS.CONF\n");
		return EX_USAGE;
	}
	policy = config_load(argv[1], report, report, NULL);
	if (policy == NULL)
		return EX_CONFIG;
	countries = country_database_open(policy->country_database, &error);
	if (countries == NULL) {
		fprintf(stderr, "%s: %s\n", policy->country_database, error);
		return EX_NOINPUT;
	}
	if (MMDB_open(policy->country_database, MMDB_MODE_MMAP, &database) != MMDB_SUCCESS)
		return EX_NOINPUT;
	edition = (struct edition){.policy = policy, .countries = countries};
	printf("%zu rules, %u nodes, median of %d rounds of %d addresses\n", policy->rule_count,
	       database.metadata.node_count, ROUNDS, ADDRESSES);
	measure("IPv4", &database, &edition, IPV4);
	measure("IPv6", &database, &edition, IPV6);
	measure("both", &database, &edition, BOTH);
	MMDB_close(&database);
	country_database_close(countries);
	policy_free(policy);
	return EX_OK;
}
