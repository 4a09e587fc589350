/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootentries-parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "err.h"
#include "host.h"
#include "root.h"
#include "text.h"
#include "trialentry.h"

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
		gb_bootentries_root(running, ours, sizeof(ours));
		gb_bootentries_root(words.data, its, sizeof(its));
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
	r = gb_bootentries_in_grub(e->host) ? find_item(e, images, running, err) :
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
	if (!gb_bootentries_in_grub(host) && loader->backend != GB_BACKEND_SYSTEMD)
		return gb_fail(err, EOPNOTSUPP, "ghost-boot can't make entries of its own for this boot "
			       "loader (%s) yet", gb_backend_name(loader->backend));
	if (loader->outside)
		return gb_fail(err, EOPNOTSUPP, "this boot loader's entries lie on ESPs that %s mounts for "
			       "itself, and ghost-boot can make none there", loader->regenerate[0]);
	r = find(ret, images, site, err);
	return r == -ENOMEM || !r ? r : -EOPNOTSUPP;
}
