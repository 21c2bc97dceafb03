/*
 * test_outbox.c - every letter ends somewhere, and is told to the store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "letters.h"
#include "outbound/outbox.h"

#include "base/banned.h"

enum { LETTERS = 8 };

/* ---- a store that keeps letters, and a courier that does as told ---- */

struct row {
	struct pt_letter letter;
	enum { ABSENT, WAITING, IN_HAND, ENDED } state;
	pt_time due;
	struct pt_letter_outcome told;
	char detail[200];
	int times_told;
};

struct world {
	struct letter_office office;
	pthread_mutex_t lock; /* of what follows */
	struct row rows[LETTERS];
	int claims_to_fail, dones_to_fail;
	enum pt_sent answer;
	bool is_blocked, is_stopped;
	int sends, stops;
	pt_time patience;
	pt_err hook_answer;
	int asks;
	struct pt_hooks hooks;
	struct pt_store store;
	struct pt_courier courier;
	enum pt_sent foreign_answer;
	unsigned foreign_delay; /* in microseconds, once */
	int foreign_sends;
	pt_time foreign_patience;
	struct couriers *couriers;
	struct outbox *outbox;
};

static pt_err claim_due(struct world *w, const struct pt_claim *claim, struct pt_letter *out)
{
	for (size_t i = 0; i < LETTERS; i++) {
		struct row *row = &w->rows[i];
		if (row->state != WAITING || row->due > claim->now)
			continue;
		assert_true(claim->lease_until > claim->now);
		row->state = IN_HAND;
		row->letter.attempts++;
		*out = row->letter;
		return PT_OK;
	}
	return PT_E_NOT_FOUND;
}

static pt_err letter_claim(
	void *context, pt_arena *arena, const struct pt_claim *claim, struct pt_letter *out)
{
	struct world *w = context;
	pt_err err = PT_F_STORE;

	(void)arena;
	pthread_mutex_lock(&w->lock);
	if (w->claims_to_fail == 0)
		err = claim_due(w, claim, out);
	else
		w->claims_to_fail--;
	pthread_mutex_unlock(&w->lock);
	return err;
}

static void tell(struct row *row, const struct pt_letter_outcome *outcome)
{
	bool again = outcome->sent == PT_SENT_LATER || outcome->sent == PT_SENT_MISCONFIGURED;
	struct buf detail = BUF_FIXED(row->detail);

	row->told = *outcome;
	buf_str(&detail, outcome->detail);
	row->told.detail = buf_view(&detail);
	row->times_told++;
	row->due = outcome->retry_at;
	row->state = again ? WAITING : ENDED;
}

static pt_err letter_done(void *context, pt_arena *arena, const struct pt_letter_outcome *outcome)
{
	struct world *w = context;
	bool fails;

	(void)arena;
	pthread_mutex_lock(&w->lock);
	fails = w->dones_to_fail > 0;
	w->dones_to_fail -= fails;
	for (size_t i = 0; i < LETTERS && !fails; i++) {
		if (str_eq(str(w->rows[i].letter.id.text), str(outcome->id.text)))
			tell(&w->rows[i], outcome);
	}
	pthread_mutex_unlock(&w->lock);
	return fails ? PT_F_STORE : PT_OK;
}

static pt_err letter_list(
	void *context, pt_arena *arena, size_t max, struct pt_letter **out, size_t *n)
{
	struct world *w = context;
	struct pt_letter *list = ARENA_ARRAY(arena, struct pt_letter, LETTERS);

	*n = 0;
	for (size_t i = LETTERS; i-- > 0 && *n < max;) {
		if (w->rows[i].state != ABSENT)
			list[(*n)++] = w->rows[i].letter;
	}
	*out = list;
	return PT_OK;
}

static pt_err counts(void *context, pt_arena *arena, struct pt_store_counts *out)
{
	struct world *w = context;
	struct pt_store_counts found = { 0 };

	(void)arena;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < LETTERS; i++)
		found.letters_waiting += w->rows[i].state == WAITING;
	pthread_mutex_unlock(&w->lock);
	*out = found;
	return PT_OK;
}

static bool may_return(struct world *w)
{
	bool may;

	pthread_mutex_lock(&w->lock);
	may = !w->is_blocked || w->is_stopped;
	pthread_mutex_unlock(&w->lock);
	return may;
}

