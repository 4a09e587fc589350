/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdplan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdlinefile.h"
#include "cmdplan-parts.h"
#include "err.h"
#include "footprint.h"
#include "grubfile.h"
#include "host.h"
#include "plan.h"
#include "root.h"

static int out_of_memory(struct gb_cmdwork *w)
{
	return gb_fail(w->err, ENOMEM, "out of memory");
}

int gb_cmdwork_wants(struct gb_cmdwork *w, const char *path, bool since,
		     struct gb_wordtrace_wants *ret)
{
	int r = 0;

	if (w->back) {
		r = gb_wordtrace_back(w->footprint, path, since, w->keep, ret);
	} else {
		ret->want = calloc(w->wants + 1, sizeof(*ret->want));
		ret->wants = w->wants;
		r = ret->want ? 0 : -ENOMEM;
		for (size_t i = 0; i < w->wants && !r; i++)
			ret->want[i] = w->want[i];
	}
	return r ? out_of_memory(w) : 0;
}

int gb_cmdwork_note(struct gb_cmdwork *w, const char *path, const char *line)
{
	if (w->back || !w->footprint)
		return 0;
	return gb_wordtrace_note(w->footprint, path, line, w->want, w->wants, w->known, w->err);
}

static void make_reason(struct gb_cmdwork *w)
{
	size_t at = 0;

	snprintf(w->reason, sizeof(w->reason), w->back ? "the words that ghost-boot added go" :
		 "the kernel command line");
	for (size_t i = 0; i < w->wants && at < sizeof(w->reason); i++)
		if (w->want[i].mode != GB_WANT_SWAP && w->want[i].reason && w->want[i].reason[0])
			at += (size_t)snprintf(w->reason + at, sizeof(w->reason) - at, "%s%s: %s",
					       at ? "; " : "", w->want[i].word, w->want[i].reason);
}

const char *gb_cmdwork_reason(const struct gb_cmdwork *w)
{
	return w->reason;
}

int gb_cmdwork_write(struct gb_cmdwork *w, const char *path, const char *data, size_t len,
		     const char *reason)
{
	const size_t first = w->plan->steps;
	int r = gb_plan_write(w->plan, &w->host->store, path, data, len, 0644, reason, w->err);

	if (r > 0)
		w->changed = true;
	/* what a loader reads itself, and not only what is made into that */
	if (r > 0 && strstr(path, "/loader/entries/"))
		gb_plan_mark(w->plan, first, GB_BOOT_POINTER);
	return r < 0 ? r : 0;
}

void gb_cmdwork_note_folder(struct gb_cmdwork *w, const char *path)
{
	if (w->footprint && !w->back && !gb_root_exists(w->host->root, path))
		gb_footprint_add(w->footprint, GB_TRACE_MADE, path, NULL, NULL);
}

/* ---- sources ------------------------------------------------------------------------- */

bool gb_cmdwork_is_source(const struct gb_cmdwork *w, enum gb_cmdline_kind kind)
{
	const struct gb_loader *loader = w->host->loader;

	for (size_t i = 0; i < loader->sources; i++)
		if (loader->source[i].kind == kind)
			return true;
	return false;
}

/* The booted entry last: until then a cut leaves what booted. */
static int do_entries(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	int r = 0;

	for (unsigned last = 0; last < 2; last++)
		for (size_t i = 0; i < loader->sources && !r; i++)
			if (loader->source[i].kind == GB_CMDLINE_ENTRY &&
			    (strcmp(loader->source[i].path, loader->entry) == 0) == last)
				r = gb_cmdwork_entry(w, loader->source[i].path);
	return r;
}

/* ---- programs that write what the loader reads, from what we have written ------------------ */

struct paths {
	const struct gb_loader *loader;
	char *path[GB_CMDLINE_SOURCES_MAX];
	size_t paths;
	bool failed;
};

