/* Dovecot 2.4: passdb portcullis { config = FILE }. Linked into the passdb,
   which asks for the setting, and into a module of its own for Dovecot's config
   process, which has to know it. */

#include "dovecot-compat.h"
#include "settings.h"
#include "settings-parser.h"
#include "policy/config.h"

PORTCULLIS_EXPORT extern const char *portcullis_settings_version;
PORTCULLIS_EXPORT extern const struct setting_parser_info *portcullis_settings_set_infos[];

struct portcullis_settings {
	pool_t pool;
	const char *passdb_portcullis_config;
};

static const struct setting_define portcullis_setting_defines[] = {
	{.type = SET_FILTER_NAME, .key = "passdb_portcullis"},
	SETTING_DEFINE_STRUCT_STR("passdb_portcullis_config", passdb_portcullis_config,
				  struct portcullis_settings),

	SETTING_DEFINE_LIST_END,
};

static const struct portcullis_settings portcullis_default_settings = {
	.passdb_portcullis_config = CONFIG_DEFAULT_PATH,
};

static const struct setting_parser_info portcullis_setting_parser_info = {
	.name = "auth_portcullis",
#if DOVECOT_RELEASE > 20400
	.plugin_dependency = "auth/libauthdb_portcullis",
#endif

	.defines = portcullis_setting_defines,
	.defaults = &portcullis_default_settings,

	.struct_size = sizeof(struct portcullis_settings),
	.pool_offset1 = 1 + offsetof(struct portcullis_settings, pool),
};

const char *portcullis_settings_version = DOVECOT_ABI_VERSION;
const struct setting_parser_info *portcullis_settings_set_infos[] = {
	&portcullis_setting_parser_info,
	NULL,
};

int portcullis_settings_config(struct event *event, const char **path_r, const char **error_r)
{
	const struct portcullis_settings *set;

	/* NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): flags, of which none is set */
	if (settings_get(event, &portcullis_setting_parser_info, 0, &set, error_r) < 0)
		return -1;
	*path_r = t_strdup(set->passdb_portcullis_config);
	settings_free(set);
	return 0;
}
