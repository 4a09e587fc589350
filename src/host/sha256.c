/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sha256.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of cube roots of primes. */
static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static void expand(const uint8_t *block, uint32_t w[64])
{
	for (unsigned i = 0; i < 16; i++) {
		memcpy(&w[i], block + 4 * i, 4);
		w[i] = be32toh(w[i]);
	}
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		a = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		b = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
}

static void take_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	expand(block, w);
	memcpy(s, state, sizeof(s));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t big1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
		uint32_t big0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
		uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t one = s[7] + big1 + choose + round_constant[i] + w[i];

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + one;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = one + big0 + most;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

static void take_blocks(struct gb_sha256 *sum, const uint8_t *at, size_t blocks)
{
	if (!sum->plain) {
		gb_sha256_instructions(sum->state, at, blocks, round_constant);
		return;
	}
	for (; blocks; blocks--, at += 64)
		take_block(sum->state, at);
}

void gb_sha256_begin(struct gb_sha256 *sum)
{
	/* FIPS 180-4, 5.3.3 */
	static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(sum->state, first, sizeof(first));
	sum->bytes = 0;
	sum->plain = !gb_sha256_has_instructions();
}

void gb_sha256_add(struct gb_sha256 *sum, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t held = sum->bytes % 64;

	sum->bytes += len;
	if (held) {
		size_t take = len < 64 - held ? len : 64 - held;

		memcpy(sum->block + held, at, take);
		at += take;
		len -= take;
		if (held + take < 64)
			return;
		take_blocks(sum, sum->block, 1);
	}
	take_blocks(sum, at, len / 64);
	if (len % 64)
		memcpy(sum->block, at + len / 64 * 64, len % 64);
}

void gb_sha256_end(struct gb_sha256 *sum, char ret[GB_SHA256_TEXT])
{
	static const uint8_t padding[64] = { 0x80 };
	uint64_t bits = htobe64(sum->bytes * 8);
	size_t held = sum->bytes % 64;

	gb_sha256_add(sum, padding, held < 56 ? 56 - held : 120 - held);
	gb_sha256_add(sum, &bits, sizeof(bits));
	for (unsigned i = 0; i < 8; i++)
		snprintf(ret + 8 * i, 9, "%08x", sum->state[i]);
}

void gb_sha256_of(const void *data, size_t len, char ret[GB_SHA256_TEXT])
{
	struct gb_sha256 sum;

	gb_sha256_begin(&sum);
	if (len)
		gb_sha256_add(&sum, data, len);
	gb_sha256_end(&sum, ret);
}
