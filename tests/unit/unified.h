/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unified kernel images made in memory: headers and sections, none of which would run. */
#ifndef UNIFIED_H
#define UNIFIED_H

#include "fake.h"
#include "text.h"

#define UNIFIED_HEAD 1024 /* bytes before the first section's data */
#define UNIFIED_PE 0x80
#define UNIFIED_OPTIONAL 240
#define UNIFIED_TABLE (UNIFIED_PE + 24 + UNIFIED_OPTIONAL)

static inline void unified_set(struct gb_text *to, size_t at, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		to->data[at + i] = (char)(value >> (8 * i));
}

static inline void unified_begin(struct gb_text *to)
{
	static const char zeros[UNIFIED_HEAD];

	to->len = 0;
	gb_text_add(to, zeros, sizeof(zeros));
	memcpy(to->data, "MZ", 2);
	unified_set(to, 0x3c, 4, UNIFIED_PE);
	memcpy(to->data + UNIFIED_PE, "PE", 2);
	unified_set(to, UNIFIED_PE + 20, 2, UNIFIED_OPTIONAL);
	unified_set(to, UNIFIED_PE + 24, 2, 0x20b);
	unified_set(to, UNIFIED_PE + 24 + 108, 4, 16);
}

/* Its data is padded to 512 bytes in the file. */
static inline void unified_section(struct gb_text *to, const char *name, const void *data, size_t len)
{
	static const char zeros[512];
	unsigned count = (unsigned char)to->data[UNIFIED_PE + 6];
	size_t at = UNIFIED_TABLE + count * 40, offset = to->len, padding = -len & 511;

	gb_text_add(to, data, len);
	gb_text_add(to, zeros, padding);
	for (size_t i = 0; i < 8 && name[i]; i++)
		to->data[at + i] = name[i];
	unified_set(to, at + 8, 4, (uint32_t)len);
	unified_set(to, at + 16, 4, (uint32_t)(len + padding));
	unified_set(to, at + 20, 4, (uint32_t)offset);
	unified_set(to, UNIFIED_PE + 6, 2, count + 1);
}

/* Signed with this: where its own directory says, behind all else. */
static inline void unified_sign(struct gb_text *to, const void *table, size_t len)
{
	const size_t directory = UNIFIED_PE + 24 + 112 + 8 * 4;

	unified_set(to, UNIFIED_PE + 24 + 64, 4, 4711);
	unified_set(to, directory, 4, (uint32_t)to->len);
	unified_set(to, directory + 4, 4, (uint32_t)len);
	gb_text_add(to, table, len);
}

static inline void unified_text(struct gb_text *to, const char *name, const char *text)
{
	unified_section(to, name, text, strlen(text));
}

#endif
