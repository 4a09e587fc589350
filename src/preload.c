/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "preload.h"

#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "ids.h"
#include "lines.h"
#include "modprobe.h"
#include "root.h"
#include "text.h"

#define WORD_MAX 1100

/* What is remembered of a list while it is read. */
struct list {
	struct gb_findings *f;
	enum gb_finding_id means; /* what it is to have a vfio module here */
	bool vfio;		  /* vfio_pci was seen */
	unsigned line;		  /* of the first vfio module, 0: none */
	char names[96];		  /* all of them */
	unsigned rival_line;	  /* of the first rival before it, 0: none */
	char rival[64];
	/* mkinitcpio */
	enum { NO_ARRAY, MODULES, HOOKS, OTHER } array;
	unsigned hooks_line;
	bool kms, modconf;
};

/* ---- vfio_virqfd ----------------------------------------------------------------------- */

struct kernels {
	struct gb_root *root;
	size_t seen;
	char without[64];
};

static int look_at_kernel(void *ctx, const char *name)
{
	static const char *const endings[] = { "", ".xz", ".zst", ".gz" };
	struct kernels *kernels = ctx;
	char path[256];

	snprintf(path, sizeof(path), "/lib/modules/%.120s/modules.dep", name);
	if (!gb_root_exists(kernels->root, path))
		return 0;
	kernels->seen++;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		snprintf(path, sizeof(path),
			 "/lib/modules/%.120s/kernel/drivers/vfio/vfio_virqfd.ko%s", name,
			 endings[i]);
		if (gb_root_exists(kernels->root, path))
			return kernels->seen >= 64;
	}
	gb_text_copy(kernels->without, sizeof(kernels->without), name);
	return 1;
}

/* Folded into vfio in Linux 6.2; distributions took that back to older ones, so the module itself
 * is looked for. */
static void find_virqfd(struct gb_findings *f)
{
	struct kernels kernels = { .root = f->root };

	if (f->root && f->findings < GB_FINDINGS_MAX)
		gb_root_list(f->root, "/lib/modules", look_at_kernel, &kernels);
	if (kernels.without[0])
		gb_foundf(f, GB_VFIO_VIRQFD, "vfio_virqfd", "kernel %s has no such module",
			  kernels.without);
	else if (!kernels.seen)
		gb_found(f, GB_VFIO_VIRQFD, "vfio_virqfd");
}

/* ---- one module of any list ------------------------------------------------------------ */

static void rival_before(struct list *list)
{
	unsigned line = list->f->line;

	if (!list->rival_line)
		return;
	list->f->line = list->rival_line;
	gb_found(list->f, GB_RIVAL_FIRST, list->rival);
	list->f->line = line;
	list->rival_line = 0;
}

static void add_vfio(struct list *list, const char *name)
{
	size_t len = strlen(list->names);

	snprintf(list->names + len, sizeof(list->names) - len, "%s%s", len ? " " : "", name);
	if (!list->line)
		list->line = list->f->line;
}

/* One finding for all vfio modules of a list, where the first stands. */
static void end_list(struct list *list)
{
	if (list->line) {
		list->f->line = list->line;
		gb_found(list->f, list->means, list->names);
	}
	list->line = 0;
	list->names[0] = '\0';
}

static void take_module(struct list *list, const char *name)
{
	struct gb_findings *f = list->f;

	if (gb_text_same_module(name, "vfio_virqfd")) {
		find_virqfd(f);
	} else if (gb_modprobe_is_vfio(name)) {
		add_vfio(list, name);
		if (gb_text_same_module(name, "vfio_pci")) {
			list->vfio = true;
			rival_before(list);
		}
	} else if (!gb_modprobe_misspelt(f, name, name) && gb_modprobe_is_rival(name)) {
		if (list->vfio) {
			gb_found(f, GB_RIVAL_EARLY, name);
		} else if (!list->rival_line) {
			list->rival_line = f->line;
			gb_text_copy(list->rival, sizeof(list->rival), name);
		}
	}
}

