#define _GNU_SOURCE /* memfd_create(), asprintf() */

#include "country-database.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fnv.h"
#include "mmdb-fields.h"
#include "write-all.h"

#define FILE_SIZE_MAX ((off_t)512 << 20)

/* The separator between the search tree and the data, which the number of a
   record behind the tree counts in. */
#define SEPARATOR_SIZE 16

/* Metadata stands at most this far from the end. */
#define METADATA_SIZE_MAX 131072

/* How many fields may be read for each byte of a section: some, because records
   share what they point to. */
#define FIELDS_PER_BYTE ((uint64_t)32)

/* No offset of a record: files are much smaller. */
#define NO_RECORD UINT32_MAX

/* What one data record of the database comes to. */
struct record {
	uint32_t offset; /* in the data section; NO_RECORD: a free slot */
	struct country country;
};

struct country_database {
	MMDB_s mmdb;
	/* Decoding a record takes as long as finding it, and a database has
	   few different ones, so all are decoded when it is opened: a hash
	   table by offset. */
	struct record *records;
	uint32_t record_slots; /* a power of two, at least twice the records */
	uint32_t record_count;
	uint64_t digest;
};

static uint32_t record_hash(uint32_t offset)
{
	return (offset * UINT32_C(2654435761)) >> 7;
}

/* The slot that holds the record at an offset, or the free one for it. */
static struct record *find_record(const struct country_database *database, uint32_t offset)
{
	uint32_t mask = database->record_slots - 1;
	uint32_t at = record_hash(offset) & mask;

	while (database->records[at].offset != offset && database->records[at].offset != NO_RECORD)
		at = (at + 1) & mask;
	return &database->records[at];
}

static bool grow_records(struct country_database *database)
{
	struct country_database larger = *database;

	if (database->record_count * 2 < database->record_slots)
		return true;
	larger.record_slots = database->record_slots == 0 ? 1024 : database->record_slots * 2;
	larger.records = malloc(larger.record_slots * sizeof(*larger.records));
	if (larger.records == NULL)
		return false;
	for (uint32_t i = 0; i < larger.record_slots; i++)
		larger.records[i] = (struct record){.offset = NO_RECORD};
	for (uint32_t i = 0; i < database->record_slots; i++) {
		if (database->records[i].offset != NO_RECORD)
			*find_record(&larger, database->records[i].offset) = database->records[i];
	}
	free(database->records);
	database->records = larger.records;
	database->record_slots = larger.record_slots;
	return true;
}

