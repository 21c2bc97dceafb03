/*
 * event.c - audit records.
 */
#include "core/event.h"

#include <arpa/inet.h>

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "base/banned.h"

static pt_err address_text(struct pt_call *call, int family, const void *bytes, pt_str *out)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(family, bytes, text, sizeof(text)))
		return fault(PT_F_BUG, "an address that was read cannot be written");
	return arena_str(call->arena, str(text), out) ? PT_OK : PT_F_MEMORY;
}

pt_err client_shortened(struct pt_call *call, pt_str *out)
{
	uint8_t v4[4], v6[16];
	const char *client = arena_cstr(call->arena, call->asker.client);

	if (!client)
		return PT_F_MEMORY;
	if (inet_pton(AF_INET, client, v4) == 1) {
		v4[3] = 0;
		return address_text(call, AF_INET, v4, out);
	}
	if (inet_pton(AF_INET6, client, v6) == 1) {
		memset(v6 + 6, 0, 10);
		return address_text(call, AF_INET6, v6, out);
	}
	*out = PT_STR("");
	return PT_OK;
}

/* "full_name" of what the owner says of himself; "" when he says nothing that can be read. */
static pt_str full_name(struct pt_call *call, const struct pt_account *account)
{
	struct json_value metadata;
	const struct json_value *name;

	if (account->user_metadata.n == 0 ||
		json_read(call->arena, account->user_metadata, &metadata) != PT_OK)
		return PT_STR("");
	name = json_find(&metadata, PT_STR("full_name"));
	return name && name->type == JSON_STRING ? name->text : PT_STR("");
}

void event_name(struct pt_call *call, const struct pt_account *about, struct pt_event *event)
{
	const struct pt_account *actor = call->actor ? call->actor : about;

	event->account = about->id;
	event->tenant = call->site->tenant;
	if (call->actor)
		event->actor = call->actor->id;
	if (!call->site->policy.log_names)
		return;
	event->email = about->email;
	event->actor_email = actor->email;
	event->actor_name = full_name(call, actor);
}

pt_err event_make(struct pt_call *call, enum pt_event_kind kind, const struct pt_id *account,
	const char *detail, struct pt_event *out)
{
	struct pt_event event = {
		.kind = kind,
		.at = call->now,
		.request = call->asker.request,
		.detail = str(detail),
		.tenant = call->site->tenant,
	};

	TRY(random_id(call->now, &event.id));
	TRY(client_shortened(call, &event.client));
	if (account)
		event.account = *account;
	*out = event;
	return PT_OK;
}

pt_err event_about(struct pt_call *call, enum pt_event_kind kind, const struct pt_account *about,
	const char *detail, struct pt_event *out)
{
	struct pt_event event;

	TRY(event_make(call, kind, &about->id, detail, &event));
	event_name(call, about, &event);
	*out = event;
	return PT_OK;
}
