#include "log-first-look.h"

#include <glib.h>

#include "policy/fnv.h"

#include "dovecot-login.h"

/* In most files, the first login tells the year. Of one in which no line does so, these are looked
   at, and then one of so many: that is enough for their order. */
#define LOOKED_LINES 10000
#define LOOKED_STEP 64

/* To unpack a file twice takes long. One that holds no more than so many milliseconds, if it goes
   on as its first part does, is surely of less than a year. */
#define SHORT_SPAN (INT64_C(122) * 24 * 3600 * 1000)
#define FIRST_PART 16
#define FIRST_PART_MIN ((uint64_t)512 << 10)

/* How many are the first lines. */
#define COMPARED_LINES 16

static bool look_at_line(struct log_years *years, struct log_prefix *prefix,
			 const struct log_input_line *input)
{
	struct dovecot_login login = {.session = LOG_SESSION_NONE};
	struct log_line line;

	if (log_prefix_read(prefix, input->text, input->length, !input->whole, &line) !=
	    LOG_LINE_READ)
		return false;
	if (log_slice_equals(line.program, "dovecot") &&
	    dovecot_login_read(line.message, &login) != DOVECOT_LOGIN)
		login.session = LOG_SESSION_NONE;
	return log_years_look(years, &line.time, login.session);
}

/* length: of what was read of it. */
static bool is_of_less_than_a_year(const struct log_years *years, const struct log_input *file,
				   uint64_t length)
{
	int64_t span = log_years_span(years);
	uint64_t done, total;

	log_input_progress(file, &done, &total);
	/* What is not packed is soon read. */
	return length > done && done >= MAX(total / FIRST_PART, FIRST_PART_MIN) && span >= 0 &&
	       (double)span * (double)total / (double)done < SHORT_SPAN;
}

bool log_first_look(struct log_years *years, struct log_prefix *prefix, struct log_input *file,
		    uint64_t *beginning_r)
{
	struct log_input_line line;
	uint64_t length = 0, i = 0;
	bool told = false;

	*beginning_r = FNV_START;
	log_prefix_clear(prefix);
	for (; (!told || i < COMPARED_LINES) && log_input_next(file, &line) == LOG_INPUT_LINE;
	     i++) {
		length += line.length + 1;
		if (i < COMPARED_LINES)
			*beginning_r = fnv_hash(*beginning_r, line.text, line.length);
		if (!told && (i < LOOKED_LINES || i % LOOKED_STEP == 0))
			told = look_at_line(years, prefix, &line) ||
			       is_of_less_than_a_year(years, file, length);
	}
	log_prefix_clear(prefix);
	return i > 0;
}
