/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to type: the part of a diagnosis that a person acts on. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "diag.h"
#include "record.h"
#include "root.h"

const char *gb_class_name(uint32_t class)
{
	static const struct {
		uint16_t class; /* base and sub class, 0xff: any */
		const char *name;
	} names[] = {
		{ 0x03ff, "display" }, { 0x0403, "audio" },   { 0x04ff, "media" },
		{ 0x0c03, "USB" },     { 0x0c80, "USB-C" },   { 0x01ff, "storage" },
		{ 0x02ff, "network" }, { 0x0280, "network" }, { 0x06ff, "bridge" },
		{ 0x12ff, "accelerator" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].class == class >> 8 ||
		    ((names[i].class & 0xff) == 0xff && names[i].class >> 8 == class >> 16))
			return names[i].name;
	return "device";
}

/* The loader of an image's own system can't be looked at, but what it left can. */
static enum gb_bootloader find_loader(const struct gb_diag *diag)
{
	if (diag->survey.site.loader != GB_LOADER_OTHER)
		return diag->survey.site.loader;
	if (diag->text && strstr(diag->text, "BOOT_IMAGE="))
		return GB_GRUB;
	if (diag->text && strstr(diag->text, "initrd=\\"))
		return GB_SYSTEMD_BOOT;
	return GB_LOADER_OTHER;
}

void gb_diag_back(const struct gb_diag *diag, struct gb_text *ret)
{
	enum gb_bootloader loader = find_loader(diag);

	if (diag->cmdline.trial[0] && !diag->cmdline.counted) {
		gb_text_addf(ret, "Restart: this boot is a trial, and the next one goes as before.");
		return;
	}
	if (diag->arming == GB_SWITCHED_OFF || diag->arming == GB_UNARMED) {
		gb_text_addf(ret, "This boot went without claims: they are not what stopped it.");
		return;
	}
	if (loader == GB_GRUB || loader == GB_GRUB_BLS)
		gb_text_addf(ret, "Restart; in the GRUB menu (hold Shift or tap Esc to see it) press "
				  "e, add ghost.claim=off at the end of the line that begins with "
				  "linux, press Ctrl-X.");
	else if (loader == GB_SYSTEMD_BOOT)
		gb_text_addf(ret, "Restart; in the boot menu (hold Space to see it) press e, add "
				  "ghost.claim=off at the end of the line, press Enter.");
	else
		gb_text_addf(ret, "Restart; in the boot menu edit the entry (often with e), add "
				  "ghost.claim=off at the end of its kernel command line, boot it.");
	gb_text_addf(ret, " It holds for one boot.");
}

struct next {
	gb_next_fn each;
	void *ctx;
};

__attribute__((format(printf, 2, 3)))
static void say(const struct next *next, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	next->each(next->ctx, text);
}

static void next_record(const struct gb_diag *diag, const struct next *next)
{
	const struct gb_account *account = &diag->account;

	if (!account->file && diag->arming == GB_ARMED)
		say(next, diag->survey.site.initramfs
				  ? "ghost-claim was not started in this image; ghost-claim, typed "
				    "here, claims now; then rebuild the image"
				  : "ghost-claim left no record: rebuild the image, and look in it "
				    "for sbin/ghost-claim");
	if (account->broken)
		say(next, "%s can't be read: it is no record of ours", account->file);
	if (account->error[0])
		say(next, "mend what kept the claim from working: %s", account->error);
	else if (account->problems)
		say(next, "mend the claims file: %s", account->problem);
	if (diag->arming == GB_UNARMED && diag->devices)
		say(next, "to have the claims made, add ghost.claim=on to the kernel command line");
}

static void next_rival(const struct gb_diag *diag, const struct next *next)
{
	char address[GB_BDF_MAX];

	for (size_t i = 0; i < diag->devices; i++) {
		const struct gb_diag_device *device = &diag->device[i];
		const struct gb_channel *channel = device->channels.channel;

		if (device->standing != GB_STANDS_RIVAL)
			continue;
		if (device->channels.channels && gb_channel_mend(channel->kind) &&
		    !strncmp(channel->where, "/proc/cmdline", strlen("/proc/cmdline")))
			say(next, "take %s off the kernel command line of this boot entry, restart",
			    device->channels.module);
		else if (device->channels.channels && gb_channel_mend(channel->kind))
			say(next, "take %s out of %s, rebuild the image, restart",
			    device->channels.module, channel->where);
		else if (diag->account.file && !diag->account.broken)
			say(next, "ghost-claim %s--device %s takes it from %s now, if nobody uses it",
			    diag->account.waits ? "--records " GB_RECORDS_WAIT " " : "",
			    gb_bdf_format(device->bdf, address), device->driver);
		return;
	}
}

/* False when no module is to blame. */
static bool next_module(const struct gb_diag *diag, const struct next *next)
{
	const struct gb_account *account = &diag->account;

	for (size_t i = 0; i < account->modules; i++) {
		const char *state = account->module[i].state;

		if (!strcmp(state, "missing") || !strcmp(state, "failed")) {
			say(next, "get %s to load: %s", account->module[i].driver,
			    account->module[i].text);
			return true;
		}
	}
	return false;
}

void gb_diag_next(const struct gb_diag *diag, gb_next_fn each, void *ctx)
{
	struct next next = { each, ctx };

	next_record(diag, &next);
	next_rival(diag, &next);
	if (gb_diag_count(diag, GB_STANDS_UNKNOWN) && gb_root_is_real(diag->root) &&
	    !gb_root_exists(diag->root, "/sys/bus"))
		say(&next, "to see who has what: mount -t sysfs sysfs /sys; ghost-diag");
	if (gb_diag_count(diag, GB_STANDS_HELD) && !next_module(diag, &next))
		say(&next, "ghost-verify says what keeps a driver from a device without one");
	if (diag->devices && gb_diag_count(diag, GB_STANDS_OURS) == diag->devices)
		say(&next, "the claims hold; if this boot stopped, dmesg | tail says more");
}
