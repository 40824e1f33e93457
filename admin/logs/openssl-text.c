#define _GNU_SOURCE /* memmem() */
#include "openssl-text.h"

bool openssl_says_no_common_version(struct log_slice text)
{
	static const char *const words[] = {
		"unsupported protocol",
		"version too low",
		"alert protocol version",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (memmem(text.text, text.length, words[i], strlen(words[i])) != NULL)
			return true;
	}
	return false;
}
