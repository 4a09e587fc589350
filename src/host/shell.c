/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "shell-command.h"
#include "text.h"

struct shell {
	const char *data;
	size_t len, at;
	const struct gb_shell_reader *reader;
	struct gb_shell_assignment *now;
	size_t room;
	bool exported; /* the word is a command's argument: other rules than an assignment's */
	struct gb_err *err;
};

static int peek(const struct shell *s, size_t ahead)
{
	return s->at <= s->len && ahead < s->len - s->at ? (unsigned char)s->data[s->at + ahead] : -1;
}

static int refuse(struct shell *s, size_t at, const char *why)
{
	return gb_shell_refuse(s->data, at, why, s->err);
}

static bool is_name(int c, bool first)
{
	return c == '_' || (c > 0 && c < 0x80 && (first ? isalpha(c) : isalnum(c)));
}

/* Bytes of the name that begins `ahead` of here. */
static size_t name_length(const struct shell *s, size_t ahead)
{
	size_t n = 0;

	while (is_name(peek(s, ahead + n), !n))
		n++;
	return n;
}

/* A backslash at the end of a line joins it with the next, except in comments and single quotes. */
static bool is_joint(const struct shell *s, size_t ahead)
{
	return peek(s, ahead) == '\\' && peek(s, ahead + 1) == '\n';
}

/* ---- the value ----------------------------------------------------------------------- */

static int add(struct shell *s, char byte, size_t at, enum gb_quote quote, bool expanded)
{
	struct gb_shell_assignment *a = s->now;

	if (a->bytes == GB_SHELL_VALUE_MAX)
		return refuse(s, at, "the value is too long");
	if (a->bytes == s->room) {
		size_t room = s->room ? s->room * 2 : 128;
		struct gb_shell_byte *byte_room = reallocarray(a->byte, room, sizeof(*byte_room));

		if (!byte_room)
			return gb_fail(s->err, ENOMEM, "out of memory");
		a->byte = byte_room;
		s->room = room;
	}
	a->byte[a->bytes++] = (struct gb_shell_byte){ byte, expanded, (unsigned char)quote, at,
						      s->at };
	return 0;
}

/* The byte here, alone. */
static int add_one(struct shell *s, enum gb_quote quote)
{
	size_t at = s->at++;

	return add(s, s->data[at], at, quote, false);
}

static int add_variable(struct shell *s, const char *name, size_t name_len, size_t at,
			enum gb_quote quote)
{
	char key[sizeof(s->now->name)];
	const char *value;
	size_t len = 0;
	int r = 0;

	if (name_len >= sizeof(key))
		return refuse(s, at, "the variable's name is too long");
	memcpy(key, name, name_len);
	key[name_len] = '\0';
	value = s->reader->get(s->reader->ctx, key, &len);
	if (!value)
		s->now->unknown = "it holds a variable whose value can't be told";
	for (size_t i = 0; value && i < len && !r; i++)
		r = add(s, value[i], at, quote, true);
	return r;
}

static int pass_over(struct shell *s, enum gb_quote quote)
{
	s->now->unknown = "it holds the output of a command";
	return gb_shell_skip_command(s->data, s->len, &s->at, quote == GB_QUOTE_DOUBLE, s->err);
}

/* At a dollar sign. */
static int read_dollar(struct shell *s, enum gb_quote quote)
{
	size_t at = s->at, brace = peek(s, 1) == '{', n = name_length(s, 1 + brace);
	int c = peek(s, 1);

	if (s->exported && quote == GB_QUOTE_NONE)
		return refuse(s, at, "an exported value needs quotes around what it expands");
	if (c == '(')
		return pass_over(s, quote);
	if (is_joint(s, 1) || is_joint(s, 1 + brace + n) || c == '[' ||
	    (quote == GB_QUOTE_NONE && (c == '\'' || c == '"')))
		return refuse(s, at, "shells do not agree on what follows this dollar sign");
	if (brace && (!n || peek(s, 2 + n) != '}'))
		return refuse(s, at, "only ${NAME} is understood, nothing else in braces");
	if (n) {
		s->at += 1 + n + 2 * brace;
		return add_variable(s, s->data + at + 1 + brace, n, at, quote);
	}
	if (c > 0 && (isdigit(c) || strchr("@*#?$!-", c))) {
		s->now->unknown = "it holds one of the shell's own variables";
		s->at += 2;
		return 0;
	}
	return add_one(s, quote);
}

static void enter(struct shell *s, enum gb_quote quote)
{
	if (!s->now->bytes && s->now->first_quote == GB_QUOTE_NONE) {
		s->now->first = s->at;
		s->now->first_quote = (unsigned char)quote;
	}
}

