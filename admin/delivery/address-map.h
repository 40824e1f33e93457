#ifndef PORTCULLIS_ADDRESS_MAP_H
#define PORTCULLIS_ADDRESS_MAP_H

#include "policy/config.h"
#include "policy/mail-address.h"

/* Finds the addresses of users, by address-map of portcullis.conf(5): in a file,
   by a command, or by the name alone; see mail-domains.h for who has none. */
struct address_map;

/* Reads the file, and reports wrong lines of it as "FILE:LINE: ..."; those are left
   out, but of a user who is there twice the last line counts. A command is started with
   the first question, and from then on the process ignores SIGPIPE. NULL, after a report,
   when the file cannot be read, or mail_domains_open() fails. The policy is borrowed. */
struct address_map *address_map_open(const struct policy *policy, config_report *error,
				     void *context);
void address_map_close(struct address_map *map);

enum address_found {
	ADDRESS_FOUND,
	ADDRESS_NONE,    /* this user has none that mail can be sent to */
	ADDRESS_OUTSIDE, /* it is no account of the domains that are written to, and not in
			    the file, where the operator has put it in so many words */
	ADDRESS_FAILED,  /* the command does not answer: nobody's address is known any more */
};

/* Whether mail goes to a user for neither the domain nor the file: ADDRESS_OUTSIDE, which is
   known without asking the command. */
bool address_map_is_outside(const struct address_map *map, const char *user);

/* Why there is none, in words; NULL when it was found, or for another cause. */
const char *address_found_text(enum address_found found);

/* The address of a user, whose name is as user_normalise() makes it. With
   ADDRESS_FAILED, *error_r is a static text. */
enum address_found address_map_find(struct address_map *map, const char *user,
				    char address_r[static MAIL_ADDRESS_SIZE], const char **error_r);

#endif
