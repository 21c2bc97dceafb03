/*
 * random.c - getrandom(2), and nothing when it fails.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hook.h"
#include "base/random.h"
#include "base/uuid.h"

#include "base/banned.h"

#ifdef PT_TEST_HOOKS
/* A stream that a test can repeat: splitmix64 over the seed and a counter that starts anew with
 * each seed. False when no seed is set. */
static bool fill_from_seed(uint8_t *p, size_t n)
{
	static uint64_t last_seed, counter;
	uint64_t seed = (uint64_t)hook_random_seed();

	if (seed == 0)
		return false;
	if (__atomic_exchange_n(&last_seed, seed, __ATOMIC_SEQ_CST) != seed)
		__atomic_store_n(&counter, 0, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < n; i++) {
		uint64_t z = seed + __atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST) *
					    UINT64_C(0x9E3779B97F4A7C15);

		z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
		p[i] = (uint8_t)(z >> 56);
	}
	return true;
}
#else
static inline bool fill_from_seed(uint8_t *p, size_t n)
{
	(void)p;
	(void)n;
	return false;
}
#endif

pt_err random_fill(void *p, size_t n)
{
	uint8_t *to = p;
	size_t done = 0;

	if (fill_from_seed(to, n))
		return PT_OK;
	while (done < n) {
		ssize_t made = getrandom(to + done, n - done, 0);

		if (made > 0) {
			done += (size_t)made;
		} else if (made == 0 || errno != EINTR) {
			explicit_bzero(p, n);
			return fault(PT_F_RANDOM, "getrandom: %s", strerror(errno));
		}
	}
	return PT_OK;
}

pt_err random_noise(void *p, size_t n)
{
	static _Thread_local struct {
		uint8_t bytes[1024];
		size_t left;
	} pool;

	if (n > sizeof(pool.bytes))
		return random_fill(p, n);
	if (pool.left < n) {
		pool.left = 0;
		TRY(random_fill(pool.bytes, sizeof(pool.bytes)));
		pool.left = sizeof(pool.bytes);
	}
	pool.left -= n;
	memcpy(p, pool.bytes + pool.left, n);
	return PT_OK;
}

/*
 * RFC 9562 5.7, with the optional twelve bits of section 6.2 method 3: the fraction of the
 * millisecond stands before the random bits, so ids sort by the microsecond they were made in.
 */
static void uuid_v7(pt_time now, uint8_t uuid[UUID_BYTES])
{
	uint64_t milliseconds = now > 0 ? (uint64_t)now / 1000 : 0;
	uint64_t fraction = now > 0 ? (uint64_t)now % 1000 * 4096 / 1000 : 0;

	for (size_t i = 0; i < 6; i++)
		uuid[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
	uuid[6] = (uint8_t)(0x70 | fraction >> 8);
	uuid[7] = (uint8_t)fraction;
	uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3F));
}

pt_err random_id(pt_time now, struct pt_id *out)
{
	uint8_t uuid[UUID_BYTES] = { 0 };

	TRY(random_noise(uuid + 8, 8));
	uuid_v7(now, uuid);
	*out = uuid_text(uuid);
	return PT_OK;
}
