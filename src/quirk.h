/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_QUIRK_H
#define GB_QUIRK_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "device.h"

/* What Linux 6.12 knows of single models and their config space does not say
 * (drivers/pci/quirks.c). */

/* The kernel's view of one function, as far as isolation goes. */
struct gb_function {
	bool express;
	enum gb_port port; /* if express */
	bool multifunction;
	bool on_root_bus;
	bool acs; /* has the capability */
};

enum gb_quirk {
	GB_QUIRK_NONE,	     /* the general rules hold */
	GB_QUIRK_ISOLATED,   /* the vendor says that it isolates */
	GB_QUIRK_INTEGRATED, /* an Intel root complex integrated endpoint */
	GB_QUIRK_EXPOSED,    /* not isolated, whatever the capability says */
};

enum gb_quirk gb_quirk_acs(const struct gb_identity *id, const struct gb_function *function);
/* A root port whose ACS control register is at 8, both registers having 32 bits. */
bool gb_quirk_wide_acs(const struct gb_identity *id);

/* Requester IDs on its own bus that the function also uses; one bit for each device.function.
 * False when there are none. Those of Switchtec bridges are in their BARs, and not known here. */
bool gb_quirk_aliases(const struct gb_identity *id, uint8_t devfn, uint64_t ret[static 4]);
/* A bridge at which the IOMMU sits: what is above sees no alias. */
bool gb_quirk_translates(const struct gb_identity *id);

#endif
