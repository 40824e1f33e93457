#define _GNU_SOURCE /* strverscmp() */

#include "device.h"

#include <glib.h>
#include <string.h>

#include "days-of-use.h"
#include "device-name.h"
#include "harmless-text.h"
#include "mail-program.h"

#define NAME_CHARACTERS 48

/* Ends a list. */
#define NONE G_MAXUINT

/* What some habits have in common that may make them one device. */
struct group {
	char *name;      /* as in struct device */
	uint64_t person; /* who used it last, */
	guint device;    /* and the number of that device */
};

/* A row of the person's. */
struct row {
	struct store_sighting sighting; /* its texts are gone */
	uint64_t broken, untold;
	guint next; /* of the same device */
};

struct entry {
	struct device device;
	guint rows; /* the first of them */
};

struct devices {
	GArray *groups;            /* of struct group */
	GHashTable *group_numbers; /* by what they have in common */
	GArray *group_of_habit;    /* of guint, by the habit's index: 1 + the group's number */
	uint64_t person;           /* counts them */
	GArray *rows, *entries;
};

enum device_purpose device_purpose_of(enum service service)
{
	switch (service) {
	case SERVICE_IMAP:
	case SERVICE_POP3:
		return PURPOSE_READ;
	case SERVICE_SIEVE:
		return PURPOSE_FILTER;
	default:
		return PURPOSE_SEND;
	}
}

const char *device_purpose_name(enum device_purpose purpose)
{
	static const char *const names[] = {
		[PURPOSE_READ] = "read", [PURPOSE_SEND] = "send", [PURPOSE_FILTER] = "filter"};

	return names[purpose];
}

const char *device_state_name(enum device_state state)
{
	static const char *const names[] = {
		[DEVICE_KEEPS] = "fine",
		[DEVICE_OPEN] = "open",
		[DEVICE_REPAIRED] = "repaired",
		[DEVICE_RESTED] = "rests",
	};

	return names[state];
}

/* ---- making ---- */

static void clear_group(gpointer group)
{
	g_free(((struct group *)group)->name);
}

struct devices *devices_create(void)
{
	struct devices *devices = g_new0(struct devices, 1);

	devices->groups = g_array_new(FALSE, FALSE, sizeof(struct group));
	g_array_set_clear_func(devices->groups, clear_group);
	devices->group_numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	devices->group_of_habit = g_array_new(FALSE, TRUE, sizeof(guint));
	devices->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	devices->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	devices_begin(devices);
	return devices;
}

void devices_free(struct devices *devices)
{
	if (devices == NULL)
		return;
	g_array_unref(devices->groups);
	g_hash_table_unref(devices->group_numbers);
	g_array_unref(devices->group_of_habit);
	g_array_unref(devices->rows);
	g_array_unref(devices->entries);
	g_free(devices);
}

void devices_clear(struct devices *devices)
{
	devices_begin(devices);
	g_array_set_size(devices->groups, 0);
	g_hash_table_remove_all(devices->group_numbers);
	g_array_set_size(devices->group_of_habit, 0);
}

void devices_begin(struct devices *devices)
{
	devices->person++;
	g_array_set_size(devices->rows, 0);
	g_array_set_size(devices->entries, 0);
}

/* ---- grouping ---- */

/* Equal for the ways of one device; the caller frees it. */
static char *common(const struct store_habit *habit)
{
	char *name = device_name(habit->client_id);
	char *key;

	if (name == NULL)
		return g_strdup_printf("%d %d %u %d %d %s", device_purpose_of(habit->service),
				       habit->service, habit->port, habit->tls, habit->tls_version,
				       habit->mechanism);
	key = g_strdup_printf("%d \"%s\"", device_purpose_of(habit->service), name);
	g_free(name);
	return key;
}

static char *name_to_show(const char *client_id)
{
	char *name = device_name(client_id);
	bool is_helo = name != NULL && strchr(client_id, '=') == NULL;

	g_free(name);
	if (name == NULL)
		return NULL;
	return is_helo ? harmless_text(client_id, NAME_CHARACTERS)
		       : mail_program_versionless(client_id);
}

static guint group_number(struct devices *devices, const struct store_habit *habit)
{
	char *key = common(habit);
	gpointer number;

	if (g_hash_table_lookup_extended(devices->group_numbers, key, NULL, &number)) {
		g_free(key);
	} else {
		const struct group group = {.name = name_to_show(habit->client_id)};

		number = GUINT_TO_POINTER(devices->groups->len);
		g_array_append_val(devices->groups, group);
		g_hash_table_insert(devices->group_numbers, key, number);
	}
	return GPOINTER_TO_UINT(number);
}

