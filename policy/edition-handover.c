#include "edition-handover.h"

void edition_handover_offer(struct edition_handover *handover, struct kept_edition *kept)
{
	/* Nobody took the one offered before: it is ours again. */
	kept_edition_free(atomic_exchange(&handover->offered, kept));
}

void edition_handover_clean(struct edition_handover *handover)
{
	struct kept_edition *kept = atomic_exchange(&handover->retired, NULL);

	while (kept != NULL) {
		struct kept_edition *next = kept->next_retired;

		kept_edition_free(kept);
		kept = next;
	}
}

static void retire(struct edition_handover *handover, struct kept_edition *kept)
{
	kept->next_retired = atomic_load(&handover->retired);
	while (!atomic_compare_exchange_weak(&handover->retired, &kept->next_retired, kept))
		continue;
}

const struct edition *edition_handover_current(struct edition_handover *handover)
{
	if (atomic_load_explicit(&handover->offered, memory_order_relaxed) != NULL) {
		struct kept_edition *offered = atomic_exchange(&handover->offered, NULL);

		if (offered != NULL) {
			retire(handover, handover->current);
			handover->current = offered;
		}
	}
	return &handover->current->edition;
}

void edition_handover_free(struct edition_handover *handover)
{
	edition_handover_clean(handover);
	kept_edition_free(atomic_exchange(&handover->offered, NULL));
	kept_edition_free(handover->current);
}
