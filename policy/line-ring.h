#ifndef PORTCULLIS_LINE_RING_H
#define PORTCULLIS_LINE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Lines on their way from one thread that makes them to one that writes them,
   in a fixed amount of memory, without a lock. */
struct line_ring {
	char *bytes;
	size_t size;           /* a power of two */
	_Atomic size_t pushed; /* bytes ever; only the pushing thread stores it */
	_Atomic size_t popped; /* bytes ever; only the popping thread stores it */
};

/* False when out of memory. size must be a power of two. */
bool line_ring_init(struct line_ring *ring, size_t size);
void line_ring_free(struct line_ring *ring);

/* False when there is no room; nothing is pushed then. Never waits. */
bool line_ring_push(struct line_ring *ring, const char *line, size_t length);

/* Copies the oldest line without taking it away; returns its length, 0 when
   there is none. line_r must have room for the longest line ever pushed. */
size_t line_ring_peek(const struct line_ring *ring, char *line_r);

/* Takes away the line that line_ring_peek() gave. */
void line_ring_pop(struct line_ring *ring);

#endif
