#include "log-order.h"

#include <glib.h>

#include "admin/logs/log-file-name.h"

struct log_order {
	char *const *logs;
	bool rotated;
	GHashTable *read; /* a struct read_file by path */
};

struct read_file {
	struct stat status;
	bool packed;
};

struct log_order *log_order_create(void)
{
	struct log_order *order = g_new0(struct log_order, 1);

	order->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return order;
}

void log_order_free(struct log_order *order)
{
	g_hash_table_unref(order->read);
	g_free(order);
}

void log_order_set(struct log_order *order, char *const logs[], bool rotated)
{
	order->logs = logs;
	order->rotated = rotated;
}

struct log_input *log_order_files(const struct log_order *order,
				  void (*problem)(void *context, const char *text), void *context)
{
	struct log_input *input = log_input_create();

	for (size_t i = 0; order->logs[i] != NULL; i++) {
		char *text = NULL;
		bool added = order->rotated ? log_input_add_rotated(input, order->logs[i], &text)
					    : log_input_add(input, order->logs[i], &text);

		if (!added && problem != NULL)
			problem(context, text);
		g_free(text);
	}
	return input;
}

void log_order_note(struct log_order *order, const char *path, const struct stat *status,
		    bool packed)
{
	struct read_file *file = g_new(struct read_file, 1);

	*file = (struct read_file){.status = *status, .packed = packed};
	g_hash_table_replace(order->read, g_strdup(path), file);
}

static const struct read_file *find(const struct log_order *order, const char *path,
				    const struct stat *status)
{
	const struct read_file *file = g_hash_table_lookup(order->read, path);

	return file != NULL && file->status.st_dev == status->st_dev &&
			       file->status.st_ino == status->st_ino
		       ? file
		       : NULL;
}

static bool is_unchanged(const struct read_file *file, const struct stat *status)
{
	return file->status.st_size == status->st_size &&
	       file->status.st_mtim.tv_sec == status->st_mtim.tv_sec &&
	       file->status.st_mtim.tv_nsec == status->st_mtim.tv_nsec;
}

bool log_order_is_read(const struct log_order *order, const char *path, const struct stat *status)
{
	const struct read_file *file = find(order, path, status);

	return file != NULL && is_unchanged(file, status);
}

/* What is just being packed was read before that. */
static bool is_done_with(const struct log_order *order, const char *path, const struct stat *status)
{
	const struct read_file *file = find(order, path, status);

	return file != NULL && (file->packed || is_unchanged(file, status));
}

bool log_order_is_kept(const struct log_order *order, const struct log_file *file, const char *path)
{
	struct log_input *input = log_order_files(order, NULL, NULL);
	const GPtrArray *sources = log_input_sources(input);
	bool kept = true;

	for (guint i = 0; kept && i < sources->len; i++) {
		const struct log_source *other = g_ptr_array_index(sources, i);
		struct stat status;

		if (other->kind != LOG_SOURCE_FILE || !log_file_names_match(path, other->path))
			continue;
		kept = stat(other->path, &status) == 0;
		if (kept && log_file_is(file, &status))
			break;
		kept = kept && is_done_with(order, other->path, &status);
	}
	log_input_free(input);
	return kept;
}

bool log_order_knows_all(const struct log_order *order)
{
	struct log_input *input = log_order_files(order, NULL, NULL);
	const GPtrArray *sources = log_input_sources(input);
	bool known = true;

	for (guint i = 0; known && i < sources->len; i++) {
		const struct log_source *source = g_ptr_array_index(sources, i);
		struct stat status;

		known = source->kind != LOG_SOURCE_FILE ||
			(stat(source->path, &status) == 0 &&
			 find(order, source->path, &status) != NULL);
	}
	log_input_free(input);
	return known;
}
