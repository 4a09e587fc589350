/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-verify: whether this machine can really pass its claimed devices through. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "exit.h"
#include "root.h"
#include "style.h"
#include "tool.h"
#include "verify.h"

static const char usage[] =
	"usage: ghost-verify [--json] [--all] [--root DIR] [BDF]\n"
	"\n"
	"Says of the claimed devices, of all displays when none is claimed, or of the one\n"
	"given, what stands in the way of passing them through, where that can be seen, and\n"
	"what mends it. Asks VFIO itself, so don't run it while a virtual machine starts.\n"
	"\n"
	"  -a, --all       show where it was read for passed checks too\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit: 0 nothing failed, 1 could not look, 2 usage, 4 something failed.\n"
	"ghost-verify(8)\n";

struct options {
	const char *root;
	bool all, json;
	struct gb_bdf bdf;
	bool one;
};

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ghost-verify: %s%s\nTry: ghost-verify --help\n", what, word);
	return GB_EXIT_USAGE;
}

static int show(const struct gb_checks *checks, const struct options *options)
{
	struct gb_text text = { 0 };
	struct gb_style style;
	int code = gb_verify_exit(checks);

	gb_style_detect(stdout, &style);
	if (options->json)
		gb_verify_json(checks, -1, &text);
	else
		gb_checks_text(checks, &style, options->all, &text);
	if (text.failed || checks->failed) {
		fputs("ghost-verify: out of memory\n", stderr);
		code = GB_EXIT_FAILED;
	} else if (fputs(text.data, stdout) < 0 || fflush(stdout)) {
		perror("ghost-verify: standard output");
		code = GB_EXIT_FAILED;
	}
	gb_text_clear(&text);
	return code;
}

static int run(const struct options *options, struct gb_root *root)
{
	struct gb_verify what = { .ask_vfio = gb_root_is_real(root), .node = GB_NOWHERE };
	struct gb_checks checks = { 0 };
	struct gb_survey survey;
	struct gb_err err = { "" };
	int code = GB_EXIT_FAILED;

	if (gb_survey_read(root, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE | GB_SURVEY_SITE, NULL, NULL,
			   0, &survey, &err)) {
		fprintf(stderr, "ghost-verify: %s\n", err.text);
	} else if (options->one &&
		   (what.node = gb_survey_find(&survey, options->bdf)) == GB_NOWHERE) {
		fputs("ghost-verify: there is no such device\nTry: lspci -D\n", stderr);
	} else {
		gb_verify_run(&survey, &what, &checks);
		code = show(&checks, options);
	}
	gb_checks_clear(&checks);
	gb_survey_clear(&survey);
	return code;
}

/* The exit code when that is all there is to do, else -1. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { ROOT = 256, JSON };
	static const struct option known[] = {
		{ "root", required_argument, NULL, ROOT }, { "json", no_argument, NULL, JSON },
		{ "all", no_argument, NULL, 'a' },	   { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	   { NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "ahV", known, NULL)) != -1) {
		switch (c) {
		case ROOT: options->root = optarg; break;
		case JSON: options->json = true; break;
		case 'a': options->all = true; break;
		case 'h': fputs(usage, stdout); return GB_EXIT_DONE;
		case 'V': puts("ghost-verify " GB_VERSION); return GB_EXIT_DONE;
		default:
			return bad_usage("unknown option, or one without its value: ",
					 argv[optind - 1]);
		}
	}
	if (optind < argc) {
		options->one = true;
		if (!gb_bdf_parse(argv[optind], &options->bdf))
			return bad_usage("wants an address like 0000:3c:00.0, not ", argv[optind]);
		if (++optind < argc)
			return bad_usage("takes one device: ", argv[optind]);
	}
	return -1;
}

int gb_verify_main(int argc, char **argv)
{
	struct options options = { .root = "/" };
	struct gb_root *root = NULL;
	struct gb_err err = { "" };
	int code = read_options(argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(options.root, &root, &err))
		return bad_usage(err.text, "");
	code = run(&options, root);
	gb_root_close(root);
	return code;
}
