/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "channel.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "loads.h"
#include "root.h"
#include "text.h"

#define FILE_MAX (256u << 10)
#define ALIASES_MAX (8u << 20) /* a full Debian kernel's modules.alias has 1.3 MiB */
#define NAMES_MAX 256	       /* in one folder */

struct search {
	struct gb_root *root;
	struct gb_channels *ret;
	const char *file;
	enum gb_channel_kind kind; /* what a find in this file means */
	const char *modalias;
};

static const struct {
	const char *name, *text, *mend;
} kinds[] = {
	{ "built-in", "built into the kernel", NULL },
	{ "modules-load", "loaded by systemd-modules-load", "remove it there" },
	{ "driver-pre", "loaded by dracut before udev", "remove it there" },
	{ "script", "loaded by a script", "remove it there" },
	{ "softdep", "loaded because another module wants it first", "remove it there" },
	{ "coldplug", "loaded by udev for this device", NULL },
	{ "dependency", "loaded because another module needs it", NULL },
	{ "modules", "loaded by initramfs-tools' list", "remove it there" },
	{ "driver-post", "loaded by dracut after udev", "remove it there" },
};

const char *gb_channel_name(enum gb_channel_kind kind)
{
	return kinds[kind].name;
}

const char *gb_channel_text(enum gb_channel_kind kind)
{
	return kinds[kind].text;
}

const char *gb_channel_mend(enum gb_channel_kind kind)
{
	return kinds[kind].mend;
}

__attribute__((format(printf, 3, 4)))
static void add(struct search *s, const char *what, const char *format, ...)
{
	struct gb_channels *ret = s->ret;
	struct gb_channel *channel = &ret->channel[ret->channels];
	va_list args;

	/* one of a kind: the first is enough to find the others */
	for (size_t i = 0; i < ret->channels; i++)
		if (ret->channel[i].kind == s->kind)
			return;
	if (ret->channels == GB_CHANNELS_MAX)
		return;
	channel->kind = s->kind;
	va_start(args, format);
	vsnprintf(channel->where, sizeof(channel->where), format, args);
	va_end(args);
	gb_text_copy(channel->what, sizeof(channel->what), what + strspn(what, " \t"));
	ret->channels++;
}

/* ---- one line of each kind of file ------------------------------------------------- */

static void found(struct search *s, unsigned number, const char *what)
{
	add(s, what, "%s:%u", s->file, number);
}

static void list_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;

	if (gb_loads_in_list(line, s->ret->module))
		found(s, number, line);
}

static void script_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;

	if (gb_loads_in_script(line, s->ret->module))
		found(s, number, line);
}

/* Says the kernel whether a module is there: only then can it have wanted another. */
static bool is_loaded(struct gb_root *root, const char *module)
{
	char path[GB_DRIVER_MAX + 32];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	for (char *c = path; *c; c++)
		*c = *c == '-' ? '_' : *c;
	return gb_root_exists(root, path);
}

static void softdep_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;
	char wants[GB_DRIVER_MAX];

	if (gb_loads_in_softdep(line, s->ret->module, wants, sizeof(wants)) &&
	    !strchr(wants, '/') && is_loaded(s->root, wants))
		found(s, number, line);
}

/* systemd:src/modules-load/modules-load.c takes its word with and without "rd.". */
static const struct {
	const char *word;
	enum gb_channel_kind kind;
} words[] = {
	{ "modules_load=", GB_CHANNEL_MODULES_LOAD },
	{ "rd.modules_load=", GB_CHANNEL_MODULES_LOAD },
	{ "rd.driver.pre=", GB_CHANNEL_DRIVER_PRE },
	{ "rdloaddriver=", GB_CHANNEL_DRIVER_PRE },
	{ "rd.driver.post=", GB_CHANNEL_DRIVER_POST },
	{ "rdinsmodpost=", GB_CHANNEL_DRIVER_POST },
};

static void cmdline_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;
	char what[200];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].kind == s->kind &&
		    gb_loads_in_word(line, words[i].word, s->ret->module, what, sizeof(what)))
			found(s, number, what);
}

static void dracut_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;

	if (gb_loads_in_dracut(line, s->ret->module))
		found(s, number, line);
}

static void alias_line(void *ctx, unsigned number, const char *line)
{
	struct search *s = ctx;
	char alias[256];

	if (gb_loads_by_alias(line, s->modalias, s->ret->module, alias, sizeof(alias)))
		found(s, number, alias);
}

/* ---- files and folders ------------------------------------------------------------- */

