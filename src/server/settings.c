/*
 * settings.c - each part of the server gets what concerns it; contradictions are said in words.
 */
#include "server/settings.h"

#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/resolve.h"
#include "base/str.h"
#include "http/token.h"

#include "base/banned.h"

/* Calls that hash, under way at once. */
enum { HASH_THREADS = 32, SLOW_THREADS = 32 };

enum { KEY_MIN = 16, KEY_GOOD = 32 };

#define SHOW(s) (int)(s).n, (s).p ? (s).p : ""

static pt_str name_of(const struct config *config, enum setting id)
{
	return config_blamed(config, id);
}

static bool is_word(const struct config *config, enum setting id, const char *word)
{
	return str_eq(config_text(config, id), str(word));
}

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 && n < 256 ? (unsigned)n : 1;
}

/* ---- rules ---- */

static void make_policy(const struct config *c, struct pt_policy *p)
{
	pt_policy_init(p);
	p->username_min = (size_t)config_number(c, SET_USERNAME_MIN);
	p->username_max = (size_t)config_number(c, SET_USERNAME_MAX);
	p->names_required = config_true(c, SET_NAMES_REQUIRED);
	p->signin_with_email = config_true(c, SET_SIGNIN_WITH_EMAIL);
	p->email_max = c->as == AS_IDENTORO ? 100 : 254;
	p->email_plain = c->as == AS_IDENTORO;
	p->password_min = (size_t)config_number(c, SET_PASSWORD_MIN);
	p->password_max = (size_t)config_number(c, SET_PASSWORD_MAX);
	p->password_in_bytes = c->as == AS_IDENTORO;
	p->password_blocklist = config_true(c, SET_PASSWORD_BLOCKLIST);
	p->signin_password_min = 6;
	p->hash_bcrypt = is_word(c, SET_HASH_SCHEME, "bcrypt");
	p->bcrypt_cost = (uint32_t)config_number(c, SET_HASH_BCRYPT_COST);
	p->argon2_kib = (uint32_t)config_number(c, SET_HASH_ARGON2_KIB);
	p->argon2_passes = (uint32_t)config_number(c, SET_HASH_ARGON2_PASSES);
	p->session_life = config_number(c, SET_SESSION_LIFE);
	p->verify_life = config_number(c, SET_VERIFY_LIFE);
	p->reset_life = config_number(c, SET_RESET_LIFE);
	p->access_life = config_number(c, SET_JWT_LIFE);
	p->refresh_life = config_number(c, SET_REFRESH_LIFE);
	p->refresh_grace = config_number(c, SET_REFRESH_GRACE);
	p->refresh_family_life = config_number(c, SET_REFRESH_FAMILY_LIFE);
	p->signin_per_account = (int)config_number(c, SET_LIMIT_ACCOUNT);
	p->signin_per_client = (int)config_number(c, SET_LIMIT_CLIENT);
	p->mail_per_recipient = (int)config_number(c, SET_LIMIT_MAIL_RECIPIENT);
	p->mail_per_client = (int)config_number(c, SET_LIMIT_MAIL_CLIENT);
	p->failure_delay = config_number(c, SET_SIGNIN_DELAY);
	p->captcha = config_true(c, SET_CAPTCHA);
	p->signup_off = config_true(c, SET_GOTRUE_DISABLE_SIGNUP);
}

static void check_policy(struct config *c, const struct pt_policy *p)
{
	if (p->username_min > p->username_max)
		config_problem(c, "%.*s: user names cannot be %zu to %zu characters long",
			SHOW(name_of(c, SET_USERNAME_MIN)), p->username_min, p->username_max);
	if (p->captcha && (config_text(c, SET_CAPTCHA_SITE_KEY).n == 0 ||
				  config_text(c, SET_CAPTCHA_SECRET).n == 0))
		config_problem(c, "%.*s: reCAPTCHA needs %.*s and %.*s",
			SHOW(name_of(c, SET_CAPTCHA)), SHOW(name_of(c, SET_CAPTCHA_SITE_KEY)),
			SHOW(name_of(c, SET_CAPTCHA_SECRET)));
}

/* ---- keys ---- */

static bool is_one_byte_repeated(pt_str key)
{
	for (size_t i = 1; i < key.n; i++) {
		if (key.p[i] != key.p[0])
			return false;
	}
	return true;
}

