#include "notice-settings.h"

#include <stdlib.h>

void notice_settings_free(struct notice_settings *settings)
{
	free(settings->from);
	free(settings->from_name);
	free(settings->reply_to);
	free(settings->contact);
	for (size_t i = 0; i < settings->language_count; i++)
		free(settings->languages[i]);
	free(settings->languages);
	free(settings->last_calls);
	free(settings->transport.path);
	free(settings->transport.host);
	free(settings->address_map);
	free(settings->domains_file);
	for (size_t i = 0; i < settings->domain_count; i++)
		free(settings->domains[i]);
	free(settings->domains);
	free(settings->texts);
}

void client_settings_free(struct client_settings *settings)
{
	free(settings->imap_server);
	free(settings->pop3_server);
	free(settings->smtp_server);
	for (size_t i = 0; i < settings->user_name_count; i++)
		free(settings->user_names[i]);
	free(settings->user_names);
	free(settings->webmail_url);
	free(settings->vpn_url);
	free(settings->password_url);
}

bool quiet_hours_contain(const struct quiet_hours *hours, time_t now)
{
	struct tm local;
	unsigned int minute;

	if (localtime_r(&now, &local) == NULL)
		return false;
	minute = (unsigned int)(local.tm_hour * 60 + local.tm_min);
	if (hours->begin <= hours->end)
		return minute >= hours->begin && minute < hours->end;
	return minute >= hours->begin || minute < hours->end;
}

bool notices_are_configured(const struct notice_settings *settings)
{
	return settings->line > 0 && settings->from != NULL;
}
