/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "warning.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disks.h"
#include "lines.h"
#include "passphrase.h"
#include "root.h"
#include "survey.h"
#include "target.h"
#include "use.h"

#define FILE_MAX (256u << 10)
#define NVIDIA 0x10de

struct warner {
	const struct gb_target *target;
	const struct gb_disks *disks;
	struct gb_checks *checks;
	const char *folder, *file; /* being read */
	char bdf[GB_BDF_MAX];
};

static struct gb_root *root_of(const struct warner *w)
{
	return w->target->survey->root;
}

static const struct gb_device *device_of(const struct warner *w, int node)
{
	return w->target->survey->topology.node[node].device;
}

static const char *name_of(struct warner *w, int node)
{
	return gb_bdf_format(device_of(w, node)->bdf, w->bdf);
}

/* A claimed display of that maker, where none of its stays with the host. */
static int find_last_of(const struct warner *w, uint16_t vendor)
{
	int found = GB_NOWHERE;

	for (int i = 0; i < (int)w->target->survey->topology.nodes; i++) {
		const struct gb_device *device = device_of(w, i);

		if (!gb_device_is_display(device) || device->id.vendor != vendor)
			continue;
		if (!gb_target_takes(w->target, i))
			return GB_NOWHERE;
		if (gb_target_claims(w->target, i))
			found = i;
	}
	return found;
}

/* ---- Xorg ---------------------------------------------------------------------------------- */

/* xorg.conf(5): BusID "PCI:bus[@domain]:device:function", in decimal numbers. */
static bool parse_bus_id(const char *line, struct gb_bdf *ret)
{
	unsigned bus, domain = 0, device, function;
	const char *at = line + strspn(line, " \t");

	if (strncasecmp(at, "BusID", 5) || !(at = strchr(at, '"')))
		return false;
	at++;
	if (strncasecmp(at, "PCI:", 4) ||
	    (sscanf(at + 4, "%3u@%5u:%2u:%1u", &bus, &domain, &device, &function) != 4 &&
	     sscanf(at + 4, "%3u:%2u:%1u", &bus, &device, &function) != 3) ||
	    bus > 255 || device > 31 || function > 7)
		return false;
	*ret = (struct gb_bdf){ domain, (uint8_t)bus, (uint8_t)(device << 3 | function) };
	return true;
}

static void look_at_xorg_line(void *ctx, unsigned number, const char *line)
{
	struct warner *w = ctx;
	struct gb_bdf bdf;
	int node;

	if (!parse_bus_id(line, &bdf))
		return;
	node = gb_survey_find(w->target->survey, bdf);
	if (node == GB_NOWHERE || !gb_target_claims(w->target, node))
		return;
	gb_check(w->checks, "xorg-busid", GB_WARN, name_of(w, node),
		 "Xorg is told to use it, and will not start without it");
	gb_check_evidence(w->checks, "%s, line %u: %.80s", w->file, number,
			  line + strspn(line, " \t"));
	gb_check_fix(w->checks, "take the BusID out, or name the display that stays");
}

static void look_at_file(struct warner *w, const char *path, gb_line_fn each)
{
	char *data;
	size_t len;

	if (gb_root_read_all(root_of(w), path, FILE_MAX, &data, &len))
		return;
	w->file = path;
	gb_lines_each(data, len, each, w);
	free(data);
}

static int look_at_xorg_file(void *ctx, const char *name)
{
	struct warner *w = ctx;
	size_t len = strlen(name);
	char path[PATH_MAX];

	if (len > 5 && !strcmp(name + len - 5, ".conf")) {
		snprintf(path, sizeof(path), "%s/%s", w->folder, name);
		look_at_file(w, path, look_at_xorg_line);
	}
	return 0;
}

static void warn_xorg(struct warner *w)
{
	static const char *const folders[] = { "/etc/X11/xorg.conf.d",
					       "/usr/share/X11/xorg.conf.d" };

	look_at_file(w, "/etc/X11/xorg.conf", look_at_xorg_line);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		w->folder = folders[i];
		gb_root_list(root_of(w), folders[i], look_at_xorg_file, w);
	}
}

/* Ubuntu's prime-select: "on-demand", "nvidia" or "intel" (nvidia-prime). */
static void warn_prime(struct warner *w)
{
	int node = find_last_of(w, NVIDIA);
	char mode[32];

	if (node == GB_NOWHERE ||
	    gb_root_read(root_of(w), "/etc/prime-discrete", mode, sizeof(mode)) <= 0)
		return;
	mode[strcspn(mode, " \t\r\n")] = '\0';
	if (strcmp(mode, "nvidia") && strcmp(mode, "on-demand") && strcmp(mode, "on"))
		return;
	gb_check(w->checks, "prime-select", GB_WARN, name_of(w, node),
		 "prime-select has the desktop drawn by it, and it will not be there");
	gb_check_evidence(w->checks, "/etc/prime-discrete: %s", mode);
	gb_check_fix(w->checks, "prime-select intel, before the next boot");
}

/* ---- units --------------------------------------------------------------------------------- */

