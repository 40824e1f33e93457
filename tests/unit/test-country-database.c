#define _GNU_SOURCE /* memmem() */

#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/country-database.h"

static char directory[] = "/tmp/portcullis-country.XXXXXX";
static char path[64];

/* The bytes of a database while they are written. */
struct bytes {
	unsigned char at[1 << 16];
	size_t length;
};

static void put(struct bytes *bytes, const void *data, size_t length)
{
	assert_true(bytes->length + length <= sizeof(bytes->at));
	memcpy(bytes->at + bytes->length, data, length);
	bytes->length += length;
}

static void put_byte(struct bytes *bytes, unsigned int byte)
{
	put(bytes, &(unsigned char){(unsigned char)byte}, 1);
}

static void put_big_endian(struct bytes *bytes, uint64_t number, int size)
{
	for (int i = size - 1; i >= 0; i--)
		put_byte(bytes, number >> (8 * i) & 0xff);
}

/* Types of the format; those above 7 stand in a byte of their own. */
enum type { POINTER = 1, STRING = 2, UINT16 = 5, UINT32 = 6, MAP = 7, UINT64 = 9, ARRAY = 11 };

static void put_control(struct bytes *bytes, enum type type, unsigned int size)
{
	assert_true(size < 285);
	put_byte(bytes, (type <= 7 ? (unsigned int)type << 5 : 0) | (size < 29 ? size : 29));
	if (type > 7)
		put_byte(bytes, type - 7);
	if (size >= 29)
		put_byte(bytes, size - 29);
}

static void put_string(struct bytes *bytes, const char *text)
{
	put_control(bytes, STRING, (unsigned int)strlen(text));
	put(bytes, text, strlen(text));
}

static void put_number(struct bytes *bytes, enum type type, uint64_t number, int size)
{
	put_control(bytes, type, (unsigned int)size);
	put_big_endian(bytes, number, size);
}

static void put_pointer(struct bytes *bytes, size_t offset)
{
	assert_true(offset < 2048);
	put_byte(bytes, POINTER << 5 | (unsigned int)(offset >> 8));
	put_byte(bytes, offset & 0xff);
}

/* How a country's record is laid out. */
enum layout {
	NESTED,  /* as in GeoLite2-Country and DB-IP Lite */
	POINTED, /* the same, with the country behind a pointer, as in GeoLite2-City */
	FLAT,    /* as in the @ip-location-db packages */
	NAMED,   /* flat, and "country" is its name, as in the files of IPinfo */
	ASN,     /* without a country */
};

static void put_country_map(struct bytes *data, const char *code)
{
	put_control(data, MAP, 3);
	put_string(data, "geoname_id");
	put_number(data, UINT32, 2921044, 3);
	put_string(data, "iso_code");
	put_string(data, code);
	put_string(data, "names");
	put_control(data, MAP, 2);
	put_string(data, "de");
	put_string(data, "Ein Land");
	put_string(data, "en");
	put_string(data, "A country with a name of more than 29 bytes");
}

/* Returns the offset of the record. */
static size_t put_record(struct bytes *data, enum layout layout, const char *code)
{
	size_t country = data->length, record;

	if (layout == POINTED)
		put_country_map(data, code);
	record = data->length;
	switch (layout) {
	case NESTED:
	case POINTED:
		put_control(data, MAP, 3);
		put_string(data, "continent");
		put_control(data, MAP, 1);
		put_string(data, "code");
		put_string(data, "EU");
		put_string(data, "country");
		if (layout == POINTED)
			put_pointer(data, country);
		else
			put_country_map(data, code);
		put_string(data, "subdivisions");
		put_control(data, ARRAY, 1);
		put_control(data, MAP, 1);
		put_string(data, "iso_code");
		put_string(data, "ZZ");
		break;
	case FLAT:
		put_control(data, MAP, 1);
		put_string(data, "country_code");
		put_string(data, code);
		break;
	case NAMED:
		put_control(data, MAP, 2);
		put_string(data, "country");
		put_string(data, "Some Country");
		put_string(data, "country_code");
		put_string(data, code);
		break;
	case ASN:
		put_control(data, MAP, 1);
		put_string(data, "autonomous_system_number");
		put_number(data, UINT32, 64496, 2);
		break;
	}
	return record;
}

