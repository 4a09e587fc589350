/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wordtrace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmdlinefile.h"
#include "err.h"
#include "footprint.h"

static bool has_trace(const struct gb_footprint *footprint, enum gb_trace_kind kind,
		      const char *path, const char *text)
{
	const struct gb_trace *trace = NULL;

	while ((trace = gb_footprint_next(footprint, kind, path, trace)))
		if (!strcmp(trace->text, text))
			return true;
	return false;
}

/* True if there was one. */
static bool drop_trace(struct gb_footprint *footprint, enum gb_trace_kind kind, const char *path,
		       const char *word)
{
	const size_t before = footprint->traces;
	size_t kept = 0;

	for (size_t i = 0; i < footprint->traces; i++) {
		struct gb_trace *trace = &footprint->trace[i];

		if (trace->kind == kind && !strcmp(trace->path, path) && !strcmp(trace->text, word)) {
			free(trace->path);
			free(trace->text);
			free(trace->was);
		} else {
			footprint->trace[kept++] = *trace;
		}
	}
	footprint->traces = kept;
	return kept < before;
}

bool gb_wordtrace_knows(const struct gb_footprint *footprint, const struct gb_want *want)
{
	return has_trace(footprint, GB_TRACE_ADDED, NULL, want->word) ||
	       has_trace(footprint, GB_TRACE_REPLACED, NULL, want->word);
}

/* ---- noting -------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int gb_wordtrace_region(const char *old, const char *now, char **ret_old, char **ret_now)
{
	const size_t old_len = strlen(old), now_len = strlen(now);
	size_t begin = 0, end = 0; /* bytes that are the same at either end */

	while (begin < old_len && begin < now_len && old[begin] == now[begin])
		begin++;
	while (end < old_len - begin && end < now_len - begin &&
	       old[old_len - end - 1] == now[now_len - end - 1])
		end++;
	for (int widened = 0; widened < 2; widened++) {
		while (begin && !is_blank(now[begin - 1]))
			begin--;
		while (end && !is_blank(now[now_len - end]))
			end--;
		if (strspn(now + begin, " \t") < now_len - end - begin || !now_len)
			break;
		/* nothing is left of it: the word before, or else the one behind */
		if (begin)
			begin--;
		else
			end -= end != 0;
	}
	*ret_old = strndup(old + begin, old_len - end - begin);
	*ret_now = strndup(now + begin, now_len - end - begin);
	return *ret_old && *ret_now ? 0 : -ENOMEM;
}

static bool lacks(const char *line, const char *word)
{
	const struct gb_want want = { GB_WANT_ALSO, word, NULL };
	struct gb_changes changes;
	bool is;

	if (gb_arguments_change(line, strlen(line), &want, 1, &changes, NULL))
		return false;
	is = changes.change[0].kind == GB_CHANGE_ADDED;
	gb_changes_clear(&changes);
	return is;
}

static int note_one(struct gb_footprint *footprint, const char *path, const char *line,
		    const struct gb_want *want, bool known, struct gb_changes *changes)
{
	char *old = NULL, *now = NULL;
	int r = 0;

	switch (changes->change[0].kind) {
	case GB_CHANGE_NONE:
		if (!known && want->mode != GB_WANT_GONE && want->mode != GB_WANT_NO_NAME &&
		    !has_trace(footprint, GB_TRACE_ADDED, path, want->word))
			gb_footprint_add(footprint, GB_TRACE_SEEN, path, want->word, NULL);
		break;
	case GB_CHANGE_ADDED:
		drop_trace(footprint, GB_TRACE_SEEN, path, want->word);
		gb_footprint_add(footprint, GB_TRACE_ADDED, path, want->word, NULL);
		break;
	case GB_CHANGE_REPLACED:
	case GB_CHANGE_REMOVED:
		/* a word of ours that goes leaves nothing to bring back, and one in its place is ours */
		if (want->mode != GB_WANT_PIECE &&
		    drop_trace(footprint, GB_TRACE_ADDED, path, changes->change[0].was)) {
			if (changes->change[0].kind == GB_CHANGE_REPLACED && lacks(line, want->word))
				gb_footprint_add(footprint, GB_TRACE_ADDED, path, want->word, NULL);
			break;
		}
		if (has_trace(footprint, GB_TRACE_ADDED, path, changes->change[0].was))
			break;
		r = gb_wordtrace_region(line, changes->line, &old, &now);
		if (!r)
			gb_footprint_add(footprint, GB_TRACE_REPLACED, path, now, old);
		free(old);
		free(now);
		break;
	}
	return r;
}