static enum pt_sent courier_send(
	void *context, pt_arena *arena, const struct pt_mail *mail, pt_str *detail)
{
	struct world *w = context;
	enum pt_sent answer;

	(void)arena;
	assert_true(str_starts(mail->text, PT_STR("Please click ")));
	pthread_mutex_lock(&w->lock);
	w->sends++;
	w->patience = mail->patience;
	answer = w->answer;
	pthread_mutex_unlock(&w->lock);
	while (!may_return(w))
		usleep(1000);
	*detail = PT_STR("as told");
	return answer;
}

static void courier_stop(void *context)
{
	struct world *w = context;

	pthread_mutex_lock(&w->lock);
	w->is_stopped = true;
	w->stops++;
	pthread_mutex_unlock(&w->lock);
}

/* ---- couriers that letters name: "other", "blocked" ---- */

static enum pt_sent foreign_send(
	void *context, pt_arena *arena, const struct pt_mail *mail, pt_str *detail)
{
	struct world *w = context;
	enum pt_sent answer;
	unsigned delay;

	(void)arena;
	pthread_mutex_lock(&w->lock);
	w->foreign_sends++;
	w->foreign_patience = mail->patience;
	answer = w->foreign_answer;
	delay = w->foreign_delay;
	w->foreign_delay = 0;
	pthread_mutex_unlock(&w->lock);
	usleep(delay);
	*detail = PT_STR("as told elsewhere");
	return answer;
}

static pt_err foreign_open(void *context, pt_str text, struct pt_courier *out)
{
	struct world *w = context;
	bool blocks = str_eq(text, PT_STR("blocked"));

	if (!blocks && !str_eq(text, PT_STR("other")))
		return PT_F_CONFIG;
	*out = (struct pt_courier){ .size = sizeof(*out),
		.ctx = w,
		.send = blocks ? courier_send : foreign_send,
		.stop = courier_stop };
	return PT_OK;
}

static void foreign_close(struct pt_courier *courier)
{
	(void)courier;
}

/* ---- a hook ---- */

static const struct pt_hooks *hooks_of(void *context, pt_str tenant)
{
	struct world *w = context;

	assert_true(str_eq(tenant, PT_STR("t")));
	return &w->hooks;
}

static bool hook_wants(void *context, enum pt_hook_event event)
{
	(void)context;
	return event == PT_HOOK_USER_DELETED;
}

static pt_err hook_ask(void *context, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	struct world *w = context;
	pt_err answer;

	(void)arena, (void)event, (void)reply;
	assert_true(str_eq(body, PT_STR("body")));
	pthread_mutex_lock(&w->lock);
	w->asks++;
	answer = w->hook_answer;
	pthread_mutex_unlock(&w->lock);
	*detail = PT_STR("as told");
	return answer;
}

/* ---- the world ---- */

static int world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->office);
	pthread_mutex_init(&w->lock, NULL);
	w->store = (struct pt_store){ .size = sizeof(w->store),
		.ctx = w,
		.letter_claim = letter_claim,
		.letter_done = letter_done,
		.letter_list = letter_list,
		.counts = counts };
	w->courier = (struct pt_courier){
		.size = sizeof(w->courier), .ctx = w, .send = courier_send, .stop = courier_stop
	};
	w->hooks = (struct pt_hooks){
		.size = sizeof(w->hooks), .ctx = w, .wants = hook_wants, .ask = hook_ask
	};
	*state = w;
	return 0;
}

static int world_end(void **state)
{
	struct world *w = *state;

	outbox_close(w->outbox, 2 * PT_SECOND);
	couriers_close(w->couriers);
	office_close(&w->office);
	free(w);
	return 0;
}

static struct row *add(struct world *w, int number)
{
	struct row *row = &w->rows[number];

	pthread_mutex_lock(&w->lock);
	row->letter = letter_fine(&w->office, number);
	row->state = WAITING;
	pthread_mutex_unlock(&w->lock);
	return row;
}

static void open_with(struct world *w, int per_hour)
{
	struct outbox_setup setup = { .store = &w->store,
		.composer = &w->office.composer,
		.courier = &w->courier,
		.per_hour = per_hour };

	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
}

static struct pt_letter letter_by(struct world *w, int number, const char *courier)
{
	struct buf b = BUF(w->office.arena, KIB);
	pt_str clear;

