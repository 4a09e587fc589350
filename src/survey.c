/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "record.h"
#include "root.h"
#include "text.h"

#define CMDLINE_MAX (64u << 10)

static int out_of_memory(struct gb_err *err)
{
	return gb_fail(err, ENOMEM, "out of memory");
}

static int read_claims(struct gb_root *root, const char *file, struct gb_survey *ret)
{
	char *text;
	size_t len;
	int r = gb_root_read_all(root, file, GB_CLAIMS_SIZE_MAX, &text, &len);

	if (r)
		return r;
	r = gb_claims_parse(text, len, &ret->claims, NULL);
	free(text);
	if (r)
		gb_claims_clear(&ret->claims);
	ret->claims_file = file;
	return 0;
}

/* The claims this boot used tell what is; the configured ones what will be. */
static void find_claims(struct gb_root *root, const char *file, struct gb_survey *ret)
{
	if (file)
		read_claims(root, file, ret);
	else if (read_claims(root, GB_RECORDS "/claims", ret))
		read_claims(root, GB_CLAIMS_FILE, ret);
}

static bool same_slot(struct gb_bdf a, struct gb_bdf b)
{
	return a.domain == b.domain && a.bus == b.bus && a.devfn >> 3 == b.devfn >> 3;
}

static int make_room(struct gb_survey *s, struct gb_err *err)
{
	s->driver = calloc(s->machine.devices + 1, sizeof(*s->driver));
	s->line = calloc(s->machine.devices + 1, sizeof(*s->line));
	s->verdict = calloc(s->claims.lines + 1, sizeof(*s->verdict));
	if (!s->driver || !s->line || !s->verdict)
		return out_of_memory(err);
	for (size_t i = 0; i < s->machine.devices; i++) {
		s->line[i] = GB_NOWHERE;
		if (gb_device_driver(s->root, s->machine.device[i].bdf, s->driver[i]))
			s->driver[i][0] = '\0';
	}
	return 0;
}

static int read_machine(struct gb_survey *s, struct gb_err *err)
{
	int r = gb_machine_place(s->root, &s->claims, &s->machine, err);

	if (!r)
		r = gb_machine_scan(s->root, &s->claims, &s->machine, err);
	if (r)
		return r;
	s->grouped = gb_group_read(s->root, &s->machine);
	r = make_room(s, err);
	if (r)
		return r;
	gb_resolve(&s->claims, &s->machine, s->verdict);
	for (size_t i = 0; i < s->claims.lines; i++) {
		int at = s->claims.line[i].keep ? s->machine.at[i] : s->verdict[i].device;

		if (at != GB_NOWHERE && (s->verdict[i].decision == GB_KEEP ||
					 gb_decision_acts(s->verdict[i].decision)))
			s->line[at] = (int)i;
	}
	return 0;
}

static int add_named(void *ctx, const char *name)
{
	struct gb_survey *s = ctx;
	struct gb_bdf bdf;

	if (gb_bdf_parse(name, &bdf))
		gb_machine_add(s->root, bdf, &s->machine);
	return 0;
}

static void add_slot(struct gb_survey *s, struct gb_bdf bdf)
{
	for (unsigned f = 0; f < 8; f++) {
		bdf.devfn = (uint8_t)((bdf.devfn & ~7u) | f);
		gb_machine_add(s->root, bdf, &s->machine);
	}
}

static void add_group(struct gb_survey *s, int group)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/sys/kernel/iommu_groups/%d/devices", group);
	if (group >= 0)
		gb_root_list(s->root, folder, add_named, s);
}

static int read_focus(struct gb_survey *s, const struct gb_focus *focus, size_t focused,
		      struct gb_err *err)
{
	int r;

