/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "members.h"
#include "root.h"

#define NAMES_MAX 640

struct loss {
	struct gb_members members;
	char bdf[GB_BDF_MAX];
	struct gb_checks *checks;
};

static const struct gb_device *device_of(const struct gb_members *members, int node)
{
	return members->survey->topology.node[node].device;
}

/* ---- the picture ----------------------------------------------------------------------- */

static bool has_outlet(const struct gb_members *members, int node)
{
	return gb_device_has_outlet(device_of(members, node));
}

/* Whether the host still has it once the group is gone. */
static enum gb_known remains(const struct loss *loss, int node)
{
	const struct gb_members *members = &loss->members;
	const struct gb_survey *survey = members->survey;

	if (!has_outlet(members, node) || node == members->node ||
	    gb_survey_is_claimed(survey, node) ||
	    gb_driver_is_vfio(gb_survey_driver(survey, node)) ||
	    gb_survey_same_slot(survey, node, members->node))
		return GB_NO;
	if (gb_survey_group(survey, members->source, node) != members->group)
		return GB_YES;
	return gb_members_sure(members, node) ? GB_NO : GB_CANNOT_TELL;
}

static bool may_lose_all(const struct loss *loss)
{
	const struct gb_line *line = gb_survey_line(loss->members.survey, loss->members.node);

	return line && line->allow & GB_ALLOW_LAST_DISPLAY;
}

static void check_last_display(const struct loss *loss)
{
	int nodes = (int)loss->members.survey->topology.nodes, other, perhaps = GB_NOWHERE;
	enum gb_known known = GB_NO;
	char names[NAMES_MAX], bdf[GB_BDF_MAX];

	if (!gb_members_list(&loss->members, has_outlet, names, sizeof(names), NULL))
		return;
	for (other = 0; other < nodes && (known = remains(loss, other)) != GB_YES; other++)
		if (known == GB_CANNOT_TELL)
			perhaps = other;
	if (other < nodes) {
		gb_check(loss->checks, "last-display", GB_PASS, loss->bdf,
			 "the host keeps another display, %s",
			 gb_bdf_format(device_of(&loss->members, other)->bdf, bdf));
		gb_check_file(loss->checks, bdf, "class", "a display");
		return;
	}
	if (perhaps != GB_NOWHERE) {
		gb_check(loss->checks, "last-display", GB_UNKNOWN, loss->bdf,
			 "whether the host keeps another display can't be told: %s may go with it",
			 gb_bdf_format(device_of(&loss->members, perhaps)->bdf, bdf));
		gb_members_evidence(&loss->members, loss->checks);
		return;
	}
	gb_check(loss->checks, "last-display", may_lose_all(loss) ? GB_WARN : GB_FAIL, loss->bdf,
		 "no other display would be left for the host");
	gb_check_evidence(loss->checks, "/sys/bus/pci/devices/*/class, without what is claimed or "
					"goes with it");
	gb_check_fix(loss->checks, "put a second card in, or turn on the processor's own graphics "
				   "in the firmware; a host that is only reached by network may "
				   "do without (allow=last-display)");
}

/* The kernel has boot_vga for class 0300 alone (drivers/pci/pci-sysfs.c). */
static enum gb_known is_boot_display(const struct loss *loss)
{
	const struct gb_device *device = device_of(&loss->members, loss->members.node);
	char file[GB_SYSFS_MAX];

	if (device->boot_vga)
		return GB_YES;
	if (device->id.class >> 8 != 0x0300 ||
	    gb_root_exists(loss->members.survey->root,
			   gb_bdf_file(device->bdf, "boot_vga", file)))
		return GB_NO;
	return GB_CANNOT_TELL;
}