/* What samples and tutorials are full of. */
static bool is_well_known(pt_str key)
{
	static const char *const known[] = { "secret", "supersecret", "changeme", "change-me",
		"mysecretkey", "password", "example", "unused", "your-secret", "your_secret",
		"yoursecret" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_eq_nocase(str_slice(key, 0, strlen(known[i])), str(known[i])) &&
			key.n < strlen(known[i]) + 16)
			return true;
	}
	return is_one_byte_repeated(key);
}

static void check_key(struct config *c, enum setting id, size_t min)
{
	pt_str key = config_text(c, id), name = name_of(c, id);

	if (key.n == 0)
		return;
	if (key.n < min)
		config_problem(c,
			"%.*s must have at least %zu bytes; `dd if=/dev/urandom bs=32 count=1 | "
			"base64` makes one",
			SHOW(name), min);
	else if (is_well_known(key))
		config_problem(c,
			"%.*s is one that anybody could guess; `dd if=/dev/urandom bs=32 "
			"count=1 | base64` makes one",
			SHOW(name));
	else if (key.n < KEY_GOOD)
		log_say(LOG_WARN, "config.key", "%.*s has fewer than %d bytes", SHOW(name),
			KEY_GOOD);
}

/* GoTrue takes whatever it is given, and what it signed must stay good: told, but not refused. */
static void check_key_of_gotrue(struct config *c, enum setting id)
{
	pt_str key = config_text(c, id), name = name_of(c, id);

	if (key.n > 0 && (key.n < KEY_GOOD || is_well_known(key)))
		log_say(LOG_WARN, "config.key",
			"%.*s can be guessed: it should be %d random bytes or more; `dd "
			"if=/dev/urandom bs=32 count=1 | base64` makes one",
			SHOW(name), KEY_GOOD);
}

/* Two purposes, one secret: whoever is let in on one has the other. */
static void check_keys_differ(struct config *c, bool jwt)
{
	static const enum setting all[] = { SET_KEYS_ROOT, SET_KEYS_SESSION, SET_JWT_SECRET,
		SET_REFRESH_SECRET, SET_PEPPER, SET_GOTRUE_OPERATOR_TOKEN };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t k = 0; k < i; k++) {
			bool used =
				jwt || (all[i] != SET_JWT_SECRET && all[i] != SET_REFRESH_SECRET);
			if (!used || config_text(c, all[i]).n == 0 ||
				!str_eq(config_text(c, all[i]), config_text(c, all[k])))
				continue;
			if (c->as == AS_GOTRUE)
				log_say(LOG_WARN, "config.key",
					"%.*s and %.*s are the same: whoever checks tokens with "
					"one may do everything with the other",
					SHOW(name_of(c, all[k])), SHOW(name_of(c, all[i])));
			else
				config_problem(c,
					"%.*s and %.*s are the same; two purposes need two "
					"secrets",
					SHOW(name_of(c, all[k])), SHOW(name_of(c, all[i])));
		}
	}
}

static void make_keys(struct config *c, const struct settings *s, struct pt_keys *keys)
{
	bool jwt = config_true(c, SET_JWT), tokens = jwt || s->gotrue.on;

	check_key(c, SET_KEYS_ROOT, c->as == AS_IDENTORO ? KEY_MIN : KEY_GOOD);
	check_key(c, SET_KEYS_SESSION, KEY_MIN);
	check_key(c, SET_PEPPER, KEY_GOOD);
	if (c->as == AS_GOTRUE) {
		check_key_of_gotrue(c, SET_JWT_SECRET);
	} else if (tokens) {
		check_key(c, SET_JWT_SECRET, KEY_GOOD);
		check_key(c, SET_REFRESH_SECRET, KEY_GOOD);
	}
	if (s->gotrue.on)
		check_key_of_gotrue(c, SET_GOTRUE_OPERATOR_TOKEN);
	if (jwt && c->as == AS_IDENTORO && config_text(c, SET_JWT_SECRET).n == 0)
		config_problem(c, "JWT_SECRET is required when USE_JWT_AUTH is true");
	check_keys_differ(c, tokens);
	*keys = (struct pt_keys){
		.root = config_text(c, SET_KEYS_ROOT),
		/* Cookies that Identoro signed stay good: raw bytes of the same key. */
		.csrf = c->as == AS_IDENTORO ? config_text(c, SET_KEYS_ROOT) : PT_STR(""),
		.access = jwt ? config_text(c, SET_JWT_SECRET) : PT_STR(""),
		.refresh = jwt ? config_text(c, SET_REFRESH_SECRET) : PT_STR(""),
		.pepper = config_text(c, SET_PEPPER),
	};
}

