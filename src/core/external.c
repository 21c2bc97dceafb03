/*
 * external.c - signing in with an account elsewhere.
 *
 *   begin:  state (sealed: provider, nonce, PKCE verifier, invitation, the cookie's hash, a date) goes to
 *           the provider by way of the browser; the cookie stays in the browser.
 *   finish: state and cookie are shown together; the code becomes a profile; the profile becomes
 *
 *           an account, by the first of these that finds one:
 *           (1) the invitation that was carried along, when the profile has its address
 *           (2) the identity (provider and subject) that was linked before
 *           (3) an address that the provider vouches for
 *           (4) a new account
 *
 * (A) An address that the provider does not vouch for finds nobody. (B) An account that never showed that
 * its address is its own keeps no password, and nobody else's identity, when its owner comes. (C) What was linked once is
 * found by its identity alone, whatever addresses change hands.
 */
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/account.h"
#include "core/confirm.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
#include "core/link.h"
#include "core/secret.h"
#include "core/store.h"
#include "core/ticket.h"
#include "core/token.h"
#include "crypt/seal.h"
#include "portress/act.h"

#include "base/banned.h"

enum {
	RETURN_TO_MAX = 1024,
	STATE_MAX = 4096,
	SUBJECT_MAX = 200, /* with an audience's hash it still fits a key of MariaDB's */
};

static const pt_str state_context = PT_STR_INIT("external");

static const struct pt_provider *provider_find(const struct pt_call *call, pt_str name)
{
	const struct pt_site *site = call->site;

	for (size_t i = 0; i < site->n_providers; i++) {
		if (str_eq(str(site->providers[i].name), name))
			return &site->providers[i];
	}
	return NULL;
}

/* ---- the state ---- */

static pt_err hash_text(struct pt_call *call, pt_str secret, pt_str *out)
{
	struct buf b = BUF(call->arena, 64);
	struct pt_hash hash;

	TRY(digest_sha256(secret, &hash));
	buf_base64url(&b, hash.bytes, sizeof(hash.bytes));
	return buf_done(&b, out);
}

static pt_err state_write(
	struct pt_call *call, const struct pt_external_state *state, pt_str cookie, pt_str *out)
{
	struct buf b = BUF(call->arena, STATE_MAX), text = BUF(call->arena, 2 * (size_t)STATE_MAX);
	struct json j = JSON(&b);
	pt_str clear, sealed, bound = PT_STR("");

	if (cookie.n > 0)
		TRY(hash_text(call, cookie, &bound));
	json_object(&j, NULL);
	json_int(&j, "until", call->now + PT_EXTERNAL_LIFE);
	json_str(&j, "provider", state->provider);
	json_str(&j, "tenant", state->tenant);
	json_str(&j, "invite", state->invite);
	json_str(&j, "return_to", state->return_to);
	json_str(&j, "nonce", state->nonce);
	json_str(&j, "verifier", state->verifier);
	json_str(&j, "cookie", bound);
	json_object_end(&j);
	TRY(buf_done(&b, &clear));
	TRY(seal(call->arena, &call->site->keys.state, state_context, clear, &sealed));
	buf_base64url(&text, sealed.p, sealed.n);
	return buf_done(&text, out);
}

static pt_str member(const struct json_value *object, const char *name)
{
	const struct json_value *value = json_find(object, str(name));

	return value && value->type == JSON_STRING ? value->text : PT_STR("");
}

static pt_err state_is_this_browsers(
	struct pt_call *call, const struct json_value *object, pt_str cookie)
{
	pt_str bound = member(object, "cookie"), shown;

	if (bound.n == 0)
		return PT_OK;
	TRY(hash_text(call, cookie, &shown));
	return digest_equal(bound, shown) ? PT_OK : PT_E_STATE;
}

pt_err pt_external_state(
	struct pt_call *call, pt_str state, pt_str cookie, struct pt_external_state *out)
{
	const struct json_value *until;
	struct json_value object;
	pt_str sealed, clear;

