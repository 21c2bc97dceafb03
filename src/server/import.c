/*
 * import.c - portress import: people move in from another system.
 */
#include "server/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "portress/act.h"
#include "server/progress.h"
#include "server/wire.h"
#include "store/moving/gotrue.h"

#include "base/banned.h"

enum {
	PAGE_ARENA = 128 * 1024 * 1024,
	SITES_ARENA = 16 * 1024 * 1024,
	URL_MAX = 4096,
	KEY_MAX = 1024, /* bytes of an id there */
	MARK_MAX = 200,
	SOURCE_MAX = 80,
	STORE_SECONDS = 120, /* a batch is one act */
};

/* Where there is one site. */
static const char nobodys_instance[] = "00000000-0000-0000-0000-000000000000";

const char import_help[] =
	"usage: portress import --from gotrue URL [--namespace NAME] [--instance ID]\n"
	"                       [--instances] [--dry-run] [--report FILE]\n\n"
	"Takes the people of a GoTrue database, with their passwords, metadata, tokens and audit\n"
	"log. URL is mysql://USER:PASSWORD@HOST:PORT/DATABASE, or - to read it from standard "
	"input.\n"
	"Nothing is written there. Run again, it goes on where it broke off; whoever is here "
	"already\nstays as he is.\n\n"
	"  --namespace NAME  the tables are NAME_users, NAME_refresh_tokens ... "
	"(GOTRUE_DB_NAMESPACE)\n"
	"  --instance ID     only that instance; its people become this site's own\n"
	"  --instances       each instance becomes a site of its own, under its id (portress "
	"multi)\n"
	"  --dry-run         read and judge everything, keep nothing\n"
	"  --report FILE     one line for each thing that stays behind, and why\n";

const char import_options[] = "from namespace instance instances dry-run report";

/* ---- words ---- */

static const char *const kind_words[PT_MOVING_KINDS] = {
	[PT_MOVING_ACCOUNTS] = "people",
	[PT_MOVING_PARTS] = "parts",
	[PT_MOVING_TICKETS] = "tickets",
	[PT_MOVING_TOKENS] = "tokens",
	[PT_MOVING_EVENTS] = "events",
};

static const char *const reason_words[PT_LEFT_REASONS] = {
	[PT_LEFT_ID] = "the id is empty or too long",
	[PT_LEFT_ADDRESS] = "no e-mail address that is taken here",
	[PT_LEFT_TAKEN] = "the address is another account's",
	[PT_LEFT_METADATA] = "the metadata is no object, or too large",
	[PT_LEFT_PASSWORD] = "the password's hash is of an unknown form",
	[PT_LEFT_EXPIRED] = "no longer good",
	[PT_LEFT_SECRET] = "a secret of an unknown form",
	[PT_LEFT_OWNER] = "whose it is does not come",
	[PT_LEFT_MANY] = "older ones of somebody who has thousands",
	[PT_LEFT_UNKNOWN] = "an event of an unknown kind",
};

static bool is_uuid(pt_str text)
{
	bool fits = text.n == 36;

	for (size_t i = 0; fits && i < text.n; i++) {
		char c = ascii_lower(text.p[i]);

		fits = i == 8 || i == 13 || i == 18 || i == 23
			       ? c == '-'
			       : ascii_digit(c) || (c >= 'a' && c <= 'f');
	}
	return fits;
}

static int usage(const char *what)
{
	fprintf(stderr, "portress: import: %s; `portress import --help` says how\n", what);
	return EXIT_USAGE;
}

/* "-": one line of standard input, where nobody else sees a password. */
static int url_read(struct cli *cli, pt_str word, pt_str *out)
{
	char *line = arena_alloc(cli->arena, URL_MAX);

	*out = word;
	if (!str_eq(word, PT_STR("-")))
		return word.n > 0 ? EXIT_DONE : usage("from where?");
	if (!line)
		return EXIT_INTERNAL;
	if (!fgets(line, URL_MAX, stdin))
		return usage("nothing on standard input");
	line[strcspn(line, "\r\n")] = '\0';
	*out = str(line);
	return EXIT_DONE;
}

