/*
 * JSON bodies, read as leniently as GoTrue's clients are used to.
 */
#include "lodge.h"

#include "surface/gotrue/gotrue.h"

#include "base/banned.h"

#define VALUE "\"a\\u00e9\\ud83d\\ude00\\ud800\\n\""

/* An exchange that has a body and nothing else. */
struct reading {
	struct http_request rq;
	struct visit visit;
	struct exchange ex;
};

static void reading_open(struct reading *r, struct arena *arena, const char *body)
{
	memset(r, 0, sizeof(*r));
	r->rq = (struct http_request){ .arena = arena, .body = str(body) };
	r->ex = (struct exchange){ .rq = &r->rq, .arena = arena, .own = &r->visit };
}

static const struct {
	const char *body, *text;
} texts[] = {
	{ "{\"a\":\"x\"}", "x" },
	{ " \n{ \"a\" : \"x\" } and more", "x" },
	{ "{\"A\":\"x\"}", "x" },
	{ "{\"a\":\"x\",\"A\":\"y\"}", "x" },
	{ "{\"A\":\"y\",\"a\":\"x\"}", "x" },
	{ "{\"a\":\"x\",\"a\":\"y\"}", "y" },
	{ "{\"\\u0061\":\"x\"}", "x" },
	{ "{\"a\":null}", "old" },
	{ "{\"b\":[1,-2.5e+3,{\"c\":[]}],\"a\":\"x\"}", "x" },
	{ "{}", "old" },
	{ "null", "old" },
	{ "{\"a\":" VALUE "}", "a\u00e9\U0001f600\ufffd\n" },
	{ "{\"a\":\"\xff\"}", "\ufffd" },
	{ "{\"a\":\"\\\"\\\\\\/\\b\\f\\r\\t\"}", "\"\\/\b\f\r\t" },
};

static void text_is_found_and_decoded(void **state)
{
	struct arena *arena = arena_open(1 * MIB);
	struct reading r;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		pt_str text = PT_STR("old");
		const struct body_field fields[] = { { "a", BODY_TEXT, &text } };
		reading_open(&r, arena, texts[i].body);
		EXPECT_ERR(PT_OK, BODY_READ(&r.ex, "No", fields));
		if (!str_eq(text, str(texts[i].text)))
			fail_msg("%s: %.*s", texts[i].body, (int)text.n, text.p);
	}
	arena_close(arena);
}

static const struct {
	const char *body, *why;
} bad[] = {
	{ "", "No: EOF" },
	{ "  ", "No: EOF" },
	{ "{", "No: unexpected EOF" },
	{ "{\"a", "No: unexpected EOF" },
	{ "{\"a\"", "No: unexpected EOF" },
	{ "{\"a\":", "No: unexpected EOF" },
	{ "{\"a\":\"x\"", "No: unexpected EOF" },
	{ "{\"a\":\"\\", "No: unexpected EOF" },
	{ "{\"a\":\"\\u00", "No: unexpected EOF" },
	{ "nul", "No: unexpected EOF" },
	{ "{a:1}", "No: invalid character" },
	{ "{\"a\":1,}", "No: invalid character" },
	{ "{\"a\":01}", "No: invalid character" },
	{ "{\"a\":\"\\x\"}", "No: invalid character" },
	{ "{\"a\":\"\n\"}", "No: invalid character" },
	{ "{\"a\":tru}", "No: invalid character" },
	{ "{\"a\":-}", "No: invalid character" },
	{ "{\"a\":1.}", "No: invalid character" },
	{ "{\"b\":{1:2}}", "No: invalid character" },
	{ "nonsense", "No: invalid character" },
	{ "[]", "No: json: cannot unmarshal" },
	{ "7", "No: json: cannot unmarshal" },
	{ "\"x\"", "No: json: cannot unmarshal" },
	{ "{\"a\":7}", "No: json: cannot unmarshal number into field a of type string" },
	{ "{\"a\":{}}", "No: json: cannot unmarshal object into field a of type string" },
	{ "{\"m\":[]}", "No: json: cannot unmarshal array into field m of type map" },
	{ "{\"m\":{\"a\":1,\"a\":2}}", "No: m" },
	{ "{\"t\":\"true\"}", "No: json: cannot unmarshal string into field t of type bool" },
};

static void what_cannot_be_read_is_told(void **state)
{
	struct arena *arena = arena_open(1 * MIB);
	struct reading r;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		pt_str text = PT_STR(""), map = PT_STR("");
		bool truth = false;
		const struct body_field fields[] = { { "a", BODY_TEXT, &text },
			{ "m", BODY_OBJECT, &map }, { "t", BODY_TRUTH, &truth } };
		reading_open(&r, arena, bad[i].body);
		EXPECT_ERR(PT_E_MALFORMED, BODY_READ(&r.ex, "No", fields));
		assert_int_equal(r.visit.words.status, 400);
		if (!str_starts(r.visit.words.text, str(bad[i].why)))
			fail_msg("%s: %.*s", bad[i].body, (int)r.visit.words.text.n,
				r.visit.words.text.p);
	}
	arena_close(arena);
}

