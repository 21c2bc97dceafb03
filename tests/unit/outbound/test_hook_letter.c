/*
 * test_hook_letter.c - what becomes of a hook that is to be told something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "letters.h"
#include "outbound/hook_letter.h"

#include "base/banned.h"

#define MODIFIED                                                                         \
	"{\"event\":\"usermodified\",\"account\":\"acc-1\",\"tenant\":\"t-1\",\"body\":" \
	"\"{\\\"event\\\":\\\"usermodified\\\"}\\n\"}"
#define DELETED "{\"event\":\"userdeleted\",\"account\":\"acc-1\",\"tenant\":\"\",\"body\":\"b\"}"

struct world {
	struct letter_office office;
	struct pt_store store;
	struct pt_hooks hooks;
	struct hook_carrier carrier;
	bool has_hooks, wants;
	pt_err answer, amended;
	struct pt_hook_reply reply;
	/* what was seen */
	char tenant[64], body[32 * 1024];
	enum pt_hook_event event;
	int asks, amends;
	struct pt_amend amend;
	pt_str detail;
};

static const struct pt_hooks *hooks_of(void *context, pt_str tenant)
{
	struct world *w = context;

	snprintf(w->tenant, sizeof(w->tenant), "%.*s", (int)tenant.n, tenant.p);
	return w->has_hooks ? &w->hooks : NULL;
}

static bool wants(void *context, enum pt_hook_event event)
{
	struct world *w = context;

	w->event = event;
	return w->wants;
}

static pt_err ask(void *context, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	struct world *w = context;

	(void)arena;
	assert_int_equal(event, w->event);
	w->asks++;
	snprintf(w->body, sizeof(w->body), "%.*s", (int)body.n, body.p);
	if (w->answer == PT_OK)
		*reply = w->reply;
	else
		*detail = PT_STR("in words");
	return w->answer;
}

static pt_err account_amend(
	void *context, pt_arena *arena, const struct pt_amend *amend, struct pt_account_record *out)
{
	struct world *w = context;

	(void)arena, (void)out;
	w->amends++;
	w->amend = *amend;
	return w->amended;
}

static int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->office);
	w->has_hooks = w->wants = true;
	w->hooks =
		(struct pt_hooks){ .size = sizeof(w->hooks), .ctx = w, .wants = wants, .ask = ask };
	w->store = (struct pt_store){
		.size = sizeof(w->store), .ctx = w, .account_amend = account_amend
	};
	w->carrier = (struct hook_carrier){ .store = &w->store,
		.letter_key = &w->office.composer.letter_key,
		.hooks = hooks_of,
		.hooks_ctx = w };
	*state = w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;

	office_close(&w->office);
	free(w);
	return 0;
}

static enum pt_sent told(struct world *w, pt_str variables)
{
	struct pt_letter letter = letter_sealed(&w->office, 1, variables);

	letter.kind = PT_LETTER_HOOK;
	letter.to = PT_STR("usermodified");
	return hook_letter_send(&w->carrier, w->office.arena, &letter, &w->detail);
}

static void the_exact_bytes_are_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(told(w, PT_STR(MODIFIED)), PT_SENT);
	assert_string_equal(w->tenant, "t-1");
	assert_string_equal(w->body, "{\"event\":\"usermodified\"}\n");
	assert_int_equal(w->event, PT_HOOK_USER_MODIFIED);
	assert_int_equal(w->amends, 0);
}

static void an_answer_replaces_metadata(void **state)
{
	struct world *w = *state;

	w->reply.app_metadata = PT_STR("{\"roles\":[]}");
	assert_int_equal(told(w, PT_STR(MODIFIED)), PT_SENT);
	assert_int_equal(w->amends, 1);
	assert_string_equal(w->amend.account.text, "acc-1");
	assert_true(w->amend.now > 0);
	assert_int_equal(w->amend.app_metadata.change, PT_METADATA_REPLACE);
	assert_true(str_eq(w->amend.app_metadata.json, PT_STR("{\"roles\":[]}")));
	assert_int_equal(w->amend.user_metadata.change, PT_METADATA_KEEP);
}

