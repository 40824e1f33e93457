/* Load for Dovecot's auth process: so many logins by PLAIN through its socket,
   many of them outstanding. Prints the CPU time, in nanoseconds a login, that
   all threads of the process together took for it.

   Usage: auth-load SOCKET-PATH PID LOGINS home|abroad USER-PREFIX

   Every login has a user and an address of its own: the address is of a German
   provider, or with "abroad" of one in the United States or Japan. */

#define _GNU_SOURCE /* memmem(), asprintf() */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "random-bits.h"

#define OUTSTANDING_MAX 1000
#define PASSWORD "secret"

/* In which the journal's thread, too, comes to rest. */
#define REST_MICROSECONDS 200000

/* A provider's network, large enough for a user each. */
struct provider {
	int family;
	const char *network;
	unsigned int prefix_length;
};

static const struct provider home[] = {
	{AF_INET, "79.192.0.0", 10},
	{AF_INET, "84.128.0.0", 10},
	{AF_INET, "217.224.0.0", 11},
	{AF_INET6, "2003:c0::", 26},
};

static const struct provider abroad[] = {
	{AF_INET, "73.0.0.0", 8},
	{AF_INET, "126.0.0.0", 8},
	{AF_INET, "68.32.0.0", 11},
	{AF_INET6, "2601::", 20},
};

#define PROVIDERS (sizeof(home) / sizeof(*home))

static void make_address(const struct provider *providers, char text_r[static INET6_ADDRSTRLEN])
{
	const struct provider *provider = &providers[random_bits() % PROVIDERS];
	unsigned char bytes[16], random[16];
	uint64_t halves[2] = {random_bits(), random_bits()};
	unsigned int kept = provider->prefix_length / 8;
	unsigned char mask = (unsigned char)(0xff >> provider->prefix_length % 8);

	memcpy(random, halves, sizeof(random));
	inet_pton(provider->family, provider->network, bytes);
	bytes[kept] |= random[kept] & mask;
	memcpy(bytes + kept + 1, random + kept + 1, sizeof(bytes) - kept - 1);
	inet_ntop(provider->family, bytes, text_r, INET6_ADDRSTRLEN);
}

static void base64(const char *from, size_t length, char *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < length ? (unsigned char)from[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			*to++ = i + j <= length ? digits[bits >> (18 - 6 * j) & 63] : '=';
	}
	*to = '\0';
}

/* What imap-login sends. */
static void print_request(FILE *stream, unsigned long id, const struct provider *providers,
			  const char *prefix)
{
	char address[INET6_ADDRSTRLEN], session[17], resp[256], sasl[128];
	uint64_t random[2] = {random_bits(), random_bits()};
	int length = snprintf(sasl, sizeof(sasl), "%c%s%lu@example.org%c" PASSWORD, '\0', prefix,
			      id, '\0');

	if (length < 0 || (size_t)length >= sizeof(sasl))
		errx(1, "%s: too long", prefix);
	make_address(providers, address);
	base64((const char *)random, 12, session);
	base64(sasl, (size_t)length, resp);
	fprintf(stream,
		"AUTH\t%lu\tPLAIN\tservice=imap\tsecured=tls\tsession=%s\tlip=192.0.2.10\t"
		"rip=%s\tlport=993\trport=%" PRIu64 "\tlocal_name=imap.example.org\tresp=%s\n",
		id, session, address, 1024 + random[1] % 60000, resp);
}

static uint64_t cpu_nanoseconds(const char *pid)
{
	uint64_t sum = 0;
	char *path;
	DIR *tasks;
	struct dirent *task;

	if (asprintf(&path, "/proc/%s/task", pid) < 0)
		err(1, "asprintf");
	tasks = opendir(path);
	if (tasks == NULL)
		err(1, "%s", path);
	free(path);
	while ((task = readdir(tasks)) != NULL) {
		uint64_t on_cpu;
		FILE *file;

		if (task->d_name[0] == '.')
			continue;
		if (asprintf(&path, "/proc/%s/task/%s/schedstat", pid, task->d_name) < 0)
			err(1, "asprintf");
		file = fopen(path, "r");
		if (file == NULL || fscanf(file, "%" SCNu64, &on_cpu) != 1)
			err(1, "%s", path);
		fclose(file);
		free(path);
		sum += on_cpu;
	}
	closedir(tasks);
	return sum;
}

