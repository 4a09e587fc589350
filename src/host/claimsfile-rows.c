/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claimsfile-rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "footprint.h"

#define HEADER "ghost-boot claims 1"
/* Noted when a header that ended the file has got its newline from us. */
#define ENDED "\n"

static void free_row(struct gb_row *row)
{
	if (row) {
		free(row->text);
		free(row->line);
	}
	free(row);
}

static void free_note(struct gb_row_note *note)
{
	free(note->text);
	free(note->was);
}

void gb_rows_clear(struct gb_rows *rows)
{
	for (size_t i = 0; i < rows->rows; i++)
		free_row(rows->row[i]);
	for (size_t i = 0; i < rows->notes; i++)
		free_note(&rows->note[i]);
	free(rows->row);
	free(rows->note);
	*rows = (struct gb_rows){ 0 };
}

/* ---- rows ---------------------------------------------------------------------------------- */

static struct gb_row *put_row(struct gb_rows *rows, size_t at, const char *text, size_t len,
			      const struct gb_line *line)
{
	struct gb_row **more = realloc(rows->row, (rows->rows + 1) * sizeof(*more));
	struct gb_row *row = calloc(1, sizeof(*row));

	if (more)
		rows->row = more;
	if (row) {
		*row = (struct gb_row){ .text = malloc(len + 1), .len = len, .ended = true,
					.line = line ? malloc(sizeof(*line)) : NULL };
		if (row->text) {
			memcpy(row->text, text, len);
			row->text[len] = '\0';
		}
		if (row->line)
			*row->line = *line;
	}
	if (!more || !row || !row->text || (line && !row->line)) {
		free_row(row);
		rows->failed = true;
		return NULL;
	}
	memmove(more + at + 1, more + at, (rows->rows - at) * sizeof(*more));
	more[at] = row;
	rows->rows++;
	row->number = ++rows->last;
	return row;
}

static void remove_row(struct gb_rows *rows, size_t at)
{
	free_row(rows->row[at]);
	memmove(rows->row + at, rows->row + at + 1, (--rows->rows - at) * sizeof(*rows->row));
}

/* What a line says by itself; false when nothing that holds. */
static bool read_row(const char *text, struct gb_line *ret)
{
	struct gb_claims claims = { 0 };
	struct gb_text whole = { 0 };
	bool found;

	gb_text_addf(&whole, HEADER "\n%s\n", text);
	found = !whole.failed && !gb_claims_parse(whole.data, whole.len, &claims, NULL) &&
		claims.lines == 1;
	if (found)
		*ret = claims.line[0];
	gb_claims_clear(&claims);
	gb_text_clear(&whole);
	return found;
}

static void set_row(struct gb_rows *rows, struct gb_row *row, const char *text,
		    const struct gb_line *line)
{
	char *copy = strdup(text);
	struct gb_line *meant = line ? malloc(sizeof(*meant)) : NULL;

	if (!copy || (line && !meant)) {
		free(copy);
		free(meant);
		rows->failed = true;
		return;
	}
	if (meant)
		*meant = *line;
	free(row->text);
	free(row->line);
	row->text = copy;
	row->len = strlen(copy);
	row->line = meant;
}

size_t gb_rows_end(const struct gb_rows *rows)
{
	return rows->rows && !rows->row[rows->rows - 1]->ended ? rows->rows - 1 : rows->rows;
}

size_t gb_rows_index(const struct gb_rows *rows, const struct gb_row *row)
{
	size_t i = 0;

	while (i < rows->rows && rows->row[i] != row)
		i++;
	return i;
}

static bool is_text(const struct gb_row *row, const char *text)
{
	return row->len == strlen(text) && !memcmp(row->text, text, row->len);
}

/* Of lines about one path only the first holds: of two alike, ours is the one that does. */
struct gb_row *gb_rows_find(const struct gb_rows *rows, const char *text)
{
	struct gb_row *found = NULL;

	for (size_t i = rows->rows; i-- > 0;)
		if (is_text(rows->row[i], text) && (!found || (!found->line && rows->row[i]->line)))
			found = rows->row[i];
	return found;
}

