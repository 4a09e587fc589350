/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: the kill switch is never missed, a trial has its ID or is none. */
#include "cmdline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char off[] = " ghost.claim=off ";
	char *text = malloc(size + sizeof(off));
	struct gb_cmdline line;

	memcpy(text, data, size);
	text[size] = '\0';
	gb_cmdline_read(text, &line);
	if (line.claim > GB_SWITCH_ODD || !memchr(line.odd, 0, sizeof(line.odd)) ||
	    !memchr(line.odd_trial, 0, sizeof(line.odd_trial)))
		abort();
	for (const char *c = line.odd_trial; *c; c++)
		if (*c < ' ' || *c > '~')
			abort();
	if (line.trial[0] ? strspn(line.trial, "0123456789abcdef") != GB_TRIAL_ID - 1
			  : line.counted)
		abort();
	/* without quotes, which may stand anywhere: armed only by that very word, and off is off
	 * whatever else is said */
	if (!strchr(text, '"')) {
		if (line.claim == GB_SWITCH_ON && !strstr(text, "ghost.claim=on"))
			abort();
		strcat(text, off);
		gb_cmdline_read(text, &line);
		if (line.claim != GB_SWITCH_OFF)
			abort();
	}
	free(text);
	return 0;
}