static int read_single(struct shell *s)
{
	size_t begin = s->at++;
	int r = 0;

	enter(s, GB_QUOTE_SINGLE);
	while (!r && peek(s, 0) != '\'') {
		if (peek(s, 0) < 0)
			return refuse(s, begin, "a quote is never closed");
		r = add_one(s, GB_QUOTE_SINGLE);
	}
	s->at += !r;
	return r;
}

static int read_double(struct shell *s)
{
	size_t begin = s->at++;
	int r = 0;

	enter(s, GB_QUOTE_DOUBLE);
	while (!r && peek(s, 0) != '"') {
		int c = peek(s, 0), next = peek(s, 1);

		if (c < 0)
			return refuse(s, begin, "a quote is never closed");
		if (c == '$') {
			r = read_dollar(s, GB_QUOTE_DOUBLE);
		} else if (c == '`') {
			r = pass_over(s, GB_QUOTE_DOUBLE);
		} else if (is_joint(s, 0)) {
			s->at += 2;
		} else if (c == '\\' && next > 0 && strchr("$`\"\\", next)) {
			s->at += 2;
			r = add(s, (char)next, s->at - 2, GB_QUOTE_DOUBLE, false);
		} else {
			r = add_one(s, GB_QUOTE_DOUBLE);
		}
	}
	s->at += !r;
	return r;
}

static int read_escape(struct shell *s)
{
	int next = peek(s, 1);

	if (next < 0)
		return refuse(s, s->at, "the file ends with a backslash");
	s->at += 2;
	return next == '\n' ? 0 : add(s, (char)next, s->at - 2, GB_QUOTE_NONE, false);
}

static int read_value(struct shell *s)
{
	int r = 0;

	s->now->value = s->now->first = s->at;
	while (!r) {
		int c = peek(s, 0);

		if (c < 0 || strchr(" \t\n;", c))
			break;
		if (strchr("()<>|&~", c))
			r = refuse(s, s->at, c == '~' ? "a home folder's sign is not understood" :
					     "only assignments are understood here");
		else if (s->exported && strchr("*?[{", c))
			r = refuse(s, s->at, "an exported value needs quotes around patterns");
		else if (c == '\'')
			r = read_single(s);
		else if (c == '"')
			r = read_double(s);
		else if (c == '\\')
			r = read_escape(s);
		else if (c == '$')
			r = read_dollar(s, GB_QUOTE_NONE);
		else if (c == '`')
			r = s->exported ? refuse(s, s->at, "an exported value needs quotes around "
						 "a command") : pass_over(s, GB_QUOTE_NONE);
		else
			r = add_one(s, GB_QUOTE_NONE);
	}
	s->now->end = s->at;
	return r;
}

/* ---- statements ---------------------------------------------------------------------- */