static int add_path(void *ctx, const char *name)
{
	struct paths *all = ctx;
	struct gb_bls_name entry;
	char *path;

	if (!gb_bls_name(name, &entry))
		return 0;
	if (all->paths == GB_CMDLINE_SOURCES_MAX ||
	    asprintf(&path, "%s/loader/entries/%s", all->loader->boot, name) < 0) {
		all->failed = true;
		return -ENOMEM;
	}
	all->path[all->paths++] = path;
	return 0;
}

/* It rewrites the entries, where they can be brought back; one whose entries are not to be seen has
 * them elsewhere. */
static int run_program(struct gb_cmdwork *w, const char *const *argv)
{
	static const char reason[] = "the boot loader's own copies of the command line";
	struct paths all = { .loader = w->host->loader };
	char folder[96];
	int r;

	if (all.loader->boot[0]) {
		snprintf(folder, sizeof(folder), "%s/loader/entries", all.loader->boot);
		gb_root_list(w->host->root, folder, add_path, &all);
	}
	if (all.failed)
		r = gb_fail(w->err, ENOMEM, "out of memory, or too many boot loader entries");
	else if (!all.paths)
		r = gb_plan_publish(w->plan, argv, NULL, reason, w->err);
	else
		r = gb_plan_run(w->plan, &w->host->store, argv, (const char *const *)all.path,
				all.paths, reason, w->err);
	for (size_t i = 0; i < all.paths; i++)
		free(all.path[i]);
	return r < 0 ? r : 0;
}

static int find_program(struct gb_host *host, const char *argv[static GB_REGENERATE_MAX + 1],
			char *program, size_t size, struct gb_err *err)
{
	const char *const *with = host->loader->regenerate;

	argv[0] = gb_host_program(host, with[0], program, size);
	if (!argv[0])
		return gb_fail(err, EINVAL, "%s is not installed, which copies the command line to where "
			       "the boot loader is", with[0]);
	for (size_t i = 1; with[i]; i++)
		argv[i] = with[i];
	return 0;
}

int gb_cmdplan_publish(struct gb_host *host, struct gb_plan *plan, struct gb_err *err)
{
	const char *argv[GB_REGENERATE_MAX + 1] = { NULL };
	char program[64];
	int r;

	if (!host->loader->outside)
		return 0;
	r = find_program(host, argv, program, sizeof(program), err);
	return r ? r : gb_plan_publish(plan, argv, NULL, "the boot loader's own copies of all that",
				       err);
}

static int do_programs(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	const char *const *with = loader->regenerate;
	const char *argv[GB_REGENERATE_MAX + 1] = { NULL };
	char program[64];
	int r;

	if (!with[0] || !w->changed || loader->backend == GB_BACKEND_UKI || strstr(with[0], "mkconfig"))
		return 0;
	if (loader->outside) {
		r = gb_cmdplan_publish(w->host, w->plan, w->err);
		return r < 0 ? r : 0;
	}
	r = find_program(w->host, argv, program, sizeof(program), w->err);
	return r ? r : run_program(w, argv);
}

static int do_all(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	int r = 0;

	if (gb_cmdwork_is_source(w, GB_CMDLINE_KERNEL))
		r = gb_cmdwork_kernel(w);
	if (!r)
		r = do_entries(w);
	if (!r && gb_cmdwork_is_source(w, GB_CMDLINE_GRUB))
		r = gb_cmdwork_grub(w, loader->backend == GB_BACKEND_GRUB_DROP_IN);
	if (!r && w->back)
		r = gb_cmdwork_former(w);
	if (!r)
		r = do_programs(w);
	if (!r && loader->backend == GB_BACKEND_UKI && w->changed)
		w->report->unified = true;
	return r;
}

/* ---- all ----------------------------------------------------------------------------- */

