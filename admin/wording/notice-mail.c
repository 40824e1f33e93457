#include "notice-mail.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "admin/sightings/harmless-text.h"
#include "admin/templates/text-writers.h"
#include "notice-devices.h"
#include "notice-values.h"
#include "policy/mail-address.h"

#define USER_CHARACTERS 80
#define MECHANISM_LENGTH 32

/* The texts of one notice in one language. */
struct edition_of_notice {
	struct notice_values values; /* first: text_source's select() gets it */
	const struct notice *notice;
	const GArray *devices;
	enum mail_program programs[MAIL_PROGRAM_COUNT];
	size_t program_count;
};

struct notice_composer {
	const struct policy *policy;
	struct edition_of_notice *editions; /* one a language */
	size_t edition_count;
	GString *plain;
	GString *html;
	GString *subject;
};

static const char *mechanism(struct notice_values *values, const char *name)
{
	static const char *const normal[] = {"PLAIN", "LOGIN"};
	static const char *const encrypted[] = {"CRAM-MD5", "DIGEST-MD5", "APOP", "NTLM", "SCRAM"};
	size_t length = strlen(name);

	/* RFC 4422, 3.1; anything else is none. */
	if (length == 0 || length > MECHANISM_LENGTH ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != length)
		return NULL;
	values->source.values[TEXT_MECHANISM_NAME] = name;
	for (size_t i = 0; i < G_N_ELEMENTS(normal); i++) {
		if (strcmp(name, normal[i]) == 0)
			return notice_value_word(values, WORD_MECHANISM_NORMAL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(encrypted); i++) {
		if (g_str_has_prefix(name, encrypted[i]))
			return notice_value_word(values, WORD_MECHANISM_ENCRYPTED);
	}
	return notice_value_word(values, WORD_MECHANISM_OTHER);
}

static const char *client_address(struct notice_values *values, const char *client)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];

	if (!address_parse(client, &address))
		return NULL;
	address_format(&address, text);
	return notice_value_keep(values, text);
}

static void set_device(struct notice_values *values, const struct notice_device *device)
{
	const struct notice_sighting *sighting = device->sighting;
	const char **texts = values->source.values;

	texts[TEXT_PROGRAM] = device->program != NULL
				      ? device->program
				      : notice_value_word(values, WORD_PROGRAM_UNKNOWN);
	texts[TEXT_SERVICE] = notice_value_word(values, WORD_SERVICE_IMAP + sighting->service);
	texts[TEXT_PORT] = sighting->port == 0 ? NULL : notice_value_number(values, sighting->port);
	texts[TEXT_ENCRYPTION] = notice_value_word(values, WORD_TLS_NONE + sighting->tls);
	texts[TEXT_MECHANISM] = mechanism(values, sighting->mechanism);
	texts[TEXT_COUNTRY] = notice_value_country(values, sighting->country);
	texts[TEXT_LAST_SEEN] = notice_value_moment(values, sighting->last_seen);
	texts[TEXT_ADDRESS] = client_address(values, sighting->client);
	texts[TEXT_REFUSED] = device->refused ? "yes" : NULL;
}

static bool select_turn(struct text_source *source, enum text_loop loop, size_t index)
{
	struct edition_of_notice *edition = (struct edition_of_notice *)source;
	const struct notice *notice = edition->notice;

	switch (loop) {
	case TEXT_EACH_RULE:
		if (index >= notice->rule_count)
			return false;
		notice_values_set_rule(&edition->values, notice->rules[index].rule,
				       notice->rules[index].enforce);
		return true;
	case TEXT_EACH_SIGHTING:
		if (index >= edition->devices->len || index >= NOTICE_DEVICES_MAX)
			return false;
		set_device(&edition->values,
			   &g_array_index(edition->devices, struct notice_device, index));
		return true;
	case TEXT_EACH_PROGRAM:
		if (index >= edition->program_count)
			return false;
		source->steps = mail_program_steps(edition->programs[index]);
		return true;
	case TEXT_EACH_BROWNOUT:
		if (index > 0 || edition->values.source.values[TEXT_BROWNOUT_BEGIN] == NULL)
			return false;
		return true;
	case TEXT_EACH_CHANGE:
	case TEXT_LOOP_COUNT:
		break;
	}
	return false;
}

/* The first day on which something stops working; before a brown-out, what is switched
   off in it. */
static time_t deadline(const struct notice *notice, const struct notice_rule *tried)
{
	time_t first = SCHEDULE_NEVER;

	if (notice->reason == NOTICE_BROWNOUT && tried != NULL)
		return tried->enforce;
	for (size_t i = 0; i < notice->rule_count; i++) {
		time_t enforce = notice->rules[i].enforce;

		if (enforce > notice->date && enforce < first)
			first = enforce;
	}
	return first;
}

/* The rule that has the next brown-out, or NULL. */
static const struct notice_rule *next_brownout(const struct notice *notice)
{
	const struct notice_rule *next = NULL;

	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		if (rule->brownout.end > notice->date &&
		    (next == NULL || rule->brownout.begin < next->brownout.begin))
			next = rule;
	}
	return next;
}

