/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernelinstall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "root.h"
#include "text.h"

#define FILE_MAX (128u << 10)
#define DROP_INS_MAX 16

/* kernel-install(8), "Files": the first that is there wins. */
static const char *const folders[] = { "/etc/kernel", "/run/kernel", "/usr/local/lib/kernel",
				       "/usr/lib/kernel", "/lib/kernel" };
#define FOLDERS (sizeof(folders) / sizeof(*folders))

/* ---- a setting ------------------------------------------------------------------------------ */

struct setting {
	const char *key;
	char *value;
	size_t size;
	bool set;
};

static void take_setting(void *ctx, unsigned number, const char *line)
{
	struct setting *setting = ctx;
	size_t len = strlen(setting->key);
	const char *end;

	(void)number;
	line += strspn(line, " \t");
	if (strncmp(line, setting->key, len))
		return;
	line += len + strspn(line + len, " \t");
	if (*line++ != '=')
		return;
	line += strspn(line, " \t");
	end = *line == '"' ? "\"" : *line == '\'' ? "'" : " \t;#";
	line += *end == *line;
	setting->set = true;
	snprintf(setting->value, setting->size, "%.*s", (int)strcspn(line, end), line);
}

bool gb_kernelinstall_setting(struct gb_root *root, const char *path, const char *key, char *ret,
			      size_t size)
{
	struct setting setting = { key, ret, size, false };
	size_t len;
	char *data;

	if (gb_root_read_all(root, path, FILE_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, take_setting, &setting);
	free(data);
	return setting.set;
}

/* ---- install.conf --------------------------------------------------------------------------- */

static void take_file(struct gb_root *root, const char *path, struct gb_kernelinstall *ret)
{
	gb_kernelinstall_setting(root, path, "layout", ret->layout, sizeof(ret->layout));
	gb_kernelinstall_setting(root, path, "initrd_generator", ret->initrd_generator,
				 sizeof(ret->initrd_generator));
	gb_kernelinstall_setting(root, path, "uki_generator", ret->uki_generator,
				 sizeof(ret->uki_generator));
}

struct drop_ins {
	char name[DROP_INS_MAX][64];
	size_t names;
};

static int add_drop_in(void *ctx, const char *name)
{
	struct drop_ins *all = ctx;
	size_t len = strlen(name);

	if (len < 6 || len >= sizeof(all->name[0]) || strcmp(name + len - 5, ".conf"))
		return 0;
	for (size_t i = 0; i < all->names; i++)
		if (!strcmp(all->name[i], name))
			return 0;
	if (all->names < DROP_INS_MAX)
		strcpy(all->name[all->names++], name);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* In the order of their names, wherever they lie; the last word counts. */
static void take_drop_ins(struct gb_root *root, struct gb_kernelinstall *ret)
{
	struct drop_ins all = { .names = 0 };
	char path[160], name[96];

	for (size_t i = 0; i < FOLDERS; i++) {
		snprintf(path, sizeof(path), "%s/install.conf.d", folders[i]);
		gb_root_list(root, path, add_drop_in, &all);
	}
	qsort(all.name, all.names, sizeof(*all.name), compare_names);
	for (size_t i = 0; i < all.names; i++) {
		snprintf(name, sizeof(name), "install.conf.d/%s", all.name[i]);
		if (gb_kernelinstall_file(root, name, path, sizeof(path)))
			take_file(root, path, ret);
	}
}

void gb_kernelinstall_read(struct gb_root *root, struct gb_kernelinstall *ret)
{
	char path[96];

	memset(ret, 0, sizeof(*ret));
	if (gb_kernelinstall_file(root, "install.conf", path, sizeof(path)))
		take_file(root, path, ret);
	take_drop_ins(root, ret);
}

/* ---- files ---------------------------------------------------------------------------------- */

bool gb_kernelinstall_file(struct gb_root *root, const char *name, char *ret, size_t size)
{
	for (size_t i = 0; i < FOLDERS; i++)
		if (snprintf(ret, size, "%s/%s", folders[i], name) < (int)size &&
		    gb_root_exists(root, ret))
			return true;
	*ret = '\0';
	return false;
}

bool gb_kernelinstall_plugin(struct gb_root *root, const char *name, char *ret, size_t size)
{
	char link[32];

	for (size_t i = 0; i < FOLDERS; i++) {
		ssize_t n;

		if (snprintf(ret, size, "%s/install.d/%s", folders[i], name) >= (int)size)
			break;
		n = gb_root_readlink(root, ret, link, sizeof(link));
		if (n > 0 && !strncmp(link, "/dev/null", sizeof(link)))
			break;
		if (gb_root_exists(root, ret))
			return true;
	}
	*ret = '\0';
	return false;
}
