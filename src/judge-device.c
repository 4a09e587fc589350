/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "members.h"
#include "root.h"
#include "text.h"

struct subject {
	const struct gb_survey *survey;
	int node;
	const struct gb_node *there;
	const struct gb_device *device;
	char bdf[GB_BDF_MAX];
	struct gb_checks *checks;
};

/* ---- its driver ------------------------------------------------------------------------ */

/* A driver's module may have another name: bochs-drm is in bochs. Only what was loaded has a state
 * (kernel/module/main.c, modinfo_initstate). */
static void add_origin(const struct subject *s, const char *driver)
{
	char folder[GB_DRIVER_MAX + 32], file[GB_DRIVER_MAX + 48], target[PATH_MAX];
	const char *name;

	gb_check_file(s->checks, s->bdf, "driver", driver);
	snprintf(folder, sizeof(folder), "/sys/bus/pci/drivers/%s", driver);
	snprintf(file, sizeof(file), "%s/module", folder);
	if (gb_root_readlink(s->survey->root, file, target, sizeof(target)) > 0) {
		name = gb_text_base(target);
		snprintf(file, sizeof(file), "/sys/module/%.63s/initstate", name);
		if (gb_root_exists(s->survey->root, file)) {
			gb_check_evidence(s->checks, "from the module %s", name);
			return;
		}
	}
	if (gb_root_exists(s->survey->root, folder))
		gb_check_evidence(s->checks, "built into the kernel");
}

static void check_claimed(const struct subject *s, const char *wanted, const char *driver)
{
	if (gb_text_same_module(driver, wanted)) {
		gb_check(s->checks, "driver", GB_PASS, s->bdf, "claimed, and on %s", driver);
		gb_check_file(s->checks, s->bdf, "driver", driver);
	} else if (*driver) {
		gb_check(s->checks, "driver", GB_FAIL, s->bdf, "claimed for %s, but %s has it",
			 wanted, driver);
		add_origin(s, driver);
		gb_check_fix(s->checks, "ghost-diag says how it came there");
	} else {
		gb_check(s->checks, "driver", GB_FAIL, s->bdf,
			 "claimed for %s, but no driver has it", wanted);
		gb_check_file(s->checks, s->bdf, "driver", "not there");
		gb_check_fix(s->checks, "ghost-diag says why; the module may be missing for this "
					"kernel");
	}
}

static void check_driver(const struct subject *s)
{
	const struct gb_line *line = gb_survey_line(s->survey, s->node);
	const char *driver = gb_survey_driver(s->survey, s->node);

	if (line && !line->keep) {
		check_claimed(s, line->driver, driver);
	} else if (gb_driver_is_vfio(driver)) {
		gb_check(s->checks, "driver", GB_WARN, s->bdf,
			 "no claim says so, but %s has it: something else gave it away", driver);
		gb_check_file(s->checks, s->bdf, "driver", driver);
		gb_check_fix(s->checks, "look for ids= in modprobe.d and on the command line, for "
					"driverctl and for libvirt");
	} else {
		gb_check(s->checks, "driver", GB_PASS, s->bdf, "%s; %s%s",
			 line ? "kept for the host" : "not claimed",
			 *driver ? "driven by " : "without a driver", driver);
		gb_check_file(s->checks, s->bdf, "driver", *driver ? driver : "not there");
	}
}

/* ---- the firmware's picture ------------------------------------------------------------- */

/* drivers/vfio/pci/vfio_pci_core.c vfio_pci_vga_init: aperture_remove_conflicting_pci_devices,
 * since 6.0, if pci_is_vga(). */
static enum gb_known is_evicted(const struct subject *s)
{
	unsigned major;

	if (s->device->id.class >> 8 != 0x0300)
		return GB_NO;
	if (sscanf(s->survey->site.release, "%u", &major) != 1)
		return GB_CANNOT_TELL;
	return major >= 6 ? GB_YES : GB_NO;
}

