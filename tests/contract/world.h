/*
 * world.h - an empty store, and short ways to put something into it.
 *
 * The store is the one that the program was called with. Each test finds it empty. Time stands where
 * the test puts it. Ids and hashes that the world makes are new each time.
 */
#ifndef TESTS_CONTRACT_WORLD_H
#define TESTS_CONTRACT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "portress/store.h"

struct world {
	struct pt_store store;
	pt_arena *arena;
	pt_time now;
};

/* "memory", "sqlite:PATH" (":tmp" makes a file that goes again), "postgres://..." or "mysql://...". False: said why. */
bool world_choose(const char *url);
void world_forget(void);

int world_open(void **state);  /* cmocka's setup */
int world_close(void **state); /* and teardown */

/* Closes the store and opens it again; the one in memory begins anew. */
void world_reopen(struct world *w);

/* A verb of the world's store, in the world's arena. */
#define ACT(w, verb, ...) (w)->store.verb((w)->store.ctx, (w)->arena, __VA_ARGS__)

#define EXPECT(wanted, got) expect_outcome((wanted), (got), #got, __FILE__, __LINE__)
void expect_outcome(pt_err wanted, pt_err got, const char *what, const char *file, int line);
#define EXPECT_TEXT(wanted, got) expect_text((wanted), (got), #got, __FILE__, __LINE__)
void expect_text(const char *wanted, pt_str got, const char *what, const char *file, int line);

/* ---- new values ---- */

struct pt_id new_id(void);
struct pt_hash new_hash(void);
struct pt_event new_event(const struct world *w, enum pt_event_kind kind);
struct pt_letter new_letter(const struct world *w, enum pt_letter_kind kind, const char *to);

/* name: "ann" has the address ann@example.test and the password "hash of ann". */
struct pt_join new_join(const struct world *w, const char *name);
struct pt_ticket new_ticket(const struct world *w, const struct pt_id *account,
	enum pt_ticket_kind kind, const char *name);
struct pt_session new_session(const struct world *w);
struct pt_token new_token(const struct world *w, const char *client);
/* A token that comes from another program and does not say its family; first of a family. */
struct pt_import_token new_loose_token(
	const struct world *w, const struct pt_id *account, const char *client);

/* ---- acts that succeed ---- */

/* A ticket, and the letter that takes it to its owner. */
struct asking {
	struct pt_ticket ticket;
	struct pt_letter letter;
	struct pt_event event;
};

pt_err asked(struct world *w, const struct asking *act);

struct pt_id joined(struct world *w, const char *name);
struct pt_hash issued(
	struct world *w, const struct pt_id *account, enum pt_ticket_kind kind, const char *name);
struct pt_hash session_of(struct world *w, const struct pt_id *account, const char *name);
struct pt_token_ref token_of(
	struct world *w, const struct pt_id *account, const char *name, const char *client);
struct pt_token_ref loose_token_of(
	struct world *w, const struct pt_id *account, const char *client);
struct pt_rotated rotated(
	struct world *w, const struct pt_token_ref *presented, const char *client);
struct pt_token_ref refreshed(
	struct world *w, const struct pt_token_ref *presented, const char *client);

/* How a token is presented that says its family. */
struct pt_token_ref ref_of(const struct pt_token *token);
void same_token(const struct pt_token_ref *wanted, const struct pt_token_ref *got);

/* A turn of a token: its secret, grace 10 s, lifetime 30 days, no end of the family. */
struct pt_rotate_act new_turn(
	const struct world *w, const struct pt_token_ref *presented, const char *client);

/* account_amend, where the account that comes of it does not matter. */
pt_err amended(struct world *w, const struct pt_amend *amend);

/* ---- looking ---- */

struct pt_account_record account(struct world *w, const struct pt_id *id);
bool account_is_there(struct world *w, const struct pt_id *id);
/* Rotates it once, without an event. */
bool token_lives(struct world *w, const struct pt_token_ref *ref, const char *client);
bool session_lives(struct world *w, const struct pt_hash *hash);
bool ticket_lives(struct world *w, const struct pt_hash *hash, enum pt_ticket_kind kind);
size_t events(struct world *w, enum pt_event_kind kind);
struct pt_event last_event(struct world *w);
size_t letters(struct world *w);
struct pt_letter last_letter(struct world *w);

/* Runs `work` in n threads that begin together, each with its own arena and number. */
void race(struct world *w, unsigned n,
	void (*work)(struct world *own, unsigned number, void *shared), void *shared);

#endif