	for (size_t i = 0; i < focused; i++)
		gb_machine_add(s->root, focus[i].bdf, &s->machine);
	for (size_t i = 0, last = focused; i < focused; i++) {
		struct gb_device device = { .bdf = focus[i].bdf, .group = -1 };

		if (focus[i].line == GB_NOWHERE)
			continue;
		gb_device_read_group(s->root, &device);
		/* the claimed functions of a card follow each other */
		if (last == focused || !same_slot(focus[last].bdf, device.bdf))
			add_slot(s, device.bdf);
		add_group(s, device.group);
		last = i;
	}
	s->grouped = gb_group_read(s->root, &s->machine);
	r = make_room(s, err);
	for (size_t d = 0; !r && d < s->machine.devices; d++)
		for (size_t i = 0; i < focused; i++)
			/* a claims file that shrank meanwhile has no such line any more */
			if (gb_bdf_equal(focus[i].bdf, s->machine.device[d].bdf) &&
			    focus[i].line < (int)s->claims.lines)
				s->line[d] = focus[i].line;
	return r;
}

static int read_topology(struct gb_survey *s, bool wake, const struct gb_focus *focus,
			 size_t focused, struct gb_err *err)
{
	struct gb_config *known = calloc(s->machine.devices + 1, sizeof(*known));
	int r;

	if (!known)
		return out_of_memory(err);
	for (size_t d = 0; d < s->machine.devices; d++)
		for (size_t i = 0; i < focused; i++)
			if (gb_bdf_equal(focus[i].bdf, s->machine.device[d].bdf))
				known[d] = focus[i].config;
	r = gb_topology_read(s->root, &s->machine, wake, known, &s->topology, err);
	free(known);
	return r;
}

struct entry {
	int group, node;
};

