/*
 * couriers.h - the couriers of letters that name one, opened when they are asked for.
 *
 * Some stay open for the next letter; beyond them the one that was not asked for the longest is
 * closed. One that is in use never is.
 */
#ifndef OUTBOUND_COURIERS_H
#define OUTBOUND_COURIERS_H

#include "portress/courier.h"

struct couriers;

struct couriers_setup {
	size_t max; /* how many may be open that nobody uses */
	/* What a letter says of its courier -> the courier. One at a time, and at once. */
	pt_err (*open)(void *ctx, pt_str text, struct pt_courier *out);
	void (*close)(struct pt_courier *courier);
	void *ctx;
};

PT_CHECK pt_err couriers_open(const struct couriers_setup *setup, struct couriers **out);
/* Nobody uses one any more. NULL is fine. */
void couriers_close(struct couriers *couriers);

/* From any thread. The same text gives the same courier, to several at a time; it must be left again.
 * NULL: it does not open, or all are stopped. */
const struct pt_courier *couriers_take(struct couriers *couriers, pt_str text);
void couriers_leave(struct couriers *couriers, const struct pt_courier *taken);

/* One that kept others waiting is left alone for a while. Times are monotonic; 0: it does not rest. */
void couriers_rest(struct couriers *couriers, const struct pt_courier *taken, pt_time until);
pt_time couriers_rest_until(struct couriers *couriers, const struct pt_courier *taken);

/* Sends in progress end soon, and nobody takes another. */
void couriers_stop(struct couriers *couriers);

#endif