static void look_in_file(struct search *s, const char *file, size_t max, gb_line_fn each)
{
	char *data;
	size_t len;

	if (gb_root_read_all(s->root, file, max, &data, &len))
		return;
	s->file = file;
	gb_lines_each(data, len, each, s);
	free(data);
}

struct names {
	char (*name)[NAME_MAX + 1];
	size_t n;
	const char *ending;
};

static int add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	size_t len = strlen(name), end = strlen(names->ending);

	if (len < end || strcmp(name + len - end, names->ending) || strstr(name, "ghost"))
		return 0;
	gb_text_copy(names->name[names->n], sizeof(*names->name), name);
	return ++names->n == NAMES_MAX;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void look_in_folder(struct search *s, const char *folder, const char *ending,
			   gb_line_fn each)
{
	struct names names = { .ending = ending };
	char path[PATH_MAX];

	names.name = malloc(NAMES_MAX * sizeof(*names.name));
	if (!names.name)
		return;
	gb_root_list(s->root, folder, add_name, &names);
	qsort(names.name, names.n, sizeof(*names.name), compare);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names.name[i]);
		look_in_file(s, path, FILE_MAX, each);
	}
	free(names.name);
}

/* In the order in which a boot reads them. */
static const struct {
	enum gb_channel_kind kind;
	const char *path;
	const char *ending; /* of names in a folder; NULL: a file */
	gb_line_fn each;
} places[] = {
	{ GB_CHANNEL_MODULES_LOAD, "/proc/cmdline", NULL, cmdline_line },
	{ GB_CHANNEL_MODULES_LOAD, "/etc/modules-load.d", ".conf", list_line },
	{ GB_CHANNEL_MODULES_LOAD, "/run/modules-load.d", ".conf", list_line },
	{ GB_CHANNEL_MODULES_LOAD, "/usr/local/lib/modules-load.d", ".conf", list_line },
	{ GB_CHANNEL_MODULES_LOAD, "/usr/lib/modules-load.d", ".conf", list_line },
	{ GB_CHANNEL_MODULES_LOAD, "/lib/modules-load.d", ".conf", list_line },
	{ GB_CHANNEL_MODULES_LOAD, "/etc/modules", NULL, list_line },
	{ GB_CHANNEL_DRIVER_PRE, "/etc/cmdline.d", ".conf", cmdline_line },
	{ GB_CHANNEL_DRIVER_PRE, "/etc/cmdline", NULL, cmdline_line },
	{ GB_CHANNEL_DRIVER_PRE, "/proc/cmdline", NULL, cmdline_line },
	{ GB_CHANNEL_DRIVER_PRE, "/etc/dracut.conf.d", ".conf", dracut_line },
	{ GB_CHANNEL_DRIVER_PRE, "/etc/dracut.conf", NULL, dracut_line },
	{ GB_CHANNEL_SCRIPT, "/conf/conf.d", "", script_line },
	{ GB_CHANNEL_SCRIPT, "/scripts/init-top", "", script_line },
	{ GB_CHANNEL_SCRIPT, "/scripts/init-premount", "", script_line },
	{ GB_CHANNEL_SCRIPT, "/scripts/local-top", "", script_line },
	{ GB_CHANNEL_SCRIPT, "/etc/initramfs-tools/scripts/init-top", "", script_line },
	{ GB_CHANNEL_SCRIPT, "/var/lib/dracut/hooks/cmdline", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/var/lib/dracut/hooks/pre-udev", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/var/lib/dracut/hooks/pre-trigger", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/usr/lib/dracut/hooks/cmdline", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/usr/lib/dracut/hooks/pre-udev", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/usr/lib/dracut/hooks/pre-trigger", ".sh", script_line },
	{ GB_CHANNEL_SCRIPT, "/etc/systemd/system", ".service", script_line },
	{ GB_CHANNEL_SOFTDEP, "/etc/modprobe.d", ".conf", softdep_line },
	{ GB_CHANNEL_SOFTDEP, "/run/modprobe.d", ".conf", softdep_line },
	{ GB_CHANNEL_SOFTDEP, "/usr/lib/modprobe.d", ".conf", softdep_line },
	{ GB_CHANNEL_SOFTDEP, "/lib/modprobe.d", ".conf", softdep_line },
};

static const struct {
	enum gb_channel_kind kind;
	const char *path;
	gb_line_fn each;
} late_places[] = {
	{ GB_CHANNEL_MODULES, "/conf/modules", list_line },
	{ GB_CHANNEL_MODULES, "/etc/initramfs-tools/modules", list_line },
	{ GB_CHANNEL_DRIVER_POST, "/proc/cmdline", cmdline_line },
};

static void look_in_kernel_files(struct search *s, const char *name, size_t max, gb_line_fn each)
{
	char release[128], path[256];

	if (gb_root_read(s->root, "/proc/sys/kernel/osrelease", release, sizeof(release)) <= 0)
		return;
	release[strcspn(release, "\n")] = '\0';
	snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, name);
	look_in_file(s, path, max, each);
}

