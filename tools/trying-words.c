/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cmdplan.h"
#include "counter.h"
#include "trying.h"
#include "work.h"

/* The device that a path lies on, as it is mounted; "" when that can't be told. */
static const char *device_of(const struct gb_disks *disks, const char *path, size_t *ret_len)
{
	const char *device = "";
	size_t best = 0;

	*ret_len = 0;
	for (size_t i = 0; i < disks->disks; i++) {
		const struct gb_disk *disk = &disks->disk[i];
		const size_t len = strcmp(disk->what, "/") ? strlen(disk->what) : 0;

		if (disk->from != GB_DISK_MOUNTED || disk->what[0] != '/' || len < best ||
		    strncmp(path, disk->what, len) || path[len] != '/')
			continue;
		best = *ret_len = len;
		device = disk->source;
	}
	return device;
}

/* What arms is one word, where the boot loader reads it. */
static void add_way_back(const struct gb_work *work, struct gb_text *ret)
{
	const struct gb_loader *loader = work->host.loader;
	const char *cfg = gb_cmdplan_grub_cfg(&work->host), *device;
	char path[400];
	size_t len;

	if (loader->backend == GB_BACKEND_SYSTEMD)
		snprintf(path, sizeof(path), "%s/loader/entries/*.conf", loader->boot);
	else if (cfg && loader->family == GB_FAMILY_GRUB && loader->backend != GB_BACKEND_GRUB_BLS)
		snprintf(path, sizeof(path), "%s", cfg);
	else
		return;
	device = device_of(&work->setup.disks, path, &len);
	gb_text_addf(ret, "\nShould no entry boot any more: from a live system on a USB stick, as root,\n"
			  "    mount %s /mnt\n    sed -i 's/ ghost.claim=on//' /mnt%s\n    reboot\n"
			  "and then, on this machine again, ghost-boot disable.",
		     device[0] ? device : "the partition of the boot loader", path + len);
}

/* systemd-stub(7): with Secure Boot, what is passed to an image that has its own line is ignored. */
bool gb_trying_can_edit(const struct gb_trying *t)
{
	return !t->work->setup.images.unified.program[0] ||
	       t->work->context->survey.site.secure_boot == GB_NO;
}

static void add_time(unsigned seconds, struct gb_text *ret)
{
	if (seconds % 60)
		gb_text_addf(ret, "%u seconds", seconds);
	else
		gb_text_addf(ret, "%u minute%s", seconds / 60, seconds == 60 ? "" : "s");
}

static void add_trial(const struct gb_trying *t, struct gb_text *ret)
{
	gb_text_addf(ret, "The next boot tries it, once: restart when it suits you. Should the power fail "
			  "before that, the\nboot after it is the trial.\n"
			  "A black screen, or a machine that hangs: hold the power button until it is off. The "
			  "boot after\nthat is the old one, with %s.\n",
		     t->work->setup.standing ? "the claims of before" : "nothing claimed");
	if (t->trial.manual)
		gb_text_addf(ret, "It is kept by `ghost-boot confirm` alone. Any restart before that goes "
				  "back.\n");
	else {
		gb_text_addf(ret, "It is kept once all is as before and somebody has logged in, or after ");
		add_time(t->trial.seconds, ret);
		gb_text_addf(ret, "; at once by\n`ghost-boot confirm`. Any restart before that goes back.\n");
	}
	gb_text_addf(ret, "`ghost-boot disable` takes all of it back, now or later.");
}

static void add_counted(const struct gb_trying *t, struct gb_text *ret)
{
	gb_text_addf(ret, "It holds from the next boot on. Until it is confirmed, %d boots have the claims, and "
			  "later ones\nnothing: after a black screen, press the power button until it is off, "
			  "and start again.\n", GB_COUNTER_BOOTS);
	if (t->trial.manual)
		gb_text_addf(ret, "`ghost-boot confirm` alone confirms it.\n");
	else {
		gb_text_addf(ret, "It is confirmed once all is as before and somebody has logged in, or after ");
		add_time(t->trial.seconds, ret);
		gb_text_addf(ret, "; at\nonce by `ghost-boot confirm`.\n");
	}
	gb_text_addf(ret, "`ghost-boot disable` takes all of it back, now or later.");
}

static void add_permanent(const struct gb_trying *t, struct gb_text *ret)
{
	const struct gb_setup *setup = &t->work->setup;

	gb_text_addf(ret, "Done. It holds from the next boot on, at once and for good: a look at\n"
			  "`ghost-boot status` after it tells. ");
	if (!gb_trying_can_edit(t))
		gb_text_addf(ret, "With Secure Boot, the command line of a unified\nimage can't be edited in "
				  "the boot menu: the way back is ghost-boot disable.");
	else if (setup->no_recovery[0])
		gb_text_addf(ret, "To boot once without it, press e in the\nboot menu and add ghost.claim=off; "
				  "for good, ghost-boot disable.");
	else
		gb_text_addf(ret, "To boot once without it, take the entry\n\"without GPU claims\" in the boot "
				  "menu; for good, ghost-boot disable.");
}

void gb_trying_words(const struct gb_trying *t, struct gb_text *ret)
{
	if (t->way == GB_WAY_TRIAL)
		add_trial(t, ret);
	else if (t->way == GB_WAY_COUNTED)
		add_counted(t, ret);
	else
		add_permanent(t, ret);
	add_way_back(t->work, ret);
}
