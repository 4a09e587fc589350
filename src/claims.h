/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_CLAIMS_H
#define GB_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"
#include "device.h"

struct gb_err;

/* The claims file, ghost-boot-claims(5), as data. */

#define GB_CLAIMS_FILE "/etc/ghost-boot/claims"
#define GB_CLAIMS_VERSION 1
#define GB_CLAIMS_SIZE_MAX (512u << 10) /* bytes; a claim takes about 80 */
#define GB_LINES_MAX 512			/* claim and keep lines */
#define GB_DRIVER_DEFAULT "vfio-pci"

/* What allow= may lift, as bits; the names are those of `ghost-boot enable --allow`. The first
 * three are honoured at boot, and a disk of the system's is a storage controller there; the others
 * only say that `enable` was told so. */
enum gb_allow {
	GB_ALLOW_STORAGE = 1 << 0,
	GB_ALLOW_NETWORK = 1 << 1,
	GB_ALLOW_LAST_DISPLAY = 1 << 2,
	GB_ALLOW_BOOT_DISPLAY = 1 << 3,
	GB_ALLOW_KEYBOARD = 1 << 4,
	GB_ALLOW_NO_IOMMU = 1 << 5,
	GB_ALLOW_NO_VFIO = 1 << 6,
	GB_ALLOW_UNFIT = 1 << 7,
	GB_ALLOW_SYSTEM_DISK = 1 << 8,
	GB_ALLOW_END = 1 << 9,
};

struct gb_line {
	unsigned number; /* in the file, from 1 */
	bool keep;
	struct gb_path path;
	struct gb_identity id;
	char host[128]; /* ACPI path of the host bridge, or empty */
	char driver[GB_DRIVER_MAX];
	unsigned allow;
};

struct gb_options {
	unsigned number;
	char driver[GB_DRIVER_MAX];
	char text[256]; /* "disable_vga=1 nointxmask=1" */
};

struct gb_problem {
	unsigned line, column; /* from 1; 0 for the file as a whole */
	char text[160];
};

#define GB_PROBLEMS_MAX 64

struct gb_claims {
	struct gb_line *line;
	size_t lines;
	struct gb_options *option;
	size_t options;
	struct gb_problem problem[GB_PROBLEMS_MAX];
	size_t problems; /* all of them; beyond GB_PROBLEMS_MAX they are only counted */
	bool arm_always;
};

/* A line that can't be read is a problem and is skipped. -EINVAL when the file as a whole can't
 * be used (no header, a newer version), -ENOMEM; then *ret has no lines, but has the problems.
 * *ret is always to be cleared. */
int gb_claims_parse(const char *data, size_t len, struct gb_claims *ret, struct gb_err *err);
void gb_claims_clear(struct gb_claims *claims);

/* The module options for a driver, or NULL. */
const char *gb_claims_options(const struct gb_claims *claims, const char *driver);
const char *gb_allow_name(enum gb_allow bit);
unsigned gb_allow_bit(const char *name); /* 0: there is none of that name */

#endif
