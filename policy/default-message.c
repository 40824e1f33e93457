#define _GNU_SOURCE /* asprintf() */

#include "default-message.h"

#include <stdio.h>

static bool allows_port(const struct rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->port_count; i++) {
		if (rule->ports[i] == port)
			return true;
	}
	return false;
}

static const char *encryption_text(const struct rule *rule)
{
	if (rule->minimum != TLS_VERSION_UNKNOWN)
		return "Access without up-to-date encryption has been retired. Please set your "
		       "mail program to SSL/TLS, or update it.";
	return "Access without encryption has been retired. Please set your mail program to "
	       "SSL/TLS.";
}

static const char *mechanism_text(const struct rule *rule)
{
	if (rule_allows_mechanism(rule, "PLAIN") || rule_allows_mechanism(rule, "LOGIN"))
		return "This authentication method has been retired. Please set your mail "
		       "program to a normal password with SSL/TLS.";
	if (rule_allows_mechanism(rule, "XOAUTH2") || rule_allows_mechanism(rule, "OAUTHBEARER"))
		return "This authentication method has been retired. Please set your mail "
		       "program to OAuth2.";
	return "This authentication method has been retired. Please set your mail program to "
	       "another one.";
}

static const char *protocol_text(const struct rule *rule)
{
	if (rule->services == SERVICE_BIT(SERVICE_POP3))
		return "Access by POP3 has been retired. Please set up your mailbox with IMAP.";
	return "This way to your mail has been retired. Please set up your mail program "
	       "anew.";
}

static const char *submission_port_text(const struct rule *rule)
{
	bool starttls = allows_port(rule, 587), implicit = allows_port(rule, 465);

	if (starttls && implicit)
		return "Sending mail by this port has been retired. Please set your mail program "
		       "to port 465 with SSL/TLS, or port 587 with STARTTLS.";
	if (implicit)
		return "Sending mail by this port has been retired. Please set your mail program "
		       "to port 465 with SSL/TLS.";
	if (starttls)
		return "Sending mail by this port has been retired. Please set your mail program "
		       "to port 587 with STARTTLS.";
	return "Sending mail by this port has been retired. Please set your mail program to "
	       "another port.";
}

static const char *kind_text(const struct rule *rule)
{
	switch (rule->kind) {
	case KIND_ENCRYPTION:
		return encryption_text(rule);
	case KIND_IMPLICIT_TLS:
		return "Access by this port, also with STARTTLS, has been retired. Please set "
		       "your mail program to SSL/TLS.";
	case KIND_MECHANISM:
		return mechanism_text(rule);
	case KIND_COUNTRY:
		return "Mail access from this country is not open. Please use another way, or "
		       "ask for an exemption before you travel.";
	case KIND_PROTOCOL:
		return protocol_text(rule);
	case KIND_SUBMISSION_PORT:
		return submission_port_text(rule);
	case KIND_RELAY:
		return "This server takes mail from the central relays only. Please send to the "
		       "mail exchanger (MX) of the domain.";
	case KIND_COUNT:
		break;
	}
	return "This access has been retired.";
}

char *default_message(const struct policy *policy, const struct rule *rule)
{
	bool has_url = policy->help_url != NULL;
	char *message;

	if (asprintf(&message, "%s%s%s", kind_text(rule), has_url ? " See " : "",
		     has_url ? policy->help_url : "") < 0)
		return NULL;
	return message;
}
