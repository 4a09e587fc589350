/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refusal.h"

#include <stdio.h>
#include <string.h>

#include "claims.h"
#include "disks.h"
#include "root.h"
#include "survey.h"
#include "target.h"
#include "text.h"

#define BLOCK "/sys/class/block"

static const struct gb_device *device_of(const struct gb_refusal *r, int node)
{
	return r->target->survey->topology.node[node].device;
}

/* It accesses memory as itself, or in the name of its VMD controller. */
static bool hangs_on(const struct gb_refusal *r, struct gb_bdf bdf, int node)
{
	int there = gb_survey_find(r->target->survey, bdf);

	return there != GB_NOWHERE &&
	       (there == node || r->target->survey->topology.node[there].requester == node);
}

/* ---- disks in use --------------------------------------------------------------------------- */

/* Without it the machine does not start again. */
static bool is_system(const struct gb_disk *disk)
{
	static const char *const needed[] = { "/", "/usr", "/var", "/boot", "/boot/efi", "/efi",
					      "/boot/firmware", "root=", "mount.usr=" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!strcmp(disk->what, needed[i]))
			return true;
	return disk->from == GB_DISK_LOADER;
}

static bool is_on(const struct gb_refusal *r, const struct gb_disk *disk, int node)
{
	for (size_t i = 0; i < disk->parts; i++)
		if (disk->part[i].placed && hangs_on(r, disk->part[i].bdf, node))
			return true;
	return false;
}

static void add_evidence(struct gb_refusal *r, const struct gb_disk *disk)
{
	struct gb_text chain = { 0 };

	gb_disk_chain(disk, &chain);
	gb_check_evidence(&r->ret->checks, "%s: %s is %s%s%s", gb_disk_from_name(disk->from),
			  disk->what, disk->source, chain.data ? ", " : "",
			  chain.data ? chain.data : "");
	r->ret->checks.failed |= chain.failed;
	gb_text_clear(&chain);
}

/* Mounted and in fstab, it is one all the same. */
static bool named_before(const struct gb_refusal *r, size_t i, int node)
{
	const struct gb_disk *disk = r->disks->disk;

	for (size_t k = 0; k < i; k++)
		if (!strcmp(disk[k].what, disk[i].what) && is_system(&disk[k]) == is_system(&disk[i]) &&
		    is_on(r, &disk[k], node))
			return true;
	return false;
}

/* Nobody means it who wants a card that happens to lie beside it. */
static unsigned system_bit(const struct gb_target_item *item)
{
	return item->why == GB_TARGET_SELECTED ? GB_ALLOW_SYSTEM_DISK : 0;
}

/* The disks on a function that are the system's, or the others: one refusal for all. */
static bool refuse_used(struct gb_refusal *r, const struct gb_target_item *item, bool system)
{
	const int node = item->node;
	char names[200] = "";
	size_t count = 0, at = 0;

	for (size_t i = 0; i < r->disks->disks; i++) {
		const struct gb_disk *disk = &r->disks->disk[i];

		if (is_system(disk) != system || !is_on(r, disk, node) || named_before(r, i, node))
			continue;
		if (count++ < 3 && at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%.50s",
					       at ? ", " : "", disk->what);
	}
	if (!count)
		return false;
	if (count > 3)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " and %zu more",
			 count - 3);
	if (system)
		gb_refuse(r, system_bit(item), "system-disk", false, gb_refuse_name(r, node),
			  "the host starts from a disk on it: %s", names);
	else
		gb_refuse(r, GB_ALLOW_STORAGE, "storage", false, gb_refuse_name(r, node),
			  "the host uses a disk on it: %s", names);
	for (size_t i = 0, shown = 0; i < r->disks->disks && shown < 3; i++)
		if (is_system(&r->disks->disk[i]) == system &&
		    is_on(r, &r->disks->disk[i], node)) {
			add_evidence(r, &r->disks->disk[i]);
			shown++;
		}
	gb_check_fix(&r->ret->checks, "put the disk on another controller, or the card into a slot "
		     "of another group");
	if (!system)
		gb_refuse_unless(r, GB_ALLOW_STORAGE, "the host loses that disk at the next boot");
	else if (system_bit(item))
		gb_refuse_unless(r, GB_ALLOW_SYSTEM_DISK, "the host does not start with it claimed; only "
				 "to try on purpose what happens then");
	return true;
}

/* ---- disks that can't be followed ------------------------------------------------------------ */

struct blocks {
	const struct gb_refusal *r;
	int node;
};

static int look_at_block(void *ctx, const char *name)
{
	const struct blocks *blocks = ctx;
	char path[288], link[1024];
	struct gb_bdf bdf;

	snprintf(path, sizeof(path), BLOCK "/%s", name);
	return gb_root_readlink(blocks->r->target->survey->root, path, link, sizeof(link)) > 0 &&
	       gb_bdf_in_link(link, &bdf) && hangs_on(blocks->r, bdf, blocks->node);
}

