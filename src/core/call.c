/*
 * call.c - begin and end a call.
 */
#include "core/call.h"

#include "base/clock.h"
#include "base/str.h"
#include "base/banned.h"

enum {
	CALL_ARENA = 1024 * 1024,
	USER_AGENT_MAX = 120,
};

void *pt_arena_alloc(pt_arena *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static bool asker_copy(struct arena *arena, const struct pt_asker *from, struct pt_asker *to)
{
	*to = *from;
	return arena_str(arena, from->client, &to->client) &&
	       arena_str(arena, str_slice(from->user_agent, 0, USER_AGENT_MAX), &to->user_agent) &&
	       arena_str(arena, from->audience, &to->audience) &&
	       arena_str(arena, from->request, &to->request);
}

pt_err pt_call_begin(
	struct pt_site *site, pt_arena *arena, const struct pt_asker *asker, struct pt_call **out)
{
	struct arena *memory = arena ? arena : arena_open(CALL_ARENA);
	struct pt_call *call = memory ? ARENA_NEW(memory, struct pt_call) : NULL;

	if (!call || !asker_copy(memory, asker, &call->asker)) {
		if (!arena)
			arena_close(memory);
		return PT_F_MEMORY;
	}
	call->site = site;
	call->arena = memory;
	call->owns_arena = !arena;
	call->now = asker->now ? asker->now : clock_now();
	call->asker.now = call->now;
	call->audience = asker->audience.n > 0 ? call->asker.audience : site->audience;
	*out = call;
	return PT_OK;
}

void pt_call_end(struct pt_call *call)
{
	if (call && call->owns_arena)
		arena_close(call->arena);
}

pt_time pt_call_now(const struct pt_call *call)
{
	return call->now;
}

pt_arena *pt_call_arena(struct pt_call *call)
{
	return call->arena;
}

struct pt_site *pt_call_site(const struct pt_call *call)
{
	return call->site;
}

pt_time pt_call_retry_after(const struct pt_call *call)
{
	return call->retry_after;
}

void pt_call_act_as(struct pt_call *call, const struct pt_account *operator_)
{
	call->actor = operator_;
}

void pt_call_set_audience(struct pt_call *call, pt_str audience)
{
	call->audience = audience.n > 0 ? audience : call->site->audience;
}

pt_str pt_call_audience(const struct pt_call *call)
{
	return call->audience;
}

pt_str pt_call_detail(const struct pt_call *call)
{
	return call->detail;
}
