#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "systemd.h"

static enum log_target log_target;
static bool log_with_priority;

static int syslog_priority(enum message_level level)
{
	switch (level) {
	case MESSAGE_INFO:
		return LOG_INFO;
	case MESSAGE_WARNING:
		return LOG_WARNING;
	case MESSAGE_ERROR:
		break;
	}
	return LOG_ERR;
}

/* systemd.exec(5): $JOURNAL_STREAM names the device and inode of the journal's
   socket; standard error may have been redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	/* NOLINTNEXTLINE(cert-err34-c): a number too large is of no device */
	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(enum log_target target)
{
	log_target = target;
	log_with_priority = stderr_is_journal();
	if (target == LOG_TARGET_SYSLOG)
		openlog("portcullis-policyd", LOG_PID | LOG_NDELAY, LOG_MAIL);
}

/* One write for a line; no stdio, which would want to finish it at the exit of a
   process whose log stands still. */
static void write_line(const char *begin, const char *text)
{
	const struct iovec parts[] = {
		{.iov_base = (char *)begin, .iov_len = strlen(begin)},
		{.iov_base = (char *)text, .iov_len = strlen(text)},
		{.iov_base = (char *)"\n", .iov_len = 1},
	};

	if (writev(STDERR_FILENO, parts, 3) < 0)
		return; /* there is nowhere to say so */
}

void log_write(enum message_level level, const char *text)
{
	static const char *const priorities[] = {
		[MESSAGE_INFO] = SD_INFO,
		[MESSAGE_WARNING] = SD_WARNING,
		[MESSAGE_ERROR] = SD_ERR,
	};
	static const char *const words[] = {
		[MESSAGE_INFO] = "portcullis-policyd: ",
		[MESSAGE_WARNING] = "portcullis-policyd: warning: ",
		[MESSAGE_ERROR] = "portcullis-policyd: error: ",
	};

	if (log_target == LOG_TARGET_SYSLOG)
		syslog(syslog_priority(level), "%s", text);
	else
		write_line(log_with_priority ? priorities[level] : words[level], text);
}
