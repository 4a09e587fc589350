/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "site.h"

#include <stdio.h>
#include <string.h>

/* Where the command line of the next boots comes from, and what carries it there. Debian's and
 * Ubuntu's cloud images override the main file by drop-ins, the last of which wins. */

static void by_grub(const struct gb_site *site, bool add, const char *word, char *ret,
		    size_t size)
{
	const char *run = site->copies ? "proxmox-boot-tool refresh" :
			  site->distribution == GB_ARCH ? "grub-mkconfig -o /boot/grub/grub.cfg" :
			  site->distribution == GB_DEBIAN || site->distribution == GB_PROXMOX ?
			  "update-grub" : "grub2-mkconfig -o /boot/grub2/grub.cfg";
	bool drop_in = site->distribution == GB_DEBIAN || site->distribution == GB_PROXMOX;

	if (site->distribution == GB_DISTRIBUTION_OTHER)
		snprintf(ret, size, "%s %s %s GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, make "
			 "GRUB's configuration anew, and reboot", add ? "add" : "take", word,
			 add ? "to" : "out of");
	else if (drop_in && add)
		snprintf(ret, size, "write the line GRUB_CMDLINE_LINUX_DEFAULT="
			 "\"$GRUB_CMDLINE_LINUX_DEFAULT %s\" to /etc/default/grub.d/zz-local.cfg, "
			 "run %s, and reboot", word, run);
	else
		snprintf(ret, size, "%s %s %s GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub%s, "
			 "run %s, and reboot", add ? "add" : "take", word, add ? "to" : "out of",
			 drop_in ? " and /etc/default/grub.d" : "", run);
}

/* The entries hold the command line; they are written anew from a file that may not be there. */
static void by_systemd_boot(const struct gb_site *site, bool add, const char *word, char *ret,
			    size_t size)
{
	const char *verb = add ? "add" : "take", *to = add ? "to" : "out of";

	if (site->distribution == GB_DEBIAN)
		snprintf(ret, size, "%s %s %s the one line of /etc/kernel/cmdline (begin it with "
			 "that of /proc/cmdline if there is none), run kernel-install add RELEASE "
			 "/boot/vmlinuz-RELEASE for each kernel, and reboot", verb, word, to);
	else if (site->distribution == GB_SUSE)
		snprintf(ret, size, "%s %s %s the one line of /etc/kernel/cmdline, run sdbootutil "
			 "update-all-entries, and reboot", verb, word, to);
	else if (site->distribution == GB_ARCH)
		snprintf(ret, size, "%s %s %s the options line of each /boot/loader/entries/*.conf "
			 "(with unified kernel images: /etc/kernel/cmdline, then mkinitcpio -P), "
			 "and reboot", verb, word, to);
	else
		snprintf(ret, size, "%s %s %s the options line of each entry in loader/entries, and "
			 "reboot", verb, word, to);
}

static void change_word(const struct gb_site *site, bool add, const char *word, char *ret,
			size_t size)
{
	bool grubby = site->distribution == GB_FEDORA &&
		      (site->loader == GB_GRUB_BLS || site->loader == GB_GRUB ||
		       site->loader == GB_SYSTEMD_BOOT);

	if (site->distribution == GB_OSTREE)
		snprintf(ret, size, "run rpm-ostree kargs --%s=%s, and reboot",
			 add ? "append" : "delete", word);
	else if (grubby)
		snprintf(ret, size, "run grubby --update-kernel=ALL --%s=%s, and reboot",
			 add ? "args" : "remove-args", word);
	else if (site->loader == GB_KERNELSTUB)
		snprintf(ret, size, "run kernelstub -%c %s, and reboot", add ? 'a' : 'd', word);
	else if (site->loader == GB_PROXMOX_BOOT)
		snprintf(ret, size, "%s %s %s the first line of /etc/kernel/cmdline, run "
			 "proxmox-boot-tool refresh, and reboot", add ? "add" : "take", word,
			 add ? "to" : "out of");
	else if (site->loader == GB_GRUB_BLS && site->distribution == GB_SUSE)
		by_systemd_boot(site, add, word, ret, size);
	else if (site->loader == GB_GRUB || site->loader == GB_GRUB_BLS)
		by_grub(site, add, word, ret, size);
	else if (site->loader == GB_SYSTEMD_BOOT)
		by_systemd_boot(site, add, word, ret, size);
	else
		snprintf(ret, size, "%s %s %s the kernel command line in the boot loader's "
			 "configuration, and reboot", add ? "add" : "take", word,
			 add ? "to" : "out of");
}

void gb_site_add_word(const struct gb_site *site, const char *word, char *ret, size_t size)
{
	change_word(site, true, word, ret, size);
}

void gb_site_remove_word(const struct gb_site *site, const char *word, char *ret, size_t size)
{
	change_word(site, false, word, ret, size);
}

void gb_site_rebuild(const struct gb_site *site, char *ret, size_t size)
{
	static const char *const commands[] = {
		[GB_BUILDER_OTHER] = "build the initramfs of each kernel anew",
		[GB_INITRAMFS_TOOLS] = "run update-initramfs -u -k all",
		[GB_DRACUT] = "run dracut --force --regenerate-all",
		[GB_MKINITCPIO] = "run mkinitcpio -P",
	};

	if (site->distribution == GB_OSTREE)
		snprintf(ret, size, "run rpm-ostree initramfs --enable");
	else
		snprintf(ret, size, "%s%s", commands[site->builder],
			 site->copies && site->builder != GB_BUILDER_OTHER ?
			 " and proxmox-boot-tool refresh" : "");
}
