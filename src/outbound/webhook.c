/*
 * webhook.c - who is asked is settled when it is opened; what is asked, when an event comes.
 *
 *                 200 202 204                     not reached, or broken off
 *   (try) ----------------------> read the body   ----------------------------> no, at once
 *     ^  \  any other status, or too slow
 *     +---+ while tries and time are left, and then no
 *
 * The address that is judged is the one that is connected to: see base/fetch.h.
 */
#include "outbound/webhook.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwt.h"
#include "outbound/webhook_reply.h"
#include "outbound/webhook_url.h"

#include "base/banned.h"

enum {
	EVENTS = PT_HOOK_USER_DELETED + 1,
	STRINGS = 256 * 1024,
	BODY_MOST = 1024 * 1024,
	ANSWER_MOST = 1024 * 1024,
	/* of one try: the answer while it grows, and what is read from it */
	SCRATCH = 8 * 1024 * 1024,
	TRIES = 3,
};

static const pt_time time_of_a_try = 5 * PT_SECOND;
static const pt_time time_of_all_tries = 30 * PT_SECOND;
static const pt_str no_tenant = PT_STR_INIT("00000000-0000-0000-0000-000000000000");

/* Somebody to ask. */
struct target {
	bool wants[EVENTS];
	struct webhook_url at;
};

struct webhook {
	struct arena *strings; /* the login among them: wiped with it */
	struct jwk *key;       /* NULL: nothing is signed */
	struct target *targets;
	size_t n_targets;
	struct guard_network *networks;
	size_t n_networks;
	pt_str tenant;
	int tries;
	pt_time try_time;
	pt_time time_in_all;
	bool allow_private;
	pt_err (*render)(struct buf *out, const struct pt_account *account);
};

/* One question on its way, to one target after the other. */
struct question {
	const struct webhook *webhook;
	enum pt_hook_event event;
	pt_str label; /* "identity_login" */
	pt_str body;
	pt_str signature; /* "" when nothing is signed */
	pt_time until;    /* monotonic */
};

/* ---- what is sent ---- */

static bool webhook_wants(void *context, enum pt_hook_event event)
{
	const struct webhook *webhook = context;

	for (size_t i = 0; i < webhook->n_targets; i++) {
		if (webhook->targets[i].wants[event])
			return true;
	}
	return false;
}

static pt_err webhook_write(void *context, pt_arena *arena, enum pt_hook_event event,
	const struct pt_account *account, pt_str *body)
{
	const struct webhook *webhook = context;
	struct buf user = BUF(arena, BODY_MOST), b = BUF(arena, BODY_MOST);
	struct json j = JSON(&b);

	TRY(webhook->render(&user, account));
	json_object(&j, NULL);
	json_str(&j, "event", str(pt_hook_name(event)));
	json_str(&j, "instance_id", webhook->tenant);
	json_raw(&j, "user", buf_view(&user));
	json_object_end(&j);
	return buf_done(&b, body);
}

pt_err webhook_sign(pt_arena *arena, const struct jwk *key, pt_str tenant, pt_time now, pt_str body,
	pt_str *out)
{
	struct buf claims = BUF(arena, KIB), hex = BUF(arena, KIB);
	struct json j = JSON(&claims);
	struct pt_hash hash;
	pt_str text;

	TRY(digest_sha256(body, &hash));
	buf_hex(&hex, hash.bytes, sizeof(hash.bytes));
	json_object(&j, NULL);
	json_str(&j, "iss", PT_STR("gotrue"));
	json_str(&j, "sub", tenant);
	json_int(&j, "iat", now / PT_SECOND);
	json_str(&j, "sha256", buf_view(&hex));
	json_object_end(&j);
	TRY(buf_done(&claims, &text));
	return jwt_sign(arena, key, text, out);
}

/* ---- what comes back ---- */

/* A later target's word replaces an earlier one's. What is kept outlives the answer it stood in. */
static pt_err metadata_keep(pt_arena *arena, pt_str said, pt_str *out)
{
	if (said.n == 0 || arena_str(arena, said, out))
		return PT_OK;
	return fault(PT_F_MEMORY, "no room for a hook's metadata");
}

static pt_err reply_take(struct arena *scratch, pt_arena *arena, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	struct pt_hook_reply said;

	TRY(webhook_reply_read(scratch, body, &said, detail));
	TRY(metadata_keep(arena, said.app_metadata, &reply->app_metadata));
	return metadata_keep(arena, said.user_metadata, &reply->user_metadata);
}

/* ---- one try ---- */

static pt_err deliver(const struct question *q, const struct target *target, struct arena *scratch,
	pt_time left, struct fetch_response *out)
{
	const struct webhook *webhook = q->webhook;
	struct fetch_header headers[3] = { { PT_STR("X-Netlify-Event"), q->label } };
	struct fetch_request request = {
		.url = target->at.url,
		.headers = headers,
		.n_headers = 1,
		.body = q->body,
		.content_type = PT_STR("application/json"),
		.deadline = left < webhook->try_time ? left : webhook->try_time,
		.body_max = ANSWER_MOST,
		.allow_private = webhook->allow_private,
		.allowed = webhook->networks,
		.n_allowed = webhook->n_networks,
	};

	if (q->signature.n > 0)
		headers[request.n_headers++] =
			(struct fetch_header){ PT_STR("x-webhook-signature"), q->signature };
	if (target->at.login.n > 0)
		headers[request.n_headers++] =
			(struct fetch_header){ PT_STR("Authorization"), target->at.login };
	return fetch(scratch, &request, out);
}

