/*
 * open.c - from a URL to a store: driver, schema, directory.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "store/drivers.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/mysql_target.h"

#include "base/banned.h"

static const struct {
	const char *scheme;
	pt_err (*open)(const struct store_setup *setup, struct sql_store **out);
} drivers[] = {
	{ "sqlite:", sqlite_open },
	{ "postgres:", postgres_open },
	{ "postgresql:", postgres_open },
	/* libpq's own form: key=value */
	{ "host=", postgres_open },
	{ "dbname=", postgres_open },
	{ "service=", postgres_open },
	{ "mysql:", mysql_open },
	{ "mariadb:", mysql_open },
};

static pt_err driver_open(const struct store_setup *setup, struct sql_store **out)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (str_starts(setup->url, str(drivers[i].scheme)))
			return drivers[i].open(setup, out);
	}
	if (mysql_target_is_dsn(setup->url))
		return mysql_open(setup, out);
	/* Not the text itself: it may hold a password. */
	return fault(
		PT_F_CONFIG, "the database must be sqlite:PATH, postgres://... or mysql://...");
}

/* ---- what must stand before the first act ----------------------------------------------------- */

static pt_err schema_ready(struct sql_store *store, bool migrate)
{
	struct migration_status status;

	if (migrate)
		return migrate_up(store, NULL, NULL);
	TRY(migrate_status(store, &status));
	if (status.applied == status.known)
		return PT_OK;
	return fault(PT_F_CONFIG, "the schema is at step %d and this program wants %d: %s",
		status.applied, status.known,
		status.applied < status.known ? "run `portress migrate up`"
					      : "run the newer program");
}

static pt_err tables_ready(struct sql_store *store, bool migrate, const struct view_setup *view)
{
	TRY(schema_ready(store, migrate));
	return view ? view_attach(store, view) : PT_OK;
}

/* What is left to do when the database comes. Its strings are its own. */
struct store_plan {
	struct arena *arena;
	bool migrate;
	bool has_view;
	struct view_setup view;
};

static void plan_free(struct store_plan *plan)
{
	if (plan)
		arena_close(plan->arena);
}

static bool plan_copy(struct store_plan *plan, const struct store_setup *setup)
{
	plan->migrate = setup->migrate;
	plan->has_view = setup->view != NULL;
	if (!setup->view)
		return true;
	plan->view = *setup->view;
	for (size_t i = 0; i < VIEW_FIELDS; i++) {
		if (!arena_str(plan->arena, setup->view->columns[i], &plan->view.columns[i]))
			return false;
	}
	return arena_str(plan->arena, setup->view->relation, &plan->view.relation);
}

static pt_err carry_out(struct sql_store *store)
{
	const struct store_plan *plan = store->plan;

	return tables_ready(store, plan->migrate, plan->has_view ? &plan->view : NULL);
}

static pt_err make_ready_later(struct sql_store *store, const struct store_setup *setup)
{
	struct arena *arena = arena_open(64 * 1024);
	struct store_plan *plan = arena ? ARENA_NEW(arena, struct store_plan) : NULL;

	if (!plan) {
		arena_close(arena);
		return fault(PT_F_MEMORY, "no memory to open a store");
	}
	plan->arena = arena;
	store->plan = plan;
	store->prepare = carry_out;
	if (!plan_copy(plan, setup))
		return fault(PT_F_MEMORY, "no memory to open a store");
	log_say(LOG_WARN, "store.away", "the database is away: going on, and asking again");
	return PT_OK;
}

void sql_store_close(struct sql_store *store)
{
	if (store->directory->detach)
		store->directory->detach(store->directory_ctx);
	plan_free(store->plan);
	store->driver->close(store);
}

pt_err store_open(const struct store_setup *setup, struct pt_store *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = tables_ready(store, setup->migrate, setup->view);
	if (err == PT_F_STORE && setup->wait)
		err = make_ready_later(store, setup);
	if (err != PT_OK) {
		sql_store_close(store);
		return err;
	}
	sql_store_publish(store, out);
	return PT_OK;
}

/* ---- migrations ------------------------------------------------------------------------------ */

pt_err store_migrate_up(const struct store_setup *setup,
	void (*told)(void *ctx, int number, const char *name), void *ctx)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = migrate_up(store, told, ctx);
	sql_store_close(store);
	return err;
}

pt_err store_migrate_status(const struct store_setup *setup, struct migration_status *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = migrate_status(store, out);
	sql_store_close(store);
	return err;
}

pt_err store_migrate_verify(const struct store_setup *setup, struct migration_status *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = migrate_verify(store, out);
	sql_store_close(store);
	return err;
}

pt_err store_create_identoro_tables(const struct store_setup *setup)
{
	struct arena *arena;
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	arena = arena_open(1 << 20);
	err = arena ? identoro_tables_create(store, arena) : fault(PT_F_MEMORY, "identoro tables");
	arena_close(arena);
	sql_store_close(store);
	return err;
}

pt_err pt_store_open(pt_str url, struct pt_store *out)
{
	const struct store_setup setup = { .url = url, .migrate = true };

	return store_open(&setup, out);
}
