/*
 * view.h - the view directory inside: what is known of a users table, and the SQL made from it.
 *
 *   view_map.c	  looks at the table and maps its columns
 *   view_text.c  writes the statements, once, from the map
 *   view.c	  the directory: what each of its functions does
 */
#ifndef STORE_DIRECTORY_VIEW_H
#define STORE_DIRECTORY_VIEW_H

#include "store/drivers.h"
#include "store/sql/directory.h"
#include "store/sql/row.h"

/* How a column is spoken to. */
enum view_kind {
	VIEW_OTHER, /* read as text, never written */
	VIEW_TEXT,
	VIEW_UUID,
	VIEW_INT,
	VIEW_BOOL,
	VIEW_MOMENT,
	VIEW_JSON,
};

struct view_column {
	const char *name; /* quoted; NULL: the table has no such column */
	enum view_kind kind;
};

/* Statements of a view, each under its slot of run_text. */
enum view_slot {
	VIEW_Q_COLUMNS,
	VIEW_Q_BY_ID,
	VIEW_Q_BY_NAME,
	VIEW_Q_BY_NAME_FOLDED,
	VIEW_Q_BY_EMAIL,
	VIEW_Q_BY_EMAIL_FOLDED,
	VIEW_Q_LIST_FIRST,
	VIEW_Q_LIST_AFTER,
	VIEW_Q_TAKEN,
	VIEW_Q_COUNT_ID,
	VIEW_Q_COUNT_PASSWORD,
	VIEW_Q_COUNT_TOKEN,
	VIEW_Q_INSERT,
	VIEW_Q_PASSWORD,
	VIEW_Q_PASSWORD_VERIFIED,
	VIEW_Q_VERIFIED,
	VIEW_Q_SIGNED_IN,
	VIEW_Q_FAILED,
	VIEW_Q_TOUCH,
	VIEW_Q_TOKEN,
	VIEW_Q_DELETE,
	VIEW_Q_ANONYMISE,
	VIEW_Q_SIDE_JOIN,
	VIEW_Q_SIDE_SIGNED_IN,
	VIEW_Q_SIDE_FAILED,
	VIEW_Q_SIDE_VERIFIED,
	VIEW_Q_SIDE_DISABLED,
	VIEW_Q_SIDE_DELETE,
	VIEW_Q_ANNOUNCE,
	VIEW_Q_SAVEPOINT,
	VIEW_Q_RELEASE,
	VIEW_Q_ROLLBACK_TO,
	VIEW_QS,
};

/* The queue of events for the table's other programs. */
struct view_queue {
	bool there;
	bool writes_id; /* the table does not make one by itself */
	enum view_kind user;
};

struct view {
	struct sql_directory table; /* without the functions that this table cannot serve */
	struct arena *arena;        /* all of this */
	enum sql_dialect dialect;
	const char *relation; /* quoted, where it needs to be */
	struct view_column columns[VIEW_FIELDS];
	bool deletes;        /* rows can be deleted through it */
	bool counts_changes; /* a driver's count of changed rows tells the truth */
	bool extended_events;
	struct view_queue queue;
	const char *texts[VIEW_QS];
};

static inline bool view_has(const struct view *view, enum view_field field)
{
	return view->columns[field].name != NULL;
}

/* An id of this kind is ours to choose; any other is the database's. */
static inline bool view_writes_id(const struct view *view)
{
	enum view_kind kind = view->columns[VIEW_ID].kind;

	return kind == VIEW_UUID || kind == VIEW_TEXT;
}

/* Fills the map from the database, makes the side table and looks for the queue. */
PT_CHECK pt_err view_map(
	struct sql_store *store, const struct view_setup *setup, struct view *view);

/* The one text that is needed before there is a map. */
const char *view_text_columns(enum sql_dialect dialect);

/* Writes all texts. */
PT_CHECK pt_err view_texts_make(struct view *view);

/*
 * Columns of the reading statements: those of row_account, but verified (0, 1) for
 * email_verified_at and created_at as the database has it; then verified_at of the side table.
 */
enum { VIEW_C_VERIFIED = 7, VIEW_C_CREATED_AT = 16, VIEW_C_SIDE_VERIFIED_AT = ACCOUNT_COLUMNS };

#endif
