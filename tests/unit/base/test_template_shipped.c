/*
 * The pages and letters as they are shipped: they load, their words exist, their forms are guarded.
 */
#include <dirent.h>
#include <stdio.h>

#include "base/own.h"
#include "template_support.h"

#include "base/banned.h"

/* Folder and ending of what makes up the set. */
static const struct {
	const char *folder;
	const char *ending;
	enum template_escape escape;
} parts[] = {
	{ "pages", ".html", TEMPLATE_HTML },
	{ "partials", ".html", TEMPLATE_HTML },
	{ "letters", ".html", TEMPLATE_HTML },
	{ "letters", ".txt", TEMPLATE_TEXT },
};

struct shipped {
	struct arena *arena;
	struct template_set *set;
	struct json_value texts;
	struct value *t;
	struct {
		pt_str prefix;
		struct value *map;
	} maps[200];
	size_t n_maps;
};

static pt_str file_read(struct arena *arena, const char *path)
{
	PT_OWN(own_file) FILE *file = fopen(path, "re");
	char *text = arena_alloc(arena, 64 * KIB);
	size_t n;

	assert_non_null(file);
	assert_non_null(text);
	n = fread(text, 1, 64 * KIB, file);
	assert_in_range(n, 1, 64 * KIB - 1);
	return str_n(text, n);
}

typedef void (*visitor)(
	struct shipped *s, const char *name, pt_str source, enum template_escape escape);

static void each_file(struct shipped *s, visitor visit)
{
	for (size_t i = 0; i < COUNT(parts); i++) {
		char path[512];
		struct dirent *entry;
		DIR *dir;
		size_t seen = 0;

		snprintf(path, sizeof(path), "%s/%s", TEMPLATES, parts[i].folder);
		dir = opendir(path);
		assert_non_null(dir);
		while ((entry = readdir(dir))) {
			char name[300];

			if (!str_ends(str(entry->d_name), str(parts[i].ending)))
				continue;
			snprintf(path, sizeof(path), "%s/%s/%s", TEMPLATES, parts[i].folder,
				entry->d_name);
			snprintf(name, sizeof(name), "%s/%s", parts[i].folder, entry->d_name);
			visit(s, name, file_read(s->arena, path), parts[i].escape);
			seen++;
		}
		closedir(dir);
		assert_in_range(seen, 1, 100);
	}
}

/* "pages/signin.html" is "pages/signin" in the set; letters keep their ending. */
static void add_file(
	struct shipped *s, const char *name, pt_str source, enum template_escape escape)
{
	pt_str short_name = str(name);
	char error[256];

	if (!str_starts(short_name, PT_STR("letters/")))
		short_name = str_slice(short_name, 0, short_name.n - 5);
	if (template_add(s->set, short_name, str(name), source, TEMPLATE_MUSTACHE, escape, error) !=
		PT_OK)
		fail_msg("%s", error);
}

/* The map for what stands before the last dot; made when its first text comes by. */
static struct value *map_for(struct shipped *s, pt_str prefix)
{
	size_t dot = prefix.n;
	struct value *map;

	if (prefix.n == 0)
		return s->t;
	for (size_t i = 0; i < s->n_maps; i++)
		if (str_eq(s->maps[i].prefix, prefix))
			return s->maps[i].map;
	while (dot > 0 && prefix.p[dot - 1] != '.')
		dot--;
	map = value_child(map_for(s, str_slice(prefix, 0, dot ? dot - 1 : 0)),
		copy(s->arena, str_slice(prefix, dot, prefix.n)));
	assert_in_range(s->n_maps, 0, COUNT(s->maps) - 1);
	s->maps[s->n_maps].prefix = prefix;
	s->maps[s->n_maps++].map = map;
	return map;
}

static void text_add(struct shipped *s, const struct json_value *text)
{
	size_t dot = text->name.n;

	while (dot > 0 && text->name.p[dot - 1] != '.')
		dot--;
	value_str(map_for(s, str_slice(text->name, 0, dot ? dot - 1 : 0)),
		copy(s->arena, str_slice(text->name, dot, text->name.n)), text->text);
}

