/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a journal: once it reads, written again it is the same; with its hash made right,
 * so that what is behind it is reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "journal.h"
#include "style.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *data, size_t len)
{
	struct gb_journal journal, again;
	struct gb_text first = { 0 }, second = { 0 };

	if (gb_journal_parse(data, len, &journal, NULL))
		return;
	gb_journal_print(&journal, &first);
	if (gb_journal_parse(first.data, first.len, &again, NULL))
		abort();
	gb_journal_print(&again, &second);
	if (first.len != second.len || memcmp(first.data, second.data, first.len))
		abort();
	gb_text_clear(&first);
	gb_text_clear(&second);
	gb_journal_clear(&journal);
	gb_journal_clear(&again);
}

static void differ(const char *data, size_t len)
{
	static const struct gb_style style = { .colour = true };
	struct gb_text text = { 0 };
	const size_t half = len / 2;

	gb_diff(data, half, data + half, len - half, " ", &style, &text);
	gb_text_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char hash[GB_SHA256_TEXT];
	struct gb_text text = { 0 };

	parse((const char *)data, size);
	gb_text_addf(&text, "ghost-boot journal 1\n");
	gb_text_add(&text, (const char *)data, size);
	gb_sha256_of(text.data, text.len, hash);
	gb_text_addf(&text, "end %s\n", hash);
	parse(text.data, text.len);
	gb_text_clear(&text);
	if (size < 2000)
		differ((const char *)data, size);
	return 0;
}
