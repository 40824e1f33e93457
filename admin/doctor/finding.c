#include "finding.h"

#include <stdarg.h>
#include <stdint.h>

#include "admin/terminal/terminal-text.h"

static const char *const names[FINDING_COUNT] = {
	[FINDING_MODULE_MISSING] = "module-missing",
	[FINDING_MODULE_ABI] = "module-of-another-abi",
	[FINDING_MECHANISMS_ALL_REFUSED] = "mechanisms-all-refused",
	[FINDING_IMPLICIT_TLS_PORT_MISSING] = "implicit-tls-port-missing",
	[FINDING_POLICY_SERVICE_CLASS_MISSING] = "policy-service-class-missing",
	[FINDING_POLICY_SERVICE_DEFAULT_ACTION] = "policy-service-without-default-action",
	[FINDING_ENFORCED_UNTOLD] = "enforced-untold",
	[FINDING_SSL_REQUIRED] = "ssl-required",
	[FINDING_CLEARTEXT_REFUSED] = "cleartext-refused",
	[FINDING_MECHANISM_NOT_OFFERED] = "mechanism-not-offered",
	[FINDING_GATE_MISSING] = "gate-missing",
	[FINDING_GATE_NOT_FIRST] = "gate-not-first",
	[FINDING_GATE_MISSING_IN_PROTOCOL] = "gate-missing-in-protocol",
	[FINDING_GATE_MISSING_FOR_MASTERS] = "gate-missing-for-masters",
	[FINDING_MECHANISM_AROUND_GATE] = "mechanism-around-gate",
	[FINDING_IMPLICIT_TLS_PORT_WITHOUT_TLS] = "implicit-tls-port-without-tls",
	[FINDING_FEW_CLIENT_ADDRESSES] = "few-client-addresses",
	[FINDING_POLICY_SERVICE_MISSING] = "policy-service-missing",
	[FINDING_POLICY_SERVICE_HIDDEN] = "policy-service-hidden",
	[FINDING_POLICY_SERVICE_LATE] = "policy-service-late",
	[FINDING_POLICY_SOCKET_OUTSIDE_CHROOT] = "policy-socket-outside-chroot",
	[FINDING_POLICY_SOCKET_MISSING] = "policy-socket-missing",
	[FINDING_POLICY_SOCKET_FORBIDDEN] = "policy-socket-forbidden",
	[FINDING_DOVECOT_NOT_RESTARTED] = "dovecot-not-restarted",
	[FINDING_POLICY_FILES] = "policy-files",
	[FINDING_POLICY_FILE_FORBIDDEN] = "policy-file-forbidden",
	[FINDING_AUTH_NOT_IN_GROUP] = "auth-not-in-group",
	[FINDING_JOURNAL_NOT_WRITABLE] = "journal-not-writable",
	[FINDING_SELINUX_MODULE_MISSING] = "selinux-module-missing",
	[FINDING_SELINUX_DENIALS] = "selinux-denials",
	[FINDING_NOBODY_IMPORTS] = "nobody-imports",
	[FINDING_CLOCK_BEHIND] = "clock-behind",
	[FINDING_TIME_ZONE] = "time-zone",
	[FINDING_NOT_LOOKED_AT] = "not-looked-at",
	[FINDING_LOGIN_TRUSTED_NETWORKS] = "login-trusted-networks",
	[FINDING_AUTH_POLICY] = "auth-policy",
	[FINDING_SASL_ON_PORT_25] = "sasl-on-port-25",
	[FINDING_EXEMPTION_OF_NOBODY] = "exemption-of-nobody",
	[FINDING_COUNTRY_DATABASE_OLD] = "country-database-old",
	[FINDING_NOT_INSTALLED] = "not-installed",
};

const char *finding_name(enum finding_id id)
{
	return names[id];
}

bool finding_is_wrong(enum finding_id id)
{
	return id < FINDING_ADVICE;
}

static void finding_free(struct doctor_finding *finding)
{
	g_free(finding->text);
	g_free(finding->mend);
	g_free(finding->where);
	g_free(finding);
}

void findings_begin(struct findings *findings_r)
{
	findings_r->list = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
	findings_r->right = g_ptr_array_new();
}

void findings_clear(struct findings *findings)
{
	g_clear_pointer(&findings->list, g_ptr_array_unref);
	g_clear_pointer(&findings->right, g_ptr_array_unref);
}

/* What servers print, and what files are called, is anybody's. Frees the text. */
static char *harmless(char *text)
{
	GString *safe = g_string_new(NULL);

	terminal_text_append(safe, text, SIZE_MAX);
	g_free(text);
	return g_string_free(safe, FALSE);
}

void finding_add(struct findings *findings, enum finding_id id, const char *where, char *mend,
		 const char *format, ...)
{
	struct doctor_finding *finding = g_new(struct doctor_finding, 1);
	va_list arguments;

	va_start(arguments, format);
	*finding = (struct doctor_finding){.id = id,
					   .text = harmless(g_strdup_vprintf(format, arguments)),
					   .mend = harmless(mend),
					   .where = harmless(g_strdup(where))};
	va_end(arguments);
	g_ptr_array_add(findings->list, finding);
}

static gint compare(gconstpointer first, gconstpointer second)
{
	const struct doctor_finding *one = *(const struct doctor_finding *const *)first;
	const struct doctor_finding *other = *(const struct doctor_finding *const *)second;

	return (gint)one->id - (gint)other->id;
}

void findings_sort(struct findings *findings)
{
	/* glib's is stable. */
	g_ptr_array_sort(findings->list, compare);
}

bool findings_are_healthy(const struct findings *findings)
{
	for (guint i = 0; i < findings->list->len; i++) {
		if (finding_is_wrong(((const struct doctor_finding *)findings->list->pdata[i])->id))
			return false;
	}
	return true;
}
