#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char ipv4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void address_from_ipv4(const struct in_addr *ip, struct address *address_r)
{
	memcpy(address_r->bytes, ipv4_mapped, sizeof(ipv4_mapped));
	memcpy(address_r->bytes + sizeof(ipv4_mapped), &ip->s_addr, 4);
	address_r->known = true;
}

void address_from_ipv6(const struct in6_addr *ip, struct address *address_r)
{
	memcpy(address_r->bytes, ip->s6_addr, sizeof(address_r->bytes));
	address_r->known = true;
}

bool address_is_ipv4(const struct address *address)
{
	return address->known && memcmp(address->bytes, ipv4_mapped, sizeof(ipv4_mapped)) == 0;
}

/* As inet_pton() does, which takes its time for what most addresses are. */
static bool parse_ipv4(const char *text, struct in_addr *ip_r)
{
	unsigned char *bytes = (unsigned char *)&ip_r->s_addr;

	for (int i = 0; i < 4; i++) {
		unsigned int number = 0;
		const char *begin = text;

		while (*text >= '0' && *text <= '9' && text < begin + 3)
			number = number * 10 + (unsigned int)(*text++ - '0');
		if (text == begin || number > 255 || (*begin == '0' && text > begin + 1) ||
		    *text != (i < 3 ? '.' : '\0'))
			return false;
		bytes[i] = (unsigned char)number;
		text++;
	}
	return true;
}

bool address_parse(const char *text, struct address *address_r)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (parse_ipv4(text, &ipv4))
		address_from_ipv4(&ipv4, address_r);
	else if (inet_pton(AF_INET6, text, &ipv6) == 1)
		address_from_ipv6(&ipv6, address_r);
	else
		*address_r = (struct address){0};
	return address_r->known;
}

/* inet_ntop() goes by way of sprintf(), which takes ten times as long. */
static void format_ipv4(const unsigned char *bytes, char *text_r)
{
	for (int i = 0; i < 4; i++) {
		if (bytes[i] >= 100)
			*text_r++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*text_r++ = (char)('0' + bytes[i] / 10 % 10);
		*text_r++ = (char)('0' + bytes[i] % 10);
		*text_r++ = i < 3 ? '.' : '\0';
	}
}

void address_format(const struct address *address, char text_r[static ADDRESS_TEXT_SIZE])
{
	if (!address->known)
		text_r[0] = '\0';
	else if (address_is_ipv4(address))
		format_ipv4(address->bytes + sizeof(ipv4_mapped), text_r);
	else
		inet_ntop(AF_INET6, address->bytes, text_r, ADDRESS_TEXT_SIZE);
}

bool address_is_local(const struct address *address)
{
	const unsigned char *ip = address->bytes;

	if (!address->known)
		return true;
	if (address_is_ipv4(address)) {
		ip += sizeof(ipv4_mapped);
		return ip[0] == 127 || ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
		       (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254) ||
		       (ip[0] == 100 && (ip[1] & 0xc0) == 64);
	}
	return memcmp(ip, &in6addr_loopback, sizeof(address->bytes)) == 0 ||
	       (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

bool port_parse(const char *text, uint16_t *port_r)
{
	unsigned int port = 0;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (unsigned int)(*text - '0');
		if (port > UINT16_MAX)
			return false;
	}
	if (port == 0)
		return false;
	*port_r = (uint16_t)port;
	return true;
}

/* Host bits are those behind the prefix. */
static void host_bits_set(unsigned char bytes[16], unsigned int prefix_length)
{
	for (unsigned int bit = prefix_length; bit < 128; bit++)
		bytes[bit / 8] |= 0x80 >> (bit % 8);
}

static bool host_bits_are_zero(const unsigned char bytes[16], unsigned int prefix_length)
{
	for (unsigned int bit = prefix_length; bit < 128; bit++) {
		if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0)
			return false;
	}
	return true;
}

/* Decimal digits only, no sign, no white space, no more than maximum. */
static bool prefix_length_parse(const char *text, unsigned int maximum, unsigned int *length_r)
{
	unsigned int length = 0;

	if (*text == '\0' || strlen(text) > 3)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		length = length * 10 + (unsigned int)(*text - '0');
	}
	*length_r = length;
	return length <= maximum;
}

bool address_range_parse(const char *text, struct address_range *range_r, const char **error_r)
{
	char host[ADDRESS_TEXT_SIZE];
	struct address address;
	unsigned int prefix_length;
	const char *slash = strchr(text, '/');
	size_t host_length = slash == NULL ? strlen(text) : (size_t)(slash - text);

	if (host_length >= sizeof(host)) {
		*error_r = "not an IP address";
		return false;
	}
	memcpy(host, text, host_length);
	host[host_length] = '\0';
	if (!address_parse(host, &address)) {
		*error_r = "not an IP address";
		return false;
	}

	/* A prefix counts the bits of the address family it is written in. */
	bool dotted = strchr(host, ':') == NULL;
	unsigned int maximum = dotted ? 32 : 128;
	if (slash == NULL) {
		prefix_length = maximum;
	} else if (!prefix_length_parse(slash + 1, maximum, &prefix_length)) {
		*error_r = dotted ? "the prefix length must be a number from 0 to 32"
				  : "the prefix length must be a number from 0 to 128";
		return false;
	}
	if (dotted)
		prefix_length += 96;
	if (!host_bits_are_zero(address.bytes, prefix_length)) {
		*error_r = "the address has bits set beyond its prefix length";
		return false;
	}
	memcpy(range_r->first, address.bytes, sizeof(range_r->first));
	memcpy(range_r->last, address.bytes, sizeof(range_r->last));
	host_bits_set(range_r->last, prefix_length);
	return true;
}
