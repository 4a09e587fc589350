/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_MODPROBE_H
#define GB_MODPROBE_H

#include <stdbool.h>
#include <stddef.h>

struct gb_findings;

/* What a modprobe.d file says about passthrough (modprobe.d(5)). The path of a program that is
 * run instead of loading vfio-pci, if one is named, goes to `program`. */
void gb_modprobe_read(struct gb_findings *f, const char *data, size_t len, char *program,
		      size_t size);
/* One option of a module, wherever it stands: NAME=VALUE. `by` is that of struct gb_id_rule. */
void gb_modprobe_option(struct gb_findings *f, const char *module, const char *word, int by);

bool gb_modprobe_is_vfio(const char *module);
/* A driver of displays or of what comes with them. */
bool gb_modprobe_is_rival(const char *module);
/* Finds a name that no module has but that is one slip away from one; true when it did. */
bool gb_modprobe_misspelt(struct gb_findings *f, const char *module, const char *words);
/* A driver is kept from being loaded, by a statement of that kind. */
void gb_modprobe_kept_away(struct gb_findings *f, int id, const char *module, const char *words);

#endif
