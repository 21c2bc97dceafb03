/*
 * The small part of Go's templates, the places of an HTML document, and hostile values.
 */
#include "template_support.h"

#include "base/banned.h"

static const struct story go[] = {
	{ "text", "Hello from {Go}!\n", "{}", "Hello from {Go}!\n", NULL, NULL },
	{ "field", "<p>{{.Name}}</p>", "{\"Name\":\"<Joe>\"}", "<p>&lt;Joe&gt;</p>", NULL, NULL },
	{ "field with blanks", "{{ .Name }}", "{\"Name\":\"Joe\"}", "Joe", NULL, NULL },
	{ "nested field", "{{.A.B}}", "{\"A\":{\"B\":\"x\"}}", "x", NULL, NULL },
	{ "absent", "({{.Name}}{{.A.B}})", "{}", "()", NULL, NULL },
	{ "if", "{{if .SignedIn}}Hello, {{.Username}}!{{else}}Nobody.{{end}}",
		"{\"SignedIn\":true,\"Username\":\"joe\"}", "Hello, joe!", NULL, NULL },
	{ "else", "{{if .SignedIn}}Hello{{else}}Nobody.{{end}}", "{\"SignedIn\":false}", "Nobody.",
		NULL, NULL },
	{ "if without else", "[{{if .X}}x{{end}}]", "{}", "[]", NULL, NULL },
	{ "if stays where it is", "{{if .A}}{{.B}}{{end}}", "{\"A\":{\"B\":\"no\"},\"B\":\"yes\"}",
		"yes", NULL, NULL },
	{ "nested if", "{{if .A}}{{if .B}}ab{{else}}a{{end}}{{else}}none{{end}}", "{\"A\":true}",
		"a", NULL, NULL },
	{ "what Go calls empty",
		"{{if .A}}a{{end}}{{if .B}}b{{end}}{{if .C}}c{{end}}{{if .D}}d{{end}}",
		"{\"A\":0,\"B\":\"\",\"C\":[],\"D\":1}", "d", NULL, NULL },
	{ "range", "{{range .L}}<li>{{.}}</li>{{end}}", "{\"L\":[\"/a\",\"/b\"]}",
		"<li>/a</li><li>/b</li>", NULL, NULL },
	{ "range of maps", "{{range .L}}{{.N}};{{end}}", "{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"}]}",
		"1;2;", NULL, NULL },
	{ "range does not look further out", "{{range .L}}({{.X}}){{end}}",
		"{\"X\":\"o\",\"L\":[{}]}", "()", NULL, NULL },
	{ "range else", "{{range .L}}x{{else}}nothing{{end}}", "{\"L\":[]}", "nothing", NULL,
		NULL },
	{ "range over no list", "{{range .L}}x{{else}}nothing{{end}}", "{\"L\":\"text\"}",
		"nothing", NULL, NULL },
	{ "with", "{{with .A}}{{.B}}{{.X}}{{end}}", "{\"A\":{\"B\":\"b\"},\"X\":\"no\"}", "b", NULL,
		NULL },
	{ "with a text", "{{with .A.B}}<b>{{.}}</b>{{end}}", "{\"A\":{\"B\":\"<\"}}", "<b>&lt;</b>",
		NULL, NULL },
	{ "with a list enters it whole", "{{with .L}}[{{range .}}{{.}}{{end}}]{{end}}",
		"{\"L\":[\"1\",\"2\"]}", "[12]", NULL, NULL },
	{ "with else", "{{with .A}}x{{else}}none {{.B}}{{end}}", "{\"A\":\"\",\"B\":\"b\"}",
		"none b", NULL, NULL },
	{ "with nothing", "[{{with .A.B}}{{.}}{{end}}]", "{}", "[]", NULL, NULL },
	{ "an empty map is empty", "{{if .A}}a{{end}}{{with .A}}b{{end}}{{if .B}}c{{end}}",
		"{\"A\":{},\"B\":{\"x\":\"\"}}", "c", NULL, NULL },
	{ "names with an underscore", "{{.Data.full_name}} {{.Data.absent.more}}",
		"{\"Data\":{\"full_name\":\"Ann <a>\"}}", "Ann &lt;a&gt; ", NULL, NULL },
	{ "a parameter of an address is percent-encoded",
		"<a href=\"{{.U}}/a?b={{.X}}&amp;c={{.N}}#d={{.X}}\">{{.X}}</a>",
		"{\"U\":\"https://a.example\",\"X\":\"a+b@c.d&\\\"<'\",\"N\":-7}",
		"<a "
		"href=\"https://a.example/"
		"a?b=a%2Bb%40c.d%26%22%3C%27&amp;c=-7#d=a%2Bb%40c.d%26%22%3C%27\">"
		"a+b@c.d&amp;&#34;&lt;&#39;</a>",
		NULL, NULL },
	{ "a path of an address is not", "<a href='/a/{{.X}}/b'>", "{\"X\":\"c/d&\"}",
		"<a href='/a/c/d&amp;/b'>", NULL, NULL },
	{ "a parameter that is sometimes there",
		"<a href=\"/{{if .Q}}?q={{.Q}}{{end}}{{.X}}\" title=\"?{{.X}}\">",
		"{\"Q\":\"&\",\"X\":\"&\"}", "<a href=\"/?q=%26%26\" title=\"?&amp;\">", NULL,
		NULL },
	{ "the next address begins anew", "<a href=\"/?{{.X}}\"><a href=\"/{{.X}}\">",
		"{\"X\":\"&\"}", "<a href=\"/?%26\"><a href=\"/&amp;\">", NULL, NULL },
	{ "fragment", "<form>{{.csrfField}}</form>", "{\"csrfField\":\"fragment:<input>\"}",
		"<form><input></form>", NULL, NULL },
	{ "a fragment in an attribute is text", "<a title=\"{{.f}}\">",
		"{\"f\":\"fragment:<\\\">\"}", "<a title=\"&lt;&#34;&gt;\">", NULL, NULL },
};

