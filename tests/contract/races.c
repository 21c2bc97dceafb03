/*
 * races.c - sixteen at once: what may happen once happens once.
 *
 * The threads only note what they were told; the test judges when all are done.
 */
#include <string.h>

#include "chapters.h"
#include "world.h"

#include "base/banned.h"

enum { RUNNERS = 16, ROUNDS = 8 };

static size_t count(const pt_err *outcomes, pt_err wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < RUNNERS; i++)
		n += outcomes[i] == wanted;
	return n;
}

/* ---- one name ---- */

struct join_race {
	struct pt_join join;
	bool same_name, same_email;
	pt_err outcomes[RUNNERS];
	struct pt_id ids[RUNNERS];
};

static void join_one(struct world *own, unsigned number, void *shared)
{
	static const char *const names[RUNNERS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
		"j", "k", "l", "m", "n", "o", "p" };
	struct join_race *race_ = shared;
	struct pt_join join = race_->join;

	join.account.id = new_id();
	join.event.id = new_id();
	join.taken_event.id = new_id();
	join.taken_letter.id = new_id();
	if (!race_->same_name)
		join.account.username_key = str(names[number]);
	if (!race_->same_email)
		join.account.email_key = str(names[number]);
	race_->outcomes[number] = ACT(own, account_join, &join, &race_->ids[number]);
}

static void one_of_many_joins_gets_the_name_or_the_address(void **state)
{
	struct world *w = *state;
	static const struct {
		bool name, email;
	} shared[] = { { true, true }, { true, false }, { false, true } };
	static const char *const tenants[] = { "r0", "r1", "r2" };

	for (size_t i = 0; i < 3; i++) {
		struct join_race r = { .join = new_join(w, "ann"),
			.same_name = shared[i].name,
			.same_email = shared[i].email };
		size_t letters_before = letters(w);

		r.join.account.tenant = str(tenants[i]);
		r.join.has_taken_letter = true;
		r.join.taken_letter = new_letter(w, PT_LETTER_ACCOUNT_EXISTS, "");
		race(w, RUNNERS, join_one, &r);
		assert_int_equal(1, count(r.outcomes, PT_OK));
		assert_int_equal(RUNNERS - 1, count(r.outcomes, PT_E_TAKEN));
		assert_int_equal(i + 1, events(w, PT_EVENT_SIGNUP));
		assert_int_equal((i + 1) * (RUNNERS - 1), events(w, PT_EVENT_SIGNUP_TAKEN));
		assert_int_equal(letters_before + (shared[i].email ? RUNNERS - 1 : 0), letters(w));
	}
}

/* ---- one token ---- */

struct rotate_race {
	struct pt_token_ref presented;
	pt_time grace;
	pt_err outcomes[RUNNERS];
	struct pt_token_ref successors[RUNNERS];
};

static void rotate_one(struct world *own, unsigned number, void *shared)
{
	struct rotate_race *r = shared;
	struct pt_rotate_act turn = new_turn(own, &r->presented, "app");
	struct pt_rotated got;

	turn.grace = r->grace;
	r->outcomes[number] = ACT(own, token_rotate, &turn, &got);
	if (r->outcomes[number] == PT_OK)
		r->successors[number] = ref_of(&got.token);
}

static void race_from(struct world *w, struct pt_token_ref presented)
{
	struct rotate_race r = { .presented = presented, .grace = PT_MINUTE };

	for (size_t i = 1; i <= ROUNDS; i++) {
		race(w, RUNNERS, rotate_one, &r);
		assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
		for (size_t k = 1; k < RUNNERS; k++)
			same_token(&r.successors[0], &r.successors[k]);
		assert_int_equal(i + 1, r.successors[0].generation);
		assert_int_equal(i, events(w, PT_EVENT_TOKEN_REFRESHED));
		r.presented = r.successors[0];
	}
}

static void many_rotations_of_one_token_yield_one_successor(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	race_from(w, token_of(w, &ann, "ann", "app"));
}

static void many_rotations_of_a_loose_token_yield_one_successor(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	race_from(w, loose_token_of(w, &ann, "app"));
}

/* No more rotations than a family remembers, with that of the token they all begin with. */
enum { GOING_ON = (PT_SPENT_MOST - 1) / 3 };

