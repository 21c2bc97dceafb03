/*
 * pages.c - accounts and events by the page.
 */
#include <stdio.h>

#include "chapters.h"
#include "world.h"

#include "base/banned.h"

/* ---- accounts ---- */

/* `when`: minutes after the world began. */
static struct pt_id person(struct world *w, const char *name, const char *metadata, int when)
{
	struct pt_join join = new_join(w, name);
	struct pt_id id;

	join.account.tenant = PT_STR("acme");
	join.account.audience = PT_STR("web");
	join.account.created_at = w->now + when * PT_MINUTE;
	join.account.user_metadata = str(metadata);
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	return id;
}

static struct pt_account_page first_page(const char *part)
{
	return (struct pt_account_page){
		.tenant = PT_STR("acme"), .audience = PT_STR("web"), .part = str(part), .max = 10
	};
}

/* The names of a page, as "b a". */
static void shows(struct world *w, const struct pt_account_page *query, const char *wanted,
	int64_t wanted_total)
{
	struct pt_account_record *page;
	char names[256] = "";
	size_t n, used = 0;
	int64_t total;

	EXPECT(PT_OK, ACT(w, account_page, query, &page, &n, &total));
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.*s",
			i > 0 ? " " : "", (int)page[i].account.username.n,
			page[i].account.username.p);
	assert_string_equal(wanted, names);
	assert_int_equal(wanted_total, total);
}

static void page_is_cut_from_all_accounts_in_either_order(void **state)
{
	struct world *w = *state;
	struct pt_account_page query = first_page("");

	shows(w, &query, "", 0);
	person(w, "c", "", 3);
	person(w, "a", "", 1);
	person(w, "d", "", 4);
	person(w, "b", "", 2);
	shows(w, &query, "d c b a", 4);
	query.order = PT_OLDEST_FIRST;
	shows(w, &query, "a b c d", 4);
	query.max = 2;
	query.skip = 1;
	shows(w, &query, "b c", 4);
	query.order = PT_NEWEST_FIRST;
	query.skip = 3;
	shows(w, &query, "a", 4);
	query.skip = 4;
	shows(w, &query, "", 4);
	query.max = query.skip = 0;
	shows(w, &query, "", 4);
}

static void accounts_of_one_moment_stand_in_order_of_id(void **state)
{
	struct world *w = *state;
	struct pt_account_page query = first_page("");
	struct pt_account_record *page;
	int64_t total;
	size_t n;

	person(w, "a", "", 0);
	person(w, "b", "", 0);
	person(w, "c", "", 0);
	EXPECT(PT_OK, ACT(w, account_page, &query, &page, &n, &total));
	assert_true(strcmp(page[0].account.id.text, page[1].account.id.text) > 0);
	assert_true(strcmp(page[1].account.id.text, page[2].account.id.text) > 0);
	query.order = PT_OLDEST_FIRST;
	EXPECT(PT_OK, ACT(w, account_page, &query, &page, &n, &total));
	assert_true(strcmp(page[0].account.id.text, page[1].account.id.text) < 0);
}

static void page_shows_one_tenant_and_audience(void **state)
{
	struct world *w = *state;
	struct pt_account_page query = first_page("");

	person(w, "a", "", 0);
	joined(w, "b");
	query.audience = PT_STR("");
	shows(w, &query, "", 0);
	query.tenant = PT_STR("");
	shows(w, &query, "b", 1);
	query.audience = PT_STR("web");
	shows(w, &query, "", 0);
}

static void part_is_looked_for_in_address_and_full_name(void **state)
{
	struct world *w = *state;
	struct pt_account_page query;

	person(w, "ann", "{\"full_name\":\"Grace Hopper\"}", 1);
	person(w, "hop", "{\"name\":\"nobody\",\"full_name\":null}", 2);
	person(w, "eve", "{\"full_name\":{\"first\":\"Ada\"},\"x\":\"hopper\"}", 3);
	person(w, "bob", "", 4);
	query = first_page("HOP");
	shows(w, &query, "hop ann", 2);
	query.max = query.skip = 1;
	shows(w, &query, "ann", 2);
	query.order = PT_OLDEST_FIRST;
	shows(w, &query, "hop", 2);
	query = first_page("example.TEST");
	shows(w, &query, "bob eve hop ann", 4);
	query = first_page("ce h");
	shows(w, &query, "ann", 1);
	query = first_page("gracehopper");
	shows(w, &query, "", 0);
}

static void part_is_no_pattern(void **state)
{
	static const char *const patterns[] = { "%", "_", "a%n", "\\", "!", "'", "*", "?", "[a]" };
	struct world *w = *state;

	person(w, "ann", "{\"full_name\":\"Grace\"}", 0);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct pt_account_page query = first_page(patterns[i]);

		shows(w, &query, "", 0);
	}
	person(w, "per%cent", "", 0);
	struct pt_account_page query = first_page("R%C");
	shows(w, &query, "per%cent", 1);
}

static void letters_beyond_ascii_are_found_as_they_stand(void **state)
{
	struct world *w = *state;
	struct pt_account_page query = first_page("söderström");

	person(w, "ann", "{\"full_name\":\"Åsa Söderström\"}", 0);
	shows(w, &query, "ann", 1);
}

