/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "host.h"
#include "plan.h"
#include "root.h"

/* ---- which entries ------------------------------------------------------------------- */

static bool is_rescue(const char *path, const struct gb_bls *bls)
{
	static const char *const names[] = { "rescue", "recovery" };
	const char *file = strrchr(path, '/');

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasestr(file ? file : path, names[i]) ||
		    (bls->title && strcasestr(bls->title, names[i])) ||
		    (bls->version && strcasestr(bls->version, names[i])))
			return true;
	return false;
}

/* memtest86 and the like are kernels to a loader, and get words that they do not know. */
static bool is_tool(const char *path, const struct gb_bls *bls)
{
	const char *file = strrchr(path, '/');

	return !bls->kernel || strcasestr(bls->kernel, "memtest") ||
	       strcasestr(file ? file : path, "memtest");
}

/* The value of root= in a line; false when it has none. */
static bool root_of(const char *line, char *ret, size_t size)
{
	struct gb_arguments all;
	bool found = false;

	if (gb_arguments_parse(line, strlen(line), &all))
		return false;
	for (size_t i = 0; i < all.kernel; i++)
		if (!strcmp(all.argument[i].name, "root") && all.argument[i].value)
			found = gb_text_copy(ret, size, all.argument[i].value);
	gb_arguments_clear(&all);
	return found;
}

static bool is_of_others(const struct gb_host *host, const struct gb_bls *bls, const char *running)
{
	char id[64] = "", ours[256], theirs[256];

	if (bls->machine_id && gb_root_read(host->root, "/etc/machine-id", id, sizeof(id)) >= 0) {
		id[strcspn(id, "\n")] = '\0';
		if (id[0])
			return strcmp(id, bls->machine_id) != 0;
	}
	return root_of(running, ours, sizeof(ours)) && bls->options &&
	       root_of(bls->options, theirs, sizeof(theirs)) && strcmp(ours, theirs) != 0;
}

const char *gb_cmdplan_left_alone(const struct gb_host *host, const char *path, const char *data,
				  size_t len, const char *running)
{
	const char *why = NULL;
	struct gb_bls bls;

	if (gb_bls_parse(data, len, &bls, NULL))
		return "";
	if (is_tool(path, &bls))
		why = "it boots no kernel of this system";
	else if (is_rescue(path, &bls))
		why = "a rescue entry stays as it is";
	else if (strcmp(path, host->loader->entry) && is_of_others(host, &bls, running))
		why = "it boots another system";
	gb_bls_clear(&bls);
	return why;
}

/* ---- one entry ----------------------------------------------------------------------- */

void gb_cmdwork_entry_key(const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');
	struct gb_bls_name name;

	if (slash && gb_bls_name(slash + 1, &name))
		snprintf(ret, size, "%.*s/%s.conf", (int)(slash - path), path, name.stem);
	else
		snprintf(ret, size, "%s", path);
}

static enum gb_bls_reader reader_of(const struct gb_cmdwork *w)
{
	return w->host->loader->backend == GB_BACKEND_GRUB_BLS ? GB_BLS_GRUB : GB_BLS_SYSTEMD;
}

static int note_entry(struct gb_cmdwork *w, const char *key, const char *data, size_t len)
{
	struct gb_bls bls;
	const char *line;
	int r = gb_bls_parse(data, len, &bls, w->err);

	if (r)
		return r;
	line = reader_of(w) == GB_BLS_GRUB ? bls.grub_options : bls.options;
	r = gb_cmdwork_note(w, key, line ? line : "");
	gb_bls_clear(&bls);
	return r;
}

static int change_entry(struct gb_cmdwork *w, const char *path, const char *data, size_t len)
{
	struct gb_wordtrace_wants wants = { 0 };
	struct gb_bls_change change = { 0 };
	char key[400], *now = NULL;
	size_t now_len;
	int r;

	gb_cmdwork_entry_key(path, key, sizeof(key));
	r = gb_cmdwork_wants(w, key, true, &wants);
	if (!r && wants.wants) {
		r = gb_bls_change(data, len, reader_of(w), wants.want, wants.wants, &change, w->err);
		if (r)
			gb_wrap(w->err, "%s", path);
	}
	free(wants.want);
	if (!r)
		r = note_entry(w, key, data, len);
	if (!r && change.changes.differs) {
		r = gb_edit_apply(data, len, &change.edit, &now, &now_len);
		if (r)
			gb_fail(w->err, -r, "%s: %s", path, strerror(-r));
		else
			r = gb_cmdwork_write(w, path, now, now_len, gb_cmdwork_reason(w));
	}
	free(now);
	gb_bls_change_clear(&change);
	return r;
}

int gb_cmdwork_entry(struct gb_cmdwork *w, const char *path)
{
	const char *why;
	size_t len;
	char *data;
	int r = gb_root_read_all(w->host->root, path, GB_BLS_MAX, &data, &len);

	if (r)
		return gb_fail(w->err, -r, "%s: %s", path, strerror(-r));
	why = gb_cmdplan_left_alone(w->host, path, data, len, w->running);
	if (!why || !*why) /* what can't be read says why where it is changed */
		r = change_entry(w, path, data, len);
	else
		gb_text_addf(&w->report->left, "%s: %s\n", path, why);
	free(data);
	return r;
}

/* ---- /etc/kernel/cmdline --------------------------------------------------------------- */

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

static int make_kernel(struct gb_cmdwork *w)
{
	struct gb_cmdline_file_change change = { 0 };
	struct gb_text now = { 0 }, text = { 0 };
	char hash[GB_SHA256_TEXT], *data = NULL;
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
		gb_sha256_of(data, len, hash);
		text.data[text.len - 1] = '\0';
		r = gb_cmdwork_note(w, GB_CMDLINE_FILE, text.data);
		gb_footprint_drop(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE);
		gb_footprint_add(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE, hash, NULL);
		gb_cmdwork_note_folder(w, "/etc/kernel");
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

static int change_kernel(struct gb_cmdwork *w, const char *data, size_t len)
{
	struct gb_cmdline_file_change change = { 0 };
	const bool ours = is_ours(w, data, len), goes = ours && w->back;
	struct gb_wordtrace_wants wants = { 0 };
	char hash[GB_SHA256_TEXT], *now = NULL, *line = NULL;
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
	if (!r && ours && !w->back && change.changes.differs) {
		gb_sha256_of(now, now_len, hash);
		gb_footprint_drop(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE);
		gb_footprint_add(w->footprint, GB_TRACE_MADE, GB_CMDLINE_FILE, hash, NULL);
	}
	free(now);
	gb_cmdline_file_change_clear(&change);
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
	r = change_kernel(w, data, len);
	if (!r && w->back && is_ours(w, data, len)) {
		r = gb_plan_remove(w->plan, &w->host->store, GB_CMDLINE_FILE, "ghost-boot made it",
				   w->err);
		w->changed = w->changed || r > 0;
		if (r >= 0)
			r = gb_cmdwork_remove_folder(w, "/etc/kernel", "cmdline");
	}
	free(data);
	return r;
}
