/* Lines of a log, of which strangers write parts: what is told of logins stands there, each
   mail or trial is told once, and nothing is left. */

#define _GNU_SOURCE /* memmem() */
#include "fuzz.h"

#include <string.h>

#include "admin/logs/postfix-smtpd.h"

/* The part up to a text, behind which the rest then begins. */
static struct log_slice cut(struct log_slice *rest, const char *text)
{
	const char *end = memmem(rest->text, rest->length, text, strlen(text));
	struct log_slice slice = {rest->text, 0};

	if (end == NULL)
		return slice;
	slice.length = (size_t)(end - rest->text);
	*rest = log_slice_behind(*rest, slice.length + strlen(text));
	return slice;
}

/* How many logins come out. */
static uint64_t take(struct postfix_smtpd *smtpd, struct log_slice all)
{
	struct log_login login;
	uint64_t count = 0;

	while (postfix_smtpd_next(smtpd, &login)) {
		require(login.count >= 1);
		require(strlen(login.user) <= 320 && strlen(login.mechanism) < 32);
		require(memmem(all.text, all.length, login.user, strlen(login.user)) != NULL);
		require(memmem(all.text, all.length, login.host, strlen(login.host)) != NULL);
		require(!login.verified || *login.user != '\0');
		require(login.tls != LOG_TLS_NONE || login.tls_version == TLS_VERSION_UNKNOWN);
		require(login.port == 0 || login.port == 25 || login.port == 465 ||
			login.port == 587);
		count += login.count;
	}
	return count;
}

/* As the unit test writes them: "HOST PROGRAM[PROCESS]: MESSAGE". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log_slice all = {size > 0 ? (const char *)data : "", size};
	struct postfix_smtpd *smtpd = postfix_smtpd_create(NULL);
	struct log_slice rest = all;
	uint64_t lines = 0, logins = 0;

	while (rest.length > 0) {
		const char *newline = memchr(rest.text, '\n', rest.length);
		struct smtpd_line line = {.time = (int64_t)lines, .message = rest, .count = 1};

		if (newline != NULL)
			line.message.length = (size_t)(newline - rest.text);
		rest = log_slice_behind(rest, line.message.length + (newline != NULL));
		line.host = cut(&line.message, " ");
		line.program = cut(&line.message, "[");
		line.process = cut(&line.message, "]: ");
		if (!postfix_smtpd_is(line.program))
			continue;
		lines++;
		postfix_smtpd_read(smtpd, &line);
		logins += take(smtpd, all);
	}
	postfix_smtpd_end(smtpd);
	logins += take(smtpd, all);
	require(logins <= lines);
	postfix_smtpd_end(smtpd);
	require(take(smtpd, all) == 0);
	postfix_smtpd_free(smtpd);
	return 0;
}
