/*
 * proxy.c - who is really asking, when proxies of ours stand between.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "http/proxy.h"

#include "base/banned.h"

/* ---- addresses ---------------------------------------------------------------------------- */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(const uint8_t bytes[16])
{
	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

bool address_parse(pt_str text, struct address *out)
{
	char copy[46];
	struct address address = { .known = true };

	if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, address.bytes + 12) == 1)
		memcpy(address.bytes, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, copy, address.bytes) != 1)
		return false;
	*out = address;
	return true;
}

void address_format(const struct address *address, char out[46])
{
	if (is_mapped(address->bytes))
		inet_ntop(AF_INET, address->bytes + 12, out, 46);
	else
		inet_ntop(AF_INET6, address->bytes, out, 46);
}

static bool network_holds(const struct network *network, const uint8_t bytes[16])
{
	size_t whole = (size_t)network->prefix / 8;
	unsigned rest = (unsigned)network->prefix % 8;

	if (memcmp(network->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

/* clang-format off */
static const struct network private_networks[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10 }, 104 },	  /* RFC 1918 */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 172, 16 }, 108 },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168 }, 112 },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127 }, 104 },	  /* loopback */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254 }, 112 }, /* link-local */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 100, 64 }, 106 },  /* RFC 6598 */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0 }, 104 },	  /* "this network" */
	{ { 0 }, 127 },							  /* :: and ::1 */
	{ { 0xfc }, 7 },						  /* RFC 4193 */
	{ { 0xfe, 0x80 }, 10 },						  /* link-local */
};
/* clang-format on */

bool address_is_private(const struct address *address)
{
	for (size_t i = 0; i < sizeof(private_networks) / sizeof(private_networks[0]); i++) {
		if (network_holds(&private_networks[i], address->bytes))
			return true;
	}
	return false;
}

bool address_in(const struct address *address, const struct networks *networks)
{
	for (size_t i = 0; address->known && i < networks->n; i++) {
		if (network_holds(&networks->items[i], address->bytes))
			return true;
	}
	return false;
}

/* ---- networks ----------------------------------------------------------------------------- */

static bool network_parse(pt_str text, struct network *out)
{
	struct address address;
	pt_str host, prefix;
	bool has_prefix = str_cut(text, '/', &host, &prefix);
	int64_t bits;

	if (!address_parse(host, &address))
		return false;
	/* The prefix of a dotted address counts from its own first bit. */
	bits = str_find(host, ':') == host.n ? 32 : 128;
	if (has_prefix && !str_int(prefix, 0, bits, &bits))
		return false;
	out->prefix = (int)bits + (str_find(host, ':') == host.n ? 96 : 0);
	memcpy(out->bytes, address.bytes, sizeof(out->bytes));
	return true;
}

bool networks_parse(struct arena *arena, pt_str text, struct networks *out, pt_str *bad)
{
	struct networks found = { 0 };
	struct network *items;
	size_t most = 1;

	for (size_t i = 0; i < text.n; i++)
		most += text.p[i] == ',' || text.p[i] == ' ';
	items = ARENA_ARRAY(arena, struct network, most);
	*bad = text;
	if (items == NULL)
		return false;

	while (text.n > 0) {
		pt_str item;
		size_t end = 0;

		while (end < text.n && text.p[end] != ',' && text.p[end] != ' ')
			end++;
		item = str_trim(str_slice(text, 0, end));
		text = str_slice(text, end + 1, text.n);
		if (item.n == 0)
			continue;
		if (str_eq(item, PT_STR("unix"))) {
			found.unix_peers = true;
		} else if (!network_parse(item, &items[found.n++])) {
			*bad = item;
			return false;
		}
	}
	found.items = items;
	*out = found;
	return true;
}

/* ---- hops --------------------------------------------------------------------------------- */

/* What a trusted chain of proxies says. */
struct testimony {
	struct address client;
	bool spoken;      /* somebody said something of who is asking, be it nonsense */
	bool vouched;     /* a trusted peer named an address */
	size_t hops_back; /* how far the client stands from the right */
	pt_str proto;     /* of that hop, when the same header says it */
};

