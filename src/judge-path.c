/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "members.h"

/* The way from a device to the root, and what on it does not isolate. */

struct way {
	const struct gb_survey *survey;
	int node;
	char bdf[GB_BDF_MAX];
	struct gb_checks *checks;
};

static const struct gb_node *node_of(const struct way *w, int node)
{
	return &w->survey->topology.node[node];
}

static const struct gb_acs *acs_of(const struct way *w, int node)
{
	return &w->survey->prediction.acs[node];
}

/* "SV+ TB- RR+ …" as lspci has it */
static const char *bits_text(uint16_t bits, char *ret, size_t size)
{
	size_t at = 0;

	for (unsigned i = 0; i < GB_ACS_BITS && at < size; i++)
		at += (size_t)snprintf(ret + at, size - at, "%s%s%c", i ? " " : "",
				       gb_acs_bit_name(1u << i), bits & 1u << i ? '+' : '-');
	return ret;
}

static void add_bits(const struct way *w, const struct gb_acs_bits *bits)
{
	char capability[48], control[48];

	gb_check_evidence(w->checks, "ACS capability %s",
			  bits_text(bits->capability, capability, sizeof(capability)));
	gb_check_evidence(w->checks, "control %s",
			  bits_text(bits->control, control, sizeof(control)));
}

/* The kernel turns on all that a port can as soon as an IOMMU driver asks for it
 * (drivers/pci/pci.c pci_enable_acs), so what is off by then stays off. */
static void check_port(const struct way *w, int port)
{
	const struct gb_node *node = node_of(w, port);
	const struct gb_acs *acs = acs_of(w, port);
	const char *rule = gb_acs_rule_text(acs->rule);
	struct gb_acs_bits bits = { 0 };
	bool read = gb_acs_read(&node->device->id, &node->config, &bits) == GB_YES;
	char bdf[GB_BDF_MAX], off[48];

	gb_bdf_format(node->device->bdf, bdf);
	if (acs->isolated == GB_CANNOT_TELL)
		gb_check(w->checks, "acs-path", GB_UNKNOWN, w->bdf,
			 "whether port %s, on its way to the CPU, isolates can't be told", bdf);
	else if (acs->isolated == GB_NO)
		gb_check(w->checks, "acs-path", GB_WARN, w->bdf,
			 "port %s, on its way to the CPU, does not isolate: %s", bdf, rule);
	else if (read && bits.off && w->survey->grouped && acs->rule == GB_ACS_CAPABLE)
		gb_check(w->checks, "acs-path", GB_FAIL, w->bdf,
			 "port %s, on its way to the CPU, could isolate, but that is switched "
			 "off: %s", bdf, bits_text(bits.off, off, sizeof(off)));
	else
		gb_check(w->checks, "acs-path", GB_PASS, w->bdf,
			 "port %s, on its way to the CPU, isolates: %s", bdf, rule);
	if (read)
		add_bits(w, &bits);
	else
		gb_check_evidence(w->checks, "%s%u bytes of its config space",
				  node->config.acs == GB_NO ? "no ACS capability in " : "",
				  node->config.bytes);
	if (acs->isolated == GB_CANNOT_TELL)
		gb_check_fix(w->checks, node->config.asleep ?
			     "it sleeps: ghost-verify wakes it and looks" : "ask again as root");
}

/* A bridge that gives its own ID to all below it is no port, and is told apart. */
static bool is_port(const struct way *w, int node)
{
	return acs_of(w, node)->aliases != GB_YES;
}

static void add_place(const struct way *w)
{
	char path[GB_PATH_MAX];

	gb_check_evidence(w->checks, "/sys/bus/pci/devices/%s: at %s", w->bdf,
			  gb_path_format(&node_of(w, w->node)->device->path, path));
}

