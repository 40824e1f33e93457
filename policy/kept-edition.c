#include "kept-edition.h"

#include <stdlib.h>

#include "edition.h"

static struct part *part_new(void *value, void (*free_value)(void *))
{
	struct part *part = value == NULL ? NULL : malloc(sizeof(*part));

	if (part == NULL) {
		if (value != NULL)
			free_value(value);
		return NULL;
	}
	*part = (struct part){.references = 1, .free = free_value, .value = value};
	return part;
}

struct part *part_share(struct part *part)
{
	if (part != NULL)
		part->references++;
	return part;
}

void part_release(struct part *part)
{
	if (part == NULL || --part->references > 0)
		return;
	part->free(part->value);
	free(part);
}

static void free_policy(void *value)
{
	policy_free(value);
}

static void free_exemptions(void *value)
{
	exemptions_free(value);
}

static void free_countries(void *value)
{
	country_database_close(value);
}

struct part *part_of_policy(struct policy *policy)
{
	return part_new(policy, free_policy);
}

struct part *part_of_exemptions(struct exemptions *exemptions)
{
	return part_new(exemptions, free_exemptions);
}

struct part *part_of_countries(struct country_database *countries)
{
	return part_new(countries, free_countries);
}

static const void *value_of(const struct part *part)
{
	return part == NULL ? NULL : part->value;
}

struct kept_edition *kept_edition_new(struct part *policy, struct part *exemptions,
				      struct part *grace, struct part *countries)
{
	struct kept_edition *kept = calloc(1, sizeof(*kept));

	if (kept == NULL) {
		part_release(exemptions);
		part_release(grace);
		part_release(countries);
		part_release(policy);
		return NULL;
	}
	kept->policy = policy;
	kept->exemptions = exemptions;
	kept->grace = grace;
	kept->countries = countries;
	kept->edition = edition_of(policy->value, value_of(exemptions), value_of(grace),
				   value_of(countries));
	return kept;
}

void kept_edition_free(struct kept_edition *kept)
{
	if (kept == NULL)
		return;
	/* Exemptions and grace rest on their policy. */
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	part_release(kept->exemptions);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	part_release(kept->grace);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	part_release(kept->countries);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not count references */
	part_release(kept->policy);
	free(kept);
}
