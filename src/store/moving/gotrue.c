/*
 * gotrue.c - a database of GoTrue's, read as people who move in.
 *
 * Its ids are text that is compared without regard to case, by the database's own rule: pages go by
 * that rule alone, and what was read is never compared here. Columns that hold JSON are cut just past
 * what we would take: a page has a size.
 */
#include "store/moving/gotrue.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "store/sql/mysql_conn.h"

#include "base/banned.h"

enum {
	INSTANCES_PAGE = 50,
	PEOPLE_PAGE = 200,
	EVENTS_PAGE = 500,
	TOKENS_MOST = 5000,              /* of the people of a page */
	JSON_MOST = PT_METADATA_MAX + 1, /* characters: who has more is found out */
	SPACE_MAX = 64,
	PATIENCE = 120, /* seconds that a statement may take */
};

/* ---- what is asked ---- */

enum text {
	COUNT_PEOPLE,
	COUNT_EVENTS,
	COUNT_TOKENS,
	COUNT_USABLE,
	COUNT_OWNED,
	COUNT_OF,
	INSTANCES,
	PEOPLE,
	TOKENS,
	EVENTS,
	TEXTS
};

#define USABLE " t.instance_id = ?1 AND t.revoked = 0 AND UNIX_TIMESTAMP(t.created_at) > ?2 "
#define OWNED  "`@refresh_tokens` t JOIN `@users` u ON u.id = t.user_id AND u.instance_id = ?1"

/* @ is the space, $column a moment in seconds, #column the JSON in it. */
static const struct {
	const char *label;
	const char *text;
} texts[TEXTS] = {
	[COUNT_PEOPLE] = { "count_people", "SELECT COUNT(*) FROM `@users` WHERE instance_id = ?1" },
	[COUNT_EVENTS] = { "count_events",
		"SELECT COUNT(*) FROM `@audit_log_entries` WHERE instance_id = ?1" },
	[COUNT_TOKENS] = { "count_tokens",
		"SELECT COUNT(*) FROM `@refresh_tokens` WHERE instance_id = ?1" },
	[COUNT_USABLE] = { "count_usable",
		"SELECT COUNT(*) FROM `@refresh_tokens` t WHERE" USABLE },
	[COUNT_OWNED] = { "count_owned", "SELECT COUNT(*) FROM " OWNED " WHERE" USABLE },
	[COUNT_OF] = { "count_of",
		"SELECT COUNT(*) FROM `@refresh_tokens` t WHERE" USABLE "AND t.user_id = ?3" },
	[INSTANCES] = { "instances",
		"SELECT id, uuid, raw_base_config, $created_at, $updated_at FROM `@instances`"
		" WHERE id > ?1 ORDER BY id LIMIT ?2" },
	[PEOPLE] = { "people",
		"SELECT u.id, u.aud, u.`role`, u.email, u.encrypted_password,"
		" u.confirmation_token, u.recovery_token, u.email_change_token, u.email_change,"
		" #u.raw_app_meta_data, #u.raw_user_meta_data, u.is_super_admin, $u.confirmed_at,"
		" $u.invited_at, $u.confirmation_sent_at, $u.recovery_sent_at,"
		" $u.email_change_sent_at, $u.last_sign_in_at, $u.created_at, $u.updated_at,"
		" EXISTS (SELECT 1 FROM `@users` e WHERE e.instance_id = u.instance_id"
		" AND e.email = u.email AND e.aud <=> u.aud AND e.id < u.id)"
		" FROM `@users` u WHERE u.instance_id = ?1 AND u.id > ?2 ORDER BY u.id LIMIT ?3" },
	[TOKENS] = { "tokens",
		"SELECT t.id, u.id, t.token, $t.created_at FROM " OWNED " WHERE" USABLE
		"AND u.id >= ?3 AND u.id <= ?4 ORDER BY t.id DESC LIMIT ?5" },
	[EVENTS] = { "events", "SELECT id, #payload, $created_at FROM `@audit_log_entries`"
			       " WHERE instance_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" },
};

/* By the place in PEOPLE. */
enum person {
	PERSON_ID,
	PERSON_AUD,
	PERSON_ROLE,
	PERSON_EMAIL,
	PERSON_PASSWORD,
	PERSON_CONFIRM,
	PERSON_RECOVER,
	PERSON_CHANGE,
	PERSON_NEW_EMAIL,
	PERSON_APP,
	PERSON_USER,
	PERSON_SUPER,
	PERSON_CONFIRMED,
	PERSON_INVITED,
	PERSON_CONFIRM_SENT,
	PERSON_RECOVER_SENT,
	PERSON_CHANGE_SENT,
	PERSON_LAST_SIGNIN,
	PERSON_CREATED,
	PERSON_UPDATED,
	PERSON_SEEN,
};