/* ---- store ---- */

static bool has_kind(pt_str url)
{
	static const char *const kinds[] = {
		"sqlite:", "postgres:", "postgresql:", "mysql:", "mariadb:"
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_starts(url, str(kinds[i])))
			return true;
	}
	return false;
}

/* Its DSN may have no scheme: user:password@tcp(host:3306)/name, host=... dbname=..., or a path. */
static pt_str database_url_of_gotrue(struct config *c, pt_str url, pt_str kind)
{
	struct buf b = BUF(c->arena, 4 * KIB);

	if (str_starts(url, PT_STR("sqlite3://"))) {
		buf_str(&b, PT_STR("sqlite:"));
		buf_str(&b, str_slice(url, strlen("sqlite3://"), url.n));
		return buf_view(&b);
	}
	if (has_kind(url) || kind.n == 0 || str_starts(kind, PT_STR("postgres")))
		return url;
	if (str_eq(kind, PT_STR("mysql")) || str_eq(kind, PT_STR("mariadb")))
		buf_str(&b, PT_STR("mysql://"));
	else if (str_eq(kind, PT_STR("sqlite3")) || str_eq(kind, PT_STR("sqlite")))
		buf_str(&b, PT_STR("sqlite:"));
	else
		config_problem(c, "%.*s must be mysql, postgres or sqlite3, not `%.*s`",
			SHOW(name_of(c, SET_DATABASE_TYPE)), SHOW(kind));
	buf_str(&b, url);
	return buf_view(&b);
}

/* DATABASE_URL is a bare path or a libpq string where DB_TYPE says of what kind. */
static pt_str database_url(struct config *c)
{
	pt_str url = config_text(c, SET_DATABASE), kind = config_text(c, SET_DATABASE_TYPE);
	bool named = has_kind(url), sqlite = str_eq(kind, PT_STR("sqlite"));
	struct buf b = BUF(c->arena, 4 * KIB);

	if (c->as == AS_GOTRUE)
		return database_url_of_gotrue(c, url, kind);

	if (c->as == AS_IDENTORO && kind.n == 0 && named && c->values[SET_DATABASE].rank % 10 == 2)
		return url; /* under our own name it says its kind */
	if (c->as == AS_PORTRESS && str_eq(kind, PT_STR("mysql"))) {
		if (!named)
			buf_str(&b, PT_STR("mysql://"));
		buf_str(&b, url);
		return buf_view(&b);
	}
	if ((c->as == AS_IDENTORO || kind.n > 0) && !sqlite && !str_eq(kind, PT_STR("postgres"))) {
		config_problem(c, "%.*s must be either 'postgres' or 'sqlite'",
			SHOW(name_of(c, SET_DATABASE_TYPE)));
		return url;
	}
	if (!sqlite || named)
		return url;
	buf_str(&b, PT_STR("sqlite:"));
	buf_str(&b, url);
	return buf_view(&b);
}

static void make_view(const struct config *c, struct view_setup *view)
{
	static const enum setting columns[VIEW_FIELDS] = {
		[VIEW_ID] = SET_USERS_ID,
		[VIEW_USERNAME] = SET_USERS_USERNAME,
		[VIEW_PASSWORD] = SET_USERS_PASSWORD,
		[VIEW_EMAIL] = SET_USERS_EMAIL,
		[VIEW_VERIFIED] = SET_USERS_VERIFIED,
		[VIEW_FIRSTNAME] = SET_USERS_FIRSTNAME,
		[VIEW_LASTNAME] = SET_USERS_LASTNAME,
		[VIEW_SIGNIN_COUNT] = SET_USERS_SIGNIN_COUNT,
		[VIEW_FAILED_SIGNINS] = SET_USERS_FAILED_SIGNINS,
		[VIEW_CREATED_AT] = SET_USERS_CREATED_AT,
		[VIEW_REFRESH_TOKEN] = SET_USERS_REFRESH_TOKEN,
		[VIEW_EXTENSIONS] = SET_USERS_EXTENSIONS,
	};

	view->relation = config_text(c, SET_USERS_TABLE);
	for (size_t i = 0; i < VIEW_FIELDS; i++)
		view->columns[i] = config_text(c, columns[i]);
	view->extended_events = config_true(c, SET_EVENTS_EXTENDED);
}