	if (state.n > 2 * (size_t)STATE_MAX)
		return PT_E_STATE;
	pt_err err = base64url_read(call->arena, state, &sealed);
	if (err == PT_OK)
		err = seal_judge(
			call->arena, &call->site->keys.state, state_context, sealed, &clear);
	if (err == PT_E_MALFORMED || err == PT_E_TOKEN)
		return PT_E_STATE;
	TRY(err);
	/* It opened, so we wrote it. */
	TRY(json_read(call->arena, clear, &object));
	until = json_find(&object, PT_STR("until"));
	if (!until || until->number <= call->now)
		return PT_E_STATE;
	TRY(state_is_this_browsers(call, &object, cookie));
	*out = (struct pt_external_state){
		.provider = member(&object, "provider"),
		.tenant = member(&object, "tenant"),
		.invite = member(&object, "invite"),
		.return_to = member(&object, "return_to"),
		.nonce = member(&object, "nonce"),
		.verifier = member(&object, "verifier"),
	};
	return PT_OK;
}

static pt_err secret_text(struct pt_call *call, pt_str *out)
{
	struct secret secret;

	TRY(secret_make(call->arena, &secret));
	*out = secret.text;
	return PT_OK;
}

pt_err pt_external_begin(
	struct pt_call *call, const struct pt_external_ask *ask, struct pt_external_begun *out)
{
	const struct pt_provider *provider = provider_find(call, ask->provider);
	struct pt_external_state state = {
		.provider = ask->provider,
		.tenant = call->site->tenant,
		.invite = ask->invite,
		.return_to = str_slice(ask->return_to, 0, RETURN_TO_MAX),
	};
	struct pt_external_begun begun = { .cookie = PT_STR("") };
	struct pt_provider_ask asked;
	struct pt_ticket_record invited;

	if (!provider)
		return PT_E_NOT_FOUND;
	if (ask->invite.n > 0)
		TRY(ticket_judge(call, ask->invite, PT_TICKET_INVITE, &invited));
	TRY(secret_text(call, &state.nonce));
	TRY(secret_text(call, &state.verifier));
	if (!ask->unbound)
		TRY(secret_text(call, &begun.cookie));
	TRY(state_write(call, &state, begun.cookie, &asked.state));
	TRY(hash_text(call, state.verifier, &asked.challenge));
	asked.nonce = state.nonce;
	TRY(provider->authorize(provider->ctx, call->arena, &asked, &begun.url));
	*out = begun;
	return PT_OK;
}

/* ---- who came back ---- */

struct visitor {
	pt_str provider;
	const struct pt_profile *profile;
	struct pt_identity identity; /* subject "": the provider has no names for accounts */
	pt_str app_metadata;
	pt_str user_metadata;
};

/* Whoever names accounts there may name them as he likes: what no store keeps is nobody. */
static bool subject_is_fine(pt_str subject)
{
	for (size_t i = 0; i < subject.n; i++)
		if ((unsigned char)subject.p[i] < 0x20 || subject.p[i] == 0x7F)
			return false;
	return subject.n <= SUBJECT_MAX && str_utf8(subject);
}

/* Two audiences are two people: each has an identity of its own. Only the hash of its name goes before the
 * subject, so that no choice of names makes one of two and what the store keeps has a bound. */
static pt_err identity_make(struct pt_call *call, struct visitor *visitor)
{
	pt_str subject = visitor->profile->subject, audience;
	struct buf b = BUF(call->arena, 2 * (size_t)SUBJECT_MAX);

	visitor->identity = (struct pt_identity){ visitor->provider, PT_STR("") };
	if (!subject_is_fine(subject))
		return PT_E_PROVIDER_PROFILE;
	if (subject.n == 0)
		return PT_OK;
	if (call->audience.n > 0) {
		TRY(hash_text(call, call->audience, &audience));
		buf_str(&b, audience);
		buf_char(&b, '|');
	}
	buf_str(&b, subject);
	return buf_done(&b, &visitor->identity.subject);
}

static void member_add(struct json *j, const char *name, pt_str value)
{
	if (value.n > 0)
		json_str(j, name, value);
}

static pt_err visitor_read(struct pt_call *call, pt_str provider, const struct pt_profile *profile,
	struct visitor *out)
{
	struct buf app = BUF(call->arena, 256), user = BUF(call->arena, PT_METADATA_MAX);
	struct json a = JSON(&app), u = JSON(&user);

