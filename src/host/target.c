/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disks.h"
#include "err.h"
#include "members.h"
#include "root.h"
#include "survey.h"
#include "text.h"

static const struct gb_device *device_of(const struct gb_survey *survey, int node)
{
	return survey->topology.node[node].device;
}

static bool is_bridge(const struct gb_survey *survey, int node)
{
	return GB_BASE_CLASS(device_of(survey, node)->id.class) == GB_CLASS_BRIDGE;
}

/* The boot refuses both, whatever a line says (src/resolve). */
static bool can_be_claimed(const struct gb_survey *survey, int node)
{
	return !is_bridge(survey, node) && !device_of(survey, node)->virtual;
}

static bool has(const int *list, size_t n, int node)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == node)
			return true;
	return false;
}

static struct gb_target_item *find(const struct gb_target *target, int node)
{
	for (size_t i = 0; i < target->items; i++)
		if (target->item[i].node == node)
			return &target->item[i];
	return NULL;
}

bool gb_target_claims(const struct gb_target *target, int node)
{
	const struct gb_target_item *item = find(target, node);

	return item && !item->line.keep;
}

/* A line that the boot would refuse now is its owner's wish all the same. */
bool gb_target_takes(const struct gb_target *target, int node)
{
	const struct gb_survey *survey = target->survey;
	const struct gb_machine *machine = &survey->machine;

	if (gb_target_claims(target, node) || gb_survey_is_claimed(survey, node))
		return true;
	for (size_t i = 0; i < survey->claims.lines && i < machine->lines; i++)
		if (!survey->claims.line[i].keep && machine->at[i] != GB_NOWHERE &&
		    &machine->device[machine->at[i]] == device_of(survey, node) &&
		    gb_identity_match(&survey->claims.line[i].id, &device_of(survey, node)->id))
			return true;
	return false;
}

/* ---- one line ----------------------------------------------------------------------------- */

/* Root buses other than the first are numbered anew when a card brings or takes one: their host
 * bridge is known by its ACPI path as well. */
static void read_host(struct gb_root *root, const struct gb_path *path, char *ret, size_t size)
{
	char file[96];
	ssize_t n;

	if (!path->domain && !path->bus)
		return;
	snprintf(file, sizeof(file), "/sys/devices/pci%04x:%02x/firmware_node/path",
		 (unsigned)path->domain, path->bus);
	n = gb_root_read(root, file, ret, size);
	if (n > 0)
		ret[strcspn(ret, "\n")] = '\0';
	/* cut, or nothing that a claims file takes */
	if (n <= 0 || (size_t)n + 1 >= size || ret[0] != '\\')
		ret[0] = '\0';
	for (const char *c = ret; *c; c++)
		if (*c <= ' ' || *c > '~')
			ret[0] = '\0';
}

static void describe(const struct gb_survey *survey, int node, bool keep, struct gb_line *ret)
{
	struct gb_device device = *device_of(survey, node);
	const struct gb_line *line = gb_survey_line(survey, node);

	gb_device_read_serial(survey->root, &device);
	*ret = (struct gb_line){ .keep = keep, .path = device.path, .id = device.id };
	read_host(survey->root, &device.path, ret->host, sizeof(ret->host));
	/* a variant that its owner chose */
	gb_text_copy(ret->driver, sizeof(ret->driver),
		     line && !line->keep && !keep ? line->driver : GB_DRIVER_DEFAULT);
}

/* Once a node; there is room for all. */
__attribute__((format(printf, 5, 6)))
static void take(struct gb_target *target, int node, bool keep, enum gb_target_why why,
		 const char *format, ...)
{
	struct gb_target_item *item = &target->item[target->items];
	va_list args;

	if (find(target, node))
		return;
	item->node = node;
	item->why = why;
	describe(target->survey, node, keep, &item->line);
	va_start(args, format);
	vsnprintf(item->reason, sizeof(item->reason), format, args);
	va_end(args);
	target->items++;
	target->claims += !keep;
}

/* ---- what is claimed ---------------------------------------------------------------------- */

