/*
 * desk.h - a desk with visitors: a site over the memory store with the shipped templates, requests
 * made by hand, and a jar for the cookies that come back.
 */
#ifndef TESTS_SURFACE_DESK_H
#define TESTS_SURFACE_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/template.h"
#include "portress/store.h"
#include "surface/surface.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PASSWORD     "a quiet harbour"
#define JSON_TYPE    "application/json"
#define FORM_TYPE    "application/x-www-form-urlencoded"
#define HTML_ACCEPT  "text/html,application/xhtml+xml,*/*;q=0.8"

struct desk {
	struct pt_store store;
	struct pt_policy policy;
	struct surface_setup setup;

	struct pt_site *site;
	struct surface *surface;
	struct arena *memory; /* everything that was said, until the desk closes */
	struct template_set *templates;
	const char *not_ready; /* what /readyz says is wrong, or NULL */
	struct pt_mail mails[2];
	size_t n_mails;
	struct {
		char name[32];
		char value[1024];
	} jar[8];
	char token[128]; /* the newest CSRF token */
};

/* One request. Headers are "name: value", names in lower case. */
struct ask {
	enum http_method method; /* 0 is GET */
	const char *path;        /* with its query */
	const char *headers[12];
	const char *type;
	const char *body;
	const char *accept;
	const char *host; /* NULL: localhost:8080 */
	bool stranger;    /* sends no cookies and keeps none */
	bool ops;
};

struct heard {
	int status;
	const char *body;
	struct http_plan plan;
	struct http_response rs;
};

/* `change` may turn policy, setup and store before the site opens. NULL: public URL
 * http://localhost:8080, pages at "/", CSRF on, mailbox on. */
void desk_open(struct desk *d, void (*change)(struct desk *d));
void desk_close(struct desk *d);

/* A plain desk as a fixture of cmocka. */
int desk_setup(void **state);
int desk_teardown(void **state);

struct heard desk_ask(struct desk *d, const struct ask *ask);
/* Short for what is asked most. A post carries a good CSRF token in the header. */
struct heard desk_get(struct desk *d, const char *path);
struct heard desk_page(struct desk *d, const char *path);
struct heard desk_post(struct desk *d, const char *path, const char *json);
struct heard desk_form(struct desk *d, const char *path, const char *body);

/* A good token for this jar. */
const char *desk_token(struct desk *d);

/* Signs up with PASSWORD and confirms. */
void desk_join(struct desk *d, const char *name);
/* ... and signs in. */
void desk_enter(struct desk *d, const char *name);
/* The secret in the newest letter of a kind, or "". */
const char *desk_letter_secret(struct desk *d, enum pt_letter_kind kind);

/* The first header of that name, or NULL. */
const char *heard_header(const struct heard *h, const char *name);
bool heard_says(const struct heard *h, const char *text);
const char *desk_cookie(const struct desk *d, const char *name);

#define EXPECT_ERR(expected, expression) \
	assert_string_equal(pt_err_name(expected), pt_err_name(expression))
#define EXPECT_HEADER(h, name, value)                            \
	do {                                                     \
		const char *header_ = heard_header((h), (name)); \
		if (!header_)                                    \
			fail_msg("no header %s", (name));        \
		assert_string_equal(header_, (value));           \
	} while (0)

#endif
