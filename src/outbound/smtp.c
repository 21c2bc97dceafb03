/*
 * smtp.c - one letter, one SMTP transaction over a connection that is kept between letters.
 *
 * A connection is a handle of libcurl's, which one thread at a time may use: a sender takes the one
 * that rests, or opens another.
 *
 * libcurl's errors do not say which command was refused, so what goes over the line is watched:
 * the command that stands, and the last line that came back.
 */
#include "outbound/smtp.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/curl.h"
#include "base/err.h"
#include "base/own.h"
#include "base/resolve.h"
#include "base/str.h"
#include "outbound/mail_header.h"

#include "base/banned.h"

enum {
	STRINGS = 16 * 1024,
	BODY = 1024 * 1024,
	REPLY = 256,
	IDLE_SECONDS = 30, /* servers hang up on their side after some minutes */
};

static const pt_time default_connect_time = 10 * PT_SECOND;
static const pt_time whole_time = 60 * PT_SECOND;

struct smtp {
	struct arena *strings; /* the password among them: wiped with it */
	struct mail_sender sender;
	const char *url;
	pt_str host;
	int port;
	const char *username; /* NULL: no login */
	const char *password;
	long use_ssl;
	bool verify;
	pt_time connect_time;
	bool stopping; /* atomic */
	pthread_mutex_t lock;
	CURL *resting; /* under the lock; NULL: none is open, or somebody has it */
};

/* In the order in which they come. */
enum stage { STAGE_GREETING, STAGE_TLS, STAGE_LOGIN, STAGE_SENDER, STAGE_RECIPIENT, STAGE_CONTENT };

struct command {
	pt_str verb;
	enum stage stage;
};

static const struct command commands[] = {
	{ PT_STR_INIT("EHLO"), STAGE_GREETING },
	{ PT_STR_INIT("STARTTLS"), STAGE_TLS },
	{ PT_STR_INIT("AUTH"), STAGE_LOGIN },
	{ PT_STR_INIT("MAIL FROM:"), STAGE_SENDER },
	{ PT_STR_INIT("RCPT TO:"), STAGE_RECIPIENT },
	{ PT_STR_INIT("DATA"), STAGE_CONTENT },
};

static const char *const stage_names[] = {
	[STAGE_GREETING] = "greeting",
	[STAGE_TLS] = "STARTTLS",
	[STAGE_LOGIN] = "AUTH",
	[STAGE_SENDER] = "MAIL",
	[STAGE_RECIPIENT] = "RCPT",
	[STAGE_CONTENT] = "DATA",
};

/* One attempt. */
struct attempt {
	struct smtp *smtp;
	struct curl_options options;
	struct curl_slist *headers;
	struct curl_slist *recipients;
	curl_mime *mime;
	enum stage stage;
	bool is_over; /* libcurl says goodbye; the answer to that tells nothing */
	char reply[REPLY];
	size_t reply_n;
};

/* ---- watching the line ---- */

static void saw_command(struct attempt *attempt, pt_str line)
{
	if (str_starts(line, PT_STR("QUIT")))
		attempt->is_over = true;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_starts(line, commands[i].verb)) {
			attempt->stage = commands[i].stage;
			attempt->is_over = false;
			attempt->reply_n = 0;
			return;
		}
	}
}

static void saw_reply(struct attempt *attempt, pt_str line)
{
	if (attempt->is_over)
		return;
	while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
		line.n--;
	attempt->reply_n = line.n < REPLY ? line.n : REPLY;
	memcpy(attempt->reply, line.p, attempt->reply_n);
}

/* Neither secrets nor the letter are kept: of what we say only the verb is looked at. */
static int watch(CURL *handle, curl_infotype type, char *bytes, size_t n, void *context)
{
	(void)handle;
	if (type == CURLINFO_HEADER_OUT)
		saw_command(context, str_n(bytes, n));
	else if (type == CURLINFO_HEADER_IN)
		saw_reply(context, str_n(bytes, n));
	return 0;
}

/* libcurl asks at least once a second. */
static int ask_to_go_on(
	void *context, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
	const struct smtp *smtp = context;

	(void)down, (void)down_now, (void)up, (void)up_now;
	return __atomic_load_n(&smtp->stopping, __ATOMIC_RELAXED);
}

