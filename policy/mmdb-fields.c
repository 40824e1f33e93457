#include "mmdb-fields.h"

/* Real files nest maps five deep. */
#define DEPTH_MAX 64

enum field_type { EXTENDED = 0, POINTER = 1, MAP = 7, ARRAY = 11, BOOLEAN = 14 };

static bool read_number(const struct mmdb_section *section, size_t *at, size_t length,
			uint32_t *number)
{
	if (length > section->size - *at)
		return false;
	while (length-- > 0)
		*number = *number << 8 | section->bytes[(*at)++];
	return true;
}

/* The low five bits of a field's first byte, or what they say it to be. */
static bool read_size(const struct mmdb_section *section, size_t *at, uint32_t *size)
{
	static const uint32_t more[] = {29, 285, 65821};
	uint32_t number = 0, length = *size - 28;

	if (*size < 29)
		return true;
	if (!read_number(section, at, length, &number))
		return false;
	*size = more[length - 1] + number;
	return true;
}

static bool read_pointer(const struct mmdb_section *section, size_t *at, uint32_t bits,
			 size_t *target_r)
{
	static const uint32_t more[] = {0, 2048, 526336, 0};
	uint32_t length = (bits >> 3 & 3) + 1;
	uint32_t number = length == 4 ? 0 : bits & 7;

	if (!read_number(section, at, length, &number))
		return false;
	*target_r = (size_t)number + more[length - 1];
	return *target_r < section->size;
}

static bool walk(struct mmdb_section *section, size_t *at, unsigned int depth)
{
	uint32_t type = 0, size, extension = 0;
	size_t target;

	if (section->fields_left == 0 || depth == DEPTH_MAX || !read_number(section, at, 1, &type))
		return false;
	section->fields_left--;
	size = type & 0x1f;
	type >>= 5;
	if (type == POINTER)
		return read_pointer(section, at, size, &target) &&
		       walk(section, &target, depth + 1);
	if (type == EXTENDED && !read_number(section, at, 1, &extension))
		return false;
	if (type == EXTENDED)
		type = 7 + extension;
	if (!read_size(section, at, &size))
		return false;
	if (type == BOOLEAN)
		return true;
	if (type != MAP && type != ARRAY) {
		if (size > section->size - *at)
			return false;
		*at += size;
		return true;
	}
	for (uint64_t fields = type == MAP ? 2 * (uint64_t)size : size; fields > 0; fields--) {
		if (!walk(section, at, depth + 1))
			return false;
	}
	return true;
}

bool mmdb_fields_are_few(struct mmdb_section *section, size_t offset)
{
	return offset < section->size && walk(section, &offset, 0);
}
