#ifndef PORTCULLIS_DECISION_LOG_H
#define PORTCULLIS_DECISION_LOG_H

#include "messages.h"
#include "sighting.h"

/* The server's log lines for attempts that a rule rejects, or would reject when it comes
   into force. As in the journal, equal ones within the time that the configuration says
   are told together, and those of strangers beyond so many in a minute without names, so
   that nobody fills the log's disk. In a fixed amount of memory; never waits; for one
   thread. */
struct decision_log;

/* Lines are posted to messages. NULL when out of memory. */
struct decision_log *decision_log_create(struct messages *messages);

/* Tells what was counted, as far as it finds room in messages, and frees all. */
void decision_log_free(struct decision_log *log);

/* Tells of a sighting that breaks a rule, now or together with others. */
void decision_log_record(struct decision_log *log, const struct sighting *sighting);

/* Tells what is due, in portions that messages have room for; to be called every few
   seconds. */
void decision_log_tell_due(struct decision_log *log);

/* With room for what is said of several in one message. */
#define DECISION_LOG_SIZE (MESSAGE_SIZE - 64)

/* Writes the line: "refused after the password: user=<...> client=... country=...
   service=... port=... tls=... mechanism=<...> rules=RULE:PHASE,...". One line of
   printable ASCII without the server's prefix, cut where it is full; what strangers
   chose is escaped and cut before. Of one user whose attempts are too many there is no
   client, of strangers neither that, nor user, country and mechanism. Returns its
   length. */
size_t decision_log_format(const struct sighting *sighting, enum detail detail,
			   char text_r[static DECISION_LOG_SIZE]);

#endif
