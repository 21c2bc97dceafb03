/*
 * gotrue.h - what the rooms of the GoTrue dialect share.
 *
 * The dialect is GoTrue's (docs/dialects/gotrue.md): JSON for programs, one site or many. Words and
 * statuses are facts that its clients compare; they stand in words.c and beside the checks that only
 * this dialect makes.
 */
#ifndef SURFACE_GOTRUE_GOTRUE_H
#define SURFACE_GOTRUE_GOTRUE_H

#include "base/json.h"
#include "http/field.h"
#include "portress/tenant.h"
#include "surface/surface_private.h"

/* ---- places: the sites that requests mean ---- */

/* A site as this dialect knows it. One that is in use is never closed. */
struct place {
	struct gotrue_site site;
	char settings[1024]; /* the answer of /settings, made once */
	size_t settings_n;
	/* of many */
	struct pt_id tenant;
	pt_time updated_at; /* of the configuration that it was opened from */
	pt_time seen_at;    /* when the store last said that this is still it */
	char *named;        /* site_url and hooks, as the request named them */
	size_t named_n;
	unsigned users;
	bool stale; /* closed when the last one has left */
};

PT_CHECK pt_err gotrue_open(const struct gotrue_setup *setup, struct gotrue **out);
/* NULL is fine. */
void gotrue_close(struct gotrue *gotrue);

/* The only place of a server of one site. */
struct place *place_only(struct gotrue *gotrue);

/* One of many, for use until place_leave. PT_E_NOT_FOUND, PT_F_CONFIG. */
PT_CHECK pt_err place_enter(
	struct exchange *ex, const struct gotrue_tenant *wanted, pt_str id, struct place **out);
void place_leave(struct gotrue *gotrue, struct place *place);
/* An instance was changed or removed. */
void places_forget(struct gotrue *gotrue, pt_str id);
/* Writes the answer of /settings into an opened place. PT_F_CONFIG. */
PT_CHECK pt_err place_settings(struct place *place);
/* One of those that are told of, on or off. */
bool gotrue_lists_provider(pt_str name);

/* ---- the visit: what this dialect knows of an exchange ---- */

/* How a refusal is said. */
struct gotrue_words {
	int status;
	pt_str text;
	const char *
		oauth; /* not NULL: an OAuth error of that name, whatever the status; text may be "" */
};

struct visit {
	struct place *place; /* NULL until it is known, and where there is none */
	unsigned passed;     /* enum gate, or-ed */
	struct pt_access access;
	struct pt_account admin; /* after GATE_ADMIN */
	bool operator_;          /* ... who showed the operator's token */
	struct pt_external_state state;
	struct gotrue_tenant named; /* what x-nf-sign, or a state, said beside the instance */
	struct gotrue_words words;  /* chosen where the refusal was born; status 0: by words_for */
};

static inline struct visit *visit_of(const struct exchange *ex)
{
	return ex->own;
}

static inline const struct gotrue_setup *setup_of(const struct exchange *ex)
{
	return &ex->surface->setup.gotrue;
}

static inline const struct gotrue_site *site_of(const struct exchange *ex)
{
	return &visit_of(ex)->place->site;
}

/* Refuses in words of its own. The text is this and, where it is not "", a colon and the detail. */
PT_CHECK pt_err gotrue_no(struct exchange *ex, int status, const char *text);
PT_CHECK pt_err gotrue_no_detail(struct exchange *ex, int status, const char *text, pt_str detail);
/* An OAuth error. */
PT_CHECK pt_err gotrue_no_oauth(struct exchange *ex, const char *error, const char *text);

/* The words for an outcome here. */
struct gotrue_words gotrue_words(struct exchange *ex, pt_err err);

/* ---- answers ---- */

enum {
	GOTRUE_ANSWER_MAX = 4 * 1024 * 1024,
	GOTRUE_LIST_MEMORY =
		24 * 1024 * 1024, /* of a page of a list, with all that it is made from */
};

/* Ends the buffer and answers it. */
PT_CHECK pt_err answer_json_buf(struct exchange *ex, int status, struct buf *body);
PT_CHECK pt_err answer_user(struct exchange *ex, const struct pt_account *account);
/* Tokens, and the cookie where it is asked for. */
PT_CHECK pt_err answer_grant(struct exchange *ex, const struct pt_grant *grant);
PT_CHECK pt_err answer_empty_object(struct exchange *ex);
PT_CHECK pt_err answer_found(struct exchange *ex, pt_str location);
void gotrue_refuse(struct exchange *ex, pt_err err);

