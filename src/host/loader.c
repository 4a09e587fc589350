/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efi.h"
#include "root.h"
#include "text.h"

#define TEXT_MAX (64u << 10)

static const char *const ids[GB_PROOFS] = {
	[GB_PROOF_FIRMWARE] = "firmware",	[GB_PROOF_INFO] = "loader-info",
	[GB_PROOF_FEATURES] = "loader-features", [GB_PROOF_PARTITION] = "loader-partition",
	[GB_PROOF_BOOT] = "boot-current",	[GB_PROOF_CMDLINE] = "cmdline",
	[GB_PROOF_ENTRY] = "entry-selected",	[GB_PROOF_STUB] = "stub-info",
};

const char *gb_family_name(enum gb_family family)
{
	static const char *const names[] = {
		[GB_FAMILY_NONE] = "nothing", [GB_FAMILY_GRUB] = "GRUB",
		[GB_FAMILY_SYSTEMD] = "systemd-boot", [GB_FAMILY_STUB] = "the firmware itself",
		[GB_FAMILY_OTHER] = "another loader",
	};

	return names[family];
}

__attribute__((format(printf, 5, 6)))
static void found(struct gb_loader *loader, enum gb_proof_id id, enum gb_family says,
		  unsigned weight, const char *format, ...)
{
	struct gb_loader_proof *proof = &loader->proof[id];
	va_list args;

	proof->says = says;
	proof->weight = says == GB_FAMILY_NONE ? 0 : weight;
	va_start(args, format);
	vsnprintf(proof->text, sizeof(proof->text), format, args);
	va_end(args);
}

/* ---- EFI variables ------------------------------------------------------------------- */

static void read_text(struct gb_efi *efi, const char *name, char *ret, size_t size)
{
	if (!efi || gb_efi_get_text(efi, name, ret, size))
		ret[0] = '\0';
}

static void look_at_firmware(struct gb_root *root, struct gb_loader *loader)
{
	loader->efi = gb_root_exists(root, "/sys/firmware/efi");
	found(loader, GB_PROOF_FIRMWARE, GB_FAMILY_NONE, 0, loader->efi ? "booted by EFI" :
	      gb_root_exists(root, "/sys/firmware") ? "booted by BIOS" : "cannot tell BIOS from EFI");
}

static void look_at_info(struct gb_efi *efi, struct gb_loader *loader)
{
	const char *info = loader->info;
	enum gb_family says = GB_FAMILY_OTHER;

	read_text(efi, "LoaderInfo" GB_EFI_LOADER, loader->info, sizeof(loader->info));
	if (!info[0])
		says = GB_FAMILY_NONE;
	else if (!strncmp(info, "systemd-boot", 12))
		says = GB_FAMILY_SYSTEMD;
	else if (!strncmp(info, "GRUB", 4))
		says = GB_FAMILY_GRUB;
	found(loader, GB_PROOF_INFO, says, 3, info[0] ? "LoaderInfo says \"%s\"" :
	      "no LoaderInfo", info);
}

/* GRUB can have features too, openSUSE's with boot loader entries for one. */
static void look_at_features(struct gb_efi *efi, struct gb_loader *loader)
{
	enum gb_family info = loader->proof[GB_PROOF_INFO].says;

	if (efi && !gb_efi_get_number(efi, "LoaderFeatures" GB_EFI_LOADER, &loader->features))
		loader->features_known = true;
	found(loader, GB_PROOF_FEATURES, loader->features_known && info == GB_FAMILY_SYSTEMD ?
	      GB_FAMILY_SYSTEMD : GB_FAMILY_NONE, 1, loader->features_known ? "LoaderFeatures is 0x%llx" :
	      "no LoaderFeatures", (unsigned long long)loader->features);
}

/* The device mounted at a folder, from /proc/self/mounts; the last mount is the one seen. */
static bool mounted_at(const char *mounts, const char *folder, char *ret, size_t size)
{
	char device[256], at[256];
	bool is = false;

	for (; mounts; mounts = strchr(mounts, '\n'), mounts += mounts != NULL)
		if (sscanf(mounts, "%255s %255s", device, at) == 2 && !strcmp(at, folder))
			is = gb_text_copy(ret, size, device);
	return is;
}

