/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "leftover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cmdlinefile.h"
#include "err.h"
#include "footprint.h"
#include "host.h"
#include "plan.h"
#include "root.h"
#include "sha256.h"

static const struct gb_trace *waiting(const struct gb_footprint *footprint)
{
	const struct gb_trace *made = gb_footprint_next(footprint, GB_TRACE_MADE, GB_CMDLINE_FILE,
							NULL);

	return made && made->was[0] ? made : NULL;
}

static bool is_said(const struct gb_footprint *footprint, const struct gb_trace *trace)
{
	for (const struct gb_trace *t = footprint->trace; t < trace; t++)
		if ((t->kind == GB_TRACE_ADDED || t->kind == GB_TRACE_REPLACED) &&
		    !strcmp(t->text, trace->text))
			return true;
	return false;
}

void gb_leftover_words(const struct gb_footprint *footprint, struct gb_text *ret)
{
	const struct gb_trace *made = waiting(footprint), *trace = NULL;

	if (made) {
		gb_text_addf(ret, "%s", made->was);
		return;
	}
	while ((trace = gb_footprint_next(footprint, GB_TRACE_KINDS, NULL, trace)))
		if ((trace->kind == GB_TRACE_ADDED || trace->kind == GB_TRACE_REPLACED) &&
		    !is_said(footprint, trace))
			gb_text_addf(ret, "%s%s", ret->len ? " " : "", trace->text);
}

bool gb_leftover_runs(const char *running, const char *words)
{
	struct gb_arguments is, ours;
	bool runs = false;

	/* a line that can't be read may have them */
	if (gb_arguments_parse(running, strlen(running), &is))
		return true;
	if (gb_arguments_parse(words, strlen(words), &ours)) {
		gb_arguments_clear(&is);
		return true;
	}
	for (size_t i = 0; i < is.arguments && !runs; i++)
		for (size_t o = 0; o < ours.arguments && !runs; o++)
			runs = gb_argument_equal(&is.argument[i], &ours.argument[o]);
	gb_arguments_clear(&ours);
	gb_arguments_clear(&is);
	return runs;
}

bool gb_leftover_alone(const struct gb_footprint *footprint)
{
	for (size_t i = 0; i < footprint->traces; i++)
		if (footprint->trace[i].kind != GB_TRACE_MADE ||
		    (strcmp(footprint->trace[i].path, GB_CMDLINE_FILE) &&
		     strcmp(footprint->trace[i].path, GB_CMDLINE_FOLDER)))
			return false;
	return waiting(footprint);
}

int gb_leftover_note(const struct gb_footprint *footprint, struct gb_store *store,
		     struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_trace *made = waiting(footprint);
	struct gb_text text = { 0 };
	int r;

	if (!made)
		return gb_root_exists(store->root, GB_LEFTOVER) ?
			       gb_plan_remove(plan, store, GB_LEFTOVER, "nothing is left to wait for", err) :
			       0;
	gb_text_addf(&text, "%s  " GB_CMDLINE_FILE "\n%s\n", made->text, made->was);
	r = text.failed ? gb_fail(err, ENOMEM, "out of memory") :
			  gb_plan_write(plan, store, GB_LEFTOVER, text.data, text.len, 0644,
					"what goes once a kernel runs without ghost-boot's words", err);
	gb_text_clear(&text);
	return r;
}

/* Still as we made it; what somebody has changed since is his. */
static bool is_ours(struct gb_host *host, const struct gb_trace *made)
{
	char hash[GB_SHA256_TEXT];
	size_t len;
	char *data;

	if (gb_root_read_all(host->root, GB_CMDLINE_FILE, GB_CMDLINE_FILE_MAX, &data, &len))
		return false;
	gb_sha256_of(data, len, hash);
	free(data);
	return !strcmp(hash, made->text);
}

static int remove_it(struct gb_host *host, struct gb_footprint *footprint,
		     const struct gb_trace *made, struct gb_plan *plan, struct gb_err *err)
{
	int r = 0;

	if (is_ours(host, made))
		r = gb_plan_remove(plan, &host->store, GB_CMDLINE_FILE, "ghost-boot made it, and the "
				   "running kernel has none of its words any more", err);
	if (r > 0)
		r = gb_footprint_remove_folder(footprint, GB_CMDLINE_FOLDER, GB_CMDLINE_FILE,
					       &host->store, plan, err);
	gb_footprint_drop(footprint, GB_TRACE_MADE, GB_CMDLINE_FILE);
	gb_footprint_drop(footprint, GB_TRACE_MADE, GB_CMDLINE_FOLDER);
	if (r >= 0)
		r = gb_leftover_note(footprint, &host->store, plan, err);
	return r < 0 ? r : gb_footprint_plan(footprint, &host->store, plan, err);
}

int gb_leftover_plan(struct gb_host *host, struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_trace *made = NULL;
	struct gb_footprint footprint;
	char *running = NULL;
	int r = gb_footprint_read(host->root, &footprint, err);

	if (!r)
		made = waiting(&footprint);
	if (made) {
		r = gb_cmdline_running(host->root, &running, err);
		if (!r && !gb_leftover_runs(running, made->was))
			r = remove_it(host, &footprint, made, plan, err);
	}
	free(running);
	gb_footprint_clear(&footprint);
	return r < 0 ? r : 0;
}
