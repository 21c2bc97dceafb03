/*
 * guard.c - the dialect's gates: who asks, and may they?
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"

enum { REQUESTS = 30 };
#define REQUESTS_REFILL (10 * PT_SECOND)

/* ---- bearer ---- */

/* `[Bb]earer`, a space, and something without spaces. "" for anything else. */
static pt_str bearer_of(const struct exchange *ex)
{
	pt_str header = http_header(ex->rq, PT_STR("authorization"));
	pt_str token = str_slice(header, 7, header.n);

	if (!str_starts(header, PT_STR("Bearer ")) && !str_starts(header, PT_STR("bearer ")))
		return PT_STR("");
	return str_find(token, ' ') == token.n && str_find(token, '\t') == token.n ? token
										   : PT_STR("");
}

static pt_err no_bearer(struct exchange *ex)
{
	return gotrue_no(ex, 401, "This endpoint requires a Bearer token");
}

/* "1h2m3s", as Go writes a duration of whole seconds. */
static void duration_write(struct buf *b, pt_time duration)
{
	int64_t seconds = duration / PT_SECOND;

	if (seconds >= 3600)
		buf_printf(b, "%lldh", (long long)(seconds / 3600));
	if (seconds >= 60)
		buf_printf(b, "%lldm", (long long)(seconds / 60 % 60));
	buf_printf(b, "%llds", (long long)(seconds % 60));
}

static void flaw_write(struct buf *b, const struct pt_access *access)
{
	switch (access->flaw) {
	case PT_FLAW_NONE:
		break;
	case PT_FLAW_SEGMENTS:
		buf_str(b, PT_STR("token contains an invalid number of segments"));
		return;
	case PT_FLAW_ENCODING:
		buf_str(b, PT_STR("token cannot be decoded"));
		return;
	case PT_FLAW_ALGORITHM:
		buf_str(b, PT_STR("signing method "));
		buf_str(b, str_slice(access->algorithm, 0, 32));
		buf_str(b, PT_STR(" is invalid"));
		return;
	case PT_FLAW_SIGNATURE:
		buf_str(b, PT_STR("signature is invalid"));
		return;
	case PT_FLAW_CLAIMS:
		buf_str(b, PT_STR("token has no usable exp"));
		return;
	case PT_FLAW_EXPIRED:
		buf_str(b, PT_STR("token is expired by "));
		duration_write(b, access->flaw_by);
		return;
	case PT_FLAW_NOT_YET:
		buf_str(b, PT_STR("token is not valid yet"));
		return;
	case PT_FLAW_EARLY:
		buf_str(b, PT_STR("token used before issued"));
		return;
	}
	buf_str(b, PT_STR("token is not valid"));
}

/* The token alone; whose it is stays unread. */
static pt_err token_read(struct exchange *ex, pt_str bearer)
{
	struct visit *visit = visit_of(ex);
	struct buf b = BUF(ex->arena, 256);
	pt_str detail;

	pt_err err = pt_access_read(ex->call, bearer, &visit->access);
	if (err != PT_E_TOKEN && err != PT_E_TOKEN_CLAIMS)
		return err;
	cookie_clear(ex);
	flaw_write(&b, &visit->access);
	TRY(buf_done(&b, &detail));
	return gotrue_no_detail(ex, 401, "Invalid token", detail);
}

static pt_err gate_bearer(struct exchange *ex)
{
	pt_str bearer = bearer_of(ex);

	if (bearer.n == 0) {
		cookie_clear(ex);
		return no_bearer(ex);
	}
	return token_read(ex, bearer);
}

/* ---- audiences ---- */

bool is_name(pt_str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return text.n <= 255 && str_utf8(text);
}

pt_str request_audience(struct exchange *ex)
{
	pt_str told = http_header(ex->rq, PT_STR("x-jwt-aud"));

	if (told.n > 0)
		return told;
	told = visit_of(ex)->access.audience;
	return told.n > 0 ? told : pt_call_audience(ex->call);
}

/* ---- administrators ---- */

/* One who is in no table: may do everything. */
static void admin_nobody(struct visit *visit, pt_str email, pt_str audience)
{
	visit->admin = (struct pt_account){
		.id = { NOBODY },
		.email = email,
		.audience = audience,
		.super_admin = true,
	};
}

static pt_err admin_by_token(struct exchange *ex, pt_str bearer)
{
	struct visit *visit = visit_of(ex);

	TRY(token_read(ex, bearer));
	pt_str subject = visit->access.subject;
	if (str_eq(subject, PT_STR("0")) || str_eq(subject, PT_STR(NOBODY))) {
		admin_nobody(visit, PT_STR(""), visit->access.audience);
		return PT_OK;
	}
	pt_err err = is_uuid(subject) ? pt_account_get(ex->call, subject, &visit->admin)
				      : PT_E_NOT_FOUND;
	return err == PT_E_NOT_FOUND ? gotrue_no(ex, 401, "Invalid admin user") : err;
}

bool may_administer(const struct exchange *ex, const struct pt_account *account, pt_str audience)
{
	pt_str group = site_of(ex)->admin_group;

	if (account->super_admin)
		return true;
	return group.n > 0 && str_eq(account->role, group) && str_eq(account->audience, audience);
}