bool gb_warning_fails_without_nvidia(const char *unit)
{
	static const char *const failing[] = { "nvidia-persistenced.service",
					       "nvidia-powerd.service",
					       "nvidia-fabricmanager.service",
					       "nvidia-dcgm.service" };

	for (size_t i = 0; i < sizeof(failing) / sizeof(*failing); i++)
		if (!strcmp(unit, failing[i]))
			return true;
	return false;
}

static int look_at_wanted(void *ctx, const char *name)
{
	struct warner *w = ctx;
	int node = find_last_of(w, NVIDIA);

	if (node == GB_NOWHERE || !gb_warning_fails_without_nvidia(name))
		return 0;
	gb_check(w->checks, "unit-fails", GB_WARN, name_of(w, node),
		 "%s is enabled, and fails without it", name);
	gb_check_evidence(w->checks, "%s/%s", w->folder, name);
	gb_check_fix(w->checks, "systemctl disable %s", name);
	return 0;
}

static int look_at_wants(void *ctx, const char *name)
{
	struct warner *w = ctx;
	size_t len = strlen(name);
	char folder[PATH_MAX];

	if (len < 6 || strcmp(name + len - 6, ".wants"))
		return 0;
	snprintf(folder, sizeof(folder), "/etc/systemd/system/%s", name);
	w->folder = folder;
	gb_root_list(root_of(w), folder, look_at_wanted, w);
	return 0;
}

/* ---- a prompt that nobody sees ------------------------------------------------------------- */

static int find_boot_display(const struct warner *w)
{
	const struct gb_range *range = NULL;

	for (size_t i = 0; i < w->target->claims; i++) {
		const struct gb_device *device = device_of(w, w->target->item[i].node);

		if (device->boot_vga ||
		    gb_iomem_framebuffer(&w->target->survey->iomem, device->bdf, &range) == 1)
			return w->target->item[i].node;
	}
	return GB_NOWHERE;
}

static void warn_prompt(struct warner *w)
{
	const struct gb_survey *survey = w->target->survey;
	int node = find_boot_display(w), kept = GB_NOWHERE;
	const char *driver;
	char evidence[200];

	if (node == GB_NOWHERE ||
	    !gb_passphrase_is_asked(survey, w->disks, evidence, sizeof(evidence)))
		return;
	for (int i = 0; i < (int)survey->topology.nodes && kept == GB_NOWHERE; i++)
		if (gb_device_has_outlet(device_of(w, i)) && !gb_target_takes(w->target, i))
			kept = i;
	gb_check(w->checks, "blind-prompt", GB_WARN, name_of(w, node),
		 "the passphrase of the root disk is asked for in the image, and the picture is "
		 "on this display until another one's driver is loaded");
	gb_check_evidence(w->checks, "%s", evidence);
	driver = kept == GB_NOWHERE ? "" : gb_survey_driver(survey, kept);
	if (*driver)
		gb_check_fix(w->checks, "see to it that %s, for %s, is in the image; the prompt "
			     "waits, unseen, and takes the passphrase all the same", driver,
			     name_of(w, kept));
	else
		gb_check_fix(w->checks, "the prompt waits, unseen, and takes the passphrase all the "
			     "same");
}

/* The TPM measures what boots: the loader's command line and images (GRUB: PCR 8 and 9; systemd-boot
 * and unified images: 11 and 12; systemd.pcrlock(8) lists them). */
static void warn_sealed(struct warner *w)
{
	char evidence[200];

	if (!w->target->claims || !gb_passphrase_is_sealed(w->target->survey, evidence, sizeof(evidence)))
		return;
	gb_check(w->checks, "sealed-disk", GB_WARN, "system",
		 "a disk is unlocked by the TPM; where that is sealed to the image and the command line "
		 "(PCR 8, 9, 11, 12), its passphrase will be asked for, as both change");
	gb_check_evidence(w->checks, "%s", evidence);
	gb_check_fix(w->checks, "have the passphrase or the recovery key at hand; once booted, "
		     "systemd-cryptenroll seals it anew");
}

/* ---- in use -------------------------------------------------------------------------------- */

static void warn_use(struct warner *w)
{
	char who[200];

	for (size_t i = 0; i < w->target->claims; i++) {
		int node = w->target->item[i].node;

		if (gb_use_find(root_of(w), device_of(w, node)->bdf, who, sizeof(who)) != 1)
			continue;
		gb_check(w->checks, "in-use", GB_WARN, name_of(w, node), "is in use now: %s", who);
		gb_check_fix(w->checks, "nothing: it is claimed at the next boot, and stays as it is "
			     "until then");
	}
}

void gb_warnings_read(const struct gb_target *target, const struct gb_disks *disks,
		      struct gb_checks *checks)
{
	struct warner w = { .target = target, .disks = disks, .checks = checks };

	warn_xorg(&w);
	warn_prime(&w);
	gb_root_list(root_of(&w), "/etc/systemd/system", look_at_wants, &w);
	warn_prompt(&w);
	warn_sealed(&w);
	warn_use(&w);
}
