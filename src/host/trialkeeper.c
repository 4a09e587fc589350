/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trialkeeper-parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bls.h"
#include "counter.h"
#include "efi.h"
#include "err.h"
#include "host.h"
#include "lock.h"
#include "oneshot.h"
#include "root.h"
#include "store.h"
#include "text.h"
#include "trialjudge.h"

#define LAST_BOOTED "LoaderEntryLastBooted" GB_EFI_LOADER

int gb_keeper_read(struct gb_root *root, struct gb_keeper *ret, struct gb_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_trial_boot_read(root, &ret->boot, err);
	if (!r)
		r = gb_trial_read(root, &ret->trial, err);
	if (!r)
		ret->arrival = gb_trial_arrive(&ret->trial, &ret->boot);
	return r;
}

void gb_keeper_clear(struct gb_keeper *keeper)
{
	gb_trial_clear(&keeper->trial);
	memset(keeper, 0, sizeof(*keeper));
}

/* ---- moving it --------------------------------------------------------------------------- */

/* Whoever made the trial knows that the loader takes it once; this is for loaders that could not
 * take it away, and for those that never saw it. True if it was still there. */
static bool forget_oneshot(struct gb_host *host, struct gb_keeper *keeper)
{
	const char *entry = keeper->trial.entry;
	struct gb_err err = { "" };
	bool was_armed = false;

	if (entry && *entry && gb_oneshot_disarm(host, entry, &was_armed, &err))
		snprintf(keeper->warning, sizeof(keeper->warning), "the boot loader could not be told "
			 "to forget it, and may take it again: %.280s", err.text);
	return was_armed;
}

/* systemd-boot notes what it boots for "default @saved", but for a one-shot: a trial that was chosen by
 * hand would be the default from then on. */
static void forget_choice(struct gb_host *host, struct gb_keeper *keeper)
{
	const struct gb_trial *trial = &keeper->trial;
	struct gb_err err = { "" };
	char last[256];
	int r;

	if (!host->efi || !trial->entry || gb_efi_get_text(host->efi, LAST_BOOTED, last, sizeof(last)) ||
	    strcasecmp(last, trial->entry) != 0)
		return;
	if (trial->usual && trial->usual[0])
		r = gb_efi_set_text(host->efi, LAST_BOOTED, trial->usual, &err);
	else
		r = host->efi->remove(host->efi, LAST_BOOTED);
	if (r)
		snprintf(keeper->warning, sizeof(keeper->warning), "the boot loader remembers it as what was "
			 "chosen last: %.280s", err.text[0] ? err.text : strerror(-r));
}

static int move(struct gb_host *host, struct gb_keeper *keeper, enum gb_trial_event event,
		const char *reason, struct gb_err *err)
{
	struct gb_trial *trial = &keeper->trial;
	const enum gb_trial_state next = gb_trial_next(trial->state, event);

	if (next == GB_TRIAL_STATES)
		return gb_fail(err, EINVAL, "%s: this can't happen when it is %s", GB_TRIAL,
			       gb_trial_name(trial->state));
	if (!gb_trial_set(&trial->reason, reason))
		return gb_fail(err, ENOMEM, "out of memory");
	trial->state = next;
	strcpy(trial->boot, keeper->boot.boot);
	return gb_trial_write(&host->store, trial, err);
}

static int leave(struct gb_host *host, struct gb_keeper *keeper, struct gb_err *err)
{
	struct gb_trial_clues clues;
	struct gb_text reason = { 0 };
	int r;

	gb_keeper_find_clues(host->root, &keeper->trial, forget_oneshot(host, keeper), &clues);
	gb_trial_guess(&keeper->trial, &keeper->boot, &clues, &reason);
	if (keeper->warning[0])
		gb_text_addf(&reason, "; %s", keeper->warning);
	r = reason.failed ? gb_fail(err, ENOMEM, "out of memory")
			  : move(host, keeper, GB_TRIAL_LEAVE, reason.data, err);
	gb_text_clear(&reason);
	return r;
}

/* For the rest of this boot, whose command line goes on saying that it is a trial. */
static int note_kept(struct gb_host *host, const struct gb_keeper *keeper, struct gb_err *err)
{
	struct gb_text text = { 0 };
	char id[GB_TRIAL_ID];
	int r = 0;

	gb_trial_id(keeper->trial.id, id);
	if (strcmp(keeper->boot.trial, id))
		return 0;
	gb_text_addf(&text, "%s\n", id);
	gb_text_add_harmless(&text, keeper->trial.reason ? keeper->trial.reason : "");
	gb_text_addf(&text, "\n");
	r = text.failed ? -ENOMEM : gb_root_mkdir(host->root, "/run/ghost-boot");
	if (!r)
		r = gb_root_publish(host->root, GB_TRIAL_KEPT, text.data, text.len);
	gb_text_clear(&text);
	return r ? gb_fail(err, -r, GB_TRIAL_KEPT ": %s", strerror(-r)) : 0;
}

