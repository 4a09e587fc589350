/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "needs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "mount.h"
#include "root.h"
#include "text.h"

#define TABLE_MAX (8u << 20) /* bytes; a mount takes about 120 */
#define STACK_MAX 8	     /* levels: LVM on LUKS on RAID on partitions are four */
#define NEEDS_MAX 4096
#define STEPS_MAX 20000 /* things looked at, whatever the links say */
#define BLOCK "/sys/class/block/"
#define NET "/sys/class/net/"

struct reader {
	struct gb_root *root;
	struct gb_needs *needs;
	struct gb_text seen;	 /* mounts that were looked at: "\n8:1\n259:2\n" */
	struct gb_text defaults; /* interfaces with a default route: "\nbr0\n" */
	int error;

	/* of one mount or interface */
	struct gb_need need;
	unsigned depth, steps;
	bool cut; /* not followed to the end */
	bool placed;
	const char *folder; /* being listed */
};

static bool contains(const struct gb_text *list, const char *name)
{
	char line[NAME_MAX + 3];

	return list->data &&
	       snprintf(line, sizeof(line), "\n%s\n", name) < (int)sizeof(line) &&
	       strstr(list->data, line);
}

static void append(struct gb_text *list, const char *name)
{
	gb_text_addf(list, "%s%s\n", list->data ? "" : "\n", name);
}

static void add(struct reader *r, struct gb_bdf bdf)
{
	struct gb_needs *needs = r->needs;

	r->placed = true;
	if (needs->needs == NEEDS_MAX)
		return;
	if (needs->needs == needs->room) {
		size_t room = needs->room ? needs->room * 2 : 16;
		void *more = realloc(needs->need, room * sizeof(*needs->need));

		if (!more) {
			r->error = -ENOMEM;
			return;
		}
		needs->need = more;
		needs->room = room;
	}
	needs->need[needs->needs] = r->need;
	needs->need[needs->needs].node = -1;
	needs->need[needs->needs++].bdf = bdf;
}

static bool follow(struct reader *r, const char *path, char link[static PATH_MAX])
{
	return gb_root_readlink(r->root, path, link, PATH_MAX) > 0;
}

/* ---- disks ----------------------------------------------------------------------------- */

static int place(struct reader *r, const char *name);

static int place_below(struct reader *r, const char *folder, gb_name_fn each)
{
	const char *before = r->folder;

	if (r->depth == STACK_MAX || ++r->steps > STEPS_MAX) {
		r->cut = true;
		return 0;
	}
	r->folder = folder;
	r->depth++;
	gb_root_list(r->root, folder, each, r);
	r->depth--;
	r->folder = before;
	return 0;
}

static int place_name(void *ctx, const char *name)
{
	return place(ctx, name);
}

/* drivers/nvme/host/multipath.c: a namespace that several controllers may reach hangs on none of
 * them, but on a subsystem that links to all. */
static int place_controller(void *ctx, const char *name)
{
	struct reader *r = ctx;
	char path[PATH_MAX], link[PATH_MAX];
	struct gb_bdf bdf;

	if (snprintf(path, sizeof(path), "%s/%s", r->folder, name) < (int)sizeof(path) &&
	    follow(r, path, link) && gb_bdf_in_link(link, &bdf))
		add(r, bdf);
	return 0;
}

static void place_subsystem(struct reader *r, const char *link)
{
	const char *at = strstr(link, "/nvme-subsys");
	char folder[PATH_MAX];

	/* "/nvme-subsystem/nvme-subsys0/nvme0n1" */
	at = at ? strstr(at + 1, "/nvme-subsys") : NULL;
	if (at && snprintf(folder, sizeof(folder), "/sys/class/nvme-subsystem%.*s",
			   (int)strcspn(at + 1, "/") + 1, at) < (int)sizeof(folder))
		place_below(r, folder, place_controller);
}

