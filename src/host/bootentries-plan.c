/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "bootentries-parts.h"
#include "cmdplan.h"
#include "err.h"
#include "footprint.h"
#include "grubcustom.h"
#include "host.h"
#include "plan.h"
#include "root.h"
#include "trialentry.h"

#define TRIAL_TITLE " (trial by ghost-boot)"
#define RECOVERY_TITLE " (without GPU claims)"
#define TRIAL_WHY "the trial's entry, which the boot loader takes once"
#define RECOVERY_WHY "an entry to boot without claims, whatever happens"

static struct gb_trialentry trial_of(const struct gb_bootentries *e,
				     const struct gb_bootentries_want *want)
{
	/* from the root of the loader's partition on */
	const char *image = want->image + strlen(e->host->loader->boot);

	return (struct gb_trialentry){ .title = TRIAL_TITLE, .id = GB_GRUBMENU_TRIAL,
				       .want = want->trial, .wants = want->trials, .own = e->own,
				       .owns = e->owns, .image = e->file[0] ? image : want->image };
}

static struct gb_trialentry recovery_of(const struct gb_bootentries *e,
					const struct gb_bootentries_want *want)
{
	return (struct gb_trialentry){ .title = RECOVERY_TITLE, .id = GB_GRUBMENU_RECOVERY,
				       .want = want->recovery, .wants = want->recoveries,
				       .own = e->own, .owns = e->owns,
				       .release = e->kernel->release };
}

/* ---- what the loader would boot then -------------------------------------------------------- */

static int check_default(const struct gb_bootentries *e, const struct gb_bootdefault_with *with,
			 struct gb_err *err)
{
	struct gb_bootdefault after;
	int r = gb_bootdefault_find(e->host, with, &after, err);

	if (!r && (after.ours || strcmp(after.id, e->usual.id)))
		r = gb_fail(err, EPERM, "with an entry of ghost-boot's beside it, the boot loader would boot "
			    "%.120s by itself, and no longer %.120s", after.id, e->usual.id);
	return r;
}

/* ---- type 1 ------------------------------------------------------------------------------- */

static int write_conf(const struct gb_bootentries *e, const char *name,
		      const struct gb_trialentry *entry, const char *why, struct gb_plan *plan,
		      struct gb_err *err)
{
	const size_t first = plan->steps;
	struct gb_text text = { 0 };
	char path[400];
	int r;

	if (!gb_bootentries_file(e->host, name, path, sizeof(path)))
		return gb_fail(err, ENAMETOOLONG, "%s: its path is too long", name);
	r = gb_trialentry_conf(e->conf, e->conf_len, entry, &text, err);
	if (r)
		gb_wrap(err, "%s", e->file);
	else
		r = gb_plan_write(plan, &e->host->store, path, text.data, text.len, 0644, why, err);
	gb_plan_mark(plan, first, GB_BOOT_POINTER);
	gb_text_clear(&text);
	return r < 0 ? r : 0;
}

static int drop_file(struct gb_host *host, const char *path, struct gb_plan *plan, struct gb_err *err)
{
	const size_t first = plan->steps;
	int r = 0;

	if (gb_root_exists(host->root, path) && !gb_bootentries_is_foreign(host, path))
		r = gb_plan_remove(plan, &host->store, path, "an entry of ghost-boot's", err);
	gb_plan_mark(plan, first, GB_BOOT_POINTER);
	return r < 0 ? r : 0;
}

static int drop_conf(struct gb_host *host, const char *name, struct gb_footprint *footprint,
		     struct gb_plan *plan, struct gb_err *err)
{
	char path[400];
	int r;

	if (!gb_bootentries_file(host, name, path, sizeof(path)))
		return 0;
	r = drop_file(host, path, plan, err);
	gb_footprint_drop(footprint, GB_TRACE_MADE, path);
	return r;
}

/* By other names, too: the machine had another ID, or there was another system on its ESP. */
static int drop_noted(struct gb_host *host, struct gb_footprint *footprint, struct gb_plan *plan,
		      struct gb_err *err)
{
	const struct gb_trace *trace = NULL;
	char path[PATH_MAX];
	int r = 0;

