#include "notice-devices.h"

#include <string.h>

#include "admin/sightings/device-name.h"

static void clear_device(gpointer pointer)
{
	struct notice_device *device = pointer;

	g_free(device->program);
}

static struct notice_device *find_device(GArray *devices, const struct notice *notice,
					 const struct notice_sighting *sighting)
{
	const struct notice_known_device *known = &notice->devices[sighting->device];
	struct notice_device new = {.known = known, .sighting = sighting};

	for (guint i = 0; i < devices->len; i++) {
		struct notice_device *device = &g_array_index(devices, struct notice_device, i);

		if (device->known == known)
			return device;
	}
	new.program = device_label(known->client_id);
	g_array_append_val(devices, new);
	return &g_array_index(devices, struct notice_device, devices->len - 1);
}

static void add_country(struct notice_device *device, struct country country)
{
	for (size_t i = 0; i < device->country_count; i++) {
		if (strcmp(device->countries[i].code, country.code) == 0)
			return;
	}
	if (country.code[0] != '\0' && device->country_count < NOTICE_COUNTRIES_MAX)
		device->countries[device->country_count++] = country;
}

static void add_sighting(GArray *devices, const struct notice *notice,
			 const struct notice_sighting *sighting)
{
	struct notice_device *device = find_device(devices, notice, sighting);

	if (sighting->last_seen > device->sighting->last_seen)
		device->sighting = sighting;
	device->services |= SERVICE_BIT(sighting->service);
	add_country(device, sighting->country);
	if (sighting->refused)
		device->refused_on = MAX(device->refused_on, sighting->last_seen);
}

static gint compare_latest(gconstpointer a, gconstpointer b)
{
	const struct notice_device *first = a, *second = b;
	time_t first_seen = first->sighting->last_seen, second_seen = second->sighting->last_seen;

	return (first_seen < second_seen) - (first_seen > second_seen);
}

static gint compare_refused(gconstpointer a, gconstpointer b)
{
	const struct notice_device *first = a, *second = b;
	bool first_refused = first->refused_on != 0, second_refused = second->refused_on != 0;

	return first_refused != second_refused ? second_refused - first_refused
					       : compare_latest(a, b);
}

GArray *notice_devices(const struct notice *notice)
{
	GArray *devices = g_array_new(FALSE, FALSE, sizeof(struct notice_device));

	g_array_set_clear_func(devices, clear_device);
	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		for (size_t j = 0; j < rule->sighting_count; j++)
			add_sighting(devices, notice, &rule->sightings[j]);
	}
	g_array_sort(devices, notice->reason == NOTICE_REFUSED ? compare_refused : compare_latest);
	return devices;
}

/* ---- what is wrong with one ---- */

/* The latest sighting of a device by a service that breaks a rule, or NULL. */
static const struct notice_sighting *latest_breach(const struct notice_rule *rule, size_t device,
						   enum service service)
{
	const struct notice_sighting *latest = NULL;

	for (size_t i = 0; i < rule->sighting_count; i++) {
		const struct notice_sighting *sighting = &rule->sightings[i];

		if (sighting->device == device && sighting->service == service &&
		    (latest == NULL || sighting->last_seen > latest->last_seen))
			latest = sighting;
	}
	return latest;
}

/* Whether a device does what a rule says by a service that another one ends, not later: what
   is to be set there helps nobody. */
static bool is_ended(const struct notice *notice, const struct notice_rule *rule, size_t device,
		     enum service service)
{
	if (rule->rule->kind == KIND_PROTOCOL || rule->rule->kind == KIND_COUNTRY)
		return false;
	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *other = &notice->rules[i];

		if (other->rule->kind == KIND_PROTOCOL && other->enforce <= rule->enforce &&
		    latest_breach(other, device, service) != NULL)
			return true;
	}
	return false;
}

bool notice_device_breach(const struct notice *notice, const struct notice_device *device,
			  size_t index, struct notice_breach *breach_r)
{
	for (size_t i = 0; i < notice->rule_count; i++) {
		const struct notice_rule *rule = &notice->rules[i];

		for (enum service service = 0; service < SERVICE_COUNT; service++) {
			const struct notice_sighting *sighting =
				latest_breach(rule, device->sighting->device, service);

			if (sighting == NULL ||
			    is_ended(notice, rule, device->sighting->device, service) ||
			    index-- > 0)
				continue;
			*breach_r = (struct notice_breach){rule, sighting};
			return true;
		}
	}
	return false;
}

/* ---- how often it comes ---- */

enum notice_rhythm notice_rhythm(const struct notice_known_device *device)
{
	if (device->days == 0)
		return RHYTHM_UNKNOWN;
	if (device->rhythm == 0)
		return RHYTHM_ONCE;
	if (device->rhythm <= 3 * SECONDS_A_DAY)
		return RHYTHM_DAILY;
	if (device->rhythm <= 14 * SECONDS_A_DAY)
		return RHYTHM_WEEKLY;
	return device->rhythm <= 45 * SECONDS_A_DAY ? RHYTHM_MONTHLY : RHYTHM_RARELY;
}

/* ---- steps ---- */

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
