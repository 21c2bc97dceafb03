/*
 * config.c - gathers settings from where they may stand, and keeps for each the one that counts most.
 */
#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "server/dotenv.h"
#include "server/setting_value.h"

#include "base/banned.h"

enum {
	PROBLEMS_MAX = 100,
	WARNINGS_MAX = 100,
	FILE_MAX = 1024 * 1024,
	SECRET_MAX = 64 * 1024,
	NAME_MAX_ = 128
};

const struct setting_row setting_rows[SETTINGS] = {
#define RELOAD FLAG_RELOAD
#define NEEDED FLAG_NEEDED
#define SAME   FLAG_SAME
#define SETTING(id, key, identoro, reading, type, rule, fallback, fallback_identoro, flags, help) \
	{ key, identoro, READ_##reading, TYPE_##type, rule, fallback, fallback_identoro, flags,   \
		help },
#define ALIAS(...)
#include "server/config.def"
#undef SETTING
#undef ALIAS
#undef RELOAD
#undef NEEDED
#undef SAME
};

const struct setting_alias setting_aliases[] = {
#define SETTING(...)
#define ALIAS(identoro, id, reading) { identoro, SET_##id, READ_##reading },
#include "server/config.def"
#undef SETTING
#undef ALIAS
};

const size_t setting_aliases_count = sizeof(setting_aliases) / sizeof(setting_aliases[0]);

const struct gotrue_name gotrue_names[] = {
#define NEEDED                              GOTRUE_NEEDED
#define ALONE                               GOTRUE_ALONE
#define NAME(name, alt, id, reading, flags) { name, alt, SET_##id, READ_##reading, flags },
#define USUAL(...)
#define IGNORED(...)
#include "server/gotrue.def"
#undef NAME
#undef USUAL
#undef IGNORED
#undef NEEDED
#undef ALONE
};

const size_t gotrue_names_count = sizeof(gotrue_names) / sizeof(gotrue_names[0]);

static const struct {
	enum setting id;
	const char *fallback;
} gotrue_usual[] = {
#define NAME(...)
#define USUAL(id, fallback) { SET_##id, fallback },
#define IGNORED(...)
#include "server/gotrue.def"
#undef NAME
#undef USUAL
#undef IGNORED
};

static const struct {
	const char *prefix;
	const char *why;
} gotrue_ignored[] = {
#define NAME(...)
#define USUAL(...)
#define IGNORED(prefix, why) { prefix, why },
#include "server/gotrue.def"
#undef NAME
#undef USUAL
#undef IGNORED
};

#define GOTRUE       "GOTRUE_"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The larger counts. Within one place our own name counts more than another's. */
enum rank {
	RANK_DEFAULT,
	RANK_FILE = 10,
	RANK_CREDENTIAL = 20,
	RANK_ENVIRONMENT = 30,
	RANK_FLAG = 40,

	RANK_ALIAS = 0,
	RANK_THEIRS = 1,
	RANK_OWN = 2,
};

/* One place to read from, while it is read. */
struct place {
	struct config *config;
	enum setting_origin origin;
	int rank;
	bool strict; /* every name in it must be one of ours */
	enum setting_reading readings[SETTINGS];
};

void config_problem(struct config *config, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (config->n_problems < PROBLEMS_MAX &&
		arena_str(config->arena, str(text), &config->problems[config->n_problems]))
		config->n_problems++;
}

void config_warning(struct config *config, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (config->n_warnings < WARNINGS_MAX &&
		arena_str(config->arena, str(text), &config->warnings[config->n_warnings]))
		config->n_warnings++;
}

/* ---- whose place ---- */

enum persona persona_of(pt_str name)
{
	static const char *const names[PERSONAS] = {
		[AS_PORTRESS] = "portress",
		[AS_IDENTORO] = "identoro",
		[AS_GOTRUE] = "gotrue",
	};

	for (int i = 0; i < PERSONAS; i++) {
		if (str_eq(name, str(names[i])))
			return (enum persona)i;
	}
	return AS_PORTRESS;
}

