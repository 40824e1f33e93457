/* Reports of mail systems about notices that came back, which anybody can send. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "admin/delivery/bounce-report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Without a NUL behind it, as it is read. */
	char *mail = malloc(size == 0 ? 1 : size);
	struct bounce_report report;

	require(mail != NULL);
	memcpy(mail, data, size);
	if (!bounce_report_read(mail, size, &report))
		require(!report.failed);
	require(memchr(report.message_id, '\0', sizeof(report.message_id)) != NULL);
	require(memchr(report.error, '\0', sizeof(report.error)) != NULL);
	require(report.failed == (report.error[0] != '\0'));
	for (const char *c = report.error; *c != '\0'; c++)
		require(*c >= ' ' && *c <= '~');
	free(mail);
	return 0;
}
