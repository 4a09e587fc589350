/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRANSACTION_H
#define GB_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_err;
struct gb_plan;
struct gb_runner;
struct gb_store;
struct gb_text;

/* The one engine that carries plans out: all of it or nothing of it. */

struct gb_transaction {
	struct gb_store *store;
	const struct gb_runner *runner; /* may be NULL where no plan runs anything */
	bool force;   /* take back our part of files that somebody else has changed since; give up
		       * what can't be published again */
	int log;      /* descriptor that gets what builders write, or -1 */
	int64_t now;  /* seconds since 1970 */
	void *ctx;    /* of these, which may be NULL: */
	void (*begin)(void *ctx, const struct gb_plan *plan, size_t step);
	void (*line)(void *ctx, const char *line, bool error); /* of a builder */
	void (*tick)(void *ctx); /* some times a second while a builder runs */
	/* The files are back, and what published them (plan.h) runs again. */
	void (*again)(void *ctx, char *const *argv);
	/* After a builder: is what it made good? 0, or a negative errno with the reason. */
	int (*prove)(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err);
	/* `path`, which a boot loader reads, is on the disk, but the file system's journal can't be
	 * written out (a negative errno): should power fail within the next minute, a loader that
	 * replays none (GRUB) may see the old file, or part of one. No failure. */
	void (*unseen)(void *ctx, const char *path, int error);
};

enum gb_end {
	GB_END_NOTHING,	  /* there was nothing to do */
	GB_END_DONE,
	GB_END_REFUSED,	  /* before anything was changed: somebody else's change, no space, a lock */
	GB_END_UNCHANGED, /* failed before anything was changed */
	GB_END_BACK,	  /* failed, and the state before was brought back */
	GB_END_PARTLY,	  /* and could not all be brought back: the journal stays, the next
			   * gb_transaction_recover() goes on */
	GB_END_UNPUBLISHED, /* all files were, but a program that publishes them has failed then:
			     * its copies may be those of the change. The journal stays, and the next
			     * call runs it again; not with `force` */
};

/* Carries the plan out. 0 or a negative errno with the reason; *ret_end is set always. For what
 * somebody else has changed, *details (a zeroed text, or NULL) gets the differences, plain.
 * SIGINT, SIGTERM and SIGHUP wait for the end of a step and then bring back the state before
 * (-EINTR). Refuses (-EUCLEAN) while there is a journal. */
int gb_transaction_run(const struct gb_transaction *t, const struct gb_plan *plan,
		       enum gb_end *ret_end, struct gb_text *details, struct gb_err *err);

/* What a call that was ended has left: finished if all was applied (GB_END_DONE), else brought
 * back (GB_END_BACK). To be called first by whatever wants to change something. */
int gb_transaction_recover(const struct gb_transaction *t, enum gb_end *ret_end,
			   struct gb_err *err);
/* Is there something to recover? For commands that only read, and without privileges. */
bool gb_transaction_is_open(struct gb_store *store);

/* The plan that takes back the last change of the history (-ENOENT: there is none; -ESTALE:
 * somebody has changed a file since, unless `force`). Empty when all is as it was. */
int gb_transaction_rollback(struct gb_store *store, bool force, struct gb_plan *ret,
			    struct gb_text *details, struct gb_err *err);

/* 1: the last change of the history changed this file, too; 0: not; -ENOENT: there is none. */
int gb_transaction_last_has(struct gb_store *store, const char *file, struct gb_err *err);

/* What a plan takes at its worst moment, on each file system that it writes to. */
#define GB_ROOMS_MAX 16
struct gb_room {
	char path[256]; /* a folder on it */
	uint64_t needed, there; /* bytes */
	bool read_only;
};
int gb_transaction_rooms(struct gb_store *store, const struct gb_plan *plan,
			 struct gb_room ret[static GB_ROOMS_MAX], size_t *ret_rooms,
			 struct gb_err *err);

/* Room for the worst moment of a plan on every file system that it writes to, none of them
 * read-only. -ENOSPC or -EROFS, and which. gb_transaction_run() asks it by itself. */
int gb_transaction_room(struct gb_store *store, const struct gb_plan *plan, struct gb_err *err);

#endif