pt_str setting_fallback(enum persona as, enum setting id)
{
	const struct setting_row *row = &setting_rows[id];

	for (size_t i = 0; as == AS_GOTRUE && i < COUNT(gotrue_usual); i++) {
		if (gotrue_usual[i].id == id)
			return str(gotrue_usual[i].fallback);
	}
	return str(as == AS_IDENTORO && !(row->flags & FLAG_SAME) ? row->fallback_identoro
								  : row->fallback);
}

/* ---- names ---- */

void setting_environment_name(enum setting id, struct buf *out)
{
	buf_str(out, PT_STR("PORTRESS_"));
	for (const char *p = setting_rows[id].key; *p; p++)
		buf_char(out, *p == '.' ? '_'
					: (char)(ascii_lower(*p) == *p && ascii_alpha(*p)
							  ? *p - ('a' - 'A')
							  : *p));
}

static bool is_own_name(enum setting id, pt_str name)
{
	char text[NAME_MAX_];
	struct buf b = BUF_FIXED(text);

	setting_environment_name(id, &b);
	return str_eq(buf_view(&b), name);
}

static const struct gotrue_name *gotrue_name_of(enum setting id)
{
	for (size_t i = 0; i < gotrue_names_count; i++) {
		if (gotrue_names[i].id == id)
			return &gotrue_names[i];
	}
	return NULL;
}

pt_str config_name(const struct config *config, enum setting id)
{
	const struct gotrue_name *theirs = gotrue_name_of(id);
	struct buf b = BUF(config->arena, NAME_MAX_);

	if (config->as == AS_IDENTORO && setting_rows[id].identoro[0])
		return str(setting_rows[id].identoro);
	if (config->as == AS_GOTRUE && theirs) {
		buf_printf(&b, GOTRUE "%s", theirs->name);
		return buf_view(&b);
	}
	setting_environment_name(id, &b);
	return buf_view(&b);
}

/* Where a name leads. */
struct named {
	enum setting id;
	int rank;
	enum setting_reading reading;
};

static bool own_named(pt_str name, struct named *out)
{
	for (int i = 0; i < SETTINGS; i++) {
		if (is_own_name((enum setting)i, name)) {
			*out = (struct named){ (enum setting)i, RANK_OWN, READ_PLAIN };
			return true;
		}
	}
	return false;
}

static bool identoro_named(pt_str name, struct named *out)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = &setting_rows[i];

		if (row->identoro[0] && str_eq(str(row->identoro), name)) {
			*out = (struct named){ (enum setting)i, RANK_THEIRS, row->reading };
			return true;
		}
	}
	for (size_t i = 0; i < setting_aliases_count; i++) {
		const struct setting_alias *alias = &setting_aliases[i];

		if (str_eq(str(alias->identoro), name)) {
			*out = (struct named){ alias->id, RANK_ALIAS, alias->reading };
			return true;
		}
	}
	return false;
}

static bool gotrue_named(pt_str name, struct named *out)
{
	bool prefixed = str_starts(name, PT_STR(GOTRUE));

	if (prefixed)
		name = str_slice(name, strlen(GOTRUE), name.n);
	for (size_t i = 0; i < gotrue_names_count; i++) {
		const struct gotrue_name *row = &gotrue_names[i];
		pt_str theirs = str(prefixed ? row->name : row->alt);

		if (theirs.n > 0 && str_eq(theirs, name)) {
			*out = (struct named){ row->id, prefixed ? RANK_THEIRS : RANK_ALIAS,
				row->reading };
			return true;
		}
	}
	return false;
}

static bool find_name(const struct config *config, pt_str name, struct named *out)
{
	if (own_named(name, out))
		return true;
	switch (config->as) {
	case AS_PORTRESS:
	case PERSONAS:
		return false;
	case AS_IDENTORO:
		return identoro_named(name, out);
	case AS_GOTRUE:
		return gotrue_named(name, out);
	}
	return false;
}

