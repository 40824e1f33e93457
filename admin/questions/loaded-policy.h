#ifndef PORTCULLIS_LOADED_POLICY_H
#define PORTCULLIS_LOADED_POLICY_H

#include "policy/judge.h"

/* A policy with the files that it names. */
struct loaded_policy {
	struct policy *policy;
	struct exemptions *exemptions;      /* NULL: none, or not readable */
	struct exemptions *grace;           /* likewise */
	struct country_database *countries; /* NULL: none, or broken */
	/* Of the files that the configuration names: wrong lines of exemptions, and
	   files that cannot be used, by the servers' accounts neither. The servers work
	   without them. */
	unsigned int problems;
};

/* Reads them and reports what is wrong to standard error. Returns false when the
   configuration itself is; then nothing is loaded. */
bool policy_load(const char *config_path, struct loaded_policy *loaded_r);

/* Reads those of a policy that is loaded, and has none yet. */
void policy_load_files(struct loaded_policy *loaded);

/* The configuration alone, for commands that judge nothing; NULL when it is wrong.
   The caller frees it with policy_free(). */
struct policy *policy_load_alone(const char *config_path);

/* All but the configuration. */
void policy_unload_files(struct loaded_policy *loaded);
void policy_unload(struct loaded_policy *loaded);

/* The configuration alone; from then on the process works as the account that owns the
   records (see admin/files/account.h). Returns 0, or what is wrong as an exit status,
   having said so. The caller frees it with policy_free(). */
int policy_load_as_owner(const char *config_path, struct policy **policy_r);

/* Where the records lie, for account_become_owner() of admin/files/account.h: the store's
   file, or the journal's directory where the store is on a server. Lives with the policy. */
const char *policy_records(const struct policy *policy);

/* The path of a file that lies beside them, in a directory that their account may write to;
   that of the journal need not be. The caller frees it with g_free(). */
char *policy_beside_records(const struct policy *policy, const char *name);

/* Prints what is wrong to standard error; a config_report. */
void report_error(void *context, const char *message);

/* The same, as a warning, which changes no exit status. */
void report_warning(void *context, const char *message);

/* As report_error(), and counts it; context is the struct loaded_policy. */
void report_problem(void *context, const char *message);

/* When the files last changed that an edition is read from, or the time zone; 0: nobody
   can tell. */
time_t loaded_changed(const struct loaded_policy *loaded);

struct edition loaded_edition(const struct loaded_policy *loaded);

#endif