/* What a tab does that lags behind: it asks with the oldest token; and some go on with the answer. */
static void rotate_from_the_first(struct world *own, unsigned number, void *shared)
{
	struct rotate_race *r = shared;

	for (int i = 0; i < 3; i++) {
		struct pt_rotate_act turn = new_turn(own, &r->presented, "app");
		struct pt_token_ref live;
		struct pt_rotated got;

		turn.grace = r->grace;
		r->outcomes[number] = ACT(own, token_rotate, &turn, &got);
		if (r->outcomes[number] != PT_OK)
			return;
		if (number >= GOING_ON)
			continue;
		live = ref_of(&got.token);
		turn = new_turn(own, &live, "app");
		turn.grace = r->grace;
		r->outcomes[number] = ACT(own, token_rotate, &turn, &got);
		if (r->outcomes[number] != PT_OK)
			return;
	}
}

static void family_has_one_living_token_however_many_rotate_in_one_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct rotate_race r = { .presented = token_of(w, &ann, "ann", "app"), .grace = PT_MINUTE };
	struct pt_token_ref got;
	size_t rotations;

	race(w, RUNNERS, rotate_from_the_first, &r);
	assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	rotations = events(w, PT_EVENT_TOKEN_REFRESHED);
	got = refreshed(w, &r.presented, "app");
	assert_string_equal(r.presented.family.text, got.family.text);
	assert_int_equal(1 + rotations, got.generation);
	assert_int_equal(rotations, events(w, PT_EVENT_TOKEN_REFRESHED));
}

static void without_grace_a_race_for_one_token_ends_its_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	for (size_t i = 1; i <= ROUNDS; i++) {
		struct rotate_race r = { .presented = i % 2 ? token_of(w, &ann, "ann", "app")
							    : loose_token_of(w, &ann, "app") };
		struct pt_rotate_act turn;
		struct pt_rotated got;

		race(w, RUNNERS, rotate_one, &r);
		assert_int_equal(1, count(r.outcomes, PT_OK));
		assert_int_equal(1, count(r.outcomes, PT_E_REUSED));
		assert_int_equal(RUNNERS - 2, count(r.outcomes, PT_E_REFRESH));
		assert_int_equal(i, events(w, PT_EVENT_TOKEN_REUSED));
		for (size_t k = 0; k < RUNNERS; k++) {
			if (r.outcomes[k] != PT_OK)
				continue;
			turn = new_turn(w, &r.successors[k], "app");
			EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
		}
	}
}

/* ---- one identity ---- */

struct identity_race {
	struct pt_id accounts[RUNNERS];
	struct pt_join joins[RUNNERS];
	pt_err outcomes[RUNNERS];
};

static void join_by_identity(struct world *own, unsigned number, void *shared)
{
	struct identity_race *r = shared;

	r->outcomes[number] = ACT(own, account_join, &r->joins[number], &r->accounts[number]);
}

static void one_of_many_joins_gets_the_identity(void **state)
{
	struct world *w = *state;
	struct identity_race r = { 0 };
	size_t there = 0;

	for (size_t i = 0; i < RUNNERS; i++) {
		r.joins[i] = new_join(w, "");
		r.joins[i].account.username_key = r.joins[i].account.email_key = PT_STR("");
		r.joins[i].has_identity = true;
		r.joins[i].identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	}
	race(w, RUNNERS, join_by_identity, &r);
	assert_int_equal(1, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS - 1, count(r.outcomes, PT_E_TAKEN));
	for (size_t i = 0; i < RUNNERS; i++)
		there += account_is_there(w, &r.joins[i].account.id);
	assert_int_equal(1, there);
}

static void link_identity(struct world *own, unsigned number, void *shared)
{
	struct identity_race *r = shared;
	const struct pt_amend amend = {
		.account = r->accounts[number],
		.now = own->now,
		.has_identity = true,
		.identity = { PT_STR("github"), PT_STR("4711") },
	};

	r->outcomes[number] = amended(own, &amend);
}

static void one_of_many_amendments_gets_the_identity(void **state)
{
	static const char *const names[RUNNERS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
		"j", "k", "l", "m", "n", "o", "p" };
	struct world *w = *state;
	struct identity_race r = { 0 };

	for (size_t i = 0; i < RUNNERS; i++)
		r.accounts[i] = joined(w, names[i]);
	race(w, RUNNERS, link_identity, &r);
	assert_int_equal(1, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS - 1, count(r.outcomes, PT_E_TAKEN));
}

