#include "message-id.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void message_id_make(const char *from, char message_id_r[static MESSAGE_ID_SIZE])
{
	const char *at = strrchr(from, '@');
	uint64_t random[2];

	/* So few bytes come at once and whole, random(4) promises. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	snprintf(message_id_r, MESSAGE_ID_SIZE, "%016jx%016jx@%s", (uintmax_t)random[0],
		 (uintmax_t)random[1], at == NULL ? "localhost" : at + 1);
}
