/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision table, row by row: a claims file, a machine, and what comes of it. */
#include "fake.h"

#include "resolve.h"

#define GPU "10de:2203 1462:5054 030000"
#define SOUND "10de:1aef 1462:5054 040300"
#define USB "10de:1ada 1462:5054 0c0330"
#define IGD "8086:a780 1462:7d91 030000"
#define NVME "15b7:5030 15b7:5030 010802"
#define NIC "8086:1521 8086:0001 020000"
#define BRIDGE "8086:4c01 8086:7270 060400"

#define ID_GPU " id=10de:2203 subsys=1462:5054 class=030000"
#define ID_SOUND " id=10de:1aef subsys=1462:5054 class=040300"
#define ID_USB " id=10de:1ada subsys=1462:5054 class=0c0330"
#define ID_IGD " id=8086:a780 subsys=1462:7d91 class=030000"
#define ID_NVME " id=15b7:5030 subsys=15b7:5030 class=010802"
#define ID_NIC " id=8086:1521 subsys=8086:0001 class=020000"

#define A "0000:00/01.0/00"
#define B "0000:00/01.1/00"
#define C "0000:00/1c.0/00"
#define CLAIM_A "claim path=" A ".0" ID_GPU "\nclaim path=" A ".1" ID_SOUND "\n"
#define CLAIM_B "claim path=" B ".0" ID_GPU "\nclaim path=" B ".1" ID_SOUND "\n"
#define KEEP_IGD "keep path=0000:00/02.0" ID_IGD "\n"
#define HAS_IGD "0000:00/02.0 " IGD "\n"
#define CARD(slot) slot ".0 " GPU "\n" slot ".1 " SOUND "\n"

struct row {
	const char *name, *claims, *machine;
	const char *want; /* one word a claim line: decision, or decision@path, or :reason */
};

