/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "host.h"
#include "json.h"
#include "log.h"
#include "plan.h"
#include "progress.h"
#include "transaction.h"

#define MIB (1 << 20)

struct change {
	struct gb_context *context;
	struct gb_host *host;
	struct gb_plan *plan;
	const struct gb_change_options *options;
	struct gb_style style;
	struct gb_progress progress;
	struct gb_room room[GB_ROOMS_MAX];
	size_t rooms;
	enum gb_end end;
	struct gb_text details; /* what somebody else has changed */
	int log;
	char unseen[256]; /* a file that a boot loader may not see yet */
	bool unfinished;  /* what failed is `start` or `finish` */
	bool stays;	  /* and the change is made */
	struct gb_err err;
};

/* ---- the way it ended ----------------------------------------------------------------- */

static const char *end_name(enum gb_end end)
{
	static const char *const names[] = {
		[GB_END_NOTHING] = "nothing", [GB_END_DONE] = "done", [GB_END_REFUSED] = "refused",
		[GB_END_UNCHANGED] = "unchanged", [GB_END_BACK] = "brought-back",
		[GB_END_PARTLY] = "partly", [GB_END_UNPUBLISHED] = "partly",
	};

	return names[end];
}

static int exit_code(enum gb_end end, int r)
{
	switch (end) {
	case GB_END_NOTHING:
	case GB_END_DONE: return r ? GB_EXIT_FAILED : GB_EXIT_DONE;
	case GB_END_REFUSED: return r == -ESTALE || r == -EBUSY || r == -EUCLEAN ? GB_EXIT_REFUSED
										  : GB_EXIT_FAILED;
	case GB_END_UNCHANGED: return GB_EXIT_FAILED;
	case GB_END_BACK: return GB_EXIT_BACK;
	case GB_END_PARTLY:
	case GB_END_UNPUBLISHED: break;
	}
	return GB_EXIT_PARTLY;
}

static const char *log_path(const struct change *c)
{
	return c->options->log ? c->options->log : GB_LOG;
}

/* The files are as before, and what a program made of them may not be. */
static const char *unpublished(bool given_up)
{
	return given_up ? "The files are as before, but not yet what that program copies: mend that, and "
			  "run it." :
			  "The files are as before, but not yet what that program copies: mend that, and "
			  "type: sudo ghost-boot recover";
}

static void advice(const struct change *c, int r, char *ret, size_t size)
{
	if (c->stays)
		snprintf(ret, size, "Mend that, and run it again: what failed is the last of it. %s",
			 c->options->hint ? c->options->hint : "");
	else if (c->end == GB_END_PARTLY)
		snprintf(ret, size, "Mend that, and run any ghost-boot command that changes something: "
			 "it goes on bringing back the state before.");
	else if (c->end == GB_END_UNPUBLISHED)
		snprintf(ret, size, "%s", unpublished(c->options->force));
	else if (c->unfinished)
		snprintf(ret, size, "%s%s", c->end == GB_END_BACK ? "All is as it was before. " :
			 "Nothing was changed. ", c->options->hint ? c->options->hint : "");
	else if (c->end == GB_END_BACK)
		snprintf(ret, size, "All is as it was before. What was run and said: %s", log_path(c));
	else if (r == -ESTALE)
		snprintf(ret, size, "Nothing was changed. Look at the differences, and run it again.");
	else if (r == -EBUSY)
		snprintf(ret, size, "Nothing was changed. Wait until that has ended.");
	else if (r == -EUCLEAN)
		snprintf(ret, size, "Nothing was changed. Run it again: the other one is brought back "
			 "first.");
	else if (r == -ENOSPC)
		snprintf(ret, size, "Nothing was changed. Remove what is not needed there, old kernels for "
			 "one.");
	else if (r == -EROFS)
		snprintf(ret, size, "Nothing was changed. Mount it read-write.");
	else
		snprintf(ret, size, "Nothing was changed.");
}

static void say_error(struct gb_context *context, const char *what, const char *advice_text)
{
	gb_command_fail(context, what, advice_text);
}

int gb_change_needs_root(const struct gb_context *context)
{
	struct gb_text text = { 0 };

	gb_text_addf(&text, "sudo ghost-boot");
	if (!context->argv)
		gb_text_addf(&text, " %s", context->command ? context->command : "");
	for (char **arg = context->argv; arg && *arg; arg++)
		gb_text_addf(&text, strpbrk(*arg, " \t\n\"'\\$`;&|<>()*?[]#~!") ? " '%s'" : " %s",
			     *arg);
	gb_command_fail(context, "this needs root", text.failed ? NULL : text.data);
	gb_text_clear(&text);
	return GB_EXIT_FAILED;
}

/* ---- what is shown before ------------------------------------------------------------- */

