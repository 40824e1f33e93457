#ifndef PORTCULLIS_USER_PORTRAIT_H
#define PORTCULLIS_USER_PORTRAIT_H

#include "admin/store/store-notices.h"
#include "inquiry.h"
#include "user-devices.h"

/* What a user was told. */
struct user_notice {
	enum notice_reason reason;
	enum notice_state state;
	int64_t time; /* milliseconds */
	char *rules;  /* titles, as in struct store_notice */
};

/* How a mail program is to be set up for a service. */
struct user_server {
	const char *service; /* as users know it: "IMAP" */
	const char *name;
	uint16_t port;
	bool implicit_tls; /* otherwise STARTTLS */
};

#define USER_SERVERS_MAX 3

/* All that the help desk wants to know about a user. */
struct user_portrait {
	char user[USER_SIZE]; /* normalised */
	time_t at;
	struct edition edition;
	GArray *ways;            /* of struct user_way */
	GArray *devices;         /* of struct user_device */
	struct devices *grouped; /* the ways, by device; what those above point to is its */
	/* That some way breaks, or would, a bit each: of the person's own, and others that
	   only ways break which may be somebody else's. */
	uint64_t rules, strangers_rules;
	const struct exemption *exemptions; /* the edition's, in the order of the file */
	size_t exemption_count;
	const struct exemption *grace; /* likewise */
	size_t grace_count;
	GArray *notices;                              /* of struct user_notice, the latest last */
	struct user_server servers[USER_SERVERS_MAX]; /* those that are offered and go on */
	size_t server_count;
};

/* at: the moment whose phases and exemptions count. False when the store fails; clear it
   also then. It must not outlive the inquiry. */
bool user_portrait_draw(struct user_portrait *portrait_r, const struct inquiry *inquiry,
			const char *user, time_t at);
void user_portrait_clear(struct user_portrait *portrait);

/* What becomes of a way. */
enum user_way_fate {
	USER_WAY_FINE,
	USER_WAY_REFUSED,
	USER_WAY_ENDS,
	USER_WAY_EXEMPT, /* it would end sooner, were the user not let off */
	USER_WAY_UNDATED /* it breaks rules, of which none has a date */
};

/* *end_r: when a way ends; otherwise it is not set. */
enum user_way_fate user_way_fate(const struct user_portrait *portrait, const struct user_way *way,
				 time_t *end_r);

/* The brown-outs of a rule that somebody may ask about at a moment; each may be NULL. */
struct user_brownouts {
	const struct brownout *last; /* which ended on the same day */
	const struct brownout *present, *next;
};

struct user_brownouts user_brownouts_find(const struct schedule *schedule, time_t at);

/* Whether the user is let off all of a rule, or at least in a country (NULL: none), at its date
   or, where no exemption covers that, from now on; until when, in *end_r. */
bool user_is_exempt(const struct user_portrait *portrait, const struct rule *rule,
		    const struct country *country, time_t *end_r);

/* When the grace ends that the user has been given for a rule; 0: none, or it has ended. */
time_t user_grace_end(const struct user_portrait *portrait, const struct rule *rule);

#endif