/* ---- what became of it ---- */

static int reply_code(const struct attempt *attempt)
{
	int64_t code;

	return str_int(str_slice(str_n(attempt->reply, attempt->reply_n), 0, 3), 200, 599, &code)
		       ? (int)code
		       : 0;
}

/* RFC 4954 6: "you must log in", "this login is wrong", "encryption first". */
static bool is_about_login(int code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

/* What no later attempt can mend while settings, certificate and login stay as they are. */
static bool is_misconfigured(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_USE_SSL_FAILED:
	case CURLE_LOGIN_DENIED:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_UNKNOWN_OPTION:
		return true;
	default:
		return false;
	}
}

/* A refusal of the greeting or of our own address is not this letter's fault. */
static enum pt_sent judge(const struct attempt *attempt, CURLcode code)
{
	int reply = reply_code(attempt);

	if (code == CURLE_OK)
		return PT_SENT;
	if (reply >= 400 && reply < 500)
		return PT_SENT_LATER;
	if (is_misconfigured(code) || is_about_login(reply))
		return PT_SENT_MISCONFIGURED;
	if (reply >= 500)
		return attempt->stage >= STAGE_RECIPIENT ? PT_SENT_NEVER : PT_SENT_MISCONFIGURED;
	return PT_SENT_LATER;
}

static bool ends_local_part(char c)
{
	return c == ' ' || c == '<' || c == '(' || c == '"' || c == ':' || c == ',' || c == ';';
}

/* Servers like to repeat the address; logs and outcomes keep its domain only. */
static void mask_addresses(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; text[i] == '@' && j > 0 && !ends_local_part(text[j - 1]); j--)
			text[j - 1] = '*';
	}
}

static pt_str describe(pt_arena *arena, struct attempt *attempt, CURLcode code)
{
	struct buf b = BUF(arena, KIB);
	pt_str done;

	mask_addresses(attempt->reply, attempt->reply_n);
	if (code != CURLE_OK && reply_code(attempt) < 400) {
		buf_str(&b, curl_reason(&attempt->options, code));
	} else {
		if (code != CURLE_OK)
			buf_printf(&b, "%s: ", stage_names[attempt->stage]);
		buf_bytes(&b, attempt->reply, attempt->reply_n);
	}
	return buf_done(&b, &done) == PT_OK ? done : PT_STR("no memory to say what happened");
}

/* ---- the letter ---- */

/* RFC 5321 2.3.8: lines end in CRLF, and neither byte stands alone: what one server takes for the end
 * of a letter must not be a line of text for the next. */
static pt_err lines_make(pt_arena *arena, pt_str text, pt_str *out)
{
	struct buf b = BUF(arena, 2 * BODY);

	if (text.n > BODY)
		return PT_E_MALFORMED;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_str(&b, PT_STR("\r\n"));
		else if (text.p[i] != '\r')
			buf_char(&b, text.p[i]);
	}
	return buf_done(&b, out);
}

static pt_err add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = libcurl.slist_append(*list, line);

	if (!longer)
		return fault(PT_F_MEMORY, "no room for a letter");
	*list = longer;
	return PT_OK;
}

static pt_err add_part(
	pt_arena *arena, curl_mime *mime, pt_str text, const char *type, const char *encoder)
{
	curl_mimepart *part = libcurl.mime_addpart(mime);
	pt_str lines;

	TRY(lines_make(arena, text, &lines));
	if (!part || libcurl.mime_data(part, lines.p, lines.n) != CURLE_OK ||
		libcurl.mime_type(part, type) != CURLE_OK ||
		libcurl.mime_encoder(part, encoder) != CURLE_OK)
		return fault(PT_F_MEMORY, "no room for a letter");
	return PT_OK;
}

