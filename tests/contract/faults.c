/*
 * faults.c - a store act that fails, and memory that runs out, in every verb (a test build only).
 *
 * Each verb has a row. It is made to fail first; then nothing may have changed, and the same act must
 * still do what it does.
 */
#include "faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hook.h"
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static struct hook_control *control;

bool faults_prepare(void)
{
	char path[] = "/tmp/portress-control-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, sizeof(*control)) != 0)
		return false;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	setenv("PORTRESS_TEST_CONTROL", path, 1);
	hook_open();
	unlink(path);
	return control != MAP_FAILED;
}

static void set(int64_t *word, int64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* ---- one of everything ------------------------------------------------------------------------ */

struct scene {
	struct pt_id ann;
	struct pt_hash session, verify, reset;
	struct pt_token_ref spent, token, loose;
	struct pt_limit limit;
	struct pt_id tenant;
	pt_time tenant_seen;
};

static struct scene set_scene(struct world *w)
{
	struct scene s = { .ann = joined(w, "ann"), .limit = { new_hash(), 1, PT_HOUR } };
	const struct pt_tenant tenant = {
		.id = new_id(), .name = { "site" }, .config = PT_STR("{}"), .updated_at = w->now
	};

	s.session = session_of(w, &s.ann, "ann");
	s.spent = token_of(w, &s.ann, "ann", "app");
	s.token = refreshed(w, &s.spent, "app");
	s.loose = loose_token_of(w, &s.ann, "app");
	s.verify = issued(w, &s.ann, PT_TICKET_VERIFY, "ann");
	s.reset = issued(w, &s.ann, PT_TICKET_RESET, "ann");
	s.tenant = tenant.id;
	s.tenant_seen = w->now;
	EXPECT(PT_OK, ACT(w, tenant_add, &tenant));
	return s;
}

/* Which token of the family lives; a spent one tells it, and stays what it is. 0: none. */
static int64_t living(struct world *w, const struct scene *s)
{
	const struct pt_rotate_act turn = new_turn(w, &s->spent, "app");
	struct pt_rotated got;
	pt_err err = ACT(w, token_rotate, &turn, &got);

	if (err != PT_OK)
		EXPECT(PT_E_REFRESH, err);
	return err == PT_OK ? got.token.generation : 0;
}

/* What can be seen of the scene, as text. */
static pt_str picture(struct world *w, const struct scene *s)
{
	struct pt_account_record ann = account(w, &s->ann);
	const struct pt_id anybody = { "" };
	struct buf b = BUF(w->arena, KIB);
	struct pt_store_counts counts;
	struct pt_account_list all = { .max = 1000 };
	struct pt_account *accounts;
	struct pt_event *happened;
	struct pt_tenant tenant = { .config = PT_STR("gone") };
	size_t n_accounts, n_events;
	pt_str text, mark;
	pt_err err = ACT(w, tenant_find, &s->tenant, &tenant);

	assert_true(err == PT_OK || err == PT_E_NOT_FOUND);
	EXPECT(PT_OK, ACT(w, import_mark, PT_STR("gotrue"), &mark));

	EXPECT(PT_OK, ACT(w, counts, &counts));
	EXPECT(PT_OK, ACT(w, account_list, &all, &accounts, &n_accounts));
	EXPECT(PT_OK, ACT(w, event_list, &anybody, 1000, &happened, &n_events));
	buf_str(&b, ann.password);
	buf_str(&b, tenant.config);
	buf_str(&b, mark);
	buf_str(&b, ann.account.user_metadata);
	buf_printf(&b, " %zu %zu %zu %ld %ld %ld %ld %ld %d %d %d %ld", n_accounts, n_events,
		letters(w), (long)counts.letters_waiting, (long)counts.letters_dead,
		(long)ann.account.signin_count, (long)ann.account.failed_signins,
		(long)ann.account.email_verified_at, session_lives(w, &s->session),
		ticket_lives(w, &s->verify, PT_TICKET_VERIFY),
		ticket_lives(w, &s->reset, PT_TICKET_RESET), (long)living(w, s));
	EXPECT(PT_OK, buf_done(&b, &text));
	return text;
}

/* ---- one act of each verb --------------------------------------------------------------------- */

static pt_err do_join(struct world *w, const struct scene *s)
{
	struct pt_join join = new_join(w, "bob");
	struct pt_id id;

	(void)s;
	join.has_ticket = join.has_letter = true;
	join.ticket = new_ticket(w, &join.account.id, PT_TICKET_VERIFY, "bob");
	join.letter = new_letter(w, PT_LETTER_VERIFY, "bob@Example.test");
	return ACT(w, account_join, &join, &id);
}

static pt_err do_join_taken(struct world *w, const struct scene *s)
{
	struct pt_join join = new_join(w, "ann");
	struct pt_id id;

	(void)s;
	join.has_taken_letter = true;
	join.taken_letter = new_letter(w, PT_LETTER_ACCOUNT_EXISTS, "");
	return ACT(w, account_join, &join, &id);
}

static pt_err do_join_identity(struct world *w, const struct scene *s)
{
	struct pt_join join = new_join(w, "bob");
	struct pt_id id;

	(void)s;
	join.has_identity = join.has_token = true;
	join.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	join.token = new_token(w, "");
	return ACT(w, account_join, &join, &id);
}

static pt_err do_find_identity(struct world *w, const struct scene *s)
{
	const struct pt_account_query query = {
		.by = PT_BY_IDENTITY, .key = PT_STR("4711"), .provider = PT_STR("github")
	};
	struct pt_account_record record;

	(void)s;
	return ACT(w, account_find, &query, &record);
}

static pt_err do_page(struct world *w, const struct scene *s)
{
	const struct pt_account_page query = { .part = PT_STR("ann"), .max = 10 };
	struct pt_account_record *page;
	int64_t total;
	size_t n;

	(void)s;
	return ACT(w, account_page, &query, &page, &n, &total);
}

static pt_err do_find(struct world *w, const struct scene *s)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = str(s->ann.text) };
	struct pt_account_record record;

	return ACT(w, account_find, &query, &record);
}

