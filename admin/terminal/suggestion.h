#ifndef PORTCULLIS_SUGGESTION_H
#define PORTCULLIS_SUGGESTION_H

/* What somebody may have meant who mistyped a name: the nearest of those considered, if
   it is near enough. All texts are the caller's. */
struct suggestion {
	const char *typed;
	const char *name; /* NULL: none is near enough */
	unsigned int distance;
};

struct suggestion suggestion_for(const char *typed);
void suggestion_consider(struct suggestion *suggestion, const char *name);

#endif
