/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost-diag: explains this boot on one screen, also where nothing else is left to ask. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "diag.h"
#include "err.h"
#include "exit.h"
#include "root.h"
#include "style.h"
#include "tool.h"

static const char usage[] =
	"usage: ghost-diag [--json] [--root DIR]\n"
	"\n"
	"Says on one screen what became of this boot's claims: what was planned, what\n"
	"happened and when, which driver has what should be vfio-pci's and how it came,\n"
	"what the checks say, how to boot without claims, and what to do next.\n"
	"Changes nothing, opens no device, wakes none.\n"
	"\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"  -V, --version   the version\n"
	"\n"
	"Exit: 0 told, 1 could not look, 2 usage.\n"
	"ghost-diag(8)\n";

struct options {
	const char *root;
	bool json;
};

static int bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ghost-diag: %s%s\nTry: ghost-diag --help\n", what, word);
	return GB_EXIT_USAGE;
}

static int show(const struct gb_diag *diag, const struct options *options)
{
	struct gb_text text = { 0 };
	struct gb_style style;
	int code = GB_EXIT_DONE;

	gb_style_detect(stdout, &style);
	if (options->json)
		gb_diag_json(diag, &text);
	else
		gb_diag_screen(diag, &style, &text);
	if (text.failed) {
		fputs("ghost-diag: out of memory\n", stderr);
		code = GB_EXIT_FAILED;
	} else if (fputs(text.data, stdout) < 0 || fflush(stdout)) {
		perror("ghost-diag: standard output");
		code = GB_EXIT_FAILED;
	}
	gb_text_clear(&text);
	return code;
}

/* A sick device's sysfs file may never answer; the rescue shell behind us must open. */
#define PATIENCE_S 10

static void too_late(int number)
{
	static const char text[] = "ghost-diag: gave up: some file below /sys does not answer\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(GB_EXIT_FAILED);
	_exit(GB_EXIT_FAILED);
}

static int run(const struct options *options, struct gb_root *root)
{
	struct gb_err err = { "" };
	int code = GB_EXIT_FAILED;
	struct gb_diag diag;

	if (gb_diag_read(root, &diag, &err))
		fprintf(stderr, "ghost-diag: %s\n", err.text);
	else
		code = show(&diag, options);
	gb_diag_clear(&diag);
	return code;
}

/* The exit code when that is all there is to do, else -1. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { ROOT = 256, JSON };
	static const struct option known[] = {
		{ "root", required_argument, NULL, ROOT }, { "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, 'h' },	   { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "hV", known, NULL)) != -1) {
		switch (c) {
		case ROOT: options->root = optarg; break;
		case JSON: options->json = true; break;
		case 'h': fputs(usage, stdout); return GB_EXIT_DONE;
		case 'V': puts("ghost-diag " GB_VERSION); return GB_EXIT_DONE;
		default:
			return bad_usage("unknown option, or one without its value: ",
					 argv[optind - 1]);
		}
	}
	if (optind < argc)
		return bad_usage("takes no arguments: ", argv[optind]);
	return -1;
}

int gb_diag_main(int argc, char **argv)
{
	struct options options = { .root = "/" };
	struct gb_root *root = NULL;
	struct gb_err err = { "" };
	int code = read_options(argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(options.root, &root, &err))
		return bad_usage(err.text, "");
	signal(SIGALRM, too_late);
	alarm(PATIENCE_S);
	code = run(&options, root);
	gb_root_close(root);
	return code;
}
