/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootentries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "err.h"
#include "footprint.h"
#include "host.h"
#include "root.h"
#include "text.h"
#include "trialentry.h"
#include "trialstate.h"

static bool is_grub(const struct gb_host *host)
{
	return host->loader->backend == GB_BACKEND_GRUB_DROP_IN ||
	       host->loader->backend == GB_BACKEND_GRUB_FILE;
}

static bool is_systemd(const struct gb_host *host)
{
	return host->loader->backend == GB_BACKEND_SYSTEMD && host->loader->boot[0];
}

/* ---- names -------------------------------------------------------------------------------- */

/* The value of root= in a line; "" when it has none. */
static void root_of(const char *line, char *ret, size_t size)
{
	struct gb_arguments all;

	ret[0] = '\0';
	if (gb_arguments_parse(line, strlen(line), &all))
		return;
	for (size_t i = 0; i < all.kernel; i++)
		if (!strcmp(all.argument[i].name, "root") && all.argument[i].value)
			gb_text_copy(ret, size, all.argument[i].value);
	gb_arguments_clear(&all);
}

/* machine-id(5). "" when there is none. */
static void machine_of(struct gb_root *root, char *ret, size_t size)
{
	if (gb_root_read(root, "/etc/machine-id", ret, size) <= 0)
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* Ours name no machine: they have another root than this system. Without a root=, none can be told from ours. */
static bool is_foreign(const struct gb_host *host, const struct gb_bls *bls)
{
	char ours[256] = "", its[256], *running;

	if (!gb_cmdline_running(host->root, &running, NULL)) {
		root_of(running, ours, sizeof(ours));
		free(running);
	}
	root_of(bls->options ? bls->options : "", its, sizeof(its));
	return ours[0] && its[0] && strcmp(ours, its) != 0;
}

/* What this system has written, whatever root it had then. */
static bool is_noted(struct gb_root *root, const char *path)
{
	struct gb_footprint footprint = { 0 };
	struct gb_trial trial = { 0 };
	bool is = !gb_footprint_read_file(root, GB_FOOTPRINT, &footprint, NULL) &&
		  gb_footprint_next(&footprint, GB_TRACE_MADE, path, NULL);

	if (!is && !gb_trial_read(root, &trial, NULL))
		is = trial.entry_file && !strcmp(trial.entry_file, path);
	gb_trial_clear(&trial);
	gb_footprint_clear(&footprint);
	return is;
}

static bool is_anothers(const struct gb_host *host, const char *path)
{
	struct gb_bls bls;
	char *data;
	size_t len;
	bool is = false;

	if (is_noted(host->root, path) || gb_root_read_all(host->root, path, GB_BLS_MAX, &data, &len))
		return false;
	if (!gb_bls_parse(data, len, &bls, NULL)) {
		is = is_foreign(host, &bls);
		gb_bls_clear(&bls);
	}
	free(data);
	return is;
}

static bool entry_file(const struct gb_host *host, const char *name, char *ret, size_t size)
{
	return snprintf(ret, size, "%s/loader/entries/%s", host->loader->boot, name) < (int)size;
}

/* "", or what is behind the name. */
static void find_suffix(const struct gb_host *host, const char *name, char ret[GB_BLS_MACHINE + 2])
{
	char machine[40], path[400], own[GB_BOOTENTRIES_NAME];

	ret[0] = '\0';
	machine_of(host->root, machine, sizeof(machine));
	if (strspn(machine, "0123456789abcdef") < GB_BLS_MACHINE)
		return;
	snprintf(ret, GB_BLS_MACHINE + 2, "-%s", machine);
	snprintf(own, sizeof(own), "%.*s%s.conf", (int)(strlen(name) - strlen(".conf")), name, ret);
	if (entry_file(host, own, path, sizeof(path)) && gb_root_exists(host->root, path))
		return;
	if (!entry_file(host, name, path, sizeof(path)) || !is_anothers(host, path))
		ret[0] = '\0';
}

void gb_bootentries_name(const struct gb_host *host, const char *name, char ret[GB_BOOTENTRIES_NAME])
{
	char suffix[GB_BLS_MACHINE + 2] = "";

	if (is_grub(host)) {
		strcpy(ret, !strcmp(name, GB_BLS_TRIAL) ? GB_GRUBMENU_TRIAL : GB_GRUBMENU_RECOVERY);
		return;
	}
	if (is_systemd(host))
		find_suffix(host, name, suffix);
	snprintf(ret, GB_BOOTENTRIES_NAME, "%.*s%s.conf", (int)(strlen(name) - strlen(".conf")), name, suffix);
}

bool gb_bootentries_file(const struct gb_host *host, const char *name, char *ret, size_t size)
{
	const char *cfg = gb_cmdplan_grub_cfg(host);
	char own[GB_BOOTENTRIES_NAME];
	int n = -1;

	if (is_grub(host) && cfg)
		n = snprintf(ret, size, "%.*s/custom.cfg", (int)(strrchr(cfg, '/') - cfg), cfg);
	if (n >= 0 || !is_systemd(host))
		return n > 0 && n < (int)size;
	gb_bootentries_name(host, name, own);
	return entry_file(host, own, ret, size);
}

/* update-initramfs, grub-mkconfig and their like go by "initrd.img-RELEASE" and "vmlinuz-RELEASE",
 * kernel-install by folders named after a release. In no folder of its own: of one that is made on FAT,
 * a power cut may leave the name and not its content, for which Linux mounts the whole read-only
 * (fs/fat/dir.c, fs/fat/misc.c: fat_fs_error), and nothing could be brought back. */
bool gb_bootentries_image(const struct gb_host *host, char *ret, size_t size)
{
	char suffix[GB_BLS_MACHINE + 2];

	if (is_grub(host))
		return gb_text_copy(ret, size, "/boot/ghost-boot-trial.img");
	if (!is_systemd(host))
		return false;
	find_suffix(host, GB_BLS_TRIAL, suffix);
	return snprintf(ret, size, "%s/ghost-boot-trial%s.img", host->loader->boot, suffix) < (int)size;
}

void gb_bootentries_clear(struct gb_bootentries *entries)
{
	gb_grubmenu_clear(&entries->menu);
	free(entries->words);
	free(entries->conf);
	memset(entries, 0, sizeof(*entries));
}

static int cannot(struct gb_err *err, const char *why)
{
	return gb_fail(err, EOPNOTSUPP, "%s", why);
}

static bool take(struct gb_bootentries *e, const struct gb_kernel *kernel, const char *words)
{
	e->kernel = kernel;
	e->owns = 0;
	for (size_t i = 0; i < kernel->places; i++)
		e->own[e->owns++] = kernel->place[i].path;
	free(e->words);
	e->words = strdup(words);
	return e->words;
}

/* ---- type 1 ------------------------------------------------------------------------------- */

static const struct gb_kernel *kernel_called(const struct gb_images *images, const char *release)
{
	for (size_t i = 0; i < images->kernels; i++)
		if (!strcmp(images->kernel[i].release, release))
			return &images->kernel[i];
	return NULL;
}

/* Where ours are to be, and their paths begin. */
static bool is_beside(const struct gb_host *host, const char *path)
{
	const size_t len = strlen(host->loader->boot);

	return len && !strncmp(path, host->loader->boot, len) &&
	       !strncmp(path + len, "/loader/entries/", strlen("/loader/entries/"));
}

/* 1: taken; 0: it boots something else. */
static int try_file(struct gb_bootentries *e, const struct gb_images *images,
		    const struct gb_site *site, const char *path, const char *running)
{
	struct gb_image_entry read;
	const struct gb_kernel *kernel;
	struct gb_bls bls;
	int r;

	if (!is_beside(e->host, path) || gb_bls_is_ours(path) || !gb_images_read_entry(e->host, site, path, &read) ||
	    read.unclear || !read.images)
		return 0;
	kernel = kernel_called(images, read.release);
	if (!kernel || gb_root_read_all(e->host->root, path, GB_BLS_MAX, &e->conf, &e->conf_len))
		return 0;
	r = gb_cmdplan_left_alone(e->host, path, e->conf, e->conf_len, running) ||
			    gb_bls_parse(e->conf, e->conf_len, &bls, NULL) ? 0 : 1;
	if (r) {
		gb_text_copy(e->file, sizeof(e->file), path);
		r = take(e, kernel, bls.options ? bls.options : "") ? 1 : -ENOMEM;
		gb_bls_clear(&bls);
	}
	if (r != 1) {
		free(e->conf);
		e->conf = NULL;
	}
	return r;
}

static int find_file(struct gb_bootentries *e, const struct gb_images *images,
		     const struct gb_site *site, const char *running, struct gb_err *err)
{
	int r = try_file(e, images, site, e->usual.file, running);

	if (!r)
		r = try_file(e, images, site, e->host->loader->entry, running);
	if (r < 0)
		return gb_fail(err, ENOMEM, "out of memory");
	return r ? 0 : cannot(err, "neither what the boot loader boots by itself nor what is running is an "
				   "entry that another could be made from");
}

/* ---- GRUB --------------------------------------------------------------------------------- */

static const struct gb_kernel *kernel_named(const struct gb_images *images, const char *path)
{
	for (size_t i = 0; i < images->kernels; i++)
		if (!strcmp(gb_text_base(images->kernel[i].kernel), gb_text_base(path)))
			return &images->kernel[i];
	return NULL;
}

/* 1: taken; 0: it boots something else. util/grub.d/10_linux.in: gnulinux-RELEASE-recovery-DEVICE */
static int try_item(struct gb_bootentries *e, const struct gb_images *images, int item,
		    const char *running, bool same_kernel)
{
	const struct gb_grubmenu_item *is = &e->menu.item[item];
	struct gb_text kernel = { 0 }, words = { 0 };
	const struct gb_kernel *found = NULL;
	char ours[256], its[256];
	int r = 0;

	if (!gb_grubmenu_is_ours(is) && !is->maybe && !strstr(is->id, "-recovery-") &&
	    gb_trialentry_boots(is, &kernel, &words)) {
		found = kernel_named(images, kernel.data);
		root_of(running, ours, sizeof(ours));
		root_of(words.data, its, sizeof(its));
	}
	if (found && !strcmp(ours, its) && (!same_kernel || found->running)) {
		e->item = item;
		r = take(e, found, words.data) ? 1 : -ENOMEM;
	}
	gb_text_clear(&kernel);
	gb_text_clear(&words);
	return r;
}

static int find_item(struct gb_bootentries *e, const struct gb_images *images, const char *running,
		     struct gb_err *err)
{
	int r = gb_bootdefault_menu(e->host, NULL, &e->menu, err);

	if (r)
		return r;
	r = try_item(e, images, e->usual.item, running, false);
	for (size_t i = 0; i < e->menu.items && !r; i++)
		r = try_item(e, images, (int)i, running, true);
	if (r < 0)
		return gb_fail(err, ENOMEM, "out of memory");
	return r ? 0 : cannot(err, "neither what GRUB boots by itself nor another of its entries boots a "
				   "kernel of this system in a way that another could be made from");
}

/* ---- both --------------------------------------------------------------------------------- */

static int find(struct gb_bootentries *e, const struct gb_images *images,
		const struct gb_site *site, struct gb_err *err)
{
	char *running;
	int r = gb_bootdefault_find(e->host, NULL, &e->usual, err);

	if (r)
		return r;
	if (e->usual.ours)
		return cannot(err, "the boot loader boots an entry of ghost-boot's by itself");
	if (gb_cmdline_running(e->host->root, &running, NULL))
		running = strdup("");
	if (!running)
		return gb_fail(err, ENOMEM, "out of memory");
	r = is_grub(e->host) ? find_item(e, images, running, err) :
			       find_file(e, images, site, running, err);
	free(running);
	return r;
}

int gb_bootentries_find(struct gb_host *host, const struct gb_images *images,
			const struct gb_site *site, struct gb_bootentries *ret, struct gb_err *err)
{
	const struct gb_loader *loader = host->loader;
	int r;

	*ret = (struct gb_bootentries){ .host = host };
	if (!loader->usable)
		return cannot(err, loader->why);
	if (!is_grub(host) && loader->backend != GB_BACKEND_SYSTEMD)
		return gb_fail(err, EOPNOTSUPP, "ghost-boot can't make entries of its own for this boot "
			       "loader (%s) yet", gb_backend_name(loader->backend));
	if (loader->outside)
		return gb_fail(err, EOPNOTSUPP, "this boot loader's entries lie on ESPs that %s mounts for "
			       "itself, and ghost-boot can make none there", loader->regenerate[0]);
	r = find(ret, images, site, err);
	return r == -ENOMEM || !r ? r : -EOPNOTSUPP;
}
