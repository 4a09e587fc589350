/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel log, and what it says of a device. */
#include "fake.h"

#include "kmsg.h"
#include "story.h"

static struct gb_log log_of(const char *text)
{
	struct gb_log log;

	assert_int_equal(gb_log_parse(text, strlen(text), &log), 0);
	return log;
}

static void check_line(const struct gb_log *log, size_t i, uint64_t us, bool kernel,
		       const char *text)
{
	assert_true(i < log->lines);
	assert_int_equal(log->line[i].us, us);
	assert_int_equal(log->line[i].kernel, kernel);
	assert_string_equal(log->line[i].text, text);
}

static void records(void **state)
{
	struct gb_log log = log_of("6,0,5,-;first\n SUBSYSTEM=pci\n DEVICE=+pci:0000:01:00.0\n"
				   "4,1,1500000,c,caller=T1;se\\x0acond; with semicolon\n"
				   "14,2,1500001,-;by a program\n\n");

	(void)state;
	assert_int_equal(log.lines, 3);
	assert_false(log.cut);
	check_line(&log, 0, 5, true, "first");
	check_line(&log, 1, 1500000, true, "se\\x0acond; with semicolon");
	check_line(&log, 2, 1500001, false, "by a program");
	gb_log_clear(&log);
}

static void overwritten(void **state)
{
	struct gb_log log = log_of("6,0,5,-;a\n6,7,9,-;b\n");

	(void)state;
	assert_true(log.cut);
	gb_log_clear(&log);
	log = log_of("6,100,5,-;a\n");
	assert_true(log.cut);
	gb_log_clear(&log);
}

static void other_forms(void **state)
{
	struct gb_log log = log_of("[    1.500000] dmesg\n<6>[  100.000001] raw\n<14>program\r\n"
				   "plain [1.5] text\n[x] y\n[1.5] too short\n x\n6,1;no record");

	(void)state;
	assert_int_equal(log.lines, 8);
	check_line(&log, 0, 1500000, true, "dmesg");
	check_line(&log, 1, 100000001, true, "raw");
	check_line(&log, 2, GB_LOG_NO_TIME, false, "program");
	check_line(&log, 3, GB_LOG_NO_TIME, true, "plain [1.5] text");
	check_line(&log, 4, GB_LOG_NO_TIME, true, "[x] y");
	check_line(&log, 5, GB_LOG_NO_TIME, true, "[1.5] too short");
	check_line(&log, 6, GB_LOG_NO_TIME, true, " x");
	check_line(&log, 7, GB_LOG_NO_TIME, true, "6,1;no record");
	gb_log_clear(&log);
}

static void nothing_for_a_terminal(void **state)
{
	struct gb_log log = log_of("6,0,1,-;\033[2J\a\x9b" "31m\177\n");

	(void)state;
	check_line(&log, 0, 1, true, "?[2J??31m?");
	gb_log_clear(&log);
}

static void from_a_root(void **state)
{
	struct gb_log log;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	assert_int_equal(gb_log_read(tree.root, &log), -ENOENT);
	gb_log_clear(&log);
	tree_put(&tree, "/dev/kmsg", "6,0,1,-;live\n");
	assert_int_equal(gb_log_read(tree.root, &log), 0);
	check_line(&log, 0, 1, true, "live");
	gb_log_clear(&log);
	tree_put(&tree, "/run/ghost-boot/kmsg", "6,0,1,-;kept\n");
	assert_int_equal(gb_log_read(tree.root, &log), 0);
	check_line(&log, 0, 1, true, "kept");
	gb_log_clear(&log);
	tree_clear(&tree);
}

static const struct gb_bdf gpu = { 0, 1, 0 };

static bool read_event(const char *text, bool kernel, struct gb_event *ret)
{
	struct gb_log_line line = { 7, kernel, text };

	return gb_event_read(&line, gpu, ret);
}

static void check_event(const char *text, enum gb_event_kind kind, const char *driver,
			const char *said)
{
	struct gb_event event;

	assert_true(read_event(text, true, &event));
	assert_int_equal(event.kind, kind);
	assert_string_equal(event.driver, driver);
	assert_string_equal(event.text, said);
}