static void the_answer_about_a_removed_account_is_nothing(void **state)
{
	struct world *w = *state;

	w->reply.user_metadata = PT_STR("{}");
	assert_int_equal(told(w, PT_STR(DELETED)), PT_SENT);
	assert_int_equal(w->asks, 1);
	assert_int_equal(w->amends, 0);
}

static void what_the_store_says_of_an_answer_counts(void **state)
{
	static const struct {
		pt_err said;
		enum pt_sent sent;
	} cases[] = { { PT_E_NOT_FOUND, PT_SENT }, { PT_F_STORE, PT_SENT_LATER },
		{ PT_E_BUSY, PT_SENT_LATER }, { PT_F_CONFIG, PT_SENT_NEVER },
		{ PT_E_METADATA, PT_SENT_NEVER } };
	struct world *w = *state;

	w->reply.user_metadata = PT_STR("{}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w->amended = cases[i].said;
		assert_int_equal(told(w, PT_STR(MODIFIED)), cases[i].sent);
	}
}

static void who_does_not_answer_is_asked_again(void **state)
{
	static const struct {
		pt_err said;
		enum pt_sent sent;
	} cases[] = { { PT_E_HOOK_UNREACHABLE, PT_SENT_LATER },
		{ PT_E_HOOK_TIMEOUT, PT_SENT_LATER }, { PT_E_HOOK_BROKEN, PT_SENT_LATER },
		{ PT_E_HOOK_REFUSED, PT_SENT_NEVER }, { PT_E_HOOK_MALFORMED, PT_SENT_NEVER },
		{ PT_F_MEMORY, PT_SENT_LATER } };
	struct world *w = *state;

	w->reply.user_metadata = PT_STR("{}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w->answer = cases[i].said;
		assert_int_equal(told(w, PT_STR(MODIFIED)), cases[i].sent);
		assert_true(str_eq(w->detail, PT_STR("in words")));
	}
	assert_int_equal(w->amends, 0);
}

static void without_hooks_it_ends(void **state)
{
	struct world *w = *state;

	w->wants = false;
	assert_int_equal(told(w, PT_STR(MODIFIED)), PT_SENT_NEVER);
	w->wants = true;
	w->has_hooks = false;
	assert_int_equal(told(w, PT_STR(MODIFIED)), PT_SENT_NEVER);
	w->carrier.hooks = NULL;
	assert_int_equal(told(w, PT_STR(MODIFIED)), PT_SENT_NEVER);
	assert_true(str_eq(w->detail, PT_STR("no hook is set up to be told")));
	assert_int_equal(w->asks, 0);
}

static void what_cannot_be_read_ends(void **state)
{
	static const pt_str variables[] = { PT_STR_INIT("[]"), PT_STR_INIT("{"), PT_STR_INIT("{}"),
		PT_STR_INIT("{\"event\":\"login\",\"body\":\"b\"}"),
		PT_STR_INIT("{\"event\":\"usermodified\",\"account\":\"0123456789012345678901234567"
			    "890123456789012345678901234567890123456789\"}") };
	struct world *w = *state;
	struct pt_letter letter = { .kind = PT_LETTER_HOOK, .sealed = PT_STR("nothing") };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		assert_int_equal(told(w, variables[i]), PT_SENT_NEVER);
	assert_int_equal(
		hook_letter_send(&w->carrier, w->office.arena, &letter, &w->detail), PT_SENT_NEVER);
	assert_int_equal(w->asks, 0);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_exact_bytes_are_told),
		STORY(an_answer_replaces_metadata),
		STORY(the_answer_about_a_removed_account_is_nothing),
		STORY(what_the_store_says_of_an_answer_counts),
		STORY(who_does_not_answer_is_asked_again),
		STORY(without_hooks_it_ends),
		STORY(what_cannot_be_read_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