static int remove_file(struct gb_store *store, const char *path, struct gb_err *err)
{
	struct gb_place place;
	int r;

	if (!gb_root_exists(store->root, path))
		return 0;
	r = gb_store_place(store, path, false, &place, err);
	if (r)
		return r;
	r = place.folder < 0 ? place.folder : gb_store_unlink(store, place.folder, place.name);
	if (!r)
		r = gb_store_fsync(store, place.folder);
	gb_place_clear(&place);
	return r ? gb_fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

/* On an ESP that two systems share, the other may have made one of that name since. */
static bool is_anothers(struct gb_root *root, const struct gb_trial *trial)
{
	char word[sizeof(GB_TRIAL_WORD "=") + GB_TRIAL_ID] = GB_TRIAL_WORD "=";
	size_t len;
	char *data;
	bool is;

	if (!trial->entry_file || gb_root_read_all(root, trial->entry_file, GB_BLS_MAX, &data, &len))
		return false;
	gb_trial_id(trial->id, word + strlen(word));
	is = gb_bls_is_ours(trial->entry_file) && !memmem(data, len, word, strlen(word));
	free(data);
	return is;
}

/* The change that confirmed it has removed what was made for the trial alone; what is left of that all
 * the same goes before the only file that names it, the entry before its image. A file whose name is
 * not the entry's is somebody's who has others in it. */
static int remove_rest(struct gb_host *host, const struct gb_trial *trial, struct gb_err *err)
{
	const char *slash = trial->entry_file ? strrchr(trial->entry_file, '/') : NULL;
	int r = 0;

	if (slash && trial->entry && !strcmp(slash + 1, trial->entry))
		r = remove_file(&host->store, trial->entry_file, err);
	for (size_t i = 0; i < trial->images && !r; i++)
		r = remove_file(&host->store, trial->image[i], err);
	return r;
}

/* The counter is read only where the command line asks for it: what is left of it harms nobody. */
static int tidy(struct gb_host *host, struct gb_keeper *keeper, struct gb_err *err)
{
	const bool anothers = is_anothers(host->root, &keeper->trial);
	int r = note_kept(host, keeper, err);

	if (r)
		return r;
	if (!anothers)
		forget_oneshot(host, keeper);
	if (keeper->trial.counted && host->efi)
		r = host->efi->remove(host->efi, GB_COUNTER);
	if (r && r != -ENOENT)
		return gb_fail(err, -r, "the EFI variable " GB_COUNTER ": %s", strerror(-r));
	r = anothers ? 0 : remove_rest(host, &keeper->trial, err);
	if (r)
		return r;
	keeper->trial.state = gb_trial_next(keeper->trial.state, GB_TRIAL_TIDY);
	return gb_trial_write(&host->store, &keeper->trial, err);
}

static int settle(struct gb_host *host, struct gb_keeper *keeper, struct gb_err *err)
{
	switch (keeper->arrival) {
	case GB_ARRIVAL_ENTER:
		forget_oneshot(host, keeper);
		forget_choice(host, keeper);
		return move(host, keeper, GB_TRIAL_ENTER, NULL, err);
	case GB_ARRIVAL_LEAVE: return leave(host, keeper, err);
	case GB_ARRIVAL_TIDY: return tidy(host, keeper, err);
	default: return 0;
	}
}

static bool asks_for_change(enum gb_arrival arrival)
{
	return arrival == GB_ARRIVAL_ENTER || arrival == GB_ARRIVAL_LEAVE ||
	       arrival == GB_ARRIVAL_TIDY;
}

int gb_keeper_settle(struct gb_host *host, struct gb_keeper *keeper, struct gb_err *err)
{
	int r, lock;

	if (!asks_for_change(keeper->arrival))
		return 0;
	r = gb_lock_take(&host->store, &lock, err);
	if (r)
		return r;
	gb_keeper_clear(keeper);
	r = gb_keeper_read(host->root, keeper, err);
	if (!r)
		r = settle(host, keeper, err);
	close(lock);
	return r;
}

int gb_keeper_note(struct gb_host *host, struct gb_keeper *keeper, const char *reason,
		   struct gb_err *err)
{
	char warning[sizeof(keeper->warning)];
	int r, lock;

	if (!strcmp(keeper->trial.reason ? keeper->trial.reason : "", reason))
		return 0;
	r = gb_lock_take(&host->store, &lock, err);
	if (r)
		return r;
	strcpy(warning, keeper->warning);
	gb_keeper_clear(keeper);
	r = gb_keeper_read(host->root, keeper, err);
	strcpy(keeper->warning, warning); /* it is as true as before */
	if (!r && keeper->arrival == GB_ARRIVAL_GOES_ON) {
		if (gb_trial_set(&keeper->trial.reason, reason))
			r = gb_trial_write(&host->store, &keeper->trial, err);
		else
			r = gb_fail(err, ENOMEM, "out of memory");
	}
	close(lock);
	return r;
}

/* ---- telling ---------------------------------------------------------------------------- */

int gb_keeper_publish(struct gb_root *root, const struct gb_text *text, struct gb_err *err)
{
	int r;

	if (!text->len) {
		r = gb_root_remove(root, GB_NOTICE);
		r = r == -ENOENT ? 0 : r;
	} else {
		r = gb_root_mkdir(root, GB_NOTICE_FOLDER);
		if (!r)
			r = gb_root_publish(root, GB_NOTICE, text->data, text->len);
	}
	return r ? gb_fail(err, -r, GB_NOTICE ": %s", strerror(-r)) : 0;
}
