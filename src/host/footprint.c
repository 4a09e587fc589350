/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "footprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "plan.h"
#include "recordtext.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define FIRST_LINE "ghost-boot footprint 1\n"
#define FOOTPRINT_MAX (1u << 20)
#define REASON "so that disable can take back just this"

static const char *const tags[GB_TRACE_KINDS] = { "made", "added", "replaced",
						  "seen", "line",  "retired" };

static void clear_trace(struct gb_trace *trace)
{
	free(trace->path);
	free(trace->text);
	free(trace->was);
}

void gb_footprint_clear(struct gb_footprint *footprint)
{
	for (size_t i = 0; i < footprint->traces; i++)
		clear_trace(&footprint->trace[i]);
	free(footprint->trace);
	memset(footprint, 0, sizeof(*footprint));
}

/* Takes the strings. */
static void add(struct gb_footprint *footprint, enum gb_trace_kind kind, char *path, char *text,
		char *was)
{
	struct gb_trace trace = { kind, path, text, was };
	struct gb_trace *all;

	all = path && text && was ? realloc(footprint->trace,
					    (footprint->traces + 1) * sizeof(*all))
				  : NULL;
	if (!all) {
		clear_trace(&trace);
		footprint->failed = true;
		return;
	}
	footprint->trace = all;
	all[footprint->traces++] = trace;
}

void gb_footprint_add(struct gb_footprint *footprint, enum gb_trace_kind kind, const char *path,
		      const char *text, const char *was)
{
	const struct gb_trace *trace = NULL;

	text = text ? text : "";
	was = was ? was : "";
	while ((trace = gb_footprint_next(footprint, kind, path, trace)))
		if (!strcmp(trace->text, text) && !strcmp(trace->was, was))
			return;
	add(footprint, kind, strdup(path), strdup(text), strdup(was));
}

static bool matches(const struct gb_trace *trace, enum gb_trace_kind kind, const char *path)
{
	return (kind == GB_TRACE_KINDS || trace->kind == kind) &&
	       (!path || !strcmp(trace->path, path));
}

void gb_footprint_drop(struct gb_footprint *footprint, enum gb_trace_kind kind, const char *path)
{
	size_t kept = 0;

	for (size_t i = 0; i < footprint->traces; i++)
		if (matches(&footprint->trace[i], kind, path))
			clear_trace(&footprint->trace[i]);
		else
			footprint->trace[kept++] = footprint->trace[i];
	footprint->traces = kept;
}

const struct gb_trace *gb_footprint_next(const struct gb_footprint *footprint,
					 enum gb_trace_kind kind, const char *path,
					 const struct gb_trace *after)
{
	size_t i = after ? (size_t)(after - footprint->trace) + 1 : 0;

	while (i < footprint->traces && !matches(&footprint->trace[i], kind, path))
		i++;
	return i < footprint->traces ? &footprint->trace[i] : NULL;
}

static bool read_line(void *ctx, const char *tag, struct gb_record *line)
{
	struct gb_footprint *footprint = ctx;
	int kind = 0;
	char *path, *text;

	while (kind < GB_TRACE_KINDS && strcmp(tag, tags[kind]))
		kind++;
	if (kind == GB_TRACE_KINDS)
		return false;
	path = gb_record_next_word(line);
	text = gb_record_next_word(line);
	add(footprint, (enum gb_trace_kind)kind, path, text, gb_record_next_word(line));
	return true;
}

int gb_footprint_read_file(struct gb_root *root, const char *path, struct gb_footprint *ret,
			   struct gb_err *err)
{
	size_t len;
	char *data;
	int r;

	*ret = (struct gb_footprint){ 0 };
	r = gb_root_read_all(root, path, FOOTPRINT_MAX, &data, &len);
	if (r == -ENOENT)
		return 0;
	if (r)
		return gb_fail(err, -r, "%s: %s", path, strerror(-r));
	r = gb_record_parse(data, len, FIRST_LINE, path, read_line, ret, err);
	free(data);
	return r || !ret->failed ? r : gb_fail(err, ENOMEM, "out of memory");
}

int gb_footprint_read(struct gb_root *root, struct gb_footprint *ret, struct gb_err *err)
{
	return gb_footprint_read_file(root, GB_FOOTPRINT, ret, err);
}

/* By path; those of one path as they were made, which is how they are taken back. */
static int compare(const void *a_trace, const void *b_trace)
{
	const struct gb_trace *const *a = a_trace, *const *b = b_trace;
	const int order = strcmp((*a)->path, (*b)->path);

	return order ? order : *a < *b ? -1 : *a > *b;
}

/* The same traces give the same bytes, in whatever order files were looked at. */
static void print(const struct gb_footprint *footprint, struct gb_text *text)
{
	const struct gb_trace **sorted = calloc(footprint->traces, sizeof(*sorted));

	if (!sorted) {
		text->failed = true;
		return;
	}
	for (size_t i = 0; i < footprint->traces; i++)
		sorted[i] = &footprint->trace[i];
	qsort(sorted, footprint->traces, sizeof(*sorted), compare);
	gb_text_addf(text, FIRST_LINE);
	for (size_t i = 0; i < footprint->traces; i++) {
		gb_text_addf(text, "%s", tags[sorted[i]->kind]);
		gb_record_word(text, sorted[i]->path);
		gb_record_word(text, sorted[i]->text);
		gb_record_word(text, sorted[i]->was);
		gb_text_addf(text, "\n");
	}
	gb_record_end(text, 0);
	free(sorted);
}

static int is_other(void *ctx, const char *name)
{
	const char *const *file = ctx;

	return strcmp(name, *file) != 0;
}

int gb_footprint_remove_folder(const struct gb_footprint *footprint, const char *path,
			       const char *file, struct gb_store *store, struct gb_plan *plan,
			       struct gb_err *err)
{
	const char *name = gb_text_base(file);

	if (!gb_footprint_next(footprint, GB_TRACE_MADE, path, NULL) ||
	    gb_root_list(store->root, path, is_other, &name))
		return 0;
	return gb_plan_remove(plan, store, path, "ghost-boot made it", err);
}

int gb_footprint_plan(const struct gb_footprint *footprint, struct gb_store *store,
		      struct gb_plan *plan, struct gb_err *err)
{
	struct gb_text text = { 0 };
	int r;

	if (footprint->failed)
		return gb_fail(err, ENOMEM, "out of memory");
	if (!footprint->traces)
		return gb_root_exists(store->root, GB_FOOTPRINT) ?
			       gb_plan_remove(plan, store, GB_FOOTPRINT,
					      "nothing is left to take back", err) :
			       0;
	print(footprint, &text);
	if (text.failed)
		r = gb_fail(err, ENOMEM, "out of memory");
	else
		r = gb_plan_write(plan, store, GB_FOOTPRINT, text.data, text.len, 0600, REASON, err);
	gb_text_clear(&text);
	return r;
}