/* ---- one module a line ----------------------------------------------------------------- */

/* systemd:src/modules-load/modules-load.c: the line without spaces around it is the name. */
static void systemd_line(void *ctx, unsigned number, const char *line)
{
	struct list *list = ctx;
	char name[WORD_MAX], more[2];
	const char *at = line;

	list->f->line = number;
	if (!gb_lines_word(&at, name, sizeof(name)) || strchr("#;", name[0]))
		return;
	if (!gb_lines_word(&at, more, sizeof(more)))
		take_module(list, name);
	else if (strstr(line, "vfio"))
		gb_found(list->f, GB_MODULES_ARGUMENTS, line);
}

void gb_preload_systemd(struct gb_findings *f, const char *data, size_t len)
{
	struct list list = { .f = f, .means = GB_MODULES_LOAD };

	gb_lines_each(data, len, systemd_line, &list);
	end_list(&list);
}

/* initramfs-tools:scripts/functions, load_modules: each line is given to modprobe as it is. */
static void initramfs_line(void *ctx, unsigned number, const char *line)
{
	struct list *list = ctx;
	char name[64], word[WORD_MAX];
	const char *at = line;

	list->f->line = number;
	if (!gb_lines_word(&at, name, sizeof(name)) || name[0] == '#')
		return;
	if (!strcmp(name, "options") || !strcmp(name, "softdep") || !strcmp(name, "blacklist") ||
	    !strcmp(name, "install")) {
		if (strstr(line, "vfio"))
			gb_found(list->f, GB_MODULES_SYNTAX, line);
		return;
	}
	take_module(list, name);
	while (gb_lines_word(&at, word, sizeof(word)) && word[0] != '#') {
		if (gb_modprobe_is_vfio(word)) {
			gb_found(list->f, GB_MODULES_SYNTAX, line);
			return;
		}
		gb_modprobe_option(list->f, name, word, GB_BY_IMAGE);
	}
}

void gb_preload_initramfs_tools(struct gb_findings *f, const char *data, size_t len)
{
	struct list list = { .f = f, .means = GB_INITRAMFS_MODULES };

	gb_lines_each(data, len, initramfs_line, &list);
	end_list(&list);
}

/* ---- dracut ---------------------------------------------------------------------------- */

/* NAME=VALUE or NAME+=VALUE of a shell file, with the value's quotes taken off. */
static bool assignment(const char *line, char name[static 32], char *value, size_t size,
		       bool *ret_adds)
{
	size_t len = strcspn(line += strspn(line, " \t"), "+= \t"), n;
	char quote;

	if (!len || len >= 32 || (line[len] == '+' ? line[len + 1] : line[len]) != '=')
		return false;
	memcpy(name, line, len);
	name[len] = '\0';
	*ret_adds = line[len] == '+';
	line += len + 1 + *ret_adds;
	quote = *line == '"' || *line == '\'' ? *line++ : '\0';
	n = quote ? strcspn(line, (char[]){ quote, '\0' }) : strcspn(line, " \t#");
	if (n >= size)
		n = size - 1;
	memcpy(value, line, n);
	value[n] = '\0';
	return true;
}

static void dracut_words(struct list *list, const char *value, bool omit)
{
	char word[64];

	while (gb_lines_word(&value, word, sizeof(word)))
		if (omit)
			gb_modprobe_kept_away(list->f, GB_DRACUT_OMIT, word, word);
		else
			take_module(list, word);
}

/* dracut.conf(5): kernel_cmdline goes into the image, hostonly_cmdline says yes or no. */
static void dracut_cmdline(struct gb_findings *f, const char *name, const char *value)
{
	if (strstr(value, "iommu") || strstr(value, "acs") || strstr(value, "vfio-pci.ids"))
		gb_found(f, GB_DRACUT_CMDLINE, value);
	else if (!strcmp(name, "hostonly_cmdline") && strchr(value, '='))
		gb_foundf(f, GB_DRACUT_CMDLINE, value, "hostonly_cmdline takes yes or no");
	else if (strstr(value, "rd.driver.pre=vfio"))
		gb_found(f, GB_RD_DRIVER_PRE, value);
}

