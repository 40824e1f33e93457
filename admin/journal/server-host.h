#ifndef PORTCULLIS_SERVER_HOST_H
#define PORTCULLIS_SERVER_HOST_H

/* The name of a server's host, as store-logs.h wants it. "" is this one, as what Dovecot writes
   into a file of its own has no host. The caller frees it with g_free(). */
char *server_host(const char *host);

#endif
