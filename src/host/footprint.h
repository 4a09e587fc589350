/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_FOOTPRINT_H
#define GB_FOOTPRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "journal.h"

struct gb_err;
struct gb_plan;
struct gb_root;
struct gb_store;

/* What of this machine is as it is because of us, and how each piece is taken back: so that
 * `disable` gives back the bytes there were, whatever others have changed beside them. A file of
 * lines (recordtext) that the same plan writes as the changes it speaks of. */
#define GB_FOOTPRINT GB_STATE "/footprint"

enum gb_trace_kind {
	GB_TRACE_MADE,	   /* the whole file is ours */
	GB_TRACE_ADDED,	   /* a word, `text`, that the file's command line lacked */
	GB_TRACE_REPLACED, /* a word, `text`, where `was` stood ("": nothing) */
	GB_TRACE_SEEN,	   /* a source of the command line that was so already: what it has of ours
			    * is its owner's */
	GB_TRACE_LINE,	   /* a line, `text`, that we added */
	GB_TRACE_RETIRED,  /* a line, `text`, that stands as a comment for `was` */
	GB_TRACE_KINDS,
};

struct gb_trace {
	enum gb_trace_kind kind;
	char *path; /* as a person knows it */
	char *text, *was; /* "" where they mean nothing */
};

/* Zeroed, an empty one. */
struct gb_footprint {
	struct gb_trace *trace;
	size_t traces;
	bool failed; /* out of memory */
};

/* None is an empty one. -EBADMSG: cut or changed by hand. *ret is always to be cleared. */
int gb_footprint_read(struct gb_root *root, struct gb_footprint *ret, struct gb_err *err);
/* One that was put aside. */
int gb_footprint_read_file(struct gb_root *root, const char *path, struct gb_footprint *ret,
			   struct gb_err *err);
void gb_footprint_clear(struct gb_footprint *footprint);

/* The same trace twice is once. `text` and `was` may be NULL for "". */
void gb_footprint_add(struct gb_footprint *footprint, enum gb_trace_kind kind, const char *path,
		      const char *text, const char *was);
/* All of a path, or of a kind of it (GB_TRACE_KINDS: all). */
void gb_footprint_drop(struct gb_footprint *footprint, enum gb_trace_kind kind, const char *path);
/* The next of that kind (GB_TRACE_KINDS: any) and path (NULL: any) behind `after` (NULL: from the
 * first), or NULL. */
const struct gb_trace *gb_footprint_next(const struct gb_footprint *footprint,
					 enum gb_trace_kind kind, const char *path,
					 const struct gb_trace *after);

/* Adds the step that removes a folder that we made, where nothing is in it but this file, which goes
 * in an earlier step. As gb_plan_remove. */
int gb_footprint_remove_folder(const struct gb_footprint *footprint, const char *path,
			       const char *file, struct gb_store *store, struct gb_plan *plan,
			       struct gb_err *err);

/* Adds the step that writes it, or removes the file when it is empty. As gb_plan_write. */
int gb_footprint_plan(const struct gb_footprint *footprint, struct gb_store *store,
		      struct gb_plan *plan, struct gb_err *err);

#endif
