#ifndef PORTCULLIS_RULE_EXPLANATION_H
#define PORTCULLIS_RULE_EXPLANATION_H

#include "policy/judge.h"

/* A question to `portcullis explain`: what becomes of an attempt at a time. */
struct question {
	struct edition edition;
	struct attempt attempt;
	time_t time;
	struct country country; /* of the client, and the prefix it holds for */
	unsigned int prefix_length;
	struct verdict verdict; /* by the server that can refuse it */
};

/* What edition and attempt point to must outlive the question. */
void question_ask(struct question *question_r, const struct edition *edition,
		  const struct attempt *attempt, time_t time);

/* Why a rule is broken or not, as sentences: the steps of judging, in their
   order. NULL where judging did not come so far. The caller frees it with
   rule_explanation_free(). */
struct rule_explanation {
	struct rule_finding found;
	char *exemption;
	char *network;
	char *rule;
	const char *why; /* the one of them that decided */
};

void rule_explain(const struct question *question, const struct rule *rule,
		  struct rule_explanation *explanation_r);
void rule_explanation_free(struct rule_explanation *explanation);

/* Enough for the longest "ADDRESS/LENGTH". */
#define PREFIX_TEXT_SIZE (ADDRESS_TEXT_SIZE + sizeof("/128"))

/* The network of an address, as "192.0.2.0/24". */
void prefix_format(const struct address *address, unsigned int length,
		   char text_r[static PREFIX_TEXT_SIZE]);

#endif