/* ---- notes --------------------------------------------------------------------------------- */

static void add_note(struct gb_rows *rows, const char *text, const char *was)
{
	struct gb_row_note *more = realloc(rows->note, (rows->notes + 1) * sizeof(*more));
	struct gb_row_note note = { strdup(text), strdup(was) };

	if (more)
		rows->note = more;
	if (!more || !note.text || !note.was) {
		free_note(&note);
		rows->failed = true;
		return;
	}
	more[rows->notes++] = note;
}

static size_t find_note(const struct gb_rows *rows, const struct gb_row *row)
{
	size_t i = rows->notes;

	while (i-- > 0)
		if (is_text(row, rows->note[i].text))
			return i;
	return rows->notes;
}

static void remove_note(struct gb_rows *rows, size_t at)
{
	free_note(&rows->note[at]);
	memmove(rows->note + at, rows->note + at + 1, (--rows->notes - at) * sizeof(*rows->note));
}

bool gb_rows_is_ours(const struct gb_rows *rows, const struct gb_row *row)
{
	return find_note(rows, row) < rows->notes;
}

/* ---- changing ------------------------------------------------------------------------------ */

struct gb_row *gb_rows_insert(struct gb_rows *rows, size_t at, const char *text,
			      const struct gb_line *line)
{
	struct gb_row *row = put_row(rows, at, text, strlen(text), line);

	if (row)
		add_note(rows, text, "");
	return row;
}

void gb_rows_replace(struct gb_rows *rows, struct gb_row *row, const char *text,
		     const struct gb_line *line)
{
	size_t at = find_note(rows, row);
	char *was = strdup(at < rows->notes ? rows->note[at].was : row->text);

	if (!was) {
		rows->failed = true;
		return;
	}
	if (at < rows->notes)
		remove_note(rows, at);
	/* back to what it was before us: nothing to note */
	if (strcmp(was, text))
		add_note(rows, text, was);
	set_row(rows, row, text, line);
	free(was);
}

void gb_rows_take_back(struct gb_rows *rows, struct gb_row *row)
{
	size_t at = find_note(rows, row);
	struct gb_line line;

	if (at < rows->notes && rows->note[at].was[0])
		set_row(rows, row, rows->note[at].was,
			read_row(rows->note[at].was, &line) ? &line : NULL);
	else
		remove_row(rows, gb_rows_index(rows, row));
	if (at < rows->notes)
		remove_note(rows, at);
}

static bool is_blank(const struct gb_row *row)
{
	size_t at = 0;

	while (at < row->len && row->text[at] && strchr(" \t\r", row->text[at]))
		at++;
	return at == row->len || row->text[at] == '#';
}

/* So many rows from the first say nothing. */
static bool are_blank(const struct gb_rows *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_blank(rows->row[i]))
			return false;
	return true;
}

static bool any_claims(const struct gb_rows *rows)
{
	for (size_t i = 0; i < rows->rows; i++)
		if (rows->row[i]->line && !rows->row[i]->line->keep)
			return true;
	return false;
}

/* What is noted and found; keep lines, or all others. */
static void take_back_all(struct gb_rows *rows, bool keep)
{
	for (size_t i = rows->notes; i-- > 0 && !rows->failed;) {
		struct gb_row *row = gb_rows_find(rows, rows->note[i].text);

		if (row && (row->line && row->line->keep) == keep)
			gb_rows_take_back(rows, row);
	}
}

static size_t count_missing(const struct gb_rows *rows)
{
	size_t missing = 0;

	for (size_t i = 0; i < rows->notes; i++)
		missing += !gb_rows_find(rows, rows->note[i].text);
	return missing;
}

/* The note of a header's newline, if there is one. */
static bool take_end(struct gb_rows *rows)
{
	for (size_t i = 0; i < rows->notes; i++)
		if (!strcmp(rows->note[i].text, ENDED)) {
			remove_note(rows, i);
			return true;
		}
	return false;
}

