/*
 * look.c - reads everything once, and refuses what is broken before anybody sees it.
 */
#include "server/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embedded.h"
#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { ARENA = 16 * 1024 * 1024, FILE_BYTES = 512 * 1024, PATH_BYTES = 4096, MAPS = 64 };

extern const struct embedded templates_embedded[];
extern const size_t templates_embedded_count;

/* ---- files ---- */

/* PT_E_NOT_FOUND: the operator has none of that name. */
static pt_err operator_file(
	struct look *look, pt_str folder, const char *name, pt_str *path, pt_str *out)
{
	struct buf b = BUF(look->arena, PATH_BYTES);
	struct stat st;

	if (folder.n == 0)
		return PT_E_NOT_FOUND;
	buf_str(&b, folder);
	buf_char(&b, '/');
	buf_str(&b, str(name));
	TRY(buf_done(&b, path));
	PT_OWN(own_fd) int fd = open(path->p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return PT_E_NOT_FOUND;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES)
		return fault(PT_F_CONFIG, "%s: cannot read it: %s", path->p,
			fd < 0 ? strerror(errno) : "no file of a usable size");
	char *text = arena_alloc(look->arena, (size_t)st.st_size + 1);
	ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (n < 0)
		return fault(PT_F_CONFIG, "%s: cannot read it", path->p);
	*out = str_n(text, (size_t)n);
	return PT_OK;
}

static pt_err folder_check(pt_str folder)
{
	char path[PATH_BYTES];
	struct stat st;

	if (folder.n == 0)
		return PT_OK;
	snprintf(path, sizeof(path), "%.*s", (int)folder.n, folder.p);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return PT_OK;
	return fault(PT_F_CONFIG, "%s: there is no such folder of templates", path);
}

/* ---- texts ---- */

struct catalogue {
	struct arena *arena;
	struct value *top;
	struct {
		pt_str prefix;
		struct value *map;
	} maps[MAPS];
	size_t n;
};

static size_t last_dot(pt_str s)
{
	size_t dot = s.n;

	while (dot > 0 && s.p[dot - 1] != '.')
		dot--;
	return dot;
}

/* The map for what stands before the last dot; made when its first text comes by. */
static struct value *map_for(struct catalogue *c, pt_str prefix)
{
	size_t dot = last_dot(prefix);

	if (prefix.n == 0)
		return c->top;
	for (size_t i = 0; i < c->n; i++) {
		if (str_eq(c->maps[i].prefix, prefix))
			return c->maps[i].map;
	}
	if (c->n == MAPS)
		return NULL;
	const char *name = arena_cstr(c->arena, str_slice(prefix, dot, prefix.n));
	struct value *above = map_for(c, str_slice(prefix, 0, dot ? dot - 1 : 0));
	if (!name || !above || c->n == MAPS)
		return NULL;
	c->maps[c->n].prefix = prefix;
	c->maps[c->n].map = value_child(above, name);
	return c->maps[c->n++].map;
}

static pt_err text_add(struct catalogue *c, const struct json_value *text, pt_str path)
{
	size_t dot = last_dot(text->name);
	struct value *map = map_for(c, str_slice(text->name, 0, dot ? dot - 1 : 0));
	const char *name = arena_cstr(c->arena, str_slice(text->name, dot, text->name.n));

	if (text->type != JSON_STRING)
		return fault(PT_F_CONFIG, "%.*s: `%.*s` is no text", (int)path.n, path.p,
			(int)text->name.n, text->name.p);
	if (!map || !name)
		return fault(PT_F_CONFIG, "%.*s: more texts than we can hold", (int)path.n, path.p);
	value_str(map, name, text->text);
	return PT_OK;
}

static pt_err texts_load(struct look *look, pt_str path, pt_str source)
{
	struct catalogue c = { .arena = look->arena, .top = value_map(look->arena) };
	struct json_value texts;

	if (json_read(look->arena, source, &texts) != PT_OK || texts.type != JSON_OBJECT || !c.top)
		return fault(
			PT_F_CONFIG, "%.*s: must be one JSON object of texts", (int)path.n, path.p);
	for (size_t i = 0; i < texts.n; i++)
		TRY(text_add(&c, &texts.items[i], path));
	look->texts = c.top;
	return PT_OK;
}