	*out = (struct visitor){ .provider = provider, .profile = profile };
	TRY(identity_make(call, out));
	json_object(&a, NULL);
	json_str(&a, "provider", provider);
	json_object_end(&a);
	TRY(buf_done(&app, &out->app_metadata));
	json_object(&u, NULL);
	member_add(&u, "avatar_url", profile->avatar_url);
	member_add(&u, "full_name", profile->full_name);
	member_add(&u, "slug", profile->slug);
	json_object_end(&u);
	return buf_done(&user, &out->user_metadata);
}

/* The canonical form, or "" where it is no address. */
static pt_err address_key(struct pt_call *call, pt_str address, struct email *out)
{
	pt_err err = email_parse(call->arena, &call->site->policy, address, out);

	if (err == PT_E_EMAIL)
		*out = (struct email){ { 0 }, { 0 } };
	return err == PT_E_EMAIL ? PT_OK : err;
}

static void link_identity(const struct visitor *visitor, struct pt_amend *amend)
{
	amend->has_identity = visitor->identity.subject.n > 0;
	amend->identity = visitor->identity;
}

/* ---- (1) by invitation ---- */

static pt_err has_address(
	struct pt_call *call, const struct visitor *visitor, pt_str key, bool *has)
{
	*has = false;
	for (size_t i = 0; i < visitor->profile->n_emails && !*has; i++) {
		struct email email;

		TRY(address_key(call, visitor->profile->emails[i].address, &email));
		*has = email.key.n > 0 && str_eq(email.key, key);
	}
	return PT_OK;
}

static pt_err accept_invite(
	struct pt_call *call, const struct visitor *visitor, pt_str invite, struct pt_grant *out)
{
	struct pt_amend amend = {
		.now = call->now,
		.has_ticket = true,
		.enabled = true,
		.unconfirmed = true,
	};
	struct visitor invited = *visitor;
	struct pt_ticket_record shown;
	struct pt_hook_reply reply;
	bool same;

	TRY(ticket_judge(call, invite, PT_TICKET_INVITE, &shown));
	const struct pt_account *account = &shown.owner.account;
	if (account->email_verified_at)
		return PT_E_TICKET;
	TRY(has_address(call, visitor, account->email_key, &same));
	if (!same)
		return PT_E_INVITE_MISMATCH;
	if (account->disabled_at)
		return PT_E_DISABLED;
	/* The invitation says whose audience it is; the browser that brought it may say another. */
	call->audience = account->audience;
	TRY(identity_make(call, &invited));
	TRY(hook_ask(call, PT_HOOK_SIGNUP, account, &reply));
	amend.account = account->id;
	amend.ticket = shown.ticket.hash;
	amend.ticket_kind = PT_TICKET_INVITE;
	amend.has_verified = amend.verified = true;
	amend.has_password = true; /* (B): to none */
	amend.app_metadata = (struct pt_metadata){ PT_METADATA_MERGE, visitor->app_metadata };
	amend.user_metadata = (struct pt_metadata){ PT_METADATA_MERGE, visitor->user_metadata };
	amend.ends = PT_END_VERIFY | PT_END_RESET | PT_END_IDENTITIES;
	hook_amend(&reply, &amend);
	link_identity(&invited, &amend);
	TRY(event_about(call, PT_EVENT_INVITE_ACCEPTED, account, "", &amend.events[0]));
	return token_open(call, &shown.owner, &amend, out);
}

/* ---- (2) and (3): somebody we know ---- */

/* PT_E_NOT_FOUND. */
static pt_err known_by_identity(
	struct pt_call *call, const struct visitor *visitor, struct pt_account_record *out)
{
	const struct pt_account_query query = { call->site->tenant, call->audience, PT_BY_IDENTITY,
		visitor->identity.subject, visitor->identity.provider };

	if (visitor->identity.subject.n == 0)
		return PT_E_NOT_FOUND;
	return STORE(call, account_find, &query, out);
}

/* PT_E_NOT_FOUND. */
static pt_err known_by_address(
	struct pt_call *call, const struct visitor *visitor, struct pt_account_record *out)
{
	for (size_t i = 0; i < visitor->profile->n_emails; i++) {
		struct email email;

		if (!visitor->profile->emails[i].verified)
			continue;
		TRY(address_key(call, visitor->profile->emails[i].address, &email));
		if (email.key.n == 0)
			continue;
		pt_err err = account_by_email(call, email.key, out);
		if (err != PT_E_NOT_FOUND)
			return err;
	}
	return PT_E_NOT_FOUND;
}

