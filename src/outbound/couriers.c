/*
 * couriers.c - a short list, the one that was asked for last in front.
 *
 * What a letter says of its courier holds a password: the list knows it by its digest.
 */
#include "outbound/couriers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypt/digest.h"

#include "base/banned.h"

struct hired {
	struct hired *next;
	struct pt_hash text;
	struct pt_courier courier;
	unsigned users;
	pt_time rest_until;
};

struct couriers {
	struct couriers_setup setup;
	pthread_mutex_t lock; /* of what follows */
	struct hired *first;
	bool stopped;
};

/* ---- the list, with the lock held ---- */

/* Takes it out of the list. NULL: there is none. */
static struct hired *unlink_text(struct couriers *couriers, const struct pt_hash *text)
{
	for (struct hired **at = &couriers->first; *at; at = &(*at)->next) {
		struct hired *hired = *at;

		if (!digest_equal_hash(&hired->text, text))
			continue;
		*at = hired->next;
		return hired;
	}
	return NULL;
}

static struct hired *find_taken(struct couriers *couriers, const struct pt_courier *taken)
{
	struct hired *hired = couriers->first;

	while (hired && &hired->courier != taken)
		hired = hired->next;
	return hired;
}

static struct hired *hire(struct couriers *couriers, pt_str text, const struct pt_hash *digest)
{
	struct hired *hired = calloc(1, sizeof(*hired));

	if (!hired)
		return NULL;
	hired->text = *digest;
	if (couriers->setup.open(couriers->setup.ctx, text, &hired->courier) == PT_OK)
		return hired;
	free(hired);
	return NULL;
}

static void dismiss(struct couriers *couriers, struct hired *hired)
{
	couriers->setup.close(&hired->courier);
	free(hired);
}

/* From the front on, so that the ones that go are at the end. */
static void dismiss_beyond(struct couriers *couriers, size_t max)
{
	struct hired **at = &couriers->first;
	size_t unused = 0;

	while (*at) {
		struct hired *hired = *at;

		if (hired->users > 0 || ++unused <= max) {
			at = &hired->next;
			continue;
		}
		*at = hired->next;
		dismiss(couriers, hired);
	}
}

static struct hired *take(struct couriers *couriers, pt_str text, const struct pt_hash *digest)
{
	struct hired *hired;

	if (couriers->stopped)
		return NULL;
	hired = unlink_text(couriers, digest);
	if (!hired)
		hired = hire(couriers, text, digest);
	if (!hired)
		return NULL;
	hired->users++;
	hired->next = couriers->first;
	couriers->first = hired;
	return hired;
}

/* ---- for everybody ---- */

const struct pt_courier *couriers_take(struct couriers *couriers, pt_str text)
{
	struct pt_hash digest;
	struct hired *hired;

	if (digest_sha256(text, &digest) != PT_OK)
		return NULL;
	pthread_mutex_lock(&couriers->lock);
	hired = take(couriers, text, &digest);
	pthread_mutex_unlock(&couriers->lock);
	return hired ? &hired->courier : NULL;
}

void couriers_leave(struct couriers *couriers, const struct pt_courier *taken)
{
	pthread_mutex_lock(&couriers->lock);
	find_taken(couriers, taken)->users--;
	dismiss_beyond(couriers, couriers->setup.max);
	pthread_mutex_unlock(&couriers->lock);
}

void couriers_rest(struct couriers *couriers, const struct pt_courier *taken, pt_time until)
{
	pthread_mutex_lock(&couriers->lock);
	find_taken(couriers, taken)->rest_until = until;
	pthread_mutex_unlock(&couriers->lock);
}

pt_time couriers_rest_until(struct couriers *couriers, const struct pt_courier *taken)
{
	pt_time until;

	pthread_mutex_lock(&couriers->lock);
	until = find_taken(couriers, taken)->rest_until;
	pthread_mutex_unlock(&couriers->lock);
	return until;
}

static bool has_stop(const struct pt_courier *courier)
{
	return courier->size > offsetof(struct pt_courier, stop) && courier->stop;
}

void couriers_stop(struct couriers *couriers)
{
	pthread_mutex_lock(&couriers->lock);
	couriers->stopped = true;
	for (struct hired *hired = couriers->first; hired; hired = hired->next) {
		if (has_stop(&hired->courier))
			hired->courier.stop(hired->courier.ctx);
	}
	pthread_mutex_unlock(&couriers->lock);
}

/* ---- opening and closing ---- */

pt_err couriers_open(const struct couriers_setup *setup, struct couriers **out)
{
	struct couriers *couriers = calloc(1, sizeof(*couriers));

	if (!couriers)
		return fault(PT_F_MEMORY, "no room for couriers");
	couriers->setup = *setup;
	pthread_mutex_init(&couriers->lock, NULL);
	*out = couriers;
	return PT_OK;
}

void couriers_close(struct couriers *couriers)
{
	if (!couriers)
		return;
	for (struct hired *hired = couriers->first, *next; hired; hired = next) {
		next = hired->next;
		dismiss(couriers, hired);
	}
	pthread_mutex_destroy(&couriers->lock);
	free(couriers);
}
