/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dmar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

/* What each kind's fixed part looks like. */
static const struct {
	uint8_t size, flags, base, limit; /* 0: it has none */
} layout[] = {
	[GB_DMAR_UNIT] = { 16, 4, 8, 0 },
	[GB_DMAR_RESERVED] = { 24, 0, 8, 16 },
	[GB_DMAR_ATS] = { 8, 4, 0, 0 },
	[GB_DMAR_SATC] = { 8, 4, 0, 0 },
};

static bool known(struct gb_dmar *dmar, uint16_t type, enum gb_dmar_kind *ret)
{
	switch (type) {
	case 0:
		*ret = GB_DMAR_UNIT;
		return true;
	case 1:
		*ret = GB_DMAR_RESERVED;
		return true;
	case 2:
		*ret = GB_DMAR_ATS;
		return true;
	case 5:
		*ret = GB_DMAR_SATC;
		return true;
	case 3: /* memory nodes and ACPI names, which add nothing here */
	case 4:
		return false;
	}
	dmar->table.unknown++;
	return false;
}

/* A device scope: type, length, two bytes, id, bus, then device and function of each hop. */
static bool read_scope(struct gb_acpi_view v, uint16_t segment, struct gb_scope *ret)
{
	ret->type = gb_acpi_u8(v, 0);
	ret->id = gb_acpi_u8(v, 4);
	ret->path.domain = segment;
	ret->path.bus = gb_acpi_u8(v, 5);
	for (size_t at = 6; at + 2 <= v.len; at += 2) {
		if (ret->path.hops == GB_HOPS_MAX)
			return false;
		ret->path.hop[ret->path.hops++] =
			(uint8_t)((gb_acpi_u8(v, at) & 0x1f) << 3 | (gb_acpi_u8(v, at + 1) & 7));
	}
	return ret->path.hops > 0;
}

static int read_scopes(struct gb_dmar *dmar, struct gb_dmar_part *part, struct gb_acpi_view v,
		       size_t offset)
{
	size_t at = layout[part->kind].size;

	part->scope = dmar->scopes;
	while (at < v.len) {
		size_t len = gb_acpi_u8(v, at + 1);
		struct gb_scope *scope;

		if (len < 6 || len > v.len - at) {
			gb_acpi_bad(&dmar->table, offset + at, len);
			break;
		}
		scope = GB_ACPI_GROW(dmar->scope, dmar->scopes, dmar->scopes_room);
		if (!scope)
			return -ENOMEM;
		if (read_scope((struct gb_acpi_view){ v.data + at, len }, part->segment, scope)) {
			dmar->scopes++;
			part->scopes++;
		} else {
			dmar->table.unknown++;
		}
		at += len;
	}
	return 0;
}

static int read_part(void *ctx, struct gb_acpi_view v, size_t offset)
{
	struct gb_dmar *dmar = ctx;
	enum gb_dmar_kind kind;
	struct gb_dmar_part *part;

	if (!known(dmar, gb_acpi_u16(v, 0), &kind))
		return 0;
	if (v.len < layout[kind].size) {
		gb_acpi_bad(&dmar->table, offset, v.len);
		return 0;
	}
	part = GB_ACPI_GROW(dmar->part, dmar->parts, dmar->parts_room);
	if (!part)
		return -ENOMEM;
	dmar->parts++;
	part->kind = kind;
	part->segment = gb_acpi_u16(v, 6);
	if (layout[kind].flags)
		part->flags = gb_acpi_u8(v, layout[kind].flags);
	if (layout[kind].base)
		part->base = gb_acpi_u64(v, layout[kind].base);
	if (layout[kind].limit)
		part->limit = gb_acpi_u64(v, layout[kind].limit);
	return read_scopes(dmar, part, v, offset);
}

int gb_dmar_parse(const void *data, size_t len, struct gb_dmar *ret, struct gb_err *err)
{
	struct gb_acpi_view v = { data, len };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_acpi_header(&v, "DMAR", &ret->table, err);
	if (r)
		return r;
	ret->address_width = gb_acpi_u8(v, GB_ACPI_HEADER) + 1u;
	ret->flags = gb_acpi_u8(v, GB_ACPI_HEADER + 1);
	ret->interrupt_remapping = ret->flags & 1;
	ret->x2apic_opt_out = ret->flags & 2;
	ret->dma_opt_in = ret->flags & 4;
	return gb_acpi_walk(v, &ret->table, read_part, ret, err);
}

int gb_dmar_read(struct gb_root *root, struct gb_dmar *ret, struct gb_err *err)
{
	char *data;
	size_t len;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_acpi_read(root, GB_DMAR_FILE, &data, &len, err);
	if (r)
		return r;
	r = gb_dmar_parse(data, len, ret, err);
	free(data);
	return r;
}

void gb_dmar_clear(struct gb_dmar *dmar)
{
	free(dmar->part);
	free(dmar->scope);
	memset(dmar, 0, sizeof(*dmar));
}

size_t gb_dmar_count(const struct gb_dmar *dmar, enum gb_dmar_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < dmar->parts; i++)
		n += dmar->part[i].kind == kind;
	return n;
}

/* As the kernel compares (drivers/iommu/intel/dmar.c, dmar_match_pci_path): the path from the
 * root bus, or, for firmware that names the device's own bus, its last hop alone. */
static bool covers(const struct gb_scope *scope, const struct gb_device *device)
{
	const struct gb_path *a = &scope->path, *b = &device->path;
	bool bridge = scope->type == GB_SCOPE_BRIDGE;

	if ((!bridge && scope->type != GB_SCOPE_ENDPOINT) || a->domain != b->domain)
		return false;
	if (a->bus == b->bus && !memcmp(a->hop, b->hop, a->hops < b->hops ? a->hops : b->hops) &&
	    (a->hops == b->hops || (bridge && a->hops < b->hops)))
		return true;
	return a->hops == 1 && a->bus == device->bdf.bus && a->hop[0] == device->bdf.devfn;
}

size_t gb_dmar_find(const struct gb_dmar *dmar, enum gb_dmar_kind kind,
		    const struct gb_device *device, size_t from)
{
	for (size_t i = from; i < dmar->parts; i++) {
		const struct gb_dmar_part *part = &dmar->part[i];

		for (size_t s = 0; part->kind == kind && s < part->scopes; s++)
			if (covers(&dmar->scope[part->scope + s], device))
				return i;
	}
	return dmar->parts;
}

const struct gb_dmar_part *gb_dmar_unit(const struct gb_dmar *dmar,
					const struct gb_device *device)
{
	size_t named = gb_dmar_find(dmar, GB_DMAR_UNIT, device, 0);

	if (named < dmar->parts)
		return &dmar->part[named];
	for (size_t i = 0; i < dmar->parts; i++)
		if (dmar->part[i].kind == GB_DMAR_UNIT &&
		    (dmar->part[i].flags & GB_DMAR_INCLUDE_ALL) &&
		    dmar->part[i].segment == device->path.domain)
			return &dmar->part[i];
	return NULL;
}