	while (!r && (trace = gb_footprint_next(footprint, GB_TRACE_MADE, NULL, trace)))
		if (gb_bls_is_ours(trace->path) && gb_text_copy(path, sizeof(path), trace->path)) {
			r = drop_file(host, path, plan, err);
			gb_footprint_drop(footprint, GB_TRACE_MADE, path);
			trace = NULL;
		}
	return r;
}

static int plan_confs(const struct gb_bootentries *e, const struct gb_bootentries_want *want,
		      struct gb_footprint *footprint, struct gb_plan *plan, struct gb_err *err)
{
	const char *names[3] = { NULL };
	const struct gb_bootdefault_with with = { .entry = names };
	char trial[GB_BOOTENTRIES_NAME], recovery[GB_BOOTENTRIES_NAME], machine[GB_BLS_MACHINE + 1];
	const bool known = gb_bootentries_machine(e->host, machine);
	struct gb_trialentry entry;
	size_t n = 0;
	char path[400];
	int r;

	gb_bootentries_name(e->host, GB_BLS_TRIAL, trial);
	gb_bootentries_name(e->host, GB_BLS_RECOVERY, recovery);
	if (want->trial || want->keep)
		names[n++] = trial;
	if (want->recovery)
		names[n++] = recovery;
	r = check_default(e, &with, err);
	if (!r && want->recovery) {
		entry = recovery_of(e, want);
		entry.machine = known ? machine : NULL;
		r = write_conf(e, GB_BLS_RECOVERY, &entry, RECOVERY_WHY, plan, err);
		if (!r && gb_bootentries_file(e->host, GB_BLS_RECOVERY, path, sizeof(path)))
			gb_footprint_add(footprint, GB_TRACE_MADE, path, NULL, NULL);
	} else if (!r) {
		r = drop_conf(e->host, GB_BLS_RECOVERY, footprint, plan, err);
	}
	if (!r && want->trial) {
		entry = trial_of(e, want);
		entry.machine = known ? machine : NULL;
		r = write_conf(e, GB_BLS_TRIAL, &entry, TRIAL_WHY, plan, err);
	} else if (!r && !want->keep) {
		r = drop_conf(e->host, GB_BLS_TRIAL, footprint, plan, err);
	}
	return r;
}

/* ---- GRUB --------------------------------------------------------------------------------- */

static int read_custom(struct gb_host *host, char *path, size_t size, char **ret, size_t *ret_len,
		       struct gb_err *err)
{
	int r;

	*ret = NULL;
	*ret_len = 0;
	if (!gb_bootentries_file(host, "", path, size))
		return -ENOENT;
	r = gb_root_read_all(host->root, path, GB_GRUBCUSTOM_MAX, ret, ret_len);
	return r && r != -ENOENT ? gb_fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

/* `ours` NULL: nothing of ours; the file goes with it if it was made for that. */
static int write_custom(struct gb_host *host, const char *path, const char *data, size_t len,
			const char *ours, const char *why, struct gb_footprint *footprint,
			struct gb_plan *plan, struct gb_err *err)
{
	const size_t first = plan->steps;
	struct gb_text now = { 0 };
	bool left = false;
	int r = gb_grubcustom_change(data, len, ours, &now, &left, err);

	if (r) {
		gb_wrap(err, "%s", path);
	} else if (!ours && !left && gb_footprint_next(footprint, GB_TRACE_MADE, path, NULL)) {
		r = data ? gb_plan_remove(plan, &host->store, path, why, err) : 0;
		gb_footprint_drop(footprint, GB_TRACE_MADE, path);
	} else if (ours || data) {
		if (!data)
			gb_footprint_add(footprint, GB_TRACE_MADE, path, NULL, NULL);
		r = gb_plan_write(plan, &host->store, path, now.data ? now.data : "", now.len, 0644, why,
				  err);
	}
	gb_plan_mark(plan, first, GB_BOOT_POINTER);
	gb_text_clear(&now);
	return r < 0 ? r : 0;
}

/* The number of an item's way at the top: `fallback` takes no names in every version. */
static int top_number(const struct gb_grubmenu *menu, int item)
{
	int number = 0;

	while (menu->item[item].above != GB_GRUBMENU_TOP)
		item = menu->item[item].above;
	for (int i = 0; i < item; i++)
		number += menu->item[i].above == GB_GRUBMENU_TOP;
	return number;
}

static int make_ours(const struct gb_bootentries *e, const struct gb_bootentries_want *want,
		     struct gb_text *ret, struct gb_err *err)
{
	const struct gb_grubmenu_item *item = &e->menu.item[e->item];
	struct gb_trialentry entry;
	int r = 0;

