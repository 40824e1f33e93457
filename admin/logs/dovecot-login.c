#define _GNU_SOURCE /* memmem() */
#include "dovecot-elements.h"
#include "openssl-text.h"

/* A message is "REASON: ELEMENTS". Reasons are those of src/login-common/client-common.c and
   login-proxy.c in Dovecot 2.2 to 2.4. */

/* How many attempts a reason speaks of. */
struct attempts {
	uint32_t count; /* 0: of none */
	bool verified;
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WORDS(text) {text, sizeof(text) - 1}

/* ---- taking messages apart ---- */

static const char *find(struct log_slice text, const char *words)
{
	return memmem(text.text, text.length, words, strlen(words));
}

/* Takes what a text begins with off it. */
static inline bool take(struct log_slice *text, const char *words)
{
	if (!log_slice_begins(*text, words))
		return false;
	*text = log_slice_behind(*text, strlen(words));
	return true;
}

/* Takes all off that is before the words, and them. */
static bool take_to(struct log_slice *text, const char *words)
{
	const char *found = find(*text, words);

	if (found == NULL)
		return false;
	*text = log_slice_behind(*text, (size_t)(found - text->text) + strlen(words));
	return true;
}

static bool take_to_character(struct log_slice *text, char character)
{
	const char *found = memchr(text->text, character, text->length);

	if (found == NULL)
		return false;
	*text = log_slice_behind(*text, (size_t)(found - text->text) + 1);
	return true;
}

static bool begins_with_one_of(struct log_slice text, const struct log_slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text.length >= words[i].length && text.text[0] == words[i].text[0] &&
		    memcmp(text.text, words[i].text, words[i].length) == 0)
			return true;
	}
	return false;
}

static bool take_service(struct log_slice *message, enum service *service_r)
{
	if (take(message, "imap-login: "))
		*service_r = SERVICE_IMAP;
	else if (take(message, "pop3-login: "))
		*service_r = SERVICE_POP3;
	else if (take(message, "submission-login: "))
		*service_r = SERVICE_SUBMISSION;
	else if (take(message, "managesieve-login: "))
		*service_r = SERVICE_SIEVE;
	else
		return false;
	return true;
}

/* ---- what is told ---- */

static enum dovecot_answer read_elements(struct log_slice elements, enum dovecot_answer answer,
					 struct attempts attempts, struct dovecot_login *login)
{
	login->user[0] = login->mechanism[0] = '\0';
	login->session = LOG_SESSION_NONE;
	login->login = (struct log_login){
		.host = "",
		.source = SOURCE_DOVECOT,
		.service = login->login.service,
		.tls = LOG_TLS_UNMENTIONED,
		.user = login->user,
		.mechanism = login->mechanism,
		.client_id = "",
		.verified = attempts.verified,
		.count = attempts.count,
	};
	dovecot_elements_read(elements, login);
	/* Whoever is anonymous has shown that he is nobody. */
	if (strcmp(login->mechanism, "ANONYMOUS") == 0)
		login->login.verified = false;
	/* Whoever tries a name may write a session into it. */
	if (!attempts.verified)
		login->session = LOG_SESSION_NONE;
	return answer;
}

static enum dovecot_answer read_login(struct log_slice elements, enum dovecot_series series,
				      struct dovecot_login *login)
{
	(void)read_elements(elements, DOVECOT_LOGIN, (struct attempts){1, true}, login);
	login->login.series = series;
	return DOVECOT_LOGIN;
}

/* ---- how it ended ---- */

static bool take_number(struct log_slice *text, uint32_t *number_r)
{
	size_t length = 0;

	*number_r = 0;
	while (length < text->length && text->text[length] >= '0' && text->text[length] <= '9' &&
	       *number_r < UINT32_MAX / 10)
		*number_r = *number_r * 10 + (uint32_t)(text->text[length++] - '0');
	*text = log_slice_behind(*text, length);
	return length > 0;
}

/* "auth failed, 2 attempts in 9 secs", "internal failure, 1 successful auths", 2.4 "login
   disabled, 1/2 successful auths in 9 secs". The user that follows is the one of the last
   attempt: his password was right for sure only where all were. A proxy may take any password,
   and leave it to the server behind it. */
static bool read_counted(struct log_slice reason, struct attempts *attempts_r)
{
	bool proxied = log_slice_begins(reason, "proxy dest");
	uint32_t right;

	if (!take_to_character(&reason, ',') || !take(&reason, " ") ||
	    !take_number(&reason, &right))
		return false;
	attempts_r->count = right;
	if (take(&reason, " attempts"))
		return right > 0;
	if (take(&reason, "/")) {
		if (!take_number(&reason, &attempts_r->count))
			return false;
		attempts_r->verified = right == attempts_r->count && !proxied;
	}
	return take(&reason, " successful auths") && attempts_r->count > 0;
}