/* As gotrue_user_write, with the password's hash ("" none) beside the address, for moving out. */
void user_write(struct json *json, const struct pt_account *account, const pt_str *hash);
void moment_write(struct json *json, const char *name, pt_time at);
/* An account that this very call made says null where it was given no data. */
PT_CHECK pt_err answer_new_user(struct exchange *ex, const struct pt_account *account);

bool gotrue_preflight(struct exchange *ex);
void gotrue_finish(struct exchange *ex);

/* The cookie that this dialect sets for others to read. */
void cookie_grant(struct exchange *ex, const struct pt_grant *grant);
void cookie_clear(struct exchange *ex);

/* ---- bodies ---- */

/* A member of an object, as it was spelled. */
struct member {
	pt_str name;  /* decoded */
	pt_str value; /* JSON text */
};

/* Reads the members of the first JSON value in the text, which may be followed by anything. `null` has
 * none. PT_E_MALFORMED: *why. */
PT_CHECK pt_err body_members(
	struct arena *arena, pt_str text, struct member **members, size_t *n, const char **why);

enum body_kind { BODY_TEXT, BODY_OBJECT, BODY_TRUTH };

/* One field of a body and where its value goes: pt_str, or bool for BODY_TRUTH. Objects stay JSON text;
 * null and what is absent leave the place alone. Names match exactly or else whatever their case. */
struct body_field {
	const char *name;
	enum body_kind kind;
	void *out;
};

/* Refuses with 400, `complaint` and what is wrong. */
PT_CHECK pt_err body_read(
	struct exchange *ex, const char *complaint, const struct body_field *fields, size_t n);

#define BODY_READ(ex_, complaint_, fields_) \
	body_read((ex_), (complaint_), (fields_), sizeof(fields_) / sizeof((fields_)[0]))

bool is_uuid(pt_str text);

/* ---- who may ---- */

/* Of a role or an audience: what every store can hold. */
bool is_name(pt_str text);
/* Whose accounts are meant: header, then token, then configuration. */
pt_str request_audience(struct exchange *ex);
pt_err gotrue_enter(struct exchange *ex);
pt_err gotrue_enter_many(struct exchange *ex);
pt_err gotrue_guard(struct exchange *ex, unsigned gates);
/* The account may administer the audience. */
bool may_administer(const struct exchange *ex, const struct pt_account *account, pt_str audience);

/* ---- pages of lists ---- */

struct paging {
	int64_t page, per_page;
	struct pt_page span;
};

PT_CHECK pt_err paging_read(struct exchange *ex, struct paging *out);
/* Answers the page, or refuses one that is too long. */
PT_CHECK pt_err answer_list(struct exchange *ex, struct buf *body);
/* Link and X-Total-Count. */
PT_CHECK pt_err paging_say(struct exchange *ex, const struct paging *paging, int64_t total);

/* ---- handlers, by noun ---- */

pt_err health_show(struct exchange *ex);
pt_err settings_show(struct exchange *ex);
pt_err saml_metadata_show(struct exchange *ex);
pt_err saml_acs_post(struct exchange *ex);
pt_err gotrue_signup_post(struct exchange *ex);
pt_err invite_post(struct exchange *ex);
pt_err recover_post(struct exchange *ex);
pt_err verify_post(struct exchange *ex);
pt_err token_post(struct exchange *ex);
pt_err logout_post(struct exchange *ex);
pt_err user_show(struct exchange *ex);
pt_err user_put(struct exchange *ex);
pt_err audit_show(struct exchange *ex);
pt_err users_show(struct exchange *ex);
pt_err users_export(struct exchange *ex);
pt_err users_post(struct exchange *ex);
pt_err one_user_show(struct exchange *ex);
pt_err one_user_put(struct exchange *ex);
pt_err one_user_delete(struct exchange *ex);
pt_err authorize_show(struct exchange *ex);
pt_err callback_show(struct exchange *ex);
pt_err instances_post(struct exchange *ex);
pt_err instance_show(struct exchange *ex);
pt_err instance_put(struct exchange *ex);
pt_err instance_delete(struct exchange *ex);

/* What a state carries between /authorize and /callback where there are many sites. */
PT_CHECK pt_err state_of_many(struct exchange *ex, pt_str referrer, pt_str *out);
PT_CHECK pt_err state_enter(struct exchange *ex);
PT_CHECK pt_err state_enter_many(struct exchange *ex);

#endif
