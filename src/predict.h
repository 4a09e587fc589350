/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PREDICT_H
#define GB_PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "acs.h"
#include "topology.h"

struct gb_err;

/* The IOMMU groups that the kernel's rules give, as if an IOMMU were on (drivers/iommu/iommu.c
 * pci_device_group). Later series judge switches and multifunction devices otherwise, so a
 * prediction says whose rules it followed. */
#define GB_PREDICT_RULES "Linux 6.12"

/* Why a function is in a group that was there before it. */
enum gb_join {
	GB_JOIN_NONE,	   /* it is the first */
	GB_JOIN_REQUESTER, /* accesses memory in the name of `with` */
	GB_JOIN_BRIDGE,	   /* below a bridge that gives its own requester ID to all */
	GB_JOIN_PATH,	   /* a port on its way to the root does not isolate */
	GB_JOIN_ALIAS,	   /* uses the requester ID of `with`, or the other way round */
	GB_JOIN_FUNCTION,  /* neither it nor `with`, beside it, isolates */
};

struct gb_member {
	/* Two functions of different groups can't be together, whatever the bytes that could not be
	 * read say; two of the same surest group can't be apart. Both count from 0. */
	int group, surest;
	enum gb_join join;
	int with;    /* node that it joined */
	int because; /* node that does not isolate, or might not */
};

struct gb_prediction {
	const struct gb_topology *topology;
	struct gb_member *member; /* for each node */
	struct gb_acs *acs;	  /* for each node */
	size_t groups;
	bool *certain; /* for each group: just so; else there may be fewer in it */
};

/* 0 or -ENOMEM. Borrows the topology. */
int gb_predict(const struct gb_topology *topology, struct gb_prediction *ret, struct gb_err *err);
void gb_prediction_clear(struct gb_prediction *prediction);

const char *gb_join_name(enum gb_join join); /* stable, for programs */
const char *gb_join_text(enum gb_join join);

#endif
