/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes use which GPUs, on a synthetic /proc and /sys. */
#include "fake.h"

#include "occupants.h"
#include "use.h"

#define CARD "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00"
#define INTEL "/sys/devices/pci0000:00/0000:00:02.0"

static struct tree tree;
static struct gb_bdf function[3];
static struct gb_occupants found;

/* A card of two functions in IOMMU group 12 and the processor's own display. */
static int make(void **state)
{
	static const char *const address[] = { "0000:01:00.0", "0000:01:00.1", "0000:00:02.0" };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(gb_bdf_parse(address[i], &function[i]));
	tree_make(&tree);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:01:00.0", "10de:2203 1462:5054 030000", 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:01:00.1", "10de:1aef 1462:5054 040300", 0);
	tree_pci(&tree, "pci0000:00/0000:00:02.0", "8086:a780 1462:7d91 030000", 0);
	tree_put(&tree, INTEL "/drm/card1/dev", "226:1\n");
	tree_put(&tree, INTEL "/drm/card1/uevent", "MAJOR=226\nMINOR=1\nDEVNAME=dri/card1\n");
	tree_put(&tree, INTEL "/drm/renderD128/dev", "226:128\n");
	tree_put(&tree, INTEL "/drm/renderD128/uevent", "DEVNAME=dri/renderD128\n");
	tree_put(&tree, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:\n"
				       "ann:x:1000:1000::/home/ann:/bin/sh\n");
	tree_put(&tree, "/proc/1/comm", "systemd\n");
	tree_folder(&tree, "/proc/1/fd");
	tree_put(&tree, "/proc/70/comm", "Xwayland\n");
	tree_put(&tree, "/proc/70/status", "Name:\tXwayland\nUid:\t1000\t1000\t1000\t1000\n");
	tree_folder(&tree, "/proc/70/fd");
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_occupants_clear(&found);
	tree_clear(&tree);
	return 0;
}

static void use_vfio(void)
{
	tree_link(&tree, CARD ".0/iommu_group", "../../../../kernel/iommu_groups/12");
	tree_link(&tree, CARD ".1/iommu_group", "../../../../kernel/iommu_groups/12");
	tree_put(&tree, "/dev/vfio/12", "");
}

/* "function pid user name nodes;…", and whether that was all. */
static void check(const char *want, bool all)
{
	char text[1024] = "";
	size_t len = 0;

	gb_occupants_clear(&found);
	assert_int_equal(gb_occupants_find(tree.root, function, 3, &found), 0);
	for (size_t i = 0; i < found.occupants; i++) {
		const struct gb_occupant *one = &found.occupant[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%zu %d %s %s %s;",
					one->function, one->pid, one->user, one->name, one->nodes);
	}
	assert_string_equal(text, want);
	assert_int_equal(found.all, all);
}

static void nobody(void **state)
{
	(void)state;
	check("", true);
	assert_int_equal(gb_occupants_any(&found, 2), GB_NO);
}

static void open_and_mapped(void **state)
{
	(void)state;
	tree_link(&tree, "/proc/70/fd/3", "/dev/dri/card1");
	tree_link(&tree, "/proc/70/fd/4", "/dev/dri/card1");
	tree_link(&tree, "/proc/70/fd/5", "/dev/dri/card10");
	tree_put(&tree, "/proc/70/maps",
		 "7f00-7f01 r--p 00000000 08:01 77 /home/a /dev/dri/card1\n"
		 "7f01-7f02 rw-s 00000000 00:06 512   /dev/dri/renderD128\n"
		 "7f02-7f03 rw-p 00000000 00:00 0\n"
		 "7f03-7f04 rw-s 00000000 00:06 512   /dev/dri/renderD128\n");
	check("2 70 ann Xwayland /dev/dri/card1, /dev/dri/renderD128;", true);
	assert_int_equal(gb_occupants_any(&found, 2), GB_YES);
	assert_int_equal(gb_occupants_any(&found, 0), GB_NO);
}

