/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdlinefile.h"
#include "grubfile.h"
#include "root.h"
#include "site.h"

#define SCRIPT_MAX (64u << 10)

const char *gb_backend_name(enum gb_backend backend)
{
	static const char *const names[] = {
		[GB_BACKEND_UNKNOWN] = "unknown",	[GB_BACKEND_GRUB_DROP_IN] = "grub-drop-in",
		[GB_BACKEND_GRUB_FILE] = "grub-file",	[GB_BACKEND_GRUB_BLS] = "grub-bls",
		[GB_BACKEND_SYSTEMD] = "systemd-boot",	[GB_BACKEND_UKI] = "unified-image",
		[GB_BACKEND_PROXMOX] = "proxmox",	[GB_BACKEND_SUSE] = "sdbootutil",
		[GB_BACKEND_OSTREE] = "ostree",
	};

	return names[backend];
}

struct work {
	struct gb_root *root;
	struct gb_loader *loader;
	const struct gb_site *site;
};

static void refuse(struct work *w, const char *why, const char *hint)
{
	w->loader->usable = false;
	snprintf(w->loader->why, sizeof(w->loader->why), "%s", why);
	snprintf(w->loader->hint, sizeof(w->loader->hint), "%s", hint);
}

static void add_source(struct work *w, enum gb_cmdline_kind kind, const char *path)
{
	struct gb_cmdline_source *source = &w->loader->source[w->loader->sources];

	if (w->loader->sources == GB_CMDLINE_SOURCES_MAX) {
		w->loader->more_sources = true;
		return;
	}
	source->kind = kind;
	source->there = gb_root_exists(w->root, path);
	if (gb_text_copy(source->path, sizeof(source->path), path))
		w->loader->sources++;
	else
		w->loader->more_sources = true;
}

struct folder {
	struct work *work;
	const char *path;
	unsigned entries;
};

static int add_entry(void *ctx, const char *file)
{
	struct folder *folder = ctx;
	struct gb_bls_name name;
	char path[512];

	/* our own have no command line but of their own */
	if (!gb_bls_name(file, &name) || gb_bls_is_ours(file))
		return 0;
	folder->entries++;
	if (!folder->work)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder->path, file);
	add_source(folder->work, GB_CMDLINE_ENTRY, path);
	return 0;
}

static int compare_sources(const void *a_store, const void *b_store)
{
	const struct gb_cmdline_source *a = a_store, *b = b_store;

	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->path, b->path);
}

static unsigned add_entries(struct work *w, const char *boot)
{
	char path[96];
	struct folder folder = { w, path, 0 };

	snprintf(path, sizeof(path), "%s/loader/entries", boot);
	gb_root_list(w->root, path, add_entry, &folder);
	if (w->loader->sources)
		qsort(w->loader->source, w->loader->sources, sizeof(*w->loader->source), compare_sources);
	return folder.entries;
}

static bool has_entries(struct work *w, const char *boot)
{
	struct folder folder = { 0 };
	char path[96];

	snprintf(path, sizeof(path), "%s/loader/entries", boot);
	gb_root_list(w->root, path, add_entry, &folder);
	return folder.entries;
}

/* Where the entries are: beside the proved one, on the loader's own ESP, in /boot beside that (its
 * extended boot loader partition), or in the one folder that has any. False: in several. */
