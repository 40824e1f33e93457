#ifndef PORTCULLIS_NOTICE_DEVICES_H
#define PORTCULLIS_NOTICE_DEVICES_H

#include <glib.h>

#include "admin/sightings/mail-program.h"
#include "notice.h"

/* So many of the countries that a device was in are told. */
#define NOTICE_COUNTRIES_MAX 4

/* A device as a notice tells of it: once, however many rules it breaks, whatever versions of
   its program there were and wherever it was. What it points to is the notice's. */
struct notice_device {
	const struct notice_known_device *known;
	const struct notice_sighting *sighting; /* the latest one */
	char *program;                          /* as device_label() has it */
	unsigned int services;                  /* SERVICE_BIT()s */
	struct country countries[NOTICE_COUNTRIES_MAX];
	size_t country_count;
	time_t refused_on; /* when it was last, 0: never */
};

/* So many are listed; of the others a notice tells the number. */
#define NOTICE_DEVICES_MAX 8

/* The devices of a notice in an array of struct notice_device: the latest first, but before
   them, where the notice is about a refusal, those that were refused. The caller frees it with
   g_array_unref(). */
GArray *notice_devices(const struct notice *notice);

/* How often a device comes. */
enum notice_rhythm {
	RHYTHM_ONCE, /* on one day so far */
	RHYTHM_DAILY,
	RHYTHM_WEEKLY,
	RHYTHM_MONTHLY,
	RHYTHM_RARELY,
	RHYTHM_UNKNOWN
};
enum notice_rhythm notice_rhythm(const struct notice_known_device *device);

/* What is wrong with a device: a rule, and the latest sighting by one of its services that
   breaks it. Both are the notice's. */
struct notice_breach {
	const struct notice_rule *rule;
	const struct notice_sighting *sighting;
};

/* The one of this index, in the order of the notice's rules. False when there is none. */
bool notice_device_breach(const struct notice *notice, const struct notice_device *device,
			  size_t index, struct notice_breach *breach_r);

/* The programs to give steps for, of the devices that are listed; returns their
   number, which is never 0. */
size_t notice_device_programs(const GArray *devices,
			      enum mail_program programs_r[static MAIL_PROGRAM_COUNT]);

#endif
