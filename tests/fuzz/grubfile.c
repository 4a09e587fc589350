/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /etc/default/grub: what is understood can be changed and changed back, byte for byte. */
#include "grubfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static char *change(const char *data, size_t len, const struct gb_want *want, size_t *ret_len,
		    bool *ret_added)
{
	struct gb_err err = { "" };
	struct gb_grub_change c;
	char *text;

	if (gb_grub_change(NULL, "f", data, len, GB_GRUB_DEFAULT, want, 1, &c, &err)) {
		MUST(err.text[0]);
		return NULL;
	}
	*ret_added = c.changes.change[0].kind == GB_CHANGE_ADDED;
	MUST(!gb_edit_apply(data, len, &c.edit, &text, ret_len));
	gb_grub_change_clear(&c);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gb_want add = { GB_WANT_ALSO, "a=b", NULL };
	static const struct gb_want gone = { GB_WANT_GONE, "a=b", NULL };
	char *file = malloc(size + 1), *there, *back;
	size_t len, back_len;
	bool added;

	memcpy(file, data, size);
	file[size] = '\0';
	there = change(file, size, &add, &len, &added);
	if (there && added) {
		back = change(there, len, &gone, &back_len, &added);
		MUST(back && back_len == size && !memcmp(back, file, size));
		free(back);
	}
	free(there);
	free(file);
	return 0;
}
