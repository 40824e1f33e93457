#include "smtpd-service.h"

#include <glib.h>

#include "policy/fnv.h"

/* Longer names are no host's. */
#define HOST_MAX 255

/* What stands behind the last slash of a syslog_name, as in Postfix's own master.cf. */
static const struct {
	const char *role;
	uint16_t port;
} roles[] = {
	{"/submission", 587},
	{"/submissions", 465},
	{"/smtps", 465},
};

static uint16_t port_of(struct log_slice name, const char *port_25_name)
{
	if (log_slice_equals(name, port_25_name))
		return 25;
	for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
		if (log_slice_ends(name, roles[i].role))
			return roles[i].port;
	}
	return 0;
}

uint64_t smtpd_service_hash(const struct smtpd_services *services, struct log_slice host,
			    struct log_slice program)
{
	uint64_t hash = fnv_hash_words(FNV_START ^ services->seed, host.text, host.length);

	/* No host's name ends in what a program's begins with. */
	return fnv_hash_words(hash ^ host.length, program.text, program.length);
}

struct wanted {
	const struct smtpd_services *services;
	uint64_t hash;
};

static bool is_wanted(const void *context, uint32_t number)
{
	const struct wanted *wanted = context;

	return wanted->services->all[number].hash == wanted->hash;
}

struct smtpd_service *smtpd_service_of(struct smtpd_services *services, uint64_t hash,
				       struct log_slice host, struct log_slice program)
{
	const struct log_slice name = {program.text, program.length - strlen("/smtpd")};
	const size_t program_length = MIN(program.length, HOST_MAX);
	const struct wanted wanted = {services, hash};
	uint32_t number = log_index_find(&services->index, hash, is_wanted, &wanted);
	struct smtpd_service *service;

	if (number != LOG_INDEX_NONE)
		return &services->all[number];
	log_index_add(&services->index, hash, services->count);
	service = &services->all[services->count++];
	*service = (struct smtpd_service){
		.hash = hash,
		.host = g_strndup(host.text, MIN(host.length, HOST_MAX)),
		/* What it ends with says what it is. */
		.program =
			g_strndup(program.text + program.length - program_length, program_length),
		.port = port_of(name, services->port_25_name),
	};
	return service;
}

void smtpd_services_forget(struct smtpd_services *services)
{
	for (unsigned int i = 0; i < services->count; i++) {
		g_free(services->all[i].host);
		g_free(services->all[i].program);
	}
	log_index_clear(&services->index);
	services->count = 0;
}
