/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EFI variable that counts claimed boots: every value it may hold, and what becomes of a boot. */
#include "fake.h"

#include "boot.h"
#include "counter.h"
#include "module.h"

#define VARIABLE "/sys/firmware/efi/efivars/" GB_COUNTER
#define GPU "pci0000:00/0000:00:01.0/0000:01:00.0"
#define OVERRIDE "/sys/devices/" GPU "/driver_override"
#define ID 0x0123abcdu
#define WORDS "ghost.claim=on ghost.trial=0123abcdc"

static void fill(uint8_t file[10], uint32_t id, uint8_t count)
{
	const uint8_t attributes[4] = { 7 };

	memcpy(file, attributes, 4);
	gb_counter_value(id, count, file + 4);
}

static void value_is_as_documented(void **state)
{
	static const uint8_t wanted[] = { 1, 2, 0xcd, 0xab, 0x23, 0x01 };
	uint8_t value[GB_COUNTER_SIZE];

	(void)state;
	assert_int_equal(gb_counter_id("0123abcd"), ID);
	assert_int_equal(gb_counter_id("ffffffff"), 0xffffffffu);
	gb_counter_value(ID, 2, value);
	assert_memory_equal(value, wanted, sizeof(value));
}

/* Every count there is, and every byte of the rest with every value. */
static void judges_every_value(void **state)
{
	uint8_t file[10];

	(void)state;
	for (unsigned count = 0; count < 256; count++) {
		fill(file, ID, (uint8_t)count);
		assert_int_equal(gb_counter_judge(file, 10, ID),
				 count < 2 ? GB_COUNTED : GB_COUNT_OVER);
		for (unsigned at = 0; at < 10; at++)
			for (unsigned value = 0; value < 256; value++) {
				fill(file, ID, (uint8_t)count);
				if (at == 5 || file[at] == value)
					continue;
				file[at] = (uint8_t)value;
				assert_int_equal(gb_counter_judge(file, 10, ID),
						 at < 5 ? GB_COUNT_ODD : GB_COUNT_OTHER);
			}
	}
}

static void judges_every_length(void **state)
{
	uint8_t file[16] = { 0 };

	(void)state;
	fill(file, ID, 0);
	for (ssize_t len = 0; len <= 16; len++)
		assert_int_equal(gb_counter_judge(file, len, ID),
				 len == 10 ? GB_COUNTED : GB_COUNT_ODD);
	for (int error = 1; error < 134; error++)
		assert_int_equal(gb_counter_judge(NULL, -error, ID),
				 error == ENOENT ? GB_COUNT_ABSENT : GB_COUNT_UNREADABLE);
}

static void only_a_counted_boot_goes_on(void **state)
{
	(void)state;
	for (enum gb_count count = GB_COUNT_NONE; count <= GB_COUNT_UNWRITABLE; count++)
		assert_int_equal(gb_counter_stops(count),
				 count != GB_COUNT_NONE && count != GB_COUNTED);
}

/* ---- whole boots ------------------------------------------------------------------------- */

struct machine {
	struct tree tree;
	enum gb_op fail; /* of the variable, with `error`; 1: pretend */
	int error;
	unsigned overrides; /* what the variable said when the device was first touched, plus 1 */
};

static unsigned count_in(const struct machine *m)
{
	const char *file = tree_get(&m->tree, VARIABLE);

	return file ? (unsigned char)file[5] : 99;
}

static int watch(void *ctx, enum gb_op op, const char *path, const char *data)
{
	struct machine *m = ctx;

	(void)data;
	if (m->error && op == m->fail && !strcmp(path, VARIABLE))
		return m->error;
	if (op == GB_WRITE && strstr(path, "/driver_override") && !m->overrides)
		m->overrides = count_in(m) + 1;
	return 0;
}

static int load(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	(void)ctx;
	(void)options;
	assert_string_not_equal(name, "efivarfs"); /* it is for the running system */
	return gb_fail(err, ENOENT, "no module");
}

static const struct gb_loader loader = { load, NULL };