static int compare_entries(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* Each node points to the next of its group, and the last to the first. */
static void close_rings(struct gb_survey *s, enum gb_group_source source, struct entry *entry)
{
	size_t nodes = s->topology.nodes, first = 0;

	for (size_t i = 0; i < nodes; i++)
		entry[i] = (struct entry){ gb_survey_group(s, source, (int)i), (int)i };
	qsort(entry, nodes, sizeof(*entry), compare_entries);
	for (size_t i = 0; i < nodes; i++) {
		bool last = i + 1 == nodes || entry[i + 1].group != entry[i].group;

		if (entry[i].group < 0)
			s->next[source][entry[i].node] = entry[i].node;
		else
			s->next[source][entry[i].node] = entry[last ? first : i + 1].node;
		if (last)
			first = i + 1;
	}
}

static int index_groups(struct gb_survey *s, struct gb_err *err)
{
	size_t nodes = s->topology.nodes;
	struct entry *entry = calloc(nodes + 1, sizeof(*entry));

	s->next[GB_GROUPS_KERNEL] = calloc(nodes + 1, sizeof(int));
	s->next[GB_GROUPS_PREDICTED] = calloc(nodes + 1, sizeof(int));
	s->doubts = calloc(nodes + 1, 1);
	if (!entry || !s->next[GB_GROUPS_KERNEL] || !s->next[GB_GROUPS_PREDICTED] || !s->doubts) {
		free(entry);
		return out_of_memory(err);
	}
	close_rings(s, GB_GROUPS_KERNEL, entry);
	close_rings(s, GB_GROUPS_PREDICTED, entry);
	free(entry);
	for (size_t i = 0; i < s->differences.differences; i++) {
		const struct gb_difference *d = &s->differences.difference[i];

		s->doubts[d->a] |= (unsigned char)(1u << d->kind);
		if (d->b != GB_NOWHERE)
			s->doubts[d->b] |= (unsigned char)(1u << d->kind);
	}
	return 0;
}

static void read_firmware(struct gb_survey *s)
{
	s->dmar_error = -gb_dmar_read(s->root, &s->dmar, NULL);
	s->ivrs_error = -gb_ivrs_read(s->root, &s->ivrs, NULL);
	if (gb_iomem_read(s->root, &s->iomem, NULL))
		s->iomem.ranges = 0;
}

static int read_needs(struct gb_survey *s, struct gb_err *err)
{
	if (gb_needs_read(s->root, &s->needs))
		return out_of_memory(err);
	for (size_t i = 0; i < s->needs.needs; i++)
		s->needs.need[i].node = gb_survey_find(s, s->needs.need[i].bdf);
	return 0;
}

int gb_survey_read(struct gb_root *root, unsigned flags, const char *claims_file,
		   const struct gb_focus *focus, size_t focused, struct gb_survey *ret,
		   struct gb_err *err)
{
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->root = root;
	find_claims(root, claims_file, ret);
	r = focus ? read_focus(ret, focus, focused, err) : read_machine(ret, err);
	if (!r)
		r = read_topology(ret, flags & GB_SURVEY_WAKE, focus, focused, err);
	if (!r)
		r = gb_predict(&ret->topology, &ret->prediction, err);
	if (!r)
		r = gb_group_compare(&ret->prediction, &ret->differences, err);
	if (!r)
		r = index_groups(ret, err);
	if (!r && !focus) /* at boot the host stands on nothing yet */
		r = read_needs(ret, err);
	if (r)
		return r;
	if (flags & GB_SURVEY_FIRMWARE)
		read_firmware(ret);
	if (flags & GB_SURVEY_SITE)
		gb_site_read(root, &ret->site);
	if (gb_root_read_all(root, "/proc/cmdline", CMDLINE_MAX, &ret->cmdline, &len))
		ret->cmdline = strdup("");
	return ret->cmdline ? 0 : out_of_memory(err);
}

void gb_survey_clear(struct gb_survey *survey)
{
	gb_needs_clear(&survey->needs);
	gb_differences_clear(&survey->differences);
	gb_prediction_clear(&survey->prediction);
	gb_topology_clear(&survey->topology);
	gb_machine_clear(&survey->machine);
	gb_claims_clear(&survey->claims);
	gb_dmar_clear(&survey->dmar);
	gb_ivrs_clear(&survey->ivrs);
	gb_iomem_clear(&survey->iomem);
	free(survey->next[GB_GROUPS_KERNEL]);
	free(survey->next[GB_GROUPS_PREDICTED]);
	free(survey->doubts);
	free(survey->driver);
	free(survey->verdict);
	free(survey->line);
	free(survey->cmdline);
	memset(survey, 0, sizeof(*survey));
}

enum gb_group_source gb_survey_groups(const struct gb_survey *survey)
{
	return survey->grouped ? GB_GROUPS_KERNEL : GB_GROUPS_PREDICTED;
}

int gb_survey_group(const struct gb_survey *survey, enum gb_group_source source, int node)
{
	return source == GB_GROUPS_KERNEL ? survey->topology.node[node].device->group
					  : survey->prediction.member[node].group;
}

int gb_survey_next(const struct gb_survey *survey, enum gb_group_source source, int node)
{
	return survey->next[source][node];
}

static int device_of(const struct gb_survey *survey, int node)
{
	return (int)(survey->topology.node[node].device - survey->machine.device);
}

int gb_survey_find(const struct gb_survey *survey, struct gb_bdf bdf)
{
	for (size_t i = 0; i < survey->machine.devices; i++)
		if (gb_bdf_equal(survey->machine.device[i].bdf, bdf))
			return survey->topology.at[i];
	return GB_NOWHERE;
}

const char *gb_survey_driver(const struct gb_survey *survey, int node)
{
	return survey->driver[device_of(survey, node)];
}

const struct gb_line *gb_survey_line(const struct gb_survey *survey, int node)
{
	int line = survey->line[device_of(survey, node)];

	return line == GB_NOWHERE ? NULL : &survey->claims.line[line];
}

bool gb_survey_is_claimed(const struct gb_survey *survey, int node)
{
	const struct gb_line *line = gb_survey_line(survey, node);

	return line && !line->keep;
}

bool gb_survey_same_slot(const struct gb_survey *survey, int a, int b)
{
	const struct gb_node *one = &survey->topology.node[a], *other = &survey->topology.node[b];

	return one->parent == other->parent && same_slot(one->device->bdf, other->device->bdf);
}
