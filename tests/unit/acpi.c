/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel's and AMD's firmware tables. */
#include "fake.h"

#include "dmar.h"
#include "ivrs.h"

struct table {
	uint8_t data[1024];
	size_t len;
};

static void begin(struct table *table, const char *signature, const char *own)
{
	memset(table, 0, sizeof(*table));
	memcpy(table->data, signature, 4);
	table->data[8] = 1;
	memcpy(table->data + GB_ACPI_HEADER, own, 4);
	table->len = GB_ACPI_BODY;
}

static void add(struct table *table, const void *data, size_t len)
{
	memcpy(table->data + table->len, data, len);
	table->len += len;
}

#define ADD(table, ...) \
	do { \
		static const uint8_t bytes[] = { __VA_ARGS__ }; \
		add(table, bytes, sizeof(bytes)); \
	} while (0)

static void end(struct table *table)
{
	uint8_t sum = 0;

	table->data[4] = (uint8_t)table->len;
	table->data[5] = (uint8_t)(table->len >> 8);
	table->data[9] = 0;
	for (size_t i = 0; i < table->len; i++)
		sum = (uint8_t)(sum + table->data[i]);
	table->data[9] = (uint8_t)-sum;
}

/* A unit for 00:02.0 alone, one for all the rest, memory for 00:14.0 and for all below 00:1c.4. */
static void intel(struct table *table)
{
	begin(table, "DMAR", "\x26\x03\0\0");
	ADD(table, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 2, 0);
	ADD(table, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0x10, 0xd9, 0xfe, 0, 0, 0, 0);
	ADD(table, 1, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0xc5, 0x8a, 0, 0, 0, 0, 0xff, 0xff, 0xc6, 0x8a, 0, 0,
	    0, 0, 1, 8, 0, 0, 0, 0, 0x14, 0);
	ADD(table, 1, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x7f, 0, 0, 0, 0, 0xff, 0x0f, 0x10, 0x7f, 0, 0,
	    0, 0, 2, 8, 0, 0, 0, 0, 0x1c, 4);
	ADD(table, 2, 0, 8, 0, 1, 0, 0, 0);
	ADD(table, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	ADD(table, 9, 0, 4, 0);
	end(table);
}

static void parse_intel(const struct table *table, struct gb_dmar *ret)
{
	struct gb_err err;

	if (gb_dmar_parse(table->data, table->len, ret, &err))
		fail_msg("%s", err.text);
}

static struct gb_device device(const char *path, unsigned bus)
{
	struct gb_device device = { 0 };

	assert_true(gb_path_parse(path, &device.path, NULL));
	device.bdf = (struct gb_bdf){ device.path.domain, (uint8_t)bus,
				      device.path.hop[device.path.hops - 1] };
	return device;
}

static void intel_is_decoded(void **state)
{
	struct table table;
	struct gb_dmar dmar;

	(void)state;
	intel(&table);
	parse_intel(&table, &dmar);
	assert_string_equal(dmar.table.problem, "");
	assert_true(dmar.table.checksum);
	assert_int_equal(dmar.address_width, 39);
	assert_true(dmar.interrupt_remapping);
	assert_true(dmar.x2apic_opt_out);
	assert_false(dmar.dma_opt_in);
	assert_int_equal(gb_dmar_count(&dmar, GB_DMAR_UNIT), 2);
	assert_int_equal(gb_dmar_count(&dmar, GB_DMAR_RESERVED), 2);
	assert_int_equal(gb_dmar_count(&dmar, GB_DMAR_ATS), 1);
	assert_int_equal(dmar.table.unknown, 1);
	assert_true(dmar.part[0].base == 0xfed90000);
	assert_true(dmar.part[2].base == 0x8ac50000 && dmar.part[2].limit == 0x8ac6ffff);
	assert_int_equal(dmar.part[4].flags, GB_DMAR_ALL_PORTS);
	gb_dmar_clear(&dmar);
}

static void scopes_name_devices(void **state)
{
	static const struct {
		const char *path;
		unsigned bus;
		int unit, reserved; /* index, -1: none */
	} cases[] = {
		{ "0000:00/02.0", 0, 0, -1 },
		{ "0000:00/14.0", 0, 1, 2 },
		{ "0000:00/14.1", 0, 1, -1 },
		{ "0000:00/1c.4", 0, 1, 3 },
		{ "0000:00/1c.4/00.0", 5, 1, 3 },
		{ "0000:00/1c.4/00.0/02.0", 6, 1, 3 },
		{ "0000:00/1c.5/00.0", 7, 1, -1 },
		{ "0000:00/14.0/00.0", 8, 1, -1 }, /* an endpoint has nothing below */
		{ "0000:80/14.0", 0x80, 1, -1 },
		{ "0001:00/02.0", 0, -1, -1 },
		{ "10000:00/14.0", 0, -1, -1 },
	};
	struct table table;
	struct gb_dmar dmar;

	(void)state;
	intel(&table);
	parse_intel(&table, &dmar);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gb_device d = device(cases[i].path, cases[i].bus);
		const struct gb_dmar_part *unit = gb_dmar_unit(&dmar, &d);
		size_t at = gb_dmar_find(&dmar, GB_DMAR_RESERVED, &d, 0);

		assert_int_equal(unit ? unit - dmar.part : -1, cases[i].unit);
		assert_int_equal(at < dmar.parts ? (int)at : -1, cases[i].reserved);
	}
	gb_dmar_clear(&dmar);
}

