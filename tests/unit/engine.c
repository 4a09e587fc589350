/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole claim against a small kernel: the order of what is done, and each operation failing
 * in turn. The kernel stands behind gb_root_watch; what it shows is a folder. */
#include "fake.h"

#include "boot.h"
#include "module.h"

static struct tree tree;

/* ---- the kernel ------------------------------------------------------------------------- */

struct function {
	const char *where, *what, *native;
	bool ours;
	bool built_in; /* its native driver has it from the start */
	char driver[32], override[32];
};

#define SLOT2 "pci0000:00/0000:00:01.0/0000:02:00."
#define DISPLAY "1234:1111 1af4:1100 030000"
#define PORT "1b36:000c 0000:0000 060400"
static struct function functions[] = {
	{ SLOT2 "0", DISPLAY, "bochs-drm", .ours = true },
	{ SLOT2 "1", "8086:2668 1af4:1100 040300", "snd_hda_intel", .ours = true },
	{ SLOT2 "2", "1b36:000d 1af4:1100 0c0330", "xhci_hcd", .ours = true },
	{ SLOT2 "3", "1b36:0002 1af4:1100 070002", "serial", .ours = true, .built_in = true },
	{ "pci0000:00/0000:00:01.0", PORT, "pcieport", .built_in = true },
	{ "pci0000:00/0000:00:01.1", PORT, "pcieport", .built_in = true },
	{ "pci0000:00/0000:00:01.1/0000:03:00.0", DISPLAY, "bochs-drm", .ours = false }, /* twin */
	{ "pci0000:00/0000:00:06.0", "1b36:0010 1af4:1100 010802", "nvme", .built_in = true },
};

enum { OURS = 4, OPS_MAX = 400 };

static struct {
	char op[OPS_MAX][160];
	int ops, fail_at, error;
	bool loaded, no_module;
	char failed[160], kmsg[8192];
} kernel;

static const char *bdf_of(const struct function *f)
{
	return strrchr(f->where, '/') + 1;
}

static struct function *function_in(const char *text)
{
	struct function *found = NULL;

	/* the last: a path may lead through a bridge */
	for (size_t i = 0; i < COUNT(functions); i++)
		if (strstr(text, bdf_of(&functions[i])))
			found = found && found->ours ? found : &functions[i];
	return found;
}

static void set_driver(struct function *f, const char *driver)
{
	char path[160], target[64];

	strcpy(f->driver, driver);
	snprintf(path, sizeof(path), "/sys/devices/%s/driver", f->where);
	snprintf(target, sizeof(target), "/sys/bus/pci/drivers/%s", driver);
	if (*driver)
		tree_link(&tree, path, target);
	else
		tree_delete(&tree, path);
}

/* Would the kernel bind it? A driver that is there, and wanted by override or by nature. */
static void probe(struct function *f)
{
	if (f->driver[0])
		return;
	if (!strcmp(f->override, "vfio-pci") && kernel.loaded)
		set_driver(f, "vfio-pci");
	else if (!f->override[0])
		set_driver(f, f->native);
}

static int note(const char *format, const char *a, const char *b)
{
	char *op = kernel.op[kernel.ops];

	assert_true(kernel.ops < OPS_MAX);
	snprintf(op, sizeof(kernel.op[0]), format, a, b);
	op[strcspn(op, "\n")] = '\0';
	if (kernel.ops++ != kernel.fail_at)
		return 0;
	strcpy(kernel.failed, op);
	return -kernel.error;
}

static bool ends(const char *s, const char *end)
{
	return strlen(s) >= strlen(end) && !strcmp(s + strlen(s) - strlen(end), end);
}

static int do_write(const char *path, const char *data)
{
	struct function *f = function_in(ends(path, "/drivers_probe") ? data : path);

	if (!strcmp(path, "/dev/kmsg")) {
		strncat(kernel.kmsg, data, sizeof(kernel.kmsg) - strlen(kernel.kmsg) - 1);
		return 1;
	}
	assert_non_null(f);
	if (!f->ours)
		fail_msg("%s is written: %s", path, data);
	if (ends(path, "/driver_override")) {
		strcpy(f->override, *data == '\n' ? "" : data);
	} else if (ends(path, "/drivers_probe")) {
		probe(f); /* by then the rival's module is there */
	} else if (ends(path, "/driver/unbind")) {
		assert_string_equal(data, bdf_of(f));
		assert_string_equal(f->override, "vfio-pci");
		assert_true(f->driver[0] && strcmp(f->driver, "vfio-pci"));
		set_driver(f, "");
	} else {
		fail_msg("%s is written", path);
	}
	return 1;
}

