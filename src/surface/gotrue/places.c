/*
 * places.c - the sites that requests mean: the only one, or one of many that x-nf-sign names.
 *
 * An opened site is kept, as opening derives keys. For FRESH it is believed unasked; after that the store
 * says whether its configuration is still the one.
 *
 *          open               changed, removed, or its slot is wanted
 *   (none) -----> KEPT -------------------------------------------> STALE -----> closed
 *                  |  ^                                                    last user leaves
 *                  +--+ entered and left
 *
 * (1) A place with users is never closed. (2) A stale one is in no slot: nobody enters it any more.
 * (3) What was read of the store before something was forgotten opens a place for whoever asked, and for
 * nobody after him.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

enum { PLACES = 64 };
#define FRESH (2 * PT_SECOND)

struct gotrue {
	const struct gotrue_setup *setup;
	struct place only;
	pthread_mutex_t lock; /* of all below, and of users and seen_at of each place */
	struct place *kept[PLACES];
	unsigned forgets; /* how often a place was forgotten */
};

pt_err gotrue_open(const struct gotrue_setup *setup, struct gotrue **out)
{
	PT_OWN(own_malloc) struct gotrue *gotrue = calloc(1, sizeof(*gotrue));

	if (!gotrue)
		return PT_F_MEMORY;
	gotrue->setup = setup;
	gotrue->only.site = setup->site;
	if (!setup->many)
		TRY(place_settings(&gotrue->only));
	if (pthread_mutex_init(&gotrue->lock, NULL) != 0)
		return fault(PT_F_MEMORY, "no lock for the sites");
	*out = PT_GIVE(gotrue);
	return PT_OK;
}

static void place_close(struct gotrue *gotrue, struct place *place)
{
	if (!place)
		return;
	gotrue->setup->site_close(gotrue->setup->sites_ctx, &place->site);
	free(place->named);
	free(place);
}

void gotrue_close(struct gotrue *gotrue)
{
	if (!gotrue)
		return;
	for (size_t i = 0; i < PLACES; i++)
		place_close(gotrue, gotrue->kept[i]);
	pthread_mutex_destroy(&gotrue->lock);
	free(gotrue);
}

struct place *place_only(struct gotrue *gotrue)
{
	return &gotrue->only;
}

/* ---- under the lock ---- */

static bool is_place_of(const struct place *place, pt_str id)
{
	return place && str_eq(str(place->tenant.text), id);
}

static struct place *kept_find(struct gotrue *gotrue, pt_str id, pt_str named)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct place *place = gotrue->kept[i];
		if (is_place_of(place, id) && str_eq(str_n(place->named, place->named_n), named))
			return place;
	}
	return NULL;
}

/* Out of its slot. What nobody uses is handed back to be closed. */
static struct place *slot_clear(struct gotrue *gotrue, size_t slot)
{
	struct place *place = gotrue->kept[slot];

	gotrue->kept[slot] = NULL;
	if (!place)
		return NULL;
	place->stale = true;
	return place->users == 0 ? place : NULL;
}

/* An empty slot, or that of the one seen longest ago. */
static size_t slot_choose(const struct gotrue *gotrue)
{
	size_t chosen = 0;

	for (size_t i = 0; i < PLACES; i++) {
		if (!gotrue->kept[i])
			return i;
		if (gotrue->kept[i]->seen_at < gotrue->kept[chosen]->seen_at)
			chosen = i;
	}
	return chosen;
}

/* ---- entering ---- */

static struct place *enter_kept(
	struct gotrue *gotrue, pt_str id, pt_str named, pt_time now, pt_time updated_at)
{
	pthread_mutex_lock(&gotrue->lock);
	struct place *place = kept_find(gotrue, id, named);
	bool good =
		place && (updated_at != 0 ? place->updated_at == updated_at
					  : now >= place->seen_at && now - place->seen_at < FRESH);
	if (good) {
		place->users++;
		if (updated_at != 0)
			place->seen_at = now;
	}
	pthread_mutex_unlock(&gotrue->lock);
	return good ? place : NULL;
}

void places_forget(struct gotrue *gotrue, pt_str id)
{
	struct place *idle[PLACES] = { NULL };

	pthread_mutex_lock(&gotrue->lock);
	gotrue->forgets++;
	for (size_t i = 0; i < PLACES; i++)
		if (is_place_of(gotrue->kept[i], id))
			idle[i] = slot_clear(gotrue, i);
	pthread_mutex_unlock(&gotrue->lock);
	for (size_t i = 0; i < PLACES; i++)
		place_close(gotrue, idle[i]);
}

static unsigned forgets_so_far(struct gotrue *gotrue)
{
	pthread_mutex_lock(&gotrue->lock);
	unsigned forgets = gotrue->forgets;
	pthread_mutex_unlock(&gotrue->lock);
	return forgets;
}

/* The lock is held. In place of whatever was kept under the same name. */
static struct place *slot_take(struct gotrue *gotrue, struct place *place)
{
	struct place *older, *idle;
	size_t slot = PLACES;

