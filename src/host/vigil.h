/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_VIGIL_H
#define GB_VIGIL_H

struct gb_err;
struct gb_root;

/* Waits until there is reason to look, without a look in between: for somebody who may have logged
 * in, for a time, for a change of a file of ours, for the end. */

enum gb_vigil_event {
	GB_VIGIL_LOGIN,	 /* a session came or went, and GB_VIGIL_SETTLE_MS have passed since */
	GB_VIGIL_TIME,	 /* it is time; once */
	GB_VIGIL_RETRY,	 /* what gb_vigil_retry asked for */
	GB_VIGIL_CHANGE, /* something in the folder GB_STATE was replaced or went, or may have */
	GB_VIGIL_STOP,	 /* SIGTERM, SIGINT or SIGHUP */
};

/* sshd opens the session first and gives it a terminal then; and who is gone so soon has seen
 * nothing. */
#define GB_VIGIL_SETTLE_MS 5000

struct gb_vigil;

/* `wait_ms` from now on is the time, as long as the machine is awake: who sleeps can't see that
 * a screen is black; 0: it never is. The signals are held back while it is open. The first GB_VIGIL_LOGIN is for
 * those who were there already. `settle_ms`: GB_VIGIL_SETTLE_MS, but in tests. */
int gb_vigil_open(struct gb_root *root, unsigned long wait_ms, unsigned settle_ms,
		  struct gb_vigil **ret, struct gb_err *err);
void gb_vigil_close(struct gb_vigil *vigil); /* NULL is allowed */
/* 0, or a negative errno. */
int gb_vigil_wait(struct gb_vigil *vigil, enum gb_vigil_event *ret, struct gb_err *err);
/* One GB_VIGIL_RETRY so much later; another call counts instead. */
int gb_vigil_retry(struct gb_vigil *vigil, unsigned long after_ms, struct gb_err *err);

#endif