static int begin(struct gb_cmdwork *w)
{
	int r;

	*w->report = (struct gb_cmdplan_report){ 0 };
	make_reason(w);
	r = gb_cmdwork_usable(w);
	if (r)
		return r;
	if (gb_cmdline_running(w->host->root, &w->running, NULL))
		w->running = strdup("");
	w->known = calloc(w->wants + 1, sizeof(*w->known));
	if (!w->running || !w->known)
		return out_of_memory(w);
	for (size_t i = 0; i < w->wants && w->footprint; i++)
		w->known[i] = gb_wordtrace_knows(w->footprint, &w->want[i]);
	return 0;
}

static int end(struct gb_cmdwork *w, int r)
{
	free(w->running);
	free(w->known);
	free(w->keep);
	if (!r && w->report->left.failed)
		r = out_of_memory(w);
	return r;
}

static int check_plain(struct gb_cmdwork *w)
{
	for (size_t i = 0; i < w->wants; i++)
		if (gb_want_adds(&w->want[i]) && !gb_argument_is_plain(w->want[i].word))
			return gb_fail(w->err, EINVAL, "\"%s\" would not reach the kernel unchanged through "
				       "every boot loader; letters, digits and _-.,:=/+@%% do",
				       w->want[i].word);
	return 0;
}

int gb_cmdplan(struct gb_host *host, const struct gb_want *want, size_t wants,
	       struct gb_footprint *footprint, struct gb_plan *plan, struct gb_cmdplan_report *ret,
	       struct gb_err *err)
{
	struct gb_cmdwork w = { .host = host, .plan = plan, .footprint = footprint, .want = want,
				.wants = wants, .report = ret, .err = err };
	int r = begin(&w);

	if (!r)
		r = check_plain(&w);
	if (!r)
		r = do_all(&w);
	return end(&w, r);
}

int gb_cmdplan_undo(struct gb_host *host, struct gb_footprint *footprint, struct gb_plan *plan,
		    struct gb_cmdplan_report *ret, struct gb_err *err)
{
	struct gb_cmdwork w = { .host = host, .plan = plan, .footprint = footprint, .back = true,
				.report = ret, .err = err };
	bool any = gb_footprint_next(footprint, GB_TRACE_ADDED, NULL, NULL) ||
		   gb_footprint_next(footprint, GB_TRACE_REPLACED, NULL, NULL) ||
		   gb_footprint_next(footprint, GB_TRACE_MADE, GB_CMDLINE_FILE, NULL);
	int r = 0;

	*ret = (struct gb_cmdplan_report){ 0 };
	if (any) {
		r = begin(&w);
		if (!r)
			r = do_all(&w);
		r = end(&w, r);
	}
	if (r)
		return r;
	gb_footprint_drop(footprint, GB_TRACE_ADDED, NULL);
	gb_footprint_drop(footprint, GB_TRACE_REPLACED, NULL);
	gb_footprint_drop(footprint, GB_TRACE_SEEN, NULL);
	if (!w.waits) {
		gb_footprint_drop(footprint, GB_TRACE_MADE, GB_CMDLINE_FILE);
		gb_footprint_drop(footprint, GB_TRACE_MADE, GB_CMDLINE_FOLDER);
	}
	gb_footprint_drop(footprint, GB_TRACE_MADE, GB_GRUB_FOLDER);
	return 0;
}

int gb_cmdplan_undo_since(struct gb_host *host, struct gb_footprint *footprint,
			  struct gb_plan *plan, struct gb_cmdplan_report *ret, struct gb_err *err)
{
	struct gb_cmdwork w = { .host = host, .plan = plan, .footprint = footprint, .back = true,
				.report = ret, .err = err };
	int r = begin(&w);

	if (!r)
		r = gb_cmdwork_since(&w);
	return end(&w, r);
}

void gb_cmdplan_report_clear(struct gb_cmdplan_report *report)
{
	free(report->carry);
	free(report->clean);
	free(report->gone);
	free(report->line);
	gb_text_clear(&report->left);
	*report = (struct gb_cmdplan_report){ 0 };
}
