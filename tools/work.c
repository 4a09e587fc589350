/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdplan.h"
#include "json.h"
#include "selector.h"

#define OPTIONS_MAX 12

static const struct option common[] = {
	{ "dry-run", no_argument, NULL, 'n' }, { "yes", no_argument, NULL, 'y' },
	{ "json", no_argument, NULL, 'j' },    { "root", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },    { NULL, 0, NULL, 0 },
};

static void join(const struct option *more, struct option *ret)
{
	size_t n = 0;

	for (const struct option *o = more; o && o->name && n < OPTIONS_MAX; o++)
		ret[n++] = *o;
	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		ret[n++] = common[i];
}

int gb_work_options(struct gb_work *work, struct gb_context *context, int argc, char **argv,
		    const char *usage, const struct option *more,
		    int (*take)(void *ctx, int option, const char *value), void *ctx)
{
	struct option known[OPTIONS_MAX + sizeof(common) / sizeof(*common)];
	int c, code;

	join(more, known);
	work->context = context;
	while ((c = gb_command_option(argc, argv, "nyh", known)) != -1)
		switch (c) {
		case 'n': work->options.dry_run = true; break;
		case 'y': work->options.yes = true; break;
		case 'j': work->options.json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default:
			code = c >= 256 ? take(ctx, c, optarg) : gb_command_bad_option(context, argv);
			if (code >= 0)
				return code;
		}
	if (work->options.dry_run && work->options.yes)
		return gb_command_usage(context, "--dry-run and --yes exclude each other", "");
	return -1;
}

int gb_work_open(struct gb_work *work, struct gb_context *context)
{
	struct gb_err err = { "" };
	int code;

	work->context = context;
	context->claims_file = GB_CLAIMS_FILE;
	/* what was left in the middle must not be read as the state of the machine */
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	code = gb_change_recover(context, context->root, &work->options);
	if (code >= 0)
		return code;
	code = gb_command_open(context, GB_SURVEY_FIRMWARE | GB_SURVEY_SITE);
	if (code)
		return code;
	if (gb_host_open(context->root, &work->host, &err) ||
	    gb_setup_open(&work->host, &context->survey, &work->setup, &err))
		return gb_command_fail(context, err.text, NULL);
	return -1;
}

void gb_work_close(struct gb_work *work)
{
	gb_checks_clear(&work->checks);
	gb_retire_clear(&work->recipes);
	gb_target_clear(&work->target);
	if (work->setup.host)
		gb_setup_close(&work->setup);
	if (work->host.root)
		gb_host_close(&work->host);
	gb_command_close(work->context);
}

int gb_work_select(struct gb_work *work, const char *word, struct gb_nodes *nodes)
{
	struct gb_context *context = work->context;
	struct gb_selection selection;
	struct gb_text text = { 0 };
	struct gb_style style;
	int *all;

	gb_select(&context->survey, context->names, word, &selection);
	if (selection.nodes == 1) {
		all = realloc(nodes->node, (nodes->nodes + 1) * sizeof(*all));
		if (all) {
			nodes->node = all;
			all[nodes->nodes++] = selection.node[0];
		}
		gb_selection_clear(&selection);
		return all ? -1 : gb_command_fail(context, "out of memory", NULL);
	}
	gb_style_detect(stderr, &style);
	gb_select_complain(&context->survey, context->names, &selection, word, context->command,
			   &style, &text);
	fputs(text.failed ? "ghost-boot: out of memory\n" : text.data, stderr);
	gb_text_clear(&text);
	gb_selection_clear(&selection);
	return GB_EXIT_USAGE;
}

const char *gb_work_bdf(const struct gb_work *work, int node, char ret[static GB_BDF_MAX])
{
	const struct gb_topology *topology = &work->context->survey.topology;

	gb_bdf_format(topology->node[node].device->bdf, ret);
	for (size_t i = 0; i < topology->nodes; i++)
		if (topology->node[i].device->bdf.domain)
			return ret;
	return ret + strlen("0000:");
}

static int json_refused(struct gb_work *work, const char *what, const char *hint, int code)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "result", code == GB_EXIT_REFUSED ? "refused" : "unchanged");
	gb_json_string(&json, "error", what);
	gb_json_string(&json, "hint", hint);
	gb_json_close(&json, '}');
	gb_text_addf(&text, "\n");
	code = gb_command_print(work->context, &text, code);
	gb_text_clear(&text);
	return code;
}

int gb_work_refuse(struct gb_work *work, int r, const struct gb_err *err)
{
	const int code = r == -ENOMEM || r == -EIO ? GB_EXIT_FAILED : GB_EXIT_REFUSED;
	const struct gb_loader *loader = work->host.loader;
	const struct gb_images *images = &work->setup.images;
	const char *hint = strstr(err->text, GB_CMDPLAN_HELPS);

	if (hint)
		hint += strlen(GB_CMDPLAN_HELPS);
	else if (r == -EOPNOTSUPP && images->hint[0])
		hint = images->hint;
	else if (images->why[0] && strstr(err->text, images->why))
		hint = NULL; /* how to add a word is no help for what the images lack */
	else if (!loader->usable && loader->hint[0])
		hint = loader->hint;
	gb_command_fail(work->context, err->text,
			hint && !strstr(err->text, hint) ? hint : "Nothing was changed.");
	return work->options.json ? json_refused(work, err->text, hint, code) : code;
}

int gb_work_deny(struct gb_work *work, const char *what, const char *advice)
{
	gb_command_fail(work->context, what, advice);
	return work->options.json ? json_refused(work, what, advice, GB_EXIT_REFUSED) : GB_EXIT_REFUSED;
}

static int prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct gb_work *work = ctx;

	return gb_setup_prove(&work->setup, plan, step, err);
}

int gb_work_run(struct gb_work *work)
{
	struct gb_err err = { "" };
	int code;

	work->options.prove = prove;
	work->options.ctx = work;
	if (work->setup.report.left.data)
		gb_text_add(&work->setup.left, work->setup.report.left.data,
			    work->setup.report.left.len);
	work->options.left = work->setup.left.data;
	code = gb_change_run(work->context, &work->host, &work->setup.plan, &work->options);
	if (code || work->options.dry_run || !gb_root_is_real(work->host.root))
		return code;
	if (gb_setup_done(&work->setup, &err))
		return gb_command_fail(work->context, err.text,
				       "The change is made, but look at that before you restart."),
		       GB_EXIT_PARTLY;
	return code;
}