int gb_wordtrace_note(struct gb_footprint *footprint, const char *path, const char *line,
		      const struct gb_want *want, size_t wants, const bool *known,
		      struct gb_err *err)
{
	char *text = strdup(line);
	int r = text ? 0 : -ENOMEM;

	for (size_t i = 0; i < wants && !r; i++) {
		struct gb_changes changes;

		r = gb_arguments_change(text, strlen(text), &want[i], 1, &changes, err);
		if (r)
			break;
		r = note_one(footprint, path, text, &want[i], known && known[i], &changes);
		free(text);
		text = changes.line;
		changes.line = NULL;
		gb_changes_clear(&changes);
	}
	free(text);
	return r == -ENOMEM || footprint->failed ? gb_fail(err, ENOMEM, "out of memory") : r;
}

/* ---- taking back ---------------------------------------------------------------------- */

static int add_want(struct gb_wordtrace_wants *list, struct gb_want want)
{
	struct gb_want *more;

	for (size_t i = 0; i < list->wants; i++)
		if (list->want[i].mode == want.mode && want.mode == GB_WANT_GONE &&
		    !strcmp(list->want[i].word, want.word))
			return 0;
	more = reallocarray(list->want, list->wants + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->want = more;
	more[list->wants++] = want;
	return 0;
}

static bool has_word(const char *line, const char *word)
{
	struct gb_want want = { .mode = GB_WANT_ALSO, .word = word };

	return line && *word && gb_wordtrace_carries(line, &want) > 0;
}

int gb_wordtrace_back(const struct gb_footprint *footprint, const char *path, bool since,
		      const char *keep, struct gb_wordtrace_wants *ret)
{
	struct gb_wordtrace_wants list = { 0 };
	bool everywhere = false;
	int r = 0;

	if (since && !gb_footprint_next(footprint, GB_TRACE_KINDS, path, NULL)) {
		everywhere = !gb_footprint_next(footprint, GB_TRACE_KINDS, GB_CMDLINE_FILE, NULL);
		path = GB_CMDLINE_FILE;
	} else {
		keep = NULL;
	}
	for (size_t i = footprint->traces; i-- > 0 && !r;) {
		const struct gb_trace *trace = &footprint->trace[i];

		if ((!everywhere && strcmp(trace->path, path)) || has_word(keep, trace->text))
			continue;
		if (trace->kind == GB_TRACE_REPLACED)
			r = add_want(&list, (struct gb_want){ .mode = GB_WANT_SWAP, .word = trace->text,
							      .reason = trace->was });
		else if (trace->kind == GB_TRACE_ADDED)
			r = add_want(&list, (struct gb_want){ .mode = GB_WANT_GONE,
							      .word = trace->text });
	}
	if (r)
		free(list.want);
	else
		*ret = list;
	return r;
}

/* ---- what a line says ------------------------------------------------------------------ */

static bool is_last(const struct gb_arguments *all, const struct gb_argument *want)
{
	const bool ours = !strncmp(want->name, "ghost.", strlen("ghost."));
	bool last = false;

	for (size_t i = 0; i < all->kernel; i++) {
		if (!gb_text_same_module(all->argument[i].name, want->name))
			continue;
		last = gb_argument_equal(&all->argument[i], want);
		if (ours && !last)
			return false;
	}
	return last;
}

int gb_wordtrace_carries(const char *line, const struct gb_want *want)
{
	struct gb_arguments all = { 0 }, one = { 0 };
	struct gb_changes changes;
	bool carries;
	int r;

	if (want->mode != GB_WANT_ONLY) {
		r = gb_arguments_change(line, strlen(line), want, 1, &changes, NULL);
		if (r)
			return r;
		carries = changes.change[0].kind == GB_CHANGE_NONE;
		gb_changes_clear(&changes);
		return carries;
	}
	r = gb_arguments_parse(line, strlen(line), &all);
	if (!r)
		r = gb_arguments_parse(want->word, strlen(want->word), &one);
	carries = !r && one.arguments && is_last(&all, one.argument);
	gb_arguments_clear(&all);
	gb_arguments_clear(&one);
	return r ? r : carries;
}
