/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modprobe.h"

#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "ids.h"
#include "lines.h"
#include "machine.h"
#include "text.h"

/* ids= may have 1023 characters (drivers/vfio/pci/vfio_pci.c). */
#define WORD_MAX 1100

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const vfio[] = {
	"vfio", "vfio_pci", "vfio_iommu_type1", "vfio_pci_core", "vfio_virqfd",
};

/* Drivers of displays and of the other functions that cards with displays have. */
static const char *const rivals[] = {
	"amdgpu", "ast", "drm", "i2c_nvidia_gpu", "i915", "mgag200", "nouveau", "nova_core",
	"nvidia", "nvidia_drm", "nvidia_modeset", "nvidia_uvm", "nvidiafb", "radeon",
	"radeonfb", "snd_hda_codec_hdmi", "snd_hda_intel", "typec_ucsi", "ucsi_ccg", "xe",
	"xhci_hcd", "xhci_pci",
};

/* Others whose names are close to those above. */
static const char *const others[] = {
	"ehci_hcd", "ehci_pci", "ohci_hcd", "ohci_pci", "uhci_hcd",
};

static const char *const options[] = { "nointxmask", "disable_vga", "disable_idle_d3",
				       "enable_sriov", "disable_denylist" };

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gb_text_same_module(name, list[i]))
			return true;
	return false;
}

bool gb_modprobe_is_vfio(const char *module)
{
	return is_one_of(module, vfio, COUNT(vfio));
}

bool gb_modprobe_is_rival(const char *module)
{
	return is_one_of(module, rivals, COUNT(rivals));
}

static bool same(char a, char b)
{
	return (a == '-' ? '_' : a) == (b == '-' ? '_' : b);
}

/* One letter more, less, other, or two swapped. */
static bool one_slip(const char *a, const char *b)
{
	while (*a && same(*a, *b)) {
		a++;
		b++;
	}
	if (*a && *b && (gb_text_same_module(a + 1, b + 1) ||
			 (a[1] && same(a[0], b[1]) && same(a[1], b[0]) &&
			  gb_text_same_module(a + 2, b + 2))))
		return true;
	return (*a && gb_text_same_module(a + 1, b)) || (*b && gb_text_same_module(a, b + 1));
}

static const char *meant(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; strlen(name) >= 5 && i < n; i++)
		if (one_slip(name, list[i]))
			return list[i];
	return NULL;
}

bool gb_modprobe_misspelt(struct gb_findings *f, const char *module, const char *words)
{
	const char *name;

	if (gb_modprobe_is_vfio(module) || gb_modprobe_is_rival(module) ||
	    is_one_of(module, others, COUNT(others)))
		return false;
	name = meant(module, rivals, COUNT(rivals));
	if (!name)
		name = meant(module, vfio, COUNT(vfio));
	if (name)
		gb_foundf(f, GB_MODULE_UNKNOWN, words, "%s: %s is meant", module, name);
	return name;
}

static bool says_yes(const char *value)
{
	return !*value || strchr("1yY", *value) || !strcmp(value, "on");
}

static void vfio_option(struct gb_findings *f, const char *word, int by)
{
	char name[64];
	size_t len = strcspn(word, "=");
	const char *value = word + len + (word[len] == '='), *near;

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	if (!strcmp(name, "ids")) {
		gb_found(f, by == GB_BY_CMDLINE ? GB_CMDLINE_IDS : GB_VFIO_IDS, word);
		gb_ids_take(f, value, by);
	} else if (gb_ids_looks_like(word)) {
		gb_found(f, GB_VFIO_IDS_SPACE, word);
	} else if (gb_lines_after(name, "vfio-pci.")) {
		gb_foundf(f, GB_VFIO_IDS_PREFIX, word, "%s= is meant",
			  name + strlen("vfio-pci."));
	} else if (!strcmp(name, "allow_unsafe_interrupts")) {
		gb_found(f, GB_UNSAFE_INTERRUPTS_MODULE, word);
	} else if (is_one_of(name, options, COUNT(options))) {
		gb_found(f, GB_VFIO_OPTION, word);
	} else {
		near = meant(name, options, COUNT(options));
		gb_foundf(f, GB_VFIO_OPTION_UNKNOWN, word, "%s%s", near ? near : "",
			  near ? " is meant" : "");
	}
}

static bool is_option(const char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, name, len) &&
	       (!word[len] || (word[len] == '=' && says_yes(word + len + 1)));
}

void gb_modprobe_option(struct gb_findings *f, const char *module, const char *word, int by)
{
	if (gb_text_same_module(module, "vfio-pci"))
		vfio_option(f, word, by);
	else if (gb_text_same_module(module, "vfio_iommu_type1") &&
		 is_option(word, "allow_unsafe_interrupts"))
		gb_found(f, GB_UNSAFE_INTERRUPTS, word);
	else if (!strcmp(module, "vfio") && is_option(word, "enable_unsafe_noiommu_mode"))
		gb_found(f, GB_UNSAFE_NOIOMMU, word);
	else if (gb_text_same_module(module, "pci-stub") && !strncmp(word, "ids=", 4))
		gb_found(f, GB_STUB_IDS, word);
}