int import_read(struct cli *cli, struct import_wish *out)
{
	const struct args *args = &cli->args;
	pt_str report = args_option(args, "report");
	struct import_wish wish = {
		.space = args_option(args, "namespace"),
		.instance = args_option(args, "instance"),
		.instances = args_has(args, "instances"),
		.rehearsal = args_has(args, "dry-run"),
	};

	if (!str_eq(args_option(args, "from"), PT_STR("gotrue")))
		return usage("--from must be gotrue");
	if (wish.instance.n > 0 && !is_uuid(wish.instance))
		return usage("--instance must be a UUID");
	if (args_has(args, "report") && report.n == 0)
		return usage("--report must name a file");
	if (report.n > 0)
		wish.report = arena_cstr(cli->arena, report);
	int code = url_read(cli, args_word(args, 1), &wish.url);
	if (code == EXIT_DONE)
		*out = wish;
	return code;
}

/* ---- an import ---- */

struct import {
	const struct import_wish *wish;
	struct pt_site *site;
	struct gotrue_source *source;
	struct arena *page;  /* of one page, and of the act that keeps it */
	struct arena *sites; /* of a page of instances */
	FILE *report;
	struct progress progress;
	struct pt_moved total;
	struct {
		size_t added, skipped, left_out;
	} tenants;
	bool went_on;
};

/* One instance on its way to one tenant. */
struct part {
	struct gotrue_part from;
	pt_str tenant;
	char source[SOURCE_MAX]; /* names the import in the store */
	enum { PEOPLE, EVENTS, DONE } stage;
	char after[KEY_MAX + 1]; /* the last one that was kept */
	char mark[MARK_MAX + 1];
};

static const char *const stage_words[] = { "people", "events", "done" };

static void import_close(struct import *im)
{
	gotrue_source_close(im->source);
	pt_site_close(im->site);
	arena_close(im->page);
	arena_close(im->sites);
	if (im->report)
		fclose(im->report);
}

/* What was typed there is not obeyed by a terminal here. */
static void write_plain(FILE *out, pt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		fputc(c < 0x20 || c >= 0x7F ? '?' : c, out);
	}
}

static void left_out(void *ctx, enum pt_moving_kind kind, pt_str key, enum pt_left_out why)
{
	struct import *im = ctx;
	FILE *out = im->report ? im->report : stderr;

	/* Secrets that have run out are no news on a terminal: they are counted. */
	if (!im->report && kind != PT_MOVING_ACCOUNTS && kind != PT_MOVING_PARTS)
		return;
	if (!im->report)
		progress_clear(&im->progress);
	fprintf(out, "%s\t", kind_words[kind]);
	write_plain(out, key);
	fprintf(out, "\t%s\n", reason_words[why]);
}

static void total_add(struct pt_moved *total, const struct pt_moved *moved)
{
	for (size_t i = 0; i < PT_MOVING_KINDS; i++) {
		total->added[i] += moved->added[i];
		total->skipped[i] += moved->skipped[i];
		for (size_t j = 0; j < PT_LEFT_REASONS; j++)
			total->left_out[i][j] += moved->left_out[i][j];
	}
}

static pt_err call_begin(struct import *im, struct arena *arena, struct pt_call **out)
{
	const struct pt_asker nobody = { .client = PT_STR("") };

	return pt_call_begin(im->site, arena, &nobody, out);
}

/* ---- marks ---- */

/* The store keeps a short name; ours says where from, where to, and holds no secret. */
static pt_err part_name(const struct import *im, struct part *part)
{
	struct arena *arena = arena_open(16 * KIB);
	struct buf whole = BUF(arena, 8 * KIB), name = BUF_FIXED(part->source);
	struct pt_hash hash;
	pt_str text;
	pt_err err;

	if (!arena)
		return PT_F_MEMORY;
	buf_str(&whole, gotrue_source_name(im->source));
	buf_char(&whole, '\n');
	buf_str(&whole, part->from.instance);
	buf_char(&whole, '\n');
	buf_str(&whole, part->tenant);
	err = buf_done(&whole, &text);
	if (err == PT_OK)
		err = digest_sha256(text, &hash);
	arena_close(arena);
	TRY(err);
	buf_str(&name, PT_STR("gotrue "));
	buf_hex(&name, hash.bytes, sizeof(hash.bytes));
	return buf_done(&name, &text);
}

