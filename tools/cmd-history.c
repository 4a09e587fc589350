/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "change.h"
#include "command.h"
#include "journal.h"
#include "json.h"
#include "store.h"
#include "table.h"

static const char usage[] =
	"usage: ghost-boot history [--json] [--root DIR] [N]\n"
	"\n"
	"The changes that ghost-boot has made: number, local time, what, and how it\n"
	"ended. With a number N, the steps and files of that one.\n"
	"\n"
	"      --json      for programs\n"
	"      --root DIR  a captured machine instead of the running one\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit: 0 done, 1 could not look, 2 usage.\n";

struct options {
	bool json;
	const char *number;
	unsigned wanted; /* 0: all */
};

struct history {
	const struct gb_context *context;
	struct gb_store store;
	struct gb_style style;
	struct gb_text text;
	struct gb_json json;
	struct gb_table table;
	size_t shown, broken;
};

/* The exit code when that is all there is to do, else -1. */
static int read_options(struct gb_context *context, int argc, char **argv,
			struct options *options)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' }, { "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	char extra;
	int c;

	while ((c = gb_command_option(argc, argv, "h", known)) != -1)
		switch (c) {
		case 'j': options->json = true; break;
		case 'r': context->dir = optarg; break;
		case 'h': fputs(usage, stdout); return gb_command_flush(GB_EXIT_DONE);
		default: return gb_command_bad_option(context, argv);
		}
	if (optind < argc)
		options->number = argv[optind++];
	if (optind < argc)
		return gb_command_usage(context, "takes one number: ", argv[optind]);
	if (options->number &&
	    (options->number[strspn(options->number, "0123456789")] ||
	     sscanf(options->number, "%9u%c", &options->wanted, &extra) != 1 || !options->wanted))
		return gb_command_usage(context, "not the number of a change: ", options->number);
	return -1;
}

/* ---- words ---------------------------------------------------------------------------- */

/* "2026-11-25T21:04:10+01:00" */
static void local_time(int64_t at, char ret[static 32])
{
	const time_t seconds = (time_t)at;
	char zone[8] = "";
	struct tm tm;

	ret[0] = '\0';
	if (!localtime_r(&seconds, &tm) || !strftime(ret, 32, "%FT%T", &tm) ||
	    strftime(zone, sizeof(zone), "%z", &tm) != 5)
		return;
	snprintf(ret + strlen(ret), 32 - strlen(ret), "%.3s:%s", zone, zone + 3);
}

/* For a program: stable. */
static const char *outcome(enum gb_journal_state state)
{
	return state == GB_JOURNAL_DONE ? "done" : state == GB_JOURNAL_BACK ? "brought-back" : "open";
}

static const char *outcome_text(enum gb_journal_state state)
{
	return state == GB_JOURNAL_DONE ? "done" :
	       state == GB_JOURNAL_BACK ? "brought back" :
					  "interrupted";
}

static enum gb_colour outcome_colour(enum gb_journal_state state)
{
	return state == GB_JOURNAL_DONE ? GB_GREEN : state == GB_JOURNAL_BACK ? GB_YELLOW : GB_RED;
}

static const char *file_change(const struct gb_entry *entry)
{
	const enum gb_file_kind was = entry->before.kind, is = entry->after.kind;

	if (was == GB_FILE_ABSENT)
		return is == GB_FILE_ABSENT ? "not-made" : "made";
	if (is == GB_FILE_ABSENT)
		return "removed";
	return gb_file_same(&entry->before, &entry->after) ? "unchanged" : "changed";
}

/* A name that may hold anything. */
static void add_plain(struct gb_text *text, const char *name)
{
	for (size_t bytes; *name; name += bytes ? bytes : 1) {
		bytes = gb_text_character(name);
		if (bytes)
			gb_text_add(text, name, bytes);
		else
			gb_text_addf(text, "\\x%02x", (unsigned char)*name);
	}
}

/* ---- one change ------------------------------------------------------------------------- */

/* Where the step's own words do not say it. */
static void print_files(struct history *h, const struct gb_journal *journal, size_t step)
{
	for (size_t i = 0; i < journal->entries; i++) {
		const struct gb_entry *entry = &journal->entry[i];
		const char *how = file_change(entry);

		if (entry->step != step || strstr(journal->step[step], entry->path))
			continue;
		gb_text_addf(&h->text, "    %s%s%s ", gb_style_code(&h->style, GB_DIM),
			     !strcmp(how, "not-made") ? "not made" : how,
			     gb_style_code(&h->style, GB_PLAIN));
		add_plain(&h->text, entry->path);
		gb_text_addf(&h->text, "\n");
	}
}

static void print_one(struct history *h, unsigned number, const struct gb_journal *journal)
{
	char when[32];

	local_time(journal->time, when);
	gb_text_addf(&h->text, "%schange %u%s, %s, %s%s%s\n", gb_style_code(&h->style, GB_BOLD),
		     number, gb_style_code(&h->style, GB_PLAIN), when,
		     gb_style_code(&h->style, outcome_colour(journal->state)),
		     outcome_text(journal->state), gb_style_code(&h->style, GB_PLAIN));
	add_plain(&h->text, journal->reason);
	gb_text_addf(&h->text, "\n\n");
	for (size_t s = 0; s < journal->steps; s++) {
		gb_text_addf(&h->text, "%zu. ", s + 1);
		add_plain(&h->text, journal->step[s]);
		gb_text_addf(&h->text, "\n");
		print_files(h, journal, s);
	}
}