/* The closest name, when it is close enough to be a slip of the finger. */
static pt_str nearest(const struct config *config, pt_str name, bool keys)
{
	pt_str best = PT_STR("");
	/* What all names begin with is no likeness. */
	size_t shared = str_starts(name, PT_STR("PORTRESS_")) ? strlen("PORTRESS_") : 0;
	size_t least = (name.n - shared) / 3 + 2;

	for (int i = 0; i < SETTINGS; i++) {
		struct buf b = BUF(config->arena, NAME_MAX_);

		if (keys)
			buf_str(&b, str(setting_rows[i].key));
		else
			setting_environment_name((enum setting)i, &b);
		size_t distance = str_distance(buf_view(&b), name);
		if (distance < least) {
			least = distance;
			best = buf_view(&b);
		}
	}
	return best;
}

#define SHOW(s) (int)((s).n < 100 ? (s).n : 100), (s).p ? (s).p : ""

static void unknown(struct config *config, pt_str name, pt_str from, bool flag)
{
	pt_str meant = nearest(config, name, flag);

	if (meant.n > 0)
		config_problem(config, "%.*s: no such setting; did you mean %s%.*s?", SHOW(from),
			flag ? "--" : "", SHOW(meant));
	else
		config_problem(config, "%.*s: no such setting; `portress serve --help` lists them",
			SHOW(from));
	config->bad_flags |= flag;
}

/* What GoTrue's documents name and we do not: told, and nothing else. */
static void gotrue_unknown(struct config *config, pt_str name, pt_str from)
{
	pt_str rest = str_slice(name, strlen(GOTRUE), name.n);

	for (size_t i = 0; i < COUNT(gotrue_ignored); i++) {
		if (str_starts(rest, str(gotrue_ignored[i].prefix))) {
			config_warning(config, "%.*s has no effect: %s", SHOW(from),
				gotrue_ignored[i].why);
			return;
		}
	}
	config_warning(config, "%.*s has no effect: GoTrue has no such setting", SHOW(from));
}

/* ---- one value ---- */

static void set(struct place *place, const struct named *named, pt_str text, pt_str from)
{
	struct config_value *value = &place->config->values[named->id];
	int rank = place->rank + named->rank;

	if (named->reading == READ_FROM_FILE && place->origin != FROM_FILE)
		return;
	if (rank < value->rank)
		return;
	bool is_secret = setting_rows[named->id].type == TYPE_SECRET;
	if (rank == value->rank && is_secret &&
		str_ends(from, PT_STR("_FILE")) != str_ends(value->from, PT_STR("_FILE")))
		config_problem(place->config, "%.*s: set twice, here and by %.*s; keep one",
			SHOW(from), SHOW(value->from));
	*value = (struct config_value){ text, 0, place->origin, from, rank };
	place->readings[named->id] = named->reading;
}

/* A secret's file belongs to its owner alone; a line end at its end is the editor's. */
static bool secret_read(struct config *config, pt_str path, pt_str from, bool trusted, pt_str *out)
{
	const char *name = arena_cstr(config->arena, path);
	struct stat st;
	ssize_t n;

	PT_OWN(own_fd)
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		config_problem(config, "%.*s: cannot read the file %.*s: %s", SHOW(from),
			SHOW(path), fd < 0 ? strerror(errno) : "no plain file");
		return false;
	}
	if (!trusted && (st.st_mode & 077) != 0) {
		config_problem(config, "%.*s: others can read %.*s; mend it with `chmod 600 %.*s`",
			SHOW(from), SHOW(path), SHOW(path));
		return false;
	}
	char *text = arena_alloc(config->arena, SECRET_MAX + 1);
	n = text ? read(fd, text, SECRET_MAX + 1) : -1;
	if (n < 0 || n > SECRET_MAX) {
		config_problem(config, "%.*s: %.*s holds no secret", SHOW(from), SHOW(path));
		return false;
	}
	*out = str_n(text, (size_t)n);
	if (str_ends(*out, PT_STR("\n")))
		out->n--;
	if (str_ends(*out, PT_STR("\r")))
		out->n--;
	return true;
}

