#ifndef PORTCULLIS_RANDOM_BITS_H
#define PORTCULLIS_RANDOM_BITS_H

#include <stdint.h>

/* xorshift64*: the same in every run, so that runs can be compared. */
static inline uint64_t random_bits(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

#endif
