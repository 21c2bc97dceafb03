/*
 * letter.c - letters for the outbox.
 */
#include "core/letter.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/limit.h"
#include "crypt/seal.h"
#include "base/banned.h"

static pt_err letter_link(struct pt_call *call, const struct letter_form *form, pt_str *out)
{
	const struct pt_letter_look *look = &call->site->letters[form->kind];
	struct buf b = BUF(call->arena, 4 * KIB);

	/* From configured addresses alone: nothing in a request shapes a link. */
	if (form->path && look->link.n > 0) {
		buf_str(&b, look->link);
		buf_url(&b, form->secret);
	} else {
		buf_str(&b, call->site->public_url);
		buf_str(&b, form->path ? str(form->path) : PT_STR("/"));
		buf_url(&b, form->secret);
	}
	return buf_done(&b, out);
}

static void text_if_any(struct json *j, const char *name, pt_str text)
{
	if (text.n > 0)
		json_str(j, name, text);
}

static pt_err letter_variables(struct pt_call *call, const struct letter_form *form, pt_str *out)
{
	const struct pt_letter_look *look = &call->site->letters[form->kind];
	const struct pt_account *account = form->account;
	struct buf b = BUF(call->arena, 16 * KIB);
	struct json j = JSON(&b);
	pt_str link;

	TRY(letter_link(call, form, &link));
	json_object(&j, NULL);
	json_str(&j, "name", account->username);
	json_str(&j, "link", link);
	json_int(&j, "minutes", form->life / PT_MINUTE);
	json_str(&j, "site_url", call->site->site_url);
	json_str(&j, "email", account->email);
	text_if_any(&j, "new_email", account->new_email);
	text_if_any(&j, "token", form->secret);
	if (account->user_metadata.n > 0)
		json_raw(&j, "data", account->user_metadata);
	text_if_any(&j, "subject", look->subject);
	text_if_any(&j, "template", look->body);
	text_if_any(&j, "courier", call->site->courier);
	json_object_end(&j);
	return buf_done(&b, out);
}

pt_err letter_make(struct pt_call *call, const struct letter_form *form, struct pt_letter *out)
{
	struct pt_letter letter = {
		.kind = form->kind,
		.account = form->account->id,
		.to = form->to.n > 0 ? form->to : form->account->email,
		.created_at = call->now,
		.not_after = call->now + form->life,
	};
	pt_str variables;

	TRY(random_id(call->now, &letter.id));
	TRY(letter_variables(call, form, &variables));
	TRY(seal(call->arena, &call->site->keys.letter, str(letter.id.text), variables,
		&letter.sealed));
	*out = letter;
	return PT_OK;
}

pt_err letter_send(struct pt_call *call, const struct pt_letter *letter, bool *waits)
{
	struct pt_site *site = call->site;

	*waits = true;
	if (!site->policy.mail_at_once)
		return PT_OK;
	TRY(limit_mail_turn(call, letter));
	pt_err err = site->post(site->post_ctx, call->arena, letter);
	/* Nobody carries letters: they wait where a mailbox shows them. */
	if (err == PT_E_NOT_FOUND)
		return PT_OK;
	*waits = false;
	if (err != PT_OK)
		__atomic_add_fetch(&site->posts_failed, 1, __ATOMIC_RELAXED);
	return err;
}

void letter_posted(struct pt_call *call)
{
	if (call->site->letter_waits)
		call->site->letter_waits(call->site->letter_waits_ctx);
}
