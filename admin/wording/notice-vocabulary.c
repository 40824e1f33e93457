#include "notice-vocabulary.h"

#define MAIL PLACE_MAIL
#define PAGE PLACE_PAGE
#define ANYWHERE (MAIL | PAGE)
#define IN_RULE PLACE_EACH(EACH_RULE)
#define IN_SIGHTING PLACE_EACH(EACH_SIGHTING)
#define IN_PROGRAM PLACE_EACH(EACH_PROGRAM)
#define IN_BROWNOUT PLACE_EACH(EACH_BROWNOUT)
#define IN_CHANGE PLACE_EACH(EACH_CHANGE)

static const struct text_name names[VALUE_COUNT] = {
	[VALUE_ORGANISATION] = {"organisation", ANYWHERE, NULL},
	[VALUE_HELP_URL] = {"help-url", ANYWHERE, NULL},
	[VALUE_CONTACT] = {"contact", ANYWHERE, NULL},
	[VALUE_WEBMAIL_URL] = {"webmail-url", ANYWHERE, NULL},
	[VALUE_VPN_URL] = {"vpn-url", ANYWHERE, NULL},
	[VALUE_PASSWORD_URL] = {"password-url", ANYWHERE, NULL},
	[VALUE_USER_NAME] = {"user-name", ANYWHERE, NULL},
	[VALUE_IMAP_SERVER] = {"imap-server", ANYWHERE, NULL},
	[VALUE_IMAP_PORT] = {"imap-port", ANYWHERE, NULL},
	[VALUE_IMAP_ENCRYPTION] = {"imap-encryption", ANYWHERE, NULL},
	[VALUE_POP3_SERVER] = {"pop3-server", ANYWHERE, NULL},
	[VALUE_POP3_PORT] = {"pop3-port", ANYWHERE, NULL},
	[VALUE_POP3_ENCRYPTION] = {"pop3-encryption", ANYWHERE, NULL},
	[VALUE_SMTP_SERVER] = {"smtp-server", ANYWHERE, NULL},
	[VALUE_SMTP_PORT] = {"smtp-port", ANYWHERE, NULL},
	[VALUE_SMTP_ENCRYPTION] = {"smtp-encryption", ANYWHERE, NULL},
	[VALUE_NOW] = {"now", ANYWHERE, NULL},
	[VALUE_USER] = {"user", MAIL, NULL},
	[VALUE_DEADLINE] = {"deadline", MAIL, NULL},
	[VALUE_EXEMPT_UNTIL] = {"exempt-until", MAIL, NULL},
	[VALUE_NEEDS_SETTINGS] = {"needs-settings", MAIL, NULL},
	[VALUE_MORE] = {"more", MAIL, NULL},
	[VALUE_BROWNOUT_BEGIN] = {"brownout-begin", MAIL | IN_BROWNOUT, NULL},
	[VALUE_BROWNOUT_END] = {"brownout-end", MAIL | IN_BROWNOUT, NULL},
	[VALUE_RULE] = {"rule", IN_RULE | IN_CHANGE, NULL},
	[VALUE_WHAT] = {"what", IN_RULE | IN_CHANGE, NULL},
	[VALUE_SERVICES] = {"services", IN_RULE | IN_CHANGE, NULL},
	[VALUE_COUNTRIES] = {"countries", IN_RULE, NULL},
	[VALUE_PORTS] = {"ports", IN_RULE, NULL},
	[VALUE_MINIMUM] = {"minimum", IN_RULE, NULL},
	[VALUE_NOTIFY] = {"notify", IN_RULE, NULL},
	[VALUE_ENFORCE] = {"enforce", IN_RULE, NULL},
	[VALUE_ENFORCED] = {"enforced", IN_RULE, NULL},
	[VALUE_ENFORCE_ALWAYS] = {"enforce-always", IN_RULE, NULL},
	[VALUE_CHANGE] = {"change", IN_RULE, SECTION_CHANGE},
	[VALUE_PROGRAM] = {"program", IN_SIGHTING, NULL},
	[VALUE_SERVICE] = {"service", IN_SIGHTING, NULL},
	[VALUE_PORT] = {"port", IN_SIGHTING, NULL},
	[VALUE_ENCRYPTION] = {"encryption", IN_SIGHTING, NULL},
	[VALUE_MECHANISM] = {"mechanism", IN_SIGHTING, NULL},
	[VALUE_MECHANISM_NAME] = {"mechanism-name", PLACE_MECHANISM, NULL},
	[VALUE_COUNTRY] = {"country", IN_SIGHTING, NULL},
	[VALUE_LAST_SEEN] = {"last-seen", IN_SIGHTING, NULL},
	[VALUE_ADDRESS] = {"address", IN_SIGHTING, NULL},
	[VALUE_REFUSED] = {"refused", IN_SIGHTING, NULL},
	[VALUE_STEPS] = {"steps", IN_PROGRAM, "steps-"},
	[VALUE_CHANGES] = {"changes", PAGE, NULL},
	[VALUE_CHANGE_DATE] = {"change-date", IN_CHANGE, NULL},
	[VALUE_CHANGE_WHAT] = {"change-what", IN_CHANGE, NULL},
	[VALUE_CHANGE_FROM] = {"change-from", IN_CHANGE, NULL},
	[VALUE_CHANGE_TO] = {"change-to", IN_CHANGE, NULL},
	[VALUE_WEEKDAY] = {"weekday", PLACE_DATE, NULL},
	[VALUE_DAY] = {"day", PLACE_DATE, NULL},
	[VALUE_MONTH] = {"month", PLACE_DATE, NULL},
	[VALUE_YEAR] = {"year", PLACE_DATE, NULL},
	[VALUE_HOUR] = {"hour", PLACE_DATE, NULL},
	[VALUE_MINUTE] = {"minute", PLACE_DATE, NULL},
};