static void check_framebuffer(const struct subject *s)
{
	const struct gb_range *range = NULL;
	int r;

	if (!gb_device_is_display(s->device))
		return;
	r = gb_iomem_framebuffer(&s->survey->iomem, s->device->bdf, &range);
	if (r < 0) {
		gb_check(s->checks, "framebuffer", GB_UNKNOWN, s->bdf,
			 "whether the firmware's picture is in its memory can't be told");
		gb_check_evidence(s->checks, GB_IOMEM_FILE ": can't be read, or not as root");
		return;
	}
	if (!r) {
		gb_check(s->checks, "framebuffer", GB_PASS, s->bdf,
			 "the firmware's picture is not in its memory");
		gb_check_evidence(s->checks, GB_IOMEM_FILE);
		return;
	}
	switch (is_evicted(s)) {
	case GB_YES:
		gb_check(s->checks, "framebuffer", GB_PASS, s->bdf,
			 "the firmware's picture is in its memory; vfio-pci removes that itself");
		break;
	case GB_NO:
		gb_check(s->checks, "framebuffer", GB_WARN, s->bdf,
			 "the firmware's picture is in its memory, and this kernel's vfio-pci "
			 "leaves it there: a guest may find the memory taken");
		gb_check_fix(s->checks, s->device->id.class >> 8 == 0x0300 ?
			     "use Linux 6.0 or newer" : "initcall_blacklist=sysfb_init on the "
			     "kernel command line keeps the picture away, and the boot's with it");
		break;
	case GB_CANNOT_TELL:
		gb_check(s->checks, "framebuffer", GB_UNKNOWN, s->bdf,
			 "the firmware's picture is in its memory; whether this kernel's vfio-pci "
			 "removes that can't be told");
	}
	gb_check_evidence(s->checks, GB_IOMEM_FILE ": %s", range->name);
}

/* ---- power, virtual functions ------------------------------------------------------------ */

static void check_power(const struct subject *s)
{
	struct gb_power power;

	gb_config_power(s->survey->root, s->device->bdf, &power);
	if (!power.state[0] && !power.runtime[0])
		return;
	if (s->there->config.asleep) {
		gb_check(s->checks, "power", GB_WARN, s->bdf,
			 "asleep in %s, and not woken: what its config space says is not known",
			 power.state);
		gb_check_fix(s->checks, "ghost-verify wakes it and looks");
	} else {
		gb_check(s->checks, "power", GB_PASS, s->bdf, "%s, %s%s",
			 power.state[0] ? power.state : "power state not told",
			 power.runtime[0] ? power.runtime : "runtime state not told",
			 power.d3cold_allowed == GB_YES ? "; may lose power when idle (D3cold)" :
							  "");
	}
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/power_state: %s", s->bdf,
			  power.state[0] ? power.state : "not there");
	if (power.d3cold_allowed != GB_CANNOT_TELL)
		gb_check_evidence(s->checks, "d3cold_allowed: %d",
				  power.d3cold_allowed == GB_YES);
}

static void check_virtual(const struct subject *s)
{
	unsigned total, now;

	if (s->device->virtual) {
		gb_check(s->checks, "virtual", GB_WARN, s->bdf,
			 "a virtual function: the driver of its card makes and removes it, so it "
			 "can't be claimed at boot");
		gb_check_file(s->checks, s->bdf, "physfn", "its card");
		return;
	}
	if (!gb_config_sriov(s->survey->root, s->device->bdf, &total, &now))
		return;
	gb_check(s->checks, "sriov", now ? GB_WARN : GB_PASS, s->bdf,
		 "has %u of %u possible virtual functions%s", now, total,
		 now ? ", which go when its driver is taken away" : "");
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/sriov_numvfs: %u", s->bdf, now);
}

static void check_config(const struct subject *s)
{
	const struct gb_config *config = &s->there->config;

	if (config->asleep || config->bytes > 64)
		return;
	gb_check(s->checks, "config-cut", GB_UNKNOWN, s->bdf,
		 "%s of its config space could be read: what it can, and what isolates it, can't "
		 "be told", config->bytes ? "only 64 bytes" : "nothing");
	gb_check_evidence(s->checks, "/sys/bus/pci/devices/%s/config", s->bdf);
	gb_check_fix(s->checks, "ask again as root");
}

void gb_judge_device(const struct gb_survey *survey, int node, struct gb_checks *checks)
{
	struct subject s = {
		.survey = survey,
		.node = node,
		.there = &survey->topology.node[node],
		.device = survey->topology.node[node].device,
		.checks = checks,
	};

	gb_bdf_format(s.device->bdf, s.bdf);
	check_driver(&s);
	check_framebuffer(&s);
	check_config(&s);
	gb_judge_hardware(survey, node, checks);
	check_power(&s);
	check_virtual(&s);
}