static const struct story go_blanks[] = {
	{ "trim before", "a  \n {{- .X}} b", "{\"X\":\"x\"}", "ax b", NULL, NULL },
	{ "trim after", "a {{.X -}} \n  b", "{\"X\":\"x\"}", "a xb", NULL, NULL },
	{ "trim both", "a {{- .X -}} b", "{\"X\":\"x\"}", "axb", NULL, NULL },
	{ "trim at keywords", "<{{- if .X -}} x {{- end -}} >", "{\"X\":true}", "<x>", NULL, NULL },
	{ "comment", "a{{/* no {{.X}} here */}}b", "{\"X\":\"x\"}", "ab", NULL, NULL },
	{ "comment with trim", "a {{- /* gone */ -}} b", "{}", "ab", NULL, NULL },
	{ "lines stay", "a\n{{if .X}}\nb\n{{end}}\nc", "{\"X\":true}", "a\n\nb\n\nc", NULL, NULL },
};

static void go_templates_render(void **state)
{
	(void)state;
	expect_stories(go, COUNT(go), TEMPLATE_GO, TEMPLATE_HTML);
	expect_stories(go_blanks, COUNT(go_blanks), TEMPLATE_GO, TEMPLATE_TEXT);
}

static void broken_go_names_its_line(void **state)
{
	static const struct broken broken[] = {
		{ "a\n{{.X", "x.html:2: this action is never closed" },
		{ "{{}}", "x.html:1: an action without content" },
		{ "\n{{.X | html}}",
			"x.html:2: only a bare field is allowed here, not \".X | html\"" },
		{ "{{printf \"%s\" .X}}",
			"x.html:1: only fields (.Name), if, range, with, else and end" },
		{ "{{html .X}}", "x.html:1: only fields" },
		{ "{{$x := .Y}}", "x.html:1: only fields" },
		{ "{{\"text\"}}", "x.html:1: only fields" },
		{ "{{-3}}", "x.html:1: only fields" },
		{ "{{template \"x\"}}", "x.html:1: only fields" },
		{ "{{with $x := .X}}{{end}}", "x.html:1: only fields" },
		{ "{{with}}{{end}}", "x.html:1: only fields" },
		{ "\n{{with .X}}", "x.html:2: this block (X) is never closed" },
		{ "{{if not .X}}{{end}}", "x.html:1: only fields" },
		{ "{{if eq .A .B}}{{end}}", "x.html:1: only fields" },
		{ "{{if .A .B}}{{end}}", "x.html:1: only a bare field" },
		{ "{{if}}{{end}}", "x.html:1: only fields" },
		{ "{{range $i, $x := .L}}{{end}}", "x.html:1: only fields" },
		{ "\n{{if .X}}", "x.html:2: this block (X) is never closed" },
		{ "{{if .X}}{{end .X}}", "x.html:1: only fields" },
		{ "{{if .X}}{{else .X}}{{end}}", "x.html:1: only fields" },
		{ "{{if", "x.html:1: this action is never closed" },
		{ "\n\n{{end}}", "x.html:3: the end of a block that was not begun" },
		{ "{{else}}", "x.html:1: else outside of a block" },
		{ "{{if .X}}{{else}}\n{{else}}{{end}}", "x.html:2: a second else" },
		{ "{{if .X}}{{else if .Y}}{{end}}", "x.html:1: only fields" },
		{ "{{.A..B}}", "x.html:1: \"A..B\" is not a name" },
		{ "{{.X.}}", "x.html:1: \"X.\" is not a name" },
		{ "\n{{/* open", "x.html:2: this comment is never closed" },
		{ "{{/* a */ .X}}", "x.html:1: a comment must be alone" },
	};

	(void)state;
	expect_refusals(broken, COUNT(broken), TEMPLATE_GO, TEMPLATE_HTML);
}

