#ifndef PORTCULLIS_CONFIG_H
#define PORTCULLIS_CONFIG_H

#include "policy.h"

#define CONFIG_DEFAULT_PATH "/etc/portcullis/portcullis.conf"

/* The directory of a configuration that sets no journal. */
#define JOURNAL_DEFAULT_PATH "/var/lib/portcullis/journal"

/* Bytes; far more than a large site needs for its networks. */
#define CONFIG_SIZE_MAX ((size_t)16 << 20)

/* Told of each thing that is wrong. The message is whole, with the file in front,
   and the line if it has one: "/etc/portcullis/portcullis.conf:12: ...". */
typedef void config_report(void *context, const char *message);

/* Tells nobody, for what somebody else has told of. */
void config_report_nothing(void *context, const char *message);

/* Reads and checks a configuration. All errors that can be found in one go are
   reported, in the order of the file; then the result is NULL. Warnings (a
   brown-out that falls outside the notify phase, say) go to warning, which may
   be NULL, and do not make it fail. The caller frees with policy_free().
   Opens no file but this one. */
struct policy *config_load(const char *path, config_report *error, config_report *warning,
			   void *context);

/* The same from what was read from path: length bytes with a NUL behind them. */
struct policy *config_load_text(const char *path, const char *text, size_t length,
				config_report *error, config_report *warning, void *context);

#endif