/* A path that the record does not have, or that leads elsewhere, is no damage. */
static bool is_damage(int status)
{
	return status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR &&
	       status != MMDB_INVALID_LOOKUP_PATH_ERROR;
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static void decode_code(const MMDB_entry_data_s *data, struct country *country_r)
{
	if (data->has_data && data->type == MMDB_DATA_TYPE_UTF8_STRING && data->data_size == 2 &&
	    is_capital(data->utf8_string[0]) && is_capital(data->utf8_string[1])) {
		country_r->code[0] = data->utf8_string[0];
		country_r->code[1] = data->utf8_string[1];
	}
}

/* The country of a record in either layout; "" when it has none. */
static int decode_record(MMDB_entry_s *entry, struct country *country_r)
{
	static const char *const nested[] = {"country", "iso_code", NULL};
	static const char *const flat[] = {"country_code", NULL};
	MMDB_entry_data_s data;
	int status;

	*country_r = (struct country){""};
	status = MMDB_aget_value(entry, &data, nested);
	if (is_damage(status))
		return status;
	if (status == MMDB_SUCCESS)
		decode_code(&data, country_r);
	if (country_r->code[0] != '\0')
		return MMDB_SUCCESS;
	status = MMDB_aget_value(entry, &data, flat);
	if (is_damage(status))
		return status;
	if (status == MMDB_SUCCESS)
		decode_code(&data, country_r);
	return MMDB_SUCCESS;
}

/* What is gathered while the search tree is gone through. */
struct tree_check {
	struct country_database *database;
	struct mmdb_section data;
	bool has_countries;
};

static int add_record(struct tree_check *check, MMDB_entry_s *entry)
{
	struct country_database *database = check->database;
	struct record *record;
	int status;

	if (!grow_records(database))
		return MMDB_OUT_OF_MEMORY_ERROR;
	record = find_record(database, entry->offset);
	if (record->offset == entry->offset)
		return MMDB_SUCCESS;
	if (!mmdb_fields_are_few(&check->data, entry->offset))
		return MMDB_INVALID_DATA_ERROR;
	status = decode_record(entry, &record->country);
	if (status != MMDB_SUCCESS)
		return status;
	record->offset = entry->offset;
	database->record_count++;
	if (record->country.code[0] != '\0')
		check->has_countries = true;
	return MMDB_SUCCESS;
}

static int add_side(struct tree_check *check, uint8_t type, uint64_t record, MMDB_entry_s *entry)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
	case MMDB_RECORD_TYPE_EMPTY:
		return MMDB_SUCCESS;
	case MMDB_RECORD_TYPE_DATA:
		/* libmaxminddb lets one point into the separator. */
		if (record < (uint64_t)check->database->mmdb.metadata.node_count + SEPARATOR_SIZE)
			return MMDB_CORRUPT_SEARCH_TREE_ERROR;
		return add_record(check, entry);
	default:
		return MMDB_CORRUPT_SEARCH_TREE_ERROR;
	}
}

/* Goes through the whole search tree, of which MMDB_open() looks at nothing: it
   takes a file with holes for a whole one. NULL or what is wrong. */
static const char *check_tree(struct country_database *database)
{
	MMDB_s *mmdb = &database->mmdb;
	struct tree_check check = {
		.database = database,
		.data = {.bytes = mmdb->data_section,
			 .size = mmdb->data_section_size,
			 .fields_left = mmdb->data_section_size * FIELDS_PER_BYTE},
	};

	for (uint32_t i = 0; i < mmdb->metadata.node_count; i++) {
		MMDB_search_node_s node;
		int status = MMDB_read_node(mmdb, i, &node);

		if (status == MMDB_SUCCESS)
			status = add_side(&check, node.left_record_type, node.left_record,
					  &node.left_record_entry);
		if (status == MMDB_SUCCESS)
			status = add_side(&check, node.right_record_type, node.right_record,
					  &node.right_record_entry);
		if (status != MMDB_SUCCESS)
			return MMDB_strerror(status);
	}
	return check.has_countries
		       ? NULL
		       : "it contains no countries (neither country/iso_code nor country_code)";
}

/* The last marker in the bytes, behind which the metadata stands; NULL without. */
static const unsigned char *find_metadata(const unsigned char *bytes, size_t size)
{
	static const char marker[] = "\xab\xcd\xefMaxMind.com";
	const size_t length = sizeof(marker) - 1;
	const unsigned char *found = NULL, *end = bytes + size, *at = bytes;

	while ((at = memmem(at, (size_t)(end - at), marker, length)) != NULL) {
		at += length;
		found = at;
	}
	return found;
}

static bool get_number(const MMDB_s *metadata, const char *key, uint32_t *number_r)
{
	MMDB_entry_s entry = {.mmdb = metadata};
	MMDB_entry_data_s data;

	if (MMDB_aget_value(&entry, &data, (const char *const[]){key, NULL}) != MMDB_SUCCESS)
		return false;
	if (data.type == MMDB_DATA_TYPE_UINT32)
		*number_r = data.uint32;
	else if (data.type == MMDB_DATA_TYPE_UINT16)
		*number_r = data.uint16;
	else
		return false;
	return true;
}

/* Reads all of it, because MMDB_open() forgets to free what it has read of metadata
   that ends too early. */