/* Both parts at the top level: under a part of their own they would become multipart/mixed. */
static pt_err add_parts(pt_arena *arena, struct attempt *attempt, const struct pt_mail *mail)
{
	attempt->mime = libcurl.mime_init(attempt->options.handle);
	if (!attempt->mime)
		return fault(PT_F_MEMORY, "no room for a letter");
	TRY(add_part(
		arena, attempt->mime, mail->text, "text/plain; charset=UTF-8", "quoted-printable"));
	if (mail->html.n > 0)
		TRY(add_part(
			arena, attempt->mime, mail->html, "text/html; charset=UTF-8", "base64"));
	curl_pointer(&attempt->options, CURLOPT_MIMEPOST, attempt->mime);
	return PT_OK;
}

static pt_err add_letter(pt_arena *arena, struct attempt *attempt, const struct pt_mail *mail)
{
	const struct mail_sender *sender = &attempt->smtp->sender;
	const char *to = arena_cstr(arena, mail->to);
	struct mail_head head;

	if (!to)
		return fault(PT_F_MEMORY, "no room for a letter");
	TRY(mail_head_make(arena, sender, mail, &head));
	for (size_t i = 0; i < head.n; i++)
		TRY(add_line(&attempt->headers, head.lines[i]));
	TRY(add_line(&attempt->recipients, to));
	curl_pointer(&attempt->options, CURLOPT_HTTPHEADER, attempt->headers);
	curl_text(&attempt->options, CURLOPT_MAIL_FROM, sender->from.p);
	curl_pointer(&attempt->options, CURLOPT_MAIL_RCPT, attempt->recipients);
	return add_parts(arena, attempt, mail);
}

/* ---- the connection ---- */