static void check_boot_display(const struct loss *loss)
{
	const struct gb_survey *survey = loss->members.survey;
	const struct gb_device *device = device_of(&loss->members, loss->members.node);
	enum gb_known known = is_boot_display(loss);
	const struct gb_range *range = NULL;

	if (!gb_device_is_display(device))
		return;
	if (gb_iomem_framebuffer(&survey->iomem, device->bdf, &range) == 1)
		known = GB_YES;
	if (known == GB_YES) {
		gb_check(loss->checks, "boot-display", GB_WARN, loss->bdf,
			 "the firmware shows its picture and the boot menu on it: the screen "
			 "stands still once it is claimed");
		if (device->boot_vga)
			gb_check_file(loss->checks, loss->bdf, "boot_vga", "1");
		if (range)
			gb_check_evidence(loss->checks, GB_IOMEM_FILE ": %s is in its memory",
					  range->name);
		gb_check_fix(loss->checks, "choose the other display as first one in the "
					   "firmware, if it can");
	} else if (known == GB_NO) {
		gb_check(loss->checks, "boot-display", GB_PASS, loss->bdf,
			 "the firmware's picture is not on it");
		gb_check_file(loss->checks, loss->bdf, "boot_vga",
			      device->id.class >> 8 == 0x0300 ? "0" : "not there, it is no VGA");
	} else {
		gb_check(loss->checks, "boot-display", GB_UNKNOWN, loss->bdf,
			 "whether the firmware's picture is on it can't be told");
		gb_check_file(loss->checks, loss->bdf, "boot_vga", "not there");
	}
}

/* ---- disks and network ------------------------------------------------------------------ */

/* A graphics or sound function can have neither. */
static bool may_carry(const struct gb_members *members, int node)
{
	uint32_t base = GB_BASE_CLASS(device_of(members, node)->id.class);

	return gb_members_goes(members, node) && base != GB_CLASS_DISPLAY && base != 0x04;
}

static bool is_lost(const struct loss *loss, const struct gb_need *need)
{
	const struct gb_members *members = &loss->members;

	return need->node != GB_NOWHERE &&
	       gb_survey_group(members->survey, members->source, need->node) == members->group &&
	       gb_members_goes(members, need->node);
}

/* The disks or interfaces that would go; how many, and the worst of them. */
static size_t list_needs(const struct loss *loss, enum gb_need_kind kind, char *ret, size_t size,
			 enum gb_mark *ret_mark)
{
	const struct gb_needs *needs = &loss->members.survey->needs;
	size_t count = 0, at = 0;

	*ret_mark = GB_UNKNOWN;
	for (size_t i = 0; i < needs->needs; i++) {
		const struct gb_need *need = &needs->need[i];

		if (need->kind != kind || !is_lost(loss, need))
			continue;
		if (gb_members_sure(&loss->members, need->node) && *ret_mark != GB_FAIL)
			*ret_mark = kind == GB_NEED_DISK || need->route ? GB_FAIL : GB_WARN;
		if (count++ < 3 && at < size)
			at += (size_t)snprintf(ret + at, size - at, "%s%s", at ? ", " : "",
					       need->what);
	}
	if (count > 3 && at < size)
		snprintf(ret + at, size - at, " and %zu more", count - 3);
	return count;
}

static void check_needs(const struct loss *loss, enum gb_need_kind kind)
{
	const struct gb_needs *needs = &loss->members.survey->needs;
	bool early = loss->members.survey->site.initramfs; /* nothing is mounted or up yet */
	bool disk = kind == GB_NEED_DISK, told = !early && (disk ? needs->disks : needs->network);
	const char *id = disk ? "disk-behind-group" : "network-behind-group";
	const char *what = disk ? "disk" : "network interface";
	const char *from = disk ? "/proc/self/mountinfo, /proc/swaps" : "/sys/class/net";
	char names[NAMES_MAX], carriers[NAMES_MAX];
	enum gb_mark mark;

	if (list_needs(loss, kind, names, sizeof(names), &mark)) {
		gb_check(loss->checks, id, mark, loss->bdf,
			 "the host uses a %s that would go with it: %s", what, names);
		gb_check_evidence(loss->checks, "%s", from);
		gb_check_fix(loss->checks, "put the %s on another controller, or the card into "
					   "another slot", disk ? "disk" : "network card");
	} else if (!gb_members_list(&loss->members, may_carry, carriers, sizeof(carriers), NULL)) {
		gb_check(loss->checks, id, GB_PASS, loss->bdf,
			 "nothing in its group can have a %s", what);
		gb_members_evidence(&loss->members, loss->checks);
	} else if (told && !(disk && needs->lost[0])) {
		gb_check(loss->checks, id, GB_PASS, loss->bdf,
			 "the host uses no %s in its group", what);
		gb_check_evidence(loss->checks, "%s", from);
	} else {
		gb_check(loss->checks, id, GB_UNKNOWN, loss->bdf,
			 "whether the host uses a %s in its group can't be told: it may be on %s",
			 what, carriers);
		gb_check_evidence(loss->checks, early || told ? "%s" : "%s: can't be read",
				  early ? "this is the initramfs" :
				  told	? needs->lost :
				  disk	? "/proc/self/mountinfo" :
					  "/sys/class/net");
	}
}