/* "1.2.3.4", "1.2.3.4:567", "[2001:db8::1]:567" */
static bool hop_parse(pt_str hop, struct address *out)
{
	size_t colon;

	hop = str_trim(hop);
	if (hop.n >= 2 && hop.p[0] == '"' && hop.p[hop.n - 1] == '"')
		hop = str_slice(hop, 1, hop.n - 1);
	if (hop.n > 0 && hop.p[0] == '[') {
		size_t end = str_find(hop, ']');

		return end < hop.n && address_parse(str_slice(hop, 1, end), out);
	}
	colon = str_find(hop, ':');
	/* One colon is a port, more are an IPv6 address. */
	if (colon < hop.n && str_find(str_slice(hop, colon + 1, hop.n), ':') + colon + 1 == hop.n)
		hop = str_slice(hop, 0, colon);
	return address_parse(hop, out);
}

static pt_str last_item(pt_str *list)
{
	size_t start = list->n;
	pt_str item;

	while (start > 0 && list->p[start - 1] != ',')
		start--;
	item = str_trim(str_slice(*list, start, list->n));
	*list = str_slice(*list, 0, start > 0 ? start - 1 : 0);
	return item;
}

/* One parameter of a Forwarded element (RFC 7239 4). */
static pt_str forwarded_parameter(pt_str element, pt_str wanted)
{
	while (element.n > 0) {
		pt_str pair, name, value;

		(void)str_cut(element, ';', &pair, &element);
		if (!str_cut(str_trim(pair), '=', &name, &value) || !str_eq_nocase(name, wanted))
			continue;
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = str_slice(value, 1, value.n - 1);
		return value;
	}
	return PT_STR("");
}

/* Takes one hop, from the right. False: the search ends. */
static bool hop_take(
	struct testimony *testimony, pt_str item, bool is_forwarded, const struct networks *trusted)
{
	pt_str hop = is_forwarded ? forwarded_parameter(item, PT_STR("for")) : item;
	struct address address;

	testimony->spoken = testimony->spoken || hop.n > 0;
	if (!hop_parse(hop, &address))
		return false;
	testimony->client = address;
	testimony->hops_back += testimony->vouched;
	testimony->vouched = true;
	if (is_forwarded)
		testimony->proto = forwarded_parameter(item, PT_STR("proto"));
	return address_in(&address, trusted);
}

static void hops_walk(const struct http_request *rq, pt_str header, bool is_forwarded,
	const struct networks *trusted, struct testimony *out)
{
	for (size_t i = rq->n_headers; i-- > 0;) {
		pt_str list = rq->headers[i].value;

		if (!str_eq(rq->headers[i].name, header))
			continue;
		do {
			if (!hop_take(out, last_item(&list), is_forwarded, trusted))
				return;
		} while (list.n > 0);
	}
}

/* One word for all hops, or a list in which the client's hop has its place. */
static pt_str proto_of(const struct http_request *rq, const struct testimony *testimony)
{
	pt_str list = http_header(rq, PT_STR("x-forwarded-proto"));
	pt_str item = last_item(&list);

	for (size_t i = 0; i < testimony->hops_back && list.n > 0; i++)
		item = last_item(&list);
	return item;
}

static void hear(struct http_request *rq, const struct networks *trusted, struct testimony *out)
{
	/* Of the two headers one counts, and it is the one that proxies rewrite most often: a proxy
	 * that sends Forwarded must drop a client's X-Forwarded-For. */
	bool is_forwarded = !http_has_header(rq, PT_STR("x-forwarded-for")) &&
			    http_has_header(rq, PT_STR("forwarded"));

	if (is_forwarded)
		hops_walk(rq, PT_STR("forwarded"), true, trusted, out);
	else
		hops_walk(rq, PT_STR("x-forwarded-for"), false, trusted, out);
	if (!is_forwarded || out->proto.n == 0)
		out->proto = proto_of(rq, out);
}

pt_err proxy_resolve(struct http_request *rq, const struct networks *trusted)
{
	struct testimony testimony = { 0 };
	struct address peer = { 0 };
	char text[46];

	(void)address_parse(rq->peer, &peer);
	rq->client = rq->peer;
	rq->client_known = peer.known && !address_is_private(&peer);
	if (trusted == NULL || (peer.known ? !address_in(&peer, trusted) : !trusted->unix_peers))
		return PT_OK;

	hear(rq, trusted, &testimony);
	if (str_eq_nocase(testimony.proto, PT_STR("https")))
		rq->tls = true;
	/* Whoever can make a proxy say nonsense is still counted, together with all who do. */
	if (testimony.spoken)
		rq->client_known = true;
	if (!testimony.vouched)
		return PT_OK;
	address_format(&testimony.client, text);
	if (!arena_str(rq->arena, str(text), &rq->client))
		return fault(PT_F_MEMORY, "no memory for a client's address");
	return PT_OK;
}
