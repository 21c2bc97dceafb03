/*
 * statements.c - the list of statements as a table of texts.
 */
#include "store/sql/port.h"

#include "base/banned.h"

#define ACCOUNT                                                                                    \
	"a.id, a.tenant, a.audience, a.username, a.username_key, a.email, a.email_key,"            \
	" a.email_verified_at, a.phone, a.phone_verified_at, a.role, a.given_name, a.family_name," \
	" a.app_metadata, a.user_metadata, a.extensions, a.created_at, a.updated_at,"              \
	" a.last_signin_at, a.disabled_at, a.signin_count, a.failed_signins, a.password"
#define SESSION "s.hash, s.account, s.created_at, s.expires_at, s.methods, s.client, s.user_agent"
#define TOKEN   "t.expires_at, t.spent_at, f.id, f.account, f.client, f.started_at"
#define EVENT   "id, kind, account, happened_at, client, request, detail"
#define LETTER  "id, kind, account, recipient, sealed, created_at, not_after, attempts"

static const struct {
	const char *text;
	const char *postgres; /* NULL: as the first */
	const char *mysql;    /* NULL: as the first */
} texts[SQL_STATEMENTS] = {
#define STATEMENT(name, ...) [SQL_##name] = { __VA_ARGS__ },
#include "store/sql/statements.def"
#undef STATEMENT
};

const char *sql_statement_text(enum sql_statement statement, enum sql_dialect dialect)
{
	const char *own[] = {
		[SQL_POSTGRES] = texts[statement].postgres, [SQL_MYSQL] = texts[statement].mysql
	};

	return own[dialect] ? own[dialect] : texts[statement].text;
}