static void look_for_alias(struct search *s, struct gb_bdf bdf)
{
	char path[GB_SYSFS_MAX], modalias[256];

	if (gb_root_read(s->root, gb_bdf_file(bdf, "modalias", path), modalias,
			 sizeof(modalias)) <= 0)
		return;
	modalias[strcspn(modalias, "\n")] = '\0';
	s->modalias = modalias;
	s->kind = GB_CHANNEL_COLDPLUG;
	look_in_kernel_files(s, "modules.alias", ALIASES_MAX, alias_line);
}

static int add_holder(void *ctx, const char *name)
{
	struct search *s = ctx;

	add(s, "", "/sys/module/%.60s/holders/%.60s", s->ret->module, name);
	return 1;
}

static void look_for_holder(struct search *s)
{
	char path[GB_DRIVER_MAX + 40];

	s->kind = GB_CHANNEL_DEPENDENCY;
	snprintf(path, sizeof(path), "/sys/module/%s/holders", s->ret->module);
	gb_root_list(s->root, path, add_holder, s);
}

/* Built-in drivers may have a module folder too, for their parameters; but only what was loaded
 * has a state (kernel/module/main.c, modinfo_initstate). */
static bool is_built_in(struct search *s, const char *driver)
{
	char path[GB_DRIVER_MAX + 64], target[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/module", driver);
	s->kind = GB_CHANNEL_BUILT_IN;
	if (gb_root_readlink(s->root, path, target, sizeof(target)) <= 0) {
		path[strlen(path) - strlen("/module")] = '\0';
		/* without sysfs nobody can tell */
		if (gb_root_exists(s->root, path))
			add(s, "", "%s has no module", path);
		return true;
	}
	gb_text_copy(s->ret->module, sizeof(s->ret->module), gb_text_base(target));
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", s->ret->module);
	if (gb_root_exists(s->root, path))
		return false;
	path[strlen(path) - strlen("/initstate")] = '\0';
	add(s, "", "%s was not loaded", path);
	return true;
}

/* The same command line serves images of every builder; each reads its own words only. On a host
 * nobody can tell which the next one will be. */
static bool is_read(struct gb_root *root, enum gb_channel_kind kind)
{
	bool initramfs_tools = gb_root_exists(root, "/conf/initramfs.conf");

	switch (kind) {
	case GB_CHANNEL_MODULES_LOAD:
		return !initramfs_tools &&
		       (!gb_root_exists(root, "/usr/lib/initrd-release") ||
			gb_root_exists(root, "/usr/lib/systemd/systemd-modules-load"));
	case GB_CHANNEL_DRIVER_PRE:
	case GB_CHANNEL_DRIVER_POST:
		return !initramfs_tools;
	default:
		return true;
	}
}

static void look_in_place(struct search *s, enum gb_channel_kind kind, const char *path,
			  const char *ending, gb_line_fn each)
{
	s->kind = kind;
	if (!is_read(s->root, kind))
		return;
	if (ending)
		look_in_folder(s, path, ending, each);
	else
		look_in_file(s, path, FILE_MAX, each);
}

void gb_channel_find(struct gb_root *root, struct gb_bdf bdf, const char *driver,
		     struct gb_channels *ret)
{
	struct search s = { .root = root, .ret = ret };

	memset(ret, 0, sizeof(*ret));
	if (!*driver || strchr(driver, '/') || is_built_in(&s, driver))
		return;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		look_in_place(&s, places[i].kind, places[i].path, places[i].ending,
			      places[i].each);
	s.kind = GB_CHANNEL_SOFTDEP;
	look_in_kernel_files(&s, "modules.softdep", FILE_MAX, softdep_line);
	look_for_alias(&s, bdf);
	look_for_holder(&s);
	for (size_t i = 0; i < sizeof(late_places) / sizeof(*late_places); i++)
		look_in_place(&s, late_places[i].kind, late_places[i].path, NULL,
			      late_places[i].each);
}