static void make_store(struct config *c, struct settings *s)
{
	make_view(c, &s->view);
	s->store = (struct store_setup){
		.url = database_url(c),
		.view = s->view.relation.n > 0 ? &s->view : NULL,
		.connections = (unsigned)config_number(c, SET_DATABASE_CONNECTIONS),
		.timeout = config_number(c, SET_DATABASE_TIMEOUT),
		.group_max = (unsigned)config_number(c, SET_DATABASE_GROUP),
		.migrate = config_true(c, SET_DATABASE_MIGRATE),
		.wait = true,
	};
	s->is_mysql = str_starts(s->store.url, PT_STR("mysql:")) ||
		      str_starts(s->store.url, PT_STR("mariadb:"));
	if (str_starts(s->store.url, PT_STR("sqlite:")))
		s->sqlite_path = str_slice(s->store.url, 7, s->store.url.n);
	else if ((s->store.url.n > 0 || c->as == AS_PORTRESS) && !has_kind(s->store.url) &&
		 !is_word(c, SET_DATABASE_TYPE, "postgres"))
		config_problem(c, "%.*s must be sqlite:PATH, postgres://... or mysql://...",
			SHOW(name_of(c, SET_DATABASE)));
}

/* ---- where ---- */

/* Host and port count where there is no list. */
static pt_str listen_text(const struct config *c, enum setting id)
{
	pt_str host = config_text(c, SET_LISTEN_HOST), port = config_text(c, SET_LISTEN_PORT);
	bool v6 = str_find(host, ':') < host.n && !str_starts(host, PT_STR("["));
	struct buf b = BUF(c->arena, 512);

	if (id != SET_LISTEN || c->values[id].origin != FROM_DEFAULT || port.n == 0)
		return config_text(c, id);
	buf_printf(&b, v6 ? "[%.*s]:" : "%.*s:", SHOW(host));
	buf_str(&b, port);
	return buf_view(&b);
}

static void parse_listen(struct config *c, enum setting id, struct listen_specs *out)
{
	pt_str bad;

	if (listen_parse(listen_text(c, id), out, &bad))
		return;
	out->n = 0;
	config_problem(c,
		"%.*s: `%.*s` is no address to listen on; say HOST:PORT, :PORT, "
		"[V6]:PORT, unix:/PATH or systemd",
		SHOW(name_of(c, id)), SHOW(bad));
}

static void check_listen(struct config *c)
{
	if (listen_text(c, SET_LISTEN).n == 0)
		config_problem(c,
			"%.*s: an address to listen on is needed; say HOST:PORT, :PORT, "
			"[V6]:PORT, unix:/PATH or systemd",
			SHOW(name_of(c, SET_LISTEN)));
}

static pt_str url_default(struct config *c, const struct settings *s)
{
	struct buf b = BUF(c->arena, 64);

	if (s->listen.n == 0)
		return PT_STR(""); /* that was said already */
	for (size_t i = 0; i < s->listen.n; i++) {
		const struct listen_spec *spec = &s->listen.items[i];

		if (spec->kind != LISTEN_TCP)
			continue;
		buf_str(&b, PT_STR("http://localhost:"));
		buf_uint(&b, ntohs(spec->at.any.sa_family == AF_INET ? spec->at.v4.sin_port
								     : spec->at.v6.sin6_port));
		return buf_view(&b);
	}
	config_problem(c, "%.*s must be set: it cannot be told from where we listen",
		SHOW(name_of(c, SET_URL)));
	return PT_STR("");
}

/* "example.org", "[::1]" -> "::1" */
static pt_str host_of(pt_str authority)
{
	pt_str host, port;

	if (authority.n > 0 && authority.p[0] == '[') {
		str_cut(str_slice(authority, 1, authority.n), ']', &host, &port);
		return host;
	}
	str_cut(authority, ':', &host, &port);
	return host;
}

