#ifndef PORTCULLIS_DOVECOT_COMPAT_H
#define PORTCULLIS_DOVECOT_COMPAT_H

/* Everything in which Dovecot's versions differ. The rest of the plugin
   includes this header instead of Dovecot's and does not know the version;
   settings-2.4.c is the one other file that does. */

#ifndef HAVE_CONFIG_H
#define HAVE_CONFIG_H
#endif
#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "lib-event-private.h"
#include "module-dir.h"
#include "auth.h"
#include "auth-common.h"
#include "auth-fields.h"
#include "auth-request.h"
#include "passdb.h"
#include "restrict-access.h"
#if DOVECOT_VERSION_MINOR >= 4
#include "settings-parser.h"
#endif

#define DOVECOT_RELEASE                                                                            \
	(DOVECOT_VERSION_MAJOR * 10000 + DOVECOT_VERSION_MINOR * 100 + DOVECOT_VERSION_MICRO)

#if DOVECOT_RELEASE < 20319
#error "Portcullis needs Dovecot 2.3.19 or newer."
#elif DOVECOT_RELEASE > 20399 && DOVECOT_RELEASE < 20401
#error "Portcullis needs Dovecot 2.3.19 to 2.3.21, or 2.4.1 or newer: 2.4.0 is untried."
#elif DOVECOT_RELEASE > 20405
#error "This Dovecot is newer than Portcullis knows. Check what dovecot-compat.h wraps: passdb \
preinit(), lookup_credentials_callback_t, struct auth_request_fields and auth_passdb; and in \
auth_request_unref() when the request's event and pool go. Run the end-to-end tests on it, then \
raise the number."
#endif

/* What Dovecot looks up by name in the module. */
#define PORTCULLIS_EXPORT __attribute__((visibility("default")))

/* What the login process or the SASL client calls itself: "imap", "smtp". */
static inline const char *request_service(const struct auth_request *request)
{
#if DOVECOT_RELEASE < 20400
	return request->fields.service;
#else
	return request->fields.protocol;
#endif
}

/* The event field that holds it. */
#if DOVECOT_RELEASE < 20400
#define REQUEST_SERVICE_FIELD "service"
#else
#define REQUEST_SERVICE_FIELD "protocol"
#endif

/* TLS down to the client. */
static inline bool request_is_tls(const struct auth_request *request)
{
#if DOVECOT_RELEASE < 20400
	return request->fields.secured == AUTH_REQUEST_SECURED_TLS;
#else
	return request->fields.conn_secured == AUTH_REQUEST_CONN_SECURED_TLS;
#endif
}

/* The client says that the connection is good enough for a password, for
   whatever reason. */
static inline bool request_is_secured(const struct auth_request *request)
{
#if DOVECOT_RELEASE < 20400
	return request->fields.secured != AUTH_REQUEST_SECURED_NONE;
#else
	return request->fields.conn_secured != AUTH_REQUEST_CONN_SECURED_NONE;
#endif
}

/* Answers a lookup of credentials without any. */
static inline void answer_without_credentials(lookup_credentials_callback_t *callback,
					      enum passdb_result result,
					      struct auth_request *request)
{
#if DOVECOT_RELEASE < 20405
	callback(result, NULL, 0, request);
#else
	callback(result, NULL, 0, NULL, request);
#endif
}

/* 2.4.1 goes on using a SCRAM request after its passdbs have refused it, and only
   a delayed refusal keeps it in memory for that long. */
static inline bool request_can_fail_at_once(const struct auth_request *request)
{
	return DOVECOT_RELEASE != 20401 || strncmp(request->fields.mech_name, "SCRAM-", 6) != 0;
}

/* The passdbs that a service is served by; NULL: one that has none of its own. */
static inline const struct auth *find_auth(const char *service)
{
#if DOVECOT_RELEASE < 20400
	return auth_find_service(service);
#else
	return auth_find_protocol(service);
#endif
}

/* The mechanisms that are switched on, in capitals; in the data stack. */
static inline const char *const *enabled_mechanisms(void)
{
#if DOVECOT_RELEASE < 20400
	return t_strsplit_spaces(t_str_ucase(global_auth_settings->mechanisms), " ");
#else
	const char *const *mechanisms = settings_boollist_get(&global_auth_settings->mechanisms);

	return t_strsplit_spaces(t_str_ucase(t_strarray_join(mechanisms, " ")), " ");
#endif
}

/* The configuration file that a gate names, in the data stack. -1 on errors. */
#if DOVECOT_RELEASE >= 20400
int portcullis_settings_config(struct event *event, const char **path_r, const char **error_r);
#endif

/* Defines a passdb's preinit as this version wants it. It finds out which
   configuration the gate names, "" if none, and calls
   struct passdb_module *create(pool_t pool, const char *path, const char **error_r),
   which returns NULL on errors. */
#if DOVECOT_RELEASE < 20400
#define DEFINE_PASSDB_PREINIT(preinit, create)                                                     \
	static struct passdb_module *preinit(pool_t pool, const char *args)                        \
	{                                                                                          \
		const char *error;                                                                 \
		struct passdb_module *module = create(pool, args, &error);                         \
                                                                                                   \
		if (module == NULL)                                                                \
			i_fatal("passdb portcullis: %s", error);                                   \
		return module;                                                                     \
	}
#else
#if DOVECOT_RELEASE < 20403
#define PASSDB_PREINIT_PARAMETERS pool_t pool, struct event *event
#else
#define PASSDB_PREINIT_PARAMETERS                                                                  \
	pool_t pool, struct event *event, const struct passdb_parameters *parameters ATTR_UNUSED
#endif
#define DEFINE_PASSDB_PREINIT(preinit, create)                                                     \
	static int preinit(PASSDB_PREINIT_PARAMETERS, struct passdb_module **module_r,             \
			   const char **error_r)                                                   \
	{                                                                                          \
		const char *path;                                                                  \
                                                                                                   \
		if (portcullis_settings_config(event, &path, error_r) < 0)                         \
			return -1;                                                                 \
		*module_r = create(pool, path, error_r);                                           \
		return *module_r == NULL ? -1 : 0;                                                 \
	}
#endif

#endif
