/*
 * instances.c - the operator's own: one row for each of many sites.
 *
 * A configuration is the operator's JSON. It goes in as it is and comes out without its secrets, never
 * with empty ones: an empty one, sent back, would clear them.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

enum { DEEPEST = 8, CONFIG_MAX = 256 * 1024, TRIES = 3 };

/* ---- telling ---- */

/* As paths; `*` is any one name. */
static const char *const secrets[] = { "jwt.secret", "smtp.pass", "webhook.secret",
	"external.*.secret", "external.saml.signing_key" };

static bool word_fits(pt_str pattern, pt_str word)
{
	return str_eq(pattern, PT_STR("*")) || str_eq_nocase(pattern, word);
}

/* The path of names, outermost first, is the pattern's. */
static bool path_fits(pt_str pattern, const pt_str *path, size_t n)
{
	pt_str word;

	for (size_t i = 0; i < n; i++) {
		bool more = str_cut(pattern, '.', &word, &pattern);
		if (!word_fits(word, path[i]) || more != (i + 1 < n))
			return false;
	}
	return true;
}

static bool is_secret(const pt_str *path, size_t n)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (path_fits(str(secrets[i]), path, n))
			return true;
	return false;
}

static void name_write(struct buf *b, pt_str name, bool *first)
{
	if (!*first)
		buf_char(b, ',');
	*first = false;
	buf_json(b, name);
	buf_char(b, ':');
}

static pt_err members_of(struct exchange *ex, pt_str text, struct member **members, size_t *n)
{
	const char *why;

	pt_err err = body_members(ex->arena, text, members, n, &why);
	return err == PT_E_MALFORMED ? PT_F_CONFIG : err;
}

static bool is_object(pt_str text)
{
	return text.n > 0 && text.p[0] == '{';
}

static pt_err config_write(
	struct exchange *ex, struct buf *b, pt_str text, pt_str *path, size_t depth)
{
	struct member *members;
	bool first = true;
	size_t n;

	if (!is_object(text) || depth == DEEPEST) {
		buf_str(b, text.n > 0 ? text : PT_STR("null"));
		return PT_OK;
	}
	TRY(members_of(ex, text, &members, &n));
	buf_char(b, '{');
	for (size_t i = 0; i < n; i++) {
		path[depth] = members[i].name;
		if (is_secret(path, depth + 1))
			continue;
		name_write(b, members[i].name, &first);
		TRY(config_write(ex, b, members[i].value, path, depth + 1));
	}
	buf_char(b, '}');
	return PT_OK;
}

static pt_err instance_answer(
	struct exchange *ex, int status, const struct pt_tenant *tenant, bool made)
{
	struct buf body = BUF(ex->arena, CONFIG_MAX + 8 * KIB);
	struct buf config = BUF(ex->arena, CONFIG_MAX);
	struct json json = JSON(&body);
	pt_str path[DEEPEST + 1], text;

	TRY(config_write(ex, &config, tenant->config, path, 0));
	TRY(buf_done(&config, &text));
	json_object(&json, NULL);
	json_str(&json, "id", str(tenant->id.text));
	json_str(&json, "uuid", str(tenant->name.text));
	json_raw(&json, "config", text);
	moment_write(&json, "created_at", tenant->created_at);
	moment_write(&json, "updated_at", tenant->updated_at);
	if (made) {
		json_str(&json, "endpoint", setup_of(ex)->endpoint);
		json_str(&json, "state", PT_STR("active"));
	}
	json_object_end(&json);
	return answer_json_buf(ex, status, &body);
}

/* ---- merging ---- */

static const struct member *member_find(const struct member *members, size_t n, pt_str name)
{
	for (size_t i = n; i > 0; i--)
		if (str_eq_nocase(members[i - 1].name, name))
			return &members[i - 1];
	return NULL;
}

static bool is_null(pt_str value)
{
	return str_eq(value, PT_STR("null"));
}

