/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a trial: once it reads, written again it is the same; with its hash made right, so
 * that what is behind it is reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "trialstate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *data, size_t len)
{
	struct gb_trial trial, again;
	struct gb_text first = { 0 }, second = { 0 };

	if (gb_trial_parse(data, len, &trial, NULL))
		return;
	if (gb_trial_print(&trial, &first, NULL) || gb_trial_parse(first.data, first.len, &again, NULL))
		abort();
	if (gb_trial_print(&again, &second, NULL) || first.len != second.len ||
	    memcmp(first.data, second.data, first.len))
		abort();
	gb_text_clear(&first);
	gb_text_clear(&second);
	gb_trial_clear(&trial);
	gb_trial_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char hash[GB_SHA256_TEXT];
	struct gb_text text = { 0 };

	parse((const char *)data, size);
	gb_text_addf(&text, "ghost-boot trial 1\n");
	gb_text_add(&text, (const char *)data, size);
	gb_sha256_of(text.data, text.len, hash);
	gb_text_addf(&text, "end %s\n", hash);
	parse(text.data, text.len);
	gb_text_clear(&text);
	return 0;
}
