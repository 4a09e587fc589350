/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubscript.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "text.h"

static void drop_words(struct gb_grubscript *script)
{
	for (size_t i = 0; i < script->words; i++)
		free(script->word[i].text);
	script->words = 0;
}

void gb_grubscript_clear(struct gb_grubscript *script)
{
	drop_words(script);
	free(script->word);
	script->word = NULL;
	script->room = 0;
}

static int bad(const struct gb_grubscript *script, const char *why, struct gb_err *err)
{
	return gb_fail(err, EINVAL, "line %u: %s", script->line + 1, why);
}

static bool has(const struct gb_grubscript *script, size_t ahead)
{
	return script->at + ahead < script->len;
}

static char peek(const struct gb_grubscript *script, size_t ahead)
{
	return has(script, ahead) ? script->data[script->at + ahead] : '\n';
}

/* The next byte, which is passed. */
static char take(struct gb_grubscript *script)
{
	const char c = script->data[script->at++];

	script->line += c == '\n';
	return c;
}

/* "\" and a newline are nothing, in and between words. */
static bool pass_joint(struct gb_grubscript *script)
{
	if (!has(script, 1) || peek(script, 0) != '\\' || peek(script, 1) != '\n')
		return false;
	take(script);
	take(script);
	return true;
}

/* ---- words ------------------------------------------------------------------------------ */

static int single_quoted(struct gb_grubscript *script, struct gb_text *text, struct gb_err *err)
{
	take(script);
	while (has(script, 0) && peek(script, 0) != '\'') {
		const char c = take(script);

		gb_text_add(text, &c, 1);
	}
	if (!has(script, 0))
		return bad(script, "a quote is never closed", err);
	take(script);
	return 0;
}

/* $name, ${name}: kept as it stands. */
static int variable(struct gb_grubscript *script, struct gb_text *text, struct gb_err *err)
{
	size_t len = 1;

	if (peek(script, 1) == '{') {
		while (has(script, len) && peek(script, len) != '}' && peek(script, len) != '\n')
			len++;
		if (!has(script, len) || peek(script, len) != '}')
			return bad(script, "${ is never closed", err);
		len++;
	}
	gb_text_add(text, script->data + script->at, len);
	script->at += len;
	return 0;
}

/* A backslash takes the meaning of what follows: of anything outside of quotes, of three within
 * double ones. */
static void escaped(struct gb_grubscript *script, bool quoted, struct gb_text *text)
{
	char c = take(script);

	if (has(script, 0) && (!quoted || strchr("\"\\$", peek(script, 0))))
		c = take(script);
	gb_text_add(text, &c, 1);
}

static int double_quoted(struct gb_grubscript *script, struct gb_text *text, struct gb_err *err)
{
	int r = 0;

	take(script);
	while (!r && has(script, 0) && peek(script, 0) != '"') {
		char c = peek(script, 0);

		if (c == '$') {
			r = variable(script, text, err);
		} else if (c == '\\' && !pass_joint(script)) {
			escaped(script, true, text);
		} else if (c != '\\') {
			c = take(script);
			gb_text_add(text, &c, 1);
		}
	}
	if (!r && !has(script, 0))
		r = bad(script, "a quote is never closed", err);
	if (!r)
		take(script);
	return r;
}

/* In quotes and comments, too: for GRUB a line ends there (grub-core/script/lexer.c). */
static int check_bytes(const struct gb_grubscript *script, size_t from, struct gb_err *err)
{
	return memchr(script->data + from, '\0', script->at - from) ? bad(script, "it has a NUL byte", err)
								   : 0;
}

static bool ends_word(char c)
{
	return c && strchr(" \t\r\n;{}|&<>", c);
}

static int read_word(struct gb_grubscript *script, struct gb_grubscript_word *word,
		     struct gb_text *text, struct gb_err *err)
{
	int r = 0;

