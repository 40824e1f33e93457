#include "log-lore.h"

#include <glib.h>

struct log_lore {
	struct log_years years;
	struct log_reader *reader;
	struct log_input *input;
};

static void begin(struct log_lore *lore, const struct log_input_line *line)
{
	struct log_input *again = log_input_again(lore->input);

	lore->years = log_reader_look(lore->reader, line, again);
	log_reader_begin(lore->reader, line, &lore->years);
	log_input_free(again);
}

/* False at the end. */
static bool read_line(struct log_lore *lore, bool is_first)
{
	struct log_input_line line;
	struct log_login login;

	if (log_input_next(lore->input, &line) != LOG_INPUT_LINE)
		return false;
	if (is_first)
		begin(lore, &line);
	log_reader_take(lore->reader, &line);
	while (log_reader_give(lore->reader, &login))
		;
	return true;
}

struct log_lore *log_lore_create(const char *name, const volatile sig_atomic_t *stop)
{
	static const struct log_reader_options options;
	struct log_lore *lore = g_new0(struct log_lore, 1);
	bool is_first = true;

	lore->reader = log_reader_create(NULL, &options);
	lore->input = log_input_create();
	log_input_add(lore->input, name, NULL);
	/* Of a log without a line, too. */
	lore->years = log_reader_look(lore->reader, &(struct log_input_line){0}, NULL);
	while (!*stop && read_line(lore, is_first))
		is_first = false;
	return lore;
}

void log_lore_free(struct log_lore *lore)
{
	if (lore == NULL)
		return;
	log_reader_free(lore->reader);
	log_input_free(lore->input);
	g_free(lore);
}

const struct log_years *log_lore_years(const struct log_lore *lore)
{
	return &lore->years;
}

struct telling {
	store_visit_log_service *visit;
	void *context;
};

static bool tell_service(void *context, const struct store_log_service *service)
{
	const struct telling *telling = context;
	const struct store_log_service told = {
		.host = service->host, .program = service->program, .wraps = true};

	return !service->wraps || telling->visit(telling->context, &told);
}

bool log_lore_each_service(const struct log_lore *lore, store_visit_log_service *visit,
			   void *context)
{
	struct telling telling = {visit, context};

	return postfix_smtpd_each_service(log_reader_smtpd(lore->reader), tell_service, &telling);
}