static pt_err do_list(struct world *w, const struct scene *s)
{
	const struct pt_account_list query = { .max = 10 };
	struct pt_account *list;
	size_t n;

	(void)s;
	return ACT(w, account_list, &query, &list, &n);
}

static pt_err do_amend(struct world *w, const struct scene *s)
{
	const struct pt_amend amend = { .account = s->ann,
		.now = w->now,
		.has_password = true,
		.password = PT_STR("other"),
		.has_verified = true,
		.verified = true,
		.has_disabled = true,
		.disabled = true,
		.ends = PT_END_ALL,
		.events = { new_event(w, PT_EVENT_PASSWORD_SET) } };

	return amended(w, &amend);
}

static pt_err do_amend_all(struct world *w, const struct scene *s)
{
	const struct pt_amend amend = { .account = s->ann,
		.now = w->now,
		.has_ticket = true,
		.ticket = s->reset,
		.ticket_kind = PT_TICKET_RESET,
		.has_seen_password = true,
		.seen_password = PT_STR("hash of ann"),
		.user_metadata = { PT_METADATA_MERGE, PT_STR("{\"a\":1}") },
		.has_identity = true,
		.identity = { PT_STR("github"), PT_STR("4711") },
		.ends = PT_END_ALL,
		.has_session = true,
		.session = new_session(w),
		.has_token = true,
		.token = new_token(w, ""),
		.has_new_ticket = true,
		.new_ticket = new_ticket(w, &s->ann, PT_TICKET_VERIFY, "ann"),
		.has_letter = true,
		.letter = new_letter(w, PT_LETTER_VERIFY, "ann@Example.test"),
		.has_notice = true,
		.notice = new_letter(w, PT_LETTER_HOOK, "validate"),
		.events = {
			new_event(w, PT_EVENT_ACCOUNT_CHANGED), new_event(w, PT_EVENT_SIGNIN) } };

	return amended(w, &amend);
}

static pt_err do_remove(struct world *w, const struct scene *s)
{
	struct pt_event event = new_event(w, PT_EVENT_ACCOUNT_DELETED);

	return ACT(w, account_remove, &s->ann, w->now, &event, NULL);
}

static pt_err do_signin(struct world *w, const struct scene *s)
{
	const struct pt_signin_act act = { .account = s->ann,
		.seen_password = PT_STR("hash of ann"),
		.new_password = PT_STR("better"),
		.now = w->now,
		.has_session = true,
		.session = new_session(w),
		.has_token = true,
		.token = new_token(w, "app"),
		.event = new_event(w, PT_EVENT_SIGNIN) };

	return ACT(w, signin, &act);
}

