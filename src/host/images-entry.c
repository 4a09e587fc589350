/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "host.h"
#include "lines.h"
#include "root.h"
#include "text.h"

/* What boot loaders' files say about images: entries of type 1, and GRUB's own configuration. */

/* ---- entries ---------------------------------------------------------------------------------- */

/* An entry is somebody else's text, and what it names will be written to: no way up, nothing odd.
 * systemd-boot takes backslashes too. */
static bool plain_path(const char *value, char *ret, size_t size)
{
	char *at;

	if (snprintf(ret, size, "%s%s", *value == '/' || *value == '\\' ? "" : "/", value) >=
	    (int)size)
		return false;
	for (at = ret; *at; at++) {
		if (*at == '\\')
			*at = '/';
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	}
	for (at = ret; (at = strchr(at, '/')); at++)
		if (!strncmp(at, "//", 2) || !strcmp(at, "/") || !strncmp(at, "/./", 3) ||
		    !strncmp(at, "/../", 4) || !strcmp(at, "/.") || !strcmp(at, "/.."))
			return false;
	return true;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	return len >= strlen(end) && !strncmp(text + len - strlen(end), end, strlen(end));
}

/* GRUB's paths begin where the file system does: "/initrd", "/boot/initrd", "/@/boot/initrd" of a
 * btrfs subvolume, "/BOOT/debian@/initrd" of ZFS. */
static bool is_boot_folder(const char *path)
{
	size_t len = (size_t)(gb_text_base(path) - path) - 1;

	return !len || ends_with(path, len, "/boot") || ends_with(path, len, "@");
}

/* A path in an entry as one of this system. */
static bool place_of(const struct gb_loader *loader, const char *value, char *ret, size_t size)
{
	bool grub = loader->backend == GB_BACKEND_GRUB_BLS;
	char path[256];

	if (!plain_path(value, path, sizeof(path)))
		return false;
	if (grub && is_boot_folder(path))
		return snprintf(ret, size, "/boot/%s", gb_text_base(path)) < (int)size;
	return snprintf(ret, size, "%s%s", loader->boot, path) < (int)size;
}

static bool is_microcode(const char *value)
{
	const char *base = gb_text_base(value);

	return strstr(base, "ucode") || !strncmp(base, "microcode", 9);
}

/* One word of an initrd line; GRUB's may be variables, for what tuned wants there. */
static void take_image(const struct gb_loader *loader, const char *word, struct gb_image_entry *ret)
{
	if (*word == '$' || is_microcode(word))
		return;
	if (ret->images == GB_ENTRY_IMAGES_MAX ||
	    !place_of(loader, word, ret->image[ret->images], sizeof(ret->image[0])))
		ret->unclear = true;
	else
		ret->images++;
}

static bool is_own_name(const char *path, const char *release)
{
	static const char *const names[] = { "initrd", "initrd.img", "initramfs.img", "initrd.img-%s",
					     "initrd-%s", "initrd-%s.img", "initramfs-%s.img" };
	char name[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), names[i], release);
		if (!strcmp(gb_text_base(path), name))
			return true;
	}
	return false;
}

/* Debian 13's kernel-install with dracut makes entries that load two, dracut's "initrd" and a copy
 * of /boot/initrd.img-RELEASE: the kernel unpacks both, so both count. What has another name beside
 * these is somebody's addition. */
static void choose_images(struct gb_image_entry *ret)
{
	size_t own = 0;

	for (size_t i = 0; i < ret->images; i++)
		if (is_own_name(ret->image[i], ret->release) && own++ != i)
			strcpy(ret->image[own - 1], ret->image[i]);
	if (own)
		ret->images = own;
	else if (ret->images > 1)
		ret->unclear = true;
}

static void take_images(const struct gb_loader *loader, const struct gb_bls *bls,
			struct gb_image_entry *ret)
{
	for (size_t i = 0; i < bls->initrds; i++) {
		const char *at = bls->initrd[i];
		char word[256];

		if (loader->backend != GB_BACKEND_GRUB_BLS)
			take_image(loader, at, ret);
		else
			while (gb_lines_word(&at, word, sizeof(word)))
				take_image(loader, word, ret);
	}
	choose_images(ret);
}

/* "/vmlinuz-6.1.0", "/MACHINE/6.1.0/linux" */
static bool is_kernel_of(const char *path, const char *release)
{
	static const char *const names[] = { "vmlinuz-", "vmlinux-", "linux-", "kernel-" };
	const char *base = gb_text_base(path);
	size_t len = strlen(release);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(base, names[i], strlen(names[i])) &&
		    !strcmp(base + strlen(names[i]), release))
			return true;
	return base > path + len + 1 && base[-1] == '/' && base[-2 - (ptrdiff_t)len] == '/' &&
	       !strncmp(base - 1 - len, release, len);
}

static const char *release_of(const struct gb_site *site, const struct gb_bls *bls)
{
	for (size_t i = 0; i < site->kernels; i++)
		if (bls->kernel && is_kernel_of(bls->kernel, site->kernel[i]))
			return site->kernel[i];
	for (size_t i = 0; i < site->kernels; i++)
		if (bls->version && !strcmp(bls->version, site->kernel[i]))
			return site->kernel[i];
	return "";
}

bool gb_images_read_entry(struct gb_host *host, const struct gb_site *site, const char *path,
			  struct gb_image_entry *ret)
{
	struct gb_bls bls;
	size_t len;
	char *data;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (gb_root_read_all(host->root, path, GB_BLS_MAX, &data, &len))
		return false;
	r = gb_bls_parse(data, len, &bls, NULL);
	free(data);
	if (r)
		return false;
	gb_text_copy(ret->release, sizeof(ret->release), release_of(site, &bls));
	if (bls.kernel && !place_of(host->loader, bls.kernel, ret->kernel, sizeof(ret->kernel)))
		ret->kernel[0] = '\0';
	take_images(host->loader, &bls, ret);
	gb_bls_clear(&bls);
	return true;
}

/* ---- grub.cfg --------------------------------------------------------------------------------- */

struct names {
	const char *name;
	bool found;
};

/* Up to the next blank, without quotes around it: names of images hold neither. */
static bool grub_word(const char **at, char *word, size_t size)
{
	const char *begin = *at + strspn(*at, " \t");
	size_t len = strcspn(begin, " \t");

	*at = begin + len;
	if (len > 1 && strchr("'\"", *begin) && begin[len - 1] == *begin) {
		begin++;
		len -= 2;
	}
	snprintf(word, size, "%.*s", (int)len, begin);
	return **at || len;
}

/* "initrd /boot/intel-ucode.img ($root)/boot/initrd.img-6.1.0" */
static void take_grub_line(void *ctx, unsigned number, const char *line)
{
	static const char *const commands[] = { "initrd", "initrdefi", "initrd16" };
	struct names *names = ctx;
	char word[512];
	bool is = false;

	(void)number;
	if (!grub_word(&line, word, sizeof(word)))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		is = is || !strcmp(word, commands[i]);
	while (is && grub_word(&line, word, sizeof(word))) {
		const char *path = *word == '(' && strchr(word, ')') ? strchr(word, ')') + 1 : word;

		if (*path == '/' && !strcmp(gb_text_base(path), names->name) && is_boot_folder(path))
			names->found = true;
	}
}

bool gb_images_grub_names(const char *data, size_t len, const char *name)
{
	struct names names = { name, false };

	gb_lines_each(data, len, take_grub_line, &names);
	return names.found;
}