static const struct row rows[] = {
	{ "at its path", CLAIM_A KEEP_IGD, CARD(A) HAS_IGD, "claim@" A ".0 claim@" A ".1" },
	{ "boot display at its path", CLAIM_A KEEP_IGD, A ".0 " GPU " vga\n" A ".1 " SOUND "\n" HAS_IGD,
	  "claim claim" },
	{ "one function gone", CLAIM_A KEEP_IGD, A ".0 " GPU "\n" HAS_IGD, "claim absent:absent" },
	{ "absent", CLAIM_A KEEP_IGD, HAS_IGD, "absent:absent absent:absent" },

	/* no display would remain: whatever else matches */
	{ "last display", CLAIM_A, CARD(A), "refused:last-display refused:companion" },
	{ "last display, allowed", "claim path=" A ".0 allow=last-display" ID_GPU "\n", CARD(A),
	  "claim+last" },
	{ "last but for a 3D controller", CLAIM_A, CARD(A) "0000:00/03.0 10de:20b0 10de:1450 030200\n",
	  "refused:last-display refused:companion" },
	{ "a 3D controller, no display", "claim path=0000:00/06.0 id=10de:2335 subsys=10de:18be class=030200\n",
	  "0000:00/06.0 10de:2335 10de:18be 030200\n", "claim" },
	{ "the last display and a 3D controller",
	  CLAIM_A "claim path=0000:00/06.0 id=10de:2335 subsys=10de:18be class=030200\n",
	  CARD(A) "0000:00/06.0 10de:2335 10de:18be 030200\n",
	  "refused:last-display refused:companion claim" },
	{ "last but for a virtual function", CLAIM_A, CARD(A) C ".1 8086:56c1 8086:0001 030000 virtual\n",
	  "refused:last-display refused:companion" },
	{ "another display, not kept", CLAIM_A, CARD(A) HAS_IGD, "claim claim" },
	{ "a display of class 0380", CLAIM_A, CARD(A) "0000:00/02.0 8086:4680 8086:0001 038000\n",
	  "claim claim" },
	{ "kept display absent", CLAIM_A KEEP_IGD, CARD(A), "refused:last-display refused:companion" },
	{ "kept display absent, allowed", "claim path=" A ".0 allow=last-display" ID_GPU "\n" KEEP_IGD,
	  CARD(A), "claim+last" },
	{ "kept display replaced by a disk", CLAIM_A KEEP_IGD, CARD(A) "0000:00/02.0 " NVME "\n",
	  "refused:last-display refused:companion" },
	{ "both displays claimed", CLAIM_A CLAIM_B, CARD(A) CARD(B),
	  "refused:last-display refused:companion refused:last-display refused:companion" },
	{ "sound alone is no display", "claim path=" A ".1" ID_SOUND "\n", CARD(A), "claim" },
	{ "last display, moved", CLAIM_A KEEP_IGD, CARD(C), "refused:last-display refused:companion" },
	{ "last display and bridge", "claim path=" A ".0 id=8086:4c01 subsys=8086:7270 class=060400\n",
	  A ".0 " BRIDGE "\n", "refused:bridge" },

	/* what is never claimed */
	{ "bridge", "claim path=0000:00/01.0 allow=storage,network,last-display id=8086:4c01 "
	  "subsys=8086:7270 class=060400\n" KEEP_IGD, "0000:00/01.0 " BRIDGE "\n" HAS_IGD,
	  "refused:bridge" },
	{ "virtual function", "claim path=" A ".2" ID_USB "\n" KEEP_IGD, A ".0 " GPU "\n"
	  A ".2 " USB " virtual\n" HAS_IGD, "refused:virtual-function" },
	{ "storage", "claim path=" A ".0" ID_NVME "\n", A ".0 " NVME "\n", "refused:storage" },
	{ "storage, allowed", "claim path=" A ".0 allow=storage" ID_NVME "\n", A ".0 " NVME "\n",
	  "claim" },
	{ "storage, the wrong allow", "claim path=" A ".0 allow=network,last-display" ID_NVME "\n",
	  A ".0 " NVME "\n", "refused:storage" },
	{ "storage, the system's", "claim path=" A ".0 allow=system-disk" ID_NVME "\n", A ".0 " NVME "\n",
	  "claim" },
	{ "network, the system's disk", "claim path=" A ".0 allow=system-disk" ID_NIC "\n", A ".0 " NIC "\n",
	  "refused:network" },
	{ "network", "claim path=" A ".0" ID_NIC "\n", A ".0 " NIC "\n", "refused:network" },
	{ "network, allowed", "claim path=" A ".0 allow=network" ID_NIC "\n", A ".0 " NIC "\n", "claim" },
	{ "kept", CLAIM_A "keep path=" A ".0" ID_GPU "\n" KEEP_IGD, CARD(A) HAS_IGD,
	  "refused:keep refused:companion" },
	{ "kept, though allowed", "claim path=" A ".0 allow=storage" ID_NVME "\nkeep path=" A ".0"
	  ID_NVME "\n", A ".0 " NVME "\n", "refused:keep" },
	{ "a companion is kept", CLAIM_A "keep path=" A ".1" ID_SOUND "\n" KEEP_IGD, CARD(A) HAS_IGD,
	  "refused:companion refused:keep" },
	{ "kept lookalike in its place", CLAIM_A "keep path=" B ".0" ID_GPU "\n", CARD(A) CARD(B),
	  "claim claim" },
	{ "kept lookalike gone", CLAIM_A "keep path=" B ".0" ID_GPU "\n" KEEP_IGD, CARD(A) HAS_IGD,
	  "refused:keep-missing refused:companion" },
	{ "kept lookalike's place holds another", CLAIM_A "keep path=" B ".0" ID_GPU "\n" KEEP_IGD,
	  CARD(A) B ".0 " NVME "\n" HAS_IGD, "refused:keep-missing refused:companion" },
	{ "kept lookalike gone, but serials differ", "claim path=" A ".0 serial=00-00-00-00-00-00-00-01"
	  ID_GPU "\nkeep path=" B ".0 serial=00-00-00-00-00-00-00-02" ID_GPU "\n",
	  A ".0 " GPU " serial=1\n" HAS_IGD, "claim" },
	{ "kept moved to the claimed slot, serials tell", "claim path=" A
	  ".0 serial=00-00-00-00-00-00-00-01" ID_GPU "\nkeep path=" B
	  ".0 serial=00-00-00-00-00-00-00-02" ID_GPU "\n" KEEP_IGD, A ".0 " GPU " serial=2\n" HAS_IGD,
	  "mismatch:mismatch" },
	{ "swapped with the kept twin, serials tell", "claim path=" A
	  ".0 serial=00-00-00-00-00-00-00-01" ID_GPU "\nkeep path=" B
	  ".0 serial=00-00-00-00-00-00-00-02" ID_GPU "\n",
	  A ".0 " GPU " serial=2\n" B ".0 " GPU " serial=1\n" HAS_IGD, "moved@" B ".0" },

	/* elsewhere */
	{ "moved", CLAIM_A KEEP_IGD, CARD(C) HAS_IGD, "moved@" C ".0 moved@" C ".1" },
	{ "moved, its slot holds another card", CLAIM_A KEEP_IGD, A ".0 " NVME "\n" CARD(C) HAS_IGD,
	  "moved@" C ".0 moved@" C ".1" },
	{ "moved, the slot holds one with the same sound", CLAIM_A KEEP_IGD,
	  A ".0 10de:2204 1462:5054 030000\n" A ".1 " SOUND "\n" C ".0 " GPU "\n" C ".1 " SOUND "\n"
	  HAS_IGD, "moved moved" },
	{ "moved without its sound", CLAIM_A KEEP_IGD, C ".0 " GPU "\n" HAS_IGD,
	  "ambiguous:companions ambiguous:companions" },
	{ "moved, sound in another slot", CLAIM_A KEEP_IGD, C ".0 " GPU "\n" B ".1 " SOUND "\n" HAS_IGD,
	  "ambiguous:companions ambiguous:companions" },
	{ "moved, functions have other numbers", CLAIM_A KEEP_IGD, C ".0 " GPU "\n" C ".2 " SOUND "\n"
	  HAS_IGD, "ambiguous:companions ambiguous:companions" },
	{ "two look like it", CLAIM_A KEEP_IGD, CARD(B) CARD(C) HAS_IGD,
	  "ambiguous:ambiguous ambiguous:ambiguous" },
	{ "two have its sound", CLAIM_A KEEP_IGD, CARD(C) B ".0 10de:2204 1462:5054 030000\n"
	  B ".1 " SOUND "\n" HAS_IGD, "ambiguous:ambiguous ambiguous:ambiguous" },
	{ "of two, one is a virtual function", "claim path=" A ".2" ID_USB "\n" KEEP_IGD,
	  C ".2 " USB "\n" B ".2 " USB " virtual\n" HAS_IGD, "moved@" C ".2" },
	{ "of two, one is kept", CLAIM_A "keep path=" B ".0" ID_GPU "\n", C ".0 " GPU "\n" C ".1 " SOUND
	  "\n" B ".0 " GPU "\n", "moved moved" },
	{ "what looks like it is kept", CLAIM_A "keep path=" B ".0" ID_GPU "\n", CARD(B),
	  "ambiguous:companions ambiguous:companions" },
	{ "what looks like it may be the kept one", "claim path=" A ".0" ID_GPU "\nkeep path=" B ".0"
	  ID_GPU "\n" KEEP_IGD, C ".0 " GPU "\n" HAS_IGD, "absent" },
	{ "what looks like it is the boot display", CLAIM_A KEEP_IGD,
	  C ".0 " GPU " vga\n" C ".1 " SOUND "\n" HAS_IGD, "refused:boot-display refused:boot-display" },
	{ "moved storage", "claim path=" A ".0" ID_NVME "\n", C ".0 " NVME "\n", "refused:storage" },
	{ "moved storage, allowed", "claim path=" A ".0 allow=storage" ID_NVME "\n", C ".0 " NVME "\n",
	  "moved" },
	{ "another's place", CLAIM_A CLAIM_B KEEP_IGD, CARD(B) HAS_IGD,
	  "absent absent claim@" B ".0 claim@" B ".1" },
	{ "two lost, one found", CLAIM_A CLAIM_B KEEP_IGD, CARD(C) HAS_IGD,
	  "ambiguous ambiguous ambiguous ambiguous" },
	{ "two lost, two found", CLAIM_A CLAIM_B KEEP_IGD, CARD(C) CARD("0000:00/1d.0/00") HAS_IGD,
	  "moved@" C ".0 moved@" C ".1 moved@0000:00/1d.0/00.0 moved@0000:00/1d.0/00.1" },
	{ "two different cards swapped", CLAIM_A "claim path=" B ".0" ID_USB "\n" KEEP_IGD,
	  A ".0 " USB "\n" B ".0 " GPU "\n" B ".1 " SOUND "\n" HAS_IGD,
	  "moved@" B ".0 moved@" B ".1 moved@" A ".0" },
	{ "a twin with fewer functions swapped in", CLAIM_A "keep path=" B ".0" ID_GPU "\n",
	  A ".0 " GPU "\n" CARD(B), "mismatch:swapped mismatch:swapped" },
	{ "two lost, two of each function, one whole card", CLAIM_A CLAIM_B KEEP_IGD,
	  CARD(C) "0000:00/1d.0 " GPU "\n0000:00/1e.1 " SOUND "\n" HAS_IGD,
	  "ambiguous ambiguous ambiguous ambiguous" },
	{ "two lost, one a part of the other", CLAIM_A "claim path=" A ".2" ID_USB "\n" CLAIM_B KEEP_IGD,
	  CARD(C) C ".2 " USB "\n0000:00/1d.0 " GPU "\n0000:00/1e.1 " SOUND "\n" HAS_IGD,
	  "ambiguous ambiguous ambiguous ambiguous ambiguous" },

	/* path holds something else */
	{ "an NVMe in its slot", CLAIM_A KEEP_IGD, A ".0 " NVME "\n" HAS_IGD,
	  "mismatch:mismatch absent:absent" },
	{ "another vendor's subsystem", CLAIM_A KEEP_IGD, A ".0 10de:2203 1043:5054 030000\n" A ".1 "
	  SOUND "\n" HAS_IGD, "mismatch:mismatch mismatch:slot-changed" },
	{ "another class", "claim path=" A ".0" ID_GPU "\n" KEEP_IGD,
	  A ".0 10de:2203 1462:5054 030200\n" HAS_IGD, "mismatch:mismatch" },
	{ "another serial", "claim path=" A ".0 serial=00-00-00-00-00-00-00-01" ID_GPU "\n" KEEP_IGD,
	  A ".0 " GPU " serial=2\n" HAS_IGD, "mismatch:mismatch" },
	{ "no serial", "claim path=" A ".0 serial=00-00-00-00-00-00-00-01" ID_GPU "\n" KEEP_IGD,
	  A ".0 " GPU "\n" HAS_IGD, "mismatch:mismatch" },
	{ "a serial that nobody asked for", "claim path=" A ".0" ID_GPU "\n" KEEP_IGD,
	  A ".0 " GPU " serial=2\n" HAS_IGD, "claim" },
	{ "another card with the same sound", CLAIM_A KEEP_IGD, A ".0 10de:2204 1462:5054 030000\n"
	  A ".1 " SOUND "\n" HAS_IGD, "mismatch:mismatch mismatch:slot-changed" },
	{ "serials find the right twin", "claim path=" A ".0 serial=00-00-00-00-00-00-00-01" ID_GPU "\n"
	  KEEP_IGD, B ".0 " GPU " serial=2\n" C ".0 " GPU " serial=1\n" HAS_IGD, "moved@" C ".0" },
};

