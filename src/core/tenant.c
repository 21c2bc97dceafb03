/*
 * tenant.c - many sites in one store. Their configurations hold secrets: the store keeps them sealed,
 * each bound to its tenant's id.
 */
#include "portress/tenant.h"
#include "base/random.h"
#include "base/str.h"
#include "core/store.h"
#include "crypt/seal.h"
#include "portress/act.h"

#include "base/banned.h"

enum { CONFIG_MAX = 64 * 1024 };

static bool id_read(pt_str text, struct pt_id *out)
{
	struct pt_id id = { "" };

	if (text.n == 0 || text.n >= sizeof(id.text))
		return false;
	memcpy(id.text, text.p, text.n);
	*out = id;
	return true;
}

static pt_err config_seal(struct pt_call *call, const struct pt_id *id, pt_str config, pt_str *out)
{
	if (config.n > CONFIG_MAX)
		return PT_E_TOO_LARGE;
	return seal(call->arena, &call->site->keys.tenant, str(id->text), config, out);
}

static pt_err tenant_find(struct pt_call *call, const struct pt_id *id, struct pt_tenant *out)
{
	struct pt_tenant found;

	TRY(STORE(call, tenant_find, id, &found));
	TRY(seal_open(call->arena, &call->site->keys.tenant, str(found.id.text), found.config,
		&found.config));
	*out = found;
	return PT_OK;
}

pt_err pt_tenant_add(struct pt_call *call, pt_str name, pt_str config, struct pt_tenant *out)
{
	struct pt_tenant tenant = { .created_at = call->now, .updated_at = call->now };
	struct pt_tenant stored;

	if (!id_read(name, &tenant.name))
		return PT_E_MALFORMED;
	TRY(random_id(call->now, &tenant.id));
	tenant.config = config;
	stored = tenant;
	TRY(config_seal(call, &tenant.id, config, &stored.config));
	TRY(STORE(call, tenant_add, &stored));
	*out = tenant;
	return PT_OK;
}

pt_err pt_tenant_move_in(struct pt_call *call, const struct pt_tenant *tenant)
{
	struct pt_tenant stored = *tenant;

	TRY(config_seal(call, &tenant->id, tenant->config, &stored.config));
	return STORE(call, tenant_add, &stored);
}

pt_err pt_tenant_get(struct pt_call *call, pt_str id, struct pt_tenant *out)
{
	struct pt_id key;

	return id_read(id, &key) ? tenant_find(call, &key, out) : PT_E_NOT_FOUND;
}

pt_err pt_tenant_change(
	struct pt_call *call, pt_str id, pt_time seen, pt_str config, struct pt_tenant *out)
{
	struct pt_id key;
	pt_str sealed;

	if (!id_read(id, &key))
		return PT_E_NOT_FOUND;
	TRY(config_seal(call, &key, config, &sealed));
	TRY(STORE(call, tenant_change, &key, seen, sealed, call->now));
	return tenant_find(call, &key, out);
}

pt_err pt_tenant_remove(struct pt_call *call, pt_str id)
{
	struct pt_id key;

	return id_read(id, &key) ? STORE(call, tenant_remove, &key) : PT_E_NOT_FOUND;
}
