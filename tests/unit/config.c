/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Config space of every length, honest and hostile, and what sysfs says beside it. */
#include "fake.h"

#include <pci/pci.h>

#include "acs.h"
#include "config.h"

#define BDF "0000:01:00.0"
#define WHERE "pci0000:00/0000:00:01.0/" BDF

static const struct gb_bdf there = { 0, 1, 0 };

/* A root port with ACS, FLR, AF and a resizable BAR 1. */
static void make_space(uint8_t *space)
{
	static const struct {
		unsigned at;
		uint32_t value;
	} words[] = {
		{ 0x00, 0x220310de }, { 0x04, 0x00100000 }, { 0x0c, 0x00810000 },
		{ 0x18, 0x00050302 }, { 0x34, 0x00000040 },
		{ 0x40, 0x00425010 }, { 0x44, 0x10000000 }, /* PCI Express: root port, FLR */
		{ 0x50, 0x03066013 },			    /* AF: with TP and FLR */
		{ 0x60, 0x00000001 },			    /* power management, the last */
		{ 0x100, 0x1400000d }, { 0x104, 0x001d005f }, { 0x108, 0x00000007 }, /* ACS */
		{ 0x140, 0x20010015 }, { 0x144, 0x0003ff00 }, { 0x148, 0x00010e21 }, /* ReBAR */
		{ 0x200, 0x00010003 }, { 0x204, 0x89abcdef }, { 0x208, 0x01234567 }, /* serial */
	};

	memset(space, 0, 4096);
	for (size_t i = 0; i < COUNT(words); i++)
		memcpy(space + words[i].at, &words[i].value, 4);
}

static void read_space(const struct tree *tree, const uint8_t *space, size_t len,
		       struct gb_config *ret)
{
	struct gb_config_reader *reader;
	struct gb_err err;

	tree_pci(tree, WHERE, "10de:2203 1462:5054 030000", 0);
	if (space)
		tree_put_data(tree, "/sys/devices/" WHERE "/config", space, len);
	assert_int_equal(gb_config_open(tree->root, &reader, &err), 0);
	gb_config_read(reader, there, true, ret);
	gb_config_close(reader);
}

static void all_bytes(void **state)
{
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_space(space);
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.bytes, 4096);
	assert_int_equal(config.header, 1);
	assert_true(config.multifunction);
	assert_int_equal(config.secondary, 3);
	assert_int_equal(config.subordinate, 5);
	assert_int_equal(config.express, GB_YES);
	assert_int_equal(config.port, GB_PORT_ROOT);
	assert_int_equal(config.flr, GB_YES);
	assert_int_equal(config.af_flr, GB_YES);
	assert_int_equal(config.acs, GB_YES);
	assert_int_equal(config.acs_word[0], 0x001d005f);
	assert_int_equal(config.acs_word[1], 7);
	assert_int_equal(config.resizable, GB_YES);
	assert_int_equal(config.rebars, 1);
	assert_int_equal(config.rebar[0].bar, 1);
	assert_int_equal(config.rebar[0].size, 14);
	assert_true(config.rebar[0].sizes == (0x3ff0 | UINT64_C(1) << 28));
	tree_clear(&tree);
}

static void no_bytes_no_answer(void **state)
{
	static const struct {
		size_t len, bytes;
		enum gb_known express, acs;
	} rows[] = {
		{ 0, 0, GB_CANNOT_TELL, GB_CANNOT_TELL },
		{ 63, 0, GB_CANNOT_TELL, GB_CANNOT_TELL },
		{ 64, 64, GB_CANNOT_TELL, GB_CANNOT_TELL },
		{ 128, 64, GB_CANNOT_TELL, GB_CANNOT_TELL },
		{ 255, 64, GB_CANNOT_TELL, GB_CANNOT_TELL },
		{ 256, 256, GB_YES, GB_CANNOT_TELL },
		{ 260, 256, GB_YES, GB_CANNOT_TELL },
		{ 4095, 256, GB_YES, GB_CANNOT_TELL },
		{ 4096, 4096, GB_YES, GB_YES },
	};
	uint8_t space[4096];
	struct gb_config config;

	(void)state;
	make_space(space);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tree tree;

		tree_make(&tree);
		read_space(&tree, space, rows[i].len, &config);
		assert_int_equal(config.bytes, rows[i].bytes);
		assert_int_equal(config.express, rows[i].express);
		assert_int_equal(config.acs, rows[i].acs);
		assert_int_equal(config.multifunction, rows[i].bytes >= 64);
		tree_clear(&tree);
	}
}