static bool choose_boot(struct work *w)
{
	static const char *const folders[] = { "/boot", "/efi", "/boot/efi", "/boot/esp" };
	struct gb_loader *loader = w->loader;
	unsigned found = 0;

	/* an entry that was proved may still be another ESP's copy of it */
	if (loader->esp_away || (loader->esp[0] && strcmp(loader->boot, loader->esp) &&
				 strcmp(loader->boot, "/boot")))
		loader->boot[0] = loader->entry[0] = '\0';
	if (loader->boot[0] || loader->esp_away)
		return true;
	if (loader->esp[0]) {
		const char *boot = has_entries(w, loader->esp) ? loader->esp : "/boot";

		gb_text_copy(loader->boot, sizeof(loader->boot), boot);
		return true;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (has_entries(w, folders[i]) && ++found)
			gb_text_copy(loader->boot, sizeof(loader->boot), folders[i]);
	if (found != 1)
		loader->boot[0] = '\0';
	return found < 2;
}

static void run(struct work *w, const char *const *argv)
{
	for (size_t i = 0; i < GB_REGENERATE_MAX && argv[i]; i++)
		w->loader->regenerate[i] = argv[i];
}

#define RUN(w, ...) run(w, (const char *const[]){ __VA_ARGS__, NULL })

static bool script_says(struct gb_root *root, const char *path, const char *text)
{
	size_t len;
	char *data;
	bool says;

	if (gb_root_read_all(root, path, SCRIPT_MAX, &data, &len))
		return false;
	says = memmem(data, len, text, strlen(text));
	free(data);
	return says;
}

/* ---- GRUB ---------------------------------------------------------------------------- */

static bool has_blscfg(struct work *w)
{
	struct gb_grub grub;
	const char *value;
	bool on;

	gb_grub_load(w->root, false, NULL, &grub, NULL);
	value = gb_grub_get(&grub, "GRUB_ENABLE_BLSCFG", NULL);
	on = value ? !strcmp(value, "true") : grub.lost && w->loader->entry[0];
	gb_grub_clear(&grub);
	return on;
}

/* Fedora's grub.cfg takes the entries; grub2-mkconfig rewrites them from the other two. */
static void use_bls(struct work *w)
{
	w->loader->backend = GB_BACKEND_GRUB_BLS;
	w->loader->usable = true;
	add_source(w, GB_CMDLINE_GRUB, GB_GRUB_FILE);
	add_source(w, GB_CMDLINE_KERNEL, GB_CMDLINE_FILE);
	gb_text_copy(w->loader->boot, sizeof(w->loader->boot), "/boot");
	if (!add_entries(w, "/boot"))
		refuse(w, "GRUB takes its entries from /boot/loader/entries, and none is there",
		       "mount /boot");
}

static void use_suse(struct work *w)
{
	w->loader->backend = GB_BACKEND_SUSE;
	w->loader->usable = true;
	add_source(w, GB_CMDLINE_KERNEL, GB_CMDLINE_FILE);
	if (!choose_boot(w))
		refuse(w, "several folders hold boot loader entries, and nothing says which of them the "
		       "boot loader reads", "unmount the ESPs that are not used");
	else if (!w->loader->boot[0] || !has_entries(w, w->loader->boot))
		refuse(w, "the boot loader's entries are not to be found; is the ESP mounted?",
		       "mount /boot/efi");
	RUN(w, "sdbootutil", "update-all-entries");
}

static bool is_mkconfig(const char *line)
{
	static const char *const words[] = { "exec ", "grub-mkconfig", "grub2-mkconfig", " -o ",
					     "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", " \"$@\"" };

	for (bool more = true; *line && more;) {
		more = false;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (!strncmp(line, words[i], strlen(words[i]))) {
				line += strlen(words[i]);
				more = true;
			}
	}
	return !*line;
}

/* Debian's is three lines around grub-mkconfig -o /boot/grub/grub.cfg. */
static bool has_other_update_grub(struct work *w)
{
	static const char *const paths[] = { "/usr/local/sbin/update-grub", "/usr/sbin/update-grub",
					     "/usr/bin/update-grub" };
	char line[256];
	size_t len;
	char *data;
	bool usual = true;

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths) && usual; i++) {
		if (gb_root_read_all(w->root, paths[i], SCRIPT_MAX, &data, &len))
			continue;
		for (char *at = data; at && *at && usual; at = strchr(at, '\n'), at += at != NULL) {
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
			usual = line[0] == '#' || line[strspn(line, " \t")] == '\0' ||
				!strcmp(line, "set -e") || is_mkconfig(line);
		}
		free(data);
	}
	return !usual;
}

static void run_proxmox(struct work *w)
{
	RUN(w, "proxmox-boot-tool", "refresh");
	w->loader->outside = true;
}

static void use_grub(struct work *w)
{
	static const char *const scripts[] = { "/usr/sbin/grub-mkconfig", "/usr/bin/grub-mkconfig",
					       "/usr/sbin/grub2-mkconfig", "/usr/bin/grub2-mkconfig" };
	bool second = gb_root_exists(w->root, "/boot/grub2/grub.cfg"), drop_ins = false;
	bool first = gb_root_exists(w->root, "/boot/grub/grub.cfg");

	w->loader->usable = true;
	if (!first && !second) {
		w->loader->backend = GB_BACKEND_UNKNOWN;
		refuse(w, "GRUB's configuration is neither in /boot/grub nor in /boot/grub2; is /boot "
		       "mounted?", "mount /boot");
		return;
	}
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		drop_ins = drop_ins || script_says(w->root, scripts[i], "/default/grub.d");
	w->loader->backend = drop_ins ? GB_BACKEND_GRUB_DROP_IN : GB_BACKEND_GRUB_FILE;
	add_source(w, GB_CMDLINE_GRUB, GB_GRUB_FILE);
	if (drop_ins)
		add_source(w, GB_CMDLINE_DROP_IN, GB_GRUB_DROP_IN);
	if (w->site->copies)
		run_proxmox(w);
	else if (has_other_update_grub(w))
		refuse(w, "/usr/sbin/update-grub is not the usual call of grub-mkconfig, and what it writes "
		       "is not known", "add WORD to " GB_GRUB_FILE " and run update-grub");
	else if (second)
		RUN(w, "grub2-mkconfig", "-o", "/boot/grub2/grub.cfg");
	else
		RUN(w, "grub-mkconfig", "-o", "/boot/grub/grub.cfg");
	if (first && second)
		refuse(w, "there is a GRUB configuration in /boot/grub and one in /boot/grub2, and nothing "
		       "says which is used", "remove the one that is not");
}

