/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claimsfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claimsfile-rows.h"
#include "err.h"

void gb_claims_text_clear(struct gb_claims_text *text)
{
	for (size_t i = 0; text->wished && i < text->wishes; i++)
		free(text->wished[i].was);
	free(text->wished);
	gb_text_clear(&text->text);
	*text = (struct gb_claims_text){ 0 };
}

/* ---- one wish ----------------------------------------------------------------------------- */

static bool same_place(const struct gb_line *a, const struct gb_line *b)
{
	return gb_path_equal(&a->path, &b->path) &&
	       (!a->host[0] || !b->host[0] || !strcmp(a->host, b->host));
}

static struct gb_row *find(const struct gb_rows *rows, const struct gb_line *line, bool keep)
{
	for (size_t i = 0; i < rows->rows; i++)
		if (rows->row[i]->line && rows->row[i]->line->keep == keep &&
		    same_place(rows->row[i]->line, line))
			return rows->row[i];
	return NULL;
}

/* Where another line of that card goes, or any other: behind the last one like it. */
static size_t place_of(const struct gb_rows *rows, const struct gb_line *line)
{
	for (size_t i = rows->rows; i-- > 0;)
		if (rows->row[i]->line && !rows->row[i]->line->keep && !line->keep &&
		    gb_path_same_slot(&rows->row[i]->line->path, &line->path))
			return i + 1;
	return gb_rows_end(rows);
}

static void put_title(struct gb_rows *rows, const struct gb_wish *wish, size_t at)
{
	struct gb_text text = { 0 };

	if (!wish->title)
		return;
	gb_text_addf(&text, "# %s", wish->title);
	if (text.data && !gb_rows_find(rows, text.data))
		gb_rows_insert(rows, at, text.data, NULL);
	rows->failed |= text.failed;
	gb_text_clear(&text);
}

static void finish(struct gb_wished *ret, enum gb_wish_done done, const struct gb_row *row)
{
	ret->done = done;
	ret->line = row ? row->number : 0; /* its place is known at the end */
}

static struct gb_row *add(struct gb_rows *rows, const struct gb_wish *wish)
{
	size_t at = place_of(rows, &wish->line);
	struct gb_text text = { 0 };
	struct gb_row *row = NULL;

	gb_claimsfile_line(&wish->line, &text);
	if (text.data) {
		if (at == gb_rows_end(rows))
			put_title(rows, wish, at);
		at = place_of(rows, &wish->line);
		row = gb_rows_insert(rows, at, text.data, &wish->line);
	}
	rows->failed |= text.failed;
	gb_text_clear(&text);
	return row;
}

/* The row gets the wish's line; says what it was. */
static void replace(struct gb_rows *rows, struct gb_row *row, const struct gb_wish *wish,
		    struct gb_text *text, struct gb_wished *ret)
{
	bool same = gb_identity_match(&row->line->id, &wish->line.id);

	ret->was = strndup(row->text, row->len);
	rows->failed |= !ret->was;
	if (text->data)
		gb_rows_replace(rows, row, text->data, &wish->line);
	rows->failed |= text->failed;
	gb_text_clear(text);
	finish(ret, same ? GB_WISH_CHANGED : GB_WISH_EXCHANGED, row);
}

static void replace_all(struct gb_rows *rows, struct gb_row *row, const struct gb_wish *wish,
			struct gb_wished *ret)
{
	struct gb_text text = { 0 };

	gb_claimsfile_line(&wish->line, &text);
	if (wish->mode == GB_WISH_CLAIM)
		put_title(rows, wish, gb_rows_index(rows, row));
	replace(rows, row, wish, &text, ret);
}

static void wish_allowed(struct gb_rows *rows, struct gb_row *row, const struct gb_wish *wish,
			 struct gb_wished *ret)
{
	unsigned more = wish->line.allow & ~row->line->allow;
	struct gb_wish merged = *wish;
	struct gb_text text = { 0 };

