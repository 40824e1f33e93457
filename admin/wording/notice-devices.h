#ifndef PORTCULLIS_NOTICE_DEVICES_H
#define PORTCULLIS_NOTICE_DEVICES_H

#include <glib.h>

#include "admin/sightings/mail-program.h"
#include "notice.h"

/* A program as a notice tells of it: once, however many rules it breaks. The sighting is
   the notice's. */
struct notice_device {
	const struct notice_sighting *sighting; /* the latest one */
	char *program;                          /* as mail_program_label() has it */
	bool refused;                           /* at least once */
};

/* So many are listed; of the others a notice tells the number. */
#define NOTICE_DEVICES_MAX 8

/* The devices of a notice, the latest first, in an array of struct notice_device.
   The caller frees it with g_array_unref(). */
GArray *notice_devices(const struct notice *notice);

/* The programs to give steps for, of the devices that are listed; returns their
   number, which is never 0. */
size_t notice_device_programs(const GArray *devices,
			      enum mail_program programs_r[static MAIL_PROGRAM_COUNT]);

#endif
