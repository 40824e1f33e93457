# The module for Dovecot's auth process, and for 2.4 the one for its settings.

# Dovecot's own description of itself, from dovecot-dev. Read only where it is
# there, so that `make deps` can install it.
DOVECOT_CONFIG ?= /usr/lib/dovecot/dovecot-config
dovecot_config = $(shell test ! -r $(DOVECOT_CONFIG) || { . $(DOVECOT_CONFIG); echo "$$$(1)"; })

DOVECOT_INCLUDE_DIR = $(call dovecot_config,dovecot_pkgincludedir)
DOVECOT_AUTH_MODULE_DIR = $(call dovecot_config,dovecot_moduledir)/auth
DOVECOT_SETTINGS_MODULE_DIR = $(call dovecot_config,dovecot_moduledir)/settings

# Dovecot has had modules for settings since 2.4.
DOVECOT_HAS_SETTINGS := $(shell test ! -r $(DOVECOT_INCLUDE_DIR)/config.h || \
	sed -n 's/^\#define DOVECOT_VERSION_MINOR \([4-9]\)$$/\1/p' $(DOVECOT_INCLUDE_DIR)/config.h)

PLUGIN_OBJECTS := $(call objects,dovecot-plugin)
ifeq ($(DOVECOT_HAS_SETTINGS),)
PLUGIN_OBJECTS := $(filter-out %/settings-2.4.o,$(PLUGIN_OBJECTS))
else
PLUGIN_SETTINGS := $(BUILD)/libportcullis_settings.so
endif

# Their headers are theirs: -isystem keeps our warnings to our code.
$(BUILD)/dovecot-plugin/%.o: dovecot-plugin/%.c
	@test -r $(DOVECOT_CONFIG) || { echo "$(DOVECOT_CONFIG) is missing: install dovecot-dev," \
		"or set DOVECOT_CONFIG" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) -isystem $(DOVECOT_INCLUDE_DIR) -c -o $@ $<

# Undefined symbols are the auth process's. Never unloaded: a thread that a dead
# disk holds up may outlive the module's end.
$(PLUGIN): $(PLUGIN_OBJECTS) $(POLICY)
	$(call QUIET,LD)$(LINK) -shared -Wl,-z,nodelete -o $@ $^ $(POLICY_LIBS)

$(BUILD)/libportcullis_settings.so: $(BUILD)/dovecot-plugin/settings-2.4.o
	$(call QUIET,LD)$(LINK) -shared -o $@ $^

all: $(PLUGIN_SETTINGS)

# It needs no Dovecot.
$(BUILD)/tests/unit/test-prompt-refusals: $(BUILD)/dovecot-plugin/prompt-refusals.o