static pt_err do_signin_fail(struct world *w, const struct scene *s)
{
	const struct pt_signin_failure failure = { s->ann, new_event(w, PT_EVENT_SIGNIN_FAILED) };

	return ACT(w, signin_fail, &failure);
}

static pt_err do_session_find(struct world *w, const struct scene *s)
{
	struct pt_session_record record;

	return ACT(w, session_find, &s->session, w->now, &record);
}

static pt_err do_session_close(struct world *w, const struct scene *s)
{
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	return ACT(w, session_close, &s->session, &event);
}

static pt_err do_ask(struct world *w, const struct scene *s)
{
	const struct asking act = {
		.ticket = new_ticket(w, &s->ann, PT_TICKET_RESET, "ann"),
		.letter = new_letter(w, PT_LETTER_RESET, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_RECOVER_ASKED),
	};

	return asked(w, &act);
}

static pt_err do_ticket_find(struct world *w, const struct scene *s)
{
	struct pt_ticket_record record;

	return ACT(w, ticket_find, &s->reset, PT_TICKET_RESET, w->now, &record);
}

static pt_err do_confirm(struct world *w, const struct scene *s)
{
	const struct pt_confirm_act act = { s->verify, w->now, new_event(w, PT_EVENT_CONFIRMED) };
	struct pt_id id;

	return ACT(w, account_confirm, &act, &id);
}

static pt_err do_reset(struct world *w, const struct scene *s)
{
	const struct pt_reset_act act = { .ticket = s->reset,
		.account = s->ann,
		.seen_password = PT_STR("hash of ann"),
		.new_password = PT_STR("new"),
		.now = w->now,
		.has_letter = true,
		.letter = new_letter(w, PT_LETTER_PASSWORD_CHANGED, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_PASSWORD_RESET) };

	return ACT(w, password_reset, &act);
}

static pt_err do_rotate(struct world *w, const struct scene *s)
{
	struct pt_rotate_act turn = new_turn(w, &s->token, "app");
	struct pt_rotated got;

	turn.spent_event = new_event(w, PT_EVENT_TOKEN_REVOKED);
	return ACT(w, token_rotate, &turn, &got);
}

static pt_err do_rotate_loose(struct world *w, const struct scene *s)
{
	const struct pt_rotate_act turn = new_turn(w, &s->loose, "app");
	struct pt_rotated got;

	return ACT(w, token_rotate, &turn, &got);
}

static pt_err do_rotate_again(struct world *w, const struct scene *s)
{
	const struct pt_rotate_act turn = new_turn(w, &s->spent, "app");
	struct pt_rotated got;

	return ACT(w, token_rotate, &turn, &got);
}

static pt_err do_rotate_late(struct world *w, const struct scene *s)
{
	struct pt_rotate_act turn = new_turn(w, &s->spent, "app");
	struct pt_rotated got;

	turn.grace = 0;
	return ACT(w, token_rotate, &turn, &got);
}

static pt_err do_rotate_elsewhere(struct world *w, const struct scene *s)
{
	const struct pt_rotate_act turn = new_turn(w, &s->token, "another client");
	struct pt_rotated got;

	return ACT(w, token_rotate, &turn, &got);
}

static pt_err do_revoke(struct world *w, const struct scene *s)
{
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	return ACT(w, token_revoke, &s->token, w->now, &event);
}

static pt_err do_revoke_loose(struct world *w, const struct scene *s)
{
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	return ACT(w, token_revoke, &s->loose, w->now, &event);
}

static pt_err do_limit(struct world *w, const struct scene *s)
{
	const struct pt_limit_act act = { &s->limit, 1, w->now };
	pt_time wait;

	return ACT(w, limit_spend, &act, &wait);
}

static pt_err do_record(struct world *w, const struct scene *s)
{
	struct pt_event event = new_event(w, PT_EVENT_SIGNIN_LIMITED);

	(void)s;
	return ACT(w, event_record, &event);
}

static pt_err do_events(struct world *w, const struct scene *s)
{
	struct pt_event *list;
	size_t n;

	return ACT(w, event_list, &s->ann, 10, &list, &n);
}