/* Reasons that do not say how many attempts there were. */
static bool is_one_attempt(struct log_slice reason)
{
	static const struct log_slice reasons[] = {
		WORDS("client didn't finish SASL auth"),
		WORDS("disconnected while authenticating"),
		WORDS("disconnected while finishing login"),
		WORDS("aborted authentication"),
		WORDS("tried to use disallowed plaintext auth"),
		WORDS("tried to use disabled plaintext auth"),
		WORDS("tried to use unsupported auth mechanism"),
		WORDS("auth process communication failure"),
		WORDS("auth service reported temporary failure"),
		WORDS("proxy dest auth failed"),
		WORDS("user disabled"),
		WORDS("password expired"),
		WORDS("login disabled"),
		WORDS("sent invalid base64 in response"),
	};

	return begins_with_one_of(reason, reasons, COUNT(reasons));
}

static bool is_no_attempt(struct log_slice reason)
{
	static const struct log_slice reasons[] = {
		WORDS("no auth attempts"),
		WORDS("disconnected during TLS handshake"),
		WORDS("disconnected before auth was ready"),
		WORDS("The process is shutting down"),
		WORDS("client_limit and process_limit was hit"),
		WORDS("cert required, client didn't start TLS"),
		WORDS("client didn't send a cert"),
		WORDS("client sent an invalid cert"),
		WORDS("client sent an untrusted cert"),
	};

	return begins_with_one_of(reason, reasons, COUNT(reasons));
}

/* What stands in brackets. False when it is not known. */
static bool read_reason(struct log_slice reason, struct attempts *attempts_r)
{
	*attempts_r = (struct attempts){0};
	if (is_no_attempt(reason))
		return true;
	/* Who has too many connections is told so when he has logged in, and it is then that no
	   mail process can be had: "Internal login failure (pid=7 id=1)". */
	if (log_slice_begins(reason, "mail_max_userip_connections=") ||
	    log_slice_begins(reason, "pid=")) {
		*attempts_r = (struct attempts){1, true};
		return true;
	}
	if (read_counted(reason, attempts_r))
		return true;
	*attempts_r = (struct attempts){1, false};
	return is_one_attempt(reason);
}

/* There may be several in brackets; the first that is known counts. */
static bool find_reason(struct log_slice text, struct attempts *attempts_r)
{
	while (take_to_character(&text, '(')) {
		if (read_reason(text, attempts_r))
			return true;
	}
	return false;
}

/* Takes "REASON): " off a text. */
static bool take_end(struct log_slice *text, struct log_slice *end_r)
{
	const char *begin = text->text;

	while (take_to_character(text, ')')) {
		*end_r = (struct log_slice){begin, (size_t)(text->text - begin)};
		if (take(text, ": "))
			return true;
	}
	return false;
}

static bool has_no_common_tls(struct log_slice text)
{
	return find(text, "SSL_accept() failed") != NULL && openssl_says_no_common_version(text);
}

/* "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=..." */
static enum dovecot_answer read_end(struct log_slice text, struct dovecot_login *login)
{
	struct log_slice elements = text, end;
	struct attempts attempts;

	if (!take_end(&elements, &end) || !find_reason(end, &attempts))
		return DOVECOT_UNKNOWN;
	if (attempts.count > 0)
		return read_elements(elements, DOVECOT_LOGIN, attempts, login);
	if (has_no_common_tls(text))
		return read_elements(elements, DOVECOT_NO_COMMON_TLS, (struct attempts){1, false},
				     login);
	return DOVECOT_PASSED_OVER;
}

/* "proxy(alice,192.0.2.1:143): Started proxying to <192.0.2.1> (0.02 secs): user=...", 2.2
   "proxy(alice): started proxying to 192.0.2.1:143: user=..." Where it stands twice, it is of a
   name, which may be one that was not let in. */
static enum dovecot_answer read_proxy(struct log_slice text, struct dovecot_login *login)
{
	static const char begin[] = "tarted proxying to ";

	if (!take_to(&text, begin))
		return DOVECOT_PASSED_OVER;
	return find(text, begin) == NULL && take_to(&text, ": ")
		       ? read_login(text, DOVECOT_ANY, login)
		       : DOVECOT_UNKNOWN;
}

/* What comes before, or beside, the line that tells how it ended. */
static bool is_passed_over(struct log_slice text)
{
	static const struct log_slice beginnings[] = {
		WORDS("Error: "),
		WORDS("Warning: "),
		WORDS("Debug: "),
		WORDS("Fatal: "),
		WORDS("Panic: "),
		WORDS("Login failed"),
		WORDS("Authenticate "),
		WORDS("APOP failed"),
		WORDS("ID sent: "),
		WORDS("Pre-login "),
		WORDS("SSL is disabled"),
		WORDS("Valid certificate"),
		WORDS("Invalid certificate"),
	};

	return begins_with_one_of(text, beginnings, COUNT(beginnings));
}

enum dovecot_answer dovecot_login_read(struct log_slice message, struct dovecot_login *login_r)
{
	if (!take_service(&message, &login_r->login.service))
		return DOVECOT_PASSED_OVER;
	(void)take(&message, "Info: ");
	if (take(&message, "Login: "))
		return read_login(message, DOVECOT_2_3, login_r);
	if (take(&message, "Logged in: "))
		return read_login(message, DOVECOT_2_4, login_r);
	if (take(&message, "proxy("))
		return read_proxy(message, login_r);
	return is_passed_over(message) ? DOVECOT_PASSED_OVER : read_end(message, login_r);
}