/* The audience that a body names, for the check alone. */
static pt_err audience_asked(struct exchange *ex, pt_str *out)
{
	pt_str told = PT_STR("");
	const struct body_field fields[] = { { "aud", BODY_TEXT, &told } };

	if (ex->rq->body.n > 0)
		TRY(BODY_READ(ex, "Could not decode admin user params", fields));
	*out = told.n > 0 ? told : request_audience(ex);
	return PT_OK;
}

static bool is_operator(const struct exchange *ex, pt_str bearer)
{
	pt_str token = setup_of(ex)->operator_token;

	return token.n > 0 && pt_secret_equal(bearer, token);
}

/* Somebody who was switched off administers nothing. What a body names must be his, and so must what the
 * request goes on to read and write. */
static pt_err admin_check(struct exchange *ex)
{
	const struct visit *visit = visit_of(ex);
	pt_str audience;

	TRY(audience_asked(ex, &audience));
	if (visit->admin.disabled_at != 0 || !may_administer(ex, &visit->admin, audience) ||
		!may_administer(ex, &visit->admin, request_audience(ex)))
		return gotrue_no(ex, 401, "User not allowed");
	return PT_OK;
}

static pt_err gate_admin(struct exchange *ex)
{
	struct visit *visit = visit_of(ex);
	pt_str bearer = bearer_of(ex);

	if (bearer.n == 0)
		return no_bearer(ex);
	visit->operator_ = is_operator(ex, bearer);
	if (visit->operator_) {
		admin_nobody(visit, PT_STR("operator@netlify.com"), PT_STR(""));
	} else {
		TRY(admin_by_token(ex, bearer));
		TRY(admin_check(ex));
	}
	pt_call_act_as(ex->call, &visit->admin);
	return PT_OK;
}

static pt_err gate_operator(struct exchange *ex)
{
	pt_str bearer = bearer_of(ex);

	if (bearer.n == 0)
		return no_bearer(ex);
	return is_operator(ex, bearer)
		       ? PT_OK
		       : gotrue_no(ex, 401, "Request does not include an Operator token");
}

/* ---- the smaller ones ---- */

static pt_err gate_relay(struct exchange *ex)
{
	pt_str relay;

	TRY(exchange_query(ex, "RelayState", &relay));
	if (relay.n == 0 && ex->rq->method == HTTP_POST && body_type(ex->rq) == BODY_FORM) {
		TRY(fields_read(ex->rq, 64 * KIB, &ex->fields));
		relay = field_value(&ex->fields, PT_STR("RelayState"));
	}
	return relay.n > 0 ? PT_OK : gotrue_no(ex, 400, "SAML RelayState is missing");
}

static pt_err gate_email(struct exchange *ex)
{
	return site_of(ex)->email_off ? gotrue_no(ex, 400, "Unsupported email provider") : PT_OK;
}

/* Who sends no such header shares one count. */
static pt_err gate_rate(struct exchange *ex)
{
	pt_str header = setup_of(ex)->limit_header;

	if (header.n == 0)
		return PT_OK;
	return pt_limit(ex->call, "token", http_header(ex->rq, header), REQUESTS, REQUESTS_REFILL);
}

/* Without a secret there is no such path, and its last word is an id. */
static pt_err gate_export(struct exchange *ex)
{
	pt_str secret = setup_of(ex)->export_secret;
	pt_str shown = http_header(ex->rq, PT_STR("export_secret"));

	if (secret.n == 0)
		return gotrue_no(ex, 400, "user_id must be an UUID");
	/* Proxies drop names with an underscore. */
	if (shown.n == 0)
		shown = http_header(ex->rq, PT_STR("export-secret"));
	return pt_secret_equal(shown, secret) ? PT_OK : gotrue_no(ex, 401, "Invalid export secret");
}

static const struct {
	unsigned gate;
	pt_err (*pass)(struct exchange *ex);
} passes[] = {
	{ GATE_OPERATOR, gate_operator },
	{ GATE_STATE, state_enter },
	{ GATE_RELAY, gate_relay },
	{ GATE_BEARER, gate_bearer },
	{ GATE_ADMIN, gate_admin },
	{ GATE_EMAIL, gate_email },
	{ GATE_RATE, gate_rate },
	{ GATE_EXPORT, gate_export },
};

/* From then on the accounts of the audience are meant that the request says. */
static pt_err audience_set(struct exchange *ex)
{
	pt_str audience = request_audience(ex);

	if (!is_name(audience))
		return gotrue_no(ex, 400, "Audience cannot be used");
	pt_call_set_audience(ex->call, audience);
	return PT_OK;
}

pt_err gotrue_guard(struct exchange *ex, unsigned gates)
{
	struct visit *visit = visit_of(ex);
	unsigned due = gates & ~visit->passed;

	if (visit->place)
		TRY(audience_set(ex));
	if (due == 0)
		return PT_OK;
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
		if (due & passes[i].gate)
			TRY(passes[i].pass(ex));
	visit->passed |= due;
	/* A token may have named another one. */
	return visit->place ? audience_set(ex) : PT_OK;
}
