/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Predicted groups, and the kernel's beside them: cases by hand. */
#include "world.h"

static void switch_without_acs(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	int up = add(&w, root, 0, 0, express(GB_PORT_UPSTREAM, false));
	int down = add(&w, up, 0, 0, express(GB_PORT_DOWNSTREAM, false));
	int good = add(&w, up, 1, 0, express(GB_PORT_DOWNSTREAM, true));
	int gpu = add(&w, down, 0, 0, express(GB_PORT_ENDPOINT, false));
	int disk = add(&w, good, 0, 0, express(GB_PORT_ENDPOINT, false));
	struct outcome o;

	(void)state;
	foretell(&w, &o);
	assert_true(together(&o, down, gpu));
	assert_false(together(&o, down, up) || together(&o, good, disk) || together(&o, up, root));
	assert_int_equal(member(&o, gpu)->join, GB_JOIN_PATH);
	assert_int_equal(member(&o, gpu)->because, o.topology.at[down]);
	assert_int_equal(o.prediction.groups, 5);
	forget(&o);
}

static void slow_root_port(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, false));
	int up = add(&w, root, 0, 0, express(GB_PORT_UPSTREAM, false));
	int down = add(&w, up, 0, 0, express(GB_PORT_DOWNSTREAM, true));
	int gpu = add(&w, down, 0, 0, express(GB_PORT_ENDPOINT, false));
	struct outcome o;

	(void)state;
	foretell(&w, &o);
	assert_true(together(&o, root, up) && together(&o, up, down) && together(&o, down, gpu));
	assert_int_equal(member(&o, gpu)->because, o.topology.at[root]);
	assert_true(certain(&o, gpu));
	forget(&o);
}

static void conventional_bridge(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	int bridge = add(&w, root, 0, 0, express(GB_PORT_TO_PCI, false));
	int a = add(&w, bridge, 0, 0, conventional(false));
	int b = add(&w, bridge, 1, 0, conventional(false));
	struct outcome o;

	(void)state;
	foretell(&w, &o);
	assert_true(together(&o, bridge, a) && together(&o, a, b));
	assert_false(together(&o, root, bridge));
	assert_int_equal(member(&o, b)->join, GB_JOIN_BRIDGE);
	assert_int_equal(member(&o, b)->with, o.topology.at[bridge]);
	forget(&o);
}

static void requester_ids_shared(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	/* a Marvell controller that DMAs as function 1, which is there and isolated */
	int sata = add_model(&w, root, 0, 0, 0x1b4b, 0x9230, express(GB_PORT_ENDPOINT, true));
	int ide = add(&w, root, 0, 1, express(GB_PORT_ENDPOINT, true));
	int other = add(&w, root, 0, 2, express(GB_PORT_ENDPOINT, true));
	/* a bridge to another host that may use any ID of its bus */
	int port = add(&w, -1, 2, 0, express(GB_PORT_ROOT, true));
	int lone = add(&w, port, 4, 0, express(GB_PORT_ENDPOINT, true));
	int plx = add_model(&w, port, 9, 0, 0x10b5, 0x87b0, express(GB_PORT_ENDPOINT, true));
	int last = add(&w, port, 10, 0, express(GB_PORT_ENDPOINT, true));
	int far = add(&w, port, 11, 0, express(GB_PORT_ENDPOINT, true));
	struct outcome o;

	(void)state;
	w.device[far].virtual = true; /* of its own bus */
	w.device[far].bdf.bus = 77;
	foretell(&w, &o);
	assert_false(together(&o, plx, far));
	assert_true(together(&o, sata, ide));
	assert_false(together(&o, ide, other));
	assert_int_equal(member(&o, ide)->join, GB_JOIN_ALIAS);
	assert_true(together(&o, lone, plx) && together(&o, plx, last));
	forget(&o);
}

