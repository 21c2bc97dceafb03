/*
 * config.h - settings: from flags, environment, files and defaults to checked values.
 *
 * Precedence: flag, environment, credentials of the service manager, file, default. All that is wrong
 * is told at once, each in a sentence that names the setting where it was made. Secrets are never
 * shown, not even in part.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "base/buf.h"
#include "portress/base.h"

enum setting {
#define SETTING(id, ...) SET_##id,
#define ALIAS(...)
#include "server/config.def"
#undef SETTING
#undef ALIAS
	SETTINGS
};

enum setting_type {
	TYPE_TEXT,
	TYPE_PATH,
	TYPE_LIST,
	TYPE_URL, /* http or https */
	TYPE_EMAIL,
	TYPE_ADDRESS, /* may hold a password: shown without it */
	TYPE_SECRET, /* shown as set or unset; never an argument; also NAME_FILE and a credential */
	TYPE_BOOL,
	TYPE_INT,
	TYPE_DURATION,
	TYPE_CHOICE,
};

/* Whose place we take. */
enum persona { AS_PORTRESS, AS_IDENTORO, AS_GOTRUE, PERSONAS };

/* How a configuration of theirs spells a value. */
enum setting_reading {
	READ_PLAIN,
	READ_GO_BOOL,      /* unreadable means the default */
	READ_EXACTLY_TRUE, /* `true`, and nothing else, is true */
	READ_MILLISECONDS, /* a bare number */
	READ_SECONDS,
	READ_HOURS,
	READ_INVERTED,         /* true means off */
	READ_FROM_FILE,        /* a login shell sets the same name: only the file counts */
	READ_GO_DURATION,      /* 1h30m, or a bare number of seconds */
	READ_SECONDS_OR_USUAL, /* a bare number; the default, unless it is above 0 */
	READ_SECONDS_OR_NONE,  /* a bare number; 0, unless it is above 0 */
	READ_LEVEL,            /* of a log: panic, fatal, warning and trace are known too */
};

enum {
	FLAG_RELOAD = 1 << 0,
	FLAG_NEEDED = 1 << 1,
	FLAG_SAME = 1 << 2,
};

struct setting_row {
	const char *key;
	const char *identoro;
	enum setting_reading reading;
	enum setting_type type;
	const char *rule;
	const char *fallback;
	const char *fallback_identoro;
	unsigned flags;
	const char *help;
};

extern const struct setting_row setting_rows[SETTINGS];

/* More names of Identoro. */
struct setting_alias {
	const char *identoro;
	enum setting id;
	enum setting_reading reading;
};

extern const struct setting_alias setting_aliases[];
extern const size_t setting_aliases_count;

enum {
	GOTRUE_NEEDED = 1 << 0,
	GOTRUE_ALONE = 1 << 1, /* needed where there is one site */
};

/* A name of GoTrue's. */
struct gotrue_name {
	const char *name; /* behind GOTRUE_ */
	const char *alt;  /* without it; "" none */
	enum setting id;
	enum setting_reading reading;
	unsigned flags;
};

extern const struct gotrue_name gotrue_names[];
extern const size_t gotrue_names_count;

enum setting_origin { FROM_DEFAULT, FROM_FILE, FROM_CREDENTIAL, FROM_ENVIRONMENT, FROM_FLAG };

struct config_value {
	pt_str text;
	int64_t number; /* INT; DURATION in microseconds; BOOL; CHOICE: which word of the rule */
	enum setting_origin origin;
	pt_str from; /* "PORTRESS_LISTEN", ".env line 3: LISTEN_ADDRESS", "--listen" */
	int rank;
};

struct config {
	struct arena *arena;
	enum persona as;
	struct config_value values[SETTINGS];
	pt_str *problems;
	size_t n_problems;
	pt_str *warnings; /* sentences, like the problems */
	size_t n_warnings;
	bool bad_flags; /* some problem is a flag: the caller used us wrongly */
};

struct config_flag {
	pt_str key; /* without the dashes */
	pt_str value;
};

struct config_sources {
	const struct config_flag *flags;
	size_t n_flags;
	char *const *environment; /* "NAME=value", ends in NULL */
	bool dotenv;              /* read .env of the working folder, if it is there */
	const char *credentials;  /* folder, or NULL */
};

/* Reads and checks everything. Problems are in *out, and PT_F_CONFIG says that there are some: then
 * bad values stand at their defaults, so that the rest can be judged. Other faults end it. */
PT_CHECK pt_err config_load(
	struct arena *arena, const struct config_sources *sources, struct config *out);

/* One more problem, a sentence; for checks that look at several settings. */
__attribute__((format(printf, 2, 3))) void config_problem(
	struct config *config, const char *format, ...);

/* Something is not as it may seem, and the server starts all the same. */
__attribute__((format(printf, 2, 3))) void config_warning(
	struct config *config, const char *format, ...);

static inline pt_str config_text(const struct config *config, enum setting id)
{
	return config->values[id].text;
}

static inline int64_t config_number(const struct config *config, enum setting id)
{
	return config->values[id].number;
}

static inline bool config_true(const struct config *config, enum setting id)
{
	return config->values[id].number != 0;
}

/* "PORTRESS_SMTP_HOST". */
void setting_environment_name(enum setting id, struct buf *out);

/* "identoro", by its place in the rule of `as`; anything else is Portress itself. */
enum persona persona_of(pt_str name);

/* What holds where nothing is said. */
pt_str setting_fallback(enum persona as, enum setting id);

/* How it may be shown: secrets as set or unset, addresses without their password. */
pt_str config_shown(const struct config *config, enum setting id);

/* The name to use when speaking of it: in another's place, his. */
pt_str config_name(const struct config *config, enum setting id);

/* The same when something is wrong with it: the flag, or the line of a file, where it was set. */
pt_str config_blamed(const struct config *config, enum setting id);

#endif
