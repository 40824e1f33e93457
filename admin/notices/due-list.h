#ifndef PORTCULLIS_DUE_LIST_H
#define PORTCULLIS_DUE_LIST_H

#include "admin/delivery/address-map.h"
#include "mail-limits.h"
#include "notice-people.h"

/* Who is to be told something, as planned for all people at one moment, in the order in
   which they are written to: who was never told of a rule first, and of these and the others
   those whose mail was tried in vain last, and whose access ends the soonest first. */
struct due_list;

/* Someone to be written to, or about whom something is to be recorded. */
struct due_entry {
	const char *user;
	bool mail; /* false: there is only something to record */
	enum notice_reason reason;
	uint64_t rules;
	bool untold;       /* of one of them */
	bool tried;        /* the mail was, and was not taken */
	time_t first_date; /* SCHEDULE_NEVER: none */
};

struct due_counts {
	uint64_t due;     /* people to be written to */
	uint64_t waiting; /* until their mail is tried again */
	/* People who break a rule in its notify or enforce phase, and whose last mail failed. */
	uint64_t open_failed;
	/* Of those who break one, who cannot be told in time, as far as that is known without
	   their addresses, and who was told so often that it is the help desk's. */
	uint64_t untold, to_call;
};

/* Plans for all. NULL when the store fails; store_failure() tells why. */
struct due_list *due_list_create(struct notice_people *people, struct store *store, time_t now);

/* The same of a store that is being read already. */
struct due_list *due_list_read(struct notice_people *people, struct store *store, time_t now);
void due_list_free(struct due_list *list);

size_t due_list_length(const struct due_list *list);
/* Borrowed. Those without a mail come first. */
const struct due_entry *due_list_entry(const struct due_list *list, size_t index);
const struct due_counts *due_list_counts(const struct due_list *list);

/* Of all who are to be told; the list's. */
struct mail_demand *due_list_demand(const struct due_list *list);

/* address: NULL unless it was found. Borrowed until the visit returns. */
typedef void due_list_visit(void *context, const struct due_entry *entry, enum address_found found,
			    const char *address);

/* Visits those who are to be written to. False, with *error_r a static text, when an
   address is not known because the map fails; all are visited all the same. */
bool due_list_each(const struct due_list *list, struct address_map *addresses,
		   due_list_visit *visit, void *context, const char **error_r);

#endif
