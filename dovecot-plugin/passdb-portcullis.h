#ifndef PORTCULLIS_PASSDB_PORTCULLIS_H
#define PORTCULLIS_PASSDB_PORTCULLIS_H

extern struct passdb_module_interface passdb_portcullis;

#endif