	if (!more) {
		finish(ret, GB_WISH_SO, row);
		return;
	}
	merged.line.allow |= row->line->allow;
	gb_claimsfile_allow(row->text, row->len, more, &text);
	replace(rows, row, &merged, &text, ret);
}

/* A file that claims and keeps the same path keeps it (src/resolve). */
static void retire_keep(struct gb_rows *rows, struct gb_row *keep)
{
	struct gb_text text = { 0 };

	gb_text_addf(&text, "# ghost-boot: %.*s", (int)keep->len, keep->text);
	if (text.data)
		gb_rows_replace(rows, keep, text.data, NULL);
	rows->failed |= text.failed;
	gb_text_clear(&text);
}

static void wish_claim(struct gb_rows *rows, const struct gb_wish *wish, struct gb_wished *ret)
{
	struct gb_row *claim = find(rows, &wish->line, false);
	struct gb_row *keep = find(rows, &wish->line, true);

	if (claim && keep)
		retire_keep(rows, keep);
	if (claim && gb_identity_match(&claim->line->id, &wish->line.id))
		wish_allowed(rows, claim, wish, ret);
	else if (claim || keep)
		replace_all(rows, claim ? claim : keep, wish, ret);
	else
		finish(ret, GB_WISH_ADDED, add(rows, wish));
}

static void wish_keep(struct gb_rows *rows, const struct gb_wish *wish, struct gb_wished *ret)
{
	struct gb_row *claim = find(rows, &wish->line, false);
	struct gb_row *keep = find(rows, &wish->line, true);

	if (claim && gb_identity_match(&claim->line->id, &wish->line.id))
		finish(ret, GB_WISH_SO, claim);
	else if (!keep)
		finish(ret, GB_WISH_ADDED, add(rows, wish));
	else if (gb_identity_match(&keep->line->id, &wish->line.id))
		finish(ret, GB_WISH_SO, keep);
	else
		replace_all(rows, keep, wish, ret);
}

/* Our comment, when no claim follows it any more. */
static void drop_title(struct gb_rows *rows, size_t at)
{
	struct gb_row *title = at ? rows->row[at - 1] : NULL;

	if (at < rows->rows && rows->row[at]->line && !rows->row[at]->line->keep)
		return;
	if (title && title->len && title->text[0] == '#' && gb_rows_is_ours(rows, title))
		gb_rows_take_back(rows, title);
}

static void wish_free(struct gb_rows *rows, const struct gb_wish *wish, struct gb_wished *ret)
{
	struct gb_row *claim = find(rows, &wish->line, false);
	size_t at;

	if (!claim) {
		finish(ret, GB_WISH_SO, NULL);
		return;
	}
	at = gb_rows_index(rows, claim);
	ret->was = strndup(claim->text, claim->len);
	rows->failed |= !ret->was;
	finish(ret, GB_WISH_REMOVED, claim);
	gb_rows_take_back(rows, claim);
	drop_title(rows, at);
}

/* ---- the proof ---------------------------------------------------------------------------- */

static const struct gb_line *parsed(const struct gb_claims *claims, const struct gb_line *line,
				    bool keep)
{
	for (size_t i = 0; i < claims->lines; i++)
		if (claims->line[i].keep == keep && same_place(&claims->line[i], line))
			return &claims->line[i];
	return NULL;
}

static bool fulfilled(const struct gb_claims *claims, const struct gb_wish *wish)
{
	const struct gb_line *claim = parsed(claims, &wish->line, false);
	const struct gb_line *keep = parsed(claims, &wish->line, true);

	switch (wish->mode) {
	case GB_WISH_CLAIM:
		return claim && !keep && gb_identity_match(&claim->id, &wish->line.id) &&
		       !(wish->line.allow & ~claim->allow);
	case GB_WISH_KEEP:
		return (claim && gb_identity_match(&claim->id, &wish->line.id)) ||
		       (keep && gb_identity_match(&keep->id, &wish->line.id));
	case GB_WISH_FREE:
		return !claim;
	}
	return false;
}

