#define _GNU_SOURCE /* memmem() */
#include <stdlib.h>
#include <string.h>

#include "admin/files/file-open.h"
#include "mend.h"
#include "policy/text-file.h"

/* A module that was built for another ABI is fatal for Dovecot's auth process, and so is one that
   is missing: nobody gets in. */

#define FILE_SIZE_MAX ((size_t)64 << 20)

/* "2.3.ABIv19(2.3.19.1)", which module and program hold: what counts stands before the bracket,
   as module-dir.c of Dovecot has it. The caller frees it; NULL: it holds none. */
static char *find_abi(const char *path, const char **problem_r)
{
	size_t length, begin;
	char *data = text_file_read_close(file_open_found(path), FILE_SIZE_MAX, &length, problem_r);
	const char *place = data == NULL ? NULL : memmem(data, length, "ABIv", strlen("ABIv"));
	char *abi = NULL;

	if (data != NULL && place == NULL)
		*problem_r = "it tells no ABI";
	if (place != NULL) {
		for (begin = (size_t)(place - data); begin > 0 && g_ascii_isprint(data[begin - 1]);
		     begin--)
			continue;
		abi = g_strndup(data + begin, strcspn(data + begin, "("));
	}
	free(data);
	return abi;
}

static char *find_program(const struct doctor *doctor)
{
	return g_build_filename(setting_value(doctor->dovecot.all, "libexec_dir"), "auth", NULL);
}

void doctor_look_at_module(struct doctor *doctor)
{
	const char *problem = NULL, *other_problem = NULL;
	char *module, *program, *abi, *wanted;

	if (!dovecot_has_gate(&doctor->dovecot))
		return;
	module = g_build_filename(dovecot_module_folder(&doctor->dovecot), "auth",
				  "libauthdb_portcullis.so", NULL);
	program = find_program(doctor);
	abi = find_abi(module, &problem);
	wanted = find_abi(program, &other_problem);
	if (abi == NULL)
		finding_add(&doctor->findings, FINDING_MODULE_MISSING, module, mend_gate(),
			    "Dovecot is to load the gate, and its module cannot be used (%s): with "
			    "its next start it lets nobody in",
			    problem);
	else if (wanted == NULL)
		finding_add(&doctor->findings, FINDING_NOT_LOOKED_AT, program,
			    g_strdup_printf("ls -l %s", program),
			    "not looked at: whether the module is of Dovecot's ABI (%s)",
			    other_problem);
	else if (strcmp(abi, wanted) != 0)
		finding_add(
			&doctor->findings, FINDING_MODULE_ABI, module, mend_gate(),
			"the gate was built for another Dovecot (ABI %s, installed is %s): with "
			"its next start it lets nobody in",
			abi, wanted);
	g_free(wanted);
	g_free(abi);
	g_free(program);
	g_free(module);
}
