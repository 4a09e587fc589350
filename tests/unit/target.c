/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is claimed when a device is selected, what is kept, and which kernel words that needs. */
#include "pc.h"

#include "disks.h"
#include "need-words.h"
#include "target.h"

static struct gb_survey survey;
static struct gb_disks disks;
static struct gb_target target;
static struct gb_need_words words;
static struct gb_err err;

static void forget(void)
{
	gb_need_words_clear(&words);
	gb_target_clear(&target);
	gb_disks_clear(&disks);
	gb_survey_clear(&survey);
}

static int clear(void **state)
{
	forget();
	return pc_clear(state);
}

static void select_all(const char *const *bdf, size_t n)
{
	struct gb_bdf address;
	int node[8];

	forget();
	read_pc(&survey);
	assert_int_equal(gb_disks_read(tree.root, NULL, &disks, &err), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(gb_bdf_parse(bdf[i], &address));
		node[i] = gb_survey_find(&survey, address);
		assert_int_not_equal(node[i], GB_NOWHERE);
	}
	assert_int_equal(gb_target_read(&survey, &disks, node, n, &target, &err), 0);
}

static void select_one(const char *bdf)
{
	select_all(&bdf, 1);
}

static const struct gb_target_item *item_of(const char *bdf)
{
	struct gb_bdf address;

	assert_true(gb_bdf_parse(bdf, &address));
	for (size_t i = 0; i < target.items; i++)
		if (target.item[i].node == gb_survey_find(&survey, address))
			return &target.item[i];
	return NULL;
}

/* "claim: why" or "keep: why"; NULL: not in it. */
static void has(const char *bdf, const char *want)
{
	const struct gb_target_item *item = item_of(bdf);
	char is[160];

	if (!item != !want)
		fail_msg("%s is %sthere", bdf, item ? "" : "not ");
	if (!item)
		return;
	snprintf(is, sizeof(is), "%s: %s", item->line.keep ? "keep" : "claim", item->reason);
	if (strcmp(is, want))
		fail_msg("%s: %s, not %s", bdf, is, want);
	assert_int_equal(item->line.keep, item >= target.item + target.claims);
}

static void disk_is_mounted(void)
{
	tree_link(&tree, "/sys/class/block/nvme0n1p2",
		  "../../devices/" DISK_PORT "/" DISK "/nvme/nvme0/nvme0n1/nvme0n1p2");
	tree_link(&tree, "/sys/dev/block/259:2",
		  "../../devices/" DISK_PORT "/" DISK "/nvme/nvme0/nvme0n1/nvme0n1p2");
	tree_put(&tree, "/sys/devices/" DISK_PORT "/" DISK "/nvme/nvme0/nvme0n1/nvme0n1p2/partition",
		 "2\n");
	tree_put(&tree, "/proc/self/mountinfo",
		 "22 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n");
}

static void network_is_up(void)
{
	tree_link(&tree, "/sys/class/net/eno1", "../../devices/pci0000:00/" NETWORK "/net/eno1");
	tree_put(&tree, "/sys/devices/pci0000:00/" NETWORK "/net/eno1/flags", "0x1003\n");
	tree_put(&tree, "/sys/devices/pci0000:00/" NETWORK "/net/eno1/operstate", "up\n");
}

static void a_card_goes_as_a_whole(void **state)
{
	(void)state;
	disk_is_mounted();
	network_is_up();
	for (int i = 0; i < 2; i++) {
		select_one(i ? SOUND : CARD);
		assert_int_equal(target.claims, 2);
		has(CARD, i ? "claim: same card as " SOUND : "claim: selected");
		has(SOUND, i ? "claim: selected" : "claim: same card as " CARD);
		has(GRAPHICS, "keep: display of the host");
		has(DISK, "keep: disk: /");
		assert_non_null(strstr(item_of(NETWORK)->reason, "network: eno1"));
		assert_true(item_of(NETWORK)->line.keep);
		has(USB, NULL);
		has("0000:00:01.0", NULL);
		assert_true(gb_target_leads(&target, 0));
		assert_false(gb_target_leads(&target, 1));
		assert_false(gb_target_leads(&target, 2));
	}
	assert_int_equal(target.item[0].line.id.device, 0x2203);
	assert_int_equal(target.item[0].line.path.hops, 2);
	assert_string_equal(target.item[0].line.host, "");
}

static void the_group_goes_with_it(void **state)
{
	(void)state;
	pc_group(USB, 14);
	pc_group("0000:00:01.0", 14);
	pc_group(DISK, 14);
	select_one(CARD);
	has(USB, "claim: same IOMMU group 14");
	has(DISK, "claim: same IOMMU group 14");
	has("0000:00:01.0", NULL);
	assert_int_equal(target.claims, 4);
	/* those of other cards come behind */
	assert_int_equal(target.item[0].why, GB_TARGET_SELECTED);
	assert_int_equal(target.item[1].why, GB_TARGET_CARD);
	assert_true(gb_target_leads(&target, 2) && gb_target_leads(&target, 3));
}

