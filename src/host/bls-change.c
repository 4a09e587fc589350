/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bls-lines.h"
#include "err.h"

#define OPTIONS_MAX 32

/* The options lines that the reader takes, while they change. */
struct options {
	const struct gb_bls_line *line[OPTIONS_MAX];
	struct gb_text value[OPTIONS_MAX];
	size_t lines;
	struct gb_err *err;
};

static void options_clear(struct options *o)
{
	for (size_t i = 0; i < o->lines; i++)
		gb_text_clear(&o->value[i]);
}

static int out_of_memory(struct gb_err *err)
{
	return gb_fail(err, ENOMEM, "out of memory");
}

static int collect(const char *data, const struct gb_bls_lines *lines, enum gb_bls_reader reader,
		   struct options *ret)
{
	for (size_t i = 0; i < lines->lines; i++) {
		const struct gb_bls_line *line = &lines->line[i];
		const char *value = data + line->value;

		if (!line->is_options || (reader == GB_BLS_GRUB && (!line->grub || ret->lines)))
			continue;
		if (ret->lines == OPTIONS_MAX)
			return gb_fail(ret->err, EINVAL, "it has more than %d options lines", OPTIONS_MAX);
		if (value[0] == '"' && line->value_len > 1 && value[line->value_len - 1] == '"')
			return gb_fail(ret->err, EINVAL, "its options stand in quotes, which loaders "
				       "do not agree on; take the outer quotes away");
		gb_text_add(&ret->value[ret->lines], value, line->value_len);
		ret->line[ret->lines] = line;
		if (ret->value[ret->lines++].failed)
			return out_of_memory(ret->err);
	}
	if (!ret->lines && reader == GB_BLS_GRUB)
		return gb_fail(ret->err, EINVAL, "GRUB finds no options in it, and takes those of its "
			       "environment instead (default_kernelopts)");
	return 0;
}

/* ---- wants, line by line ------------------------------------------------------------- */

/* Carries a want out in one line. Without `really`, only says what would happen. */
static int apply(struct options *o, size_t i, const struct gb_want *want, bool really,
		 struct gb_change *ret)
{
	struct gb_text *value = &o->value[i];
	struct gb_changes changes;
	int r = gb_arguments_change(value->data ? value->data : "", value->len, want, 1, &changes,
				    o->err);

	if (r)
		return r;
	ret->kind = changes.change[0].kind;
	if (really && changes.differs) {
		value->len = 0;
		gb_text_add(value, changes.line, changes.len);
		if (!ret->was) {
			ret->was = changes.change[0].was;
			changes.change[0].was = NULL;
		}
		if (value->failed)
			r = out_of_memory(o->err);
	}
	gb_changes_clear(&changes);
	return r;
}

/* The last line in which the want finds something of its own; the first when there is none. */
static int find_line(struct options *o, const struct gb_want *want, size_t *ret)
{
	struct gb_change change = { 0 };

	*ret = 0;
	for (size_t i = o->lines; i-- > 1;) {
		int r = apply(o, i, want, false, &change);

		if (r)
			return r;
		if (change.kind != GB_CHANGE_ADDED) {
			*ret = i;
			return 0;
		}
	}
	return 0;
}

static int carry_out(struct options *o, const struct gb_want *want, struct gb_change *ret)
{
	struct gb_want others = { GB_WANT_NO_NAME, want->word, want->reason };
	bool removal = want->mode == GB_WANT_GONE || want->mode == GB_WANT_NO_NAME;
	struct gb_change change = { 0 };
	size_t at = 0;
	int r = 0;

	if (want->mode == GB_WANT_SWAP) {
		for (size_t i = 0; i < o->lines && !r && ret->kind == GB_CHANGE_NONE; i++)
			r = apply(o, i, want, true, ret);
		return r;
	}
	if (!removal) {
		r = find_line(o, want, &at);
		if (!r)
			r = apply(o, at, want, true, ret);
		if (r || want->mode != GB_WANT_ONLY)
			return r;
	}
	for (size_t i = 0; i < o->lines; i++) {
		if (!removal && i == at)
			continue;
		change.was = ret->was;
		r = apply(o, i, removal ? want : &others, true, &change);
		ret->was = change.was;
		if (r)
			return r;
		if (change.kind != GB_CHANGE_NONE)
			ret->kind = removal ? GB_CHANGE_REMOVED : GB_CHANGE_REPLACED;
	}
	return 0;
}

/* ---- the file ------------------------------------------------------------------------ */

