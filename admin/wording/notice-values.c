#include "notice-values.h"

#include <stdio.h>
#include <string.h>

#include <unicode/uloc.h>
#include <unicode/ustring.h>

void notice_values_init(struct notice_values *values, const struct policy *policy,
			const struct text_language *language, notice_select *select)
{
	*values = (struct notice_values){.source = {.values = values->texts, .select = select},
					 .policy = policy,
					 .language = language,
					 .memory = g_string_chunk_new(4096)};
}

void notice_values_clear(struct notice_values *values)
{
	g_string_chunk_free(values->memory);
}

const char *notice_value_keep(struct notice_values *values, const char *text)
{
	return text == NULL ? NULL : g_string_chunk_insert(values->memory, text);
}

/* Keeps the text and frees it. */
static const char *keep_and_free(struct notice_values *values, char *text)
{
	const char *kept = notice_value_keep(values, text);

	g_free(text);
	return kept;
}

const char *notice_value_word(struct notice_values *values, enum word word)
{
	return keep_and_free(values,
			     text_sections_word(values->language->sections, word, &values->source));
}

static const char *padded(struct notice_values *values, int digits, size_t number)
{
	return keep_and_free(values, g_strdup_printf("%0*zu", digits, number));
}

const char *notice_value_number(struct notice_values *values, size_t number)
{
	return padded(values, 1, number);
}

static const char *date_word(struct notice_values *values, const struct tm *local, enum word word)
{
	const struct text_sections *sections = values->language->sections;
	const char **texts = values->texts;

	texts[VALUE_WEEKDAY] = text_sections_names(sections, WORD_WEEKDAYS)[local->tm_wday];
	texts[VALUE_DAY] = padded(values, 1, (size_t)local->tm_mday);
	texts[VALUE_MONTH] = text_sections_names(sections, WORD_MONTHS)[local->tm_mon];
	texts[VALUE_YEAR] = padded(values, 1, (size_t)local->tm_year + 1900);
	texts[VALUE_HOUR] = padded(values, 2, (size_t)local->tm_hour);
	texts[VALUE_MINUTE] = padded(values, 2, (size_t)local->tm_min);
	return notice_value_word(values, word);
}

const char *notice_value_moment(struct notice_values *values, time_t time)
{
	struct tm local;

	if (time == SCHEDULE_NEVER || time == SCHEDULE_ALWAYS || localtime_r(&time, &local) == NULL)
		return NULL;
	return date_word(values, &local, WORD_DATE_TIME);
}

const char *notice_value_date(struct notice_values *values, time_t time)
{
	struct tm local;

	if (time == SCHEDULE_ALWAYS)
		return notice_value_word(values, WORD_ANY_TIME);
	if (time == SCHEDULE_NEVER || localtime_r(&time, &local) == NULL)
		return NULL;
	return date_word(values, &local,
			 local.tm_hour == 0 && local.tm_min == 0 ? WORD_DATE : WORD_DATE_TIME);
}

const char *notice_value_day(struct notice_values *values, time_t time)
{
	struct tm local;

	return localtime_r(&time, &local) == NULL ? NULL : date_word(values, &local, WORD_DATE);
}

/* The time of day without a minute that is 0. Midnight at the end of a day is 24. */
static const char *time_of_day(struct notice_values *values, time_t time, bool is_end)
{
	const char **texts = values->texts;
	struct tm local;
	size_t hour;

	if (localtime_r(&time, &local) == NULL)
		return NULL;
	hour = (size_t)local.tm_hour;
	if (is_end && local.tm_hour == 0 && local.tm_min == 0)
		hour = 24;
	texts[VALUE_HOUR] = notice_value_number(values, hour);
	texts[VALUE_MINUTE] = local.tm_min == 0 ? NULL : padded(values, 2, (size_t)local.tm_min);
	return notice_value_word(values, WORD_TIME);
}