static bool is_yes(int status)
{
	return status == 200 || status == 202 || status == 204;
}

/* A status that says no needs no body to say it. */
static pt_err response_judge(const struct fetch_response *response)
{
	if (response->status != 0 && !is_yes(response->status))
		return PT_E_HOOK_REFUSED;
	switch (response->failure) {
	case FETCH_ANSWERED:
		return PT_OK;
	case FETCH_TIMEOUT:
		return PT_E_HOOK_TIMEOUT;
	case FETCH_NOT_CONNECTED:
		return PT_E_HOOK_UNREACHABLE;
	case FETCH_BROKEN:
		return response->status != 0 ? PT_E_HOOK_MALFORMED : PT_E_HOOK_BROKEN;
	}
	return fault(PT_F_BUG, "a transfer failed in an unknown way");
}

static pt_err try_once(
	const struct question *q, const struct target *target, struct arena *scratch, pt_str *body)
{
	struct fetch_response response;
	pt_time left = q->until - clock_monotonic();

	if (left <= 0)
		return PT_E_HOOK_TIMEOUT;
	pt_err err = deliver(q, target, scratch, left, &response);
	if (err != PT_OK && err != PT_F_IO)
		return err;
	TRY(response_judge(&response));
	*body = response.body;
	return PT_OK;
}

/* ---- one target ---- */

static bool may_try_again(pt_err err)
{
	return err == PT_E_HOOK_REFUSED || err == PT_E_HOOK_TIMEOUT;
}

/* Says in words what a try came to, and logs it. */
static pt_err explain(const struct question *q, const struct target *target, pt_arena *arena,
	pt_err err, pt_str *detail)
{
	struct buf b = BUF(arena, 4 * KIB);

	if (pt_is_fault(err))
		return err;
	LOG(LOG_WARN, "webhook.failed", F_STR("url", target->at.label),
		F_CSTR("event", pt_hook_name(q->event)), F_CSTR("why", pt_err_name(err)));
	switch (err) {
	case PT_E_HOOK_UNREACHABLE:
		buf_str(&b, PT_STR("Failed to connect to "));
		buf_str(&b, target->at.label);
		break;
	case PT_E_HOOK_TIMEOUT:
		buf_printf(&b, "Failed to perform webhook in time frame (%g seconds)",
			(double)q->webhook->try_time / (double)PT_SECOND);
		break;
	case PT_E_HOOK_BROKEN:
		buf_str(&b, PT_STR("Failed to trigger webhook to "));
		buf_str(&b, target->at.label);
		break;
	case PT_E_HOOK_MALFORMED:
		buf_str(&b,
			PT_STR("Webhook returned malformed BODY: it broke off or is too large"));
		break;
	default:
		buf_str(&b, PT_STR("Failed to handle signup webhook"));
		break;
	}
	TRY(buf_done(&b, detail));
	return err;
}

static void own_arena(struct arena **arena)
{
	arena_close(*arena);
}

static pt_err target_ask(const struct question *q, const struct target *target, pt_arena *arena,
	struct pt_hook_reply *reply, pt_str *detail)
{
	PT_OWN(own_arena) struct arena *scratch = arena_open(SCRATCH);
	pt_err err = PT_E_HOOK_TIMEOUT;
	pt_str body;

	if (!scratch)
		return fault(PT_F_MEMORY, "no room to ask a hook");
	for (int i = 0; i < q->webhook->tries; i++) {
		arena_reset(scratch);
		err = try_once(q, target, scratch, &body);
		if (!may_try_again(err))
			break;
	}
	if (err != PT_OK)
		return explain(q, target, arena, err, detail);
	return reply_take(scratch, arena, body, reply, detail);
}

/* ---- one question ---- */

static pt_err question_make(const struct webhook *webhook, pt_arena *arena,
	enum pt_hook_event event, pt_str body, struct question *out)
{
	struct question q = {
		.webhook = webhook,
		.event = event,
		.body = body,
		.until = clock_monotonic() + webhook->time_in_all,
	};
	struct buf b = BUF(arena, KIB);

	buf_str(&b, PT_STR("identity_"));
	buf_str(&b, str(pt_hook_name(event)));
	TRY(buf_done(&b, &q.label));
	if (webhook->key)
		TRY(webhook_sign(
			arena, webhook->key, webhook->tenant, clock_now(), body, &q.signature));
	*out = q;
	return PT_OK;
}

static pt_err webhook_ask(void *context, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	const struct webhook *webhook = context;
	struct pt_hook_reply said = { 0 };
	struct question q;

	TRY(question_make(webhook, arena, event, body, &q));
	for (size_t i = 0; i < webhook->n_targets; i++) {
		const struct target *target = &webhook->targets[i];

		if (target->wants[event])
			TRY(target_ask(&q, target, arena, &said, detail));
	}
	*reply = said;
	return PT_OK;
}