	buf_printf(&b,
		"{\"name\":\"ann\",\"link\":\"https://d.example/verify?token=t\","
		"\"minutes\":15,\"courier\":\"%s\"}",
		courier);
	assert_int_equal(buf_done(&b, &clear), PT_OK);
	return letter_sealed(&w->office, number, clear);
}

static struct row *add_by(struct world *w, int number, const char *courier)
{
	struct row *row = &w->rows[number];

	pthread_mutex_lock(&w->lock);
	row->letter = letter_by(w, number, courier);
	row->state = WAITING;
	pthread_mutex_unlock(&w->lock);
	return row;
}

static void open_with_couriers(struct world *w, const struct pt_courier *courier)
{
	const struct couriers_setup couriers = { 2, foreign_open, foreign_close, w };
	struct outbox_setup setup = {
		.store = &w->store, .composer = &w->office.composer, .courier = courier
	};

	assert_int_equal(couriers_open(&couriers, &w->couriers), PT_OK);
	setup.couriers = w->couriers;
	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
}

static struct row *add_hook(struct world *w, int number)
{
	struct row *row = &w->rows[number];

	pthread_mutex_lock(&w->lock);
	row->letter = letter_sealed(&w->office, number,
		PT_STR("{\"event\":\"userdeleted\",\"account\":\"a\",\"tenant\":\"t\","
		       "\"body\":\"body\"}"));
	row->letter.kind = PT_LETTER_HOOK;
	row->letter.to = PT_STR("userdeleted");
	row->state = WAITING;
	pthread_mutex_unlock(&w->lock);
	return row;
}

static void open_with_hooks(struct world *w, const struct pt_courier *courier, int per_hour)
{
	struct outbox_setup setup = { .store = &w->store,
		.composer = &w->office.composer,
		.courier = courier,
		.per_hour = per_hour,
		.hooks = hooks_of,
		.hooks_ctx = w };

	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
}

static int asks(struct world *w)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = w->asks;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static int times_told(struct world *w, const struct row *row)
{
	int times;

	pthread_mutex_lock(&w->lock);
	times = row->times_told;
	pthread_mutex_unlock(&w->lock);
	return times;
}

static int sends(struct world *w)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = w->sends;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static bool is_told_within(struct world *w, const struct row *row, int wanted, int ms)
{
	for (int i = 0; i < ms && times_told(w, row) < wanted; i++)
		usleep(1000);
	return times_told(w, row) >= wanted;
}

static bool is_told(struct world *w, const struct row *row)
{
	return is_told_within(w, row, 1, 5000);
}

static void is_about(pt_time at, pt_time wanted)
{
	assert_in_range((uintmax_t)(at - wanted + PT_MINUTE), PT_MINUTE - 2 * PT_SECOND,
		PT_MINUTE + 2 * PT_SECOND);
}

/* ---- what happens ---- */

static void waiting_letters_are_sent_and_told(void **state)
{
	struct world *w = *state;
	struct outbox_counts counted;
	const struct row *last;

	add(w, 0);
	add(w, 1);
	last = add(w, 2);
	open_with(w, 0);
	assert_true(is_told(w, last));
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.sent, 3);
	assert_int_equal(counted.retried + counted.dead + counted.alarms, 0);
	assert_int_equal(last->told.sent, PT_SENT);
	assert_true(str_eq(last->told.detail, PT_STR("as told")));
}

static void a_new_letter_is_sent_when_the_outbox_is_woken(void **state)
{
	struct world *w = *state;
	const struct row *row;

	open_with(w, 0);
	usleep(100000);
	row = add(w, 0);
	assert_false(is_told_within(w, row, 1, 300));
	outbox_wake(w->outbox);
	assert_true(is_told_within(w, row, 1, 1000));
}

static void failed_attempts_wait_longer_and_longer(void **state)
{
	static const pt_time waits[] = { 10 * PT_SECOND, PT_MINUTE, 5 * PT_MINUTE, 15 * PT_MINUTE,
		PT_HOUR };
	struct world *w = *state;

	w->answer = PT_SENT_LATER;
	for (int i = 0; i < 5; i++)
		add(w, i)->letter.attempts = i;
	add(w, 5)->letter.attempts = 5;
	open_with(w, 0);
	assert_true(is_told(w, &w->rows[5]));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(w->rows[i].told.sent, PT_SENT_LATER);
		is_about(w->rows[i].told.retry_at, clock_now() + waits[i]);
	}
	assert_int_equal(w->rows[5].told.sent, PT_SENT_NEVER);
}

