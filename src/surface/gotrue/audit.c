/*
 * audit.c - what happened, under the names that this dialect has for it.
 */
#include "base/str.h"
#include "http/field.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

static const struct action {
	enum pt_event_kind kind;
	const char *action;
	const char *log_type;
} actions[] = {
	{ PT_EVENT_SIGNIN, "login", "account" },
	{ PT_EVENT_SIGNOUT, "logout", "account" },
	{ PT_EVENT_INVITE_ACCEPTED, "invite_accepted", "account" },
	{ PT_EVENT_CONFIRMED, "user_signedup", "team" },
	{ PT_EVENT_ACCOUNT_CREATED, "user_signedup", "team" },
	{ PT_EVENT_INVITED, "user_invited", "team" },
	{ PT_EVENT_ACCOUNT_DELETED, "user_deleted", "team" },
	{ PT_EVENT_ACCOUNT_CHANGED, "user_modified", "user" },
	{ PT_EVENT_RECOVER_ASKED, "user_recovery_requested", "user" },
	{ PT_EVENT_TOKEN_REFRESHED, "token_refreshed", "token" },
	{ PT_EVENT_TOKEN_REVOKED, "token_revoked", "token" },
};

enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const struct action *action_of(enum pt_event_kind kind)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (actions[i].kind == kind)
			return &actions[i];
	return NULL;
}

/* ---- asking ---- */

static bool has_part(const char *text, pt_str part)
{
	pt_str whole = str(text);

	for (size_t i = 0; i + part.n <= whole.n; i++)
		if (str_eq_nocase(str_slice(whole, i, i + part.n), part))
			return true;
	return false;
}

enum scope { SCOPE_NONE, SCOPE_AUTHOR, SCOPE_ACTION, SCOPE_TYPE };

static uint32_t kinds_of(enum scope scope, pt_str part)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < ACTIONS; i++)
		if ((scope != SCOPE_ACTION || has_part(actions[i].action, part)) &&
			(scope != SCOPE_TYPE || has_part(actions[i].log_type, part)))
			kinds |= 1U << actions[i].kind;
	return kinds;
}

static pt_err scope_read(struct exchange *ex, pt_str query, enum scope *scope, pt_str *part)
{
	static const char *const names[] = { NULL, "author", "action", "type" };
	pt_str name;

	*scope = SCOPE_NONE;
	*part = PT_STR("");
	if (query.n == 0)
		return PT_OK;
	if (str_cut(query, ':', &name, part))
		for (size_t i = SCOPE_AUTHOR; i <= SCOPE_TYPE; i++)
			if (str_eq(name, str(names[i])))
				*scope = (enum scope)i;
	return *scope != SCOPE_NONE ? PT_OK
				    : gotrue_no_detail(ex, 400, "Invalid query scope", query);
}

static pt_err search_read(struct exchange *ex, struct pt_event_search *out)
{
	enum scope scope;
	pt_str query, part;

	TRY(exchange_query(ex, "query", &query));
	TRY(scope_read(ex, query, &scope, &part));
	*out = (struct pt_event_search){
		.kinds = kinds_of(scope, part),
		.author = scope == SCOPE_AUTHOR ? part : PT_STR(""),
	};
	return PT_OK;
}

/* ---- telling ---- */

static void time_write(struct json *json, const char *name, pt_time at)
{
	moment_write(json, name, at - at % PT_SECOND);
}

/* Who did it is the account itself, unless somebody else is named. */
static void payload_write(struct json *json, const struct pt_event *event)
{
	const struct action *action = action_of(event->kind);
	bool other = event->actor.text[0] != '\0';

	json_object(json, "payload");
	time_write(json, "timestamp", event->at);
	json_str(json, "actor_id", str(other ? event->actor.text : event->account.text));
	json_str(json, "actor_email", other ? event->actor_email : event->email);
	json_str(json, "action", str(action ? action->action : pt_event_name(event->kind)));
	json_str(json, "log_type", str(action ? action->log_type : "account"));
	if (event->actor_name.n > 0)
		json_str(json, "actor_name", event->actor_name);
	if (other) {
		json_object(json, "traits");
		json_str(json, "user_id", str(event->account.text));
		json_str(json, "user_email", event->email);
		json_object_end(json);
	}
	json_object_end(json);
}

static pt_err events_answer(struct exchange *ex, const struct pt_event *events, size_t n)
{
	struct buf body = BUF(ex->arena, GOTRUE_ANSWER_MAX);
	struct json json = JSON(&body);

	json_array(&json, NULL);
	for (size_t i = 0; i < n; i++) {
		json_object(&json, NULL);
		json_str(&json, "id", str(events[i].id.text));
		payload_write(&json, &events[i]);
		moment_write(&json, "created_at", events[i].at);
		json_object_end(&json);
	}
	json_array_end(&json);
	return answer_list(ex, &body);
}

pt_err audit_show(struct exchange *ex)
{
	struct pt_event *events = NULL;
	struct pt_event_search search;
	struct paging paging;
	int64_t total = 0;
	size_t n = 0;

	TRY(paging_read(ex, &paging));
	TRY(search_read(ex, &search));
	search.page = paging.span;
	if (search.kinds != 0)
		TRY(pt_event_search(ex->call, &search, &events, &n, &total));
	TRY(paging_say(ex, &paging, total));
	return events_answer(ex, events, n);
}