static int watch(void *ctx, enum gb_op op, const char *path, const char *data)
{
	static const char *const names[] = { "read",	"write", "link",  "list",
					     "publish", "mkdir", "remove" };
	char text[64];
	int r;

	(void)ctx;
	snprintf(text, sizeof(text), "%s %%s %%s", names[op]);
	r = note(text, path, op == GB_WRITE ? data : "");
	if (r)
		return r;
	return op == GB_WRITE ? do_write(path, data) : 0;
}

/* A driver that registers takes all it can. And loading drags every rival in: through softdeps,
 * or because udev is at it already. */
static int load(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	int r = note("load %s %s", name, options ? options : "");

	(void)ctx;
	if (!r && kernel.no_module)
		r = -ENOENT;
	kernel.loaded |= !r && !strcmp(name, "vfio-pci");
	for (size_t i = 0; i < COUNT(functions); i++)
		if (!functions[i].override[0] || !strcmp(name, "vfio-pci"))
			probe(&functions[i]);
	if (r)
		return gb_fail(err, -r, "module %s: %s", name, strerror(-r));
	if (!strcmp(name, "vfio-pci")) {
		tree_folder(&tree, "/sys/bus/pci/drivers/vfio-pci");
	} else {
		assert_string_equal(name, "vfio_iommu_type1");
		tree_folder(&tree, "/sys/module/vfio_iommu_type1");
	}
	return 0;
}

enum vfio { ABSENT, LOADABLE, THERE }; /* the vfio-pci module, at the start */

static void power_on(enum vfio vfio)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.fail_at = -1;
	rmdir(tree_path(&tree, "/sys/bus/pci/drivers/vfio-pci"));
	rmdir(tree_path(&tree, "/sys/module/vfio_iommu_type1"));
	tree_delete(&tree, "/run/ghost-boot/claim.json");
	tree_delete(&tree, "/run/ghost-boot/claims");
	rmdir(tree_path(&tree, "/run/ghost-boot"));
	kernel.no_module = vfio == ABSENT;
	kernel.loaded = vfio == THERE;
	if (vfio == THERE)
		tree_folder(&tree, "/sys/bus/pci/drivers/vfio-pci");
	for (size_t i = 0; i < COUNT(functions); i++) {
		functions[i].override[0] = '\0';
		set_driver(&functions[i], functions[i].built_in ? functions[i].native : "");
	}
}

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	for (size_t i = 0; i < COUNT(functions); i++)
		tree_pci(&tree, functions[i].where, functions[i].what,
			 functions[i].built_in && strstr(functions[i].where, "00:01.") ?
				 2 + ends(functions[i].where, ".1") : 0);
	tree_delete(&tree, "/sys/devices/" SLOT2 "3/secondary_bus_number");
	tree_put(&tree, "/sys/devices/pci0000:00/0000:00:01.1/0000:03:00.0/boot_vga", "1\n");
	for (int i = 0; i < OURS; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/devices/%s/iommu_group", functions[i].where);
		tree_link(&tree, path, "../../../../kernel/iommu_groups/8");
	}
	tree_put(&tree, "/proc/cmdline", "root=/dev/sda1 ghost.claim=on\n");
	tree_folder(&tree, "/run");
	gb_root_watch(tree.root, watch, NULL);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	tree_clear(&tree);
	return 0;
}

/* ---- one boot --------------------------------------------------------------------------- */

#define KEEPS \
	"keep path=0000:00/06.0 id=1b36:0010 subsys=1af4:1100 class=010802\n"
#define TWIN \
	"keep path=0000:00/01.1/00.0 id=1234:1111 subsys=1af4:1100 class=030000\n"
#define CARD(slot, allow) \
	"claim path=" slot ".0 id=1234:1111 subsys=1af4:1100 class=030000" allow "\n" \
	"claim path=" slot ".1 id=8086:2668 subsys=1af4:1100 class=040300\n" \
	"claim path=" slot ".2 id=1b36:000d subsys=1af4:1100 class=0c0330\n" \
	"claim path=" slot ".3 id=1b36:0002 subsys=1af4:1100 class=070002\n"
