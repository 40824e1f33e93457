#ifndef PORTCULLIS_SMTPD_SERVICE_H
#define PORTCULLIS_SMTPD_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "log-index.h"
#include "log-slice.h"

/* One service of a host's smtpd, as far as its syslog_name tells it from others. */
struct smtpd_service {
	uint64_t hash; /* of host and program */
	char *host, *program;
	uint16_t port; /* that the name tells; 0 none. Connections to 465 begin with TLS. */
	bool logs_tls; /* it was seen to log TLS connections */
	/* Connections were seen to begin with TLS though the name does not say so: it is the name
	   of several ports. */
	bool wraps;
	/* Of both, what was handed over to be kept. */
	bool kept_logs_tls, kept_wraps;
};

/* More than any site has: two or three on each host. */
#define SMTPD_SERVICES_MAX 4096

struct smtpd_services {
	const char *port_25_name;
	uint64_t seed;
	unsigned int count;
	struct log_index index; /* by their hashes */
	struct smtpd_service all[SMTPD_SERVICES_MAX];
};

uint64_t smtpd_service_hash(const struct smtpd_services *services, struct log_slice host,
			    struct log_slice program);

/* Finds or adds one; hash is smtpd_service_hash()'s. There must be room. It stays where it is
   until all are forgotten. */
struct smtpd_service *smtpd_service_of(struct smtpd_services *services, uint64_t hash,
				       struct log_slice host, struct log_slice program);

void smtpd_services_forget(struct smtpd_services *services);

#endif