static void json_rooms(const struct change *c, struct gb_json *json)
{
	gb_json_open(json, "space", '[');
	for (size_t i = 0; i < c->rooms; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "path", c->room[i].path);
		gb_json_int(json, "needed", (long long)c->room[i].needed);
		gb_json_int(json, "free", (long long)c->room[i].there);
		gb_json_bool(json, "read_only", c->room[i].read_only);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void json_part(struct gb_json *json, const char *key, const char *from, const char *end)
{
	struct gb_text text = { 0 };

	gb_text_add(&text, from, (size_t)(end - from));
	gb_json_string(json, key, text.data);
	gb_text_clear(&text);
}

static void json_left(const struct change *c, struct gb_json *json)
{
	const char *line = c->options->left ? c->options->left : "";

	gb_json_open(json, "left_alone", '[');
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		const char *why = memmem(line, (size_t)(end - line), ": ", 2);

		if (!why)
			continue;
		gb_json_open(json, NULL, '{');
		json_part(json, "path", line, why);
		json_part(json, "reason", why + 2, end);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static int print_json(struct change *c, const char *result, int code)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	if (c->options->more)
		c->options->more(c->options->ctx, &json);
	gb_json_string(&json, "reason", c->plan->reason);
	gb_plan_json(c->plan, "steps", &json);
	json_left(c, &json);
	json_rooms(c, &json);
	gb_json_string(&json, "result", result);
	gb_json_string(&json, "error", c->err.text[0] ? c->err.text : NULL);
	gb_json_string(&json, "differences", c->details.data);
	gb_json_close(&json, '}');
	gb_text_addf(&text, "\n");
	code = gb_command_print(c->context, &text, code);
	gb_text_clear(&text);
	return code;
}

static void add_size(struct gb_text *text, uint64_t bytes, bool up)
{
	gb_text_addf(text, "%llu MiB", (unsigned long long)((bytes + (up ? MIB - 1 : 0)) / MIB));
}

static void add_rooms(const struct change *c, struct gb_text *text)
{
	gb_text_addf(text, "Space while it is made:\n");
	for (size_t i = 0; i < c->rooms; i++) {
		const struct gb_room *room = &c->room[i];

		gb_text_addf(text, "    %s: ", room->path);
		add_size(text, room->needed, true);
		gb_text_addf(text, " needed, ");
		add_size(text, room->there, false);
		gb_text_addf(text, " free%s\n", room->read_only ? ", but mounted read-only" : "");
	}
}

static void add_left(const struct change *c, struct gb_text *text)
{
	const char *line = c->options->left ? c->options->left : "";

	if (*line)
		gb_text_addf(text, "Left alone:\n");
	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		gb_text_addf(text, "    %.*s\n", (int)(end - line), line);
}

static int print_plan(struct change *c)
{
	struct gb_text text = { 0 };
	int code;

	gb_plan_print(c->plan, &c->style, &text);
	add_left(c, &text);
	add_rooms(c, &text);
	code = gb_command_print(c->context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
	return code;
}

/* ---- asking --------------------------------------------------------------------------- */

/* -1: go on. */
static int ask(struct change *c)
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
	struct change *c = ctx;

	gb_progress_begin(&c->progress, plan, step);
}

static void on_line(void *ctx, const char *line, bool error)
{
	struct change *c = ctx;

	gb_progress_line(&c->progress, line, error);
}

static void on_tick(void *ctx)
{
	struct change *c = ctx;

	gb_progress_tick(&c->progress);
}

static void on_again(void *ctx, char *const *argv)
{
	struct change *c = ctx;

	gb_progress_again(&c->progress, argv);
}

static int on_prove(void *ctx, const struct gb_plan *plan, size_t step, struct gb_err *err)
{
	struct change *c = ctx;

	return c->options->prove ? c->options->prove(c->options->ctx, plan, step, err) : 0;
}

static void on_unseen(void *ctx, const char *path, int error)
{
	struct change *c = ctx;

	if (c->log >= 0)
		dprintf(c->log, "== the journal of the file system of %s could not be written out: %s\n",
			path, strerror(-error));
	snprintf(c->unseen, sizeof(c->unseen), "%s", path);
}

/* A shutdown writes it out. */
static void say_unseen(const struct change *c)
{
	if (c->unseen[0] && c->end == GB_END_DONE && !c->options->json)
		fprintf(stderr, "Don't cut the power within the next minute: a boot loader could not read "
			"all of\n%s yet. A reboot is fine.\n", c->unseen);
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

static void open_log(struct change *c, struct gb_transaction *t)
{
	struct gb_err err = { "" };

	t->log = c->log = gb_log_open(t->store, log_path(c), &err);
	if (c->log >= 0)
		write_heading(c->log, c->context);
	else if (!c->options->json && gb_root_is_real(t->store->root))
		fprintf(stderr, "No log is kept: %s\n", err.text);
}

static void begin(struct change *c, struct gb_transaction *t)
{
	/* whoever reads what is said may end first: tee(1), a login over the network */
	signal(SIGPIPE, SIG_IGN);
	open_log(c, t);
	c->progress = (struct gb_progress){ .out = c->options->json ? NULL : stderr, .log = t->log,
					    .root = t->store->root, .ctx = c->options->ctx,
					    .title = c->options->title };
	gb_style_detect(stderr, &c->progress.style);
}

static void end(struct change *c, int r)
{
	gb_progress_end(&c->progress);
	if (c->log >= 0) {
		dprintf(c->log, "== %s%s%s\n", end_name(c->end), r ? ": " : "", r ? c->err.text : "");
		close(c->log);
	}
}

static int finish(struct change *c)
{
	return c->options->finish ? c->options->finish(c->options->ctx, &c->err) : 0;
}

/* The change is made, but not what goes with it: back, as a rollback would. Not with an image of the new
 * state among files of the old one: then all of the new one stays. */
static void take_back(struct change *c, const struct gb_transaction *t)
{
	struct gb_plan back = { 0 };
	struct gb_err err = { "" };
	enum gb_end end = GB_END_PARTLY;
	int r = gb_transaction_rollback(t->store, true, &back, NULL, &err);

	c->stays = !r && back.anews;
	if (c->stays)
		r = gb_fail(&err, ENODATA, "what was planned is made, and stays: nobody has the old %s",
			    back.anew[0]);
	gb_plan_close(&back);
	if (!r)
		r = gb_transaction_run(t, &back, &end, NULL, &err);
	gb_plan_clear(&back);
	c->end = r ? GB_END_PARTLY : GB_END_BACK;
	if (r)
		gb_wrap(&c->err, "%s; and before that", err.text);
}

static int run_plan(struct change *c, struct gb_transaction *t)
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

static int carry_out(struct change *c)
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
static int report(struct change *c, int r)
{
	const int code = exit_code(c->end, r);
	char what[256];

	if (c->options->json) {
		print_json(c, end_name(c->end), code);
		return code;
	}
	if (!code) {
		printf("%s\n", c->options->done ? c->options->done : "Done.");
		gb_command_flush(code);
		return code;
	}
	if (c->details.len)
		fwrite(c->details.data, 1, c->details.len, stderr);
	advice(c, r, what, sizeof(what));
	say_error(c->context, c->err.text, what);
	return code;
}

static int nothing(struct change *c)
{
	if (c->options->json)
		return print_json(c, end_name(GB_END_NOTHING), GB_EXIT_DONE);
	printf("%s\n", c->options->nothing ? c->options->nothing : "Nothing to do.");
	return gb_command_flush(GB_EXIT_DONE);
}

/* What the engine would refuse is said before anybody is asked. */
static int look_for_room(struct change *c)
{
	int r = gb_transaction_rooms(&c->host->store, c->plan, c->room, &c->rooms, &c->err);

	return r ? r : gb_transaction_room(&c->host->store, c->plan, &c->err);
}

static int show(struct change *c, int r)
{
	int code = c->options->json ? GB_EXIT_DONE : print_plan(c);

	if (code)
		return code;
	if (r) {
		c->end = GB_END_REFUSED;
		return report(c, r);
	}
	if (!c->options->dry_run)
		return -1;
	if (c->options->json)
		return print_json(c, "planned", GB_EXIT_DONE);
	printf("Nothing was changed: a dry run.\n");
	return gb_command_flush(GB_EXIT_DONE);
}

static int run(struct change *c)
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
	struct change *c = calloc(1, sizeof(*c));
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

/* -1 to go on, else the exit code. */
static int say_recovered(const struct change *c, int r)
{
	if (r) {
		gb_command_fail(c->context, c->err.text, c->end == GB_END_UNPUBLISHED ?
				unpublished(c->options->force) : r == -ESTALE ?
				"A change that was interrupted is still to be brought back. Put that aside, or "
				"let ghost-boot recover --force overwrite it." :
				"A change that was interrupted is still to be brought back. Mend that, and run "
				"it again.");
		return r == -EBUSY ? GB_EXIT_REFUSED : GB_EXIT_PARTLY;
	}
	fprintf(stderr, c->end == GB_END_DONE ? "A change that was interrupted is now finished.\n" :
		c->end == GB_END_BACK ? "A change that was interrupted is brought back: all is as it was "
					"before it.\n" : "");
	return -1;
}

static int recover(struct change *c, struct gb_root *root)
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
	return say_recovered(c, r);
}

int gb_change_recover(struct gb_context *context, struct gb_root *root,
		      const struct gb_change_options *options)
{
	struct gb_store store = { .root = root };
	struct change *c;
	int code;

	if (!gb_transaction_is_open(&store))
		return -1;
	if (options->dry_run || (geteuid() && gb_root_is_real(root))) {
		fprintf(stderr, "A change was interrupted and is not brought back yet: what is shown may "
			"be its middle.\n");
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
