/* libFuzzer target: whatever portcullis.conf may hold by mistake, which Dovecot's
   auth process reads. `make fuzz` runs it for a minute. */

#include <stdlib.h>
#include <string.h>

#include "policy/config.h"

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* An error is one line that begins with the file. */
static void count_error(void *context, const char *message)
{
	require(strncmp(message, "portcullis.conf:", strlen("portcullis.conf:")) == 0);
	require(strchr(message, '\n') == NULL);
	++*(unsigned int *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	unsigned int errors = 0;
	struct policy *policy;

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	policy = config_load_text("portcullis.conf", text, size, count_error, NULL, &errors);
	require((policy == NULL) == (errors > 0));
	policy_free(policy);
	free(text);
	return 0;
}
