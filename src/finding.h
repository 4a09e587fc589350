/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_FINDING_H
#define GB_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gb_machine;
struct gb_root;

/* What is found in an existing passthrough set-up: a thing said in some file, what it means, and
 * what is wrong with it. */

enum gb_weight {
	GB_NOTE,     /* does what it is meant to do */
	GB_USELESS,  /* does nothing */
	GB_CONFLICT, /* works, and against claims */
	GB_MISTAKE,  /* does not do what was meant */
	GB_DANGER,   /* may take what the host needs, or opens it to the guest */
};

enum gb_finding_id {
	/* modprobe.d, and module options anywhere */
	GB_VFIO_IDS,
	GB_VFIO_IDS_TWICE,
	GB_VFIO_IDS_OVERRIDDEN,
	GB_VFIO_IDS_FORMAT,
	GB_VFIO_IDS_SPACE,
	GB_VFIO_IDS_PREFIX,
	GB_VFIO_IDS_HOST,
	GB_VFIO_IDS_SEVERAL,
	GB_VFIO_IDS_ABSENT,
	GB_VFIO_OPTION,
	GB_VFIO_OPTION_UNKNOWN,
	GB_UNSAFE_INTERRUPTS,
	GB_UNSAFE_INTERRUPTS_MODULE,
	GB_UNSAFE_NOIOMMU,
	GB_STUB_IDS,
	GB_SOFTDEP,
	GB_SOFTDEP_SYNTAX,
	GB_SOFTDEP_POST,
	GB_MODULE_UNKNOWN,
	GB_BLACKLIST,
	GB_VFIO_BLACKLISTED,
	GB_INSTALL_VFIO,
	GB_INSTALL_NONE,
	GB_ALIAS_VFIO,
	GB_MODPROBE_LINE,
	GB_FILE_NAME,
	/* lists of modules to load */
	GB_MODULES_LOAD,
	GB_MODULES_ARGUMENTS,
	GB_MODULES_SYNTAX,
	GB_INITRAMFS_MODULES,
	GB_VFIO_VIRQFD,
	GB_RIVAL_EARLY,
	GB_RIVAL_FIRST,
	GB_DRACUT_ADD,
	GB_DRACUT_FORCE,
	GB_DRACUT_OMIT,
	GB_DRACUT_MODULE,
	GB_DRACUT_SPACES,
	GB_DRACUT_CMDLINE,
	GB_MKINITCPIO_MODULES,
	GB_MKINITCPIO_KMS,
	GB_MKINITCPIO_MODCONF,
	/* the kernel command line */
	GB_CMDLINE_IDS,
	GB_RD_DRIVER_PRE,
	GB_CMDLINE_BLACKLIST,
	GB_MODULE_BLACKLIST,
	GB_INTEL_IOMMU,
	GB_AMD_IOMMU,
	GB_AMD_IOMMU_ON,
	GB_IOMMU_OFF,
	GB_IOMMU_PT,
	GB_IOMMU_WORD,
	GB_IOMMU_UNKNOWN,
	GB_IOMMU_BOTH,
	GB_IOMMU_OTHER_VENDOR,
	GB_ACS_OVERRIDE,
	GB_INTREMAP,
	GB_VIDEO_OFF,
	GB_VIDEO_LIST,
	GB_SYSFB,
	GB_NOMODESET,
	GB_PCI_NOATS,
	GB_PCI_NOMMCONF,
	GB_PCI_ACS,
	GB_XEN_HIDE,
	/* programs that do the work themselves */
	GB_DRIVERCTL,
	GB_SCRIPT,
	GB_LIBVIRT_HOOK,
	GB_UDEV_RULE,
	/* */
	GB_FILE_UNREAD,
	GB_FINDING_IDS,
};

struct gb_finding_kind {
	const char *id; /* "vfio-ids", stable */
	enum gb_weight weight;
	const char *means;    /* what it does */
	const char *wrong;    /* what is wrong with that, or NULL */
	const char *conflict; /* how it gets in the way of claims, or NULL */
};

struct gb_finding {
	enum gb_finding_id id;
	size_t file;	  /* index in gb_findings.file */
	unsigned line;	  /* from 1; 0 for the file as a whole */
	char words[128];  /* what stands there, cut */
	char detail[192]; /* what is wrong here in particular, or "" */
};

/* A device that somebody gave by its IDs. */
struct gb_id_rule {
	uint32_t vendor, device, subvendor, subdevice, class, class_mask;
	enum { GB_BY_MODPROBE, GB_BY_CMDLINE, GB_BY_IMAGE } by;
	unsigned statement; /* rules of one ids= have the same number */
	size_t file;
	unsigned line;
};

#define GB_FINDINGS_MAX 1024
#define GB_FINDING_FILES_MAX 1024
#define GB_ID_RULES_MAX 1024

struct gb_findings {
	struct gb_finding *finding;
	size_t findings, room;
	size_t left_out; /* beyond GB_FINDINGS_MAX, or out of memory */
	char **file;
	size_t files;

	/* while it is read */
	struct gb_root *root;		  /* or NULL */
	const struct gb_machine *machine; /* or NULL */
	unsigned line;			  /* in the last file */
	struct gb_id_rule *rule;
	size_t rules;
	unsigned statements;
	size_t scripts; /* files that may be scripts, read so far */
};

const struct gb_finding_kind *gb_finding_kind(enum gb_finding_id id);
const char *gb_weight_name(enum gb_weight weight);
const char *gb_finding_file(const struct gb_findings *f, const struct gb_finding *finding);

/* From here on everything is found in this file. False when there are too many. */
bool gb_finding_enter(struct gb_findings *f, const char *file);
void gb_found(struct gb_findings *f, enum gb_finding_id id, const char *words);
__attribute__((format(printf, 4, 5)))
void gb_foundf(struct gb_findings *f, enum gb_finding_id id, const char *words,
	       const char *format, ...);
/* By file, in the order they were read, and line. */
void gb_findings_sort(struct gb_findings *f);
void gb_findings_clear(struct gb_findings *f);

#endif