	if (want->trial) {
		gb_trialentry_guard(e->menu.usual ? e->menu.usual : "", top_number(&e->menu, e->usual.item),
				    ret);
		entry = trial_of(e, want);
		r = gb_trialentry_grub(item, &entry, ret, err);
	}
	if (!r && want->recovery) {
		entry = recovery_of(e, want);
		r = gb_trialentry_grub(item, &entry, ret, err);
	}
	return r;
}

/* Do these lines make the entries, where GRUB finds them by their ids? */
static int check_menu(const struct gb_bootentries *e, const struct gb_bootentries_want *want,
		      const struct gb_bootdefault_with *with, struct gb_err *err)
{
	struct gb_grubmenu menu;
	int r = gb_bootdefault_menu(e->host, with, &menu, err), item;

	if (r)
		return r;
	item = gb_grubmenu_find(&menu, want->trial ? GB_GRUBMENU_TRIAL : GB_GRUBMENU_RECOVERY);
	if (item < 0 || !gb_grubmenu_is_ours(&menu.item[item]))
		r = gb_fail(err, EINVAL, "what custom.cfg says already keeps GRUB from seeing entries "
			    "behind it");
	gb_grubmenu_clear(&menu);
	return r;
}

static bool has_trial(const struct gb_grubmenu *menu)
{
	for (size_t i = 0; i < menu->items; i++)
		if (!strcmp(menu->item[i].id, GB_GRUBMENU_TRIAL))
			return true;
	return false;
}

static int plan_custom(const struct gb_bootentries *e, const struct gb_bootentries_want *want,
		       struct gb_footprint *footprint, struct gb_plan *plan, struct gb_err *err)
{
	struct gb_bootdefault_with with = { 0 };
	struct gb_text ours = { 0 }, now = { 0 };
	char path[400], *data = NULL;
	const bool any = want->trial || want->recovery;
	bool left = false;
	size_t len = 0;
	int r = read_custom(e->host, path, sizeof(path), &data, &len, err);

	/* the recovery's beside it finds a kernel by itself */
	if (!r && want->keep && has_trial(&e->menu)) {
		free(data);
		return 0;
	}
	if (!r && any)
		r = make_ours(e, want, &ours, err);
	if (!r)
		r = gb_grubcustom_change(data, len, any ? ours.data : NULL, &now, &left, err);
	with.custom = now.data ? now.data : "";
	with.custom_len = now.len;
	if (!r)
		r = check_default(e, &with, err);
	if (!r && any)
		r = check_menu(e, want, &with, err);
	if (!r)
		r = write_custom(e->host, path, data, len, any ? ours.data : NULL,
				 want->trial ? TRIAL_WHY : any ? RECOVERY_WHY : "no entries of ghost-boot's",
				 footprint, plan, err);
	gb_text_clear(&ours);
	gb_text_clear(&now);
	free(data);
	return r;
}

/* ---- both --------------------------------------------------------------------------------- */

int gb_bootentries_plan(const struct gb_bootentries *entries, const struct gb_bootentries_want *want,
			struct gb_footprint *footprint, struct gb_plan *plan, struct gb_err *err)
{
	return entries->file[0] ? plan_confs(entries, want, footprint, plan, err) :
				  plan_custom(entries, want, footprint, plan, err);
}

int gb_bootentries_drop(struct gb_host *host, struct gb_footprint *footprint, struct gb_plan *plan,
			struct gb_err *err)
{
	char path[400], *data;
	size_t len;
	int r;

	if (host->loader->backend == GB_BACKEND_SYSTEMD) {
		r = drop_conf(host, GB_BLS_TRIAL, footprint, plan, err);
		if (!r)
			r = drop_conf(host, GB_BLS_RECOVERY, footprint, plan, err);
		return r ? r : drop_noted(host, footprint, plan, err);
	}
	r = read_custom(host, path, sizeof(path), &data, &len, err);
	if (!r)
		r = write_custom(host, path, data, len, NULL, "no entries of ghost-boot's", footprint, plan,
				 err);
	free(data);
	return r == -ENOENT ? 0 : r;
}