static void check_ports(const struct way *w)
{
	const struct gb_node *node = node_of(w, w->node);
	int at = node->parent;

	/* a capture may lack the tree as well as the bytes */
	if (node->lost || (at == GB_NOWHERE && !node->config.bytes && !node->config.asleep))
		gb_check(w->checks, "acs-path", GB_UNKNOWN, w->bdf,
			 "what is above it can't be seen here");
	else if (at == GB_NOWHERE)
		gb_check(w->checks, "acs-path", GB_PASS, w->bdf,
			 "no port is on its way to the CPU");
	if (node->lost || at == GB_NOWHERE)
		add_place(w);
	for (; at != GB_NOWHERE; at = node_of(w, at)->parent)
		if (is_port(w, at))
			check_port(w, at);
}

static void check_bridges(const struct way *w)
{
	enum gb_known any = GB_NO;
	char bdf[GB_BDF_MAX];

	for (int at = node_of(w, w->node)->parent; at != GB_NOWHERE; at = node_of(w, at)->parent) {
		if (acs_of(w, at)->aliases == GB_CANNOT_TELL && any == GB_NO)
			any = GB_CANNOT_TELL;
		if (acs_of(w, at)->aliases != GB_YES)
			continue;
		any = GB_YES;
		gb_check(w->checks, "conventional-bridge", GB_WARN, w->bdf,
			 "it is below a conventional PCI bridge, %s: all below that use one ID, "
			 "and go together",
			 gb_bdf_format(node_of(w, at)->device->bdf, bdf));
		gb_check_evidence(w->checks, "%s", gb_acs_rule_text(acs_of(w, at)->rule));
		gb_check_fix(w->checks, "put the card into a PCI Express slot");
	}
	if (any == GB_NO)
		gb_check(w->checks, "conventional-bridge", GB_PASS, w->bdf,
			 "no conventional PCI bridge is above it");
	else if (any == GB_CANNOT_TELL)
		gb_check(w->checks, "conventional-bridge", GB_UNKNOWN, w->bdf,
			 "whether a bridge above it is a conventional one can't be told");
	if (any != GB_YES)
		add_place(w);
}

/* The functions beside it that go with it, since neither isolates. */
static void check_functions(const struct way *w)
{
	enum gb_known isolated = acs_of(w, w->node)->isolated;
	char names[256] = "", bdf[GB_BDF_MAX];
	struct gb_members members;
	size_t at = 0;

	gb_members_of(w->survey, w->node, &members);
	for (int i = gb_members_next(&members, w->node); i != GB_NOWHERE;
	     i = gb_members_next(&members, i))
		if (gb_survey_same_slot(w->survey, i, w->node) && at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
					       at ? ", " : "",
					       gb_bdf_format(node_of(w, i)->device->bdf, bdf));
	if (!at)
		gb_check(w->checks, "multifunction", GB_PASS, w->bdf,
			 "no function beside it must go with it");
	else if (members.source == GB_GROUPS_KERNEL || isolated != GB_CANNOT_TELL)
		gb_check(w->checks, "multifunction", GB_PASS, w->bdf,
			 "functions beside it go with it: %s", names);
	else
		gb_check(w->checks, "multifunction", GB_UNKNOWN, w->bdf,
			 "whether the functions beside it must go with it can't be told: %s",
			 names);
	gb_check_evidence(w->checks, "%s", gb_acs_rule_text(acs_of(w, w->node)->rule));
}

static void check_requester(const struct way *w)
{
	const struct gb_member *member = &w->survey->prediction.member[w->node];
	char bdf[GB_BDF_MAX];

	if (member->join != GB_JOIN_REQUESTER && member->join != GB_JOIN_ALIAS)
		return;
	gb_check(w->checks, "requester-alias", GB_WARN, w->bdf,
		 "to the IOMMU it looks like %s, and goes with it",
		 gb_bdf_format(node_of(w, member->with)->device->bdf, bdf));
	gb_check_evidence(w->checks, "%s", gb_join_text(member->join));
}

void gb_judge_path(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct way w = { .survey = survey, .node = node, .checks = checks };

	gb_bdf_format(node_of(&w, node)->device->bdf, w.bdf);
	check_ports(&w);
	check_functions(&w);
	check_bridges(&w);
	check_requester(&w);
}
