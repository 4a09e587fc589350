/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "changing.h"
#include "command.h"
#include "foreign.h"
#include "host.h"
#include "log.h"
#include "plan.h"

int gb_change_needs_root(const struct gb_context *context)
{
	struct gb_text text = { 0 };

	gb_text_addf(&text, "sudo ghost-boot");
	if (!context->argv)
		gb_text_addf(&text, " %s", context->command ? context->command : "");
	for (char **arg = context->argv; arg && *arg; arg++)
		gb_text_addf(&text, strpbrk(*arg, " \t\n\"'\\$`;&|<>()*?[]#~!") ? " '%s'" : " %s",
			     *arg);
	gb_command_fail(context, "this needs root", NULL);
	if (!text.failed)
		fprintf(stderr, "%s\n", text.data); /* to be copied: not broken by us */
	gb_text_clear(&text);
	return GB_EXIT_FAILED;
}

/* ---- asking --------------------------------------------------------------------------- */

/* -1: go on. */
static int ask(struct gb_changing *c)
{
	char answer[16] = "", rest;

	if (c->options->yes)
		return -1;
	if (c->options->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		gb_command_fail(c->context, "nobody is there to be asked", "Nothing was changed. --yes "
				"carries the plan out, --dry-run only shows it.");
		return GB_EXIT_REFUSED;
	}
	fprintf(stderr, "Carry this out? [y/N] ");
	if (scanf("%15[^\n]%c", answer, &rest) >= 1 &&
	    (!strcasecmp(answer, "y") || !strcasecmp(answer, "yes")))
		return -1;
	fprintf(stderr, "Nothing was changed.\n");
	return GB_EXIT_DONE;
}

/* ---- carrying out --------------------------------------------------------------------- */

static void on_begin(void *ctx, const struct gb_plan *plan, size_t step)
{
	struct gb_changing *c = ctx;

	gb_progress_begin(&c->progress, plan, step);
}

static void on_line(void *ctx, const char *line, bool error)
{
	struct gb_changing *c = ctx;

	gb_progress_line(&c->progress, line, error);
}

static void on_tick(void *ctx)
{
	struct gb_changing *c = ctx;

	gb_progress_tick(&c->progress);
}

static void on_again(void *ctx, char *const *argv)
{
	struct gb_changing *c = ctx;

	gb_progress_again(&c->progress, argv);
}

static int on_prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct gb_changing *c = ctx;

	return c->options->prove ? c->options->prove(c->options->ctx, plan, step, err) : 0;
}

static void on_unseen(void *ctx, const char *path, int error)
{
	struct gb_changing *c = ctx;

	if (c->log >= 0)
		dprintf(c->log, "== the journal of the file system of %s could not be written out: %s\n",
			path, strerror(-error));
	snprintf(c->unseen, sizeof(c->unseen), "%s", path);
}

/* A shutdown writes it out. */
static void say_unseen(const struct gb_changing *c)
{
	if (c->unseen[0] && c->end == GB_END_DONE && !c->options->json)
		gb_command_say(stderr, "Don't cut the power within the next minute: a boot loader could not read "
			       "all of\n%s yet. A reboot is fine.", c->unseen);
}

static void write_heading(int log, const struct gb_context *context)
{
	char now[32] = "";
	time_t at = time(NULL);
	struct tm tm;

	if (localtime_r(&at, &tm))
		strftime(now, sizeof(now), "%F %T", &tm);
	dprintf(log, "== %s ghost-boot %s", now, context->argv ? "" : context->command);
	for (char **arg = context->argv; arg && *arg; arg++)
		dprintf(log, "%s%s", arg == context->argv ? "" : " ", *arg);
	dprintf(log, "\n");
}

static void open_log(struct gb_changing *c, struct gb_transaction *t)
{
	struct gb_err err = { "" };

	t->log = c->log = gb_log_open(t->store, gb_changing_log(c), &err);
	if (c->log >= 0)
		write_heading(c->log, c->context);
	else if (!c->options->json && gb_root_is_real(t->store->root))
		gb_command_say(stderr, "No log is kept: %s", err.text);
}