static void take_card(struct gb_target *target, int node)
{
	const struct gb_survey *survey = target->survey;
	char bdf[GB_BDF_MAX];

	for (int i = 0; i < (int)survey->topology.nodes; i++)
		if (gb_survey_same_slot(survey, i, node) && can_be_claimed(survey, i))
			take(target, i, false, GB_TARGET_CARD, "same card as %s",
			     gb_bdf_format(device_of(survey, node)->bdf, bdf));
}

/* VFIO gives a group to one guest as a whole, or not at all. */
static void take_group(struct gb_target *target, int node)
{
	struct gb_members members;

	gb_members_of(target->survey, node, &members);
	for (int i = gb_members_next(&members, node); i != GB_NOWHERE;
	     i = gb_members_next(&members, i)) {
		if (!can_be_claimed(target->survey, i) || find(target, i))
			continue;
		if (gb_members_sure(&members, i))
			take(target, i, false, GB_TARGET_GROUP, members.source == GB_GROUPS_KERNEL ?
			     "same IOMMU group %d" : "same IOMMU group, as predicted (%d)",
			     members.group);
		else if (!has(target->perhaps, target->perhapses, i))
			target->perhaps[target->perhapses++] = i;
	}
}

static void take_claims(struct gb_target *target, const int *node, size_t nodes)
{
	size_t cards;

	for (size_t i = 0; i < nodes; i++) {
		if (can_be_claimed(target->survey, node[i]))
			take(target, node[i], false, GB_TARGET_SELECTED, "selected");
		else if (!has(target->unclaimable, target->unclaimables, node[i]))
			target->unclaimable[target->unclaimables++] = node[i];
	}
	cards = target->items;
	for (size_t i = 0; i < cards; i++)
		take_card(target, target->item[i].node);
	cards = target->items;
	for (size_t i = 0; i < cards; i++)
		take_group(target, target->item[i].node);
	/* what one group leaves open, another may have settled */
	cards = 0;
	for (size_t i = 0; i < target->perhapses; i++)
		if (!find(target, target->perhaps[i]))
			target->perhaps[cards++] = target->perhaps[i];
	target->perhapses = cards;
}

/* The order of the topology, but a card's lines together at its first; cards that were selected
 * come before what goes with them. */
static int compare_items(const void *one, const void *other)
{
	const struct gb_target_item *a = one, *b = other;
	bool later = a->why == GB_TARGET_GROUP;

	if (later != (b->why == GB_TARGET_GROUP))
		return later ? 1 : -1;
	return (a->node > b->node) - (a->node < b->node);
}

/* ---- what is kept ------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5)))
static void keep(struct gb_target *target, int node, enum gb_target_why why, const char *format,
		 ...)
{
	char reason[96];
	va_list args;

	if (node == GB_NOWHERE || !can_be_claimed(target->survey, node) ||
	    gb_target_takes(target, node))
		return;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	take(target, node, true, why, "%s", reason);
}

static void keep_displays(struct gb_target *target)
{
	for (int i = 0; i < (int)target->survey->topology.nodes; i++)
		if (gb_device_is_display(device_of(target->survey, i)))
			keep(target, i, GB_TARGET_DISPLAY, "display of the host");
}

static bool is_storage(const struct gb_survey *survey, int node)
{
	uint32_t class = device_of(survey, node)->id.class;

	return GB_BASE_CLASS(class) == GB_CLASS_STORAGE || class >> 8 == 0x0805;
}

/* Not the USB controller of a stick that somebody looks at just now. */
static bool is_passing(const struct gb_survey *survey, const struct gb_disk *disk, int node)
{
	static const char *const lasting[] = { "/", "/usr", "/var", "/home", "/boot", "/boot/efi",
					       "/efi" };

	if (disk->from != GB_DISK_MOUNTED || is_storage(survey, node))
		return false;
	for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
		if (!strcmp(disk->what, lasting[i]))
			return false;
	return true;
}