/* "claim@0000:00/01.0/00.0", with whatever of it the wanted word has. */
static bool fits(const char *want, size_t len, const struct gb_verdict *verdict,
		 const struct gb_machine *machine)
{
	char word[160], path[GB_PATH_MAX] = "";

	if (verdict->device != GB_NOWHERE)
		gb_path_format(&machine->device[verdict->device].path, path);
	switch (want[strcspn(want, "@:+ ")]) {
	case '@':
		snprintf(word, sizeof(word), "%s@%s", gb_decision_name(verdict->decision), path);
		break;
	case ':':
		snprintf(word, sizeof(word), "%s:%s", gb_decision_name(verdict->decision),
			 verdict->reason);
		break;
	case '+':
		snprintf(word, sizeof(word), "%s%s", gb_decision_name(verdict->decision),
			 verdict->last_display ? "+last" : "");
		break;
	default:
		snprintf(word, sizeof(word), "%s", gb_decision_name(verdict->decision));
	}
	return strlen(word) == len && !strncmp(word, want, len);
}

static void the_table(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t r = 0; r < COUNT(rows); r++) {
		struct gb_verdict verdict[16] = { 0 };
		const char *want = rows[r].want;
		struct gb_claims claims;
		struct gb_machine machine;

		parse_claims(rows[r].claims, &claims);
		parse_machine(rows[r].machine, &claims, &machine);
		assert_false(gb_resolve(&claims, &machine, verdict));
		for (size_t i = 0; i < claims.lines; i++) {
			size_t len = strcspn(want, " ");

			assert_true(verdict[i].text[0]);
			if (claims.line[i].keep) {
				assert_int_equal(verdict[i].decision, GB_KEEP);
				continue;
			}
			if (!fits(want, len, &verdict[i], &machine)) {
				print_error("%s: line %zu: %s:%s, wanted %.*s\n", rows[r].name, i,
					    gb_decision_name(verdict[i].decision),
					    verdict[i].reason, (int)len, want);
				wrong++;
			}
			want += len + (want[len] == ' ');
		}
		assert_string_equal(want, "");
		gb_machine_clear(&machine);
		gb_claims_clear(&claims);
	}
	assert_int_equal(wrong, 0);
}