static void events(void **state)
{
	struct gb_event event;

	(void)state;
	check_event("nouveau 0000:01:00.0: NVIDIA GA102", GB_EVENT_DRIVER, "nouveau",
		    "NVIDIA GA102");
	check_event("pci 0000:01:00.0: [10de:2203] type 00", GB_EVENT_BUS, "pci",
		    "[10de:2203] type 00");
	check_event("driver: 'vfio-pci': driver_bound: bound to device '0000:01:00.0'",
		    GB_EVENT_BOUND, "vfio-pci",
		    "driver: 'vfio-pci': driver_bound: bound to device '0000:01:00.0'");
	check_event("pci 0000:01:00.0: driver: 'vfio-pci': driver_bound: bound to device",
		    GB_EVENT_BOUND, "vfio-pci",
		    "pci 0000:01:00.0: driver: 'vfio-pci': driver_bound: bound to device");
	check_event("[drm] Initialized bochs-drm 1.0.0 20130925 for 0000:01:00.0 on minor 0",
		    GB_EVENT_DRIVER, "bochs-drm",
		    "[drm] Initialized bochs-drm 1.0.0 20130925 for 0000:01:00.0 on minor 0");
	check_event("ghost-boot: 0000:01:00.0 10de:2203 is on vfio-pci", GB_EVENT_OURS, "",
		    "10de:2203 is on vfio-pci");
	assert_false(read_event("nouveau 10000:01:00.0: other domain", true, &event));
	assert_false(read_event("driver: 'x': driver_bound: bound to device '10000:01:00.0'", true,
				&event));
	assert_false(read_event("snd_hda_intel 0000:01:00.1: other function", true, &event));
	assert_false(read_event("two words 0000:01:00.0: x", true, &event));
	assert_false(read_event(" 0000:01:00.0: x", true, &event));
	assert_false(read_event("0000:01:00.0: x", true, &event));
	assert_false(read_event("ghost-boot: 0000:02:00.0 not 0000:01:00.0", true, &event));
	assert_false(read_event("nouveau 0000:01:00.0: forged", false, &event));
}

static void first_word_of_a_driver(void **state)
{
	struct gb_log log = log_of("6,0,10,-;pci 0000:01:00.0: x\n6,1,20,-;snd 0000:01:00.0: y\n"
				   "6,2,30,-;vfio-pci 0000:01:00.0: y\n"
				   "6,3,40,-;vfio-pci 0000:01:00.0: z\n");

	(void)state;
	assert_int_equal(gb_story_first(&log, gpu, "vfio_pci"), 30);
	assert_int_equal(gb_story_first(&log, gpu, "nouveau"), GB_LOG_NO_TIME);
	gb_log_clear(&log);
}

static void moments(void **state)
{
	struct gb_log log = log_of("systemd-udevd[177]: starting\n"
				   "modprobe-12 [000] ..... 1.234567: module_load: vfio E\n"
				   "Switching root.\nmodule_load: \nelse\n");
	char module[GB_DRIVER_MAX];
	enum gb_moment moment;

	(void)state;
	assert_true(gb_moment_read(&log.line[0], &moment, module));
	assert_int_equal(moment, GB_MOMENT_UDEV);
	assert_true(gb_moment_read(&log.line[1], &moment, module));
	assert_int_equal(moment, GB_MOMENT_MODULE);
	assert_string_equal(module, "vfio");
	assert_true(gb_moment_read(&log.line[2], &moment, module));
	assert_int_equal(moment, GB_MOMENT_ROOT);
	assert_false(gb_moment_read(&log.line[3], &moment, module));
	assert_false(gb_moment_read(&log.line[4], &moment, module));
	gb_log_clear(&log);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(overwritten),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(nothing_for_a_terminal),
		cmocka_unit_test(from_a_root),
		cmocka_unit_test(events),
		cmocka_unit_test(first_word_of_a_driver),
		cmocka_unit_test(moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
