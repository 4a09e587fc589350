/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_OBSERVE_H
#define GB_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>

struct gb_claims;
struct gb_err;
struct gb_observation;
struct gb_root;
struct gb_runner;

/* Looks at the running system: where its root is, how far systemd has come and what of it failed,
 * which displays have a picture, which network links are up, where the claims are. Changes
 * nothing, and wakes no display. What can't be told is marked as such.
 *
 * `claims`, or NULL for none, are looked up where they are now. `runner` asks systemd, once; NULL,
 * and one that refuses, leaves that untold. 0 or -ENOMEM; *ret is always to be cleared. */
int gb_observe(struct gb_root *root, const struct gb_runner *runner,
	       const struct gb_claims *claims, struct gb_observation *ret, struct gb_err *err);

/* ---- its parts ------------------------------------------------------------------------------ */

void gb_observe_root(struct gb_root *root, struct gb_observation *seen);	 /* observe-root.c */
void gb_observe_network(struct gb_root *root, struct gb_observation *seen); /* observe-network.c */
/* observe-units.c */
void gb_observe_units(const struct gb_runner *runner, struct gb_observation *seen);
/* The PCI path of the function nearest to what a link in sysfs leads to; false: it hangs on none. */
bool gb_observe_place(struct gb_root *root, const char *link, char *ret, size_t size);

#endif
