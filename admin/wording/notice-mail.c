#include "notice-mail.h"

#include <gmime/gmime.h>
#include <string.h>

#include "admin/sightings/harmless-text.h"
#include "admin/templates/html-writer.h"
#include "admin/templates/plain-writer.h"
#include "notice-version.h"
#include "policy/mail-address.h"

struct notice_composer {
	const struct policy *policy;
	struct notice_version *versions; /* one a language */
	size_t version_count;
	GString *plain;
	GString *html;
	GString *subject;
};

struct notice_composer *notice_composer_create(const struct policy *policy,
					       const struct notice_texts *texts)
{
	struct notice_composer *composer = g_new0(struct notice_composer, 1);

	g_mime_init();
	composer->policy = policy;
	composer->version_count = notice_texts_count(texts);
	composer->versions = g_new0(struct notice_version, composer->version_count);
	for (size_t i = 0; i < composer->version_count; i++)
		notice_version_init(&composer->versions[i], policy,
				    notice_texts_language(texts, i));
	composer->plain = g_string_sized_new(8192);
	composer->html = g_string_sized_new(16384);
	composer->subject = g_string_sized_new(256);
	return composer;
}

void notice_composer_free(struct notice_composer *composer)
{
	if (composer == NULL)
		return;
	for (size_t i = 0; i < composer->version_count; i++)
		notice_version_clear(&composer->versions[i]);
	g_free(composer->versions);
	g_string_free(composer->plain, TRUE);
	g_string_free(composer->html, TRUE);
	g_string_free(composer->subject, TRUE);
	g_free(composer);
}

static void write_subject(struct notice_composer *composer, enum notice_reason reason)
{
	g_string_truncate(composer->subject, 0);
	for (size_t i = 0; i < composer->version_count; i++) {
		struct notice_values *values = &composer->versions[i].values;
		char *subject = text_sections_head(values->language->sections,
						   text_language_section(values->language, reason),
						   &values->source);

		if (i > 0)
			g_string_append(composer->subject, " / ");
		g_string_append(composer->subject, subject);
		g_free(subject);
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

/* The two parts of a mail, of which each block is written to both: what a placeholder stands
   for is found once. */
struct parts_writer {
	struct text_writer writer; /* first */
	struct plain_writer plain;
	struct html_writer html;
};

static void write_to_parts(struct text_writer *writer, enum text_block block, const char *text)
{
	struct parts_writer *parts = (struct parts_writer *)writer;

	parts->plain.writer.write(&parts->plain.writer, block, text);
	parts->html.writer.write(&parts->html.writer, block, text);
}

static void begin_parts(struct notice_composer *composer, struct parts_writer *writer_r)
{
	g_string_truncate(composer->plain, 0);
	g_string_printf(composer->html, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n%s<title>",
			composer->versions[0].values.language->code, head);
	html_append_escaped(composer->html, composer->subject->str);
	g_string_append(composer->html, "</title>\n</head>\n<body>\n");
	writer_r->writer.write = write_to_parts;
	plain_writer_init(&writer_r->plain, composer->plain);
	html_writer_init(&writer_r->html, composer->html, NULL);
}

/* Says in the other languages that they come below. */
static void write_pointers(struct notice_composer *composer, struct text_writer *plain)
{
	for (size_t i = 1; i < composer->version_count; i++) {
		struct notice_values *values = &composer->versions[i].values;
		const char *pointer = notice_value_word(values, WORD_OTHER_LANGUAGE);

		plain->write(plain, TEXT_PARAGRAPH, pointer);
		g_string_append_printf(composer->html, "<p lang=\"%s\">", values->language->code);
		html_append_escaped(composer->html, pointer);
		g_string_append(composer->html, "</p>\n");
	}
}

static void write_parts(struct notice_composer *composer, enum notice_reason reason)
{
	struct parts_writer writer;

	begin_parts(composer, &writer);
	write_pointers(composer, &writer.plain.writer);
	for (size_t i = 0; i < composer->version_count; i++) {
		struct notice_values *values = &composer->versions[i].values;

		g_string_append(composer->plain, i > 0 ? "\n* * *\n" : "");
		g_string_append_printf(composer->html, "%s<div lang=\"%s\">\n",
				       i > 0 ? "<hr>\n" : "", values->language->code);
		text_sections_render(values->language->sections,
				     text_language_section(values->language, reason),
				     &values->source, &writer.writer);
		html_writer_finish(&writer.html);
		g_string_append(composer->html, "</div>\n");
	}
	g_string_append(composer->html, "</body>\n</html>\n");
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

/* Lets the message go. */
static char *finish(GMimeMessage *message, size_t *length_r)
{
	char *text = g_mime_object_to_string(GMIME_OBJECT(message), NULL);

	g_object_unref(message);
	*length_r = strlen(text);
	return text;
}

static bool addresses_are_valid(const char *recipient, const char *message_id, const char **error_r)
{
	/* A Message-ID is made like an address. */
	if (mail_address_is_valid(recipient) && mail_address_is_valid(message_id))
		return true;
	*error_r = "the recipient is not a valid mail address";
	return false;
}

char *notice_compose(struct notice_composer *composer, const struct notice *notice,
		     size_t *length_r, const char **error_r)
{
	GMimeMultipart *multipart;
	GMimeMessage *message;
	GArray *devices;

	if (!addresses_are_valid(notice->recipient, notice->message_id, error_r))
		return NULL;
	devices = notice_devices(notice);
	for (size_t i = 0; i < composer->version_count; i++)
		notice_version_set(&composer->versions[i], notice, devices);
	write_subject(composer, notice->reason);
	write_parts(composer, notice->reason);
	g_array_unref(devices);

	message = new_message(composer, notice->recipient, notice->message_id, notice->date,
			      composer->subject->str);
	multipart = g_mime_multipart_new_with_subtype("alternative");
	add_part(multipart, "plain", composer->plain->str);
	add_part(multipart, "html", composer->html->str);
	g_mime_message_set_mime_part(message, GMIME_OBJECT(multipart));
	g_object_unref(multipart);
	return finish(message, length_r);
}

const char *notice_composed_subject(const struct notice_composer *composer)
{
	return composer->subject->str;
}

const char *notice_composed_text(const struct notice_composer *composer)
{
	return composer->plain->str;
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
	return finish(message, length_r);
}
