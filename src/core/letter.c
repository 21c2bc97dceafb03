/*
 * letter.c - letters for the outbox.
 */
#include "core/letter.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "crypt/seal.h"
#include "base/banned.h"

static pt_err letter_link(struct pt_call *call, const struct letter_form *form, pt_str *out)
{
	struct buf b = BUF(call->arena, 2 * KIB);

	/* From the configured address alone: nothing in a request shapes a link. */
	buf_str(&b, call->site->public_url);
	if (form->path) {
		buf_str(&b, str(form->path));
		buf_url(&b, form->secret);
	} else {
		buf_char(&b, '/');
	}
	return buf_done(&b, out);
}

static pt_err letter_variables(struct pt_call *call, const struct letter_form *form, pt_str *out)
{
	struct buf b = BUF(call->arena, 4 * KIB);
	struct json j = JSON(&b);
	pt_str link;

	TRY(letter_link(call, form, &link));
	json_object(&j, NULL);
	json_str(&j, "name", form->account->username);
	json_str(&j, "link", link);
	json_int(&j, "minutes", form->life / PT_MINUTE);
	json_object_end(&j);
	return buf_done(&b, out);
}

pt_err letter_make(struct pt_call *call, const struct letter_form *form, struct pt_letter *out)
{
	struct pt_letter letter = {
		.kind = form->kind,
		.account = form->account->id,
		.to = form->account->email,
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

void letter_posted(struct pt_call *call)
{
	if (call->site->letter_waits)
		call->site->letter_waits(call->site->letter_waits_ctx);
}