/* What `over` names overwrites, also with ""; what it leaves out, or calls null, stays. Arrays are
 * replaced whole. */
static pt_err merge(struct exchange *ex, struct buf *b, pt_str under, pt_str over, size_t depth)
{
	struct member *old, *new;
	size_t n_old, n_new;
	bool first = true;

	if (!is_object(under) || !is_object(over) || depth == DEEPEST) {
		buf_str(b, over);
		return PT_OK;
	}
	TRY(members_of(ex, under, &old, &n_old));
	TRY(members_of(ex, over, &new, &n_new));
	buf_char(b, '{');
	for (size_t i = 0; i < n_old; i++) {
		const struct member *by = member_find(new, n_new, old[i].name);
		name_write(b, old[i].name, &first);
		if (by && !is_null(by->value))
			TRY(merge(ex, b, old[i].value, by->value, depth + 1));
		else
			buf_str(b, old[i].value);
	}
	for (size_t i = 0; i < n_new; i++) {
		if (is_null(new[i].value) || member_find(old, n_old, new[i].name))
			continue;
		name_write(b, new[i].name, &first);
		buf_str(b, new[i].value);
	}
	buf_char(b, '}');
	return PT_OK;
}

/* ---- acts ---- */

static const char *const complaint = "Error decoding params";

pt_err instances_post(struct exchange *ex)
{
	pt_str uuid = PT_STR(""), config = PT_STR("");
	struct pt_tenant tenant;
	const struct body_field fields[] = {
		{ "uuid", BODY_TEXT, &uuid },
		{ "config", BODY_OBJECT, &config },
	};

	TRY(BODY_READ(ex, complaint, fields));
	if (!is_uuid(uuid))
		return gotrue_no_detail(ex, 400, complaint, PT_STR("uuid is not a UUID"));
	TRY(pt_tenant_add(ex->call, uuid, config.n > 0 ? config : PT_STR("null"), &tenant));
	return instance_answer(ex, 201, &tenant, true);
}

static pt_err instance_find(struct exchange *ex, struct pt_tenant *out)
{
	if (!is_uuid(ex->segment))
		return gotrue_no(ex, 400, "Invalid instance ID");
	return pt_tenant_get(ex->call, ex->segment, out);
}

pt_err instance_show(struct exchange *ex)
{
	struct pt_tenant tenant;

	TRY(instance_find(ex, &tenant));
	return instance_answer(ex, 200, &tenant, false);
}

/* PT_E_BUSY: somebody else changed it meanwhile. */
static pt_err instance_change(struct exchange *ex, pt_str config, struct pt_tenant *tenant)
{
	struct buf b = BUF(ex->arena, CONFIG_MAX);
	pt_str merged;

	TRY(instance_find(ex, tenant));
	if (config.n == 0)
		return PT_OK;
	TRY(merge(ex, &b, tenant->config, config, 0));
	TRY(buf_done(&b, &merged));
	return pt_tenant_change(ex->call, ex->segment, tenant->updated_at, merged, tenant);
}

pt_err instance_put(struct exchange *ex)
{
	pt_str config = PT_STR("");
	struct pt_tenant tenant;
	const struct body_field fields[] = { { "config", BODY_OBJECT, &config } };
	pt_err err = PT_E_BUSY;

	TRY(instance_find(ex, &tenant));
	TRY(BODY_READ(ex, complaint, fields));
	for (int i = 0; i < TRIES && err == PT_E_BUSY; i++)
		err = instance_change(ex, config, &tenant);
	TRY(err);
	places_forget(ex->surface->gotrue, ex->segment);
	return instance_answer(ex, 200, &tenant, false);
}

pt_err instance_delete(struct exchange *ex)
{
	struct pt_tenant tenant;

	TRY(instance_find(ex, &tenant));
	TRY(pt_tenant_remove(ex->call, ex->segment));
	places_forget(ex->surface->gotrue, ex->segment);
	ex->rs->status = 204;
	return PT_OK;
}