struct gotrue_source {
	struct arena *arena;
	struct my_target target;
	struct my_conn conn;
	bool connected;
	pt_str name;
	struct my_text texts[TEXTS];
};

#define ASK(source, arena, text, rows, ...)                                               \
	ask((source), (arena), (text), (rows), (const struct sql_value[]){ __VA_ARGS__ }, \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value))

static pt_err ask(struct gotrue_source *source, pt_arena *arena, enum text text,
	struct sql_rows *rows, const struct sql_value *args, size_t n)
{
	struct my_conn *conn = &source->conn;

	conn->base.deadline = clock_monotonic() + PATIENCE * PT_SECOND;
	pt_err err = my_run(conn, arena, &source->texts[text], args, n, rows);
	if (err == PT_F_STORE && conn->base.trouble != REMOTE_FINE)
		return fault(PT_F_STORE, "the source: %s: %s", texts[text].label,
			conn->base.trouble == REMOTE_SILENT ? "no answer in time"
							    : "the connection is gone");
	return err;
}

/* ---- cells ---- */

/* JSON comes as bytes from MySQL and as text from MariaDB. Nothing of ours holds a NUL. */
static pt_str cell_text(const struct sql_rows *rows, size_t row, size_t column)
{
	const struct sql_value *value = sql_at(rows, row, column);

	if (value->type != SQL_TEXT && value->type != SQL_BYTES)
		return PT_STR("");
	return str_slice(value->bytes, 0, str_find(value->bytes, '\0'));
}

static int64_t cell_int(const struct sql_rows *rows, size_t row, size_t column)
{
	const struct sql_value *value = sql_at(rows, row, column);

	return value->type == SQL_INT ? value->number : 0;
}

static pt_time cell_time(const struct sql_rows *rows, size_t row, size_t column)
{
	return cell_int(rows, row, column) * PT_SECOND;
}

/* "" where it does not fit. */
static struct pt_id id_of(pt_str text)
{
	struct pt_id id = { "" };

	if (text.n < sizeof(id.text))
		memcpy(id.text, text.p ? text.p : "", text.n);
	return id;
}

static pt_str key_of(pt_arena *arena, int64_t number)
{
	struct buf b = BUF(arena, 32);

	buf_int(&b, number);
	return buf_view(&b);
}

/* ---- coming and going ---- */

static bool is_space(pt_str space)
{
	bool fits = space.n <= SPACE_MAX;

	for (size_t i = 0; fits && i < space.n; i++)
		fits = ascii_alnum(space.p[i]) || space.p[i] == '_';
	return fits;
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	while (ascii_alpha(p[n]) || p[n] == '_' || p[n] == '.')
		n++;
	return n;
}

static void text_spell(struct buf *b, const char *p, pt_str space)
{
	for (size_t n; *p; p += n) {
		n = name_length(p + 1) + 1;
		if (*p == '$') {
			buf_str(b, PT_STR("CAST(UNIX_TIMESTAMP("));
			buf_bytes(b, p + 1, n - 1);
			buf_str(b, PT_STR(") AS SIGNED)"));
		} else if (*p == '#') {
			buf_str(b, PT_STR("LEFT(CAST("));
			buf_bytes(b, p + 1, n - 1);
			buf_printf(b, " AS CHAR), %d)", JSON_MOST);
		} else if (*p == '@') {
			buf_printf(b, "%.*s%s", (int)space.n, space.p ? space.p : "",
				space.n > 0 ? "_" : "");
			n = 1;
		} else {
			buf_char(b, *p);
			n = 1;
		}
	}
}

static pt_err texts_spell(struct gotrue_source *source, pt_str space)
{
	for (unsigned i = 0; i < TEXTS; i++) {
		struct buf b = BUF(source->arena, 4 * KIB);
		pt_str spelled;

		text_spell(&b, texts[i].text, space);
		TRY(buf_done(&b, &spelled));
		source->texts[i] = (struct my_text){
			.name = SQL_STATEMENTS + i, .label = texts[i].label, .text = spelled.p
		};
	}
	return PT_OK;
}

