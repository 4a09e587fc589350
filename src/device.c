/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "root.h"
#include "text.h"

/* One attribute instead of five (drivers/pci/pci-sysfs.c modalias_show). */
static int read_modalias(struct gb_root *root, struct gb_bdf bdf, struct gb_identity *id)
{
	unsigned vendor, device, subvendor, subdevice, base, sub, interface;
	char file[GB_SYSFS_MAX], text[128];
	ssize_t n = gb_root_read(root, gb_bdf_file(bdf, "modalias", file), text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (sscanf(text, "pci:v%8xd%8xsv%8xsd%8xbc%2xsc%2xi%2x", &vendor, &device, &subvendor,
		   &subdevice, &base, &sub, &interface) != 7)
		return -EBADMSG;
	id->vendor = (uint16_t)vendor;
	id->device = (uint16_t)device;
	id->subvendor = (uint16_t)subvendor;
	id->subdevice = (uint16_t)subdevice;
	id->class = base << 16 | sub << 8 | interface;
	return 0;
}

static int read_number(struct gb_root *root, struct gb_bdf bdf, const char *name, int base,
		       unsigned long *ret)
{
	char file[GB_SYSFS_MAX], text[32], *end;
	ssize_t n = gb_root_read(root, gb_bdf_file(bdf, name, file), text, sizeof(text));

	if (n < 0)
		return (int)n;
	*ret = strtoul(text, &end, base);
	return end == text ? -EBADMSG : 0;
}

/* Captured machines may lack modalias. */
static int read_attributes(struct gb_root *root, struct gb_bdf bdf, struct gb_identity *id)
{
	unsigned long vendor, device, class, subvendor = 0, subdevice = 0;
	int r = read_number(root, bdf, "vendor", 16, &vendor);

	if (!r)
		r = read_number(root, bdf, "device", 16, &device);
	if (!r)
		r = read_number(root, bdf, "class", 16, &class);
	if (r)
		return r;
	read_number(root, bdf, "subsystem_vendor", 16, &subvendor);
	read_number(root, bdf, "subsystem_device", 16, &subdevice);
	id->vendor = (uint16_t)vendor;
	id->device = (uint16_t)device;
	id->subvendor = (uint16_t)subvendor;
	id->subdevice = (uint16_t)subdevice;
	id->class = class & 0xffffff;
	return 0;
}

int gb_device_read(struct gb_root *root, struct gb_bdf bdf, struct gb_device *ret)
{
	struct gb_device device = { .bdf = bdf, .group = -1 };
	char file[GB_SYSFS_MAX];
	int r = read_modalias(root, bdf, &device.id);

	if (r)
		r = read_attributes(root, bdf, &device.id);
	if (r)
		return r == -ENOENT ? -ENODEV : r;
	device.virtual = gb_root_exists(root, gb_bdf_file(bdf, "physfn", file));
	*ret = device;
	return 0;
}

void gb_device_read_boot_vga(struct gb_root *root, struct gb_device *device)
{
	unsigned long value;

	/* the kernel shows it for class 0300 only */
	if (GB_BASE_CLASS(device->id.class) == GB_CLASS_DISPLAY &&
	    !read_number(root, device->bdf, "boot_vga", 10, &value))
		device->boot_vga = value == 1;
}

void gb_device_read_serial(struct gb_root *root, struct gb_device *device)
{
	struct gb_config_reader *reader;

	if (device->serial_read)
		return;
	device->serial_read = true;
	if (gb_config_open(root, &reader, NULL) < 0)
		return;
	device->id.has_serial = gb_config_serial(reader, device->bdf, &device->id.serial);
	gb_config_close(reader);
}

/* The last component of a link, or a negative errno. */
static int link_name(struct gb_root *root, struct gb_bdf bdf, const char *name, char *buf,
		     size_t size)
{
	char file[GB_SYSFS_MAX], target[PATH_MAX];
	ssize_t n = gb_root_readlink(root, gb_bdf_file(bdf, name, file), target,
				     sizeof(target));

	if (n < 0)
		return (int)n;
	/* nothing that a terminal would take as an order */
	for (char *c = target; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return gb_text_copy(buf, size, gb_text_base(target)) ? 0 : -ENAMETOOLONG;
}

void gb_device_read_group(struct gb_root *root, struct gb_device *device)
{
	char name[16], *end;
	long group;

	if (link_name(root, device->bdf, "iommu_group", name, sizeof(name)))
		return;
	group = strtol(name, &end, 10);
	if (!*end && end != name && group >= 0 && group <= INT_MAX)
		device->group = (int)group;
}

int gb_device_driver(struct gb_root *root, struct gb_bdf bdf, char driver[static GB_DRIVER_MAX])
{
	int r = link_name(root, bdf, "driver", driver, GB_DRIVER_MAX);

	if (r == -ENOENT) {
		driver[0] = '\0';
		r = 0;
	}
	return r;
}

static bool same_ids(const struct gb_identity *a, const struct gb_identity *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subvendor == b->subvendor && a->subdevice == b->subdevice &&
	       a->class == b->class;
}

bool gb_identity_match(const struct gb_identity *line, const struct gb_identity *device)
{
	if (!same_ids(line, device))
		return false;
	return !line->has_serial || (device->has_serial && device->serial == line->serial);
}

bool gb_identity_equal(const struct gb_identity *a, const struct gb_identity *b)
{
	return same_ids(a, b) && a->has_serial == b->has_serial &&
	       (!a->has_serial || a->serial == b->serial);
}

bool gb_device_is_display(const struct gb_device *device)
{
	return GB_BASE_CLASS(device->id.class) == GB_CLASS_DISPLAY && !device->virtual;
}

bool gb_device_has_outlet(const struct gb_device *device)
{
	return gb_device_is_display(device) && device->id.class >> 8 != 0x0302;
}
