/*
 * embed.c - Portress inside another program: compiles as C99 and as C++11, uses nothing but the
 * installed headers, and has a `fault` of its own that must not meet the library's.
 */
#include <stdio.h>
#include <string.h>

#include <portress/act.h>
#include <portress/portress.h>
#include <portress/store.h>

#ifdef __cplusplus
extern "C"
#endif
	int
	fault(void);

int fault(void)
{
	return 42;
}

static pt_str text(const char *s)
{
	pt_str out;

	out.p = s;
	out.n = strlen(s);
	return out;
}

static int expect(const char *what, pt_err wanted, pt_err got)
{
	if (wanted == got)
		return 1;
	printf("%s: wanted %s, got %s\n", what, pt_err_name(wanted), pt_err_name(got));
	return 0;
}

static struct pt_call *call_begin(struct pt_site *site)
{
	struct pt_asker asker;
	struct pt_call *call = NULL;

	memset(&asker, 0, sizeof(asker));
	return pt_call_begin(site, NULL, &asker, &call) == PT_OK ? call : NULL;
}

int main(int argc, char **argv)
{
	struct pt_policy policy;
	struct pt_keys keys;
	struct pt_store store;
	struct pt_site_setup setup;
	struct pt_site *site = NULL;
	struct pt_account_form form;
	struct pt_signin_form signin;
	struct pt_account account;
	struct pt_grant grant;
	struct pt_call *call;
	int passed = 0;

	memset(&store, 0, sizeof(store));
	passed += expect("no such store", PT_F_CONFIG, pt_store_open(text("nosql:x"), &store));
	passed +=
		expect("sqlite store", PT_OK, pt_store_open(text(argc > 1 ? argv[1] : ""), &store));
	if (passed == 2)
		store.close(store.ctx);
	pt_policy_init(&policy);
	memset(&keys, 0, sizeof(keys));
	keys.root = text("an embedder keeps this secret....");
	memset(&store, 0, sizeof(store));
	passed += expect("memory store", PT_OK, pt_store_memory(&store));
	memset(&setup, 0, sizeof(setup));
	setup.size = sizeof(setup);
	setup.policy = &policy;
	setup.keys = &keys;
	setup.store = &store;
	setup.public_url = text("http://localhost");
	passed += expect("open", PT_OK, pt_site_open(&setup, &site));

	memset(&form, 0, sizeof(form));
	form.username = text("ann");
	form.email = text("ann@example.org");
	form.password = text("a quiet harbour");
	form.verified = true;
	call = call_begin(site);
	passed += expect("create", PT_OK, pt_account_create(call, &form, &account));
	passed += expect("twice", PT_E_TAKEN, pt_account_create(call, &form, &account));
	memset(&signin, 0, sizeof(signin));
	signin.name = form.username;
	signin.password = form.password;
	passed += expect("sign in", PT_OK, pt_signin(call, &signin, PT_GRANT_SESSION, &grant));
	signin.password = text("not the password");
	passed += expect("wrong password", PT_E_CREDENTIALS,
		pt_signin(call, &signin, PT_GRANT_SESSION, &grant));
	pt_call_end(call);
	pt_site_close(site);
	passed += fault() == 42;
	printf("%d passed, %d failed\n", passed, 9 - passed);
	return passed == 9 ? 0 : 1;
}