static void begin(struct gb_changing *c, struct gb_transaction *t)
{
	/* whoever reads what is said may end first: tee(1), a login over the network */
	signal(SIGPIPE, SIG_IGN);
	open_log(c, t);
	c->progress = (struct gb_progress){ .out = c->options->json ? NULL : stderr, .log = t->log,
					    .root = t->store->root, .ctx = c->options->ctx,
					    .title = c->options->title };
	gb_style_detect(stderr, &c->progress.style);
}

static void end(struct gb_changing *c, int r)
{
	gb_progress_end(&c->progress);
	if (c->log >= 0) {
		dprintf(c->log, "== %s%s%s\n", gb_changing_end(c->end), r ? ": " : "", r ? c->err.text : "");
		close(c->log);
	}
}

static int finish(struct gb_changing *c)
{
	return c->options->finish ? c->options->finish(c->options->ctx, &c->err) : 0;
}

/* The change is made, but not what goes with it: back, as a rollback would. Not with an image of the new
 * state among files of the old one: then all of the new one stays; and so it does where the way back was
 * itself refused or brought back. */
static void take_back(struct gb_changing *c, const struct gb_transaction *t)
{
	struct gb_plan back = { 0 };
	struct gb_err err = { "" };
	enum gb_end end = GB_END_UNCHANGED;
	int r = gb_transaction_rollback(t->store, true, &back, NULL, &err);

	if (!r && back.anews)
		r = gb_fail(&err, ENODATA, "nobody has the old %s", back.anew[0]);
	gb_plan_close(&back);
	if (!r)
		r = gb_transaction_run(t, &back, &end, NULL, &err);
	gb_plan_clear(&back);
	c->halfway = r && (end == GB_END_PARTLY || end == GB_END_UNPUBLISHED);
	c->stays = r && !c->halfway;
	c->end = r ? GB_END_PARTLY : GB_END_BACK;
	if (c->stays)
		gb_wrap(&err, "what was planned is made, and stays");
	if (r)
		gb_wrap(&c->err, "%s; and before that", err.text);
}

static int run_plan(struct gb_changing *c, struct gb_transaction *t)
{
	int r = c->options->start ? c->options->start(c->options->ctx, &c->err) : 0;

	c->unfinished = r;
	if (r) {
		c->end = GB_END_UNCHANGED;
		return r;
	}
	r = gb_transaction_run(t, c->plan, &c->end, &c->details, &c->err);
	if (!r)
		r = finish(c);
	c->unfinished = r && c->end == GB_END_DONE;
	if (c->unfinished)
		take_back(c, t);
	return r;
}

static int carry_out(struct gb_changing *c)
{
	struct gb_transaction t = {
		.store = &c->host->store, .runner = &c->host->runner, .force = c->options->force,
		.now = time(NULL), .ctx = c, .begin = on_begin, .line = on_line, .tick = on_tick,
		.again = on_again, .prove = on_prove, .unseen = on_unseen,
	};
	int r;

	begin(c, &t);
	r = run_plan(c, &t);
	end(c, r);
	say_unseen(c);
	return r;
}

/* ---- all ------------------------------------------------------------------------------ */

/* That nobody could read it is no failure of the change. */
static int report(struct gb_changing *c, int r)
{
	const int code = gb_changing_code(c->end, r);
	char what[256];

	if (c->options->json) {
		gb_changing_json(c, gb_changing_end(c->end), code);
		return code;
	}
	if (!code) {
		printf("%s\n", c->options->done ? c->options->done : "Done.");
		gb_command_flush(code);
		return code;
	}
	if (c->details.len)
		fwrite(c->details.data, 1, c->details.len, stderr);
	gb_changing_advice(c, r, what, sizeof(what));
	gb_command_fail(c->context, c->err.text, what);
	return code;
}

static int nothing(struct gb_changing *c)
{
	if (c->options->json)
		return gb_changing_json(c, gb_changing_end(GB_END_NOTHING), GB_EXIT_DONE);
	gb_command_say(stdout, "%s", c->options->nothing ? c->options->nothing : "Nothing to do.");
	return gb_command_flush(GB_EXIT_DONE);
}

/* What the engine would refuse is said before anybody is asked. */
static int look_for_room(struct gb_changing *c)
{
	int r = gb_transaction_rooms(&c->host->store, c->plan, c->room, &c->rooms, &c->err);

	return r ? r : gb_transaction_room(&c->host->store, c->plan, &c->err);
}