/* Without a list of capabilities, 64 bytes say all. */
static void conventional_is_known_at_64(void **state)
{
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_space(space);
	space[0x06] = 0;
	read_space(&tree, space, 64, &config);
	assert_int_equal(config.express, GB_NO);
	assert_int_equal(config.acs, GB_NO);
	assert_int_equal(config.flr, GB_NO);
	tree_clear(&tree);
}

/* A capability may begin where the bytes at hand end. */
static void half_a_capability_tells_half(void **state)
{
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_space(space);
	space[0x34] = 0xfc;
	memcpy(space + 0xfc, space + 0x40, 4);
	space[0xfd] = 0;
	read_space(&tree, space, 256, &config);
	assert_int_equal(config.express, GB_YES);
	assert_int_equal(config.port, GB_PORT_ROOT);
	assert_int_equal(config.flr, GB_CANNOT_TELL);
	tree_clear(&tree);
}

static void nobody_answers(void **state)
{
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	read_space(&tree, NULL, 0, &config);
	assert_int_equal(config.bytes, 0);
	memset(space, 0xff, sizeof(space));
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.bytes, 0);
	memset(space, 0, sizeof(space));
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.bytes, 0);
	/* a virtual function: no ids of its own */
	make_space(space);
	memset(space, 0xff, 4);
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.bytes, 4096);
	tree_clear(&tree);
}

static void hostile_lists_end(void **state)
{
	static const struct {
		unsigned at;
		uint32_t value;
		enum gb_known express, acs;
	} rows[] = {
		{ 0x40, 0x00424010, GB_YES, GB_YES },	/* a circle */
		{ 0x34, 0x00000010, GB_NO, GB_NO },	/* into the header */
		{ 0x34, 0x00000014, GB_NO, GB_NO },	/* where there is something like it */
		{ 0x34, 0x000000fc, GB_NO, GB_NO },	/* the end */
		{ 0x100, 0x10000003, GB_YES, GB_NO },	/* a circle */
		{ 0x100, 0xffc00003, GB_YES, GB_NO },	/* the end */
		{ 0x100, 0x04000003, GB_YES, GB_NO },	/* below the extended space */
		{ 0x100, 0x06000003, GB_YES, GB_NO },	/* where there is something like it */
		{ 0x100, 0xffffffff, GB_YES, GB_NO },
		{ 0x0c, 0x00820000, GB_NO, GB_NO },	/* a CardBus bridge */
	};
	uint8_t space[4096];
	struct gb_config config;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tree tree;

		make_space(space);
		memcpy(space + rows[i].at, &rows[i].value, 4);
		space[0x14] = 0x10;
		space[0x60] = 0x0d;
		space[0xffc] = 0x0d; /* an ACS capability with nothing behind it */
		tree_make(&tree);
		read_space(&tree, space, sizeof(space), &config);
		assert_int_equal(config.express, rows[i].express);
		if (rows[i].value != 0xffc00003)
			assert_int_equal(config.acs, rows[i].acs);
		tree_clear(&tree);
	}
}

static void many_resizable_bars(void **state)
{
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	make_space(space);
	space[0x148] = 0xff; /* seven of them, the first for BAR 7 */
	memset(space + 0x14c, 0xff, 64);
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.rebars, 0);
	space[0x148] = 0xe0;
	for (int i = 0; i < 6; i++)
		space[0x150 + 8 * i] = 0;
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(config.rebars, GB_BARS);
	tree_clear(&tree);
}

