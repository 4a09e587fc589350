/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "host.h"
#include "kernelinstall.h"
#include "lines.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define SCRIPT_MAX (128u << 10)
#define DIVERSIONS_MAX (256u << 10)
#define UPDATE "/usr/sbin/update-initramfs"
#define UPDATE_CONF "/etc/initramfs-tools/update-initramfs.conf"
#define PLUGIN "50-dracut.install"

struct search {
	struct gb_root *root;
	struct gb_images *images;
	const struct gb_site *site;
};

/* ---- what programs say ------------------------------------------------------------------------ */

struct said {
	const char *word;
	bool found;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* A word of a script that is in no comment: a command, not the credits. */
static void look_for_word(void *ctx, unsigned number, const char *line)
{
	struct said *said = ctx;
	size_t len = strlen(said->word);
	const char *at = line + strspn(line, " \t");

	(void)number;
	if (*at == '#')
		return;
	for (; (at = strstr(at, said->word)); at += len)
		if ((at == line || !is_word(at[-1])) && !is_word(at[len]))
			said->found = true;
}

static bool script_says(struct gb_root *root, const char *path, const char *word)
{
	struct said said = { word, false };
	size_t len;
	char *data;

	if (gb_root_read_all(root, path, SCRIPT_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, look_for_word, &said);
	free(data);
	return said.found;
}

/* Which package has put its own in the place of this file: dpkg-divert(1) keeps three lines each,
 * the file, where it went, and who did it. */
struct diversion {
	const char *path;
	char by[64];
	unsigned line;
	bool here;
};

static void take_diversion(void *ctx, unsigned number, const char *line)
{
	struct diversion *diversion = ctx;

	(void)number;
	if (diversion->line % 3 == 0)
		diversion->here = !strcmp(line, diversion->path);
	else if (diversion->line % 3 == 2 && diversion->here)
		gb_text_copy(diversion->by, sizeof(diversion->by),
			     strcmp(line, ":") ? line : "this machine's owner");
	diversion->line++;
}

/* "" for one that is not. */
static void find_diversion(struct gb_root *root, const char *path, char *ret, size_t size)
{
	struct diversion diversion = { .path = path };
	size_t len;
	char *data;

	if (!gb_root_read_all(root, "/var/lib/dpkg/diversions", DIVERSIONS_MAX, &data, &len)) {
		gb_lines_each(data, len, take_diversion, &diversion);
		free(data);
	}
	gb_text_copy(ret, size, diversion.by);
}

/* ---- who is it -------------------------------------------------------------------------------- */

static void use(struct search *s, enum gb_builder builder, const char *name, const char *program)
{
	s->images->builder = builder;
	s->images->name = name;
	s->images->usable = true;
	gb_text_copy(s->images->program, sizeof(s->images->program), program);
}

static void refuse_name(struct search *s, enum gb_builder builder, const char *name)
{
	s->images->builder = builder;
	s->images->name = name;
	gb_images_refuse(s->images, "ghost-boot cmdline changes the command line alone",
			 "%s builds this machine's images, and only those of initramfs-tools and "
			 "dracut can carry the claims", name);
}

static const char *dracut_program(struct gb_root *root)
{
	return gb_root_exists(root, "/usr/bin/dracut")	? "/usr/bin/dracut" :
	       gb_root_exists(root, "/usr/sbin/dracut") ? "/usr/sbin/dracut" :
							  NULL;
}

static void use_dracut(struct search *s)
{
	const char *program = dracut_program(s->root);

	if (program)
		use(s, GB_DRACUT, "dracut", program);
	else
		gb_images_refuse(s->images, "", "dracut builds this machine's images, and its "
				 "program is not there");
}

/* Debian, Ubuntu: both builders answer to this one name. */
static void ask_update_initramfs(struct search *s)
{
	bool tools = script_says(s->root, UPDATE, "mkinitramfs");
	bool dracut = script_says(s->root, UPDATE, "dracut");
	char by[64], made[64];

	find_diversion(s->root, UPDATE, by, sizeof(by));
	find_diversion(s->root, "/usr/sbin/mkinitramfs", made, sizeof(made));
	if (tools == dracut || (tools && made[0])) {
		const char *who = tools && made[0] ? made : by;

		gb_images_refuse(s->images, who[0] ? "dpkg-divert --list" : "",
				 "%s is neither that of initramfs-tools nor that of dracut%s%s",
				 tools && made[0] ? "/usr/sbin/mkinitramfs" : UPDATE,
				 who[0] ? ": replaced by " : "", who);
	} else if (dracut) {
		use_dracut(s);
	} else if (gb_root_exists(s->root, "/usr/sbin/mkinitramfs")) {
		use(s, GB_INITRAMFS_TOOLS, "initramfs-tools", "/usr/sbin/mkinitramfs");
	} else {
		gb_images_refuse(s->images, "apt install --reinstall initramfs-tools-core",
				 UPDATE " calls mkinitramfs, which is not there");
	}
	if (s->images->usable && by[0])
		gb_images_note(s->images, "dpkg-divert --list",
			       UPDATE " was replaced by %s: kernel updates may leave the images as "
			       "they are", by);
}

static bool is_any_there(struct gb_root *root, const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/sbin" };
	char path[64];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (gb_root_exists(root, path))
			return true;
	}
	return false;
}

/* Without update-initramfs. Fedora and openSUSE know dracut alone; Debian's dracut has a hook for
 * new kernels; elsewhere others come first, since dracut may be there and not be used. */
static void ask_others(struct search *s)
{
	static const char *const others[] = { "mkinitcpio", "booster", "mkosi-initrd", "ugrd",
					      "genkernel", "mkinitfs", "update-tirfs" };
	bool own = s->site->distribution == GB_FEDORA || s->site->distribution == GB_SUSE;
	const char *generator = s->images->told.initrd_generator;
	char plugin[96];

	if (gb_root_exists(s->root, "/etc/NIXOS"))
		return refuse_name(s, GB_BUILDER_OTHER, "NixOS");
	for (size_t i = 0; i < sizeof(others) / sizeof(*others) && !own; i++)
		if (strcmp(generator, "dracut") && is_any_there(s->root, others[i]))
			return refuse_name(s, i ? GB_BUILDER_OTHER : GB_MKINITCPIO, others[i]);
	if (!dracut_program(s->root))
		gb_images_refuse(s->images, "", "what builds this machine's images is not known: "
				 "neither initramfs-tools nor dracut is there");
	else if (generator[0] && strcmp(generator, "dracut"))
		gb_images_refuse(s->images, "", "kernel-install is told to have images built by %s, "
				 "which is not known", generator);
	else if (!own && !gb_kernelinstall_plugin(s->root, PLUGIN, plugin, sizeof(plugin)) &&
		 !gb_root_exists(s->root, "/etc/kernel/postinst.d/dracut"))
		gb_images_refuse(s->images, "", "dracut is there, but nothing calls it for a new "
				 "kernel: what builds this machine's images is not known");
	else
		use_dracut(s);
}

/* Where systemd-boot has the copy that kernel-install's plugin built, its options are the ones. */
static void find_options(struct search *s, const struct gb_loader *loader)
{
	const char *generator = s->images->told.initrd_generator;
	char plugin[96];

	if (s->images->builder != GB_DRACUT ||
	    (loader->backend != GB_BACKEND_SYSTEMD && loader->backend != GB_BACKEND_UKI) ||
	    !gb_kernelinstall_plugin(s->root, PLUGIN, plugin, sizeof(plugin)) ||
	    (generator[0] && strcmp(generator, "dracut")))
		return;
	s->images->as_installed = true;
	s->images->host_only = script_says(s->root, plugin, "hostonly");
}

/* ---- what does nothing in silence ------------------------------------------------------------- */

static void note_settings(struct search *s)
{
	char value[16];

	if (gb_root_exists(s->root, UPDATE) &&
	    gb_kernelinstall_setting(s->root, UPDATE_CONF, "update_initramfs", value,
				     sizeof(value)) &&
	    !strcmp(value, "no"))
		gb_images_note(s->images, "set update_initramfs=yes in " UPDATE_CONF,
			       "update-initramfs does nothing: update_initramfs=no in " UPDATE_CONF
			       "; an update of drivers or of ghost-boot won't reach the images");
}

/* Is it there, and would run-parts start it? */
static bool is_program(struct gb_host *host, const char *path)
{
	struct gb_file file;
	bool is;

	if (!gb_file_find(&host->store, path, false, &file))
		return false;
	is = file.mode & 0111;
	gb_file_clear(&file);
	return is;
}

static void note_new_kernels(struct gb_host *host, struct search *s)
{
	static const char *const folders[] = { "/etc/kernel/postinst.d",
					       "/usr/share/kernel/postinst.d" };
	char path[96];

	if (s->site->distribution != GB_DEBIAN || s->images->as_installed)
		return;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], s->images->name);
		if (is_program(host, path))
			return;
	}
	gb_images_note(s->images, "", "nothing builds an image when a kernel is installed: "
		       "/etc/kernel/postinst.d/%s is not there or can't be run", s->images->name);
}

