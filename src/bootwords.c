/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootwords.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "ids.h"
#include "lines.h"
#include "machine.h"
#include "modprobe.h"
#include "text.h"

#define WORD_MAX 1100

struct reader {
	struct gb_findings *f;
	bool intel, amd; /* said something about that IOMMU */
	char intel_word[64], amd_word[64];
};

typedef void (*word_fn)(struct reader *r, const char *word, const char *value);

/* The next piece of a comma list; false at its end. */
static bool next_piece(const char **list, char *piece, size_t size)
{
	size_t len;

	*list += strspn(*list, ",");
	len = strcspn(*list, ",");
	if (!len)
		return false;
	snprintf(piece, size, "%.*s", (int)len, *list);
	*list += len;
	return true;
}

static bool one_of(const char *name, const char *list)
{
	size_t len = strlen(name);

	for (const char *at = list; len && (at = strstr(at, name)); at++)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

/* drivers/iommu/intel/iommu.c, intel_iommu_setup */
static void intel_iommu(struct reader *r, const char *word, const char *value)
{
	char piece[64];

	r->intel = true;
	gb_text_copy(r->intel_word, sizeof(r->intel_word), word);
	while (next_piece(&value, piece, sizeof(piece)))
		if (!strcmp(piece, "off"))
			gb_found(r->f, GB_IOMMU_OFF, word);
		else if (!strcmp(piece, "igfx_off"))
			gb_foundf(r->f, GB_INTEL_IOMMU, word, "not for the integrated display");
		else if (one_of(piece, "on forcedac strict sp_off sm_on sm_off tboot_noforce"))
			gb_found(r->f, GB_INTEL_IOMMU, word);
		else
			gb_found(r->f, GB_IOMMU_UNKNOWN, word);
}

/* drivers/iommu/amd/init.c, parse_amd_iommu_options */
static void amd_iommu(struct reader *r, const char *word, const char *value)
{
	char piece[64];

	r->amd = true;
	gb_text_copy(r->amd_word, sizeof(r->amd_word), word);
	while (next_piece(&value, piece, sizeof(piece)))
		if (!strcmp(piece, "off"))
			gb_found(r->f, GB_IOMMU_OFF, word);
		else if (!strcmp(piece, "on"))
			gb_found(r->f, GB_AMD_IOMMU_ON, word);
		else if (one_of(piece, "fullflush force_enable force_isolation pgtbl_v1 pgtbl_v2 "
				       "irtcachedis nohugepages v2_pgsizes_only"))
			gb_found(r->f, GB_AMD_IOMMU, word);
		else
			gb_found(r->f, GB_IOMMU_UNKNOWN, word);
}

/* arch/x86/kernel/pci-dma.c, iommu_setup, and amd_gart_64.c, gart_parse_options */
static void iommu(struct reader *r, const char *word, const char *value)
{
	char piece[64];

	while (next_piece(&value, piece, sizeof(piece)))
		if (!strcmp(piece, "off"))
			gb_found(r->f, GB_IOMMU_OFF, word);
		else if (!strcmp(piece, "pt"))
			gb_found(r->f, GB_IOMMU_PT, word);
		else if (one_of(piece, "force noforce biomerge panic nopanic merge nomerge "
				       "forcesac allowdac nodac usedac soft nopt fullflush "
				       "nofullflush noagp noaperture allowed leak memaper") ||
			 !strncmp(piece, "memaper=", 8))
			gb_found(r->f, GB_IOMMU_WORD, word);
		else
			gb_foundf(r->f, GB_IOMMU_UNKNOWN, word, "iommu=%s", piece);
}

static void iommu_word(struct reader *r, const char *word, const char *value)
{
	(void)value;
	gb_found(r->f, GB_IOMMU_WORD, word);
}

static void acs_override(struct reader *r, const char *word, const char *value)
{
	(void)value;
	gb_found(r->f, GB_ACS_OVERRIDE, word);
}

static void blacklist(struct reader *r, const char *word, const char *value)
{
	int id = strncmp(word, "module_", 7) ? GB_CMDLINE_BLACKLIST : GB_MODULE_BLACKLIST;
	char module[64], text[128];

	while (next_piece(&value, module, sizeof(module))) {
		snprintf(text, sizeof(text), "%.*s=%s", (int)strcspn(word, "="), word, module);
		gb_modprobe_kept_away(r->f, id, module, text);
	}
}

static void driver_pre(struct reader *r, const char *word, const char *value)
{
	char module[64];

	while (next_piece(&value, module, sizeof(module)))
		if (gb_modprobe_is_vfio(module))
			gb_found(r->f, GB_RD_DRIVER_PRE, word);
		else
			gb_modprobe_misspelt(r->f, module, word);
}

/* drivers/video/cmdline.c: one driver a word, and "off" is all that has to follow its name. */
static void video(struct reader *r, const char *word, const char *value)
{
	size_t len = strcspn(value, ":");
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)len, value);
	if (!one_of(name, "efifb vesafb simplefb efidrm vesadrm simpledrm") ||
	    strncmp(value + len, ":off", 4))
		return;
	if (strstr(value + len, ",") && strstr(strchr(value + len, ','), ":off"))
		gb_foundf(r->f, GB_VIDEO_LIST, word, "only %s is turned off", name);
	else
		gb_found(r->f, GB_VIDEO_OFF, word);
}

