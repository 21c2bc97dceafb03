/*
 * captcha.c - was it a human? One question, and no answer is a no.
 */
#include "outbound/captcha.h"

#include "base/err.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	STRINGS = 8 * 1024,
	RESPONSE = 8 * 1024, /* what the widget gives has some 2,000 bytes */
	FORM = 64 * 1024,
	ANSWER = 64 * 1024,
};

static const pt_time deadline = 5 * PT_SECOND;
static const pt_str google = PT_STR_INIT("https://www.google.com/recaptcha/api/siteverify");

struct asker {
	struct arena *strings; /* the secret among them: wiped with it */
	pt_str url;
	pt_str secret;
	pt_str hostname;
	bool is_own; /* the operator chose the address */
};

static pt_err refuse(const char *reason)
{
	LOG(LOG_INFO, "captcha.refused", F_CSTR("reason", reason));
	return PT_E_CAPTCHA;
}

static pt_err form_make(
	pt_arena *arena, const struct asker *asker, pt_str response, pt_str client, pt_str *out)
{
	struct buf b = BUF(arena, FORM);

	buf_str(&b, PT_STR("secret="));
	buf_url(&b, asker->secret);
	buf_str(&b, PT_STR("&response="));
	buf_url(&b, response);
	if (client.n > 0) {
		buf_str(&b, PT_STR("&remoteip="));
		buf_url(&b, client);
	}
	return buf_done(&b, out);
}

static bool is_true(const struct json_value *value)
{
	return value && value->type == JSON_BOOL && value->truth;
}

/* A response solved on another site is a human there. */
static bool is_our_host(const struct asker *asker, const struct json_value *answer)
{
	const struct json_value *host = json_find(answer, PT_STR("hostname"));

	if (!host || asker->hostname.n == 0)
		return true;
	return host->type == JSON_STRING && str_eq_nocase(host->text, asker->hostname);
}

static pt_err answer_judge(
	pt_arena *arena, const struct asker *asker, const struct fetch_response *response)
{
	struct json_value answer;

	if (response->status != 200)
		return refuse("the verifier did not answer 200");
	if (json_read(arena, response->body, &answer) != PT_OK)
		return refuse("the verifier's answer is not JSON");
	if (!is_true(json_find(&answer, PT_STR("success"))))
		return refuse("the verifier says no");
	if (!is_our_host(asker, &answer))
		return refuse("solved for another host");
	return PT_OK;
}

static pt_err captcha_check(void *context, pt_arena *arena, pt_str response, pt_str client)
{
	const struct asker *asker = context;
	struct fetch_request request = {
		.url = asker->url,
		.content_type = PT_STR("application/x-www-form-urlencoded"),
		.deadline = deadline,
		.body_max = ANSWER,
		.allow_private = asker->is_own,
	};
	struct fetch_response answer;

	if (response.n == 0)
		return refuse("empty");
	if (response.n > RESPONSE)
		return refuse("too long");
	if (form_make(arena, asker, response, client, &request.body) != PT_OK)
		return refuse("no memory to ask");
	if (fetch(arena, &request, &answer) != PT_OK)
		return refuse("the verifier could not be asked");
	return answer_judge(arena, asker, &answer);
}

/* ---- opening ---- */

static void asker_free(struct asker **asker)
{
	if (*asker)
		arena_close((*asker)->strings);
	free(*asker);
}

static pt_err strings_copy(struct asker *asker, const struct captcha_setup *setup)
{
	pt_str url = asker->is_own ? setup->verify_url : google;

	asker->strings = arena_open(STRINGS);
	if (!asker->strings || !arena_str(asker->strings, url, &asker->url) ||
		!arena_str(asker->strings, setup->secret, &asker->secret) ||
		!arena_str(asker->strings, setup->hostname, &asker->hostname))
		return fault(PT_F_MEMORY, "no room for the captcha settings");
	return PT_OK;
}

pt_err captcha_open(const struct captcha_setup *setup, struct pt_captcha *out)
{
	if (setup->secret.n == 0)
		return fault(PT_F_CONFIG, "the captcha has no secret");

	PT_OWN(asker_free) struct asker *asker = calloc(1, sizeof(*asker));
	if (!asker)
		return fault(PT_F_MEMORY, "no room for the captcha settings");
	asker->is_own = setup->verify_url.n > 0;
	TRY(strings_copy(asker, setup));
	*out = (struct pt_captcha){
		.size = sizeof(*out), .ctx = PT_GIVE(asker), .check = captcha_check
	};
	return PT_OK;
}

void captcha_close(struct pt_captcha *captcha)
{
	if (!captcha || !captcha->ctx)
		return;
	struct asker *asker = captcha->ctx;
	asker_free(&asker);
	*captcha = (struct pt_captcha){ 0 };
}
