/*
 * world.h - a small world to try core in: the memory store, a clock that stands still, and a look
 * into the letters.
 */
#ifndef TESTS_CORE_WORLD_H
#define TESTS_CORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "portress/act.h"
#include "portress/hook.h"
#include "portress/portress.h"
#include "portress/store.h"

struct world {
	struct pt_site *site;
	struct pt_store store; /* the same one, to look into */
	struct pt_policy policy;
	struct pt_call *call;
	pt_time now;
	const char *client;
	int letters_posted;
	/* What a site of profile tokens has besides. */
	struct pt_hooks hooks;
	struct pt_provider provider;
	const char *tenant;
	const char *audience; /* of the calls */
	bool mail_fails;      /* letters that go at once are not taken */
	int mailed;           /* how many were */
};

/* Cheap hashing, no limits but those a test sets. */
void world_open(struct world *w);
void world_open_with(struct world *w, void (*change)(struct pt_policy *policy));
/* A site whose accounts have no user names and whose tokens carry a profile; `w` may have hooks, a
 * provider and a tenant set already, and is cleared but for those. */
void world_open_profiles(struct world *w, void (*change)(struct pt_policy *policy));
void world_close(struct world *w);

/* Ends the call before and begins the next, at w->now. */
struct pt_call *world_call(struct world *w);

pt_err world_signup(struct world *w, const char *name, const char *email);
/* Signs up and confirms. */
void world_join(struct world *w, const char *name, const char *email);
pt_err world_signin(struct world *w, const char *name, const char *password, struct pt_grant *out);

/* The secret in the newest letter of a kind, or "". Static storage. */
const char *world_letter_secret(struct world *w, enum pt_letter_kind kind);
int world_letters(struct world *w, enum pt_letter_kind kind);
int world_events(struct world *w, enum pt_event_kind kind);
struct pt_account world_account(struct world *w, const char *name);

#define PASSWORD "a quiet harbour"

#define EXPECT_ERR(expected, expression) \
	assert_string_equal(pt_err_name(expected), pt_err_name(expression))

#endif
