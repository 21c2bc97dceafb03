/*
 * limit.c - limits.
 */
#include "core/limit.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/store.h"
#include "portress/act.h"
#include "base/banned.h"

enum { LIMITS_AT_ONCE = 4 };

/* About as long as it takes to hand a letter over. */
#define MAIL_TURN (5 * PT_SECOND)

struct tally {
	struct pt_limit limits[LIMITS_AT_ONCE];
	size_t n;
};

/* A limit of 0 is switched off and counts nothing. */
static pt_err tally_add(struct pt_call *call, struct tally *tally, int limit, const char *kind,
	pt_str subject, pt_str more)
{
	const pt_str parts[] = { str(kind), subject, more, call->site->tenant };
	/* Where there is one tenant, keys are what they were before there could be more. */
	size_t n = call->site->tenant.n > 0 ? 4 : 3;
	struct pt_limit *next = &tally->limits[tally->n];

	if (limit <= 0)
		return PT_OK;
	TRY(digest_mac_parts(&call->site->keys.limit, parts, n, &next->key));
	next->limit = limit;
	next->window = PT_HOUR;
	next->refill = 0;
	tally->n++;
	return PT_OK;
}

static pt_err tally_spend(struct pt_call *call, const struct tally *tally, pt_err refusal)
{
	const struct pt_limit_act act = {
		.limits = tally->limits, .n = tally->n, .now = call->now
	};
	pt_time wait = 0;

	if (tally->n == 0)
		return PT_OK;
	pt_err err = STORE(call, limit_spend, &act, &wait);
	if (err != PT_E_LIMITED)
		return err;
	call->retry_after = wait;
	return refusal;
}

/* What a client is counted by: an IPv6 host has a whole /64 to call from. */
static pt_err client_subject(struct pt_call *call, pt_str *out)
{
	uint8_t v6[16];
	const char *client = arena_cstr(call->arena, call->asker.client);

	if (!client)
		return PT_F_MEMORY;
	if (inet_pton(AF_INET6, client, v6) != 1) {
		*out = call->asker.client;
		return PT_OK;
	}
	return arena_str(call->arena, str_n(v6, 8), out) ? PT_OK : PT_F_MEMORY;
}

static pt_err tally_add_client(
	struct pt_call *call, struct tally *tally, int limit, const char *kind)
{
	pt_str subject;

	/* Nobody vouches for the address: behind an unconfigured proxy everybody would share it. */
	if (!call->asker.client_known)
		return PT_OK;
	TRY(client_subject(call, &subject));
	return tally_add(call, tally, limit, kind, subject, PT_STR(""));
}

pt_err limit_signin(struct pt_call *call, pt_str name, bool known_device, pt_str device)
{
	const struct pt_policy *policy = &call->site->policy;
	struct tally tally = { .n = 0 };

	TRY(tally_add(call, &tally, policy->signin_per_account,
		known_device ? "signin-device" : "signin", name,
		known_device ? device : PT_STR("")));
	TRY(tally_add_client(call, &tally, policy->signin_per_client, "signin-client"));
	return tally_spend(call, &tally, PT_E_LIMITED);
}

pt_err limit_mail_client(struct pt_call *call)
{
	struct tally tally = { .n = 0 };

	TRY(tally_add_client(call, &tally, call->site->policy.mail_per_client, "mail-client"));
	return tally_spend(call, &tally, PT_E_MAIL_LIMITED);
}

/* One in any mail_pause, where the policy has one. */
static pt_err tally_add_pause(
	struct pt_call *call, struct tally *tally, const char *kind, pt_str email)
{
	pt_time pause = call->site->policy.mail_pause;

	if (pause <= 0)
		return PT_OK;
	TRY(tally_add(call, tally, 1, "mail-pause", str(kind), email));
	tally->limits[tally->n - 1].window = pause;
	return PT_OK;
}

pt_err limit_mail_recipient(struct pt_call *call, const char *kind, pt_str email)
{
	struct tally tally = { .n = 0 };

	TRY(tally_add_pause(call, &tally, kind, email));
	TRY(tally_add(
		call, &tally, call->site->policy.mail_per_recipient, "mail", str(kind), email));
	return tally_spend(call, &tally, PT_E_MAIL_LIMITED);
}

static pt_err lower(struct pt_call *call, pt_str text, pt_str *out)
{
	struct buf b = BUF(call->arena, 1 * KIB);

	for (size_t i = 0; i < text.n; i++)
		buf_char(&b, ascii_lower(text.p[i]));
	return buf_done(&b, out);
}

/* A letter that did not go gives its turn back: from then on turns are other ones. */
pt_err limit_mail_turn(struct pt_call *call, const struct pt_letter *letter)
{
	unsigned failed = __atomic_load_n(&call->site->posts_failed, __ATOMIC_RELAXED);
	pt_time pause = call->site->policy.mail_pause;
	struct tally tally = { .n = 0 };
	char kind[48];
	pt_str to;

	if (pause <= 0)
		return PT_OK;
	snprintf(kind, sizeof(kind), "mail-turn-%d-%u", (int)letter->kind, failed);
	TRY(lower(call, letter->to, &to));
	TRY(tally_add(call, &tally, 1, kind, call->audience, to));
	tally.limits[0].window = pause < MAIL_TURN ? pause : MAIL_TURN;
	return tally_spend(call, &tally, PT_E_MAIL_LIMITED);
}

pt_err pt_limit(struct pt_call *call, const char *kind, pt_str subject, int most, pt_time refill)
{
	struct tally tally = { .n = 0 };

	TRY(tally_add(call, &tally, most, kind, subject, PT_STR("")));
	if (tally.n > 0) {
		tally.limits[0].window = most * refill;
		tally.limits[0].refill = refill;
	}
	return tally_spend(call, &tally, PT_E_LIMITED);
}

pt_err limit_mail(struct pt_call *call, const char *kind, pt_str email)
{
	const struct pt_policy *policy = &call->site->policy;
	struct tally tally = { .n = 0 };

	TRY(tally_add(call, &tally, policy->mail_per_recipient, "mail", str(kind), email));
	TRY(tally_add_client(call, &tally, policy->mail_per_client, "mail-client"));
	return tally_spend(call, &tally, PT_E_MAIL_LIMITED);
}
