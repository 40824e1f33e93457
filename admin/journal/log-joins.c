#include "log-joins.h"

#include "log-user.h"

static bool add_connection(void *context, const struct store_log_connection *connection)
{
	postfix_smtpd_add_connection(context, connection);
	return true;
}

static bool add_service(void *context, const struct store_log_service *service)
{
	postfix_smtpd_add_service(context, service);
	return true;
}

struct log_reader *log_joins_load(struct store *store, const struct log_reader_options *options,
				  struct store_log_state *state_r)
{
	struct log_reader *reader = log_reader_create(NULL, options);
	struct postfix_smtpd *smtpd = log_reader_smtpd(reader);

	if (store_log_state(store, state_r)) {
		postfix_smtpd_decide_at_once(smtpd, state_r->seed);
		if (store_each_log_connection(store, add_connection, smtpd) &&
		    store_each_log_service(store, add_service, smtpd)) {
			log_reader_smtpd_may_have(reader);
			return reader;
		}
	}
	log_reader_free(reader);
	return NULL;
}

struct saving {
	struct store *store;
	const char *default_domain;
};

static bool save_service(void *context, const struct store_log_service *service)
{
	const struct saving *saving = context;

	return store_put_log_service(saving->store, service);
}

/* Under the name by which people are forgotten. */
static bool save_connection(void *context, const struct store_log_connection *connection)
{
	const struct saving *saving = context;
	struct store_log_connection kept = *connection;
	char user[USER_SIZE];

	if (connection->user != NULL) {
		log_user_normalise(connection->user, saving->default_domain, user);
		kept.user = user;
	}
	return store_add_log_connection(saving->store, &kept);
}

bool log_joins_save(struct store *store, struct log_reader *reader, struct store_log_state *state,
		    const char *default_domain)
{
	struct postfix_smtpd *smtpd = log_reader_smtpd(reader);
	struct saving saving = {.store = store, .default_domain = default_domain};

	state->change++;
	state->seed = postfix_smtpd_seed(smtpd);
	return store_drop_log_connections(store) &&
	       postfix_smtpd_each_connection(smtpd, save_connection, &saving) &&
	       postfix_smtpd_each_service(smtpd, save_service, &saving) &&
	       store_put_log_state(store, state);
}