/* A line that lost its last word goes, with the line end that came with it. */
static void write_lines(const char *data, size_t len, const struct options *o, struct gb_text *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < o->lines; i++) {
		const struct gb_bls_line *line = o->line[i];

		if (o->value[i].len) {
			gb_text_add(ret, data + at, line->value - at);
			gb_text_add(ret, o->value[i].data, o->value[i].len);
			at = line->value + line->value_len;
			continue;
		}
		gb_text_add(ret, data + at, line->at - at);
		at = line->end;
		while (data[line->end - 1] != '\n' && ret->len &&
		       (ret->data[ret->len - 1] == '\n' || ret->data[ret->len - 1] == '\r'))
			ret->data[--ret->len] = '\0';
	}
	gb_text_add(ret, data + at, len - at);
}

/* A line of options where there was none: behind the last line that every reader takes. */
static void write_new_line(const char *data, size_t len, const struct gb_bls_lines *lines,
			   const struct gb_text *value, struct gb_text *ret)
{
	size_t at = 0;
	bool ends, dos;

	for (size_t i = 0; i < lines->lines && lines->line[i].grub; i++)
		at = lines->line[i].end;
	ends = !at || data[at - 1] == '\n';
	dos = at > 1 && data[at - 2] == '\r';
	gb_text_add(ret, data, at);
	gb_text_addf(ret, ends ? "options %s%s\n" : "\noptions %s%s", value->data, dos ? "\r" : "");
	gb_text_add(ret, data + at, len - at);
}

static int join(const struct options *o, struct gb_changes *ret)
{
	struct gb_text all = { 0 };

	for (size_t i = 0; i < o->lines; i++)
		if (o->value[i].len) {
			gb_text_add(&all, " ", all.len != 0);
			gb_text_add(&all, o->value[i].data, o->value[i].len);
		}
	gb_text_add(&all, "", 0);
	ret->line = all.data;
	ret->len = all.len;
	return all.failed ? -ENOMEM : 0;
}

/* Does the new file say what was wanted? Quotes that now stand around all would go, for one. */
static int prove(const struct gb_text *text, const struct options *o, enum gb_bls_reader reader,
		 const struct gb_changes *goal)
{
	struct gb_bls bls;
	const char *options;
	int r = gb_bls_parse(text->data ? text->data : "", text->len, &bls, o->err);

	if (r)
		return r;
	options = reader == GB_BLS_GRUB ? bls.grub_options : bls.options;
	if (strcmp(options ? options : "", goal->line))
		r = gb_fail(o->err, EINVAL, "its options can't be changed without changing their "
			    "meaning; change them by hand");
	gb_bls_clear(&bls);
	return r;
}

static int change(const char *data, size_t len, const struct gb_bls_lines *lines,
		  enum gb_bls_reader reader, struct options *o, const struct gb_want *want,
		  size_t wants, struct gb_bls_change *ret)
{
	struct gb_text text = { 0 };
	bool new_line = !o->lines;
	int r = 0;

	o->lines += new_line;
	ret->changes.change = calloc(wants + 1, sizeof(*ret->changes.change));
	if (!ret->changes.change)
		return out_of_memory(o->err);
	for (ret->changes.changes = 0; !r && ret->changes.changes < wants; ret->changes.changes++) {
		ret->changes.change[ret->changes.changes].want = ret->changes.changes;
		r = carry_out(o, &want[ret->changes.changes],
			      &ret->changes.change[ret->changes.changes]);
	}
	if (r)
		return r;
	if (!new_line)
		write_lines(data, len, o, &text);
	else if (o->value[0].len)
		write_new_line(data, len, lines, &o->value[0], &text);
	else
		gb_text_add(&text, data, len);
	if (text.failed || join(o, &ret->changes) ||
	    gb_edit_between(data, len, text.data, text.len, &ret->edit))
		r = out_of_memory(o->err);
	else
		r = prove(&text, o, reader, &ret->changes);
	ret->changes.differs = ret->edit.cut || ret->edit.len;
	gb_text_clear(&text);
	return r;
}

int gb_bls_change(const char *data, size_t len, enum gb_bls_reader reader,
		  const struct gb_want *want, size_t wants, struct gb_bls_change *ret,
		  struct gb_err *err)
{
	struct gb_bls_lines *lines = malloc(sizeof(*lines));
	struct gb_bls_change result = { 0 };
	struct options options = { .err = err };
	int r = lines ? gb_bls_lines(data, len, lines, err) : out_of_memory(err);

	if (!r)
		r = collect(data, lines, reader, &options);
	if (!r)
		r = change(data, len, lines, reader, &options, want, wants, &result);
	options_clear(&options);
	free(lines);
	if (r)
		gb_bls_change_clear(&result);
	else
		*ret = result;
	return r;
}

void gb_bls_change_clear(struct gb_bls_change *c)
{
	gb_edit_clear(&c->edit);
	gb_changes_clear(&c->changes);
	memset(c, 0, sizeof(*c));
}
