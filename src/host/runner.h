/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_RUNNER_H
#define GB_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

struct gb_err;
struct gb_root;

/* Other programs: image builders, boot loaders' generators. Never through a shell. */

struct gb_program {
	char *const *argv; /* argv[0] is a path; ends in NULL */
	unsigned timeout_s; /* 0: none */
	/* Each line it writes, terminated, without its end, and cut at 4096 bytes; both its outputs
	 * in the order in which they came. May be NULL. */
	void (*line)(void *ctx, const char *line, bool error);
	void (*tick)(void *ctx); /* some times a second while it runs; may be NULL */
	void *ctx;
	int log;  /* descriptor that gets both outputs as they are, or -1 */
	int hold; /* descriptor that stays open in it and its children, or -1: a lock that must
		   * outlive us while they go on */
};

struct gb_ran {
	int status;    /* exit status, or 128 + the signal that ended it */
	bool timed_out;
	int stopped;   /* SIGINT, SIGTERM or SIGHUP that we got, and passed on to it; else 0 */
	char last[256]; /* the last line that was not empty, for the message */
};

/* For a caller that does not end because of it: the signal that stopped it, once more. Who waits for it
 * has it then, and who does not is ended by it. */
void gb_ran_pass_on(const struct gb_ran *ran);

struct gb_runner {
	void *ctx;
	/* 0 when it was started, whatever came of it; a negative errno when it was not. */
	int (*run)(void *ctx, const struct gb_program *command, struct gb_ran *ret,
		   struct gb_err *err);
};

/* Runs it on this very system: with PATH of the system's folders, LC_ALL=C.UTF-8, HOME=/root,
 * nothing else; / as its folder; nothing to read; a process group of its own, which gets the
 * signals that we get while waiting and SIGKILL ten seconds after them or after its time. With
 * another root it refuses: it would change the wrong machine. */
struct gb_runner gb_runner_real(struct gb_root *root);

#endif
