/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where our own entries and the trial's image are, and whose they are: two systems may share an ESP. */
#include "bootentries-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "footprint.h"
#include "host.h"
#include "root.h"
#include "text.h"
#include "trialentry.h"
#include "trialstate.h"

bool gb_bootentries_in_grub(const struct gb_host *host)
{
	return host->loader->backend == GB_BACKEND_GRUB_DROP_IN ||
	       host->loader->backend == GB_BACKEND_GRUB_FILE;
}

static bool in_systemd(const struct gb_host *host)
{
	return host->loader->backend == GB_BACKEND_SYSTEMD && host->loader->boot[0];
}

void gb_bootentries_root(const char *line, char *ret, size_t size)
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

/* ---- whose is it? ------------------------------------------------------------------------- */

bool gb_bootentries_machine(const struct gb_host *host, char ret[GB_BLS_MACHINE + 1])
{
	char id[40];

	if (gb_root_read(host->root, "/etc/machine-id", id, sizeof(id)) <= 0 ||
	    strspn(id, "0123456789abcdef") < GB_BLS_MACHINE)
		return false;
	snprintf(ret, GB_BLS_MACHINE + 1, "%s", id);
	return true;
}

static bool has_our_root(const struct gb_host *host, const char *data, size_t len)
{
	char ours[256] = "", its[256] = "", *running;
	struct gb_bls bls;

	if (gb_bls_parse(data, len, &bls, NULL))
		return false;
	gb_bootentries_root(bls.options ? bls.options : "", its, sizeof(its));
	gb_bls_clear(&bls);
	if (gb_cmdline_running(host->root, &running, NULL))
		return false;
	gb_bootentries_root(running, ours, sizeof(ours));
	free(running);
	return !strcmp(ours, its);
}

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

/* An ID may have been made anew: what this system has noted, and what boots it, is its own. */
bool gb_bootentries_is_foreign(const struct gb_host *host, const char *path)
{
	char ours[GB_BLS_MACHINE + 1], its[GB_BLS_MACHINE + 1];
	char *data;
	size_t len;
	bool is;

	if (!gb_bootentries_machine(host, ours) || gb_root_read_all(host->root, path, GB_BLS_MAX, &data, &len))
		return false;
	is = gb_trialentry_machine(data, len, its) && strcmp(its, ours) != 0 &&
	     !(is_noted(host->root, path) && has_our_root(host, data, len));
	free(data);
	return is;
}

/* ---- names -------------------------------------------------------------------------------- */

static bool entry_file(const char *folder, const char *name, char *ret, size_t size)
{
	return snprintf(ret, size, "%s/loader/entries/%s", folder, name) < (int)size;
}

/* systemd-boot reads both, and calls an entry by its file's name alone. */
static bool is_taken(const struct gb_host *host, const char *name)
{
	const char *const folders[] = { host->loader->boot, host->loader->esp };
	char path[400];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (folders[i][0] && entry_file(folders[i], name, path, sizeof(path)) &&
		    gb_bootentries_is_foreign(host, path))
			return true;
	return false;
}

static void add_suffix(const char *name, const char *suffix, char ret[GB_BOOTENTRIES_NAME])
{
	snprintf(ret, GB_BOOTENTRIES_NAME, "%.*s%s.conf", (int)(strlen(name) - strlen(".conf")), name, suffix);
}

/* "", or what is behind the name. One that is there stays, whatever the other system does. */
static void find_suffix(const struct gb_host *host, const char *name, char ret[GB_BLS_MACHINE + 2])
{
	char machine[GB_BLS_MACHINE + 1], path[400], own[GB_BOOTENTRIES_NAME];

	ret[0] = '\0';
	if (!gb_bootentries_machine(host, machine))
		return;
	snprintf(ret, GB_BLS_MACHINE + 2, "-%s", machine);
	add_suffix(name, ret, own);
	if (entry_file(host->loader->boot, own, path, sizeof(path)) && gb_root_exists(host->root, path))
		return;
	if (!is_taken(host, name))
		ret[0] = '\0';
}

void gb_bootentries_name(const struct gb_host *host, const char *name, char ret[GB_BOOTENTRIES_NAME])
{
	char suffix[GB_BLS_MACHINE + 2] = "";

	if (gb_bootentries_in_grub(host)) {
		strcpy(ret, !strcmp(name, GB_BLS_TRIAL) ? GB_GRUBMENU_TRIAL : GB_GRUBMENU_RECOVERY);
		return;
	}
	if (in_systemd(host))
		find_suffix(host, name, suffix);
	add_suffix(name, suffix, ret);
}

bool gb_bootentries_file(const struct gb_host *host, const char *name, char *ret, size_t size)
{
	const char *cfg = gb_cmdplan_grub_cfg(host);
	char own[GB_BOOTENTRIES_NAME];
	int n;

	if (gb_bootentries_in_grub(host) && cfg) {
		n = snprintf(ret, size, "%.*s/custom.cfg", (int)(strrchr(cfg, '/') - cfg), cfg);
		return n < (int)size;
	}
	if (!in_systemd(host))
		return false;
	gb_bootentries_name(host, name, own);
	return entry_file(host->loader->boot, own, ret, size);
}

/* update-initramfs, grub-mkconfig and their like go by "initrd.img-RELEASE" and "vmlinuz-RELEASE",
 * kernel-install by folders named after a release. In no folder of its own: of one that is made on FAT,
 * a power cut may leave the name and not its content, for which Linux mounts the whole read-only
 * (fs/fat/dir.c, fs/fat/misc.c: fat_fs_error), and nothing could be brought back. */
bool gb_bootentries_image(const struct gb_host *host, char *ret, size_t size)
{
	char suffix[GB_BLS_MACHINE + 2];

	if (gb_bootentries_in_grub(host))
		return gb_text_copy(ret, size, "/boot/ghost-boot-trial.img");
	if (!in_systemd(host))
		return false;
	find_suffix(host, GB_BLS_TRIAL, suffix);
	return snprintf(ret, size, "%s/ghost-boot-trial%s.img", host->loader->boot, suffix) < (int)size;
}
