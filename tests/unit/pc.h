/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC in a folder, as somebody has it who wants to give a graphics card away: processor with its
 * own graphics, a card with sound, an NVMe disk, USB, network. All isolated, the IOMMU on. */
#ifndef PC_H
#define PC_H

#include "fake.h"

#include "judge.h"

#define ROOT_PORT "pci0000:00/0000:00:01.0"
#define CARD "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define GRAPHICS "0000:00:02.0"
#define DISK_PORT "pci0000:00/0000:00:06.0"
#define DISK "0000:06:00.0"
#define USB "0000:00:14.0"
#define NETWORK "0000:00:1f.6"

static struct tree tree;

struct shape {
	int port;	 /* enum gb_port, or -1: conventional */
	unsigned acs;	 /* capability bits; 0: no such capability */
	unsigned off;	 /* of these, not switched on */
	bool flr;
	unsigned bus;	 /* a bridge's secondary */
	bool more;	 /* function 0 says that there are others */
	size_t bytes;	 /* 0: all */
};

static inline void put_word(uint8_t *space, unsigned at, uint32_t value)
{
	memcpy(space + at, &value, sizeof(value));
}

static inline void pc_shape(const char *where, struct shape shape)
{
	bool bridge = shape.bus;
	uint8_t space[4096] = { 0 };
	char path[256];

	put_word(space, 0x00, 0x12341234);
	put_word(space, 0x0c, (uint32_t)(shape.more << 7 | bridge) << 16);
	if (bridge)
		put_word(space, 0x18, shape.bus << 8 | shape.bus << 16);
	if (shape.port >= 0) {
		put_word(space, 0x04, 0x00100000);
		put_word(space, 0x34, 0x40);
		put_word(space, 0x40, 0x0002u << 16 | (uint32_t)shape.port << 20 | 0x10);
		put_word(space, 0x44, (uint32_t)shape.flr << 28);
	}
	if (shape.acs) {
		put_word(space, 0x100, 0x0001000d);
		put_word(space, 0x104, (shape.acs & 0x1d & ~shape.off) << 16 | shape.acs);
	}
	snprintf(path, sizeof(path), "/sys/devices/%s/config", where);
	tree_put_data(&tree, path, space, shape.bytes ? shape.bytes : sizeof(space));
}

static inline const char *in_devices(const char *bdf, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return path;
}

static inline void pc_link(const char *bdf, const char *name, const char *target)
{
	char link[64];
	struct gb_bdf address;
	struct gb_device device;
	char real[PATH_MAX], path[PATH_MAX];
	ssize_t n;

	/* the folder's own place: a link outside the root can't be made through a link */
	assert_true(gb_bdf_parse(bdf, &address));
	assert_int_equal(gb_device_read(tree.root, address, &device), 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	n = gb_root_readlink(tree.root, path, real, sizeof(real));
	assert_true(n > 0);
	snprintf(path, sizeof(path), "/sys/devices/%s/%s", strstr(real, "/pci") + 1, name);
	if (!target) {
		tree_delete(&tree, path);
		return;
	}
	snprintf(link, sizeof(link), "%s", target);
	tree_link(&tree, path, link);
}

static inline void pc_driver(const char *bdf, const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../drivers/%s", driver ? driver : "");
	pc_link(bdf, "driver", driver ? target : NULL);
}

static inline void pc_group(const char *bdf, int group)
{
	char target[64], path[96];

	snprintf(target, sizeof(target), "../kernel/iommu_groups/%d", group);
	pc_link(bdf, "iommu_group", group >= 0 ? target : NULL);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices/%s", group, bdf);
	if (group >= 0)
		tree_put(&tree, path, "");
}

static inline void pc_no_groups(void)
{
	static const char *const all[] = { "0000:00:01.0", CARD, SOUND, GRAPHICS, "0000:00:06.0",
					   DISK, USB, NETWORK };

	for (size_t i = 0; i < COUNT(all); i++)
		pc_group(all[i], -1);
}

static inline void pc_add(const char *where, const char *what, struct shape shape, int group,
			  const char *driver)
{
	tree_pci(&tree, where, what, (int)shape.bus);
	pc_shape(where, shape);
	pc_group(strrchr(where, '/') + 1, group);
	pc_driver(strrchr(where, '/') + 1, driver);
}

static inline void pc_put(const char *where, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/devices/%s/%s", where, name);
	tree_put(&tree, path, text);
}

static inline void pc_reserve(int group, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/reserved_regions", group);
	tree_put(&tree, path, text);
}

static inline void pc_claim(const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "ghost-boot claims 1\n%s", lines);
	tree_put(&tree, "/etc/ghost-boot/claims", text);
}

