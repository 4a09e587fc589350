/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who isolates, rule by rule, and what is said when bytes are missing. */
#include "fake.h"

#include "acs.h"
#include "quirk.h"

enum { CONVENTIONAL = -1 };

static struct gb_device device_at(const char *path, unsigned vendor, unsigned device)
{
	struct gb_device d = { .group = -1 };

	assert_true(gb_path_parse(path, &d.path, NULL));
	d.bdf.devfn = d.path.hop[d.path.hops - 1];
	d.id.vendor = (uint16_t)vendor;
	d.id.device = (uint16_t)device;
	return d;
}

/* All bytes of a function's config space. */
static struct gb_config whole(int port, bool acs)
{
	struct gb_config config = { .bytes = port == CONVENTIONAL ? 256 : 4096 };

	config.express = port == CONVENTIONAL ? GB_NO : GB_YES;
	config.port = port == CONVENTIONAL ? 0 : (enum gb_port)port;
	config.header = port >= GB_PORT_ROOT && port <= GB_PORT_TO_PCIE;
	config.acs = acs ? GB_YES : GB_NO;
	return config;
}

static struct gb_config cut(struct gb_config config, uint16_t bytes)
{
	if (bytes < config.bytes && config.express == GB_YES)
		config.acs = GB_CANNOT_TELL;
	if (bytes < 256)
		config.express = config.acs = GB_CANNOT_TELL;
	config.bytes = bytes;
	return bytes ? config : (struct gb_config){ 0 };
}

static const char *rule(const struct gb_device *device, struct gb_config config)
{
	static const char *const marks[] = { "?", "-", "+" };
	static char text[64];
	struct gb_acs acs;

	gb_acs_judge(device, &config, &acs);
	snprintf(text, sizeof(text), "%s%s", marks[acs.isolated], gb_acs_rule_name(acs.rule));
	return text;
}

static void general_rules(void **state)
{
	static const struct {
		int port;
		const char *single, *several, *with_acs;
	} rows[] = {
		{ GB_PORT_ENDPOINT, "+single-function", "-multifunction", "+acs" },
		{ GB_PORT_LEGACY_ENDPOINT, "+single-function", "-multifunction", "+acs" },
		{ GB_PORT_UPSTREAM, "+single-function", "-multifunction", "+acs" },
		{ GB_PORT_INTEGRATED, "+single-function", "-multifunction", "+acs" },
		{ GB_PORT_ROOT, "-root-port", "-root-port", "+acs" },
		{ GB_PORT_DOWNSTREAM, "-downstream-port", "-downstream-port", "+acs" },
		{ GB_PORT_TO_PCI, "-conventional-bridge", "-conventional-bridge",
		  "-conventional-bridge" },
		{ GB_PORT_TO_PCIE, "-conventional-bridge", "-conventional-bridge",
		  "-conventional-bridge" },
		{ GB_PORT_EVENT_COLLECTOR, "-event-collector", "-event-collector",
		  "-event-collector" },
		{ CONVENTIONAL, "-conventional", "-conventional", "-conventional" },
		{ 13, "+single-function", "+single-function", "+single-function" },
	};
	struct gb_device first = device_at("0000:00/01.0", 0x1234, 1);
	struct gb_device second = device_at("0000:00/01.1", 0x1234, 1);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gb_config config = whole(rows[i].port, false);

		assert_string_equal(rule(&first, config), rows[i].single);
		/* beside function 0, whatever its own header says */
		assert_string_equal(rule(&second, config), rows[i].several);
		config.multifunction = true;
		assert_string_equal(rule(&first, config), rows[i].several);
		config = whole(rows[i].port, true);
		config.multifunction = true;
		assert_string_equal(rule(&first, config), rows[i].with_acs);
	}
}

static void virtual_functions_are_single(void **state)
{
	struct gb_device d = device_at("0000:00/01.0/00.1", 0x1234, 1);
	struct gb_acs acs;
	struct gb_config config = whole(GB_PORT_ENDPOINT, false);

	(void)state;
	d.virtual = true;
	assert_string_equal(rule(&d, config), "+single-function");
	gb_acs_judge(&d, &config, &acs);
	assert_int_equal(acs.multifunction, GB_NO);
}

