/*
 * provider_rows.c - the OAuth houses, one row each: where they are, how they speak.
 *
 * A further house of this kind is a further row. `http` in a host's place comes from the operator
 * alone; ours are all https.
 */
#include "outbound/provider_private.h"

#include "base/str.h"

#include "base/banned.h"

static const struct provider_row rows[] = {
	{
		.kind = "bitbucket",
		.scopes = "account email",
		.authorize = { .host = "bitbucket.org", .path = "/site/oauth2/authorize" },
		.token = { .host = "bitbucket.org", .path = "/site/oauth2/access_token" },
		.profile = { .host = "api.bitbucket.org", .path = "/2.0/user" },
		.emails = { .host = "api.bitbucket.org", .path = "/2.0/user/emails" },
		.rule = {
			.subject = "uuid",
			.full_name = { "display_name" },
			.avatar_url = { "avatar.href", "links.avatar.href" },
			.listed = { "values", "email", "is_confirmed", "is_primary" },
		},
	},
	{
		/* It hands out confirmed addresses only. */
		.kind = "facebook",
		.scopes = "email",
		.authorize = { .host = "www.facebook.com", .path = "/dialog/oauth" },
		.token = { .host = "graph.facebook.com", .path = "/oauth/access_token" },
		.profile = { .host = "graph.facebook.com",
			.path = "/me?fields=email,first_name,last_name,name,picture" },
		.proves_secret = true,
		.rule = {
			.subject = "id",
			.full_name = { "first_name", "last_name" },
			.avatar_url = { "picture.data.url" },
			.slug = "name",
			.own = { "email", VERIFIED_ALWAYS, NULL },
		},
	},
	{
		.kind = "github",
		.scopes = "user:email",
		.authorize = { .host = "github.com", .path = "/login/oauth/authorize" },
		.token = { .host = "github.com", .path = "/login/oauth/access_token" },
		.profile = { .host = "api.github.com", .path = "/user", .own_prefix = "/api/v3" },
		.emails = { .host = "api.github.com", .path = "/user/emails", .own_prefix = "/api/v3" },
		.has_pkce = true,
		.rule = {
			.subject = "id",
			.full_name = { "name" },
			.avatar_url = { "avatar_url" },
			.listed = { NULL, "email", "verified", "primary" },
		},
	},
	{
		/* Whether a listed address is confirmed, not every version says. */
		.kind = "gitlab",
		.scopes = "read_user",
		.authorize = { .host = "gitlab.com", .path = "/oauth/authorize" },
		.token = { .host = "gitlab.com", .path = "/oauth/token" },
		.profile = { .host = "gitlab.com", .path = "/api/v4/user" },
		.emails = { .host = "gitlab.com", .path = "/api/v4/user/emails" },
		.has_pkce = true,
		.rule = {
			.subject = "id",
			.full_name = { "name" },
			.avatar_url = { "avatar_url" },
			.own = { "email", VERIFIED_IF_THERE, "confirmed_at" },
			.listed = { NULL, "email", NULL, NULL },
		},
	},
	{
		.kind = "google",
		.scopes = "email profile",
		.authorize = { .host = "accounts.google.com", .path = "/o/oauth2/auth" },
		.token = { .host = "accounts.google.com", .path = "/o/oauth2/token" },
		.profile = { .host = "www.googleapis.com", .path = "/userinfo/v2/me" },
		.has_pkce = true,
		.rule = {
			.subject = "id",
			.full_name = { "name" },
			.avatar_url = { "picture" },
			.own = { "email", VERIFIED_IF_TRUE, "verified_email" },
		},
	},
};

const struct provider_row *provider_row_find(pt_str kind)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_eq(kind, str(rows[i].kind)))
			return &rows[i];
	}
	return NULL;
}
