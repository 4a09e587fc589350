/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "style.h"
#include "text.h"

#define AROUND 3
#define LINES_MAX 2048 /* of each in the table of common lines: 8 MiB */
#define TEXT_MAX (256 << 10)

struct line {
	const char *at;
	size_t len; /* with its end, where it has one */
};

struct side {
	struct line *line;
	size_t lines;
};

/* One line of the result: ' ', '-' or '+'. */
struct edit {
	char sign;
	struct line line;
};

struct edits {
	struct edit *edit;
	size_t count;
};

bool gb_diff_is_text(const char *data, size_t len)
{
	return len <= TEXT_MAX && !memchr(data, '\0', len);
}

static bool cut_lines(const char *data, size_t len, struct side *ret)
{
	size_t room = 1;

	for (size_t i = 0; i < len; i++)
		room += data[i] == '\n';
	ret->lines = 0;
	ret->line = calloc(room, sizeof(*ret->line));
	if (!ret->line)
		return false;
	for (size_t at = 0; at < len;) {
		const char *end = memchr(data + at, '\n', len - at);
		size_t size = end ? (size_t)(end - data) + 1 - at : len - at;

		ret->line[ret->lines++] = (struct line){ data + at, size };
		at += size;
	}
	return true;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && !memcmp(a->at, b->at, a->len);
}

static void put(struct edits *to, char sign, const struct line *line, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to->edit[to->count++] = (struct edit){ sign, line[i] };
}

/* Longest common subsequence: table[i][j] of what follows old line i and new line j. */
static bool common(const struct line *a, size_t n, const struct line *b, size_t m,
		   struct edits *to)
{
	uint16_t *table;
	size_t i = 0, j = 0;

	if (n > LINES_MAX || m > LINES_MAX)
		return false;
	table = calloc((n + 1) * (m + 1), sizeof(*table));
	if (!table)
		return false;
#define T(x, y) table[(x) * (m + 1) + (y)]
	for (size_t x = n; x-- > 0;)
		for (size_t y = m; y-- > 0;)
			T(x, y) = (uint16_t)(same(&a[x], &b[y]) ? T(x + 1, y + 1) + 1
					     : T(x + 1, y) > T(x, y + 1) ? T(x + 1, y)
									 : T(x, y + 1));
	while (i < n || j < m) {
		if (i < n && j < m && same(&a[i], &b[j])) {
			put(to, ' ', &a[i++], 1);
			j++;
		} else if (i < n && (j == m || T(i + 1, j) >= T(i, j + 1))) {
			put(to, '-', &a[i++], 1);
		} else {
			put(to, '+', &b[j++], 1);
		}
	}
#undef T
	free(table);
	return true;
}

static void compare(const struct side *old, const struct side *now, struct edits *to)
{
	size_t head = 0, tail = 0, n = old->lines, m = now->lines;

	while (head < n && head < m && same(&old->line[head], &now->line[head]))
		head++;
	while (tail < n - head && tail < m - head &&
	       same(&old->line[n - 1 - tail], &now->line[m - 1 - tail]))
		tail++;
	n -= head + tail;
	m -= head + tail;
	put(to, ' ', old->line, head);
	if (!common(old->line + head, n, now->line + head, m, to)) {
		put(to, '-', old->line + head, n);
		put(to, '+', now->line + head, m);
	}
	put(to, ' ', old->line + head + n, tail);
}

static void print_line(const struct edit *edit, const char *indent, const struct gb_style *style,
		       struct gb_text *text)
{
	const enum gb_colour colour = edit->sign == '+' ? GB_GREEN : GB_RED;
	const bool whole = edit->line.len && edit->line.at[edit->line.len - 1] == '\n';
	size_t left = edit->line.len - whole, bytes;

	gb_text_addf(text, "%s%s%c", indent,
		     edit->sign == ' ' ? "" : gb_style_code(style, colour), edit->sign);
	for (const char *s = edit->line.at; left; s += bytes, left -= bytes) {
		char character[8] = "";

		/* a copy: the text need not end in a NUL */
		memcpy(character, s, left < 4 ? left : 4);
		bytes = *s == '\t' ? 1 : gb_text_character(character);
		if (bytes)
			gb_text_add(text, s, bytes);
		else
			gb_text_addf(text, "\\x%02x", (unsigned char)*s);
		bytes = bytes ? bytes : 1;
	}
	gb_text_addf(text, "%s\n", edit->sign == ' ' ? "" : gb_style_code(style, GB_PLAIN));
	if (!whole)
		gb_text_addf(text, "%s\\ No newline at end of file\n", indent);
}

/* Where the changes around `from` end: more than twice AROUND equal lines part two hunks. */
static size_t hunk_end(const struct edits *all, size_t from)
{
	size_t last = from;

	for (size_t i = from; i < all->count && i - last <= 2 * AROUND; i++)
		if (all->edit[i].sign != ' ')
			last = i;
	return last + 1;
}

static void print_range(struct gb_text *text, char sign, size_t before, size_t lines)
{
	/* diff -u counts from 1, but an empty range stands after line `before` */
	gb_text_addf(text, " %c%zu", sign, lines ? before + 1 : before);
	if (lines != 1)
		gb_text_addf(text, ",%zu", lines);
}

static void print_hunks(const struct edits *all, const char *indent, const struct gb_style *style,
			struct gb_text *text)
{
	size_t old = 0, now = 0, at = 0, first = 0;

	while (first < all->count) {
		size_t end, olds = 0, nows = 0;

		while (first < all->count && all->edit[first].sign == ' ')
			first++;
		if (first == all->count)
			return;
		end = hunk_end(all, first);
		first = first - at > AROUND ? first - AROUND : at;
		end = all->count - end > AROUND ? end + AROUND : all->count;
		old += first - at; /* all equal */
		now += first - at;
		for (size_t i = first; i < end; i++) {
			olds += all->edit[i].sign != '+';
			nows += all->edit[i].sign != '-';
		}
		gb_text_addf(text, "%s%s@@", indent, gb_style_code(style, GB_CYAN));
		print_range(text, '-', old, olds);
		print_range(text, '+', now, nows);
		gb_text_addf(text, " @@%s\n", gb_style_code(style, GB_PLAIN));
		for (size_t i = first; i < end; i++)
			print_line(&all->edit[i], indent, style, text);
		old += olds;
		now += nows;
		at = first = end;
	}
}

void gb_diff(const char *old, size_t old_len, const char *now, size_t now_len,
	     const char *indent, const struct gb_style *style, struct gb_text *text)
{
	struct side a = { 0 }, b = { 0 };
	struct edits all = { 0 };

	if (cut_lines(old, old_len, &a) && cut_lines(now, now_len, &b))
		all.edit = calloc(a.lines + b.lines + 1, sizeof(*all.edit));
	if (all.edit) {
		compare(&a, &b, &all);
		print_hunks(&all, indent, style, text);
	} else {
		text->failed = true;
	}
	free(all.edit);
	free(a.line);
	free(b.line);
}