static const char *const esp_folders[] = { "/efi", "/boot/efi", "/boot", "/boot/esp", NULL };

static void look_at_partition(struct gb_root *root, struct gb_efi *efi, struct gb_loader *loader)
{
	char uuid[64], link[128], target[256], device[256], *mounts = NULL;
	const char *name;
	size_t len;
	ssize_t n;

	read_text(efi, "LoaderDevicePartUUID" GB_EFI_LOADER, uuid, sizeof(uuid));
	for (char *c = uuid; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	snprintf(link, sizeof(link), "/dev/disk/by-partuuid/%s", uuid);
	n = uuid[0] && !strchr(uuid, '/') ? gb_root_readlink(root, link, target, sizeof(target)) : -1;
	if (!uuid[0] || n < 0) {
		found(loader, GB_PROOF_PARTITION, GB_FAMILY_NONE, 0, uuid[0] ?
		      "the loader's partition %s can't be found" : "no LoaderDevicePartUUID", uuid);
		return;
	}
	name = gb_text_base(target);
	if (gb_root_read_all(root, "/proc/self/mounts", TEXT_MAX * 4, &mounts, &len))
		mounts = NULL;
	for (const char *const *f = esp_folders; mounts && *f; f++)
		if (mounted_at(mounts, *f, device, sizeof(device)) && device[0] == '/' &&
		    !strcmp(gb_text_base(device), name)) {
			gb_text_copy(loader->esp, sizeof(loader->esp), *f);
			break;
		}
	loader->esp_away = mounts && !loader->esp[0];
	found(loader, GB_PROOF_PARTITION, GB_FAMILY_NONE, 0, loader->esp[0] ?
	      "the loader came from %s, mounted at %s" : "the loader came from %s, which is not mounted",
	      name, loader->esp);
	free(mounts);
}

static bool holds(const char *path, const char *part)
{
	return strcasestr(path, part);
}

static void look_at_boot(struct gb_efi *efi, struct gb_loader *loader)
{
	struct gb_efi_boot boot = { 0 };
	enum gb_family says = GB_FAMILY_NONE;
	uint8_t *data = NULL;
	uint64_t current;
	char name[64];
	size_t len;

	if (!efi || gb_efi_get_number(efi, "BootCurrent" GB_EFI_GLOBAL, &current) || current > 0xffff) {
		found(loader, GB_PROOF_BOOT, says, 0, "no BootCurrent");
		return;
	}
	snprintf(name, sizeof(name), "Boot%04X" GB_EFI_GLOBAL, (unsigned)current);
	if (efi->read(efi, name, &data, &len) || gb_efi_boot(data, len, &boot)) {
		found(loader, GB_PROOF_BOOT, says, 0, "Boot%04X can't be read", (unsigned)current);
		free(data);
		return;
	}
	gb_text_copy(loader->started, sizeof(loader->started), boot.path);
	/* a shim starts what lies beside it, or what it is told to: only names that say it count */
	if (holds(boot.path, "\\systemd-boot"))
		says = GB_FAMILY_SYSTEMD;
	else if (holds(boot.path, "\\grub"))
		says = GB_FAMILY_GRUB;
	else if (holds(boot.path, "\\EFI\\Linux\\"))
		says = GB_FAMILY_STUB;
	found(loader, GB_PROOF_BOOT, says, 2, "the firmware started \"%s\", %s", boot.title,
	      boot.path[0] ? boot.path : "which names no file");
	free(data);
}

static void look_at_stub(struct gb_efi *efi, struct gb_loader *loader)
{
	char info[64];

	read_text(efi, "StubInfo" GB_EFI_LOADER, info, sizeof(info));
	/* loaders start such images too: it says so only when nothing else says which one */
	found(loader, GB_PROOF_STUB, GB_FAMILY_NONE, 0, info[0] ? "StubInfo says \"%s\"" :
	      "no StubInfo", info);
	if (info[0])
		loader->proof[GB_PROOF_STUB].weight = 1;
}

/* ---- command line -------------------------------------------------------------------- */

static bool has_word(const char *text, const char *word)
{
	for (const char *at = text; (at = strstr(at, word)); at++)
		if (at == text || at[-1] == ' ')
			return true;
	return false;
}

static void look_at_cmdline(const char *cmdline, struct gb_loader *loader)
{
	bool image = has_word(cmdline, "BOOT_IMAGE="), initrd = has_word(cmdline, "initrd=\\");

	if (image && initrd)
		found(loader, GB_PROOF_CMDLINE, GB_FAMILY_NONE, 0,
		      "/proc/cmdline has both BOOT_IMAGE= and initrd=\\");
	else if (image)
		found(loader, GB_PROOF_CMDLINE, GB_FAMILY_GRUB, 2, "/proc/cmdline has BOOT_IMAGE=, "
		      "which GRUB puts there");
	else if (initrd)
		found(loader, GB_PROOF_CMDLINE, GB_FAMILY_SYSTEMD, 2, "/proc/cmdline has initrd=\\, "
		      "which systemd-boot puts there");
	else
		found(loader, GB_PROOF_CMDLINE, GB_FAMILY_NONE, 0, cmdline[0] ?
		      "/proc/cmdline has no loader's word" : "/proc/cmdline can't be read");
}

/* ---- judgement ----------------------------------------------------------------------- */

/* A conflict is refused, with both proofs named: one is a leftover, and nobody can say which. */
static bool judge(struct gb_loader *loader, bool bios)
{
	const struct gb_loader_proof *first = NULL;

	for (size_t i = 0; i < GB_PROOFS; i++) {
		const struct gb_loader_proof *proof = &loader->proof[i];

		if (proof->says == GB_FAMILY_NONE)
			continue;
		if (first && first->says != proof->says) {
			loader->family = GB_FAMILY_NONE;
			loader->score = 0;
			snprintf(loader->why, sizeof(loader->why), "what booted this machine can't be "
				 "told: %s, but %s", first->text, proof->text);
			return false;
		}
		if (!first)
			first = proof;
		loader->family = proof->says;
		loader->score += proof->weight;
	}
	if (!first && loader->proof[GB_PROOF_STUB].weight)
		loader->family = GB_FAMILY_STUB;
	if (bios && loader->family != GB_FAMILY_GRUB && first) {
		snprintf(loader->why, sizeof(loader->why), "what booted this machine can't be told: "
			 "it was %s, but %s", loader->proof[GB_PROOF_FIRMWARE].text, first->text);
		loader->family = GB_FAMILY_NONE;
		loader->score = 0;
		return false;
	}
	return true;
}

void gb_loader_find(struct gb_root *root, struct gb_efi *efi, struct gb_loader *ret)
{
	size_t len;
	char *cmdline;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < GB_PROOFS; i++)
		ret->proof[i].id = ids[i];
	if (gb_root_read_all(root, "/proc/cmdline", TEXT_MAX, &cmdline, &len))
		cmdline = NULL;
	look_at_firmware(root, ret);
	look_at_info(efi, ret);
	look_at_features(efi, ret);
	look_at_boot(efi, ret);
	look_at_cmdline(cmdline ? cmdline : "", ret);
	read_text(efi, "LoaderEntrySelected" GB_EFI_LOADER, ret->selected, sizeof(ret->selected));
	gb_loader_find_entry(root, cmdline ? cmdline : "", ret);
	/* behind the search for entries, which mounts what is mounted when it is looked at */
	look_at_partition(root, efi, ret);
	look_at_stub(efi, ret);
	if (ret->proof[GB_PROOF_STUB].weight && ret->proof[GB_PROOF_INFO].says != GB_FAMILY_GRUB)
		gb_loader_find_unified(root, efi, cmdline ? cmdline : "", ret);
	if (judge(ret, !ret->efi && gb_root_exists(root, "/sys/firmware")))
		gb_loader_find_backend(root, ret);
	free(cmdline);
}
