# Each benchmark compares with something in the same run and prints the ratio.

bench: bench-judge
.PHONY: bench-judge

bench-judge: $(BUILD)/tests/bench/bench-judge
	tests/bench/bench-judge-run $(BUILD)

$(BUILD)/tests/bench/bench-judge: $(BUILD)/tests/bench/bench-judge.o $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(POLICY_LIBS)

bench: bench-journal
.PHONY: bench-journal

bench-journal: $(BUILD)/tests/bench/bench-journal
	tests/bench/bench-journal-run $(BUILD)

$(BUILD)/tests/bench/bench-journal: $(BUILD)/tests/bench/bench-journal.o $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(POLICY_LIBS)

bench: bench-policyd
.PHONY: bench-policyd

bench-policyd: $(BUILD)/portcullis-policyd $(BUILD)/tests/bench/policyd-dunno $(BUILD)/tests/bench/policyd-load
	tests/bench/bench-policyd-run $(BUILD)

$(BUILD)/tests/bench/policyd-%: $(BUILD)/tests/bench/policyd-%.o
	$(call QUIET,LD)$(LINK) -o $@ $^ $(call package_libs,libevent)

bench: bench-auth
.PHONY: bench-auth

bench-auth: $(PLUGIN) $(PLUGIN_SETTINGS) $(BUILD)/tests/bench/libauthdb_noop.so $(BUILD)/tests/bench/auth-load
	tests/bench/bench-auth-run $(BUILD) $(DOVECOT_MODULE_DIR)

$(BUILD)/tests/bench/auth-load: $(BUILD)/tests/bench/auth-load.o
	$(call QUIET,LD)$(LINK) -o $@ $^

$(BUILD)/tests/bench/noop-passdb.o: tests/bench/noop-passdb.c
	@mkdir -p $(@D)
	$(call QUIET,CC)$(COMPILE) $(DOVECOT_HEADERS) -c -o $@ $<

$(BUILD)/tests/bench/libauthdb_noop.so: $(BUILD)/tests/bench/noop-passdb.o
	$(call QUIET,LD)$(LINK) -shared -o $@ $^

bench: bench-notices
.PHONY: bench-notices

bench-notices: $(BUILD)/tests/bench/bench-notices
	tests/bench/bench-notices-run $(BUILD)

$(BUILD)/tests/bench/bench-notices: $(BUILD)/tests/bench/bench-notices.o $(ADMIN) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(ADMIN_LIBS)

bench: bench-import
.PHONY: bench-import

bench-import: $(BUILD)/portcullis
	tests/bench/bench-import-run $(BUILD)

bench: bench-questions
.PHONY: bench-questions

bench-questions: $(BUILD)/portcullis $(BUILD)/tests/bench/fill-store
	database=$$(tests/bench/country-database $(BUILD)/bench) && \
	tests/bench/bench-questions-run $(BUILD) $(BUILD)/tests/bench/fill-store "$$database"

$(BUILD)/tests/bench/fill-store: $(BUILD)/tests/bench/fill-store.o $(ADMIN) $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(ADMIN_LIBS)

bench: bench-notify
.PHONY: bench-notify

bench-notify: $(BUILD)/portcullis
	tests/bench/bench-notify-run $(BUILD)

bench: bench-survey
.PHONY: bench-survey

bench-survey: $(BUILD)/portcullis
	tests/bench/bench-survey-run $(BUILD)

bench: bench-store
.PHONY: bench-store

bench-store: $(BUILD)/portcullis store-postgresql
	tests/bench/bench-store-run $(BUILD)

ifdef PEOPLE
bench-store: bench-store-questions
.PHONY: bench-store-questions
bench-store-questions: $(BUILD)/portcullis store-postgresql $(BUILD)/tests/bench/fill-store
	database=$$(tests/bench/country-database $(BUILD)/bench) && \
	tests/bench/bench-store-questions-run $(BUILD) $(BUILD)/tests/bench/fill-store \
		"$$database" $(PEOPLE) $(FOLDER)
endif
