/*
 * outbox.c - one thread between the store and a courier.
 *
 *              claim                    send              done
 *   WAITING ----------> in hand ----------------> outcome -------> SENT
 *      ^                   |                         |    -------> DEAD     never, or its time is over
 *      |    lease is over  |                         |
 *      +-------------------+<------------------------+ later: back-off
 *
 * (1) The states are the store's; this thread remembers nothing that a crash may not take.
 * (2) A letter is in hand of one thread of one node, until its lease is over.
 * (3) The outcome is told to the store before another letter is claimed.
 * (4) No letter is sent past its not_after.
 * (5) A letter that goes out at once is in no store, and nothing here remembers it.
 */
#include "outbound/outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "outbound/hook_letter.h"

#include "base/banned.h"

enum { CALL = 4 * 1024 * 1024, PER_HOUR_MAX = 1000000 };

static const pt_time lease = 5 * PT_MINUTE; /* longer than any courier takes */
static const pt_time look_often = 5 * PT_SECOND;
static const pt_time look_rarely = PT_MINUTE;
static const pt_time mend_time = 5 * PT_MINUTE;
static const pt_time store_pause = PT_SECOND;
static const pt_time store_pause_max = PT_MINUTE;
static const pt_time last_chance = 20 * PT_SECOND;
static const pt_time template_time = 10 * PT_SECOND;
static const pt_time post_time = 10 * PT_SECOND;
static const pt_time post_template_time = 5 * PT_SECOND;
static const pt_time mailbox_template_time = 5 * PT_SECOND;
static const pt_time without_courier = PT_HOUR;
static const pt_time foreign_time = 30 * PT_SECOND;
static const pt_time foreign_slow = 5 * PT_SECOND;
static const pt_time foreign_rest = PT_MINUTE;

static const pt_time backoff[] = { 10 * PT_SECOND, PT_MINUTE, 5 * PT_MINUTE, 15 * PT_MINUTE,
	PT_HOUR };
enum { BACKOFFS = sizeof(backoff) / sizeof(backoff[0]) };

struct outbox {
	const struct pt_store *store;
	const struct composer *composer;
	const struct pt_courier *courier; /* NULL: the thread, if any, is there for others */
	struct couriers *couriers;        /* NULL: there is no other courier */
	struct hook_carrier hooks;
	struct letter_templates *own;
	bool has_thread;
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	bool woken;
	bool stopping;
	bool finished;
	struct {
		pt_time *sent; /* monotonic, the last per_hour of them, in a ring */
		size_t size;
		size_t next;
	} budget;

	/* the thread's own */
	struct arena *arena;
	pt_time retry_soonest; /* wall clock; 0: none that we know of */
	pt_time rest_until;    /* monotonic; nothing is sent before */
	pt_time store_backoff;
	bool is_alarmed;
	bool is_budget_warned;

	struct outbox_counts counts; /* atomic */
};

/* What an attempt came to. */
struct outcome {
	enum pt_sent sent;
	pt_str detail;
};

/* ---- sleeping ---- */

static bool is_stopping(struct outbox *outbox)
{
	bool stopping;

	pthread_mutex_lock(&outbox->lock);
	stopping = outbox->stopping;
	pthread_mutex_unlock(&outbox->lock);
	return stopping;
}

static struct timespec moment(pt_time monotonic)
{
	return (struct timespec){ .tv_sec = monotonic / PT_SECOND,
		.tv_nsec = (monotonic % PT_SECOND) * 1000 };
}

/* Until a letter was written, or the outbox is to end, or the time is over. */
static void sleep_woken(struct outbox *outbox, pt_time duration)
{
	struct timespec until = moment(clock_monotonic() + duration);

	pthread_mutex_lock(&outbox->lock);
	while (!outbox->woken && !outbox->stopping) {
		if (pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until) != 0)
			break;
	}
	outbox->woken = false;
	pthread_mutex_unlock(&outbox->lock);
}

/* A new letter changes nothing about why we wait. */
static void sleep_through(struct outbox *outbox, pt_time until)
{
	struct timespec end = moment(until);

	pthread_mutex_lock(&outbox->lock);
	while (!outbox->stopping) {
		if (pthread_cond_timedwait(&outbox->changed, &outbox->lock, &end) != 0)
			break;
	}
	pthread_mutex_unlock(&outbox->lock);
}