enum { NODES_MAX = 2000, EMPTY = -1 };

/* A node's record is a node, EMPTY, or the offset of a data record below that. */
struct tree {
	int nodes[NODES_MAX][2];
	int count;
	int depth; /* 32 or 128 */
};

static int data_value(size_t offset)
{
	return -2 - (int)offset;
}

static void insert(struct tree *tree, const char *network, size_t offset)
{
	char text[64];
	struct address address;
	int length, node = 0, skipped;

	snprintf(text, sizeof(text), "%s", network);
	length = atoi(strchr(text, '/') + 1);
	*strchr(text, '/') = '\0';
	assert_true(address_parse(text, &address));
	skipped = tree->depth == 32 ? 96 : 0;
	if (address_is_ipv4(&address)) {
		/* IPv4 lies at ::/96 there, not at ::ffff:0:0/96. */
		memset(address.bytes, 0, 12);
		length += 96;
	}
	for (int bit = skipped; bit < length; bit++) {
		int side = address.bytes[bit / 8] >> (7 - bit % 8) & 1;
		int *record = &tree->nodes[node][side];

		if (bit == length - 1) {
			*record = data_value(offset);
			return;
		}
		if (*record < 0) {
			assert_true(tree->count < NODES_MAX);
			tree->nodes[tree->count][0] = tree->nodes[tree->count][1] = *record;
			*record = tree->count++;
		}
		node = *record;
	}
}

static uint32_t record_number(const struct tree *tree, int value)
{
	if (value == EMPTY)
		return (uint32_t)tree->count;
	if (value < 0)
		return (uint32_t)(tree->count + 16 + (-2 - value));
	return (uint32_t)value;
}

static void put_node(struct bytes *bytes, const struct tree *tree, int node, int record_size)
{
	uint32_t left = record_number(tree, tree->nodes[node][0]);
	uint32_t right = record_number(tree, tree->nodes[node][1]);

	if (record_size == 28) {
		put_big_endian(bytes, left & 0xffffff, 3);
		put_byte(bytes, (left >> 24) << 4 | right >> 24);
		put_big_endian(bytes, right & 0xffffff, 3);
	} else {
		put_big_endian(bytes, left, record_size / 8);
		put_big_endian(bytes, right, record_size / 8);
	}
}

static const time_t build_time = 1718000000;

static void put_metadata(struct bytes *bytes, uint32_t node_count, int record_size, int ip_version)
{
	put(bytes, "\xab\xcd\xefMaxMind.com", 14);
	put_control(bytes, MAP, 9);
	put_string(bytes, "node_count");
	put_number(bytes, UINT32, node_count, 4);
	put_string(bytes, "record_size");
	put_number(bytes, UINT16, (uint64_t)record_size, 2);
	put_string(bytes, "ip_version");
	put_number(bytes, UINT16, (uint64_t)ip_version, 2);
	put_string(bytes, "database_type");
	put_string(bytes, "Test");
	put_string(bytes, "languages");
	put_control(bytes, ARRAY, 1);
	put_string(bytes, "en");
	put_string(bytes, "binary_format_major_version");
	put_number(bytes, UINT16, 2, 2);
	put_string(bytes, "binary_format_minor_version");
	put_number(bytes, UINT16, 0, 0);
	put_string(bytes, "build_epoch");
	put_number(bytes, UINT64, (uint64_t)build_time, 4);
	put_string(bytes, "description");
	put_control(bytes, MAP, 0);
}

static void put_tree(struct bytes *bytes, const struct tree *tree, int record_size)
{
	for (int node = 0; node < tree->count; node++)
		put_node(bytes, tree, node, record_size);
}

static void init_tree(struct tree *tree, int ip_version)
{
	tree->count = 1;
	tree->nodes[0][0] = tree->nodes[0][1] = EMPTY;
	tree->depth = ip_version == 4 ? 32 : 128;
}

static const struct {
	const char *network;
	const char *code;
} networks[] = {
	{"192.0.2.0/24", "DE"},    {"198.51.100.0/25", "AT"}, {"198.51.100.128/25", "CH"},
	{"203.0.113.7/32", "FR"},  {"10.0.0.0/8", "US"},      {"2001:db8::/32", "DE"},
	{"2001:db8:1::/48", "FR"}, {"2a00::/12", "CA"},       {"2001:470::1/128", "US"},
};

