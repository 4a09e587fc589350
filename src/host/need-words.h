/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_NEED_WORDS_H
#define GB_NEED_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"

struct gb_err;
struct gb_target;

/* Which words the kernel command line must have, or lose, for the claims of a target to hold: only
 * what this machine and its kernels need. */

#define GB_NEED_WORDS_MAX 16

struct gb_need_words {
	struct gb_want want[GB_NEED_WORDS_MAX]; /* each with its reason */
	size_t wants;
	bool iommu; /* some of them switch the IOMMU on */
	char *text[2 * GB_NEED_WORDS_MAX]; /* that the wants point to */
	size_t texts;
	bool failed;
};

/* `arm_always`: the claims file arms by itself. `line` are more command lines than the running
 * one, which may have words that would be in the way at the next boot: those of the sources. The
 * survey was read with GB_SURVEY_SITE. 0 or -ENOMEM; *ret is always to be cleared. */
int gb_need_words_read(const struct gb_target *target, bool arm_always, const char *const *line,
		       size_t lines, struct gb_need_words *ret, struct gb_err *err);
void gb_need_words_clear(struct gb_need_words *words);

#endif
