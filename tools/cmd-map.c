/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "map.h"

static const char usage[] =
	"usage: ghost-boot map -o FILE [--predict] [--root DIR]\n"
	"\n"
	"Draws the PCI tree as a picture (SVG): IOMMU groups as areas, the way from the\n"
	"CPU to each display, what isolates on it, and what would come along.\n"
	"\n"
	"  -o, --output FILE  where to; - is standard output\n"
	"      --predict      the groups as predicted, even where the kernel has some\n"
	"      --root DIR     a captured machine instead of the running one\n"
	"  -h, --help         this text\n";

struct options {
	const char *output;
	bool predict;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' }, { "predict", no_argument, NULL, 'p' },
		{ "root", required_argument, NULL, 'r' },   { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "o:h", known)) != -1)
		switch (c) {
		case 'o': options->output = optarg; break;
		case 'p': options->predict = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	if (!options->output)
		return gb_command_usage(context, "where to? -o FILE", "");
	return -1;
}

static int draw(struct gb_context *context, const struct options *options)
{
	struct gb_list list = {
		.context = context,
		.survey = &context->survey,
		.source = options->predict ? GB_GROUPS_PREDICTED
					   : gb_survey_groups(&context->survey),
		.style = { .utf8 = true },
	};
	struct gb_text text = { 0 };
	struct gb_map map;
	int code;

	gb_list_begin(&list);
	if (gb_map_make(&list, &map))
		text.failed = true;
	else
		gb_map_draw(&map, &text);
	code = strcmp(options->output, "-") ? gb_command_write(context, options->output, &text)
					    : gb_command_print(context, &text, GB_EXIT_DONE);
	gb_map_clear(&map);
	gb_text_clear(&text);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	code = gb_command_open(context, GB_SURVEY_FIRMWARE | GB_SURVEY_SITE);
	if (!code)
		code = draw(context, &options);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_map = { "map", run, "the PCI tree as a picture (SVG)" };