/* Reads what was made: all lines that stood, and the wishes. */
static int prove(const struct gb_rows *rows, const struct gb_text *text,
		 const struct gb_wish *wish, size_t wishes, size_t problems, struct gb_err *err)
{
	struct gb_claims claims;
	size_t lines = 0;
	int r = gb_claims_parse(text->data, text->len, &claims, err);

	for (size_t i = 0; i < rows->rows; i++)
		lines += rows->row[i]->line != NULL;
	if (!r && text->len > GB_CLAIMS_SIZE_MAX)
		r = gb_fail(err, EINVAL, "it would be larger than %u bytes", GB_CLAIMS_SIZE_MAX);
	if (!r && (claims.problems > problems || claims.lines < lines))
		r = gb_fail(err, EINVAL, "it would not be read: %s",
			    claims.problems ? claims.problem[0].text : "a line is lost");
	for (size_t i = 0; !r && i < wishes; i++)
		if (!fulfilled(&claims, &wish[i]))
			r = gb_fail(err, EINVAL, "another line there is about the same path: "
				    "write it by hand");
	gb_claims_clear(&claims);
	return r;
}

/* ---- all ---------------------------------------------------------------------------------- */

static void number(const struct gb_rows *rows, struct gb_claims_text *ret)
{
	for (size_t i = 0; i < ret->wishes; i++) {
		struct gb_wished *wished = &ret->wished[i];

		for (size_t k = 0; wished->done != GB_WISH_REMOVED && k < rows->rows; k++)
			if (rows->row[k]->number == wished->line) {
				wished->line = (unsigned)k + 1;
				break;
			}
	}
}

static int fail(int r, struct gb_claims_text *ret, struct gb_err *err)
{
	if (r == -ENOMEM)
		gb_fail(err, ENOMEM, "out of memory");
	else
		gb_wrap(err, GB_CLAIMS_FILE);
	gb_claims_text_clear(ret);
	return r;
}

int gb_claimsfile_change(const char *data, size_t len, const struct gb_wish *wish, size_t wishes,
			 struct gb_footprint *footprint, struct gb_claims_text *ret,
			 struct gb_err *err)
{
	struct gb_rows rows;
	int r = gb_rows_read(data, len, footprint, &rows, err);

	*ret = (struct gb_claims_text){ .wished = calloc(wishes + 1, sizeof(*ret->wished)),
					.wishes = wishes };
	if (!r && !ret->wished)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < wishes; i++)
		if (wish[i].mode == GB_WISH_FREE)
			wish_free(&rows, &wish[i], &ret->wished[i]);
		else if (wish[i].mode == GB_WISH_CLAIM)
			wish_claim(&rows, &wish[i], &ret->wished[i]);
		else
			wish_keep(&rows, &wish[i], &ret->wished[i]);
	if (!r)
		r = gb_rows_text(&rows, &ret->text);
	if (!r)
		r = prove(&rows, &ret->text, wish, wishes, rows.problems, err);
	if (!r)
		r = gb_rows_note(&rows, footprint);
	if (!r) {
		number(&rows, ret);
		ret->bare = gb_rows_are_bare(&rows);
		ret->differs = !data || ret->text.len != len ||
			       memcmp(ret->text.data, data, len);
	}
	gb_rows_clear(&rows);
	return r ? fail(r, ret, err) : 0;
}

int gb_claimsfile_restore(const char *data, size_t len, struct gb_footprint *footprint,
			  struct gb_claims_text *ret, size_t *ret_left, struct gb_err *err)
{
	struct gb_rows rows;
	size_t left;
	int r = gb_rows_read(data, len, footprint, &rows, err);

	*ret = (struct gb_claims_text){ 0 };
	left = r ? 0 : gb_rows_take_all_back(&rows);
	if (!r)
		r = gb_rows_text(&rows, &ret->text);
	if (!r)
		r = gb_rows_note(&rows, footprint);
	if (!r) {
		*ret_left = left;
		ret->bare = gb_rows_are_bare(&rows);
		ret->differs = ret->text.len != len ||
			       (len && memcmp(ret->text.data, data, len));
	}
	gb_rows_clear(&rows);
	return r ? fail(r, ret, err) : 0;
}
