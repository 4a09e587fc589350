/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LIST_H
#define GB_LIST_H

#include "command.h"
#include "judge.h"
#include "table.h"

struct gb_json;

/* What `ghost-boot list` shows, and what its parts share. */
struct gb_list {
	const struct gb_context *context;
	const struct gb_survey *survey;
	struct gb_style style;
	enum gb_group_source source; /* of the groups shown */
	bool all, predict;
	bool long_bdf; /* there are other domains than 0 */
};

/* Sets what follows from the survey. */
void gb_list_begin(struct gb_list *list);

/* In the order of addresses: nodes, for survey->topology.nodes of them; NULL: out of memory. */
int *gb_list_order(const struct gb_survey *survey);

/* "01:00.0", or with its domain where there are several. */
const char *gb_list_bdf(const struct gb_list *list, int node, char ret[static GB_BDF_MAX]);
const char *gb_list_name(const struct gb_list *list, int node, char ret[static GB_NAME_MAX]);
/* "14"; predicted: "14*", or "14?" when it may be fewer; "-" for none. */
#define GB_LIST_GROUP_MAX 16
const char *gb_list_group(const struct gb_list *list, int node,
			  char ret[static GB_LIST_GROUP_MAX]);
/* What the marks of predicted groups mean, below a table. */
void gb_list_group_notes(const struct gb_list *list, struct gb_table *table);
/* Other functions are behind it. */
bool gb_list_is_port(const struct gb_list *list, int node);
/* "claimed", "kept", "free" */
const char *gb_list_role(const struct gb_list *list, int node);
enum gb_colour gb_list_role_colour(const struct gb_list *list, int node);
/* Fitness, bridges included: vfio-pci takes none. */
enum gb_fitness gb_list_judge(const struct gb_list *list, int node, struct gb_checks *reasons);
/* The reason that made it so; beside an "ok", what to mind; or NULL. */
const struct gb_check *gb_list_reason(const struct gb_checks *reasons, enum gb_fitness fitness);

/* The views; each adds to *ret. */
void gb_list_displays(const struct gb_list *list, struct gb_text *ret);
void gb_list_all(const struct gb_list *list, struct gb_text *ret);
void gb_list_groups(const struct gb_list *list, struct gb_text *ret);
void gb_list_tree(const struct gb_list *list, struct gb_text *ret);

/* As documents: displays and what is in their slots, or all. */
void gb_list_json(const struct gb_list *list, struct gb_text *ret);
void gb_list_groups_json(const struct gb_list *list, struct gb_text *ret);

/* One sentence on a difference between the kernel's groups and the predicted ones. */
void gb_list_difference(const struct gb_list *list, const struct gb_difference *difference,
			char *ret, size_t size);

#endif
