#ifndef PORTCULLIS_DEVICE_VALUES_H
#define PORTCULLIS_DEVICE_VALUES_H

#include "notice-devices.h"
#include "notice-values.h"

/* What {each sighting} shows of a device. */
void device_values_set(struct notice_values *values, const struct notice_device *device);

/* Of one of its ways: what can be said of that alone, and what is to be set instead. */
void device_values_set_sighting(struct notice_values *values,
				const struct notice_sighting *sighting);

/* Where, when and with which address a login from abroad came. */
void device_values_set_abroad(struct notice_values *values, const struct notice_sighting *sighting);

/* The values that concern devices. */
struct device_values {
	const char *texts[VALUE_RIGHT_ENCRYPTION - VALUE_PROGRAM + 1];
};

void device_values_save(const struct notice_values *values, struct device_values *saved_r);
void device_values_restore(struct notice_values *values, const struct device_values *saved);

#endif