static int setup(void **state)
{
	struct shipped *s = test_calloc(1, sizeof(*s));
	char error[256];

	s->arena = arena_open(16 * MIB);
	s->set = template_set_open();
	assert_int_equal(
		json_read(s->arena, file_read(s->arena, TEMPLATES "/locales/en.json"), &s->texts),
		PT_OK);
	s->t = value_map(s->arena);
	for (size_t i = 0; i < s->texts.n; i++)
		text_add(s, &s->texts.items[i]);
	each_file(s, add_file);
	if (template_set_check(s->set, error) != PT_OK)
		fail_msg("%s", error);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct shipped *s = *state;

	template_set_close(s->set);
	arena_close(s->arena);
	test_free(s);
	return 0;
}

static pt_str render(struct shipped *s, const char *name, struct value *values)
{
	struct buf b = BUF(s->arena, 64 * KIB);
	pt_str out;

	value_shared(values, "t", s->t);
	assert_int_equal(template_render(s->set, str(name), values, &b), PT_OK);
	assert_int_equal(buf_done(&b, &out), PT_OK);
	return out;
}

static void texts_exist(
	struct shipped *s, const char *name, pt_str source, enum template_escape escape)
{
	const pt_str mark = PT_STR("{{t.");

	(void)escape;
	for (size_t i = 0; i + mark.n < source.n; i++) {
		pt_str key, rest;
		const struct json_value *text;

		if (!str_starts(str_slice(source, i, source.n), mark))
			continue;
		assert_true(str_cut(str_slice(source, i + mark.n, source.n), '}', &key, &rest));
		text = json_find(&s->texts, key);
		if (!text || text->text.n == 0)
			fail_msg("%s: no text for %.*s", name, (int)key.n, key.p);
		/* what has a placeholder is filled by the program, never shown as it is */
		if (str_contains(text->text, PT_STR("{")))
			fail_msg("%s: %.*s has a placeholder", name, (int)key.n, key.p);
	}
}

static void every_text_that_a_page_names_exists(void **state)
{
	each_file(*state, texts_exist);
}

static void no_key_is_the_beginning_of_another(void **state)
{
	struct shipped *s = *state;

	for (size_t i = 0; i < s->texts.n; i++)
		for (size_t j = 0; j < s->texts.n; j++) {
			pt_str a = s->texts.items[i].name;
			pt_str b = s->texts.items[j].name;

			if (b.n > a.n && str_starts(b, a) && b.p[a.n] == '.')
				fail_msg("%.*s and %.*s", (int)a.n, a.p, (int)b.n, b.p);
		}
}

static void guarded(struct shipped *s, const char *name, pt_str source, enum template_escape escape)
{
	(void)s;
	(void)escape;
	for (size_t i = 0; i < source.n; i++) {
		pt_str tag, rest;

		if (!str_starts(str_slice(source, i, source.n), PT_STR("<form")))
			continue;
		assert_true(str_cut(str_slice(source, i, source.n), '>', &tag, &rest));
		if (!str_contains(tag, PT_STR("method=\"post\"")) ||
			!str_starts(rest, PT_STR("\n{{{csrf_field}}}")))
			fail_msg("%s: a form without its CSRF field first", name);
	}
}

static void every_form_posts_with_the_csrf_field_first(void **state)
{
	each_file(*state, guarded);
}

static void nothing_is_inline(
	struct shipped *s, const char *name, pt_str source, enum template_escape escape)
{
	static const char *const inlined[] = { " style=", "<style",
		" onclick=", " onsubmit=", " onload=", "javascript:", "data:", "<script>",
		"autocomplete=\"off\"" };

