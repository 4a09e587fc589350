/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refusal.h"

#include <string.h>

#include "claims.h"
#include "keyboards.h"
#include "members.h"
#include "survey.h"
#include "target.h"
#include "text.h"

/* ---- the picture ---------------------------------------------------------------------------- */

static const struct gb_device *device_of(const struct gb_refusal *r, int node)
{
	return r->target->survey->topology.node[node].device;
}

/* That the host can still show something on. */
static bool remains(const struct gb_refusal *r, int node)
{
	return gb_device_has_outlet(device_of(r, node)) && !gb_target_takes(r->target, node) &&
	       !gb_driver_is_vfio(gb_survey_driver(r->target->survey, node));
}

static bool any_remains(const struct gb_refusal *r)
{
	for (int i = 0; i < (int)r->target->survey->topology.nodes; i++)
		if (remains(r, i))
			return true;
	return false;
}

static void refuse_last(struct gb_refusal *r, int node)
{
	const struct gb_survey *survey = r->target->survey;
	bool any = false;

	gb_refuse(r, GB_ALLOW_LAST_DISPLAY, "last-display", false, gb_refuse_name(r, node),
		  "no other display would be left for the host");
	for (int i = 0; i < (int)survey->topology.nodes; i++) {
		if (i == node || !gb_device_has_outlet(device_of(r, i)) ||
		    gb_target_claims(r->target, i))
			continue;
		gb_check_evidence(&r->ret->checks, "%s: %s", gb_refuse_name(r, i),
				  gb_target_takes(r->target, i) ? "claimed" :
								    gb_survey_driver(survey, i));
		any = true;
	}
	if (!any)
		gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices: no other of class 0300");
	gb_check_fix(&r->ret->checks, "put a second card in, or turn on the processor's own "
		     "graphics in the firmware");
	gb_refuse_unless(r, GB_ALLOW_LAST_DISPLAY, "for a host that is only reached by network");
}

static void refuse_boot(struct gb_refusal *r, int node)
{
	const struct gb_device *device = device_of(r, node);
	const struct gb_range *range = NULL;

	if (gb_iomem_framebuffer(&r->target->survey->iomem, device->bdf, &range) != 1)
		range = NULL;
	if (!device->boot_vga && !range)
		return;
	gb_refuse(r, GB_ALLOW_BOOT_DISPLAY, "boot-display", false, gb_refuse_name(r, node),
		  "the firmware shows its picture and the boot menu on it: the screen stands still "
		  "once it is claimed");
	if (device->boot_vga)
		gb_check_evidence(&r->ret->checks, "/sys/bus/pci/devices/%s/boot_vga: 1",
				  gb_refuse_name(r, node));
	if (range)
		gb_check_evidence(&r->ret->checks, GB_IOMEM_FILE ": %s is in its memory",
				  range->name);
	gb_check_fix(&r->ret->checks, "choose the other display as first one in the firmware, "
		     "if it can");
	gb_refuse_unless(r, GB_ALLOW_BOOT_DISPLAY,
			 "the host's picture comes on the other display, once its driver is "
			 "loaded");
}

void gb_refuse_displays(struct gb_refusal *r)
{
	bool last = !any_remains(r), said = false;

	for (size_t i = 0; i < r->target->claims; i++) {
		int node = r->target->item[i].node;

		if (!gb_device_is_display(device_of(r, node)))
			continue;
		/* a 3D controller takes no picture away: there was none on it */
		if (!last || !gb_device_has_outlet(device_of(r, node))) {
			refuse_boot(r, node);
			continue;
		}
		if (!said)
			refuse_last(r, node);
		said = true;
	}
}

/* ---- the keyboard ---------------------------------------------------------------------------- */

static bool goes(const struct gb_refusal *r, const struct gb_keyboard *keyboard, int *ret_node)
{
	*ret_node = keyboard->placed ? gb_survey_find(r->target->survey, keyboard->bdf) :
				       GB_NOWHERE;
	return *ret_node != GB_NOWHERE && gb_target_takes(r->target, *ret_node);
}

/* A card's own USB socket has no keyboard that anybody relies on unseen. */
static int find_usb(const struct gb_refusal *r)
{
	const struct gb_survey *survey = r->target->survey;

	for (size_t i = 0; i < r->target->claims; i++) {
		int node = r->target->item[i].node;
		bool beside = false;

		for (size_t k = 0; k < r->target->claims; k++)
			beside |= gb_device_is_display(device_of(r, r->target->item[k].node)) &&
				  gb_survey_same_slot(survey, node, r->target->item[k].node);
		if (device_of(r, node)->id.class >> 8 == 0x0c03 && !beside)
			return node;
	}
	return GB_NOWHERE;
}

void gb_refuse_keyboard(struct gb_refusal *r)
{
	struct gb_keyboards all = { 0 };
	int node = find_usb(r), first = GB_NOWHERE;

	gb_keyboards_read(r->target->survey->root, &all);
	if (!all.read && node != GB_NOWHERE) {
		gb_refuse(r, GB_ALLOW_KEYBOARD, "keyboard", true, gb_refuse_name(r, node),
			  "whether the only keyboard hangs on this USB controller can't be told");
		gb_check_evidence(&r->ret->checks, "/sys/class/input: can't be read");
		gb_refuse_unless(r, GB_ALLOW_KEYBOARD, "when it is known to be elsewhere");
		return;
	}
	for (size_t i = 0; i < all.keyboards; i++) {
		if (!goes(r, &all.keyboard[i], &node))
			return; /* one stays */
		if (first == GB_NOWHERE && gb_target_claims(r->target, node))
			first = node;
	}
	if (first == GB_NOWHERE)
		return;
	gb_refuse(r, GB_ALLOW_KEYBOARD, "keyboard", false, gb_refuse_name(r, first),
		  "the only keyboard hangs on this USB controller");
	for (size_t i = 0; i < all.keyboards && i < 3; i++)
		gb_check_evidence(&r->ret->checks, "/sys/class/input/%s: %s", all.keyboard[i].input,
				  all.keyboard[i].name);
	gb_check_fix(&r->ret->checks, "plug the keyboard, or another one, into a socket of another "
		     "controller");
	gb_refuse_unless(r, GB_ALLOW_KEYBOARD, "for a host that is reached by network");
}