static void missing_bytes_are_no_answer(void **state)
{
	static const struct {
		int port;
		const char *path, *at_256, *at_64, *at_0;
		bool several;
	} rows[] = {
		{ GB_PORT_ROOT, "0000:00/01.0", "?cut", "?cut", "?unread", false },
		{ GB_PORT_DOWNSTREAM, "0000:00/01.0", "?cut", "?cut", "?unread", false },
		{ GB_PORT_UPSTREAM, "0000:00/01.0", "+single-function", "?cut", "?unread", false },
		{ GB_PORT_ENDPOINT, "0000:00/01.0", "+single-function", "?cut", "?unread", false },
		{ GB_PORT_ENDPOINT, "0000:00/01.0", "?cut", "?cut", "?unread", true },
		{ GB_PORT_ENDPOINT, "0000:00/01.3", "?cut", "?cut", "?unread", false },
		{ GB_PORT_TO_PCI, "0000:00/01.0", "-conventional-bridge", "?cut", "?unread",
		  false },
		{ CONVENTIONAL, "0000:00/01.0", "-conventional", "?cut", "?unread", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gb_device d = device_at(rows[i].path, 0x1234, 1);
		struct gb_config config = whole(rows[i].port, false);

		config.multifunction = rows[i].several;
		assert_string_equal(rule(&d, cut(config, 256)), rows[i].at_256);
		assert_string_equal(rule(&d, cut(config, 64)), rows[i].at_64);
		assert_string_equal(rule(&d, cut(config, 0)), rows[i].at_0);
	}
}

static void models_that_linux_knows(void **state)
{
	static const struct {
		unsigned vendor, device;
		const char *path;
		int port;
		bool acs;
		const char *rule;
	} rows[] = {
		/* PCH root ports without a capability; only as root ports */
		{ 0x8086, 0x8c10, "0000:00/1c.0", GB_PORT_ROOT, false, "+known-model" },
		{ 0x8086, 0x8c9e, "0000:00/1c.0", GB_PORT_ROOT, false, "+known-model" },
		{ 0x8086, 0x8c9d, "0000:00/1c.0", GB_PORT_ROOT, false, "-root-port" },
		{ 0x8086, 0x8c20, "0000:00/1c.0", GB_PORT_ROOT, false, "-root-port" },
		{ 0x8086, 0x8c10, "0000:00/1c.0", GB_PORT_DOWNSTREAM, false, "-downstream-port" },
		{ 0x8086, 0x1d11, "0000:00/1c.0", GB_PORT_ROOT, false, "-root-port" },
		/* those with registers of 32 bits need the capability */
		{ 0x8086, 0xa110, "0000:00/1c.0", GB_PORT_ROOT, true, "+acs" },
		{ 0x8086, 0xa110, "0000:00/1c.0", GB_PORT_ROOT, false, "-root-port" },
		/* Intel's integrated endpoints, nobody else's */
		{ 0x8086, 0xffff, "0000:00/14.2", GB_PORT_INTEGRATED, false, "+intel-integrated" },
		{ 0x1022, 0xffff, "0000:00/14.2", GB_PORT_INTEGRATED, false, "-multifunction" },
		/* I219 and friends, even as what they are not */
		{ 0x8086, 0x15b7, "0000:00/1f.6", GB_PORT_ENDPOINT, false, "+known-model" },
		{ 0x8086, 0x15b8, "0000:00/1f.6", CONVENTIONAL, false, "+known-model" },
		{ 0x8086, 0x15b9, "0000:00/1f.6", GB_PORT_ENDPOINT, false, "-multifunction" },
		/* AMD southbridges on the root bus, one of several functions */
		{ 0x1002, 0x4385, "0000:00/14.0", CONVENTIONAL, false, "-conventional" },
		{ 0x1002, 0x4383, "0000:00/14.2", CONVENTIONAL, false, "+known-model" },
		{ 0x1002, 0x4383, "0000:00/01.0/14.2", CONVENTIONAL, false, "-conventional" },
		{ 0x1022, 0x780f, "0000:00/14.4", CONVENTIONAL, false, "+known-model" },
		/* Zhaoxin: a list of ports, and no other port whatever it says */
		{ 0x1d17, 0x0721, "0000:00/03.0", GB_PORT_DOWNSTREAM, false, "+known-model" },
		{ 0x1d17, 0x0722, "0000:00/03.0", GB_PORT_ROOT, true, "-exposed-model" },
		{ 0x1d17, 0x0722, "0000:00/03.0", GB_PORT_ENDPOINT, false, "+single-function" },
		{ 0x8088, 0x0100, "0000:01/00.1", GB_PORT_ENDPOINT, false, "+known-model" },
		{ 0x8088, 0x0110, "0000:01/00.1", GB_PORT_ENDPOINT, true, "-exposed-model" },
		{ 0x177d, 0xa026, "0000:01/00.1", GB_PORT_ENDPOINT, false, "+known-model" },
		{ 0x177d, 0xa027, "0000:01/00.1", GB_PORT_ENDPOINT, false, "-multifunction" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gb_device d = device_at(rows[i].path, rows[i].vendor, rows[i].device);

		assert_string_equal(rule(&d, whole(rows[i].port, rows[i].acs)), rows[i].rule);
	}
}

/* An id is enough for some. */
static void models_need_no_bytes(void **state)
{
	struct gb_device nic = device_at("0000:01/00.1", 0x8086, 0x10fb);
	struct gb_device port = device_at("0000:00/1c.0", 0x8086, 0x8c10);
	struct gb_config config = { 0 };

	(void)state;
	assert_string_equal(rule(&nic, config), "+known-model");
	assert_string_equal(rule(&port, config), "?unread"); /* if it is a root port */
	assert_string_equal(rule(&port, cut(whole(GB_PORT_ROOT, false), 256)), "+known-model");
}

static void bridges_alias(void **state)
{
	static const struct {
		int port;
		enum gb_known aliases, at_64;
	} rows[] = {
		{ GB_PORT_ROOT, GB_NO, GB_CANNOT_TELL },
		{ GB_PORT_UPSTREAM, GB_NO, GB_CANNOT_TELL },
		{ GB_PORT_TO_PCI, GB_YES, GB_CANNOT_TELL },
		{ GB_PORT_TO_PCIE, GB_YES, GB_CANNOT_TELL },
		{ GB_PORT_ENDPOINT, GB_NO, GB_NO },
		{ CONVENTIONAL, GB_NO, GB_NO },
	};
	struct gb_device d = device_at("0000:00/01.0", 0x1234, 1);
	struct gb_config config;
	struct gb_acs acs;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		config = whole(rows[i].port, false);
		gb_acs_judge(&d, &config, &acs);
		assert_int_equal(acs.aliases, rows[i].aliases);
		config = cut(config, 64);
		gb_acs_judge(&d, &config, &acs);
		assert_int_equal(acs.aliases, rows[i].at_64);
	}
	config = whole(CONVENTIONAL, false);
	config.header = 1;
	gb_acs_judge(&d, &config, &acs);
	assert_int_equal(acs.aliases, GB_YES);
	assert_int_equal(acs.rule, GB_ACS_BRIDGE);
	config = (struct gb_config){ 0 };
	gb_acs_judge(&d, &config, &acs);
	assert_int_equal(acs.aliases, GB_CANNOT_TELL);
	assert_int_equal(acs.multifunction, GB_CANNOT_TELL);
}

static void registers_are_reported(void **state)
{
	struct gb_identity usual = { .vendor = 0x1022, .device = 0x1483 };
	struct gb_identity wide = { .vendor = 0x8086, .device = 0xa110 };
	struct gb_config config = whole(GB_PORT_ROOT, true);
	struct gb_acs_bits bits;

	(void)state;
	config.acs_word[0] = 0x0011005f;
	config.acs_word[1] = 0x0000000d;
	assert_int_equal(gb_acs_read(&usual, &config, &bits), GB_YES);
	assert_int_equal(bits.capability, 0x5f);
	assert_int_equal(bits.control, 0x11);
	assert_int_equal(bits.off, 0x0c);
	assert_int_equal(gb_acs_read(&wide, &config, &bits), GB_YES);
	assert_int_equal(bits.control, 0x0d);
	assert_int_equal(bits.off, 0x10);
	config.acs = GB_NO;
	assert_int_equal(gb_acs_read(&usual, &config, &bits), GB_NO);
	config.acs = GB_CANNOT_TELL;
	assert_int_equal(gb_acs_read(&usual, &config, &bits), GB_CANNOT_TELL);
	assert_string_equal(gb_acs_bit_name(GB_ACS_UPSTREAM_FORWARDING), "UF");
	assert_string_equal(gb_acs_bit_name(0x80), "");
}

static void aliases_of_models(void **state)
{
	static const struct {
		unsigned vendor, device, subvendor, subdevice;
		uint8_t devfn, alias;
		bool is;
	} rows[] = {
		{ 0x1b4b, 0x9230, 0, 0, 0x00, 0x01, true },
		{ 0x1b4b, 0x9230, 0, 0, 0x08, 0x09, true },
		{ 0x1b4b, 0x9230, 0, 0, 0x01, 0x01, false }, /* itself */
		{ 0x1b4b, 0x9231, 0, 0, 0x00, 0x01, false },
		{ 0x1180, 0xe832, 0, 0, 0x02, 0x00, true },
		{ 0x1180, 0xe832, 0, 0, 0x00, 0x01, false },
		{ 0x9005, 0x0285, 0x9005, 0x02bb, 0x70, 0x08, true },
		{ 0x9005, 0x0285, 0x9005, 0x02bd, 0x70, 0x08, false },
		{ 0x8086, 0x2264, 0, 0, 0x00, 0x93, true },
		{ 0x8086, 0x2954, 0, 0, 0x00, 0xfc, true },
		{ 0x8086, 0x2954, 0, 0, 0x00, 0xfd, false },
		{ 0x10b5, 0x87b0, 0, 0, 0x00, 0xff, true },
	};
	uint64_t mask[4];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct gb_identity id = { (uint16_t)rows[i].vendor, (uint16_t)rows[i].device,
					  (uint16_t)rows[i].subvendor,
					  (uint16_t)rows[i].subdevice, 0, false, 0 };

		gb_quirk_aliases(&id, rows[i].devfn, mask);
		assert_int_equal(mask[rows[i].alias / 64] >> rows[i].alias % 64 & 1, rows[i].is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(general_rules),
		cmocka_unit_test(virtual_functions_are_single),
		cmocka_unit_test(missing_bytes_are_no_answer),
		cmocka_unit_test(models_that_linux_knows),
		cmocka_unit_test(models_need_no_bytes),
		cmocka_unit_test(bridges_alias),
		cmocka_unit_test(registers_are_reported),
		cmocka_unit_test(aliases_of_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
