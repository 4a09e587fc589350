/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests share: cmocka, a folder that stands for a machine, machines in memory. */
#ifndef FAKE_H
#define FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims.h"
#include "err.h"
#include "machine.h"
#include "root.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- a root in a temporary folder ----------------------------------------------------- */

struct tree {
	char dir[64];
	struct gb_root *root;
};

static inline void tree_make(struct tree *tree)
{
	struct gb_err err;

	/* in memory where that can be had: thousands of links are made and removed */
	snprintf(tree->dir, sizeof(tree->dir), "%s/ghost-boot-unit.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(tree->dir));
	assert_int_equal(gb_root_open(tree->dir, &tree->root, &err), 0);
}

static inline int tree_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_clear(struct tree *tree)
{
	gb_root_close(tree->root);
	assert_int_equal(nftw(tree->dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The place of `path` outside the root, with its folders made. */
static inline const char *tree_path(const struct tree *tree, const char *path)
{
	static char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", tree->dir, path);
	for (char *c = full + strlen(tree->dir) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(full, 0755);
		*c = '/';
	}
	return full;
}

static inline void tree_put_data(const struct tree *tree, const char *path, const void *data,
				 size_t len)
{
	int fd = open(tree_path(tree, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static inline void tree_put(const struct tree *tree, const char *path, const char *text)
{
	tree_put_data(tree, path, text, strlen(text));
}

static inline void tree_folder(const struct tree *tree, const char *path)
{
	mkdir(tree_path(tree, path), 0755);
}

static inline void tree_link(const struct tree *tree, const char *path, const char *target)
{
	const char *full = tree_path(tree, path);

	unlink(full);
	assert_int_equal(symlink(target, full), 0);
}

static inline void tree_delete(const struct tree *tree, const char *path)
{
	unlink(tree_path(tree, path));
}

/* The file's text, or NULL; good until the next call. */
static inline const char *tree_get(const struct tree *tree, const char *path)
{
	static char text[64 << 10];
	int fd = open(tree_path(tree, path), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A PCI function as sysfs shows it: where is "pci0000:00/0000:00:01.0/0000:01:00.0", what is
 * "10de:2203 1462:5054 030000". `bus` is a bridge's secondary bus, 0 for others. */
static inline void tree_pci(const struct tree *tree, const char *where, const char *what, int bus)
{
	unsigned v, d, sv, sd, class;
	char path[256], text[128], link[512];
	const char *bdf = strrchr(where, '/') + 1;

	assert_int_equal(sscanf(what, "%x:%x %x:%x %x", &v, &d, &sv, &sd, &class), 5);
#define ATTRIBUTE(name, ...) \
	do { \
		snprintf(path, sizeof(path), "/sys/devices/%s/%s", where, name); \
		snprintf(text, sizeof(text), __VA_ARGS__); \
		tree_put(tree, path, text); \
	} while (0)
	ATTRIBUTE("modalias", "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02x\n", v, d, sv, sd,
		  class >> 16, class >> 8 & 0xff, class & 0xff);
	ATTRIBUTE("vendor", "0x%04x\n", v);
	ATTRIBUTE("device", "0x%04x\n", d);
	ATTRIBUTE("subsystem_vendor", "0x%04x\n", sv);
	ATTRIBUTE("subsystem_device", "0x%04x\n", sd);
	ATTRIBUTE("class", "0x%06x\n", class);
	ATTRIBUTE("driver_override", "(null)\n");
	if (bus)
		ATTRIBUTE("secondary_bus_number", "%d\n", bus);
#undef ATTRIBUTE
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	snprintf(link, sizeof(link), "../../../devices/%s", where);
	tree_link(tree, path, link);
}

/* ---- claims and machines in memory ------------------------------------------------------ */

static inline void parse_claims(const char *body, struct gb_claims *ret)
{
	char text[8192];
	struct gb_err err;

	snprintf(text, sizeof(text), "ghost-boot claims 1\n%s", body);
	if (gb_claims_parse(text, strlen(text), ret, &err))
		fail_msg("%s", err.text);
	if (ret->problems)
		fail_msg("line %u:%u: %s", ret->problem[0].line, ret->problem[0].column,
			 ret->problem[0].text);
}

/* One function a line: "0000:00/01.0/00.0 10de:2203 1462:5054 030000", then, if so, the words
 * vga, virtual, serial=HEX. */
static inline void parse_machine(const char *text, const struct gb_claims *claims,
				 struct gb_machine *ret)
{
	char copy[8192], *save = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->device = calloc(64, sizeof(*ret->device));
	ret->path = calloc(claims->lines + 1, sizeof(*ret->path));
	ret->at = calloc(claims->lines + 1, sizeof(*ret->at));
	ret->lines = claims->lines;
	ret->room = 64;
	ret->complete = true;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct gb_device *d = &ret->device[ret->devices++];
		char path[64], *serial = strstr(line, "serial=");
		unsigned v, dev, sv, sd, class;

		assert_int_equal(sscanf(line, "%63s %x:%x %x:%x %x", path, &v, &dev, &sv, &sd,
					&class), 6);
		assert_true(gb_path_parse(path, &d->path, NULL));
		d->bdf = (struct gb_bdf){ 0, (uint8_t)ret->devices, d->path.hop[d->path.hops - 1] };
		d->id = (struct gb_identity){ (uint16_t)v, (uint16_t)dev, (uint16_t)sv,
					      (uint16_t)sd, class, false, 0 };
		d->id.has_serial = serial;
		d->id.serial = serial ? strtoull(serial + strlen("serial="), NULL, 16) : 0;
		d->boot_vga = strstr(line, " vga");
		d->virtual = strstr(line, " virtual");
		d->group = -1;
	}
	for (size_t i = 0; i < claims->lines; i++) {
		ret->path[i] = claims->line[i].path;
		ret->at[i] = GB_NOWHERE;
		for (size_t d = ret->devices; d-- > 0;)
			if (gb_path_equal(&ret->device[d].path, &ret->path[i]))
				ret->at[i] = (int)d;
	}
}

#endif