	(void)s;
	if (escape == TEMPLATE_TEXT || str_starts(str(name), PT_STR("letters/")))
		return;
	for (size_t i = 0; i < COUNT(inlined); i++)
		if (str_contains(source, str(inlined[i])))
			fail_msg("%s: %s", name, inlined[i]);
}

static void pages_hold_no_inline_script_or_style(void **state)
{
	each_file(*state, nothing_is_inline);
}

static void the_title_begins_with_the_page(void **state)
{
	struct shipped *s = *state;
	struct value *plain = value_map(s->arena);
	struct value *failed = value_map(s->arena);

	value_str(plain, "title", PT_STR("Sign In"));
	assert_true(
		str_contains(render(s, "pages/layout", plain), PT_STR("<title>Sign In</title>")));
	value_str(failed, "title", PT_STR("Sign In"));
	value_str(failed, "app", PT_STR("<Portress>"));
	value_bool(failed, "error_prefix", true);
	assert_true(str_contains(render(s, "pages/layout", failed),
		PT_STR("<title>Error: Sign In - &lt;Portress&gt;</title>")));
}

static void a_field_that_is_wrong_says_so(void **state)
{
	struct shipped *s = *state;
	struct value *fine = value_map(s->arena);
	struct value *wrong = value_map(s->arena);
	struct value *form, *problem;
	pt_str page;

	page = render(s, "pages/signin", fine);
	assert_false(str_contains(page, PT_STR("aria-invalid")));
	assert_false(str_contains(page, PT_STR("role=\"alert\"")));

	value_bool(wrong, "has_problems", true);
	problem = value_item(value_list(wrong, "problems"));
	value_str(problem, "id", PT_STR("error.username"));
	value_str(problem, "href", PT_STR("#username"));
	value_str(problem, "text", PT_STR("Enter it"));
	value_str(value_child(wrong, "err"), "username", PT_STR("Enter it"));
	form = value_child(wrong, "form");
	value_str(form, "username", PT_STR("\"><b>"));
	page = render(s, "pages/signin", wrong);
	assert_true(str_contains(page,
		PT_STR("<li data-msg=\"error.username\"><a href=\"#username\">Enter it</a></li>")));
	assert_true(str_contains(page, PT_STR("<p class=\"field-error\" id=\"username-error\">")));
	assert_true(str_contains(page, PT_STR("value=\"&#34;&gt;&lt;b&gt;\" aria-invalid=\"true\" "
					      "aria-describedby=\"username-error\"")));
}

static void optional_parts_are_absent_unless_asked_for(void **state)
{
	struct shipped *s = *state;
	struct value *bare = value_map(s->arena);
	struct value *full = value_map(s->arena);
	pt_str page = render(s, "pages/signup", bare);

	assert_false(str_contains(page, PT_STR("firstname")));
	assert_false(str_contains(page, PT_STR("g-recaptcha")));
	value_bool(value_child(full, "names"), "required", true);
	value_str(value_child(full, "captcha"), "site_key", PT_STR("k3y"));
	page = render(s, "pages/signup", full);
	assert_true(str_contains(page, PT_STR("name=\"firstname\"")));
	assert_true(str_contains(page, PT_STR("data-sitekey=\"k3y\"")));
	assert_false(str_contains(page, PT_STR("(optional)")));
}

static void letters_begin_with_the_words_that_programs_look_for(void **state)
{
	struct shipped *s = *state;
	struct value *values = value_map(s->arena);

	value_str(values, "link", PT_STR("https://a.example/verify?token=x"));
	value_str(values, "validity", PT_STR("15 minutes"));
	assert_true(str_starts(render(s, "letters/verify.txt", values),
		PT_STR("Please click the following link to verify your account: "
		       "https://a.example/verify?token=x\n\nThe link works for 15 minutes.\n")));
	assert_true(str_starts(render(s, "letters/reset.txt", values),
		PT_STR("Click the link to reset your password: "
		       "https://a.example/verify?token=x\n")));
}

