#ifndef PORTCULLIS_MMDB_FIELDS_H
#define PORTCULLIS_MMDB_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What libmaxminddb 1.7 does not ask of a MaxMind DB file: how many fields it will
   read in it. Pointers let arrays of a few bytes each stand for more fields than
   any memory holds, and records that overlap make each of them long. */

/* Bytes in the file's own encoding, and how many fields may still be read. */
struct mmdb_section {
	const unsigned char *bytes;
	size_t size;
	uint64_t fields_left;
};

/* Goes through the field at an offset, through all within it, and through those
   that they point to, and takes them off fields_left. False when they are more, or
   are not encoded as the format says (MaxMind DB File Format Specification 2.0,
   "Output Data Section"). */
bool mmdb_fields_are_few(struct mmdb_section *section, size_t offset);

#endif
