/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_IVRS_H
#define GB_IVRS_H

#include "acpi.h"
#include "device.h"

/* AMD's table of I/O virtualization units (I/O Virtualization Technology Specification, section
 * 5.2). Decoded, not judged. */

#define GB_IVRS_FILE "/sys/firmware/acpi/tables/IVRS"

/* One I/O hardware definition. Firmware describes each unit up to three times, in the formats
 * 0x10, 0x11 and 0x40; the kernel takes the newest it knows. */
struct gb_ivhd {
	uint8_t type, flags;
	uint16_t device, capability, segment, info;
	uint64_t base, features;
	size_t entries; /* device entries */
};

/* Memory that devices must always reach untranslated. */
#define GB_IVMD_ALL 0x20
#define GB_IVMD_ONE 0x21
#define GB_IVMD_RANGE 0x22
#define GB_IVMD_UNITY 0x01     /* flags: identity mapped */
#define GB_IVMD_EXCLUSION 0x08 /* flags: never translated; the kernel maps it */
struct gb_ivmd {
	uint8_t type, flags;
	uint16_t device, last, segment; /* bus << 8 | devfn; last: of a range */
	uint64_t base, length;
};

struct gb_ivrs {
	struct gb_acpi_table table;
	uint32_t info;
	bool efr, dma_remapping;
	struct gb_ivhd *ivhd;
	size_t ivhds, ivhds_room;
	struct gb_ivmd *ivmd;
	size_t ivmds, ivmds_room;
};

/* As gb_dmar_parse and gb_dmar_read. */
int gb_ivrs_parse(const void *data, size_t len, struct gb_ivrs *ret, struct gb_err *err);
int gb_ivrs_read(struct gb_root *root, struct gb_ivrs *ret, struct gb_err *err);
void gb_ivrs_clear(struct gb_ivrs *ivrs);

/* Units as the kernel sees them: those of one format. */
size_t gb_ivrs_units(const struct gb_ivrs *ivrs);
/* Whether the memory is one the device must reach. */
bool gb_ivmd_covers(const struct gb_ivmd *ivmd, const struct gb_device *device);

#endif