static struct group *group_of(struct devices *devices, const struct store_habit *habit)
{
	guint *number;

	if (habit->index >= devices->group_of_habit->len)
		g_array_set_size(devices->group_of_habit, (guint)habit->index + 1);
	number = &g_array_index(devices->group_of_habit, guint, habit->index);
	if (*number == 0)
		*number = 1 + group_number(devices, habit);
	return &g_array_index(devices->groups, struct group, *number - 1);
}

static struct entry *find_entry(struct devices *devices, const struct store_sighting *sighting,
				guint *number_r)
{
	struct group *group = group_of(devices, sighting->habit);

	if (group->person != devices->person) {
		const struct entry entry = {
			.device = {.purpose = device_purpose_of(sighting->habit->service),
				   .name = group->name,
				   .client_id = sighting->habit->client_id,
				   .first_seen = sighting->first_seen,
				   .last_seen = sighting->last_seen},
			.rows = NONE};

		group->person = devices->person;
		group->device = devices->entries->len;
		g_array_append_val(devices->entries, entry);
	}
	*number_r = group->device;
	return &g_array_index(devices->entries, struct entry, group->device);
}

size_t devices_add(struct devices *devices, const struct store_sighting *sighting, uint64_t broken,
		   uint64_t untold)
{
	guint number;
	struct entry *entry = find_entry(devices, sighting, &number);
	struct device *device = &entry->device;
	const struct row row = {
		.sighting = *sighting, .broken = broken, .untold = untold, .next = entry->rows};

	entry->rows = devices->rows->len;
	g_array_append_val(devices->rows, row);
	device->first_seen = MIN(device->first_seen, sighting->first_seen);
	device->last_seen = MAX(device->last_seen, sighting->last_seen);
	if (strverscmp(sighting->habit->client_id, device->client_id) > 0)
		device->client_id = sighting->habit->client_id;
	return number;
}

size_t devices_count(const struct devices *devices)
{
	return devices->entries->len;
}

const struct device *devices_get(const struct devices *devices, size_t device)
{
	return &g_array_index(devices->entries, struct entry, device).device;
}

/* ---- what they did ---- */

static void add_use(struct device_use *use, const struct store_sighting *sighting)
{
	if (use->last == 0 || sighting->first_seen < use->first)
		use->first = sighting->first_seen;
	use->last = MAX(use->last, sighting->last_seen);
}

static unsigned int count_bad_days(const struct devices *devices, guint rows, uint64_t rules,
				   int64_t last)
{
	struct days_of_use days;

	days_of_use_begin(&days, last);
	for (guint i = rows; i != NONE;) {
		const struct row *row = &g_array_index(devices->rows, struct row, i);

		if ((row->broken & rules) != 0)
			days_of_use_add(&days, &row->sighting);
		i = row->next;
	}
	return days_of_use_count(&days);
}

/* By days, whatever the hours: two logins around one midnight are no rhythm of minutes. */
static int64_t rhythm(const struct device_use *use, unsigned int days)
{
	int64_t span = use->last / MILLISECONDS_A_DAY - use->first / MILLISECONDS_A_DAY;

	return days < 2 ? 0 : MAX(span * MILLISECONDS_A_DAY / (days - 1), MILLISECONDS_A_DAY);
}

struct device_record devices_record(const struct devices *devices, size_t device, uint64_t rules)
{
	guint rows = g_array_index(devices->entries, struct entry, device).rows;
	struct device_record record = {0};

	for (guint i = rows; i != NONE;) {
		const struct row *row = &g_array_index(devices->rows, struct row, i);

		if ((row->broken & rules) != 0)
			add_use(&record.bad, &row->sighting);
		else if ((row->untold & rules) == 0)
			add_use(&record.good, &row->sighting);
		i = row->next;
	}
	if (record.bad.last != 0) {
		record.bad_days = count_bad_days(devices, rows, rules, record.bad.last);
		record.rhythm = rhythm(&record.bad, record.bad_days);
	}
	return record;
}

bool device_is_repaired(const struct device_record *record)
{
	return record->bad.last != 0 && record->good.first > record->bad.last;
}

enum device_state device_state(const struct device_record *record, int64_t now)
{
	if (record->bad.last == 0)
		return DEVICE_KEEPS;
	if (device_is_repaired(record))
		return DEVICE_REPAIRED;
	if (record->rhythm > 0 && now - record->bad.last >= DEVICE_REST_RHYTHMS * record->rhythm)
		return DEVICE_RESTED;
	return DEVICE_OPEN;
}
