/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recipe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootwords.h"
#include "err.h"
#include "ids.h"
#include "modprobe.h"
#include "preload.h"
#include "root.h"
#include "script.h"
#include "text.h"

#define FILE_MAX (256u << 10)
#define NAMES_MAX 512	/* in one folder, or in folders that are read as one */
#define SCRIPTS_MAX 512 /* files below folders that hold anything */
#define PATH_LEN 384

/* ---- one file -------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static void run_by_modprobe(struct gb_findings *f, const char *program);

static void take_modprobe(struct gb_findings *f, const char *data, size_t len)
{
	char program[256] = "";

	gb_modprobe_read(f, data, len, program, sizeof(program));
	if (program[0] == '/' && f->root)
		run_by_modprobe(f, program);
}

static void take_cmdline(struct gb_findings *f, const char *data, size_t len)
{
	(void)len;
	f->line = 1;
	gb_bootwords_read(f, data);
}

static void take_driverctl(struct gb_findings *f, const char *data, size_t len)
{
	gb_script_read_driverctl(f, strrchr(f->file[f->files - 1], '/') + 1, data, len);
}

typedef void (*take_fn)(struct gb_findings *f, const char *data, size_t len);

/* Who reads a file is said by its path; the first that fits. */
static const struct {
	const char *where;  /* a part of the path */
	const char *ending; /* that a name must have to be read */
	take_fn take;
} readers[] = {
	{ "/modprobe.d/", ".conf", take_modprobe },
	{ "/modules-load.d/", ".conf", gb_preload_systemd },
	{ "/etc/initramfs-tools/modules", "", gb_preload_initramfs_tools },
	{ "/etc/modules", "", gb_preload_systemd },
	{ "/dracut.conf.d/", ".conf", gb_preload_dracut },
	{ "/etc/dracut.conf", "", gb_preload_dracut },
	{ "/etc/mkinitcpio.conf.d/", ".conf", gb_preload_mkinitcpio },
	{ "/etc/mkinitcpio.conf", "", gb_preload_mkinitcpio },
	{ "/proc/cmdline", "", take_cmdline },
	{ "/etc/driverctl.d/", "", take_driverctl },
	{ "/libvirt/hooks/", "", gb_script_read_hook },
	{ "/rules.d/", ".rules", gb_script_read_rules },
	{ "/etc/initramfs-tools/", "", gb_script_read },
	{ "/initcpio/", "", gb_script_read },
	{ "/modules.d/", "", gb_script_read },
};

bool gb_recipe_take(struct gb_findings *f, const char *path, const char *data, size_t len)
{
	size_t i, n = sizeof(readers) / sizeof(*readers);

	for (i = 0; i < n && !strstr(path, readers[i].where); i++)
		;
	if (i == n || !gb_finding_enter(f, path))
		return false;
	if (ends_with(path, readers[i].ending))
		readers[i].take(f, data, len);
	else if (memmem(data, len, "vfio", 4))
		gb_found(f, GB_FILE_NAME, strrchr(path, '/') + 1);
	return true;
}

static int read_file(struct gb_findings *f, const char *path)
{
	char *data;
	size_t len;
	int r = gb_root_read_all(f->root, path, FILE_MAX, &data, &len);

	if (!r) {
		gb_recipe_take(f, path, data, len);
		free(data);
	} else if ((r == -EACCES || r == -EPERM || r == -EFBIG || r == -EIO) &&
		   gb_finding_enter(f, path)) {
		gb_foundf(f, GB_FILE_UNREAD, strrchr(path, '/') + 1, "%s", strerror(-r));
	}
	return r;
}

/* The command of an install statement: likely a script that picks devices. */
static void run_by_modprobe(struct gb_findings *f, const char *program)
{
	char *data;
	size_t len;

	if (f->scripts++ >= SCRIPTS_MAX ||
	    gb_root_read_all(f->root, program, FILE_MAX, &data, &len))
		return;
	if (!memchr(data, '\0', len) && gb_finding_enter(f, program))
		gb_script_read(f, data, len);
	free(data);
}

/* ---- folders --------------------------------------------------------------------------- */

struct entry {
	char name[NAME_MAX + 1];
	const char *folder;
	unsigned rank; /* of two files of one name, the one in the lower folder is read */
};

struct names {
	struct entry *entry;
	size_t n;
	const char *folder;
	unsigned rank;
};

static int add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	struct entry *entry = &names->entry[names->n];

	if (names->n == NAMES_MAX)
		return 1;
	if (!gb_text_copy(entry->name, sizeof(entry->name), name) || strstr(name, "ghost-boot"))
		return 0;
	entry->folder = names->folder;
	entry->rank = names->rank;
	names->n++;
	return 0;
}

static int compare_names(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = strcmp(a->name, b->name);

	return r ? r : (int)a->rank - (int)b->rank;
}