static pt_err do_event_page(struct world *w, const struct scene *s)
{
	const struct pt_event_page query = {
		.kinds = UINT32_MAX, .author = PT_STR("ann"), .max = 10
	};
	struct pt_event *page;
	int64_t total;
	size_t n;

	(void)s;
	return ACT(w, event_page, &query, &page, &n, &total);
}

static pt_err do_tenant_add(struct world *w, const struct scene *s)
{
	const struct pt_tenant tenant = { .id = new_id(),
		.name = { "acme" },
		.config = PT_STR("{}"),
		.created_at = w->now,
		.updated_at = w->now };

	(void)s;
	return ACT(w, tenant_add, &tenant);
}

static pt_err do_tenant_find(struct world *w, const struct scene *s)
{
	struct pt_tenant tenant;

	return ACT(w, tenant_find, &s->tenant, &tenant);
}

static pt_err do_tenant_change(struct world *w, const struct scene *s)
{
	return ACT(w, tenant_change, &s->tenant, s->tenant_seen, PT_STR("{\"a\":1}"), w->now);
}

static pt_err do_tenant_remove(struct world *w, const struct scene *s)
{
	return ACT(w, tenant_remove, &s->tenant);
}

static pt_err do_import(struct world *w, const struct scene *s)
{
	struct pt_join join = new_join(w, "bob");
	const struct pt_account_record bob = { join.account, join.password };
	const struct pt_ticket ticket = new_ticket(w, &bob.account.id, PT_TICKET_RESET, "bob");
	const struct pt_event event = new_event(w, PT_EVENT_SIGNUP);
	const struct pt_import_token token = new_loose_token(w, &bob.account.id, "");
	const struct pt_import batch = { &bob, 1, &ticket, 1, &token, 1, &event, 1,
		PT_STR("gotrue"), PT_STR("1"), w->now, false };
	struct pt_import_count count;

	(void)s;
	return ACT(w, import, &batch, &count);
}

static pt_err do_import_mark(struct world *w, const struct scene *s)
{
	pt_str mark;

	(void)s;
	return ACT(w, import_mark, PT_STR("gotrue"), &mark);
}

static pt_err do_claim(struct world *w, const struct scene *s)
{
	const struct pt_claim claim = { w->now, w->now + PT_MINUTE };
	struct pt_letter letter;

	(void)s;
	return ACT(w, letter_claim, &claim, &letter);
}

static pt_err do_claim_expired(struct world *w, const struct scene *s)
{
	const struct pt_claim claim = { w->now + 2 * PT_DAY, w->now + 3 * PT_DAY };
	struct pt_letter letter;

	(void)s;
	return ACT(w, letter_claim, &claim, &letter);
}

static pt_err do_done(struct world *w, const struct scene *s)
{
	struct pt_letter_outcome outcome = {
		.sent = PT_SENT_NEVER, .now = w->now, .detail = PT_STR("550 no such mailbox")
	};

	(void)s;
	outcome.id = last_letter(w).id;
	return ACT(w, letter_done, &outcome);
}

static pt_err do_letters(struct world *w, const struct scene *s)
{
	struct pt_letter *list;
	size_t n;

	(void)s;
	return ACT(w, letter_list, 10, &list, &n);
}

static pt_err do_purge(struct world *w, const struct scene *s)
{
	bool more;

	(void)s;
	return ACT(w, purge, w->now + 2 * PT_HOUR, &more);
}

static pt_err do_counts(struct world *w, const struct scene *s)
{
	struct pt_store_counts counts;

	(void)s;
	return ACT(w, counts, &counts);
}

static pt_err do_check(struct world *w, const struct scene *s)
{
	pt_str why = { NULL, 0 };
	pt_err err = ACT(w, check, &why);

	(void)s;
	assert_true(err == PT_OK || why.n > 0);
	return err;
}

