#ifndef PORTCULLIS_EDITION_COPIES_H
#define PORTCULLIS_EDITION_COPIES_H

#include "edition.h"
#include "exemption-source.h"
#include "messages.h"
#include "valid-copy.h"

/* What a server keeps of the editions that were in force: last valid copies of what they were
   read from, and the name of the last one. Each function waits for a disk; why something has
   no copy, or not where it belongs, is told unless the last one had none for the same reason. */
struct edition_copies {
	const struct valid_copies *copies; /* NULL: none are kept */
	struct messages *messages;
	int last_result; /* 0: all was well */
};

void edition_copies_keep_config(struct edition_copies *kept, const struct policy *policy);
/* Or who is given grace: what the source is of. */
void edition_copies_keep_exemptions(struct edition_copies *kept, const struct policy *policy,
				    struct exemption_source *source);

/* Beside the copies, for those who want to know what is in force: as the copy of
   CONFIG.edition. */
void edition_copies_keep_name(struct edition_copies *kept, const struct edition *edition,
			      const char *config);

#endif
