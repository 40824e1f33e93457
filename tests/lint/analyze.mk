# What the analyzers of gcc, clang (by clang-tidy) and cppcheck find in the programs and the
# plugin. It ends well when they find nothing; what is none of our mistakes says so in its
# line, with the reason: NOLINT(check), cppcheck-suppress check, or a pragma for gcc's. What
# clang-tidy looks for stands in .clang-tidy.

# Both Debians have this one.
CLANG_TIDY ?= clang-tidy-19
CPPCHECK ?= cppcheck

ANALYZED := $(filter-out $(if $(DOVECOT_HAS_SETTINGS),,dovecot-plugin/settings-2.4.c),$(wildcard \
	policy/*.c dovecot-plugin/*.c postfix-policyd/*.c admin/*.c admin/*/*.c \
	admin/*/*/*.c))

.PHONY: analyze analyze-gcc analyze-clang analyze-cppcheck
analyze:
	tests/install-dependencies analyze
	$(MAKE) -k analyze-gcc analyze-clang analyze-cppcheck

# It loses sight of what a struct holds; leaks are counted in each test, by valgrind and ASan.
ANALYZER := -fanalyzer -Wno-analyzer-malloc-leak

analyze-gcc:
	$(MAKE) -k BUILD=$(BUILD)/analyze CC=gcc CFLAGS="-O1 -g $(ANALYZER)" WERROR=1 all

# What gcc does not see: a parser is either between blocks or within one, only sections have
# blocks, and who drops the oldest repeat knows that there is one.
%/analyze/admin/templates/text-parse.o %/analyze/admin/templates/text-render.o \
%/analyze/policy/repeats.o: HARDENING += -Wno-analyzer-null-dereference

# What gcc 14 takes wrongly: a pipe goes back to the caller, copies by GLib could be none but
# are not, all languages that are counted are there, and so are the characters that
# strncmp() has found.
%/analyze/admin/delivery/address-command.o: HARDENING += -Wno-analyzer-fd-leak
%/analyze/admin/journal/journal-file.o: HARDENING += -Wno-analyzer-null-argument
%/analyze/admin/sightings/mail-program.o: HARDENING += -Wno-analyzer-null-dereference
%/analyze/policy/config-notices.o: HARDENING += -Wno-analyzer-null-argument \
	-Wno-analyzer-out-of-bounds

analyze-clang: $(ANALYZED:%=$(BUILD)/analyze/%.tidy)

# Its count of what it found in others' headers is of no interest.
$(BUILD)/analyze/%.c.tidy: %.c .clang-tidy $(wildcard */*.h admin/*/*.h admin/*/*/*.h)
	@mkdir -p $(@D)
	@echo "  TIDY $<"; $(CLANG_TIDY) --quiet $< -- -std=gnu17 $(WARNINGS) \
		-DPORTCULLIS_VERSION='"$(VERSION)"' $(INSTALLED_PATHS) -I. \
		$(call package_cflags,gmime-3.0 libpq) $(DOVECOT_HEADERS) 2>$@.log || \
		{ cat $@.log; exit 1; }
	@touch $@

# It does without others' headers, and, in Debian 13, without the rarest branches. What is
# not set (uninitvar, ctuuninitvar) the others find; it takes an array that a function is to
# fill for one that is read.
analyze-cppcheck:
	$(CPPCHECK) --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=uninitvar --suppress=ctuuninitvar \
		--suppress=normalCheckLevelMaxBranches --error-exitcode=1 -I. \
		-DPORTCULLIS_VERSION='"$(VERSION)"' $(INSTALLED_PATHS) '-DG_STRINGIFY(value)=""' \
		-DDOVECOT_RELEASE=20401 \
		$(ANALYZED)
