/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "command.h"
#include "selector.h"
#include "verify.h"

static const char usage[] =
	"usage: ghost-boot verify [--all] [--json] [--root DIR] [DEVICE]\n"
	"\n"
	"What stands in the way of passing through the claimed devices, all displays\n"
	"when none is claimed, or DEVICE: where that can be seen, and what mends it.\n"
	"Asks VFIO itself, so don't run it while a virtual machine starts.\n"
	"\n"
	"DEVICE is an address (0000:01:00.0, 01:00.0), a slot (01:00), a path\n"
	"(0000:00/01.0/00.0), IDs (10de:2203) or a part of the name (3090).\n"
	"\n"
	"  -a, --all       show where it was read for passed checks too\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 nothing failed, 1 could not look, 2 usage, 4 something failed.\n";

struct options {
	bool all, json;
	const char *device;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' },  { "json", no_argument, NULL, 'j' },
		{ "root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "ah", known)) != -1)
		switch (c) {
		case 'a': options->all = true; break;
		case 'j': options->json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		options->device = argv[optind++];
	if (optind < argc)
		return gb_command_usage(context, "takes one device: ", argv[optind]);
	return -1;
}

/* The node, or GB_NOWHERE when it was said why not. */
static int choose(struct gb_context *context, const char *word)
{
	struct gb_selection selection;
	struct gb_text text = { 0 };
	struct gb_style style;
	int node = GB_NOWHERE;

	gb_style_detect(stderr, &style);
	gb_select(&context->survey, context->names, word, &selection);
	if (selection.nodes == 1)
		node = selection.node[0];
	else
		gb_select_complain(&context->survey, context->names, &selection, word,
				   context->command, &style, &text);
	if (text.failed)
		gb_command_fail(context, "out of memory", NULL);
	else if (text.len)
		fputs(text.data, stderr);
	gb_text_clear(&text);
	gb_selection_clear(&selection);
	return node;
}

static int verify(struct gb_context *context, const struct options *options)
{
	struct gb_verify what = { .ask_vfio = gb_root_is_real(context->root),
				  .recipes = gb_judge_recipe,
				  .node = GB_NOWHERE };
	struct gb_checks checks = { 0 };
	struct gb_text text = { 0 };
	struct gb_style style;
	int code;

	if (options->device && (what.node = choose(context, options->device)) == GB_NOWHERE)
		return GB_EXIT_USAGE;
	gb_verify_run(&context->survey, &what, &checks);
	gb_style_detect(stdout, &style);
	if (options->json)
		gb_verify_json(&checks, -1, &text);
	else
		gb_checks_text(&checks, &style, options->all, &text);
	text.failed |= checks.failed;
	code = gb_command_print(context, &text, gb_verify_exit(&checks));
	gb_text_clear(&text);
	gb_checks_clear(&checks);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	code = gb_command_open(context, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE | GB_SURVEY_SITE);
	if (!code)
		code = verify(context, &options);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_verify = { "verify", run,
					      "what stands in the way, and what mends it" };