static bool is_kept(const struct gb_members *members, int node)
{
	const struct gb_line *line = gb_survey_line(members->survey, node);

	return node != members->node && line && line->keep && gb_members_goes(members, node);
}

/* What `enable` found the host to live on. */
static void check_kept(const struct loss *loss)
{
	char names[NAMES_MAX];
	size_t sure;

	if (!gb_members_list(&loss->members, is_kept, names, sizeof(names), &sure))
		return;
	gb_check(loss->checks, "keep-in-group", sure ? GB_FAIL : GB_UNKNOWN, loss->bdf,
		 "the claims file keeps for the host what %s in its group: %s",
		 sure ? "is" : "may be", names);
	gb_check_evidence(loss->checks, "%s", loss->members.survey->claims_file);
	gb_check_fix(loss->checks, "put the card into a slot of another group");
}

/* ---- by class: no disk need be seen for that --------------------------------------------- */

static bool is_storage(const struct gb_members *members, int node)
{
	uint32_t class = device_of(members, node)->id.class;

	return node != members->node &&
	       (GB_BASE_CLASS(class) == GB_CLASS_STORAGE || class >> 8 == 0x0805);
}

static bool is_network(const struct gb_members *members, int node)
{
	uint32_t base = GB_BASE_CLASS(device_of(members, node)->id.class);

	return node != members->node && (base == GB_CLASS_NETWORK || base == 0x0d /* wireless */);
}

static bool is_other_display(const struct gb_members *members, int node)
{
	return node != members->node &&
	       GB_BASE_CLASS(device_of(members, node)->id.class) == GB_CLASS_DISPLAY;
}

/* A card may show two displays, each a function. */
static bool is_foreign_display(const struct gb_members *members, int node)
{
	return is_other_display(members, node) &&
	       !gb_survey_same_slot(members->survey, node, members->node);
}

static const struct by_class {
	const char *id, *what, *none;
	gb_member_fn wanted, foreign;
} by_class[] = {
	{ "storage-in-group", "storage", "storage", is_storage, is_storage },
	{ "network-in-group", "a network device", "network device", is_network, is_network },
	{ "display-in-group", "another display", "other display", is_other_display,
	  is_foreign_display },
};

static bool is_given(const struct gb_members *members, int node)
{
	return gb_survey_is_claimed(members->survey, node) ||
	       gb_driver_is_vfio(gb_survey_driver(members->survey, node));
}

static enum gb_mark judge_class(const struct gb_members *members, const struct by_class *class)
{
	enum gb_mark mark = GB_WARN;

	for (int i = members->node; i != GB_NOWHERE; i = gb_members_next(members, i)) {
		if (!class->foreign(members, i) || is_given(members, i))
			continue;
		if (gb_members_sure(members, i))
			return GB_FAIL;
		mark = GB_UNKNOWN;
	}
	return mark;
}

static void check_class(const struct loss *loss, const struct by_class *class)
{
	char names[NAMES_MAX];
	size_t sure;

	if (!gb_members_list(&loss->members, class->wanted, names, sizeof(names), &sure)) {
		gb_check(loss->checks, class->id, GB_PASS, loss->bdf, "no %s is in its group",
			 class->none);
		gb_members_evidence(&loss->members, loss->checks);
		return;
	}
	gb_check(loss->checks, class->id, judge_class(&loss->members, class), loss->bdf,
		 "%s %s in its group and would go with it: %s", class->what,
		 sure ? "is" : "may be", names);
	gb_members_evidence(&loss->members, loss->checks);
	gb_check_fix(loss->checks, "put the card into a slot of another group; on most boards that "
				   "is the one next to the processor");
}

void gb_judge_loss(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct loss loss = { .checks = checks };

	gb_members_of(survey, node, &loss.members);
	gb_bdf_format(survey->topology.node[node].device->bdf, loss.bdf);
	if (gb_members_said(&loss.members, checks, "storage-in-group")) {
		check_boot_display(&loss);
		return;
	}
	/* the worst first: a list shows one reason */
	check_needs(&loss, GB_NEED_DISK);
	check_needs(&loss, GB_NEED_NETWORK);
	check_kept(&loss);
	for (size_t i = 0; i < sizeof(by_class) / sizeof(*by_class); i++)
		check_class(&loss, &by_class[i]);
	check_last_display(&loss);
	check_boot_display(&loss);
}
