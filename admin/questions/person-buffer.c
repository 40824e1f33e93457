#include "person-buffer.h"

void person_buffer_init(struct person_buffer *buffer_r)
{
	*buffer_r = (struct person_buffer){
		.sightings = g_array_new(FALSE, FALSE, sizeof(struct store_sighting)),
		.texts = g_string_chunk_new(1024),
	};
}

void person_buffer_free(struct person_buffer *buffer)
{
	g_array_unref(buffer->sightings);
	g_string_chunk_free(buffer->texts);
}

bool person_buffer_ends_with(const struct person_buffer *buffer, int64_t user_id)
{
	return buffer->sightings->len > 0 &&
	       g_array_index(buffer->sightings, struct store_sighting, 0).user_id != user_id;
}

static const char *keep(struct person_buffer *buffer, const char *text)
{
	/* An empty one would not live as long. */
	return text == NULL || text[0] == '\0' ? "" : g_string_chunk_insert(buffer->texts, text);
}

void person_buffer_add(struct person_buffer *buffer, const struct store_sighting *sighting)
{
	struct store_sighting kept = *sighting;

	if (buffer->sightings->len == 0)
		buffer->user = sighting->user == NULL
				       ? NULL
				       : g_string_chunk_insert(buffer->texts, sighting->user);
	kept.user = buffer->user;
	kept.last_client = keep(buffer, sighting->last_client);
	kept.whereabouts = keep(buffer, sighting->whereabouts);
	g_array_append_val(buffer->sightings, kept);
}

bool person_buffer_is_offender(const struct person_buffer *buffer)
{
	for (guint i = 0; i < buffer->sightings->len; i++) {
		const struct store_sighting *sighting =
			&g_array_index(buffer->sightings, struct store_sighting, i);

		if (sighting->verified && sighting->rules->rule_count > 0)
			return true;
	}
	return false;
}

void person_buffer_each(const struct person_buffer *buffer, store_visit_sighting *visit,
			void *context)
{
	for (guint i = 0; i < buffer->sightings->len; i++) {
		if (!visit(context, &g_array_index(buffer->sightings, struct store_sighting, i)))
			break;
	}
}

void person_buffer_clear(struct person_buffer *buffer)
{
	g_array_set_size(buffer->sightings, 0);
	g_string_chunk_clear(buffer->texts);
}
