/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "claims.h"
#include "cmdlinefile.h"
#include "cmdplan.h"
#include "command.h"
#include "footprint.h"
#include "host.h"
#include "images.h"
#include "leftover.h"
#include "plan.h"
#include "transaction.h"
#include "trial-back.h"
#include "trialstate.h"

static const char usage[] =
	"usage: ghost-boot rollback [--dry-run] [--yes] [--force] [--json] [--root DIR]\n"
	"\n"
	"Takes back the last change that ghost-boot made: shows what that means, asks,\n"
	"and does all of it or nothing. What somebody else has changed since is shown\n"
	"and refused.\n"
	"\n"
	"  -n, --dry-run   only show it\n"
	"  -y, --yes       don't ask\n"
	"      --force     take back our part of files that were changed since, too\n"
	"      --json      for programs; with --yes or --dry-run\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, 1 failed and nothing changed, 2 usage, 3 refused, 5 failed and\n"
	"brought back, 6 partly.\n";

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct gb_change_options *options)
{
	static const struct option known[] = {
		{ "dry-run", no_argument, NULL, 'n' }, { "yes", no_argument, NULL, 'y' },
		{ "force", no_argument, NULL, 'f' },   { "json", no_argument, NULL, 'j' },
		{ "root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "nyh", known)) != -1)
		switch (c) {
		case 'n': options->dry_run = true; break;
		case 'y': options->yes = true; break;
		case 'f': options->force = true; break;
		case 'j': options->json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	return -1;
}

static int refuse(const struct gb_context *context, int r, const struct gb_text *details,
		  const struct gb_err *err)
{
	if (r == -EACCES)
		return gb_change_needs_root(context);
	if (details->len)
		fwrite(details->data, 1, details->len, stderr);
	if (r == -ESTALE)
		gb_command_fail(context, err->text,
				"Nothing was changed. Take those changes back first, or use --force: they "
				"are lost then.");
	else
		gb_command_fail(context, err->text, r == -ENOENT ?
				"Nothing was changed. ghost-boot history lists what was done." :
				"Nothing was changed.");
	return r == -ESTALE ? GB_EXIT_REFUSED : GB_EXIT_FAILED;
}

/* ---- what is built anew ------------------------------------------------------------------ */

/* Old images are too large to be kept, and a kernel that came since has one of today: those are
 * built anew, with the claims that come back; and GRUB's configuration, when others made it since. */
struct anew {
	struct gb_host *host;
	struct gb_site site;
	struct gb_images images;
	struct gb_image_wish wish;
	char *text;
	struct gb_text line; /* of unified images */
};

static const struct gb_step *find_step(const struct gb_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->steps; i++)
		for (size_t t = 0; t < plan->step[i].touches; t++)
			if (!strcmp(plan->step[i].touch[t].path, path))
				return &plan->step[i];
	return NULL;
}

/* The claims file as the plan leaves it. */
static int find_wish(struct anew *a, const struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_step *step = find_step(plan, GB_CLAIMS_FILE);
	const char *from = step && step->source ? step->source : GB_CLAIMS_FILE;
	size_t len = 0;
	int r = 0;

	a->wish = gb_images_wish(NULL, 0);
	if (step && step->kind == GB_STEP_REMOVE)
		return 0;
	if (step && step->data) {
		len = step->len;
		a->text = malloc(len + 1);
		if (a->text)
			memcpy(a->text, step->data, len);
		r = a->text ? 0 : -ENOMEM;
	} else {
		r = gb_root_read_all(a->host->root, from, GB_CLAIMS_SIZE_MAX, &a->text, &len);
	}
	if (r == -ENOENT && !step)
		return 0;
	if (r)
		return gb_fail(err, -r, "%s: %s", from, strerror(-r));
	a->wish = gb_images_wish(a->text, len);
	return 0;
}

/* Where /etc/kernel/cmdline goes, ghost-boot had made it: the line is what it says without our words. */
static int line_without_file(struct anew *a, struct gb_text *ret, struct gb_err *err)
{
	struct gb_cmdplan_report report = { 0 };
	struct gb_footprint footprint = { 0 };
	struct gb_plan scratch = { 0 };
	int r = gb_footprint_read(a->host->root, &footprint, err);

	if (!r)
		r = gb_cmdplan_undo(a->host, &footprint, &scratch, &report, err);
	if (!r)
		r = gb_cmdplan_line(a->host, &report, ret, err);
	gb_cmdplan_report_clear(&report);
	gb_footprint_clear(&footprint);
	gb_plan_clear(&scratch);
	return r;
}

/* The kernel command line as the plan leaves it. */
static int read_line(struct anew *a, const struct gb_plan *plan, struct gb_text *ret,
		     struct gb_err *err)
{
	const struct gb_step *step = find_step(plan, GB_CMDLINE_FILE);
	char *data = NULL;
	size_t len;
	int r = 0;

	if (!step)
		return gb_cmdplan_line(a->host, NULL, ret, err);
	if (step->kind == GB_STEP_REMOVE)
		return line_without_file(a, ret, err);
	if (step->data)
		gb_text_add(ret, step->data, step->len);
	else
		r = gb_root_read_all(a->host->root, step->source, GB_CMDLINE_FILE_MAX, &data, &len);
	if (data)
		gb_text_add(ret, data, len);
	free(data);
	return r ? gb_fail(err, -r, "%s: %s", step->source, strerror(-r)) : 0;
}

static int find_line(struct anew *a, const struct gb_plan *plan, struct gb_err *err)
{
	struct gb_text line = { 0 };
	int r = 0;

	if (!a->images.unified.program[0])
		return 0;
	r = read_line(a, plan, &line, err);
	if (!r)
		gb_images_line(&a->images, line.data ? line.data : "", &a->line);
	gb_text_clear(&line);
	a->wish.line = a->line.data;
	return r ? r : a->line.failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

static bool is_anew(const struct gb_plan *plan, const char *path)
{
	for (size_t i = 0; path && i < plan->anews; i++)
		if (!strcmp(plan->anew[i], path))
			return true;
	return false;
}

/* A kernel whose image no step brings back: one whose old image nobody has, or that came since. */
static bool is_left(const struct gb_kernel *kernel, const struct gb_plan *plan)
{
	for (size_t p = 0; p < kernel->places; p++)
		if (find_step(plan, kernel->place[p].path))
			return false;
	return true;
}

static int add_images(struct anew *a, struct gb_plan *plan, struct gb_err *err)
{
	struct gb_images *images = &a->images;
	size_t left = 0;
	int r = find_wish(a, plan, err);

	if (r)
		return r;
	gb_site_read(a->host->root, &a->site);
	r = gb_images_find(a->host, &a->site, images, err);
	if (r)
		return r;
	if (!images->usable && plan->anews)
		return gb_fail(err, ENOTSUP, "images can't be built anew: %s", images->why);
	r = find_line(a, plan, err);
	if (r)
		return r;
	for (size_t i = 0; i < images->kernels; i++)
		if (is_left(&images->kernel[i], plan))
			images->kernel[left++] = images->kernel[i];
	images->kernels = left;
	r = left ? gb_images_plan(a->host, images, &a->wish, plan, err) : 0;
	return r < 0 ? r : 0;
}

/* A kernel that came since has an entry with our words; where nothing of ours stands afterwards, they
 * go from there, too. */
static int add_since(struct anew *a, struct gb_plan *plan, struct gb_err *err)
{
	const struct gb_step *step = find_step(plan, GB_FOOTPRINT);
	struct gb_cmdplan_report report = { 0 };
	struct gb_footprint footprint = { 0 };
	int r;

	if (!step || step->kind != GB_STEP_REMOVE || !a->host->loader->usable)
		return 0;
	r = gb_footprint_read(a->host->root, &footprint, err);
	if (!r)
		r = gb_cmdplan_undo_since(a->host, &footprint, plan, &report, err);
	gb_cmdplan_report_clear(&report);
	gb_footprint_clear(&footprint);
	return r;
}

/* Words first: an image with claims does nothing without them. */
static int add_anew(struct anew *a, struct gb_plan *plan, struct gb_err *err)
{
	int r = is_anew(plan, gb_cmdplan_grub_cfg(a->host)) ?
			gb_cmdplan_anew(a->host, plan, err) : 0;

	if (!r)
		r = add_since(a, plan, err);
	if (!r && (plan->anews || find_step(plan, GB_CLAIMS_FILE)))
		r = add_images(a, plan, err);
	if (!r)
		r = gb_cmdplan_publish(a->host, plan, err);
	return r < 0 ? r : 0;
}

static int prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	const struct gb_cmdplan_report report = { 0 };
	struct anew *a = ctx;
	int r = gb_cmdplan_prove(a->host, &report, plan, step, err);

	return r ? r : gb_images_prove(a->host, &a->images, &a->wish, plan, step, err);
}

/* A kernel that came while nothing was enabled has an entry without the words that are back. Which it
 * needs, `update` knows. */
static void say_bare(struct gb_host *host)
{
	const struct gb_loader *loader = host->loader;
	struct gb_footprint footprint;
	size_t bare = 0;

	if (!gb_footprint_read(host->root, &footprint, NULL) && footprint.traces &&
	    !gb_leftover_alone(&footprint))
		for (size_t i = 0; i < loader->sources; i++)
			bare += loader->source[i].kind == GB_CMDLINE_ENTRY &&
				gb_cmdplan_lacks(host, &footprint, loader->source[i].path);
	if (bare)
		printf("%zu boot entr%s of the words that are back: sudo ghost-boot update adds them.\n",
		       bare, bare == 1 ? "y has none" : "ies have none");
	gb_footprint_clear(&footprint);
}

/* Of the words that are taken back one may have had its boots counted; or one whose boots are counted
 * is back, with another's counter. */
static int set_count(void *ctx, struct gb_err *err)
{
	struct anew *a = ctx;
	struct gb_trial trial;

	(void)err;
	if (!gb_trial_read(a->host->root, &trial, NULL) && trial.counted)
		gb_trial_count(a->host, &trial);
	else
		gb_trial_uncount(a->host);
	gb_trial_clear(&trial);
	return 0;
}

/* ---- carrying out ---------------------------------------------------------------------- */

static int carry_out(struct gb_context *context, struct anew *a, struct gb_plan *plan,
		     const struct gb_change_options *options)
{
	struct gb_change_options how = *options;
	struct gb_err err = { "" };
	int code, r = add_anew(a, plan, &err);

	if (r) {
		gb_command_fail(context, err.text, "Nothing was changed.");
		return r == -ENOTSUP ? GB_EXIT_REFUSED : GB_EXIT_FAILED;
	}
	how.ctx = a;
	how.prove = prove;
	how.finish = set_count;
	code = gb_change_run(context, a->host, plan, &how);
	if (code == GB_EXIT_DONE && a->images.kernels && !options->dry_run)
		gb_images_remember(a->host, &a->images, &a->wish, NULL);
	if (code == GB_EXIT_DONE && !options->dry_run && !options->json)
		say_bare(a->host);
	return code;
}

static int roll_back(struct gb_context *context, struct gb_host *host,
		     const struct gb_change_options *options)
{
	struct anew a = { .host = host };
	struct gb_text details = { 0 };
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };
	int r = gb_transaction_rollback(&host->store, options->force, &plan, &details, &err);
	int code = r ? refuse(context, r, &details, &err) : carry_out(context, &a, &plan, options);

	gb_plan_clear(&plan);
	gb_text_clear(&details);
	gb_images_clear(&a.images);
	gb_text_clear(&a.line);
	free(a.text);
	return code;
}

/* ---- all ------------------------------------------------------------------------------- */

static int run(struct gb_context *context, int argc, char **argv)
{
	struct gb_change_options options = {
		.nothing = "All is as it was before the last change.",
		.done = "The last change is taken back. What is booted changes with a reboot.",
	};
	struct gb_host host = { 0 };
	struct gb_err err = { "" };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	code = gb_change_recover(context, context->root, &options);
	if (code < 0) {
		code = gb_trial_back(context, &options);
		if (code >= 0)
			return code;
	}
	if (code < 0)
		code = gb_host_open(context->root, &host, &err) ?
			       gb_command_fail(context, err.text, NULL) :
			       roll_back(context, &host, &options);
	gb_host_close(&host);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_rollback = { "rollback", run, "take back the last change" };