static void letters_to_strangers_show_nothing_that_was_typed(void **state)
{
	struct shipped *s = *state;
	static const char *const letters[] = { "letters/verify.txt", "letters/verify.html",
		"letters/account-exists.txt", "letters/account-exists.html", "letters/invite.txt",
		"letters/invite.html", "letters/email-change.txt", "letters/email-change.html" };

	for (size_t i = 0; i < COUNT(letters); i++) {
		struct value *values = value_map(s->arena);

		value_str(values, "name", PT_STR("buy at evil.example"));
		assert_false(str_contains(render(s, letters[i], values), PT_STR("evil.example")));
	}
}

static size_t times(pt_str text, pt_str what)
{
	size_t n = 0;

	for (size_t i = 0; i + what.n <= text.n; i++)
		n += str_starts(str_slice(text, i, text.n), what);
	return n;
}

static struct value *letter_values(struct shipped *s, const char *name)
{
	struct value *values = value_map(s->arena);

	value_str(values, "name", str(name));
	value_str(values, "link", PT_STR("https://a.example/#token=x"));
	value_str(values, "validity", PT_STR("7 days"));
	value_str(values, "sentence", PT_STR("A sentence."));
	return values;
}

static void letters_read_well_to_people_without_a_user_name(void **state)
{
	static const char *const letters[] = { "verify", "reset", "password-changed",
		"account-exists", "invite", "email-change", "email-changed" };
	struct shipped *s = *state;

	for (size_t i = 0; i < COUNT(letters); i++) {
		struct value *values = letter_values(s, "");
		char name[64];
		pt_str text, html;

		snprintf(name, sizeof(name), "letters/%s.txt", letters[i]);
		text = render(s, name, values);
		snprintf(name, sizeof(name), "letters/%s.html", letters[i]);
		html = render(s, name, values);
		assert_int_equal(times(text, PT_STR("https://a.example/#token=x")), 1);
		assert_int_equal(times(html, PT_STR("<a href=\"https://a.example/#token=x\"")), 2);
		assert_false(str_contains(html, PT_STR("Hello")));
		assert_false(str_contains(text, PT_STR("  ")));
		assert_false(str_contains(text, PT_STR(" .")));
	}
}

static void a_letter_greets_whoever_has_a_name(void **state)
{
	struct shipped *s = *state;

	assert_true(str_contains(render(s, "letters/email-changed.html", letter_values(s, "ann")),
		PT_STR("<p style=\"margin:0 0 16px\">Hello ann,</p>")));
}

static void letters_with_a_link_that_ends_say_when(void **state)
{
	static const char *const letters[] = { "letters/verify.txt", "letters/reset.html",
		"letters/invite.txt", "letters/invite.html", "letters/email-change.txt",
		"letters/email-change.html" };
	struct shipped *s = *state;

	for (size_t i = 0; i < COUNT(letters); i++)
		assert_true(str_contains(render(s, letters[i], letter_values(s, "")),
			PT_STR("The link works for 7 days.")));
	assert_false(str_contains(
		render(s, "letters/email-changed.txt", letter_values(s, "")), PT_STR("7 days")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_that_a_page_names_exists),
		cmocka_unit_test(no_key_is_the_beginning_of_another),
		cmocka_unit_test(every_form_posts_with_the_csrf_field_first),
		cmocka_unit_test(pages_hold_no_inline_script_or_style),
		cmocka_unit_test(the_title_begins_with_the_page),
		cmocka_unit_test(a_field_that_is_wrong_says_so),
		cmocka_unit_test(optional_parts_are_absent_unless_asked_for),
		cmocka_unit_test(letters_begin_with_the_words_that_programs_look_for),
		cmocka_unit_test(letters_to_strangers_show_nothing_that_was_typed),
		cmocka_unit_test(letters_read_well_to_people_without_a_user_name),
		cmocka_unit_test(a_letter_greets_whoever_has_a_name),
		cmocka_unit_test(letters_with_a_link_that_ends_say_when),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
