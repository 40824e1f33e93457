#ifndef PORTCULLIS_TESTS_UNIT_H
#define PORTCULLIS_TESTS_UNIT_H

/* What cmocka.h wants to be included before it, and it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#endif
