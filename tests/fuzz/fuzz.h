#ifndef PORTCULLIS_TESTS_FUZZ_H
#define PORTCULLIS_TESTS_FUZZ_H

/* What the targets of libFuzzer have in common. Each is one function, which is handed
   data of all kinds, and ends the process where something does not hold. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds whatever the data is. */
void require(bool condition);

/* The data with a NUL behind it; the caller frees it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The path of a file in memory that holds the data until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* A folder beside the target, by a short path. What an earlier run left is still there. */
const char *fuzz_folder(void);

/* A policy with a rule of each kind, whose journal, store and country database are not
   there. It stays. */
const struct policy *fuzz_policy(void);

/* A config_report for reports on a file: one line that begins with the file. The context
   is a struct fuzz_reports. */
struct fuzz_reports {
	const char *file;
	unsigned int count;
};
void fuzz_report(void *reports, const char *message);

#endif
