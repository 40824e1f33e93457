#include "announcement.h"

#include "admin/sightings/mail-program.h"
#include "admin/templates/html-writer.h"
#include "admin/templates/plain-writer.h"
#include "notice-values.h"

/* So many of the latest changes are told. */
#define CHANGES_SHOWN 30

struct announcement {
	struct notice_values values; /* first: the source's select() gets it */
	const struct rule *rule;     /* of the present turn */
	GArray *changes;             /* of struct date_change, the latest first */
};

static const struct rule *public_rule(const struct policy *policy, size_t index)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (rule_is_public(&policy->rules[i]) && index-- == 0)
			return &policy->rules[i];
	}
	return NULL;
}

static const struct brownout *coming_brownout(const struct rule *rule, time_t now, size_t index)
{
	for (size_t i = 0; i < rule->schedule.brownout_count; i++) {
		const struct brownout *brownout = &rule->schedule.brownouts[i];

		if (brownout->end > now && brownout->begin < rule->schedule.enforce && index-- == 0)
			return brownout;
	}
	return NULL;
}

/* A rule may be gone that a change is about, so this is told of it. */
static void set_change(struct notice_values *values, const struct date_change *change)
{
	const struct rule *rule = policy_rule(values->policy, change->rule);
	const struct rule about = {.title = change->rule,
				   .kind = change->kind,
				   .services = change->services,
				   .minimum = rule == NULL ? TLS_VERSION_UNKNOWN : rule->minimum};
	const char **texts = values->texts;

	notice_values_set_rule(values, &about, SCHEDULE_NEVER);
	texts[VALUE_CHANGE_DATE] = notice_value_moment(values, change->time);
	texts[VALUE_CHANGE_WHAT] = notice_value_word(values, WORD_CHANGE_NOTIFY + change->date);
	texts[VALUE_CHANGE_FROM] = notice_value_date(values, change->from);
	texts[VALUE_CHANGE_TO] = notice_value_date(values, change->to);
}

static bool select_turn(struct text_source *source, unsigned int loop, size_t turn)
{
	struct announcement *page = (struct announcement *)source;
	struct notice_values *values = &page->values;
	const struct brownout *brownout;

	switch ((enum each)loop) {
	case EACH_RULE:
		page->rule = public_rule(values->policy, turn);
		if (page->rule == NULL)
			return false;
		notice_values_set_rule(values, page->rule, page->rule->schedule.enforce);
		/* When mails began is of no use to who has none by now. */
		if (page->rule->schedule.notify <= values->now)
			values->texts[VALUE_NOTIFY] = NULL;
		return true;
	case EACH_BROWNOUT:
		brownout = coming_brownout(page->rule, values->now, turn);
		if (brownout == NULL)
			return false;
		notice_values_set_brownout(values, brownout);
		return true;
	case EACH_PROGRAM:
		if (turn >= MAIL_PROGRAM_COUNT)
			return false;
		values->texts[VALUE_STEPS] = mail_program_steps((enum mail_program)turn);
		values->texts[VALUE_OTHER_PROGRAMS] = turn > 0 ? "yes" : NULL;
		return true;
	case EACH_CHANGE:
		if (turn >= page->changes->len || turn >= CHANGES_SHOWN)
			return false;
		set_change(values, &g_array_index(page->changes, struct date_change, turn));
		return true;
	case EACH_SIGHTING:
	case EACH_COUNT:
		break;
	}
	return false;
}

/* Where a VPN helps. */
static bool restricts_countries(const struct policy *policy)
{
	const struct rule *rule;

	for (size_t i = 0; (rule = public_rule(policy, i)) != NULL; i++) {
		if (rule->kind == KIND_COUNTRY)
			return true;
	}
	return false;
}

static void begin(struct announcement *page, const struct policy *policy,
		  const struct text_language *language, const struct announced_dates *dates,
		  time_t now)
{
	const GArray *changes = announced_changes(dates);

	notice_values_init(&page->values, policy, language, select_turn);
	notice_values_begin(&page->values, now);
	if (!restricts_countries(policy))
		page->values.texts[VALUE_VPN_URL] = NULL;
	page->changes = g_array_new(FALSE, FALSE, sizeof(struct date_change));
	for (guint i = changes->len; i > 0; i--) {
		const struct date_change *change =
			&g_array_index(changes, struct date_change, i - 1);

		/* A first date is no change. */
		if (change->time <= now && change->from != SCHEDULE_NEVER)
			g_array_append_vals(page->changes, change, 1);
	}
	if (page->changes->len > 0)
		page->values.texts[VALUE_CHANGES] = "yes";
}

static void finish(struct announcement *page)
{
	g_array_unref(page->changes);
	notice_values_clear(&page->values);
}

static const char style[] =
	"<style>\n"
	"body { max-width: 42rem; margin: 0 auto; padding: 1rem; color: #1b1b1b; "
	"background: #fff; font: 1.05rem/1.55 system-ui, sans-serif; overflow-wrap: "
	"break-word; }\n"
	"h1 { font-size: 1.7rem; line-height: 1.25; }\n"
	"h2 { font-size: 1.3rem; margin-top: 2.2rem; border-bottom: 2px solid #c8c8c8; }\n"
	"h3 { font-size: 1.08rem; margin-bottom: 0.3rem; }\n"
	"ul, ol { margin-top: 0.3rem; padding-left: 1.4rem; }\n"
	"li { margin-bottom: 0.3rem; }\n"
	"a { color: #0b4f9c; }\n"
	"@media print { body { max-width: none; font-size: 11pt; } }\n"
	"</style>\n";

char *announcement_html(const struct policy *policy, const struct text_language *language,
			const struct announced_dates *dates, time_t now)
{
	GString *out = g_string_new("<!DOCTYPE html>\n");
	struct announcement page;
	struct html_writer writer;
	char *title;

	begin(&page, policy, language, dates, now);
	title = text_sections_head(language->sections, "page", &page.values.source);
	g_string_append_printf(out, "<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
			       language->code);
	g_string_append(out, "<meta name=\"viewport\" content=\"width=device-width, "
			     "initial-scale=1\">\n<title>");
	html_append_escaped(out, title);
	g_string_append(out, "</title>\n");
	g_string_append(out, style);
	g_string_append(out, "</head>\n<body>\n<main>\n<h1>");
	html_append_escaped(out, title);
	g_string_append(out, "</h1>\n");
	html_writer_init(&writer, out, policy->help_url);
	text_sections_render(language->sections, "page", &page.values.source, &writer.writer);
	html_writer_finish(&writer);
	g_string_append(out, "</main>\n</body>\n</html>\n");
	g_free(title);
	finish(&page);
	return g_string_free(out, FALSE);
}

char *announcement_plain(const struct policy *policy, const struct text_language *language,
			 const struct announced_dates *dates, time_t now)
{
	GString *out = g_string_new(NULL);
	struct announcement page;
	struct plain_writer writer;
	char *title;

	begin(&page, policy, language, dates, now);
	title = text_sections_head(language->sections, "page", &page.values.source);
	plain_writer_init(&writer, out);
	writer.writer.write(&writer.writer, TEXT_HEADING, title);
	text_sections_render(language->sections, "page", &page.values.source, &writer.writer);
	g_free(title);
	finish(&page);
	return g_string_free(out, FALSE);
}