#define OPTIONS "options vfio-pci disable_vga=1\n"
#define HERE "0000:00/01.0/00"
#define AWAY "0000:00/1e.0/00"

static int boot_with(const char *claims, bool live, struct gb_boot *boot)
{
	static const struct gb_loader loader = { load, NULL };
	char text[2048];

	snprintf(text, sizeof(text), "ghost-boot claims 1\n%s", claims);
	tree_put(&tree, "/etc/ghost-boot/claims", text);
	tree_put(&tree, "/proc/self/mounts",
		 live ? "/dev/sda1 / ext4 rw 0 0\n" : "rootfs / rootfs rw 0 0\n");
	memset(boot, 0, sizeof(*boot));
	boot->root = tree.root;
	boot->loader = &loader;
	boot->records = "/run/ghost-boot";
	return gb_boot_claim(boot);
}

/* Whatever changes something, and the driver links read, with the function's number. */
static void check_order(const char *const *want)
{
	for (int i = 0; i < kernel.ops; i++) {
		static const struct {
			const char *begin, *part, *name;
		} kinds[] = {
			{ "write", "/driver_override", "override" },
			{ "load vfio-pci", "disable_vga=1", "vfio" },
			{ "load vfio_iommu_type1", "", "type1" },
			{ "link", "/driver ", "driver" },
			{ "write", "/driver/unbind", "unbind" },
			{ "write", "/drivers_probe", "probe" },
			{ "write", "/dev/kmsg", "log" },
			{ "mkdir", "", "mkdir" },
			{ "publish", "/claims", "claims" },
			{ "publish", "/claim.json", "json" },
		};
		const char *op = kernel.op[i];
		const struct function *f = function_in(op);
		char text[32];

		for (size_t k = 0; k < COUNT(kinds); k++) {
			if (strncmp(op, kinds[k].begin, strlen(kinds[k].begin)) ||
			    !strstr(op, kinds[k].part))
				continue;
			snprintf(text, sizeof(text), "%s", kinds[k].name);
			if (f && strcmp(text, "log"))
				snprintf(text, sizeof(text), "%s %zu", kinds[k].name,
					 (size_t)(f - functions));
			if (!*want || strcmp(*want, text))
				fail_msg("%s instead of %s", text, *want ? *want : "the end");
			want++;
		}
	}
	assert_null(*want);
}

#define OVERRIDES "override 0", "override 1", "override 2", "override 3"
#define RECORDS "log", "log", "log", "log", "log", "mkdir", "claims", "json", NULL

static void the_order_of_things(void **state)
{
	static const char *const loading[] = {
		OVERRIDES, "vfio", "type1", "driver 0", "driver 1", "driver 2",
		"driver 3", "unbind 3", "probe 3", "driver 3", RECORDS,
	};
	static const char *const there[] = {
		OVERRIDES, "type1",
		"driver 0", "probe 0", "driver 0", "driver 1", "probe 1", "driver 1",
		"driver 2", "probe 2", "driver 2",
		"driver 3", "unbind 3", "probe 3", "driver 3", RECORDS,
	};
	struct gb_boot boot;

	(void)state;
	power_on(LOADABLE);
	assert_int_equal(boot_with(CARD(HERE, "") KEEPS TWIN OPTIONS, false, &boot), 0);
	check_order(loading);
	assert_int_equal(boot.report.outcome, GB_CLAIMED);
	assert_non_null(strstr(kernel.kmsg, "<6>ghost-boot: 0000:02:00.3 1b36:0002 taken back from "
					    "serial after "));
	assert_non_null(strstr(kernel.kmsg, "armed by ghost.claim=on: 4 of 4 functions claimed"));
	gb_boot_clear(&boot);
	/* once a boot */
	kernel.ops = 0;
	assert_int_equal(boot_with(CARD(HERE, "") KEEPS TWIN OPTIONS, false, &boot), 0);
	assert_true(boot.made_before);
	for (int i = 0; i < kernel.ops; i++)
		assert_int_equal(strncmp(kernel.op[i], "read /run/", 10), 0);
	gb_boot_clear(&boot);

	power_on(THERE);
	assert_int_equal(boot_with(CARD(HERE, "") KEEPS TWIN OPTIONS, false, &boot), 0);
	check_order(there);
	assert_string_equal(boot.claim.module[0].text, "was there already: options not applied");
	gb_boot_clear(&boot);
}