static void json_one(struct history *h, unsigned number, const struct gb_journal *journal,
		     bool whole)
{
	char when[32];

	local_time(journal->time, when);
	gb_json_open(&h->json, NULL, '{');
	gb_json_int(&h->json, "number", number);
	gb_json_string(&h->json, "time", when[0] ? when : NULL);
	gb_json_string(&h->json, "reason", journal->reason);
	gb_json_string(&h->json, "outcome", outcome(journal->state));
	if (whole) {
		gb_json_open(&h->json, "steps", '[');
		for (size_t s = 0; s < journal->steps; s++)
			gb_json_string(&h->json, NULL, journal->step[s]);
		gb_json_close(&h->json, ']');
		gb_json_open(&h->json, "files", '[');
		for (size_t i = 0; i < journal->entries; i++) {
			gb_json_open(&h->json, NULL, '{');
			gb_json_string(&h->json, "path", journal->entry[i].path);
			gb_json_string(&h->json, "change", file_change(&journal->entry[i]));
			gb_json_int(&h->json, "step", (long long)journal->entry[i].step + 1);
			gb_json_close(&h->json, '}');
		}
		gb_json_close(&h->json, ']');
	}
	gb_json_close(&h->json, '}');
}

static void add_row(struct history *h, unsigned number, const struct gb_journal *journal)
{
	struct gb_text reason = { 0 };
	char when[32];

	local_time(journal->time, when);
	add_plain(&reason, journal->reason);
	gb_table_row(&h->table);
	gb_table_cell(&h->table, GB_PLAIN, "%u", number);
	gb_table_cell(&h->table, GB_DIM, "%s", when);
	gb_table_cell(&h->table, outcome_colour(journal->state), "%s",
		      outcome_text(journal->state));
	gb_table_cell(&h->table, GB_PLAIN, "%s", reason.data ? reason.data : "");
	h->text.failed |= reason.failed;
	gb_text_clear(&reason);
}

/* ---- all ---------------------------------------------------------------------------------- */

static void add_one(struct history *h, const struct options *options, const char *path,
		    unsigned number)
{
	struct gb_journal journal = { .folder = -1 };
	struct gb_err err = { "" };

	if (gb_journal_open(&h->store, path, &journal, &err)) {
		fprintf(stderr, "ghost-boot history: %s\n", err.text);
		h->broken++;
		return;
	}
	h->shown++;
	if (options->json)
		json_one(h, number, &journal, options->wanted);
	else if (options->wanted)
		print_one(h, number, &journal);
	else
		add_row(h, number, &journal);
	gb_journal_clear(&journal);
}

static void add_head(struct history *h)
{
	static const char *const heads[] = { "N", "TIME", "OUTCOME", "WHAT" };

	gb_table_row(&h->table);
	for (size_t i = 0; i < 4; i++)
		gb_table_cell(&h->table, GB_DIM, "%s", heads[i]);
}

static int finish(struct history *h, const struct options *options)
{
	int code = h->broken ? GB_EXIT_FAILED : GB_EXIT_DONE;

	if (options->json)
		gb_text_addf(&h->text, "\n");
	else if (options->wanted && !h->shown && !h->broken)
		return gb_command_usage(h->context, "there is no change ", options->number);
	else if (!options->wanted && h->shown)
		gb_table_text(&h->table, &h->style, &h->text);
	else if (!h->shown && !h->broken)
		gb_text_addf(&h->text, "ghost-boot has changed nothing here.\n");
	h->text.failed |= h->table.failed;
	return gb_command_print(h->context, &h->text, code);
}

static void collect(struct history *h, const struct options *options, const unsigned *number,
		    size_t count)
{
	char path[64];

	if (!options->json)
		add_head(h);
	for (size_t i = 0; i < count; i++) {
		if (options->wanted && options->wanted != number[i])
			continue;
		gb_history_path(number[i], path, sizeof(path));
		add_one(h, options, path, number[i]);
	}
	/* one that was interrupted has no number yet; it will be the next */
	if (gb_root_exists(h->store.root, GB_JOURNAL) &&
	    (!options->wanted || options->wanted == (count ? number[count - 1] : 0) + 1))
		add_one(h, options, GB_JOURNAL, (count ? number[count - 1] : 0) + 1);
}

static int show(struct history *h, const struct options *options)
{
	unsigned *number = NULL;
	size_t count = 0;
	int r = gb_history_list(&h->store, &number, &count);

	if (r == -EACCES)
		return gb_change_needs_root(h->context);
	if (r) {
		char what[128];

		snprintf(what, sizeof(what), GB_HISTORY ": %s", strerror(-r));
		return gb_command_fail(h->context, what, NULL);
	}
	if (options->json) {
		gb_json_open(&h->json, NULL, '{');
		gb_json_int(&h->json, "version", 1);
		gb_json_string(&h->json, "tool", "ghost-boot " GB_VERSION);
		gb_json_open(&h->json, "changes", '[');
	}
	collect(h, options, number, count);
	free(number);
	if (options->json) {
		gb_json_close(&h->json, ']');
		gb_json_close(&h->json, '}');
	}
	return finish(h, options);
}

static int run(struct gb_context *context, int argc, char **argv)
{
	struct options options = { 0 };
	struct history h = { .context = context, .table = { .flexible = 3, .right = 1 } };
	struct gb_err err = { "" };
	int code = read_options(context, argc, argv, &options);

	if (code >= 0)
		return code;
	if (gb_root_open(context->dir, &context->root, &err))
		return gb_command_usage(context, err.text, "");
	h.store.root = context->root;
	h.json = (struct gb_json){ .text = &h.text, .first = true };
	gb_style_detect(stdout, &h.style);
	code = show(&h, &options);
	gb_table_clear(&h.table);
	gb_text_clear(&h.text);
	gb_command_close(context);
	return code;
}

const struct gb_command gb_command_history = { "history", run, "the changes made so far" };
