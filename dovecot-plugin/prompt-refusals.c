#include "prompt-refusals.h"

#include "policy/allowance.h"

/* Bytes that tell one from another; all who are unknown are one. */
static size_t significant_bytes(const struct address *address)
{
	if (!address->known)
		return 0;
	return address_is_ipv4(address) ? sizeof(address->bytes) : sizeof(address->bytes) / 2;
}

bool prompt_refusal_take(const struct address *address, time_t now)
{
	static struct allowance allowance;

	return allowance_take(&allowance, now / 60, address->bytes, significant_bytes(address),
			      PROMPT_REFUSALS_PER_MINUTE);
}
