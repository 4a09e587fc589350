/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFI variables: whatever they hold, what comes out is text that can be printed. */
#include "efi.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	MUST(len < size);
	for (size_t at = 0; at < len; at += gb_text_character(text + at))
		MUST(gb_text_character(text + at));
}

static int check_each(void *ctx, const char *text)
{
	check_text(text, 256);
	++*(size_t *)ctx;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_efi_boot boot;
	struct gb_text wide = { 0 };
	char text[64], again[64];
	size_t texts = 0;

	if (!gb_efi_text(data, size, text, sizeof(text))) {
		MUST(gb_efi_encode(text, &wide));
		MUST(!gb_efi_text((uint8_t *)wide.data, wide.len, again, sizeof(again)));
		MUST(!strcmp(text, again));
		gb_text_clear(&wide);
	}
	check_text(text, sizeof(text));
	gb_efi_texts(data, size, check_each, &texts);
	MUST(texts <= size / 2);
	if (!gb_efi_boot(data, size, &boot)) {
		check_text(boot.title, sizeof(boot.title));
		check_text(boot.path, sizeof(boot.path));
		check_text(boot.partition, sizeof(boot.partition));
	}
	return 0;
}
