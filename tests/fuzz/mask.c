/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Masking reads on from wherever something looks like an ID. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_mask mask = { .host = "tower" };
	char *text = malloc(size + 1);
	struct gb_text once = { 0 };

	memcpy(text, data, size);
	text[size] = '\0';
	gb_mask_text(&mask, text, &once);
	if (!once.data || strlen(once.data) > size * 8)
		abort();
	gb_text_clear(&once);
	free(text);
	return 0;
}
