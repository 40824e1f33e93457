#ifndef PORTCULLIS_TEXT_TEMPLATE_H
#define PORTCULLIS_TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/config.h"

/* Texts with placeholders, conditions and loops, as portcullis-notices(5) has
   them: parsed once, rendered often. Memory is GLib's, which ends the process
   when there is none. */

/* What can stand in braces. The spelling stands in text-template.c. */
enum text_name {
	TEXT_ORGANISATION,
	TEXT_HELP_URL,
	TEXT_CONTACT,
	TEXT_WEBMAIL_URL,
	TEXT_VPN_URL,
	TEXT_USER_NAME,
	TEXT_IMAP_SERVER,
	TEXT_IMAP_PORT,
	TEXT_IMAP_ENCRYPTION,
	TEXT_POP3_SERVER,
	TEXT_POP3_PORT,
	TEXT_POP3_ENCRYPTION,
	TEXT_SMTP_SERVER,
	TEXT_SMTP_PORT,
	TEXT_SMTP_ENCRYPTION,
	TEXT_NOW,
	TEXT_USER,
	TEXT_DEADLINE,
	TEXT_EXEMPT_UNTIL,
	TEXT_NEEDS_SETTINGS,
	TEXT_MORE,
	TEXT_BROWNOUT_BEGIN,
	TEXT_BROWNOUT_END,
	TEXT_RULE,
	TEXT_WHAT,
	TEXT_SERVICES,
	TEXT_COUNTRIES,
	TEXT_PORTS,
	TEXT_MINIMUM,
	TEXT_NOTIFY,
	TEXT_ENFORCE,
	TEXT_ENFORCED,
	TEXT_ENFORCE_ALWAYS,
	TEXT_PROGRAM,
	TEXT_SERVICE,
	TEXT_PORT,
	TEXT_ENCRYPTION,
	TEXT_MECHANISM,
	TEXT_MECHANISM_NAME,
	TEXT_COUNTRY,
	TEXT_LAST_SEEN,
	TEXT_ADDRESS,
	TEXT_REFUSED,
	TEXT_CHANGES,
	TEXT_CHANGE_DATE,
	TEXT_CHANGE_WHAT,
	TEXT_CHANGE_FROM,
	TEXT_CHANGE_TO,
	TEXT_WEEKDAY,
	TEXT_DAY,
	TEXT_MONTH,
	TEXT_YEAR,
	TEXT_HOUR,
	TEXT_MINUTE,
	TEXT_NAME_COUNT
};

enum text_loop {
	TEXT_EACH_RULE,
	TEXT_EACH_SIGHTING,
	TEXT_EACH_PROGRAM,
	TEXT_EACH_BROWNOUT,
	TEXT_EACH_CHANGE,
	TEXT_LOOP_COUNT
};

/* Where a name has a value: in mails, on the page, within loops, in words. */
#define TEXT_IN_MAIL 0x01u
#define TEXT_IN_PAGE 0x02u
#define TEXT_IN_EACH(loop) (0x04u << (loop))
#define TEXT_IN_DATE 0x100u
#define TEXT_IN_MECHANISM 0x200u

enum text_block {
	TEXT_PARAGRAPH,
	TEXT_HEADING,
	TEXT_SUBHEADING,
	TEXT_ITEM,
	TEXT_NUMBERED_ITEM,
};

/* One "[name]" of a file, parsed. */
struct text_section;
/* Part of one line, a word for instance. */
struct text_pieces;
/* All sections of one language. */
struct text_sections;

/* Where the values come from. A value that is NULL or "" is not there: {if} is
   false for it. They must be fit for one line of text. */
struct text_source {
	const char *values[TEXT_NAME_COUNT];
	/* Sections that {change} and {steps} stand for, within their loops. */
	const char *change;
	const char *steps;
	/* Sets the values for one turn of a loop; false when there is none. */
	bool (*select)(struct text_source *source, enum text_loop loop, size_t index);
};

/* Where rendered blocks go, each a line of UTF-8 however long. */
struct text_writer {
	void (*write)(struct text_writer *writer, enum text_block block, const char *text);
};

struct text_sections *text_sections_create(void);
void text_sections_free(struct text_sections *sections);

/* Adds the sections of a file that are not there yet, so the file that counts
   more comes first. Reports mistakes; false when there were any. [words] is
   given to word() line by line, untouched. */
bool text_sections_add(struct text_sections *sections, const char *file, const char *text,
		       bool (*word)(void *context, const char *file, unsigned int line,
				    const char *key, const char *value),
		       config_report *error, void *context);

bool text_sections_has(const struct text_sections *sections, const char *name);

/* Checks the section and what it includes, when it is used in that place (some
   TEXT_IN_...): that names have a value there, that included sections exist and do
   not include themselves. False when there were mistakes. */
bool text_sections_check(struct text_sections *sections, const char *name, unsigned int place,
			 config_report *error, void *context);

/* Reports sections that no check came by: nothing uses them. */
bool text_sections_check_unused(struct text_sections *sections, config_report *error,
				void *context);

/* Exists after a successful check. */
void text_sections_render(const struct text_sections *sections, const char *name,
			  struct text_source *source, struct text_writer *writer);

/* The "Subject:" or "Title:" line of a section; the caller frees it with g_free(). */
char *text_sections_head(const struct text_sections *sections, const char *name,
			 const struct text_source *source);

/* Parses a word. NULL when there is a mistake, which is reported. */
struct text_pieces *text_pieces_parse(struct text_sections *sections, const char *file,
				      unsigned int line, const char *text, unsigned int place,
				      config_report *error, void *context);
/* The caller frees it with g_free(). */
char *text_pieces_render(const struct text_pieces *pieces, const struct text_source *source);

#endif