/* ---- opening ---- */

static void webhook_free(struct webhook **webhook)
{
	if (!*webhook)
		return;
	jwk_close((*webhook)->key);
	arena_close((*webhook)->strings);
	free(*webhook);
}

static pt_err no_room(void)
{
	return fault(PT_F_MEMORY, "no room for the settings of hooks");
}

/* A name that this program does not know belongs to no event of ours: nothing to ask about. */
static void event_mark(struct target *target, pt_str name)
{
	name = str_trim(name);
	for (int i = 0; i < EVENTS; i++) {
		if (str_eq(name, str(pt_hook_name((enum pt_hook_event)i)))) {
			target->wants[i] = true;
			return;
		}
	}
	if (name.n > 0)
		log_say(LOG_WARN, "webhook.unknown_event", "webhook events: `%.*s` never happens",
			(int)name.n, name.p);
}

static pt_err target_make(
	struct webhook *webhook, const struct webhook_setup *setup, pt_str url, struct target **out)
{
	struct target *target = &webhook->targets[webhook->n_targets];

	TRY(webhook_url_make(webhook->strings, setup->site_url, url, &target->at));
	if (str_starts(target->at.url, PT_STR("http:")) && !webhook->allow_private &&
		webhook->n_networks == 0)
		LOG(LOG_WARN, "webhook.plain_http", F_STR("url", target->at.label),
			F_CSTR("message", "cannot be reached: it must be https, or "
					  "webhook.allow_private be set"));
	webhook->n_targets++;
	*out = target;
	return PT_OK;
}

static pt_err targets_make(struct webhook *webhook, const struct webhook_setup *setup)
{
	size_t n = setup->url.n > 0 ? 1 : setup->n_targets;
	struct target *target;

	webhook->targets = ARENA_ARRAY(webhook->strings, struct target, n);
	if (!webhook->targets)
		return no_room();
	if (setup->url.n > 0) {
		TRY(target_make(webhook, setup, setup->url, &target));
		for (size_t i = 0; i < setup->n_events; i++)
			event_mark(target, setup->events[i]);
		return PT_OK;
	}
	for (size_t i = 0; i < n; i++) {
		TRY(target_make(webhook, setup, setup->targets[i].url, &target));
		event_mark(target, setup->targets[i].event);
	}
	return PT_OK;
}

static pt_err networks_make(struct webhook *webhook, const struct webhook_setup *setup)
{
	webhook->networks = ARENA_ARRAY(webhook->strings, struct guard_network, setup->n_networks);
	if (!webhook->networks)
		return no_room();
	for (size_t i = 0; i < setup->n_networks; i++) {
		pt_str text = str_trim(setup->networks[i]);

		if (!guard_network_parse(text, &webhook->networks[i]))
			return fault(PT_F_CONFIG, "hooks: %.*s is no network like 10.0.0.0/8",
				(int)text.n, text.p);
	}
	webhook->n_networks = setup->n_networks;
	return PT_OK;
}

static pt_err key_make(struct webhook *webhook, pt_str secret)
{
	const char *why = "";
	pt_err err;

	if (secret.n == 0)
		return PT_OK;
	err = jwk_from_secret(secret, NULL, &webhook->key, &why);
	if (err == PT_E_MALFORMED)
		return fault(PT_F_CONFIG, "the secret of hooks cannot be used: %s", why);
	return err;
}

static pt_err webhook_fill(struct webhook *webhook, const struct webhook_setup *setup)
{
	pt_str tenant = setup->tenant.n > 0 ? setup->tenant : no_tenant;

	webhook->strings = arena_open(STRINGS);
	if (!webhook->strings || !arena_str(webhook->strings, tenant, &webhook->tenant))
		return no_room();
	webhook->tries = setup->tries > 0 ? setup->tries : TRIES;
	webhook->try_time = setup->try_time > 0 ? setup->try_time : time_of_a_try;
	webhook->time_in_all = setup->time_in_all > 0 ? setup->time_in_all : time_of_all_tries;
	webhook->allow_private = setup->allow_private;
	webhook->render = setup->render;
	TRY(networks_make(webhook, setup));
	TRY(targets_make(webhook, setup));
	return key_make(webhook, setup->secret);
}

pt_err webhook_open(const struct webhook_setup *setup, struct pt_hooks *out)
{
	PT_OWN(webhook_free) struct webhook *webhook = calloc(1, sizeof(*webhook));

	if (!webhook)
		return no_room();
	TRY(webhook_fill(webhook, setup));
	*out = (struct pt_hooks){
		.size = sizeof(*out),
		.ctx = PT_GIVE(webhook),
		.wants = webhook_wants,
		.write = webhook_write,
		.ask = webhook_ask,
	};
	return PT_OK;
}

void webhook_close(struct pt_hooks *hooks)
{
	if (!hooks || !hooks->ctx)
		return;
	struct webhook *webhook = hooks->ctx;
	webhook_free(&webhook);
	*hooks = (struct pt_hooks){ 0 };
}
