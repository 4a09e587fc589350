/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enable.h"
#include "json.h"
#include "need-words.h"
#include "refusal.h"
#include "root.h"
#include "trying.h"
#include "warning.h"
#include "work.h"

static const char usage[] =
	"usage: ghost-boot enable [--allow REASON]... [--retire] [--watchdog]\n"
	"                  [--confirm-after SECONDS | --confirm=manual | --no-trial]\n"
	"                  [--dry-run | --yes] [--json] [--root DIR] DEVICE...\n"
	"\n"
	"Claims a GPU for virtual machines, before any other driver: with all of its\n"
	"card and its IOMMU group. Shows what will change, asks, builds an image, and\n"
	"proves it by reading it. The next boot tries it, once, by an entry of its own;\n"
	"the usual one stays as it is. It is kept when all is as before and somebody has\n"
	"logged in, or after ten minutes; any restart before goes back.\n"
	"`ghost-boot disable` takes it back.\n"
	"\n"
	"DEVICE is an address (0000:01:00.0, 01:00.0), a slot (01:00), a path\n"
	"(0000:00/01.0/00.0), IDs (10de:2203) or a part of the name (3090).\n"
	"\n"
	"      --allow REASON  go on in spite of one reason, as the refusal names it\n"
	"      --retire        take earlier recipes out of use; disable restores them\n"
	"      --no-trial      at once and for good: images and the usual command line\n"
	"      --confirm-after SECONDS  keep a trial that works after so long (600)\n"
	"      --confirm=manual         keep it by `ghost-boot confirm` alone\n"
	"      --watchdog      the hardware watchdog restarts a trial that hangs\n"
	"  -n, --dry-run       only show what would change\n"
	"  -y, --yes           don't ask\n"
	"      --json          for programs\n"
	"      --root DIR      a captured machine instead of the running one\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit: 0 done, or it was so already; 1 failed, nothing changed; 2 usage;\n"
	"3 refused; 5 failed, and the state before was brought back; 6 partly, and how\n"
	"to go on.\n";

struct options {
	bool retire, timed;
	struct gb_trying trying;
	unsigned allow;
	struct gb_nodes nodes;
};

/* What looks after a trial. */
static const struct service {
	const char *id, *unit, *target, *lack;
} services[] = {
	{ "confirm-service", "ghost-boot-confirm.service", "multi-user.target",
	  "is not enabled: nobody judges a trial, or says how it ended" },
	{ "emergency-service", "ghost-boot-emergency.service", "emergency.target",
	  "is not enabled: a trial that ends in emergency mode waits there for somebody" },
};

enum { ALLOW = 256, RETIRE, NO_TRIAL, AFTER, CONFIRM, WATCHDOG };

static int take_allow(struct options *options, const char *value)
{
	char known[256] = "";
	size_t len = 0;

	for (unsigned bit = 1; bit < GB_ALLOW_END; bit <<= 1) {
		const char *name = gb_allow_name((enum gb_allow)bit);

		if (!strcmp(value, name)) {
			options->allow |= bit;
			return -1;
		}
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "",
					name);
	}
	fprintf(stderr, "ghost-boot enable: no reason is called %s; there are %s\n"
		"Try: ghost-boot enable --help\n", value, known);
	return GB_EXIT_USAGE;
}

static int bad_value(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "ghost-boot enable: %s takes %s, not %s\nTry: ghost-boot enable --help\n", option,
		wanted, value);
	return GB_EXIT_USAGE;
}

/* At least long enough for a desktop to come up; a day at most. */
static int take_after(struct options *options, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end || seconds < 10 || seconds > 86400)
		return bad_value("--confirm-after", value, "seconds, from 10 to 86400");
	options->trying.seconds = (unsigned)seconds;
	options->timed = true;
	return -1;
}

static int take_option(void *ctx, int option, const char *value)
{
	struct options *options = ctx;

	switch (option) {
	case ALLOW: return take_allow(options, value);
	case AFTER: return take_after(options, value);
	case CONFIRM:
		if (strcmp(value, "manual") != 0 && strcmp(value, "auto") != 0)
			return bad_value("--confirm", value, "manual or auto");
		options->trying.manual = !strcmp(value, "manual");
		break;
	case WATCHDOG: options->trying.watchdog = true; break;
	case NO_TRIAL: options->trying.no_trial = true; break;
	case RETIRE: options->retire = options->trying.retire = true; break;
	}
	return -1;
}

static int json_refused(struct gb_work *work)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };
	int code;

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_enable_json(work, &json);
	gb_json_string(&json, "result", "refused");
	gb_json_close(&json, '}');
	gb_text_addf(&text, "\n");
	code = gb_command_print(work->context, &text, GB_EXIT_REFUSED);
	gb_text_clear(&text);
	return code;
}

static int refuse(struct gb_work *work, const struct gb_refusals *refusals)
{
	char what[128];

	if (work->options.json)
		return json_refused(work);
	gb_enable_checks(stderr, &work->checks);
	snprintf(what, sizeof(what), "refused: %zu reason%s against it", refusals->standing,
		 refusals->standing == 1 ? " stands" : "s stand");
	gb_command_fail(work->context, what,
			refusals->firm ? "Nothing was changed. What can be done is said with each." :
					 "Nothing was changed. --allow lifts a reason, one at a time, "
					 "as said with each.");
	return GB_EXIT_REFUSED;
}

static void warn_of_services(struct gb_work *work)
{
	struct gb_root *root = work->host.root;
	char wanted[128];

	if (!gb_root_exists(root, "/run/systemd/system"))
		return;
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		const struct service *service = &services[i];

		snprintf(wanted, sizeof(wanted), "/etc/systemd/system/%s.wants/%s",
			 service->target, service->unit);
		if (gb_root_exists(root, wanted))
			continue;
		gb_check(&work->checks, service->id, GB_WARN, service->unit, "%s", service->lack);
		gb_check_fix(&work->checks, "systemctl enable %s", service->unit);
	}
}

