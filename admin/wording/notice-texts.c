#include "notice-texts.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notice.h"
#include "policy/config-problems.h"
#include "policy/text-file.h"

/* A book is too long for a notice. */
#define FILE_SIZE_MAX ((size_t)1 << 20)

static const struct {
	const char *key;
	unsigned int places; /* what names it may hold */
} words[WORD_COUNT] = {
	[WORD_WEEKDAYS] = {"weekdays", 0},
	[WORD_MONTHS] = {"months", 0},
	[WORD_DATE] = {"date", TEXT_IN_DATE},
	[WORD_DATE_TIME] = {"date-time", TEXT_IN_DATE},
	[WORD_AND] = {"and", 0},
	[WORD_OR] = {"or", 0},
	[WORD_ANY_TIME] = {"any-time", 0},
	[WORD_OTHER_LANGUAGE] = {"other-language", 0},
	[WORD_SERVICE_IMAP] = {"service.imap", 0},
	[WORD_SERVICE_POP3] = {"service.pop3", 0},
	[WORD_SERVICE_SIEVE] = {"service.sieve", 0},
	[WORD_SERVICE_SUBMISSION] = {"service.submission", 0},
	[WORD_SERVICE_SMTP] = {"service.smtp", 0},
	[WORD_TLS_NONE] = {"tls.none", 0},
	[WORD_TLS_STARTTLS] = {"tls.starttls", 0},
	[WORD_TLS_IMPLICIT] = {"tls.implicit", 0},
	[WORD_MECHANISM_NORMAL] = {"mechanism.normal", TEXT_IN_MECHANISM},
	[WORD_MECHANISM_ENCRYPTED] = {"mechanism.encrypted", TEXT_IN_MECHANISM},
	[WORD_MECHANISM_OTHER] = {"mechanism.other", TEXT_IN_MECHANISM},
	[WORD_PROGRAM_UNKNOWN] = {"program.unknown", 0},
	[WORD_WHAT_ENCRYPTION] = {"what.encryption", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_IMPLICIT_TLS] = {"what.implicit-tls", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_MECHANISM] = {"what.mechanism", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_COUNTRY] = {"what.country", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_PROTOCOL] = {"what.protocol", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_SUBMISSION_PORT] = {"what.submission-port", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_WHAT_RELAY] = {"what.relay", TEXT_IN_EACH(TEXT_EACH_RULE)},
	[WORD_CHANGE_NOTIFY] = {"change.notify", 0},
	[WORD_CHANGE_ENFORCE] = {"change.enforce", 0},
	[WORD_CHANGE_BROWNOUT] = {"change.brown-out", 0},
};

/* Besides the mails and the page. */
static const char *const part_sections[] = {
	"change-encryption", "change-implicit-tls",
	"change-mechanism",  "change-country",
	"change-protocol",   "change-submission-port",
	"change-relay",      "steps-thunderbird",
	"steps-outlook",     "steps-iphone",
	"steps-mac",         "steps-gmail",
	"steps-samsung",     "steps-k9",
	"steps-general",
};

struct notice_texts {
	struct text_language *languages;
	size_t count;
};

/* While one language is read. */
struct loader {
	struct text_language *language;
	GHashTable *keys_of_file; /* of words, to find those that come twice */
	config_report *error;
	void *context;
	bool failed;
};

static void __attribute__((format(printf, 4, 5))) mistake(struct loader *loader, const char *file,
							  unsigned int line, const char *format,
							  ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	config_report_at(loader->error, loader->context, file, line, text);
	loader->failed = true;
	g_free(text);
}

static void report_mistake(void *context, const char *message)
{
	struct loader *loader = context;

	loader->error(loader->context, message);
	loader->failed = true;
}

static bool find_word(const char *key, enum word *word_r)
{
	for (unsigned int i = 0; i < WORD_COUNT; i++) {
		if (strcmp(words[i].key, key) == 0) {
			*word_r = i;
			return true;
		}
	}
	return false;
}

/* Names with blanks between them. */
static bool read_names(const char *value, char **names_r, size_t count)
{
	char **list = g_strsplit(value, " ", -1);
	size_t found = 0;

	for (char **name = list; *name != NULL; name++) {
		if (**name == '\0')
			continue;
		if (found < count && names_r[found] == NULL)
			names_r[found] = g_strdup(*name);
		found++;
	}
	g_strfreev(list);
	return found == count;
}

static bool add_word(void *context, const char *file, unsigned int line, const char *key,
		     const char *value)
{
	struct loader *loader = context;
	struct text_language *language = loader->language;
	enum word word;

	if (!find_word(key, &word)) {
		mistake(loader, file, line, "there is no word '%s'", key);
		return false;
	}
	if (!g_hash_table_add(loader->keys_of_file, (gpointer)words[word].key)) {
		mistake(loader, file, line, "the word '%s' stands here twice", key);
		return false;
	}
	/* The operator's file came first. */
	if (language->words[word] != NULL)
		return true;
	language->words[word] = text_pieces_parse(language->sections, file, line, value,
						  words[word].places, report_mistake, loader);
	if (word == WORD_WEEKDAYS && !read_names(value, language->weekdays, 7))
		mistake(loader, file, line, "weekdays: they are seven, from Sunday on");
	if (word == WORD_MONTHS && !read_names(value, language->months, 12))
		mistake(loader, file, line, "months: they are twelve");
	return language->words[word] != NULL;
}

