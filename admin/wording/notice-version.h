#ifndef PORTCULLIS_NOTICE_VERSION_H
#define PORTCULLIS_NOTICE_VERSION_H

#include "device-values.h"

/* A notice in one language: what the placeholders and loops of its texts show. */
struct notice_version {
	struct notice_values values; /* first: the source's select() gets it */
	const struct notice *notice;
	const GArray *devices;              /* of struct notice_device */
	const struct notice_device *device; /* of {each sighting}, or NULL */
	struct device_values own; /* the device's, while {each rule} shows one of its ways */
	GArray *brownouts;        /* of struct brownout: those of the next day that has some */
	enum mail_program programs[MAIL_PROGRAM_COUNT];
	size_t program_count;
};

/* Policy and language are borrowed. It must stay where it is. */
void notice_version_init(struct notice_version *version, const struct policy *policy,
			 const struct text_language *language);
void notice_version_clear(struct notice_version *version);

/* Shows another notice, with its devices as notice_devices() has them. Both are borrowed
   until the next one. */
void notice_version_set(struct notice_version *version, const struct notice *notice,
			const GArray *devices);

#endif
