/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

/* The line while it changes, one want after the other. */
struct work {
	struct gb_text line;
	struct gb_arguments list;	/* of `line` as it is now */
	const struct gb_argument *want; /* parsed */
	const char *word;		/* as it was given */
	struct gb_text was;
	enum gb_change_kind kind;
	int r;
};

static void replace(struct work *w, size_t at, size_t cut, const char *put, size_t len)
{
	struct gb_text line = { 0 };

	gb_text_add(&line, w->line.data, at);
	gb_text_add(&line, put, len);
	gb_text_add(&line, w->line.data + at + cut, w->line.len - at - cut);
	gb_text_clear(&w->line);
	w->line = line;
	gb_arguments_clear(&w->list);
	if (!w->r && line.failed)
		w->r = -ENOMEM;
	if (!w->r)
		w->r = gb_arguments_parse(line.data, line.len, &w->list);
}

static void note(struct work *w, const struct gb_argument *a)
{
	if (w->was.len)
		gb_text_add(&w->was, " ", 1);
	gb_text_add(&w->was, w->line.data + a->at, a->len);
}

/* A word goes with the one blank before it, which is how it came; at the beginning with the one
 * behind it. */
static void take_out(struct work *w, size_t i)
{
	const struct gb_argument *a = &w->list.argument[i];
	size_t at = a->at, len = a->len;

	note(w, a);
	if (at)
		at--, len++;
	else if (len < w->line.len)
		len++;
	replace(w, at, len, "", 0);
}

static void put_in(struct work *w)
{
	struct gb_text word = { 0 };
	size_t end = w->list.end;

	/* an empty line, or one that begins with "--" */
	if (!end)
		gb_text_addf(&word, "%s%s", w->word, w->line.len ? " " : "");
	else
		gb_text_addf(&word, " %s", w->word);
	if (word.failed)
		w->r = -ENOMEM;
	else
		replace(w, end, 0, word.data, word.len);
	gb_text_clear(&word);
	w->kind = GB_CHANGE_ADDED;
}

static bool same_name(const struct work *w, size_t i)
{
	return gb_text_same_module(w->list.argument[i].name, w->want->name);
}

static bool same(const struct work *w, size_t i)
{
	return gb_argument_equal(&w->list.argument[i], w->want);
}

static void want_also(struct work *w)
{
	for (size_t i = 0; i < w->list.kernel; i++)
		if (same(w, i))
			return;
	put_in(w);
}

static void want_only(struct work *w)
{
	bool there = false;

	for (size_t i = 0; i < w->list.kernel; i++)
		there = there || same(w, i);
	for (size_t i = 0; !w->r && i < w->list.kernel; i++) {
		const struct gb_argument *a = &w->list.argument[i];

		if (!same_name(w, i) || same(w, i))
			continue;
		if (there) {
			take_out(w, i--);
		} else {
			note(w, a);
			replace(w, a->at, a->len, w->word, strlen(w->word));
			there = true;
		}
		w->kind = GB_CHANGE_REPLACED;
	}
	if (!there)
		put_in(w);
}

static void want_gone(struct work *w, bool (*match)(const struct work *w, size_t i))
{
	for (size_t i = 0; !w->r && i < w->list.kernel; i++)
		if (match(w, i)) {
			take_out(w, i--);
			w->kind = GB_CHANGE_REMOVED;
		}
}

/* Where `word` stands among the kernel's words, whole words only. */
static bool find_words(const struct work *w, size_t *ret)
{
	const size_t len = strlen(w->word);

	for (size_t i = 0; i < w->list.kernel; i++) {
		const size_t at = w->list.argument[i].at;

		if (at + len > w->line.len || memcmp(w->line.data + at, w->word, len))
			continue;
		for (size_t k = i; k < w->list.kernel; k++)
			if (w->list.argument[k].at + w->list.argument[k].len == at + len) {
				*ret = at;
				return true;
			}
	}
	return false;
}

static void want_swap(struct work *w, const char *with)
{
	size_t at = 0;

	if (*w->word ? !find_words(w, &at) : w->line.len != 0)
		return;
	replace(w, at, strlen(w->word), with, strlen(with));
	w->kind = GB_CHANGE_REPLACED;
}

/* ---- comma lists --------------------------------------------------------------------- */

