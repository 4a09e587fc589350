/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "disks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "lines.h"
#include "mount.h"
#include "root.h"
#include "text.h"

#define TABLE_MAX (8u << 20)
#define DISKS_MAX 4096
#define LOADER_PARTITION \
	"/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

struct reader {
	struct gb_root *root;
	const struct gb_blkid *blkid;
	struct gb_disks *disks;
	char *mountinfo;
	size_t mountinfo_len;
};

const char *gb_disk_from_name(enum gb_disk_from from)
{
	static const char *const names[] = { "/proc/self/mountinfo", "/proc/swaps", "/etc/fstab",
					     "/proc/cmdline", "LoaderDevicePartUUID" };

	return names[from];
}

bool gb_disk_is_on(const struct gb_disk *disk, struct gb_bdf bdf)
{
	for (size_t i = 0; i < disk->parts; i++)
		if (disk->part[i].placed && gb_bdf_equal(disk->part[i].bdf, bdf))
			return true;
	return false;
}

/* ---- one of them ---------------------------------------------------------------------------- */

static struct gb_disk *add_disk(struct gb_disks *disks, enum gb_disk_from from, const char *what,
				const char *source)
{
	struct gb_disk *disk;

	if (disks->disks == disks->room) {
		size_t room = disks->room ? disks->room * 2 : 16;
		void *more = disks->room < DISKS_MAX ?
				     realloc(disks->disk, room * sizeof(*disk)) : NULL;

		if (!more) {
			disks->failed = true;
			return NULL;
		}
		disks->disk = more;
		disks->room = room;
	}
	disk = &disks->disk[disks->disks++];
	*disk = (struct gb_disk){ .from = from, .what = strdup(what), .source = strdup(source) };
	if (!disk->what || !disk->source)
		disks->failed = true;
	return disk;
}

/* False when it can't be stored. */
static bool begin(struct reader *r, enum gb_disk_from from, const char *what, const char *source,
		  struct gb_disk_walk *ret)
{
	*ret = (struct gb_disk_walk){
		.root = r->root, .blkid = r->blkid,
		.disk = add_disk(r->disks, from, what, source),
		.mountinfo = r->mountinfo, .mountinfo_len = r->mountinfo_len,
	};
	return ret->disk;
}

static void finish(struct reader *r, const struct gb_disk_walk *walk)
{
	struct gb_disk *disk = walk->disk;

	r->disks->failed |= walk->failed;
	if (disk->why[0])
		disk->placed = GB_CANNOT_TELL;
	else
		disk->placed = walk->found ? GB_YES : GB_NO;
}

/* "rpool/ROOT/debian": a pool's name is its members' label (OpenZFS: vdev_label.c). */
static void walk_pool(struct gb_disk_walk *walk, const char *dataset)
{
	char pool[256];
	size_t len = strcspn(dataset, "/");

	snprintf(pool, sizeof(pool), "%.*s", (int)len, dataset);
	if (len && strcmp(dataset, "AUTO"))
		gb_disk_walk_tag(walk, "LABEL", pool, "zfs_member");
	else
		gb_disk_doubt(walk, "which pool it is can't be told");
}

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/* A file system on the network, or none at all. */
static bool is_elsewhere(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph",
					     "proc", "sysfs", "tmpfs", "devpts", "devtmpfs", "none",
					     "fuse.sshfs", "glusterfs", "cgroup2", "bind", "overlay",
					     "efivarfs", "debugfs", "hugetlbfs", "ramfs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* Whatever may stand for a device in fstab and on the command line: fstab(5), kernel's
 * block/early-lookup.c, initramfs-tools, dracut.cmdline(7). `type` may be NULL. */
static void walk_spec(struct gb_disk_walk *walk, const char *spec, const char *type)
{
	static const char *const tags[] = { "UUID", "LABEL", "PARTUUID", "PARTLABEL" };
	const char *dataset = type && !strcmp(type, "zfs") ? spec : after(spec, "ZFS=");

	if (!dataset)
		dataset = after(spec, "zfs:");
	if (!dataset)
		dataset = after(spec, "zfs=");
	if (dataset) {
		walk_pool(walk, dataset);
		return;
	}
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		size_t len = strlen(tags[i]);

		if (strncmp(spec, tags[i], len) || spec[len] != '=')
			continue;
		if (strchr(spec, '/') && !strncmp(tags[i], "PARTUUID", 8))
			gb_disk_doubt(walk, "%.100s counts on from a partition", spec);
		else
			gb_disk_walk_tag(walk, tags[i], spec + len + 1,
					 type && !strcmp(type, "btrfs") ? type : NULL);
		return;
	}
	if (!strcmp(spec, "/dev/nfs") || !strcmp(spec, "/dev/ram0"))
		walk->off = true;
	else if (!strncmp(spec, "/dev/", 5)) {
		if (!gb_disk_walk_btrfs(walk, spec))
			gb_disk_walk(walk, spec, GB_DISK_TOP);
	} else if (isdigit((unsigned char)*spec) && strchr(spec, ':') && strlen(spec) < 16 &&
		   strspn(spec, "0123456789:") == strlen(spec))
		gb_disk_walk_number(walk, spec, GB_DISK_TOP);
	else
		gb_disk_doubt(walk, "%.100s names no device that is known here", spec);
}

