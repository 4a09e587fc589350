/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "list.h"

static const char usage[] =
	"usage: ghost-boot list [--all | --groups [--predict] | --tree] [--json]\n"
	"                       [--root DIR]\n"
	"\n"
	"Displays, with what shares their slot: IOMMU group, driver, role, and whether\n"
	"they can be passed through. Wakes and changes nothing.\n"
	"\n"
	"  -a, --all       every device\n"
	"  -g, --groups    by IOMMU group; predicted where the kernel has none\n"
	"      --predict   the groups as predicted, and where the kernel's differ\n"
	"  -t, --tree      from root port to function, and what isolates\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Roles: claimed and kept, by the claims of this boot; free.\n";

struct options {
	bool all, groups, tree, predict, json;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' },     { "groups", no_argument, NULL, 'g' },
		{ "tree", no_argument, NULL, 't' },    { "predict", no_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },    { "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },    { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "agth", known)) != -1)
		switch (c) {
		case 'a': options->all = true; break;
		case 'g': options->groups = true; break;
		case 't': options->tree = true; break;
		case 'p': options->predict = true; break;
		case 'j': options->json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	if (options->all + options->groups + options->tree > 1)
		return gb_command_usage(context, "--all, --groups and --tree exclude each other",
					"");
	return -1;
}

static void show(const struct gb_list *list, const struct options *options, struct gb_text *text)
{
	if (options->json)
		(options->groups ? gb_list_groups_json : gb_list_json)(list, text);
	else if (options->groups)
		gb_list_groups(list, text);
	else if (options->tree)
		gb_list_tree(list, text);
	else
		(options->all ? gb_list_all : gb_list_displays)(list, text);
}

static int list_them(struct gb_context *context, const struct options *options)
{
	struct gb_list list = {
		.context = context,
		.survey = &context->survey,
		.source = options->predict ? GB_GROUPS_PREDICTED
					   : gb_survey_groups(&context->survey),
		.all = options->all || options->tree,
		.predict = options->predict,
	};
	struct gb_text text = { 0 };
	int code;

	gb_style_detect(stdout, &list.style);
	gb_list_begin(&list);
	show(&list, options, &text);
	code = gb_command_print(context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	code = gb_command_open(context, options.groups || (options.tree && !options.json) ?
						0 :
						GB_SURVEY_FIRMWARE | GB_SURVEY_SITE);
	if (!code)
		code = list_them(context, &options);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_list = { "list", run, "displays, groups, the PCI tree" };
