/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell-command.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "err.h"

#define NESTED_MAX 16

struct cursor {
	const char *data;
	size_t len, at;
	struct gb_err *err;
};

static int peek(const struct cursor *s, size_t ahead)
{
	return s->at <= s->len && ahead < s->len - s->at ? (unsigned char)s->data[s->at + ahead] : -1;
}

int gb_shell_refuse(const char *data, size_t at, const char *why, struct gb_err *err)
{
	return gb_fail(err, EINVAL, "line %u: %s", gb_shell_line(data, at), why);
}

unsigned gb_shell_line(const char *data, size_t at)
{
	unsigned line = 1;

	for (size_t i = 0; i < at; i++)
		line += data[i] == '\n';
	return line;
}

static int refuse(struct cursor *s, size_t at, const char *why)
{
	return gb_shell_refuse(s->data, at, why, s->err);
}

static int skip_single(struct cursor *s)
{
	const char *end = memchr(s->data + s->at + 1, '\'', s->len - s->at - 1);

	if (!end)
		return refuse(s, s->at, "a quote is never closed");
	s->at = (size_t)(end - s->data) + 1;
	return 0;
}

/* ${NAME:-word} inside a command: of few characters, none of which can end it otherwise. */
static int skip_braces(struct cursor *s)
{
	size_t at = s->at;

	for (s->at += 2; peek(s, 0) != '}'; s->at++)
		if (!isalnum(peek(s, 0)) && (peek(s, 0) < 0 || !strchr("_:+-?/. ", peek(s, 0))))
			return refuse(s, at, "a command in it can't be followed");
	s->at++;
	return 0;
}

static int skip_list(struct cursor *s, char close, unsigned nested);

static int skip_double(struct cursor *s, unsigned nested)
{
	size_t begin = s->at++;
	int r = 0;

	while (!r && peek(s, 0) != '"') {
		if (peek(s, 0) < 0)
			return refuse(s, begin, "a quote is never closed");
		if (peek(s, 0) == '`')
			return refuse(s, s->at, "a command in it can't be followed");
		if (peek(s, 0) == '$' && peek(s, 1) == '(')
			s->at += 2, r = skip_list(s, ')', nested + 1);
		else if (peek(s, 0) == '$' && peek(s, 1) == '{')
			r = skip_braces(s);
		else
			s->at += peek(s, 0) == '\\' && peek(s, 1) >= 0 ? 2 : 1;
	}
	s->at += !r;
	return r;
}

static bool is_reserved(const struct cursor *s)
{
	static const char *const words[] = { "if", "then", "else", "elif", "fi", "case", "esac", "for",
					     "while", "until", "do", "done", "in", "function",
					     "select", "time", "coproc", "[[", "{", "}", "!" };
	size_t n = 0;

	while (peek(s, n) >= 0 && !strchr(" \t\n;|&()<>`'\"$\\", peek(s, n)))
		n++;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == n && !memcmp(s->data + s->at, words[i], n))
			return true;
	return false;
}

static int skip_word(struct cursor *s, char close, unsigned nested)
{
	size_t begin = s->at;
	int r = 0;

	while (!r) {
		int c = peek(s, 0);

		if (c < 0 || c == close || strchr(" \t\n;|&)<>", c))
			break;
		if (c == '(' || c == '`' || (c == '\\' && peek(s, 1) < 0))
			return refuse(s, begin, "a command in it can't be followed");
		if (c == '\'')
			r = skip_single(s);
		else if (c == '"')
			r = skip_double(s, nested);
		else if (c == '$' && peek(s, 1) == '(')
			s->at += 2, r = skip_list(s, ')', nested + 1);
		else if (c == '$' && peek(s, 1) == '{')
			r = skip_braces(s);
		else
			s->at += c == '\\' ? 2 : 1;
	}
	/* what these mean between backquotes is a matter of shell and age */
	if (!r && close == '`' && (memchr(s->data + begin, '`', s->at - begin) ||
				   memchr(s->data + begin, '\\', s->at - begin)))
		r = refuse(s, begin, "a command in it can't be followed");
	return r;
}

/* At < or >, with the number before it passed. */
static int skip_redirection(struct cursor *s, char close, unsigned nested)
{
	size_t begin = s->at, word;
	int r;

	s->at += peek(s, 0) == '>' && peek(s, 1) == '>' ? 2 : 1;
	s->at += peek(s, 0) == '&';
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t')
		s->at++;
	word = s->at;
	r = skip_word(s, close, nested);
	return !r && s->at == word ? refuse(s, begin, "a command in it can't be followed") : r;
}

/* Simple commands and ( lists ) with ; | || && between them, to behind `close`. Anything else is
 * refused, for a file with an error of syntax anywhere sets nothing at all. */
static int skip_list(struct cursor *s, char close, unsigned nested)
{
	bool command = false, group = false, due = false; /* begun, in ( ), owed to an operator */
	size_t begin = s->at;
	int r = nested > NESTED_MAX ? refuse(s, begin, "commands nested too deeply") : 0;

	while (!r) {
		int c = peek(s, 0);
		size_t digits = 0;

		while (peek(s, digits) >= '0' && peek(s, digits) <= '9')
			digits++;
		if (c < 0)
			return refuse(s, begin, "a command in it is never closed");
		if (c == close && !due)
			break;
		if (c == ' ' || c == '\t' || (c == '\n' && !command)) {
			s->at++;
		} else if (c == '(' && !command) {
			s->at++;
			r = skip_list(s, ')', nested + 1);
			command = group = true;
			due = false;
		} else if (command && (c == ';' || c == '\n')) {
			s->at++;
			command = group = false;
		} else if (command && (c == '|' || (c == '&' && peek(s, 1) == '&'))) {
			s->at += peek(s, 1) == c ? 2 : 1;
			command = group = false;
			due = true;
		} else if (strchr("();|&#`", c)) {
			r = refuse(s, s->at, "a command in it can't be followed");
		} else if (peek(s, digits) == '<' || peek(s, digits) == '>') {
			s->at += digits;
			r = command ? skip_redirection(s, close, nested) :
				      refuse(s, s->at, "a command in it can't be followed");
		} else if (group || (!command && is_reserved(s))) {
			r = refuse(s, s->at, "a command in it can't be followed");
		} else {
			r = skip_word(s, close, nested);
			command = true;
			due = false;
		}
	}
	s->at += !r;
	return r;
}

int gb_shell_skip_command(const char *data, size_t len, size_t *at, bool quoted,
			  struct gb_err *err)
{
	struct cursor s = { data, len, *at, err };
	bool back = peek(&s, 0) == '`';
	int r;

	if (!back && peek(&s, 2) == '(')
		return refuse(&s, *at, "arithmetic can't be followed");
	s.at += back ? 1 : 2;
	r = skip_list(&s, back ? '`' : ')', 0);
	if (!r && back && quoted && memchr(data + *at, '"', s.at - *at))
		r = refuse(&s, *at, "a command in it can't be followed");
	if (!r)
		*at = s.at;
	return r;
}
