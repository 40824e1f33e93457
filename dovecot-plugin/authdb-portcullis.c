/* What Dovecot calls when a passdb names the driver portcullis. */

#include "dovecot-compat.h"
#include "observer.h"
#include "passdb-portcullis.h"
#include "portcullis.h"

PORTCULLIS_EXPORT extern const char *authdb_portcullis_version;
PORTCULLIS_EXPORT void authdb_portcullis_init(struct module *module);
PORTCULLIS_EXPORT void authdb_portcullis_deinit(void);

const char *authdb_portcullis_version = DOVECOT_ABI_VERSION;

void authdb_portcullis_init(struct module *module ATTR_UNUSED)
{
	passdb_register_module(&passdb_portcullis);
	if (!worker)
		observer_init();
}

/* No request is left by now. */
void authdb_portcullis_deinit(void)
{
	if (!worker)
		observer_deinit();
	portcullis_close_all();
	passdb_unregister_module(&passdb_portcullis);
}