/* ---- one ticket ---- */

struct reset_race {
	struct pt_id account;
	struct pt_hash ticket;
	pt_err outcomes[RUNNERS];
	struct pt_hash issued[RUNNERS];
};

static void reset_one(struct world *own, unsigned number, void *shared)
{
	struct reset_race *r = shared;
	const struct pt_reset_act act = {
		.ticket = r->ticket,
		.account = r->account,
		.seen_password = PT_STR("hash of ann"),
		.new_password = PT_STR("new"),
		.now = own->now,
		.event = new_event(own, PT_EVENT_PASSWORD_RESET),
	};

	r->outcomes[number] = ACT(own, password_reset, &act);
}

static void ticket_is_taken_once_by_many(void **state)
{
	struct world *w = *state;
	struct reset_race r = { .account = joined(w, "ann") };

	r.ticket = issued(w, &r.account, PT_TICKET_RESET, "ann");
	race(w, RUNNERS, reset_one, &r);
	assert_int_equal(1, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS - 1, count(r.outcomes, PT_E_TICKET));
	assert_int_equal(1, events(w, PT_EVENT_PASSWORD_RESET));
}

static void amend_one(struct world *own, unsigned number, void *shared)
{
	struct reset_race *r = shared;
	const struct pt_amend amend = {
		.account = r->account,
		.now = own->now,
		.has_ticket = true,
		.ticket = r->ticket,
		.ticket_kind = PT_TICKET_INVITE,
		.has_password = true,
		.password = PT_STR("new"),
		.ends = PT_END_ALL,
		.has_token = true,
		.token = new_token(own, ""),
		.events = { new_event(own, PT_EVENT_INVITE_ACCEPTED) },
	};

	r->outcomes[number] = amended(own, &amend);
}

static void ticket_of_an_amendment_is_taken_once_by_many(void **state)
{
	struct world *w = *state;
	struct reset_race r = { .account = joined(w, "ann") };

	r.ticket = issued(w, &r.account, PT_TICKET_INVITE, "ann");
	race(w, RUNNERS, amend_one, &r);
	assert_int_equal(1, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS - 1, count(r.outcomes, PT_E_TICKET));
	assert_int_equal(1, events(w, PT_EVENT_INVITE_ACCEPTED));
}

/* Each adds a member of its own: none is lost. */
static void merge_one(struct world *own, unsigned number, void *shared)
{
	static const char *const members[RUNNERS] = { "{\"a\":1}", "{\"b\":1}", "{\"c\":1}",
		"{\"d\":1}", "{\"e\":1}", "{\"f\":1}", "{\"g\":1}", "{\"h\":1}", "{\"i\":1}",
		"{\"j\":1}", "{\"k\":1}", "{\"l\":1}", "{\"m\":1}", "{\"n\":1}", "{\"o\":1}",
		"{\"p\":1}" };
	struct reset_race *r = shared;
	const struct pt_amend amend = {
		.account = r->account,
		.now = own->now,
		.user_metadata = { PT_METADATA_MERGE, str(members[number]) },
		.signed_in = true,
	};

	r->outcomes[number] = amended(own, &amend);
}

static void no_amendment_of_many_is_lost(void **state)
{
	struct world *w = *state;
	struct reset_race r = { .account = joined(w, "ann") };

	race(w, RUNNERS, merge_one, &r);
	assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS, account(w, &r.account).account.signin_count);
	assert_int_equal(sizeof("{}") - 1 + RUNNERS * sizeof("\"a\":1,") - RUNNERS - 1,
		account(w, &r.account).account.user_metadata.n);
}

static void issue_one(struct world *own, unsigned number, void *shared)
{
	struct reset_race *r = shared;
	struct asking act = {
		.ticket = new_ticket(own, &r->account, PT_TICKET_RESET, "ann"),
		.letter = new_letter(own, PT_LETTER_RESET, "ann@Example.test"),
	};

	r->outcomes[number] = asked(own, &act);
	r->issued[number] = act.ticket.hash;
}

static void one_of_many_new_tickets_lives(void **state)
{
	struct world *w = *state;
	struct reset_race r = { .account = joined(w, "ann") };
	size_t living = 0;

	race(w, RUNNERS, issue_one, &r);
	assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
	for (size_t i = 0; i < RUNNERS; i++)
		living += ticket_lives(w, &r.issued[i], PT_TICKET_RESET);
	assert_int_equal(1, living);
}

