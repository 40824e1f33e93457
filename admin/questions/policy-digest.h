#ifndef PORTCULLIS_POLICY_DIGEST_H
#define PORTCULLIS_POLICY_DIGEST_H

#include "policy/edition.h"

/* 16 hex digits of all that a judgement rests on but the country database, which hosts get on
   different days: of policy and exemptions. Where the files of a host lie, how they are
   written, and whom it tells, is no part of it. */
void policy_digest(const struct policy *policy, const struct exemptions *exemptions,
		   char id_r[static EDITION_ID_SIZE]);

#endif