static void no_retry_is_later_than_the_letters_time(void **state)
{
	struct world *w = *state;

	w->answer = PT_SENT_LATER;
	add(w, 0)->letter.not_after = clock_now() + 10 * PT_MINUTE;
	w->rows[0].letter.attempts = 3;
	add(w, 1)->letter.not_after = clock_now() + 5 * PT_SECOND;
	open_with(w, 0);
	assert_true(is_told(w, &w->rows[1]));
	assert_int_equal(w->rows[0].told.sent, PT_SENT_LATER);
	is_about(w->rows[0].told.retry_at, clock_now() + 5 * PT_MINUTE);
	assert_int_equal(w->rows[1].told.sent, PT_SENT_NEVER);
}

static void a_retry_happens_when_it_is_due(void **state)
{
	struct world *w = *state;
	const struct row *row = add(w, 0);
	pt_time begin = clock_monotonic();

	w->answer = PT_SENT_LATER;
	open_with(w, 0);
	assert_true(is_told(w, row));
	pthread_mutex_lock(&w->lock);
	w->answer = PT_SENT;
	pthread_mutex_unlock(&w->lock);
	assert_true(is_told_within(w, row, 2, 12000));
	assert_in_range((uintmax_t)(clock_monotonic() - begin), 9900 * PT_MILLISECOND,
		10900 * PT_MILLISECOND);
	assert_int_equal(row->told.sent, PT_SENT);
}

static void an_undeliverable_letter_ends(void **state)
{
	struct world *w = *state;
	const struct row *row = add(w, 0);
	struct outbox_counts counted;

	w->answer = PT_SENT_NEVER;
	open_with(w, 0);
	assert_true(is_told(w, row));
	assert_int_equal(row->told.sent, PT_SENT_NEVER);
	assert_int_equal(row->state, ENDED);
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.dead, 1);
}

static void while_it_is_set_up_wrongly_nothing_more_is_tried(void **state)
{
	struct world *w = *state;
	const struct row *first = add(w, 0), *second = add(w, 1);

	w->answer = PT_SENT_MISCONFIGURED;
	open_with(w, 0);
	assert_true(is_told(w, first));
	assert_int_equal(first->told.sent, PT_SENT_MISCONFIGURED);
	is_about(first->told.retry_at, clock_now() + 5 * PT_MINUTE);
	outbox_wake(w->outbox);
	assert_false(is_told_within(w, second, 1, 300));
}

static void a_letter_of_another_site_ends_and_the_rest_is_sent(void **state)
{
	struct world *w = *state;
	const struct row *last;

	add(w, 0)->letter.sealed =
		PT_STR("not sealed by anybody, but long enough for a nonce, yes");
	last = add(w, 1);
	open_with(w, 0);
	assert_true(is_told(w, last));
	assert_int_equal(w->rows[0].told.sent, PT_SENT_NEVER);
	assert_int_equal(last->told.sent, PT_SENT);
	assert_int_equal(sends(w), 1);
}

static void over_the_hourly_budget_letters_wait(void **state)
{
	struct world *w = *state;
	const struct row *over;

	add(w, 0);
	add(w, 1);
	over = add(w, 2);
	open_with(w, 2);
	assert_true(is_told(w, &w->rows[1]));
	outbox_wake(w->outbox);
	assert_false(is_told_within(w, over, 1, 300));
	assert_int_equal(sends(w), 2);
}

static void a_store_that_is_away_is_waited_for(void **state)
{
	struct world *w = *state;
	const struct row *row = add(w, 0);

	w->claims_to_fail = 1;
	open_with(w, 0);
	assert_true(is_told(w, row));
	assert_int_equal(row->told.sent, PT_SENT);
}

static void an_outcome_is_told_until_the_store_knows_it(void **state)
{
	struct world *w = *state;
	const struct row *row = add(w, 0);

	w->dones_to_fail = 1;
	open_with(w, 0);
	assert_true(is_told(w, row));
	assert_int_equal(sends(w), 1);
}

