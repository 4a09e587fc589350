/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "host.h"
#include "status.h"

static const char usage[] =
	"usage: ghost-boot status [--all] [--images] [--json | --check] [--root DIR]\n"
	"\n"
	"What is configured, what this boot made of it and what is now, side by side;\n"
	"which image has which claims; who uses each display; and what to do next.\n"
	"Changes nothing. Without root some of it is said to be unknown.\n"
	"\n"
	"  -a, --all       every function that a claims file names, kept ones too\n"
	"      --images    read every image anew, which takes seconds; else root reads\n"
	"                  those alone that others have built since they were seen good\n"
	"      --json      for programs\n"
	"      --check     one line, for monitoring\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, 1 could not look, 2 usage, 4 with --check: something is to be\n"
	"done.\n";

struct options {
	bool all, images, json, check;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "all", no_argument, NULL, 'a' },   { "images", no_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },  { "check", no_argument, NULL, 'c' },
		{ "root", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "ah", known)) != -1)
		switch (c) {
		case 'a': options->all = true; break;
		case 'i': options->images = true; break;
		case 'j': options->json = true; break;
		case 'c': options->check = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	if (options->json && options->check)
		return gb_command_usage(context, "--json and --check exclude each other", "");
	return -1;
}

static size_t count(const struct gb_condition *c, enum gb_condition_kind kind, bool claims)
{
	size_t n = 0;

	for (size_t i = 0; i < c->functions; i++)
		n += c->function[i].kind == kind &&
		     (!claims || (c->function[i].booted && !c->function[i].booted->keep));
	return n;
}

int gb_status_check(const struct gb_status *status, struct gb_text *ret)
{
	const struct gb_condition *c = status->condition;
	const size_t good = count(c, GB_FUNCTION_GOOD, true);

	if (c->notes) {
		gb_text_addf(ret, "not ready: %s", c->note[0].text);
		if (c->notes > 1)
			gb_text_addf(ret, " (and %zu more)", c->notes - 1);
		gb_text_addf(ret, "\n");
		return GB_EXIT_NOT_READY;
	}
	if (count(c, GB_FUNCTION_UNKNOWN, false)) {
		gb_text_addf(ret, "not ready: what is configured or booted can't be told\n");
		return GB_EXIT_NOT_READY;
	}
	if (good)
		gb_text_addf(ret, "ok: %zu function%s on the claimed driver", good,
			     good == 1 ? "" : "s");
	else
		gb_text_addf(ret, "ok: nothing is claimed");
	gb_text_addf(ret, "%s\n", c->journal == GB_CANNOT_TELL || c->reboot == GB_CANNOT_TELL ?
					  "; not all can be told without root" : "");
	return GB_EXIT_DONE;
}

static int tell(struct gb_context *context, const struct options *options,
		const struct gb_condition *condition)
{
	struct gb_status status = { .context = context, .condition = condition,
				    .all = options->all };
	struct gb_text text = { 0 };
	int code = GB_EXIT_DONE;

	gb_style_detect(stdout, &status.style);
	if (options->check)
		code = gb_status_check(&status, &text);
	else
		(options->json ? gb_status_json : gb_status_page)(&status, &text);
	code = gb_command_print(context, &text, code);
	gb_text_clear(&text);
	return code;
}

struct reading {
	bool tty, said;
};

/* Reading one takes long enough to be wondered about. */
static void say_reading(void *ctx, const char *path)
{
	struct reading *reading = ctx;

	if (reading->tty)
		fprintf(stderr, "\r\x1b[Kreading %s", path);
	reading->said = reading->tty;
}

static int status(struct gb_context *context, const struct options *options)
{
	struct gb_condition condition = { 0 };
	struct gb_host host = { 0 };
	struct gb_err err = { "" };
	struct reading reading = { .tty = isatty(STDERR_FILENO) };
	const bool learns = !geteuid() && gb_root_is_real(context->root);
	const struct gb_condition_options how = { .read_images = options->images,
						  .read_unknown = learns, .ctx = &reading,
						  .reading = say_reading };
	int code, r = gb_host_open(context->root, &host, &err);

	if (!r)
		r = gb_condition_read(&host, &context->survey, &how, &condition, &err);
	if (reading.said)
		fprintf(stderr, "\r\x1b[K");
	if (!r && learns)
		gb_proved_write(&condition.images.proved, &host.store, NULL);
	if (r)
		code = gb_command_fail(context, err.text, NULL);
	else
		code = tell(context, options, &condition);
	gb_condition_clear(&condition);
	gb_host_close(&host);
	return code;
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	context->claims_file = GB_CLAIMS_FILE;
	code = gb_command_open(context, GB_SURVEY_SITE);
	if (!code)
		code = status(context, &options);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_status = { "status", run,
					      "configured, booted and now, side by side" };