/* Other settings are of no help against the rest. */
static bool needs_settings(const struct notice *notice)
{
	for (size_t i = 0; i < notice->rule_count; i++) {
		enum kind kind = notice->rules[i].rule->kind;

		if (kind != KIND_COUNTRY && kind != KIND_RELAY)
			return true;
	}
	return false;
}

static void set_notice(struct edition_of_notice *edition, const struct notice *notice,
		       const GArray *devices)
{
	struct notice_values *values = &edition->values;
	const char **texts = values->source.values;
	const struct notice_rule *tried = next_brownout(notice);
	char *user = harmless_text(notice->user, USER_CHARACTERS);

	notice_values_begin(values, notice->date);
	edition->notice = notice;
	edition->devices = devices;
	edition->program_count = notice_device_programs(devices, edition->programs);
	texts[TEXT_USER] = notice_value_keep(values, user);
	texts[TEXT_DEADLINE] = notice_value_date(values, deadline(notice, tried));
	texts[TEXT_NEEDS_SETTINGS] = needs_settings(notice) ? "yes" : NULL;
	if (notice->exempt_until != 0)
		texts[TEXT_EXEMPT_UNTIL] = notice_value_date(values, notice->exempt_until);
	if (devices->len > NOTICE_DEVICES_MAX)
		texts[TEXT_MORE] = notice_value_number(values, devices->len - NOTICE_DEVICES_MAX);
	if (tried != NULL)
		notice_values_set_brownout(values, &tried->brownout);
	g_free(user);
}

struct notice_composer *notice_composer_create(const struct policy *policy,
					       const struct notice_texts *texts)
{
	struct notice_composer *composer = g_new0(struct notice_composer, 1);

	g_mime_init();
	composer->policy = policy;
	composer->edition_count = notice_texts_count(texts);
	composer->editions = g_new0(struct edition_of_notice, composer->edition_count);
	for (size_t i = 0; i < composer->edition_count; i++) {
		struct notice_values *values = &composer->editions[i].values;

		notice_values_init(values, policy, notice_texts_language(texts, i));
		values->source.select = select_turn;
	}
	composer->plain = g_string_sized_new(8192);
	composer->html = g_string_sized_new(16384);
	composer->subject = g_string_sized_new(256);
	return composer;
}

void notice_composer_free(struct notice_composer *composer)
{
	if (composer == NULL)
		return;
	for (size_t i = 0; i < composer->edition_count; i++)
		notice_values_clear(&composer->editions[i].values);
	g_free(composer->editions);
	g_string_free(composer->plain, TRUE);
	g_string_free(composer->html, TRUE);
	g_string_free(composer->subject, TRUE);
	g_free(composer);
}

static void write_subject(struct notice_composer *composer, const char *section)
{
	g_string_truncate(composer->subject, 0);
	for (size_t i = 0; i < composer->edition_count; i++) {
		struct notice_values *values = &composer->editions[i].values;
		char *subject =
			text_sections_head(values->language->sections, section, &values->source);

		if (i > 0)
			g_string_append(composer->subject, " / ");
		g_string_append(composer->subject, subject);
		g_free(subject);
	}
}

/* Says in the other languages that they come below. */
static void write_pointers(struct notice_composer *composer, struct text_writer *writer)
{
	for (size_t i = 1; i < composer->edition_count; i++)
		writer->write(
			writer, TEXT_PARAGRAPH,
			notice_value_word(&composer->editions[i].values, WORD_OTHER_LANGUAGE));
}

static void write_plain(struct notice_composer *composer, const char *section)
{
	struct plain_writer writer;

	g_string_truncate(composer->plain, 0);
	plain_writer_init(&writer, composer->plain);
	write_pointers(composer, &writer.writer);
	for (size_t i = 0; i < composer->edition_count; i++) {
		struct notice_values *values = &composer->editions[i].values;

		if (i > 0)
			g_string_append(composer->plain, "\n* * *\n");
		text_sections_render(values->language->sections, section, &values->source,
				     &writer.writer);
	}
}

/* Narrow margins, for phones. */
static const char head[] =
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<style>\n"
	"body { max-width: 40em; margin: 0 auto; padding: 1em; font: 1rem/1.5 sans-serif; "
	"overflow-wrap: anywhere; }\n"
	"h2 { font-size: 1.2rem; margin: 1.8rem 0 0.5rem; }\n"
	"h3 { font-size: 1rem; margin: 1rem 0 0.3rem; }\n"
	"ul, ol { margin: 0.3rem 0; padding-left: 1.3rem; }\n"
	"li { margin-bottom: 0.4rem; }\n"
	"</style>\n";

static void write_html_pointers(struct notice_composer *composer)
{
	for (size_t i = 1; i < composer->edition_count; i++) {
		struct notice_values *values = &composer->editions[i].values;

		g_string_append_printf(composer->html, "<p lang=\"%s\">", values->language->code);
		html_append_escaped(composer->html, notice_value_word(values, WORD_OTHER_LANGUAGE));
		g_string_append(composer->html, "</p>\n");
	}
}

