/*
 * routes.c - the GoTrue dialect: its rows.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

#define JSON_MAX (256 * KIB) /* two kinds of metadata and a few short fields */
#define FORM_MAX (16 * KIB)

#define AB (GATE_ADMIN | GATE_EMAIL)
#define AX (GATE_ADMIN | GATE_EXPORT)
#define ER (GATE_EMAIL | GATE_RATE)

/* Refreshing, verifying and most changes compute no hash: only bodies that speak of a password may. */
#define HASHES .hash_word = "password"

/* clang-format off */
static const struct route rows[] = {
	/* methods      path                    handler             gates          body      lane        page */
	{ HTTP_GET,    "/health",               health_show,        GATE_NONE,     0,        LANE_QUICK, NULL, true },
	{ HTTP_GET,    "/settings",             settings_show,      GATE_NONE,     0,        LANE_QUICK, NULL },
	{ HTTP_GET,    "/authorize",            authorize_show,     GATE_NONE,     0,        LANE_SLOW,  NULL },
	{ HTTP_GET,    "/callback[/]",          callback_show,      GATE_STATE,    0,        LANE_SLOW,  NULL },
	{ HTTP_POST,   "/signup",               gotrue_signup_post, GATE_EMAIL,    JSON_MAX, LANE_HASH,  NULL },
	{ HTTP_POST,   "/invite",               invite_post,        GATE_ADMIN,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_POST,   "/recover",              recover_post,       GATE_EMAIL,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_POST,   "/token",                token_post,         ER,            FORM_MAX, LANE_HASH,  NULL, HASHES },
	{ HTTP_POST,   "/verify",               verify_post,        GATE_NONE,     JSON_MAX, LANE_HASH,  NULL, HASHES },
	{ HTTP_POST,   "/logout",               logout_post,        GATE_BEARER,   JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,    "/user[/]",              user_show,          GATE_BEARER,   JSON_MAX, LANE_READ,  NULL },
	{ HTTP_PUT,    "/user[/]",              user_put,           GATE_BEARER,   JSON_MAX, LANE_HASH,  NULL, HASHES },
	{ HTTP_GET,    "/admin/audit[/]",       audit_show,         GATE_ADMIN,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,    "/admin/users[/]",       users_show,         GATE_ADMIN,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_POST,   "/admin/users[/]",       users_post,         AB,            JSON_MAX, LANE_HASH,  NULL, HASHES },
	{ HTTP_GET,    "/admin/users/export",   users_export,       AX,            JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,    "/admin/users/{id}[/]",  one_user_show,      GATE_ADMIN,    JSON_MAX, LANE_READ,  NULL },
	{ HTTP_PUT,    "/admin/users/{id}[/]",  one_user_put,       GATE_ADMIN,    JSON_MAX, LANE_HASH,  NULL, HASHES },
	{ HTTP_DELETE, "/admin/users/{id}[/]",  one_user_delete,    GATE_ADMIN,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_POST,   "/saml/acs[/]",          saml_acs_post,      GATE_RELAY,    JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,    "/saml/metadata",        saml_metadata_show, GATE_NONE,     0,        LANE_QUICK, NULL },
	/* These, the last ones, only where there are many sites. */
	{ HTTP_GET,    "/",                     health_show,        GATE_OPERATOR, 0,        LANE_QUICK, NULL },
	{ HTTP_POST,   "/instances[/]",         instances_post,     GATE_OPERATOR, JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,    "/instances/{id}[/]",    instance_show,      GATE_OPERATOR, 0,        LANE_SLOW,  NULL },
	{ HTTP_PUT,    "/instances/{id}[/]",    instance_put,       GATE_OPERATOR, JSON_MAX, LANE_SLOW,  NULL },
	{ HTTP_DELETE, "/instances/{id}[/]",    instance_delete,    GATE_OPERATOR, JSON_MAX, LANE_SLOW,  NULL },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), ROWS_OF_MANY = 5 };

/* Asked before anybody is told that there is no such path or method below. */
static const struct group groups[] = {
	{ "/user",      GATE_BEARER },
	{ "/admin",     GATE_ADMIN },
	{ "/callback",  GATE_STATE },
	{ "/saml/acs",  GATE_RELAY },
	{ "/instances", GATE_OPERATOR },
};
/* clang-format on */

enum { GROUPS = sizeof(groups) / sizeof(groups[0]), GROUPS_OF_MANY = 1 };

static pt_err gotrue_begin(struct exchange *ex)
{
	ex->json = true;
	ex->own = ARENA_NEW(ex->arena, struct visit);
	return ex->own ? PT_OK : PT_F_MEMORY;
}

static void gotrue_leave(struct exchange *ex)
{
	struct visit *visit = visit_of(ex);

	if (visit && visit->place && setup_of(ex)->many)
		place_leave(ex->surface->gotrue, visit->place);
}

const struct dialect gotrue_dialect = {
	.name = "gotrue",
	.routes = rows,
	.n_routes = ROWS - ROWS_OF_MANY,
	.groups = groups,
	.n_groups = GROUPS - GROUPS_OF_MANY,
	.literal = true,
	.client_header = "x-nf-client",
	.begin = gotrue_begin,
	.preflight = gotrue_preflight,
	.enter = gotrue_enter,
	.guard = gotrue_guard,
	.refuse = gotrue_refuse,
	.finish = gotrue_finish,
};

const struct dialect gotrue_many_dialect = {
	.name = "gotrue",
	.routes = rows,
	.n_routes = ROWS,
	.groups = groups,
	.n_groups = GROUPS,
	.literal = true,
	.client_header = "x-nf-client",
	.begin = gotrue_begin,
	.preflight = gotrue_preflight,
	.enter = gotrue_enter_many,
	.guard = gotrue_guard,
	.refuse = gotrue_refuse,
	.finish = gotrue_finish,
	.leave = gotrue_leave,
};
