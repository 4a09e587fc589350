/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* The processor's own instructions (Intel SDM, volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2):
 * they keep the state as A B E F and C D G H, and make two rounds each. */

bool gb_sha256_has_instructions(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* w[i] to w[i + 3], of the sixteen before. */
__attribute__((target("sha,sse4.1,ssse3")))
static inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	__m128i sum = _mm_sha256msg1_epu32(w0, w1);

	sum = _mm_add_epi32(sum, _mm_alignr_epi8(w3, w2, 4));
	return _mm_sha256msg2_epu32(sum, w3);
}

__attribute__((target("sha,sse4.1,ssse3")))
void gb_sha256_instructions(uint32_t state[8], const uint8_t *at, size_t blocks,
			    const uint32_t constant[64])
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
	__m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
	uint32_t out[8];

	for (; blocks; blocks--, at += 64) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4];

		for (unsigned i = 0; i < 16; i++) {
			const __m128i *k = (const __m128i *)(const void *)(constant + 4 * i);
			__m128i *now = &w[i % 4], sum;

			if (i < 4)
				*now = _mm_shuffle_epi8(
					_mm_loadu_si128((const __m128i *)(const void *)at + i), swap);
			else
				*now = next_words(*now, w[(i + 1) % 4], w[(i + 2) % 4],
						  w[(i + 3) % 4]);
			sum = _mm_add_epi32(*now, _mm_loadu_si128(k));
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	_mm_storeu_si128((__m128i *)(void *)out, abef);
	_mm_storeu_si128((__m128i *)(void *)(out + 4), cdgh);
	for (unsigned i = 0; i < 2; i++) {
		state[i] = out[3 - i];
		state[4 + i] = out[1 - i];
		state[2 + i] = out[7 - i];
		state[6 + i] = out[5 - i];
	}
}

#else

bool gb_sha256_has_instructions(void)
{
	return false;
}

void gb_sha256_instructions(uint32_t state[8], const uint8_t *at, size_t blocks,
			    const uint32_t constant[64])
{
	(void)state;
	(void)at;
	(void)blocks;
	(void)constant;
}

#endif
