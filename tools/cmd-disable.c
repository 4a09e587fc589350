/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial-back.h"
#include "work.h"

static const char usage[] =
	"usage: ghost-boot disable [--dry-run | --yes] [--json] [--root DIR] [DEVICE...]\n"
	"\n"
	"Gives devices back to the host, from the next boot on. Without a DEVICE all of\n"
	"them, and everything that ghost-boot has changed is as it was before: words on\n"
	"the command line, the claims file, earlier recipes that were taken out of use,\n"
	"images.\n"
	"\n"
	"DEVICE is an address (0000:01:00.0, 01:00.0), a slot (01:00), a path\n"
	"(0000:00/01.0/00.0), IDs (10de:2203) or a part of the name (3090).\n"
	"\n"
	"  -n, --dry-run   only show what would change\n"
	"  -y, --yes       don't ask\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, or it was so already; 1 failed, nothing changed; 2 usage;\n"
	"3 refused; 5 failed, and the state before was brought back; 6 partly, and how\n"
	"to go on.\n";

/* All that goes back with the devices named: what the file claims of it. */
static int plan_some(struct gb_work *work, const struct gb_nodes *nodes, struct gb_err *err)
{
	int r = gb_target_read(&work->context->survey, &work->setup.disks, nodes->node,
			       nodes->nodes, &work->target, err);

	return r ? r : gb_setup_disable(&work->setup, &work->target, err);
}

static int refuse_some(struct gb_work *work)
{
	return gb_work_deny(work, "a trial is not over yet, and no device can be taken out of it",
			    "Nothing was changed. ghost-boot rollback takes back the trial, ghost-boot disable "
			    "everything.");
}

static int disable(struct gb_work *work, const struct gb_nodes *nodes)
{
	struct gb_err err = { "" };
	int r;

	if (nodes->nodes && (gb_setup_tries(&work->setup) || work->setup.trial.state == GB_TRIAL_FAILED))
		return refuse_some(work);
	work->options.start = gb_trial_forget;
	work->options.finish = gb_trial_forgotten;
	gb_plan_because(&work->setup.plan, nodes->nodes ? "give devices back to the host" :
							   "give everything back to the host");
	r = nodes->nodes ? plan_some(work, nodes, &err)
			 : gb_setup_disable(&work->setup, NULL, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	work->options.nothing = "Nothing is enabled: there is nothing to take back.";
	work->options.done = gb_setup_still_claims(&work->setup) && !nodes->nodes ?
		"Done. What " GB_CLAIMS_FILE " still claims stays claimed at every boot:\n"
		"`arm always` stands there, and ghost-boot has not written these lines." :
		"Done. From the next boot on the host has its devices back.";
	return gb_trial_after(work, gb_work_run(work));
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct gb_work work = { 0 };
	struct gb_nodes nodes = { 0 };
	int code = gb_work_options(&work, context, argc, argv, usage, NULL, NULL, NULL);

	if (code >= 0)
		return code;
	code = gb_work_open(&work, context);
	for (int i = optind; i < argc && code < 0; i++)
		code = gb_work_select(&work, argv[i], &nodes);
	if (code < 0)
		code = disable(&work, &nodes);
	free(nodes.node);
	gb_work_close(&work);
	return code;
}

const struct gb_command gb_command_disable = { "disable", run,
					       "give devices back, as if nothing had been" };