static void what_arms(void **state)
{
	static const struct {
		const char *words, *more, *arming;
		enum gb_outcome outcome;
	} rows[] = {
		{ "ghost.claim=on\n", "", "armed by ghost.claim=on", GB_CLAIMED },
		{ "quiet\n", "arm always\n", "armed by the claims file", GB_CLAIMED },
		{ "quiet\n", "", "not armed", GB_NOT_ARMED },
		{ "ghost.claim=on ghost.claim=off\n", "arm always\n", "ghost.claim=off", GB_OFF },
		{ "ghost.claim=yes\n", "arm always\n", "ghost.claim=yes is neither on nor off",
		  GB_OFF },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool armed = rows[i].outcome == GB_CLAIMED;
		char claims[2048];
		struct gb_boot boot;

		power_on(LOADABLE);
		tree_put(&tree, "/proc/cmdline", rows[i].words);
		snprintf(claims, sizeof(claims), "%s%s", CARD(HERE, "") KEEPS TWIN, rows[i].more);
		assert_int_equal(boot_with(claims, false, &boot), 0);
		assert_int_equal(boot.report.outcome, rows[i].outcome);
		assert_string_equal(boot.report.arming, rows[i].arming);
		assert_non_null(tree_get(&tree, "/run/ghost-boot/claim.json"));
		assert_int_equal(tree_get(&tree, "/run/ghost-boot/claims") != NULL, armed);
		for (int f = 0; f < OURS; f++)
			assert_string_equal(functions[f].override, armed ? "vfio-pci" : "");
		gb_boot_clear(&boot);
	}
	tree_put(&tree, "/proc/cmdline", "root=/dev/sda1 ghost.claim=on\n");
}

/* ---- each operation failing in turn ----------------------------------------------------- */

struct scenario {
	const char *claims;
	bool live;
	enum vfio vfio;
	int exit; /* without a fault */
};

static const struct scenario *scenario;

static bool failed(const char *part)
{
	return strstr(kernel.failed, part) != NULL;
}

/* A fault that may cost this function, and one that may cost all. */
static bool concerns(const struct function *f)
{
	return function_in(kernel.failed) == f;
}

static bool concerns_all(void)
{
	return failed("/proc/cmdline") || failed("/etc/ghost-boot/claims") ||
	       failed("load vfio-pci") ||
	       /* a list that is not whole can't say that a moved card is the only one */
	       failed("list /sys/bus/pci/devices ") ||
	       (failed("link ") && !failed("/driver ") && !failed("/iommu_group "));
}

/* An answer rather than a fault: there is no driver, it is gone. */
static bool says_no_driver(void)
{
	return kernel.error == ENOENT && (failed("/driver ") || failed("/driver/unbind"));
}

