# Portcullis. `make try` shows it on real servers, `make check` tests it.

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr
SYSCONFDIR ?= /etc
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/portcullis
DATADIR ?= $(PREFIX)/share/portcullis
NOTICES ?= $(DATADIR)/notices
MODULES ?= $(PREFIX)/lib/portcullis
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
COMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions

CFLAGS ?= -O2 -g
# WERROR=1 is for developers: another compiler's new warning is no reason for others to
# be without Portcullis.
WARNINGS ?= -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror)
HARDENING ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
# Versions of it differ in taste; both Debians have this one.
CLANG_FORMAT ?= clang-format-19

# SANITIZE=1 builds with ASan and UBSan, SANITIZE=thread with TSan, SANITIZE=fuzz for
# libFuzzer. Each wants a BUILD folder of its own.
ifeq ($(SANITIZE),1)
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDENING := -fstack-protector-strong
else ifeq ($(SANITIZE),thread)
SANITIZERS := -fsanitize=thread -fno-omit-frame-pointer
HARDENING := -fstack-protector-strong
else ifeq ($(SANITIZE),fuzz)
SANITIZERS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
HARDENING := -fstack-protector-strong
endif

# WITHOUT_SYSTEMD=1 is for systems that have none.
ifeq ($(WITHOUT_SYSTEMD),1)
SYSTEMD_DEFINES := -DWITHOUT_SYSTEMD
NOT_BUILT := %/log-journal.o
else
SYSTEMD := libsystemd
NOT_BUILT := %/no-log-journal.o
endif

COMPILE = $(CC) -std=gnu17 $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZERS) -fPIC -pthread \
	-fvisibility=hidden -DPORTCULLIS_VERSION='"$(VERSION)"' -I. -MMD -MP $(SYSTEMD_DEFINES) $(CPPFLAGS)
# No function of another library can be put in a resolved one's place later.
LINK = $(CC) $(CFLAGS) $(SANITIZERS) -pthread -Wl,-z,relro,-z,now $(LDFLAGS)

# What is run is said in short; V=1 shows the whole commands.
ifneq ($(V),1)
QUIET = @echo "  $(1) $(@:$(BUILD)/%=%)";
endif

# Asked for only when a recipe runs, so that `make deps` works without them.
package_cflags = $(shell $(PKG_CONFIG) --cflags $(1))
# libetpan.pc passes on which specs Debian linked it with; they are in dpkg-dev.
package_libs = $(filter-out -specs=%,$(shell $(PKG_CONFIG) --libs $(1)))

POLICY_LIBS = $(call package_libs,libmaxminddb)
POLICYD_LIBS = $(POLICY_LIBS) $(call package_libs,libevent $(SYSTEMD))
ADMIN_LIBS = $(ADMIN_EXPORTS) $(POLICY_LIBS) $(call package_libs,jansson sqlite3) $(LOG_LIBS) $(NOTICE_LIBS) -lm -ldl
# Packed logs, and systemd's journal.
LOG_LIBS = $(call package_libs,libarchive zlib $(SYSTEMD))
# Mails and texts (GMime, GLib), handing over (libEtPan), names of countries (ICU).
NOTICE_LIBS = $(call package_libs,gmime-3.0 libetpan icu-uc)

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))

# Each program is main.c and an archive of all the rest, which tests are linked with.
POLICY := $(BUILD)/policy.a
POLICYD := $(BUILD)/policyd.a
ADMIN := $(BUILD)/admin.a
PLUGIN := $(BUILD)/libauthdb_portcullis.so
PROGRAMS := $(BUILD)/portcullis $(BUILD)/portcullis-policyd
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test-*.c))

.PHONY: all programs deps build-deps try check check-all check-newest check-unit check-e2e bench install
.PHONY: check-logs-at-random uninstall clean format lint
all: programs plugin store-postgresql
programs: $(PROGRAMS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) -c -o $@ $<

INSTALLED_PATHS := -DPORTCULLIS_NOTICES='"$(NOTICES)"' -DPORTCULLIS_MODULES='"$(MODULES)"' \
	-DPORTCULLIS_DATA='"$(DATADIR)"' -DPORTCULLIS_DOCUMENTS='"$(DOCDIR)"'