/* What says the contrary in lists of the kernel (drivers/iommu: intel_iommu=, iommu=). */
static const char *opposite_of(const char *piece)
{
	static const char *const pairs[][2] = {
		{ "on", "off" }, { "pt", "nopt" }, { "force", "noforce" }, { "1", "0" },
		{ "y", "n" }, { "yes", "no" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (size_t k = 0; k < 2; k++)
			if (!strcmp(piece, pairs[i][k]))
				return pairs[i][!k];
	return NULL;
}

static bool is_piece(const char *at, size_t len, const char *piece)
{
	return piece && strlen(piece) == len && !memcmp(at, piece, len);
}

/* The last piece that is either the wanted one or its opposite: the kernel goes through them in
 * order. False when there is none. */
static bool last_piece(const struct work *w, const char *opposite, size_t *ret_word, size_t *ret_at,
		       bool *ret_is_opposite)
{
	bool found = false;

	for (size_t i = 0; i < w->list.kernel; i++) {
		const struct gb_argument *a = &w->list.argument[i];
		const char *begin = w->line.data + a->at, *end = begin + a->len, *c;

		if (!same_name(w, i) || !a->value || !(c = memchr(begin + 1, '=', a->len - 1)))
			continue;
		for (c++, c += c < end && *c == '"'; c <= end;) {
			size_t n = 0;

			while (c + n < end && c[n] != ',' && c[n] != '"')
				n++;
			if (is_piece(c, n, opposite) || is_piece(c, n, w->want->value)) {
				*ret_is_opposite = is_piece(c, n, opposite);
				*ret_word = i;
				*ret_at = (size_t)(c - w->line.data);
				found = true;
			}
			c += n + 1;
		}
	}
	return found;
}

static void want_piece(struct work *w)
{
	const char *opposite = opposite_of(w->want->value);
	bool is_opposite;
	size_t word, at;

	if (!last_piece(w, opposite, &word, &at, &is_opposite)) {
		put_in(w);
	} else if (is_opposite) {
		note(w, &w->list.argument[word]);
		replace(w, at, strlen(opposite), w->want->value, strlen(w->want->value));
		w->kind = GB_CHANGE_REPLACED;
	}
}

/* ---- all wants ----------------------------------------------------------------------- */

static int check_want(const struct gb_want *want, struct gb_arguments *ret, struct gb_err *err)
{
	size_t len = strlen(want->word);
	int r = gb_arguments_parse(want->word, len, ret);

	if (r == -ENOMEM)
		return gb_fail(err, ENOMEM, "out of memory");
	if (!r && want->mode == GB_WANT_SWAP && !ret->open)
		return 0;
	if (r || ret->kernel != 1 || ret->arguments != 1 || ret->open ||
	    ret->argument[0].len != len)
		r = gb_fail(err, EINVAL, "\"%s\" is not one kernel argument", want->word);
	else if (want->mode == GB_WANT_PIECE &&
		 (!ret->argument[0].value || strpbrk(ret->argument[0].value, ",\"")))
		r = gb_fail(err, EINVAL, "\"%s\" is not one option of a list", want->word);
	return r;
}

static int carry_out(struct work *w, const struct gb_want *want, struct gb_change *ret,
		     struct gb_err *err)
{
	struct gb_arguments parsed = { 0 };

	w->r = check_want(want, &parsed, err);
	if (!w->r) {
		w->want = parsed.argument;
		w->word = want->word;
		w->kind = GB_CHANGE_NONE;
		switch (want->mode) {
		case GB_WANT_ALSO: want_also(w); break;
		case GB_WANT_ONLY: want_only(w); break;
		case GB_WANT_PIECE: want_piece(w); break;
		case GB_WANT_GONE: want_gone(w, same); break;
		case GB_WANT_NO_NAME: want_gone(w, same_name); break;
		case GB_WANT_SWAP: want_swap(w, want->reason); break;
		}
		if (w->r || w->was.failed)
			w->r = gb_fail(err, w->r ? -w->r : ENOMEM, "out of memory");
	}
	gb_arguments_clear(&parsed);
	ret->kind = w->kind;
	ret->was = w->was.data;
	w->was = (struct gb_text){ 0 };
	return w->r;
}

static int begin(struct work *w, const char *line, size_t len, struct gb_err *err)
{
	int r = gb_arguments_parse(line, len, &w->list);

	if (r == -EINVAL)
		return gb_fail(err, EINVAL, "the command line holds a NUL byte");
	if (r == -E2BIG)
		return gb_fail(err, E2BIG, "the command line has more than %d words", GB_ARGUMENTS_MAX);
	if (!r && w->list.open)
		return gb_fail(err, EINVAL, "the command line has a quote that is never closed");
	gb_text_add(&w->line, line, len);
	if (r || w->line.failed)
		return gb_fail(err, ENOMEM, "out of memory");
	return 0;
}

int gb_arguments_change(const char *line, size_t len, const struct gb_want *want, size_t wants,
			struct gb_changes *ret, struct gb_err *err)
{
	struct gb_changes changes = { .change = calloc(wants + 1, sizeof(*changes.change)) };
	struct work w = { 0 };
	int r = changes.change ? begin(&w, line, len, err) : gb_fail(err, ENOMEM, "out of memory");

	for (; !r && changes.changes < wants; changes.changes++) {
		changes.change[changes.changes].want = changes.changes;
		r = carry_out(&w, &want[changes.changes], &changes.change[changes.changes], err);
	}
	gb_arguments_clear(&w.list);
	changes.line = w.line.data;
	changes.len = w.line.len;
	if (r) {
		changes.changes = changes.change ? wants : 0;
		gb_changes_clear(&changes);
		return r;
	}
	changes.differs = len != changes.len || memcmp(line, changes.line, len);
	*ret = changes;
	return 0;
}

void gb_changes_clear(struct gb_changes *changes)
{
	for (size_t i = 0; i < changes->changes; i++)
		free(changes->change[i].was);
	free(changes->change);
	free(changes->line);
	memset(changes, 0, sizeof(*changes));
}