/* Firmware that names the bus the device is on, not the path to it. */
static void scope_with_the_wrong_bus(void **state)
{
	struct gb_device d = device("0000:00/01.0/00.0", 3);
	struct table table;
	struct gb_dmar dmar;

	(void)state;
	begin(&table, "DMAR", "\x26\x01\0\0");
	ADD(&table, 1, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 8, 0, 0,
	    0, 3, 0, 0);
	end(&table);
	parse_intel(&table, &dmar);
	assert_int_equal(gb_dmar_find(&dmar, GB_DMAR_RESERVED, &d, 0), 0);
	d.bdf.bus = 4;
	assert_int_equal(gb_dmar_find(&dmar, GB_DMAR_RESERVED, &d, 0), 1);
	gb_dmar_clear(&dmar);
}

static void broken_tables_end_early(void **state)
{
	struct table table;
	struct gb_dmar dmar;
	struct gb_err err;

	(void)state;
	intel(&table);
	table.data[GB_ACPI_BODY + 24 + 2] = 0; /* the second unit's length */
	parse_intel(&table, &dmar);
	assert_false(dmar.table.checksum);
	assert_string_equal(dmar.table.problem,
			    "structure at byte 72 of 184 is said to have 0 bytes");
	assert_int_equal(dmar.parts, 1);
	gb_dmar_clear(&dmar);

	intel(&table);
	table.data[GB_ACPI_BODY + 17] = 9; /* the first scope's length */
	parse_intel(&table, &dmar);
	assert_string_equal(dmar.table.problem,
			    "structure at byte 64 of 184 is said to have 9 bytes");
	assert_int_equal(dmar.scopes, 2);
	gb_dmar_clear(&dmar);

	intel(&table);
	table.len -= 3;
	parse_intel(&table, &dmar);
	assert_string_equal(dmar.table.problem, "cut to 181 of 184 bytes");
	assert_int_equal(dmar.parts, 5);
	gb_dmar_clear(&dmar);

	assert_int_equal(gb_dmar_parse(table.data, 47, &dmar, &err), -EBADMSG);
	table.data[4] = 47;
	assert_int_equal(gb_dmar_parse(table.data, table.len, &dmar, &err), -EBADMSG);
	intel(&table);
	assert_int_equal(gb_ivrs_parse(table.data, table.len, &(struct gb_ivrs){ 0 }, &err),
			 -EBADMSG);
}

static void reads_end_with_the_table(void **state)
{
	uint8_t *bytes = malloc(3);
	struct gb_acpi_view v = { bytes, 3 };

	(void)state;
	memcpy(bytes, "\x01\x02\x03", 3);
	assert_int_equal(gb_acpi_u16(v, 1), 0x0302);
	assert_int_equal(gb_acpi_u8(v, 3), 0);
	assert_int_equal(gb_acpi_u16(v, 2), 0);
	assert_int_equal(gb_acpi_u32(v, SIZE_MAX), 0);
	assert_true(gb_acpi_u64(v, 0) == 0);
	free(bytes);
}

static void endless_paths_are_left_out(void **state)
{
	enum { HOPS = GB_HOPS_MAX + 1, SCOPE = 6 + 2 * HOPS };
	uint8_t part[24 + SCOPE] = { 1, 0, sizeof(part), [24] = 1, [25] = SCOPE };
	struct table table;
	struct gb_dmar dmar;

	(void)state;
	begin(&table, "DMAR", "\x26\x01\0\0");
	add(&table, part, sizeof(part));
	end(&table);
	parse_intel(&table, &dmar);
	assert_int_equal(dmar.parts, 1);
	assert_int_equal(dmar.scopes, 0);
	assert_int_equal(dmar.table.unknown, 1);
	assert_true(dmar.interrupt_remapping && !dmar.x2apic_opt_out);
	gb_dmar_clear(&dmar);
}

