/*
 * identoro_tables.c - the users table and the queue of events, for who has none yet.
 *
 * The columns are those that other programs of the family expect. What they leave out and we add are
 * two unique indexes: without them two people could own one name.
 */
#include "store/directory/identoro_tables.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "store/directory/view.h"
#include "store/sql/drivers_internal.h"

#include "base/banned.h"

static const char users_postgres[] = //
	"CREATE TABLE " IDENTORO_USERS " ("
	" user_id UUID PRIMARY KEY,"
	" username VARCHAR(50) NOT NULL,"
	" password VARCHAR(100) NOT NULL,"
	" email VARCHAR(100) NOT NULL,"
	" firstname VARCHAR(50),"
	" lastname VARCHAR(50),"
	" verified BOOLEAN NOT NULL DEFAULT false,"
	" signin_count INTEGER NOT NULL DEFAULT 0,"
	" unsuccessful_signins INTEGER NOT NULL DEFAULT 0,"
	" created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,"
	" refresh_token TEXT,"
	" extensions JSONB);"
	"CREATE UNIQUE INDEX " IDENTORO_USERS "_username ON " IDENTORO_USERS " (lower(username));"
	"CREATE UNIQUE INDEX " IDENTORO_USERS "_email ON " IDENTORO_USERS " (lower(email));";

static const char users_sqlite[] = //
	"CREATE TABLE " IDENTORO_USERS " ("
	" user_id TEXT PRIMARY KEY,"
	" username TEXT NOT NULL,"
	" password TEXT NOT NULL,"
	" email TEXT NOT NULL,"
	" firstname TEXT,"
	" lastname TEXT,"
	" verified BOOLEAN NOT NULL DEFAULT 0,"
	" signin_count INTEGER NOT NULL DEFAULT 0,"
	" unsuccessful_signins INTEGER NOT NULL DEFAULT 0,"
	" created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,"
	" refresh_token TEXT,"
	" extensions TEXT);"
	"CREATE UNIQUE INDEX " IDENTORO_USERS "_username ON " IDENTORO_USERS " (lower(username));"
	"CREATE UNIQUE INDEX " IDENTORO_USERS "_email ON " IDENTORO_USERS " (lower(email));";

#define QUEUE_POSTGRES(user_type)                         \
	"CREATE TABLE " IDENTORO_QUEUE " ("               \
	" id UUID PRIMARY KEY DEFAULT gen_random_uuid()," \
	" user_id " user_type ","                         \
	" event_type TEXT NOT NULL,"                      \
	" processed BOOLEAN NOT NULL DEFAULT false,"      \
	" created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);"

static const char queue_postgres[] = QUEUE_POSTGRES("UUID");

/* Beside users whose ids are numbers or words of their own. */
static const char queue_postgres_text[] = QUEUE_POSTGRES("TEXT");

static const char queue_sqlite[] = //
	"CREATE TABLE " IDENTORO_QUEUE " ("
	" id TEXT PRIMARY KEY DEFAULT (lower("
	"hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' ||"
	" hex(randomblob(2)) || '-' || hex(randomblob(6)))),"
	" user_id TEXT,"
	" event_type TEXT NOT NULL,"
	" processed BOOLEAN NOT NULL DEFAULT 0,"
	" created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);";

const char *identoro_queue_script(enum sql_dialect dialect, bool uuids)
{
	if (dialect != SQL_POSTGRES)
		return queue_sqlite;
	return uuids ? queue_postgres : queue_postgres_text;
}

static pt_err is_there(struct sql_conn *conn, pt_arena *arena, const char *name, bool *out)
{
	const struct sql_value args[] = { sql_text(str(name)) };
	struct sql_rows rows;

	TRY(conn->driver->run_text(conn, arena, VIEW_Q_COLUMNS,
		view_text_columns(conn->driver->dialect), args, 1, &rows));
	*out = rows.n_rows > 0;
	return PT_OK;
}

static pt_err act_create(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	bool postgres = conn->driver->dialect == SQL_POSTGRES, users, queue;

	(void)in, (void)out, (void)keep;
	TRY(conn->driver->lock_name(conn, arena, PT_STR(IDENTORO_USERS)));
	TRY(is_there(conn, arena, IDENTORO_USERS, &users));
	if (users)
		return PT_E_TAKEN;
	TRY(is_there(conn, arena, IDENTORO_QUEUE, &queue));
	TRY(conn->driver->script(conn, arena, postgres ? users_postgres : users_sqlite));
	return queue ? PT_OK
		     : conn->driver->script(
			       conn, arena, identoro_queue_script(conn->driver->dialect, true));
}

pt_err identoro_tables_create(struct sql_store *store, struct arena *arena)
{
	return store->driver->write(store, act_create, arena, NULL, NULL);
}