static void dracut_line(void *ctx, unsigned number, const char *line)
{
	struct list *list = ctx;
	char name[32], value[GB_LINE_MAX];
	size_t len;
	bool adds, drivers;

	list->f->line = number;
	if (!assignment(line, name, value, sizeof(value), &adds))
		return;
	len = strlen(value);
	list->means = strcmp(name, "force_drivers") ? GB_DRACUT_ADD : GB_DRACUT_FORCE;
	drivers = !strcmp(name, "force_drivers") || !strcmp(name, "add_drivers") ||
		  !strcmp(name, "drivers");
	if (drivers || !strcmp(name, "omit_drivers"))
		dracut_words(list, value, !drivers);
	end_list(list);
	if (drivers && adds && strstr(value, "vfio") &&
	    (!strchr(" \t", value[0]) || !strchr(" \t", value[len - 1])))
		gb_found(list->f, GB_DRACUT_SPACES, line);
	if (!strcmp(name, "add_dracutmodules") && strstr(value, "vfio"))
		gb_found(list->f, GB_DRACUT_MODULE, value);
	if (!strcmp(name, "kernel_cmdline") || !strcmp(name, "hostonly_cmdline"))
		dracut_cmdline(list->f, name, value);
}

void gb_preload_dracut(struct gb_findings *f, const char *data, size_t len)
{
	struct list list = { .f = f };

	gb_lines_each(data, len, dracut_line, &list);
}

/* ---- mkinitcpio ------------------------------------------------------------------------ */

static void take_array_word(struct list *list, const char *word)
{
	if (list->array == MODULES) {
		take_module(list, word);
	} else if (list->array == HOOKS) {
		list->kms |= !strcmp(word, "kms");
		list->modconf |= !strcmp(word, "modconf");
	}
}

/* Sets list->array for a line that begins NAME= or NAME+=, and returns the value. */
static const char *array_begins(struct list *list, const char *line)
{
	size_t name = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), sign = line[name] == '+';

	if (!name || line[name + sign] != '=')
		return NULL;
	list->array = OTHER;
	if (name == strlen("MODULES") && !strncmp(line, "MODULES", name))
		list->array = MODULES;
	if (name == strlen("HOOKS") && !strncmp(line, "HOOKS", name)) {
		list->array = HOOKS;
		list->hooks_line = list->f->line;
	}
	return line + name + sign + 1;
}

/* NAME=(…) over several lines, or NAME="…" as older files have it. */
static void mkinitcpio_line(void *ctx, unsigned number, const char *line)
{
	static const char between[] = " \t()\"'";
	struct list *list = ctx;
	char word[64];
	bool ends;

	list->f->line = number;
	line += strspn(line, " \t");
	if (*line == '#')
		return;
	ends = strchr(line, ')');
	if (list->array == NO_ARRAY) {
		line = array_begins(list, line);
		if (!line)
			return;
		ends |= *line != '(';
	}
	for (size_t len; *(line += strspn(line, between)) && *line != '#'; line += len) {
		len = strcspn(line, between);
		snprintf(word, sizeof(word), "%.*s", (int)len, line);
		take_array_word(list, word);
	}
	if (ends)
		list->array = NO_ARRAY;
}

void gb_preload_mkinitcpio(struct gb_findings *f, const char *data, size_t len)
{
	struct list list = { .f = f, .means = GB_MKINITCPIO_MODULES };

	gb_lines_each(data, len, mkinitcpio_line, &list);
	end_list(&list);
	f->line = list.hooks_line;
	if (list.vfio && list.hooks_line && list.kms)
		gb_found(f, GB_MKINITCPIO_KMS, "kms");
	if (list.vfio && list.hooks_line && !list.modconf)
		gb_found(f, GB_MKINITCPIO_MODCONF, "HOOKS");
}