static void virtual_functions(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	int pf = add(&w, root, 0, 0, express(GB_PORT_ENDPOINT, false));
	int second = add(&w, root, 0, 1, express(GB_PORT_ENDPOINT, false));
	int near = add(&w, root, 0, 2, express(GB_PORT_ENDPOINT, false));
	int far = add(&w, root, 0, 0, express(GB_PORT_ENDPOINT, false));
	/* a model that never isolates, between physical functions */
	int port = add(&w, -1, 2, 0, express(GB_PORT_ROOT, true));
	int first = add(&w, port, 0, 0, express(GB_PORT_ENDPOINT, true));
	int open = add_model(&w, port, 0, 1, 0x8088, 0x0110, express(GB_PORT_ENDPOINT, false));
	int final = add_model(&w, port, 0, 2, 0x8088, 0x0110, express(GB_PORT_ENDPOINT, false));
	struct outcome o;

	(void)state;
	w.device[open].virtual = true;
	w.config[pf].multifunction = w.shown[pf].multifunction = true;
	w.device[near].virtual = w.device[far].virtual = true;
	w.device[far].bdf.bus = 77;
	foretell(&w, &o);
	assert_true(together(&o, pf, second));
	assert_false(together(&o, pf, near) || together(&o, pf, far) || together(&o, near, far));
	assert_false(together(&o, first, final) || together(&o, open, final));
	forget(&o);
}

/* An in-house laptop: no bytes but the header's. The port may isolate, or not. */
static void unknown_is_said(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	int gpu = add(&w, root, 0, 0, express(GB_PORT_ENDPOINT, false));
	int audio = add(&w, root, 0, 1, express(GB_PORT_ENDPOINT, false));
	int lan = add(&w, -1, 2, 0, conventional(false));
	struct outcome o;

	(void)state;
	w.config[gpu].multifunction = w.shown[gpu].multifunction = true;
	foretell(&w, &o);
	assert_true(together(&o, gpu, audio) && !together(&o, gpu, root) && certain(&o, gpu));
	forget(&o);
	for (int i = 0; i < w.count - 1; i++) {
		w.shown[i].bytes = 64;
		w.shown[i].express = w.shown[i].acs = GB_CANNOT_TELL;
	}
	foretell(&w, &o);
	assert_false(certain(&o, gpu) || certain(&o, root) || certain(&o, audio));
	assert_true(certain(&o, lan));
	assert_int_not_equal(member(&o, gpu)->surest, member(&o, audio)->surest);
	forget(&o);
	w.shown[lan] = (struct gb_config){ 0 };
	foretell(&w, &o);
	assert_false(certain(&o, lan));
	forget(&o);
}

static void kernel_disagrees(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, false));
	int gpu = add(&w, root, 0, 0, express(GB_PORT_ENDPOINT, false));
	int other = add(&w, -1, 2, 0, express(GB_PORT_ROOT, true));
	int igpu = add(&w, -1, 3, 0, express(GB_PORT_INTEGRATED, false));
	struct outcome o;

	(void)state;
	foretell(&w, &o); /* no groups at all */
	assert_int_equal(o.differences.differences, 0);
	forget(&o);
	w.device[root].group = w.device[gpu].group = 5;
	w.device[other].group = 6;
	w.device[igpu].group = INT_MAX;
	foretell(&w, &o);
	assert_int_equal(o.differences.differences, 0);
	forget(&o);
	w.device[gpu].group = 7; /* pcie_acs_override */
	foretell(&w, &o);
	assert_int_equal(o.differences.differences, 1);
	assert_int_equal(o.differences.difference[0].kind, GB_SPLIT);
	assert_int_equal(o.differences.difference[0].a, o.topology.at[root]);
	assert_int_equal(o.differences.difference[0].b, o.topology.at[gpu]);
	forget(&o);
	w.shown[root].bytes = 256; /* the same, but who can tell */
	w.shown[root].acs = GB_CANNOT_TELL;
	foretell(&w, &o);
	assert_int_equal(count(&o, GB_UNPROVEN), 1);
	assert_int_equal(o.differences.differences, 1);
	forget(&o);
	w.device[other].group = w.device[gpu].group = 5;
	w.device[igpu].group = -1; /* CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF */
	foretell(&w, &o);
	assert_int_equal(count(&o, GB_JOINED), 1);
	assert_int_equal(count(&o, GB_LEFT_OUT), 1);
	assert_int_equal(o.differences.differences, 2);
	forget(&o);
	w.shown[gpu] = w.shown[other] = (struct gb_config){ 0 }; /* a listing may lack bridges */
	foretell(&w, &o);
	assert_int_equal(count(&o, GB_JOINED), 0);
	forget(&o);
}