static void rest_from_store(struct outbox *outbox)
{
	pt_time pause = outbox->store_backoff > 0 ? outbox->store_backoff : store_pause;

	outbox->store_backoff = 2 * pause < store_pause_max ? 2 * pause : store_pause_max;
	sleep_through(outbox, clock_monotonic() + pause);
}

/* Exactly until the next retry of ours, and now and then for letters of other nodes. */
static pt_time idle_time(struct outbox *outbox)
{
	struct pt_store_counts counts = { 0 };
	pt_time longest = look_rarely, now = clock_now();

	arena_reset(outbox->arena);
	if (outbox->store->counts(outbox->store->ctx, outbox->arena, &counts) != PT_OK ||
		counts.letters_waiting > 0)
		longest = look_often;
	if (outbox->retry_soonest > now && outbox->retry_soonest - now < longest)
		longest = outbox->retry_soonest - now;
	return longest;
}

static void sleep_idle(struct outbox *outbox)
{
	pt_time duration = idle_time(outbox);

	if (outbox->retry_soonest <= clock_now() + duration)
		outbox->retry_soonest = 0;
	sleep_woken(outbox, duration);
}

/* ---- the hourly budget ---- */

/* The slot that comes next holds the oldest of the last per_hour letters. */
static pt_time budget_free_at(struct outbox *outbox)
{
	pt_time oldest;

	if (outbox->budget.size == 0)
		return 0;
	pthread_mutex_lock(&outbox->lock);
	oldest = outbox->budget.sent[outbox->budget.next];
	pthread_mutex_unlock(&outbox->lock);
	return oldest > 0 ? oldest + PT_HOUR : 0;
}

static void budget_spend(struct outbox *outbox)
{
	if (outbox->budget.size == 0)
		return;
	pthread_mutex_lock(&outbox->lock);
	outbox->budget.sent[outbox->budget.next] = clock_monotonic();
	outbox->budget.next = (outbox->budget.next + 1) % outbox->budget.size;
	pthread_mutex_unlock(&outbox->lock);
}

static void budget_wait(struct outbox *outbox)
{
	pt_time free_at = budget_free_at(outbox);

	if (free_at <= clock_monotonic()) {
		outbox->is_budget_warned = false;
		return;
	}
	if (!outbox->is_budget_warned)
		log_say(LOG_WARN, "outbox.budget",
			"%zu letters were sent within an hour, which is the limit: the rest waits",
			outbox->budget.size);
	outbox->is_budget_warned = true;
	sleep_through(outbox, free_at);
}

/* ---- what follows from an outcome ---- */

/*
 * Steps of the back-off while its time allows; towards the end the time that is left is halved, so
 * that a server which returns late still meets the letter. 0: no more.
 */
static pt_time retry_time(const struct pt_letter *letter, pt_time now)
{
	int step = letter->attempts > 0 ? letter->attempts - 1 : 0;
	pt_time wait = backoff[step < BACKOFFS ? step : BACKOFFS - 1];

	if (letter->not_after == 0)
		return step < BACKOFFS ? now + wait : 0;
	if (now + wait < letter->not_after)
		return now + wait;
	if (letter->not_after - now < last_chance)
		return 0;
	return now + (letter->not_after - now) / 2;
}

/* Somebody has to mend something first, and asking often locks logins. 0: its time is over by then. */
static pt_time mended_time(const struct pt_letter *letter, pt_time now)
{
	pt_time at = now + mend_time;

	return letter->not_after == 0 || at < letter->not_after ? at : 0;
}

static void note_retry(struct outbox *outbox, pt_time at)
{
	if (outbox->retry_soonest == 0 || at < outbox->retry_soonest)
		outbox->retry_soonest = at;
}

struct outcome_words {
	enum log_level level;
	const char *event;
	size_t counter;
};

static const struct outcome_words outcome_words[] = {
	[PT_SENT] = { LOG_INFO, "outbox.sent", offsetof(struct outbox_counts, sent) },
	[PT_SENT_LATER] = { LOG_WARN, "outbox.retry", offsetof(struct outbox_counts, retried) },
	[PT_SENT_NEVER] = { LOG_WARN, "outbox.dead", offsetof(struct outbox_counts, dead) },
	[PT_SENT_MISCONFIGURED] = { LOG_INFO, "outbox.held",
		offsetof(struct outbox_counts, alarms) },
};

