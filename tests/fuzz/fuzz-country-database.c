/* A damaged country database, or what somebody took for one: refused, or looked up in
   without harm. */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "policy/country-database.h"

const char *__lsan_default_suppressions(void);

/* libmaxminddb 1.7 forgets some memory when metadata is not what it should be. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb\n";
}

static void look_up(const struct country_database *database, const char *text)
{
	struct address address;
	struct country country;
	unsigned int length;

	require(address_parse(text, &address));
	country = country_database_lookup(database, &address, &length);
	require(length <= (address_is_ipv4(&address) ? 32 : 128));
	require(strlen(country.code) == 0 || strlen(country.code) == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = {"192.0.2.1",       "192.0.3.1",  "0.0.0.0",
						"255.255.255.255", "::",         "2001:db8:1::1",
						"2001:db8:2::1",   "ffff:ffff::"};
	const char *path = fuzz_file(data, size);
	struct country_database *database;
	char *error = NULL;

	database = country_database_open(path, &error);
	require((database == NULL) == (error != NULL));
	if (database == NULL)
		require(strncmp(error, path, strlen(path)) == 0);
	for (size_t i = 0; database != NULL && i < sizeof(addresses) / sizeof(*addresses); i++)
		look_up(database, addresses[i]);
	country_database_close(database);
	free(error);
	return 0;
}
