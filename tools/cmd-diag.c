/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "diag.h"
#include "report.h"
#include "timeline.h"

static const char usage[] =
	"usage: ghost-boot diag [--json | --full] [--root DIR]\n"
	"       ghost-boot diag --timeline -o FILE [--root DIR]\n"
	"\n"
	"Says on one screen what became of this boot's claims, as ghost-diag(8) does, or\n"
	"draws it: who had which device when, by the kernel log and the claim's record.\n"
	"\n"
	"      --full         everything, masked, fit for an issue tracker\n"
	"      --json         for programs\n"
	"      --timeline     a picture (SVG)\n"
	"  -o, --output FILE  where to; - is standard output\n"
	"      --root DIR     a captured machine instead of the running one\n"
	"  -h, --help         this text\n";

struct options {
	enum { SCREEN, FULL, JSON, TIMELINE } form;
	bool twice;
	const char *output;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "full", no_argument, NULL, FULL },
		{ "json", no_argument, NULL, JSON },
		{ "timeline", no_argument, NULL, TIMELINE },
		{ "output", required_argument, NULL, 'o' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "o:h", known)) != -1)
		switch (c) {
		case FULL:
		case JSON:
		case TIMELINE:
			options->twice |= options->form != SCREEN;
			options->form = (unsigned)c;
			break;
		case 'o': options->output = optarg; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	if (options->twice)
		return gb_command_usage(context, "--full, --json and --timeline exclude each other",
					"");
	if (options->form == TIMELINE && !options->output)
		return gb_command_usage(context, "where to? -o FILE", "");
	return -1;
}

static void add_timeline(const struct gb_diag *diag, struct gb_text *text)
{
	struct gb_timeline timeline;

	gb_timeline_read(diag, &timeline);
	gb_timeline_draw(diag, &timeline, text);
}

static int tell(struct gb_context *context, const struct options *options,
		const struct gb_diag *diag)
{
	struct gb_text text = { 0 };
	struct gb_style style;
	int code;

	gb_style_detect(stdout, &style);
	if (options->form == FULL)
		gb_report_write(diag, gb_report_recipes, &text);
	else if (options->form == JSON)
		gb_diag_json(diag, &text);
	else if (options->form == TIMELINE)
		add_timeline(diag, &text);
	else
		gb_diag_screen(diag, &style, &text);
	code = options->output && strcmp(options->output, "-")
		       ? gb_command_write(context, options->output, &text)
		       : gb_command_print(context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { .form = SCREEN };
	int code = read_options(context, argc, argv, &options);
	struct gb_err err = { "" };
	struct gb_diag diag;

	if (code >= 0)
		return code;
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	if (gb_diag_read(context->root, &diag, &err))
		code = gb_command_fail(context, err.text, NULL);
	else
		code = tell(context, &options, &diag);
	gb_diag_clear(&diag);
	gb_root_close(context->root);
	context->root = NULL;
	return code;
}

const struct gb_command gb_command_diag = { "diag", run, "what became of this boot's claims" };