/* ---- events ---- */

static struct pt_id happened(struct world *w, enum pt_event_kind kind, const char *email,
	const char *actor_email, const char *actor_name, int when)
{
	struct pt_event event = new_event(w, kind);

	event.tenant = PT_STR("acme");
	event.account = new_id();
	event.at = w->now + when * PT_MINUTE;
	event.email = str(email);
	event.actor_email = str(actor_email);
	event.actor_name = str(actor_name);
	if (*actor_email)
		event.actor = new_id();
	EXPECT(PT_OK, ACT(w, event_record, &event));
	return event.id;
}

static struct pt_event_page any_page(const char *author)
{
	return (struct pt_event_page){
		.tenant = PT_STR("acme"), .kinds = UINT32_MAX, .author = str(author), .max = 10
	};
}

static void lists(struct world *w, const struct pt_event_page *query, const struct pt_id *wanted,
	size_t n_wanted, int64_t wanted_total)
{
	struct pt_event *page;
	int64_t total;
	size_t n;

	EXPECT(PT_OK, ACT(w, event_page, query, &page, &n, &total));
	assert_int_equal(wanted_total, total);
	assert_int_equal(n_wanted, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(wanted[i].text, page[i].id.text);
}

static void events_are_paged_newest_first_by_kind_and_tenant(void **state)
{
	struct world *w = *state;
	struct pt_event_page query = any_page("");
	struct pt_event elsewhere = new_event(w, PT_EVENT_SIGNIN);
	struct pt_id ids[4];

	lists(w, &query, NULL, 0, 0);
	elsewhere.account = new_id();
	EXPECT(PT_OK, ACT(w, event_record, &elsewhere));
	ids[3] = happened(w, PT_EVENT_SIGNUP, "", "", "", 1);
	ids[1] = happened(w, PT_EVENT_SIGNIN, "", "", "", 2);
	ids[2] = happened(w, PT_EVENT_EMAIL_CHANGED, "", "", "", 1);
	ids[0] = happened(w, PT_EVENT_SIGNIN, "", "", "", 2);
	lists(w, &query, ids, 4, 4);
	query.skip = 1;
	query.max = 2;
	lists(w, &query, ids + 1, 2, 4);
	query = any_page("");
	query.kinds = 1U << PT_EVENT_SIGNUP | 1U << PT_EVENT_EMAIL_CHANGED;
	lists(w, &query, ids + 2, 2, 2);
	query.kinds = 1U << PT_EVENT_SIGNOUT;
	lists(w, &query, NULL, 0, 0);
	query.kinds = 0;
	lists(w, &query, NULL, 0, 0);
	query = any_page("");
	query.tenant = PT_STR("");
	lists(w, &query, &elsewhere.id, 1, 1);
}

static void events_of_nobody_are_on_no_page(void **state)
{
	struct world *w = *state;
	struct pt_event_page query = any_page("");
	struct pt_event event = new_event(w, PT_EVENT_RECOVER_ASKED);
	struct pt_id id;

	event.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, event_record, &event));
	lists(w, &query, NULL, 0, 0);
	id = happened(w, PT_EVENT_RECOVER_ASKED, "", "", "", 1);
	lists(w, &query, &id, 1, 1);
}

static void author_is_who_acted_and_else_the_account(void **state)
{
	struct world *w = *state;
	struct pt_event_page query;
	struct pt_id ids[3];

	ids[2] = happened(w, PT_EVENT_SIGNIN, "ann@Example.test", "", "", 1);
	ids[1] = happened(w, PT_EVENT_SIGNIN, "ann@Example.test", "Root@example.test", "Grace", 2);
	ids[0] = happened(w, PT_EVENT_SIGNIN, "bob@example.test", "", "", 3);
	query = any_page("ANN");
	lists(w, &query, ids + 2, 1, 1);
	query = any_page("oot@");
	lists(w, &query, ids + 1, 1, 1);
	query = any_page("gRACE");
	lists(w, &query, ids + 1, 1, 1);
	query = any_page("example.test");
	lists(w, &query, ids, 3, 3);
	query.skip = query.max = 1;
	lists(w, &query, ids + 1, 1, 3);
	query = any_page("%");
	lists(w, &query, NULL, 0, 0);
	query = any_page("ann");
	query.kinds = 1U << PT_EVENT_SIGNUP;
	lists(w, &query, NULL, 0, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(page_is_cut_from_all_accounts_in_either_order),
	cmocka_unit_test(accounts_of_one_moment_stand_in_order_of_id),
	cmocka_unit_test(page_shows_one_tenant_and_audience),
	cmocka_unit_test(part_is_looked_for_in_address_and_full_name),
	cmocka_unit_test(part_is_no_pattern),
	cmocka_unit_test(letters_beyond_ascii_are_found_as_they_stand),
	cmocka_unit_test(events_are_paged_newest_first_by_kind_and_tenant),
	cmocka_unit_test(events_of_nobody_are_on_no_page),
	cmocka_unit_test(author_is_who_acted_and_else_the_account),
};
CHAPTER(pages);
