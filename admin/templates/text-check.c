#include "text-nodes.h"

#include <string.h>

struct checker {
	struct text_sections *sections;
	struct text_reporter reporter;
};

static void check_name(struct checker *checker, enum text_name name, unsigned int line,
		       unsigned int place)
{
	if ((text_name_places(name) & place) == 0)
		text_mistake(&checker->reporter, line, "{%s} has no value in this place",
			     text_name_spelling(name));
}

static void check_pieces(struct checker *checker, const struct text_pieces *pieces,
			 unsigned int place)
{
	for (; pieces != NULL; pieces = pieces->next) {
		if (pieces->type != PIECE_TEXT)
			check_name(checker, pieces->name, pieces->line, place);
		check_pieces(checker, pieces->body, place);
		check_pieces(checker, pieces->otherwise, place);
	}
}

static void check_section(struct checker *checker, struct text_section *section,
			  unsigned int place);

static void check_prefixed(struct checker *checker, const char *prefix, unsigned int place)
{
	GHashTableIter iterator;
	gpointer name, section;

	g_hash_table_iter_init(&iterator, checker->sections->by_name);
	while (g_hash_table_iter_next(&iterator, &name, &section)) {
		if (g_str_has_prefix(name, prefix))
			check_section(checker, section, place);
	}
}

static void check_nodes(struct checker *checker, const struct node *node, unsigned int place)
{
	for (; node != NULL; node = node->next) {
		unsigned int inside = place;
		struct text_section *included;

		switch (node->type) {
		case NODE_BLOCK:
			check_pieces(checker, node->pieces, place);
			break;
		case NODE_IF:
			check_name(checker, node->name, node->line, place);
			break;
		case NODE_EACH:
			if ((text_loop_places(node->loop) & place) == 0)
				text_mistake(&checker->reporter, node->line,
					     "{each %s} has nothing to go through in this place",
					     text_loop_spelling(node->loop));
			inside |= TEXT_IN_EACH(node->loop);
			break;
		case NODE_INCLUDE:
			included = g_hash_table_lookup(checker->sections->by_name, node->include);
			if (included == NULL)
				text_mistake(&checker->reporter, node->line,
					     "there is no section [%s] to include", node->include);
			else if (included->open)
				text_mistake(&checker->reporter, node->line,
					     "[%s] includes itself, by this line", node->include);
			else
				check_section(checker, included, place);
			break;
		case NODE_CHANGE:
			if ((place & TEXT_IN_EACH(TEXT_EACH_RULE)) == 0)
				text_mistake(&checker->reporter, node->line,
					     "{change} stands only within {each rule}");
			else
				check_prefixed(checker, TEXT_CHANGE_PREFIX, place);
			break;
		case NODE_STEPS:
			if ((place & TEXT_IN_EACH(TEXT_EACH_PROGRAM)) == 0)
				text_mistake(&checker->reporter, node->line,
					     "{steps} stands only within {each program}");
			else
				check_prefixed(checker, TEXT_STEPS_PREFIX, place);
			break;
		}
		check_nodes(checker, node->body, inside);
		check_nodes(checker, node->otherwise, place);
	}
}

static void check_section(struct checker *checker, struct text_section *section, unsigned int place)
{
	const char *file = checker->reporter.file;

	if (section->open)
		return;
	section->open = true;
	section->used = true;
	checker->reporter.file = section->file;
	check_pieces(checker, section->head, place);
	check_nodes(checker, section->nodes, place);
	checker->reporter.file = file;
	section->open = false;
}

bool text_sections_check(struct text_sections *sections, const char *name, unsigned int place,
			 config_report *error, void *context)
{
	struct checker checker = {
		.sections = sections,
		.reporter = {.sections = sections, .error = error, .context = context}};
	struct text_section *section = g_hash_table_lookup(sections->by_name, name);
	bool needs_head = !g_str_has_prefix(name, TEXT_CHANGE_PREFIX) &&
			  !g_str_has_prefix(name, TEXT_STEPS_PREFIX);

	if (section == NULL)
		return false;
	checker.reporter.file = section->file;
	if (needs_head && !section->has_head)
		text_mistake(&checker.reporter, section->line,
			     "[%s] does not begin with a line \"%s: ...\"", name,
			     place == TEXT_IN_PAGE ? "Title" : "Subject");
	check_section(&checker, section, place);
	return !checker.reporter.failed;
}

bool text_sections_check_unused(struct text_sections *sections, config_report *error, void *context)
{
	struct text_reporter reporter = {.sections = sections, .error = error, .context = context};
	GHashTableIter iterator;
	gpointer name, value;

	g_hash_table_iter_init(&iterator, sections->by_name);
	while (g_hash_table_iter_next(&iterator, &name, &value)) {
		const struct text_section *section = value;

		reporter.file = section->file;
		if (!section->used)
			text_mistake(&reporter, section->line, "nothing uses a section [%s]",
				     section->name);
	}
	return !reporter.failed;
}
