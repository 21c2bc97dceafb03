/*
 * world.c - the store under test, and short ways to put something into it.
 */
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "store/drivers.h"
#include "store/sql/port.h"

#include "base/banned.h"

enum { ARENA_CEILING = 32 << 20 };

static const char *chosen;
static char directory[] = "/tmp/portress-contract-XXXXXX";
static char file[sizeof(directory) + 32];
static struct pt_store kept; /* a SQL store stays open from test to test */

/* ---- the store ------------------------------------------------------------------------------ */

static bool is_memory(void)
{
	return strcmp(chosen, "memory") == 0;
}

static pt_err kept_open(void)
{
	const struct store_setup setup = { .url = str(chosen), .migrate = true };

	return store_open(&setup, &kept);
}

bool world_choose(const char *url)
{
	chosen = url;
	if (is_memory())
		return true;
	if (strcmp(url, "sqlite:tmp") == 0) {
		if (!mkdtemp(directory))
			return false;
		snprintf(file, sizeof(file), "sqlite:%s/contract.db", directory);
		chosen = file;
	}
	return kept_open() == PT_OK;
}

void world_forget(void)
{
	if (is_memory())
		return;
	kept.close(kept.ctx);
	if (chosen == file) {
		unlink(file + strlen("sqlite:"));
		rmdir(directory);
	}
}

static pt_err act_empty(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)in, (void)out, (void)keep;
	return conn->driver->script(conn, arena,
		"DELETE FROM portress_loose_token; DELETE FROM portress_family;"
		"DELETE FROM portress_session; DELETE FROM portress_ticket;"
		"DELETE FROM portress_limit; DELETE FROM portress_letter;"
		"DELETE FROM portress_event; DELETE FROM portress_account;"
		"DELETE FROM portress_identity; DELETE FROM portress_tenant;"
		"DELETE FROM portress_import;");
}

static pt_err empty_store(struct world *w)
{
	struct sql_store *sql;

	if (is_memory())
		return pt_store_memory(&w->store);
	w->store = kept;
	sql = kept.ctx;
	return sql->driver->write(sql, act_empty, w->arena, NULL, NULL);
}

int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->arena = arena_open(ARENA_CEILING);
	w->now = 1800000000 * PT_SECOND;
	*state = w;
	return w->arena && empty_store(w) == PT_OK ? 0 : -1;
}

int world_close(void **state)
{
	struct world *w = *state;

	if (is_memory())
		w->store.close(w->store.ctx);
	arena_close(w->arena);
	free(w);
	return 0;
}

void world_reopen(struct world *w)
{
	w->store.close(w->store.ctx);
	if (is_memory()) {
		EXPECT(PT_OK, pt_store_memory(&w->store));
		return;
	}
	EXPECT(PT_OK, kept_open());
	w->store = kept;
}

void expect_outcome(pt_err wanted, pt_err got, const char *what, const char *where, int line)
{
	if (got == wanted)
		return;
	print_error("%s\n  is %s, not %s\n", what, pt_err_name(got), pt_err_name(wanted));
	_fail(where, line);
}

void expect_text(const char *wanted, pt_str got, const char *what, const char *where, int line)
{
	if (str_eq(str(wanted), got))
		return;
	print_error("%s\n  is \"%.*s\", not \"%s\"\n", what, (int)got.n, got.p, wanted);
	_fail(where, line);
}

/* ---- new values ----------------------------------------------------------------------------- */

static _Atomic unsigned serial;

struct pt_id new_id(void)
{
	struct pt_id id;

	snprintf(id.text, sizeof(id.text), "01900000-0000-7000-8000-%012x",
		atomic_fetch_add(&serial, 1));
	return id;
}

