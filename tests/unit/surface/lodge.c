/*
 * lodge.c - the lodge.
 */
#include "lodge.h"

#include <string.h>

#include "base/json.h"
#include "portress/tenant.h"

#include "base/banned.h"

/* `change` of a desk has no room for more than the desk. */
static struct lodge *opening;

static const struct pt_keys keys = {
	.root = PT_STR_INIT("0123456789abcdef0123456789abcdef"),
	.access = PT_STR_INIT("the key of access tokens, 32 bytes"),
	.access_kid = PT_STR_INIT("nf-ident"),
};

static void policy_fill(struct lodge *l)
{
	pt_policy_init(&l->policy);
	l->policy.argon2_kib = 1024;
	l->policy.argon2_passes = 1;
	l->policy.signin_with_email = true;
	l->policy.token_profile = true;
	l->policy.log_names = true;
	l->policy.password_min = 1;
	l->policy.password_in_bytes = true;
	l->policy.password_blocklist = false;
	l->policy.password_max_bytes = 72;
	l->policy.mail_pause = 15 * PT_MINUTE;
	l->policy.mail_per_recipient = 0;
	l->policy.mail_per_client = 0;
	l->policy.mail_limit_told = true;
}

static pt_err provider_authorize(
	void *ctx, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url)
{
	struct buf b = BUF(arena, 16 * KIB);

	(void)ctx;
	buf_str(&b, PT_STR("https://github.example/authorize?state="));
	buf_str(&b, ask->state);
	return buf_done(&b, url);
}

static pt_err provider_profile(
	void *ctx, pt_arena *arena, const struct pt_provider_answer *answer, struct pt_profile *out)
{
	const struct lodge *l = ctx;

	(void)arena;
	if (!str_eq(answer->code, PT_STR("good")))
		return PT_E_PROVIDER_EXCHANGE;
	if (!l->profile_email)
		return PT_E_PROVIDER_PROFILE;
	*out = (struct pt_profile){
		.subject = PT_STR("4711"),
		.emails = { { str(l->profile_email), l->profile_verified, true } },
		.n_emails = 1,
		.full_name = PT_STR("Ada Example"),
	};
	return PT_OK;
}

static struct pt_site *site_over(struct lodge *l, pt_str tenant)
{
	struct pt_site *site;
	struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = &l->policy,
		.keys = &keys,
		.store = &l->desk.store,
		.store_shared = true,
		.tenant = tenant,
		.public_url = PT_STR("http://localhost:8080"),
		.site_url = PT_STR(SITE),
		.providers = &l->provider,
		.n_providers = 1,
	};

	setup.letters[PT_LETTER_VERIFY].link = PT_STR(SITE "/#confirmation_token=");
	setup.letters[PT_LETTER_RESET].link = PT_STR(SITE "/#recovery_token=");
	setup.letters[PT_LETTER_INVITE].link = PT_STR(SITE "/#invite_token=");
	setup.letters[PT_LETTER_EMAIL_CHANGE].link = PT_STR(SITE "/#email_change_token=");
	EXPECT_ERR(PT_OK, pt_site_open(&setup, &site));
	return site;
}

static struct gotrue_site gotrue_site_of(struct pt_site *site, pt_str instance)
{
	return (struct gotrue_site){
		.site = site,
		.instance = instance,
		.site_url = PT_STR(SITE),
		.admin_group = PT_STR("admin"),
		.token_seconds = 3600,
		.cookie_key = PT_STR("nf_jwt"),
		.cookie_seconds = 86400,
		.providers = { { PT_STR("github"), true, true, true },
			{ PT_STR("gitlab"), true, false, true } },
		.n_providers = 2,
	};
}

static pt_err instance_open(
	void *ctx, const struct gotrue_tenant *tenant, struct gotrue_site *out, const char **why)
{
	struct lodge *l = ctx;
	void (*meanwhile)(struct lodge *) = l->opening;

	if (meanwhile) {
		l->opening = NULL;
		meanwhile(l);
	}
	if (!str_contains(tenant->tenant->config, PT_STR("site_url"))) {
		*why = "no site_url";
		return PT_F_CONFIG;
	}
	l->opened++;
	if (!str_contains(tenant->tenant->config, PT_STR("\"exp\"")))
		snprintf(l->config, sizeof(l->config), "%.*s", (int)tenant->tenant->config.n,
			tenant->tenant->config.p);
	*out = gotrue_site_of(site_over(l, str(tenant->tenant->id.text)), PT_STR(""));
	return PT_OK;
}

static void instance_close(void *ctx, struct gotrue_site *site)
{
	struct lodge *l = ctx;

	l->closed++;
	pt_site_close(site->site);
}

