/*
 * fetch_guard.c - lists of networks, read from top to bottom.
 *
 * IPv4 is public unless it is listed. IPv6 is the other way round: IANA gives out 2000::/3 and
 * nothing else, so all that is outside is refused without being known by name.
 */
#include "base/fetch_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#include "base/banned.h"

struct network4 {
	uint8_t prefix[4];
	unsigned bits;
};

struct network6 {
	uint8_t prefix[16];
	unsigned bits;
};

static const struct network4 special4[] = {
	{ { 0 }, 8 },             /* this network, RFC 791 */
	{ { 10 }, 8 },            /* private, RFC 1918 */
	{ { 100, 64 }, 10 },      /* shared by a carrier, RFC 6598 */
	{ { 127 }, 8 },           /* loopback, RFC 1122 */
	{ { 169, 254 }, 16 },     /* link local, RFC 3927: clouds answer secrets there */
	{ { 172, 16 }, 12 },      /* private, RFC 1918 */
	{ { 192, 0, 0 }, 24 },    /* protocol assignments, RFC 6890 */
	{ { 192, 0, 2 }, 24 },    /* documentation, RFC 5737 */
	{ { 192, 88, 99 }, 24 },  /* 6to4 relays, RFC 7526 */
	{ { 192, 168 }, 16 },     /* private, RFC 1918 */
	{ { 198, 18 }, 15 },      /* benchmarks, RFC 2544 */
	{ { 198, 51, 100 }, 24 }, /* documentation, RFC 5737 */
	{ { 203, 0, 113 }, 24 },  /* documentation, RFC 5737 */
	{ { 224 }, 4 },           /* multicast, RFC 5771 */
	{ { 240 }, 4 },           /* reserved, RFC 1112, and broadcast */
};

static const struct network6 unicast6 = { { 0x20 }, 3 };

static const struct network6 special6[] = {
	{ { 0x20, 0x01 }, 23 },             /* protocol assignments, Teredo, RFC 2928 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation, RFC 3849 */
	{ { 0x20, 0x02 }, 16 },             /* 6to4, RFC 7526: leads to any IPv4 */
	{ { 0x3f, 0xff }, 20 },             /* documentation, RFC 9637 */
};

/* Both hold an IPv4 address in their last four bytes. */
static const struct network6 mapped = { { [10] = 0xff, [11] = 0xff }, 96 };
static const struct network6 nat64 = { { 0x00, 0x64, 0xff, 0x9b }, 96 };

static const uint8_t loopback6[16] = { [15] = 1 };

static bool matches(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(address, prefix, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static bool is_in6(const uint8_t address[16], const struct network6 *network)
{
	return matches(address, network->prefix, network->bits);
}

static bool is_public4(const uint8_t address[4])
{
	for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++) {
		if (matches(address, special4[i].prefix, special4[i].bits))
			return false;
	}
	return true;
}

static bool is_public6(const uint8_t address[16])
{
	if (is_in6(address, &mapped) || is_in6(address, &nat64))
		return is_public4(address + 12);
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]); i++) {
		if (is_in6(address, &special6[i]))
			return false;
	}
	return is_in6(address, &unicast6);
}

static bool is_loopback6(const uint8_t address[16])
{
	if (is_in6(address, &mapped))
		return address[12] == 127;
	return memcmp(address, loopback6, sizeof(loopback6)) == 0;
}

/* A sockaddr is read as bytes: callers hand over storage of any alignment. */
static bool read4(const struct sockaddr *address, socklen_t n, uint8_t out[4])
{
	struct sockaddr_in in;

	if (n < sizeof(in) || address->sa_family != AF_INET)
		return false;
	memcpy(&in, address, sizeof(in));
	memcpy(out, &in.sin_addr, 4);
	return true;
}

static bool read6(const struct sockaddr *address, socklen_t n, uint8_t out[16])
{
	struct sockaddr_in6 in;

	if (n < sizeof(in) || address->sa_family != AF_INET6)
		return false;
	memcpy(&in, address, sizeof(in));
	memcpy(out, &in.sin6_addr, 16);
	return true;
}

bool guard_is_public(const struct sockaddr *address, socklen_t n)
{
	uint8_t four[4], six[16];

	if (read4(address, n, four))
		return is_public4(four);
	return read6(address, n, six) && is_public6(six);
}

bool guard_is_loopback(const struct sockaddr *address, socklen_t n)
{
	uint8_t four[4], six[16];

	if (read4(address, n, four))
		return four[0] == 127;
	return read6(address, n, six) && is_loopback6(six);
}

/* ---- networks that are named ---- */

static void map4(const uint8_t four[4], uint8_t out[16])
{
	memcpy(out, mapped.prefix, 12);
	memcpy(out + 12, four, 4);
}

/* Into 16 bytes; *shift is what a length in bits lacks in the text. False: not an address. */
static bool parse_mapped(pt_str text, uint8_t out[16], unsigned *shift)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t four[4];

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*shift = 0;
	if (inet_pton(AF_INET, copy, four) != 1)
		return inet_pton(AF_INET6, copy, out) == 1;
	map4(four, out);
	*shift = mapped.bits;
	return true;
}

static bool is_clear_after(const uint8_t prefix[16], unsigned bits)
{
	for (unsigned i = bits; i < 128; i++) {
		if (prefix[i / 8] & (0x80U >> (i % 8)))
			return false;
	}
	return true;
}

bool guard_network_parse(pt_str text, struct guard_network *out)
{
	struct guard_network network;
	pt_str address, length;
	unsigned shift;
	int64_t bits;

	bool has_length = str_cut(text, '/', &address, &length);
	if (address.n == 0 || !parse_mapped(address, network.prefix, &shift))
		return false;
	bits = 128 - shift;
	if (has_length && !str_int(length, 0, bits, &bits))
		return false;
	network.bits = (unsigned)bits + shift;
	if (!is_clear_after(network.prefix, network.bits))
		return false;
	*out = network;
	return true;
}

bool guard_is_among(const struct sockaddr *address, socklen_t n,
	const struct guard_network *networks, size_t n_networks)
{
	uint8_t four[4], bytes[16];

	if (read4(address, n, four))
		map4(four, bytes);
	else if (!read6(address, n, bytes))
		return false;
	for (size_t i = 0; i < n_networks; i++) {
		if (matches(bytes, networks[i].prefix, networks[i].bits))
			return true;
	}
	return false;
}