/* Returns false when there is no such file. */
static bool add_file(struct loader *loader, const char *folder)
{
	char *path = g_strdup_printf("%s/%s.txt", folder, loader->language->code);
	const char *error;
	size_t length;
	char *text = text_file_read(path, FILE_SIZE_MAX, &length, &error);
	bool exists = text != NULL || access(path, F_OK) == 0;
	const char *invalid;

	if (text == NULL && exists) {
		mistake(loader, path, 0, "%s", error);
	} else if (text != NULL && !g_utf8_validate(text, (gssize)length, &invalid)) {
		unsigned int line = 1;

		for (const char *c = text; c < invalid; c++)
			line += *c == '\n';
		mistake(loader, path, line, "this is not UTF-8");
	} else if (text != NULL) {
		g_hash_table_remove_all(loader->keys_of_file);
		if (!text_sections_add(loader->language->sections, path, text, add_word,
				       report_mistake, loader))
			loader->failed = true;
	}
	free(text);
	g_free(path);
	return exists;
}

static void check_section(struct loader *loader, const char *file, const char *name,
			  unsigned int place)
{
	struct text_sections *sections = loader->language->sections;

	if (!text_sections_has(sections, name))
		mistake(loader, file, 0, "there is no section [%s]", name);
	else if (!text_sections_check(sections, name, place, report_mistake, loader))
		loader->failed = true;
}

static void check(struct loader *loader, const char *file)
{
	const unsigned int within_both =
		TEXT_IN_EACH(TEXT_EACH_RULE) | TEXT_IN_EACH(TEXT_EACH_PROGRAM);

	for (unsigned int reason = 0; reason < NOTICE_REASON_COUNT; reason++)
		check_section(loader, file, notice_reason_name(reason), TEXT_IN_MAIL);
	check_section(loader, file, "page", TEXT_IN_PAGE);
	for (size_t i = 0; i < G_N_ELEMENTS(part_sections); i++)
		check_section(loader, file, part_sections[i],
			      TEXT_IN_MAIL | TEXT_IN_PAGE | within_both);
	for (unsigned int word = 0; word < WORD_COUNT; word++) {
		if (loader->language->words[word] == NULL)
			mistake(loader, file, 0, "[words] has no '%s'", words[word].key);
	}
	if (!text_sections_check_unused(loader->language->sections, report_mistake, loader))
		loader->failed = true;
}

static bool load_language(struct text_language *language, const char *code, const char *folder,
			  config_report *error, void *context)
{
	struct loader loader = {.language = language, .error = error, .context = context};
	char *file = g_strdup_printf("%s/%s.txt", folder, code);
	bool found;

	language->code = code;
	language->sections = text_sections_create();
	loader.keys_of_file = g_hash_table_new(g_str_hash, g_str_equal);
	found = add_file(&loader, folder);
	if (strcmp(folder, PORTCULLIS_NOTICES) != 0 && add_file(&loader, PORTCULLIS_NOTICES))
		found = true;
	if (!found)
		mistake(&loader, file, 0,
			"there are no texts for this language, neither here nor in %s",
			PORTCULLIS_NOTICES);
	else if (!loader.failed)
		check(&loader, file);
	g_hash_table_unref(loader.keys_of_file);
	g_free(file);
	return !loader.failed;
}

struct notice_texts *notice_texts_load(const struct policy *policy, config_report *error,
				       void *context)
{
	const struct notice_settings *settings = &policy->notices;
	struct notice_texts *texts = g_new0(struct notice_texts, 1);
	bool failed = false;

	texts->count = settings->language_count;
	texts->languages = g_new0(struct text_language, texts->count);
	for (size_t i = 0; i < texts->count; i++) {
		if (!load_language(&texts->languages[i], settings->languages[i], settings->texts,
				   error, context))
			failed = true;
	}
	if (!failed)
		return texts;
	notice_texts_free(texts);
	return NULL;
}

void notice_texts_free(struct notice_texts *texts)
{
	if (texts == NULL)
		return;
	for (size_t i = 0; i < texts->count; i++) {
		struct text_language *language = &texts->languages[i];

		text_sections_free(language->sections);
		for (size_t day = 0; day < G_N_ELEMENTS(language->weekdays); day++)
			g_free(language->weekdays[day]);
		for (size_t month = 0; month < G_N_ELEMENTS(language->months); month++)
			g_free(language->months[month]);
	}
	g_free(texts->languages);
	g_free(texts);
}

size_t notice_texts_count(const struct notice_texts *texts)
{
	return texts->count;
}

const struct text_language *notice_texts_language(const struct notice_texts *texts, size_t index)
{
	return &texts->languages[index];
}

const struct text_language *notice_texts_find(const struct notice_texts *texts, const char *code)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->languages[i].code, code) == 0)
			return &texts->languages[i];
	}
	return NULL;
}
