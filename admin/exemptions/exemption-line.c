#include "exemption-line.h"

#include <string.h>

#include "policy/utf8.h"

#define IS_BLANK(character) ((character) == ' ' || (character) == '\t')

/* ---- taking apart ---- */

static size_t skip_blanks(const char *text, size_t at, size_t length)
{
	while (at < length && IS_BLANK(text[at]))
		at++;
	return at;
}

/* The next field; false at a comment, or the end. */
static bool next_field(const char *text, size_t length, size_t *at, size_t *begin_r, size_t *end_r)
{
	*at = skip_blanks(text, *at, length);
	if (*at == length || text[*at] == '#')
		return false;
	*begin_r = *at;
	while (*at < length && !IS_BLANK(text[*at]))
		++*at;
	*end_r = *at;
	return true;
}

bool exemption_line_split(const char *text, size_t length, struct exemption_line *line_r)
{
	size_t at = 0;

	if (length > 0 && text[length - 1] == '\r')
		length--;
	if (!next_field(text, length, &at, &line_r->user, &line_r->user_end) ||
	    !next_field(text, length, &at, &line_r->rules, &line_r->rules_end) ||
	    !next_field(text, length, &at, &line_r->dates, &line_r->dates_end))
		return false;
	at = skip_blanks(text, at, length);
	line_r->comment = at < length ? skip_blanks(text, at + 1, length) : length;
	line_r->end = length;
	return true;
}

char *exemption_rules_without(const char *rules, size_t length, const struct policy *policy,
			      uint64_t without)
{
	char *copy = g_strndup(rules, length);
	char **names = g_strsplit(copy, ",", -1);
	GString *left = g_string_new(NULL);
	bool dropping = false;

	for (size_t i = 0; names[i] != NULL; i++) {
		size_t title_length = strcspn(names[i], "=");
		char *title = g_strndup(names[i], title_length);
		const struct rule *rule = policy_rule(policy, title);

		/* A country belongs to the rule before it. */
		if (rule != NULL)
			dropping = (without & UINT64_C(1) << rule->index) != 0;
		if (!dropping)
			g_string_append_printf(left, "%s%s", left->len == 0 ? "" : ",", names[i]);
		g_free(title);
	}
	g_strfreev(names);
	g_free(copy);
	return g_string_free(left, FALSE);
}

/* ---- wishes ---- */

static struct exemption *add_entry(struct exemption_wish *wish, const struct rule *rule)
{
	struct exemption entry = {.begin = wish->begin, .end = wish->end, .rule = rule->index};

	g_array_append_val(wish->entries, entry);
	g_ptr_array_add(wish->countries, g_array_new(FALSE, FALSE, sizeof(struct country)));
	return &g_array_index(wish->entries, struct exemption, wish->entries->len - 1);
}

static bool add_country(struct exemption_wish *wish, guint index, const char *code, char **error_r)
{
	struct exemption *entry = &g_array_index(wish->entries, struct exemption, index);
	GArray *countries = g_ptr_array_index(wish->countries, index);
	struct country country = {""};

	if (!country_code_exists(code)) {
		*error_r = g_strdup_printf("ISO 3166-1 has no country '%s'", code);
		return false;
	}
	memcpy(country.code, code, 2);
	g_array_append_val(countries, country);
	entry->countries = (const struct country *)countries->data;
	entry->country_count = countries->len;
	return true;
}

/* Reads TITLE, TITLE=CC, or CC behind that. */
static bool read_name(struct exemption_wish *wish, const struct policy *policy, char *name,
		      char **error_r)
{
	guint last = wish->entries->len - 1;
	char *equals = strchr(name, '=');
	const struct rule *rule;

	if (equals == NULL && wish->entries->len > 0 && country_code_exists(name) &&
	    g_array_index(wish->entries, struct exemption, last).country_count > 0)
		return add_country(wish, last, name, error_r);
	if (equals != NULL)
		*equals = '\0';
	rule = policy_rule(policy, name);
	if (rule == NULL) {
		*error_r = g_strdup_printf("no rule is called '%s'", name);
		return false;
	}
	add_entry(wish, rule);
	if (equals == NULL)
		return true;
	if (rule->kind == KIND_COUNTRY)
		return add_country(wish, wish->entries->len - 1, equals + 1, error_r);
	*error_r = g_strdup_printf("'%s' takes no countries, because it is a rule of kind %s", name,
				   kind_name(rule->kind));
	return false;
}

static bool read_names(struct exemption_wish *wish, const struct policy *policy, const char *rules,
		       char **error_r)
{
	char **names = g_strsplit(rules, ",", -1);
	bool fine = names[0] != NULL;

	if (!fine)
		*error_r = g_strdup("RULES is empty");
	for (size_t i = 0; fine && names[i] != NULL; i++)
		fine = read_name(wish, policy, names[i], error_r);
	g_strfreev(names);
	return fine;
}