/* libpci would follow. */
static void links_out_are_not_followed(void **state)
{
	uint8_t space[4096];
	char target[PATH_MAX];
	struct gb_config config;
	struct tree tree, other;

	(void)state;
	tree_make(&tree);
	tree_make(&other);
	make_space(space);
	tree_put_data(&other, "/config", space, sizeof(space));
	snprintf(target, sizeof(target), "%s/config", other.dir);
	tree_link(&tree, "/sys/devices/" WHERE "/config", target);
	read_space(&tree, NULL, 0, &config);
	assert_int_equal(config.bytes, 0);
	tree_clear(&other);
	tree_clear(&tree);
}

static void serial_is_read(void **state)
{
	struct gb_config_reader *reader;
	uint8_t space[4096];
	struct gb_config config;
	struct tree tree;
	uint64_t serial = 0;
	struct gb_err err;

	(void)state;
	tree_make(&tree);
	make_space(space);
	read_space(&tree, space, sizeof(space), &config);
	assert_int_equal(gb_config_open(tree.root, &reader, &err), 0);
	assert_true(gb_config_serial(reader, there, &serial));
	assert_true(serial == 0x0123456789abcdef);
	assert_false(gb_config_serial(reader, (struct gb_bdf){ 0, 9, 0 }, &serial));
	gb_config_close(reader);
	/* without it; and half of it */
	for (size_t len = 256; len; len = len == 256 ? 0x208 : 0) {
		read_space(&tree, space, len, &config);
		assert_int_equal(gb_config_open(tree.root, &reader, &err), 0);
		assert_false(gb_config_serial(reader, there, &serial));
		gb_config_close(reader);
	}
	tree_clear(&tree);
}