static void keep_disks(struct gb_target *target, const struct gb_disks *disks)
{
	for (size_t i = 0; i < disks->disks; i++) {
		const struct gb_disk *disk = &disks->disk[i];

		for (size_t k = 0; k < disk->parts; k++) {
			int node = disk->part[k].placed ?
					   gb_survey_find(target->survey, disk->part[k].bdf) :
					   GB_NOWHERE;

			if (node == GB_NOWHERE || is_passing(target->survey, disk, node))
				continue;
			keep(target, node, GB_TARGET_DISK, "disk: %.60s", disk->what);
			/* it accesses memory in the name of another (VMD) */
			keep(target, target->survey->topology.node[node].requester, GB_TARGET_DISK,
			     "disk: %.60s", disk->what);
		}
	}
}

static void keep_networks(struct gb_target *target)
{
	const struct gb_needs *needs = &target->survey->needs;

	for (size_t i = 0; i < needs->needs; i++) {
		const struct gb_need *need = &needs->need[i];

		if (need->kind != GB_NEED_NETWORK || need->node == GB_NOWHERE)
			continue;
		/* a telephone on a USB plug comes and goes */
		if (need->route || GB_BASE_CLASS(device_of(target->survey, need->node)->id.class) ==
					   GB_CLASS_NETWORK)
			keep(target, need->node, GB_TARGET_NETWORK, "network: %.80s", need->what);
	}
}

/* ---- all ---------------------------------------------------------------------------------- */

int gb_target_read(const struct gb_survey *survey, const struct gb_disks *disks, const int *node,
		   size_t nodes, struct gb_target *ret, struct gb_err *err)
{
	size_t room = survey->topology.nodes + nodes + 1;

	*ret = (struct gb_target){
		.survey = survey,
		.item = calloc(room, sizeof(*ret->item)),
		.unclaimable = calloc(room, sizeof(int)),
		.perhaps = calloc(room, sizeof(int)),
	};
	if (!ret->item || !ret->unclaimable || !ret->perhaps)
		return gb_fail(err, ENOMEM, "out of memory");
	take_claims(ret, node, nodes);
	qsort(ret->item, ret->claims, sizeof(*ret->item), compare_items);
	keep_displays(ret);
	keep_disks(ret, disks);
	keep_networks(ret);
	return 0;
}

void gb_target_clear(struct gb_target *target)
{
	free(target->item);
	free(target->unclaimable);
	free(target->perhaps);
	*target = (struct gb_target){ 0 };
}

static unsigned about(const struct gb_target *target, const struct gb_target_item *item)
{
	const struct gb_device *device = device_of(target->survey, item->node);
	unsigned base = GB_BASE_CLASS(device->id.class);
	unsigned bits = item->why == GB_TARGET_SELECTED ?
				GB_ALLOW_NO_IOMMU | GB_ALLOW_NO_VFIO | GB_ALLOW_UNFIT : 0;

	if (base == GB_CLASS_NETWORK)
		return bits | GB_ALLOW_NETWORK;
	if (gb_device_is_display(device))
		return bits | GB_ALLOW_LAST_DISPLAY | GB_ALLOW_BOOT_DISPLAY;
	if (is_storage(target->survey, item->node))
		return bits | GB_ALLOW_STORAGE | GB_ALLOW_SYSTEM_DISK;
	/* USB may have all three behind it */
	return bits | (base == 0x0c ? GB_ALLOW_KEYBOARD | GB_ALLOW_STORAGE |
						   GB_ALLOW_SYSTEM_DISK | GB_ALLOW_NETWORK : 0);
}

void gb_target_allow(struct gb_target *target, unsigned allow)
{
	for (size_t i = 0; i < target->claims; i++)
		target->item[i].line.allow |= allow & about(target, &target->item[i]);
}

bool gb_target_leads(const struct gb_target *target, size_t item)
{
	const struct gb_target_item *at = &target->item[item];

	return item < target->claims &&
	       (!item || !gb_survey_same_slot(target->survey, at[-1].node, at->node));
}

void gb_target_title(const struct gb_target *target, size_t item, const char *name, char *ret,
		     size_t size)
{
	char bdf[GB_BDF_MAX];

	snprintf(ret, size, "%s, at %s when it was added", name,
		 gb_bdf_format(device_of(target->survey, target->item[item].node)->bdf, bdf));
	for (char *c = ret; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}
