/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SHA256_H
#define GB_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4). Our own: the kernel's AF_ALG is often locked away, and none of the
 * libraries that are linked anyway has one in its interface. */
#define GB_SHA256_TEXT 65 /* 64 hexadecimal digits and the end */

struct gb_sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
	bool plain; /* for tests: without the processor's instructions */
};

void gb_sha256_begin(struct gb_sha256 *sum);
void gb_sha256_add(struct gb_sha256 *sum, const void *data, size_t len);
void gb_sha256_end(struct gb_sha256 *sum, char ret[GB_SHA256_TEXT]);
void gb_sha256_of(const void *data, size_t len, char ret[GB_SHA256_TEXT]);

/* Whole blocks with the processor's instructions, where it has them: several times as fast. */
bool gb_sha256_has_instructions(void);
void gb_sha256_instructions(uint32_t state[8], const uint8_t *at, size_t blocks,
			    const uint32_t constant[64]);

#endif
