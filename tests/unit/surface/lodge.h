/*
 * lodge.h - the GoTrue dialect at a desk of its own: one site at "/", or many, without pages.
 */
#ifndef TESTS_SURFACE_LODGE_H
#define TESTS_SURFACE_LODGE_H

#include <stdatomic.h>

#include "desk.h"
#include "portress/provider.h"

#define AS_OPERATOR    "authorization: Bearer " OPERATOR_TOKEN
#define OPERATOR_TOKEN "operator-token-operator-token-operator"
#define SITE           "https://app.example.org"
#define NOBODY         "00000000-0000-0000-0000-000000000000"

struct lodge {
	struct desk desk;
	struct pt_policy policy; /* of the dialect's site */
	struct pt_site *site;
	bool many;
	atomic_int opened, closed;        /* sites of instances */
	char config[1024];                /* that the newest was opened from */
	void (*opening)(struct lodge *l); /* called while the next one is opened */
	struct pt_provider provider;
	const char *profile_email; /* of whoever comes back from the provider; NULL: nobody does */
	bool profile_verified;
};

/* `change` may turn policy and setup before anything opens. */
void lodge_open(struct lodge *l, void (*change)(struct lodge *l));
void lodge_close(struct lodge *l);
int lodge_setup(void **state);
int lodge_setup_many(void **state);
int lodge_teardown(void **state);

/* Up to three headers, "name: value". */
struct heard lodge_ask(struct lodge *l, enum http_method method, const char *path, const char *body,
	const char *a, const char *b, const char *c);
struct heard lodge_get(struct lodge *l, const char *path);
struct heard lodge_post(struct lodge *l, const char *path, const char *json);
struct heard lodge_form(struct lodge *l, const char *path, const char *body);
/* As the operator. */
struct heard lodge_order(
	struct lodge *l, enum http_method method, const char *path, const char *json);

/* A text member of the answer; "" when there is none. */
const char *heard_text(struct lodge *l, const struct heard *h, const char *name);
/* "authorization: Bearer ..." */
const char *bearer(struct lodge *l, const char *token);
/* Signs up NAME@example.org with PASSWORD and confirms: a grant. */
struct heard lodge_join(struct lodge *l, const char *name);
/* ... and gives the header of its access token. */
const char *lodge_enter(struct lodge *l, const char *name);
/* Signs in again. */
struct heard lodge_signin(struct lodge *l, const char *name, const char *password);
/* Each `$` becomes the next of the two. */
const char *format(struct lodge *l, const char *text, const char *a, const char *b);

#define EXPECT_SAID(h, status_, body_)                                                          \
	do {                                                                                    \
		if ((h).status != (status_) || strcmp((h).body, (body_)) != 0)                  \
			fail_msg("%d %s, not %d %s", (h).status, (h).body, (status_), (body_)); \
	} while (0)

#endif
