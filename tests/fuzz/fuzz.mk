# Needs clang. Everything is compiled anew, with its sanitizers.

FUZZ_SECONDS ?= 60

.PHONY: fuzz
fuzz: $(BUILD)/tests/fuzz/fuzz-policy-request
	@mkdir -p $(BUILD)/tests/fuzz/corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -dict=tests/fuzz/policy-request.dict \
		-artifact_prefix=$(BUILD)/tests/fuzz/ $(BUILD)/tests/fuzz/corpus

$(BUILD)/tests/fuzz/fuzz-policy-request: tests/fuzz/fuzz-policy-request.c \
		$(addprefix postfix-policyd/,attempt-from-policy.c policy-request.c) \
		$(wildcard policy/*.[ch] postfix-policyd/*.h)
	@mkdir -p $(@D)
	clang -std=gnu17 -O1 -g $(WARNINGS) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -pthread -DPORTCULLIS_VERSION='"$(VERSION)"' -I. \
		-o $@ $(filter %.c,$^) $(POLICY_LIBS)