/* Without the list of all devices: what is asked for, and what is decided without it. */
static void before_the_scan(void **state)
{
	static const struct {
		const char *claims, *machine;
		bool asks;
		enum gb_decision decision;
	} known[] = {
		/* a kept display in its place answers for the displays */
		{ CLAIM_A KEEP_IGD, CARD(A) HAS_IGD, false, GB_CLAIM },
		{ CLAIM_A, CARD(A), true, GB_REFUSED },
		{ CLAIM_A KEEP_IGD, HAS_IGD, true, GB_REFUSED },
		{ CLAIM_A KEEP_IGD, A ".0 " NVME "\n" HAS_IGD, true, GB_REFUSED },
		{ CLAIM_A "keep path=0000:00/03.0 id=10de:20b0 subsys=10de:1450 class=030200\n",
		  CARD(A) "0000:00/03.0 10de:20b0 10de:1450 030200\n", true, GB_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		struct gb_verdict verdict[8];
		struct gb_claims claims;
		struct gb_machine machine;

		parse_claims(known[i].claims, &claims);
		parse_machine(known[i].machine, &claims, &machine);
		machine.complete = false;
		assert_int_equal(gb_resolve(&claims, &machine, verdict), known[i].asks);
		assert_int_equal(verdict[0].decision, known[i].decision);
		gb_machine_clear(&machine);
		gb_claims_clear(&claims);
	}
}

/* ---- the same through sysfs ------------------------------------------------------------- */

static struct tree tree;
static struct gb_claims claims;
static struct gb_machine machine;
static struct gb_verdict verdict[8];

static int make(void **state)
{
	(void)state;
	tree_make(&tree);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	gb_claims_clear(&claims);
	gb_machine_clear(&machine);
	tree_clear(&tree);
	return 0;
}

static bool look(const char *body)
{
	struct gb_err err;

	gb_claims_clear(&claims);
	gb_machine_clear(&machine);
	parse_claims(body, &claims);
	assert_int_equal(gb_machine_place(tree.root, &claims, &machine, &err), 0);
	return gb_resolve(&claims, &machine, verdict);
}

static bool look_again(void)
{
	struct gb_err err;

	assert_int_equal(gb_machine_scan(tree.root, &claims, &machine, &err), 0);
	assert_true(machine.complete);
	assert_int_equal(gb_machine_scan(tree.root, &claims, &machine, &err), 0);
	return gb_resolve(&claims, &machine, verdict);
}

static void check_at(size_t line, enum gb_decision decision, const char *bdf)
{
	char text[GB_BDF_MAX];

	assert_int_equal(verdict[line].decision, decision);
	assert_int_not_equal(verdict[line].device, GB_NOWHERE);
	assert_string_equal(gb_bdf_format(machine.device[verdict[line].device].bdf, text), bdf);
}

static void an_added_card_moves_bus_numbers(void **state)
{
	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0", BRIDGE, 0x3c);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:3c:00.0", GPU, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:3c:00.1", SOUND, 0);
	assert_false(look(CLAIM_A KEEP_IGD));
	check_at(0, GB_CLAIM, "0000:3c:00.0");
	check_at(1, GB_CLAIM, "0000:3c:00.1");
	assert_int_equal(machine.devices, 3);
	assert_false(look_again());
	assert_int_equal(machine.devices, 4);
	check_at(0, GB_CLAIM, "0000:3c:00.0");
}

/* A captured machine has no secondary_bus_number, and perhaps no modalias. */
static void a_captured_machine_will_do(void **state)
{
	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0", BRIDGE, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:3c:00.0", GPU, 0);
	tree_delete(&tree, "/sys/devices/pci0000:00/0000:00:01.0/0000:3c:00.0/modalias");
	tree_put(&tree, "/sys/devices/pci0000:00/0000:00:02.0/modalias", "pci:nonsense\n");
	tree_put(&tree, "/sys/devices/pci0000:00/0000:00:01.0/0000:3c:00.0/boot_vga", "1\n");
	assert_false(look("claim path=" A ".0" ID_GPU "\n" KEEP_IGD));
	check_at(0, GB_CLAIM, "0000:3c:00.0");
	check_at(1, GB_KEEP, "0000:00:02.0");
	/* asked only where something has moved: then every device is looked at */
	assert_true(look("claim path=0000:00/03.0/00.0" ID_GPU "\n" KEEP_IGD));
	assert_int_equal(gb_machine_scan(tree.root, &claims, &machine, NULL), 0);
	assert_false(gb_resolve(&claims, &machine, verdict));
	assert_int_equal(verdict[0].decision, GB_REFUSED);
	assert_string_equal(verdict[0].reason, "boot-display");
}

