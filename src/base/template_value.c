/*
 * template_value.c - the tree of what a template may see.
 *
 * A map is eight short chains by hash: a page has some forty names, and reading one should cost
 * less than printing it. An addition that fails marks the root, so that filling a page needs no checks
 * and a half-filled page is never shown.
 */
#include "base/template_code.h"

#include "base/str.h"

#include "base/banned.h"

static bool is_branch(const struct value *value)
{
	return value && (value->kind == VALUE_MAP || value->kind == VALUE_LIST);
}

static struct value *node_make(struct arena *arena, enum value_kind kind)
{
	struct value *node = ARENA_NEW(arena, struct value);

	if (node)
		node->kind = kind;
	return node;
}

static struct value *branch_make(struct arena *arena, enum value_kind kind)
{
	struct value *node = node_make(arena, kind);
	struct value_branch *branch = ARENA_NEW(arena, struct value_branch);

	if (!node || !branch)
		return NULL;
	branch->arena = arena;
	branch->root = node;
	node->branch = branch;
	return node;
}

static void mark_broken(struct value *value)
{
	value->branch->root->branch->broken = true;
}

bool value_is_broken(const struct value *value)
{
	return !is_branch(value) || value->branch->root->branch->broken;
}

static struct value *member_add(struct value *map, const char *name, struct value *member)
{
	struct value **chain;

	if (!is_branch(map))
		return NULL;
	if (map->kind != VALUE_MAP || !member) {
		mark_broken(map);
		return NULL;
	}
	member->name = str(name);
	member->hash = name_hash(member->name);
	chain = &map->branch->chains[member->hash % VALUE_CHAINS];
	/* in front: what was said last is what counts */
	member->next = *chain;
	*chain = member;
	return member;
}

static struct value *item_add(struct value *list, struct value *item)
{
	if (!is_branch(list))
		return NULL;
	if (list->kind != VALUE_LIST || !item) {
		mark_broken(list);
		return NULL;
	}
	if (list->branch->last)
		list->branch->last->next = item;
	else
		list->branch->chains[0] = item;
	list->branch->last = item;
	return item;
}

static struct arena *arena_of(const struct value *value)
{
	return value->branch->arena;
}

static struct value *leaf_add(struct value *map, const char *name, enum value_kind kind)
{
	return is_branch(map) ? member_add(map, name, node_make(arena_of(map), kind)) : NULL;
}

static struct value *branch_add(struct value *map, const char *name, enum value_kind kind)
{
	struct value *member;

	if (!is_branch(map))
		return NULL;
	member = member_add(map, name, branch_make(arena_of(map), kind));
	if (member)
		member->branch->root = map->branch->root;
	return member;
}

struct value *value_map(struct arena *arena)
{
	return branch_make(arena, VALUE_MAP);
}

void value_str(struct value *map, const char *name, pt_str text)
{
	struct value *member = leaf_add(map, name, VALUE_STR);

	if (member)
		member->text = text;
}

void value_int(struct value *map, const char *name, int64_t number)
{
	struct value *member = leaf_add(map, name, VALUE_INT);

	if (member)
		member->number = number;
}

void value_bool(struct value *map, const char *name, bool truth)
{
	struct value *member = leaf_add(map, name, VALUE_BOOL);

	if (member)
		member->truth = truth;
}

void value_fragment(struct value *map, const char *name, pt_str html)
{
	struct value *member = leaf_add(map, name, VALUE_FRAGMENT);

	if (member)
		member->text = html;
}

struct value *value_child(struct value *map, const char *name)
{
	return branch_add(map, name, VALUE_MAP);
}

struct value *value_list(struct value *map, const char *name)
{
	return branch_add(map, name, VALUE_LIST);
}

struct value *value_item(struct value *list)
{
	struct value *item;

	if (!is_branch(list))
		return NULL;
	item = item_add(list, branch_make(arena_of(list), VALUE_MAP));
	if (item)
		item->branch->root = list->branch->root;
	return item;
}

void value_item_str(struct value *list, pt_str text)
{
	struct value *item;

	if (!is_branch(list))
		return;
	item = item_add(list, node_make(arena_of(list), VALUE_STR));
	if (item)
		item->text = text;
}

void value_shared(struct value *map, const char *name, const struct value *shared)
{
	struct value *member;

	if (!is_branch(map))
		return;
	if (value_is_broken(shared)) {
		mark_broken(map);
		return;
	}
	member = leaf_add(map, name, VALUE_SHARED);
	if (member)
		member->shared = shared;
}

const struct value *value_find(const struct value *map, const struct key *key)
{
	const struct value *member;

	if (!map || map->kind != VALUE_MAP)
		return NULL;
	member = map->branch->chains[key->hash % VALUE_CHAINS];
	while (member && !(member->hash == key->hash && str_eq(member->name, key->name)))
		member = member->next;
	return member && member->kind == VALUE_SHARED ? member->shared : member;
}

pt_str value_text(const struct value *map, pt_str path)
{
	const struct value *at = map;
	pt_str name, rest = path;
	bool more = true;

	while (more) {
		more = str_cut(rest, '.', &name, &rest);
		const struct key key = { name, name_hash(name) };
		at = value_find(at, &key);
	}
	return at && at->kind == VALUE_STR ? at->text : PT_STR("");
}

bool value_is_true(const struct value *value)
{
	if (!value)
		return false;
	switch (value->kind) {
	case VALUE_STR:
	case VALUE_FRAGMENT:
		return value->text.n > 0;
	case VALUE_INT:
		return value->number != 0;
	case VALUE_BOOL:
		return value->truth;
	case VALUE_LIST:
		return value->branch->chains[0] != NULL;
	case VALUE_MAP:
	case VALUE_SHARED:
		return true;
	}
	return false;
}

bool value_is_empty_map(const struct value *value)
{
	if (!value || value->kind != VALUE_MAP)
		return false;
	for (size_t i = 0; i < VALUE_CHAINS; i++) {
		if (value->branch->chains[i])
			return false;
	}
	return true;
}