/* ---- where it is said ------------------------------------------------------------------------ */

/* File systems of several disks have a device number of their own, and name a disk as their
 * source; bcachefs names all, with colons between. */
static void walk_anonymous(struct gb_disk_walk *walk, const char *type, char *source)
{
	char *save = NULL;

	if (!strcmp(type, "zfs")) {
		walk_pool(walk, source);
		return;
	}
	for (char *s = strtok_r(source, ":", &save); s; s = strtok_r(NULL, ":", &save))
		if (strncmp(s, "/dev/", 5))
			gb_disk_doubt(walk, "a %.30s of %.60s", type, s);
		else if (strcmp(type, "btrfs") || !gb_disk_walk_btrfs(walk, s))
			gb_disk_walk(walk, s, GB_DISK_TOP);
}

static void read_mount(void *ctx, unsigned line_number, const char *line)
{
	struct reader *r = ctx;
	struct gb_disk_walk walk;
	struct gb_mount m;
	bool anonymous;

	(void)line_number;
	if (!gb_mount_read(line, &m))
		return;
	anonymous = !strncmp(m.device, "0:", 2);
	/* a live system's root is an overlay over what it was started from */
	if (anonymous && strncmp(m.source, "/dev/", 5) && strcmp(m.type, "zfs") && strcmp(m.point, "/"))
		return;
	gb_mount_unescape(m.point);
	gb_mount_unescape(m.source);
	if (!begin(r, GB_DISK_MOUNTED, m.point, m.source, &walk))
		return;
	if (!anonymous)
		gb_disk_walk_number(&walk, m.device, GB_DISK_TOP);
	else if (strcmp(m.type, "overlay") && is_elsewhere(m.type))
		walk.off = true;
	else
		walk_anonymous(&walk, m.type, m.source);
	finish(r, &walk);
}

/* Files are on what is mounted. */
static void read_swap(void *ctx, unsigned number, const char *line)
{
	char node[1024], type[32];
	struct reader *r = ctx;
	struct gb_disk_walk walk;

	if (number == 1 || sscanf(line, "%1023s %31s", node, type) != 2 ||
	    strcmp(type, "partition"))
		return;
	gb_mount_unescape(node);
	if (!begin(r, GB_DISK_SWAPPED, "swap", node, &walk))
		return;
	gb_disk_walk(&walk, node, GB_DISK_TOP);
	finish(r, &walk);
}

/* libmount takes a tag's value with or without quotes. */
static void unquote(char *spec)
{
	char *value = strchr(spec, '='), *end;

	if (!value || (value[1] != '"' && value[1] != '\''))
		return;
	end = strrchr(value + 2, value[1]);
	if (end)
		*end = '\0';
	memmove(value + 1, value + 2, strlen(value + 2) + 1);
}

static void read_fstab(void *ctx, unsigned number, const char *line)
{
	char spec[1024], point[1024], type[64];
	struct reader *r = ctx;
	struct gb_disk_walk walk;

	(void)number;
	if (sscanf(line, "%1023s %1023s %63s", spec, point, type) != 3 || *spec == '#' ||
	    is_elsewhere(type))
		return;
	gb_mount_unescape(spec);
	gb_mount_unescape(point);
	unquote(spec);
	/* a bind mount, a swap file or an image: on what is mounted */
	if (*spec == '/' && strncmp(spec, "/dev/", 5))
		return;
	if (!begin(r, GB_DISK_FSTAB, strcmp(type, "swap") ? point : "swap", spec, &walk))
		return;
	walk_spec(&walk, spec, type);
	finish(r, &walk);
}

static void read_words(struct reader *r, const char *cmdline)
{
	static const char *const words[] = { "root=", "resume=", "mount.usr=" };
	char word[1024], *value;
	struct gb_disk_walk walk;

	while (gb_lines_word(&cmdline, word, sizeof(word)))
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			if (strncmp(word, words[i], strlen(words[i])))
				continue;
			value = word + strlen(words[i]);
			/* dracut takes block: in front */
			if (!strncmp(value, "block:", 6))
				value += 6;
			if (!*value || !begin(r, GB_DISK_CMDLINE, words[i], value, &walk))
				continue;
			unquote(value);
			walk_spec(&walk, value, NULL);
			finish(r, &walk);
		}
}

