/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LOADER_H
#define GB_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bls.h"

struct gb_efi;
struct gb_root;

/* Which boot loader booted this machine, and where its kernel's command line therefore comes from.
 * What is installed proves nothing; only what the booted loader left does. Nothing is written. */

enum gb_family {
	GB_FAMILY_NONE, /* says nothing about it */
	GB_FAMILY_GRUB,
	GB_FAMILY_SYSTEMD, /* systemd-boot */
	GB_FAMILY_STUB,	   /* the firmware, a unified kernel image without any loader */
	GB_FAMILY_OTHER,   /* a loader of another name */
};

enum gb_proof_id {
	GB_PROOF_FIRMWARE,  /* BIOS or EFI */
	GB_PROOF_INFO,	    /* LoaderInfo: the loader's own name */
	GB_PROOF_FEATURES,  /* LoaderFeatures */
	GB_PROOF_PARTITION, /* LoaderDevicePartUUID: is the ESP it came from the mounted one? */
	GB_PROOF_BOOT,	    /* BootCurrent, Boot####: what the firmware started */
	GB_PROOF_CMDLINE,   /* /proc/cmdline: words that loaders add */
	GB_PROOF_ENTRY,	    /* LoaderEntrySelected: an entry whose options are in /proc/cmdline */
	GB_PROOF_STUB,	    /* StubInfo: a unified kernel image */
	GB_PROOFS,
};

struct gb_loader_proof {
	const char *id; /* "loader-info", stable */
	enum gb_family says;
	unsigned weight; /* 0 when it says nothing; ENTRY weighs most */
	char text[224];	 /* what was found; a phrase */
};

enum gb_backend {
	GB_BACKEND_UNKNOWN,
	GB_BACKEND_GRUB_DROP_IN, /* a file of our own in /etc/default/grub.d */
	GB_BACKEND_GRUB_FILE,	 /* /etc/default/grub */
	GB_BACKEND_GRUB_BLS,	 /* Fedora: that, /etc/kernel/cmdline, and every entry */
	GB_BACKEND_SYSTEMD,	 /* /etc/kernel/cmdline, and every entry */
	GB_BACKEND_UKI,		 /* /etc/kernel/cmdline, and images built anew */
	GB_BACKEND_PROXMOX,	 /* /etc/kernel/cmdline, copied by proxmox-boot-tool */
	GB_BACKEND_SUSE,	 /* /etc/kernel/cmdline, and sdbootutil */
	GB_BACKEND_OSTREE,	 /* rpm-ostree's own; nothing of ours */
};

enum gb_cmdline_kind { GB_CMDLINE_GRUB, GB_CMDLINE_DROP_IN, GB_CMDLINE_KERNEL, GB_CMDLINE_ENTRY };

/* A file that holds the command line. */
struct gb_cmdline_source {
	enum gb_cmdline_kind kind;
	char path[320];
	bool there;
};

#define GB_CMDLINE_SOURCES_MAX 64
#define GB_REGENERATE_MAX 6
#define GB_LOADER_WORD "WORD" /* in a hint: what is to be added to the command line */

struct gb_loader {
	struct gb_loader_proof proof[GB_PROOFS];
	enum gb_family family;
	unsigned score;
	enum gb_backend backend;
	bool usable;	/* else `why` it is not, and `hint`, the command to type if there is one */
	char why[512];
	char hint[224];

	bool efi;
	bool features_known;
	uint64_t features; /* LoaderFeatures: bit 3 one-shot entries, bit 4 boot counting */
	char info[64];	   /* LoaderInfo, or "" */
	char selected[256]; /* LoaderEntrySelected, or "" */
	char esp[64];	   /* where the partition is mounted that the loader came from; or "" */
	bool esp_away;	   /* it is known, and not mounted */
	char boot[64];	   /* the folder with loader/entries: the ESP's, or "/boot"; or "" */
	char started[256]; /* what the firmware started, "\\EFI\\Linux\\x.efi"; or "" */
	char entry[320];   /* the booted entry's file, proved; a unified image may have been built
			    * anew since; or "" */

	struct gb_cmdline_source source[GB_CMDLINE_SOURCES_MAX];
	size_t sources;
	bool more_sources; /* than there is room for: not usable */
	/* What makes the loader's files anew afterwards; ends with NULL, empty when nothing need be
	 * run. "RELEASE" stands for each kernel's in an argument, when `each_kernel`. */
	const char *regenerate[GB_REGENERATE_MAX + 1];
	bool each_kernel;
	bool outside; /* it copies kernels, images and lines to ESPs that it mounts for itself */
};

/* `efi` is NULL where there are no EFI variables to read. */
void gb_loader_find(struct gb_root *root, struct gb_efi *efi, struct gb_loader *ret);

const char *gb_family_name(enum gb_family family);   /* "GRUB" */
const char *gb_backend_name(enum gb_backend backend); /* "grub-drop-in", stable */

/* The parts, for loader.c, loader-entry.c, loader-unified.c and loader-backend.c. */
void gb_loader_find_entry(struct gb_root *root, const char *cmdline, struct gb_loader *loader);
/* To be asked when the partition is known. */
void gb_loader_find_unified(struct gb_root *root, struct gb_efi *efi, const char *cmdline,
			    struct gb_loader *loader);
/* Does the running command line have all of these? Else *lacking is the first that it has not. */
struct gb_arguments;
bool gb_loader_has_options(const struct gb_arguments *running, const char *options, char *lacking,
			   size_t size);
void gb_loader_find_backend(struct gb_root *root, struct gb_loader *loader);

#endif