/* The names in some folders, sorted, of equal ones the first folder's. */
static size_t list_names(struct gb_findings *f, const char *const *folders, struct entry *ret)
{
	struct names names = { .entry = ret };
	size_t n = 0;

	for (; *folders; folders++, names.rank++) {
		names.folder = *folders;
		gb_root_list(f->root, *folders, add_name, &names);
	}
	qsort(ret, names.n, sizeof(*ret), compare_names);
	for (size_t i = 0; i < names.n; i++)
		if (!n || strcmp(ret[n - 1].name, ret[i].name))
			ret[n++] = ret[i];
	return n;
}

/* Debian links /etc/modules here: read under its own name. */
static bool is_etc_modules(struct gb_findings *f, const char *path)
{
	char target[64];

	return gb_root_readlink(f->root, path, target, sizeof(target)) > 0 &&
	       ends_with(target, "/modules");
}

static void read_folders(struct gb_findings *f, struct entry *entry, const char *const *folders)
{
	size_t n = list_names(f, folders, entry);
	char path[PATH_LEN];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", entry[i].folder, entry[i].name);
		if (!is_etc_modules(f, path))
			read_file(f, path);
	}
}

/* Everything below a folder; links to folders are left alone. */
static void read_tree(struct gb_findings *f, const char *folder, unsigned depth)
{
	const char *const folders[] = { folder, NULL };
	struct entry *entry = calloc(NAMES_MAX, sizeof(*entry));
	char path[PATH_LEN], target[2];
	size_t n;

	if (!entry)
		return;
	n = list_names(f, folders, entry);
	for (size_t i = 0; i < n && f->scripts < SCRIPTS_MAX; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry[i].name) >= PATH_LEN)
			continue;
		f->scripts++;
		if (read_file(f, path) == -EISDIR && depth &&
		    gb_root_readlink(f->root, path, target, sizeof(target)) < 0)
			read_tree(f, path, depth - 1);
	}
	free(entry);
}

/* dracut brings a hundred modules of its own: only those that have our subject in their name. */
static void read_dracut_modules(struct gb_findings *f, struct entry *entry)
{
	static const char *const folders[] = { "/usr/lib/dracut/modules.d", NULL };
	size_t n = list_names(f, folders, entry);
	char path[PATH_LEN];

	for (size_t i = 0; i < n; i++) {
		if (!strstr(entry[i].name, "vfio") && !strstr(entry[i].name, "gpu") &&
		    !strstr(entry[i].name, "passthrough"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", entry[i].folder, entry[i].name);
		read_tree(f, path, 0);
	}
}

static const char *const modprobe_d[] = { "/etc/modprobe.d", "/run/modprobe.d",
					  "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
					  "/lib/modprobe.d", NULL };
static const char *const modules_load_d[] = { "/etc/modules-load.d", "/run/modules-load.d",
					      "/usr/local/lib/modules-load.d",
					      "/usr/lib/modules-load.d",
					      "/lib/modules-load.d", NULL };
static const char *const dracut_conf_d[] = { "/etc/dracut.conf.d",
					     "/usr/lib/dracut/dracut.conf.d", NULL };
static const char *const mkinitcpio_conf_d[] = { "/etc/mkinitcpio.conf.d", NULL };
static const char *const driverctl_d[] = { "/etc/driverctl.d", NULL };
static const char *const rules_d[] = { "/etc/udev/rules.d", NULL };

int gb_recipe_read(struct gb_root *root, const struct gb_machine *machine,
		   struct gb_findings *ret, struct gb_err *err)
{
	struct entry *entry = calloc(NAMES_MAX, sizeof(*entry));

	memset(ret, 0, sizeof(*ret));
	if (!entry)
		return gb_fail(err, ENOMEM, "out of memory");
	ret->root = root;
	ret->machine = machine;
	read_file(ret, "/proc/cmdline");
	read_folders(ret, entry, modprobe_d);
	read_file(ret, "/etc/modules");
	read_folders(ret, entry, modules_load_d);
	read_file(ret, "/etc/initramfs-tools/modules");
	read_file(ret, "/etc/dracut.conf");
	read_folders(ret, entry, dracut_conf_d);
	read_dracut_modules(ret, entry);
	read_file(ret, "/etc/mkinitcpio.conf");
	read_folders(ret, entry, mkinitcpio_conf_d);
	read_folders(ret, entry, driverctl_d);
	read_folders(ret, entry, rules_d);
	free(entry);
	read_tree(ret, "/etc/initramfs-tools/hooks", 1);
	read_tree(ret, "/etc/initramfs-tools/scripts", 1);
	read_tree(ret, "/etc/initcpio", 1);
	read_tree(ret, "/etc/libvirt/hooks", 5);
	gb_ids_judge(ret);
	gb_findings_sort(ret);
	return 0;
}