const char *notice_value_hours(struct notice_values *values, const struct brownout *brownout)
{
	if (brownout->end > date_midnight(brownout->begin, 1))
		return NULL;
	values->texts[VALUE_FROM] = time_of_day(values, brownout->begin, false);
	values->texts[VALUE_UNTIL] = time_of_day(values, brownout->end, true);
	return notice_value_word(values, WORD_HOURS);
}

const char *notice_value_country(struct notice_values *values, struct country country)
{
	char locale[sizeof("und_XX")], name[256];
	UChar wide[128];
	UErrorCode status = U_ZERO_ERROR;

	if (country.code[0] == '\0')
		return NULL;
	snprintf(locale, sizeof(locale), "und_%s", country.code);
	uloc_getDisplayCountry(locale, values->language->code, wide, G_N_ELEMENTS(wide), &status);
	u_strToUTF8(name, sizeof(name), NULL, wide, -1, &status);
	/* It is no failure that ICU does not know it: then the code it is. */
	return notice_value_keep(values, U_FAILURE(status) ? country.code : name);
}

const char *notice_value_list(struct notice_values *values, const GPtrArray *list, enum word word)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < list->len; i++) {
		if (i > 0 && i + 1 == list->len)
			g_string_append_printf(text, " %s ", notice_value_word(values, word));
		else if (i > 0)
			g_string_append(text, ", ");
		g_string_append(text, g_ptr_array_index(list, i));
	}
	return keep_and_free(values, g_string_free(text, FALSE));
}

static const char *service_list(struct notice_values *values, const struct rule *rule)
{
	static const char *const names[SERVICE_COUNT] = {
		[SERVICE_IMAP] = "IMAP",         [SERVICE_POP3] = "POP3",
		[SERVICE_SIEVE] = "ManageSieve", [SERVICE_SUBMISSION] = "SMTP",
		[SERVICE_SMTP] = "SMTP",
	};
	GPtrArray *list = g_ptr_array_new();
	const char *text;

	for (unsigned int service = 0; service < SERVICE_COUNT; service++) {
		if ((rule->services & SERVICE_BIT(service)) == 0)
			continue;
		/* Both of them are SMTP to people. */
		if (service == SERVICE_SMTP &&
		    (rule->services & SERVICE_BIT(SERVICE_SUBMISSION)) != 0)
			continue;
		g_ptr_array_add(list, (gpointer)names[service]);
	}
	text = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return text;
}

const char *notice_value_countries(struct notice_values *values, const struct country *countries,
				   size_t count)
{
	GPtrArray *list = g_ptr_array_new();
	const char *text;

	for (size_t i = 0; i < count; i++)
		g_ptr_array_add(list, (gpointer)notice_value_country(values, countries[i]));
	text = notice_value_list(values, list, WORD_AND);
	g_ptr_array_unref(list);
	return text;
}

static const char *port_list(struct notice_values *values, const struct rule *rule)
{
	GPtrArray *list = g_ptr_array_new();
	const char *text;

	for (size_t i = 0; i < rule->port_count; i++)
		g_ptr_array_add(list, (gpointer)notice_value_number(values, rule->ports[i]));
	text = notice_value_list(values, list, WORD_OR);
	g_ptr_array_unref(list);
	return text;
}

/* Of who fetched mail by POP3. */
static bool leaves_imap(const struct policy *policy, const struct rule *rule)
{
	return rule->kind == KIND_PROTOCOL && (rule->services & SERVICE_BIT(SERVICE_POP3)) != 0 &&
	       !policy_retires_service(policy, SERVICE_IMAP);
}

