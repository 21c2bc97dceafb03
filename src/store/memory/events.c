/*
 * events.c - the audit log.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err event_record(void *ctx, pt_arena *arena, const struct pt_event *event)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_event copy = *event;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	TRY(mem_own_event(m->pool, &copy));
	mem_event_put(m, &copy);
	return PT_OK;
}

static pt_err event_list(void *ctx, pt_arena *arena, const struct pt_id *account, size_t max,
	struct pt_event **out, size_t *n)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_event *events;
	size_t listed = 0;

	TRY(mem_enter(ctx, &m));
	events = ARENA_ARRAY(arena, struct pt_event, max < m->events.n ? max : m->events.n);
	if (!events)
		return fault(PT_F_MEMORY, "list of events");
	for (size_t i = m->events.n; i > 0 && listed < max; i--) {
		struct pt_event copy = m->events.items[i - 1];

		if (account->text[0] != '\0' && !mem_id_eq(account, &copy.account))
			continue;
		TRY(mem_own_event(arena, &copy));
		events[listed++] = copy;
	}
	*out = events;
	*n = listed;
	return PT_OK;
}

static bool event_paged(const struct pt_event *event, const struct pt_event_page *query)
{
	pt_str email = event->actor.text[0] == '\0' ? event->email : PT_STR("");

	if (event->account.text[0] == '\0' || !str_eq(event->tenant, query->tenant) ||
		(int)event->kind >= PT_EVENT_KINDS || !(query->kinds >> event->kind & 1))
		return false;
	return query->author.n == 0 || mem_part_of(event->actor_email, query->author) ||
	       mem_part_of(event->actor_name, query->author) || mem_part_of(email, query->author);
}

/* Of two at one moment the one that came later is the newer. */
static void page_sort(struct pt_event *events, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct pt_event event = events[i];
		size_t at = i;

		for (; at > 0 && events[at - 1].at <= event.at; at--)
			events[at] = events[at - 1];
		events[at] = event;
	}
}

static pt_err event_page(void *ctx, pt_arena *arena, const struct pt_event_page *query,
	struct pt_event **out, size_t *n, int64_t *total)
{
	const size_t max = query->max < LIST_MOST ? query->max : LIST_MOST;
	PT_OWN(mem_leave) struct memory *m = NULL;
	size_t found = 0, copied = 0;
	struct pt_event *events;

	TRY(mem_enter(ctx, &m));
	events = ARENA_ARRAY(arena, struct pt_event, m->events.n);
	if (!events)
		return fault(PT_F_MEMORY, "page of events");
	for (size_t i = 0; i < m->events.n; i++) {
		if (event_paged(&m->events.items[i], query))
			events[found++] = m->events.items[i];
	}
	page_sort(events, found);
	for (size_t i = query->skip; i < found && copied < max; i++) {
		events[copied] = events[i];
		TRY(mem_own_event(arena, &events[copied++]));
	}
	*out = events;
	*n = copied;
	*total = (int64_t)found;
	return PT_OK;
}

void memory_events_publish(struct pt_store *out)
{
	out->event_record = event_record;
	out->event_list = event_list;
	out->event_page = event_page;
}
