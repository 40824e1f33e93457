# The module for Dovecot's auth process, and for 2.4 the one for its settings.

# Dovecot's own description of itself, from dovecot-dev. Read only where it is
# there, so that `make deps` can install it.
DOVECOT_CONFIG ?= $(firstword $(wildcard $(addsuffix /dovecot/dovecot-config,$(DOVECOT_LIBRARIES))))
DOVECOT_LIBRARIES := /usr/lib /usr/lib64 /usr/local/lib /usr/local/lib64
dovecot_config = $(shell test ! -r "$(DOVECOT_CONFIG)" || { . $(DOVECOT_CONFIG); echo "$$$(1)"; })

DOVECOT_INCLUDE_DIR = $(call dovecot_config,dovecot_pkgincludedir)

# What tells of them may be gone when they are taken out.
DOVECOT_MODULE_DIR = $(or $(call dovecot_config,dovecot_moduledir),$(usual_module_dir))
usual_module_dir = $(patsubst %/auth,%,$(firstword $(wildcard \
	$(addsuffix /dovecot/modules/auth,$(DOVECOT_LIBRARIES)) \
	$(addsuffix /dovecot/auth,$(DOVECOT_LIBRARIES)))))
DOVECOT_AUTH_MODULE_DIR = $(DOVECOT_MODULE_DIR)/auth
DOVECOT_SETTINGS_MODULE_DIR = $(DOVECOT_MODULE_DIR)/settings

# 20321 for 2.3.21.1, which calls itself that; one from git calls itself 0.0.0.
DOVECOT_RELEASE = $(shell test ! -r "$(DOVECOT_INCLUDE_DIR)/config.h" || \
	sed -n 's/^\#define PACKAGE_VERSION "\([0-9.]*\).*/\1/p' $(DOVECOT_INCLUDE_DIR)/config.h | \
	awk -F. '{ printf "%d%02d%02d", $$1, $$2, $$3 }')

# Those that docs/versions.md has.
.PHONY: dovecot-is-known
dovecot-is-known:
	@test -r "$(DOVECOT_INCLUDE_DIR)/config.h" || { echo "There are no headers of Dovecot:" \
		"install dovecot-dev, or set DOVECOT_CONFIG to its dovecot-config." >&2; exit 1; }
	@case $(DOVECOT_RELEASE) in 2031[3-9] | 2032[01] | 2040[0-5]) ;; *) \
		echo "This Dovecot ($(DOVECOT_RELEASE)) is untried: Portcullis knows 2.3.13 to 2.3.21," \
		"and 2.4.0 to 2.4.5. What to look at says dovecot-plugin/dovecot-compat.h;" \
		"DOVECOT_RELEASE=20405 takes it, such as one from git (0.0.0), for 2.4.5." >&2; \
		exit 1;; esac

# Dovecot has had modules for settings since 2.4.
DOVECOT_HAS_SETTINGS := $(filter-out 203%,$(DOVECOT_RELEASE))

PLUGIN_OBJECTS := $(call objects,dovecot-plugin)
ifeq ($(DOVECOT_HAS_SETTINGS),)
PLUGIN_OBJECTS := $(filter-out %/settings-2.4.o,$(PLUGIN_OBJECTS))
else
PLUGIN_SETTINGS := $(BUILD)/libportcullis_settings.so
endif

# Their headers are theirs: -isystem keeps our warnings to our code.
DOVECOT_HEADERS = -isystem $(DOVECOT_INCLUDE_DIR) -DDOVECOT_RELEASE=$(DOVECOT_RELEASE)

$(BUILD)/dovecot-plugin/%.o: dovecot-plugin/%.c | dovecot-is-known
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) $(DOVECOT_HEADERS) -c -o $@ $<

# Undefined symbols are the auth process's. Never unloaded: a thread that a dead
# disk holds up may outlive the module's end.
$(PLUGIN): $(PLUGIN_OBJECTS) $(POLICY)
	$(call QUIET,LD)$(LINK) -shared -Wl,-z,nodelete -o $@ $^ $(POLICY_LIBS)

$(BUILD)/libportcullis_settings.so: $(BUILD)/dovecot-plugin/settings-2.4.o
	$(call QUIET,LD)$(LINK) -shared -o $@ $^

.PHONY: plugin
plugin: $(PLUGIN) $(PLUGIN_SETTINGS)
all: plugin

# It needs no Dovecot.
$(BUILD)/tests/unit/test-prompt-refusals: $(BUILD)/dovecot-plugin/prompt-refusals.o
