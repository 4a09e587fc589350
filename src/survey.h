/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SURVEY_H
#define GB_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "dmar.h"
#include "group.h"
#include "iomem.h"
#include "ivrs.h"
#include "needs.h"
#include "predict.h"
#include "resolve.h"
#include "site.h"
#include "topology.h"

struct gb_err;
struct gb_root;

/* Everything that judgements are made of, read once and then only looked at. */
struct gb_survey {
	struct gb_root *root;
	struct gb_machine machine; /* all functions, or those in focus, with the kernel's groups */
	size_t grouped;		   /* how many of them the kernel has given a group */
	char (*driver)[GB_DRIVER_MAX]; /* for each device of the machine; "" for none */
	struct gb_topology topology;
	struct gb_prediction prediction;   /* as if an IOMMU were on */
	struct gb_differences differences; /* the kernel's groups against it */
	int *next[2];	       /* for each node, by source: see gb_survey_next */
	unsigned char *doubts; /* for each node: a bit for each kind of difference it appears in */
	struct gb_needs needs; /* what the host stands on; not read with a focus */

	const char *claims_file; /* where the claims were read, NULL: nowhere */
	struct gb_claims claims;
	struct gb_verdict *verdict; /* for each line of it */
	int *line;		    /* for each device: its line, claim or keep, or GB_NOWHERE */

	/* errno values: 0 it was read, ENOENT there is none, EACCES only root may read it */
	int dmar_error, ivrs_error;
	struct gb_dmar dmar;
	struct gb_ivrs ivrs;
	struct gb_iomem iomem; /* ranges 0 when it can't be read */
	char *cmdline;	       /* of the running kernel; never NULL */
	struct gb_site site;
};

/* At boot only the claimed functions are judged: then these are read, what is in their slots and
 * groups, and nothing else, so that the cost follows the claims and not the machine. Their config
 * space was read before they were bound. */
struct gb_focus {
	struct gb_bdf bdf;
	int line; /* of the claims file; GB_NOWHERE for the bridges above them */
	struct gb_config config;
};

enum gb_survey_flags {
	GB_SURVEY_WAKE = 1,	/* read config space of sleeping devices too */
	GB_SURVEY_FIRMWARE = 2, /* DMAR, IVRS, /proc/iomem */
	GB_SURVEY_SITE = 4,	/* distribution, loader, kernels */
};

/* `claims_file` NULL: the claims this boot used, else the configured ones, else none. Without a
 * focus (NULL) the whole machine is read. 0, or a negative errno when there is no PCI bus to list,
 * or -ENOMEM. *ret is always to be cleared. */
int gb_survey_read(struct gb_root *root, unsigned flags, const char *claims_file,
		   const struct gb_focus *focus, size_t focused, struct gb_survey *ret,
		   struct gb_err *err);
void gb_survey_clear(struct gb_survey *survey);

/* The group a device is in, for a person and for programs: the kernel's, or the predicted one
 * where the kernel has none at all. */
enum gb_group_source { GB_GROUPS_KERNEL, GB_GROUPS_PREDICTED };
enum gb_group_source gb_survey_groups(const struct gb_survey *survey);
/* By node; -1 when it has none. Predicted numbers count from 0. */
int gb_survey_group(const struct gb_survey *survey, enum gb_group_source source, int node);
/* The next function of the same group, in a ring that comes back to where it began: the node
 * itself when it is alone, or in none. */
int gb_survey_next(const struct gb_survey *survey, enum gb_group_source source, int node);

/* Node of an address; GB_NOWHERE when there is no such function. */
int gb_survey_find(const struct gb_survey *survey, struct gb_bdf bdf);
const char *gb_survey_driver(const struct gb_survey *survey, int node);
const struct gb_line *gb_survey_line(const struct gb_survey *survey, int node); /* or NULL */
bool gb_survey_is_claimed(const struct gb_survey *survey, int node); /* by a claim line */
/* Functions of the same card: same parent, same slot. */
bool gb_survey_same_slot(const struct gb_survey *survey, int a, int b);

#endif
