# Each target is one file, whose head says what it looks at. `make fuzz` tries new data for
# FUZZ_SECONDS each, `make fuzz-NAME` for one of them; `make check-fuzz` goes through what
# there is, and FUZZ_RUNS variations of it.
#
# All is compiled anew, with libFuzzer's counters and the sanitizers.

# Both Debians have this one.
FUZZ_CC ?= clang-19
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?= 3000
# Bytes of the longest data.
FUZZ_LENGTH ?= 4096

FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))

.PHONY: fuzz check-fuzz $(FUZZ_TARGETS) $(FUZZ_TARGETS:%=check-%)
fuzz: $(FUZZ_TARGETS)
check-fuzz: $(FUZZ_TARGETS:%=check-%)

ifneq ($(SANITIZE),fuzz)

$(FUZZ_TARGETS) $(FUZZ_TARGETS:%=check-%): build-fuzz
	+@$(FUZZ_MAKE) $@

.PHONY: build-fuzz
build-fuzz:
	+@$(FUZZ_MAKE) $(addprefix $(BUILD)/fuzz/tests/fuzz/,seeds $(FUZZ_TARGETS))

FUZZ_MAKE = $(MAKE) BUILD=$(BUILD)/fuzz CC=$(FUZZ_CC) SANITIZE=fuzz NOTICES=$(CURDIR)/notices

else

# Whole mails are made of it.
fuzz-notice-texts check-fuzz-notice-texts: FUZZ_LENGTH = 16384
check-fuzz-notice-texts: FUZZ_RUNS = 800

# Data that was found once stays in tests/fuzz/found; what seems worth to go on from is in a
# folder of the build's.
FUZZ = $< -max_len=$(FUZZ_LENGTH) -timeout=30 -rss_limit_mb=2048 -artifact_prefix=$<. \
	$(addprefix -dict=,$(wildcard $(*:%=tests/fuzz/fuzz-%.dict)))
FUZZ_SEEDS = $(BUILD)/tests/fuzz/seeds
FUZZ_DATA = $(FUZZ_SEEDS)/fuzz-$* $(wildcard $(*:%=tests/fuzz/found/fuzz-%))

$(FUZZ_TARGETS): fuzz-%: $(BUILD)/tests/fuzz/fuzz-% $(FUZZ_SEEDS)
	@mkdir -p $<.corpus
	$(FUZZ) -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 $<.corpus $(FUZZ_DATA)

$(FUZZ_TARGETS:%=check-%): check-fuzz-%: $(BUILD)/tests/fuzz/fuzz-% $(FUZZ_SEEDS)
	@rm -rf $<.found && mkdir $<.found
	@if $(FUZZ) -seed=1 -runs=$(FUZZ_RUNS) $<.found $(FUZZ_DATA) >$<.log 2>&1; then \
		echo "$(<F): $$(grep DONE $<.log)"; \
	else cat $<.log; echo "$(<F): FAILED"; exit 1; fi

$(FUZZ_SEEDS): tests/fuzz/make-seeds tests/e2e/mmdb.py $(wildcard tests/unit/*.c notices/*.txt \
	conf-examples/portcullis/*.conf)
	@rm -rf $@
	tests/fuzz/make-seeds $@

$(BUILD)/tests/fuzz/fuzz-%: $(BUILD)/tests/fuzz/fuzz-%.o $(BUILD)/tests/fuzz/fuzz.o $(POLICYD) \
	$(ADMIN) $(POLICY)
	$(call QUIET,LD)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(ADMIN_LIBS)

.SECONDARY: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%.o) $(BUILD)/tests/fuzz/fuzz.o

endif