static void confirm_one(struct world *own, unsigned number, void *shared)
{
	struct reset_race *r = shared;
	const struct pt_confirm_act act = { r->ticket, own->now,
		new_event(own, PT_EVENT_CONFIRMED) };
	struct pt_id id;

	r->outcomes[number] = ACT(own, account_confirm, &act, &id);
}

static void confirmation_is_recorded_once(void **state)
{
	struct world *w = *state;
	struct reset_race r = { .account = joined(w, "ann") };

	r.ticket = issued(w, &r.account, PT_TICKET_VERIFY, "ann");
	race(w, RUNNERS, confirm_one, &r);
	assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
	assert_int_equal(1, events(w, PT_EVENT_CONFIRMED));
}

/* ---- one limit ---- */

struct limit_race {
	struct pt_limit limits[2];
	pt_err outcomes[RUNNERS];
	size_t passed[RUNNERS];
};

static void spend_some(struct world *own, unsigned number, void *shared)
{
	struct limit_race *r = shared;
	/* Half of them name the limits the other way round. */
	const struct pt_limit limits[2] = { r->limits[number % 2], r->limits[1 - number % 2] };
	const struct pt_limit_act act = { limits, 2, own->now };
	pt_time wait;

	r->outcomes[number] = PT_OK;
	for (int i = 0; i < 4 && r->outcomes[number] == PT_OK; i++) {
		pt_err err = ACT(own, limit_spend, &act, &wait);

		if (err == PT_OK)
			r->passed[number]++;
		else if (err != PT_E_LIMITED)
			r->outcomes[number] = err;
	}
}

static void limit_is_never_exceeded(void **state)
{
	struct world *w = *state;
	struct limit_race r = { .limits = { { new_hash(), 20, PT_HOUR },
					{ new_hash(), 50, PT_HOUR } } };
	size_t passed = 0;

	race(w, RUNNERS, spend_some, &r);
	assert_int_equal(RUNNERS, count(r.outcomes, PT_OK));
	for (size_t i = 0; i < RUNNERS; i++)
		passed += r.passed[i];
	assert_int_equal(20, passed);
}

/* ---- one letter ---- */

struct claim_race {
	pt_err outcomes[RUNNERS];
	struct pt_id ids[RUNNERS];
};

static void claim_one(struct world *own, unsigned number, void *shared)
{
	struct claim_race *r = shared;
	const struct pt_claim claim = { own->now, own->now + PT_MINUTE };
	struct pt_letter letter;

	r->outcomes[number] = ACT(own, letter_claim, &claim, &letter);
	if (r->outcomes[number] == PT_OK)
		r->ids[number] = letter.id;
}

static void each_letter_is_leased_to_one(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct claim_race r = { 0 };

	for (int i = 0; i < RUNNERS / 2; i++)
		issued(w, &ann, PT_TICKET_RESET, "ann");
	race(w, RUNNERS, claim_one, &r);
	assert_int_equal(RUNNERS / 2, count(r.outcomes, PT_OK));
	assert_int_equal(RUNNERS / 2, count(r.outcomes, PT_E_NOT_FOUND));
	for (size_t i = 0; i < RUNNERS; i++) {
		for (size_t k = 0; k < i; k++) {
			if (r.outcomes[i] == PT_OK && r.outcomes[k] == PT_OK)
				assert_string_not_equal(r.ids[k].text, r.ids[i].text);
		}
	}
}

/* ---- ending against beginning ---- */

struct end_race {
	pt_str tenant;
	struct pt_id account;
	struct pt_token_ref token;
	struct pt_hash ticket;
	pt_err outcomes[RUNNERS];
	struct pt_hash opened[RUNNERS]; /* sessions */
};

/* Number 0 resets the password while the others sign in with the old one, or refresh. */
static void sign_in_or_reset(struct world *own, unsigned number, void *shared)
{
	struct end_race *r = shared;
	struct pt_signin_act act = {
		.account = r->account,
		.seen_password = PT_STR("hash of ann"),
		.now = own->now,
		.has_session = true,
		.session = new_session(own),
	};
	struct pt_rotate_act turn = new_turn(own, &r->token, "app");
	struct pt_reset_act reset = {
		.ticket = r->ticket,
		.account = r->account,
		.seen_password = PT_STR("hash of ann"),
		.new_password = PT_STR("new"),
		.now = own->now,
	};
	struct pt_rotated got;

	turn.tenant = r->tenant;
	if (number == 0)
		r->outcomes[0] = ACT(own, password_reset, &reset);
	else if (number % 2)
		r->outcomes[number] = ACT(own, signin, &act);
	else
		r->outcomes[number] = ACT(own, token_rotate, &turn, &got);
	r->opened[number] = act.session.hash;
}