static pt_err name_spell(struct gotrue_source *source, pt_str space)
{
	const struct my_target *target = &source->target;
	struct buf b = BUF(source->arena, 2 * KIB);

	if (target->socket)
		buf_str(&b, str(target->socket));
	else
		buf_printf(&b, "%s:%u", target->host, target->port);
	buf_printf(&b, "/%s/", target->database);
	buf_str(&b, space);
	return buf_done(&b, &source->name);
}

static pt_err source_connect(struct gotrue_source *source)
{
	char why[512];

	source->target.foreign = true;
	source->target.session = "SET SESSION time_zone = '+00:00', sql_mode = ''";
	source->target.patience = PATIENCE * PT_SECOND;
	if (my_connect(&source->conn, &source->target, clock_monotonic() + 10 * PT_SECOND, why,
		    sizeof(why)) != PT_OK)
		return fault(PT_F_STORE, "the source cannot be reached: %s", why);
	source->connected = true;
	source->conn.base.begin = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
				  "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
	return PT_OK;
}

static void own_source(struct gotrue_source **source)
{
	gotrue_source_close(*source);
}

pt_err gotrue_source_open(pt_str url, pt_str space, struct gotrue_source **out)
{
	PT_OWN(own_source) struct gotrue_source *source = calloc(1, sizeof(*source));

	if (!source || !(source->arena = arena_open(256 * KIB)))
		return fault(PT_F_MEMORY, "the source: no memory");
	if (!is_space(space))
		return fault(PT_F_CONFIG, "a namespace is letters, digits and _");
	TRY(my_open());
	TRY(mysql_target_parse(source->arena, url, &source->target));
	TRY(texts_spell(source, space));
	TRY(name_spell(source, space));
	TRY(source_connect(source));
	*out = PT_GIVE(source);
	return PT_OK;
}

void gotrue_source_close(struct gotrue_source *source)
{
	if (!source)
		return;
	if (source->connected)
		my_disconnect(&source->conn);
	arena_close(source->arena);
	free(source);
}

pt_str gotrue_source_name(const struct gotrue_source *source)
{
	return source->name;
}

/* ---- how much there is ---- */

static pt_err count(struct gotrue_source *source, pt_arena *arena, enum text text,
	const struct gotrue_part *part, int64_t *out)
{
	struct sql_rows rows;

	TRY(ASK(source, arena, text, &rows, sql_text(part->instance),
		sql_int(part->tokens_since / PT_SECOND)));
	*out = cell_int(&rows, 0, 0);
	return PT_OK;
}

pt_err gotrue_source_count(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, struct gotrue_counts *out)
{
	struct gotrue_counts counts;

	TRY(count(source, arena, COUNT_PEOPLE, part, &counts.people));
	TRY(count(source, arena, COUNT_EVENTS, part, &counts.events));
	TRY(count(source, arena, COUNT_TOKENS, part, &counts.tokens));
	TRY(count(source, arena, COUNT_USABLE, part, &counts.tokens_usable));
	TRY(count(source, arena, COUNT_OWNED, part, &counts.tokens_owned));
	*out = counts;
	return PT_OK;
}

/* ---- sites ---- */

pt_err gotrue_source_instances(
	struct gotrue_source *source, pt_arena *arena, pt_str after, struct gotrue_instances *out)
{
	struct pt_tenant *tenants;
	struct sql_rows rows;
	size_t n;

	TRY(ASK(source, arena, INSTANCES, &rows, sql_text(after), sql_int(INSTANCES_PAGE)));
	n = rows.n_rows;
	tenants = ARENA_ARRAY(arena, struct pt_tenant, n);
	if (!tenants)
		return fault(PT_F_MEMORY, "the source: instances");
	for (size_t i = 0; i < n; i++) {
		tenants[i] = (struct pt_tenant){
			.id = id_of(cell_text(&rows, i, 0)),
			.name = id_of(cell_text(&rows, i, 1)),
			.config = cell_text(&rows, i, 2),
			.created_at = cell_time(&rows, i, 3),
			.updated_at = cell_time(&rows, i, 4),
		};
	}
	*out = (struct gotrue_instances){
		.tenants = tenants,
		.n = n,
		.last = n > 0 ? cell_text(&rows, n - 1, 0) : PT_STR(""),
	};
	return PT_OK;
}

/* ---- people ---- */

