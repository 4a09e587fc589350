/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_WORDTRACE_H
#define GB_WORDTRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"

struct gb_err;
struct gb_footprint;

/* Between the footprint and the words of one command line: what a change is noted as, and which
 * wants take it back. */

/* Is a word of this want already ours, anywhere? */
bool gb_wordtrace_knows(const struct gb_footprint *footprint, const struct gb_want *want);

/* What changed between two lines, widened to whole words; where words only went, to the one before
 * or behind, which tells where they stood. For a GB_TRACE_REPLACED. -ENOMEM. */
int gb_wordtrace_region(const char *old, const char *now, char **ret_old, char **ret_now);

/* Notes at `path` what the wants do to `line`. One that is so already is its owner's, unless
 * `known` says that we have put it somewhere before: then it came from there, a new kernel's entry
 * for one. */
int gb_wordtrace_note(struct gb_footprint *footprint, const char *path, const char *line,
		      const struct gb_want *want, size_t wants, const bool *known,
		      struct gb_err *err);

/* Its words are borrowed from the footprint; caller frees `want`. */
struct gb_wordtrace_wants {
	struct gb_want *want;
	size_t wants;
};

/* What takes back all that was noted at `path`, last first. With `since`, a file of which nothing is
 * noted may have appeared after us: it has what it has from /etc/kernel/cmdline, or where nothing
 * is noted of that, from anywhere, but for what `keep`, that file's line now (or NULL), still
 * says. -ENOMEM. */
int gb_wordtrace_back(const struct gb_footprint *footprint, const char *path, bool since,
		      const char *keep, struct gb_wordtrace_wants *ret);

/* Does the line do what is wanted? Of several values of a name the kernel takes the last, but one
 * of ours that says off counts wherever it stands. Negative errno when it can't be told. */
int gb_wordtrace_carries(const char *line, const struct gb_want *want);

#endif