/* NAME_FILE, where NAME is a secret. */
static bool set_from_file(struct place *place, pt_str name, pt_str value, pt_str from)
{
	struct config *config = place->config;
	struct named named;
	pt_str text;

	if (!str_ends(name, PT_STR("_FILE")) ||
		!find_name(config, str_slice(name, 0, name.n - 5), &named) ||
		setting_rows[named.id].type != TYPE_SECRET)
		return false;
	if (secret_read(config, value, from, false, &text))
		set(place, &named, text, from);
	return true;
}

static void set_pair(struct place *place, pt_str name, pt_str value, pt_str from)
{
	struct config *config = place->config;
	bool own = str_starts(name, PT_STR("PORTRESS_"));
	struct named named;

	if (str_starts(name, PT_STR("PORTRESS_TEST_")))
		return;
	if (find_name(config, name, &named)) {
		bool is_empty_secret =
			own && value.n == 0 && setting_rows[named.id].type == TYPE_SECRET;
		if (is_empty_secret)
			config_problem(config,
				"%.*s: an empty secret; give it a value or take the "
				"line away",
				SHOW(from));
		set(place, &named, value, from);
		return;
	}
	if (set_from_file(place, name, value, from))
		return;
	if (own || (place->strict && config->as != AS_GOTRUE))
		unknown(config, name, from, false);
	else if (config->as == AS_GOTRUE && str_starts(name, PT_STR(GOTRUE)))
		gotrue_unknown(config, name, from);
}

/* ---- places ---- */

static void place_flags(struct place *place, const struct config_sources *sources)
{
	struct config *config = place->config;

	for (size_t i = 0; i < sources->n_flags; i++) {
		const struct config_flag *flag = &sources->flags[i];
		struct buf b = BUF(config->arena, 4 * KIB);
		int id = 0;

		buf_str(&b, PT_STR("--"));
		buf_str(&b, flag->key);
		while (id < SETTINGS && !str_eq(str(setting_rows[id].key), flag->key))
			id++;
		if (id == SETTINGS) {
			unknown(config, flag->key, buf_view(&b), true);
		} else if (setting_rows[id].type == TYPE_SECRET) {
			config_problem(config,
				"%.*s: a secret is never an argument, where others see "
				"it; use the environment or a file",
				SHOW(buf_view(&b)));
			config->bad_flags = true;
		} else {
			struct named named = { (enum setting)id, RANK_OWN, READ_PLAIN };
			set(place, &named, flag->value, buf_view(&b));
		}
	}
}

static void place_environment(struct place *place, char *const *environment)
{
	for (; *environment; environment++) {
		pt_str name, value;

		str_cut(str(*environment), '=', &name, &value);
		set_pair(place, name, value, name);
	}
}

static void place_credentials(struct place *place, const char *folder)
{
	struct config *config = place->config;

	for (int i = 0; i < SETTINGS; i++) {
		struct named named = { (enum setting)i, RANK_OWN, READ_PLAIN };
		struct buf b = BUF(config->arena, 4 * KIB);
		pt_str path, text;

		if (setting_rows[i].type != TYPE_SECRET)
			continue;
		buf_printf(&b, "%s/%s", folder, setting_rows[i].key);
		path = buf_view(&b);
		if (b.failed || access(path.p, F_OK) != 0)
			continue;
		if (secret_read(config, path, path, true, &text))
			set(place, &named, text, path);
	}
}

/* The whole of a file. False: it is not there, or (told) it cannot be read. */
static bool file_read(struct config *config, const char *path, bool optional, pt_str *out)
{
	PT_OWN(own_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && optional && errno == ENOENT)
		return false;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		config_problem(config, "%s: cannot read it: %s", path,
			fd < 0 ? strerror(errno) : "no file of a size that can be read");
		return false;
	}
	char *text = arena_alloc(config->arena, (size_t)st.st_size + 1);
	ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (n < 0) {
		config_problem(config, "%s: cannot read it", path);
		return false;
	}
	*out = str_n(text, (size_t)n);
	return true;
}

static bool stood_before(const struct dotenv_pair *pairs, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (str_eq(pairs[k].name, pairs[i].name))
			return true;
	}
	return false;
}