struct hooks {
	struct gb_host *host;
	struct gb_images *images;
	const char *folder;
};

/* run-parts(8): names of letters, digits, _ and -. Those of loaders that we write to ourselves are
 * passed over: they would rewrite in place what was just proved. */
static int add_hook(void *ctx, const char *name)
{
	static const char *const ours[] = { "systemd-boot", "proxmox-boot-sync" };
	struct hooks *hooks = ctx;
	struct gb_images *images = hooks->images;
	char path[160];

	for (const char *c = name; *c; c++)
		if (!is_word(*c))
			return 0;
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(name, ours[i]))
			return 0;
	if (snprintf(path, sizeof(path), "%s/%s", hooks->folder, name) >= (int)sizeof(path) ||
	    !is_program(hooks->host, path))
		return 0;
	if (images->hooks == GB_IMAGE_HOOKS_MAX)
		gb_images_refuse(images, "", "more programs than expected are in %s", hooks->folder);
	else
		strcpy(images->hook[images->hooks++], path);
	return 0;
}

static int compare_hooks(const void *a, const void *b)
{
	return strcmp(strrchr(a, '/'), strrchr(b, '/'));
}

static void find_hooks(struct gb_host *host, struct gb_images *images)
{
	struct hooks hooks = { host, images, "/etc/initramfs/post-update.d" };

	if (!gb_root_exists(host->root, UPDATE))
		return;
	gb_root_list(host->root, hooks.folder, add_hook, &hooks);
	hooks.folder = "/usr/share/initramfs/post-update.d";
	gb_root_list(host->root, hooks.folder, add_hook, &hooks);
	qsort(images->hook, images->hooks, sizeof(*images->hook), compare_hooks);
}

void gb_images_find_builder(struct gb_host *host, const struct gb_site *site,
			    struct gb_images *images)
{
	struct search s = { host->root, images, site };

	images->name = "";
	gb_kernelinstall_read(host->root, &images->told);
	if (gb_root_exists(host->root, UPDATE))
		ask_update_initramfs(&s);
	else
		ask_others(&s);
	if (!images->usable)
		return;
	find_options(&s, host->loader);
	note_settings(&s);
	note_new_kernels(host, &s);
	find_hooks(host, images);
}
