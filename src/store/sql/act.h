/*
 * act.h - between the rooms of the verbs: how acts are run, and the steps that several of them share.
 *
 * verbs.c says which rooms there are, and what puts two acts in order.
 */
#ifndef STORE_SQL_ACT_H
#define STORE_SQL_ACT_H

#include "store/sql/directory.h"
#include "store/sql/row.h"

enum { LIST_MOST = 1000 };

/* How long it may be told that a ticket has expired. */
static const pt_time ticket_kept = 7 * PT_DAY;

/* ---- running an act ---- */

PT_CHECK pt_err sql_run_read(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out);

/* PT_E_TAKEN, a key that is there already, is a fault of ours: hashes and UUIDs are new. */
PT_CHECK pt_err sql_run_write(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out);

/* PT_E_TAKEN is an answer of the act's. */
PT_CHECK pt_err sql_run_claim(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out);

/* For a step of an act that run_claim runs, where PT_E_TAKEN is none of its answers. */
PT_CHECK pt_err sql_never_taken(pt_err err);

/* Runs an insert that leaves alone what is there: *added says whether it was new. The act goes on. */
#define INSERT_NEW(conn_, arena_, name_, added_, ...)                                             \
	sql_insert_new((conn_), (arena_), SQL_##name_, (const struct sql_value[]){ __VA_ARGS__ }, \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value),     \
		(added_))
PT_CHECK pt_err sql_insert_new(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *values, size_t n, bool *added);

/* A part to look for, with its ASCII letters in lower case. */
PT_CHECK pt_err sql_part_fold(pt_arena *arena, pt_str part, pt_str *out);

/* ---- the account of an act ---- */

/* Order (3). */
PT_CHECK pt_err sql_account_lock(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *account);

/* PT_E_NOT_FOUND. */
PT_CHECK pt_err sql_account_by_id(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct pt_account_record *out);

/* `refusal` when the account is gone. */
PT_CHECK pt_err sql_account_or(pt_err refusal, struct sql_conn *conn, pt_arena *arena,
	const struct pt_id *id, struct pt_account_record *out);

/* Signs it out everywhere. Its row was written in this act already: order (2). */
PT_CHECK pt_err sql_account_end_signins(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *account);

PT_CHECK pt_err sql_account_end_all(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *account);

/* ---- what an act leaves behind ---- */

PT_CHECK pt_err sql_event_write(
	struct sql_conn *conn, pt_arena *arena, const struct pt_event *event);

/* The same, and the table's other programs are told. Kind 0 is none. */
PT_CHECK pt_err sql_event_add(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event);
PT_CHECK pt_err sql_event_add_of(struct sql_conn *conn, pt_arena *arena,
	const struct pt_event *event, const struct pt_id *account);
/* The tenant too is filled, where there is none. */
PT_CHECK pt_err sql_event_add_about(struct sql_conn *conn, pt_arena *arena,
	const struct pt_event *event, const struct pt_account *account);

PT_CHECK pt_err sql_letter_add(
	struct sql_conn *conn, pt_arena *arena, const struct pt_letter *letter);
PT_CHECK pt_err sql_letter_add_of(struct sql_conn *conn, pt_arena *arena,
	const struct pt_letter *letter, const struct pt_id *account);

PT_CHECK pt_err sql_ticket_add(struct sql_conn *conn, pt_arena *arena,
	const struct pt_ticket *ticket, const struct pt_id *account);
/* Spends it: the first of two who take it wins. PT_E_TICKET. */
PT_CHECK pt_err sql_ticket_take(struct sql_conn *conn, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, const struct pt_id *account, pt_time now, pt_str *email_key);

PT_CHECK pt_err sql_session_add(struct sql_conn *conn, pt_arena *arena,
	const struct pt_session *session, const struct pt_id *account);

/* When the row of a family may go: a whole day, so that it seldom changes as the family's tokens do. */
pt_time sql_family_purge_at(pt_time expires_at);
/* A family that starts with that token. `spent`: packed (stamps.h), as its column has it. *added: whether its id
 * was new, and otherwise nothing was written; NULL where it is. */
PT_CHECK pt_err sql_family_add(struct sql_conn *conn, pt_arena *arena, const struct pt_token *live,
	pt_str spent, bool *added);
/* A token that does not say its family. */
PT_CHECK pt_err sql_loose_token_add(struct sql_conn *conn, pt_arena *arena,
	const struct pt_hash *hash, const struct pt_id *family, int64_t generation);
/* A new family with its first token. */
PT_CHECK pt_err sql_family_open(struct sql_conn *conn, pt_arena *arena,
	const struct pt_token *token, const struct pt_id *account);

/* Holds the identity until the act ends, and says whose it is. PT_E_NOT_FOUND: nobody's. */
PT_CHECK pt_err sql_identity_hold(struct sql_conn *conn, pt_arena *arena, pt_str tenant,
	const struct pt_identity *identity, struct pt_id *owner);
PT_CHECK pt_err sql_identity_add(struct sql_conn *conn, pt_arena *arena, pt_str tenant,
	const struct pt_identity *identity, const struct pt_id *account, pt_time now);

/* ---- the rooms ---- */

/* Each puts its verbs into the table. */
void sql_accounts_publish(struct pt_store *out);
void sql_amend_publish(struct pt_store *out);
void sql_signins_publish(struct pt_store *out);
void sql_tickets_publish(struct pt_store *out);
void sql_tokens_publish(struct pt_store *out);
void sql_limits_publish(struct pt_store *out);
void sql_events_publish(struct pt_store *out);
void sql_tenants_publish(struct pt_store *out);
void sql_import_publish(struct pt_store *out);
void sql_letters_publish(struct pt_store *out);
void sql_keeping_publish(struct pt_store *out);

#endif