#define WRONG(format, ...) \
	fail_msg("%s fails, %s: " format, kernel.failed, strerror(kernel.error), ##__VA_ARGS__)

static void check_function(const struct gb_boot *boot, size_t i)
{
	const struct function *f = &functions[i];
	const struct gb_task *task = boot->verdict ? gb_report_task(&boot->report, i) : NULL;
	bool bound = !strcmp(f->driver, "vfio-pci");

	if (bound && strcmp(f->override, "vfio-pci"))
		WRONG("%zu on vfio-pci without an override", i);
	if (!scenario->vfio == ABSENT && !concerns(f) && !concerns_all() && !bound)
		WRONG("%zu is not claimed", i);
	if (i == 0 && strstr(scenario->claims, "last-display") && !concerns(f) && !concerns_all() &&
	    !f->driver[0])
		WRONG("the only display shows nothing");
	if (!task)
		return;
	if (strcmp(task->driver, f->driver) && task->driver[0])
		WRONG("%zu is on %s, not on %s", i, f->driver, task->driver);
	switch (task->result) {
	case GB_BOUND:
		if (!bound)
			WRONG("%zu is not bound", i);
		return;
	case GB_HELD:
		if (f->driver[0] && !says_no_driver())
			WRONG("%zu is on %s, not held: %s", i, f->driver, task->text);
		break;
	case GB_GIVEN_BACK:
		if (strcmp(f->driver, f->native))
			WRONG("%zu is not given back, but on \"%s\"", i, f->driver);
		break;
	default:
		break;
	}
	if (!says_no_driver() && !strstr(task->text, strerror(kernel.error)) &&
	    !(scenario->vfio == ABSENT && strstr(task->text, "vfio-pci: No such file")))
		WRONG("%zu: %s: \"%s\" does not say why", i, gb_result_name(task->result),
			 task->text);
}

static void check_record(const struct gb_boot *boot, int code)
{
	const char *json = tree_get(&tree, "/run/ghost-boot/claim.json");
	bool all = true;

	for (int i = 0; i < OURS; i++)
		all &= !strcmp(functions[i].driver, "vfio-pci");
	if (code == 0 && !all)
		WRONG("exit 0, but not all are claimed");
	if (code != 0 && code != 1 && code != 3 && code != 6)
		WRONG("exit %d", code);
	if (code == 1)
		for (int i = 0; i < OURS; i++)
			if (!strcmp(functions[i].driver, "vfio-pci"))
				WRONG("exit 1, but %d is claimed", i);
	if (failed("mkdir") || failed("claim.json")) {
		if (!failed("read"))
			if (!boot->warning.text[0])
				WRONG("nobody is told that there is no record");
	} else if (!json) {
		WRONG("no record");
	}
	if (json) {
		assert_string_equal(json, boot->json.data);
		assert_non_null(strstr(json, gb_outcome_name(boot->report.outcome)));
	}
	assert_true(failed("/dev/kmsg") || strstr(kernel.kmsg, "functions claimed") ||
		    strstr(kernel.kmsg, "nothing claimed"));
}

static void check(const struct gb_boot *boot, int code)
{
	for (size_t i = 0; i < OURS; i++)
		check_function(boot, i);
	for (size_t i = OURS; i < COUNT(functions); i++) {
		assert_string_equal(functions[i].override, "");
		assert_true(!functions[i].driver[0] || !strcmp(functions[i].driver,
							       functions[i].native));
	}
	check_record(boot, code);
}

static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void each_fault(const struct scenario *s)
{
	static const int errors[] = { EIO, ENOENT, EACCES, ENOMEM, ENOSPC };
	struct gb_boot boot;
	int ops, faults = 0, fd = next_fd();

	scenario = s;
	power_on(s->vfio);
	assert_int_equal(boot_with(s->claims, s->live, &boot), s->exit);
	ops = kernel.ops;
	gb_boot_clear(&boot);
	assert_true(ops > 40);
	for (int op = 0; op < ops; op++)
		for (size_t e = 0; e < COUNT(errors); e++) {
			int code;

			power_on(s->vfio);
			kernel.fail_at = op;
			kernel.error = errors[e];
			code = boot_with(s->claims, s->live, &boot);
			assert_true(kernel.failed[0]);
			check(&boot, code);
			gb_boot_clear(&boot);
			faults++;
		}
	assert_int_equal(next_fd(), fd);
	print_message("# %d operations, %d faults\n", ops, faults);
}

static void faults_at_boot(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(HERE, "") KEEPS TWIN OPTIONS, false, LOADABLE, 0 });
}

static void faults_with_the_module_there(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(HERE, "") KEEPS TWIN, false, THERE, 0 });
}

static void faults_with_the_only_display(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(HERE, " allow=last-display") KEEPS, false, ABSENT, 6 });
}

static void faults_in_a_running_system(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(HERE, "") KEEPS TWIN OPTIONS, true, LOADABLE, 0 });
}

static void faults_when_the_card_moved(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(AWAY, "") KEEPS TWIN, false, LOADABLE, 0 });
}

static void faults_without_the_module(void **state)
{
	(void)state;
	each_fault(&(struct scenario){ CARD(HERE, "") KEEPS TWIN, false, ABSENT, 6 });
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_things),
		cmocka_unit_test(what_arms),
		cmocka_unit_test(faults_at_boot),
		cmocka_unit_test(faults_with_the_module_there),
		cmocka_unit_test(faults_with_the_only_display),
		cmocka_unit_test(faults_in_a_running_system),
		cmocka_unit_test(faults_when_the_card_moved),
		cmocka_unit_test(faults_without_the_module),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