static void count(struct outbox *outbox, enum pt_sent sent)
{
	char *counter = (char *)&outbox->counts + outcome_words[sent].counter;

	__atomic_add_fetch((uint64_t *)(void *)counter, 1, __ATOMIC_RELAXED);
}

static void log_outcome(const struct pt_letter *letter, const struct outcome *outcome)
{
	pt_str local, domain;

	str_cut(letter->to, '@', &local, &domain);
	LOG(outcome_words[outcome->sent].level, outcome_words[outcome->sent].event,
		F_CSTR("kind", letter_name(letter->kind)), F_CSTR("letter", letter->id.text),
		F_INT("attempt", letter->attempts), F_STR("domain", domain),
		F_STR("detail", outcome->detail));
}

/* Said when it begins and when it is over, not for each letter. */
static void alarm_change(struct outbox *outbox, const struct outcome *outcome)
{
	bool is_wrong = outcome->sent == PT_SENT_MISCONFIGURED;

	if (is_wrong && !outbox->is_alarmed)
		LOG(LOG_ERROR, "outbox.misconfigured",
			F_CSTR("message", "mail cannot be sent as it is set up; letters are kept "
					  "and tried every five minutes"),
			F_STR("detail", outcome->detail));
	if (outcome->sent == PT_SENT && outbox->is_alarmed)
		log_say(LOG_INFO, "outbox.mended", "mail is being sent again");
	if (is_wrong || outcome->sent == PT_SENT)
		outbox->is_alarmed = is_wrong;
	if (is_wrong)
		outbox->rest_until = clock_monotonic() + mend_time;
}

/* ---- whom a letter goes by ---- */

/* One that the letter named is foreign: and NULL where it does not open. */
struct carrier {
	const struct pt_courier *courier;
	bool is_foreign;
};

/* An unreadable letter names nobody: composing it will say what is wrong. */
static struct carrier carrier_take(
	struct outbox *outbox, pt_arena *arena, const struct pt_letter *letter)
{
	pt_str named = PT_STR("");

	if (!outbox->couriers ||
		compose_courier(outbox->composer, arena, letter, &named) != PT_OK || named.n == 0)
		return (struct carrier){ .courier = outbox->courier };
	return (struct carrier){ couriers_take(outbox->couriers, named), true };
}

static void carrier_leave(struct outbox *outbox, const struct carrier *carrier)
{
	if (carrier->is_foreign && carrier->courier)
		couriers_leave(outbox->couriers, carrier->courier);
}

static bool is_nobody(const struct carrier *carrier)
{
	return !carrier->courier && !carrier->is_foreign;
}

/* What is wrong with it concerns the letters that name it, and a slow one must not hold up the others.
 * Some servers take their time to refuse a recipient: that is an answer. */
static enum pt_sent foreign_judge(
	struct outbox *outbox, const struct carrier *carrier, enum pt_sent sent, pt_time begun)
{
	pt_time now = clock_monotonic();
	bool is_away = sent == PT_SENT_LATER || sent == PT_SENT_MISCONFIGURED;

	if (is_away && now - begun > foreign_slow)
		couriers_rest(outbox->couriers, carrier->courier, now + foreign_rest);
	return sent == PT_SENT_MISCONFIGURED ? PT_SENT_LATER : sent;
}

static bool is_resting(struct outbox *outbox, const struct carrier *carrier)
{
	return carrier->is_foreign &&
	       couriers_rest_until(outbox->couriers, carrier->courier) > clock_monotonic();
}

/* ---- one letter ---- */

static struct outcome composing_failed(pt_err err)
{
	if (err == PT_F_CRYPTO)
		return (struct outcome){ PT_SENT_NEVER, PT_STR("not sealed by this site") };
	return (struct outcome){ PT_SENT_LATER, PT_STR("it could not be composed") };
}

/* When a letter's own template and the letter itself are no longer waited for; monotonic. */
struct patience {
	pt_time template;
	pt_time letter; /* 0: the courier knows */
};

static pt_time time_left(const struct patience *patience)
{
	pt_time left;

	if (patience->letter == 0)
		return 0;
	left = patience->letter - clock_monotonic();
	return left > PT_MILLISECOND ? left : PT_MILLISECOND;
}