/* Random in its first bytes: a store that keeps them in order has nothing to gain. */
static struct pt_hash hash_of(unsigned number)
{
	uint64_t mixed = (number + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
	struct pt_hash hash = { { 0 } };

	memcpy(hash.bytes, &mixed, sizeof(mixed));
	memcpy(hash.bytes + 28, &number, sizeof(number));
	return hash;
}

struct pt_hash new_hash(void)
{
	return hash_of(atomic_fetch_add(&serial, 1));
}

struct pt_event new_event(const struct world *w, enum pt_event_kind kind)
{
	return (struct pt_event){
		.id = new_id(),
		.kind = kind,
		.at = w->now,
		.client = PT_STR("192.0.2.0"),
		.request = PT_STR("request-1"),
		.detail = PT_STR("contract"),
	};
}

struct pt_letter new_letter(const struct world *w, enum pt_letter_kind kind, const char *to)
{
	return (struct pt_letter){
		.id = new_id(),
		.kind = kind,
		.to = str(to),
		.sealed = PT_STR("sealed\0\xff bytes"),
		.created_at = w->now,
		.not_after = w->now + PT_DAY,
	};
}

/* Not from an arena: a test may make those fail. Good for the next two hundred texts. */
static pt_str text(const char *before, const char *name, const char *after)
{
	static _Thread_local char texts[200][64];
	static _Thread_local unsigned next;
	char *p = texts[next++ % 200];
	int n = snprintf(p, sizeof(texts[0]), "%s%s%s", before, name, after);

	assert_in_range(n, 0, sizeof(texts[0]) - 1);
	return str_n(p, (size_t)n);
}

struct pt_join new_join(const struct world *w, const char *name)
{
	return (struct pt_join){
		.account = {
			.id = new_id(),
			.username = str(name),
			.username_key = str(name),
			.email = text("", name, "@Example.test"),
			.email_key = text("", name, "@example.test"),
			.created_at = w->now,
			.updated_at = w->now,
		},
		.password = text("hash of ", name, ""),
		.event = new_event(w, PT_EVENT_SIGNUP),
		.taken_event = new_event(w, PT_EVENT_SIGNUP_TAKEN),
	};
}

struct pt_ticket new_ticket(const struct world *w, const struct pt_id *account_id,
	enum pt_ticket_kind kind, const char *name)
{
	return (struct pt_ticket){
		.hash = new_hash(),
		.kind = kind,
		.account = *account_id,
		.email_key = text("", name, "@example.test"),
		.bound = new_hash(),
		.created_at = w->now,
		.expires_at = w->now + PT_HOUR,
	};
}

struct pt_session new_session(const struct world *w)
{
	return (struct pt_session){
		.hash = new_hash(),
		.created_at = w->now,
		.expires_at = w->now + PT_DAY,
		.methods = PT_METHOD_PASSWORD,
		.client = PT_STR("192.0.2.0"),
		.user_agent = PT_STR("Mozilla/5.0"),
	};
}

/* Of the token that does not say this family, if it has one. */
static struct pt_hash loose_hash(const struct pt_id *family)
{
	return hash_of((unsigned)strtoul(family->text + 24, NULL, 16));
}

/* The secret follows from that hash, and from nothing else: new_turn knows it without looking. */
static struct pt_hash secret_of(struct pt_hash loose)
{
	for (size_t i = 0; i < sizeof(loose.bytes); i++)
		loose.bytes[i] = (uint8_t)~loose.bytes[i];
	return loose;
}

struct pt_token new_token(const struct world *w, const char *client)
{
	const struct pt_id family = new_id();

