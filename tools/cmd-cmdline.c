/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "cmdline-images.h"
#include "cmdline-state.h"
#include "cmdplan.h"
#include "command.h"
#include "host.h"
#include "plan.h"
#include "transaction.h"

static const char usage[] =
	"usage: ghost-boot cmdline [--verbose] [--json] [--root DIR]\n"
	"       ghost-boot cmdline [--add ARG]... [--remove ARG]... [--dry-run] [--yes]\n"
	"                          [--json]\n"
	"\n"
	"The kernel command line: what runs, and every file that the next one comes\n"
	"from. With --add or --remove, changes it for all installed kernels and those to\n"
	"come: shows what will happen, and asks. Rescue entries stay as they are.\n"
	"\n"
	"      --add ARG     add it, where it is missing\n"
	"      --remove ARG  take it out, wherever it stands\n"
	"  -n, --dry-run     only show what would happen\n"
	"  -y, --yes         do not ask\n"
	"  -v, --verbose     what tells which boot loader it was\n"
	"      --json        for programs\n"
	"      --root DIR    a captured machine instead of the running one\n"
	"  -h, --help        this text\n"
	"\n"
	"Exit: 0 done or nothing to do, 1 failed and nothing changed, 2 usage,\n"
	"3 refused, 5 failed and brought back, 6 partly changed.\n";

#define WANTS_MAX 64

struct options {
	bool verbose;
	struct gb_change_options change;
	struct gb_want want[WANTS_MAX];
	size_t wants;
};

/* ---- options ------------------------------------------------------------------------- */

/* Lists that add up over several words (drivers/iommu), and words that must stand alone. */
static enum gb_want_mode mode_of(const char *word)
{
	static const char *const lists[] = { "intel_iommu=", "amd_iommu=", "iommu=" };

	if (!strncmp(word, "ghost.claim=", strlen("ghost.claim=")))
		return GB_WANT_ONLY;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!strncmp(word, lists[i], strlen(lists[i])) && word[strlen(lists[i])] &&
		    !strchr(word, ','))
			return GB_WANT_PIECE;
	return GB_WANT_ALSO;
}

/* The exit code when it is no argument, else -1. */
static int add_want(struct gb_context *context, struct options *options, bool add,
		    const char *word)
{
	struct gb_arguments parsed;
	bool one;

	if (options->wants == WANTS_MAX)
		return gb_command_usage(context, "too many arguments at once: ", word);
	if (gb_arguments_parse(word, strlen(word), &parsed))
		return gb_command_usage(context, "not a kernel argument: ", word);
	one = parsed.arguments == 1 && parsed.kernel == 1 && !parsed.open &&
	      parsed.argument[0].len == strlen(word);
	gb_arguments_clear(&parsed);
	if (!one)
		return gb_command_usage(context, "not one kernel argument: ", word);
	if (add && !gb_argument_is_plain(word))
		return gb_command_usage(context, "has characters that not every boot loader passes on "
					"(letters, digits and _-.,:=/+@% are well): ", word);
	for (size_t i = 0; i < options->wants; i++)
		if (!strcmp(options->want[i].word, word) &&
		    (options->want[i].mode == GB_WANT_GONE) == add)
			return gb_command_usage(context, "to be added and removed: ", word);
	options->want[options->wants++] = (struct gb_want){
		.mode = add ? mode_of(word) : GB_WANT_GONE, .word = word };
	return -1;
}

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "add", required_argument, NULL, 'A' },  { "remove", required_argument, NULL, 'R' },
		{ "dry-run", no_argument, NULL, 'n' },	  { "yes", no_argument, NULL, 'y' },
		{ "verbose", no_argument, NULL, 'v' },	  { "json", no_argument, NULL, 'j' },
		{ "root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, code = -1;

	while (code < 0 && (c = gb_command_option(argc, argv, "nyvh", known)) != -1)
		switch (c) {
		case 'A': code = add_want(context, options, true, optarg); break;
		case 'R': code = add_want(context, options, false, optarg); break;
		case 'n': options->change.dry_run = true; break;
		case 'y': options->change.yes = true; break;
		case 'v': options->verbose = true; break;
		case 'j': options->change.json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (code < 0 && optind < argc)
		return gb_command_usage(context, "takes no arguments; --add or --remove it? ", argv[optind]);
	if (code < 0 && !options->wants && (options->change.dry_run || options->change.yes))
		return gb_command_usage(context, "nothing to change: --add ARG or --remove ARG", "");
	return code;
}

/* ---- what there is -------------------------------------------------------------------- */

static int show(struct gb_context *context, struct gb_host *host, const struct options *options)
{
	struct gb_cmdline_state *state = calloc(1, sizeof(*state));
	struct gb_text text = { 0 };
	struct gb_style style;
	int code;

	if (!state)
		return gb_command_fail(context, "out of memory", NULL);
	if (gb_transaction_is_open(&host->store))
		gb_command_say(stderr, "A change was interrupted and is not brought back yet: what is shown may "
			       "be its middle.");
	gb_cmdline_look(host, state);
	gb_style_detect(stdout, &style);
	if (options->change.json)
		gb_cmdline_json(state, &text);
	else
		gb_cmdline_print(state, options->verbose, &style, &text);
	code = gb_command_print(context, &text, GB_EXIT_DONE);
	gb_cmdline_state_clear(state);
	gb_text_clear(&text);
	free(state);
	return code;
}

/* ---- changing it ---------------------------------------------------------------------- */

struct work {
	struct gb_host *host;
	struct gb_plan plan;
	struct gb_cmdplan_report report;
	struct gb_cmdline_images images;
};

static int prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct work *work = ctx;
	int r = gb_cmdplan_prove(work->host, &work->report, plan, step, err);

	return r ? r : gb_images_prove(work->host, &work->images.images, &work->images.wish, plan, step,
				       err);
}