/* A column of 255 characters holds no more. */
static void key_copy(char to[KEY_MAX + 1], pt_str key)
{
	size_t n = key.n < KEY_MAX ? key.n : KEY_MAX;

	memcpy(to, key.p ? key.p : "", n);
	to[n] = '\0';
}

/* An id too long for a mark leaves the last one standing: that much is looked at again. */
static void mark_set(struct part *part)
{
	char mark[MARK_MAX + 1];
	struct buf b = BUF_FIXED(mark);
	pt_str text;

	buf_str(&b, str(stage_words[part->stage]));
	if (part->after[0]) {
		buf_char(&b, ' ');
		buf_str(&b, str(part->after));
	}
	if (buf_done(&b, &text) == PT_OK)
		memcpy(part->mark, text.p, text.n + 1);
}

static void mark_obey(struct import *im, struct part *part, pt_str mark)
{
	pt_str stage, key;

	str_cut(mark, ' ', &stage, &key);
	if (str_eq(stage, str(stage_words[EVENTS])))
		part->stage = EVENTS;
	else if (!str_eq(stage, str(stage_words[PEOPLE])))
		return;
	key_copy(part->after, key);
	im->went_on = true;
}

/* A rehearsal is of the whole. */
static pt_err mark_read(struct import *im, struct part *part)
{
	struct pt_call *call;
	pt_str mark;

	part->stage = PEOPLE;
	if (im->wish->rehearsal)
		return PT_OK;
	TRY(call_begin(im, NULL, &call));
	pt_err err = pt_moving_mark(call, str(part->source), &mark);
	if (err == PT_OK)
		mark_obey(im, part, mark);
	pt_call_end(call);
	return err;
}

/* ---- pages ---- */

static pt_err batch_move(struct import *im, struct part *part, struct pt_moving *batch)
{
	struct pt_moved moved;
	struct pt_call *call;

	mark_set(part);
	batch->tenant = part->tenant;
	batch->source = str(part->source);
	batch->mark = str(part->mark);
	batch->rehearsal = im->wish->rehearsal;
	batch->left_out = left_out;
	batch->ctx = im;
	TRY(call_begin(im, im->page, &call));
	pt_err err = pt_move_in(call, batch, &moved);
	pt_call_end(call);
	TRY(err);
	total_add(&im->total, &moved);
	return PT_OK;
}

static pt_err people_move(struct import *im, struct part *part, int64_t total)
{
	struct gotrue_people people;

	progress_begin(&im->progress, "people", total);
	for (;;) {
		arena_reset(im->page);
		TRY(gotrue_source_people(
			im->source, im->page, &part->from, str(part->after), &people));
		if (people.n_newcomers == 0)
			break;
		struct pt_moving batch = { .newcomers = people.newcomers,
			.n_newcomers = people.n_newcomers,
			.tokens = people.tokens,
			.n_tokens = people.n_tokens };
		im->total.left_out[PT_MOVING_TOKENS][PT_LEFT_MANY] += (size_t)people.tokens_more;
		key_copy(part->after, people.last);
		TRY(batch_move(im, part, &batch));
		progress_add(&im->progress, (int64_t)people.n_newcomers);
	}
	progress_end(&im->progress);
	part->stage = EVENTS;
	key_copy(part->after, PT_STR(""));
	return PT_OK;
}

