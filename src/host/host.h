/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_HOST_H
#define GB_HOST_H

#include "disks.h"
#include "loader.h"
#include "runner.h"
#include "store.h"

struct gb_efi;
struct gb_err;
struct gb_root;

/* All that a change of this machine reaches the outside by, and how the machine boots: opened once
 * by a command and passed on. */
struct gb_host {
	struct gb_root *root; /* borrowed */
	struct gb_store store;
	struct gb_runner runner;
	struct gb_efi *efi; /* NULL: there are no EFI variables, or they can't be reached */
	struct gb_blkid blkid;
	bool has_blkid; /* the running system's; any other root has only udev's links */
	struct gb_loader *loader;
};

/* 0 or -ENOMEM. *ret is always to be closed. Changes nothing. */
int gb_host_open(struct gb_root *root, struct gb_host *ret, struct gb_err *err);
void gb_host_close(struct gb_host *host);

/* A program's path in the system's folders, or NULL. */
const char *gb_host_program(const struct gb_host *host, const char *name, char *ret, size_t size);

#endif
