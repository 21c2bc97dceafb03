/*
 * small.c - files as they are, well-known addresses, and the developer's mailbox.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

enum {
	LETTERS_SHOWN = 50,
	TAG_DIGITS = 16,
};

/* ---- assets ---- */

static pt_str type_of(pt_str name)
{
	static const struct {
		pt_str ending, type;
	} types[] = {
		{ PT_STR_INIT(".css"), PT_STR_INIT("text/css; charset=utf-8") },
		{ PT_STR_INIT(".js"), PT_STR_INIT("text/javascript; charset=utf-8") },
		{ PT_STR_INIT(".svg"), PT_STR_INIT("image/svg+xml") },
		{ PT_STR_INIT(".png"), PT_STR_INIT("image/png") },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_ends(name, types[i].ending))
			return types[i].type;
	return PT_STR("application/octet-stream");
}

/* /assets/<tag>/<name>; a tag of another version is not found, so that nothing wrong is kept. */
pt_err asset_show(struct exchange *ex)
{
	const struct surface *surface = ex->surface;
	pt_str rest = str_slice(ex->rq->path, exchange_path(ex, "/assets/").n, ex->rq->path.n);
	pt_str tag, name;

	if (!str_cut(rest, '/', &tag, &name) || tag.n != TAG_DIGITS)
		return PT_E_NOT_FOUND;
	for (size_t i = 0; i < surface->setup.n_assets; i++) {
		char expected[TAG_DIGITS + 1];
		snprintf(expected, sizeof(expected), "%016llx",
			(unsigned long long)surface->asset_tags[i]);
		if (!str_eq(name, surface->setup.assets[i].name) || !str_eq(tag, str(expected)))
			continue;
		ex->rs->status = 200;
		ex->rs->body = surface->setup.assets[i].data;
		http_set(ex->rs, PT_STR("Content-Type"), type_of(name));
		http_set(ex->rs, PT_STR("Cache-Control"),
			PT_STR("public, max-age=31536000, immutable"));
		return PT_OK;
	}
	return PT_E_NOT_FOUND;
}

/* ---- well-known ---- */

/* Where password managers send people. The account page is not there yet: a new password is chosen
 * by mail. */
pt_err change_password_show(struct exchange *ex)
{
	ex->rs->status = 302;
	http_set(ex->rs, PT_STR("Location"), exchange_path(ex, "/forgot"));
	return PT_OK;
}

pt_err robots_show(struct exchange *ex)
{
	ex->rs->status = 200;
	ex->rs->body = PT_STR("User-agent: *\nDisallow: /\n");
	http_set(ex->rs, PT_STR("Content-Type"), PT_STR("text/plain; charset=utf-8"));
	return PT_OK;
}

/* ---- mailbox ---- */

struct mailbox {
	struct pt_mail *mails;
	size_t n;
};

static pt_err mailbox_read(struct exchange *ex, struct mailbox *out)
{
	const struct pt_mailbox *box = &ex->surface->setup.mailbox;

	if (!ex->surface->setup.pages.dev_mailbox)
		return PT_E_NOT_FOUND;
	return box->list(box->ctx, ex->arena, LETTERS_SHOWN, &out->mails, &out->n);
}

/* For people: to the second, in UTC. */
static pt_str time_words(struct exchange *ex, pt_time time)
{
	struct civil civil = clock_civil(time);
	struct buf b = BUF(ex->arena, 64);
	pt_str out;

	buf_printf(&b, "%04d-%02d-%02d %02d:%02d:%02d UTC", civil.year, civil.month, civil.day,
		civil.hour, civil.minute, civil.second);
	return buf_done(&b, &out) == PT_OK ? out : PT_STR("");
}

static pt_str time_text(struct exchange *ex, pt_time time)
{
	struct buf b = BUF(ex->arena, 64);
	pt_str out;

	buf_rfc3339(&b, time, 0);
	return buf_done(&b, &out) == PT_OK ? out : PT_STR("");
}

