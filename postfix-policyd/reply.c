#include "reply.h"

#include <stdio.h>
#include <string.h>

/* RFC 3207, 4: 530 5.7.0 asks for STARTTLS; RFC 4954, 6: 534 5.7.9 says that the
   mechanism is too weak; RFC 5321 and 3463: 550 5.7.1 refuses for policy. */
static const char *reply_codes(enum kind kind)
{
	switch (kind) {
	case KIND_ENCRYPTION:
		return "530 5.7.0";
	case KIND_MECHANISM:
		return "534 5.7.9";
	default:
		return "550 5.7.1";
	}
}

size_t reply_format(const struct verdict *verdict, char reply_r[static REPLY_SIZE])
{
	static const char dunno[] = "action=DUNNO\n\n";

	if (verdict->rejecting == NULL) {
		memcpy(reply_r, dunno, sizeof(dunno));
		return sizeof(dunno) - 1;
	}
	return (size_t)snprintf(reply_r, REPLY_SIZE, "action=%s %.*s\n\n",
				reply_codes(verdict->rejecting->kind), MESSAGE_LENGTH_MAX,
				verdict->rejecting->message);
}
