#include "dovecot-compat.h"
#include "policy/policy.h"
#include "refusal.h"

void refusal_make(struct refusal *refusal, struct auth_request *request, const struct rule *rule)
{
	auth_request_set_field(request, "nologin", "yes", NULL);
	auth_request_set_field(request, "reason", rule->message, NULL);
	refusal->nologin = auth_fields_find(request->fields.extra_fields, "nologin");
	refusal->reason = auth_fields_find(request->fields.extra_fields, "reason");
	refusal->stands = TRUE;
}

/* Whoever sets a field allocates its value anew. */
static void remove_field(struct auth_fields *fields, const char *name, const char *value)
{
	if (auth_fields_find(fields, name) == value)
		auth_fields_remove(fields, name);
}

void refusal_take_back(struct refusal *refusal, struct auth_request *request)
{
	remove_field(request->fields.extra_fields, "nologin", refusal->nologin);
	remove_field(request->fields.extra_fields, "reason", refusal->reason);
	refusal->stands = FALSE;
}