static struct outcome hand_over(struct outbox *outbox, pt_arena *arena,
	const struct carrier *carrier, const struct pt_mail *mail)
{
	const struct pt_courier *courier = carrier->courier;
	pt_time begun = clock_monotonic();
	struct outcome outcome = { .sent = PT_SENT_LATER };

	outcome.sent = courier->send(courier->ctx, arena, mail, &outcome.detail);
	if (outcome.sent == PT_SENT)
		budget_spend(outbox);
	if (carrier->is_foreign)
		outcome.sent = foreign_judge(outbox, carrier, outcome.sent, begun);
	return outcome;
}

static struct outcome attempt(struct outbox *outbox, pt_arena *arena, const struct carrier *carrier,
	const struct pt_letter *letter, const struct patience *patience)
{
	struct pt_mail mail;
	pt_err err;

	if (!carrier->courier)
		return (struct outcome){ PT_SENT_LATER, PT_STR("its courier cannot be used") };
	if (is_resting(outbox, carrier))
		return (struct outcome){ PT_SENT_LATER, PT_STR("its courier was too slow before") };
	err = compose(outbox->composer, outbox->own, arena, letter, patience->template, &mail);
	if (err != PT_OK)
		return composing_failed(err);
	mail.patience = time_left(patience);
	return hand_over(outbox, arena, carrier, &mail);
}

/* A letter that cannot be tried again in its time is dead, and said to be. */
static pt_time schedule(const struct pt_letter *letter, struct outcome *outcome)
{
	pt_time now = clock_now(), at;

	if (outcome->sent == PT_SENT_LATER)
		at = retry_time(letter, now);
	else if (outcome->sent == PT_SENT_MISCONFIGURED)
		at = mended_time(letter, now);
	else
		return 0;
	if (at == 0)
		outcome->sent = PT_SENT_NEVER;
	return at;
}

/* Without this the letter would go out again: a store that is away is waited for. */
static void tell_store(struct outbox *outbox, const struct pt_letter *letter,
	const struct outcome *outcome, pt_time at)
{
	const struct pt_store *store = outbox->store;
	struct pt_letter_outcome told = {
		.id = letter->id,
		.sent = outcome->sent,
		.now = clock_now(),
		.retry_at = at,
		.detail = outcome->detail,
	};

	while (store->letter_done(store->ctx, outbox->arena, &told) < 0 && !is_stopping(outbox))
		rest_from_store(outbox);
}

static void conclude(struct outbox *outbox, const struct pt_letter *letter,
	const struct outcome *outcome, pt_time at)
{
	log_outcome(letter, outcome);
	if (at > 0)
		note_retry(outbox, at);
	tell_store(outbox, letter, outcome, at);
}

static void carry_letter(
	struct outbox *outbox, const struct carrier *carrier, const struct pt_letter *letter)
{
	pt_time now = clock_monotonic();
	const struct patience patience = { now + template_time,
		carrier->is_foreign ? now + foreign_time : 0 };
	struct outcome outcome = attempt(outbox, outbox->arena, carrier, letter, &patience);
	pt_time at;

	if (!carrier->is_foreign)
		alarm_change(outbox, &outcome);
	at = schedule(letter, &outcome);
	count(outbox, outcome.sent);
	conclude(outbox, letter, &outcome, at);
}

/* Of no weight for the budget, the alarm and the counts, which are about mail. */
static void carry_hook(struct outbox *outbox, const struct pt_letter *letter)
{
	struct outcome outcome = { .sent = PT_SENT_LATER };
	pt_time at;

	outcome.sent = hook_letter_send(&outbox->hooks, outbox->arena, letter, &outcome.detail);
	at = schedule(letter, &outcome);
	conclude(outbox, letter, &outcome, at);
}

/* It stays in the store, where the mailbox finds it. */
static void leave(struct outbox *outbox, const struct pt_letter *letter)
{
	const struct outcome outcome = { PT_SENT_LATER, PT_STR("there is no courier") };

	tell_store(outbox, letter, &outcome, clock_now() + without_courier);
}

