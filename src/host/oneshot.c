/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oneshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "efi.h"
#include "err.h"
#include "host.h"
#include "text.h"

#define VARIABLE "LoaderEntryOneShot" GB_EFI_LOADER
#define CAN_ONESHOT (1u << 3) /* LoaderFeatures (systemd: src/fundamental/efivars-fundamental.h) */
#define NO_ENTRY "ghost-boot-nothing"
#define ID_MAX 512

void gb_oneshot_refuse(struct gb_oneshot *oneshot, const char *hint, const char *format, ...)
{
	va_list args;

	oneshot->kind = GB_ONESHOT_NONE;
	va_start(args, format);
	vsnprintf(oneshot->why, sizeof(oneshot->why), format, args);
	va_end(args);
	gb_text_copy(oneshot->hint, sizeof(oneshot->hint), hint);
}

/* ---- which way -------------------------------------------------------------------------- */

static void find_grub(struct gb_host *host, struct gb_oneshot *ret)
{
	if (host->loader->outside)
		gb_oneshot_refuse(ret, "", "what GRUB reads lies on ESPs that %s mounts for itself",
				  host->loader->regenerate[0]);
	else
		gb_oneshot_gate(host, ret);
	if (!ret->why[0])
		ret->kind = GB_ONESHOT_GRUB;
}

/* GRUB, too, may announce it: openSUSE's does. */
void gb_oneshot_find(struct gb_host *host, struct gb_oneshot *ret)
{
	const struct gb_loader *loader = host->loader;

	*ret = (struct gb_oneshot){ .kind = GB_ONESHOT_NONE };
	if (!loader->usable)
		gb_oneshot_refuse(ret, loader->hint, "%s", loader->why);
	else if (loader->features_known && loader->features & CAN_ONESHOT && host->efi)
		ret->kind = GB_ONESHOT_EFI;
	else if (loader->family == GB_FAMILY_GRUB)
		find_grub(host, ret);
	else if (loader->family == GB_FAMILY_SYSTEMD && !host->efi)
		gb_oneshot_refuse(ret, gb_efi_reach_hint(host->root), "the firmware's variables can't be "
				  "reached, so systemd-boot can't be told to boot an entry once");
	else if (loader->family == GB_FAMILY_SYSTEMD)
		gb_oneshot_refuse(ret, "bootctl update", "this systemd-boot does not say that it boots an "
				  "entry once (LoaderFeatures)");
	else
		gb_oneshot_refuse(ret, "", "%s can't be told to boot an entry once",
				  gb_family_name(loader->family));
}

/* ---- the EFI variable ------------------------------------------------------------------- */

static int read_variable(struct gb_host *host, char *ret, size_t size)
{
	int r = host->efi ? gb_efi_get_text(host->efi, VARIABLE, ret, size) : -ENOENT;

	if (r == -ENOENT)
		ret[0] = '\0';
	return r == -ENOENT ? 0 : r;
}

static int remove_variable(struct gb_host *host, struct gb_err *err)
{
	char now[ID_MAX];
	int r = host->efi->remove(host->efi, VARIABLE);

	if (r && r != -ENOENT)
		return gb_fail(err, -r, "the EFI variable LoaderEntryOneShot can't be removed: %s",
			       strerror(-r));
	if (read_variable(host, now, sizeof(now)) || now[0])
		return gb_fail(err, EIO, "the EFI variable LoaderEntryOneShot is still there after it was "
			       "removed");
	return 0;
}

/* ---- both ------------------------------------------------------------------------------- */

static int set(struct gb_host *host, struct gb_oneshot *oneshot, const char *id, struct gb_err *err)
{
	int r;

	oneshot->hint[0] = '\0';
	switch (oneshot->kind) {
	case GB_ONESHOT_EFI:
		r = gb_efi_set_text(host->efi, VARIABLE, id, err);
		gb_text_copy(oneshot->hint, sizeof(oneshot->hint), gb_efi_hint(r));
		return r;
	case GB_ONESHOT_GRUB: return gb_oneshot_env_set(host, id, err);
	case GB_ONESHOT_NONE: break;
	}
	return gb_fail(err, EOPNOTSUPP, "%s", oneshot->why);
}

/* Whoever has asked for another boot wants that one. */
static int is_free(struct gb_host *host, struct gb_oneshot *oneshot, const char *id, struct gb_err *err)
{
	char now[ID_MAX];
	int r = gb_oneshot_read(host, now, sizeof(now), err);

	if (r || !now[0] || !strcasecmp(now, id) || !strcmp(now, NO_ENTRY))
		return r;
	gb_text_copy(oneshot->hint, sizeof(oneshot->hint), oneshot->kind == GB_ONESHOT_EFI ?
		     "Let that boot come first, or take it back: bootctl set-oneshot \"\"" :
		     "Let that boot come first, or take it back: grub-editenv - unset next_entry");
	return gb_fail(err, EBUSY, "the next boot is to take \"%.80s\" once, and that was not asked by "
		       "ghost-boot", now);
}

/* What was written in part, or by a firmware that says no and does it all the same, goes. */
int gb_oneshot_arm(struct gb_host *host, struct gb_oneshot *oneshot, const char *id,
		   struct gb_err *err)
{
	int r = is_free(host, oneshot, id, err);

	if (!r)
		r = set(host, oneshot, id, err);
	if (r)
		gb_oneshot_disarm(host, id, NULL, NULL);
	return r;
}

int gb_oneshot_try(struct gb_host *host, struct gb_oneshot *oneshot, struct gb_err *err)
{
	int r = gb_oneshot_disarm(host, NO_ENTRY, NULL, err);

	if (!r)
		r = gb_oneshot_arm(host, oneshot, NO_ENTRY, err);
	return r ? r : gb_oneshot_disarm(host, NO_ENTRY, NULL, err);
}

int gb_oneshot_read(struct gb_host *host, char *ret, size_t size, struct gb_err *err)
{
	int r = read_variable(host, ret, size);

	if (r)
		return gb_fail(err, -r, "the EFI variable LoaderEntryOneShot: %s", strerror(-r));
	return ret[0] ? 0 : gb_oneshot_env_read(host, ret, size, err);
}

int gb_oneshot_is(struct gb_host *host, const char *id)
{
	char now[ID_MAX];
	int r = gb_oneshot_read(host, now, sizeof(now), NULL);

	return r ? r : !strcasecmp(now, id);
}

int gb_oneshot_disarm(struct gb_host *host, const char *id, bool *ret_armed, struct gb_err *err)
{
	char now[ID_MAX];
	bool in_efi, in_grub;
	int r = read_variable(host, now, sizeof(now)), one;

	if (r)
		gb_fail(err, -r, "the EFI variable LoaderEntryOneShot: %s", strerror(-r));
	/* ids are lower case, whatever was written */
	in_efi = !r && now[0] && !strcasecmp(now, id);
	if (in_efi)
		r = remove_variable(host, err);
	one = gb_oneshot_env_read(host, now, sizeof(now), r ? NULL : err);
	in_grub = !one && now[0] && !strcmp(now, id);
	if (in_grub)
		one = gb_oneshot_env_set(host, NULL, r ? NULL : err);
	if (ret_armed)
		*ret_armed = in_efi || in_grub;
	return r ? r : one;
}
