/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_DEVICE_H
#define GB_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct gb_root;

/* What a card is, wherever it is plugged in. */
struct gb_identity {
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class; /* 24 bits: base class, subclass, interface */
	bool has_serial;
	uint64_t serial; /* PCIe device serial number capability */
};

#define GB_DRIVER_MAX 64

/* One PCI function as sysfs shows it. */
struct gb_device {
	struct gb_bdf bdf;
	struct gb_path path;
	struct gb_identity id;
	bool serial_read; /* id.serial was looked for */
	bool boot_vga;	  /* the firmware's picture was on it */
	bool virtual;	  /* an SR-IOV virtual function */
	int group;	  /* IOMMU group, -1: none */
};

/* Base classes: PCI Code and ID Assignment Specification 1.0 and later. */
#define GB_CLASS_STORAGE 0x01
#define GB_CLASS_NETWORK 0x02
#define GB_CLASS_DISPLAY 0x03
#define GB_CLASS_BRIDGE 0x06
#define GB_BASE_CLASS(class) ((class) >> 16)

/* Identity and `virtual`; not path, group, serial number or boot_vga. 0, or a negative errno: -ENODEV when
 * nothing is at that address. */
int gb_device_read(struct gb_root *root, struct gb_bdf bdf, struct gb_device *ret);
/* The serial number capability, once; reads config space, which wakes a sleeping device. A
 * device without one, or cut to 64 bytes, keeps has_serial false. */
void gb_device_read_serial(struct gb_root *root, struct gb_device *device);
/* Only a full scan asks: what moved must not be the display this machine booted with. */
void gb_device_read_boot_vga(struct gb_root *root, struct gb_device *device);
void gb_device_read_group(struct gb_root *root, struct gb_device *device);
/* The driver bound now; an empty string for none. */
int gb_device_driver(struct gb_root *root, struct gb_bdf bdf, char driver[static GB_DRIVER_MAX]);

/* Full identity of a claims line against a device: a serial number counts if the line has one. */
bool gb_identity_match(const struct gb_identity *line, const struct gb_identity *device);
bool gb_identity_equal(const struct gb_identity *a, const struct gb_identity *b);

/* A display may show the host's console: base class 03 but for 3D controllers (0302), which
 * have no outlet. */
bool gb_device_is_display(const struct gb_device *device);
bool gb_device_has_outlet(const struct gb_device *device);

#endif
