#ifndef PORTCULLIS_EDITION_MAKER_H
#define PORTCULLIS_EDITION_MAKER_H

#include "edition-copies.h"
#include "edition-handover.h"
#include "exemption-source.h"
#include "watched-file.h"

/* Makes editions of a policy, exemptions, grace and a country database, as their files change,
   and offers them to the deciding thread. What cannot be read is told once, stays as it was,
   and is tried again. All of it belongs to the keeping thread. */
struct edition_maker {
	const char *config;
	struct messages *messages;
	struct edition_handover handover; /* the deciding thread's as well */
	struct kept_edition *newest;      /* that was made */
	struct edition_copies copies;
	struct exemption_source exemption_source, grace_source;
	struct watched_file exemptions_file;
	struct watched_file grace_file;
	struct watched_file countries_file;
	struct watched_file zone_file;
	struct part *outlived; /* policies that pending requests may still name, by next_outlived */
};

/* Takes the policy over, also when it fails: false, out of memory. Makes the first edition,
   in the deciding thread. */
bool edition_maker_init(struct edition_maker *maker_r, struct policy *policy, const char *config,
			const struct valid_copies *copies, struct messages *messages);
void edition_maker_free(struct edition_maker *maker);

/* Keeps copies of the first edition's files. */
void edition_maker_begin(struct edition_maker *maker);

/* Reads the configuration again, and all that it names. */
void edition_maker_reload(struct edition_maker *maker);

/* Looks whether there is something to be read again. */
void edition_maker_look(struct edition_maker *maker);

#endif