static void sleepers_are_left_alone(void **state)
{
	static const struct {
		const char *state;
		bool asleep;
	} rows[] = { { "D0\n", false }, { "D3cold\n", true }, { "D3hot\n", true }, { "D1\n", true },
		     { "unknown\n", false }, { "error\n", false } };
	struct gb_config_reader *reader;
	uint8_t space[4096];
	struct gb_config config;
	struct gb_power power;
	struct tree tree;
	struct gb_err err;

	(void)state;
	tree_make(&tree);
	make_space(space);
	read_space(&tree, space, sizeof(space), &config);
	gb_config_power(tree.root, there, &power);
	assert_string_equal(power.state, "");
	assert_int_equal(power.d3cold_allowed, GB_CANNOT_TELL);
	assert_int_equal(gb_config_open(tree.root, &reader, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		tree_put(&tree, "/sys/devices/" WHERE "/power_state", rows[i].state);
		gb_config_read(reader, there, false, &config);
		assert_int_equal(config.asleep, rows[i].asleep);
		assert_int_equal(config.bytes, rows[i].asleep ? 0 : 4096);
		gb_config_read(reader, there, true, &config);
		assert_int_equal(config.bytes, 4096);
	}
	gb_config_close(reader);
	tree_put(&tree, "/sys/devices/" WHERE "/d3cold_allowed", "0\n");
	tree_put(&tree, "/sys/devices/" WHERE "/power/runtime_status", "suspended\n");
	gb_config_power(tree.root, there, &power);
	assert_string_equal(power.runtime, "suspended");
	assert_int_equal(power.d3cold_allowed, GB_NO);
	tree_clear(&tree);
}

static void bars_and_virtual_functions(void **state)
{
	static const char good[] =
		"0x0000000082000000 0x0000000082ffffff 0x0000000000040200\n"
		"0x0000006000000000 0x00000067ffffffff 0x000000000014220c\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x0000000000000000 0x0000000001ffffff 0x000000000014220c\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x0000000000004000 0x000000000000407f 0x0000000000040101\n"
		"0x0000000083000000 0x000000008307ffff 0x0000000000046200\n";
	struct gb_bars bars;
	struct tree tree;
	unsigned total, now;

	(void)state;
	tree_make(&tree);
	tree_pci(&tree, WHERE, "10de:2203 1462:5054 030000", 0);
	assert_int_equal(gb_config_bars(tree.root, there, &bars), -ENOENT);
	tree_put(&tree, "/sys/devices/" WHERE "/resource", good);
	assert_int_equal(gb_config_bars(tree.root, there, &bars), 0);
	assert_int_equal(bars.bar[0].size, 16 << 20);
	assert_true(bars.bar[1].size == UINT64_C(32) << 30);
	assert_true(bars.bar[1].wide && bars.bar[1].prefetchable && !bars.bar[0].wide);
	assert_int_equal(bars.bar[2].size, 0);
	assert_int_equal(bars.bar[3].size, 32 << 20);
	assert_true(bars.bar[5].io && !bars.bar[3].io);
	assert_int_equal(bars.rom, 512 << 10);
	tree_put(&tree, "/sys/devices/" WHERE "/resource", "0x1 0x2\n");
	assert_int_equal(gb_config_bars(tree.root, there, &bars), -EBADMSG);
	tree_put(&tree, "/sys/devices/" WHERE "/resource", "");
	assert_int_equal(gb_config_bars(tree.root, there, &bars), -EBADMSG);

	assert_false(gb_config_sriov(tree.root, there, &total, &now));
	tree_put(&tree, "/sys/devices/" WHERE "/sriov_totalvfs", "63\n");
	tree_put(&tree, "/sys/devices/" WHERE "/sriov_numvfs", "4\n");
	assert_true(gb_config_sriov(tree.root, there, &total, &now));
	assert_int_equal(total, 63);
	assert_int_equal(now, 4);
	tree_clear(&tree);
}

/* ---- dumps of odd devices: read all, believe nothing, past no end ------------------------ */

#define DUMPS "../shared/machines/pciutils-dumps.tar.xz"

static unsigned decode_dump(const char *file)
{
	static char key[] = "dump.name";
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX];
	unsigned functions = 0;

	snprintf(path, sizeof(path), "%s", file);
	access->method = PCI_ACCESS_DUMP;
	assert_int_equal(pci_set_param(access, key, path), 0);
	pci_init(access);
	for (struct pci_dev *pci = access->devices; pci; pci = pci->next, functions++) {
		struct gb_device device = { .path = { .hops = 1 } };
		struct gb_config config;
		struct gb_acs_bits bits;
		struct gb_acs acs;

		gb_config_decode(pci, &config);
		assert_true(config.bytes >= 64);
		assert_true(config.express != GB_CANNOT_TELL || config.bytes < 256);
		assert_true(config.acs != GB_CANNOT_TELL || config.bytes < 4096);
		assert_true(config.acs != GB_YES || config.bytes == 4096);
		gb_acs_judge(&device, &config, &acs);
		assert_int_equal(gb_acs_read(&device.id, &config, &bits), config.acs);
	}
	pci_cleanup(access);
	return functions;
}

static unsigned dumps, dumped_functions;

static int visit_dump(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	unsigned functions;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	functions = decode_dump(path);
	dumps += functions > 0;
	dumped_functions += functions;
	return 0;
}

static void dumps_are_read(void **state)
{
	char command[256];
	struct tree tree;

	(void)state;
	if (access(DUMPS, R_OK))
		skip();
	tree_make(&tree);
	snprintf(command, sizeof(command), "tar -xJf " DUMPS " -C %s", tree.dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(nftw(tree.dir, visit_dump, 16, FTW_PHYS), 0);
	print_message("# %u dumps, %u functions\n", dumps, dumped_functions);
	assert_int_equal(dumps, 41);
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes),
		cmocka_unit_test(no_bytes_no_answer),
		cmocka_unit_test(conventional_is_known_at_64),
		cmocka_unit_test(half_a_capability_tells_half),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(hostile_lists_end),
		cmocka_unit_test(many_resizable_bars),
		cmocka_unit_test(links_out_are_not_followed),
		cmocka_unit_test(serial_is_read),
		cmocka_unit_test(sleepers_are_left_alone),
		cmocka_unit_test(bars_and_virtual_functions),
		cmocka_unit_test(dumps_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