static const struct {
	pt_err (*act)(struct world *w, const struct scene *s);
	pt_err wanted;
} rows[] = {
	{ do_join, PT_OK },
	{ do_join_taken, PT_E_TAKEN },
	{ do_join_identity, PT_OK },
	{ do_find_identity, PT_E_NOT_FOUND },
	{ do_page, PT_OK },
	{ do_find, PT_OK },
	{ do_list, PT_OK },
	{ do_signin_fail, PT_OK },
	{ do_signin, PT_OK },
	{ do_amend, PT_OK },
	{ do_amend_all, PT_OK },
	{ do_remove, PT_OK },
	{ do_session_find, PT_OK },
	{ do_session_close, PT_OK },
	{ do_ask, PT_OK },
	{ do_ticket_find, PT_OK },
	{ do_confirm, PT_OK },
	{ do_reset, PT_OK },
	{ do_rotate, PT_OK },
	{ do_rotate_loose, PT_OK },
	{ do_rotate_again, PT_OK },
	{ do_rotate_late, PT_E_REUSED },
	{ do_rotate_elsewhere, PT_E_REFRESH },
	{ do_revoke, PT_OK },
	{ do_revoke_loose, PT_OK },
	{ do_limit, PT_OK },
	{ do_record, PT_OK },
	{ do_events, PT_OK },
	{ do_event_page, PT_OK },
	{ do_tenant_add, PT_OK },
	{ do_tenant_find, PT_OK },
	{ do_tenant_change, PT_OK },
	{ do_tenant_remove, PT_OK },
	{ do_import, PT_OK },
	{ do_import_mark, PT_OK },
	{ do_claim, PT_OK },
	{ do_claim_expired, PT_E_NOT_FOUND },
	{ do_letters, PT_OK },
	{ do_purge, PT_OK },
	{ do_counts, PT_OK },
	{ do_check, PT_OK },
};

/* ---- the tests -------------------------------------------------------------------------------- */

static struct world *renewed(void **state)
{
	world_close(state);
	assert_int_equal(0, world_open(state));
	return *state;
}

static void failed_act_is_a_fault_and_changes_nothing(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene scene = set_scene(w);
		pt_str before = picture(w, &scene);
		pt_err err;

		set(&control->fail_act, 1);
		err = rows[i].act(w, &scene);
		set(&control->fail_act, 0);
		EXPECT(PT_F_STORE, err);
		assert_true(str_eq(before, picture(w, &scene)));
		EXPECT(rows[i].wanted, rows[i].act(w, &scene));
		w = renewed(state);
	}
}

static void every_act_is_counted_once(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene scene = set_scene(w);
		int64_t before = control->count_act;

		EXPECT(rows[i].wanted, rows[i].act(w, &scene));
		assert_int_equal(before + 1, control->count_act);
		w = renewed(state);
	}
}

static void memory_that_runs_out_is_a_fault_and_changes_nothing(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene scene = set_scene(w);
		pt_str before = picture(w, &scene);
		pt_err err = PT_F_MEMORY;

		for (int n = 1; n < 300 && err == PT_F_MEMORY; n++) {
			set(&control->fail_alloc, n);
			err = rows[i].act(w, &scene);
			set(&control->fail_alloc, 0);
			if (err == PT_F_MEMORY)
				assert_true(str_eq(before, picture(w, &scene)));
		}
		EXPECT(rows[i].wanted, err);
		w = renewed(state);
	}
}

static void broken_limiter_lets_nobody_pass(void **state)
{
	struct world *w = *state;
	struct scene scene = set_scene(w);

	set(&control->break_limiter, 1);
	EXPECT(PT_F_STORE, do_limit(w, &scene));
	set(&control->break_limiter, 0);
	EXPECT(PT_OK, do_limit(w, &scene));
	EXPECT(PT_E_LIMITED, do_limit(w, &scene));
}

static void outcome_of_a_letter_survives_its_faults(void **state)
{
	struct world *w = *state;
	struct scene scene = set_scene(w);
	struct pt_letter_outcome outcome = { .sent = PT_SENT, .now = w->now };
	pt_str before = picture(w, &scene);

	outcome.id = last_letter(w).id;
	set(&control->fail_act, 1);
	EXPECT(PT_F_STORE, ACT(w, letter_done, &outcome));
	set(&control->fail_act, 0);
	assert_true(str_eq(before, picture(w, &scene)));
	EXPECT(PT_OK, do_done(w, &scene));
	assert_false(str_eq(before, picture(w, &scene)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(failed_act_is_a_fault_and_changes_nothing),
	cmocka_unit_test(every_act_is_counted_once),
	cmocka_unit_test(memory_that_runs_out_is_a_fault_and_changes_nothing),
	cmocka_unit_test(broken_limiter_lets_nobody_pass),
	cmocka_unit_test(outcome_of_a_letter_survives_its_faults),
};
CHAPTER(faults);
