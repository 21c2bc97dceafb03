/*
 * world.c - the small world.
 */
#include "world.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "core/site.h"
#include "crypt/seal.h"

static void count_letter(void *ctx)
{
	((struct world *)ctx)->letters_posted++;
}

static pt_err take_letter(void *ctx, pt_arena *arena, const struct pt_letter *letter)
{
	struct world *w = ctx;

	(void)arena, (void)letter;
	if (w->mail_fails)
		return PT_E_MAIL;
	w->mailed++;
	return PT_E_NOT_FOUND;
}

static void policy_cheap(struct world *w)
{
	w->now = 1800000000 * PT_SECOND;
	w->client = "203.0.113.7";
	pt_policy_init(&w->policy);
	w->policy.argon2_kib = 1024;
	w->policy.argon2_passes = 1;
	w->policy.signin_password_min = 6;
}

static void site_open(struct world *w)
{
	const struct pt_keys keys = { .root = PT_STR("0123456789abcdef0123456789abcdef") };
	struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = &w->policy,
		.keys = &keys,
		.store = &w->store,
		.public_url = PT_STR("https://id.example.org"),
		.tenant = str(w->tenant),
		.hooks = w->hooks.size ? &w->hooks : NULL,
		.providers = &w->provider,
		.n_providers = w->provider.size ? 1 : 0,
		.courier = PT_STR("by whom"),
		.letter_waits = count_letter,
		.letter_waits_ctx = w,
		.post = w->policy.mail_at_once ? take_letter : NULL,
		.post_ctx = w,
	};

	EXPECT_ERR(PT_OK, pt_store_memory(&w->store));
	EXPECT_ERR(PT_OK, pt_site_open(&setup, &w->site));
}

void world_open_with(struct world *w, void (*change)(struct pt_policy *policy))
{
	memset(w, 0, sizeof(*w));
	policy_cheap(w);
	if (change)
		change(&w->policy);
	site_open(w);
}

void world_open_profiles(struct world *w, void (*change)(struct pt_policy *policy))
{
	*w = (struct world){ .hooks = w->hooks, .provider = w->provider, .tenant = w->tenant };
	policy_cheap(w);
	w->policy.signin_with_email = true;
	w->policy.token_profile = true;
	w->policy.mail_at_once = true;
	w->policy.mail_limit_told = true;
	w->policy.log_names = true;
	w->policy.mail_pause = 15 * PT_MINUTE;
	if (change)
		change(&w->policy);
	site_open(w);
}

void world_open(struct world *w)
{
	world_open_with(w, NULL);
}

void world_close(struct world *w)
{
	pt_call_end(w->call);
	pt_site_close(w->site);
}

struct pt_call *world_call(struct world *w)
{
	const struct pt_asker asker = {
		.client = str(w->client),
		.client_known = true,
		.user_agent = PT_STR("unit test"),
		.request = PT_STR("0123456789abcdef"),
		.now = w->now,
		.audience = str(w->audience),
	};

	pt_call_end(w->call);
	EXPECT_ERR(PT_OK, pt_call_begin(w->site, NULL, &asker, &w->call));
	return w->call;
}

pt_err world_signup(struct world *w, const char *name, const char *email)
{
	struct pt_account account;
	const struct pt_signup_form form = {
		.username = str(name),
		.email = str(email),
		.password = PT_STR(PASSWORD),
	};

	return pt_signup(world_call(w), &form, &account);
}

void world_join(struct world *w, const char *name, const char *email)
{
	EXPECT_ERR(PT_OK, world_signup(w, name, email));
	const char *secret = world_letter_secret(w, PT_LETTER_VERIFY);
	EXPECT_ERR(PT_OK, pt_confirm(world_call(w), str(secret)));
}

pt_err world_signin(struct world *w, const char *name, const char *password, struct pt_grant *out)
{
	const struct pt_signin_form form = { .name = str(name), .password = str(password) };

	return pt_signin(world_call(w), &form, PT_GRANT_SESSION | PT_GRANT_TOKENS, out);
}

static size_t letters(struct world *w, struct pt_letter **out)
{
	size_t n = 0;

	world_call(w);
	EXPECT_ERR(PT_OK, w->store.letter_list(w->store.ctx, pt_call_arena(w->call), 100, out, &n));
	return n;
}

const char *world_letter_secret(struct world *w, enum pt_letter_kind kind)
{
	static char secret[128];
	struct pt_letter *all = NULL;
	struct json_value variables;
	size_t n = letters(w, &all);
	struct key key;
	pt_str clear;

	secret[0] = '\0';
	site_letter_key(w->site, &key);
	for (size_t i = 0; i < n && !secret[0]; i++) {
		if (all[i].kind != kind)
			continue;
		struct arena *arena = pt_call_arena(w->call);
		EXPECT_ERR(
			PT_OK, seal_open(arena, &key, str(all[i].id.text), all[i].sealed, &clear));
		EXPECT_ERR(PT_OK, json_read(arena, clear, &variables));
		assert_true(
			str_eq(json_find(&variables, PT_STR("courier"))->text, PT_STR("by whom")));
		pt_str link = json_find(&variables, PT_STR("link"))->text;
		pt_str head, text;
		if (str_cut(link, '=', &head, &text))
			memcpy(secret, text.p, text.n < 127 ? text.n + 1 : 0);
	}
	return secret;
}

int world_letters(struct world *w, enum pt_letter_kind kind)
{
	struct pt_letter *all = NULL;
	size_t n = letters(w, &all);
	int found = 0;

	for (size_t i = 0; i < n; i++)
		found += all[i].kind == kind;
	return found;
}

int world_events(struct world *w, enum pt_event_kind kind)
{
	struct pt_event *all = NULL;
	size_t n = 0;
	int found = 0;

	EXPECT_ERR(PT_OK, pt_event_list(world_call(w), PT_STR(""), 1000, &all, &n));
	for (size_t i = 0; i < n; i++)
		found += all[i].kind == kind;
	return found;
}

struct pt_account world_account(struct world *w, const char *name)
{
	struct pt_account account;

	EXPECT_ERR(PT_OK, pt_account_find(world_call(w), str(name), &account));
	return account;
}
