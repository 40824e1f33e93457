#include "survey-reading.h"

#include <stdio.h>

#include "admin/terminal/progress.h"

/* Where syslog daemons write to. */
#define LOG_FOLDER "/var/log"

struct bar {
	const struct log_input *input;
	struct progress progress;
	struct survey_reading *reading;
};

/* Files may be packed, and grow: only then is it known how much there is. */
static void show_progress(void *context)
{
	struct bar *bar = context;
	uint64_t done, total;

	log_input_progress(bar->input, &done, &total);
	bar->progress.total = total;
	progress_add(&bar->progress, done - bar->progress.done);
}

static void tell(void *context, const char *text)
{
	struct bar *bar = context;

	progress_clear(&bar->progress);
	fprintf(stderr, "portcullis survey: %s\n", text);
}

static void tell_problem(void *context, const char *text)
{
	struct bar *bar = context;

	tell(context, text);
	bar->reading->problems++;
}

typedef bool add_function(struct log_input *input, const char *path, char **problem_r);

static bool add_path(struct log_input *input, add_function *add, const char *path)
{
	char *problem = NULL;

	if (add(input, path, &problem))
		return true;
	fprintf(stderr, "portcullis survey: %s\n", problem);
	g_free(problem);
	return false;
}

static bool add_paths(struct log_input *input, char *const paths[])
{
	if (paths[0] == NULL)
		return add_path(input, log_input_add_usual, LOG_FOLDER);
	for (size_t i = 0; paths[i] != NULL; i++) {
		if (!add_path(input, log_input_add, paths[i]))
			return false;
	}
	return true;
}

bool survey_read(struct survey_reading *reading_r, char *const paths[],
		 const struct survey_question *question)
{
	struct bar bar = {.reading = reading_r};
	const struct log_reader_options options = {.port_25_name = question->port_25_name,
						   .progress = show_progress,
						   .problem = tell_problem,
						   .warning = tell,
						   .context = &bar};
	struct log_login login;

	*reading_r = (struct survey_reading){.input = log_input_create()};
	if (!add_paths(reading_r->input, paths))
		return false;
	log_input_set_since(reading_r->input, question->since);
	bar.input = reading_r->input;
	reading_r->reader = log_reader_create(reading_r->input, &options);
	reading_r->tally = log_tally_create(question->edition);
	progress_begin(&bar.progress, 0);
	while (log_reader_next(reading_r->reader, &login)) {
		if (login.time >= question->since)
			log_tally_add(reading_r->tally, &login);
	}
	progress_clear(&bar.progress);
	return true;
}

void survey_reading_free(struct survey_reading *reading)
{
	log_tally_free(reading->tally);
	log_reader_free(reading->reader);
	log_input_free(reading->input);
}