static void initcall(struct reader *r, const char *word, const char *value)
{
	if (strstr(value, "sysfb"))
		gb_found(r->f, GB_SYSFB, word);
}

static void nomodeset(struct reader *r, const char *word, const char *value)
{
	(void)value;
	gb_found(r->f, GB_NOMODESET, word);
}

/* drivers/pci/pci.c, pci_setup, and arch/x86/pci/common.c */
static void pci(struct reader *r, const char *word, const char *value)
{
	char piece[64];

	while (next_piece(&value, piece, sizeof(piece)))
		if (!strcmp(piece, "noats"))
			gb_found(r->f, GB_PCI_NOATS, word);
		else if (one_of(piece, "nommconf conf1 conf2"))
			gb_found(r->f, GB_PCI_NOMMCONF, word);
		else if (!strncmp(piece, "config_acs=", 11) ||
			 !strncmp(piece, "disable_acs_redir=", 18))
			gb_found(r->f, GB_PCI_ACS, word);
}

/* drivers/iommu/irq_remapping.c, setup_irqremap */
static void intremap(struct reader *r, const char *word, const char *value)
{
	char piece[64];

	while (next_piece(&value, piece, sizeof(piece)))
		if (one_of(piece, "off nosid"))
			gb_found(r->f, GB_INTREMAP, word);
}

static void nointremap(struct reader *r, const char *word, const char *value)
{
	(void)value;
	gb_found(r->f, GB_INTREMAP, word);
}

static void xen_hide(struct reader *r, const char *word, const char *value)
{
	(void)value;
	gb_found(r->f, GB_XEN_HIDE, word);
}

static const struct {
	const char *name;
	word_fn take;
} words[] = {
	{ "intel_iommu", intel_iommu },
	{ "amd_iommu", amd_iommu },
	{ "iommu", iommu },
	{ "iommu.passthrough", iommu_word },
	{ "iommu.strict", iommu_word },
	{ "pcie_acs_override", acs_override },
	{ "modprobe.blacklist", blacklist },
	{ "module_blacklist", blacklist },
	{ "rd.driver.blacklist", blacklist },
	{ "rdblacklist", blacklist },
	{ "rd.driver.pre", driver_pre },
	{ "rdloaddriver", driver_pre },
	{ "video", video },
	{ "initcall_blacklist", initcall },
	{ "nomodeset", nomodeset },
	{ "pci", pci },
	{ "intremap", intremap },
	{ "nointremap", nointremap },
	{ "xen-pciback.hide", xen_hide },
};

/* MODULE.OPTION=VALUE of the modules that matter here. */
static void module_option(struct reader *r, const char *word)
{
	static const char *const modules[] = { "vfio_pci", "vfio_iommu_type1", "pci_stub",
					       "vfio" };
	const char *option;

	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		option = gb_lines_after(word, modules[i]);
		if (!option || *option != '.')
			continue;
		gb_modprobe_option(r->f, modules[i], option + 1, GB_BY_CMDLINE);
		return;
	}
}

static void take_word(struct reader *r, const char *word)
{
	size_t len = strcspn(word, "=");
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (gb_text_same_module(name, words[i].name)) {
			words[i].take(r, word, word + len + (word[len] == '='));
			return;
		}
	if (gb_ids_looks_like(word))
		gb_found(r->f, GB_VFIO_IDS_SPACE, word);
	else
		module_option(r, word);
}

/* The vendor of the host bridge at 00:00.0, or 0. */
static uint16_t host_vendor(const struct gb_machine *machine)
{
	for (size_t i = 0; machine && i < machine->devices; i++) {
		const struct gb_device *device = &machine->device[i];

		if (device->path.hops == 1 && !device->bdf.domain && !device->bdf.bus &&
		    !device->bdf.devfn && device->id.class >> 8 == 0x0600)
			return device->id.vendor;
	}
	return 0;
}

static void judge_vendors(const struct reader *r)
{
	uint16_t vendor = host_vendor(r->f->machine);

	if (r->intel && r->amd) {
		char both[128];

		snprintf(both, sizeof(both), "%s %s", r->intel_word, r->amd_word);
		gb_found(r->f, GB_IOMMU_BOTH, both);
	} else if (r->intel && vendor == 0x1022) {
		gb_found(r->f, GB_IOMMU_OTHER_VENDOR, r->intel_word);
	} else if (r->amd && vendor == 0x8086) {
		gb_found(r->f, GB_IOMMU_OTHER_VENDOR, r->amd_word);
	}
}

void gb_bootwords_read(struct gb_findings *f, const char *text)
{
	struct reader r = { .f = f };
	char word[WORD_MAX];

	while (gb_lines_word(&text, word, sizeof(word))) {
		/* what follows is for init (init/main.c) */
		if (!strcmp(word, "--"))
			break;
		take_word(&r, word);
	}
	judge_vendors(&r);
}