static void desk_change(struct desk *d)
{
	struct lodge *l = opening;

	l->provider = (struct pt_provider){ sizeof(l->provider), "github", l, provider_authorize,
		provider_profile };
	l->site = site_over(l, PT_STR(""));
	d->setup.gotrue.on = true;
	d->setup.gotrue.many = l->many;
	d->setup.gotrue.operator_site = l->site;
	d->setup.gotrue.site_open = instance_open;
	d->setup.gotrue.site_close = instance_close;
	d->setup.gotrue.sites_ctx = l;
	if (!l->many) {
		struct gotrue_site site = gotrue_site_of(l->site, PT_STR(NOBODY));
		site.email_off = d->setup.gotrue.site.email_off;
		site.saml_label = d->setup.gotrue.site.saml_label;
		site.redirect_url = d->setup.gotrue.site.redirect_url;
		d->setup.gotrue.site = site;
	}
}

static void (*changing)(struct lodge *l);

static void desk_change_first(struct desk *d)
{
	struct lodge *l = opening;

	policy_fill(l);
	d->setup.gotrue = (struct gotrue_setup){
		.mount = PT_STR("/"),
		.operator_token = PT_STR(OPERATOR_TOKEN),
		.request_id_header = PT_STR("x-the-request"),
		.origins = PT_STR("https://known.example.org"),
		.endpoint = PT_STR("https://id.example.org"),
	};
	d->setup.pages.on = false;
	if (changing)
		changing(l);
	desk_change(d);
}

void lodge_open(struct lodge *l, void (*change)(struct lodge *l))
{
	bool many = l->many;

	memset(l, 0, sizeof(*l));
	l->many = many;
	opening = l;
	changing = change;
	desk_open(&l->desk, desk_change_first);
}

void lodge_close(struct lodge *l)
{
	struct desk *d = &l->desk;

	surface_close(d->surface);
	assert_int_equal(l->opened, l->closed);
	d->surface = NULL;
	pt_site_close(l->site);
	desk_close(d);
}

int lodge_setup(void **state)
{
	struct lodge *l = test_calloc(1, sizeof(*l));

	lodge_open(l, NULL);
	*state = l;
	return 0;
}

int lodge_setup_many(void **state)
{
	struct lodge *l = test_calloc(1, sizeof(*l));

	l->many = true;
	lodge_open(l, NULL);
	*state = l;
	return 0;
}

int lodge_teardown(void **state)
{
	lodge_close(*state);
	test_free(*state);
	return 0;
}

/* ---- asking ---- */

struct heard lodge_ask(struct lodge *l, enum http_method method, const char *path, const char *body,
	const char *a, const char *b, const char *c)
{
	const struct ask ask = { .method = method,
		.path = path,
		.body = body,
		.headers = { a, b, c },
		.stranger = true };

	return desk_ask(&l->desk, &ask);
}

struct heard lodge_get(struct lodge *l, const char *path)
{
	return lodge_ask(l, HTTP_GET, path, NULL, NULL, NULL, NULL);
}

struct heard lodge_post(struct lodge *l, const char *path, const char *json)
{
	return lodge_ask(l, HTTP_POST, path, json, NULL, NULL, NULL);
}

struct heard lodge_form(struct lodge *l, const char *path, const char *body)
{
	return lodge_ask(l, HTTP_POST, path, body, "content-type: " FORM_TYPE, NULL, NULL);
}

struct heard lodge_order(
	struct lodge *l, enum http_method method, const char *path, const char *json)
{
	return lodge_ask(l, method, path, json, AS_OPERATOR, NULL, NULL);
}

const char *heard_text(struct lodge *l, const struct heard *h, const char *name)
{
	struct json_value object;

	if (json_read(l->desk.memory, str(h->body), &object) != PT_OK)
		fail_msg("no JSON: %s", h->body);
	const struct json_value *value = json_find(&object, str(name));
	return value && value->type == JSON_STRING ? value->text.p : "";
}

const char *format(struct lodge *l, const char *text, const char *a, const char *b)
{
	struct buf out = BUF(l->desk.memory, 64 * KIB);
	const char *parts[] = { a, b };
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '$' && n < COUNT(parts) && parts[n])
			buf_str(&out, str(parts[n++]));
		else
			buf_char(&out, *p);
	}
	assert_false(out.failed);
	return buf_view(&out).p;
}

const char *bearer(struct lodge *l, const char *token)
{
	return format(l, "authorization: Bearer $", token, NULL);
}

struct heard lodge_signin(struct lodge *l, const char *name, const char *password)
{
	return lodge_form(l, "/token",
		format(l, "grant_type=password&username=$@example.org&password=$", name, password));
}

struct heard lodge_join(struct lodge *l, const char *name)
{
	struct heard h = lodge_post(l, "/signup",
		format(l, "{\"email\":\"$@example.org\",\"password\":\"$\"}", name, PASSWORD));

	assert_int_equal(h.status, 200);
	return lodge_post(l, "/verify",
		format(l, "{\"type\":\"signup\",\"token\":\"$\"}",
			desk_letter_secret(&l->desk, PT_LETTER_VERIFY), NULL));
}

const char *lodge_enter(struct lodge *l, const char *name)
{
	struct heard h = lodge_join(l, name);

	if (h.status != 200)
		fail_msg("%d %s", h.status, h.body);
	return bearer(l, heard_text(l, &h, "access_token"));
}
