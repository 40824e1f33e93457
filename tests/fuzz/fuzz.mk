# Needs clang. Everything is compiled anew, with its sanitizers.

FUZZ_SECONDS ?= 60

FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz-*.c))

.PHONY: fuzz $(FUZZ_TARGETS)
fuzz: $(FUZZ_TARGETS)

# What was found interesting before is in a folder of the build's; what there is of
# real files helps.
$(FUZZ_TARGETS): %: $(BUILD)/tests/fuzz/%
	@mkdir -p $<.corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -dict=tests/fuzz/$@.dict \
		-artifact_prefix=$<. $<.corpus $(FUZZ_SEEDS)

fuzz-config: FUZZ_SEEDS = conf-examples/portcullis

$(BUILD)/tests/fuzz/fuzz-policy-request: \
	$(addprefix postfix-policyd/,attempt-from-policy.c policy-request.c)

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(wildcard policy/*.[ch] postfix-policyd/*.h)
	@mkdir -p $(@D)
	clang -std=gnu17 -O1 -g $(WARNINGS) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -pthread -DPORTCULLIS_VERSION='"$(VERSION)"' -I. \
		-o $@ $(filter %.c,$^) $(POLICY_LIBS)