static void amd(struct table *table)
{
	begin(table, "IVRS", "\x43\x30\x20\0");
	ADD(table, 0x10, 0xb0, 36, 0, 2, 0, 0x40, 0, 0, 0, 0x30, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    3, 8, 0, 0, 4, 0xfe, 0xff, 0, 0, 0, 0, 0);
	ADD(table, 0x11, 0xb0, 40, 0, 2, 0, 0x40, 0, 0, 0, 0x30, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0xde, 0x4a, 0xf7, 0x22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	ADD(table, 0x21, 8, 32, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0xd4, 0xcc, 0, 0, 0, 0, 0,
	    0x60, 2, 0, 0, 0, 0, 0);
	ADD(table, 0x22, 1, 32, 0, 0x60, 0, 0x6f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 0x7d, 0, 0, 0, 0,
	    0, 0, 0x10, 0, 0, 0, 0, 0);
	end(table);
}

static void amd_is_decoded(void **state)
{
	struct table table;
	struct gb_ivrs ivrs;
	struct gb_err err;

	(void)state;
	amd(&table);
	assert_int_equal(gb_ivrs_parse(table.data, table.len, &ivrs, &err), 0);
	assert_string_equal(ivrs.table.problem, "");
	assert_true(ivrs.table.checksum && ivrs.efr && ivrs.dma_remapping);
	assert_int_equal(ivrs.ivhds, 2);
	assert_int_equal(gb_ivrs_units(&ivrs), 1);
	assert_int_equal(ivrs.ivhd[0].entries, 2);
	assert_true(ivrs.ivhd[0].base == 0xfe300000 && ivrs.ivhd[1].features == 0x22f74ade);
	assert_int_equal(ivrs.ivmds, 2);
	assert_true(ivrs.ivmd[0].base == 0xccd42000 && ivrs.ivmd[0].length == 0x26000);

	struct gb_device one = device("0000:00/01.0/00.0", 3), other = device("0000:00/0c.1", 0);

	assert_true(gb_ivmd_covers(&ivrs.ivmd[0], &one) && !gb_ivmd_covers(&ivrs.ivmd[1], &one));
	assert_true(!gb_ivmd_covers(&ivrs.ivmd[0], &other) && gb_ivmd_covers(&ivrs.ivmd[1], &other));
	one.bdf.domain = 1;
	assert_false(gb_ivmd_covers(&ivrs.ivmd[0], &one));
	gb_ivrs_clear(&ivrs);
}

/* The format in which the first unit comes last; another unit's older one does not count. */
static void amd_units_are_counted_once(void **state)
{
	struct table table;
	struct gb_ivrs ivrs;

	(void)state;
	amd(&table);
	ADD(&table, 0x10, 0xb0, 24, 0, 2, 1, 0x40, 0, 0, 0, 0x40, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0);
	end(&table);
	assert_int_equal(gb_ivrs_parse(table.data, table.len, &ivrs, NULL), 0);
	assert_int_equal(ivrs.ivhds, 3);
	assert_int_equal(gb_ivrs_units(&ivrs), 1);
	gb_ivrs_clear(&ivrs);
}

static void amd_entries_stay_inside(void **state)
{
	struct table table;
	struct gb_ivrs ivrs;
	struct gb_err err;

	(void)state;
	amd(&table);
	table.data[GB_ACPI_BODY + 32] = 0xf0; /* an ACPI name of 22 bytes where 4 are left */
	assert_int_equal(gb_ivrs_parse(table.data, table.len, &ivrs, &err), 0);
	assert_string_equal(ivrs.table.problem,
			    "structure at byte 80 of 188 is said to have 22 bytes");
	assert_int_equal(ivrs.ivmds, 2);
	gb_ivrs_clear(&ivrs);
}

static void tables_are_read_from_the_root(void **state)
{
	struct table table;
	struct tree tree;
	struct gb_dmar dmar;
	struct gb_ivrs ivrs;
	struct gb_err err;

	(void)state;
	tree_make(&tree);
	assert_int_equal(gb_dmar_read(tree.root, &dmar, &err), -ENOENT);
	assert_int_equal(gb_ivrs_read(tree.root, &ivrs, &err), -ENOENT);
	intel(&table);
	tree_put_data(&tree, GB_DMAR_FILE, table.data, table.len);
	amd(&table);
	tree_put_data(&tree, GB_IVRS_FILE, table.data, table.len);
	assert_int_equal(gb_dmar_read(tree.root, &dmar, &err), 0);
	assert_int_equal(gb_ivrs_read(tree.root, &ivrs, &err), 0);
	assert_true(dmar.parts && ivrs.ivhds);
	gb_dmar_clear(&dmar);
	gb_ivrs_clear(&ivrs);
	tree_clear(&tree);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(intel_is_decoded),
		cmocka_unit_test(scopes_name_devices),
		cmocka_unit_test(scope_with_the_wrong_bus),
		cmocka_unit_test(broken_tables_end_early),
		cmocka_unit_test(reads_end_with_the_table),
		cmocka_unit_test(endless_paths_are_left_out),
		cmocka_unit_test(amd_is_decoded),
		cmocka_unit_test(amd_units_are_counted_once),
		cmocka_unit_test(amd_entries_stay_inside),
		cmocka_unit_test(tables_are_read_from_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
