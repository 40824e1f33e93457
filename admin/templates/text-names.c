#include "text-nodes.h"

#include <string.h>

#define MAIL TEXT_IN_MAIL
#define PAGE TEXT_IN_PAGE
#define ANYWHERE (MAIL | PAGE)
#define EACH_RULE TEXT_IN_EACH(TEXT_EACH_RULE)
#define EACH_SIGHTING TEXT_IN_EACH(TEXT_EACH_SIGHTING)
#define EACH_PROGRAM TEXT_IN_EACH(TEXT_EACH_PROGRAM)
#define EACH_BROWNOUT TEXT_IN_EACH(TEXT_EACH_BROWNOUT)
#define EACH_CHANGE TEXT_IN_EACH(TEXT_EACH_CHANGE)

static const struct {
	const char *name;
	unsigned int places;
} names[TEXT_NAME_COUNT] = {
	[TEXT_ORGANISATION] = {"organisation", ANYWHERE},
	[TEXT_HELP_URL] = {"help-url", ANYWHERE},
	[TEXT_CONTACT] = {"contact", ANYWHERE},
	[TEXT_WEBMAIL_URL] = {"webmail-url", ANYWHERE},
	[TEXT_VPN_URL] = {"vpn-url", ANYWHERE},
	[TEXT_USER_NAME] = {"user-name", ANYWHERE},
	[TEXT_IMAP_SERVER] = {"imap-server", ANYWHERE},
	[TEXT_IMAP_PORT] = {"imap-port", ANYWHERE},
	[TEXT_IMAP_ENCRYPTION] = {"imap-encryption", ANYWHERE},
	[TEXT_POP3_SERVER] = {"pop3-server", ANYWHERE},
	[TEXT_POP3_PORT] = {"pop3-port", ANYWHERE},
	[TEXT_POP3_ENCRYPTION] = {"pop3-encryption", ANYWHERE},
	[TEXT_SMTP_SERVER] = {"smtp-server", ANYWHERE},
	[TEXT_SMTP_PORT] = {"smtp-port", ANYWHERE},
	[TEXT_SMTP_ENCRYPTION] = {"smtp-encryption", ANYWHERE},
	[TEXT_NOW] = {"now", ANYWHERE},
	[TEXT_USER] = {"user", MAIL},
	[TEXT_DEADLINE] = {"deadline", MAIL},
	[TEXT_EXEMPT_UNTIL] = {"exempt-until", MAIL},
	[TEXT_NEEDS_SETTINGS] = {"needs-settings", MAIL},
	[TEXT_MORE] = {"more", MAIL},
	[TEXT_BROWNOUT_BEGIN] = {"brownout-begin", MAIL | EACH_BROWNOUT},
	[TEXT_BROWNOUT_END] = {"brownout-end", MAIL | EACH_BROWNOUT},
	[TEXT_RULE] = {"rule", EACH_RULE | EACH_CHANGE},
	[TEXT_WHAT] = {"what", EACH_RULE | EACH_CHANGE},
	[TEXT_SERVICES] = {"services", EACH_RULE | EACH_CHANGE},
	[TEXT_COUNTRIES] = {"countries", EACH_RULE},
	[TEXT_PORTS] = {"ports", EACH_RULE},
	[TEXT_MINIMUM] = {"minimum", EACH_RULE},
	[TEXT_NOTIFY] = {"notify", EACH_RULE},
	[TEXT_ENFORCE] = {"enforce", EACH_RULE},
	[TEXT_ENFORCED] = {"enforced", EACH_RULE},
	[TEXT_ENFORCE_ALWAYS] = {"enforce-always", EACH_RULE},
	[TEXT_PROGRAM] = {"program", EACH_SIGHTING},
	[TEXT_SERVICE] = {"service", EACH_SIGHTING},
	[TEXT_PORT] = {"port", EACH_SIGHTING},
	[TEXT_ENCRYPTION] = {"encryption", EACH_SIGHTING},
	[TEXT_MECHANISM] = {"mechanism", EACH_SIGHTING},
	[TEXT_MECHANISM_NAME] = {"mechanism-name", TEXT_IN_MECHANISM},
	[TEXT_COUNTRY] = {"country", EACH_SIGHTING},
	[TEXT_LAST_SEEN] = {"last-seen", EACH_SIGHTING},
	[TEXT_ADDRESS] = {"address", EACH_SIGHTING},
	[TEXT_REFUSED] = {"refused", EACH_SIGHTING},
	[TEXT_CHANGES] = {"changes", PAGE},
	[TEXT_CHANGE_DATE] = {"change-date", EACH_CHANGE},
	[TEXT_CHANGE_WHAT] = {"change-what", EACH_CHANGE},
	[TEXT_CHANGE_FROM] = {"change-from", EACH_CHANGE},
	[TEXT_CHANGE_TO] = {"change-to", EACH_CHANGE},
	[TEXT_WEEKDAY] = {"weekday", TEXT_IN_DATE},
	[TEXT_DAY] = {"day", TEXT_IN_DATE},
	[TEXT_MONTH] = {"month", TEXT_IN_DATE},
	[TEXT_YEAR] = {"year", TEXT_IN_DATE},
	[TEXT_HOUR] = {"hour", TEXT_IN_DATE},
	[TEXT_MINUTE] = {"minute", TEXT_IN_DATE},
};

static const struct {
	const char *name;
	unsigned int places; /* where such a loop can stand */
} loops[TEXT_LOOP_COUNT] = {
	[TEXT_EACH_RULE] = {"rule", ANYWHERE},       [TEXT_EACH_SIGHTING] = {"sighting", MAIL},
	[TEXT_EACH_PROGRAM] = {"program", ANYWHERE}, [TEXT_EACH_BROWNOUT] = {"brownout", EACH_RULE},
	[TEXT_EACH_CHANGE] = {"change", PAGE},
};

const char *text_name_spelling(enum text_name name)
{
	return names[name].name;
}

unsigned int text_name_places(enum text_name name)
{
	return names[name].places;
}

bool text_name_find(const char *text, enum text_name *name_r)
{
	for (unsigned int i = 0; i < TEXT_NAME_COUNT; i++) {
		if (strcmp(names[i].name, text) == 0) {
			*name_r = i;
			return true;
		}
	}
	return false;
}

const char *text_loop_spelling(enum text_loop loop)
{
	return loops[loop].name;
}

unsigned int text_loop_places(enum text_loop loop)
{
	return loops[loop].places;
}

bool text_loop_find(const char *text, enum text_loop *loop_r)
{
	for (unsigned int i = 0; i < TEXT_LOOP_COUNT; i++) {
		if (strcmp(loops[i].name, text) == 0) {
			*loop_r = i;
			return true;
		}
	}
	return false;
}
