/* Load for a policy daemon: so many connections, each sending its next request
   when the last one is answered, as smtpd does. Prints the requests per second.

   Usage: policyd-load SOCKET-PATH CONNECTIONS SECONDS REQUEST-FILE
	  policyd-load --idle SOCKET-PATH CONNECTIONS PID REQUEST-FILE

   REQUEST-FILE holds a request without its instance and its empty line; both are
   appended, another instance each time. With --idle each connection asks once
   and then rests, and the resident memory of the process PID is printed, in
   KiB. */

#define _GNU_SOURCE /* memmem() */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 8192

static char request[REQUEST_MAX];
static size_t request_length; /* without instance and empty line */

static void read_request(const char *path)
{
	FILE *file = fopen(path, "r");

	if (file == NULL)
		err(1, "%s", path);
	request_length = fread(request, 1, sizeof(request) - 64, file);
	fclose(file);
}

static void ask(int fd)
{
	static unsigned long instance;
	int added = snprintf(request + request_length, 64, "instance=%lx.1\n\n", ++instance);
	size_t length = request_length + (size_t)added;

	if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
		err(1, "send");
}

static void take_answer(int fd)
{
	char answer[2048];
	ssize_t got = read(fd, answer, sizeof(answer));

	if (got < 2)
		errx(1, "the daemon closed the connection");
	if (memcmp(answer, "action=", strlen("action=")) != 0 ||
	    memcmp(answer + got - 2, "\n\n", 2) != 0)
		errx(1, "not one answer: %.*s", (int)got, answer);
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

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void load(const char *path, unsigned long connections, double seconds)
{
	struct epoll_event ready[64], event = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);
	unsigned long answers = 0;
	double begin, end;

	if (set < 0)
		err(1, "epoll_create1");
	for (unsigned long i = 0; i < connections; i++) {
		event.data.fd = connect_to(path);
		if (epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
			err(1, "epoll_ctl");
		ask(event.data.fd);
	}
	begin = seconds_now();
	do {
		int count = epoll_wait(set, ready, 64, -1);

		if (count < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < count; i++) {
			take_answer(ready[i].data.fd);
			answers++;
			ask(ready[i].data.fd);
		}
		end = seconds_now();
	} while (end - begin < seconds);
	printf("%.0f\n", (double)answers / (end - begin));
}

static void print_resident_memory(const char *pid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "r");
	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL) {
		unsigned long kib;

		if (sscanf(line, "VmRSS: %lu kB", &kib) == 1)
			printf("%lu\n", kib);
	}
	fclose(file);
}

static void idle(const char *path, unsigned long connections, const char *pid)
{
	for (unsigned long i = 0; i < connections; i++) {
		int fd = connect_to(path);

		ask(fd);
		take_answer(fd);
	}
	print_resident_memory(pid);
}

int main(int argc, char **argv)
{
	bool resting = argc > 1 && strcmp(argv[1], "--idle") == 0;

	argv += resting;
	if (argc - resting != 5) {
		fputs("Usage: policyd-load SOCKET-PATH CONNECTIONS SECONDS REQUEST-FILE\n"
		      "       policyd-load --idle SOCKET-PATH CONNECTIONS PID REQUEST-FILE\n",
		      stderr);
		return 64;
	}
	read_request(argv[4]);
	if (resting)
		idle(argv[1], strtoul(argv[2], NULL, 10), argv[3]);
	else
		load(argv[1], strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
	return 0;
}
