/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "change.h"
#include "command.h"
#include "host.h"
#include "leftover.h"
#include "plan.h"
#include "store.h"
#include "transaction.h"

static const char usage[] =
	"usage: ghost-boot recover [--force] [--root DIR]\n"
	"\n"
	"Finishes or brings back a change that was interrupted, by a power cut for one;\n"
	"and removes what disable could only leave until the next boot. Says nothing\n"
	"when there is none. A unit does this at every boot, and every command that\n"
	"changes something does the first of it before.\n"
	"\n"
	"      --force     bring back files that somebody else has changed since, too,\n"
	"                  and give up what is on a file system that is not mounted, and\n"
	"                  what a program copies that fails\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, or nothing to do, 1 failed, 2 usage, 3 another change is going\n"
	"on, 6 partly: run it again when what it says is mended.\n";

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct gb_change_options *options)
{
	static const struct option known[] = {
		{ "force", no_argument, NULL, 'f' }, { "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },  { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = gb_command_option(argc, argv, "h", known)) != -1)
		switch (c) {
		case 'f': options->force = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	return -1;
}

static int remove_leftover(struct gb_context *context)
{
	struct gb_change_options options = { .yes = true };
	struct gb_plan plan = { 0 };
	struct gb_err err = { "" };
	struct gb_host host;
	int code = GB_EXIT_DONE;

	if (!gb_root_exists(context->root, GB_LEFTOVER))
		return GB_EXIT_DONE;
	if (gb_host_open(context->root, &host, &err))
		return gb_command_fail(context, err.text, NULL);
	gb_plan_because(&plan, "remove what disable left until this boot");
	if (gb_leftover_plan(&host, &plan, &err))
		code = gb_command_fail(context, err.text, "It stays, and does no harm.");
	else if (plan.steps)
		code = gb_change_run(context, &host, &plan, &options);
	gb_plan_clear(&plan);
	gb_host_close(&host);
	return code;
}

/* The folder is root's: to others an interrupted change can't be told from none. */
static int run(struct gb_context *context, int argc, char **argv)
{
	struct gb_change_options options = { 0 };
	struct gb_err err = { "" };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	if (geteuid() && gb_root_is_real(context->root))
		code = gb_change_needs_root(context);
	else
		code = gb_change_recover(context, context->root, &options);
	if (code < 0)
		code = remove_leftover(context);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_recover = { "recover", run,
					       "finish or bring back what was interrupted" };
