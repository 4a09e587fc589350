/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TRIAL_BACK_H
#define GB_TRIAL_BACK_H

struct gb_change_options;
struct gb_context;
struct gb_err;
struct gb_host;
struct gb_trial;
struct gb_work;

/* Taking back a trial that is not over. */

/* The `start` of a change, whose ctx is a gb_work: the boot loader forgets the trial before its entry
 * goes. */
int gb_trial_forget(void *work, struct gb_err *err);
/* When that change has ended, with this exit code, which it returns: where it was not made, the record
 * says no longer that the trial is armed, and a person is told. */
int gb_trial_after(struct gb_work *work, int code);

/* The `finish` of one that ends it: nothing counts boots any more. Never fails: what is left of the
 * counter is read only where the command line asks for it. */
int gb_trial_forgotten(void *work, struct gb_err *err);
void gb_trial_uncount(struct gb_host *host);
/* Its boots are counted again, from none, unless they are counted already. A counter that can't be
 * written claims nothing. */
void gb_trial_count(struct gb_host *host, const struct gb_trial *trial);

/* `rollback`, where the last change is a trial, whatever it has come to since, or the end of one. -1:
 * it is neither; else the exit code, and the context is closed. */
int gb_trial_back(struct gb_context *context, const struct gb_change_options *options);

#endif
