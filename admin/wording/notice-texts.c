#include "notice-texts.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/sightings/mail-program.h"
#include "policy/config-problems.h"
#include "policy/text-file.h"

/* A book is too long for a notice. */
#define FILE_SIZE_MAX ((size_t)1 << 20)

struct notice_texts {
	struct text_language *languages;
	size_t count;
};

/* While one language is read. */
struct loader {
	struct text_language *language;
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
		mistake(loader, path, line, "invalid UTF-8");
	} else if (text != NULL) {
		text_sections_add(loader->language->sections, path, text, report_mistake, loader);
	}
	free(text);
	g_free(path);
	return exists;
}

/* head is as in text_sections_check(). */
static void check_section(struct loader *loader, const char *file, const char *name,
			  text_places places, const char *head)
{
	struct text_sections *sections = loader->language->sections;

	if (text_sections_has(sections, name))
		text_sections_check(sections, name, places, head, report_mistake, loader);
	else
		mistake(loader, file, 0, "there is no section [%s]", name);
}

/* The sections that {change} and {steps} stand for. */
static void check_inserts(struct loader *loader, const char *file)
{
	const text_places places =
		PLACE_MAIL | PLACE_PAGE | PLACE_EACH(EACH_RULE) | PLACE_EACH(EACH_PROGRAM);

	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		char *name = g_strdup_printf(SECTION_CHANGE "%s", kind_name(kind));

		check_section(loader, file, name, places, NULL);
		g_free(name);
	}
	for (enum mail_program program = 0; program < MAIL_PROGRAM_COUNT; program++)
		check_section(loader, file, mail_program_steps(program), places, NULL);
}

const char *text_language_section(const struct text_language *language, enum notice_reason reason)
{
	const char *name = notice_reason_name(reason);

	return reason == NOTICE_MOVED && !text_sections_has(language->sections, name)
		       ? notice_reason_name(NOTICE_REMINDER)
		       : name;
}

static void check(struct loader *loader, const char *file)
{
	struct text_sections *sections = loader->language->sections;

	for (enum notice_reason reason = 0; reason < NOTICE_REASON_COUNT; reason++)
		check_section(loader, file, text_language_section(loader->language, reason),
			      PLACE_MAIL, HEAD_MAIL);
	check_section(loader, file, "page", PLACE_PAGE, HEAD_PAGE);
	check_inserts(loader, file);
	for (enum word word = 0; word < WORD_COUNT; word++) {
		if (!text_sections_has_word(sections, word) &&
		    !notice_vocabulary.words[word].optional)
			mistake(loader, file, 0, "[words] has no '%s'",
				notice_vocabulary.words[word].key);
	}
	/* Of the other file, what the operator has replaced may have used some. */
	text_sections_check_unused(sections, file, report_mistake, loader);
}

static bool load_language(struct text_language *language, const char *code, const char *folder,
			  config_report *error, void *context)
{
	struct loader loader = {.language = language, .error = error, .context = context};
	char *file = g_strdup_printf("%s/%s.txt", folder, code);
	bool found;

	language->code = code;
	language->sections = text_sections_create(&notice_vocabulary);
	found = add_file(&loader, folder);
	if (strcmp(folder, PORTCULLIS_NOTICES) != 0 && add_file(&loader, PORTCULLIS_NOTICES))
		found = true;
	if (!found)
		mistake(&loader, file, 0,
			"there are no texts for this language, either here or in %s",
			PORTCULLIS_NOTICES);
	else if (!loader.failed)
		check(&loader, file);
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
	for (size_t i = 0; i < texts->count; i++)
		text_sections_free(texts->languages[i].sections);
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