/* A block device: its PCI function, or those of the devices it is made of. */
static int place(struct reader *r, const char *name)
{
	char path[PATH_MAX], link[PATH_MAX], *slash;
	struct gb_bdf bdf;

	if (snprintf(path, sizeof(path), BLOCK "%s", name) >= (int)sizeof(path) ||
	    !follow(r, path, link))
		return 0;
	if (gb_bdf_in_link(link, &bdf)) {
		add(r, bdf);
		return 0;
	}
	place_subsystem(r, link);
	snprintf(path, sizeof(path), BLOCK "%.*s/partition", NAME_MAX, name);
	slash = strrchr(link, '/');
	if (slash && gb_root_exists(r->root, path)) {
		*slash = '\0'; /* what it is a partition of */
		name = gb_text_base(link);
	}
	snprintf(path, sizeof(path), BLOCK "%.*s/slaves", NAME_MAX, name);
	return place_below(r, path, place_name);
}

struct btrfs {
	struct reader *reader;
	const char *disk;
};

static int same_name(void *ctx, const char *name)
{
	return !strcmp(name, ((struct btrfs *)ctx)->disk);
}

/* fs/btrfs/sysfs.c: /sys/fs/btrfs/UUID/devices links all disks of a mounted file system. */
static int place_btrfs(void *ctx, const char *uuid)
{
	struct btrfs *search = ctx;
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "/sys/fs/btrfs/%s/devices", uuid) <
		    (int)sizeof(folder) &&
	    gb_root_list(search->reader->root, folder, same_name, search) == 1)
		place_below(search->reader, folder, place_name);
	return 0;
}

/* The kernel's name of "/dev/sda1" or "/dev/mapper/root". */
static void device_name(struct reader *r, const char *node, char ret[static PATH_MAX])
{
	char link[PATH_MAX];

	gb_text_copy(ret, PATH_MAX, gb_text_base(follow(r, node, link) ? link : node));
}

/* File systems of several disks have a device number of their own, and name disks as their
 * source; bcachefs puts colons between. */
static void place_source(struct reader *r, char *source, const char *type)
{
	char name[PATH_MAX], *save = NULL;
	struct btrfs search = { r, name };
	bool btrfs = !strcmp(type, "btrfs");

	for (char *s = strtok_r(source, ":", &save); s; s = strtok_r(NULL, ":", &save)) {
		device_name(r, s, name);
		if (btrfs)
			gb_root_list(r->root, "/sys/fs/btrfs", place_btrfs, &search);
		if (!btrfs || !r->placed)
			place(r, name);
	}
}