/* Setting these fails, or does something, in one shell or the other. */
static bool is_special(const char *name)
{
	static const char *const names[] = {
		"PPID", "UID", "EUID", "SHELLOPTS", "BASHOPTS", "RANDOM", "SRANDOM", "SECONDS",
		"LINENO", "FUNCNAME", "GROUPS", "DIRSTACK", "HISTCMD", "OPTIND", "PIPESTATUS", "_",
		"POSIXLY_CORRECT", "HISTSIZE",
	};

	if (!strncmp(name, "BASH", 4) || !strncmp(name, "EPOCH", 5) || !strncmp(name, "COMP_", 5) ||
	    !strncmp(name, "LC_", 3) || !strcmp(name, "LANG"))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* At a name of `n` bytes: NAME=value, or only NAME when `unset`. */
static int read_assignment(struct shell *s, size_t n, bool unset)
{
	struct gb_shell_assignment a = { .at = s->at, .unset = unset };
	int r;

	a.line = gb_shell_line(s->data, s->at);
	if (n >= sizeof(a.name))
		return refuse(s, s->at, "the variable's name is too long");
	memcpy(a.name, s->data + s->at, n);
	if (is_special(a.name))
		return gb_fail(s->err, EINVAL, "line %u: %s is a variable of the shell's own", a.line,
			       a.name);
	s->now = &a; /* cppcheck-suppress autoVariables */
	s->room = 0;
	s->at += n + !unset;
	r = unset ? 0 : read_value(s);
	if (!r)
		r = s->reader->take(s->reader->ctx, &a);
	free(a.byte);
	return r;
}

static void skip_blanks(struct shell *s)
{
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t' || is_joint(s, 0))
		s->at += is_joint(s, 0) ? 2 : 1;
}

/* Where a command has its end; a comment counts as one. */
static bool at_end(const struct shell *s)
{
	int c = peek(s, 0);

	return c < 0 || c == '\n' || c == ';' || c == '#';
}

/* Behind "export" or "unset". */
static int read_names(struct shell *s, bool unset)
{
	int r = 0;

	for (skip_blanks(s); !r && !at_end(s); skip_blanks(s)) {
		size_t n = name_length(s, 0);
		int c = peek(s, n);

		if (n && !unset && c == '=')
			r = read_assignment(s, n, false);
		else if (!n || (c >= 0 && !strchr(" \t\n;", c) && !is_joint(s, n)))
			r = refuse(s, s->at, "only names are understood here");
		else if (is_joint(s, n))
			r = refuse(s, s->at, "a name goes on in the next line");
		else if (unset)
			r = read_assignment(s, n, true);
		else
			s->at += n;
	}
	return r;
}

static bool is_word(const struct shell *s, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(s->data + s->at, word, n);
}

static int refuse_command(struct shell *s, size_t n)
{
	static const char *const compound[] = { "if", "for", "while", "until", "case", "function",
						"select", "then", "else", "fi", "do", "done", "esac" };
	char name[32] = "";

	for (size_t i = 0; i < sizeof(compound) / sizeof(*compound); i++)
		if (is_word(s, n, compound[i]))
			return gb_fail(s->err, EINVAL, "line %u: \"%s\" is not understood, only "
				       "assignments are", gb_shell_line(s->data, s->at), compound[i]);
	if (peek(s, n) == '+' && peek(s, n + 1) == '=')
		return refuse(s, s->at, "+= is no assignment in every shell");
	if (peek(s, n) == '(' && n)
		return refuse(s, s->at, "functions are not understood, only assignments are");
	if (peek(s, n) == '[' && n)
		return refuse(s, s->at, "arrays are not understood, only assignments are");
	if (is_word(s, n, "source") || (peek(s, 0) == '.' && strchr(" \t", peek(s, 1))))
		return refuse(s, s->at, "another file is read here, which is not followed");
	if (n && n < sizeof(name)) {
		memcpy(name, s->data + s->at, n);
		return gb_fail(s->err, EINVAL, "line %u: the command \"%s\" is not understood, only "
			       "assignments are", gb_shell_line(s->data, s->at), name);
	}
	return refuse(s, s->at, "only assignments are understood");
}

/* Assignments, one behind the other, up to the command's end. */
static int read_statement(struct shell *s)
{
	bool first = true;
	int r = 0;

	for (; !r && !at_end(s); skip_blanks(s), first = false) {
		size_t n = name_length(s, 0);
		int c = peek(s, n);

		s->exported = false;
		if (n && c == '=') {
			r = read_assignment(s, n, false);
		} else if (first && (is_word(s, n, "export") || is_word(s, n, "unset")) &&
			   (c < 0 || strchr(" \t\n;", c))) {
			bool unset = is_word(s, n, "unset");

			s->at += n;
			s->exported = true;
			return at_end(s) ? refuse(s, s->at, "a name is missing") : read_names(s, unset);
		} else {
			r = refuse_command(s, n);
		}
	}
	return r;
}

/* Carriage returns are part of the value for a shell, and people never mean that. */
static int check_bytes(struct shell *s)
{
	bool comment = false, begin = true;

	for (size_t i = 0; i < s->len; i++) {
		char c = s->data[i];

		if (!c)
			return refuse(s, i, "a NUL byte");
		comment = c == '\n' ? false : comment || (begin && c == '#');
		begin = c == '\n' || (begin && (c == ' ' || c == '\t'));
		if (c == '\r' && !comment)
			return refuse(s, i, "a carriage return, as DOS ends lines, would become part "
				      "of the value; take it out with: sed -i 's/\\r$//' FILE");
	}
	return 0;
}

int gb_shell_read(const char *data, size_t len, const struct gb_shell_reader *reader,
		  struct gb_err *err)
{
	struct shell s = { .data = data, .len = len, .reader = reader, .err = err };
	int r = check_bytes(&s);

	while (!r) {
		skip_blanks(&s);
		if (peek(&s, 0) == '#')
			while (peek(&s, 0) >= 0 && peek(&s, 0) != '\n')
				s.at++;
		if (peek(&s, 0) < 0)
			break;
		if (peek(&s, 0) == '\n') {
			s.at++;
			continue;
		}
		if (peek(&s, 0) == ';')
			return refuse(&s, s.at, "only assignments are understood");
		r = read_statement(&s);
		if (!r && peek(&s, 0) == ';')
			s.at++;
	}
	return r;
}

bool gb_shell_quote(const char *data, size_t len, enum gb_quote quote, struct gb_text *ret)
{
	static const char plain[] = "_-.,:=/+@%";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (!c || c == '\n' || c == '\r' || (quote == GB_QUOTE_SINGLE && c == '\''))
			return false;
		if (quote == GB_QUOTE_DOUBLE ? !!strchr("$`\"\\", c) :
		    quote == GB_QUOTE_NONE && c < 0x80 && !isalnum(c) && !strchr(plain, c))
			gb_text_add(ret, "\\", 1);
		gb_text_add(ret, data + i, 1);
	}
	return true;
}
