#ifndef PORTCULLIS_DEVICE_H
#define PORTCULLIS_DEVICE_H

#include "admin/store/store.h"

/* A person's *devices*: programs, as far as servers can tell them apart. All that a program
   does for one purpose is one device, whatever its version, the country, and the settings
   that it comes with. Where it says no name (device-name.h), each way is one by itself:
   service, port, TLS and mechanism.

   What a device did is judged by its own sightings alone. A way that breaks a rule is

   - *repaired* when the same device came by one that keeps it, began with that only after
     the last use of the bad one, and did not use the bad one since. A device that came by
     a good way before may be two of one name, so that is no evidence;
   - otherwise *open*, until it *rested* for DEVICE_REST_RHYTHMS times its own rhythm, which
     is the time between its days of use, on average. One day has no rhythm. Rest is no
     evidence: who was never told of the rule is to be told all the same.

   Times are milliseconds since 1970, as in the store. */
#define DEVICE_REST_RHYTHMS 3

enum device_purpose { PURPOSE_READ, PURPOSE_SEND, PURPOSE_FILTER };

enum device_purpose device_purpose_of(enum service service);
const char *device_purpose_name(enum device_purpose purpose); /* "read" */

struct device {
	enum device_purpose purpose;
	/* Without version, harmless; NULL: it has none, or none that can be shown. */
	const char *name;
	/* Of its newest version; "": it said nothing. */
	const char *client_id;
	int64_t first_seen, last_seen;
};

enum device_state {
	DEVICE_KEEPS, /* it never broke the rules */
	DEVICE_OPEN,
	DEVICE_REPAIRED,
	DEVICE_RESTED,
};

const char *device_state_name(enum device_state state); /* "open" */

struct device_use {
	int64_t first, last; /* 0: never */
};

/* What a device did about some rules. */
struct device_record {
	struct device_use good; /* by ways that keep all of them */
	struct device_use bad;  /* by ways that break one */
	/* On how many distinct days the bad ones were used, as far as that is known. */
	unsigned int bad_days;
	/* From one of them to the next, on average; at least a day. 0: there is none. */
	int64_t rhythm;
};

/* The devices of one person at a time. */
struct devices;

struct devices *devices_create(void);
void devices_free(struct devices *devices);

/* Forgets all; after store_begin_reading(), too: habits may have other indexes then. */
void devices_clear(struct devices *devices);

/* Goes on with another person. */
void devices_begin(struct devices *devices);

/* Adds a row of the person's and the rules that it breaks, a bit each, and those of which it
   does not tell: as to them it is no evidence for anything. Returns the number of its device:
   they count from 0. Only what is the person's own should be added. */
size_t devices_add(struct devices *devices, const struct store_sighting *sighting, uint64_t broken,
		   uint64_t untold);

size_t devices_count(const struct devices *devices);

/* It and its texts live until the next devices_add(), devices_begin() or devices_clear(). */
const struct device *devices_get(const struct devices *devices, size_t device);

/* rules: a bit for each that is asked about. */
struct device_record devices_record(const struct devices *devices, size_t device, uint64_t rules);

/* Whether it was repaired, as said above. */
bool device_is_repaired(const struct device_record *record);

/* What is to be thought of the device, as to those rules, at a moment not before its
   sightings. */
enum device_state device_state(const struct device_record *record, int64_t now);

#endif