static void send_all(int fd, const char *bytes, size_t length)
{
	if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "%s: too long", path);
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
	return fd;
}

/* Both sides introduce themselves; the server ends with DONE. */
static void shake_hands(int fd)
{
	char text[8192];
	size_t length = 0;
	int hello = snprintf(text, sizeof(text), "VERSION\t1\t2\nCPID\t%ld\n", (long)getpid());

	send_all(fd, text, (size_t)hello);
	while (memmem(text, length, "\nDONE\n", strlen("\nDONE\n")) == NULL) {
		ssize_t got = read(fd, text + length, sizeof(text) - length);

		if (got <= 0)
			errx(1, "no handshake from the auth process");
		length += (size_t)got;
	}
}

/* How many logins the answers that came say are fine. */
static unsigned long take_answers(int fd)
{
	static char bytes[65536];
	static size_t kept; /* the beginning of a line */
	unsigned long count = 0;
	ssize_t got = recv(fd, bytes + kept, sizeof(bytes) - kept, MSG_DONTWAIT);
	char *line = bytes, *end, *newline;

	if (got <= 0)
		errx(1, "the auth process closed the connection");
	end = bytes + kept + got;
	while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		if (memcmp(line, "OK\t", 3) != 0)
			errx(1, "not what a right password deserves: %.*s", (int)(newline - line),
			     line);
		count++;
		line = newline + 1;
	}
	kept = (size_t)(end - line);
	memmove(bytes, line, kept);
	return count;
}

/* All requests, one behind the other. */
struct requests {
	char *bytes;
	size_t *ends;
	unsigned long count;
};

static void make_requests(const struct provider *providers, const char *prefix,
			  struct requests *requests)
{
	size_t length;
	FILE *stream = open_memstream(&requests->bytes, &length);

	requests->ends = calloc(requests->count, sizeof(*requests->ends));
	if (stream == NULL || requests->ends == NULL)
		err(1, "requests");
	for (unsigned long i = 0; i < requests->count; i++) {
		print_request(stream, i + 1, providers, prefix);
		requests->ends[i] = (size_t)ftell(stream);
	}
	if (fclose(stream) != 0)
		err(1, "requests");
}

static void log_in(int fd, const struct requests *requests)
{
	unsigned long answered = 0;
	size_t sent = 0;

	while (answered < requests->count) {
		unsigned long last = answered + OUTSTANDING_MAX;
		size_t end = requests->ends[(last < requests->count ? last : requests->count) - 1];
		struct pollfd ready = {.fd = fd,
				       .events = (short)(POLLIN | (sent < end ? POLLOUT : 0))};

		if (poll(&ready, 1, 10000) <= 0)
			errx(1, "the auth process does not answer");
		if ((ready.revents & POLLOUT) != 0) {
			ssize_t written = send(fd, requests->bytes + sent, end - sent,
					       MSG_NOSIGNAL | MSG_DONTWAIT);

			if (written < 0 && errno != EAGAIN)
				err(1, "send");
			sent += written < 0 ? 0 : (size_t)written;
		}
		if ((ready.revents & (POLLIN | POLLHUP)) != 0)
			answered += take_answers(fd);
	}
}

int main(int argc, char **argv)
{
	struct requests requests = {0};
	uint64_t before, after;
	int fd;

	if (argc != 6) {
		fputs("Usage: auth-load SOCKET-PATH PID LOGINS home|abroad USER-PREFIX\n", stderr);
		return 64;
	}
	requests.count = strtoul(argv[3], NULL, 10);
	if (requests.count == 0)
		errx(1, "%s: how many logins?", argv[3]);
	make_requests(strcmp(argv[4], "abroad") == 0 ? abroad : home, argv[5], &requests);

	fd = connect_to(argv[1]);
	shake_hands(fd);
	before = cpu_nanoseconds(argv[2]);
	log_in(fd, &requests);
	usleep(REST_MICROSECONDS);
	after = cpu_nanoseconds(argv[2]);
	printf("%.1f\n", (double)(after - before) / (double)requests.count);
	return 0;
}
