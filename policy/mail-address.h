#ifndef PORTCULLIS_MAIL_ADDRESS_H
#define PORTCULLIS_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Longest mailbox of RFC 5321 (64 + 1 + 255) and its NUL. */
#define MAIL_ADDRESS_SIZE 321

/* True for a mailbox of RFC 5321, 4.1.2, in ASCII: dot-string or quoted-string
   local part, and a domain of letters, digits, hyphens and dots. So it holds no
   control character, and can stand in a header or a command as it is. */
bool mail_address_is_valid(const char *address);

/* The address of a user without an address-map: the name itself, with its local
   part quoted where that is needed ("old scanner"@example.org). False when there
   is no way to write it: no domain, other characters than ASCII, too long. */
bool mail_address_from_user(const char *user, char address_r[static MAIL_ADDRESS_SIZE]);

#endif