/* Where no disk hangs, none of those can be. A display or a sound function never has any. */
static bool may_have_disk(const struct gb_refusal *r, int node)
{
	struct blocks blocks = { r, node };
	unsigned base = GB_BASE_CLASS(device_of(r, node)->id.class);

	if (base == GB_CLASS_DISPLAY || base == 0x04)
		return false;
	return gb_root_list(r->target->survey->root, BLOCK, look_at_block, &blocks) != 0;
}

static const struct gb_disk *find_unknown(const struct gb_refusal *r)
{
	for (size_t i = 0; i < r->disks->disks; i++)
		if (r->disks->disk[i].placed == GB_CANNOT_TELL)
			return &r->disks->disk[i];
	return NULL;
}

static bool refuse_unknown(struct gb_refusal *r, int node)
{
	const struct gb_disk *disk = find_unknown(r);

	if ((r->disks->mounts && r->disks->fstab && !disk) || !may_have_disk(r, node))
		return false;
	gb_refuse(r, GB_ALLOW_STORAGE, "storage", true, gb_refuse_name(r, node),
		  "whether the host uses a disk on it can't be told");
	if (disk) {
		add_evidence(r, disk);
		gb_check_evidence(&r->ret->checks, "%s", disk->why);
	} else {
		gb_check_evidence(&r->ret->checks, "%s: can't be read", r->disks->mounts ?
				  "/etc/fstab" : "/proc/self/mountinfo");
	}
	gb_refuse_unless(r, GB_ALLOW_STORAGE, "when it is known to have none of the host's disks");
	return true;
}

/* The boot asks for the word too (src/resolve). */
static void refuse_class(struct gb_refusal *r, const struct gb_target_item *item)
{
	int node = item->node;

	gb_refuse(r, GB_ALLOW_STORAGE, "storage", false, gb_refuse_name(r, node),
		  "is a storage controller (%s)", item->reason);
	gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices/%s/class: 0x%06x",
			  gb_refuse_name(r, node), (unsigned)device_of(r, node)->id.class);
	gb_refuse_unless(r, GB_ALLOW_STORAGE, "none of its disks is in use by the host now");
}

void gb_refuse_disks(struct gb_refusal *r)
{
	for (size_t i = 0; i < r->target->claims; i++) {
		const struct gb_target_item *item = &r->target->item[i];
		int node = item->node;
		bool said = refuse_used(r, item, true);

		said |= refuse_used(r, item, false);
		if (!said)
			said = refuse_unknown(r, node);
		if (!said && GB_BASE_CLASS(device_of(r, node)->id.class) == GB_CLASS_STORAGE)
			refuse_class(r, &r->target->item[i]);
	}
}

/* ---- network -------------------------------------------------------------------------------- */

static bool refuse_interfaces(struct gb_refusal *r, int node)
{
	const struct gb_needs *needs = &r->target->survey->needs;
	char names[200] = "";
	size_t count = 0, at = 0;

	for (size_t i = 0; i < needs->needs; i++) {
		const struct gb_need *need = &needs->need[i];

		if (need->kind == GB_NEED_NETWORK && hangs_on(r, need->bdf, node) && count++ < 3 &&
		    at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%.60s",
					       at ? ", " : "", need->what);
	}
	if (!count)
		return false;
	gb_refuse(r, GB_ALLOW_NETWORK, "network", false, gb_refuse_name(r, node),
		  "the host's network goes through it: %s%s", names, count > 3 ? " and more" : "");
	gb_check_evidence(&r->ret->checks, "/sys/class/net");
	gb_check_fix(&r->ret->checks, "move the network to another card, or this card into a "
		     "slot of another group");
	gb_refuse_unless(r, GB_ALLOW_NETWORK, "the host loses it at the next boot");
	return true;
}

void gb_refuse_network(struct gb_refusal *r)
{
	for (size_t i = 0; i < r->target->claims; i++) {
		int node = r->target->item[i].node;

		if (refuse_interfaces(r, node) ||
		    GB_BASE_CLASS(device_of(r, node)->id.class) != GB_CLASS_NETWORK)
			continue;
		gb_refuse(r, GB_ALLOW_NETWORK, "network", false, gb_refuse_name(r, node),
			  "is a network controller (%s)", r->target->item[i].reason);
		gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices/%s/class: 0x%06x",
				  gb_refuse_name(r, node), (unsigned)device_of(r, node)->id.class);
		gb_refuse_unless(r, GB_ALLOW_NETWORK, "no interface of it is up now");
	}
}
