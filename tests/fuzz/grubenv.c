/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's environment block, damaged or not: what is set is read back, nothing else changes, and what is
 * taken away again is gone. */
#include "grubenv.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

struct values {
	char of[3][GB_GRUBENV_SIZE];
	int result[3];
};

static const char *const names[] = { "saved_entry", "next_entry", "boot_success" };

static void read_all(const char *block, struct values *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < 3; i++)
		ret->result[i] = gb_grubenv_get(block, GB_GRUBENV_SIZE, names[i], ret->of[i],
						sizeof(ret->of[i]));
}

static void others_are(const struct values *before, const struct values *now, size_t but)
{
	for (size_t i = 0; i < 3; i++)
		MUST(i == but || (before->result[i] == now->result[i] &&
				  !strcmp(before->of[i], now->of[i])));
}

static void set_and_take_away(const char *from, const char *value)
{
	char block[GB_GRUBENV_SIZE], again[GB_GRUBENV_SIZE];
	struct values before, now;
	int r;

	memcpy(block, from, sizeof(block));
	read_all(block, &before);
	r = gb_grubenv_set(block, sizeof(block), names[1], value, NULL);
	if (r) {
		MUST(!memcmp(block, from, sizeof(block)));
		return;
	}
	MUST(gb_grubenv_is(block, sizeof(block)));
	read_all(block, &now);
	MUST(!now.result[1] && !strcmp(now.of[1], value));
	others_are(&before, &now, 1);
	memcpy(again, block, sizeof(block));
	MUST(!gb_grubenv_set(again, sizeof(again), names[1], value, NULL));
	MUST(!memcmp(again, block, sizeof(block)));
	MUST(!gb_grubenv_set(block, sizeof(block), names[1], NULL, NULL));
	read_all(block, &now);
	MUST(now.result[1] == -ENOENT);
	others_are(&before, &now, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char block[GB_GRUBENV_SIZE], value[128] = "", ret[16];

	/* any bytes as a block; then as the lines of one, with the last as a value */
	gb_grubenv_get((const char *)data, size, names[0], ret, sizeof(ret));
	if (size == GB_GRUBENV_SIZE && gb_grubenv_is((const char *)data, size))
		set_and_take_away((const char *)data, "1");
	memset(block, '#', sizeof(block));
	memcpy(block, "# GRUB Environment Block\n", 25);
	memcpy(block + 25, data, size < 999 ? size : 999);
	memcpy(value, data + size - (size < 127 ? size : 127), size < 127 ? size : 127);
	set_and_take_away(block, value);
	return 0;
}
