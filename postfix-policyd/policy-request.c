#define _GNU_SOURCE /* memmem() */
#include "policy-request.h"

#include <string.h>

#define ATTRIBUTE_COUNT (sizeof(struct policy_request) / sizeof(const char *))

static const char absent[] = "";

/* Where the value of an attribute goes; NULL for one that is not used. */
static const char **value_of(struct policy_request *request, const char *name, size_t length)
{
#define IS(text) (length == sizeof(text) - 1 && memcmp(name, text, sizeof(text) - 1) == 0)
	switch (*name) {
	case 'c':
		return IS("client_address") ? &request->client_address : NULL;
	case 'e':
		return IS("encryption_protocol") ? &request->encryption_protocol : NULL;
	case 'h':
		return IS("helo_name") ? &request->helo_name : NULL;
	case 'i':
		return IS("instance") ? &request->instance : NULL;
	case 'r':
		return IS("request") ? &request->request : NULL;
	case 's':
		return IS("server_port")     ? &request->server_port
		       : IS("sasl_method")   ? &request->sasl_method
		       : IS("sasl_username") ? &request->sasl_username
					     : NULL;
	}
	return NULL;
#undef IS
}

size_t policy_request_parse(char *bytes, size_t length, size_t searched,
			    struct policy_request *request_r, const char **error_r)
{
	const char *const end = bytes + length;
	char *line, *equals, *newline;
	char *used[ATTRIBUTE_COUNT]; /* where their lines end */
	size_t used_count = 0;

	*error_r = NULL;
	/* What comes byte by byte is not parsed from its begin each time. */
	if (searched > 0 && memmem(bytes + searched - 1, length - searched + 1, "\n\n", 2) == NULL)
		return 0;

	*request_r = (struct policy_request){absent, absent, absent, absent,
					     absent, absent, absent, absent};
	for (line = bytes; line < end && *line != '\n'; line = newline + 1) {
		const char **value;

		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			return 0;
		equals = memchr(line, '=', (size_t)(newline - line));
		if (equals == NULL) {
			*error_r = "a line without \"=\" in the request";
			return 0;
		}
		value = value_of(request_r, line, (size_t)(equals - line));
		if (value == NULL)
			continue;
		if (*value != absent) {
			*error_r = "an attribute twice in the request";
			return 0;
		}
		*value = equals + 1;
		used[used_count++] = newline;
	}
	if (line == end)
		return 0;
	length = (size_t)(line - bytes) + 1;
	if (memchr(bytes, '\0', length) != NULL) {
		*error_r = "a NUL byte in the request";
		return 0;
	}
	while (used_count > 0)
		*used[--used_count] = '\0';
	if (strcmp(request_r->request, "smtpd_access_policy") != 0) {
		*error_r = "not a request=smtpd_access_policy";
		return 0;
	}
	return length;
}
