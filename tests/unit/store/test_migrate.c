/*
 * test_migrate.c - the schema: brought up, looked at, refused.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "faulty_disk.h"
#include "store/drivers.h"

#include "base/banned.h"

struct place {
	char file[64];
	char url[96];
	struct store_setup setup;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	int fd;

	snprintf(p->file, sizeof(p->file), "/tmp/portress-migrate-XXXXXX");
	fd = mkstemp(p->file);
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(p->url, sizeof(p->url), "sqlite:%s", p->file);
	p->setup.url = str(p->url);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	faulty_disk_fail(0, SQLITE_OK, false);
	unlink(p->file);
	free(p);
	return 0;
}

static void sql(const struct place *p, const char *text)
{
	sqlite3 *db;

	assert_int_equal(SQLITE_OK, sqlite3_open(p->file, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, text, NULL, NULL, NULL));
	sqlite3_close(db);
}

static pt_err opened(struct place *p, bool migrate)
{
	struct pt_store store;
	pt_err err;

	p->setup.migrate = migrate;
	err = store_open(&p->setup, &store);
	if (err == PT_OK)
		store.close(store.ctx);
	return err;
}

struct heard {
	int last;
	int times;
};

static void hear(void *ctx, int number, const char *name)
{
	struct heard *heard = ctx;

	assert_non_null(name);
	assert_int_equal(heard->last + 1, number);
	heard->last = number;
	heard->times++;
}

static void up_applies_what_is_missing_once_and_in_order(void **state)
{
	struct place *p = *state;
	struct heard heard = { 0 };
	struct migration_status status;

	assert_int_equal(PT_OK, store_migrate_status(&p->setup, &status));
	assert_int_equal(0, status.applied);
	assert_true(status.known > 0);
	assert_int_equal(PT_OK, store_migrate_up(&p->setup, hear, &heard));
	assert_int_equal(status.known, heard.last);
	assert_int_equal(status.known, heard.times);
	assert_int_equal(PT_OK, store_migrate_up(&p->setup, hear, &heard));
	assert_int_equal(status.known, heard.times);
	assert_int_equal(PT_OK, store_migrate_status(&p->setup, &status));
	assert_int_equal(status.known, status.applied);
}

static void opening_without_migration_refuses_an_older_schema(void **state)
{
	struct place *p = *state;

	assert_int_equal(PT_F_CONFIG, opened(p, false));
	assert_int_equal(PT_OK, opened(p, true));
	assert_int_equal(PT_OK, opened(p, false));
}

static void newer_schema_is_refused_with_and_without_migration(void **state)
{
	struct place *p = *state;
	struct heard heard = { 0 };

	assert_int_equal(PT_OK, opened(p, true));
	sql(p, "INSERT INTO portress_schema VALUES (999, '999-tomorrow.sql', 'x', 1)");
	assert_int_equal(PT_F_CONFIG, opened(p, false));
	assert_int_equal(PT_F_CONFIG, opened(p, true));
	assert_int_equal(PT_F_CONFIG, store_migrate_up(&p->setup, hear, &heard));
	assert_int_equal(0, heard.times);
}

static void edited_step_is_found(void **state)
{
	struct place *p = *state;
	struct migration_status status;

	assert_int_equal(PT_OK, opened(p, true));
	assert_int_equal(PT_OK, store_migrate_verify(&p->setup, &status));
	assert_int_equal(status.known, status.applied);
	sql(p, "UPDATE portress_schema SET checksum = '0000000000000000' WHERE number = 1");
	assert_int_equal(PT_F_CONFIG, store_migrate_verify(&p->setup, &status));
}

static void check_names_a_schema_that_changed_underneath(void **state)
{
	struct place *p = *state;
	pt_arena *arena = arena_open(1 << 20);
	struct pt_store store;
	pt_str why = { NULL, 0 };

	p->setup.migrate = true;
	assert_int_equal(PT_OK, store_open(&p->setup, &store));
	assert_int_equal(PT_OK, store.check(store.ctx, arena, &why));
	sql(p, "INSERT INTO portress_schema VALUES (999, '999-tomorrow.sql', 'x', 1)");
	assert_int_equal(PT_F_STORE, store.check(store.ctx, arena, &why));
	assert_true(str_contains(why, PT_STR("newer program")));
	sql(p, "DROP TABLE portress_schema");
	assert_int_equal(PT_F_STORE, store.check(store.ctx, arena, &why));
	assert_true(str_contains(why, PT_STR("portress migrate up")));
	store.close(store.ctx);
	arena_close(arena);
}

/* What there was with the first step, put there as soon as it stands. */
static void settle(void *ctx, int number, const char *name)
{
	(void)name;
	if (number != 1)
		return;
	sql(ctx, "INSERT INTO portress_account (id, tenant, audience, email, email_key,"
		 " email_verified_at, phone_verified_at, created_at, updated_at, last_signin_at,"
		 " disabled_at, signin_count, failed_signins, password) VALUES ('ann', '', '',"
		 " 'Ann@example.test', 'ann@example.test', 3, 0, 1, 2, 0, 0, 7, 0, 'hash')");
	sql(ctx, "INSERT INTO portress_event (id, kind, account, happened_at, detail)"
		 " VALUES ('e', 1, 'ann', 1, 'first')");
	/* Ann is signed in with a token that followed two others; elsewhere, once; and was, a third time. */
	sql(ctx,
		"INSERT INTO portress_family (id, account, client, started_at) VALUES"
		" ('here', 'ann', 'app', 1), ('there', 'ann', NULL, 5), ('ended', 'ann', NULL, 1)");
	sql(ctx, "INSERT INTO portress_token (hash, family, issued_at, expires_at, spent_at) VALUES"
		 " (CAST('the oldest token, which is spent' AS BLOB), 'here', 1, 100, 2),"
		 " (CAST('the second one, which is too now' AS BLOB), 'here', 2, 200, 3),"
		 " (CAST('the third one, and this is LIVE.' AS BLOB), 'here', 3, 300, 0),"
		 " (CAST('the only one there has ever been' AS BLOB), 'there', 5, 86400000000, 0),"
		 " (CAST('one of a family without LIVE one' AS BLOB), 'ended', 1, 100, 2)");
}

