/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "need-words.h"
#include "refusal.h"
#include "retire.h"
#include "table.h"
#include "warning.h"
#include "work.h"

static const char usage[] =
	"usage: ghost-boot enable [--allow REASON]... [--retire] [--dry-run | --yes] [--json]\n"
	"                         [--root DIR] DEVICE...\n"
	"\n"
	"Claims a GPU for virtual machines at every boot, before any other driver: with all of\n"
	"its card and its IOMMU group. Shows what will change, asks, builds the images anew,\n"
	"proves each by reading it, and then changes the kernel command line; all of it or\n"
	"nothing of it. It holds from the next boot on. `ghost-boot disable` takes it back.\n"
	"\n"
	"DEVICE is an address (0000:01:00.0, 01:00.0), a slot (01:00), a path\n"
	"(0000:00/01.0/00.0), IDs (10de:2203) or a part of the name (3090).\n"
	"\n"
	"      --allow REASON  go on in spite of one reason, as the refusal names it\n"
	"      --retire        take earlier passthrough recipes out of use; disable restores them\n"
	"  -n, --dry-run       only show what would change\n"
	"  -y, --yes           don't ask\n"
	"      --json          for programs\n"
	"      --root DIR      a captured machine instead of the running one\n"
	"  -h, --help          this text\n"
	"\n"
	"Exit: 0 done, or it was so already; 1 failed, nothing changed; 2 usage; 3 refused;\n"
	"5 failed, and the state before was brought back; 6 partly, and how to go on.\n";

struct options {
	bool retire;
	unsigned allow;
	struct gb_nodes nodes;
};

enum { ALLOW = 256, RETIRE };

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

static int take_option(void *ctx, int option, const char *value)
{
	struct options *options = ctx;

	if (option == ALLOW)
		return take_allow(options, value);
	options->retire = true;
	return -1;
}

/* ---- what is said before the plan --------------------------------------------------------- */

enum { ADDRESS, NAME, ID, WHY };

static void add_item(const struct gb_work *work, const struct gb_target_item *item,
		     struct gb_table *table)
{
	const struct gb_device *device = work->context->survey.topology.node[item->node].device;
	char bdf[GB_BDF_MAX], name[GB_NAME_MAX];

	gb_table_row(table);
	gb_table_cell(table, item->line.keep ? GB_PLAIN : GB_BOLD, "  %s",
		      gb_work_bdf(work, item->node, bdf));
	gb_table_cell(table, GB_PLAIN, "%s",
		      gb_names_device(work->context->names, &device->id, name));
	gb_table_cell(table, GB_DIM, "%04x:%04x", device->id.vendor, device->id.device);
	gb_table_cell(table, GB_DIM, "%s", item->reason);
}

static void show_target(const struct gb_work *work)
{
	struct gb_table table = { .flexible = NAME, .spare = { ID } };
	const struct gb_target *target = &work->target;
	struct gb_text text = { 0 };
	struct gb_style style;

	gb_style_detect(stdout, &style);
	for (size_t i = 0; i < target->items; i++) {
		if (!i)
			gb_table_line(&table, GB_PLAIN, "Claimed for virtual machines at every boot:");
		if (i == target->claims)
			gb_table_line(&table, GB_PLAIN, "Kept for the host:");
		add_item(work, &target->item[i], &table);
	}
	gb_table_line(&table, GB_PLAIN, "%s", "");
	gb_table_text(&table, &style, &text);
	if (text.len && !text.failed)
		fwrite(text.data, 1, text.len, stdout);
	gb_text_clear(&text);
	gb_table_clear(&table);
}

static void show_checks(FILE *out, const struct gb_checks *checks)
{
	struct gb_text text = { 0 };
	struct gb_style style;

	if (!checks->checks)
		return;
	fflush(stdout);
	gb_style_detect(out, &style);
	gb_checks_text(checks, &style, false, &text);
	if (text.len && !text.failed)
		fwrite(text.data, 1, text.len, out);
	fputc('\n', out);
	gb_text_clear(&text);
}