	return (struct pt_token){
		.family = family,
		.generation = 1,
		.secret = secret_of(loose_hash(&family)),
		.client = str(client),
		.issued_at = w->now,
		.expires_at = w->now + 30 * PT_DAY,
	};
}

struct pt_import_token new_loose_token(
	const struct world *w, const struct pt_id *account_id, const char *client)
{
	struct pt_import_token loose = { .token = new_token(w, client) };

	loose.hash = loose_hash(&loose.token.family);
	loose.token.account = *account_id;
	loose.token.secret = (struct pt_hash){ { 0 } };
	return loose;
}

struct pt_token_ref ref_of(const struct pt_token *token)
{
	return (struct pt_token_ref){ .family = token->family, .generation = token->generation };
}

void same_token(const struct pt_token_ref *wanted, const struct pt_token_ref *got)
{
	assert_string_equal(wanted->family.text, got->family.text);
	assert_int_equal(wanted->generation, got->generation);
}

/* ---- acts that succeed ---------------------------------------------------------------------- */

struct pt_id joined(struct world *w, const char *name)
{
	struct pt_join join = new_join(w, name);
	struct pt_id id;

	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	return id;
}

pt_err asked(struct world *w, const struct asking *act)
{
	struct pt_amend amend = {
		.account = act->ticket.account,
		.now = w->now,
		.has_new_ticket = true,
		.new_ticket = act->ticket,
		.has_letter = act->letter.kind != 0,
		.letter = act->letter,
		.events = { act->event },
	};
	struct pt_account_record now;

	return ACT(w, account_amend, &amend, &now);
}

struct pt_hash issued(
	struct world *w, const struct pt_id *account_id, enum pt_ticket_kind kind, const char *name)
{
	struct asking act = {
		.ticket = new_ticket(w, account_id, kind, name),
		.letter = new_letter(w, PT_LETTER_VERIFY, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_CONFIRM_ASKED),
	};

	act.letter.account = *account_id;
	EXPECT(PT_OK, asked(w, &act));
	return act.ticket.hash;
}

static struct pt_signin_act new_signin(
	struct world *w, const struct pt_id *account_id, const char *name)
{
	return (struct pt_signin_act){
		.account = *account_id,
		.seen_password = text("hash of ", name, ""),
		.now = w->now,
		.event = new_event(w, PT_EVENT_SIGNIN),
	};
}

struct pt_hash session_of(struct world *w, const struct pt_id *account_id, const char *name)
{
	struct pt_signin_act act = new_signin(w, account_id, name);

	act.has_session = true;
	act.session = new_session(w);
	EXPECT(PT_OK, ACT(w, signin, &act));
	return act.session.hash;
}

struct pt_token_ref token_of(
	struct world *w, const struct pt_id *account_id, const char *name, const char *client)
{
	struct pt_signin_act act = new_signin(w, account_id, name);

	act.has_token = true;
	act.token = new_token(w, client);
	EXPECT(PT_OK, ACT(w, signin, &act));
	return ref_of(&act.token);
}

struct pt_token_ref loose_token_of(
	struct world *w, const struct pt_id *account_id, const char *client)
{
	const struct pt_import_token token = new_loose_token(w, account_id, client);
	const struct pt_import batch = { .tokens = &token,
		.n_tokens = 1,
		.source = PT_STR("another program"),
		.mark = PT_STR("1"),
		.now = w->now };
	struct pt_import_count count;

	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	assert_int_equal(1, count.added);
	return (struct pt_token_ref){ .hash = token.hash };
}

struct pt_rotate_act new_turn(
	const struct world *w, const struct pt_token_ref *presented, const char *client)
{
	const bool named = presented->family.text[0] != '\0';

	return (struct pt_rotate_act){
		.presented = *presented,
		.secret = secret_of(named ? loose_hash(&presented->family) : presented->hash),
		.client = str(client),
		.now = w->now,
		.grace = 10 * PT_SECOND,
		.lifetime = 30 * PT_DAY,
		.event = new_event(w, PT_EVENT_TOKEN_REFRESHED),
		.reuse_event = new_event(w, PT_EVENT_TOKEN_REUSED),
	};
}

struct pt_rotated rotated(struct world *w, const struct pt_token_ref *presented, const char *client)
{
	const struct pt_rotate_act turn = new_turn(w, presented, client);
	struct pt_rotated got;

	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	return got;
}

struct pt_token_ref refreshed(
	struct world *w, const struct pt_token_ref *presented, const char *client)
{
	const struct pt_rotated got = rotated(w, presented, client);

	return ref_of(&got.token);
}

pt_err amended(struct world *w, const struct pt_amend *amend)
{
	struct pt_account_record after;

	return ACT(w, account_amend, amend, &after);
}

/* ---- looking -------------------------------------------------------------------------------- */

struct pt_account_record account(struct world *w, const struct pt_id *id)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = str(id->text) };
	struct pt_account_record record;

	EXPECT(PT_OK, ACT(w, account_find, &query, &record));
	return record;
}