static void lost_bridges_and_vmd(void **state)
{
	struct world w = { 0 };
	int root = add(&w, -1, 1, 0, express(GB_PORT_ROOT, true));
	int gpu = add(&w, root, 0, 0, express(GB_PORT_ENDPOINT, false));
	int audio = add(&w, root, 0, 1, express(GB_PORT_ENDPOINT, false));
	struct outcome o;

	(void)state;
	w.config[gpu].multifunction = w.shown[gpu].multifunction = true;
	w.device[root].path.hop[0] = 0x88; /* not where the GPU says */
	w.device[audio].path.hops++;	   /* whose audio is said to be elsewhere still */
	foretell(&w, &o);
	assert_int_not_equal(member(&o, gpu)->surest, member(&o, audio)->surest);
	assert_true(o.topology.node[o.topology.at[gpu]].lost);
	assert_false(certain(&o, gpu));
	assert_true(certain(&o, root));
	forget(&o);
	w.device[root].path.hop[0] = 0x08; /* nothing is below a virtual function */
	w.device[root].virtual = true;
	foretell(&w, &o);
	assert_true(o.topology.node[o.topology.at[gpu]].lost);
	forget(&o);
}

/* ---- sysfs to groups -------------------------------------------------------------------- */

static void sysfs_with_a_vmd_domain(void **state)
{
	static const char vmd[] = "pci0000:00/0000:00:0e.0";
	static const char port[] = "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0";
	static const char disk[] = "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/"
				   "10000:e1:00.0";
	static const char stray[] = "pci10001:00/10001:00:00.0";
	struct gb_claims claims = { 0 };
	struct gb_machine machine = { 0 };
	struct outcome o = { 0 };
	struct tree tree;
	struct gb_err err;
	int at[4];

	(void)state;
	tree_make(&tree);
	tree_pci(&tree, vmd, "8086:467f 0000:0000 010400", 0);
	tree_pci(&tree, port, "8086:464d 0000:0000 060400", 0xe1);
	tree_pci(&tree, disk, "144d:a808 0000:0000 010802", 0);
	tree_pci(&tree, stray, "144d:a808 0000:0000 010802", 0);
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:0e.0/iommu_group",
		  "../../../kernel/iommu_groups/461");
	assert_int_equal(gb_machine_scan(tree.root, &claims, &machine, &err), 0);
	assert_int_equal(gb_group_read(tree.root, &machine), 1);
	assert_int_equal(gb_topology_read(tree.root, &machine, true, NULL, &o.topology, &err), 0);
	assert_int_equal(gb_predict(&o.topology, &o.prediction, &err), 0);
	for (int i = 0; i < 4; i++) /* ordered by domain, bus, depth */
		at[i] = i;
	assert_int_equal(o.topology.node[0].device->group, 461);
	assert_int_equal(o.topology.node[at[1]].requester, 0);
	assert_int_equal(o.topology.node[at[2]].requester, 0);
	assert_int_equal(o.prediction.member[2].join, GB_JOIN_REQUESTER);
	assert_int_equal(o.prediction.member[2].group, o.prediction.member[0].group);
	assert_true(o.topology.node[3].lost);
	assert_int_equal(o.topology.node[3].requester, 3);
	gb_prediction_clear(&o.prediction);
	gb_topology_clear(&o.topology);
	gb_machine_clear(&machine);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switch_without_acs),
		cmocka_unit_test(slow_root_port),
		cmocka_unit_test(conventional_bridge),
		cmocka_unit_test(requester_ids_shared),
		cmocka_unit_test(virtual_functions),
		cmocka_unit_test(unknown_is_said),
		cmocka_unit_test(kernel_disagrees),
		cmocka_unit_test(lost_bridges_and_vmd),
		cmocka_unit_test(sysfs_with_a_vmd_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
