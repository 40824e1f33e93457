# Which lines and branches the unit tests and some end-to-end tests go through, by folder.
# All is compiled and counted anew each time.

.PHONY: coverage
coverage:
	tests/install-dependencies coverage
	PYTHON=$(PYTHON) tests/coverage/measure $(BUILD)/coverage
