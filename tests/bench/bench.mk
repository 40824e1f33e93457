# Each benchmark compares with something in the same run and prints the ratio.

bench: bench-judge
.PHONY: bench-judge

bench-judge: $(BUILD)/tests/bench/bench-judge
	tests/bench/bench-judge-run $(BUILD)

$(BUILD)/tests/bench/bench-judge: $(BUILD)/tests/bench/bench-judge.o $(POLICY)
	$(call QUIET,LD)$(LINK) -o $@ $^ $(POLICY_LIBS)