/* ---- systemd-boot, unified images ---------------------------------------------------- */

static void use_systemd(struct work *w)
{
	bool one = choose_boot(w);

	w->loader->backend = GB_BACKEND_SYSTEMD;
	w->loader->usable = true;
	add_source(w, GB_CMDLINE_KERNEL, GB_CMDLINE_FILE);
	if (!one)
		refuse(w, "several folders hold boot loader entries, and nothing says which of them "
		       "systemd-boot reads", "unmount the ESPs that are not used");
	else if (!w->loader->boot[0] || !add_entries(w, w->loader->boot))
		refuse(w, "systemd-boot's entries are not to be found; is the ESP mounted?",
		       "mount /efi, or mount /boot/efi, or mount /boot");
}

static void use_uki(struct work *w)
{
	w->loader->backend = GB_BACKEND_UKI;
	w->loader->usable = true;
	add_source(w, GB_CMDLINE_KERNEL, GB_CMDLINE_FILE);
	if (w->site->builder == GB_MKINITCPIO) {
		RUN(w, "mkinitcpio", "-P");
	} else if (gb_root_exists(w->root, "/usr/bin/kernel-install") ||
		   gb_root_exists(w->root, "/bin/kernel-install")) {
		RUN(w, "kernel-install", "add", "RELEASE", "/boot/vmlinuz-RELEASE");
		w->loader->each_kernel = true;
	} else {
		refuse(w, "this machine boots unified kernel images, and what makes them is not known",
		       "build the image anew with the arguments in it");
	}
}

/* ---- all ----------------------------------------------------------------------------- */

static void use_proxmox(struct work *w)
{
	w->loader->backend = GB_BACKEND_PROXMOX;
	w->loader->usable = true;
	add_source(w, GB_CMDLINE_KERNEL, GB_CMDLINE_FILE);
	run_proxmox(w);
}

static void use_by_family(struct work *w)
{
	struct gb_loader *loader = w->loader;
	bool fedora = w->site->distribution == GB_FEDORA, suse = w->site->distribution == GB_SUSE;
	bool entries = gb_root_exists(w->root, "/boot/loader/entries");
	bool uki = loader->proof[GB_PROOF_STUB].weight;

	if (loader->family == GB_FAMILY_STUB || (uki && loader->family == GB_FAMILY_SYSTEMD))
		use_uki(w);
	else if (loader->family == GB_FAMILY_GRUB && fedora && entries && has_blscfg(w))
		use_bls(w);
	else if (suse && gb_root_exists(w->root, "/usr/bin/sdbootutil") &&
		 (loader->family == GB_FAMILY_SYSTEMD || loader->proof[GB_PROOF_ENTRY].weight))
		use_suse(w);
	else if (loader->family == GB_FAMILY_GRUB)
		use_grub(w);
	else if (w->site->copies)
		use_proxmox(w);
	else if (gb_root_exists(w->root, "/usr/bin/kernelstub"))
		refuse(w, "kernelstub keeps this machine's command line, and overwrites what others "
		       "write", "kernelstub -a \"" GB_LOADER_WORD "\"");
	else
		use_systemd(w);
}

void gb_loader_find_backend(struct gb_root *root, struct gb_loader *loader)
{
	struct gb_site *site = calloc(1, sizeof(*site));
	struct work w = { root, loader, site };

	if (!site)
		return refuse(&w, "out of memory", "");
	gb_site_read(root, site);
	if (site->distribution == GB_OSTREE) {
		loader->backend = GB_BACKEND_OSTREE;
		refuse(&w, "rpm-ostree keeps this machine's command line itself", "rpm-ostree kargs "
		       "--append=" GB_LOADER_WORD);
	} else if (loader->family == GB_FAMILY_NONE) {
		refuse(&w, "nothing says which boot loader booted this machine",
		       "add " GB_LOADER_WORD " to the kernel command line in your boot loader's configuration");
	} else if (loader->family == GB_FAMILY_OTHER) {
		refuse(&w, "a boot loader that is not known booted this machine",
		       "add " GB_LOADER_WORD " to the kernel command line in your boot loader's configuration");
	} else {
		use_by_family(&w);
	}
	if (loader->more_sources && loader->usable)
		refuse(&w, "there are more boot loader entries than can be changed at once",
		       "remove old entries");
	free(site);
}
