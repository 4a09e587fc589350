/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LOCK_H
#define GB_LOCK_H

struct gb_err;
struct gb_store;

/* One change at a time. The lock ends when its descriptor is closed, in us and in every program
 * that we let inherit it. -EBUSY, and who has it, when it is taken. */
int gb_lock_take(struct gb_store *store, int *ret_fd, struct gb_err *err);

#endif
