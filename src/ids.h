/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IDS_H
#define GB_IDS_H

#include <stdbool.h>

#include "finding.h"

struct gb_device;

/* Devices given to vfio-pci by their IDs. */

/* Whether a word looks like "10de:2203" or a list of such. */
bool gb_ids_looks_like(const char *word);
/* Reads the value of an ids= at the current place, and finds what is wrong with it. */
void gb_ids_take(struct gb_findings *f, const char *list, int by);
/* Once all is read: which are overridden, and what they catch on this machine. */
void gb_ids_judge(struct gb_findings *f);
bool gb_ids_match(const struct gb_id_rule *rule, const struct gb_device *device);

#endif