static void a_value_where_it_cannot_be_escaped_is_refused(void **state)
{
	static const struct broken broken[] = {
		{ "<p>\n<script>var x = '{{x}}';</script>", "x.html:2: a value inside <script>" },
		{ "<SCRIPT type=module>{{x}}</SCRIPT>", "x.html:1: a value inside <script>" },
		{ "<script>{{#a}}x{{/a}}</script>", "x.html:1: a value inside <script>" },
		{ "<script></scrip{{x}}", "x.html:1: a value inside <script>" },
		{ "<style>\n\n{{x}}</style>", "x.html:3: a value inside <script>" },
		{ "<iframe>{{x}}</iframe>", "x.html:1: a value inside <script>" },
		{ "<!-- {{x}} -->", "x.html:1: a value inside an HTML comment" },
		{ "<!-- -- > {{x}} -->", "x.html:1: a value inside an HTML comment" },
		{ "<!doctype {{x}}>", "x.html:1: a value inside an HTML comment" },
		{ "<a\nhref={{x}}>", "x.html:2: an attribute with a value needs quotes" },
		{ "<a href=a{{x}}>", "x.html:1: an attribute with a value needs quotes" },
		{ "<a href = {{x}}>", "x.html:1: an attribute with a value needs quotes" },
		{ "<a {{x}}>", "x.html:1: inside a tag a value must stand in a quoted attribute" },
		{ "<a x{{x}}=\"\">", "x.html:1: inside a tag" },
		{ "<a x {{x}}>", "x.html:1: inside a tag" },
		{ "<a x=\"\"{{x}}>", "x.html:1: inside a tag" },
		{ "<{{x}}>", "x.html:1: a tag's name cannot be a value" },
		{ "<a{{x}}>", "x.html:1: a tag's name" },
		{ "</{{x}}>", "x.html:1: a tag's name" },
		{ "<a onclick=\"{{x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a  onclick=\"{{x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a/onclick=\"{{x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a x=1 onclick=\"{{x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a x onclick = \"{{x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a ONCLICK='f({{x}})'>", "x.html:1: a value inside an event handler" },
		{ "<a onclick=\"{{#x}}y{{/x}}\">", "x.html:1: a value inside an event handler" },
		{ "<a style=\"color:{{x}}\">", "x.html:1: a value inside style=" },
		{ "<iframe srcdoc='{{x}}'>", "x.html:1: a value inside style= or srcdoc=" },
		{ "<a title=\"{{{x}}}\">", "x.html:1: a raw value can only stand between tags" },
		{ "<title>{{{x}}}</title>", "x.html:1: a raw value" },
		{ "<title><b>{{x}}</title>", "x.html:1: a tag inside <title>" },
		{ "<title><{{x}}</title>", "x.html:1: a tag inside <title>" },
		{ "<a title=\"{{> p}}\">", "x.html:1: a partial can only stand between tags" },
		{ "<b>\n<a title=\"", "x.html:2: the template ends inside a tag" },
		{ "<script>", "x.html:1: the template ends inside a tag" },
		/* what is only sometimes there must not decide where the rest stands */
		{ "<p>{{#a}}<a title=\"{{/a}}", "x.html:1: a block must end where it began" },
		{ "{{#a}}<script>{{/a}}x{{#a}}</script>{{/a}}", "x.html:1: a block must end" },
		{ "<a href={{#a}}\"x\"{{/a}}>",
			"x.html:1: an attribute with a value needs quotes" },
		{ "<a {{#a}}onclick={{/a}}\"x\">", "x.html:1: a block must end where it began" },
		{ "<a {{#a}}onclick{{/a}}=\"{{x}}\">", "x.html:1: inside a tag a block must be" },
		{ "<a {{#a}}onclick {{/a}}=\"{{x}}\">", "x.html:1: inside a tag a value must" },
		{ "<a onclick{{#a}} title{{/a}}=\"{{x}}\">",
			"x.html:1: inside a tag a block must be" },
		{ "<a on{{#a}}click{{/a}}=\"{{x}}\">", "x.html:1: inside a tag a block must be" },
		{ "<a onclick {{#a}}={{/a}}\"{{x}}\">", "x.html:1: inside a tag" },
		{ "<scr{{#a}}ipt{{/a}}>{{x}}</script>", "x.html:1: inside a tag a block must be" },
		{ "<script {{#a}}></script><b {{/a}}>{{x}}", "x.html:1: a block must end" },
		{ "<a href=\"{{#a}}\" title=\"{{/a}}{{x}}\">", "x.html:1: a block must end" },
		{ "<a {{#a}}x='{{/a}}'>", "x.html:1: a block must end" },
	};

	(void)state;
	expect_refusals(broken, COUNT(broken), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void go_values_are_held_against_their_place_too(void **state)
{
	static const struct broken broken[] = {
		{ "<script>{{.X}}</script>", "x.html:1: a value inside <script>" },
		{ "\n<input value={{.X}}>", "x.html:2: an attribute with a value needs quotes" },
		{ "{{if .X}}<a title=\"{{else}}<b title=\"{{end}}\">",
			"x.html:1: a block must end" },
		{ "<p {{if .X}}a=\"1\"{{else}}b='{{end}}>", "x.html:1: a block must end" },
	};

	(void)state;
	expect_refusals(broken, COUNT(broken), TEMPLATE_GO, TEMPLATE_HTML);
}

static void a_value_where_it_can_be_escaped_is_accepted(void **state)
{
	static const struct story stories[] = {
		{ "attributes", "<a title=\"{{x}}\" lang='{{x}}'>{{x}}</a>", "{\"x\":\"\\\"'<\"}",
			"<a title=\"&#34;&#39;&lt;\" lang='&#34;&#39;&lt;'>&#34;&#39;&lt;</a>",
			NULL, NULL },
		{ "title", "<title>{{x}} - a</title>{{x}}", "{\"x\":\"</title><b>\"}",
			"<title>&lt;/title&gt;&lt;b&gt; - a</title>&lt;/title&gt;&lt;b&gt;", NULL,
			NULL },
		{ "textarea", "<textarea>{{x}}</textarea >{{x}}", "{\"x\":\"y\"}",
			"<textarea>y</textarea >y", NULL, NULL },
		{ "optional attributes",
			"<input{{#a}} aria-invalid=\"true\"{{/a}}{{#b}} disabled{{/b}} x>",
			"{\"a\":true,\"b\":true}", "<input aria-invalid=\"true\" disabled x>", NULL,
			NULL },
		{ "an optional attribute with a value", "<input {{#a}}value=\"{{a}}\"{{/a}}>",
			"{\"a\":\"&\"}", "<input value=\"&amp;\">", NULL, NULL },
		{ "a choice in a value", "<p class=\"a{{#x}} b{{/x}}{{^x}} c{{/x}}\">",
			"{\"x\":true}", "<p class=\"a b\">", NULL, NULL },
		{ "after a script", "<script src=\"{{x}}\"></script><p>{{x}}", "{\"x\":\"/a.js\"}",
			"<script src=\"/a.js\"></script><p>/a.js", NULL, NULL },
		{ "after a comment", "<!-- a > b --><!---->{{x}}", "{\"x\":\"1\"}",
			"<!-- a > b --><!---->1", NULL, NULL },
		{ "a sign that begins no tag", "1 < 2 {{x}} <3 {{x}}", "{\"x\":\"1\"}",
			"1 < 2 1 <3 1", NULL, NULL },
		{ "a block with elements", "{{#a}}<b title=\"{{x}}\">{{/a}}{{x}}",
			"{\"a\":true,\"x\":1}", "<b title=\"1\">1", NULL, NULL },
		{ "text with a partial", "<p>{{> p}}</p>", "{\"x\":\"<\"}", "<p>&lt;</p>", "p",
			"{{x}}" },
	};

	(void)state;
	expect_stories(stories, COUNT(stories), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void an_address_that_runs_code_leads_nowhere(void **state)
{
	static const struct story stories[] = {
		{ "javascript", "<a href=\"{{x}}\">", "{\"x\":\"javascript:alert(1)\"}",
			"<a href=\"#\">", NULL, NULL },
		{ "upper case", "<a href=\"{{x}}\">", "{\"x\":\"JavaScript:alert(1)\"}",
			"<a href=\"#\">", NULL, NULL },
		{ "blank first", "<a href='{{x}}'>", "{\"x\":\" javascript:alert(1)\"}",
			"<a href='#'>", NULL, NULL },
		{ "tab inside", "<a href=\"{{x}}\">", "{\"x\":\"java\\tscript:alert(1)\"}",
			"<a href=\"#\">", NULL, NULL },
		{ "data", "<img src=\"{{x}}\">", "{\"x\":\"data:text/html,x\"}", "<img src=\"#\">",
			NULL, NULL },
		{ "form action", "<form action=\"{{x}}\">", "{\"x\":\"vbscript:x\"}",
			"<form action=\"#\">", NULL, NULL },
		{ "in two halves", "<a href=\"{{a}}{{b}}\">",
			"{\"a\":\"java\",\"b\":\"script:alert(1)\"}", "<a href=\"java#\">", NULL,
			NULL },
		{ "after an optional part", "<a href=\"{{#p}}/x/{{/p}}{{x}}\">",
			"{\"x\":\"javascript:alert(1)\"}", "<a href=\"#\">", NULL, NULL },
		{ "a path", "<a href=\"{{x}}\">", "{\"x\":\"/a?b=c:d#e\"}",
			"<a href=\"/a?b=c:d#e\">", NULL, NULL },
		{ "a place on the page", "<a href=\"{{x}}\">", "{\"x\":\"#username\"}",
			"<a href=\"#username\">", NULL, NULL },
		{ "https", "<a href=\"{{x}}\">", "{\"x\":\"https://a.example/b:c\"}",
			"<a href=\"https://a.example/b:c\">", NULL, NULL },
		{ "mail", "<a href=\"{{x}}\">", "{\"x\":\"mailto:a@b.example\"}",
			"<a href=\"mailto:a@b.example\">", NULL, NULL },
		{ "not at the beginning", "<a href=\"/x?y={{x}}\">", "{\"x\":\"a:b\"}",
			"<a href=\"/x?y=a:b\">", NULL, NULL },
		{ "no address", "<a title=\"{{x}}\">", "{\"x\":\"a:b\"}", "<a title=\"a:b\">", NULL,
			NULL },
	};

	(void)state;
	expect_stories(stories, COUNT(stories), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void hostile_values_stay_text(void **state)
{
	static const char *const hostile[] = {
		"\\\"><script>alert(1)</script>",
		"'><img src=x onerror=alert(1)>",
		"{{x}}{{{x}}}{{#x}}{{> p}}",
		"{{.X}}{{end}}",
		"</title></textarea></style><!--",
		"\\u202e\\u2066abc",
		"&lt;script&gt;",
		"]]>--><",
	};
	struct arena *arena = arena_open(4 * MIB);

	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct buf b = BUF(arena, 4 * KIB);
		struct story story = { .name = hostile[i],
			.source = "<p title=\"{{x}}\">{{x}}</p>" };
		pt_str out, data;
		size_t tags = 0;

		buf_printf(&b, "{\"x\":\"%s\"}", hostile[i]);
		assert_int_equal(buf_done(&b, &data), PT_OK);
		story.data = data.p;
		assert_int_equal(
			tell(arena, &story, TEMPLATE_MUSTACHE, TEMPLATE_HTML, &out), PT_OK);
		for (size_t j = 0; j < out.n; j++)
			tags += out.p[j] == '<' || out.p[j] == '>' || out.p[j] == '"';
		assert_int_equal(tags, 6);
	}
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(go_templates_render),
		cmocka_unit_test(broken_go_names_its_line),
		cmocka_unit_test(a_value_where_it_cannot_be_escaped_is_refused),
		cmocka_unit_test(go_values_are_held_against_their_place_too),
		cmocka_unit_test(a_value_where_it_can_be_escaped_is_accepted),
		cmocka_unit_test(an_address_that_runs_code_leads_nowhere),
		cmocka_unit_test(hostile_values_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