static pt_err events_move(struct import *im, struct part *part, int64_t total)
{
	struct gotrue_events events;

	progress_begin(&im->progress, "events", total);
	for (;;) {
		arena_reset(im->page);
		TRY(gotrue_source_events(
			im->source, im->page, &part->from, str(part->after), &events));
		if (events.n == 0)
			break;
		struct pt_moving batch = { .events = events.events, .n_events = events.n };
		key_copy(part->after, events.last);
		TRY(batch_move(im, part, &batch));
		progress_add(&im->progress, (int64_t)events.n);
	}
	progress_end(&im->progress);
	part->stage = DONE;
	key_copy(part->after, PT_STR(""));
	return PT_OK;
}

/* What a page never shows: tokens that are spent, or nobody's. */
static void tokens_unseen(struct import *im, const struct gotrue_counts *counts)
{
	size_t *left = im->total.left_out[PT_MOVING_TOKENS];

	left[PT_LEFT_EXPIRED] += (size_t)(counts->tokens - counts->tokens_usable);
	left[PT_LEFT_OWNER] += (size_t)(counts->tokens_usable - counts->tokens_owned);
}

static pt_err part_move(struct import *im, pt_str instance, pt_str tenant)
{
	struct part part = {
		.from = { instance, clock_now() - pt_site_policy(im->site)->refresh_life },
		.tenant = tenant,
	};
	struct gotrue_counts counts;
	struct pt_moving nothing = { .n_newcomers = 0 };

	TRY(part_name(im, &part));
	TRY(mark_read(im, &part));
	arena_reset(im->page);
	TRY(gotrue_source_count(im->source, im->page, &part.from, &counts));
	tokens_unseen(im, &counts);
	if (part.stage == PEOPLE)
		TRY(people_move(im, &part, counts.people));
	TRY(events_move(im, &part, counts.events));
	arena_reset(im->page);
	return batch_move(im, &part, &nothing);
}

/* ---- many sites ---- */

static pt_err tenant_keep(struct import *im, struct pt_call *call, const struct pt_tenant *tenant)
{
	struct pt_tenant there, fresh = *tenant;
	pt_err err = pt_tenant_get(call, str(tenant->id.text), &there);

	if (err == PT_OK) {
		im->tenants.skipped++;
		return PT_OK;
	}
	if (err != PT_E_NOT_FOUND)
		return err;
	if (fresh.config.n == 0)
		fresh.config = PT_STR("null");
	if (!im->wish->rehearsal)
		TRY(pt_tenant_move_in(call, &fresh));
	im->tenants.added++;
	return PT_OK;
}

static void tenant_leave(struct import *im, const struct pt_tenant *tenant, const char *why)
{
	FILE *out = im->report ? im->report : stderr;

	im->tenants.left_out++;
	fputs("instance\t", out);
	write_plain(out, str(tenant->id.text));
	fprintf(out, "\t%s\n", why);
}

/* Its people stay behind with it. */
static pt_err tenant_move(struct import *im, const struct pt_tenant *tenant)
{
	struct pt_call *call;

	if (tenant->id.text[0] == '\0') {
		tenant_leave(im, tenant, reason_words[PT_LEFT_ID]);
		return PT_OK;
	}
	TRY(call_begin(im, NULL, &call));
	pt_err err = tenant_keep(im, call, tenant);
	pt_call_end(call);
	switch ((int)err) {
	case PT_OK:
		return part_move(im, str(tenant->id.text), str(tenant->id.text));
	case PT_E_TAKEN:
		tenant_leave(im, tenant, "its uuid is another site's");
		return PT_OK;
	case PT_E_TOO_LARGE:
		tenant_leave(im, tenant, "its configuration is too large");
		return PT_OK;
	default:
		return err;
	}
}

static bool is_wanted(const struct import *im, const struct pt_tenant *tenant)
{
	return im->wish->instance.n == 0 || str_eq_nocase(im->wish->instance, str(tenant->id.text));
}

static pt_err tenants_move(struct import *im)
{
	struct gotrue_instances page;
	char after[KEY_MAX + 1] = "";

	for (;;) {
		arena_reset(im->sites);
		TRY(gotrue_source_instances(im->source, im->sites, str(after), &page));
		if (page.n == 0)
			return PT_OK;
		for (size_t i = 0; i < page.n; i++) {
			if (is_wanted(im, &page.tenants[i]))
				TRY(tenant_move(im, &page.tenants[i]));
		}
		key_copy(after, page.last);
	}
}

