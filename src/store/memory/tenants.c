/*
 * tenants.c - sites that share the store.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static struct pt_tenant *tenant_of(struct memory *m, const struct pt_id *id)
{
	for (size_t i = 0; i < m->tenants.n; i++) {
		if (mem_id_eq(&m->tenants.items[i].id, id))
			return &m->tenants.items[i];
	}
	return NULL;
}

static bool name_is_taken(struct memory *m, const struct pt_id *name)
{
	for (size_t i = 0; i < m->tenants.n; i++) {
		if (mem_id_eq(&m->tenants.items[i].name, name))
			return true;
	}
	return false;
}

static pt_err tenant_add(void *ctx, pt_arena *arena, const struct pt_tenant *tenant)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_tenant own = *tenant;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	if (tenant_of(m, &tenant->id) || name_is_taken(m, &tenant->name))
		return PT_E_TAKEN;
	TRY(mem_own_str(m->pool, &own.config));

	m->tenants.items[m->tenants.n++] = own;
	return PT_OK;
}

static pt_err tenant_find(void *ctx, pt_arena *arena, const struct pt_id *id, struct pt_tenant *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_tenant *found;
	struct pt_tenant copy;

	TRY(mem_enter(ctx, &m));
	found = tenant_of(m, id);
	if (!found)
		return PT_E_NOT_FOUND;
	copy = *found;
	TRY(mem_own_str(arena, &copy.config));
	*out = copy;
	return PT_OK;
}

/* Each change moves updated_at, whatever the clocks say, so that it can be compared. */
static pt_err tenant_change(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time seen,
	pt_str config, pt_time now)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_tenant *found;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	found = tenant_of(m, id);
	if (!found)
		return PT_E_NOT_FOUND;
	if (found->updated_at != seen)
		return PT_E_BUSY;
	TRY(mem_own_str(m->pool, &config));

	found->config = config;
	found->updated_at = now > seen ? now : seen + 1;
	return PT_OK;
}

static pt_err tenant_remove(void *ctx, pt_arena *arena, const struct pt_id *id)
{
	PT_OWN(mem_leave) struct memory *m = NULL;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	if (!tenant_of(m, id))
		return PT_E_NOT_FOUND;

	REMOVE_IF(m->tenants, item, mem_id_eq(&item->id, id));
	for (size_t i = m->accounts.n; i > 0; i--) {
		struct pt_account account = m->accounts.items[i - 1].account;

		if (str_eq(account.tenant, str(id->text)))
			mem_account_forget(m, &account.id);
	}
	return PT_OK;
}

void memory_tenants_publish(struct pt_store *out)
{
	out->tenant_add = tenant_add;
	out->tenant_find = tenant_find;
	out->tenant_change = tenant_change;
	out->tenant_remove = tenant_remove;
}