static void set_login(struct attempt *attempt)
{
	const struct smtp *smtp = attempt->smtp;
	struct curl_options *o = &attempt->options;

	if (!smtp->username)
		return;
	curl_text(o, CURLOPT_USERNAME, smtp->username);
	curl_text(o, CURLOPT_PASSWORD, smtp->password);
	/* The line is encrypted or does not leave the machine; CRAM-MD5 would want the password kept
	 * readable on the other side, and proves less than that. */
	curl_text(o, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
}

static pt_time shorter(pt_time usual, pt_time patience)
{
	return patience > 0 && patience < usual ? patience : usual;
}

static void set_connection(struct attempt *attempt, pt_time patience)
{
	struct smtp *smtp = attempt->smtp;
	struct curl_options *o = &attempt->options;

	curl_common(o, smtp->host, smtp->port);
	curl_text(o, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_text(o, CURLOPT_URL, smtp->url);
	curl_long(o, CURLOPT_USE_SSL, smtp->use_ssl);
	if (!smtp->verify) {
		curl_long(o, CURLOPT_SSL_VERIFYPEER, 0);
		curl_long(o, CURLOPT_SSL_VERIFYHOST, 0);
	}
	curl_time(o, CURLOPT_CONNECTTIMEOUT_MS, shorter(smtp->connect_time, patience));
	curl_time(o, CURLOPT_TIMEOUT_MS, shorter(whole_time, patience));
	curl_long(o, CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	curl_long(o, CURLOPT_VERBOSE, 1);
	curl_callback(o, CURLOPT_DEBUGFUNCTION, (curl_function *)watch);
	curl_pointer(o, CURLOPT_DEBUGDATA, attempt);
	curl_long(o, CURLOPT_NOPROGRESS, 0);
	curl_callback(o, CURLOPT_XFERINFOFUNCTION, (curl_function *)ask_to_go_on);
	curl_pointer(o, CURLOPT_XFERINFODATA, smtp);
	set_login(attempt);
}

static CURL *handle_take(struct smtp *smtp)
{
	CURL *handle;

	pthread_mutex_lock(&smtp->lock);
	handle = PT_GIVE(smtp->resting);
	pthread_mutex_unlock(&smtp->lock);
	return handle ? handle : libcurl.easy_init();
}

static void handle_put(struct smtp *smtp, CURL *handle)
{
	pthread_mutex_lock(&smtp->lock);
	if (!smtp->resting)
		smtp->resting = PT_GIVE(handle);
	pthread_mutex_unlock(&smtp->lock);
	if (handle)
		libcurl.easy_cleanup(handle);
}

static void attempt_close(struct attempt *attempt)
{
	if (!attempt->options.handle)
		return;
	curl_options_close(&attempt->options);
	libcurl.mime_free(attempt->mime);
	libcurl.slist_free_all(attempt->headers);
	libcurl.slist_free_all(attempt->recipients);
	handle_put(attempt->smtp, attempt->options.handle);
}

/* RFC 5321 3.8: a server that has ended a connection for resting too long tells whoever speaks next. It
 * has taken nothing of the letter. */
static bool is_farewell(struct attempt *attempt, CURLcode code)
{
	int reply = reply_code(attempt);
	long connections = 1;

	libcurl.easy_getinfo(attempt->options.handle, CURLINFO_NUM_CONNECTS, &connections);
	return connections == 0 && code != CURLE_OK && code != CURLE_ABORTED_BY_CALLBACK &&
	       code != CURLE_OPERATION_TIMEDOUT && attempt->stage <= STAGE_SENDER &&
	       (reply == 0 || reply == 421);
}

static CURLcode perform(struct attempt *attempt)
{
	CURLcode code = curl_perform(&attempt->options);

	if (!is_farewell(attempt, code))
		return code;
	attempt->stage = STAGE_GREETING;
	attempt->is_over = false;
	attempt->reply_n = 0;
	curl_long(&attempt->options, CURLOPT_FRESH_CONNECT, 1);
	return curl_perform(&attempt->options);
}

/* ---- the courier ---- */

static enum pt_sent unsendable(pt_err err, pt_str *detail)
{
	if (err == PT_E_MALFORMED) {
		*detail = PT_STR("its address, subject or size cannot be sent");
		return PT_SENT_NEVER;
	}
	*detail = PT_STR("no memory");
	return PT_SENT_LATER;
}

static enum pt_sent smtp_send(
	void *context, pt_arena *arena, const struct pt_mail *mail, pt_str *detail)
{
	struct smtp *smtp = context;
	PT_OWN(attempt_close) struct attempt attempt = { .smtp = smtp };
	CURLcode code;
	pt_err err;

	attempt.options.handle = handle_take(smtp);
	if (!attempt.options.handle)
		return unsendable(PT_F_MEMORY, detail);
	set_connection(&attempt, mail->patience);
	err = add_letter(arena, &attempt, mail);
	if (err != PT_OK)
		return unsendable(err, detail);
	code = perform(&attempt);
	*detail = describe(arena, &attempt, code);
	return judge(&attempt, code);
}

static void smtp_stop(void *context)
{
	struct smtp *smtp = context;

	__atomic_store_n(&smtp->stopping, true, __ATOMIC_RELAXED);
}

/* ---- opening ---- */

static bool is_host(pt_str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		if (!ascii_alnum(c) && c != '.' && c != '-' && c != '_' && c != ':')
			return false;
	}
	return host.n > 0 && host.n < 254;
}

pt_err smtp_check(const struct smtp_setup *setup)
{
	bool has_login = setup->username.n > 0;

	if (!is_host(setup->host) || setup->port < 1 || setup->port > 65535)
		return fault(PT_F_CONFIG, "the mail server's host or port is none");
	if (mail_address_check(setup->from) != PT_OK)
		return fault(PT_F_CONFIG, "the sender's mail address is none");
	if (setup->reply_to.n > 0 && mail_address_check(setup->reply_to) != PT_OK)
		return fault(PT_F_CONFIG, "the mail address to reply to is none");
	if (str_find(setup->username, '\0') < setup->username.n ||
		str_find(setup->password, '\0') < setup->password.n)
		return fault(
			PT_F_CONFIG, "the mail server's user name or password holds a NUL byte");
	if (has_login && setup->tls == SMTP_TLS_OFF && !resolve_is_loopback(setup->host))
		return fault(
			PT_F_CONFIG, "a mail password is not sent to another machine without TLS");
	return PT_OK;
}

enum smtp_tls smtp_tls_usual(pt_str host)
{
	return resolve_is_loopback(host) ? SMTP_TLS_OPPORTUNISTIC : SMTP_TLS_REQUIRE;
}

static pt_err name_check(struct arena *arena, pt_str name)
{
	pt_str phrase;

	if (mail_header_phrase(arena, name, &phrase) != PT_OK)
		return fault(PT_F_CONFIG, "the sender's name cannot stand in a mail header");
	return PT_OK;
}

static bool is_implicit(const struct smtp_setup *setup)
{
	return setup->tls == SMTP_TLS_IMPLICIT || setup->port == 465;
}

static pt_err url_make(struct smtp *smtp, const struct smtp_setup *setup)
{
	bool is_v6 = str_find(setup->host, ':') < setup->host.n;
	struct buf b = BUF(smtp->strings, KIB);
	pt_str url;

	buf_str(&b, is_implicit(setup) ? PT_STR("smtps://") : PT_STR("smtp://"));
	buf_str(&b, is_v6 ? PT_STR("[") : PT_STR(""));
	buf_str(&b, setup->host);
	buf_str(&b, is_v6 ? PT_STR("]") : PT_STR(""));
	/* the path is what we call ourselves in EHLO: our own host's name is nobody's business */
	buf_printf(&b, ":%d/localhost", setup->port);
	TRY(buf_done(&b, &url));
	smtp->url = url.p;
	return PT_OK;
}

static void tls_choose(struct smtp *smtp, const struct smtp_setup *setup)
{
	bool here = resolve_is_loopback(setup->host);
	bool opportunistic = setup->tls == SMTP_TLS_OPPORTUNISTIC && !is_implicit(setup);

	smtp->verify = !(opportunistic && here);
	smtp->use_ssl = CURLUSESSL_ALL;
	if (opportunistic && (here || setup->username.n == 0))
		smtp->use_ssl = CURLUSESSL_TRY;
	if (setup->tls == SMTP_TLS_OFF && !is_implicit(setup))
		smtp->use_ssl = CURLUSESSL_NONE;
}

static pt_err strings_copy(struct smtp *smtp, const struct smtp_setup *setup)
{
	struct arena *arena = smtp->strings;

	if (!arena_str(arena, setup->host, &smtp->host) ||
		!arena_str(arena, setup->from, &smtp->sender.from) ||
		!arena_str(arena, setup->from_name, &smtp->sender.from_name) ||
		!arena_str(arena, setup->reply_to, &smtp->sender.reply_to))
		return fault(PT_F_MEMORY, "no room for the mail settings");
	if (setup->username.n > 0) {
		smtp->username = arena_cstr(arena, setup->username);
		smtp->password = arena_cstr(arena, setup->password);
		if (!smtp->username || !smtp->password)
			return fault(PT_F_MEMORY, "no room for the mail settings");
	}
	return url_make(smtp, setup);
}

static void smtp_free(struct smtp **smtp)
{
	if (!*smtp)
		return;
	if ((*smtp)->resting)
		libcurl.easy_cleanup((*smtp)->resting);
	pthread_mutex_destroy(&(*smtp)->lock);
	arena_close((*smtp)->strings);
	free(*smtp);
}

pt_err smtp_open(const struct smtp_setup *setup, struct pt_courier *out)
{
	TRY(curl_open(PT_STR("")));
	TRY(smtp_check(setup));

	PT_OWN(smtp_free) struct smtp *smtp = calloc(1, sizeof(*smtp));
	if (!smtp)
		return fault(PT_F_MEMORY, "no room for the mail settings");
	pthread_mutex_init(&smtp->lock, NULL);
	smtp->strings = arena_open(STRINGS);
	if (!smtp->strings)
		return fault(PT_F_MEMORY, "no room for the mail settings");
	TRY(strings_copy(smtp, setup));
	TRY(name_check(smtp->strings, setup->from_name));
	tls_choose(smtp, setup);
	smtp->port = setup->port;
	smtp->connect_time = setup->connect_time > 0 ? setup->connect_time : default_connect_time;
	*out = (struct pt_courier){
		.size = sizeof(*out), .ctx = PT_GIVE(smtp), .send = smtp_send, .stop = smtp_stop
	};
	return PT_OK;
}

void smtp_close(struct pt_courier *courier)
{
	if (!courier || !courier->ctx)
		return;
	struct smtp *smtp = courier->ctx;
	smtp_free(&smtp);
	*courier = (struct pt_courier){ 0 };
}
