/*
 * provider_token.c - a code for a token (RFC 6749 4.1.3), and what the token opens (RFC 6750).
 */
#include "outbound/provider_private.h"

#include "base/err.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	CODE_MAX = 8 * 1024,
	TOKEN_MAX = 8 * 1024,
	FORM_MAX = 64 * 1024,
	ANSWER_MAX = 1024 * 1024,
	FIELDS_MAX = 64,
};

static const pt_time deadline = 10 * PT_SECOND;

/* RFC 6749 5.2, and what GitHub says instead. Any other word might hold what nobody should read. */
static const pt_str known_errors[] = {
	PT_STR_INIT("invalid_request"),
	PT_STR_INIT("invalid_client"),
	PT_STR_INIT("invalid_grant"),
	PT_STR_INIT("unauthorized_client"),
	PT_STR_INIT("unsupported_grant_type"),
	PT_STR_INIT("invalid_scope"),
	PT_STR_INIT("server_error"),
	PT_STR_INIT("temporarily_unavailable"),
	PT_STR_INIT("bad_verification_code"),
	PT_STR_INIT("incorrect_client_credentials"),
	PT_STR_INIT("redirect_uri_mismatch"),
	PT_STR_INIT("unverified_user_email"),
};

/* One field of an answer, whichever way it was written. */
struct answer_field {
	pt_str name;
	pt_str value;
	bool is_text;
};

struct answer_fields {
	struct answer_field list[FIELDS_MAX];
	size_t n;
};

/* A house said something, and not what was asked for. What follows `?` may be a proof. */
static pt_err refuse_answer(const struct registration *us, pt_err err, const char *reason,
	pt_str url, int status, pt_str error)
{
	LOG(LOG_WARN, "provider.refused", F_CSTR("provider", us->name), F_CSTR("reason", reason),
		F_STR("url", str_slice(url, 0, str_find(url, '?'))), F_INT("status", status),
		F_STR("error", error));
	return err;
}

/* ---- reading: JSON ---- */

static pt_err json_fields(struct arena *arena, pt_str body, struct answer_fields *out)
{
	struct json_value object;

	TRY(json_read(arena, body, &object));
	if (object.type != JSON_OBJECT || object.n > FIELDS_MAX)
		return PT_E_MALFORMED;
	for (size_t i = 0; i < object.n; i++) {
		const struct json_value *item = &object.items[i];

		if (item->type != JSON_NULL)
			out->list[out->n++] = (struct answer_field){ item->name, item->text,
				item->type == JSON_STRING };
	}
	return PT_OK;
}

/* ---- reading: a form ---- */

static int hex_digit(char c)
{
	char lower = ascii_lower(c);

	if (ascii_digit(c))
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static pt_err form_text(struct arena *arena, pt_str text, pt_str *out)
{
	struct buf b = BUF(arena, ANSWER_MAX);

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i] == '+' ? ' ' : text.p[i];

		if (c == '%') {
			int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
			int low = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return PT_E_MALFORMED;
			c = (char)(high * 16 + low);
			i += 2;
		}
		buf_char(&b, c);
	}
	return buf_done(&b, out);
}

static bool is_there(const struct answer_fields *fields, pt_str name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (str_eq(fields->list[i].name, name))
			return true;
	}
	return false;
}

static pt_err form_fields(struct arena *arena, pt_str body, struct answer_fields *out)
{
	pt_str pair, rest = body;

	while (rest.n > 0) {
		struct answer_field field = { .is_text = true };
		pt_str name, value;

		str_cut(rest, '&', &pair, &rest);
		str_cut(pair, '=', &name, &value);
		TRY(form_text(arena, name, &field.name));
		TRY(form_text(arena, value, &field.value));
		if (out->n == FIELDS_MAX || is_there(out, field.name))
			return PT_E_MALFORMED;
		out->list[out->n++] = field;
	}
	return PT_OK;
}

/* ---- reading: what it says ---- */

/* "" when it is not there, or is no text. */
static pt_str field_text(const struct answer_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (fields->list[i].is_text && str_eq(fields->list[i].name, str(name)))
			return fields->list[i].value;
	}
	return PT_STR("");
}

static pt_str error_read(const struct answer_fields *fields)
{
	pt_str said = field_text(fields, "error");

	for (size_t i = 0; i < sizeof(known_errors) / sizeof(known_errors[0]); i++) {
		if (str_eq(said, known_errors[i]))
			return known_errors[i];
	}
	return is_there(fields, PT_STR("error")) ? PT_STR("other") : PT_STR("");
}

/* RFC 6749 A.12, without the space that a header would end at. */
static bool is_token(pt_str token)
{
	for (size_t i = 0; i < token.n; i++) {
		if (token.p[i] <= ' ' || token.p[i] >= 0x7F)
			return false;
	}
	return token.n > 0 && token.n <= TOKEN_MAX;
}

static bool is_bearer(pt_str type)
{
	return type.n == 0 || str_eq_nocase(type, PT_STR("bearer"));
}

/* A form cannot begin with a brace; what its Content-Type says is not always so. */
pt_err token_answer_read(struct arena *arena, pt_str body, struct token_answer *out)
{
	struct answer_fields *fields = ARENA_NEW(arena, struct answer_fields);
	size_t at = 0;

	if (!fields)
		return fault(PT_F_MEMORY, "no room for a token answer");
	while (at < body.n && (body.p[at] == ' ' || (body.p[at] >= '\t' && body.p[at] <= '\r')))
		at++;
	if (at < body.n && body.p[at] == '{')
		TRY(json_fields(arena, body, fields));
	else
		TRY(form_fields(arena, body, fields));

	struct token_answer answer = {
		.access_token = field_text(fields, "access_token"),
		.id_token = field_text(fields, "id_token"),
		.error = error_read(fields),
	};
	if (answer.error.n == 0 &&
		!(is_token(answer.access_token) && is_bearer(field_text(fields, "token_type"))))
		return PT_E_MALFORMED;
	*out = answer;
	return PT_OK;
}