#define CLAIM_CARD "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
#define CLAIM_SOUND "claim path=0000:00/01.0/00.1 id=10de:1aef subsys=1462:5054 class=040300\n"
#define CLAIM_GRAPHICS "claim path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n"

static inline int pc_make(void **state)
{
	static const struct shape port = { .port = GB_PORT_ROOT, .acs = 0x1f };
	static const struct shape device = { .port = GB_PORT_ENDPOINT };
	static const struct shape inside = { .port = GB_PORT_INTEGRATED };
	struct shape with_bus = port, several = device;

	(void)state;
	tree_make(&tree);
	with_bus.bus = 1;
	pc_add(ROOT_PORT, "8086:a70d 1462:7d91 060400", with_bus, 1, "pcieport");
	several.more = several.flr = true;
	pc_add(ROOT_PORT "/" CARD, "10de:2203 1462:5054 030000", several, 14, "nouveau");
	pc_add(ROOT_PORT "/" SOUND, "10de:1aef 1462:5054 040300", device, 14, "snd_hda_intel");
	pc_add("pci0000:00/" GRAPHICS, "8086:a780 1462:7d91 030000", inside, 0, "i915");
	with_bus.bus = 6;
	pc_add(DISK_PORT, "8086:a74d 1462:7d91 060400", with_bus, 2, "pcieport");
	pc_add(DISK_PORT "/" DISK, "15b7:5030 15b7:5030 010802", device, 15, "nvme");
	pc_add("pci0000:00/" USB, "8086:7ae0 1462:7d91 0c0330", inside, 5, "xhci_hcd");
	pc_add("pci0000:00/" NETWORK, "8086:1a1c 1462:7d91 020000", inside, 6, "e1000e");
	pc_put(ROOT_PORT "/" CARD, "boot_vga", "0\n");
	pc_put("pci0000:00/" GRAPHICS, "boot_vga", "1\n");
	pc_reserve(14, "0x00000000fee00000 0x00000000feefffff msi\n");
	tree_put(&tree, "/proc/cmdline", "root=/dev/nvme0n1p2 ro\n");
	tree_put(&tree, "/proc/self/mountinfo", "");
	tree_folder(&tree, "/sys/class/net");
	return 0;
}

static inline int pc_clear(void **state)
{
	(void)state;
	tree_clear(&tree);
	return 0;
}

/* ---- what comes of it --------------------------------------------------------------------- */

typedef void (*judge_fn)(const struct gb_survey *survey, int node, struct gb_checks *checks);

static struct gb_checks checks;

static inline void read_pc(struct gb_survey *ret)
{
	struct gb_err err;

	if (gb_survey_read(tree.root, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE | GB_SURVEY_SITE, NULL, NULL,
			   0, ret, &err))
		fail_msg("%s", err.text);
}

static inline void judge_pc(judge_fn judge, const char *bdf)
{
	struct gb_survey survey;
	struct gb_bdf address;

	gb_checks_clear(&checks);
	read_pc(&survey);
	assert_true(gb_bdf_parse(bdf, &address));
	judge(&survey, gb_survey_find(&survey, address), &checks);
	assert_false(checks.failed);
	gb_survey_clear(&survey);
}

static inline const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

/* A check of that id with that mark, in which the words stand somewhere. */
#define expect(id, mark, words) expect_at(__LINE__, id, mark, words)
static inline void expect_at(int line, const char *id, enum gb_mark mark, const char *words)
{
	bool there = false;

	for (size_t i = 0; i < checks.checks; i++) {
		const struct gb_check *c = &checks.check[i];

		there |= !strcmp(c->id, id);
		if (!strcmp(c->id, id) && c->mark == mark &&
		    (strstr(c->text, words) || strstr(or_none(c->evidence), words) ||
		     strstr(or_none(c->fix), words) || strstr(c->subject, words)))
			return;
		if (!strcmp(c->id, id))
			print_message("%s %s: %s [%s] -> %s\n", c->id, gb_mark_name(c->mark), c->text,
				      or_none(c->evidence), or_none(c->fix));
	}
	fail_msg("line %d: %s is %s, not %s with: %s", line, id, there ? "otherwise" : "not there",
		 gb_mark_name(mark), words);
}

static inline void expect_none(const char *id)
{
	for (size_t i = 0; i < checks.checks; i++)
		if (!strcmp(checks.check[i].id, id))
			fail_msg("%s: %s", id, checks.check[i].text);
}

#endif