static struct pt_hash hash_of(const char *text)
{
	struct pt_hash hash;

	assert_int_equal(sizeof(hash), strlen(text));
	memcpy(hash.bytes, text, sizeof(hash));
	return hash;
}

static struct pt_rotate_act turn_of(const char *text, const char *client)
{
	return (struct pt_rotate_act){
		.presented.hash = hash_of(text),
		.secret = hash_of("the secret made of what was told"),
		.client = str(client),
		.now = 50,
		.grace = 40,
		.lifetime = 1000,
	};
}

static void those_of_an_older_schema_are_still_there(void **state)
{
	struct place *p = *state;
	pt_arena *arena = arena_open(1 << 20);
	const struct pt_account_page accounts = { .max = 10 };
	const struct pt_event_page events = { .kinds = UINT32_MAX, .max = 10 };
	struct pt_account_record *account;
	struct pt_event *event;
	struct pt_store store;
	int64_t total;
	size_t n;

	assert_int_equal(PT_OK, store_migrate_up(&p->setup, settle, p));
	assert_int_equal(PT_OK, store_open(&p->setup, &store));
	assert_int_equal(
		PT_OK, store.account_page(store.ctx, arena, &accounts, &account, &n, &total));
	assert_int_equal(1, n);
	assert_true(str_eq(PT_STR("ann@example.test"), account->account.email_key));
	assert_true(str_eq(PT_STR("hash"), account->password));
	assert_int_equal(7, account->account.signin_count);
	assert_false(account->account.super_admin);
	assert_int_equal(0, account->account.new_email.n);
	assert_int_equal(PT_OK, store.event_page(store.ctx, arena, &events, &event, &n, &total));
	assert_int_equal(1, n);
	assert_true(str_eq(PT_STR("first"), event->detail));
	assert_int_equal(0, event->actor_email.n);
	store.close(store.ctx);
	arena_close(arena);
}