static void nothing_that_a_reset_ends_comes_back(void **state)
{
	static const char *const names[ROUNDS] = { "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7" };
	struct world *w = *state;

	for (size_t i = 0; i < ROUNDS; i++) {
		struct pt_join join = new_join(w, "ann");
		struct end_race r = { .tenant = str(names[i]) };

		join.account.tenant = r.tenant;
		EXPECT(PT_OK, ACT(w, account_join, &join, &r.account));
		r.token = token_of(w, &r.account, "ann", "app");
		r.ticket = issued(w, &r.account, PT_TICKET_RESET, "ann");
		race(w, RUNNERS, sign_in_or_reset, &r);
		EXPECT(PT_OK, r.outcomes[0]);
		for (size_t k = 1; k < RUNNERS; k++) {
			assert_false(pt_is_fault(r.outcomes[k]));
			assert_false(session_lives(w, &r.opened[k]));
		}
		for (int64_t generation = 1; generation <= 2; generation++) {
			struct pt_rotate_act turn;
			struct pt_rotated got;

			r.token.generation = generation;
			turn = new_turn(w, &r.token, "app");
			turn.tenant = r.tenant;
			EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
		}
	}
}

/* ---- everything at once ---- */

static void live_a_life(struct world *own, unsigned number, void *shared)
{
	static const char *const names[RUNNERS] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
		"j", "k", "l", "m", "n", "o", "p" };
	pt_err *outcomes = shared;
	struct pt_join join = new_join(own, names[number]);
	struct pt_signin_act signin = { .now = own->now, .has_session = true, .has_token = true };
	struct pt_session_record record;
	struct pt_event none = { .kind = 0 };
	pt_err err = ACT(own, account_join, &join, &signin.account);

	signin.seen_password = join.password;
	for (int i = 0; i < 20 && err == PT_OK; i++) {
		signin.session = new_session(own);
		signin.token = new_token(own, "app");
		err = ACT(own, signin, &signin);
		if (err == PT_OK)
			err = ACT(own, session_find, &signin.session.hash, own->now, &record);
		if (err == PT_OK)
			err = ACT(own, session_close, &signin.session.hash, &none);
		if (err == PT_OK && ACT(own, session_find, &signin.session.hash, own->now,
					    &record) != PT_E_NOT_SIGNED_IN)
			err = PT_F_BUG;
	}
	outcomes[number] = err;
}

static void each_reads_its_own_writes(void **state)
{
	struct world *w = *state;
	pt_err outcomes[RUNNERS];

	race(w, RUNNERS, live_a_life, outcomes);
	assert_int_equal(RUNNERS, count(outcomes, PT_OK));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(one_of_many_joins_gets_the_name_or_the_address),
	cmocka_unit_test(many_rotations_of_one_token_yield_one_successor),
	cmocka_unit_test(many_rotations_of_a_loose_token_yield_one_successor),
	cmocka_unit_test(family_has_one_living_token_however_many_rotate_in_one_grace),
	cmocka_unit_test(without_grace_a_race_for_one_token_ends_its_family),
	cmocka_unit_test(ticket_is_taken_once_by_many),
	cmocka_unit_test(ticket_of_an_amendment_is_taken_once_by_many),
	cmocka_unit_test(no_amendment_of_many_is_lost),
	cmocka_unit_test(one_of_many_joins_gets_the_identity),
	cmocka_unit_test(one_of_many_amendments_gets_the_identity),
	cmocka_unit_test(one_of_many_new_tickets_lives),
	cmocka_unit_test(confirmation_is_recorded_once),
	cmocka_unit_test(limit_is_never_exceeded),
	cmocka_unit_test(each_letter_is_leased_to_one),
	cmocka_unit_test(nothing_that_a_reset_ends_comes_back),
	cmocka_unit_test(each_reads_its_own_writes),
};
CHAPTER(races);
