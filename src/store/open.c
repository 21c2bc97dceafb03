/*
 * open.c - from a URL to a store: driver, schema, directory.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "store/drivers.h"
#include "store/sql/drivers_internal.h"

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
};

static pt_err driver_open(const struct store_setup *setup, struct sql_store **out)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (str_starts(setup->url, str(drivers[i].scheme)))
			return drivers[i].open(setup, out);
	}
	/* Not the text itself: it may hold a password. */
	return fault(PT_F_CONFIG, "the database must be sqlite:PATH or postgres://...");
}

static void sql_close(struct sql_store *store)
{
	if (store->directory->detach)
		store->directory->detach(store->directory_ctx);
	store->driver->close(store);
}

static pt_err schema_ready(struct sql_store *store, const struct store_setup *setup)
{
	struct migration_status status;

	if (setup->migrate)
		return migrate_up(store, NULL, NULL);
	TRY(migrate_status(store, &status));
	if (status.applied == status.known)
		return PT_OK;
	return fault(PT_F_CONFIG, "the schema is at step %d and this program wants %d: %s", status.applied,
		status.known,
		status.applied < status.known ? "run `portress migrate up`" : "run the newer program");
}

static pt_err tables_ready(struct sql_store *store, const struct store_setup *setup)
{
	pt_err err = schema_ready(store, setup);

	if (err == PT_F_STORE && setup->wait) {
		log_say(LOG_WARN, "store.away", "the database is away: going on, and asking again");
		err = PT_OK;
	}
	TRY(err);
	return setup->view ? view_attach(store, setup->view) : PT_OK;
}

pt_err store_open(const struct store_setup *setup, struct pt_store *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = tables_ready(store, setup);
	if (err != PT_OK) {
		sql_close(store);
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
	sql_close(store);
	return err;
}

pt_err store_migrate_status(const struct store_setup *setup, struct migration_status *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = migrate_status(store, out);
	sql_close(store);
	return err;
}

pt_err store_migrate_verify(const struct store_setup *setup, struct migration_status *out)
{
	struct sql_store *store;
	pt_err err;

	TRY(driver_open(setup, &store));
	err = migrate_verify(store, out);
	sql_close(store);
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
	sql_close(store);
	return err;
}