static void json_items(const struct gb_work *work, const char *key, size_t from, size_t to,
		       struct gb_json *json)
{
	gb_json_open(json, key, '[');
	for (size_t i = from; i < to; i++) {
		const struct gb_target_item *item = &work->target.item[i];
		const struct gb_device *device =
			work->context->survey.topology.node[item->node].device;
		char bdf[GB_BDF_MAX], id[16];

		snprintf(id, sizeof(id), "%04x:%04x", device->id.vendor, device->id.device);
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "bdf", gb_bdf_format(device->bdf, bdf));
		gb_json_string(json, "id", id);
		gb_json_string(json, "reason", item->reason);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void json_more(void *ctx, struct gb_json *json)
{
	const struct gb_work *work = ctx;

	json_items(work, "claimed", 0, work->target.claims, json);
	json_items(work, "kept", work->target.claims, work->target.items, json);
	gb_checks_json(&work->checks, json);
}

static int json_refused(struct gb_work *work)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };
	int code;

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	json_more(work, &json);
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
	show_checks(stderr, &work->checks);
	snprintf(what, sizeof(what), "refused: %zu reason%s against it", refusals->standing,
		 refusals->standing == 1 ? " stands" : "s stand");
	gb_command_fail(work->context, what,
			refusals->firm ? "Nothing was changed. What can be done is said with each." :
					 "Nothing was changed. --allow lifts a reason, one at a time, "
					 "as said with each.");
	return GB_EXIT_REFUSED;
}

static void warn(struct gb_work *work)
{
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
		warn(work);
	if (code < 0 && !work->options.json)
		show_checks(stdout, &work->checks);
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

/* What else could go is said, where it is not told to. */
static void offer(const struct gb_work *work, const struct gb_retire *retire)
{
	size_t lines = retire->wants;

	for (size_t i = 0; i < retire->files; i++)
		lines += retire->file[i].lines;
	if (lines && !work->options.json)
		printf("%zu line%s of earlier recipes would be unnecessary: --retire takes %s out of "
		       "use.\n\n", lines, lines == 1 ? "" : "s", lines == 1 ? "it" : "them");
}

static int plan(struct gb_work *work, bool retiring, struct gb_err *err)
{
	struct gb_retire retire = { 0 };
	char **title = make_titles(work), why[80], bdf[GB_BDF_MAX];
	int r = gb_retire_read(&work->target, &retire, err);

	if (!title && !r)
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r && !retiring)
		offer(work, &retire);
	snprintf(why, sizeof(why), "claim %s for virtual machines",
		 work->target.claims ? gb_work_bdf(work, work->target.item[0].node, bdf) : "nothing");
	gb_plan_because(&work->setup.plan, why);
	if (!r)
		r = gb_setup_enable(&work->setup, &work->target, (const char *const *)title,
				    retiring ? &retire : NULL, err);
	gb_retire_clear(&retire);
	free_titles(title, work->target.items);
	return r;
}

/* systemd-stub(7): with Secure Boot, what is passed to an image that has its own line is ignored. */
static bool has_fixed_line(const struct gb_work *work)
{
	return work->setup.images.unified.program[0] &&
	       work->context->survey.site.secure_boot != GB_NO;
}

static int enable(struct gb_work *work, const struct options *options)
{
	struct gb_err err = { "" };
	int code, r;

	r = gb_target_read(&work->context->survey, &work->setup.disks, options->nodes.node,
			   options->nodes.nodes, &work->target, &err);
	if (r)
		return gb_command_fail(work->context, err.text, NULL);
	if (!work->options.json)
		show_target(work);
	code = judge(work, options);
	if (code >= 0)
		return code;
	r = plan(work, options->retire, &err);
	if (r < 0)
		return gb_work_refuse(work, r, &err);
	work->options.more = json_more;
	work->options.nothing = "All of it is so already. Nothing to do.";
	work->options.done = has_fixed_line(work) ?
		"Done. It holds from the next boot on, at once and for good: a look at\n"
		"`ghost-boot status` after it tells. With Secure Boot, the command line of a unified\n"
		"image can't be edited in the boot menu: the way back is ghost-boot disable." :
		"Done. It holds from the next boot on, at once and for good: a look at\n"
		"`ghost-boot status` after it tells. To boot once without it, press e in the\n"
		"boot menu and add ghost.claim=off; for good, ghost-boot disable.";
	return gb_work_run(work);
}

static int run(struct gb_context *context, int argc, char **argv)
{
	static const struct option more[] = {
		{ "allow", required_argument, NULL, ALLOW },
		{ "retire", no_argument, NULL, RETIRE },
		{ NULL, 0, NULL, 0 },
	};
	struct gb_work work = { 0 };
	struct options options = { 0 };
	int code = gb_work_options(&work, context, argc, argv, usage, more, take_option, &options);

	if (code >= 0)
		return code;
	if (optind == argc)
		return gb_command_usage(context, "which device? ghost-boot list shows them", "");
	code = gb_work_open(&work, context);
	for (int i = optind; i < argc && code < 0; i++)
		code = gb_work_select(&work, argv[i], &options.nodes);
	if (code < 0)
		code = enable(&work, &options);
	free(options.nodes.node);
	gb_work_close(&work);
	return code;
}

const struct gb_command gb_command_enable = { "enable", run,
					      "claim a GPU at every boot, before any driver" };
