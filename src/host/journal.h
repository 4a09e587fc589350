/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_JOURNAL_H
#define GB_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "home.h"
#include "plan.h"

struct gb_err;
struct gb_store;
struct gb_text;

/* What brings back the state before a change, on the disk before the change begins.
 *
 * GB_JOURNAL holds `record` (below), N.old for each regular file that was there, but not for one
 * larger than GB_COPY_MAX (store.h) that a staged one replaces or that is spared: it waits there; N.new for
 * each that we write, `result` (as `record`, with what really came of it) once all is applied, and one
 * empty file whose name is the state: changing it is one rename, which needs no space. It is
 * made under another name and renamed when all of it is on the disk: one that exists is whole.
 * When the change is over it becomes GB_HISTORY/NNN. */
#define GB_STATE "/var/lib/ghost-boot"
#define GB_JOURNAL GB_STATE "/journal"
#define GB_HISTORY GB_STATE "/history"

enum gb_journal_state {
	GB_JOURNAL_INTENT,    /* no file has changed */
	GB_JOURNAL_APPLYING,  /* step `reached` has begun, later ones have not */
	GB_JOURNAL_APPLIED,   /* all is on the disk and was read back: only tidying is left */
	GB_JOURNAL_RETURNING, /* the state before is being brought back */
	GB_JOURNAL_DONE,
	GB_JOURNAL_BACK,      /* the files are; what published them may still have to again */
};

enum gb_entry_kind {
	GB_ENTRY_WRITTEN,
	GB_ENTRY_BUILT,	 /* by a program, in its place: what it would become was not known */
	GB_ENTRY_STAGED, /* by a program, under a name of ours; it goes in the end */
	GB_ENTRY_PLACED, /* with what was staged */
	GB_ENTRY_SPARED, /* it goes, and nobody wants it back when the change is over */
};

struct gb_entry {
	size_t step;
	enum gb_entry_kind kind;
	enum gb_boot boot;
	char *path, *place, *staged; /* the last only with GB_ENTRY_PLACED */
	struct gb_home home;
	struct gb_file before, after;
};

/* A program of GB_STEP_PUBLISH: run again when the files are back. */
struct gb_published {
	size_t step;
	char *path; /* what it is run for, as long as that is there; "": whatever there is */
	char **argv;
};

/* Owns everything: gb_journal_clear. */
struct gb_journal {
	int64_t time; /* of the intent, seconds since 1970 */
	char *reason;
	char **step; /* for a person */
	size_t steps;
	struct gb_entry *entry;
	size_t entries;
	struct gb_published *published;
	size_t publishes;
	enum gb_journal_state state;
	size_t reached; /* the last step that has begun; of INTENT, none */
	int folder; /* open, or -1 */
};

/* Has the step of this entry? */
bool gb_journal_has_begun(const struct gb_journal *journal, size_t entry);

int gb_journal_from_plan(const struct gb_plan *plan, int64_t now, struct gb_journal *ret);
void gb_journal_clear(struct gb_journal *journal);

/* `record` and `result`: lines of words, %XX for what is not plain in them, a hash of all before
 * at the end. gb_journal_parse takes nothing that was cut or changed (-EBADMSG). */
void gb_journal_print(const struct gb_journal *journal, struct gb_text *text);
int gb_journal_parse(const char *data, size_t len, struct gb_journal *ret, struct gb_err *err);

/* Does the old file itself wait in its folder until the change is over? */
bool gb_journal_waits(const struct gb_entry *entry);
/* Whether the journal holds the old bytes of an entry, whose folder this is. */
bool gb_journal_wants_copy(struct gb_store *store, const struct gb_entry *entry, int folder);
/* For gb_journal_write: the copies. */
int gb_journal_keep_old(struct gb_store *store, const struct gb_journal *journal, size_t i,
			struct gb_err *err);
int gb_journal_keep_new(struct gb_store *store, const struct gb_journal *journal, size_t i,
			const struct gb_step *step, struct gb_err *err);
/* The old bytes, durably, if they are not in it: they can't wait beside their place. */
int gb_journal_keep_now(struct gb_store *store, const struct gb_journal *journal, size_t i);
/* All is applied: a copy too large for the history goes. */
int gb_journal_forget(struct gb_store *store, const struct gb_journal *journal, size_t i);

/* Writes the journal of a plan, with the files as they are now, durably, and opens it. -ESTALE
 * when a file is not as the plan found it. On failure nothing of it is left that counts. */
int gb_journal_write(struct gb_store *store, const struct gb_plan *plan, int64_t now,
		     struct gb_journal *ret, struct gb_err *err);
/* Removes what a call that was ended while it wrote one has left. */
int gb_journal_tidy(struct gb_store *store);
/* Reads the one in this folder, GB_JOURNAL or one of GB_HISTORY. -ENOENT when there is none.
 * `result` is preferred to `record`. */
int gb_journal_open(struct gb_store *store, const char *path, struct gb_journal *ret,
		    struct gb_err *err);
int gb_journal_enter(struct gb_store *store, struct gb_journal *journal,
		     enum gb_journal_state state, size_t reached, struct gb_err *err);
/* Writes `result` from journal->entry[].after. */
int gb_journal_result(struct gb_store *store, const struct gb_journal *journal,
		      struct gb_err *err);
/* Moves it, DONE or BACK, to the history; older ones lose their copies of files. */
int gb_journal_file(struct gb_store *store, struct gb_journal *journal, struct gb_err *err);

/* Our folder, made where it is missing; a descriptor, or a negative errno. */
int gb_journal_base(struct gb_store *store, struct gb_err *err);

/* The numbers of the history, ascending; caller frees. None is success. */
int gb_history_list(struct gb_store *store, unsigned **ret, size_t *ret_count);
/* "/var/lib/ghost-boot/history/007" */
void gb_history_path(unsigned number, char *ret, size_t size);

#endif