static void make(struct machine *m, const char *words)
{
	memset(m, 0, sizeof(*m));
	tree_make(&m->tree);
	tree_pci(&m->tree, "pci0000:00/0000:00:01.0", "8086:a70d 8086:7270 060400", 1);
	tree_pci(&m->tree, GPU, "10de:2203 1462:5054 030000", 0);
	tree_pci(&m->tree, "pci0000:00/0000:00:02.0", "8086:a780 1462:7d91 030000", 0);
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

static void put_count(const struct machine *m, uint32_t id, uint8_t count)
{
	uint8_t file[10];

	fill(file, id, count);
	tree_put_data(&m->tree, VARIABLE, file, sizeof(file));
}

/* One boot; the machine is as it was, but for the variable. */
static enum gb_count boot_once(struct machine *m, bool dry)
{
	struct gb_boot boot = { .root = m->tree.root, .loader = &loader,
				.records = GB_RECORDS, .dry_run = dry };
	enum gb_count count;

	tree_delete(&m->tree, GB_RECORDS "/claim.json");
	tree_delete(&m->tree, GB_RECORDS "/claims");
	tree_put(&m->tree, OVERRIDE, "(null)\n");
	gb_boot_claim(&boot);
	count = boot.counter.state;
	gb_boot_clear(&boot);
	return count;
}

static bool claimed(const struct machine *m)
{
	return !strcmp(tree_get(&m->tree, OVERRIDE), "vfio-pci");
}

/* Nothing was touched, the log says why, and what appears later is not claimed either. */
static void demand_stopped(struct machine *m, const char *why)
{
	const char *log;

	assert_false(claimed(m));
	assert_int_equal(m->overrides, 0);
	assert_null(tree_get(&m->tree, GB_RECORDS "/claims"));
	assert_non_null(strstr(tree_get(&m->tree, GB_RECORDS "/claim.json"), "\"outcome\": \"off\""));
	log = tree_get(&m->tree, "/dev/kmsg");
	assert_non_null(strstr(log, "<3>ghost-boot: trial 0123abcd: "));
	if (!strstr(log, why))
		fail_msg("no \"%s\" in %s", why, log);
	assert_non_null(strstr(log, ": nothing claimed"));
}

static void third_boot_claims_nothing(void **state)
{
	struct machine m;

	(void)state;
	make(&m, WORDS);
	put_count(&m, ID, 0);
	for (unsigned n = 1; n <= 2; n++) {
		m.overrides = 0;
		assert_int_equal(boot_once(&m, false), GB_COUNTED);
		assert_true(claimed(&m));
		assert_int_equal(count_in(&m), n);
		/* it was written before anything was claimed */
		assert_int_equal(m.overrides, n + 1);
	}
	for (unsigned n = 3; n < 6; n++) {
		m.overrides = 0;
		tree_put(&m.tree, "/dev/kmsg", "");
		assert_int_equal(boot_once(&m, false), GB_COUNT_OVER);
		demand_stopped(&m, "two boots");
		assert_int_equal(count_in(&m), 2);
	}
	tree_clear(&m.tree);
}

/* The variable is neither read nor written. */
static void others_do_not_count(void **state)
{
	static const char *const words[] = {
		"ghost.claim=on", "ghost.claim=on ghost.trial=0123abcd",
		"ghost.claim=off ghost.trial=0123abcdc", "ghost.trial=0123abcdc",
		"ghost.claim=on ghost.trial=0123abcdcc",
	};
	struct machine m;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		make(&m, words[i]);
		put_count(&m, ID, 1);
		assert_int_equal(boot_once(&m, false), GB_COUNT_NONE);
		assert_int_equal(count_in(&m), 1);
		tree_clear(&m.tree);
	}
	make(&m, WORDS);
	put_count(&m, ID, 1);
	assert_int_equal(boot_once(&m, true), GB_COUNT_NONE);
	assert_int_equal(count_in(&m), 1);
	tree_clear(&m.tree);
}

static void what_can_not_count_claims_nothing(void **state)
{
	static const struct {
		enum gb_op op;
		int error;
		enum gb_count count;
		const char *why;
	} failures[] = {
		{ GB_READ, -EIO, GB_COUNT_UNREADABLE, "can't be read: Input/output" },
		{ GB_READ, -ENOENT, GB_COUNT_ABSENT, "no EFI variable" },
		{ GB_WRITE, -ENOSPC, GB_COUNT_UNWRITABLE, "can't be written: No space" },
		{ GB_WRITE, -EROFS, GB_COUNT_UNWRITABLE, "can't be written: Read-only" },
		{ GB_WRITE, 1, GB_COUNT_UNWRITABLE, "can't be written: Input/output" },
	};
	struct machine m;

	(void)state;
	for (size_t i = 0; i < COUNT(failures); i++) {
		make(&m, WORDS);
		put_count(&m, ID, 0);
		m.fail = failures[i].op;
		m.error = failures[i].error;
		assert_int_equal(boot_once(&m, false), failures[i].count);
		demand_stopped(&m, failures[i].why);
		assert_int_equal(count_in(&m), 0);
		tree_clear(&m.tree);
	}
	make(&m, WORDS);
	put_count(&m, ID + 1, 0);
	assert_int_equal(boot_once(&m, false), GB_COUNT_OTHER);
	demand_stopped(&m, "another one's");
	assert_int_equal(count_in(&m), 0);
	tree_put(&m.tree, VARIABLE, "");
	assert_int_equal(boot_once(&m, false), GB_COUNT_ODD);
	demand_stopped(&m, "damaged");
	tree_clear(&m.tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_is_as_documented),
		cmocka_unit_test(judges_every_value),
		cmocka_unit_test(judges_every_length),
		cmocka_unit_test(only_a_counted_boot_goes_on),
		cmocka_unit_test(third_boot_claims_nothing),
		cmocka_unit_test(others_do_not_count),
		cmocka_unit_test(what_can_not_count_claims_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
