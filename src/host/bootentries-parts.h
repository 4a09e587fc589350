/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BOOTENTRIES_PARTS_H
#define GB_BOOTENTRIES_PARTS_H

#include "bls.h"
#include "bootentries.h"

/* Are ours items of GRUB's menu, and no files of type 1? */
bool gb_bootentries_in_grub(const struct gb_host *host);
/* The value of root= in a command line; "" when it has none. */
void gb_bootentries_root(const char *line, char *ret, size_t size);
/* The first digits of machine-id(5), by which our entries of type 1 are told from another system's on
 * the same ESP. False: there is none. */
bool gb_bootentries_machine(const struct gb_host *host, char ret[GB_BLS_MACHINE + 1]);
/* Was this file of type 1 written by the ghost-boot of another system? */
bool gb_bootentries_is_foreign(const struct gb_host *host, const char *path);

#endif