static void predicted_groups(void **state)
{
	(void)state;
	pc_no_groups();
	select_one(CARD);
	assert_int_equal(target.claims, 2);
	assert_int_equal(target.perhapses, 0);
	/* a port that does not isolate: all below it, the slot beside as well */
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .acs = 0, .bus = 1 });
	pc_add(ROOT_PORT "/0000:01:01.0", "8086:1533 0000:0000 020000",
	       (struct shape){ .port = GB_PORT_ENDPOINT }, -1, "igb");
	select_one(CARD);
	assert_non_null(strstr(item_of("0000:01:01.0")->reason, "same IOMMU group, as predicted"));
	assert_int_equal(target.claims, 3);
	/* who can't read does not claim what may be in it, and says so */
	pc_shape(ROOT_PORT, (struct shape){ .port = GB_PORT_ROOT, .acs = 0, .bus = 1, .bytes = 64 });
	pc_shape(ROOT_PORT "/0000:01:01.0", (struct shape){ .port = GB_PORT_ENDPOINT, .bytes = 64 });
	select_one(CARD);
	has("0000:01:01.0", NULL);
	assert_int_equal(target.perhapses, 1);
}

static void bridges_and_virtual_functions_never(void **state)
{
	static const char *const both[] = { "0000:00:01.0", CARD };

	(void)state;
	select_all(both, 2);
	assert_int_equal(target.claims, 2);
	assert_int_equal(target.unclaimables, 1);
	pc_put("pci0000:00/" NETWORK, "physfn", "");
	pc_group(NETWORK, 14);
	select_one(CARD);
	has(NETWORK, NULL);
	select_one(NETWORK);
	assert_int_equal(target.unclaimables, 1);
	assert_int_equal(target.claims, 0);
}

static void what_is_claimed_is_not_kept(void **state)
{
	(void)state;
	pc_claim(CLAIM_CARD CLAIM_SOUND);
	select_one(USB);
	has(CARD, NULL);
	has(GRAPHICS, "keep: display of the host");
	assert_true(gb_target_takes(&target, gb_survey_find(&survey, (struct gb_bdf){ 0, 1, 0 })));
	/* nobody selected: what is kept */
	select_all(NULL, 0);
	assert_int_equal(target.claims, 0);
	has(GRAPHICS, "keep: display of the host");
	/* the boot would refuse the last display; it is not kept for that */
	pc_claim(CLAIM_CARD CLAIM_SOUND CLAIM_GRAPHICS);
	select_one(USB);
	has(GRAPHICS, NULL);
	/* another device there is no claimed one */
	pc_claim("claim path=0000:00/01.0/00.0 id=1002:744c subsys=0000:0000 class=030000\n");
	select_one(USB);
	has(CARD, "keep: display of the host");
}