/* ---- asking ---- */

static void form_pair(struct buf *b, const char *name, pt_str value)
{
	if (b->n > 0)
		buf_char(b, '&');
	buf_str(b, str(name));
	buf_char(b, '=');
	buf_url(b, value);
}

static pt_err form_make(struct arena *scratch, const struct registration *us,
	const struct token_ask *ask, const struct pt_provider_answer *answer, pt_str *out)
{
	struct buf b = BUF(scratch, FORM_MAX);

	form_pair(&b, "grant_type", PT_STR("authorization_code"));
	form_pair(&b, "code", answer->code);
	form_pair(&b, "redirect_uri", us->redirect_uri);
	if (ask->has_pkce && answer->verifier.n > 0)
		form_pair(&b, "code_verifier", answer->verifier);
	if (!ask->is_basic) {
		form_pair(&b, "client_id", us->client_id);
		form_pair(&b, "client_secret", us->secret);
	}
	return buf_done(&b, out);
}

/* RFC 6749 2.3.1: each part is encoded as in a form before it becomes a name and a password. */
static pt_err basic_make(struct arena *scratch, const struct registration *us, pt_str *out)
{
	struct buf pair = BUF(scratch, FORM_MAX), b = BUF(scratch, FORM_MAX);
	pt_str text;

	buf_url(&pair, us->client_id);
	buf_char(&pair, ':');
	buf_url(&pair, us->secret);
	TRY(buf_done(&pair, &text));
	buf_str(&b, PT_STR("Basic "));
	buf_base64(&b, text.p, text.n);
	return buf_done(&b, out);
}

static pt_err bearer_make(struct arena *scratch, pt_str token, pt_str *out)
{
	struct buf b = BUF(scratch, TOKEN_MAX + 8);

	buf_str(&b, PT_STR("Bearer "));
	buf_str(&b, token);
	return buf_done(&b, out);
}

/* `authorization` "": we ask as anybody. GitHub answers nobody without a User-Agent. */
static pt_err ask_house(struct arena *scratch, const struct registration *us, pt_str url,
	pt_str authorization, pt_str form, struct fetch_response *out)
{
	const struct fetch_header headers[] = {
		{ PT_STR("Accept"), PT_STR("application/json") },
		{ PT_STR("User-Agent"), PT_STR("Portress") },
		{ PT_STR("Authorization"), authorization },
	};
	struct fetch_request request = {
		.url = url,
		.headers = headers,
		.n_headers = authorization.n > 0 ? 3 : 2,
		.body = form,
		.content_type = PT_STR("application/x-www-form-urlencoded"),
		.deadline = deadline,
		.body_max = ANSWER_MAX,
		.allow_private = us->allow_private,
	};

	return fetch(scratch, &request, out);
}

static pt_err answer_judge(struct arena *scratch, const struct registration *us, pt_str url,
	const struct fetch_response *response, struct token_answer *out)
{
	struct token_answer answer = { .error = PT_STR("") };

	pt_err err = token_answer_read(scratch, response->body, &answer);
	if (pt_is_fault(err))
		return err;
	if (response->status / 100 != 2 || answer.error.n > 0)
		return refuse_answer(us, PT_E_PROVIDER_EXCHANGE, "the code was not taken", url,
			response->status, answer.error);
	if (err != PT_OK)
		return refuse_answer(us, PT_E_PROVIDER_EXCHANGE, "the answer holds no bearer token",
			url, response->status, PT_STR(""));
	*out = answer;
	return PT_OK;
}

pt_err token_exchange(struct arena *scratch, const struct registration *us,
	const struct token_ask *ask, const struct pt_provider_answer *answer,
	struct token_answer *out)
{
	struct fetch_response response;
	pt_str form, authorization = PT_STR("");

	if (answer->code.n == 0 || answer->code.n > CODE_MAX)
		return provider_refuse(
			us, PT_E_PROVIDER_EXCHANGE, "no code, or far too long a one");
	TRY(form_make(scratch, us, ask, answer, &form));
	if (ask->is_basic)
		TRY(basic_make(scratch, us, &authorization));
	pt_err err = ask_house(scratch, us, ask->url, authorization, form, &response);
	if (err == PT_F_IO)
		return provider_refuse(us, PT_E_PROVIDER_EXCHANGE, "the code could not be shown");
	TRY(err);
	return answer_judge(scratch, us, ask->url, &response, out);
}

pt_err resource_read(
	struct arena *scratch, const struct registration *us, pt_str url, pt_str token, pt_str *out)
{
	struct fetch_response response;
	pt_str authorization = PT_STR("");

	if (token.n > 0)
		TRY(bearer_make(scratch, token, &authorization));
	pt_err err = ask_house(scratch, us, url, authorization, PT_STR(""), &response);
	if (err == PT_F_IO)
		return provider_refuse(us, PT_E_NOT_FOUND, "a question was not answered");
	TRY(err);
	if (response.status / 100 != 2)
		return refuse_answer(us, PT_E_NOT_FOUND, "a question was not answered well", url,
			response.status, PT_STR(""));
	*out = response.body;
	return PT_OK;
}
