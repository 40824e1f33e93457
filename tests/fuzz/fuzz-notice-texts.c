/* An operator's texts, and the names that strangers' programs give themselves, up to the
   mail and the public page: what was accepted makes well-formed ones. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/wording/announcement.h"
#include "admin/wording/notice-mail.h"

#define LINE_LENGTH_MAX 998 /* RFC 5322, 2.1.1 */
#define DEPTH_MAX 16

/* ---- HTML ---- */

struct tags {
	const char *open[DEPTH_MAX];
	size_t lengths[DEPTH_MAX];
	size_t depth;
};

static bool is_one_of(const char *const *names, const char *name, size_t length)
{
	for (; *names != NULL; names++) {
		if (strlen(*names) == length && memcmp(*names, name, length) == 0)
			return true;
	}
	return false;
}

/* From behind its "<" on. */
static void look_at_tag(struct tags *tags, const char *tag)
{
	static const char *const alone[] = {"!DOCTYPE", "meta", NULL};
	static const char *const around[] = {"html", "head", "title", "style", "body",
					     "main", "h1",   "h2",    "h3",    "p",
					     "ul",   "ol",   "li",    "a",     NULL};
	bool closes = *tag == '/';
	const char *name = tag + closes;
	size_t length = strcspn(name, " >\n");

	if (is_one_of(alone, name, length))
		return;
	require(is_one_of(around, name, length));
	if (!closes) {
		require(tags->depth < DEPTH_MAX);
		tags->open[tags->depth] = name;
		tags->lengths[tags->depth++] = length;
		return;
	}
	require(tags->depth > 0 && tags->lengths[--tags->depth] == length);
	require(memcmp(tags->open[tags->depth], name, length) == 0);
}

/* Nothing is an element but what was meant to be one, and all are closed. */
static void look_at_html(const char *html)
{
	struct tags tags = {.depth = 0};

	require(g_utf8_validate(html, -1, NULL));
	for (const char *at = html; (at = strchr(at, '<')) != NULL; at++)
		look_at_tag(&tags, at + 1);
	require(tags.depth == 0);
}

/* ---- mails ---- */

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		count++;
	}
	return count;
}

/* Nothing became a header that was meant as a text. */
static void look_at_mail(const char *mail, size_t length)
{
	static const char *const once[] = {"\nFrom: ", "\nTo: ", "\nSubject: ", "\nMessage-Id: "};
	const char *end = strstr(mail, "\n\n");
	char *headers;

	require(strlen(mail) == length && end != NULL);
	headers = g_strdup_printf("\n%.*s", (int)(end - mail), mail);
	for (size_t i = 0; i < G_N_ELEMENTS(once); i++)
		require(count_of(headers, once[i]) == 1);
	require(strstr(headers, "\nBcc:") == NULL && strstr(headers, "\nCc:") == NULL);
	g_free(headers);
	for (const char *line = mail; *line != '\0';) {
		size_t line_length = strcspn(line, "\n");

		require(line_length <= LINE_LENGTH_MAX);
		for (size_t i = 0; i < line_length; i++)
			require((line[i] >= ' ' && line[i] <= '~') || line[i] == '\t');
		line += line_length + (line[line_length] == '\n');
	}
}

static void compose(const struct policy *policy, const struct notice_texts *texts,
		    enum notice_reason reason, const char *client_id)
{
	const time_t now = 1726820102;
	const struct notice_sighting sighting = {.client_id = client_id,
						 .port = 143,
						 .mechanism = client_id,
						 .client = "192.0.2.1",
						 .country = {"DE"},
						 .last_seen = now - 3600};
	const struct notice_known_device devices[] = {
		{.client_id = client_id, .first_seen = now - 864000, .days = 3, .rhythm = 432000},
		{.client_id = client_id, .service = SERVICE_SUBMISSION, .changed = true},
	};
	const struct notice_rule rules[] = {
		{.rule = &policy->rules[0],
		 .enforce = now + 86400,
		 .moved_from = now + 172800,
		 .sightings = &sighting,
		 .sighting_count = 1},
		{.rule = &policy->rules[5], .enforce = SCHEDULE_NEVER},
	};
	const struct notice notice = {.reason = reason,
				      .recipient = "alice@example.org",
				      .user = client_id,
				      .message_id = "1@example.org",
				      .date = now,
				      .rules = rules,
				      .rule_count = G_N_ELEMENTS(rules),
				      .devices = devices,
				      .device_count = G_N_ELEMENTS(devices)};
	struct notice_composer *composer = notice_composer_create(policy, texts);
	const char *error = NULL;
	size_t length;
	char *mail = notice_compose(composer, &notice, &length, &error);

	require(mail != NULL);
	look_at_mail(mail, length);
	g_free(mail);
	notice_composer_free(composer);
}

static void announce(const struct policy *policy, const struct notice_texts *texts)
{
	const struct text_language *language = notice_texts_language(texts, 0);
	const time_t now = 1726820102;
	char *error = NULL, *html, *plain;
	struct announced_dates *dates = announced_dates_load("/nonexistent/dates", &error);

	require(dates != NULL);
	html = announcement_html(policy, language, dates, now);
	plain = announcement_plain(policy, language, dates, now);
	look_at_html(html);
	require(g_utf8_validate(plain, -1, NULL));
	g_free(plain);
	g_free(html);
	announced_dates_free(dates);
}

/* What a program says of itself stands before a NUL, if there is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy policy;
	static char *path;
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	const uint8_t *text = nul == NULL ? data : nul + 1;
	const char *file = fuzz_file(text, size - (size_t)(text - data));
	char *client_id = fuzz_text(data, nul == NULL ? 0 : (size_t)(nul - data));
	struct fuzz_reports errors = {0};
	struct notice_texts *texts;

	if (path == NULL) {
		policy = *fuzz_policy();
		policy.notices.texts = (char *)fuzz_folder();
		path = g_strdup_printf("%s/en.txt", policy.notices.texts);
		unlink(path);
		require(symlink(file, path) == 0);
	}
	errors.file = path;
	texts = notice_texts_load(&policy, fuzz_report, &errors);
	require((texts == NULL) == (errors.count > 0));
	if (texts != NULL) {
		compose(&policy, texts, size % NOTICE_REASON_COUNT,
			nul == NULL ? "name=Thunderbird version=115.3" : client_id);
		announce(&policy, texts);
	}
	notice_texts_free(texts);
	free(client_id);
	return 0;
}
