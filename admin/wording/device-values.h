#ifndef PORTCULLIS_DEVICE_VALUES_H
#define PORTCULLIS_DEVICE_VALUES_H

#include "notice-devices.h"
#include "notice-values.h"

/* What {each sighting} shows of a device. */
void device_values_set(struct notice_values *values, const struct notice_device *device);

/* Of one of its ways: what can be said of that alone, and what is to be set instead. */
void device_values_set_sighting(struct notice_values *values,
				const struct notice_sighting *sighting);

void device_values_forget(struct notice_values *values);

#endif