static int show(struct gb_changing *c, int r)
{
	int code = c->options->json ? GB_EXIT_DONE : gb_changing_page(c);

	if (code)
		return code;
	if (r) {
		c->end = GB_END_REFUSED;
		return report(c, r);
	}
	if (!c->options->dry_run)
		return -1;
	if (c->options->json)
		return gb_changing_json(c, "planned", GB_EXIT_DONE);
	printf("Nothing was changed: a dry run.\n");
	return gb_command_flush(GB_EXIT_DONE);
}

static int run(struct gb_changing *c)
{
	int code;

	gb_plan_close(c->plan);
	if (!c->plan->steps)
		return nothing(c);
	code = show(c, look_for_room(c));
	if (code >= 0)
		return code;
	if (geteuid() && gb_root_is_real(c->host->root))
		return gb_change_needs_root(c->context);
	code = ask(c);
	if (code >= 0)
		return code;
	return report(c, carry_out(c));
}

int gb_change_run(struct gb_context *context, struct gb_host *host, struct gb_plan *plan,
		  const struct gb_change_options *options)
{
	struct gb_changing *c = calloc(1, sizeof(*c));
	int code;

	if (!c)
		return gb_command_fail(context, "out of memory", NULL);
	c->context = context;
	c->host = host;
	c->plan = plan;
	c->options = options;
	gb_style_detect(stdout, &c->style);
	code = run(c);
	gb_text_clear(&c->details);
	free(c);
	return code;
}

static const char *how_to_mend(int r)
{
	switch (r) {
	case -ESTALE:
		return "A change that was interrupted is still to be brought back. Put that aside, or let "
		       "ghost-boot recover --force overwrite it.";
	case -EROFS:
		return "A change that was interrupted is still to be brought back. Where the kernel has made it "
		       "read-only after an error (dmesg says so), unmount it, check it with fsck, mount it, and "
		       "run it again.";
	default:
		return "A change that was interrupted is still to be brought back. Mend that, and run it again.";
	}
}

/* -1 to go on, else the exit code. */
static int say_recovered(const struct gb_changing *c, int r)
{
	if (r) {
		if (c->details.len)
			fwrite(c->details.data, 1, c->details.len, stderr);
		gb_command_fail(c->context, c->err.text, c->end == GB_END_UNPUBLISHED ?
				gb_changing_unpublished(c->options->force) : how_to_mend(r));
		return r == -EBUSY ? GB_EXIT_REFUSED : GB_EXIT_PARTLY;
	}
	if (c->end == GB_END_DONE)
		gb_command_say(stderr, "A change that was interrupted is now finished.");
	else if (c->end == GB_END_BACK)
		gb_command_say(stderr, "A change that was interrupted is brought back: all is as it was before it.");
	return -1;
}

static int recover(struct gb_changing *c, struct gb_root *root)
{
	struct gb_store store = { .root = root };
	struct gb_runner runner = gb_runner_real(root);
	struct gb_transaction t = { .store = &store, .runner = &runner, .force = c->options->force,
				    .now = time(NULL), .ctx = c, .again = on_again,
				    .line = on_line, .tick = on_tick };
	int r;

	begin(c, &t);
	r = gb_transaction_recover(&t, &c->end, &c->err);
	end(c, r);
	if (r == -ESTALE)
		gb_foreign_show(&store, !isatty(STDERR_FILENO), &c->details);
	r = say_recovered(c, r);
	gb_text_clear(&c->details);
	return r;
}

int gb_change_recover(struct gb_context *context, struct gb_root *root,
		      const struct gb_change_options *options)
{
	struct gb_store store = { .root = root };
	struct gb_changing *c;
	int code;

	if (!gb_transaction_is_open(&store))
		return -1;
	if (options->dry_run || (geteuid() && gb_root_is_real(root))) {
		gb_command_say(stderr, "A change was interrupted and is not brought back yet: what is shown may "
			       "be its middle.");
		return -1;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return gb_command_fail(context, "out of memory", NULL);
	c->context = context;
	c->options = options;
	code = recover(c, root);
	free(c);
	return code;
}
