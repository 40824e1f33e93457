#include "dovecot-session.h"

/* Base64 of 6 bytes of time, 2 of the port, and an address. */
#define TIME_BYTES 6
#define ADDRESS_BEGIN 8
#define IPV4_LENGTH ((size_t)16)
#define IPV6_LENGTH ((size_t)32)

/* What each character stands for, and 1; 0: it is none of base64. */
static const unsigned char base64[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

/* Four characters are three bytes. */
static bool decode_bytes(const char *text, unsigned char *bytes_r)
{
	uint32_t value = 0;
	bool valid = true;

	for (int i = 0; i < 4; i++) {
		uint32_t digit = base64[(unsigned char)text[i]];

		valid &= digit > 0;
		value = value << 6 | (digit - 1);
	}
	bytes_r[0] = (unsigned char)(value >> 16);
	bytes_r[1] = (unsigned char)(value >> 8);
	bytes_r[2] = (unsigned char)value;
	return valid;
}

/* No padding: both lengths are without. */
static bool decode(struct log_slice id, unsigned char *bytes_r)
{
	for (size_t i = 0; i < id.length; i += 4, bytes_r += 3) {
		if (!decode_bytes(id.text + i, bytes_r))
			return false;
	}
	return true;
}

/* The last bytes of both: IPv4 addresses are mapped ones in struct address. */
static bool is_of(const unsigned char *bytes, size_t count, const struct address *client)
{
	const unsigned char *end = client->bytes + sizeof(client->bytes);

	return !client->known || memcmp(bytes, end - count, count) == 0;
}

bool dovecot_session_read(struct log_slice id, const struct address *client, uint64_t *began_r)
{
	unsigned char bytes[IPV6_LENGTH / 4 * 3];

	if ((id.length != IPV4_LENGTH && id.length != IPV6_LENGTH) || !decode(id, bytes) ||
	    !is_of(bytes + ADDRESS_BEGIN, id.length / 4 * 3 - ADDRESS_BEGIN, client))
		return false;
	*began_r = 0;
	for (int i = TIME_BYTES - 1; i >= 0; i--)
		*began_r = *began_r << 8 | bytes[i];
	return true;
}