static void closing_finishes_the_letter_in_hand(void **state)
{
	struct world *w = *state;
	const struct row *row = add(w, 0);

	open_with(w, 0);
	while (sends(w) == 0)
		usleep(1000);
	outbox_close(w->outbox, 2 * PT_SECOND);
	w->outbox = NULL;
	assert_int_equal(row->told.sent, PT_SENT);
	assert_int_equal(w->stops, 0);
}

static void closing_hurries_a_courier_that_takes_too_long(void **state)
{
	struct world *w = *state;
	pt_time begin;

	add(w, 0);
	w->is_blocked = true;
	open_with(w, 0);
	while (sends(w) == 0)
		usleep(1000);
	begin = clock_monotonic();
	outbox_close(w->outbox, 100 * PT_MILLISECOND);
	w->outbox = NULL;
	assert_true(clock_monotonic() - begin < PT_SECOND);
	assert_int_equal(w->stops, 1);
}

static void without_a_courier_letters_stay_for_the_mailbox(void **state)
{
	struct world *w = *state;
	struct outbox_setup setup = { .store = &w->store, .composer = &w->office.composer };
	struct pt_mailbox mailbox;
	struct pt_mail *mails;
	size_t n;

	add(w, 0);
	add(w, 1)->letter.sealed = PT_STR("unreadable");
	add(w, 2);
	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
	outbox_wake(w->outbox);
	mailbox = outbox_mailbox(w->outbox);
	assert_int_equal(mailbox.list(mailbox.ctx, w->office.arena, 10, &mails, &n), PT_OK);
	assert_int_equal(n, 2);
	assert_string_equal(mails[0].id.text, "letter-2");
	assert_string_equal(mails[1].id.text, "letter-0");
	assert_int_equal(w->rows[0].state, WAITING);
}

/* ---- at once ---- */

static void a_letter_is_posted_at_once(void **state)
{
	struct world *w = *state;
	struct pt_letter letter = letter_fine(&w->office, 7);
	struct outbox_counts counted;

	open_with(w, 0);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_OK);
	assert_int_equal(sends(w), 1);
	assert_in_range((uintmax_t)w->patience, 9 * PT_SECOND, 10 * PT_SECOND);
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.sent, 1);
}

static void a_letter_that_is_not_taken_at_once_is_lost(void **state)
{
	static const enum pt_sent answers[] = { PT_SENT_LATER, PT_SENT_NEVER,
		PT_SENT_MISCONFIGURED };
	struct world *w = *state;
	struct pt_letter letter = letter_fine(&w->office, 7);
	struct outbox_counts counted;

	open_with(w, 0);
	for (int i = 0; i < 3; i++) {
		w->answer = answers[i];
		assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_E_MAIL);
	}
	letter.sealed = PT_STR("not sealed by anybody, but long enough for a nonce, yes");
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_E_MAIL);
	assert_int_equal(sends(w), 3);
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.dead, 4);
	assert_int_equal(counted.sent, 0);
}

static void without_a_courier_nothing_is_posted(void **state)
{
	struct world *w = *state;
	struct outbox_setup setup = { .store = &w->store, .composer = &w->office.composer };
	struct pt_letter letter = letter_fine(&w->office, 7);

	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_E_NOT_FOUND);
}

static void letters_at_once_spend_the_hourly_budget(void **state)
{
	struct world *w = *state;
	struct pt_letter letter = letter_fine(&w->office, 7);
	const struct row *row;

	open_with(w, 2);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_OK);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_OK);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &letter), PT_E_MAIL);
	row = add(w, 0);
	outbox_wake(w->outbox);
	assert_false(is_told_within(w, row, 1, 300));
	assert_int_equal(sends(w), 2);
}

struct poster {
	struct world *w;
	struct pt_letter letter;
	pthread_t thread;
	int posted;
};

static void *post_many(void *context)
{
	struct poster *poster = context;
	struct arena *own = arena_open(16 * MIB);

	for (int i = 0; i < 50; i++) {
		poster->posted += outbox_post(poster->w->outbox, own, &poster->letter) == PT_OK;
		arena_reset(own);
	}
	arena_close(own);
	return NULL;
}