static void make_url(struct config *c, struct settings *s)
{
	struct buf public = BUF(c->arena, 4 * KIB);
	pt_str url = config_text(c, SET_URL);

	if (url.n == 0)
		url = url_default(c, s);
	while (str_ends(url, PT_STR("/")))
		url.n--;
	size_t begin = str_starts(url, PT_STR("https://")) ? 8 : 7;
	size_t end = begin + str_find(str_slice(url, begin, url.n), '/');
	pt_str mount = str_eq(s->pages.mount, PT_STR("/")) ? PT_STR("") : s->pages.mount;
	pt_str authority = str_slice(url, begin, end);

	if (url.n == 0)
		return;
	s->base_url = url;
	s->origin = str_slice(url, 0, end);
	s->host = host_of(authority);
	if (str_find(url, '?') < url.n || str_find(url, '#') < url.n ||
		str_find(authority, '@') < authority.n)
		config_problem(c, "%.*s: an address without ?, # and @, please: %.*s",
			SHOW(name_of(c, SET_URL)), SHOW(url));
	buf_str(&public, url);
	if (!str_ends(str_slice(url, end, url.n), mount))
		buf_str(&public, mount);
	else if (url.n == end)
		buf_str(&public, mount);
	s->public_url = buf_view(&public);
}

/* RFC 9106 and OWASP agree on what is too little; tests and benchmarks may want it all the same. */
static void warn_of_weak_hashes(const struct pt_policy *policy)
{
	if (!policy->hash_bcrypt && policy->argon2_kib * policy->argon2_passes < 2 * 19456)
		log_say(LOG_WARN, "config.hash",
			"password hashes of %u KiB and %u passes are too cheap to protect anybody",
			policy->argon2_kib, policy->argon2_passes);
}

static void make_cookies(struct config *c, struct settings *s)
{
	bool https = str_starts(s->origin, PT_STR("https://")), here = resolve_is_loopback(s->host);

	s->secure_cookies = is_word(c, SET_COOKIES_SECURE, "on") ||
			    (is_word(c, SET_COOKIES_SECURE, "auto") && (https || !here));
	if (!s->secure_cookies || https || s->origin.n == 0)
		return;
	if (c->as == AS_IDENTORO)
		log_say(LOG_WARN, "config.url",
			"cookies are for https only, and %.*s is not: browsers "
			"will not sign in; set INSECURE_COOKIES=true if that is meant",
			SHOW(s->origin));
	else
		config_problem(c,
			"%.*s: cookies are for https only, and %.*s is not: use https, or set "
			"%.*s to off",
			SHOW(name_of(c, SET_URL)), SHOW(s->origin),
			SHOW(name_of(c, SET_COOKIES_SECURE)));
}

static bool is_mount(pt_str mount)
{
	return mount.n > 0 && mount.p[0] == '/' && !str_contains(mount, PT_STR("//"));
}

/* "pages=/auth" */
static bool surface_read(struct settings *s, pt_str word)
{
	pt_str name, mount;

	str_cut(word, '=', &name, &mount);
	while (mount.n > 1 && str_ends(mount, PT_STR("/")))
		mount.n--;
	if (!is_mount(mount))
		return false;
	if (str_eq(name, PT_STR("pages")) && !s->pages.on) {
		s->pages.on = true;
		s->pages.mount = mount;
		return true;
	}
	if (str_eq(name, PT_STR("gotrue")) && !s->gotrue.on) {
		s->gotrue.on = true;
		s->gotrue.mount = mount;
		return true;
	}
	return false;
}

/* Accounts with roles, metadata and audiences do not fit a table that others laid out. */
static void check_gotrue_table(struct config *c, struct settings *s)
{
	bool asked = c->values[SET_SURFACES].origin != FROM_DEFAULT || !s->pages.on;

	if (!s->gotrue.on || config_text(c, SET_USERS_TABLE).n == 0)
		return;
	s->gotrue.on = false;
	if (asked)
		config_problem(c,
			"%.*s: the gotrue surface needs accounts in tables of our own; leave out "
			"one of the two",
			SHOW(name_of(c, SET_USERS_TABLE)));
}

static void make_surfaces(struct config *c, struct settings *s)
{
	pt_str rest = config_text(c, SET_SURFACES), word;

	s->pages.mount = PT_STR("/");
	while (rest.n > 0) {
		str_cut(rest, ',', &word, &rest);
		word = str_trim(word);
		if (surface_read(s, word))
			continue;
		config_problem(c,
			"%.*s: `%.*s` is no surface and its path, or comes twice; say pages=/ or "
			"gotrue=/auth",
			SHOW(name_of(c, SET_SURFACES)), SHOW(word));
		return;
	}
	if (!s->pages.on && !s->gotrue.on)
		config_problem(
			c, "%.*s: nothing to serve; say pages=/", SHOW(name_of(c, SET_SURFACES)));
	if (s->pages.on && s->gotrue.on && str_eq(s->pages.mount, s->gotrue.mount))
		config_problem(c, "%.*s: two surfaces cannot have one path",
			SHOW(name_of(c, SET_SURFACES)));
	check_gotrue_table(c, s);
}

