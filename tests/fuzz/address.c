/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and paths: what is read can be written, and read again. */
#include "address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), bdf_text[GB_BDF_MAX], path_text[GB_PATH_MAX];
	struct gb_bdf bdf, bdf_again;
	struct gb_path path, path_again;
	const char *stop;

	memcpy(text, data, size);
	text[size] = '\0';
	if (gb_bdf_parse(text, &bdf)) {
		MUST(gb_bdf_parse(gb_bdf_format(bdf, bdf_text), &bdf_again));
		MUST(gb_bdf_equal(bdf, bdf_again));
	}
	if (gb_path_parse(text, &path, &stop)) {
		MUST(!*stop && gb_path_parse(gb_path_format(&path, path_text), &path_again, NULL));
		MUST(gb_path_equal(&path, &path_again) && gb_path_same_slot(&path, &path_again));
	}
	MUST(stop >= text && stop <= text + strlen(text));
	if (gb_path_from_sysfs(text, &path)) {
		MUST(path.hops);
		MUST(gb_path_parse(gb_path_format(&path, path_text), &path_again, NULL));
		MUST(gb_path_equal(&path, &path_again));
	}
	free(text);
	return 0;
}