static void a_stick_keeps_no_controller(void **state)
{
	(void)state;
	tree_link(&tree, "/sys/class/block/sda1",
		  "../../devices/pci0000:00/" USB "/usb1/1-1/1-1:1.0/host2/block/sda/sda1");
	tree_link(&tree, "/sys/dev/block/8:1",
		  "../../devices/pci0000:00/" USB "/usb1/1-1/1-1:1.0/host2/block/sda/sda1");
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:1 / /media/stick rw - vfat /dev/sda1 rw\n");
	select_one(CARD);
	has(USB, NULL);
	tree_put(&tree, "/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	select_one(CARD);
	has(USB, "keep: disk: /");
}

static void serial_numbers_and_host_bridges(void **state)
{
	uint8_t space[4096] = { [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10, [0x42] = 0x02 };

	(void)state;
	put_word(space, 0x100, 0x00010003);
	put_word(space, 0x104, 0xfe123456);
	put_word(space, 0x108, 0x00044bff);
	tree_put_data(&tree, "/sys/devices/" ROOT_PORT "/" CARD "/config", space, sizeof(space));
	select_one(CARD);
	assert_true(item_of(CARD)->line.id.has_serial);
	assert_true(item_of(CARD)->line.id.serial == 0x00044bfffe123456);
	assert_false(item_of(SOUND)->line.id.has_serial);

	pc_add("pci0000:40/0000:40:02.0", "10de:2203 1462:5054 030000",
	       (struct shape){ .port = GB_PORT_INTEGRATED }, 20, "nouveau");
	tree_put(&tree, "/sys/devices/pci0000:40/firmware_node/path", "\\_SB_.PC06\n");
	select_one("0000:40:02.0");
	assert_string_equal(item_of("0000:40:02.0")->line.host, "\\_SB_.PC06");
	tree_put(&tree, "/sys/devices/pci0000:40/firmware_node/path", "\\_SB_ PC06\n");
	select_one("0000:40:02.0");
	assert_string_equal(item_of("0000:40:02.0")->line.host, "");
}

static void words_of_allow_stand_where_they_count(void **state)
{
	(void)state;
	pc_group(NETWORK, 14);
	select_one(CARD);
	gb_target_allow(&target, GB_ALLOW_NETWORK | GB_ALLOW_LAST_DISPLAY | GB_ALLOW_UNFIT);
	assert_int_equal(item_of(CARD)->line.allow, GB_ALLOW_LAST_DISPLAY | GB_ALLOW_UNFIT);
	assert_int_equal(item_of(SOUND)->line.allow, 0);
	assert_int_equal(item_of(NETWORK)->line.allow, GB_ALLOW_NETWORK);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void config(const char *release, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	tree_put(&tree, path, "");
	snprintf(path, sizeof(path), "/boot/config-%s", release);
	if (text)
		tree_put(&tree, path, text);
}

#define DEFAULT_ON "#\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"
#define DEBIAN "#\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n"
#define DEFAULT_OFF "#\nCONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"

/* "+word" for one that is wanted, "-word" for one that must go, in order. */
static void wants_with(const char *bdf, bool arm, const char *more, const char *want)
{
	struct gb_text is = { 0 };

	select_one(bdf);
	assert_int_equal(gb_need_words_read(&target, arm, &more, more != NULL, &words, &err), 0);
	for (size_t i = 0; i < words.wants; i++) {
		assert_non_null(words.want[i].reason);
		gb_text_addf(&is, "%s%c%s", i ? " " : "",
			     words.want[i].mode == GB_WANT_GONE ? '-' : '+', words.want[i].word);
	}
	if (strcmp(is.data ? is.data : "", want))
		fail_msg("%s, not %s (%s)", is.data, want, words.wants ?
			 words.want[words.wants - 1].reason : "");
	gb_text_clear(&is);
}

static void wants(const char *bdf, const char *want)
{
	wants_with(bdf, false, NULL, want);
}

static void vendor(const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "vendor_id\t: %s\n", name);
	tree_put(&tree, "/proc/cpuinfo", text);
}

static void intel(void **state)
{
	(void)state;
	vendor("GenuineIntel");
	config("6.1.0-1", DEFAULT_ON);
	wants(CARD, "+ghost.claim=on");
	wants_with(CARD, true, NULL, "");
	config("6.1.0-2", DEBIAN);
	wants(CARD, "+ghost.claim=on");
	assert_false(words.iommu);
	wants(GRAPHICS, "+ghost.claim=on +intel_iommu=on");
	assert_true(words.iommu);
	config("6.1.0-3", DEFAULT_OFF);
	wants(CARD, "+ghost.claim=on +intel_iommu=on");
	assert_non_null(strstr(words.want[1].reason, "6.1.0-3"));
	config("6.1.0-3", DEFAULT_ON);
	config("6.1.0-4", NULL);
	wants(CARD, "+ghost.claim=on +intel_iommu=on");
}

static void intel_switched_off(void **state)
{
	(void)state;
	vendor("GenuineIntel");
	config("6.1.0-1", DEFAULT_ON);
	tree_put(&tree, "/proc/cmdline", "quiet intel_iommu=off iommu=pt,off\n");
	wants(CARD, "+ghost.claim=on +intel_iommu=on -iommu=pt,off");
	assert_int_equal(words.want[1].mode, GB_WANT_PIECE);
	tree_put(&tree, "/proc/cmdline", "quiet\n");
	wants_with(CARD, false, "a intel_iommu=off", "+ghost.claim=on +intel_iommu=on");
	/* the other vendor's word does nothing, and is not ours to take */
	tree_put(&tree, "/proc/cmdline", "amd_iommu=off iommu=pt pcie_acs_override=downstream\n");
	wants(CARD, "+ghost.claim=on");
}

static void amd(void **state)
{
	(void)state;
	vendor("AuthenticAMD");
	config("6.1.0-1", DEFAULT_OFF);
	wants(CARD, "+ghost.claim=on");
	tree_put(&tree, "/proc/cmdline", "amd_iommu=on iommu=pt\n");
	wants(CARD, "+ghost.claim=on");
	tree_put(&tree, "/proc/cmdline", "amd_iommu=off iommu=off intel_iommu=off\n");
	wants(CARD, "+ghost.claim=on -amd_iommu=off -iommu=off");
	assert_true(words.iommu);
	wants_with(CARD, false, "iommu=off iommu=soft", "+ghost.claim=on -amd_iommu=off -iommu=off");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, pc_make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_card_goes_as_a_whole),
		TEST(the_group_goes_with_it),
		TEST(predicted_groups),
		TEST(bridges_and_virtual_functions_never),
		TEST(what_is_claimed_is_not_kept),
		TEST(a_stick_keeps_no_controller),
		TEST(serial_numbers_and_host_bridges),
		TEST(words_of_allow_stand_where_they_count),
		TEST(intel),
		TEST(intel_switched_off),
		TEST(amd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
