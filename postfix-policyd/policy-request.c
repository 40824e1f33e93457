#define _GNU_SOURCE /* memmem() */
#include "policy-request.h"

#include <string.h>

static const struct {
	const char *name;
	size_t length;
	size_t offset;
} attributes[] = {
#define ATTRIBUTE(name)                                                                            \
	{                                                                                          \
#name, sizeof(#name) - 1, offsetof(struct policy_request, name)                    \
	}
	ATTRIBUTE(request),       ATTRIBUTE(instance),           ATTRIBUTE(client_address),
	ATTRIBUTE(server_port),   ATTRIBUTE(helo_name),          ATTRIBUTE(sasl_method),
	ATTRIBUTE(sasl_username), ATTRIBUTE(encryption_protocol)
#undef ATTRIBUTE
};

#define ATTRIBUTE_COUNT (sizeof(attributes) / sizeof(attributes[0]))

static const char **value_of(struct policy_request *request, size_t attribute)
{
	return (const char **)((char *)request + attributes[attribute].offset);
}

size_t policy_request_length(const char *bytes, size_t length, size_t searched)
{
	const char *end;

	if (length > 0 && bytes[0] == '\n')
		return 1;
	if (searched > 0)
		searched--; /* the newline before the empty line may be in there */
	end = memmem(bytes + searched, length - searched, "\n\n", 2);
	return end == NULL ? 0 : (size_t)(end - bytes) + 2;
}

/* False when the attribute was there before. */
static bool keep_attribute(struct policy_request *request, const char *name, size_t length,
			   const char *value)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (length != attributes[i].length || memcmp(name, attributes[i].name, length) != 0)
			continue;
		if (*value_of(request, i) != NULL)
			return false;
		*value_of(request, i) = value;
		break;
	}
	return true;
}

bool policy_request_parse(char *text, size_t length, struct policy_request *request_r,
			  const char **error_r)
{
	char *end = text + length - 1; /* the empty line's newline */

	memset(request_r, 0, sizeof(*request_r));
	if (memchr(text, '\0', length) != NULL) {
		*error_r = "a NUL byte in the request";
		return false;
	}
	for (char *line = text; line < end;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *equals = memchr(line, '=', (size_t)(newline - line));

		if (equals == NULL) {
			*error_r = "a line without \"=\" in the request";
			return false;
		}
		*newline = '\0';
		if (!keep_attribute(request_r, line, (size_t)(equals - line), equals + 1)) {
			*error_r = "an attribute twice in the request";
			return false;
		}
		line = newline + 1;
	}
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (*value_of(request_r, i) == NULL)
			*value_of(request_r, i) = "";
	}
	if (strcmp(request_r->request, "smtpd_access_policy") != 0) {
		*error_r = "not a request=smtpd_access_policy";
		return false;
	}
	return true;
}
