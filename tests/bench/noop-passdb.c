/* A passdb that does nothing at all: what Dovecot itself asks for one more
   passdb, which is what bench-auth compares the gate with. */

#include "dovecot-plugin/dovecot-compat.h"

PORTCULLIS_EXPORT extern const char *authdb_noop_version;
PORTCULLIS_EXPORT void authdb_noop_init(struct module *module);
PORTCULLIS_EXPORT void authdb_noop_deinit(void);

static void noop_verify_plain(struct auth_request *request, const char *password ATTR_UNUSED,
			      verify_plain_callback_t *callback)
{
	callback(PASSDB_RESULT_NEXT, request);
}

static struct passdb_module_interface passdb_noop = {
	.name = "noop",

	.verify_plain = noop_verify_plain,
};

const char *authdb_noop_version = DOVECOT_ABI_VERSION;

void authdb_noop_init(struct module *module ATTR_UNUSED)
{
	passdb_register_module(&passdb_noop);
}

void authdb_noop_deinit(void)
{
	passdb_unregister_module(&passdb_noop);
}
