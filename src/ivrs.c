/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ivrs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

/* A device entry's length is in its type's upper bits, but for ACPI names (type 240), which say
 * it at byte 21 (AMD I/O Virtualization Technology, 5.2.2.4 and 5.2.2.6). */
static size_t entry_length(struct gb_acpi_view v, size_t at)
{
	uint8_t type = gb_acpi_u8(v, at);

	if (type == 240)
		return 22u + gb_acpi_u8(v, at + 21);
	return 4u << (type >> 6);
}

static void count_entries(struct gb_ivrs *ivrs, struct gb_ivhd *ivhd, struct gb_acpi_view v,
			  size_t at, size_t offset)
{
	while (at < v.len) {
		size_t n = entry_length(v, at);

		if (n > v.len - at)
			return gb_acpi_bad(&ivrs->table, offset + at, n);
		ivhd->entries += gb_acpi_u8(v, at) != 0; /* 0 pads */
		at += n;
	}
}

static int read_ivhd(struct gb_ivrs *ivrs, struct gb_acpi_view v, size_t offset)
{
	size_t size = gb_acpi_u8(v, 0) == 0x10 ? 24 : 40;
	struct gb_ivhd *ivhd;

	if (v.len < size) {
		gb_acpi_bad(&ivrs->table, offset, v.len);
		return 0;
	}
	ivhd = GB_ACPI_GROW(ivrs->ivhd, ivrs->ivhds, ivrs->ivhds_room);
	if (!ivhd)
		return -ENOMEM;
	ivrs->ivhds++;
	ivhd->type = gb_acpi_u8(v, 0);
	ivhd->flags = gb_acpi_u8(v, 1);
	ivhd->device = gb_acpi_u16(v, 4);
	ivhd->capability = gb_acpi_u16(v, 6);
	ivhd->base = gb_acpi_u64(v, 8);
	ivhd->segment = gb_acpi_u16(v, 16);
	ivhd->info = gb_acpi_u16(v, 18);
	ivhd->features = size == 40 ? gb_acpi_u64(v, 24) : 0;
	count_entries(ivrs, ivhd, v, size, offset);
	return 0;
}

static int read_ivmd(struct gb_ivrs *ivrs, struct gb_acpi_view v, size_t offset)
{
	struct gb_ivmd *ivmd;

	if (v.len < 32) {
		gb_acpi_bad(&ivrs->table, offset, v.len);
		return 0;
	}
	ivmd = GB_ACPI_GROW(ivrs->ivmd, ivrs->ivmds, ivrs->ivmds_room);
	if (!ivmd)
		return -ENOMEM;
	ivrs->ivmds++;
	ivmd->type = gb_acpi_u8(v, 0);
	ivmd->flags = gb_acpi_u8(v, 1);
	ivmd->device = gb_acpi_u16(v, 4);
	ivmd->last = gb_acpi_u16(v, 6);
	ivmd->segment = gb_acpi_u16(v, 8);
	ivmd->base = gb_acpi_u64(v, 16);
	ivmd->length = gb_acpi_u64(v, 24);
	return 0;
}

static int read_block(void *ctx, struct gb_acpi_view v, size_t offset)
{
	struct gb_ivrs *ivrs = ctx;

	switch (gb_acpi_u8(v, 0)) {
	case 0x10:
	case 0x11:
	case 0x40:
		return read_ivhd(ivrs, v, offset);
	case GB_IVMD_ALL:
	case GB_IVMD_ONE:
	case GB_IVMD_RANGE:
		return read_ivmd(ivrs, v, offset);
	}
	ivrs->table.unknown++;
	return 0;
}

int gb_ivrs_parse(const void *data, size_t len, struct gb_ivrs *ret, struct gb_err *err)
{
	struct gb_acpi_view v = { data, len };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_acpi_header(&v, "IVRS", &ret->table, err);
	if (r)
		return r;
	ret->info = gb_acpi_u32(v, GB_ACPI_HEADER);
	ret->efr = ret->info & 1;
	ret->dma_remapping = ret->info & 2;
	return gb_acpi_walk(v, &ret->table, read_block, ret, err);
}

/* drivers/iommu/amd/init.c, get_highest_supported_ivhd_type: the last format in which the first
 * unit is described. */
size_t gb_ivrs_units(const struct gb_ivrs *ivrs)
{
	uint8_t type = 0;
	size_t n = 0;

	for (size_t i = 0; i < ivrs->ivhds; i++)
		if (ivrs->ivhd[i].device == ivrs->ivhd[0].device)
			type = ivrs->ivhd[i].type;
	for (size_t i = 0; i < ivrs->ivhds; i++)
		n += ivrs->ivhd[i].type == type;
	return n;
}

bool gb_ivmd_covers(const struct gb_ivmd *ivmd, const struct gb_device *device)
{
	uint16_t id = (uint16_t)(device->bdf.bus << 8 | device->bdf.devfn);

	if (ivmd->segment != device->bdf.domain)
		return false;
	if (ivmd->type == GB_IVMD_ONE)
		return id == ivmd->device;
	return ivmd->type == GB_IVMD_ALL || (id >= ivmd->device && id <= ivmd->last);
}

int gb_ivrs_read(struct gb_root *root, struct gb_ivrs *ret, struct gb_err *err)
{
	char *data;
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_acpi_read(root, GB_IVRS_FILE, &data, &len, err);
	if (r)
		return r;
	r = gb_ivrs_parse(data, len, ret, err);
	free(data);
	return r;
}

void gb_ivrs_clear(struct gb_ivrs *ivrs)
{
	free(ivrs->ivhd);
	free(ivrs->ivmd);
	memset(ivrs, 0, sizeof(*ivrs));
}
