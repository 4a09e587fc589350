/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PATIENCE_H
#define GB_PATIENCE_H

/* Reading sysfs can hang in the kernel, where no signal reaches it: config space while a reset
 * holds the device, an attribute whose lock a stuck driver has. So a child does it, and whoever
 * waits gives up. */

/* Returns an exit code. `over` is for gb_patience_over. */
typedef int (*gb_patience_fn)(void *ctx, int over);

/* The work's code; -ETIMEDOUT when it took longer than that, and is left behind; another negative
 * errno when it could not be begun. */
int gb_patience_run(unsigned seconds, gb_patience_fn work, void *ctx);
/* Called by the work: all that can hang is done, what follows may take its time. */
void gb_patience_over(int over);

#endif