	older = kept_find(gotrue, str(place->tenant.text), str_n(place->named, place->named_n));
	for (size_t i = 0; older && i < PLACES; i++)
		if (gotrue->kept[i] == older)
			slot = i;
	if (slot == PLACES)
		slot = slot_choose(gotrue);
	idle = slot_clear(gotrue, slot);
	gotrue->kept[slot] = place;
	return idle;
}

/* `forgets`: before its tenant was read; (3). */
static void keep(struct gotrue *gotrue, struct place *place, unsigned forgets)
{
	struct place *idle = NULL;

	pthread_mutex_lock(&gotrue->lock);
	place->stale = gotrue->forgets != forgets;
	if (!place->stale)
		idle = slot_take(gotrue, place);
	pthread_mutex_unlock(&gotrue->lock);
	place_close(gotrue, idle);
}

static pt_err site_open(
	struct gotrue *gotrue, const struct gotrue_tenant *wanted, struct place *out)
{
	const char *why = "";

	pt_err err = gotrue->setup->site_open(gotrue->setup->sites_ctx, wanted, &out->site, &why);
	if (err == PT_F_CONFIG)
		return fault(err, "instance %s: %s", wanted->tenant->id.text, why);
	TRY(err);
	err = place_settings(out);
	if (err != PT_OK)
		gotrue->setup->site_close(gotrue->setup->sites_ctx, &out->site);
	return err;
}

static pt_err place_open(struct gotrue *gotrue, const struct gotrue_tenant *wanted, pt_str named,
	pt_time now, struct place **out)
{
	PT_OWN(own_malloc) struct place *place = calloc(1, sizeof(*place));
	PT_OWN(own_malloc) char *copy = malloc(named.n + 1);

	if (!place || !copy)
		return PT_F_MEMORY;
	if (named.n > 0)
		memcpy(copy, named.p, named.n);
	place->tenant = wanted->tenant->id;
	place->updated_at = wanted->tenant->updated_at;
	place->seen_at = now;
	place->named_n = named.n;
	place->users = 1;
	TRY(site_open(gotrue, wanted, place));
	place->named = PT_GIVE(copy);
	*out = PT_GIVE(place);
	return PT_OK;
}

static pt_err name_make(struct exchange *ex, const struct gotrue_tenant *wanted, pt_str *out)
{
	struct buf b = BUF(ex->arena, 64 * KIB);

	buf_str(&b, wanted->site_url);
	buf_char(&b, '\n');
	buf_str(&b, wanted->hooks);
	return buf_done(&b, out);
}

pt_err place_enter(
	struct exchange *ex, const struct gotrue_tenant *wanted, pt_str id, struct place **out)
{
	struct gotrue *gotrue = ex->surface->gotrue;
	pt_time now = pt_call_now(ex->call);
	struct gotrue_tenant found = *wanted;
	struct pt_tenant tenant;
	pt_str named;

	TRY(name_make(ex, wanted, &named));
	*out = enter_kept(gotrue, id, named, now, 0);
	if (*out)
		return PT_OK;
	unsigned forgets = forgets_so_far(gotrue);
	pt_err err = pt_tenant_get(ex->call, id, &tenant);
	if (err == PT_E_NOT_FOUND)
		places_forget(gotrue, id);
	TRY(err);
	*out = enter_kept(gotrue, id, named, now, tenant.updated_at);
	if (*out)
		return PT_OK;
	found.tenant = &tenant;
	TRY(place_open(gotrue, &found, named, now, out));
	keep(gotrue, *out, forgets);
	return PT_OK;
}

void place_leave(struct gotrue *gotrue, struct place *place)
{
	pthread_mutex_lock(&gotrue->lock);
	place->users--;
	bool last = place->stale && place->users == 0;
	pthread_mutex_unlock(&gotrue->lock);
	if (last)
		place_close(gotrue, place);
}

/* ---- who is meant ---- */

pt_err gotrue_enter(struct exchange *ex)
{
	visit_of(ex)->place = place_only(ex->surface->gotrue);
	return PT_OK;
}

/* What is the operator's, what brings a state of its own, and what anybody may ask. */
static bool is_siteless(const struct exchange *ex)
{
	pt_str path = str_slice(ex->rq->path, ex->mount->prefix.n, ex->rq->path.n);

	return str_eq(path, PT_STR("/health")) || str_eq(path, PT_STR("/callback")) ||
	       str_starts(path, PT_STR("/callback/")) || str_eq(path, PT_STR("/instances")) ||
	       str_starts(path, PT_STR("/instances/")) ||
	       (ex->rq->method == HTTP_GET && (path.n == 0 || str_eq(path, PT_STR("/"))));
}

static bool is_text_list(const struct json_value *value)
{
	if (value->type != JSON_ARRAY)
		return value->type == JSON_STRING;
	for (size_t i = 0; i < value->n; i++)
		if (value->items[i].type != JSON_STRING)
			return false;
	return true;
}

