/*
 * webhook_reply.c - what is kept is kept as it is spelled: no number loses a digit here.
 */
#include "outbound/webhook_reply.h"

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include "base/banned.h"

static pt_err malformed(pt_str *detail, const char *what)
{
	*detail = str(what);
	return PT_E_HOOK_MALFORMED;
}

/* The object of that name as it is spelled; "" when there is none, or null. */
static pt_err metadata_find(
	pt_arena *arena, pt_str body, const char *name, pt_str *out, pt_str *detail)
{
	pt_str value;
	pt_err err = json_find_raw(arena, body, str(name), &value);

	if (err == PT_E_MALFORMED)
		return malformed(detail, "Webhook returned malformed JSON: it is no object");
	TRY(err);
	if (value.n == 0 || str_eq(value, PT_STR("null")))
		return PT_OK;
	if (value.p[0] != '{')
		return malformed(detail, "Webhook returned malformed JSON: metadata is no object");
	*out = value;
	return PT_OK;
}

pt_err webhook_reply_read(pt_arena *arena, pt_str body, struct pt_hook_reply *reply, pt_str *detail)
{
	struct pt_hook_reply said = { 0 };

	if (body.n > 0 && !str_eq(str_strip(body), PT_STR("null"))) {
		TRY(metadata_find(arena, body, "app_metadata", &said.app_metadata, detail));
		TRY(metadata_find(arena, body, "user_metadata", &said.user_metadata, detail));
	}
	*reply = said;
	return PT_OK;
}