static void nesting_and_members_have_an_end(void **state)
{
	struct arena *arena = arena_open(4 * MIB);
	struct buf deep = BUF(arena, 1 * MIB), wide = BUF(arena, 1 * MIB);
	struct member *members;
	const char *why;
	size_t n;

	(void)state;
	buf_str(&deep, PT_STR("{\"a\":"));
	for (int i = 0; i < 100000; i++)
		buf_char(&deep, '[');
	EXPECT_ERR(PT_E_MALFORMED, body_members(arena, buf_view(&deep), &members, &n, &why));
	assert_string_equal(why, "exceeded max depth");
	buf_char(&wide, '{');
	for (int i = 0; i < 300; i++)
		buf_str(&wide, i ? PT_STR(",\"a\":1") : PT_STR("\"a\":1"));
	EXPECT_ERR(PT_E_MALFORMED, body_members(arena, buf_view(&wide), &members, &n, &why));
	assert_string_equal(why, "too many members");
	arena_close(arena);
}

static void values_stay_as_they_were_spelled(void **state)
{
	struct arena *arena = arena_open(1 * MIB);
	struct member *members;
	const char *why;
	size_t n;

	(void)state;
	EXPECT_ERR(PT_OK, body_members(arena, PT_STR(" {\"a\" : { \"b\":1.50 } ,\"c\":[ ] } x"),
				  &members, &n, &why));
	assert_int_equal(n, 2);
	assert_true(str_eq(members[0].value, PT_STR("{ \"b\":1.50 }")));
	assert_true(str_eq(members[1].value, PT_STR("[ ]")));
	arena_close(arena);
}

static void ids_are_uuids(void **state)
{
	(void)state;
	assert_true(is_uuid(PT_STR(NOBODY)));
	assert_true(is_uuid(PT_STR("0190A4B2-0000-7000-8000-00000000000F")));
	assert_false(is_uuid(PT_STR("")));
	assert_false(is_uuid(PT_STR("0190A4B2-0000-7000-8000-00000000000")));
	assert_false(is_uuid(PT_STR("0190A4B2-0000-7000-8000-00000000000G")));
	assert_false(is_uuid(PT_STR("0190A4B2+0000-7000-8000-00000000000F")));
}

/* ---- users ---- */

static void moments_have_no_zeros_at_the_end(void **state)
{
	struct arena *arena = arena_open(64 * KIB);
	struct pt_account account = { .id = { "1" },
		.email = PT_STR("a<b@example.org"),
		.user_metadata = PT_STR("{\"x\":1}"),
		.created_at = 1767225600 * PT_SECOND,
		.updated_at = 1767225600 * PT_SECOND + 120000 };
	struct buf b = BUF(arena, 4 * KIB);

	(void)state;
	EXPECT_ERR(PT_OK, gotrue_user_write(&b, &account));
	assert_string_equal(buf_view(&b).p,
		"{\"id\":\"1\",\"aud\":\"\",\"role\":\"\",\"email\":\"a\\u003cb@example.org\","
		"\"app_metadata\":{},\"user_metadata\":{\"x\":1},"
		"\"created_at\":\"2026-01-01T00:00:00Z\",\"updated_at\":\"2026-01-01T00:00:00."
		"12Z\"}");
	arena_close(arena);
}

static void members_of_a_user_come_in_their_order(void **state)
{
	static const char *const keys[] = { "id", "aud", "role", "email", "confirmed_at",
		"invited_at", "confirmation_sent_at", "recovery_sent_at", "new_email",
		"email_change_sent_at", "last_sign_in_at", "app_metadata", "user_metadata",
		"created_at", "updated_at" };
	struct arena *arena = arena_open(64 * KIB);
	struct buf b = BUF(arena, 4 * KIB);
	struct json_value value;
	struct pt_account account = { .email_verified_at = 1,
		.invited_at = 2,
		.confirm_sent_at = 3,
		.recover_sent_at = 4,
		.new_email = PT_STR("x"),
		.email_change_sent_at = 5,
		.last_signin_at = 6 };

	(void)state;
	EXPECT_ERR(PT_OK, gotrue_user_write(&b, &account));
	EXPECT_ERR(PT_OK, json_read(arena, buf_view(&b), &value));
	assert_int_equal(value.n, COUNT(keys));
	for (size_t i = 0; i < value.n; i++)
		assert_true(str_eq(value.items[i].name, str(keys[i])));
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_found_and_decoded),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(nesting_and_members_have_an_end),
		cmocka_unit_test(values_stay_as_they_were_spelled),
		cmocka_unit_test(ids_are_uuids),
		cmocka_unit_test(moments_have_no_zeros_at_the_end),
		cmocka_unit_test(members_of_a_user_come_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
