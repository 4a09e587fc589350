/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "work.h"

static const char usage[] =
	"usage: ghost-boot update [--entry] [--dry-run | --yes] [--json] [--root DIR]\n"
	"\n"
	"Makes everything again as the claims file says, for the kernels there are now:\n"
	"after the file was edited, a kernel came by another way than the\n"
	"distribution's, or an image was built without ghost-boot. What is as it should\n"
	"be is left alone.\n"
	"\n"
	"      --entry     only the entry without GPU claims, for a kernel that is there\n"
	"  -n, --dry-run   only show what would change\n"
	"  -y, --yes       don't ask\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, or it was so already; 1 failed, nothing changed; 2 usage;\n"
	"3 refused; 5 failed, and the state before was brought back; 6 partly, and how\n"
	"to go on.\n";

enum { ENTRY = 256 };

static int take_entry(void *ctx, int option, const char *value)
{
	bool *entry = ctx;

	(void)option;
	(void)value;
	*entry = true;
	return -1;
}

static int update_entry(struct gb_work *work)
{
	struct gb_err err = { "" };
	int r;

	gb_plan_because(&work->setup.plan, "an entry to boot without claims");
	r = gb_setup_update_entry(&work->setup, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	if (work->setup.no_recovery[0] && !work->options.json)
		gb_command_say(stderr, "No entry without GPU claims can be had: %s.", work->setup.no_recovery);
	work->options.nothing = "The boot entry without GPU claims is as it should be.";
	work->options.done = "Done.";
	return gb_work_run(work);
}

static int update(struct gb_work *work)
{
	struct gb_err err = { "" };
	int r;

	if (!work->setup.claims) {
		work->options.nothing = "Nothing is enabled, and there is no claims file: "
					"ghost-boot enable DEVICE";
		return gb_work_run(work);
	}
	gb_plan_because(&work->setup.plan, "make everything as the claims file says");
	r = gb_target_read(&work->context->survey, &work->setup.disks, NULL, 0, &work->target,
			   &err);
	if (!r)
		r = gb_setup_update(&work->setup, &work->target, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	work->options.nothing = gb_setup_tries(&work->setup) ?
		"A trial is not over yet: until then all stays as it is." :
		"Everything is as the claims file says.";
	work->options.done = "Done. It holds from the next boot on.";
	return gb_work_run(work);
}

static int run(struct gb_context *context, int argc, char **argv)
{
	static const struct option more[] = { { "entry", no_argument, NULL, ENTRY },
					      { NULL, 0, NULL, 0 } };
	struct gb_work work = { 0 };
	bool entry = false;
	int code = gb_work_options(&work, context, argc, argv, usage, more, take_entry, &entry);

	if (code >= 0)
		return code;
	if (optind < argc)
		return gb_command_usage(context, "takes no arguments: ", argv[optind]);
	code = gb_work_open(&work, context);
	if (code < 0)
		code = entry ? update_entry(&work) : update(&work);
	gb_work_close(&work);
	return code;
}

const struct gb_command gb_command_update = { "update", run,
					      "images and command line as the claims file says" };