static pt_err place_file(struct place *place, const char *path)
{
	struct config *config = place->config;
	struct dotenv_pair *pairs;
	const char *why;
	pt_str text;
	size_t n;
	int line;

	if (!file_read(config, path, !place->strict, &text))
		return PT_OK;
	pt_err err = dotenv_read(config->arena, text, &pairs, &n, &line, &why);
	if (err == PT_E_MALFORMED) {
		config_problem(config, "%s line %d: %s", path, line, why);
		return PT_OK;
	}
	TRY(err);
	for (size_t i = 0; i < n; i++) {
		struct buf from = BUF(config->arena, 8 * KIB);

		buf_printf(&from, "%s line %d: ", path, pairs[i].line);
		buf_str(&from, pairs[i].name);
		if (place->strict && stood_before(pairs, i))
			config_problem(config, "%.*s stands there twice", SHOW(buf_view(&from)));
		set_pair(place, pairs[i].name, pairs[i].value, buf_view(&from));
	}
	return PT_OK;
}

/* ---- all of it ---- */

/* Two settings say where the others stand, so they are looked for first, where they may stand. */
static pt_str early(const struct config_sources *sources, const char *key, const char *name)
{
	for (size_t i = sources->n_flags; i-- > 0;) {
		if (str_eq(sources->flags[i].key, str(key)))
			return sources->flags[i].value;
	}
	for (char *const *e = sources->environment; *e; e++) {
		pt_str before, value;

		str_cut(str(*e), '=', &before, &value);
		if (str_eq(before, str(name)))
			return value;
	}
	return PT_STR("");
}

static pt_str fallback_of(const struct config *config, int id)
{
	return setting_fallback(config->as, (enum setting)id);
}

static void defaults(struct config *config)
{
	for (int i = 0; i < SETTINGS; i++)
		config->values[i].text = fallback_of(config, i);
}

static void value_problem(struct config *config, enum setting id, pt_str why)
{
	const struct config_value *value = &config->values[id];

	config_problem(config, "%.*s: %.*s", SHOW(value->from), (int)why.n, why.p);
	config->bad_flags |= value->origin == FROM_FLAG;
}

/* What is judged later is judged as if the bad value were not there. */
static void value_default(struct config *config, int id)
{
	struct config_value *value = &config->values[id];
	pt_str why;

	if (setting_rows[id].type == TYPE_EMAIL || setting_rows[id].type == TYPE_TEXT)
		return;
	value->text = fallback_of(config, id);
	if (value->text.n > 0)
		(void)!setting_value_check(
			config->arena, &setting_rows[id], READ_PLAIN, value, &why);
}

static void check(struct place *place)
{
	struct config *config = place->config;

	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = &setting_rows[i];
		struct config_value *value = &config->values[i];
		pt_str why;

		/* Nothing behind the sign: as if the line were not there. */
		if (value->text.n == 0 &&
			(row->type == TYPE_BOOL || row->type == TYPE_INT ||
				row->type == TYPE_DURATION || row->type == TYPE_CHOICE)) {
			value->text = fallback_of(config, i);
			place->readings[i] = READ_PLAIN;
		}
		if (value->text.n == 0 && row->type == TYPE_INT)
			continue;
		if (setting_value_check(config->arena, row, place->readings[i], value, &why))
			continue;
		value_problem(config, (enum setting)i, why);
		value_default(config, i);
	}
}

static void check_needed_by_gotrue(struct config *config)
{
	bool many = config_true(config, SET_GOTRUE_MULTI);

	for (size_t i = 0; i < gotrue_names_count; i++) {
		const struct gotrue_name *row = &gotrue_names[i];

		if (!(row->flags & GOTRUE_NEEDED) || ((row->flags & GOTRUE_ALONE) && many) ||
			config_text(config, row->id).n > 0)
			continue;
		/* Under our own name an address says its kind itself. */
		if (row->id == SET_DATABASE_TYPE &&
			config->values[SET_DATABASE].rank % 10 == RANK_OWN)
			continue;
		config_problem(config, GOTRUE "%s is required", row->name);
	}
}

