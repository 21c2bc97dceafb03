/*
 * statements.c - the list of statements as a table of texts.
 */
#include "store/sql/port.h"

#include "base/banned.h"

#define ACCOUNT                                                                                    \
	"a.id, a.tenant, a.audience, a.username, a.username_key, a.email, a.email_key,"            \
	" a.email_verified_at, a.phone, a.phone_verified_at, a.role, a.given_name, a.family_name," \
	" a.app_metadata, a.user_metadata, a.extensions, a.created_at, a.updated_at,"              \
	" a.last_signin_at, a.disabled_at, a.signin_count, a.failed_signins, a.password,"          \
	" a.super_admin, a.new_email, a.new_email_key, a.invited_at, a.confirm_sent_at,"           \
	" a.recover_sent_at, a.email_change_sent_at"
#define SESSION "s.hash, s.account, s.created_at, s.expires_at, s.methods, s.client, s.user_agent"
#define FAMILY                                                                              \
	"id, account, client, started_at, generation, secret, hash, issued_at, expires_at," \
	" purge_at, spent"
#define EVENT                                                               \
	"id, kind, account, happened_at, client, request, detail, tenant, " \
	"actor, email, actor_email, actor_name"
#define LETTER "id, kind, account, recipient, sealed, created_at, not_after, attempts"

/* Inserts that have several spellings of what follows. */
#define INTO_ACCOUNT                                                                            \
	"INSERT INTO portress_account (id, tenant, audience, username, username_key,"           \
	" email, email_key, email_verified_at, phone, phone_verified_at, role, given_name,"     \
	" family_name, app_metadata, user_metadata, extensions, created_at, updated_at,"        \
	" last_signin_at, disabled_at, signin_count, failed_signins, password,"                 \
	" super_admin, new_email, new_email_key, invited_at, confirm_sent_at, recover_sent_at," \
	" email_change_sent_at)"                                                                \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, " \
	"?18,"                                                                                  \
	" ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)"
#define INTO_TICKET                                                                        \
	"INSERT INTO portress_ticket (hash, kind, account, email_key, bound, created_at, " \
	"expires_at)"                                                                      \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
#define INTO_FAMILY                                \
	"INSERT INTO portress_family (" FAMILY ")" \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
#define INTO_TENANT                                                              \
	"INSERT INTO portress_tenant (id, name, config, created_at, updated_at)" \
	" VALUES (?1, ?2, ?3, ?4, ?5)"

/* Pieces of the pages. A part is bound with its ASCII letters in lower case. MariaDB folds what it
 * reads by Unicode, so it folds the part too. */
#define ACCOUNT_SITE   "a.tenant = ?1 AND a.audience = ?2"
#define ACCOUNT_NEWEST " ORDER BY a.created_at DESC, a.id DESC"
#define ACCOUNT_OLDEST " ORDER BY a.created_at, a.id"
#define ACCOUNT_PART                                                                   \
	" AND (instr(lower(a.email), ?3) > 0 OR CASE WHEN json_valid(a.user_metadata)" \
	" THEN instr(lower(json_extract(a.user_metadata, '$.full_name')), ?3) > 0 END)"
#define ACCOUNT_PART_POSTGRES                     \
	" AND (strpos(lower(a.email), ?3) > 0 OR" \
	" strpos(lower((a.user_metadata::json ->> 'full_name') COLLATE \"C\"), ?3) > 0)"
#define ACCOUNT_PART_MYSQL                              \
	" AND (instr(lower(a.email), lower(?3)) > 0 OR" \
	" instr(lower(JSON_VALUE(a.user_metadata, '$.full_name')), lower(?3)) > 0)"
#define EVENT_SITE "tenant = ?1 AND account IS NOT NULL AND ((?2 >> kind) & 1) = 1"
#define EVENT_SITE_POSTGRES \
	"tenant = ?1 AND account IS NOT NULL AND ((?2::bigint >> kind::integer) & 1) = 1"
#define EVENT_NEWEST " ORDER BY happened_at DESC, seq DESC"
#define EVENT_AUTHOR                                                                     \
	" AND (instr(lower(actor_email), ?3) > 0 OR instr(lower(actor_name), ?3) > 0 OR" \
	" (actor IS NULL AND instr(lower(email), ?3) > 0))"
#define EVENT_AUTHOR_POSTGRES                                                              \
	" AND (strpos(lower(actor_email), ?3) > 0 OR strpos(lower(actor_name), ?3) > 0 OR" \
	" (actor IS NULL AND strpos(lower(email), ?3) > 0))"
#define EVENT_AUTHOR_MYSQL                                                                         \
	" AND (instr(lower(actor_email), lower(?3)) > 0 OR instr(lower(actor_name), lower(?3)) > " \
	"0"                                                                                        \
	" OR (actor IS NULL AND instr(lower(email), lower(?3)) > 0))"
#define OF_TENANT "account IN (SELECT id FROM portress_account WHERE tenant = ?1)"

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
