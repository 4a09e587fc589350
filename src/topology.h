/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TOPOLOGY_H
#define GB_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "machine.h"

struct gb_err;
struct gb_root;

/* One function of the tree. */
struct gb_node {
	const struct gb_device *device;
	struct gb_config config;
	int parent;	/* node of the bridge above, GB_NOWHERE on a root bus */
	int child;	/* first node below, GB_NOWHERE */
	size_t children; /* which follow each other */
	/* The node in whose name it accesses memory: the VMD controller for what is in a VMD domain
	 * (arch/x86/pci/common.c pci_real_dma_dev); else itself. */
	int requester;
	bool lost; /* what is above it, or its requester, is missing here */
};

/* All functions of a complete machine. A bridge comes before what is below it; what is below one
 * bridge, or on one root bus, is together, by device.function, virtual functions last. Borrows the
 * machine's devices. */
struct gb_topology {
	struct gb_node *node;
	size_t nodes;
	int *at; /* for each device of the machine: its node */
};

/* `config` has one entry for each device of the machine. 0 or -ENOMEM. */
int gb_topology_build(const struct gb_machine *machine, const struct gb_config *config,
		      struct gb_topology *ret, struct gb_err *err);
/* The same with the config space of all devices, see gb_config_read about `wake`. `known` is NULL
 * or has one entry for each device; one with bytes was read before and is not read again. */
int gb_topology_read(struct gb_root *root, const struct gb_machine *machine, bool wake,
		     const struct gb_config *known, struct gb_topology *ret, struct gb_err *err);
void gb_topology_clear(struct gb_topology *topology);

#endif
