/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what the library says of one machine's IOMMU groups: a line for each function, with the
 * bytes of config space, ACS rule, the kernel's group, the predicted one, whether it is certain,
 * and how it came there; then a line for each difference. */
#include <stdio.h>
#include <string.h>

#include "claims.h"
#include "err.h"
#include "group.h"
#include "root.h"

static int fail(const struct gb_err *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static const char *name(const struct gb_topology *topology, int node, char *buf)
{
	return node == GB_NOWHERE ? "-" : gb_bdf_format(topology->node[node].device->bdf, buf);
}

static void print_nodes(const struct gb_prediction *prediction)
{
	const struct gb_topology *topology = prediction->topology;
	char bdf[GB_BDF_MAX], with[GB_BDF_MAX], because[GB_BDF_MAX];

	for (int i = 0; i < (int)topology->nodes; i++) {
		const struct gb_member *member = &prediction->member[i];

		printf("node\t%s\t%u\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", name(topology, i, bdf),
		       topology->node[i].config.bytes, gb_acs_rule_name(prediction->acs[i].rule),
		       topology->node[i].device->group, member->group,
		       prediction->certain[member->group] ? "certain" : "unknown",
		       gb_join_name(member->join), name(topology, member->with, with),
		       name(topology, member->because, because));
	}
}

int main(int argc, char **argv)
{
	struct gb_claims claims = { 0 };
	struct gb_machine machine = { 0 };
	struct gb_topology topology;
	struct gb_prediction prediction;
	struct gb_differences differences;
	struct gb_root *root;
	struct gb_err err;
	char a[GB_BDF_MAX], b[GB_BDF_MAX];

	if (argc != 2 || gb_root_open(argv[1], &root, &err) < 0)
		return 2;
	if (gb_machine_scan(root, &claims, &machine, &err) < 0)
		return fail(&err);
	gb_group_read(root, &machine);
	if (gb_topology_read(root, &machine, false, NULL, &topology, &err) < 0 ||
	    gb_predict(&topology, &prediction, &err) < 0 ||
	    gb_group_compare(&prediction, &differences, &err) < 0)
		return fail(&err);
	print_nodes(&prediction);
	for (size_t i = 0; i < differences.differences; i++)
		printf("difference\t%s\t%s\t%s\n",
		       gb_difference_name(differences.difference[i].kind),
		       name(&topology, differences.difference[i].a, a),
		       name(&topology, differences.difference[i].b, b));
	gb_differences_clear(&differences);
	gb_prediction_clear(&prediction);
	gb_topology_clear(&topology);
	gb_machine_clear(&machine);
	gb_root_close(root);
	return 0;
}