static void carry(struct outbox *outbox, const struct pt_letter *letter)
{
	struct carrier carrier;

	if (letter->kind == PT_LETTER_HOOK) {
		carry_hook(outbox, letter);
		return;
	}
	carrier = carrier_take(outbox, outbox->arena, letter);
	if (is_nobody(&carrier))
		leave(outbox, letter);
	else
		carry_letter(outbox, &carrier, letter);
	carrier_leave(outbox, &carrier);
}

static void carry_next(struct outbox *outbox)
{
	const struct pt_store *store = outbox->store;
	pt_time now = clock_now();
	struct pt_claim claim = { .now = now, .lease_until = now + lease };
	struct pt_letter letter;
	pt_err err;

	arena_reset(outbox->arena);
	err = store->letter_claim(store->ctx, outbox->arena, &claim, &letter);
	if (err == PT_OK) {
		outbox->store_backoff = 0;
		carry(outbox, &letter);
	} else if (err == PT_E_NOT_FOUND) {
		outbox->store_backoff = 0;
		sleep_idle(outbox);
	} else {
		rest_from_store(outbox);
	}
}

/* ---- the thread ---- */

static void *run(void *context)
{
	struct outbox *outbox = context;

	while (!is_stopping(outbox)) {
		if (outbox->rest_until > clock_monotonic())
			sleep_through(outbox, outbox->rest_until);
		else if (budget_free_at(outbox) > clock_monotonic())
			budget_wait(outbox);
		else
			carry_next(outbox);
	}
	pthread_mutex_lock(&outbox->lock);
	outbox->finished = true;
	pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
	return NULL;
}

/* Signals are for the main thread. */
static pt_err thread_start(struct outbox *outbox)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&outbox->thread, NULL, run, outbox);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return fault(PT_F_MEMORY, "the outbox's thread does not start: error %d", failed);
	outbox->has_thread = true;
	return PT_OK;
}

static void locks_open(struct outbox *outbox)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&outbox->lock, NULL);
	pthread_cond_init(&outbox->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static pt_err room_make(struct outbox *outbox, int per_hour)
{
	size_t size = per_hour > 0 ? (size_t)per_hour : 0;

	/* a limit that no hour reaches is none */
	if (size > PER_HOUR_MAX)
		size = 0;
	outbox->arena = arena_open(CALL);
	outbox->budget.size = size;
	outbox->budget.sent = calloc(size + 1, sizeof(pt_time));
	if (!outbox->arena || !outbox->budget.sent)
		return fault(PT_F_MEMORY, "no room for the outbox");
	return PT_OK;
}

static void outbox_free(struct outbox **outbox)
{
	if (!*outbox)
		return;
	arena_close((*outbox)->arena);
	letter_templates_close((*outbox)->own);
	free((*outbox)->budget.sent);
	pthread_cond_destroy(&(*outbox)->changed);
	pthread_mutex_destroy(&(*outbox)->lock);
	free(*outbox);
}

pt_err outbox_open(const struct outbox_setup *setup, struct outbox **out)
{
	PT_OWN(outbox_free) struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return fault(PT_F_MEMORY, "no room for the outbox");
	locks_open(outbox);
	outbox->store = setup->store;
	outbox->composer = setup->composer;
	outbox->courier = setup->courier;
	outbox->couriers = setup->couriers;
	outbox->hooks = (struct hook_carrier){ .store = setup->store,
		.letter_key = &setup->composer->letter_key,
		.hooks = setup->hooks,
		.hooks_ctx = setup->hooks_ctx };
	outbox->own = letter_templates_open();
	if (!outbox->own)
		return fault(PT_F_MEMORY, "no room for the outbox");
	if (outbox->courier || outbox->couriers || setup->hooks) {
		TRY(room_make(outbox, setup->per_hour));
		TRY(thread_start(outbox));
	}
	*out = PT_GIVE(outbox);
	return PT_OK;
}

void outbox_wake(void *context)
{
	struct outbox *outbox = context;

	if (!outbox)
		return;
	pthread_mutex_lock(&outbox->lock);
	outbox->woken = true;
	pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
}

/* ---- at once ---- */

/* Nobody comes back for this letter: whatever was not sent is lost, and said. */
static void log_lost(const struct pt_letter *letter, const struct outcome *outcome)
{
	bool is_wrong = outcome->sent == PT_SENT_MISCONFIGURED;
	pt_str local, domain;

	str_cut(letter->to, '@', &local, &domain);
	LOG(is_wrong ? LOG_ERROR : LOG_WARN, "outbox.lost",
		F_CSTR("kind", letter_name(letter->kind)), F_CSTR("letter", letter->id.text),
		F_STR("domain", domain), F_STR("detail", outcome->detail));
}

pt_err outbox_post(struct outbox *outbox, pt_arena *arena, const struct pt_letter *letter)
{
	pt_time now = clock_monotonic();
	const struct patience patience = { now + post_template_time, now + post_time };
	struct outcome outcome = { PT_SENT_LATER, PT_STR("the hourly budget is spent") };
	struct carrier carrier = carrier_take(outbox, arena, letter);

	if (is_nobody(&carrier))
		return PT_E_NOT_FOUND;
	if (budget_free_at(outbox) <= now)
		outcome = attempt(outbox, arena, &carrier, letter, &patience);
	carrier_leave(outbox, &carrier);
	if (outcome.sent == PT_SENT) {
		log_outcome(letter, &outcome);
		count(outbox, PT_SENT);
		return PT_OK;
	}
	log_lost(letter, &outcome);
	count(outbox, PT_SENT_NEVER);
	return PT_E_MAIL;
}

/* ---- closing ---- */

static bool ask_to_finish(struct outbox *outbox, pt_time grace)
{
	struct timespec until = moment(clock_monotonic() + grace);
	bool finished;

	pthread_mutex_lock(&outbox->lock);
	outbox->stopping = true;
	pthread_cond_broadcast(&outbox->changed);
	while (!outbox->finished) {
		if (pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until) != 0)
			break;
	}
	finished = outbox->finished;
	pthread_mutex_unlock(&outbox->lock);
	return finished;
}