static void read_options(struct gb_findings *f, const char *at, const char *line)
{
	char module[64], word[WORD_MAX];
	bool any = false;

	if (!gb_lines_word(&at, module, sizeof(module)) || gb_modprobe_misspelt(f, module, line))
		return;
	while (gb_lines_word(&at, word, sizeof(word)) && word[0] != '#') {
		any = true;
		gb_modprobe_option(f, module, word, GB_BY_MODPROBE);
	}
	if (!any && gb_modprobe_is_vfio(module))
		gb_found(f, GB_MODPROBE_LINE, line);
}

/* libkmod/libkmod-config.c, kmod_config_add_softdep: "pre:" and "post:" are words of their own;
 * what stands before them is dropped. */
static void read_softdep(struct gb_findings *f, const char *at, const char *line)
{
	char module[64], word[WORD_MAX];
	enum { NONE, PRE, POST } when = NONE;
	int found = -1;

	if (!gb_lines_word(&at, module, sizeof(module)) || !strstr(at, "vfio"))
		return;
	while (gb_lines_word(&at, word, sizeof(word))) {
		const char *name = strrchr(word, ':') ? strrchr(word, ':') + 1 : word;

		if (!strcmp(word, "pre:"))
			when = PRE;
		else if (!strcmp(word, "post:"))
			when = POST;
		else if (gb_modprobe_is_vfio(name))
			found = name != word || when == NONE ? GB_SOFTDEP_SYNTAX
				: when == PRE		     ? GB_SOFTDEP
							     : GB_SOFTDEP_POST;
		else
			gb_modprobe_misspelt(f, word, line);
	}
	if (found >= 0 && !gb_modprobe_misspelt(f, module, line))
		gb_found(f, (enum gb_finding_id)found, line);
}

void gb_modprobe_kept_away(struct gb_findings *f, int id, const char *module, const char *words)
{
	char driver[GB_DRIVER_MAX], bdf[GB_BDF_MAX];

	if (gb_modprobe_is_vfio(module)) {
		gb_found(f, GB_VFIO_BLACKLISTED, words);
		return;
	}
	if (gb_modprobe_misspelt(f, module, words) || !gb_modprobe_is_rival(module))
		return;
	if (!f->root || !f->machine || f->findings == GB_FINDINGS_MAX) {
		gb_found(f, (enum gb_finding_id)id, words);
		return;
	}
	for (size_t i = 0; i < f->machine->devices; i++) {
		if (gb_device_driver(f->root, f->machine->device[i].bdf, driver) ||
		    !gb_text_same_module(driver, module))
			continue;
		gb_foundf(f, (enum gb_finding_id)id, words, "%s drives %s now", driver,
			  gb_bdf_format(f->machine->device[i].bdf, bdf));
		return;
	}
	gb_found(f, (enum gb_finding_id)id, words);
}

/* Distributions keep the framebuffer drivers of old from loading: that is no passthrough. */
static bool distribution_says(const struct gb_findings *f, const char *module)
{
	size_t len = strlen(module);

	return len > 2 && !strcmp(module + len - 2, "fb") && f->files &&
	       strncmp(f->file[f->files - 1], "/etc/", 5) != 0;
}

struct reader {
	struct gb_findings *f;
	char *program;
	size_t size;
};

static void read_install(struct reader *r, const char *at, const char *line)
{
	char module[64];

	if (!gb_lines_word(&at, module, sizeof(module)))
		return;
	if (gb_text_same_module(module, "vfio-pci")) {
		gb_found(r->f, GB_INSTALL_VFIO, line);
		if (r->program)
			gb_lines_word(&at, r->program, r->size);
	} else if (strstr(at, "/true") || strstr(at, "/false")) {
		gb_modprobe_kept_away(r->f, GB_INSTALL_NONE, module, line);
	}
}

static void read_line(void *ctx, unsigned number, const char *line)
{
	struct reader *r = ctx;
	const char *at = line;
	char command[32], word[WORD_MAX];

	r->f->line = number;
	if (!gb_lines_word(&at, command, sizeof(command)) || command[0] == '#')
		return;
	line += strspn(line, " \t");
	if (!strcmp(command, "options")) {
		read_options(r->f, at, line);
	} else if (!strcmp(command, "softdep")) {
		read_softdep(r->f, at, line);
	} else if (!strcmp(command, "blacklist")) {
		if (gb_lines_word(&at, word, sizeof(word)) && !distribution_says(r->f, word))
			gb_modprobe_kept_away(r->f, GB_BLACKLIST, word, line);
	} else if (!strcmp(command, "install")) {
		read_install(r, at, line);
	} else if (!strcmp(command, "alias")) {
		if (gb_lines_word(&at, word, sizeof(word)) &&
		    gb_lines_word(&at, word, sizeof(word)) &&
		    gb_text_same_module(word, "vfio-pci"))
			gb_found(r->f, GB_ALIAS_VFIO, line);
	} else if (strcmp(command, "remove") && strcmp(command, "weakdep") &&
		   (strstr(line, "vfio") || gb_ids_looks_like(command))) {
		gb_found(r->f, GB_MODPROBE_LINE, line);
	}
}

void gb_modprobe_read(struct gb_findings *f, const char *data, size_t len, char *program,
		      size_t size)
{
	struct reader r = { f, program, size };

	gb_lines_each(data, len, read_line, &r);
}
