/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who held a device when, by what the kernel log and the record say. */
#include "fake.h"

#include "timeline.h"

static const char claims[] = "ghost-boot claims 1\n"
			     "claim path=0000:00/01.0 id=10de:2203 subsys=0001:0001 class=030000\n"
			     "keep path=0000:00/02.0 id=8086:a780 subsys=0001:0001 class=030000\n";

struct boot {
	struct tree tree;
	struct gb_diag diag;
	struct gb_timeline timeline;
};

static void bind(const struct tree *tree, const char *bdf, const char *driver)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	tree_put(tree, path, "");
	snprintf(path, sizeof(path), "/sys/devices/pci0000:00/%s/driver", bdf);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, path, target);
}

static void make(struct boot *boot, const char *log, const char *before, const char *result)
{
	struct tree *tree = &boot->tree;
	char record[512];
	struct gb_err err;

	tree_make(tree);
	tree_pci(tree, "pci0000:00/0000:00:01.0", "10de:2203 1:1 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:02.0", "8086:a780 1:1 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:03.0", "10de:2203 1:1 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:04.0", "1:2 1:1 020000", 0);
	bind(tree, "0000:00:01.0", result ? "vfio-pci" : "nouveau");
	bind(tree, "0000:00:02.0", "i915");
	tree_put(tree, "/etc/ghost-boot/claims", claims);
	tree_put(tree, "/proc/cmdline", "ghost.claim=on\n");
	if (log)
		tree_put(tree, "/dev/kmsg", log);
	snprintf(record, sizeof(record),
		 "{\"at\": 2.0, \"took_ms\": 500, \"armed\": true, \"outcome\": \"claimed\", "
		 "\"devices\": [{\"line\": 2, \"bdf\": \"0000:00:01.0\", \"id\": \"10de:2203\", "
		 "\"decision\": \"claim\", \"result\": \"%s\", \"driver\": \"vfio-pci\", "
		 "\"driver_before\": %s}]}", result ? result : "", before);
	if (result)
		tree_put(tree, "/run/ghost-boot/claim.json", record);
	if (gb_diag_read(tree->root, &boot->diag, &err))
		fail_msg("%s", err.text);
	gb_timeline_read(&boot->diag, &boot->timeline);
}

static void clear(struct boot *boot)
{
	struct gb_text text = { 0 };

	gb_timeline_draw(&boot->diag, &boot->timeline, &text);
	assert_false(text.failed);
	assert_non_null(strstr(text.data, "</svg>"));
	gb_text_clear(&text);
	gb_diag_clear(&boot->diag);
	tree_clear(&boot->tree);
}

static void check_span(const struct boot *boot, size_t lane, size_t i, const char *driver,
		       double from, bool certain)
{
	const struct gb_lane *l = &boot->timeline.lane[lane];

	assert_true(lane < boot->timeline.lanes && i < l->spans);
	assert_string_equal(l->span[i].driver, driver);
	if (l->span[i].from < from - 0.001 || l->span[i].from > from + 0.001)
		fail_msg("%s from %f, not %f", driver, l->span[i].from, from);
	assert_int_equal(l->span[i].certain, certain);
	assert_true(l->span[i].to >= from);
	assert_true(i + 1 == l->spans || l->span[i].to == l->span[i + 1].from);
}

static void lanes(void **state)
{
	struct boot boot;

	(void)state;
	make(&boot, NULL, "null", "bound");
	assert_int_equal(boot.timeline.lanes, 3); /* not the network card */
	assert_int_equal(boot.timeline.lane[0].kind, GB_LANE_CLAIMED);
	assert_int_equal(boot.timeline.lane[1].kind, GB_LANE_KEPT);
	assert_int_equal(boot.timeline.lane[2].kind, GB_LANE_TWIN);
	assert_int_equal(boot.timeline.lane[2].spans, 0);
	clear(&boot);
}

static void by_the_record(void **state)
{
	struct boot boot;

	(void)state;
	make(&boot, NULL, "\"nouveau\"", "bound");
	check_span(&boot, 0, 0, "nouveau", 0, false);
	check_span(&boot, 0, 1, "vfio-pci", 2.5, true);
	check_span(&boot, 1, 0, "i915", -1, false); /* since when is not known */
	clear(&boot);
}

static void by_what_drivers_say(void **state)
{
	struct boot boot;

	(void)state;
	make(&boot, "6,0,1000000,-;nouveau 0000:00:01.0: NVIDIA\n"
		    "6,1,1100000,-;nouveau 0000:00:01.0: more\n"
		    "6,2,4000000,-;i915 0000:00:02.0: [drm] x\n"
		    "6,3,4100000,-;vfio-pci 0000:00:01.0: enabling\n", "\"nouveau\"", "bound");
	check_span(&boot, 0, 0, "nouveau", 1, false);
	check_span(&boot, 0, 1, "vfio-pci", 2.5, true);
	assert_int_equal(boot.timeline.lane[0].spans, 2);
	check_span(&boot, 1, 0, "i915", 4, false);
	clear(&boot);
}

static void by_the_kernel(void **state)
{
	struct boot boot;

	(void)state;
	make(&boot, "7,0,900000,-;m-1 [0]: module_load: bochs \n"
		    "7,0,910000,-;m-1 [0]: module_load: vfio \n"
		    "7,1,950000,-;systemd-udevd[7]: starting\n"
		    "7,2,960000,-;m-1 [0]: module_load: vfio_pci \n"
		    "7,3,1000000,-;nouveau 0000:00:01.0: tries\n"
		    "7,4,2250000,-;pci 0000:00:01.0: driver: 'vfio-pci': driver_bound: bound to "
		    "device\n", "null", "bound");
	assert_int_equal(boot.timeline.lane[0].spans, 1);
	check_span(&boot, 0, 0, "vfio-pci", 2.25, true);
	assert_int_equal(boot.timeline.marks, 2); /* bochs is nobody's here */
	assert_int_equal(boot.timeline.mark[0].kind, GB_MARK_UDEV);
	assert_string_equal(boot.timeline.mark[1].name, "vfio_pci");
	assert_true(boot.timeline.begin < 0.95 && boot.timeline.end > 2.5);
	clear(&boot);
}

/* No record, no log: only what is now. */
static void nothing_known(void **state)
{
	struct boot boot;

	(void)state;
	make(&boot, NULL, "null", NULL);
	assert_true(boot.timeline.claim < 0);
	assert_false(boot.timeline.timed);
	assert_int_equal(boot.timeline.lane[0].spans, 1);
	check_span(&boot, 0, 0, "nouveau", -1, false);
	clear(&boot);
}

/* More changes than there is room for, times that run backwards. */
static void too_much(void **state)
{
	struct gb_text log = { 0 };
	struct boot boot;

	(void)state;
	for (int i = 0; i < 200; i++)
		gb_text_addf(&log, "6,%d,%d,-;d%d 0000:00:01.0: x\n6,0,5,-;module_load: d%d \n",
			     i, 1000000 - i * 1000, i, i);
	make(&boot, log.data, "null", "bound");
	assert_int_equal(boot.timeline.lane[0].spans, GB_SPANS_MAX);
	assert_int_equal(boot.timeline.marks, GB_SPANS_MAX); /* of drivers that are shown */
	clear(&boot);
	gb_text_clear(&log);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes),	 cmocka_unit_test(by_the_record),
		cmocka_unit_test(by_what_drivers_say), cmocka_unit_test(by_the_kernel),
		cmocka_unit_test(nothing_known), cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