static bool has_stop(const struct pt_courier *courier)
{
	return courier && courier->size > offsetof(struct pt_courier, stop) && courier->stop;
}

static void hurry(struct outbox *outbox)
{
	if (has_stop(outbox->courier))
		outbox->courier->stop(outbox->courier->ctx);
	if (outbox->couriers)
		couriers_stop(outbox->couriers);
}

void outbox_close(struct outbox *outbox, pt_time grace)
{
	if (!outbox)
		return;
	if (outbox->has_thread) {
		if (!ask_to_finish(outbox, grace))
			hurry(outbox);
		pthread_join(outbox->thread, NULL);
	}
	outbox_free(&outbox);
}

void outbox_counts(const struct outbox *outbox, struct outbox_counts *out)
{
	const struct outbox_counts *counts = &outbox->counts;

	out->sent = __atomic_load_n(&counts->sent, __ATOMIC_RELAXED);
	out->retried = __atomic_load_n(&counts->retried, __ATOMIC_RELAXED);
	out->dead = __atomic_load_n(&counts->dead, __ATOMIC_RELAXED);
	out->alarms = __atomic_load_n(&counts->alarms, __ATOMIC_RELAXED);
}

/* ---- the developer's mailbox ---- */

static pt_err mailbox_list(
	void *context, pt_arena *arena, size_t max, struct pt_mail **mails, size_t *n)
{
	const struct outbox *outbox = context;
	const struct pt_store *store = outbox->store;
	pt_time until = clock_monotonic() + mailbox_template_time;
	struct pt_letter *letters;
	struct pt_mail *list;
	size_t found, readable = 0;

	TRY(store->letter_list(store->ctx, arena, max, &letters, &found));
	list = ARENA_ARRAY(arena, struct pt_mail, found);
	if (!list)
		return fault(PT_F_MEMORY, "no room for %zu letters", found);
	for (size_t i = 0; i < found; i++) {
		if (letters[i].kind == PT_LETTER_HOOK)
			continue;
		/* of another site, or of a key that was changed since: logged where it was born */
		if (compose(outbox->composer, outbox->own, arena, &letters[i], until,
			    &list[readable]) == PT_OK)
			readable++;
	}
	*mails = list;
	*n = readable;
	return PT_OK;
}

struct pt_mailbox outbox_mailbox(const struct outbox *outbox)
{
	return (struct pt_mailbox){ .size = sizeof(struct pt_mailbox),
		.ctx = (void *)(uintptr_t)outbox,
		.list = mailbox_list };
}
