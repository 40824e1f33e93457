#include "text-nodes.h"

#include <string.h>

static bool has_value(const struct text_source *source, enum text_name name)
{
	return source->values[name] != NULL && source->values[name][0] != '\0';
}

/* One blank at most, whatever conditions leave beside each other. */
static void append_text(GString *line, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == ' ' && (line->len == 0 || line->str[line->len - 1] == ' '))
			continue;
		g_string_append_c(line, *text);
	}
}

static void append_pieces(GString *line, const struct text_pieces *piece,
			  const struct text_source *source)
{
	for (; piece != NULL; piece = piece->next) {
		switch (piece->type) {
		case PIECE_TEXT:
			append_text(line, piece->text);
			break;
		case PIECE_VALUE:
			if (has_value(source, piece->name))
				append_text(line, source->values[piece->name]);
			break;
		case PIECE_IF:
			append_pieces(line,
				      has_value(source, piece->name) ? piece->body
								     : piece->otherwise,
				      source);
			break;
		}
	}
}

char *text_pieces_render(const struct text_pieces *pieces, const struct text_source *source)
{
	GString *line = g_string_new(NULL);

	append_pieces(line, pieces, source);
	return g_strchomp(g_string_free(line, FALSE));
}

struct renderer {
	const struct text_sections *sections;
	struct text_source *source;
	struct text_writer *writer;
	GString *line;
};

static void render_section(struct renderer *renderer, const char *name);

static void render_nodes(struct renderer *renderer, const struct node *node)
{
	struct text_source *source = renderer->source;

	for (; node != NULL; node = node->next) {
		size_t turn = 0;

		switch (node->type) {
		case NODE_BLOCK:
			g_string_truncate(renderer->line, 0);
			append_pieces(renderer->line, node->pieces, source);
			g_strchomp(renderer->line->str);
			renderer->line->len = strlen(renderer->line->str);
			if (renderer->line->len > 0)
				renderer->writer->write(renderer->writer, node->block,
							renderer->line->str);
			break;
		case NODE_IF:
			render_nodes(renderer,
				     has_value(source, node->name) ? node->body : node->otherwise);
			break;
		case NODE_EACH:
			for (; source->select(source, node->loop, turn); turn++)
				render_nodes(renderer, node->body);
			if (turn == 0)
				render_nodes(renderer, node->otherwise);
			break;
		case NODE_INCLUDE:
			render_section(renderer, node->include);
			break;
		case NODE_CHANGE:
			render_section(renderer, source->change);
			break;
		case NODE_STEPS:
			render_section(renderer, source->steps);
			break;
		}
	}
}

static void render_section(struct renderer *renderer, const char *name)
{
	const struct text_section *section = g_hash_table_lookup(renderer->sections->by_name, name);

	render_nodes(renderer, section->nodes);
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

char *text_sections_head(const struct text_sections *sections, const char *name,
			 const struct text_source *source)
{
	const struct text_section *section = g_hash_table_lookup(sections->by_name, name);

	return text_pieces_render(section->head, source);
}
