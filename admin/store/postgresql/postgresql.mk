# The store on PostgreSQL: a module, so that nobody else needs libpq.

STORE_POSTGRESQL := $(BUILD)/store-postgresql.so

# Read when a recipe runs, as `make deps` may have to install it first.
has_libpq = $(shell $(PKG_CONFIG) --atleast-version=14 libpq 2>/dev/null && echo yes)

$(BUILD)/admin/store/postgresql/%.o: CPPFLAGS += $(call package_cflags,libpq)

# Undefined symbols are the program's, which exports those of store-module.symbols.
$(STORE_POSTGRESQL): $(call objects,admin/store/postgresql)
	$(call QUIET,LD)$(LINK) -shared -o $@ $^ $(call package_libs,libpq glib-2.0)

.PHONY: store-postgresql
store-postgresql:
ifeq ($(has_libpq),yes)
	@$(MAKE) -s --no-print-directory $(STORE_POSTGRESQL)
else
	@echo "  libpq-dev 14 or newer is missing: this portcullis has no stores on PostgreSQL"
endif