static void a_card_is_found_elsewhere(void **state)
{
	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0", BRIDGE, 1);
	tree_pci(&tree, "pci0000:00/0000:00:1c.0", BRIDGE, 2);
	tree_pci(&tree, "pci0000:00/0000:00:1c.0/0000:02:00.0", GPU, 0);
	tree_pci(&tree, "pci0000:00/0000:00:1c.0/0000:02:00.1", SOUND, 0);
	tree_put(&tree, "/sys/bus/pci/devices/README", "not a device");
	assert_true(look(CLAIM_A KEEP_IGD));
	assert_false(look_again());
	check_at(0, GB_MOVED, "0000:02:00.0");
	check_at(1, GB_MOVED, "0000:02:00.1");
	assert_int_equal(machine.devices, 5);
	/* a virtual function hides in no way */
	tree_link(&tree, "/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.1/physfn",
		  "../0000:02:00.0");
	look(CLAIM_A KEEP_IGD);
	assert_false(look_again());
	assert_int_equal(verdict[0].decision, GB_AMBIGUOUS);
}

static int fail_twin(void *ctx, enum gb_op op, const char *path, const char *data)
{
	(void)op;
	(void)data;
	return strstr(path, ctx) ? -EIO : 0;
}

/* It could be the twin that makes a moved card ambiguous. */
static void a_device_that_cannot_be_read(void **state)
{
	static char parts[2][32] = { "0000:02:00.0", "/sys/bus/pci/devices/0000:02" };
	struct gb_err err;

	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:00/0000:00:1c.0", BRIDGE, 2);
	tree_pci(&tree, "pci0000:00/0000:00:1c.0/0000:02:00.0", GPU, 0);
	tree_pci(&tree, "pci0000:00/0000:00:1d.0", BRIDGE, 3);
	tree_pci(&tree, "pci0000:00/0000:00:1d.0/0000:03:00.0", GPU, 0);
	for (size_t i = 0; i < COUNT(parts); i++) {
		assert_true(look("claim path=" A ".0" ID_GPU "\n" KEEP_IGD));
		gb_root_watch(tree.root, fail_twin, parts[i]);
		assert_int_equal(gb_machine_scan(tree.root, &claims, &machine, &err), -EIO);
		assert_false(machine.complete);
		gb_root_watch(tree.root, NULL, NULL);
		assert_true(gb_resolve(&claims, &machine, verdict));
		assert_string_equal(verdict[0].reason, "cannot-tell");
	}
	/* a plain file is no device, a dangling link is a device that went */
	tree_put(&tree, "/sys/bus/pci/devices/0000:05:00.0", "");
	tree_link(&tree, "/sys/bus/pci/devices/0000:06:00.0", "../../../devices/gone");
	look_again();
	assert_int_equal(verdict[0].decision, GB_AMBIGUOUS);
}