static void begin(struct reader *r, enum gb_need_kind kind, const char *format, const char *name,
		  const char *where)
{
	r->need = (struct gb_need){ .kind = kind };
	snprintf(r->need.what, sizeof(r->need.what), format, name, where);
	for (char *c = r->need.what; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	r->depth = r->steps = 0;
	r->placed = r->cut = false;
}

static void lose(struct reader *r, const char *source, const char *type)
{
	if (!r->needs->lost[0])
		snprintf(r->needs->lost, sizeof(r->needs->lost), "%.60s (%.30s)", source, type);
}

static void read_mount(void *ctx, unsigned number, const char *line)
{
	struct reader *r = ctx;
	struct gb_mount m;
	bool anonymous, disks;
	char path[PATH_MAX], link[PATH_MAX];
	const char *key;

	(void)number;
	if (!gb_mount_read(line, &m))
		return;
	anonymous = !strncmp(m.device, "0:", 2);
	disks = !strncmp(m.source, "/dev/", 5);
	key = anonymous ? m.source : m.device;
	if ((anonymous && !disks && strcmp(m.type, "zfs")) || contains(&r->seen, key))
		return;
	append(&r->seen, key);
	begin(r, GB_NEED_DISK, "%.48s is mounted on %.48s", m.source, m.point);
	if (!anonymous) {
		snprintf(path, sizeof(path), "/sys/dev/block/%.32s", m.device);
		if (follow(r, path, link))
			place(r, gb_text_base(link));
	} else if (disks) {
		gb_text_copy(link, sizeof(link), m.source);
		place_source(r, link, m.type);
	}
	if (r->cut || (anonymous && !r->placed))
		lose(r, m.source, m.type);
}

static void read_swap_line(void *ctx, unsigned number, const char *line)
{
	char node[1024], type[32], name[PATH_MAX];
	struct reader *r = ctx;

	/* files are on what is mounted */
	if (number == 1 || sscanf(line, "%1023s %31s", node, type) != 2 ||
	    strcmp(type, "partition"))
		return;
	begin(r, GB_NEED_DISK, "%.48s is swapped on%s", node, "");
	device_name(r, node, name);
	place(r, name);
	if (r->cut)
		lose(r, node, "swap");
}

static bool read_table(struct reader *r, const char *file, gb_line_fn each)
{
	char *text;
	size_t len;

	if (gb_root_read_all(r->root, file, TABLE_MAX, &text, &len))
		return false;
	gb_lines_each(text, len, each, r);
	free(text);
	return true;
}

/* ---- network --------------------------------------------------------------------------- */

static void read_route(void *ctx, unsigned number, const char *line)
{
	char name[32], to[16], mask[16];
	struct reader *r = ctx;

	(void)number;
	if (sscanf(line, "%31s %15s %*s %*s %*s %*s %*s %15s", name, to, mask) == 3 &&
	    !strcmp(to, "00000000") && !strcmp(mask, "00000000"))
		append(&r->defaults, name);
}

/* net/ipv6/route.c: an unreachable default route of lo is always there. */
static void read_route6(void *ctx, unsigned number, const char *line)
{
	char name[32], to[40], len[8];
	struct reader *r = ctx;

	(void)number;
	if (sscanf(line, "%39s %7s %*s %*s %*s %*s %*s %*s %*s %31s", to, len, name) == 3 &&
	    strspn(to, "0") == 32 && !strcmp(len, "00") && strcmp(name, "lo"))
		append(&r->defaults, name);
}

static int routed(struct reader *r, const char *name);

static int routed_above(void *ctx, const char *name)
{
	return strncmp(name, "upper_", 6) ? 0 : routed(ctx, name + 6);
}

/* Whether the default route goes through an interface, or through what is built on it. */
static int routed(struct reader *r, const char *name)
{
	char folder[PATH_MAX];
	int found;

	if (contains(&r->defaults, name))
		return 1;
	if (r->depth == STACK_MAX || ++r->steps > STEPS_MAX ||
	    snprintf(folder, sizeof(folder), NET "%s", name) >= (int)sizeof(folder))
		return 0;
	r->depth++;
	found = gb_root_list(r->root, folder, routed_above, r);
	r->depth--;
	return found == 1;
}

static int read_interface(void *ctx, const char *name)
{
	char path[PATH_MAX], link[PATH_MAX], flags[32];
	struct reader *r = ctx;
	struct gb_bdf bdf;

	snprintf(path, sizeof(path), NET "%.*s", NAME_MAX, name);
	if (!follow(r, path, link) || !gb_bdf_in_link(link, &bdf))
		return 0;
	snprintf(path, sizeof(path), NET "%.*s/flags", NAME_MAX, name);
	if (gb_root_read(r->root, path, flags, sizeof(flags)) <= 0 ||
	    !(strtoul(flags, NULL, 16) & 1 /* IFF_UP */))
		return 0;
	begin(r, GB_NEED_NETWORK, "%.32s is up%s", name, "");
	if (routed(r, name)) {
		begin(r, GB_NEED_NETWORK, "%.32s is up and has the default route%s", name, "");
		r->need.route = true;
	}
	add(r, bdf);
	return 0;
}

int gb_needs_read(struct gb_root *root, struct gb_needs *ret)
{
	struct reader r = { .root = root, .needs = ret };

	memset(ret, 0, sizeof(*ret));
	ret->disks = read_table(&r, "/proc/self/mountinfo", read_mount);
	read_table(&r, "/proc/swaps", read_swap_line);
	read_table(&r, "/proc/net/route", read_route);
	read_table(&r, "/proc/net/ipv6_route", read_route6);
	ret->network = gb_root_list(root, "/sys/class/net", read_interface, &r) >= 0;
	if (r.seen.failed || r.defaults.failed)
		r.error = -ENOMEM;
	gb_text_clear(&r.seen);
	gb_text_clear(&r.defaults);
	return r.error;
}

void gb_needs_clear(struct gb_needs *needs)
{
	free(needs->need);
	memset(needs, 0, sizeof(*needs));
}
