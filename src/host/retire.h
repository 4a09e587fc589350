/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RETIRE_H
#define GB_RETIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "text.h"

struct gb_err;
struct gb_footprint;
struct gb_root;
struct gb_target;

/* Lines of an earlier recipe that a target's claims make unnecessary, and the files without them:
 * each stands as a comment then. What also serves a device that stays with the host, or is not
 * understood, is left. */

#define GB_RETIRED "# ghost-boot: "

struct gb_retired_line {
	unsigned line;
	char *was; /* without its end */
	const char *reason; /* a literal */
};

struct gb_retired_file {
	char *path;
	struct gb_text text; /* afterwards */
	struct gb_retired_line *line;
	size_t lines;
};

struct gb_retire {
	struct gb_retired_file *file;
	size_t files;
	struct gb_want *want; /* words of the running kernel's command line, GB_WANT_GONE */
	size_t wants;
	bool failed;
};

/* In /etc/modprobe.d, /etc/initramfs-tools/modules and dracut's configuration. 0 or -ENOMEM; *ret
 * is always to be cleared. Notes nothing. */
int gb_retire_read(const struct gb_target *target, struct gb_retire *ret, struct gb_err *err);
/* As GB_TRACE_RETIRED: for a plan that writes these files. */
void gb_retire_note(const struct gb_retire *retire, struct gb_footprint *footprint);
/* The files of the footprint as they were, but for what others changed since; these traces are
 * dropped from it. `line` says what came back. What can't be found any more is appended to *ret_left,
 * a line for each: "PATH: why\n". */
int gb_retire_undo(struct gb_root *root, struct gb_footprint *footprint, struct gb_retire *ret,
		   struct gb_text *ret_left, struct gb_err *err);
void gb_retire_clear(struct gb_retire *retire);

/* ---- its parts ---------------------------------------------------------------------------- */

/* Is a driver kept away for the claimed devices alone: none that stays is its? (retire-judge.c) */
bool gb_retire_driver(const struct gb_target *target, const char *driver);
/* Why a line of that file is unnecessary, or NULL. `statement` is the line, terminated. */
struct gb_findings;
const char *gb_retire_line(const struct gb_target *target, const struct gb_findings *findings,
			   const char *path, unsigned number, const char *statement);
/* The same of one argument of the command line. */
const char *gb_retire_word(const struct gb_target *target, const struct gb_findings *findings,
			   const struct gb_argument *argument);

#endif