static const struct text_loop loops[EACH_COUNT] = {
	[EACH_RULE] = {"rule", ANYWHERE, IN_RULE},
	[EACH_SIGHTING] = {"sighting", MAIL, IN_SIGHTING},
	[EACH_PROGRAM] = {"program", ANYWHERE, IN_PROGRAM},
	[EACH_BROWNOUT] = {"brownout", IN_RULE, IN_BROWNOUT},
	[EACH_CHANGE] = {"change", PAGE, IN_CHANGE},
};

static const struct text_word words[WORD_COUNT] = {
	[WORD_WEEKDAYS] = {"weekdays", 0, 7},
	[WORD_MONTHS] = {"months", 0, 12},
	[WORD_DATE] = {"date", PLACE_DATE, 0},
	[WORD_DATE_TIME] = {"date-time", PLACE_DATE, 0},
	[WORD_AND] = {"and", 0, 0},
	[WORD_OR] = {"or", 0, 0},
	[WORD_ANY_TIME] = {"any-time", 0, 0},
	[WORD_OTHER_LANGUAGE] = {"other-language", 0, 0},
	[WORD_SERVICE_IMAP] = {"service.imap", 0, 0},
	[WORD_SERVICE_POP3] = {"service.pop3", 0, 0},
	[WORD_SERVICE_SIEVE] = {"service.sieve", 0, 0},
	[WORD_SERVICE_SUBMISSION] = {"service.submission", 0, 0},
	[WORD_SERVICE_SMTP] = {"service.smtp", 0, 0},
	[WORD_TLS_NONE] = {"tls.none", 0, 0},
	[WORD_TLS_STARTTLS] = {"tls.starttls", 0, 0},
	[WORD_TLS_IMPLICIT] = {"tls.implicit", 0, 0},
	[WORD_MECHANISM_NORMAL] = {"mechanism.normal", PLACE_MECHANISM, 0},
	[WORD_MECHANISM_ENCRYPTED] = {"mechanism.encrypted", PLACE_MECHANISM, 0},
	[WORD_MECHANISM_OTHER] = {"mechanism.other", PLACE_MECHANISM, 0},
	[WORD_PROGRAM_UNKNOWN] = {"program.unknown", 0, 0},
	[WORD_WHAT_ENCRYPTION] = {"what.encryption", IN_RULE, 0},
	[WORD_WHAT_IMPLICIT_TLS] = {"what.implicit-tls", IN_RULE, 0},
	[WORD_WHAT_MECHANISM] = {"what.mechanism", IN_RULE, 0},
	[WORD_WHAT_COUNTRY] = {"what.country", IN_RULE, 0},
	[WORD_WHAT_PROTOCOL] = {"what.protocol", IN_RULE, 0},
	[WORD_WHAT_SUBMISSION_PORT] = {"what.submission-port", IN_RULE, 0},
	[WORD_WHAT_RELAY] = {"what.relay", IN_RULE, 0},
	[WORD_CHANGE_NOTIFY] = {"change.notify", 0, 0},
	[WORD_CHANGE_ENFORCE] = {"change.enforce", 0, 0},
	[WORD_CHANGE_BROWNOUT] = {"change.brown-out", 0, 0},
};

static const char *const heads[] = {HEAD_MAIL, HEAD_PAGE, NULL};

const struct text_vocabulary notice_vocabulary = {
	.names = names,
	.name_count = VALUE_COUNT,
	.loops = loops,
	.loop_count = EACH_COUNT,
	.words = words,
	.word_count = WORD_COUNT,
	.word_section = "words",
	.heads = heads,
};
