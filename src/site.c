/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "root.h"
#include "text.h"

#define TEXT_MAX (64u << 10)
#define CONFIG_MAX (2u << 20) /* bytes; Debian's has 280,000 */
#define EFIVARS "/sys/firmware/efi/efivars/"
#define LOADER_GUID "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" /* systemd's Boot Loader Interface */
#define GLOBAL_GUID "8be4df61-93ca-11d2-aa0d-00e098032b8c" /* UEFI specification 3.3 */

/* Is this text in the file? Files of programs, so their beginnings. */
static bool file_says(struct gb_root *root, const char *path, const char *text)
{
	size_t len;
	char *data;
	bool says;

	if (gb_root_read_all(root, path, TEXT_MAX, &data, &len))
		return false;
	says = memmem(data, len, text, strlen(text));
	free(data);
	return says;
}

/* ---- distribution ---------------------------------------------------------------------- */

struct release {
	char id[64], like[128], name[64];
};

static void take_release_line(void *ctx, unsigned number, const char *line)
{
	struct release *release = ctx;
	struct {
		const char *key;
		char *to;
		size_t size;
	} keys[] = { { "ID=", release->id, sizeof(release->id) },
		     { "ID_LIKE=", release->like, sizeof(release->like) },
		     { "PRETTY_NAME=", release->name, sizeof(release->name) } };

	(void)number;
	for (size_t i = 0; i < 3; i++) {
		const char *value = line + strlen(keys[i].key);
		char *end;

		if (strncmp(line, keys[i].key, strlen(keys[i].key)))
			continue;
		gb_text_copy(keys[i].to, keys[i].size, value + (*value == '"' || *value == '\''));
		end = keys[i].to + strlen(keys[i].to);
		if (end > keys[i].to && (end[-1] == '"' || end[-1] == '\''))
			end[-1] = '\0';
		for (char *c = keys[i].to; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
	}
}

static bool read_release(struct gb_root *root, const char *path, struct release *ret)
{
	char *data;
	size_t len;

	if (gb_root_read_all(root, path, TEXT_MAX, &data, &len))
		return false;
	gb_lines_each(data, len, take_release_line, ret);
	free(data);
	return ret->id[0];
}

static enum gb_distribution distribution_of(const struct release *release)
{
	static const struct {
		const char *word;
		enum gb_distribution is;
	} known[] = { { "debian", GB_DEBIAN }, { "ubuntu", GB_DEBIAN }, { "fedora", GB_FEDORA },
		      { "rhel", GB_FEDORA },   { "suse", GB_SUSE },	{ "opensuse", GB_SUSE },
		      { "arch", GB_ARCH } };
	char words[224], *word, *save = NULL;

	snprintf(words, sizeof(words), "%s %s", release->id, release->like);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (!strcmp(word, known[i].word) ||
			    (known[i].is == GB_SUSE && !strncmp(word, "opensuse-", 9)))
				return known[i].is;
	return GB_DISTRIBUTION_OTHER;
}

static void find_distribution(struct gb_root *root, const char *cmdline, struct gb_site *ret)
{
	struct release release = { 0 };

	/* dracut and mkinitcpio leave initrd-release, made from the system's own */
	if (!read_release(root, "/etc/os-release", &release) &&
	    !read_release(root, "/usr/lib/os-release", &release) &&
	    !read_release(root, "/etc/initrd-release", &release))
		read_release(root, "/usr/lib/initrd-release", &release);
	gb_text_copy(ret->name, sizeof(ret->name), release.name);
	ret->distribution = distribution_of(&release);
	if (!release.id[0] && gb_root_exists(root, "/conf/initramfs.conf"))
		ret->distribution = GB_DEBIAN;
	if (ret->distribution == GB_DEBIAN && (gb_root_exists(root, "/usr/bin/pveversion") ||
					       gb_root_exists(root, "/etc/pve")))
		ret->distribution = GB_PROXMOX;
	if (gb_root_exists(root, "/run/ostree-booted") || !strncmp(cmdline, "ostree=", 7) ||
	    strstr(cmdline, " ostree="))
		ret->distribution = GB_OSTREE;
}

/* ---- boot loader ----------------------------------------------------------------------- */

/* An EFI variable's value, its attributes left out. */
static ssize_t read_variable(struct gb_root *root, const char *name, char *buf, size_t size)
{
	ssize_t n;
	char path[128];

	snprintf(path, sizeof(path), EFIVARS "%s", name);
	n = gb_root_read(root, path, buf, size);
	if (n < 4)
		return n < 0 ? n : -ENODATA;
	memmove(buf, buf + 4, (size_t)n - 4);
	return n - 4;
}

/* UTF-16, of which loaders use what is ASCII. */
static void read_loader_info(struct gb_root *root, char *ret, size_t size)
{
	char wide[256];
	ssize_t n = read_variable(root, "LoaderInfo-" LOADER_GUID, wide, sizeof(wide));
	size_t len = 0;

	for (ssize_t i = 0; i + 1 < n && len < size - 1 && (wide[i] || wide[i + 1]); i += 2)
		ret[len++] = wide[i + 1] || wide[i] < ' ' ? '?' : wide[i];
	ret[len] = '\0';
}

static bool any_exists(struct gb_root *root, const char *const *paths)
{
	for (; *paths; paths++)
		if (gb_root_exists(root, *paths))
			return true;
	return false;
}

static bool booted_by_grub(struct gb_root *root, const char *info, const char *cmdline)
{
	static const char *const files[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", NULL };

	if (info[0])
		return !strncmp(info, "GRUB", 4);
	/* the first word that GRUB gives every kernel; "initrd=\" is the EFI stub's */
	if (strstr(cmdline, "BOOT_IMAGE="))
		return true;
	return !strstr(cmdline, "initrd=\\") && any_exists(root, files);
}

static bool booted_by_systemd_boot(struct gb_root *root, const char *info, const char *cmdline)
{
	static const char *const files[] = { "/boot/loader/loader.conf", "/efi/loader/loader.conf",
					     "/boot/efi/loader/loader.conf", NULL };

	if (info[0])
		return !strncmp(info, "systemd-boot", 12);
	return strstr(cmdline, "initrd=\\") || any_exists(root, files);
}

static void find_loader(struct gb_root *root, const char *cmdline, struct gb_site *ret)
{
	char info[64];

	read_loader_info(root, info, sizeof(info));
	ret->copies = ret->distribution == GB_PROXMOX &&
		      gb_root_exists(root, "/etc/kernel/proxmox-boot-uuids");
	if (booted_by_grub(root, info, cmdline)) {
		ret->loader = GB_GRUB;
		if ((ret->distribution == GB_FEDORA || ret->distribution == GB_SUSE) &&
		    gb_root_exists(root, "/boot/loader/entries"))
			ret->loader = GB_GRUB_BLS;
	} else if (booted_by_systemd_boot(root, info, cmdline)) {
		ret->loader = ret->copies ? GB_PROXMOX_BOOT : GB_SYSTEMD_BOOT;
		if (gb_root_exists(root, "/usr/bin/kernelstub"))
			ret->loader = GB_KERNELSTUB;
	}
}

/* ---- image builder, kernels ------------------------------------------------------------- */

static enum gb_builder find_builder(struct gb_root *root, bool initramfs)
{
	static const char *const dracut[] = { "/usr/bin/dracut", "/usr/sbin/dracut",
					      "/usr/lib/dracut-lib.sh", "/lib/dracut-lib.sh", NULL };
	static const char *const mkinitcpio[] = { "/usr/bin/mkinitcpio", "/usr/sbin/mkinitcpio",
						  "/init_functions", NULL };

	/* Debian's dracut brings an update-initramfs of its own, and initramfs-tools-core may be
	 * there beside it */
	if (initramfs ? gb_root_exists(root, "/conf/initramfs.conf")
		      : file_says(root, "/usr/sbin/update-initramfs", "mkinitramfs"))
		return GB_INITRAMFS_TOOLS;
	if (any_exists(root, dracut))
		return GB_DRACUT;
	return any_exists(root, mkinitcpio) ? GB_MKINITCPIO : GB_BUILDER_OTHER;
}

struct kernels {
	struct gb_root *root;
	struct gb_site *site;
	const char *folder;
};

static int add_kernel(void *ctx, const char *name)
{
	struct kernels *k = ctx;
	char path[160];

	if (k->site->kernels == GB_KERNELS_MAX || strlen(name) >= sizeof(*k->site->kernel))
		return 0;
	snprintf(path, sizeof(path), "%s/%s/modules.dep", k->folder, name);
	if (!gb_root_exists(k->root, path)) {
		snprintf(path, sizeof(path), "%s/%s/kernel", k->folder, name);
		if (!gb_root_exists(k->root, path))
			return 0;
	}
	gb_text_copy(k->site->kernel[k->site->kernels++], sizeof(*k->site->kernel), name);
	return 0;
}

static int compare_releases(const void *a, const void *b)
{
	return strverscmp(a, b);
}

static void find_kernels(struct gb_root *root, struct gb_site *ret)
{
	struct kernels k = { root, ret, "/lib/modules" };

	if (gb_root_list(root, k.folder, add_kernel, &k) < 0) {
		k.folder = "/usr/lib/modules";
		gb_root_list(root, k.folder, add_kernel, &k);
	}
	qsort(ret->kernel, ret->kernels, sizeof(*ret->kernel), compare_releases);
}

/* Xen's first domain has the machine's devices, with Xen below it (docs of Xen: xenfs, capabilities). */
static bool is_xens_own(struct gb_root *root)
{
	char text[64];

	return gb_root_read(root, "/proc/xen/capabilities", text, sizeof(text)) > 0 && strstr(text, "control_d");
}

/* Of the first processor's lines, which are about 1,500 bytes long. */
static enum gb_processor find_processor(struct gb_root *root, bool *ret_virtual)
{
	char text[4096];
	const char *vendor;

	*ret_virtual = false;
	if (gb_root_read(root, "/proc/cpuinfo", text, sizeof(text)) < 0)
		return GB_PROCESSOR_OTHER;
	*ret_virtual = strstr(text, " hypervisor") && !is_xens_own(root);
	if (!(vendor = strstr(text, "vendor_id")))
		return GB_PROCESSOR_OTHER;
	vendor += strcspn(vendor, ":\n");
	vendor += strspn(vendor, ": \t");
	if (!strncmp(vendor, "GenuineIntel", 12))
		return GB_INTEL;
	/* Hygon's processors are AMD's design, with its IOMMU */
	return !strncmp(vendor, "AuthenticAMD", 12) || !strncmp(vendor, "HygonGenuine", 12)
		       ? GB_AMD : GB_PROCESSOR_OTHER;
}

/* ---- firmware --------------------------------------------------------------------------- */

static void find_firmware(struct gb_root *root, struct gb_site *ret)
{
	char value[64], *open, *close;

	if (gb_root_exists(root, "/sys/firmware/efi"))
		ret->efi = GB_YES;
	else if (gb_root_exists(root, "/sys/firmware/acpi"))
		ret->efi = GB_NO;
	if (ret->efi == GB_NO)
		ret->secure_boot = GB_NO;
	else if (read_variable(root, "SecureBoot-" GLOBAL_GUID, value, sizeof(value)) == 1)
		ret->secure_boot = value[0] == 1 ? GB_YES : GB_NO;
	/* "none [integrity] confidentiality" (security/lockdown/lockdown.c, lockdown_read) */
	if (gb_root_read(root, "/sys/kernel/security/lockdown", value, sizeof(value)) > 0 &&
	    (open = strchr(value, '[')) && (close = strchr(open, ']'))) {
		*close = '\0';
		gb_text_copy(ret->lockdown, sizeof(ret->lockdown), open + 1);
	}
}

void gb_site_read(struct gb_root *root, struct gb_site *ret)
{
	size_t len;
	char *cmdline;

	memset(ret, 0, sizeof(*ret));
	if (gb_root_read_all(root, "/proc/cmdline", TEXT_MAX, &cmdline, &len))
		cmdline = NULL;
	/* only with systemd is there a link to it in /etc */
	ret->initramfs = gb_root_exists(root, "/usr/lib/initrd-release") ||
			 gb_root_exists(root, "/etc/initrd-release") ||
			 gb_root_exists(root, "/conf/initramfs.conf");
	find_distribution(root, cmdline ? cmdline : "", ret);
	find_loader(root, cmdline ? cmdline : "", ret);
	ret->builder = find_builder(root, ret->initramfs);
	ret->processor = find_processor(root, &ret->virtual);
	if (gb_root_read(root, "/proc/sys/kernel/osrelease", ret->release,
			 sizeof(ret->release)) < 0)
		ret->release[0] = '\0';
	ret->release[strcspn(ret->release, "\n")] = '\0';
	find_kernels(root, ret);
	find_firmware(root, ret);
	free(cmdline);
}

bool gb_site_kernel_config(struct gb_root *root, const char *release, const char *name, char *ret,
			   size_t size)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config",
					      "/usr/lib/modules/%s/config" };
	char path[128], line[80], *data = NULL, *value;
	size_t len;

	for (size_t i = 0; i < 3 && !data; i++) {
		snprintf(path, sizeof(path), places[i], release);
		if (!release[0] || gb_root_read_all(root, path, CONFIG_MAX, &data, &len))
			data = NULL;
	}
	if (!data)
		return false;
	snprintf(line, sizeof(line), "\nCONFIG_%s=", name);
	value = strstr(data, line);
	if (value) {
		value += strlen(line);
		value[strcspn(value, "\n")] = '\0';
	}
	gb_text_copy(ret, size, value ? value : "");
	free(data);
	return true;
}
