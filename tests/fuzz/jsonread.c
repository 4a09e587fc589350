/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON: what was accepted can be walked to its last member. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsonread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct gb_value value, struct gb_value whole, int depth)
{
	static const char *const keys[] = { "a", "devices", "text", "" };
	struct gb_value item = { NULL, NULL };
	char text[16];
	double number;
	size_t n = 0;

	if (!value.at)
		return;
	if (value.at < whole.at || value.end > whole.end || value.at >= value.end)
		abort();
	gb_value_number(value, &number);
	gb_value_is_true(value);
	if (gb_value_text(value, text, sizeof(text)) != (*value.at == '"') ||
	    strlen(text) >= sizeof(text))
		abort();
	while (depth < 4 && n++ < 8 && gb_value_next(value, &item))
		walk(item, whole, depth + 1);
	for (size_t i = 0; depth < 4 && i < sizeof(keys) / sizeof(*keys); i++)
		walk(gb_value_member(value, keys[i]), whole, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of just that length, so that reading on is seen */
	char *copy = malloc(size + !size);
	struct gb_value value;

	if (size)
		memcpy(copy, data, size);
	if (gb_value_parse(copy, size, &value))
		walk(value, value, 0);
	free(copy);
	return 0;
}
