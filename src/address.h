/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_ADDRESS_H
#define GB_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Where a PCI function is now: domain:bus:device.function. Domains have 16 bits, or 32 where
 * the kernel makes them up (VMD: drivers/pci/controller/vmd.c counts from 0x10000). */
struct gb_bdf {
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn; /* device << 3 | function */
};

#define GB_BDF_MAX sizeof("ffffffff:ff:1f.7")

/* Where a function is plugged in: the host bridge's domain and bus, then device.function at
 * each hop. Bus numbers between are the firmware's and the kernel's whim and not part of it. */
#define GB_HOPS_MAX 32
struct gb_path {
	uint32_t domain;
	uint8_t bus;
	uint8_t hops;
	uint8_t hop[GB_HOPS_MAX];
};

#define GB_PATH_MAX (sizeof("ffffffff:ff") + GB_HOPS_MAX * sizeof("/1f.7"))

#define GB_DEVICE(devfn) ((devfn) >> 3)
#define GB_FUNCTION(devfn) ((devfn) & 7)

/* "0000:3c:00.0", to the end of the string. */
bool gb_bdf_parse(const char *s, struct gb_bdf *ret);
const char *gb_bdf_format(struct gb_bdf bdf, char buf[static GB_BDF_MAX]);
bool gb_bdf_equal(struct gb_bdf a, struct gb_bdf b);

/* "/sys/bus/pci/devices/BDF/NAME"; an empty name gives the folder. */
#define GB_SYSFS_MAX 128
const char *gb_bdf_file(struct gb_bdf bdf, const char *name, char buf[static GB_SYSFS_MAX]);

/* "0000:00/01.0/00.0", to the end of the string; *ret_at says how far it could be read. */
bool gb_path_parse(const char *s, struct gb_path *ret, const char **ret_at);
const char *gb_path_format(const struct gb_path *path, char buf[static GB_PATH_MAX]);
bool gb_path_equal(const struct gb_path *a, const struct gb_path *b);
/* The same device: equal but for the function of the last hop. */
bool gb_path_same_slot(const struct gb_path *a, const struct gb_path *b);
/* From a sysfs link target, "…/pci0000:00/0000:00:01.0/0000:01:00.0". */
bool gb_path_from_sysfs(const char *link, struct gb_path *ret);

/* The function nearest to a device whose link leads to "…/0000:00:01.0/0000:01:00.0/nvme/…". */
bool gb_bdf_in_link(const char *link, struct gb_bdf *ret);

#endif
