/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"

#include "observation.h"
#include "observe.h"
#include "runner.h"

#define HOST "/sys/devices/pci0000:00/0000:00:02.0"
#define CARD "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
#define DISK "/sys/devices/pci0000:00/0000:00:06.0/0000:03:00.0"
#define NIC "/sys/devices/pci0000:00/0000:00:1c.0/0000:04:00.0"

/* ---- systemctl ---------------------------------------------------------------------------- */

struct systemd {
	const char *says; /* NULL: can't be started */
	int status;
	unsigned calls;
};

static int run_systemctl(void *ctx, const struct gb_program *command, struct gb_ran *ret,
			 struct gb_err *err)
{
	struct systemd *systemd = ctx;
	char copy[2048], *line = copy;

	systemd->calls++;
	assert_string_equal(command->argv[0], "/usr/bin/systemctl");
	assert_true(command->timeout_s > 0);
	*ret = (struct gb_ran){ .status = systemd->status };
	if (!systemd->says)
		return gb_fail(err, EOPNOTSUPP, "another machine");
	snprintf(copy, sizeof(copy), "%s", systemd->says);
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		command->line(command->ctx, line, false);
	}
	return 0;
}

static void look(const struct tree *tree, const char *claims_body, const char *says, int status,
		 struct gb_observation *ret)
{
	struct systemd systemd = { says, status, 0 };
	struct gb_runner runner = { &systemd, run_systemctl };
	struct gb_claims claims;
	struct gb_err err = { "" };

	if (claims_body)
		parse_claims(claims_body, &claims);
	assert_int_equal(gb_observe(tree->root, &runner, claims_body ? &claims : NULL, ret, &err), 0);
	assert_int_equal(systemd.calls, 1);
	if (claims_body)
		gb_claims_clear(&claims);
}

#define assert_seen(seen, kind, name, value) \
	assert_non_null(gb_observation_find(&(seen), kind, name, value))
#define assert_unseen(seen, kind, name, value) \
	assert_null(gb_observation_find(&(seen), kind, name, value))

static size_t count(const struct gb_observation *seen, enum gb_fact_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < seen->facts; i++)
		n += seen->fact[i].kind == kind;
	return n;
}

/* ---- a machine ---------------------------------------------------------------------------- */

static void put_link(const struct tree *tree, const char *pci, const char *name,
		     const char *carrier, const char *address)
{
	char path[256], link[256];

	snprintf(path, sizeof(path), "%s/net/%s/carrier", pci, name);
	tree_put(tree, path, carrier);
	snprintf(path, sizeof(path), "%s/net/%s/address", pci, name);
	tree_put(tree, path, address);
	snprintf(path, sizeof(path), "%s/net/%s/device", pci, name);
	tree_link(tree, path, "../..");
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	snprintf(link, sizeof(link), "../..%s/net/%s", pci + strlen("/sys"), name);
	tree_link(tree, path, link);
}

static void put_connector(const struct tree *tree, const char *pci, const char *card,
			  const char *name, const char *status)
{
	char path[256], link[256];

	snprintf(path, sizeof(path), "%s/drm/%s/%s-%s/status", pci, card, card, name);
	tree_put(tree, path, status);
	snprintf(path, sizeof(path), "/sys/class/drm/%s-%s", card, name);
	snprintf(link, sizeof(link), "../..%s/drm/%s/%s-%s", pci + strlen("/sys"), card, card, name);
	tree_link(tree, path, link);
}