size_t gb_rows_take_all_back(struct gb_rows *rows)
{
	const bool open = take_end(rows);
	size_t left;

	take_back_all(rows, false);
	left = count_missing(rows);
	if (!left || !any_claims(rows)) {
		take_back_all(rows, true);
		while (rows->notes && !rows->failed)
			remove_note(rows, rows->notes - 1);
	}
	if (open && rows->rows && are_blank(rows, rows->rows - 1))
		rows->row[rows->rows - 1]->ended = false;
	return left;
}

/* ---- from and to bytes --------------------------------------------------------------------- */

static void split(struct gb_rows *rows, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ? newline : end) - data);
		struct gb_row *row = put_row(rows, rows->rows, data, n, NULL);

		if (!row)
			return;
		row->ended = newline;
		data += n + 1;
	}
}

static void attach(struct gb_rows *rows, const struct gb_claims *claims)
{
	for (size_t i = 0; i < claims->lines; i++) {
		const struct gb_line *line = &claims->line[i];
		struct gb_row *row = line->number <= rows->rows ? rows->row[line->number - 1]
								: NULL;

		if (row && !row->line && !(row->line = malloc(sizeof(*line))))
			rows->failed = true;
		else if (row)
			*row->line = *line;
	}
}

/* What follows a cut header must not come behind it on its line. */
static void end_header(struct gb_rows *rows)
{
	struct gb_row *last = rows->rows ? rows->row[rows->rows - 1] : NULL;

	if (!last || last->ended || !are_blank(rows, rows->rows - 1))
		return;
	last->ended = true;
	add_note(rows, ENDED, "");
}

static void read_notes(struct gb_rows *rows, const struct gb_footprint *footprint)
{
	const struct gb_trace *trace = NULL;

	while ((trace = gb_footprint_next(footprint, GB_TRACE_LINE, GB_CLAIMS_FILE, trace)))
		add_note(rows, trace->text, trace->was);
}

int gb_rows_read(const char *data, size_t len, const struct gb_footprint *footprint,
		 struct gb_rows *ret, struct gb_err *err)
{
	struct gb_claims claims = { 0 };
	int r = 0;

	*ret = (struct gb_rows){ .made = !data };
	read_notes(ret, footprint);
	split(ret, data ? data : "", len);
	/* where no line says anything, ours may be the first that does */
	if (!ret->failed && are_blank(ret, ret->rows)) {
		end_header(ret);
		if (ret->made)
			put_row(ret, ret->rows, HEADER, strlen(HEADER), NULL);
		else
			gb_rows_insert(ret, ret->rows, HEADER, NULL);
	} else if (!ret->failed) {
		r = gb_claims_parse(data, len, &claims, err);
		ret->problems = claims.problems;
		attach(ret, &claims);
		end_header(ret);
	}
	gb_claims_clear(&claims);
	return ret->failed ? -ENOMEM : r;
}

int gb_rows_text(const struct gb_rows *rows, struct gb_text *ret)
{
	gb_text_add(ret, "", 0);
	for (size_t i = 0; i < rows->rows; i++) {
		gb_text_add(ret, rows->row[i]->text, rows->row[i]->len);
		gb_text_add(ret, "\n", rows->row[i]->ended);
	}
	return ret->failed || rows->failed ? -ENOMEM : 0;
}

int gb_rows_note(const struct gb_rows *rows, struct gb_footprint *footprint)
{
	if (rows->failed)
		return -ENOMEM;
	gb_footprint_drop(footprint, GB_TRACE_LINE, GB_CLAIMS_FILE);
	if (rows->made)
		gb_footprint_add(footprint, GB_TRACE_MADE, GB_CLAIMS_FILE, NULL, NULL);
	for (size_t i = 0; i < rows->notes; i++)
		gb_footprint_add(footprint, GB_TRACE_LINE, GB_CLAIMS_FILE, rows->note[i].text,
				 rows->note[i].was);
	return footprint->failed ? -ENOMEM : 0;
}

bool gb_rows_are_bare(const struct gb_rows *rows)
{
	return !rows->rows || (rows->rows == 1 && is_text(rows->row[0], HEADER));
}