static void make_pages(struct config *c, struct settings *s)
{
	s->pages.profile = (enum pages_profile)config_number(c, SET_PROFILE);
	s->pages.csrf = config_true(c, SET_CSRF);
	s->pages.tokens = config_true(c, SET_JWT);
	s->pages.signup_sent_page = config_true(c, SET_SENT_PAGE);
	s->pages.captcha_site_key =
		config_true(c, SET_CAPTCHA) ? config_text(c, SET_CAPTCHA_SITE_KEY) : PT_STR("");
}

/* More acts at once than a database has connections for us would only stand in line there. */
static unsigned slow_threads(const struct config *c, const struct settings *s)
{
	unsigned said = (unsigned)config_number(c, SET_HTTP_WORKERS);

	if (said > 0)
		return said;
	return s->sqlite_path.n > 0 ? SLOW_THREADS : s->store.connections;
}

static pt_err make_http(struct config *c, struct settings *s)
{
	unsigned hashers = (unsigned)config_number(c, SET_HASH_PARALLEL);
	pt_str bad;

	if (!networks_parse(c->arena, config_text(c, SET_TRUSTED_PROXIES), &s->trusted, &bad))
		config_problem(c, "%.*s: `%.*s` is no network; say 10.0.0.0/8, ::1 or unix",
			SHOW(name_of(c, SET_TRUSTED_PROXIES)), SHOW(bad));
	s->limits = http_default_limits;
	s->limits.connections = (size_t)config_number(c, SET_HTTP_CONNECTIONS);
	s->limits.per_client = (size_t)config_number(c, SET_HTTP_PER_CLIENT);
	s->limits.header_time = config_number(c, SET_HTTP_HEADER_TIME);
	s->limits.body_time = config_number(c, SET_HTTP_BODY_TIME);
	s->limits.idle_time = config_number(c, SET_HTTP_IDLE_TIME);
	s->limits.write_time = config_number(c, SET_HTTP_WRITE_TIME);
	s->loops = (unsigned)config_number(c, SET_HTTP_LOOPS);
	if (s->loops == 0)
		s->loops = processors();
	s->workers = (struct workers_setup){
		.slow_threads = slow_threads(c, s),
		.slow_queue = (unsigned)config_number(c, SET_HTTP_QUEUE),
		.hash_queue = (unsigned)config_number(c, SET_HASH_QUEUE),
		.hashes_at_once = hashers > 0 ? hashers : processors(),
	};
	unsigned under_way = s->workers.hashes_at_once + s->workers.hash_queue;
	s->workers.hash_threads = under_way < HASH_THREADS ? under_way : HASH_THREADS;
	return PT_OK;
}

static void make_jail(const struct config *c, struct settings *s)
{
	s->jail = (struct privdrop_wish){
		.mode = (enum jail_mode)config_number(c, SET_JAIL),
		.user_needed = c->as == AS_IDENTORO,
		.user = config_text(c, SET_JAIL_USER),
		.group = config_text(c, SET_JAIL_GROUP),
		.dir = config_text(c, SET_JAIL_DIR),
		.database = s->sqlite_path,
	};
}

/* ---- mail ---- */

static void smtp_from_url(struct config *c, struct settings *s)
{
	if (smtp_url_parse(c->arena, config_text(c, SET_SMTP_URL), &s->smtp) == PT_OK)
		return;
	config_problem(c, "%.*s must be like smtp://USER:PASSWORD@HOST:PORT",
		SHOW(name_of(c, SET_SMTP_URL)));
}

static void smtp_from_parts(const struct config *c, struct settings *s)
{
	s->smtp.host = config_text(c, SET_SMTP_HOST);
	s->smtp.port = (int)config_number(c, SET_SMTP_PORT);
	s->smtp.tls = smtp_tls_usual(s->smtp.host);
	s->smtp.password = config_text(c, SET_SMTP_PASSWORD);
	if (s->smtp.password.n > 0)
		s->smtp.username = config_text(c, SET_SMTP_USERNAME).n > 0
					   ? config_text(c, SET_SMTP_USERNAME)
					   : config_text(c, SET_MAIL_FROM);
}

