/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live-system.h"

#include <stdio.h>
#include <string.h>

#include "cmdplan.h"
#include "mount.h"
#include "root.h"
#include "work.h"

/* The file with the entries, or a pattern for them; false where that is none. */
static bool find_entries(const struct gb_work *work, char *ret, size_t size)
{
	const struct gb_loader *loader = work->host.loader;
	const char *cfg = gb_cmdplan_grub_cfg(&work->host);

	if (loader->backend == GB_BACKEND_SYSTEMD)
		snprintf(ret, size, "%s/loader/entries/*.conf", loader->boot);
	else if (cfg && loader->family == GB_FAMILY_GRUB && loader->backend != GB_BACKEND_GRUB_BLS)
		snprintf(ret, size, "%s", cfg);
	else
		return false;
	return true;
}

static const struct gb_disk *disk_at(const struct gb_disks *disks, const char *point)
{
	for (size_t i = 0; i < disks->disks; i++)
		if (disks->disk[i].from == GB_DISK_MOUNTED && !strcmp(disks->disk[i].what, point))
			return &disks->disk[i];
	return NULL;
}

static const char *below(const struct gb_disk *disk, size_t part)
{
	for (size_t i = part + 1; i < disk->parts; i++)
		if (disk->part[i].above == (int)part)
			return disk->part[i].name;
	return NULL;
}

/* What a live system does not open by itself, from below: md(4), cryptsetup's and LVM's devices by
 * their dm UUIDs. */
static void add_opening(struct gb_root *root, const struct gb_disk *disk, struct gb_text *ret)
{
	char uuid[256], name[128];
	bool raid = false, volumes = false;

	for (size_t i = disk->parts; i-- > 0;) {
		const char *part = disk->part[i].name, *from = below(disk, i);

		gb_disk_dm(root, part, "uuid", uuid, sizeof(uuid));
		gb_disk_dm(root, part, "name", name, sizeof(name));
		if (!strncmp(part, "md", 2) && !raid) {
			gb_text_addf(ret, "    mdadm --assemble --scan\n");
			raid = true;
		} else if (!strncmp(uuid, "CRYPT-", 6) && name[0] && from) {
			gb_text_addf(ret, "    cryptsetup open /dev/");
			gb_text_add_harmless(ret, from);
			gb_text_addf(ret, " ");
			gb_text_add_harmless(ret, name);
			gb_text_addf(ret, "\n");
		} else if (!strncmp(uuid, "LVM-", 4) && !volumes) {
			gb_text_addf(ret, "    vgchange -ay\n");
			volumes = true;
		}
	}
}

static void add_mount(const struct gb_mount *mount, const char *source, struct gb_text *ret)
{
	const bool inside = !strcmp(mount->type, "btrfs") && strcmp(mount->folder, "/") != 0;

	gb_text_addf(ret, "    mount ");
	if (inside) {
		gb_text_addf(ret, "-o subvol=");
		gb_text_add_harmless(ret, mount->folder);
		gb_text_addf(ret, " ");
	}
	gb_text_add_harmless(ret, source);
	gb_text_addf(ret, " /mnt\n");
}

/* Without the word that arms the claims; where they arm themselves, with the one that stops them. */
static const char *edit_of(const struct gb_work *work)
{
	return !gb_setup_arms_always(&work->setup)		   ? "s/ ghost.claim=on//" :
	       work->host.loader->backend == GB_BACKEND_SYSTEMD ? "/^options/s/$/ ghost.claim=off/" :
								  "/^[[:space:]]*linux/s/$/ ghost.claim=off/";
}

void gb_live_system_commands(const struct gb_work *work, struct gb_text *ret)
{
	struct gb_mount mount = { 0 };
	const struct gb_disk *disk;
	const char *source;
	char path[400];
	size_t len;

	if (!find_entries(work, path, sizeof(path)))
		return;
	if (!gb_mount_of(work->host.root, path, &mount))
		strcpy(mount.point, "/");
	disk = disk_at(&work->setup.disks, mount.point);
	len = strcmp(mount.point, "/") ? strlen(mount.point) : 0;
	source = disk && disk->source[0] == '/' ? disk->source : "the partition of the boot loader";
	gb_text_addf(ret, "\nShould no entry boot any more: from a live system on a USB stick, as root,\n");
	if (disk)
		add_opening(work->host.root, disk, ret);
	add_mount(&mount, source, ret);
	gb_text_addf(ret, "    sed -i '%s' /mnt%s\n    reboot\n"
			  "and then, on this machine again, ghost-boot disable.", edit_of(work), path + len);
}
