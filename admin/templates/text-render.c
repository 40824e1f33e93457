#include "text-nodes.h"

#include <string.h>

struct renderer {
	const struct text_sections *sections;
	struct text_source *source;
	struct text_writer *writer; /* NULL: there are no blocks */
	GString *line;              /* as far as it is */
};

static void render_nodes(struct renderer *renderer, const struct node *node);

static bool has_value(const struct renderer *renderer, const struct node *node)
{
	const char *value = renderer->source->values[node->index];

	return value != NULL && value[0] != '\0';
}

/* One blank at most, whatever conditions leave beside each other. */
static void append_text(GString *line, const char *text)
{
	const char *blanks;

	if (line->len == 0 || line->str[line->len - 1] == ' ')
		text += strspn(text, " ");
	while ((blanks = strstr(text, "  ")) != NULL) {
		g_string_append_len(line, text, blanks + 1 - text);
		text = blanks + strspn(blanks, " ");
	}
	g_string_append(line, text);
}

static void render_line(struct renderer *renderer, const struct node *nodes)
{
	g_string_truncate(renderer->line, 0);
	render_nodes(renderer, nodes);
	while (renderer->line->len > 0 &&
	       g_ascii_isspace(renderer->line->str[renderer->line->len - 1]))
		g_string_truncate(renderer->line, renderer->line->len - 1);
}

static void render_block(struct renderer *renderer, const struct node *node)
{
	render_line(renderer, node->body);
	if (renderer->line->len > 0)
		renderer->writer->write(renderer->writer, node->block, renderer->line->str);
}

static void render_loop(struct renderer *renderer, const struct node *node)
{
	size_t turn = 0;

	for (; renderer->source->select(renderer->source, node->index, turn); turn++)
		render_nodes(renderer, node->body);
	if (turn == 0)
		render_nodes(renderer, node->otherwise);
}

static void render_section(struct renderer *renderer, const char *name)
{
	const struct text_section *section = g_hash_table_lookup(renderer->sections->by_name, name);

	render_nodes(renderer, section->nodes);
}

static void render_node(struct renderer *renderer, const struct node *node)
{
	switch (node->type) {
	case NODE_TEXT:
		append_text(renderer->line, node->text);
		break;
	case NODE_VALUE:
		if (has_value(renderer, node))
			append_text(renderer->line, renderer->source->values[node->index]);
		break;
	case NODE_IF:
		render_nodes(renderer, has_value(renderer, node) ? node->body : node->otherwise);
		break;
	case NODE_EACH:
		render_loop(renderer, node);
		break;
	case NODE_BLOCK:
		render_block(renderer, node);
		break;
	case NODE_INCLUDE:
		render_section(renderer, node->text);
		break;
	case NODE_INSERT:
		render_section(renderer, renderer->source->values[node->index]);
		break;
	}
}

static void render_nodes(struct renderer *renderer, const struct node *node)
{
	for (; node != NULL; node = node->next)
		render_node(renderer, node);
}

void text_sections_render(const struct text_sections *sections, const char *name,
			  struct text_source *source, struct text_writer *writer)
{
	struct renderer renderer = {.sections = sections,
				    .source = source,
				    .writer = writer,
				    .line = g_string_sized_new(512)};

	render_section(&renderer, name);
	g_string_free(renderer.line, TRUE);
}

static char *line_of(const struct text_sections *sections, const struct node *nodes,
		     struct text_source *source)
{
	struct renderer renderer = {
		.sections = sections, .source = source, .line = g_string_new(NULL)};

	render_line(&renderer, nodes);
	return g_string_free(renderer.line, FALSE);
}

char *text_sections_head(const struct text_sections *sections, const char *name,
			 struct text_source *source)
{
	const struct text_section *section = g_hash_table_lookup(sections->by_name, name);

	return line_of(sections, section->head, source);
}

char *text_sections_word(const struct text_sections *sections, unsigned int word,
			 struct text_source *source)
{
	return line_of(sections, sections->phrases[word].nodes, source);
}