static bool metadata_is_whole(const MMDB_s *metadata)
{
	MMDB_entry_s entry = {.mmdb = metadata};
	MMDB_entry_data_list_s *list = NULL;
	struct mmdb_section section = {.bytes = metadata->data_section,
				       .size = metadata->data_section_size,
				       .fields_left =
					       metadata->data_section_size * FIELDS_PER_BYTE};
	int status;

	if (!mmdb_fields_are_few(&section, 0))
		return false;
	status = MMDB_get_entry_data_list(&entry, &list);
	MMDB_free_entry_data_list(list);
	return status == MMDB_SUCCESS;
}

/* Looks, in the last bytes of a file, at what libmaxminddb 1.7 takes on trust.
   MMDB_open() checks that the search tree fits into the file, but in 32 bits: of a
   size that overflows it reads outside of the file. NULL or what is wrong. */
static const char *check_metadata(const unsigned char *tail, size_t tail_size, off_t file_size)
{
	const unsigned char *found = find_metadata(tail, tail_size);
	uint32_t node_count, record_bits;
	MMDB_s metadata;

	if (found == NULL)
		return "it is not a MaxMind DB file";
	/* Metadata is encoded as data is, so let it be read like that. */
	metadata = (MMDB_s){.data_section = found,
			    .data_section_size = (uint32_t)(tail + tail_size - found)};
	/* The decoder counts on three bytes. */
	if (metadata.data_section_size < 3 || !metadata_is_whole(&metadata) ||
	    !get_number(&metadata, "node_count", &node_count) ||
	    !get_number(&metadata, "record_size", &record_bits))
		return "its metadata is damaged";
	if ((uint64_t)node_count * record_bits / 4 + SEPARATOR_SIZE + metadata.data_section_size >
	    (uint64_t)file_size)
		return "it is damaged: its search tree is longer than the file";
	return NULL;
}

/* NULL or what is wrong. */
static const char *check_copy(int file)
{
	const char *error = "it cannot be read again";
	struct stat status;
	size_t tail_size;
	unsigned char *tail;

	if (fstat(file, &status) < 0)
		return strerror(errno);
	tail_size = status.st_size > METADATA_SIZE_MAX ? METADATA_SIZE_MAX : (size_t)status.st_size;
	tail = malloc(tail_size);
	if (tail == NULL)
		return strerror(errno);
	if (pread(file, tail, tail_size, status.st_size - (off_t)tail_size) == (ssize_t)tail_size)
		error = check_metadata(tail, tail_size, status.st_size);
	free(tail);
	return error;
}

