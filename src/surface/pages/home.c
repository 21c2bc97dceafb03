/*
 * home.c - the home page, and "who am I".
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

static const char *const endpoints[] = { "/signup", "/signin", "/signout", "/forgot", "/reset",
	"/verify", "/me", "/refresh" };

enum { ENDPOINTS = sizeof(endpoints) / sizeof(endpoints[0]) };

struct home {
	bool signed_in;
	pt_str username;
	size_t endpoints; /* G1 knew the first six */
};

static void write_home(struct json *json, const void *from)
{
	const struct home *home = from;

	json_object(json, "data");
	json_array(json, "Endpoints");
	for (size_t i = 0; i < home->endpoints; i++)
		json_str(json, NULL, str(endpoints[i]));
	json_array_end(json);
	json_bool(json, "SignedIn", home->signed_in);
	json_str(json, "Username", home->username);
	json_object_end(json);
}

static void fill_home(struct exchange *ex, struct value *model, const void *from)
{
	const struct home *home = from;
	const struct blank blank = { "name", home->username };
	struct value *list = value_list(model, "endpoints");
	struct value *plain = value_list(model, "Endpoints");
	pt_str greeting = PT_STR("");

	if (text_fill(ex, home->signed_in ? "home.signed_in" : "home.signed_out", &blank, 1,
		    &greeting) != PT_OK)
		ex->rs->failed = true;
	value_str(model, "greeting", greeting);
	value_bool(model, "signed_in", home->signed_in);
	value_bool(model, "SignedIn", home->signed_in);
	value_str(model, "Username", home->username);
	for (size_t i = 0; i < home->endpoints; i++) {
		struct value *item = value_item(list);
		value_str(item, "href", exchange_path(ex, endpoints[i]));
		value_str(item, "text", str(endpoints[i]));
		value_item_str(plain, str(endpoints[i]));
	}
}

pt_err home_show(struct exchange *ex)
{
	struct home home = {
		.endpoints = ex->surface->setup.pages.profile == PAGES_G1 ? 6 : ENDPOINTS,
	};
	struct pt_account account;

	pt_err err = pages_who(ex, &account);
	if (pt_is_fault(err))
		return err;
	if (err == PT_OK) {
		home.signed_in = true;
		home.username = account.username;
	}
	const struct answer answer = { 200, "Home", write_home, &home, NULL, false };
	return ex->json ? answer_json(ex, &answer) : answer_page(ex, 200, "home", fill_home, &home);
}

static void write_me(struct json *json, const void *from)
{
	const struct pt_account *account = from;
	char text[32];
	struct buf created = BUF_FIXED(text);

	buf_rfc3339(&created, account->created_at, 0);
	json_object(json, "data");
	json_str(json, "UserID", str(account->id.text));
	json_str(json, "Username", account->username);
	/* The originals told the hash and the live refresh token here. The names stay, empty. */
	json_str(json, "Password", PT_STR(""));
	json_str(json, "Email", account->email);
	json_str(json, "Firstname", account->given_name);
	json_str(json, "Lastname", account->family_name);
	json_bool(json, "Verified", account->email_verified_at != 0);
	json_int(json, "SigninCount", account->signin_count);
	json_int(json, "UnsuccessfulSignins", account->failed_signins);
	json_str(json, "CreatedAt", buf_view(&created));
	json_str(json, "RefreshToken", PT_STR(""));
	json_str(json, "Extensions",
		account->extensions.n > 0 ? account->extensions : PT_STR("null"));
	json_object_end(json);
}

/* In JWT mode a request without any proof is told which proof is wanted. */
static pt_err me_refuse(struct exchange *ex, pt_err err)
{
	bool has_cookie = cookie_value(ex->rq, session_cookie).n > 0;
	bool has_header = http_has_header(ex->rq, PT_STR("authorization"));

	if (pt_is_fault(err))
		return err;
	if (has_cookie)
		pages_cookie(ex, session_cookie, PT_STR(""), -1);
	if (!ex->surface->setup.pages.tokens)
		return PT_E_NOT_SIGNED_IN;
	return has_header || has_cookie ? err : PT_E_TOKEN_MISSING;
}

pt_err me_show(struct exchange *ex)
{
	struct pt_account account;

	ex->json = true;
	pt_err err = pages_who(ex, &account);
	if (err != PT_OK)
		return me_refuse(ex, err);
	const struct answer answer = { 200, "User info", write_me, &account, &account, true };
	return answer_json(ex, &answer);
}