/* Does the provider vouch for the very address that the account has? */
static pt_err vouches(struct pt_call *call, const struct visitor *visitor, pt_str key, bool *does)
{
	*does = false;
	for (size_t i = 0; i < visitor->profile->n_emails && !*does; i++) {
		struct email email;

		TRY(address_key(call, visitor->profile->emails[i].address, &email));
		*does = visitor->profile->emails[i].verified && email.key.n > 0 &&
			str_eq(email.key, key);
	}
	return PT_OK;
}

static pt_err confirm_letter(
	struct pt_call *call, const struct pt_account_record *owner, struct pt_amend *amend)
{
	struct pt_account_record now;

	if (owner->account.confirm_sent_at &&
		call->now - owner->account.confirm_sent_at < call->site->policy.mail_pause)
		return PT_E_UNVERIFIED;
	amend->has_new_ticket = true;
	amend->confirm_sent_at = call->now;
	TRY(link_make(call, &link_verify, owner, &amend->new_ticket, &amend->letter));
	TRY(letter_send(call, &amend->letter, &amend->has_letter));
	TRY(STORE(call, account_amend, amend, &now));
	letter_posted(call);
	return PT_E_UNVERIFIED;
}

static pt_err enter_unconfirmed(struct pt_call *call, const struct visitor *visitor,
	const struct pt_account_record *owner, struct pt_amend *amend, struct pt_grant *out)
{
	const struct pt_account *account = &owner->account;
	bool vouched;

	TRY(vouches(call, visitor, account->email_key, &vouched));
	if (!vouched && !call->site->policy.autoconfirm)
		return confirm_letter(call, owner, amend);
	TRY(confirm_amend(call, account, "provider", &amend->events[0], amend));
	amend->has_password = true; /* (B): to none */
	amend->ends |= PT_END_ALL;
	link_identity(visitor, amend);
	return token_open(call, owner, amend, out);
}

static pt_err enter(struct pt_call *call, const struct visitor *visitor,
	const struct pt_account_record *owner, bool linked, struct pt_grant *out)
{
	const struct pt_account *account = &owner->account;
	struct pt_amend amend = {
		.account = account->id,
		.now = call->now,
		.enabled = true,
		.unconfirmed = account->email_verified_at == 0,
		.has_seen_email = true,
		.seen_email_key = account->email_key,
	};
	struct pt_hook_reply reply;

	if (account->disabled_at)
		return PT_E_DISABLED;
	if (!linked)
		link_identity(visitor, &amend);
	if (amend.has_identity)
		TRY(event_about(call, PT_EVENT_IDENTITY_LINKED, account, "", &amend.events[1]));
	if (!account->email_verified_at)
		return enter_unconfirmed(call, visitor, owner, &amend, out);
	TRY(hook_ask(call, PT_HOOK_LOGIN, account, &reply));
	hook_amend(&reply, &amend);
	TRY(event_about(call, PT_EVENT_SIGNIN, account, "provider", &amend.events[0]));
	return token_open(call, owner, &amend, out);
}

/* ---- (4) somebody new ---- */

static const struct pt_profile_email *primary_email(const struct pt_profile *profile)
{
	for (size_t i = 0; i < profile->n_emails; i++) {
		if (profile->emails[i].primary)
			return &profile->emails[i];
	}
	return &profile->emails[0];
}

static pt_err newcomer_read(
	struct pt_call *call, const struct visitor *visitor, struct pt_account *out, bool *vouched)
{
	const struct pt_profile_email *chosen = primary_email(visitor->profile);
	const struct account_draft draft = { .email = chosen->address, .nameless = true };

	pt_err err = account_draft_read(call, &draft, false, out);
	if (err == PT_E_EMAIL)
		return PT_E_PROVIDER_PROFILE;
	TRY(err);
	out->app_metadata = visitor->app_metadata;
	out->user_metadata = visitor->user_metadata;
	*vouched = chosen->verified;
	return PT_OK;
}

