/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DMAR_H
#define GB_DMAR_H

#include "acpi.h"
#include "device.h"

/* Intel's table of DMA remapping units (Virtualization Technology for Directed I/O, section 8).
 * Decoded, not judged. */

#define GB_DMAR_FILE "/sys/firmware/acpi/tables/DMAR"

enum gb_scope_type {
	GB_SCOPE_ENDPOINT = 1,
	GB_SCOPE_BRIDGE = 2, /* and everything below it */
	GB_SCOPE_IOAPIC = 3,
	GB_SCOPE_HPET = 4,
	GB_SCOPE_NAMESPACE = 5,
};

struct gb_scope {
	uint8_t type;
	uint8_t id;	      /* of an I/O APIC, HPET timer or namespace device */
	struct gb_path path; /* of the root bus that is named, and its segment */
};

enum gb_dmar_kind {
	GB_DMAR_UNIT,	  /* DRHD: a remapping unit; base: its registers */
	GB_DMAR_RESERVED, /* RMRR: memory that its devices must always reach */
	GB_DMAR_ATS,	  /* ATSR: root ports that may use ATS */
	GB_DMAR_SATC,	  /* integrated devices with an address translation cache */
};

#define GB_DMAR_INCLUDE_ALL 1 /* a unit's flag: all devices of the segment no other unit has */
#define GB_DMAR_ALL_PORTS 1   /* ATSR's flag */

struct gb_dmar_part {
	enum gb_dmar_kind kind;
	uint8_t flags;
	uint16_t segment;
	uint64_t base, limit; /* limit is the last byte; reserved memory only */
	size_t scope, scopes; /* the part's own in gb_dmar.scope */
};

struct gb_dmar {
	struct gb_acpi_table table;
	uint8_t flags;
	bool interrupt_remapping, x2apic_opt_out, dma_opt_in;
	unsigned address_width; /* bits of DMA addresses */
	struct gb_dmar_part *part;
	size_t parts, parts_room;
	struct gb_scope *scope;
	size_t scopes, scopes_room;
};

/* 0 with everything up to table.problem, if any; -EBADMSG when it is no such table, -ENOMEM, and
 * for gb_dmar_read those of gb_acpi_read. *ret is always to be cleared. */
int gb_dmar_parse(const void *data, size_t len, struct gb_dmar *ret, struct gb_err *err);
int gb_dmar_read(struct gb_root *root, struct gb_dmar *ret, struct gb_err *err);
void gb_dmar_clear(struct gb_dmar *dmar);

/* How many parts of a kind there are. */
size_t gb_dmar_count(const struct gb_dmar *dmar, enum gb_dmar_kind kind);
/* The first part of that kind, from index `from`, whose scopes name the device or a bridge above
 * it; `parts` when there is none. INCLUDE_ALL does not count as naming. */
size_t gb_dmar_find(const struct gb_dmar *dmar, enum gb_dmar_kind kind,
		    const struct gb_device *device, size_t from);
/* The unit that remaps the device, or NULL: then its DMA is not remapped. */
const struct gb_dmar_part *gb_dmar_unit(const struct gb_dmar *dmar,
					const struct gb_device *device);

#endif
