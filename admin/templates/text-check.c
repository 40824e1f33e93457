#include "text-nodes.h"

#include <string.h>

static void check_section(struct text_reporter *reporter, struct text_section *section,
			  text_places places)
{
	const char *file = reporter->file;

	section->open = true;
	section->used = true;
	reporter->file = section->file;
	text_check_nodes(reporter, section->head, places);
	text_check_nodes(reporter, section->nodes, places);
	reporter->file = file;
	section->open = false;
}

/* One that comes in the place of a node. */
static void check_inner_section(struct text_reporter *reporter, const struct node *node,
				struct text_section *section, text_places places)
{
	if (section->open)
		text_mistake(reporter, node->line, "this would make [%s] include itself",
			     section->name);
	else
		check_section(reporter, section, places);
}

static void check_name(struct text_reporter *reporter, const struct node *node, text_places places)
{
	const struct text_name *name = &reporter->sections->vocabulary->names[node->index];

	if ((name->places & places) == 0)
		text_mistake(reporter, node->line, "{%s} has no value here", name->spelling);
}

static void check_loop(struct text_reporter *reporter, const struct node *node, text_places places)
{
	const struct text_loop *loop = &reporter->sections->vocabulary->loops[node->index];

	if ((loop->places & places) == 0)
		text_mistake(reporter, node->line, "{each %s} is not available here",
			     loop->spelling);
	text_check_nodes(reporter, node->body, places | loop->inside);
	text_check_nodes(reporter, node->otherwise, places);
}

static void check_include(struct text_reporter *reporter, const struct node *node,
			  text_places places)
{
	struct text_section *included =
		g_hash_table_lookup(reporter->sections->by_name, node->text);

	if (included == NULL)
		text_mistake(reporter, node->line, "there is no section [%s] to include",
			     node->text);
	else
		check_inner_section(reporter, node, included, places);
}

/* The loop that gives a name its value. */
static const char *loop_of(const struct text_vocabulary *vocabulary, const struct text_name *name)
{
	for (unsigned int i = 0; i < vocabulary->loop_count; i++) {
		if ((vocabulary->loops[i].inside & name->places) != 0)
			return vocabulary->loops[i].spelling;
	}
	return "...";
}

/* Any of the sections that the placeholder stands for may come here. */
static void check_insert(struct text_reporter *reporter, const struct node *node,
			 text_places places)
{
	const struct text_vocabulary *vocabulary = reporter->sections->vocabulary;
	const struct text_name *inserted = &vocabulary->names[node->index];
	GHashTableIter iterator;
	gpointer name, section;

	if ((inserted->places & places) == 0) {
		text_mistake(reporter, node->line, "{%s} is allowed only within {each %s}",
			     inserted->spelling, loop_of(vocabulary, inserted));
		return;
	}
	g_hash_table_iter_init(&iterator, reporter->sections->by_name);
	while (g_hash_table_iter_next(&iterator, &name, &section)) {
		if (g_str_has_prefix(name, inserted->sections))
			check_inner_section(reporter, node, section, places);
	}
}

static void check_node(struct text_reporter *reporter, const struct node *node, text_places places)
{
	switch (node->type) {
	case NODE_TEXT:
		break;
	case NODE_VALUE:
		check_name(reporter, node, places);
		break;
	case NODE_BLOCK:
		text_check_nodes(reporter, node->body, places);
		break;
	case NODE_IF:
		check_name(reporter, node, places);
		text_check_nodes(reporter, node->body, places);
		text_check_nodes(reporter, node->otherwise, places);
		break;
	case NODE_EACH:
		check_loop(reporter, node, places);
		break;
	case NODE_INCLUDE:
		check_include(reporter, node, places);
		break;
	case NODE_INSERT:
		check_insert(reporter, node, places);
		break;
	}
}

void text_check_nodes(struct text_reporter *reporter, const struct node *nodes, text_places places)
{
	for (; nodes != NULL; nodes = nodes->next)
		check_node(reporter, nodes, places);
}

bool text_sections_check(struct text_sections *sections, const char *name, text_places places,
			 const char *head, config_report *error, void *context)
{
	struct text_reporter reporter = {.sections = sections, .error = error, .context = context};
	struct text_section *section = g_hash_table_lookup(sections->by_name, name);

	if (section == NULL)
		return false;
	reporter.file = section->file;
	if (head != NULL && !section->has_head)
		text_mistake(&reporter, section->line,
			     "[%s] does not begin with a line \"%s: ...\"", name, head);
	check_section(&reporter, section, places);
	return !reporter.failed;
}

bool text_sections_check_unused(struct text_sections *sections, const char *file,
				config_report *error, void *context)
{
	struct text_reporter reporter = {
		.sections = sections, .file = file, .error = error, .context = context};
	GHashTableIter iterator;
	gpointer name, value;

	g_hash_table_iter_init(&iterator, sections->by_name);
	while (g_hash_table_iter_next(&iterator, &name, &value)) {
		const struct text_section *section = value;

		if (!section->used && strcmp(section->file, file) == 0)
			text_mistake(&reporter, section->line, "section [%s] is not used anywhere",
				     section->name);
	}
	return !reporter.failed;
}