static pt_str letter_path(struct exchange *ex, const struct pt_mail *mail)
{
	struct buf b = BUF(ex->arena, 128);
	pt_str path;

	buf_str(&b, PT_STR("/dev/mailbox/"));
	buf_str(&b, str(mail->id.text));
	return buf_done(&b, &path) == PT_OK ? exchange_path(ex, path.p) : PT_STR("");
}

/* The first address of this site in the letter. */
static pt_str letter_link(struct exchange *ex, const struct pt_mail *mail)
{
	pt_str origin = ex->surface->setup.origin;

	for (size_t at = 0; at + origin.n <= mail->text.n; at++) {
		pt_str rest = str_slice(mail->text, at, mail->text.n);
		if (!str_starts(rest, origin))
			continue;
		size_t end = str_find(rest, '\n'), space = str_find(rest, ' ');
		rest.n = end < space ? end : space;
		return str_ends(rest, PT_STR("\r")) ? str_slice(rest, 0, rest.n - 1) : rest;
	}
	return PT_STR("");
}

static void fill_letter(struct exchange *ex, struct value *item, const struct pt_mail *mail)
{
	value_str(item, "href", letter_path(ex, mail));
	value_str(item, "subject", mail->subject);
	value_str(item, "to", mail->to);
	value_str(item, "time", time_text(ex, mail->created_at));
	value_str(item, "time_text", time_words(ex, mail->created_at));
}

static void fill_mailbox(struct exchange *ex, struct value *model, const void *from)
{
	const struct mailbox *box = from;
	struct value *letters = value_list(model, "letters");

	value_bool(model, "wide", true);
	value_bool(model, "has_letters", box->n > 0);
	for (size_t i = 0; i < box->n; i++)
		fill_letter(ex, value_item(letters), &box->mails[i]);
}

struct mailbox_json {
	struct exchange *ex;
	const struct mailbox *box;
};

static void write_mailbox(struct json *json, const void *from)
{
	const struct mailbox_json *in = from;

	json_array(json, "data");
	for (size_t i = 0; i < in->box->n; i++) {
		const struct pt_mail *mail = &in->box->mails[i];
		json_object(json, NULL);
		json_str(json, "id", str(mail->id.text));
		json_str(json, "to", mail->to);
		json_str(json, "subject", mail->subject);
		json_str(json, "text", mail->text);
		json_str(json, "link", letter_link(in->ex, mail));
		json_str(json, "time", time_text(in->ex, mail->created_at));
		json_object_end(json);
	}
	json_array_end(json);
}

pt_err mailbox_show(struct exchange *ex)
{
	struct mailbox box = { 0 };

	TRY(mailbox_read(ex, &box));
	const struct mailbox_json from = { ex, &box };
	const struct answer answer = { 200, "Mailbox", write_mailbox, &from, NULL, false };
	if (ex->json)
		return answer_json(ex, &answer);
	return answer_page(ex, 200, "mailbox", fill_mailbox, &box);
}

static void fill_one_letter(struct exchange *ex, struct value *model, const void *from)
{
	const struct pt_mail *mail = from;
	struct value *letter = value_child(model, "letter");

	value_bool(model, "wide", true);
	fill_letter(ex, letter, mail);
	value_str(letter, "from", ex->surface->setup.app_name);
	value_str(letter, "text", mail->text);
	value_str(letter, "link", letter_link(ex, mail));
}

pt_err mailbox_letter_show(struct exchange *ex)
{
	pt_str id = str_slice(ex->rq->path, exchange_path(ex, "/dev/mailbox/").n, ex->rq->path.n);
	struct mailbox box = { 0 };

	TRY(mailbox_read(ex, &box));
	for (size_t i = 0; i < box.n; i++)
		if (str_eq(str(box.mails[i].id.text), id))
			return answer_page(
				ex, 200, "mailbox-letter", fill_one_letter, &box.mails[i]);
	return PT_E_NOT_FOUND;
}
