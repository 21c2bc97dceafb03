/*
 * event.c - audit records.
 */
#include "core/event.h"

#include <arpa/inet.h>

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

pt_err event_make(struct pt_call *call, enum pt_event_kind kind, const struct pt_id *account,
	const char *detail, struct pt_event *out)
{
	struct pt_event event = {
		.kind = kind,
		.at = call->now,
		.request = call->asker.request,
		.detail = str(detail),
	};

	TRY(random_id(call->now, &event.id));
	TRY(client_shortened(call, &event.client));
	if (account)
		event.account = *account;
	*out = event;
	return PT_OK;
}