static void warn(struct gb_work *work, const struct options *options)
{
	if (!options->trying.no_trial)
		warn_of_services(work);
	gb_warnings_read(&work->target, &work->setup.disks, &work->checks);
	gb_images_warn(&work->setup.images, &work->checks);
}

/* -1 to go on. */
static int judge(struct gb_work *work, const struct options *options)
{
	struct gb_refusals refusals = { 0 };
	struct gb_need_words words = { 0 };
	struct gb_err err = { "" };
	int code = -1;

	if (gb_need_words_read(&work->target, gb_setup_arms_always(&work->setup), NULL, 0, &words,
			       &err) ||
	    gb_refusals_read(&work->target, &work->setup.disks, &words, options->allow, &refusals,
			     &err))
		code = gb_command_fail(work->context, err.text, NULL);
	gb_target_allow(&work->target, refusals.lifted);
	work->checks = refusals.checks;
	refusals.checks = (struct gb_checks){ 0 };
	if (code < 0 && refusals.standing)
		code = refuse(work, &refusals);
	else if (code < 0)
		warn(work, options);
	if (code < 0 && !work->options.json)
		gb_enable_checks(stdout, &work->checks);
	gb_refusals_clear(&refusals);
	gb_need_words_clear(&words);
	return code;
}

/* ---- the change --------------------------------------------------------------------------- */

/* What the claims file calls each card, above its first line. */
static char **make_titles(const struct gb_work *work)
{
	const struct gb_target *target = &work->target;
	char **title = calloc(target->items + 1, sizeof(*title));
	char text[256], name[GB_NAME_MAX];

	for (size_t i = 0; title && i < target->claims; i++) {
		const struct gb_device *device =
			work->context->survey.topology.node[target->item[i].node].device;

		if (!gb_target_leads(target, i))
			continue;
		gb_target_title(target, i, gb_names_device(work->context->names, &device->id, name),
				text, sizeof(text));
		title[i] = strdup(text);
	}
	return title;
}

static void free_titles(char **title, size_t items)
{
	for (size_t i = 0; title && i < items; i++)
		free(title[i]);
	free(title);
}

static int plan(struct gb_work *work, struct gb_trying *trying, bool *ret_waits,
		struct gb_err *err)
{
	char **title = make_titles(work), why[80], bdf[GB_BDF_MAX];
	int r = gb_retire_read(&work->target, &work->recipes, err);

	if (!title && !r)
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r && !work->options.json)
		gb_enable_recipes(work, trying);
	snprintf(why, sizeof(why), "%s %s for virtual machines",
		 trying->way == GB_WAY_TRIAL ? "try to claim" : "claim",
		 work->target.claims ? gb_work_bdf(work, work->target.item[0].node, bdf) : "nothing");
	gb_plan_because(&work->setup.plan, why);
	if (!r)
		r = gb_trying_plan(trying, (const char *const *)title, trying->retire ? &work->recipes : NULL,
				   ret_waits, err);
	free_titles(title, work->target.items);
	return r;
}

static int enable(struct gb_work *work, struct options *options)
{
	struct gb_trying *trying = &options->trying;
	struct gb_err err = { "" };
	bool waits = false;
	int code, r;

	r = gb_target_read(&work->context->survey, &work->setup.disks, options->nodes.node,
			   options->nodes.nodes, &work->target, &err);
	if (r)
		return gb_command_fail(work->context, err.text, NULL);
	if (!work->options.json)
		gb_enable_target(work);
	trying->work = work;
	code = judge(work, options);
	if (code < 0)
		code = gb_trying_decide(trying);
	if (code >= 0)
		return code;
	r = plan(work, trying, &waits, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	work->options.more = gb_enable_json;
	work->options.nothing = "All of it is so already. Nothing to do.";
	return waits ? gb_trying_arm(trying) : gb_trying_run(trying);
}

static int run(struct gb_context *context, int argc, char **argv)
{
	static const struct option more[] = {
		{ "allow", required_argument, NULL, ALLOW },
		{ "retire", no_argument, NULL, RETIRE },
		{ "no-trial", no_argument, NULL, NO_TRIAL },
		{ "watchdog", no_argument, NULL, WATCHDOG },
		{ "confirm-after", required_argument, NULL, AFTER },
		{ "confirm", required_argument, NULL, CONFIRM },
		{ NULL, 0, NULL, 0 },
	};
	struct gb_work work = { 0 };
	struct options options = { .trying = { .seconds = GB_CONFIRM_S } };
	int code = gb_work_options(&work, context, argc, argv, usage, more, take_option, &options);

	if (code >= 0)
		return code;
	if (options.trying.no_trial && (options.timed || options.trying.manual))
		return gb_command_usage(context, "without a trial there is nothing to confirm", "");
	if (options.trying.no_trial && options.trying.watchdog)
		return gb_command_usage(context, "without a trial there is nothing to watch", "");
	if (options.timed && options.trying.manual)
		return gb_command_usage(context, "--confirm=manual and --confirm-after exclude each other", "");
	if (optind == argc)
		return gb_command_usage(context, "which device? ghost-boot list shows them", "");
	code = gb_work_open(&work, context);
	for (int i = optind; i < argc && code < 0; i++)
		code = gb_work_select(&work, argv[i], &options.nodes);
	if (code < 0)
		code = enable(&work, &options);
	free(options.nodes.node);
	gb_trying_clear(&options.trying);
	gb_work_close(&work);
	return code;
}

const struct gb_command gb_command_enable = { "enable", run,
					      "claim a GPU at every boot, before any driver" };