static void several_threads_post_beside_the_outbox(void **state)
{
	struct world *w = *state;
	struct poster posters[4];

	for (int i = 0; i < LETTERS; i++)
		add(w, i);
	open_with(w, 1000);
	for (int i = 0; i < 4; i++) {
		posters[i] = (struct poster){ .w = w, .letter = letter_fine(&w->office, 20 + i) };
		assert_int_equal(
			pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(posters[i].thread, NULL);
		assert_int_equal(posters[i].posted, 50);
	}
	assert_true(is_told(w, &w->rows[LETTERS - 1]));
	assert_int_equal(sends(w), 200 + LETTERS);
}

/* ---- letters that name their courier ---- */

static void a_letter_goes_by_the_courier_that_it_names(void **state)
{
	struct world *w = *state;
	const struct row *foreign = add_by(w, 0, "other"), *ours = add(w, 1);
	struct outbox_counts counted;

	open_with_couriers(w, &w->courier);
	assert_true(is_told(w, ours));
	assert_true(is_told(w, foreign));
	assert_int_equal(foreign->told.sent, PT_SENT);
	assert_true(str_eq(foreign->told.detail, PT_STR("as told elsewhere")));
	assert_int_equal(w->foreign_sends, 1);
	assert_in_range((uintmax_t)w->foreign_patience, 29 * PT_SECOND, 30 * PT_SECOND);
	assert_int_equal(sends(w), 1);
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.sent, 2);
}

static void what_is_wrong_with_it_concerns_that_letter_alone(void **state)
{
	struct world *w = *state;
	const struct row *foreign = add_by(w, 0, "other"), *broken = add_by(w, 1, "broken"), *ours;
	struct outbox_counts counted;

	w->foreign_answer = PT_SENT_MISCONFIGURED;
	ours = add(w, 2);
	open_with_couriers(w, &w->courier);
	assert_true(is_told(w, ours));
	assert_int_equal(ours->told.sent, PT_SENT);
	assert_int_equal(foreign->told.sent, PT_SENT_LATER);
	is_about(foreign->told.retry_at, clock_now() + 10 * PT_SECOND);
	assert_int_equal(broken->told.sent, PT_SENT_LATER);
	assert_true(str_eq(broken->told.detail, PT_STR("its courier cannot be used")));
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.alarms, 0);
	assert_int_equal(counted.retried, 2);
}

static void while_ours_is_set_up_wrongly_it_rests_too(void **state)
{
	struct world *w = *state;
	const struct row *ours = add(w, 0), *foreign = add_by(w, 1, "other");

	w->answer = PT_SENT_MISCONFIGURED;
	open_with_couriers(w, &w->courier);
	assert_true(is_told(w, ours));
	assert_int_equal(ours->told.sent, PT_SENT_MISCONFIGURED);
	assert_false(is_told_within(w, foreign, 1, 300));
}

static void a_slow_one_holds_up_others_once(void **state)
{
	struct world *w = *state;
	const struct row *first = add_by(w, 0, "other"), *second = add_by(w, 1, "other"), *ours;

	w->foreign_answer = PT_SENT_LATER;
	w->foreign_delay = 5200000;
	ours = add(w, 2);
	open_with_couriers(w, &w->courier);
	assert_true(is_told_within(w, ours, 1, 9000));
	assert_int_equal(ours->told.sent, PT_SENT);
	assert_int_equal(w->foreign_sends, 1);
	assert_int_equal(first->told.sent, PT_SENT_LATER);
	assert_int_equal(second->told.sent, PT_SENT_LATER);
	assert_true(str_eq(second->told.detail, PT_STR("its courier was too slow before")));
}

static void one_that_refuses_slowly_is_asked_again(void **state)
{
	struct world *w = *state;
	const struct row *first = add_by(w, 0, "other"), *second = add_by(w, 1, "other");

	w->foreign_answer = PT_SENT_NEVER;
	w->foreign_delay = 5200000;
	open_with_couriers(w, NULL);
	assert_true(is_told_within(w, second, 1, 9000));
	assert_int_equal(w->foreign_sends, 2);
	assert_int_equal(first->told.sent, PT_SENT_NEVER);
}