static bool read_countries(struct exemption_wish *wish, const struct policy *policy,
			   const char *countries, char **error_r)
{
	char **codes = g_strsplit(countries, ",", -1);
	bool fine = codes[0] != NULL, used = false;

	for (guint i = 0; fine && i < wish->entries->len; i++) {
		unsigned int rule = g_array_index(wish->entries, struct exemption, i).rule;

		if (policy->rules[rule].kind != KIND_COUNTRY)
			continue;
		used = true;
		for (size_t j = 0; fine && codes[j] != NULL; j++)
			fine = add_country(wish, i, codes[j], error_r);
	}
	if (fine && !used) {
		*error_r =
			g_strdup("no rule in RULES is a country rule, so --country does not apply");
		fine = false;
	}
	if (codes[0] == NULL)
		*error_r = g_strdup("--country is empty");
	g_strfreev(codes);
	return fine;
}

static bool read_day(const char *option, const char *day, time_t *begin_r, time_t *end_r,
		     char **error_r)
{
	const char *error;

	if (date_parse_day(day, begin_r, end_r, &error))
		return true;
	*error_r = g_strdup_printf("%s: %s", option, error);
	return false;
}

static bool read_dates(struct exemption_wish *wish, const char *first, const char *last,
		       char **error_r)
{
	time_t ignored;

	wish->begin = SCHEDULE_ALWAYS;
	if (!read_day("--until", last, &ignored, &wish->end, error_r) ||
	    (first != NULL && !read_day("--from", first, &wish->begin, &ignored, error_r)))
		return false;
	if (wish->begin < wish->end) {
		wish->dates = g_strdup_printf("%s%s%s", first == NULL ? "" : first,
					      first == NULL ? "" : "..", last);
		return true;
	}
	*error_r = g_strdup("--until is before --from");
	return false;
}

static char *format_rules(const struct exemption_wish *wish, const struct policy *policy)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < wish->entries->len; i++) {
		const struct exemption *entry = &g_array_index(wish->entries, struct exemption, i);

		g_string_append_printf(text, "%s%s", i == 0 ? "" : ",",
				       policy->rules[entry->rule].title);
		for (size_t j = 0; j < entry->country_count; j++)
			g_string_append_printf(text, "%c%s", j == 0 ? '=' : ',',
					       entry->countries[j].code);
	}
	return g_string_free(text, FALSE);
}

static void free_countries(gpointer countries)
{
	g_array_free(countries, TRUE);
}

bool exemption_wish_read(struct exemption_wish *wish_r, const struct policy *policy,
			 const char *rules, const char *countries, const char *first,
			 const char *last, char **error_r)
{
	*wish_r = (struct exemption_wish){
		.entries = g_array_new(FALSE, FALSE, sizeof(struct exemption)),
		.countries = g_ptr_array_new_with_free_func(free_countries),
	};
	if (!read_dates(wish_r, first, last, error_r) ||
	    !read_names(wish_r, policy, rules, error_r) ||
	    (countries != NULL && !read_countries(wish_r, policy, countries, error_r)))
		return false;
	wish_r->rules = format_rules(wish_r, policy);
	return true;
}

void exemption_wish_free(struct exemption_wish *wish)
{
	g_array_free(wish->entries, TRUE);
	g_ptr_array_free(wish->countries, TRUE);
	g_free(wish->dates);
	g_free(wish->rules);
}

bool exemptions_are_equal(const struct exemption *a, const struct exemption *b)
{
	return a->begin == b->begin && a->end == b->end && a->rule == b->rule &&
	       a->country_count == b->country_count &&
	       (a->country_count == 0 ||
		memcmp(a->countries, b->countries, a->country_count * sizeof(*a->countries)) == 0);
}

static bool has_country(const struct exemption *exemption, const struct country *country)
{
	for (size_t i = 0; i < exemption->country_count; i++) {
		if (strcmp(exemption->countries[i].code, country->code) == 0)
			return true;
	}
	return false;
}

static bool grants(const struct exemption *exemption, const struct exemption *wanted, time_t now)
{
	time_t begin = wanted->begin > now ? wanted->begin : now;

	if (exemption->rule != wanted->rule || exemption->begin > begin ||
	    exemption->end < wanted->end)
		return false;
	if (exemption->country_count == 0)
		return true;
	for (size_t i = 0; i < wanted->country_count; i++) {
		if (!has_country(exemption, &wanted->countries[i]))
			return false;
	}
	return wanted->country_count > 0;
}

bool exemption_wish_is_granted(const struct exemption_wish *wish,
			       const struct exemption *exemptions, size_t count, time_t now)
{
	for (guint i = 0; i < wish->entries->len; i++) {
		size_t j = 0;

		while (j < count &&
		       !grants(&exemptions[j], &g_array_index(wish->entries, struct exemption, i),
			       now))
			j++;
		if (j == count)
			return false;
	}
	return true;
}

/* ---- putting together ---- */

bool exemption_user_is_writable(const char *user)
{
	/* A byte order mark at the begin of a file is not read. */
	return user[0] != '\0' && user[0] != '#' && strchr(user, ' ') == NULL &&
	       strncmp(user, "\xef\xbb\xbf", 3) != 0 && utf8_is_line(user) &&
	       strlen(user) < USER_SIZE;
}

void exemption_line_append(GString *text, const char *user, const struct exemption_wish *wish,
			   const char *reason)
{
	g_string_append_printf(text, "%s  %s  %s", user, wish->rules, wish->dates);
	if (reason != NULL)
		g_string_append_printf(text, "  # %s", reason);
	g_string_append_c(text, '\n');
}