static void make_mail(struct config *c, struct settings *s)
{
	s->has_mail = config_text(c, SET_SMTP_URL).n > 0 || config_text(c, SET_SMTP_HOST).n > 0;
	s->smtp_tls_told = !is_word(c, SET_SMTP_TLS, "auto");
	if (config_text(c, SET_SMTP_URL).n > 0)
		smtp_from_url(c, s);
	else
		smtp_from_parts(c, s);
	if (is_word(c, SET_SMTP_TLS, "require"))
		s->smtp.tls = SMTP_TLS_REQUIRE;
	else if (is_word(c, SET_SMTP_TLS, "opportunistic"))
		s->smtp.tls = SMTP_TLS_OPPORTUNISTIC;
	else if (is_word(c, SET_SMTP_TLS, "implicit"))
		s->smtp.tls = SMTP_TLS_IMPLICIT;
	else if (is_word(c, SET_SMTP_TLS, "off"))
		s->smtp.tls = SMTP_TLS_OFF;
	s->smtp.from = config_text(c, SET_MAIL_FROM);
	s->smtp.from_name = config_text(c, SET_MAIL_FROM_NAME);
	s->smtp.reply_to = config_text(c, SET_MAIL_REPLY_TO);
	if (s->has_mail && s->smtp.from.n == 0 && c->as != AS_IDENTORO)
		config_problem(c, "%.*s must be set: letters need a sender",
			SHOW(name_of(c, SET_MAIL_FROM)));
}

static bool listens_only_here(const struct settings *s)
{
	for (size_t i = 0; i < s->listen.n; i++) {
		const struct listen_spec *spec = &s->listen.items[i];

		if (spec->kind != LISTEN_TCP)
			continue;
		if (spec->at.any.sa_family == AF_INET &&
			(ntohl(spec->at.v4.sin_addr.s_addr) >> 24) != 127)
			return false;
		if (spec->at.any.sa_family == AF_INET6 &&
			!IN6_IS_ADDR_LOOPBACK(&spec->at.v6.sin6_addr))
			return false;
	}
	return true;
}

static void make_mailbox(struct config *c, struct settings *s)
{
	bool asked = is_word(c, SET_MAILBOX, "on");

	s->pages.dev_mailbox = asked || (is_word(c, SET_MAILBOX, "auto") && !s->has_mail);
	if (!s->pages.dev_mailbox || s->origin.n == 0)
		return;
	if (!resolve_is_loopback(s->host))
		config_problem(c,
			"no mail server is set, so letters would be shown to everybody at "
			"%.*s/dev/mailbox: set PORTRESS_SMTP_URL and PORTRESS_MAIL_FROM, or "
			"PORTRESS_DEV_MAILBOX=off",
			SHOW(s->public_url));
	else if (!asked && !listens_only_here(s))
		config_problem(c,
			"no mail server is set, so letters would be shown at /dev/mailbox to "
			"whoever reaches %.*s: set PORTRESS_SMTP_URL and PORTRESS_MAIL_FROM, "
			"listen "
			"on loopback only, or set PORTRESS_DEV_MAILBOX to on or off",
			SHOW(config_text(c, SET_LISTEN)));
}

/* ---- GoTrue ---- */

static void check_cookie(struct config *c)
{
	pt_str name = config_text(c, SET_GOTRUE_COOKIE_KEY);

	if (!token_is(name))
		config_problem(c, "%.*s: `%.*s` is no name that a cookie may have (RFC 6265)",
			SHOW(name_of(c, SET_GOTRUE_COOKIE_KEY)), SHOW(name));
}

static void check_providers(const struct settings *s)
{
	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++) {
		const struct gotrue_provider_options *p = &s->gotrue_site.providers[i];

		if (p->enabled && !gotrue_provider_is_whole(p) && !s->gotrue.many)
			log_say(LOG_WARN, "config.provider",
				"%s is enabled, but nobody can sign in with it: client_id, secret "
				"and redirect_uri are needed",
				p->kind);
	}
}

/* Nothing but the database is kept between two starts, and many servers may share it: what else needs
 * a key has it from the secrets that are there anyway. */