static void mapped_only(void **state)
{
	char who[160];

	(void)state;
	tree_put(&tree, "/proc/70/maps", "7f01-7f02 rw-s 0 00:06 512 /dev/dri/renderD128");
	check("2 70 ann Xwayland /dev/dri/renderD128;", true);
	assert_int_equal(gb_use_find(tree.root, function[2], who, sizeof(who)), 1);
}

/* Every function of the group is used when the group is. */
static void a_vfio_group(void **state)
{
	(void)state;
	use_vfio();
	tree_link(&tree, "/proc/70/fd/3", "/dev/vfio/vfio");
	check("", true);
	tree_link(&tree, "/proc/70/fd/4", "/dev/vfio/12");
	tree_put(&tree, "/proc/70/comm", "qemu\x1b[2J\n");
	check("0 70 ann qemu?[2J /dev/vfio/12;1 70 ann qemu?[2J /dev/vfio/12;", true);
}

static void a_vfio_device(void **state)
{
	(void)state;
	tree_put(&tree, CARD ".0/vfio-dev/vfio0/dev", "511:0\n");
	tree_put(&tree, CARD ".0/vfio-dev/vfio0/uevent", "DEVNAME=vfio/devices/vfio0\n");
	tree_link(&tree, "/proc/70/fd/4", "/dev/vfio/devices/vfio0");
	check("0 70 ann Xwayland /dev/vfio/devices/vfio0;", true);
}

static void nvidias_own(void **state)
{
	(void)state;
	tree_put(&tree, "/proc/driver/nvidia/gpus/0000:01:00.0/information",
		 "Model: \t\t NVIDIA GeForce RTX 3090 Ti\nDevice Minor: \t 0\n");
	tree_link(&tree, "/proc/70/fd/4", "/dev/nvidiactl");
	tree_link(&tree, "/proc/70/fd/5", "/dev/nvidia0");
	tree_put(&tree, "/proc/70/status", "Name:\tX\nUid:\t4242\t0\t0\t0\n");
	check("0 70 4242 Xwayland /dev/nvidia0;", true);
}

static int fail_listing(void *ctx, enum gb_op op, const char *path, const char *data)
{
	(void)data;
	return op == GB_LIST && !strcmp(path, ctx) ? -EACCES : 0;
}

static void a_process_that_one_may_not_look_into(void **state)
{
	(void)state;
	use_vfio();
	gb_root_watch(tree.root, fail_listing, (char[]){ "/proc/70/fd" });
	check("", false);
	assert_int_equal(gb_occupants_any(&found, 0), GB_CANNOT_TELL);
	assert_int_equal(gb_occupants_any(&found, 2), GB_CANNOT_TELL);
	tree_link(&tree, "/proc/1/fd/9", "/dev/vfio/12");
	check("0 1  systemd /dev/vfio/12;1 1  systemd /dev/vfio/12;", false);
	assert_int_equal(gb_occupants_any(&found, 0), GB_YES);
}

/* What has no node can't be used, whoever is hidden. */
static void without_a_node(void **state)
{
	(void)state;
	tree_link(&tree, "/proc/self/ns/pid", "pid:[4026532000]");
	check("", false);
	assert_int_equal(gb_occupants_any(&found, 2), GB_CANNOT_TELL);
	assert_int_equal(gb_occupants_any(&found, 0), GB_NO);
	tree_link(&tree, "/proc/self/ns/pid", "pid:[4026531836]");
	check("", true);
}

static void no_processes_to_be_seen(void **state)
{
	(void)state;
	gb_root_watch(tree.root, fail_listing, (char[]){ "/proc" });
	check("", false);
	gb_root_watch(tree.root, NULL, NULL);
	assert_int_equal(gb_occupants_any(&found, 2), GB_CANNOT_TELL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, clear)
	const struct CMUnitTest tests[] = {
		CASE(nobody), CASE(open_and_mapped), CASE(mapped_only), CASE(a_vfio_group),
		CASE(a_vfio_device), CASE(nvidias_own),
		CASE(a_process_that_one_may_not_look_into), CASE(without_a_node),
		CASE(no_processes_to_be_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
