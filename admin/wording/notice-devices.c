#include "notice-devices.h"

static void clear_device(gpointer pointer)
{
	struct notice_device *device = pointer;

	g_free(device->program);
}

/* What makes it another device to its owner. */
static char *device_key(const struct notice_sighting *sighting, const char *program)
{
	/* \n is in no program's label and no mechanism. */
	return g_strdup_printf("%s\n%d %u %d %s\n%s", program == NULL ? "" : program,
			       sighting->service, sighting->port, sighting->tls,
			       sighting->country.code, sighting->mechanism);
}

static void add_sighting(GArray *devices, GHashTable *indexes,
			 const struct notice_sighting *sighting)
{
	char *program = mail_program_label(sighting->client_id);
	char *key = device_key(sighting, program);
	gpointer index;
	struct notice_device *device;

	if (!g_hash_table_lookup_extended(indexes, key, NULL, &index)) {
		const struct notice_device new = {
			.sighting = sighting, .program = program, .refused = sighting->refused};

		g_hash_table_insert(indexes, key, GUINT_TO_POINTER(devices->len));
		g_array_append_val(devices, new);
		return;
	}
	device = &g_array_index(devices, struct notice_device, GPOINTER_TO_UINT(index));
	if (sighting->last_seen > device->sighting->last_seen)
		device->sighting = sighting;
	device->refused = device->refused || sighting->refused;
	g_free(program);
	g_free(key);
}

static gint compare_devices(gconstpointer a, gconstpointer b)
{
	const struct notice_device *first = a, *second = b;
	time_t first_seen = first->sighting->last_seen, second_seen = second->sighting->last_seen;

	return (first_seen < second_seen) - (first_seen > second_seen);
}

GArray *notice_devices(const struct notice *notice)
{
	GArray *devices = g_array_new(FALSE, FALSE, sizeof(struct notice_device));
	GHashTable *indexes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	g_array_set_clear_func(devices, clear_device);
	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		for (size_t j = 0; j < rule->sighting_count; j++)
			add_sighting(devices, indexes, &rule->sightings[j]);
	}
	g_hash_table_unref(indexes);
	g_array_sort(devices, compare_devices);
	return devices;
}

size_t notice_device_programs(const GArray *devices,
			      enum mail_program programs_r[static MAIL_PROGRAM_COUNT])
{
	bool wanted[MAIL_PROGRAM_COUNT] = {false};
	size_t count = 0;

	for (guint i = 0; i < devices->len && i < NOTICE_DEVICES_MAX; i++) {
		const struct notice_sighting *sighting =
			g_array_index(devices, struct notice_device, i).sighting;
		enum mail_program program = mail_program_of(sighting->client_id);

		/* By SMTP a program does not say what it is: most often it is one
		   that did by IMAP. */
		if (program != MAIL_PROGRAM_GENERAL || sighting->service == SERVICE_IMAP ||
		    sighting->service == SERVICE_POP3)
			wanted[program] = true;
	}
	for (enum mail_program program = 0; program < MAIL_PROGRAM_COUNT; program++) {
		if (wanted[program] || (program == MAIL_PROGRAM_GENERAL && count == 0))
			programs_r[count++] = program;
	}
	return count;
}