static void without_a_courier_of_ours_letters_that_name_one_go(void **state)
{
	struct world *w = *state;
	const struct row *foreign = add_by(w, 0, "other"), *ours = add(w, 1);
	struct pt_letter by = letter_by(w, 7, "other"), fine = letter_fine(&w->office, 8);

	open_with_couriers(w, NULL);
	assert_true(is_told(w, ours));
	assert_int_equal(ours->told.sent, PT_SENT_LATER);
	assert_true(str_eq(ours->told.detail, PT_STR("there is no courier")));
	assert_int_equal(foreign->told.sent, PT_SENT);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &by), PT_OK);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &fine), PT_E_NOT_FOUND);
	assert_int_equal(w->foreign_sends, 2);
	assert_int_equal(sends(w), 0);
}

static void where_nobody_opens_couriers_ours_takes_all(void **state)
{
	struct world *w = *state;
	const struct row *foreign = add_by(w, 0, "other");

	open_with(w, 0);
	assert_true(is_told(w, foreign));
	assert_int_equal(foreign->told.sent, PT_SENT);
	assert_int_equal(sends(w), 1);
}

static void a_letter_is_posted_by_the_courier_that_it_names(void **state)
{
	struct world *w = *state;
	struct pt_letter other = letter_by(w, 7, "other"), broken = letter_by(w, 8, "broken");

	open_with_couriers(w, &w->courier);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &other), PT_OK);
	assert_int_equal(w->foreign_sends, 1);
	assert_in_range((uintmax_t)w->foreign_patience, 9 * PT_SECOND, 10 * PT_SECOND);
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &broken), PT_E_MAIL);
	w->foreign_answer = PT_SENT_MISCONFIGURED;
	assert_int_equal(outbox_post(w->outbox, w->office.arena, &other), PT_E_MAIL);
	assert_int_equal(sends(w), 0);
}

static void closing_hurries_the_courier_of_a_letter_too(void **state)
{
	struct world *w = *state;
	pt_time begin;

	add_by(w, 0, "blocked");
	w->is_blocked = true;
	open_with_couriers(w, NULL);
	while (sends(w) == 0)
		usleep(1000);
	begin = clock_monotonic();
	outbox_close(w->outbox, 100 * PT_MILLISECOND);
	w->outbox = NULL;
	assert_true(clock_monotonic() - begin < PT_SECOND);
	assert_int_equal(w->stops, 1);
}

/* ---- hooks ---- */

static void hooks_are_told_from_the_same_store(void **state)
{
	struct world *w = *state;
	const struct row *hook = add_hook(w, 0), *letter = add(w, 1);
	struct outbox_counts counted;

	open_with_hooks(w, &w->courier, 0);
	assert_true(is_told(w, letter));
	assert_true(is_told(w, hook));
	assert_int_equal(hook->told.sent, PT_SENT);
	assert_int_equal(asks(w), 1);
	assert_int_equal(sends(w), 1);
	outbox_counts(w->outbox, &counted);
	assert_int_equal(counted.sent, 1);
}

static void a_hook_that_does_not_answer_is_asked_later(void **state)
{
	struct world *w = *state;
	const struct row *hook = add_hook(w, 0);

	w->hook_answer = PT_E_HOOK_UNREACHABLE;
	open_with_hooks(w, &w->courier, 0);
	assert_true(is_told(w, hook));
	assert_int_equal(hook->told.sent, PT_SENT_LATER);
	is_about(hook->told.retry_at, clock_now() + 10 * PT_SECOND);
	assert_true(str_eq(hook->told.detail, PT_STR("as told")));
}

static void a_hook_that_refuses_is_not_asked_again(void **state)
{
	struct world *w = *state;
	const struct row *hook = add_hook(w, 0);

	w->hook_answer = PT_E_HOOK_REFUSED;
	open_with_hooks(w, &w->courier, 0);
	assert_true(is_told(w, hook));
	assert_int_equal(hook->told.sent, PT_SENT_NEVER);
}

static void hooks_do_not_spend_the_hourly_budget(void **state)
{
	struct world *w = *state;
	const struct row *letter;

	for (int i = 0; i < 3; i++)
		add_hook(w, i);
	letter = add(w, 3);
	open_with_hooks(w, &w->courier, 1);
	assert_true(is_told(w, letter));
	assert_int_equal(letter->told.sent, PT_SENT);
	assert_int_equal(asks(w), 3);
}

static void nobody_to_tell_ends_a_hook(void **state)
{
	struct world *w = *state;
	const struct row *hook = add_hook(w, 0);

	open_with(w, 0);
	assert_true(is_told(w, hook));
	assert_int_equal(hook->told.sent, PT_SENT_NEVER);
	assert_true(str_eq(hook->told.detail, PT_STR("no hook is set up to be told")));
}