	gb_text_add(text, "", 0);
	word->at = script->at;
	while (!r && has(script, 0) && !ends_word(peek(script, 0))) {
		char c = peek(script, 0);

		if (c == '\'') {
			r = single_quoted(script, text, err);
		} else if (c == '"') {
			r = double_quoted(script, text, err);
		} else if (c == '$') {
			r = variable(script, text, err);
		} else if (c == '\\' && !pass_joint(script)) {
			escaped(script, false, text);
		} else if (c != '\\') {
			c = take(script);
			gb_text_add(text, &c, 1);
		}
	}
	word->len = script->at - word->at;
	return r ? r : check_bytes(script, word->at, err);
}

static bool make_room(struct gb_grubscript *script)
{
	const size_t room = script->room ? 2 * script->room : 16;
	struct gb_grubscript_word *all;

	if (script->words < script->room)
		return true;
	all = reallocarray(script->word, room, sizeof(*all));
	if (!all)
		return false;
	script->word = all;
	script->room = room;
	return true;
}

static int add_word(struct gb_grubscript *script, struct gb_err *err)
{
	struct gb_grubscript_word word = { 0 };
	struct gb_text text = { 0 };
	int r;

	if (!script->words)
		script->first = script->line + 1;
	r = read_word(script, &word, &text, err);
	if (!r && (text.failed || !make_room(script)))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (r) {
		gb_text_clear(&text);
		return r;
	}
	word.text = text.data;
	script->word[script->words++] = word;
	return 0;
}

/* ---- commands --------------------------------------------------------------------------- */

static void pass_blanks(struct gb_grubscript *script)
{
	while (has(script, 0))
		if (strchr(" \t\r", peek(script, 0)) && peek(script, 0))
			take(script);
		else if (!pass_joint(script))
			return;
}

static int pass_comment(struct gb_grubscript *script, struct gb_err *err)
{
	const size_t from = script->at;

	while (has(script, 0) && peek(script, 0) != '\n')
		take(script);
	return check_bytes(script, from, err);
}

/* Another command may follow these on the same line. */
static bool stands_alone(const struct gb_grubscript *script)
{
	static const char *const words[] = { "then", "do", "else" };

	for (size_t i = 0; script->words == 1 && i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(script->word[0].text, words[i]))
			return true;
	return false;
}

int gb_grubscript_next(struct gb_grubscript *script, enum gb_grubscript_end *ret,
		       struct gb_err *err)
{
	int r = 0;

	drop_words(script);
	for (*ret = GB_GRUBSCRIPT_LINE; !r;) {
		pass_blanks(script);
		if (!has(script, 0)) {
			*ret = GB_GRUBSCRIPT_OVER;
			return 0;
		}
		if (peek(script, 0) == '#') {
			r = pass_comment(script, err);
		} else if (ends_word(peek(script, 0))) {
			const char c = take(script);

			*ret = c == '{' ? GB_GRUBSCRIPT_OPEN :
			       c == '}' ? GB_GRUBSCRIPT_CLOSE : GB_GRUBSCRIPT_LINE;
			return 0;
		} else {
			r = add_word(script, err);
			if (!r && stands_alone(script))
				return 0;
		}
	}
	return r;
}

int gb_grubscript_skip(struct gb_grubscript *script, size_t *ret_at, size_t *ret_len,
		       struct gb_err *err)
{
	const size_t begin = script->at;
	const unsigned line = script->line;
	enum gb_grubscript_end end;
	unsigned depth = 1;

	while (depth) {
		int r = gb_grubscript_next(script, &end, err);

		if (r)
			return r;
		if (end == GB_GRUBSCRIPT_OVER)
			return gb_fail(err, EINVAL, "line %u: { is never closed", line + 1);
		depth += end == GB_GRUBSCRIPT_OPEN;
		depth -= end == GB_GRUBSCRIPT_CLOSE;
	}
	*ret_at = begin;
	*ret_len = script->at - 1 - begin;
	return 0;
}
