#ifndef PORTCULLIS_ADDRESS_H
#define PORTCULLIS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A client's IP address. IPv4 is kept as the IPv4-mapped IPv6 address
   ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so a mapped address that a dual-stack
   listener reports and the plain IPv4 address are the same thing everywhere. */
struct address {
	unsigned char bytes[16];
	/* false: the server does not know the client's address, as with a
	   login over a Unix socket. The bytes mean nothing then. */
	bool known;
};

/* Addresses from first to last, both included. */
struct address_range {
	unsigned char first[16];
	unsigned char last[16];
};

/* Enough for the longest text of an address and its closing NUL. */
#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

/* Reads "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1". False when the text
   is no address; *address_r is then unknown. */
bool address_parse(const char *text, struct address *address_r);

void address_from_ipv4(const struct in_addr *ip, struct address *address_r);
void address_from_ipv6(const struct in6_addr *ip, struct address *address_r);

bool address_is_ipv4(const struct address *address);

/* Writes the text form (RFC 5952; IPv4 dotted). An unknown address gives "". */
void address_format(const struct address *address, char text_r[static ADDRESS_TEXT_SIZE]);

/* True for addresses that belong to no country: loopback, private (RFC 1918),
   shared by a provider's customers (RFC 6598, 100.64.0.0/10), unique local (RFC 4193),
   link-local (RFC 3927, RFC 4291), and unknown ones. */
bool address_is_local(const struct address *address);

/* Reads a port in decimal digits, 1 to 65535. False when it is none; *port_r then
   stays as it was. */
bool port_parse(const char *text, uint16_t *port_r);

/* Reads "192.0.2.0/24", "2001:db8::/32", or a single address. Returns false
   and sets *error_r to a static text when it is none or has host bits set. */
bool address_range_parse(const char *text, struct address_range *range_r, const char **error_r);

#endif