static void write_html(struct notice_composer *composer, const char *section)
{
	struct html_writer writer;
	GString *html = composer->html;

	g_string_printf(html, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n%s<title>",
			composer->editions[0].values.language->code, head);
	html_append_escaped(html, composer->subject->str);
	g_string_append(html, "</title>\n</head>\n<body>\n");
	write_html_pointers(composer);
	html_writer_init(&writer, html, NULL);
	for (size_t i = 0; i < composer->edition_count; i++) {
		struct notice_values *values = &composer->editions[i].values;

		if (i > 0)
			g_string_append(html, "<hr>\n");
		g_string_append_printf(html, "<div lang=\"%s\">\n", values->language->code);
		text_sections_render(values->language->sections, section, &values->source,
				     &writer.writer);
		html_writer_finish(&writer);
		g_string_append(html, "</div>\n");
	}
	g_string_append(html, "</body>\n</html>\n");
}

static GMimeMessage *new_message(struct notice_composer *composer, const char *recipient,
				 const char *message_id, time_t date, const char *subject)
{
	const struct notice_settings *settings = &composer->policy->notices;
	GMimeMessage *message = g_mime_message_new(TRUE);
	GDateTime *local = g_date_time_new_from_unix_local(date);

	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, settings->from_name,
				   settings->from);
	g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, NULL, recipient);
	if (settings->reply_to != NULL)
		g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_REPLY_TO, NULL,
					   settings->reply_to);
	g_mime_message_set_subject(message, subject, "utf-8");
	g_mime_message_set_date(message, local);
	g_mime_message_set_message_id(message, message_id);
	/* RFC 3834: no vacation replies, please. */
	g_mime_object_set_header(GMIME_OBJECT(message), "Auto-Submitted", "auto-generated", NULL);
	g_date_time_unref(local);
	return message;
}

/* Not a GMimeTextPart, which would look for a charset in the text once more. */
static GMimeObject *new_text_part(const char *subtype, const char *text)
{
	GMimePart *part = g_mime_part_new_with_type("text", subtype);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
	GMimeDataWrapper *content =
		g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_object_unref(content);
	g_object_unref(stream);
	return GMIME_OBJECT(part);
}

static void add_part(GMimeMultipart *multipart, const char *subtype, const char *text)
{
	GMimeObject *part = new_text_part(subtype, text);

	g_mime_multipart_add(multipart, part);
	g_object_unref(part);
}

/* The caller's copy of the message, which is let go. */
static char *finish(GMimeMessage *message, size_t *length_r, const char **error_r)
{
	char *text = g_mime_object_to_string(GMIME_OBJECT(message), NULL);

	g_object_unref(message);
	if (text == NULL)
		*error_r = "the mail cannot be written";
	else
		*length_r = strlen(text);
	return text;
}

static bool addresses_are_valid(const char *recipient, const char *message_id, const char **error_r)
{
	/* A Message-ID is made like an address. */
	if (mail_address_is_valid(recipient) && mail_address_is_valid(message_id))
		return true;
	*error_r = "the recipient is no mail address";
	return false;
}

char *notice_compose(struct notice_composer *composer, const struct notice *notice,
		     size_t *length_r, const char **error_r)
{
	const char *section = notice_reason_name(notice->reason);
	GMimeMultipart *multipart;
	GMimeMessage *message;
	GArray *devices;

	if (!addresses_are_valid(notice->recipient, notice->message_id, error_r))
		return NULL;
	devices = notice_devices(notice);
	for (size_t i = 0; i < composer->edition_count; i++)
		set_notice(&composer->editions[i], notice, devices);
	write_subject(composer, section);
	write_plain(composer, section);
	write_html(composer, section);
	g_array_unref(devices);

	message = new_message(composer, notice->recipient, notice->message_id, notice->date,
			      composer->subject->str);
	multipart = g_mime_multipart_new_with_subtype("alternative");
	add_part(multipart, "plain", composer->plain->str);
	add_part(multipart, "html", composer->html->str);
	g_mime_message_set_mime_part(message, GMIME_OBJECT(multipart));
	g_object_unref(multipart);
	return finish(message, length_r, error_r);
}

char *notice_compose_plain(struct notice_composer *composer, const char *recipient,
			   const char *message_id, time_t date, const char *subject,
			   const char *text, size_t *length_r, const char **error_r)
{
	GMimeMessage *message;
	GMimeObject *part;
	char *line;

	if (!addresses_are_valid(recipient, message_id, error_r))
		return NULL;
	line = harmless_text(subject, 200);
	message = new_message(composer, recipient, message_id, date, line);
	part = new_text_part("plain", text);
	g_mime_message_set_mime_part(message, part);
	g_object_unref(part);
	g_free(line);
	return finish(message, length_r, error_r);
}
