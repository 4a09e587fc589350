/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two bytes say how long the config space is, the rest is what is in it, then zeros; and the whole
 * is the text that sysfs keeps of the BARs. What fewer bytes tell, more bytes must not deny. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acs.h"
#include "root.h"

#define FOLDER "/sys/bus/pci/devices/0000:01:00.0/"
#define SPACE 4096

static const struct gb_bdf there = { 0, 1, 0 };
static char dir[] = "/dev/shm/ghost-boot-fuzz.XXXXXX";
static struct gb_root *root;
static struct gb_config_reader *reader;
static int config_fd, resource_fd;

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static int make_file(const char *name)
{
	char path[256];
	int fd;

	strcpy(path, dir);
	strcat(path, FOLDER);
	for (char *c = path + strlen(dir) + 1; (c = strchr(c, '/')); *c++ = '/') {
		*c = '\0';
		mkdir(path, 0755);
	}
	strcat(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	MUST(fd >= 0);
	return fd;
}

static void make(void)
{
	MUST(mkdtemp(dir) && !gb_root_open(dir, &root, NULL));
	config_fd = make_file("config");
	resource_fd = make_file("resource");
	MUST(!gb_config_open(root, &reader, NULL));
}

/* What a fact says: the same, or nothing yet. */
static void grows(enum gb_known fewer, enum gb_known more)
{
	MUST(fewer == GB_CANNOT_TELL || fewer == more);
}

static void check_config(const struct gb_config *config, size_t len)
{
	MUST(config->bytes <= len && !config->asleep);
	MUST(config->bytes == 0 || config->bytes == 64 || config->bytes == 256 ||
	     config->bytes == SPACE);
	MUST(config->express != GB_CANNOT_TELL || config->bytes < 256);
	MUST(config->acs != GB_CANNOT_TELL || config->bytes < SPACE);
	MUST(config->acs != GB_YES || config->bytes == SPACE);
	MUST(config->rebars <= GB_BARS && (!config->rebars || config->resizable == GB_YES));
	for (unsigned i = 0; i < config->rebars; i++)
		MUST(config->rebar[i].bar < GB_BARS && config->rebar[i].size < 64);
}

static void check_acs(const struct gb_device *device, const struct gb_config *whole,
		      const struct gb_config *cut)
{
	struct gb_acs_bits bits;
	struct gb_acs more, fewer;

	gb_acs_judge(device, whole, &more);
	gb_acs_judge(device, cut, &fewer);
	grows(fewer.isolated, more.isolated);
	grows(fewer.multifunction, more.multifunction);
	grows(fewer.aliases, more.aliases);
	MUST(more.isolated != GB_CANNOT_TELL || whole->bytes < SPACE);
	MUST(gb_acs_rule_name(more.rule)[0] && gb_acs_rule_text(fewer.rule)[0]);
	MUST(gb_acs_read(&device->id, whole, &bits) == whole->acs);
	MUST(whole->acs != GB_YES || !(bits.off & ~(bits.capability & GB_ACS_REQUIRED)));
}

static void check_places(const struct gb_config *whole, const struct gb_config *cut,
			 const uint8_t *space)
{
	struct gb_device device = { .bdf = there, .group = -1 };

	/* what sysfs says beside it; class as in the header */
	device.id = (struct gb_identity){
		.vendor = (uint16_t)(space[0] | space[1] << 8),
		.device = (uint16_t)(space[2] | space[3] << 8),
		.class = space[9] | space[10] << 8 | (uint32_t)space[11] << 16,
	};
	for (unsigned place = 0; place < 8; place++) {
		device.path.hops = 1 + (place & 1);
		device.virtual = place & 2;
		device.bdf.devfn = place >> 2;
		check_acs(&device, whole, cut);
	}
}

static void read_space(size_t len, struct gb_config *ret)
{
	uint64_t serial = 0;

	MUST(!ftruncate(config_fd, (off_t)len));
	gb_config_read(reader, there, true, ret);
	check_config(ret, len);
	MUST(!gb_config_serial(reader, there, &serial) || ret->bytes == SPACE || len >= 0x10c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_config whole, cut;
	struct gb_bars bars;
	uint8_t space[SPACE] = { 0 };
	size_t len;

	if (size < 2)
		return 0;
	if (!root)
		make();
	len = (size_t)(data[0] | data[1] << 8) % (SPACE + 1);
	memcpy(space, data + 2, size - 2 < SPACE ? size - 2 : SPACE);
	MUST(!ftruncate(config_fd, 0) && pwrite(config_fd, space, len, 0) == (ssize_t)len);
	read_space(len, &whole);
	for (size_t shorter = len; shorter; shorter = shorter > 256 ? 256 : shorter > 64 ? 64 : 0) {
		read_space(shorter, &cut);
		MUST(cut.bytes <= whole.bytes);
		grows(cut.express, whole.express);
		grows(cut.flr, whole.flr);
		grows(cut.acs, whole.acs);
		check_places(&whole, &cut, space);
	}
	MUST(!ftruncate(resource_fd, 0) && pwrite(resource_fd, data, size, 0) == (ssize_t)size);
	gb_config_bars(root, there, &bars);
	return 0;
}