static pt_err all_move(struct import *im)
{
	pt_str one = im->wish->instance;

	if (!im->wish->instances)
		return part_move(im, one.n > 0 ? one : str(nobodys_instance), PT_STR(""));
	if (one.n == 0)
		TRY(part_move(im, str(nobodys_instance), PT_STR("")));
	return tenants_move(im);
}

/* ---- what came of it ---- */

static size_t left_of(const struct pt_moved *moved, size_t kind)
{
	size_t sum = 0;

	for (size_t i = 0; i < PT_LEFT_REASONS; i++)
		sum += moved->left_out[kind][i];
	return sum;
}

static void print_counts(const struct import *im)
{
	const struct pt_moved *total = &im->total;

	printf("%-10s %12s %12s %12s\n", "", "added", "there", "left out");
	if (im->wish->instances)
		printf("%-10s %12zu %12zu %12zu\n", "sites", im->tenants.added, im->tenants.skipped,
			im->tenants.left_out);
	for (size_t i = 0; i < PT_MOVING_KINDS; i++) {
		if (i != PT_MOVING_PARTS)
			printf("%-10s %12zu %12zu %12zu\n", kind_words[i], total->added[i],
				total->skipped[i], left_of(total, i));
	}
}

static void print_reasons(const struct pt_moved *total)
{
	bool first = true;

	for (size_t i = 0; i < PT_MOVING_KINDS; i++) {
		for (size_t j = 0; j < PT_LEFT_REASONS; j++) {
			if (total->left_out[i][j] == 0)
				continue;
			if (first)
				puts("\nleft out:");
			first = false;
			printf("%12zu %s%s: %s\n", total->left_out[i][j], kind_words[i],
				i == PT_MOVING_PARTS ? " of people" : "", reason_words[j]);
		}
	}
}

static void print_all(const struct import *im)
{
	if (im->went_on)
		puts("Went on behind the last batch of the run before; these are the numbers of "
		     "this run.");
	if (im->wish->rehearsal)
		puts("A rehearsal: nothing was kept.");
	print_counts(im);
	print_reasons(&im->total);
}

/* ---- the command ---- */

static pt_err report_open(struct import *im)
{
	const char *path = im->wish->report;

	if (!path)
		return PT_OK;
	im->report = fopen(path, "we");
	return im->report ? PT_OK : fault(PT_F_IO, "%s: %s", path, strerror(errno));
}

static pt_err import_open(struct import *im, struct config *config, struct settings *settings)
{
	im->page = arena_open(PAGE_ARENA);
	im->sites = arena_open(SITES_ARENA);
	if (!im->page || !im->sites)
		return PT_F_MEMORY;
	/* What comes is GoTrue's: its lives are judged by the site that takes GoTrue's place. */
	if (settings->gotrue.on)
		settings->policy = settings->gotrue_policy;
	settings->store.timeout = STORE_SECONDS * PT_SECOND;
	TRY(report_open(im));
	TRY(server_site(config, settings, &im->site));
	return gotrue_source_open(im->wish->url, im->wish->space, &im->source);
}

static pt_err report_finish(struct import *im)
{
	bool written = !im->report || fflush(im->report) == 0;

	return written ? PT_OK : fault(PT_F_IO, "%s: %s", im->wish->report, strerror(errno));
}

int import_run(struct config *config, struct settings *settings, const struct import_wish *wish)
{
	struct import im = { .wish = wish };
	pt_err err = import_open(&im, config, settings);

	if (err == PT_OK)
		err = all_move(&im);
	progress_clear(&im.progress);
	if (err == PT_OK)
		err = report_finish(&im);
	if (err == PT_OK)
		print_all(&im);
	else if (im.source)
		fputs("portress: the import broke off; the same command goes on with it\n", stderr);
	import_close(&im);
	return exit_code_of(err);
}
