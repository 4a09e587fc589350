/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_SITE_H
#define GB_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct gb_root;

/* The software of this machine, as far as advice depends on it. What can't be told stays
 * GB_..._OTHER, and advice then names no command. */
enum gb_distribution { GB_DISTRIBUTION_OTHER, GB_DEBIAN, GB_FEDORA, GB_SUSE, GB_ARCH, GB_PROXMOX,
		       GB_OSTREE };
/* What booted this machine, not what is installed. */
enum gb_bootloader { GB_LOADER_OTHER, GB_GRUB, GB_GRUB_BLS, GB_SYSTEMD_BOOT, GB_PROXMOX_BOOT,
		     GB_KERNELSTUB };
enum gb_builder { GB_BUILDER_OTHER, GB_INITRAMFS_TOOLS, GB_DRACUT, GB_MKINITCPIO };
enum gb_processor { GB_PROCESSOR_OTHER, GB_INTEL, GB_AMD };

#define GB_KERNELS_MAX 32

struct gb_site {
	enum gb_distribution distribution;
	char name[64]; /* PRETTY_NAME of os-release, or "" */
	enum gb_bootloader loader;
	bool copies; /* proxmox-boot-tool copies kernels and images to where the loader is */
	enum gb_builder builder;
	enum gb_processor processor;
	bool virtual; /* a hypervisor is below, by /proc/cpuinfo's flag, and this is not Xen's own domain */
	char release[65];		/* of the running kernel: /proc/sys/kernel/osrelease */
	char kernel[GB_KERNELS_MAX][65]; /* folders of /lib/modules that hold modules, sorted */
	size_t kernels;
	bool initramfs; /* this is an image, or its rescue shell */
	enum gb_known secure_boot; /* efivars: SecureBoot-8be4df61-… */
	enum gb_known efi;
	char lockdown[32]; /* "none", "integrity", "confidentiality"; "" cannot tell */
};

void gb_site_read(struct gb_root *root, struct gb_site *ret);

/* "run grubby --update-kernel=ALL --args=intel_iommu=on, and reboot": how a word gets onto, or
 * off, this machine's kernel command line. (site-advice.c) */
void gb_site_add_word(const struct gb_site *site, const char *word, char *ret, size_t size);
void gb_site_remove_word(const struct gb_site *site, const char *word, char *ret, size_t size);
/* "run update-initramfs -u -k all" */
void gb_site_rebuild(const struct gb_site *site, char *ret, size_t size);

/* The kernel's own configuration: the value of CONFIG_name, "" for one that is not set; false
 * when it can't be told (no /boot/config-RELEASE; /proc/config.gz is not read). */
bool gb_site_kernel_config(struct gb_root *root, const char *release, const char *name, char *ret,
			   size_t size);

#endif
