#include "notice-transport.h"

#include <glib.h>

#include "mail-session.h"
#include "sendmail.h"

struct notice_transport {
	const struct transport_settings *settings;
	struct mail_session *session; /* NULL: sendmail, or not connected */
	char error[HAND_OVER_ERROR_SIZE];
};

struct notice_transport *notice_transport_open(const struct transport_settings *settings)
{
	struct notice_transport *transport = g_new0(struct notice_transport, 1);

	transport->settings = settings;
	return transport;
}

void notice_transport_close(struct notice_transport *transport)
{
	if (transport == NULL)
		return;
	mail_session_close(transport->session);
	g_free(transport);
}

/* A server may end a connection that has been idle; that becomes known only with
   the next mail, which then goes by a new connection. */
static enum hand_over hand_over_by_session(struct notice_transport *transport,
					   const struct mail_envelope *envelope)
{
	bool is_new = transport->session == NULL;
	enum hand_over result;

	for (;;) {
		if (transport->session == NULL) {
			transport->session =
				mail_session_open(transport->settings, transport->error);
			if (transport->session == NULL)
				return HAND_OVER_UNAVAILABLE;
		}
		result = mail_session_hand_over(transport->session, envelope, transport->error);
		if (mail_session_is_alive(transport->session))
			return result;
		mail_session_close(transport->session);
		transport->session = NULL;
		if (is_new || (result != HAND_OVER_UNAVAILABLE && result != HAND_OVER_LATER))
			return result;
		transport->error[0] = '\0';
		is_new = true;
	}
}

enum hand_over notice_transport_hand_over(struct notice_transport *transport, const char *from,
					  const char *recipient, const char *message, size_t length,
					  const char **error_r)
{
	const struct mail_envelope envelope = {
		.from = from, .recipient = recipient, .message = message, .length = length};

	transport->error[0] = '\0';
	*error_r = transport->error;
	if (transport->settings->kind == TRANSPORT_SENDMAIL)
		return sendmail_hand_over(transport->settings->path, &envelope, transport->error);
	return hand_over_by_session(transport, &envelope);
}
