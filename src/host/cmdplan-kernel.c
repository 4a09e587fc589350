/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdline.h"
#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "host.h"
#include "leftover.h"
#include "plan.h"
#include "root.h"

/* /etc/kernel/cmdline, from which new entries and unified images get their command line. */

/* Does anything on this machine make entries or images from the file? Hand-written entries need
 * none, and what is not there can't be out of date. */
static bool is_needed(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	bool made = loader->backend != GB_BACKEND_SYSTEMD;
	struct gb_bls bls;
	size_t len;
	char *data;

	for (size_t i = 0; i < loader->sources && !made; i++) {
		if (loader->source[i].kind != GB_CMDLINE_ENTRY ||
		    gb_root_read_all(w->host->root, loader->source[i].path, GB_BLS_MAX, &data, &len))
			continue;
		/* kernel-install's 90-loaderentry writes it, and people do not */
		if (!gb_bls_parse(data, len, &bls, NULL)) {
			made = bls.version;
			gb_bls_clear(&bls);
		}
		free(data);
	}
	return made;
}

static int tell_line(struct gb_cmdwork *w, const struct gb_changes *changes)
{
	free(w->report->line);
	w->report->line = strndup(changes->line, changes->len);
	return w->report->line ? 0 : gb_fail(w->err, ENOMEM, "out of memory");
}

/* As a whole it is ours still. `words`: what the running kernel must not have for it to go. */
static void note_made(struct gb_cmdwork *w, const char *data, size_t len, const char *words)
{
	char hash[GB_SHA256_TEXT];

	gb_sha256_of(data, len, hash);
	gb_footprint_drop(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE);
	gb_footprint_add(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE, hash, words);
}

static int make_kernel(struct gb_cmdwork *w)
{
	struct gb_cmdline_file_change change = { 0 };
	struct gb_text now = { 0 }, text = { 0 };
	char *data = NULL;
	size_t len;
	int r = gb_cmdwork_line_of_now(w->host, w->running, &now, w->err);

	if (!r)
		r = gb_cmdline_file_new(now.data, now.len, &text, w->err);
	gb_text_clear(&now);
	if (!r)
		r = gb_cmdline_file_change(text.data, text.len, w->want, w->wants, &change, w->err);
	if (!r)
		r = gb_edit_apply(text.data, text.len, &change.edit, &data, &len);
	if (!r && w->footprint) {
		/* whoever adds to it later takes it over: the hash tells */
		text.data[text.len - 1] = '\0';
		r = gb_cmdwork_note(w, GB_CMDLINE_FILE, text.data);
		note_made(w, data, len, NULL);
		gb_cmdwork_note_folder(w, GB_CMDLINE_FOLDER);
	}
	if (!r)
		r = tell_line(w, &change.changes);
	if (!r)
		r = gb_cmdwork_write(w, GB_CMDLINE_FILE, data, len, "new kernels get their command line "
				     "from it; without it, the running kernel's, for ever");
	free(data);
	gb_text_clear(&text);
	gb_cmdline_file_change_clear(&change);
	return r;
}

/* It is as we made it: it goes as a whole. */
static bool is_ours(struct gb_cmdwork *w, const char *data, size_t len)
{
	const struct gb_trace *made = w->footprint ?
		gb_footprint_next(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE, NULL) : NULL;
	char hash[GB_SHA256_TEXT];

	gb_sha256_of(data, len, hash);
	return made && !strcmp(made->text, hash);
}

static int keep_line(struct gb_cmdwork *w, const char *line, size_t len)
{
	w->keep = strndup(line, len);
	return w->keep ? 0 : gb_fail(w->err, ENOMEM, "out of memory");
}

/* `words`: when taking back, of a file that waits for another running kernel; else NULL. */
static int change_kernel(struct gb_cmdwork *w, const char *data, size_t len, const char *words)
{
	struct gb_cmdline_file_change change = { 0 };
	const bool ours = is_ours(w, data, len), goes = ours && w->back && !words;
	struct gb_wordtrace_wants wants = { 0 };
	char *now = NULL, *line = NULL;
	size_t now_len = 0, line_len;
	int r = gb_cmdwork_wants(w, GB_CMDLINE_FILE, true, &wants);

	if (!r)
		r = gb_cmdline_file_change(data, len, wants.want, wants.wants, &change, w->err);
	if (!r)
		r = gb_edit_apply(data, len, &change.edit, &now, &now_len);
	free(wants.want);
	if (r)
		gb_wrap(w->err, GB_CMDLINE_FILE);
	if (!r && !gb_cmdline_file_line(data, len, &line_len, NULL)) {
		line = strndup(data, line_len);
		r = line ? gb_cmdwork_note(w, GB_CMDLINE_FILE, line) : -ENOMEM;
		free(line);
	}
	if (!r)
		r = tell_line(w, &change.changes);
	if (!r && w->back && !goes)
		r = keep_line(w, change.changes.line, change.changes.len);
	if (!r && change.changes.differs && !goes)
		r = gb_cmdwork_write(w, GB_CMDLINE_FILE, now, now_len, gb_cmdwork_reason(w));
	if (!r && ours && (words || (!w->back && change.changes.differs)))
		note_made(w, now, now_len, words);
	free(now);
	gb_cmdline_file_change_clear(&change);
	return r;
}

static int remove_kernel(struct gb_cmdwork *w)
{
	int r = gb_plan_remove(w->plan, &w->host->store, GB_CMDLINE_FILE, "ghost-boot made it",
			       w->err);

	w->changed = w->changed || r > 0;
	if (r >= 0)
		r = gb_footprint_remove_folder(w->footprint, GB_CMDLINE_FOLDER, GB_CMDLINE_FILE,
					       &w->host->store, w->plan, w->err);
	return r < 0 ? r : 0;
}

static int take_back_ours(struct gb_cmdwork *w, const char *data, size_t len)
{
	struct gb_text words = { 0 };
	char trial[64];
	int r;

	gb_leftover_words(w->footprint, &words);
	if (!words.len && gb_cmdline_find(w->running, GB_TRIAL_WORD, NULL, trial, sizeof(trial)))
		gb_text_addf(&words, "%s", trial);
	w->waits = words.len && gb_leftover_runs(w->running, words.data);
	if (words.failed)
		r = gb_fail(w->err, ENOMEM, "out of memory");
	else
		r = change_kernel(w, data, len, w->waits ? words.data : NULL);
	if (!r && !w->waits)
		r = remove_kernel(w);
	gb_text_clear(&words);
	return r;
}

int gb_cmdwork_kernel(struct gb_cmdwork *w)
{
	size_t len;
	char *data;
	int r = gb_root_read_all(w->host->root, GB_CMDLINE_FILE, GB_CMDLINE_FILE_MAX, &data, &len);

	if (r == -ENOENT)
		return w->back || !is_needed(w) ? 0 : make_kernel(w);
	if (r)
		return gb_fail(w->err, -r, GB_CMDLINE_FILE ": %s", strerror(-r));
	if (w->back && is_ours(w, data, len))
		r = take_back_ours(w, data, len);
	else
		r = change_kernel(w, data, len, NULL);
	free(data);
	return r;
}
