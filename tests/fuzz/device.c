/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function's attributes, in a folder: modalias, or, when that is nonsense, class. */
#include "device.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "root.h"

#define FOLDER "/sys/bus/pci/devices/0000:01:00.0/"

static const char *const names[] = { "modalias", "vendor", "device", "class", "boot_vga" };
static int file[sizeof(names) / sizeof(*names)];
static struct gb_root *root;
static char dir[] = "/dev/shm/ghost-boot-fuzz.XXXXXX";

static void make(void)
{
	char path[256];

	if (!mkdtemp(dir) || gb_root_open(dir, &root, NULL))
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		strcpy(path, dir);
		strcat(path, FOLDER);
		for (char *c = path + strlen(dir) + 1; (c = strchr(c, '/')); *c++ = '/') {
			*c = '\0';
			mkdir(path, 0755);
		}
		strcat(path, names[i]);
		file[i] = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_bdf bdf = { 0, 1, 0 };
	struct gb_device device;

	if (!root)
		make();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (ftruncate(file[i], 0) || pwrite(file[i], data, size, 0) != (ssize_t)size)
			abort();
	if (gb_device_read(root, bdf, &device))
		return 0;
	if (device.id.class > 0xffffff || device.virtual || !gb_bdf_equal(device.bdf, bdf) ||
	    (device.boot_vga && !gb_device_is_display(&device)))
		abort();
	return 0;
}