static struct pt_account account_of(const struct sql_rows *rows, size_t row)
{
	return (struct pt_account){
		.id = id_of(cell_text(rows, row, PERSON_ID)),
		.audience = cell_text(rows, row, PERSON_AUD),
		.role = cell_text(rows, row, PERSON_ROLE),
		.email = cell_text(rows, row, PERSON_EMAIL),
		.new_email = cell_text(rows, row, PERSON_NEW_EMAIL),
		.app_metadata = cell_text(rows, row, PERSON_APP),
		.user_metadata = cell_text(rows, row, PERSON_USER),
		.super_admin = cell_int(rows, row, PERSON_SUPER) != 0,
		.email_verified_at = cell_time(rows, row, PERSON_CONFIRMED),
		.invited_at = cell_time(rows, row, PERSON_INVITED),
		.confirm_sent_at = cell_time(rows, row, PERSON_CONFIRM_SENT),
		.recover_sent_at = cell_time(rows, row, PERSON_RECOVER_SENT),
		.email_change_sent_at = cell_time(rows, row, PERSON_CHANGE_SENT),
		.last_signin_at = cell_time(rows, row, PERSON_LAST_SIGNIN),
		.created_at = cell_time(rows, row, PERSON_CREATED),
		.updated_at = cell_time(rows, row, PERSON_UPDATED),
	};
}

static struct pt_newcomer newcomer_of(const struct sql_rows *rows, size_t row)
{
	return (struct pt_newcomer){
		.key = cell_text(rows, row, PERSON_ID),
		.account = account_of(rows, row),
		.password = cell_text(rows, row, PERSON_PASSWORD),
		.confirm_secret = cell_text(rows, row, PERSON_CONFIRM),
		.recover_secret = cell_text(rows, row, PERSON_RECOVER),
		.email_change_secret = cell_text(rows, row, PERSON_CHANGE),
		.address_seen = cell_int(rows, row, PERSON_SEEN) != 0,
	};
}

static pt_err newcomers_read(
	pt_arena *arena, const struct sql_rows *rows, size_t n, struct gotrue_people *out)
{
	struct pt_newcomer *newcomers = ARENA_ARRAY(arena, struct pt_newcomer, n);

	if (!newcomers)
		return fault(PT_F_MEMORY, "the source: people");
	for (size_t i = 0; i < n; i++)
		newcomers[i] = newcomer_of(rows, i);
	out->newcomers = newcomers;
	out->n_newcomers = n;
	out->last = n > 0 ? cell_text(rows, n - 1, PERSON_ID) : PT_STR("");
	return PT_OK;
}

static pt_err tokens_read(pt_arena *arena, const struct sql_rows *rows, struct gotrue_people *out)
{
	size_t n = rows->n_rows < TOKENS_MOST ? rows->n_rows : TOKENS_MOST;
	struct pt_carried_token *tokens = ARENA_ARRAY(arena, struct pt_carried_token, n);

	if (!tokens)
		return fault(PT_F_MEMORY, "the source: tokens");
	for (size_t i = 0; i < n; i++) {
		tokens[i] = (struct pt_carried_token){
			.key = key_of(arena, cell_int(rows, i, 0)),
			.account = id_of(cell_text(rows, i, 1)),
			.secret = cell_text(rows, i, 2),
			.issued_at = cell_time(rows, i, 3),
		};
	}
	out->tokens = tokens;
	out->n_tokens = n;
	return PT_OK;
}

static pt_err tokens_ask(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, const struct sql_rows *people, size_t n,
	struct sql_rows *out)
{
	return ASK(source, arena, TOKENS, out, sql_text(part->instance),
		sql_int(part->tokens_since / PT_SECOND), sql_text(cell_text(people, 0, PERSON_ID)),
		sql_text(cell_text(people, n - 1, PERSON_ID)), sql_int(TOKENS_MOST + 1));
}

/* How many of that one person did not fit. */
static pt_err tokens_beyond(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, struct gotrue_people *out)
{
	struct sql_rows rows;

	TRY(ASK(source, arena, COUNT_OF, &rows, sql_text(part->instance),
		sql_int(part->tokens_since / PT_SECOND), sql_text(out->last)));
	out->tokens_more = cell_int(&rows, 0, 0) - TOKENS_MOST;
	return PT_OK;
}