static void a_root_bus_is_found_by_its_acpi_path(void **state)
{
#define BODY(host) "claim path=0000:40/01.1/00.0 host=" host ID_GPU "\n" KEEP_IGD

	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:60/0000:60:01.1", BRIDGE, 0x61);
	tree_pci(&tree, "pci0000:60/0000:60:01.1/0000:61:00.0", GPU, 0);
	tree_put(&tree, "/sys/devices/pci0000:00/firmware_node/path", "\\_SB_.PC00\n");
	tree_put(&tree, "/sys/devices/pci0000:60/firmware_node/path", "\\_SB_.PC02\n");
	tree_folder(&tree, "/sys/devices/pci0000:80");
	tree_folder(&tree, "/sys/devices/pci0000:60x");
	assert_false(look(BODY("\\_SB_.PC02")));
	check_at(0, GB_CLAIM, "0000:61:00.0");
	/* nobody has that ACPI path: the number counts */
	assert_true(look(BODY("\\_SB_.PC0")));
	assert_int_equal(machine.at[0], GB_NOWHERE);
#undef BODY
}

/* Config space with a serial number capability at 0x100. */
static void put_config(const char *bdf, uint64_t serial)
{
	unsigned char config[4096] = { 0xde, 0x10, 0x03, 0x22 };
	char path[128];

	config[0x06] = 0x10; /* status: has capabilities */
	config[0x34] = 0x40;
	config[0x40] = 0x10; /* PCI Express */
	config[0x42] = 0x02;
	config[0x100] = 0x03; /* device serial number, version 1 */
	config[0x102] = 0x01;
	for (int i = 0; i < 8; i++)
		config[0x104 + i] = (unsigned char)(serial >> 8 * i);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	tree_put_data(&tree, path, config, sizeof(config));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	tree_put(&tree, path, "");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", bdf);
	tree_put(&tree, path, "0\n");
}

