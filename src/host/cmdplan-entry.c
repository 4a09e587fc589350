/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "host.h"
#include "leftover.h"
#include "root.h"
#include "text.h"

/* ---- which entries ------------------------------------------------------------------- */

static bool is_rescue(const char *path, const struct gb_bls *bls)
{
	static const char *const names[] = { "rescue", "recovery" };
	const char *file = gb_text_base(path);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasestr(file, names[i]) ||
		    (bls->title && strcasestr(bls->title, names[i])) ||
		    (bls->version && strcasestr(bls->version, names[i])))
			return true;
	return false;
}

/* memtest86 and the like are kernels to a loader, and get words that they do not know. */
static bool is_tool(const char *path, const struct gb_bls *bls)
{
	return !bls->kernel || strcasestr(bls->kernel, "memtest") ||
	       strcasestr(gb_text_base(path), "memtest");
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

static enum gb_bls_reader reader_of(const struct gb_host *host)
{
	return host->loader->backend == GB_BACKEND_GRUB_BLS ? GB_BLS_GRUB : GB_BLS_SYSTEMD;
}

static int note_entry(struct gb_cmdwork *w, const char *key, const char *data, size_t len)
{
	struct gb_bls bls;
	const char *line;
	int r = gb_bls_parse(data, len, &bls, w->err);

	if (r)
		return r;
	line = reader_of(w->host) == GB_BLS_GRUB ? bls.grub_options : bls.options;
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
		r = gb_bls_change(data, len, reader_of(w->host), wants.want, wants.wants, &change, w->err);
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

/* Has it one of our words? One that can't be read may have. */
static bool has_ours(const struct gb_host *host, const struct gb_footprint *footprint,
		     const char *data, size_t len)
{
	struct gb_text words = { 0 };
	struct gb_bls bls;
	bool has = true;

	gb_leftover_words(footprint, &words);
	if (!gb_bls_parse(data, len, &bls, NULL)) {
		const char *line = reader_of(host) == GB_BLS_GRUB ? bls.grub_options : bls.options;

		has = words.data && line && gb_leftover_runs(line, words.data);
		gb_bls_clear(&bls);
	}
	gb_text_clear(&words);
	return has;
}

bool gb_cmdplan_lacks(const struct gb_host *host, const struct gb_footprint *footprint,
		      const char *path)
{
	char *data, *running = NULL;
	const char *why;
	size_t len;
	bool lacks;

	if (gb_root_read_all(host->root, path, GB_BLS_MAX, &data, &len))
		return false;
	gb_cmdline_running(host->root, &running, NULL);
	why = gb_cmdplan_left_alone(host, path, data, len, running ? running : "");
	lacks = !why && !has_ours(host, footprint, data, len);
	free(running);
	free(data);
	return lacks;
}

/* What was written there is taken back, whatever ID the machine has by now. */
static bool is_noted(const struct gb_footprint *footprint, const char *path)
{
	char key[PATH_MAX];

	gb_cmdwork_entry_key(path, key, sizeof(key));
	return gb_footprint_next(footprint, GB_TRACE_ADDED, key, NULL) ||
	       gb_footprint_next(footprint, GB_TRACE_REPLACED, key, NULL);
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
	if (w->back && w->footprint && is_noted(w->footprint, path))
		why = NULL;
	if (!why || !*why) /* what can't be read says why where it is changed */
		r = change_entry(w, path, data, len);
	else if (!w->back || has_ours(w->host, w->footprint, data, len)) /* else it needs no mention */
		gb_text_addf(&w->report->left, "%s: %s\n", path, why);
	free(data);
	return r;
}