/* Event to addresses, or to a single one, as it once was. */
static pt_err hooks_check(struct exchange *ex, pt_str hooks)
{
	struct json_value value;

	pt_err err = json_read(ex->arena, hooks, &value);
	if (pt_is_fault(err))
		return err;
	bool good = err == PT_OK && value.type == JSON_OBJECT;
	for (size_t i = 0; good && i < value.n; i++)
		good = is_text_list(&value.items[i]);
	return good ? PT_OK
		    : gotrue_no(ex, 400,
			      "Operator microservice signature is invalid: function_hooks");
}

static pt_str text_of(const struct json_value *object, const char *name)
{
	const struct json_value *value = json_find(object, str(name));

	return value && value->type == JSON_STRING ? value->text : PT_STR("");
}

/* The claims as they were signed; hooks stay JSON. */
static pt_err claims_read(struct exchange *ex, pt_str claims, pt_str *id)
{
	struct gotrue_tenant *named = &visit_of(ex)->named;
	struct member *members;
	struct json_value object;
	const char *why;
	size_t n;

	pt_err err = json_read(ex->arena, claims, &object);
	if (err == PT_OK)
		err = body_members(ex->arena, claims, &members, &n, &why);
	if (pt_is_fault(err))
		return err;
	/* A state of a sign-in elsewhere is no operator's word. */
	if (err != PT_OK || object.type != JSON_OBJECT || json_find(&object, PT_STR("provider")))
		return gotrue_no(ex, 400, "Operator microservice signature is invalid: claims");
	*id = text_of(&object, "id");
	named->site_url = text_of(&object, "site_url");
	for (size_t i = 0; i < n; i++)
		if (str_eq(members[i].name, PT_STR("function_hooks")) &&
			!str_eq(members[i].value, PT_STR("null")))
			named->hooks = members[i].value;
	return named->hooks.n > 0 ? hooks_check(ex, named->hooks) : PT_OK;
}

static pt_err move_in(struct exchange *ex, pt_str id)
{
	struct visit *visit = visit_of(ex);

	pt_err err = place_enter(ex, &visit->named, id, &visit->place);
	if (err == PT_E_NOT_FOUND)
		return gotrue_no(ex, 404, "Unable to locate site configuration");
	if (err == PT_F_CONFIG)
		return gotrue_no(ex, 500, "Error loading environment config");
	TRY(err);
	return exchange_move(ex, visit->place->site.site);
}

pt_err gotrue_enter_many(struct exchange *ex)
{
	pt_str signature = http_header(ex->rq, PT_STR("x-nf-sign"));
	pt_str claims, id;

	if (is_siteless(ex))
		return PT_OK;
	/* Without an operator nobody can have signed. */
	if (signature.n == 0 || setup_of(ex)->operator_token.n == 0)
		return gotrue_no(ex, 400, "Operator microservice headers missing");
	if (http_repeats_header(ex->rq, PT_STR("x-nf-sign")))
		return gotrue_no(
			ex, 400, "Operator microservice signature is invalid: there are two");
	pt_err err = pt_signed_read(ex->call, setup_of(ex)->operator_token, signature, &claims);
	if (err == PT_E_TOKEN)
		return gotrue_no(ex, 400,
			"Operator microservice signature is invalid: signature is invalid");
	TRY(err);
	TRY(claims_read(ex, claims, &id));
	if (id.n == 0)
		return gotrue_no(ex, 400, "Instance ID is missing");
	if (!is_uuid(id))
		return gotrue_no(ex, 400, "Instance ID is not a valid UUID");
	return move_in(ex, id);
}

/* ---- what the operator said, carried over a sign-in elsewhere ---- */

enum { STATE_MAX = 1024 };

static void state_write(struct exchange *ex, pt_str referrer, struct buf *out)
{
	const struct gotrue_tenant *named = &visit_of(ex)->named;
	struct json json = JSON(out);

	json_object(&json, NULL);
	json_str(&json, "from", referrer);
	json_str(&json, "site", named->site_url);
	json_str(&json, "hooks", named->hooks);
	json_object_end(&json);
}

/* Where there is no room for all, the browser comes back to the front page; hooks are never left out. */
pt_err state_of_many(struct exchange *ex, pt_str referrer, pt_str *out)
{
	struct buf b = BUF(ex->arena, STATE_MAX);

	state_write(ex, referrer, &b);
	if (b.failed) {
		b = BUF(ex->arena, STATE_MAX);
		state_write(ex, PT_STR(""), &b);
	}
	if (b.failed)
		return gotrue_no(ex, 400,
			"Operator microservice signature is invalid: function_hooks too long");
	return buf_done(&b, out);
}

pt_err state_enter_many(struct exchange *ex)
{
	struct visit *visit = visit_of(ex);
	struct json_value object;

	TRY(json_read(ex->arena, visit->state.return_to, &object));
	visit->state.return_to = text_of(&object, "from");
	visit->named.site_url = text_of(&object, "site");
	visit->named.hooks = text_of(&object, "hooks");
	return move_in(ex, visit->state.tenant);
}