pt_err gotrue_source_people(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, pt_str after, struct gotrue_people *out)
{
	struct gotrue_people people = { 0 };
	struct sql_rows rows, tokens = { 0 };
	size_t n;

	TRY(ASK(source, arena, PEOPLE, &rows, sql_text(part->instance), sql_text(after),
		sql_int(PEOPLE_PAGE)));
	n = rows.n_rows;
	if (n > 0)
		TRY(tokens_ask(source, arena, part, &rows, n, &tokens));
	/* Too many for one act: fewer people at once. */
	while (n > 1 && tokens.n_rows > TOKENS_MOST) {
		n /= 2;
		TRY(tokens_ask(source, arena, part, &rows, n, &tokens));
	}
	TRY(newcomers_read(arena, &rows, n, &people));
	TRY(tokens_read(arena, &tokens, &people));
	if (tokens.n_rows > TOKENS_MOST)
		TRY(tokens_beyond(source, arena, part, &people));
	*out = people;
	return PT_OK;
}

/* ---- events ---- */

/* `named`: also about somebody else than who acted. */
static const struct {
	const char *action;
	enum pt_event_kind kind;
	enum pt_event_kind named; /* 0: the same */
} actions[] = {
	{ "login", PT_EVENT_SIGNIN, 0 },
	{ "logout", PT_EVENT_SIGNOUT, 0 },
	{ "invite_accepted", PT_EVENT_INVITE_ACCEPTED, 0 },
	{ "user_signedup", PT_EVENT_CONFIRMED, PT_EVENT_ACCOUNT_CREATED },
	{ "user_invited", PT_EVENT_INVITED, 0 },
	{ "user_deleted", PT_EVENT_ACCOUNT_DELETED, 0 },
	{ "user_modified", PT_EVENT_ACCOUNT_CHANGED, 0 },
	{ "user_recovery_requested", PT_EVENT_RECOVER_ASKED, 0 },
	{ "token_revoked", PT_EVENT_TOKEN_REVOKED, 0 },
	{ "token_refreshed", PT_EVENT_TOKEN_REFRESHED, 0 },
};

static pt_str member(const struct json_value *object, const char *name)
{
	const struct json_value *value = object ? json_find(object, str(name)) : NULL;

	return value && value->type == JSON_STRING ? value->text : PT_STR("");
}

static enum pt_event_kind kind_of(pt_str action, bool named)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (str_eq(action, str(actions[i].action)))
			return named && actions[i].named ? actions[i].named : actions[i].kind;
	}
	return 0;
}

/* Traits name whom it was done to, where that is another than who did it. */
static void payload_read(const struct json_value *payload, struct pt_event *out)
{
	const struct json_value *traits = json_find(payload, PT_STR("traits"));
	pt_str whom = member(traits, "user_id");
	bool named = whom.n > 0;
	struct pt_id actor = id_of(member(payload, "actor_id"));

	out->kind = kind_of(member(payload, "action"), named);
	out->account = named ? id_of(whom) : actor;
	if (named)
		out->actor = actor;
	out->actor_email = member(payload, "actor_email");
	out->actor_name = member(payload, "actor_name");
	out->email = named ? member(traits, "user_email") : out->actor_email;
}

static pt_err event_read(
	pt_arena *arena, const struct sql_rows *rows, size_t row, struct pt_carried_event *out)
{
	struct pt_carried_event carried = { .key = cell_text(rows, row, 0) };
	struct json_value payload;
	pt_err err = json_read(arena, cell_text(rows, row, 1), &payload);

	if (pt_is_fault(err))
		return err;
	carried.event.id = id_of(carried.key);
	carried.event.at = cell_time(rows, row, 2);
	if (err == PT_OK)
		payload_read(&payload, &carried.event);
	*out = carried;
	return PT_OK;
}

pt_err gotrue_source_events(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, pt_str after, struct gotrue_events *out)
{
	struct gotrue_events page = { 0 };
	struct sql_rows rows;

	TRY(ASK(source, arena, EVENTS, &rows, sql_text(part->instance), sql_text(after),
		sql_int(EVENTS_PAGE)));
	page.events = ARENA_ARRAY(arena, struct pt_carried_event, rows.n_rows);
	if (!page.events)
		return fault(PT_F_MEMORY, "the source: events");
	for (size_t i = 0; i < rows.n_rows; i++)
		TRY(event_read(arena, &rows, i, &page.events[i]));
	page.n = rows.n_rows;
	page.last = page.n > 0 ? cell_text(&rows, page.n - 1, 0) : PT_STR("");
	*out = page;
	return PT_OK;
}
