#include "whereabouts.h"

#include <stdio.h>
#include <string.h>

/* Rises when the text, or what counts as local, changes. */
#define FORMAT_VERSION 1

/* What two ranges that have an address in common, have in common. */
static void narrow(struct address_range *range, const struct address_range *other)
{
	if (memcmp(other->first, range->first, sizeof(range->first)) > 0)
		memcpy(range->first, other->first, sizeof(range->first));
	if (memcmp(other->last, range->last, sizeof(range->last)) < 0)
		memcpy(range->last, other->last, sizeof(range->last));
}

/* False when no network holds the client. */
static bool find_range(const struct policy *policy, const struct address *client,
		       struct address_range *range_r)
{
	bool found = false;

	for (size_t i = 0; i < policy->network_count; i++) {
		struct address_range range;

		if (!network_find_range(&policy->networks[i].network, client, &range))
			continue;
		if (found)
			narrow(range_r, &range);
		else
			*range_r = range;
		found = true;
	}
	return found;
}

static void format_end(const unsigned char bytes[16], char text_r[static ADDRESS_TEXT_SIZE])
{
	struct address address = {.known = true};

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	address_format(&address, text_r);
}

const char *whereabouts_format(const struct policy *policy, const struct address *client,
			       char text_r[static WHEREABOUTS_SIZE])
{
	const char *kind = address_is_local(client) ? "local" : "public";
	char first[ADDRESS_TEXT_SIZE], last[ADDRESS_TEXT_SIZE];
	struct address_range range;

	if (find_range(policy, client, &range)) {
		format_end(range.first, first);
		format_end(range.last, last);
		snprintf(text_r, WHEREABOUTS_SIZE, "%s %s-%s", kind, first, last);
	} else {
		g_strlcpy(text_r, kind, WHEREABOUTS_SIZE);
	}
	return text_r;
}

static bool parse_range(const char *text, struct address_range *range_r)
{
	const char *dash = strchr(text, '-');
	char *first = dash == NULL ? NULL : g_strndup(text, (gsize)(dash - text));
	struct address begin, end;
	bool fine = first != NULL && address_parse(first, &begin) && address_parse(dash + 1, &end);

	if (fine) {
		memcpy(range_r->first, begin.bytes, sizeof(range_r->first));
		memcpy(range_r->last, end.bytes, sizeof(range_r->last));
	}
	g_free(first);
	return fine;
}

bool whereabouts_parse(const char *text, struct whereabouts *whereabouts_r)
{
	static const char local[] = "local", public[] = "public";

	*whereabouts_r = (struct whereabouts){.local = g_str_has_prefix(text, local)};
	if (!whereabouts_r->local && !g_str_has_prefix(text, public))
		return false;
	text += whereabouts_r->local ? strlen(local) : strlen(public);
	whereabouts_r->in_network = *text == ' ' && parse_range(text + 1, &whereabouts_r->range);
	return true;
}

int64_t whereabouts_definition(const struct policy *policy)
{
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize length = sizeof(digest);
	int64_t definition;

	for (size_t i = 0; i < policy->network_count; i++) {
		const struct network *network = &policy->networks[i].network;

		/* Where one network ends counts, too. */
		g_checksum_update(checksum, (const guchar *)&network->count,
				  sizeof(network->count));
		g_checksum_update(checksum, (const guchar *)network->ranges,
				  (gssize)(network->count * sizeof(*network->ranges)));
	}
	g_checksum_get_digest(checksum, digest, &length);
	g_checksum_free(checksum);
	memcpy(&definition, digest, sizeof(definition));
	definition = (int64_t)((uint64_t)definition << 8) | FORMAT_VERSION;
	return definition;
}