static void put_machine(const struct tree *tree)
{
	tree_pci(tree, "pci0000:00/0000:00:02.0", "8086:a780 1462:7d91 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:01.0", "8086:4c01 0000:0000 060400", 1);
	tree_pci(tree, "pci0000:00/0000:00:01.0/0000:01:00.0", "10de:2203 1462:5054 030000", 0);
	tree_pci(tree, "pci0000:00/0000:00:01.0/0000:01:00.1", "10de:1aef 1462:5054 040300", 0);
	tree_pci(tree, "pci0000:00/0000:00:06.0", "8086:464d 0000:0000 060400", 3);
	tree_pci(tree, "pci0000:00/0000:00:06.0/0000:03:00.0", "15b7:5030 15b7:5030 010802", 0);
	tree_pci(tree, "pci0000:00/0000:00:1c.0", "8086:7abc 0000:0000 060400", 4);
	tree_pci(tree, "pci0000:00/0000:00:1c.0/0000:04:00.0", "8086:15f3 1462:7d91 020000", 0);

	tree_put(tree, "/proc/self/mountinfo",
		 "20 1 0:2 / / rw - rootfs rootfs rw\n"
		 "21 20 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
		 "22 21 0:20 / /proc rw - proc proc rw\n");
	tree_put(tree, "/proc/swaps", "");
	tree_put(tree, "/proc/cmdline", "quiet\n");
	tree_put(tree, "/run/udev/data/b259:2", "S:disk/by-x\nE:ID_FS_UUID_ENC=no\n"
						"E:ID_FS_UUID=5f7b-1\nE:ID_FS_TYPE=ext4\n");
	tree_put(tree, DISK "/nvme/nvme0/nvme0n1/nvme0n1p2/partition", "2\n");
	tree_put(tree, DISK "/nvme/nvme0/nvme0n1/nvme0n1p2/dev", "259:2\n");
	tree_link(tree, "/sys/class/block/nvme0n1p2",
		  "../../devices/pci0000:00/0000:00:06.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2");
	tree_link(tree, "/sys/dev/block/259:2",
		  "../../devices/pci0000:00/0000:00:06.0/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p2");

	put_connector(tree, HOST, "card1", "DP-1", "connected\n");
	put_connector(tree, HOST, "card1", "HDMI-A-1", "disconnected\n");
	put_connector(tree, CARD, "card0", "DP-2", "connected\n");
	put_connector(tree, CARD, "card0", "DP-3", "unknown\n");

	put_link(tree, NIC, "enp4s0", "1\n", "52:54:00:12:34:56\n");
	put_link(tree, NIC, "enp4s0d1", "0\n", "52:54:00:12:34:57\n");
	tree_put(tree, "/sys/devices/virtual/net/br0/carrier", "1\n");
	tree_link(tree, "/sys/class/net/br0", "../../devices/virtual/net/br0");
	tree_put(tree, "/proc/net/route",
		 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
		 "enp4s0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
		 "enp4s0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
		 "virbr0\t007AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
		 "virbr0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
		 "dull0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n");
	tree_put(tree, "/proc/net/ipv6_route",
		 "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		 "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     br0\n"
		 "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		 "00000000000000000000000000000000 00000100 00000001 00000000 00000001   enp4s0\n"
		 "00000000000000000000000000000000 60 00000000000000000000000000000000 00 "
		 "00000000000000000000000000000000 00000100 00000001 00000000 00000001     sit0\n"
		 "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		 "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n");
}

static const char good[] = "Id=graphical.target\nActiveState=active\n\n"
			   "ActiveState=failed\nId=foo.service\n\n"
			   "Id=well.service\nActiveState=active\n\n"
			   "Id=bar@1.service\nActiveState=failed\n";

static void sees_all(void **state)
{
	struct gb_observation seen;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	put_machine(&tree);
	tree_link(&tree, CARD "/driver", "../../../../bus/pci/drivers/vfio-pci");
	look(&tree, "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
		    "claim path=0000:00/01.0/00.1 id=10de:1aef subsys=1462:5054 class=040300\n"
		    "claim path=0000:00/07.0/00.0 id=10de:ffff subsys=1462:5054 class=030000\n"
		    "keep path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n",
	     good, 0, &seen);
	for (size_t i = 0; i < GB_FACT_KINDS; i++)
		assert_false(seen.blind[i]);
	assert_seen(seen, GB_FACT_ROOT, "/", "ext4 5f7b-1 /");
	assert_seen(seen, GB_FACT_PLACE, "/", "0000:00/06.0/00.0");
	assert_seen(seen, GB_FACT_TARGET, "graphical.target", "active");
	assert_seen(seen, GB_FACT_FAILED, "foo.service", "failed");
	assert_seen(seen, GB_FACT_FAILED, "bar@1.service", "failed");
	assert_int_equal(count(&seen, GB_FACT_FAILED), 2);
	assert_seen(seen, GB_FACT_PICTURE, "0000:00/02.0", "DP-1");
	assert_seen(seen, GB_FACT_PICTURE, "0000:00/01.0/00.0", "DP-2");
	assert_int_equal(count(&seen, GB_FACT_PICTURE), 2);
	assert_seen(seen, GB_FACT_LINK, "enp4s0", "52:54:00:12:34:56");
	assert_seen(seen, GB_FACT_PLACE, "enp4s0", "0000:00/1c.0/00.0");
	assert_int_equal(count(&seen, GB_FACT_LINK), 1);
	assert_seen(seen, GB_FACT_ROUTE, "enp4s0", "inet");
	assert_seen(seen, GB_FACT_ROUTE, "br0", "inet6");
	assert_int_equal(count(&seen, GB_FACT_ROUTE), 2);
	assert_seen(seen, GB_FACT_CLAIM, "0000:00/01.0/00.0", "vfio-pci");
	assert_seen(seen, GB_FACT_CLAIM, "0000:00/01.0/00.1", "");
	assert_int_equal(count(&seen, GB_FACT_CLAIM), 2);
	gb_observation_clear(&seen);
	tree_clear(&tree);
}

/* A card that was put elsewhere is looked for there, and stays known by its line. */
static void finds_what_moved(void **state)
{
	struct gb_observation seen;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	put_machine(&tree);
	tree_link(&tree, CARD "/driver", "../../../../bus/pci/drivers/vfio-pci");
	look(&tree, "claim path=0000:00/05.0/00.0 id=10de:2203 subsys=1462:5054 class=030000\n"
		    "keep path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000\n",
	     good, 0, &seen);
	assert_seen(seen, GB_FACT_CLAIM, "0000:00/05.0/00.0", "vfio-pci");
	gb_observation_clear(&seen);
	tree_clear(&tree);
}

static void tells_what_it_cannot(void **state)
{
	static const struct {
		const char *says;
		int status;
	} silent[] = {
		{ NULL, 0 },	   /* another machine's folder */
		{ "", 1 },	   /* no systemd */
		{ "", 0 },
		{ good, 1 },	   /* cut in the middle */
		{ "nonsense\n", 0 },
		{ "Id=a.target\n\n", 0 },
	};
	struct gb_observation seen;
	struct tree tree;

	(void)state;
	tree_make(&tree);
	for (size_t i = 0; i < COUNT(silent); i++) {
		look(&tree, NULL, silent[i].says, silent[i].status, &seen);
		assert_true(seen.blind[GB_FACT_TARGET] && seen.blind[GB_FACT_FAILED]);
		assert_true(seen.blind[GB_FACT_ROOT] && seen.blind[GB_FACT_PLACE]);
		assert_true(seen.blind[GB_FACT_LINK]);
		/* a kernel without graphics, or IPv6 */
		assert_false(seen.blind[GB_FACT_PICTURE] || seen.blind[GB_FACT_ROUTE]);
		gb_observation_clear(&seen);
	}
	put_machine(&tree);
	tree_delete(&tree, "/run/udev/data/b259:2");
	look(&tree, NULL, good, 0, &seen);
	assert_true(seen.blind[GB_FACT_ROOT]); /* /dev/nvme0n1p2 is not the same in another boot */
	gb_observation_clear(&seen);
	tree_clear(&tree);
}

static void knows_roots_of_all_kinds(void **state)
{
	static const struct {
		const char *mount, *is;
	} kinds[] = {
		{ "21 20 0:30 /@rootfs / rw - btrfs /dev/mapper/root rw", "btrfs 5f7b-2 /@rootfs" },
		{ "21 20 0:30 /@rootfs / rw - btrfs /dev/root rw", "btrfs 5f7b-2 /@rootfs" },
		{ "21 20 0:30 / / rw - zfs rpool/ROOT/debian rw", "zfs rpool/ROOT/debian /" },
		{ "21 20 0:30 / / rw - nfs4 10.0.0.1:/srv/a\\040b rw", "nfs4 10.0.0.1:/srv/a b /" },
		{ "21 20 0:30 / / rw - overlay overlay rw", "overlay overlay /" },
	};
	struct gb_observation seen;
	struct tree tree;
	char text[256];

	(void)state;
	tree_make(&tree);
	put_machine(&tree);
	tree_put(&tree, "/run/udev/data/b253:0", "I:1\nE:ID_FS_UUID=5f7b-2\n");
	tree_link(&tree, "/dev/mapper/root", "../dm-0");
	tree_link(&tree, "/dev/root", "dm-0");
	tree_put(&tree, "/sys/devices/virtual/block/dm-0/dev", "253:0\n");
	tree_link(&tree, "/sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		snprintf(text, sizeof(text), "%s\n", kinds[i].mount);
		tree_put(&tree, "/proc/self/mountinfo", text);
		look(&tree, NULL, good, 0, &seen);
		assert_seen(seen, GB_FACT_ROOT, "/", kinds[i].is);
		assert_int_equal(count(&seen, GB_FACT_ROOT), 1);
		gb_observation_clear(&seen);
	}
	tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_all),
		cmocka_unit_test(finds_what_moved),
		cmocka_unit_test(tells_what_it_cannot),
		cmocka_unit_test(knows_roots_of_all_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
