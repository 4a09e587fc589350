/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"

static int add(struct gb_machine *machine, const struct gb_device *device)
{
	if (machine->devices == machine->room) {
		size_t room = machine->room ? machine->room * 2 : 16;
		struct gb_device *more = realloc(machine->device, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		machine->device = more;
		machine->room = room;
	}
	machine->device[machine->devices] = *device;
	return (int)machine->devices++;
}

static int known(const struct gb_machine *machine, struct gb_bdf bdf, size_t among)
{
	for (size_t i = 0; i < among; i++)
		if (gb_bdf_equal(machine->device[i].bdf, bdf))
			return (int)i;
	return GB_NOWHERE;
}

static void read_serial_if_claimed(struct gb_root *root, const struct gb_claims *claims,
				   struct gb_device *device)
{
	for (size_t i = 0; i < claims->lines; i++) {
		const struct gb_identity *id = &claims->line[i].id;

		if (id->has_serial && id->vendor == device->id.vendor &&
		    id->device == device->id.device)
			gb_device_read_serial(root, device);
	}
}

/* The host bridge with this ACPI path: its root bus may have another number today. */
struct host_search {
	struct gb_root *root;
	const char *acpi;
	struct gb_path *path;
};

static int compare_host(void *ctx, const char *name)
{
	const struct host_search *search = ctx;
	char file[PATH_MAX], acpi[sizeof(((struct gb_line *)0)->host) + 2];
	unsigned domain, bus;
	ssize_t n;
	int end = 0;

	if (sscanf(name, "pci%8x:%2x%n", &domain, &bus, &end) != 2 || name[end])
		return 0;
	snprintf(file, sizeof(file), "/sys/devices/%s/firmware_node/path", name);
	n = gb_root_read(search->root, file, acpi, sizeof(acpi));
	if (n <= 0)
		return 0;
	acpi[strcspn(acpi, "\n")] = '\0';
	if (strcmp(acpi, search->acpi))
		return 0;
	search->path->domain = domain;
	search->path->bus = (uint8_t)bus;
	return 1;
}

static void apply_host(struct gb_root *root, const struct gb_line *line, struct gb_path *path)
{
	struct host_search search = { root, line->host, path };

	*path = line->path;
	if (line->host[0])
		gb_root_list(root, "/sys/devices", compare_host, &search);
}

/* Captured machines lack secondary_bus_number: look for a child with that devfn instead. */
struct child_search {
	uint32_t domain;
	uint8_t devfn;
	struct gb_bdf *ret;
};

static int compare_child(void *ctx, const char *name)
{
	const struct child_search *search = ctx;
	struct gb_bdf bdf;

	if (!gb_bdf_parse(name, &bdf) || bdf.devfn != search->devfn ||
	    bdf.domain != search->domain)
		return 0;
	*search->ret = bdf;
	return 1;
}

static bool step_down(struct gb_root *root, uint8_t devfn, struct gb_bdf *at)
{
	struct child_search search = { at->domain, devfn, at };
	char file[GB_SYSFS_MAX], text[16], *end;
	unsigned long bus;
	ssize_t n = gb_root_read(root, gb_bdf_file(*at, "secondary_bus_number", file), text,
				 sizeof(text));

	if (n > 0) {
		bus = strtoul(text, &end, 10);
		if (end == text || bus > UINT8_MAX)
			return false;
		at->bus = (uint8_t)bus;
		at->devfn = devfn;
		return true;
	}
	return gb_root_list(root, gb_bdf_file(*at, "", file), compare_child, &search) == 1;
}

static bool follow(struct gb_root *root, const struct gb_path *path, struct gb_bdf *ret)
{
	struct gb_bdf at = { path->domain, path->bus, path->hop[0] };

	for (unsigned i = 1; i < path->hops; i++)
		if (!step_down(root, path->hop[i], &at))
			return false;
	*ret = at;
	return true;
}

/* Another function of a slot that was found is on the same bus. */
static bool sibling(const struct gb_machine *machine, const struct gb_path *path,
		    struct gb_bdf *ret)
{
	for (size_t i = 0; i < machine->devices; i++) {
		if (!gb_path_same_slot(&machine->device[i].path, path))
			continue;
		*ret = machine->device[i].bdf;
		ret->devfn = path->hop[path->hops - 1];
		return true;
	}
	return false;
}

static int place(struct gb_root *root, const struct gb_claims *claims,
		 struct gb_machine *machine, const struct gb_path *path)
{
	struct gb_device device;
	struct gb_bdf bdf;
	int index;

	if (!sibling(machine, path, &bdf) && !follow(root, path, &bdf))
		return GB_NOWHERE;
	index = known(machine, bdf, machine->devices);
	if (index != GB_NOWHERE)
		return index;
	if (gb_device_read(root, bdf, &device))
		return GB_NOWHERE;
	device.path = *path;
	read_serial_if_claimed(root, claims, &device);
	return add(machine, &device);
}

int gb_machine_place(struct gb_root *root, const struct gb_claims *claims,
		     struct gb_machine *ret, struct gb_err *err)
{
	struct gb_machine machine = { .lines = claims->lines };

	machine.at = calloc(claims->lines + 1, sizeof(*machine.at));
	machine.path = calloc(claims->lines + 1, sizeof(*machine.path));
	if (!machine.at || !machine.path)
		goto no_memory;
	for (size_t i = 0; i < claims->lines; i++) {
		apply_host(root, &claims->line[i], &machine.path[i]);
		machine.at[i] = place(root, claims, &machine, &machine.path[i]);
		if (machine.at[i] == -ENOMEM)
			goto no_memory;
	}
	*ret = machine;
	return 0;
no_memory:
	gb_machine_clear(&machine);
	return gb_fail(err, ENOMEM, "out of memory");
}

struct scan {
	struct gb_root *root;
	const struct gb_claims *claims;
	struct gb_machine *machine;
	size_t placed;
};

/* Identity, and the path that the link into /sys/devices says. 0 with *ret, 1 when it is gone or
 * no device of a bus, or a negative errno. */
static int read_with_path(struct gb_root *root, struct gb_bdf bdf, struct gb_device *ret)
{
	char file[GB_SYSFS_MAX], link[PATH_MAX];
	ssize_t r = gb_device_read(root, bdf, ret);

	if (!r)
		r = gb_root_readlink(root, gb_bdf_file(bdf, "", file), link, sizeof(link));
	/* one that can't be read may be the twin that makes a moved card ambiguous */
	if (r < 0)
		return r == -ENODEV || r == -ENOENT || r == -ENOTDIR || r == -EINVAL ? 1 : (int)r;
	return !gb_path_from_sysfs(link, &ret->path);
}

static int scan_one(void *ctx, const char *name)
{
	const struct scan *scan = ctx;
	struct gb_device device;
	struct gb_bdf bdf;
	int r;

	if (!gb_bdf_parse(name, &bdf) ||
	    known(scan->machine, bdf, scan->placed) != GB_NOWHERE)
		return 0;
	r = read_with_path(scan->root, bdf, &device);
	if (r)
		return r < 0 ? r : 0;
	read_serial_if_claimed(scan->root, scan->claims, &device);
	r = add(scan->machine, &device);
	return r < 0 ? r : 0;
}

int gb_machine_add(struct gb_root *root, struct gb_bdf bdf, struct gb_machine *machine)
{
	struct gb_device device;
	int index = known(machine, bdf, machine->devices);

	if (index != GB_NOWHERE)
		return index;
	if (read_with_path(root, bdf, &device))
		return GB_NOWHERE;
	index = add(machine, &device);
	return index < 0 ? GB_NOWHERE : index;
}

int gb_machine_scan(struct gb_root *root, const struct gb_claims *claims,
		    struct gb_machine *machine, struct gb_err *err)
{
	struct scan scan = { root, claims, machine, machine->devices };
	int r;

	if (machine->complete)
		return 0;
	r = gb_root_list(root, "/sys/bus/pci/devices", scan_one, &scan);
	if (r < 0)
		return gb_fail(err, -r, "/sys/bus/pci/devices: %s", strerror(-r));
	for (size_t i = 0; i < machine->devices; i++)
		gb_device_read_boot_vga(root, &machine->device[i]);
	machine->complete = true;
	return 0;
}

void gb_machine_clear(struct gb_machine *machine)
{
	free(machine->device);
	free(machine->at);
	free(machine->path);
	memset(machine, 0, sizeof(*machine));
}
