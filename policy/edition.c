#include "edition.h"

#include <inttypes.h>
#include <stdio.h>

#include "fnv.h"

static uint64_t add(uint64_t hash, uint64_t number)
{
	return fnv_hash(hash, &number, sizeof(number));
}

struct edition edition_of(const struct policy *policy, const struct exemptions *exemptions,
			  const struct exemptions *grace, const struct country_database *countries)
{
	struct edition edition = {.policy = policy,
				  .exemptions = exemptions,
				  .grace = grace,
				  .countries = countries,
				  .exemptions_unknown =
					  exemptions == NULL && policy->exemptions != NULL};
	uint64_t hash = add(FNV_START, policy->digest);

	hash = add(hash, exemptions == NULL ? 0 : exemptions_digest(exemptions));
	hash = add(hash, countries == NULL ? 0 : country_database_digest(countries));
	snprintf(edition.id, sizeof(edition.id), "%016" PRIx64, hash);
	return edition;
}