static void serials_come_from_config_space(void **state)
{
#define BODY "claim path=" A ".0 serial=00-04-25-ff-ff-80-12-34" ID_GPU "\n" KEEP_IGD

	(void)state;
	tree_pci(&tree, "pci0000:00/0000:00:02.0", IGD, 0);
	tree_pci(&tree, "pci0000:00/0000:00:01.0", BRIDGE, 1);
	tree_pci(&tree, "pci0000:00/0000:00:01.0/0000:01:00.0", GPU, 0);
	/* none */
	look(BODY);
	look_again();
	assert_int_equal(verdict[0].decision, GB_MISMATCH);
	put_config("0000:01:00.0", 0x000425ffff801234);
	assert_false(look(BODY));
	check_at(0, GB_CLAIM, "0000:01:00.0");
	assert_int_equal(machine.device[0].id.serial, 0x000425ffff801234);
	put_config("0000:01:00.0", 0x000425ffff801235);
	look(BODY);
	look_again();
	assert_int_equal(verdict[0].decision, GB_MISMATCH);
	/* a device that does not answer has no serial number of ones */
	put_config("0000:01:00.0", UINT64_MAX);
	look(BODY);
	assert_false(machine.device[0].id.has_serial);
#undef BODY
}

int main(void)
{
#define TREE(name) cmocka_unit_test_setup_teardown(name, make, clear)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(before_the_scan),
		TREE(an_added_card_moves_bus_numbers),
		TREE(a_captured_machine_will_do),
		TREE(a_card_is_found_elsewhere),
		TREE(a_device_that_cannot_be_read),
		TREE(a_root_bus_is_found_by_its_acpi_path),
		TREE(serials_come_from_config_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
