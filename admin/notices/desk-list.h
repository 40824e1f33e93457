#ifndef PORTCULLIS_DESK_LIST_H
#define PORTCULLIS_DESK_LIST_H

#include "admin/delivery/address-map.h"
#include "notice-people.h"

/* Lists of people for whom mails do nothing, and somebody else has to. */
enum desk_list {
	DESK_UNTOLD, /* who cannot be told, or not in time */
	DESK_CALLS,  /* who is reminded no more, and still breaks a rule */
};

struct desk_entry {
	char *user;
	char *address; /* NULL: there is none */
	/* Why the person cannot be told: "no address", "other domain", "mail failed" or
	   "seen too late"; a static text, NULL with DESK_CALLS. */
	const char *why;
	uint64_t rules;
	char *devices;      /* "Thunderbird imap:143,? pop3:110": what breaks them */
	time_t first_seen;  /* the first of them doing so */
	time_t date;        /* the first to come; SCHEDULE_NEVER: none */
	unsigned int mails; /* that told of what is open */
};

/* Those of one list, in an array of struct desk_entry, whose date is the nearest first. The
   store is being read. NULL when it fails, with *error_r NULL, or when no address is known
   because the map fails, with *error_r a static text. The caller frees it with
   g_array_unref(). */
GArray *desk_list_create(enum desk_list list, struct notice_people *people, struct store *store,
			 struct address_map *addresses, time_t now, const char **error_r);

/* The same in parts, for who goes through people for something else, too: desk_list_add() is a
   notice_visit_candidate, whose context is the search. fine: all came. The end frees the search. */
struct desk_search;
struct desk_search *desk_list_begin(enum desk_list list, struct address_map *addresses, time_t now);
bool desk_list_add(void *context, const struct notice_candidate *candidate);
GArray *desk_list_end(struct desk_search *search, bool fine, const char **error_r);

#endif