/* The partition that the boot loader was started from, mounted or not: 4 bytes of attributes, then
 * UTF-16 (systemd: Boot Loader Interface). */
static void read_loader(struct reader *r)
{
	char data[128], uuid[64];
	ssize_t len = gb_root_read(r->root, LOADER_PARTITION, data, sizeof(data));
	struct gb_disk_walk walk;
	size_t n = 0;

	for (ssize_t i = 4; i + 1 < len && data[i] && n < sizeof(uuid) - 1; i += 2)
		if (data[i + 1] || (!isxdigit((unsigned char)data[i]) && data[i] != '-'))
			return;
		else
			uuid[n++] = (char)tolower((unsigned char)data[i]);
	uuid[n] = '\0';
	if (!n || !begin(r, GB_DISK_LOADER, "ESP", uuid, &walk))
		return;
	gb_disk_walk_tag(&walk, "PARTUUID", uuid, NULL);
	finish(r, &walk);
}

/* ---- outside ------------------------------------------------------------------------------ */

static int read_table(struct reader *r, const char *file, gb_line_fn each)
{
	char *text;
	size_t len;
	int error = gb_root_read_all(r->root, file, TABLE_MAX, &text, &len);

	if (error)
		return error;
	gb_lines_each(text, len, each, r);
	free(text);
	return 0;
}

int gb_disks_read(struct gb_root *root, const struct gb_blkid *blkid, struct gb_disks *ret,
		  struct gb_err *err)
{
	struct reader r = { .root = root, .blkid = blkid, .disks = ret };
	char *cmdline;
	size_t len;
	int error;

	memset(ret, 0, sizeof(*ret));
	if (!gb_root_read_all(root, "/proc/self/mountinfo", TABLE_MAX, &r.mountinfo,
			      &r.mountinfo_len)) {
		ret->mounts = true;
		gb_lines_each(r.mountinfo, r.mountinfo_len, read_mount, &r);
	}
	read_table(&r, "/proc/swaps", read_swap);
	error = read_table(&r, "/etc/fstab", read_fstab);
	ret->fstab = !error || error == -ENOENT;
	if (!gb_root_read_all(root, "/proc/cmdline", TABLE_MAX, &cmdline, &len)) {
		read_words(&r, cmdline);
		free(cmdline);
	}
	read_loader(&r);
	free(r.mountinfo);
	return ret->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

void gb_disks_clear(struct gb_disks *disks)
{
	for (size_t i = 0; i < disks->disks; i++) {
		free(disks->disk[i].what);
		free(disks->disk[i].source);
		free(disks->disk[i].part);
	}
	free(disks->disk);
	memset(disks, 0, sizeof(*disks));
}

/* The next part below one, by name: folders are listed in any order. */
static int next_part(const struct gb_disk *disk, int above, const char *after_name)
{
	int best = -1;

	for (size_t i = 0; i < disk->parts; i++)
		if (disk->part[i].above == above && strcmp(disk->part[i].name, after_name) > 0 &&
		    (best < 0 || strcmp(disk->part[i].name, disk->part[best].name) < 0))
			best = (int)i;
	return best;
}

static void add_chain(const struct gb_disk *disk, int above, unsigned depth, struct gb_text *ret)
{
	int part = next_part(disk, above, "");
	bool top = above == GB_DISK_TOP,
	     many = part >= 0 && !top && next_part(disk, above, disk->part[part].name) >= 0;
	char bdf[GB_BDF_MAX];

	if (part < 0 || depth == 32)
		return;
	gb_text_addf(ret, "%s%s", top ? "" : " on ", many ? "[" : "");
	for (int next; part >= 0; part = next) {
		next = next_part(disk, above, disk->part[part].name);
		gb_text_addf(ret, "%s", disk->part[part].name);
		if (disk->part[part].placed)
			gb_text_addf(ret, " (%s)", gb_bdf_format(disk->part[part].bdf, bdf));
		add_chain(disk, part, depth + 1, ret);
		gb_text_addf(ret, "%s", next >= 0 ? ", " : many ? "]" : "");
	}
}

void gb_disk_chain(const struct gb_disk *disk, struct gb_text *ret)
{
	add_chain(disk, GB_DISK_TOP, 0, ret);
}

void gb_disk_dm(struct gb_root *root, const char *part, const char *file, char *ret, size_t size)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/class/block/%s/dm/%s", part, file);
	if (gb_root_read(root, path, ret, size) <= 0)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}