static void check_needed(struct config *config)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = &setting_rows[i];

		if (!(row->flags & FLAG_NEEDED) || config->values[i].text.n > 0)
			continue;
		if (i == SET_DATABASE_TYPE)
			continue; /* said by whom it concerns: an address may name its kind itself */
		if ((i == SET_SMTP_HOST || i == SET_SMTP_PORT) &&
			config->values[SET_SMTP_URL].text.n > 0)
			continue;
		config_problem(config, "%s is required", row->identoro);
	}
}

static pt_err places(struct place *place, const struct config_sources *sources)
{
	struct config *config = place->config;
	pt_str file = early(sources, "config", "PORTRESS_CONFIG");

	place->origin = FROM_FLAG;
	place->rank = RANK_FLAG;
	place_flags(place, sources);
	place->origin = FROM_ENVIRONMENT;
	place->rank = RANK_ENVIRONMENT;
	place_environment(place, sources->environment);
	place->origin = FROM_CREDENTIAL;
	place->rank = RANK_CREDENTIAL;
	if (sources->credentials)
		place_credentials(place, sources->credentials);
	place->origin = FROM_FILE;
	place->rank = RANK_FILE;
	place->strict = file.n > 0;
	const char *path = file.n > 0 ? arena_cstr(config->arena, file) : ".env";
	if (!path)
		return PT_F_MEMORY;
	return file.n > 0 || sources->dotenv ? place_file(place, path) : PT_OK;
}

pt_err config_load(struct arena *arena, const struct config_sources *sources, struct config *out)
{
	struct place place = { .config = out };

	*out = (struct config){ .arena = arena };
	out->problems = ARENA_ARRAY(arena, pt_str, PROBLEMS_MAX);
	out->warnings = ARENA_ARRAY(arena, pt_str, WARNINGS_MAX);
	if (!out->problems || !out->warnings)
		return PT_F_MEMORY;
	out->as = persona_of(early(sources, "as", "PORTRESS_AS"));
	defaults(out);
	TRY(places(&place, sources));
	check(&place);
	if (out->as == AS_IDENTORO)
		check_needed(out);
	if (out->as == AS_GOTRUE)
		check_needed_by_gotrue(out);
	return out->n_problems > 0 ? PT_F_CONFIG : PT_OK;
}

pt_str config_blamed(const struct config *config, enum setting id)
{
	const struct config_value *value = &config->values[id];

	return value->origin == FROM_DEFAULT ? config_name(config, id) : value->from;
}

/* ---- showing ---- */

/* Where name and password begin: behind "scheme://", or at once, as Go programs write it. Past the end:
 * there are none. */
static size_t login_begin(pt_str address)
{
	size_t letters = 0;

	while (letters < address.n && ascii_alnum(address.p[letters]))
		letters++;
	if (str_starts(str_slice(address, letters, address.n), PT_STR("://")))
		return letters + 3;
	bool go = str_contains(address, PT_STR("@tcp(")) || str_contains(address, PT_STR("@unix("));
	return go ? 0 : address.n;
}

static pt_str without_password(const struct config *config, pt_str address)
{
	struct buf b = BUF(config->arena, 4 * KIB);
	size_t begin = login_begin(address), at, colon;

	if (str_contains(address, PT_STR("password")))
		return PT_STR("set");
	for (at = address.n; at > begin && address.p[at - 1] != '@'; at--)
		;
	colon = begin + str_find(str_slice(address, begin, at), ':');
	if (at <= begin || colon >= at)
		return address;
	buf_str(&b, str_slice(address, 0, colon + 1));
	buf_str(&b, PT_STR("***@"));
	buf_str(&b, str_slice(address, at, address.n));
	return buf_view(&b);
}

pt_str config_shown(const struct config *config, enum setting id)
{
	pt_str text = config->values[id].text;

	if (setting_rows[id].type == TYPE_SECRET)
		return text.n > 0 ? PT_STR("set") : PT_STR("unset");
	if (setting_rows[id].type == TYPE_ADDRESS)
		return without_password(config, text);
	return text;
}