static int because(struct gb_plan *plan, const struct options *options)
{
	struct gb_text text = { 0 };
	int r;

	gb_text_addf(&text, "cmdline");
	for (size_t i = 0; i < options->wants; i++)
		gb_text_addf(&text, " %s %s", options->want[i].mode == GB_WANT_GONE ? "--remove" : "--add",
			     options->want[i].word);
	r = text.failed ? -ENOMEM : gb_plan_because(plan, text.data);
	gb_text_clear(&text);
	return r;
}

static int run_plan(struct gb_context *context, struct work *work, struct options *options)
{
	const bool built = gb_cmdline_images_plans(&work->images);
	int code;

	options->change.ctx = work;
	options->change.prove = prove;
	options->change.nothing = "Nothing to do: every source is so already.";
	options->change.done = work->report.unified && !built ?
		"Done. Unified kernel images keep their old line until they are built anew." :
		"Done. The next boot has it.";
	options->change.left = work->report.left.data;
	code = gb_change_run(context, work->host, &work->plan, &options->change);
	if (code == GB_EXIT_DONE && built && !options->change.dry_run)
		gb_images_remember(work->host, &work->images.images, &work->images.wish, NULL);
	return code;
}

static int refuse(struct gb_context *context, const struct gb_host *host, int r,
		  const struct gb_err *err)
{
	if (r == -EACCES || r == -EPERM) {
		fprintf(stderr, "ghost-boot cmdline: %s\n", err->text);
		if (geteuid() && gb_root_is_real(host->root))
			return gb_change_needs_root(context);
		return GB_EXIT_FAILED;
	}
	gb_command_fail(context, err->text, "Nothing was changed.");
	return r == -EINVAL || r == -EMLINK ? GB_EXIT_REFUSED : GB_EXIT_FAILED;
}

static int change(struct gb_context *context, struct gb_host *host, struct options *options)
{
	struct work work = { .host = host };
	struct gb_err err = { "" };
	int code, r = gb_cmdplan(host, options->want, options->wants, NULL, &work.plan, &work.report,
				 &err);

	if (!r)
		r = gb_cmdline_images_plan(host, &work.report, &work.plan, &work.images, &err);
	if (!r && because(&work.plan, options))
		r = gb_fail(&err, ENOMEM, "out of memory");
	code = r ? refuse(context, host, r, &err) : run_plan(context, &work, options);
	gb_cmdline_images_clear(&work.images);
	gb_plan_clear(&work.plan);
	gb_cmdplan_report_clear(&work.report);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	struct gb_host host = { 0 };
	struct gb_err err = { "" };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	if (options.wants)
		code = gb_change_recover(context, context->root, &options.change);
	if (code < 0 && gb_host_open(context->root, &host, &err))
		code = gb_command_fail(context, err.text, NULL);
	if (code < 0)
		code = options.wants ? change(context, &host, &options) : show(context, &host, &options);
	gb_host_close(&host);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_cmdline = { "cmdline", run, "the kernel command line, and changing it" };