static void hooks_are_told_without_a_courier_and_letters_stay(void **state)
{
	struct world *w = *state;
	const struct row *letter = add(w, 0), *hook = add_hook(w, 1);
	struct pt_mailbox mailbox;
	struct pt_mail *mails;
	size_t n;

	open_with_hooks(w, NULL, 0);
	assert_true(is_told(w, hook));
	assert_int_equal(hook->told.sent, PT_SENT);
	assert_int_equal(letter->state, WAITING);
	assert_true(letter->due > clock_now() + 50 * PT_MINUTE);
	assert_int_equal(sends(w), 0);
	mailbox = outbox_mailbox(w->outbox);
	assert_int_equal(mailbox.list(mailbox.ctx, w->office.arena, 10, &mails, &n), PT_OK);
	assert_int_equal(n, 1);
	assert_string_equal(mails[0].id.text, "letter-0");
}

static void the_mailbox_shows_a_letters_own_subject(void **state)
{
	struct world *w = *state;
	struct outbox_setup setup = { .store = &w->store, .composer = &w->office.composer };
	struct pt_mailbox mailbox;
	struct pt_mail *mails;
	size_t n;

	add(w, 0)->letter = letter_invite(&w->office, 0, ",\"subject\":\"Join us, {{.Email}}\"");
	assert_int_equal(outbox_open(&setup, &w->outbox), PT_OK);
	mailbox = outbox_mailbox(w->outbox);
	assert_int_equal(mailbox.list(mailbox.ctx, w->office.arena, 10, &mails, &n), PT_OK);
	assert_int_equal(n, 1);
	assert_true(str_eq(mails[0].subject, PT_STR("Join us, ann@example.org")));
	assert_true(str_contains(mails[0].text, PT_STR("https://d.example/#invite_token=t")));
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	outbox_close(NULL, 0);
	outbox_wake(NULL);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(waiting_letters_are_sent_and_told),
		STORY(a_new_letter_is_sent_when_the_outbox_is_woken),
		STORY(failed_attempts_wait_longer_and_longer),
		STORY(no_retry_is_later_than_the_letters_time),
		STORY(a_retry_happens_when_it_is_due),
		STORY(an_undeliverable_letter_ends),
		STORY(while_it_is_set_up_wrongly_nothing_more_is_tried),
		STORY(a_letter_of_another_site_ends_and_the_rest_is_sent),
		STORY(over_the_hourly_budget_letters_wait),
		STORY(a_store_that_is_away_is_waited_for),
		STORY(an_outcome_is_told_until_the_store_knows_it),
		STORY(closing_finishes_the_letter_in_hand),
		STORY(closing_hurries_a_courier_that_takes_too_long),
		STORY(without_a_courier_letters_stay_for_the_mailbox),
		STORY(a_letter_is_posted_at_once),
		STORY(a_letter_that_is_not_taken_at_once_is_lost),
		STORY(without_a_courier_nothing_is_posted),
		STORY(letters_at_once_spend_the_hourly_budget),
		STORY(several_threads_post_beside_the_outbox),
		STORY(a_letter_goes_by_the_courier_that_it_names),
		STORY(what_is_wrong_with_it_concerns_that_letter_alone),
		STORY(while_ours_is_set_up_wrongly_it_rests_too),
		STORY(a_slow_one_holds_up_others_once),
		STORY(one_that_refuses_slowly_is_asked_again),
		STORY(without_a_courier_of_ours_letters_that_name_one_go),
		STORY(where_nobody_opens_couriers_ours_takes_all),
		STORY(a_letter_is_posted_by_the_courier_that_it_names),
		STORY(closing_hurries_the_courier_of_a_letter_too),
		STORY(hooks_are_told_from_the_same_store),
		STORY(a_hook_that_does_not_answer_is_asked_later),
		STORY(a_hook_that_refuses_is_not_asked_again),
		STORY(hooks_do_not_spend_the_hourly_budget),
		STORY(nobody_to_tell_ends_a_hook),
		STORY(hooks_are_told_without_a_courier_and_letters_stay),
		STORY(the_mailbox_shows_a_letters_own_subject),
		cmocka_unit_test(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
