#include "line-ring.h"

#include <stdlib.h>
#include <string.h>

/* A line is its length as a size_t, then its bytes; both may wrap around. */

bool line_ring_init(struct line_ring *ring, size_t size)
{
	ring->bytes = malloc(size);
	ring->size = size;
	atomic_init(&ring->pushed, 0);
	atomic_init(&ring->popped, 0);
	return ring->bytes != NULL;
}

void line_ring_free(struct line_ring *ring)
{
	free(ring->bytes);
}

static void copy_in(struct line_ring *ring, size_t position, const void *from, size_t length)
{
	size_t offset = position & (ring->size - 1);
	size_t until_end = ring->size - offset;
	size_t first = length < until_end ? length : until_end;

	memcpy(ring->bytes + offset, from, first);
	memcpy(ring->bytes, (const char *)from + first, length - first);
}

static void copy_out(const struct line_ring *ring, size_t position, void *to, size_t length)
{
	size_t offset = position & (ring->size - 1);
	size_t until_end = ring->size - offset;
	size_t first = length < until_end ? length : until_end;

	memcpy(to, ring->bytes + offset, first);
	memcpy((char *)to + first, ring->bytes, length - first);
}

bool line_ring_push(struct line_ring *ring, const char *line, size_t length)
{
	size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
	size_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);

	if (sizeof(length) + length > ring->size - (pushed - popped))
		return false;
	copy_in(ring, pushed, &length, sizeof(length));
	copy_in(ring, pushed + sizeof(length), line, length);
	atomic_store_explicit(&ring->pushed, pushed + sizeof(length) + length,
			      memory_order_release);
	return true;
}

size_t line_ring_peek(const struct line_ring *ring, char *line_r)
{
	size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
	size_t length;

	if (popped == atomic_load_explicit(&ring->pushed, memory_order_acquire))
		return 0;
	copy_out(ring, popped, &length, sizeof(length));
	copy_out(ring, popped + sizeof(length), line_r, length);
	return length;
}

void line_ring_pop(struct line_ring *ring)
{
	size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
	size_t length;

	copy_out(ring, popped, &length, sizeof(length));
	atomic_store_explicit(&ring->popped, popped + sizeof(length) + length,
			      memory_order_release);
}
