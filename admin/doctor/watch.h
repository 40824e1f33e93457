#ifndef PORTCULLIS_WATCH_H
#define PORTCULLIS_WATCH_H

#include "doctor.h"

/* What is found in the sightings of people, which are read once for all who ask: each is begun,
   takes all of them, user by user, and is ended, which adds what it found and frees it. Those that
   lie longer back than what "lately" is are given too. */

#define LATELY (30 * MILLISECONDS_A_DAY)

/* Who was recorded logging in as Dovecot by itself does not let him any more. */
struct turned_away;
struct turned_away *turned_away_begin(struct doctor *doctor);
void turned_away_take(struct turned_away *turned_away, const struct store_sighting *sighting);
void turned_away_end(struct turned_away *turned_away);

/* Whether a proxy or a webmail hides clients from a country rule. */
struct hidden_clients;
struct hidden_clients *hidden_clients_begin(struct doctor *doctor);
void hidden_clients_take(struct hidden_clients *clients, const struct store_sighting *sighting);
void hidden_clients_end(struct hidden_clients *clients);

/* Who is refused within a week, and was not told. end: false when the store fails. */
struct untold;
struct untold *untold_begin(struct doctor *doctor);
void untold_take(struct untold *untold, const struct store_sighting *sighting);
bool untold_end(struct untold *untold);

/* Who is let off, and was never seen. */
struct unseen;
struct unseen *unseen_begin(struct doctor *doctor);
void unseen_take(struct unseen *unseen, const struct store_sighting *sighting);
void unseen_end(struct unseen *unseen);

#endif
