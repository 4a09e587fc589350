/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel command lines: changing keeps what nobody asked to change, and twice is once. */
#include "arguments.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static void check_words(const char *line, size_t len)
{
	struct gb_arguments list;

	if (gb_arguments_parse(line, len, &list))
		return;
	MUST(list.kernel <= list.arguments && list.end <= len);
	MUST(!gb_arguments_lacking(&list, &list));
	for (size_t i = 0; i < list.arguments; i++)
		MUST(list.argument[i].len && list.argument[i].at + list.argument[i].len <= len);
	gb_arguments_clear(&list);
}

static struct gb_changes change(const char *line, size_t len, const struct gb_want *want)
{
	struct gb_changes changes = { 0 };

	MUST(!gb_arguments_change(line, len, want, 2, &changes, NULL));
	return changes;
}

static void check_change(const char *line, size_t len, unsigned mode)
{
	struct gb_want want[] = { { (enum gb_want_mode)(mode % 5), "x=on", NULL },
				  { GB_WANT_ALSO, "n=\"1 2\"", NULL } };
	struct gb_want gone[] = { { GB_WANT_GONE, "n=\"1 2\"", NULL }, { GB_WANT_GONE, "x=on", NULL } };
	struct gb_changes there, again, back;

	if (gb_arguments_change(line, len, want, 2, &there, NULL))
		return;
	again = change(there.line, there.len, want);
	MUST(!again.differs);
	if (there.change[0].kind == GB_CHANGE_ADDED && there.change[1].kind == GB_CHANGE_ADDED) {
		back = change(there.line, there.len, gone);
		MUST(back.len == len && !memcmp(back.line, line, len));
		gb_changes_clear(&back);
	}
	gb_changes_clear(&again);
	gb_changes_clear(&there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned mode = size ? data[0] : 0;
	size_t len = size ? size - 1 : 0;
	char *line = malloc(len + 1);

	if (len)
		memcpy(line, data + 1, len);
	check_words(line, len);
	check_change(line, len, mode);
	free(line);
	return 0;
}