static bool same_moment(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Copies an open file. NULL or what went wrong. */
static const char *copy_file(int from, int to)
{
	struct stat before, after;
	off_t copied = 0;
	char buffer[65536];

	if (fstat(from, &before) < 0)
		return strerror(errno);
	if (!S_ISREG(before.st_mode))
		return "it is not a regular file";
	if (before.st_size > FILE_SIZE_MAX)
		return "it is larger than 512 MiB";
	while (copied <= before.st_size) {
		ssize_t got = read(from, buffer, sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || (got > 0 && !write_all(to, buffer, (size_t)got)))
			return strerror(errno);
		if (got == 0)
			break;
		copied += got;
	}
	if (fstat(from, &after) < 0)
		return strerror(errno);
	if (copied != before.st_size || after.st_size != before.st_size ||
	    !same_moment(&after.st_mtim, &before.st_mtim))
		return "it changed while it was being read";
	if (copied == 0)
		return "it is empty";
	return NULL;
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u /* Linux 6.3 */
#endif

static int create_memory_file(void)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	/* Hardened systems allow no other; older ones do not know it. */
	int file = memfd_create("country-database", flags | MFD_NOEXEC_SEAL);

	if (file < 0 && errno == EINVAL)
		file = memfd_create("country-database", flags);
	return file;
}

/* Opens the file as a copy in memory that nobody can change or cut short: where
   a mapped file is cut short, a lookup is a SIGBUS. libmaxminddb opens files by
   name only, so /proc has to be there. NULL or what went wrong. */
static const char *open_copy(const char *path, MMDB_s *mmdb)
{
	int file = -1, copy = -1, status;
	char copy_path[sizeof("/proc/self/fd/-2147483648")];
	const char *error = NULL;

	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return strerror(errno);
	copy = create_memory_file();
	if (copy < 0) {
		error = strerror(errno);
		goto done;
	}
	error = copy_file(file, copy);
	if (error != NULL)
		goto done;
	if (fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
	    0) {
		error = strerror(errno);
		goto done;
	}
	error = check_copy(copy);
	if (error != NULL)
		goto done;
	snprintf(copy_path, sizeof(copy_path), "/proc/self/fd/%d", copy);
	if (access(copy_path, R_OK) < 0) {
		error = "its copy in memory cannot be opened: is /proc mounted?";
		goto done;
	}
	status = MMDB_open(copy_path, MMDB_MODE_MMAP, mmdb);
	if (status != MMDB_SUCCESS)
		error = MMDB_strerror(status);
done:
	if (copy >= 0)
		close(copy);
	close(file);
	return error;
}

struct country_database *country_database_open(const char *path, char **error_r)
{
	struct country_database *database = calloc(1, sizeof(*database));
	const char *error = "out of memory";

	if (database == NULL)
		goto failed;
	error = open_copy(path, &database->mmdb);
	if (error != NULL)
		goto failed;
	error = check_tree(database);
	if (error == NULL) {
		database->digest = fnv_hash(FNV_START, database->mmdb.file_content,
					    (size_t)database->mmdb.file_size);
		return database;
	}
	MMDB_close(&database->mmdb);
failed:
	if (database != NULL)
		free(database->records);
	free(database);
	if (asprintf(error_r, "%s: %s", path, error) < 0)
		*error_r = NULL;
	return NULL;
}

void country_database_close(struct country_database *database)
{
	if (database == NULL)
		return;
	MMDB_close(&database->mmdb);
	free(database->records);
	free(database);
}

static MMDB_lookup_result_s lookup(const MMDB_s *mmdb, const struct address *address, int *status_r)
{
	if (address_is_ipv4(address)) {
		struct sockaddr_in ipv4 = {.sin_family = AF_INET};

		memcpy(&ipv4.sin_addr, address->bytes + 12, 4);
		return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&ipv4, status_r);
	}
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

	memcpy(&ipv6.sin6_addr, address->bytes, 16);
	return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&ipv6, status_r);
}

/* The tree of an IPv6 database holds IPv4 in ::/96. */
static unsigned int prefix_length(const MMDB_s *mmdb, const struct address *address,
				  unsigned int netmask)
{
	if (!address_is_ipv4(address) || mmdb->metadata.ip_version == 4)
		return netmask;
	return netmask < 96 ? 0 : netmask - 96;
}

struct country country_database_lookup(const struct country_database *database,
				       const struct address *address, unsigned int *prefix_length_r)
{
	const MMDB_s *mmdb = &database->mmdb;
	const struct country none = {""};
	MMDB_lookup_result_s result;
	const struct record *record;
	int status = MMDB_SUCCESS;

	if (prefix_length_r != NULL)
		*prefix_length_r = 0;
	if (!address->known)
		return none;
	result = lookup(mmdb, address, &status);
	if (status != MMDB_SUCCESS)
		return none;
	if (prefix_length_r != NULL)
		*prefix_length_r = prefix_length(mmdb, address, result.netmask);
	if (!result.found_entry)
		return none;
	record = find_record(database, result.entry.offset);
	return record->offset == result.entry.offset ? record->country : none;
}

time_t country_database_built(const struct country_database *database)
{
	return (time_t)database->mmdb.metadata.build_epoch;
}

uint64_t country_database_digest(const struct country_database *database)
{
	return database->digest;
}
