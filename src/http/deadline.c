/*
 * deadline.c - absolute deadlines: whatever trickles in, they do not move.
 *
 * All connections in one state have the same term, so each state has a list that is in order of
 * time by being appended to, and one timer for the earliest of the firsts. Answers that are held
 * back have terms of their own; that list is kept in order by insertion.
 */
#include "http/loop.h"

#include "base/banned.h"

enum { LINGER_MS = 1000 };

static uint64_t milliseconds(pt_time time)
{
	return time <= 0 ? 0 : (uint64_t)((time + PT_MILLISECOND - 1) / PT_MILLISECOND);
}

static uint64_t term(const struct connection *c, enum connection_state state, pt_time hold)
{
	const struct http_limits *limits = c->loop->engine->setup.limits;

	switch (state) {
	case CONNECTION_PROXIED:
	case CONNECTION_HEADER:
		return milliseconds(limits->header_time);
	case CONNECTION_IDLE:
		return milliseconds(limits->idle_time);
	case CONNECTION_BODY:
		return milliseconds(limits->body_time);
	case CONNECTION_HELD:
		return milliseconds(hold);
	case CONNECTION_WRITING:
		return milliseconds(limits->write_time);
	case CONNECTION_LINGERING:
		return LINGER_MS;
	case CONNECTION_CALLING:
	case CONNECTION_CLOSED:
	case CONNECTION_STATES:
		break;
	}
	return 0;
}

static bool has_deadline(enum connection_state state)
{
	return state != CONNECTION_CALLING && state != CONNECTION_CLOSED;
}

static void list_insert(struct deadline_list *list, struct connection *c)
{
	struct connection *before = list->last;

	while (before != NULL && before->deadline > c->deadline)
		before = before->before;
	c->before = before;
	c->after = before ? before->after : list->first;
	*(c->before ? &c->before->after : &list->first) = c;
	*(c->after ? &c->after->before : &list->last) = c;
	c->listed = true;
}

void deadline_forget(struct connection *c)
{
	struct deadline_list *list = &c->loop->lists[c->state];

	if (!c->listed)
		return;
	*(c->before ? &c->before->after : &list->first) = c->after;
	*(c->after ? &c->after->before : &list->last) = c->before;
	c->listed = false;
}

static void arm(struct loop *loop, uint64_t deadline)
{
	uint64_t now = uv_now(&loop->uv);

	if (loop->armed != 0 && loop->armed <= deadline)
		return;
	loop->armed = deadline;
	uv_timer_start(&loop->deadlines, deadlines_check, deadline > now ? deadline - now : 0, 0);
}

void deadline_move(struct connection *c, enum connection_state state, pt_time hold)
{
	struct loop *loop = c->loop;

	deadline_forget(c);
	c->state = state;
	if (!has_deadline(state))
		return;
	c->deadline = uv_now(&loop->uv) + term(c, state, hold);
	list_insert(&loop->lists[state], c);
	arm(loop, c->deadline);
}

void deadlines_check(uv_timer_t *timer)
{
	struct loop *loop = timer->data;
	uint64_t now = uv_now(&loop->uv);
	uint64_t next = 0;

	loop->armed = 0;
	for (int state = 0; state < CONNECTION_STATES; state++) {
		struct deadline_list *list = &loop->lists[state];

		/* Whatever happens to it, it leaves the front: it moves, or closes. */
		while (list->first != NULL && list->first->deadline <= now)
			connection_expire(list->first);
	}
	for (int state = 0; state < CONNECTION_STATES; state++) {
		const struct connection *first = loop->lists[state].first;

		if (first != NULL && (next == 0 || first->deadline < next))
			next = first->deadline;
	}
	if (next != 0)
		arm(loop, next);
}
