/*
 * args.c - sorts words.
 */
#include "cli/args.h"

#include "base/str.h"

#include "base/banned.h"

static const struct {
	const char *name;
	bool has_value;
} options[] = {
	{ "help", false },
	{ "version", false },
	{ "json", false },
	{ "yes", false },
	{ "mdoc", true },
	{ "createtables", false },
	{ "verified", false },
	{ "username", true },
	{ "email", true },
	{ "given-name", true },
	{ "family-name", true },
	{ "no-password", false },
	{ "password-file", true },
	{ "after", true },
	{ "max", true },
	{ "undo", false },
	{ "alg", true },
	{ "now", false },
	{ "confirm", false },
	{ "superadmin", false },
	{ "admin", false },
	{ "aud", true },
	{ "instance_id", true },
	{ "from", true },
	{ "namespace", true },
	{ "instance", true },
	{ "instances", false },
	{ "dry-run", false },
	{ "report", true },
};

static enum arg_kind option_kind(pt_str key)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (str_eq(str(options[i].name), key))
			return options[i].has_value ? ARG_VALUE : ARG_SWITCH;
	}
	return ARG_UNKNOWN;
}

/* Names that people know under another one. */
static pt_str other_name(pt_str key)
{
	if (str_eq(key, PT_STR("user")))
		return PT_STR("jail.user");
	if (str_eq(key, PT_STR("group")))
		return PT_STR("jail.group");
	if (str_eq(key, PT_STR("c")))
		return PT_STR("config");
	if (str_eq(key, PT_STR("a")))
		return PT_STR("aud");
	if (str_eq(key, PT_STR("i")))
		return PT_STR("instance_id");
	return str_eq(key, PT_STR("h")) ? PT_STR("help") : key;
}

static bool is_flag(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

pt_err args_read(struct arena *arena, int argc, char **argv,
	enum arg_kind (*setting_kind)(pt_str key), struct args *out)
{
	size_t most = argc > 0 ? (size_t)argc : 1;

	*out = (struct args){
		.flags = ARENA_ARRAY(arena, struct arg_flag, most),
		.options = ARENA_ARRAY(arena, struct arg_flag, most),
		.words = ARENA_ARRAY(arena, pt_str, most),
	};
	if (!out->flags || !out->options || !out->words)
		return PT_F_MEMORY;
	for (int i = 1; i < argc; i++) {
		struct arg_flag flag;

		if (!is_flag(argv[i])) {
			out->words[out->n_words++] = str(argv[i]);
			continue;
		}
		pt_str text = str(argv[i] + (argv[i][1] == '-' ? 2 : 1));
		bool has_value = str_cut(text, '=', &flag.key, &flag.value);
		flag.key = other_name(flag.key);
		enum arg_kind kind = option_kind(flag.key);
		bool ours = kind != ARG_UNKNOWN;
		if (!ours)
			kind = setting_kind(flag.key);
		/* A switch that stands alone is on. */
		if (!has_value && kind == ARG_VALUE && i + 1 < argc)
			flag.value = str(argv[++i]);
		else if (!has_value)
			flag.value = kind == ARG_SWITCH ? PT_STR("true") : PT_STR("");
		if (ours)
			out->options[out->n_options++] = flag;
		else
			out->flags[out->n_flags++] = flag;
	}
	return PT_OK;
}

bool args_has(const struct args *args, const char *option)
{
	for (size_t i = args->n_options; i-- > 0;) {
		if (str_eq(args->options[i].key, str(option)))
			return !str_eq(args->options[i].value, PT_STR("false"));
	}
	return false;
}

pt_str args_option(const struct args *args, const char *option)
{
	for (size_t i = args->n_options; i-- > 0;) {
		if (str_eq(args->options[i].key, str(option)))
			return args->options[i].value;
	}
	return PT_STR("");
}

static bool is_listed(const char *list, pt_str key)
{
	pt_str rest = str(list), word;

	while (rest.n > 0) {
		str_cut(rest, ' ', &word, &rest);
		if (str_eq(word, key))
			return true;
	}
	return false;
}

pt_str args_stranger(const struct args *args, const char *known)
{
	for (size_t i = 0; i < args->n_options; i++) {
		if (!is_listed(known, args->options[i].key))
			return args->options[i].key;
	}
	return PT_STR("");
}

pt_str args_word(const struct args *args, size_t n)
{
	return n < args->n_words ? args->words[n] : PT_STR("");
}
