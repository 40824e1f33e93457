#define _GNU_SOURCE /* memfd_create() */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/utf8.h"

#define DESCRIPTOR_PATH_SIZE sizeof("/proc/self/fd/-2147483648")

void require(bool condition)
{
	if (!condition)
		abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[DESCRIPTOR_PATH_SIZE];
	static int file = -1;

	if (file < 0) {
		file = memfd_create("fuzz", MFD_CLOEXEC);
		require(file >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
	return path;
}

const char *fuzz_folder(void)
{
	static char path[DESCRIPTOR_PATH_SIZE];
	char program[4096], name[sizeof(program) + sizeof(".folder")];
	ssize_t length;
	int folder;

	if (path[0] != '\0')
		return path;
	length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	require(length > 0);
	program[length] = '\0';
	snprintf(name, sizeof(name), "%s.folder", program);
	require(mkdir(name, 0700) == 0 || errno == EEXIST);
	folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	require(folder >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	return path;
}

static const char configuration[] =
	"organisation = \"Example University\"\n"
	"help-url = \"https://www.example.org/mail\"\n"
	"default-domain = \"example.org\"\n"
	"country-database = \"/nonexistent/country.mmdb\"\n"
	"network campus { addresses = { \"192.0.2.0/24\", \"2001:db8::/32\" } }\n"
	"rule encryption { enforce = \"2024-09-20\" minimum = \"TLSv1.2\" grace = \"7d\" }\n"
	"rule implicit-tls { notify = \"2024-09-20\" except-networks = { \"campus\" } }\n"
	"rule mechanism { observe = \"always\" }\n"
	"rule country { allow = { \"DE\", \"AT\" } enforce = \"always\" }\n"
	"rule abroad { kind = \"country\" allow = { \"FR\" } unknown = \"allow\" notify = "
	"\"always\" }\n"
	"rule protocol { services = { \"pop3\" } notify = \"always\" enforce = \"2030-01-01\" "
	"brownouts = { \"2029-08-20 10:00 +4h\" } }\n"
	"rule submission-port { client-networks = { \"campus\" } enforce = \"always\" }\n"
	"rule relay { allow-networks = { \"campus\" } enforce = \"always\" }\n"
	"notices { from = \"postmaster@example.org\" languages = { \"en\" } }\n";

static void complain(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "%s\n", message);
}

const struct policy *fuzz_policy(void)
{
	static struct policy *policy;

	if (policy == NULL) {
		setenv("TZ", "Europe/Berlin", 1);
		policy = config_load_text("portcullis.conf", configuration, strlen(configuration),
					  complain, complain, NULL);
		require(policy != NULL);
	}
	return policy;
}

void fuzz_report(void *context, const char *message)
{
	struct fuzz_reports *reports = context;
	size_t length = strlen(reports->file);

	require(strncmp(message, reports->file, length) == 0 && message[length] == ':');
	require(strchr(message, '\n') == NULL);
	reports->count++;
}