void notice_values_set_rule(struct notice_values *values, const struct rule *rule, time_t enforce)
{
	const char **texts = values->texts;
	time_t notify = rule->schedule.notify;

	texts[VALUE_RULE] = rule->title;
	texts[VALUE_SERVICES] = service_list(values, rule);
	texts[VALUE_COUNTRIES] =
		notice_value_countries(values, rule->countries, rule->country_count);
	texts[VALUE_PORTS] = port_list(values, rule);
	texts[VALUE_MINIMUM] =
		rule->minimum == TLS_VERSION_UNKNOWN ? NULL : tls_version_name(rule->minimum);
	texts[VALUE_NOTIFY] = notify == SCHEDULE_ALWAYS ? NULL : notice_value_date(values, notify);
	texts[VALUE_ENFORCE] = notice_value_date(values, enforce);
	texts[VALUE_ENFORCED] = enforce <= values->now ? "yes" : NULL;
	texts[VALUE_ENFORCE_ALWAYS] = enforce == SCHEDULE_ALWAYS ? "yes" : NULL;
	texts[VALUE_IMAP_INSTEAD] = leaves_imap(values->policy, rule) ? "yes" : NULL;
	texts[VALUE_WHAT] = notice_value_word(values, WORD_WHAT_ENCRYPTION + rule->kind);
	texts[VALUE_WHY] = notice_value_word(values, WORD_WHY_ENCRYPTION + rule->kind);
	texts[VALUE_CHANGE] =
		keep_and_free(values, g_strdup_printf(SECTION_CHANGE "%s", kind_name(rule->kind)));
}

void notice_values_set_brownout(struct notice_values *values, const struct brownout *brownout)
{
	const char **texts = values->texts;

	texts[VALUE_BROWNOUT_BEGIN] = notice_value_moment(values, brownout->begin);
	texts[VALUE_BROWNOUT_END] = notice_value_moment(values, brownout->end);
	texts[VALUE_BROWNOUT_HOURS] = notice_value_hours(values, brownout);
	texts[VALUE_BROWNOUT_DAY] = texts[VALUE_BROWNOUT_HOURS] == NULL
					    ? NULL
					    : notice_value_day(values, brownout->begin);
}

const char *notice_value_encryption(const struct notice_values *values, uint16_t port)
{
	return policy_port_is_implicit_tls(values->policy, port) ? "SSL/TLS" : "STARTTLS";
}

void notice_values_begin(struct notice_values *values, time_t now)
{
	const struct policy *policy = values->policy;
	const struct client_settings *settings = &policy->client_settings;
	const char **texts = values->texts;

	g_string_chunk_clear(values->memory);
	memset(texts, 0, sizeof(values->texts));
	values->now = now;
	texts[VALUE_ORGANISATION] = policy->organisation;
	texts[VALUE_HELP_URL] = policy->help_url;
	texts[VALUE_CONTACT] = policy->notices.contact;
	texts[VALUE_WEBMAIL_URL] = settings->webmail_url;
	texts[VALUE_VPN_URL] = settings->vpn_url;
	texts[VALUE_PASSWORD_URL] = settings->password_url;
	texts[VALUE_USER_NAME] = policy_user_name(policy, values->language->code);
	texts[VALUE_IMAP_SERVER] = settings->imap_server;
	texts[VALUE_IMAP_PORT] = notice_value_number(values, settings->imap_port);
	texts[VALUE_IMAP_ENCRYPTION] = notice_value_encryption(values, settings->imap_port);
	texts[VALUE_POP3_SERVER] =
		policy_retires_service(policy, SERVICE_POP3) ? NULL : settings->pop3_server;
	texts[VALUE_POP3_PORT] = notice_value_number(values, settings->pop3_port);
	texts[VALUE_POP3_ENCRYPTION] = notice_value_encryption(values, settings->pop3_port);
	texts[VALUE_SMTP_SERVER] = settings->smtp_server;
	texts[VALUE_SMTP_PORT] = notice_value_number(values, settings->smtp_port);
	texts[VALUE_SMTP_ENCRYPTION] = notice_value_encryption(values, settings->smtp_port);
	texts[VALUE_NOW] = notice_value_moment(values, now);
}