# GLib before 2.68 has the one that takes sizes of 32 bits, which does.
old_glib = $(shell $(PKG_CONFIG) --atleast-version=2.68 glib-2.0 || echo -Dg_memdup2=g_memdup)

$(BUILD)/admin/%.o $(BUILD)/tests/%.o: CPPFLAGS += $(call package_cflags,gmime-3.0) $(old_glib) \
	$(INSTALLED_PATHS)
# Of these, programs export to their modules what store-module.symbols names.
$(BUILD)/admin/store/%.o: CPPFLAGS += -fvisibility=default
ADMIN_EXPORTS := -Wl,--dynamic-list=admin/store/store-module.symbols

$(POLICY): $(call objects,policy)
$(POLICYD): $(filter-out %/main.o,$(call objects,postfix-policyd))
$(ADMIN): $(filter-out $(NOT_BUILT),$(call objects,admin/*)) $(call objects,admin/store/sqlite)
$(POLICY) $(POLICYD) $(ADMIN):
	@rm -f $@
	$(call QUIET,AR)$(AR) rcs $@ $^

$(BUILD)/portcullis: $(BUILD)/admin/main.o $(ADMIN) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(ADMIN_LIBS)

$(BUILD)/portcullis-policyd: $(BUILD)/postfix-policyd/main.o $(POLICYD) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(POLICYD_LIBS)

include dovecot-plugin/plugin.mk
include admin/store/postgresql/postgresql.mk

# For a C library whose other libraries are not here.
.PHONY: compiled
compiled: $(POLICY) $(POLICYD) $(ADMIN) $(BUILD)/admin/main.o $(BUILD)/postfix-policyd/main.o \
	$(PLUGIN_OBJECTS) $(call objects,admin/store/postgresql)

# A unit test is linked with what it needs of everything; one that knows nothing of the tool
# does not wait for it to be built.
ADMIN_TESTS := $(shell grep -l '"admin/' tests/unit/test-*.c)
$(ADMIN_TESTS:%.c=$(BUILD)/%): $(ADMIN)
$(BUILD)/tests/unit/test-%: $(BUILD)/tests/unit/test-%.o $(POLICYD) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $(filter %.o,$^) $(filter %/admin.a,$^) $(POLICYD) $(POLICY) \
		$(call package_libs,cmocka) $(ADMIN_LIBS)

# Lets the end-to-end tests compose and hand over single notices, and see single logins of logs.
E2E_TOOLS := $(addprefix $(BUILD)/tests/e2e/,notice-tool log-tool)
$(E2E_TOOLS): %: %.o $(ADMIN) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(ADMIN_LIBS)

deps:
	tests/install-dependencies

# For a mail server that shall not get compilers for tests, and the like.
build-deps:
	tests/install-dependencies build

try:
	tests/install-dependencies try
	$(MAKE) all
	PORTCULLIS_BUILD=$(abspath $(BUILD)) tests/try

check: deps
	tests/check

# Before a release: what takes too long for each change.
check-all:
	$(MAKE) check
	tests/check oldest
	$(MAKE) check-logs-at-random
	$(MAKE) check-e2e-postgresql
	$(MAKE) check-e2e-pgbouncer
	tests/check storm
	tests/check packages
	$(MAKE) analyze
	$(MAKE) fuzz

check-newest: deps
	tests/check newest

# Those of the store, once more on PostgreSQL.
POSTGRESQL_TESTS := $(addprefix $(BUILD)/tests/unit/,test-store test-store-activity test-store-notices \
	test-store-hosts test-store-orders test-store-shared test-store-witnesses)

.SECONDARY: $(UNIT_TESTS) $(UNIT_TESTS:%=%.o)
check-unit: $(UNIT_TESTS:%=%.run) $(POSTGRESQL_TESTS:%=%.postgresql-run)

# Each by itself, so that -j runs several: they wait more than they compute.
%.run: %
	@if $(TEST_WRAPPER) $< >$<.log 2>&1; then \
		echo "$(<F): $$(grep 'PASSED' $<.log)"; \
	else cat $<.log; echo "$(<F): FAILED"; exit 1; fi

%.postgresql-run: % store-postgresql
	@if PORTCULLIS_MODULES=$(abspath $(BUILD)) \
		tests/postgresql-server run $(TEST_WRAPPER) $< >$<.postgresql.log 2>&1; then \
		echo "$(<F) on PostgreSQL: $$(grep 'PASSED' $<.postgresql.log)"; \
	else cat $<.postgresql.log; echo "$(<F) on PostgreSQL: FAILED"; exit 1; fi

PYTEST = PORTCULLIS_BUILD=$(abspath $(BUILD)) $(PYTHON) -B -m pytest -q -p no:cacheprovider

check-e2e: all $(E2E_TOOLS)
	$(PYTEST) $(PYTEST_OPTIONS) tests/e2e

# More seeds than those few of make check.
SEEDS = 1000-1200
check-logs-at-random: all
	$(PYTEST) $(PYTEST_OPTIONS) --seeds=$(SEEDS) tests/e2e/test_import_logs_at_random.py
	$(PYTEST) $(PYTEST_OPTIONS) --seeds=$(SEEDS) --postgresql \
		tests/e2e/test_import_logs_at_random.py

# With -j4 side by side: they wait more than they compute.
E2E_QUARTERS := $(addprefix check-e2e-quarter-,1 2 3 4)
.PHONY: check-e2e-in-quarters $(E2E_QUARTERS)
check-e2e-in-quarters: $(E2E_QUARTERS)
$(E2E_QUARTERS): check-e2e-quarter-%: all $(E2E_TOOLS)
	$(PYTEST) $(PYTEST_OPTIONS) --quarter=$* tests/e2e

# What operators ask and send, with all stores on PostgreSQL, or behind PgBouncer: make check does
# the first in the tree of the other Debian.
.PHONY: check-e2e-postgresql check-e2e-pgbouncer check-whole-storm
check-e2e-postgresql check-e2e-pgbouncer: check-e2e-%: all $(E2E_TOOLS)
	$(PYTEST) $(PYTEST_OPTIONS) --$* -m "not sqlite" \
		$$(grep -l recorded_site tests/e2e/test_*.py)

# What make check tries for seconds, for minutes.
check-whole-storm: all
	PORTCULLIS_WHOLE_STORM=1 $(PYTEST) $(PYTEST_OPTIONS) tests/e2e/test_store_cuts.py \
		tests/e2e/test_store_disk_full.py tests/e2e/test_store_postgresql.py::test_storm \
		tests/e2e/test_forget_hosts.py::test_storm

include tests/bench/bench.mk
include tests/fuzz/fuzz.mk
include tests/coverage/coverage.mk
include tests/play/play.mk
include tests/lint/analyze.mk
include debian/deb.mk

install: all
	@test -n "$(DOVECOT_MODULE_DIR)" && test -n "$(DESTDIR)" -o -d "$(DOVECOT_MODULE_DIR)" || { \
		echo "Dovecot's folder of modules is not where it usually is: set DOVECOT_MODULE_DIR" \
		"to the one in which auth/ is." >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(BUILD)/portcullis $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/portcullis-policyd $(DESTDIR)$(PREFIX)/sbin/
	install -d $(DESTDIR)$(DOVECOT_AUTH_MODULE_DIR)
	install -m 644 $(PLUGIN) $(DESTDIR)$(DOVECOT_AUTH_MODULE_DIR)/
	$(if $(PLUGIN_SETTINGS),install -d $(DESTDIR)$(DOVECOT_SETTINGS_MODULE_DIR))
	$(if $(PLUGIN_SETTINGS),install -m 644 $(PLUGIN_SETTINGS) \
		$(DESTDIR)$(DOVECOT_SETTINGS_MODULE_DIR)/)
	if [ -e $(STORE_POSTGRESQL) ]; then install -d $(DESTDIR)$(MODULES) && \
		install -m 644 $(STORE_POSTGRESQL) $(DESTDIR)$(MODULES)/; fi
	install -d $(addprefix $(DESTDIR)$(MANDIR)/,man1 man5 man8)
	for page in man/*.[158]; do \
		install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/; done
	install -d $(DESTDIR)$(COMPLETIONSDIR)
	install -m 644 admin/portcullis.bash-completion $(DESTDIR)$(COMPLETIONSDIR)/portcullis
	install -d $(DESTDIR)$(NOTICES)
	install -m 644 notices/*.txt $(DESTDIR)$(NOTICES)/
	install -d $(addprefix $(DESTDIR)$(DATADIR)/,postfix selinux)
	install -m 755 conf-examples/postfix/postconf-*.sh $(DESTDIR)$(DATADIR)/postfix/
	install -m 644 conf-examples/postfix/common.sh $(DESTDIR)$(DATADIR)/postfix/
	install -m 644 packaging/selinux/portcullis.cil $(DESTDIR)$(DATADIR)/selinux/
ifneq ($(WITHOUT_SYSTEMD),1)
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR)
	install -m 644 $(wildcard conf-examples/systemd/*.service conf-examples/systemd/*.socket \
		conf-examples/systemd/*.timer) $(DESTDIR)$(UNITDIR)/
	install -m 644 conf-examples/systemd/sysusers.d/* $(DESTDIR)$(SYSUSERSDIR)/
	install -m 644 conf-examples/systemd/tmpfiles.d/* $(DESTDIR)$(TMPFILESDIR)/
endif
	install -d $(DESTDIR)$(DOCDIR)
	cp -R conf-examples docs $(DESTDIR)$(DOCDIR)/
	install -m 644 README.md SECURITY.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)/
	test -n "$(DESTDIR)" || packaging/keep-libraries $(PROGRAMS) $(PLUGIN) $(wildcard $(STORE_POSTGRESQL))

# A Dovecot that is told to load a module that is gone lets nobody in; a Postfix that asks
# a daemon that is gone waits at each mail.
uninstall:
	@test -n "$(DESTDIR)" || ! doveconf -n 2>/dev/null | grep portcullis || \
		{ echo "Take these lines out of Dovecot's configuration first, and restart it." >&2; \
		exit 1; }
	@test -n "$(DESTDIR)" || ! postconf -n portcullis 2>/dev/null | grep . || \
		{ echo "Take this out of Postfix first: conf-examples/postfix/postconf-remove.sh" >&2; \
		exit 1; }
	rm -f $(addprefix $(DESTDIR),$(PREFIX)/bin/portcullis $(PREFIX)/sbin/portcullis-policyd \
		$(DOVECOT_AUTH_MODULE_DIR)/$(notdir $(PLUGIN)) \
		$(DOVECOT_SETTINGS_MODULE_DIR)/libportcullis_settings.so \
		$(UNITDIR)/portcullis-*.service $(UNITDIR)/portcullis-*.socket \
		$(UNITDIR)/portcullis-*.timer $(SYSUSERSDIR)/portcullis.conf \
		$(TMPFILESDIR)/portcullis.conf $(COMPLETIONSDIR)/portcullis \
		$(MANDIR)/man[158]/portcullis*.[158])
	rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(MODULES) $(DESTDIR)$(DOCDIR)

# Nothing that is mounted there may go with it.
clean:
	@! grep -s ' $(abspath $(BUILD))/' /proc/self/mounts || \
		{ echo "Unmount these first." >&2; exit 1; }
	rm -rf $(BUILD)

SOURCES = $(wildcard policy/*.[ch] dovecot-plugin/*.[ch] postfix-policyd/*.[ch] admin/*.[ch] \
	admin/*/*.[ch] admin/*/*/*.[ch] tests/*/*.[ch])

format:
	$(CLANG_FORMAT) -i $(SOURCES)

lint:
	@$(CLANG_FORMAT) --dry-run -Werror $(SOURCES)
	@tests/lint/rooms
	@tests/lint/files
	@tests/lint/documents

# Not those of other builds, such as the trees of other Debians, which lie below.
-include $(wildcard $(foreach folder,policy dovecot-plugin postfix-policyd admin admin/* admin/*/* tests/*,\
	$(BUILD)/$(folder)/*.d))