/* ---- one file ---- */

static pt_err template_load(
	struct look *look, pt_str name, pt_str path, pt_str source, enum template_syntax syntax)
{
	enum template_escape escape =
		str_ends(name, PT_STR(".txt")) ? TEMPLATE_TEXT : TEMPLATE_HTML;
	char error[256];

	if (!str_starts(name, PT_STR("letters/")) && str_ends(name, PT_STR(".html")))
		name.n -= 5;
	if (template_add(look->templates, name, path, source, syntax, escape, error) != PT_OK)
		return fault(PT_F_CONFIG, "%s", error);
	return PT_OK;
}

static pt_err asset_add(struct look *look, pt_str name, pt_str data)
{
	if (look->n_assets == LOOK_ASSETS)
		return fault(PT_F_BUG, "more than %d files to be served", LOOK_ASSETS);
	look->assets[look->n_assets++] =
		(struct surface_asset){ str_slice(name, str_find(name, '/') + 1, name.n), data };
	return PT_OK;
}

static pt_err file_load(struct look *look, pt_str name, pt_str path, pt_str source)
{
	if (str_starts(name, PT_STR("pages/")) || str_starts(name, PT_STR("partials/")) ||
		str_starts(name, PT_STR("letters/")))
		return template_load(look, name, path, source, TEMPLATE_MUSTACHE);
	if (str_eq(name, PT_STR("locales/en.json")))
		return texts_load(look, path, source);
	if (str_starts(name, PT_STR("locales/")))
		return PT_OK;
	return asset_add(look, name, source);
}

static pt_err embedded_load(struct look *look, pt_str folder)
{
	for (size_t i = 0; i < templates_embedded_count; i++) {
		const struct embedded *file = &templates_embedded[i];
		pt_str path = str(file->name), source = str_n(file->data, file->size);
		pt_err err = operator_file(look, folder, file->name, &path, &source);

		if (err != PT_OK && err != PT_E_NOT_FOUND)
			return err;
		if (err == PT_E_NOT_FOUND)
			path = str(file->name);
		TRY(file_load(look, str(file->name), path, source));
	}
	return PT_OK;
}

static pt_err identoro_load(struct look *look, pt_str folder)
{
	static const char *const pages[] = { "home", "signup", "signin", "forgot", "reset",
		"verify" };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		char file[32], name[32];
		pt_str path, source;

		snprintf(file, sizeof(file), "%s.html", pages[i]);
		snprintf(name, sizeof(name), "own/%s", pages[i]);
		pt_err err = operator_file(look, folder, file, &path, &source);
		if (err == PT_OK)
			err = template_load(look, str(name), path, source, TEMPLATE_GO);
		if (err != PT_OK && err != PT_E_NOT_FOUND)
			return err;
	}
	return PT_OK;
}

static pt_err look_fill(struct look *look, pt_str folder)
{
	char error[256];

	look->arena = arena_open(ARENA);
	look->templates = template_set_open();
	if (!look->arena || !look->templates)
		return PT_F_MEMORY;
	TRY(folder_check(folder));
	TRY(embedded_load(look, folder));
	TRY(identoro_load(look, folder));
	if (template_set_check(look->templates, error) != PT_OK)
		return fault(PT_F_CONFIG, "%s", error);
	return PT_OK;
}

pt_err look_open(pt_str folder, struct look **out)
{
	struct look *look = calloc(1, sizeof(*look));
	pt_err err = look ? look_fill(look, folder) : PT_F_MEMORY;

	if (err != PT_OK) {
		look_close(look);
		return err;
	}
	*out = look;
	return PT_OK;
}

void look_close(struct look *look)
{
	if (!look)
		return;
	template_set_close(look->templates);
	arena_close(look->arena);
	free(look);
}
