#ifndef PORTCULLIS_NOTICE_H
#define PORTCULLIS_NOTICE_H

#include "admin/store/store-notices.h"

/* A verified sighting as the store aggregates it. The strings may hold whatever
   a stranger's program sent: composing makes them harmless. */
struct notice_sighting {
	const char *client_id; /* as in the journal; "" when nothing is known */
	enum service service;
	uint16_t port; /* 0: not known */
	enum tls_state tls;
	const char *mechanism; /* "" when not known */
	struct country country;
	size_t device; /* an index of the notice's devices */
	time_t last_seen;
	const char *client;      /* the last address; "" when it was erased */
	const char *whereabouts; /* as in the store; NULL or "" when not known */
	bool refused;
};

/* What is known of a device of the person's, whatever versions of its program there were and
   wherever it was. */
struct notice_known_device {
	const char *client_id; /* of the newest version; as in a sighting */
	enum service service;  /* the latest */
	/* Of its breaking the notice's rules: */
	time_t first_seen;
	unsigned int days; /* on so many; 0: not known */
	time_t rhythm;     /* seconds from one day of use to the next; 0: there is none */
	/* It broke them when the person was told before, and was seen right since. */
	bool changed;
};

/* One rule that the person breaks (or, with NOTICE_FIXED, broke), and by what.
   The same device may stand under several rules: composing tells it once. */
struct notice_rule {
	const struct rule *rule;
	/* For this person, an exemption or grace that ends later included; with NOTICE_FIXED for
	   everybody. SCHEDULE_NEVER: there is no date yet. In the past: it is enforced
	   already. */
	time_t enforce;
	/* The date that the person was told, where it is another one now; 0: it is none. */
	time_t moved_from;
	/* A moment of the last day of the grace that is why; 0: none. See policy/grace.h. */
	time_t grace_until;
	/* The next or present one; both 0 when there is none. */
	struct brownout brownout;
	const struct notice_sighting *sightings; /* the latest first */
	size_t sighting_count;
};

/* One mail to one person. Everything is borrowed. */
struct notice {
	enum notice_reason reason;
	const char *recipient; /* an address as mail_address_is_valid() wants it */
	const char *user;      /* the name that the person logs in with */
	/* Between the angle brackets, as in message_id_make(); the caller keeps it
	   to use it again when the same notice has to be handed over twice. */
	const char *message_id;
	time_t date; /* of the mail; what is past and what is to come goes by it */
	const struct notice_rule *rules;
	size_t rule_count;
	const struct notice_known_device *devices;
	size_t device_count;
	/* A moment of the last day of an exemption that is why the dates differ from
	   everybody else's; 0: none. */
	time_t exempt_until;
};

#endif