bool account_is_there(struct world *w, const struct pt_id *id)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = str(id->text) };
	struct pt_account_record record;
	pt_err err = ACT(w, account_find, &query, &record);

	if (err != PT_OK)
		EXPECT(PT_E_NOT_FOUND, err);
	return err == PT_OK;
}

bool token_lives(struct world *w, const struct pt_token_ref *ref, const char *client)
{
	struct pt_rotate_act turn = new_turn(w, ref, client);
	struct pt_rotated got;
	pt_err err;

	turn.event.kind = turn.reuse_event.kind = 0;
	err = ACT(w, token_rotate, &turn, &got);
	if (err != PT_OK)
		EXPECT(PT_E_REFRESH, err);
	return err == PT_OK;
}

bool session_lives(struct world *w, const struct pt_hash *hash)
{
	struct pt_session_record record;
	pt_err err = ACT(w, session_find, hash, w->now, &record);

	if (err != PT_OK)
		EXPECT(PT_E_NOT_SIGNED_IN, err);
	return err == PT_OK;
}

bool ticket_lives(struct world *w, const struct pt_hash *hash, enum pt_ticket_kind kind)
{
	struct pt_ticket_record record;
	pt_err err = ACT(w, ticket_find, hash, kind, w->now, &record);

	if (err != PT_OK && err != PT_E_TICKET_EXPIRED)
		EXPECT(PT_E_TICKET, err);
	return err == PT_OK;
}

static struct pt_event *all_events(struct world *w, size_t *n)
{
	const struct pt_id anybody = { "" };
	struct pt_event *list;

	EXPECT(PT_OK, ACT(w, event_list, &anybody, 1000, &list, n));
	return list;
}

size_t events(struct world *w, enum pt_event_kind kind)
{
	size_t n, found = 0;
	const struct pt_event *list = all_events(w, &n);

	for (size_t i = 0; i < n; i++)
		found += list[i].kind == kind;
	return found;
}

struct pt_event last_event(struct world *w)
{
	size_t n;
	const struct pt_event *list = all_events(w, &n);

	assert_true(n > 0);
	return list[0];
}

static struct pt_letter *all_letters(struct world *w, size_t *n)
{
	struct pt_letter *list;

	EXPECT(PT_OK, ACT(w, letter_list, 1000, &list, n));
	return list;
}

size_t letters(struct world *w)
{
	size_t n;

	all_letters(w, &n);
	return n;
}

struct pt_letter last_letter(struct world *w)
{
	size_t n;
	const struct pt_letter *list = all_letters(w, &n);

	assert_true(n > 0);
	return list[0];
}

/* ---- races ---------------------------------------------------------------------------------- */

struct runner {
	pthread_t thread;
	pthread_barrier_t *start;
	struct world own;
	unsigned number;
	void (*work)(struct world *own, unsigned number, void *shared);
	void *shared;
};

static void *run(void *ctx)
{
	struct runner *runner = ctx;

	pthread_barrier_wait(runner->start);
	runner->work(&runner->own, runner->number, runner->shared);
	return NULL;
}

void race(struct world *w, unsigned n,
	void (*work)(struct world *own, unsigned number, void *shared), void *shared)
{
	PT_OWN(own_malloc) struct runner *runners = calloc(n, sizeof(*runners));
	pthread_barrier_t start;

	assert_non_null(runners);
	pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		runners[i] = (struct runner){
			.start = &start, .own = *w, .number = i, .work = work, .shared = shared
		};
		runners[i].own.arena = arena_open(ARENA_CEILING);
		assert_non_null(runners[i].own.arena);
		assert_int_equal(0, pthread_create(&runners[i].thread, NULL, run, &runners[i]));
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(runners[i].thread, NULL);
		arena_close(runners[i].own.arena);
	}
	pthread_barrier_destroy(&start);
}
