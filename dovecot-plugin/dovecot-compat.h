#ifndef PORTCULLIS_DOVECOT_COMPAT_H
#define PORTCULLIS_DOVECOT_COMPAT_H

/* Everything in which Dovecot's versions differ. The rest of the plugin
   includes this header instead of Dovecot's and does not know the version;
   settings-2.4.c is the one other file that does. plugin.mk defines
   DOVECOT_RELEASE, 20319 for 2.3.19: before 2.3.18 no header of Dovecot has
   a number for it.

   Before a newer one is allowed, in plugin.mk, look at what is wrapped here (passdb
   preinit(), lookup_credentials_callback_t, struct auth_request_fields and
   auth_passdb) and when auth_request_unref() frees the request's event and pool, and
   run the end-to-end tests on it. */

#ifndef HAVE_CONFIG_H
#define HAVE_CONFIG_H
#endif
#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "str.h"
#include "lib-event-private.h"
#include "module-dir.h"
#if DOVECOT_RELEASE >= 20402 && DOVECOT_RELEASE <= 20404
/* These install two headers named sasl-server.h over each other. What auth-request.h
   needs of the right one, whichever is there: */
#define SASL_SERVER_H
struct sasl_passdb_result;
struct sasl_server_mech;
struct sasl_server_request;
struct sasl_server_instance;
struct sasl_server_req_ctx {
	const struct sasl_server_mech *mech;
	const char *mech_name;
	struct sasl_server_request *request;
};
typedef void sasl_server_passdb_callback_t(struct sasl_server_req_ctx *context,
					   const struct sasl_passdb_result *result);
#endif
#include "auth.h"
#include "auth-common.h"
#include "auth-fields.h"
#include "auth-request.h"
#include "passdb.h"
#include "restrict-access.h"
#if DOVECOT_RELEASE >= 20400
#include "settings-parser.h"
#endif

#if DOVECOT_RELEASE < 20316
#define event_find_field_recursive_str event_find_field_str
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

/* Dovecot must not go on using a request that it has freed; a delayed refusal is kept
   in memory for long enough. Before 2.3.14 it logs each failure after that, and so
   anyone could stop auth. 2.4.0 and 2.4.1 go on with a SCRAM request. */
static inline bool request_can_fail_at_once(const struct auth_request *request)
{
#if DOVECOT_RELEASE < 20314
	(void)request;
	return FALSE;
#elif DOVECOT_RELEASE == 20400 || DOVECOT_RELEASE == 20401
	return strncmp(request->fields.mech_name, "SCRAM-", 6) != 0;
#else
	(void)request;
	return TRUE;
#endif
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
