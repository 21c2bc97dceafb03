/*
 * ops.c - what operators and their machines ask: is it alive, is it ready, how does it do?
 *
 *	/healthz  alive: touches nothing
 *	/readyz   can serve: 503 names what is wrong
 *	/metrics  Prometheus text; on the operator's listener, or everywhere when told so
 *	/.well-known/jwks.json  the public keys that judge access tokens, for other programs
 */
#include "base/str.h"
#include "surface/surface_private.h"
#include "base/banned.h"

static const pt_str text_plain = { "text/plain; charset=utf-8", 25 };

static void say(struct exchange *ex, int status, pt_str type, pt_str text)
{
	ex->rs->status = status;
	ex->rs->body = text;
	http_set(ex->rs, PT_STR("Content-Type"), type);
}

static pt_err ops_health(struct exchange *ex)
{
	say(ex, 200, text_plain, PT_STR("ok\n"));
	return PT_OK;
}

static pt_err ops_ready(struct exchange *ex)
{
	const struct surface_setup *setup = &ex->surface->setup;
	pt_str why = PT_STR("");

	pt_err err = setup->ready(setup->ops_ctx, ex->arena, &why);
	if (err == PT_OK) {
		say(ex, 200, text_plain, PT_STR("ready\n"));
		return PT_OK;
	}
	struct buf b = BUF(ex->arena, 1 * KIB);
	buf_str(&b, PT_STR("not ready: "));
	buf_str(&b, why.n > 0 ? why : str(pt_err_name(err)));
	buf_char(&b, '\n');
	TRY(buf_done(&b, &why));
	say(ex, 503, text_plain, why);
	http_retry_after(ex->rs, 5 * PT_SECOND);
	return PT_OK;
}

static pt_err ops_metrics(struct exchange *ex)
{
	const struct surface_setup *setup = &ex->surface->setup;
	pt_str text;

	if (!ex->rq->ops && !setup->metrics_public)
		return PT_E_NOT_FOUND;
	TRY(setup->metrics(setup->ops_ctx, ex->arena, &text));
	say(ex, 200, PT_STR("text/plain; version=0.0.4; charset=utf-8"), text);
	return PT_OK;
}

static pt_err ops_keys(struct exchange *ex)
{
	pt_str keys;

	TRY(pt_site_jwks(pt_call_site(ex->call), ex->arena, pt_call_now(ex->call), &keys));
	say(ex, 200, PT_STR("application/json"), keys);
	/* A new key is here this long before it signs: docs/keys.md. */
	http_set(ex->rs, PT_STR("Cache-Control"), PT_STR("public, max-age=300"));
	return PT_OK;
}

/* clang-format off */
static const struct route ops_routes[] = {
	/* methods  path        handler      gates      body  lane        page */
	{ HTTP_GET, "/healthz", ops_health,  GATE_NONE, 0,    LANE_QUICK, NULL },
	{ HTTP_GET, "/readyz",  ops_ready,   GATE_NONE, 0,    LANE_SLOW,  NULL },
	{ HTTP_GET, "/metrics", ops_metrics, GATE_NONE, 0,    LANE_SLOW,  NULL },
	{ HTTP_GET, "/.well-known/jwks.json", ops_keys, GATE_NONE, 0, LANE_QUICK, NULL },
};
/* clang-format on */

static pt_err ops_begin(struct exchange *ex)
{
	(void)ex;
	return PT_OK;
}

static void ops_refuse(struct exchange *ex, pt_err err)
{
	if (err == PT_E_METHOD)
		say(ex, 405, text_plain, PT_STR("method not allowed\n"));
	else if (err == PT_E_NOT_FOUND)
		say(ex, 404, text_plain, PT_STR("not found\n"));
	else if (err == PT_E_TOO_LARGE)
		say(ex, 413, text_plain, PT_STR("no body is read here\n"));
	else if (err == PT_E_MALFORMED)
		say(ex, 400, text_plain, PT_STR("bad request\n"));
	else
		say(ex, 503, text_plain, PT_STR("unavailable\n"));
	if (ex->rs->status == 503)
		http_retry_after(ex->rs, 5 * PT_SECOND);
}

static void ops_finish(struct exchange *ex)
{
	if (!http_is_set(ex->rs, PT_STR("Cache-Control")))
		http_set(ex->rs, PT_STR("Cache-Control"), PT_STR("no-store"));
	exchange_guard(ex);
}

const struct dialect ops_dialect = {
	.name = "ops",
	.routes = ops_routes,
	.n_routes = sizeof(ops_routes) / sizeof(ops_routes[0]),
	.begin = ops_begin,
	.refuse = ops_refuse,
	.finish = ops_finish,
};