static void build(struct bytes *bytes, enum layout layout, int record_size, int ip_version)
{
	static struct tree tree;
	static struct bytes data;

	init_tree(&tree, ip_version);
	data.length = bytes->length = 0;
	for (size_t i = 0; i < COUNT(networks); i++) {
		if (ip_version == 6 || strchr(networks[i].network, ':') == NULL)
			insert(&tree, networks[i].network,
			       put_record(&data, layout, networks[i].code));
	}
	put_tree(bytes, &tree, record_size);
	put(bytes, (unsigned char[16]){0}, 16);
	put(bytes, data.at, data.length);
	put_metadata(bytes, (uint32_t)tree.count, record_size, ip_version);
}

static void write_bytes(const void *data, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct country_database *open_bytes(const struct bytes *bytes)
{
	struct country_database *database;
	char *error = NULL;

	write_bytes(bytes->at, bytes->length);
	database = country_database_open(path, &error);
	if (database == NULL)
		fail_msg("%s", error);
	return database;
}

/* Opens what must not be opened, and looks whether the error has these words. */
static void assert_refused(const char *words)
{
	char *error = NULL;

	assert_null(country_database_open(path, &error));
	assert_non_null(error);
	assert_int_equal(strncmp(error, path, strlen(path)), 0);
	if (strstr(error, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error, words);
	free(error);
}

static void assert_country(const struct country_database *database, const char *text,
			   const char *code, unsigned int length)
{
	struct address address;
	struct country country;
	unsigned int found_length = 999;

	assert_true(address_parse(text, &address));
	country = country_database_lookup(database, &address, &found_length);
	if (strcmp(country.code, code) != 0 || found_length != length)
		fail_msg("%s is in '%s' by /%u, should be in '%s' by /%u", text, country.code,
			 found_length, code, length);
	country = country_database_lookup(database, &address, NULL);
	assert_string_equal(country.code, code);
}

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/country.mmdb", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static const int record_sizes[] = {24, 28, 32};

static void test_ipv4_and_ipv6(void **state)
{
	static const enum layout layouts[] = {NESTED, POINTED, FLAT, NAMED};
	static struct bytes bytes;
	(void)state;

	for (size_t i = 0; i < COUNT(layouts) * COUNT(record_sizes); i++) {
		struct country_database *database;

		build(&bytes, layouts[i % COUNT(layouts)], record_sizes[i / COUNT(layouts)], 6);
		database = open_bytes(&bytes);
		assert_int_equal(country_database_built(database), build_time);
		assert_country(database, "192.0.2.0", "DE", 24);
		assert_country(database, "192.0.2.255", "DE", 24);
		assert_country(database, "192.0.3.0", "", 24);
		assert_country(database, "::ffff:192.0.2.1", "DE", 24);
		assert_country(database, "198.51.100.127", "AT", 25);
		assert_country(database, "198.51.100.128", "CH", 25);
		assert_country(database, "203.0.113.7", "FR", 32);
		assert_country(database, "203.0.113.6", "", 32);
		assert_country(database, "10.255.255.255", "US", 8);
		assert_country(database, "128.0.0.1", "", 2);
		assert_country(database, "2001:db8::1", "DE", 48);
		assert_country(database, "2001:db8:1::1", "FR", 48);
		assert_country(database, "2001:db8:8000::1", "DE", 33);
		assert_country(database, "2a0f:ffff::1", "CA", 12);
		assert_country(database, "2001:470::1", "US", 128);
		assert_country(database, "2001:470::2", "", 127);
		country_database_close(database);
	}
}

static void test_ipv4_only(void **state)
{
	static struct bytes bytes;
	(void)state;

	for (size_t i = 0; i < COUNT(record_sizes); i++) {
		struct country_database *database;

		build(&bytes, FLAT, record_sizes[i], 4);
		database = open_bytes(&bytes);
		assert_country(database, "192.0.2.1", "DE", 24);
		assert_country(database, "::ffff:192.0.2.1", "DE", 24);
		assert_country(database, "203.0.113.7", "FR", 32);
		assert_country(database, "128.0.0.1", "", 2);
		assert_country(database, "2001:db8::1", "", 0);
		country_database_close(database);
	}
}

static void test_unknown_address(void **state)
{
	static struct bytes bytes;
	struct country_database *database;
	const struct address unknown = {.known = false};
	unsigned int length = 999;
	struct country country;
	(void)state;

	build(&bytes, NESTED, 24, 6);
	database = open_bytes(&bytes);
	country = country_database_lookup(database, &unknown, &length);
	assert_string_equal(country.code, "");
	assert_int_equal(length, 0);
	country_database_close(database);
	country_database_close(NULL);
}

/* A database with one record. */
static void build_one(struct bytes *bytes, const struct bytes *data, size_t offset)
{
	static struct tree tree;

	init_tree(&tree, 6);
	bytes->length = 0;
	insert(&tree, "192.0.0.0/4", offset);
	put_tree(bytes, &tree, 32);
	put(bytes, (unsigned char[16]){0}, 16);
	put(bytes, data->at, data->length);
	put_metadata(bytes, (uint32_t)tree.count, 32, 6);
}

static void test_no_countries(void **state)
{
	static const char *const codes[] = {"", "D", "de", "DEU", "D1", "\xc3\xa4"};
	static struct bytes bytes, data;
	(void)state;

	build(&bytes, ASN, 28, 6);
	write_bytes(bytes.at, bytes.length);
	assert_refused("it contains no countries");
	for (size_t i = 0; i < COUNT(codes) * 2; i++) {
		data.length = 0;
		put_record(&data, i % 2 == 0 ? NESTED : FLAT, codes[i / 2]);
		build_one(&bytes, &data, 0);
		write_bytes(bytes.at, bytes.length);
		assert_refused("it contains no countries");
	}
}

static void test_no_database(void **state)
{
	static struct bytes bytes;
	(void)state;

	unlink(path);
	assert_refused("No such file or directory");
	write_bytes("", 0);
	assert_refused("it is empty");
	write_bytes("DE 192.0.2.0/24\n", 16);
	assert_refused("it is not a MaxMind DB file");
	for (size_t i = 0; i < sizeof(bytes.at); i++)
		bytes.at[i] = (unsigned char)(i * 2654435761u >> 13);
	write_bytes(bytes.at, sizeof(bytes.at));
	assert_refused("it is not a MaxMind DB file");

	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused("it is not a regular file");
	assert_int_equal(rmdir(path), 0);
	/* Nobody writes into it; opening must not wait for that. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("it is not a regular file");
	unlink(path);

	write_bytes("x", 1);
	assert_int_equal(truncate(path, (off_t)600 << 20), 0);
	assert_refused("it is larger than 512 MiB");
}

static void test_cut_short(void **state)
{
	static struct bytes bytes;
	(void)state;

	build(&bytes, NESTED, 24, 6);
	for (size_t length = 1; length < bytes.length; length += 7) {
		write_bytes(bytes.at, length);
		assert_refused("");
	}
	write_bytes(bytes.at, bytes.length - 1);
	assert_refused("");
}

/* As a file looks whose place on the disk was made before its content came. */
static void test_holes(void **state)
{
	static struct bytes bytes, damaged;
	size_t tree_size;
	(void)state;

	build(&bytes, FLAT, 32, 6);
	for (tree_size = 0; memcmp(bytes.at + tree_size, (unsigned char[16]){0}, 16) != 0;)
		tree_size += 8;
	for (size_t at = 0; at < tree_size; at += 64) {
		damaged = bytes;
		memset(damaged.at + at, 0, 64);
		write_bytes(damaged.at, damaged.length);
		assert_refused("corrupt");
	}
}

static void test_damaged_tree(void **state)
{
	/* The number in the first record, of a tree with one node. */
	static const uint32_t numbers[] = {
		0,          /* the root again */
		2,          /* within the separator */
		16,         /* its last byte */
		1 + 100000, /* behind the end of the file */
		UINT32_MAX,
	};
	static struct bytes bytes, data;
	static struct tree tree;
	(void)state;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		init_tree(&tree, 6);
		data.length = bytes.length = 0;
		insert(&tree, "8000::/1", put_record(&data, FLAT, "DE"));
		put_big_endian(&bytes, numbers[i], 4);
		put_big_endian(&bytes, record_number(&tree, tree.nodes[0][1]), 4);
		put(&bytes, (unsigned char[16]){0}, 16);
		put(&bytes, data.at, data.length);
		put_metadata(&bytes, 1, 32, 6);
		write_bytes(bytes.at, bytes.length);
		assert_refused("corrupt");
	}
}

/* Nodes in a circle end where the address ends. */
static void test_circle(void **state)
{
	static struct bytes bytes, data;
	static struct tree tree;
	struct country_database *database;
	(void)state;

	init_tree(&tree, 6);
	data.length = bytes.length = 0;
	insert(&tree, "8000::/2", put_record(&data, FLAT, "DE"));
	tree.nodes[0][0] = tree.count;
	tree.nodes[tree.count][0] = tree.nodes[tree.count][1] = tree.count;
	tree.count++;
	put_tree(&bytes, &tree, 32);
	put(&bytes, (unsigned char[16]){0}, 16);
	put(&bytes, data.at, data.length);
	put_metadata(&bytes, (uint32_t)tree.count, 32, 6);
	database = open_bytes(&bytes);
	assert_country(database, "8000::1", "DE", 2);
	assert_country(database, "2001:db8::1", "", 128);
	assert_country(database, "192.0.2.1", "", 32);
	country_database_close(database);
}

static void test_wrong_metadata(void **state)
{
	static const struct {
		uint32_t node_count;
		int record_size, ip_version;
	} cases[] = {
		/* 8 * 0x20000000 is 0 in 32 bits. */
		{0x20000000, 32, 6}, {0xffffffff, 32, 6}, {0, 32, 6},
		{1000, 32, 6},       {1, 16, 6},          {1, 32, 5},
	};
	static struct bytes bytes;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		bytes.length = 0;
		put(&bytes, (unsigned char[24]){0, 0, 0, 17, 0, 0, 0, 17}, 24);
		put_record(&bytes, FLAT, "DE");
		put_metadata(&bytes, cases[i].node_count, cases[i].record_size,
			     cases[i].ip_version);
		write_bytes(bytes.at, bytes.length);
		assert_refused("");
	}
}

/* Arrays of two pointers each to the next one: four million fields in 400 bytes. */
static void test_metadata_that_grows(void **state)
{
	static struct bytes bytes;
	unsigned char *metadata;
	size_t start;
	(void)state;

	build(&bytes, FLAT, 32, 6);
	metadata = memmem(bytes.at, bytes.length, "MaxMind.com", 11);
	assert_non_null(metadata);
	start = (size_t)(metadata + 11 - bytes.at);
	bytes.at[start]++; /* one more in the map */
	put_string(&bytes, "more");
	put_pointer(&bytes, bytes.length + 2 - start);
	for (int level = 0; level < 21; level++) {
		size_t next = bytes.length + 6 - start;

		put_control(&bytes, ARRAY, 2);
		put_pointer(&bytes, next);
		put_pointer(&bytes, next);
	}
	put_control(&bytes, ARRAY, 0);
	write_bytes(bytes.at, bytes.length);
	assert_refused("metadata");
}

/* Many records that share a long array. */
static void test_records_that_grow(void **state)
{
	static struct bytes bytes, data;
	static struct tree tree;
	const int length = 10000;
	(void)state;

	for (int records = 2; records <= 200; records += 198) {
		struct country_database *database;

		init_tree(&tree, 4);
		data.length = bytes.length = 0;
		put_byte(&data, 30); /* two bytes tell how many more than 285 */
		put_byte(&data, ARRAY - 7);
		put_big_endian(&data, (uint64_t)length - 285, 2);
		for (int i = 0; i < length; i++)
			put_control(&data, UINT16, 0);
		for (int i = 0; i < records; i++) {
			char network[32];

			snprintf(network, sizeof(network), "%d.0.0.0/8", i + 1);
			insert(&tree, network, data.length);
			put_control(&data, MAP, 2);
			put_string(&data, "country_code");
			put_string(&data, "DE");
			put_string(&data, "more");
			put_pointer(&data, 0);
		}
		put_tree(&bytes, &tree, 32);
		put(&bytes, (unsigned char[16]){0}, 16);
		put(&bytes, data.at, data.length);
		put_metadata(&bytes, (uint32_t)tree.count, 32, 4);
		if (records == 2) {
			database = open_bytes(&bytes);
			assert_country(database, "2.1.1.1", "DE", 8);
			country_database_close(database);
		} else {
			write_bytes(bytes.at, bytes.length);
			assert_refused("bad data");
		}
	}
}

/* The file may be cut short or overwritten in place: what was opened stays. */
static void test_file_changes_afterwards(void **state)
{
	static struct bytes bytes;
	struct country_database *database;
	(void)state;

	build(&bytes, NESTED, 24, 6);
	database = open_bytes(&bytes);
	assert_int_equal(truncate(path, 0), 0);
	assert_country(database, "192.0.2.1", "DE", 24);
	memset(bytes.at, 0xff, bytes.length);
	write_bytes(bytes.at, bytes.length);
	assert_country(database, "2001:db8:1::1", "FR", 48);
	unlink(path);
	assert_country(database, "10.0.0.1", "US", 8);
	country_database_close(database);
}

/* No descriptor is kept, and none is lost on the way. */
static void test_descriptors(void **state)
{
	static struct bytes bytes;
	int before, after;
	(void)state;

	before = open("/dev/null", O_RDONLY);
	close(before);
	for (int i = 0; i < 10; i++) {
		struct country_database *database;
		char *error;

		build(&bytes, i % 2 == 0 ? FLAT : NESTED, 24, 6);
		database = open_bytes(&bytes);
		after = open("/dev/null", O_RDONLY);
		close(after);
		assert_int_equal(after, before);
		country_database_close(database);
		write_bytes(bytes.at, bytes.length / 2);
		assert_null(country_database_open(path, &error));
		free(error);
	}
	after = open("/dev/null", O_RDONLY);
	close(after);
	assert_int_equal(after, before);
}

/* However a file was damaged: refused, or looked up in without harm. Only what
   stands before the metadata: libmaxminddb 1.7 forgets to free some memory when
   the list of languages holds something else. */
static void test_mutations(void **state)
{
	static const char *const addresses[] = {"192.0.2.1", "203.0.113.7",   "0.0.0.0",
						"2a00::1",   "2001:db8:1::1", "2001:470::1",
						"::",        "ffff::"};
	static struct bytes bytes, damaged;
	unsigned int seed = 20240920, refused = 0, opened = 0;
	(void)state;

	for (int round = 0; round < 1500; round++) {
		struct country_database *database;
		char *error = NULL;
		size_t metadata;

		if (round % 100 == 0)
			build(&bytes, round / 100 % 3, record_sizes[round / 300 % 3], 6);
		metadata = (size_t)((unsigned char *)memmem(bytes.at, bytes.length, "MaxMind.com",
							    11) -
				    bytes.at - 3);
		damaged = bytes;
		for (int change = rand_r(&seed) % 4; change >= 0; change--) {
			/* Half of it behind the tree, where the structure is. */
			size_t last = rand_r(&seed) % 2 == 0 ? metadata : 900;
			size_t at = metadata - 1 - (size_t)rand_r(&seed) % last;

			damaged.at[at] = (unsigned char)rand_r(&seed);
		}
		write_bytes(damaged.at, damaged.length);
		database = country_database_open(path, &error);
		if (database == NULL) {
			assert_non_null(error);
			free(error);
			refused++;
			continue;
		}
		opened++;
		for (size_t i = 0; i < COUNT(addresses); i++) {
			struct address address;
			unsigned int length;

			assert_true(address_parse(addresses[i], &address));
			country_database_lookup(database, &address, &length);
			assert_true(length <= (address_is_ipv4(&address) ? 32 : 128));
		}
		country_database_close(database);
	}
	assert_true(refused > 100);
	assert_true(opened > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_and_ipv6),
		cmocka_unit_test(test_ipv4_only),
		cmocka_unit_test(test_unknown_address),
		cmocka_unit_test(test_no_countries),
		cmocka_unit_test(test_no_database),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_damaged_tree),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_wrong_metadata),
		cmocka_unit_test(test_metadata_that_grows),
		cmocka_unit_test(test_records_that_grow),
		cmocka_unit_test(test_file_changes_afterwards),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
