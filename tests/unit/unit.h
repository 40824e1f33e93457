#ifndef PORTCULLIS_TESTS_UNIT_H
#define PORTCULLIS_TESTS_UNIT_H

/* What cmocka.h wants to be included before it, and it; stdlib.h for rounds(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* How often to do what a test does very often: a tenth of it where tests/check wants it so.
   Under valgrind it does, which finds in it what it would find in all; the whole number is
   run plainly and with the sanitizers. */
static inline int rounds(int whole)
{
	return getenv("PORTCULLIS_FEWER_ROUNDS") == NULL ? whole : whole / 10;
}

#endif