static void make_root_of_gotrue(struct config *c, struct settings *s)
{
	struct buf b = BUF(c->arena, 128 * KIB);

	if (c->as != AS_GOTRUE || s->keys.root.n > 0 || config_text(c, SET_KEYS_FILE).n > 0)
		return;
	buf_str(&b, PT_STR("portress as gotrue\n"));
	buf_str(&b, config_text(c, SET_GOTRUE_OPERATOR_TOKEN));
	buf_char(&b, '\n');
	if (!s->gotrue.many)
		buf_str(&b, config_text(c, SET_JWT_SECRET));
	s->keys.root = buf_view(&b);
}

/* A header's name, as requests are searched for it. */
static pt_str header_name(const struct config *c, enum setting id)
{
	pt_str typed = config_text(c, id);
	struct buf b = BUF(c->arena, 1 * KIB);

	for (size_t i = 0; i < typed.n; i++)
		buf_char(&b, ascii_lower(typed.p[i]));
	return buf_view(&b);
}

static void make_gotrue(struct config *c, struct settings *s)
{
	struct gotrue_setup *g = &s->gotrue;

	g->many = config_true(c, SET_GOTRUE_MULTI);
	g->operator_token = config_text(c, SET_GOTRUE_OPERATOR_TOKEN);
	g->export_secret = config_text(c, SET_GOTRUE_EXPORT_SECRET);
	g->endpoint = config_text(c, SET_GOTRUE_ENDPOINT);
	g->limit_header = header_name(c, SET_GOTRUE_RATE_LIMIT_HEADER);
	g->request_id_header = header_name(c, SET_GOTRUE_REQUEST_ID_HEADER);
	g->origins = config_text(c, SET_GOTRUE_ORIGINS);
	g->state_unbound = config_true(c, SET_GOTRUE_STATE_UNBOUND);
	g->query_credentials = config_true(c, SET_GOTRUE_QUERY_CREDENTIALS);
	gotrue_options_make(c, &s->gotrue_site);
	gotrue_policy_make(&s->gotrue_site, &s->policy, &s->gotrue_policy);
	s->webhook_private = config_true(c, SET_WEBHOOK_ALLOW_PRIVATE);
	s->provider_private = config_true(c, SET_PROVIDER_ALLOW_PRIVATE);
	if (g->on && g->many && g->operator_token.n == 0)
		config_problem(c, "%.*s must be set: it tells one site from another",
			SHOW(name_of(c, SET_GOTRUE_OPERATOR_TOKEN)));
	make_root_of_gotrue(c, s);
	check_cookie(c);
	check_providers(s);
}

static void finish_gotrue(const struct config *c, struct settings *s)
{
	s->mail_at_once = config_true(c, SET_MAIL_AT_ONCE);
	s->gotrue_policy.mail_at_once = s->mail_at_once && s->has_mail;
	if (s->gotrue_site.site_url.n > 0 || s->gotrue.many)
		return;
	s->gotrue_site.site_url = s->base_url;
	s->gotrue_site.at_pages = s->pages.on;
}

/* ---- all ---- */

pt_err settings_make_site(struct config *config, struct settings *out)
{
	*out = (struct settings){ 0 };
	make_policy(config, &out->policy);
	check_policy(config, &out->policy);
	make_surfaces(config, out);
	make_keys(config, out, &out->keys);
	make_gotrue(config, out);
	make_store(config, out);
	return config->n_problems > 0 ? PT_F_CONFIG : PT_OK;
}

pt_err settings_make(struct config *config, struct settings *out)
{
	(void)!settings_make_site(config, out);
	parse_listen(config, SET_LISTEN, &out->listen);
	check_listen(config);
	parse_listen(config, SET_OPS_LISTEN, &out->ops);
	make_url(config, out);
	warn_of_weak_hashes(&out->policy);
	make_cookies(config, out);
	make_pages(config, out);
	TRY(make_http(config, out));
	make_jail(config, out);
	make_mail(config, out);
	make_mailbox(config, out);
	finish_gotrue(config, out);
	out->captcha = (struct captcha_setup){
		.verify_url = config_text(config, SET_CAPTCHA_URL),
		.secret = config_text(config, SET_CAPTCHA_SECRET),
		.hostname = out->host,
	};
	return config->n_problems > 0 ? PT_F_CONFIG : PT_OK;
}
