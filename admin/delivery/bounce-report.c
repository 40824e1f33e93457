#include "bounce-report.h"

#include <gmime/gmime.h>
#include <string.h>
#include <strings.h>

/* So many of its parts are looked at. */
#define PARTS_MAX 8

static bool is_of_addresses(const char *line, size_t length)
{
	static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t end = strlen(names[i]);

		if (end < length && strncasecmp(line, names[i], end) == 0 &&
		    (line[end] == ':' || line[end] == ' ' || line[end] == '\t'))
			return true;
	}
	return false;
}

/* Gives fields of addresses another name. None is asked for here, and GMime reads them, groups
   within groups, as deep on its stack as they go. */
static void hide_addresses(char *text, size_t length)
{
	char *end = text + length;

	for (char *line = text; line != NULL && line < end;) {
		if (is_of_addresses(line, (size_t)(end - line)))
			*line = 'X';
		line = memchr(line, '\n', (size_t)(end - line));
		if (line != NULL)
			line++;
	}
}

/* Changes the text. NULL when there is none. */
static GMimeMessage *parse(char *text, size_t length)
{
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;

	if (length == 0)
		return NULL;
	hide_addresses(text, length);
	stream = g_mime_stream_mem_new_with_buffer(text, length);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return message;
}

/* The content of a part, decoded. */
static GMimeStream *content_of(GMimeObject *part)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeDataWrapper *content =
		GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : NULL;

	if (content != NULL)
		g_mime_data_wrapper_write_to_stream(content, stream);
	g_mime_stream_seek(stream, 0, GMIME_STREAM_SEEK_SET);
	return stream;
}

/* ---- what is said of each recipient ---- */

struct recipient {
	char *action, *status, *diagnostic; /* NULL: not said */
};

static void clear_recipient(struct recipient *recipient)
{
	g_free(recipient->action);
	g_free(recipient->status);
	g_free(recipient->diagnostic);
	*recipient = (struct recipient){0};
}

/* A comment may stand behind it. */
static bool has_failed(const struct recipient *recipient)
{
	const char *action = recipient->action;

	return action != NULL && strncasecmp(action, "failed", 6) == 0 &&
	       strchr(" \t(", action[6]) != NULL;
}

/* At the end of a group of fields: of those that failed, the first one counts. */
static void end_recipient(struct recipient *recipient, struct bounce_report *report)
{
	if (has_failed(recipient) && !report->failed) {
		char *said =
			g_strdup_printf("%s %s", recipient->status == NULL ? "" : recipient->status,
					recipient->diagnostic == NULL ? "" : recipient->diagnostic);

		report->failed = true;
		hand_over_error(report->error, "it came back", g_strstrip(said));
		g_free(said);
	}
	clear_recipient(recipient);
}

static void read_field(struct recipient *recipient, char *line)
{
	char *value = strchr(line, ':');
	char **field = NULL;

	if (value == NULL)
		return;
	*value++ = '\0';
	g_strchomp(line);
	if (strcasecmp(line, "Action") == 0)
		field = &recipient->action;
	else if (strcasecmp(line, "Status") == 0)
		field = &recipient->status;
	else if (strcasecmp(line, "Diagnostic-Code") == 0)
		field = &recipient->diagnostic;
	if (field != NULL && *field == NULL)
		*field = g_strdup(g_strstrip(value));
}

/* Joins the lines of a field. */
static void unfold(char *text)
{
	for (char *c = text; *c != '\0'; c++) {
		if (c[0] == '\r' && c[1] == '\n')
			c[0] = ' ';
		if (c[0] == '\n' && (c[1] == ' ' || c[1] == '\t'))
			c[0] = ' ';
	}
}

static void read_status(GMimeObject *part, struct bounce_report *report)
{
	GMimeStream *stream = content_of(part);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	struct recipient recipient = {0};
	char *line, *next;

	g_byte_array_append(bytes, (const guint8 *)"", 1);
	unfold((char *)bytes->data);
	for (line = (char *)bytes->data; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (g_strstrip(line)[0] == '\0')
			end_recipient(&recipient, report);
		else
			read_field(&recipient, line);
	}
	end_recipient(&recipient, report);
	g_object_unref(stream);
}

/* ---- which mail it is about ---- */

static void take_message_id(GMimeMessage *message, struct bounce_report *report)
{
	const char *id = message == NULL ? NULL : g_mime_message_get_message_id(message);

	if (id != NULL && strlen(id) < sizeof(report->message_id))
		strcpy(report->message_id, id);
}

/* The mail itself, or its head as a text. */
static void read_original(GMimeObject *part, struct bounce_report *report)
{
	GMimeStream *stream;
	GMimeMessage *message;
	GByteArray *bytes;

	if (GMIME_IS_MESSAGE_PART(part)) {
		take_message_id(g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)), report);
		return;
	}
	stream = content_of(part);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	message = parse((char *)bytes->data, bytes->len);
	take_message_id(message, report);
	if (message != NULL)
		g_object_unref(message);
	g_object_unref(stream);
}

static bool is_one_of(GMimeObject *part, const char *const types[])
{
	GMimeContentType *type = g_mime_object_get_content_type(part);
	char *name = type == NULL ? g_strdup("") : g_mime_content_type_get_mime_type(type);
	bool found = false;

	for (size_t i = 0; !found && types[i] != NULL; i++)
		found = strcasecmp(name, types[i]) == 0;
	g_free(name);
	return found;
}

/* False without the part that makes it a report. */
static bool read_parts(GMimeMultipart *parts, struct bounce_report *report)
{
	static const char *const statuses[] = {"message/delivery-status",
					       "message/global-delivery-status", NULL};
	static const char *const originals[] = {"message/rfc822", "text/rfc822-headers",
						"message/global", "message/global-headers", NULL};
	int count = MIN(g_mime_multipart_get_count(parts), PARTS_MAX);
	bool found = false;

	for (int i = 0; i < count; i++) {
		GMimeObject *part = g_mime_multipart_get_part(parts, i);

		if (is_one_of(part, statuses)) {
			found = true;
			read_status(part, report);
		} else if (is_one_of(part, originals) && report->message_id[0] == '\0') {
			read_original(part, report);
		}
	}
	return found;
}

bool bounce_report_read(const char *mail, size_t length, struct bounce_report *report_r)
{
	static const char *const types[] = {"multipart/report", NULL};
	const char *end = memchr(mail, '\n', length);
	GMimeMessage *message;
	GMimeObject *body;
	char *copy;
	bool found = false;

	*report_r = (struct bounce_report){0};
	g_mime_init();
	if (end != NULL && length > 5 && memcmp(mail, "From ", 5) == 0) {
		length -= (size_t)(end + 1 - mail);
		mail = end + 1;
	}
	copy = g_memdup2(mail, length);
	message = parse(copy, length);
	g_free(copy);
	if (message == NULL)
		return false;
	body = g_mime_message_get_mime_part(message);
	if (body != NULL && GMIME_IS_MULTIPART(body) && is_one_of(body, types))
		found = read_parts(GMIME_MULTIPART(body), report_r);
	g_object_unref(message);
	return found;
}