static void tokens_of_an_older_schema_still_turn(void **state)
{
	struct place *p = *state;
	pt_arena *arena = arena_open(1 << 20);
	struct pt_rotate_act third = turn_of("the third one, and this is LIVE.", "app");
	struct pt_rotate_act only = turn_of("the only one there has ever been", "");
	struct pt_rotated got;
	struct pt_store store;

	assert_int_equal(PT_OK, store_migrate_up(&p->setup, settle, p));
	assert_int_equal(PT_OK, store_open(&p->setup, &store));
	assert_int_equal(PT_OK, store.token_rotate(store.ctx, arena, &third, &got));
	assert_string_equal("here", got.token.family.text);
	assert_int_equal(3, got.token.generation);
	assert_string_equal("ann", got.owner.account.id.text);
	assert_int_equal(PT_OK, store.token_rotate(store.ctx, arena, &third, &got));
	assert_int_equal(3, got.token.generation);
	only.now = 86400000000;
	assert_int_equal(PT_E_REFRESH_EXPIRED, store.token_rotate(store.ctx, arena, &only, &got));
	only.now--;
	only.family_until = 86400000000;
	assert_int_equal(PT_OK, store.token_rotate(store.ctx, arena, &only, &got));
	assert_int_equal(86400000005, got.token.expires_at);
	store.close(store.ctx);
	arena_close(arena);
}

static void spent_tokens_of_an_older_schema_still_raise_the_alarm(void **state)
{
	struct place *p = *state;
	pt_arena *arena = arena_open(1 << 20);
	struct pt_rotate_act oldest = turn_of("the oldest token, which is spent", "app");
	struct pt_rotate_act third = turn_of("the third one, and this is LIVE.", "app");
	struct pt_rotate_act ended = turn_of("one of a family without LIVE one", "");
	struct pt_rotated got;
	struct pt_store store;

	assert_int_equal(PT_OK, store_migrate_up(&p->setup, settle, p));
	assert_int_equal(PT_OK, store_open(&p->setup, &store));
	assert_int_equal(PT_E_REFRESH, store.token_rotate(store.ctx, arena, &ended, &got));
	assert_int_equal(PT_E_REUSED, store.token_rotate(store.ctx, arena, &oldest, &got));
	assert_int_equal(PT_E_REFRESH, store.token_rotate(store.ctx, arena, &third, &got));
	store.close(store.ctx);
	arena_close(arena);
}

static void families_of_an_older_schema_are_purged_when_they_have_expired(void **state)
{
	struct place *p = *state;
	pt_arena *arena = arena_open(1 << 20);
	struct pt_rotate_act third = turn_of("the third one, and this is LIVE.", "app");
	struct pt_rotate_act only = turn_of("the only one there has ever been", "");
	struct pt_rotated got;
	struct pt_store store;
	bool more;

	assert_int_equal(PT_OK, store_migrate_up(&p->setup, settle, p));
	assert_int_equal(PT_OK, store_open(&p->setup, &store));
	assert_int_equal(PT_OK, store.purge(store.ctx, arena, 86400000000, &more));
	assert_int_equal(PT_E_REFRESH, store.token_rotate(store.ctx, arena, &third, &got));
	assert_int_equal(PT_OK, store.token_rotate(store.ctx, arena, &only, &got));
	store.close(store.ctx);
	arena_close(arena);
}

/* Whichever change to the disk fails, the step is applied wholly or not at all, and then again. */
static void interrupted_migration_is_resumed(void **state)
{
	struct place *p = *state;
	struct migration_status status;
	bool interrupted = true;

	for (int n = 1; n < 200 && interrupted; n++) {
		unlink(p->file);
		faulty_disk_fail(n, SQLITE_IOERR_WRITE, true);
		(void)!store_migrate_up(&p->setup, NULL, NULL);
		interrupted = faulty_disk_failed();
		faulty_disk_fail(0, SQLITE_OK, false);
		assert_int_equal(PT_OK, store_migrate_up(&p->setup, NULL, NULL));
		assert_int_equal(PT_OK, store_migrate_verify(&p->setup, &status));
		assert_int_equal(status.known, status.applied);
	}
	assert_false(interrupted);
	assert_int_equal(PT_OK, opened(p, false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(up_applies_what_is_missing_once_and_in_order),
		TEST(opening_without_migration_refuses_an_older_schema),
		TEST(newer_schema_is_refused_with_and_without_migration),
		TEST(edited_step_is_found),
		TEST(check_names_a_schema_that_changed_underneath),
		TEST(those_of_an_older_schema_are_still_there),
		TEST(tokens_of_an_older_schema_still_turn),
		TEST(spent_tokens_of_an_older_schema_still_raise_the_alarm),
		TEST(families_of_an_older_schema_are_purged_when_they_have_expired),
		TEST(interrupted_migration_is_resumed),
	};

	faulty_disk_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
