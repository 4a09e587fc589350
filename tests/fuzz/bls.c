/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot loader entries: what can be changed can be changed back; orders are orders. */
#include "bls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static char *change(const char *data, size_t len, enum gb_bls_reader reader,
		    const struct gb_want *want, size_t *ret_len, bool *ret_added)
{
	struct gb_bls_change c;
	char *text;

	if (gb_bls_change(data, len, reader, want, 1, &c, NULL))
		return NULL;
	*ret_added = c.changes.change[0].kind == GB_CHANGE_ADDED;
	MUST(!gb_edit_apply(data, len, &c.edit, &text, ret_len));
	gb_bls_change_clear(&c);
	return text;
}

static void check_change(const char *file, size_t size, enum gb_bls_reader reader)
{
	static const struct gb_want add = { GB_WANT_ALSO, "a=b", NULL };
	static const struct gb_want gone = { GB_WANT_GONE, "a=b", NULL };
	size_t len, back_len;
	bool added;
	char *there = change(file, size, reader, &add, &len, &added), *back;

	if (there && added) {
		back = change(there, len, reader, &gone, &back_len, &added);
		MUST(back && back_len == size && !memcmp(back, file, size));
		free(back);
	}
	free(there);
}

/* The text's halves as versions and names. */
static void check_order(char *file, size_t size)
{
	char *second = file + size / 2;
	struct gb_bls_entry entry[2] = { { .sort_key = "k", .version = second }, { .version = file } };

	MUST(gb_version_compare(file, second) == -gb_version_compare(second, file));
	MUST(gb_version_compare_rpm(file, file) == 0);
	for (int i = 0; i < 2; i++)
		if (!gb_bls_name(i ? file : second, &entry[i].name))
			return;
	MUST(gb_bls_compare_systemd(&entry[0], &entry[1]) < 0 || !entry[0].name.left);
	MUST(gb_bls_compare_grub(&entry[0], &entry[1]) == -gb_bls_compare_grub(&entry[1], &entry[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *file = malloc(size + 1);
	struct gb_bls bls;

	memcpy(file, data, size);
	file[size] = '\0';
	if (!gb_bls_parse(file, size, &bls, NULL)) {
		MUST(!bls.grub_options || bls.options);
		gb_bls_clear(&bls);
	}
	check_change(file, size, GB_BLS_SYSTEMD);
	check_change(file, size, GB_BLS_GRUB);
	check_order(file, size);
	free(file);
	return 0;
}