static pt_err join_events(struct pt_call *call, struct pt_join *join, bool confirmed)
{
	if (confirmed)
		TRY(event_about(call, PT_EVENT_CONFIRMED, &join->account, "provider",
			&join->confirmed_event));
	TRY(event_about(call, PT_EVENT_SIGNUP, &join->account, "provider", &join->event));
	return event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "provider", &join->taken_event);
}

static pt_err join_unconfirmed(struct pt_call *call, struct pt_join *join)
{
	const struct pt_account_record newcomer = { join->account, { 0 } };
	struct pt_account_record owner;
	struct pt_id id;

	/* Whose address it is already gets no letter with a link to nothing. */
	pt_err found = account_by_email(call, join->account.email_key, &owner);
	if (found != PT_E_NOT_FOUND)
		return found == PT_OK ? PT_E_TAKEN : found;
	join->has_ticket = true;
	join->account.confirm_sent_at = call->now;
	TRY(link_make(call, &link_verify, &newcomer, &join->ticket, &join->letter));
	TRY(letter_send(call, &join->letter, &join->has_letter));
	TRY(join_events(call, join, false));
	TRY(STORE(call, account_join, join, &id));
	letter_posted(call);
	return PT_E_UNVERIFIED;
}

static pt_err join_confirmed(struct pt_call *call, struct pt_join *join, struct pt_grant *out)
{
	struct pt_grant grant = { .session = PT_STR("") };
	struct pt_hook_reply reply;
	pt_str jti;

	TRY(hook_ask(call, PT_HOOK_SIGNUP, &join->account, &reply));
	hook_fill(&reply, &join->account);
	join->account.email_verified_at = call->now;
	join->account.last_signin_at = call->now;
	join->account.signin_count = 1;
	join->has_token = true;
	TRY(token_begin(call, &join->account, &join->token, &jti));
	TRY(join_events(call, join, true));
	TRY(STORE(call, account_join, join, &join->account.id));
	const struct pt_account_record now = { join->account, { 0 } };
	TRY(token_write(call, &now, &join->token, jti, &grant));
	grant.account = join->account;
	*out = grant;
	return PT_OK;
}

static pt_err join_new(struct pt_call *call, const struct visitor *visitor, struct pt_grant *out)
{
	struct pt_join join = { .has_identity = visitor->identity.subject.n > 0,
		.identity = visitor->identity };
	struct pt_hook_reply reply;
	bool vouched;

	if (call->site->policy.signup_off)
		return PT_E_SIGNUP_OFF;
	TRY(newcomer_read(call, visitor, &join.account, &vouched));
	TRY(hook_ask(call, PT_HOOK_VALIDATE, &join.account, &reply));
	hook_fill(&reply, &join.account);
	if (vouched || call->site->policy.autoconfirm)
		return join_confirmed(call, &join, out);
	return join_unconfirmed(call, &join);
}

/* ---- the act ---- */

static pt_err come_in(struct pt_call *call, const struct visitor *visitor, struct pt_grant *out)
{
	struct pt_account_record owner;
	pt_err found = known_by_identity(call, visitor, &owner);

	if (found == PT_OK)
		return enter(call, visitor, &owner, true, out);
	if (found == PT_E_NOT_FOUND)
		found = known_by_address(call, visitor, &owner);
	if (found == PT_OK)
		return enter(call, visitor, &owner, false, out);
	return found == PT_E_NOT_FOUND ? join_new(call, visitor, out) : found;
}

pt_err pt_external_finish(struct pt_call *call, const struct pt_external_state *state, pt_str code,
	struct pt_grant *out)
{
	const struct pt_provider *provider = provider_find(call, state->provider);
	const struct pt_provider_answer answer = { code, state->verifier, state->nonce };
	struct pt_profile profile;
	struct visitor visitor;

	if (!provider || !str_eq(state->tenant, call->site->tenant))
		return PT_E_STATE;
	TRY(provider->profile(provider->ctx, call->arena, &answer, &profile));
	if (profile.n_emails == 0)
		return PT_E_PROVIDER_PROFILE;
	TRY(visitor_read(call, state->provider, &profile, &visitor));
	if (state->invite.n > 0)
		return accept_invite(call, &visitor, state->invite, out);
	return come_in(call, &visitor, out);
}
