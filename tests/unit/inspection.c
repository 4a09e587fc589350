/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of a boot: what is read before a device is bound, and what can go wrong after. */
#include "fake.h"

#include "boot.h"
#include "module.h"

#define PORT "pci0000:00/0000:00:01.0"
#define GPU PORT "/0000:01:00.0"
#define DISPLAY "10de:2203 1462:5054 030000"

static const struct gb_bdf port = { 0, 0, 0x08 }, gpu = { 0, 1, 0 };

struct machine {
	struct tree tree;
	unsigned overridden; /* writes to driver_override */
	bool read_late;	     /* the claimed device's config, after that */
	const char *fail;    /* whatever has this in its path, once the claim is recorded */
	bool recorded;
};

static int watch(void *ctx, enum gb_op op, const char *path, const char *data)
{
	struct machine *m = ctx;
	uint8_t asleep[64];

	(void)data;
	if (op == GB_WRITE && strstr(path, "/driver_override") && !m->overridden++) {
		/* as of now reading would wake it: what would be read then is noise */
		memset(asleep, 0x5a, sizeof(asleep));
		tree_put_data(&m->tree, "/sys/devices/" GPU "/config", asleep, sizeof(asleep));
	}
	if (op == GB_PUBLISH && strstr(path, "claim.json"))
		m->recorded = true;
	if (m->recorded && m->fail && op != GB_PUBLISH && strstr(path, m->fail))
		return -EIO;
	return 0;
}

static int load(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	(void)ctx;
	(void)name;
	(void)options;
	return gb_fail(err, ENOENT, "no module");
}

static const struct gb_loader loader = { load, NULL };

static void make(struct machine *m, const char *words)
{
	uint8_t space[4096] = { 0xde, 0x10, 0x03, 0x22 };

	memset(m, 0, sizeof(*m));
	tree_make(&m->tree);
	tree_pci(&m->tree, PORT, "8086:a70d 8086:7270 060400", 1);
	tree_pci(&m->tree, GPU, DISPLAY, 0);
	tree_pci(&m->tree, "pci0000:00/0000:00:02.0", "8086:a780 1462:7d91 030000", 0);
	tree_put_data(&m->tree, "/sys/devices/" GPU "/config", space, sizeof(space));
	tree_put_data(&m->tree, "/sys/devices/" PORT "/config", space, sizeof(space));
	tree_put(&m->tree, "/sys/bus/pci/drivers_probe", "");
	tree_put(&m->tree, "/dev/kmsg", "");
	tree_folder(&m->tree, "/run");
	tree_put(&m->tree, "/proc/cmdline", words);
	tree_put(&m->tree, "/etc/ghost-boot/claims",
		 "ghost-boot claims 1\n"
		 "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
		 "keep path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n");
	gb_root_watch(m->tree.root, watch, m);
}

static int run(struct machine *m, struct gb_boot *boot)
{
	*boot = (struct gb_boot){ .root = m->tree.root, .loader = &loader,
				  .records = GB_RECORDS, .verify = true };
	return gb_boot_claim(boot);
}

static void reads_before_it_binds(void **state)
{
	struct gb_boot boot;
	struct machine m;
	size_t seen = 0;

	(void)state;
	make(&m, "ghost.claim=on");
	run(&m, &boot);
	assert_int_equal(m.overridden, 1);
	for (size_t i = 0; i < boot.inspection.focused; i++) {
		const struct gb_focus *focus = &boot.inspection.focus[i];

		assert_true(gb_bdf_equal(focus->bdf, gpu) || gb_bdf_equal(focus->bdf, port));
		assert_int_equal(focus->config.bytes, 256); /* not PCI Express */
		seen++;
	}
	assert_int_equal(seen, 2);
	assert_non_null(strstr(tree_get(&m.tree, "/run/ghost-boot/verify.json"), "\"cpu_ms\": "));
	gb_boot_clear(&boot);
	tree_clear(&m.tree);
}

/* Nothing that fails once the claim is made changes its code or its record. */
static void changes_nothing(void **state)
{
	static const char *const broken[] = { "/config", "/sys/bus/pci/devices", "/proc/", "/etc/",
					      "/sys/" };
	struct gb_boot boot;
	struct machine m;
	char record[8192];
	int code;

	(void)state;
	make(&m, "ghost.claim=on");
	code = run(&m, &boot);
	snprintf(record, sizeof(record), "%s",
		 strstr(tree_get(&m.tree, "/run/ghost-boot/claim.json"), "\"devices\""));
	gb_boot_clear(&boot);
	tree_clear(&m.tree);
	for (size_t i = 0; i < COUNT(broken); i++) {
		make(&m, "ghost.claim=on");
		m.fail = broken[i];
		assert_int_equal(run(&m, &boot), code);
		assert_string_equal(strstr(tree_get(&m.tree, "/run/ghost-boot/claim.json"),
					   "\"devices\""), record);
		gb_boot_clear(&boot);
		tree_clear(&m.tree);
	}
}

static void only_when_armed(void **state)
{
	static const char *const words[] = { "quiet", "ghost.claim=off", "ghost.claim=maybe" };
	struct gb_boot boot;
	struct machine m;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		make(&m, words[i]);
		run(&m, &boot);
		assert_int_equal(boot.inspection.focused, 0);
		assert_null(tree_get(&m.tree, "/run/ghost-boot/verify.json"));
		gb_boot_clear(&boot);
		tree_clear(&m.tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_before_it_binds),
		cmocka_unit_test(changes_nothing),
		cmocka_unit_test(only_when_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
