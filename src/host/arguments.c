/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* lib/ctype.c: the kernel takes Latin-1's no-break space for a blank too. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\xa0';
}

/* Where the word ends that begins at `line`. */
static size_t word_length(const char *line, size_t len, bool *ret_open)
{
	bool quoted = false;
	size_t n = 0;

	for (; n < len && (quoted || !is_blank(line[n])); n++)
		if (line[n] == '"')
			quoted = !quoted;
	*ret_open = quoted;
	return n;
}

/* As next_arg does it: a quote is taken away at the beginning of the word and of the value, and
 * then one at the word's end; others stay. */
static int split(const char *word, size_t len, struct gb_argument *ret)
{
	bool quoted = len && word[0] == '"', value_quoted = false;
	const char *equals;
	size_t name;

	word += quoted;
	len -= quoted;
	/* a '=' in first place is part of the name */
	equals = len > 1 ? memchr(word + 1, '=', len - 1) : NULL;
	name = equals ? (size_t)(equals - word) : len;
	if (equals) {
		size_t left = len - name - 1;

		value_quoted = left && equals[1] == '"';
		left -= value_quoted;
		left -= left && (value_quoted || quoted) && word[len - 1] == '"';
		ret->value = strndup(equals + 1 + value_quoted, left);
		if (!ret->value)
			return -ENOMEM;
	} else {
		name -= quoted && name && word[name - 1] == '"';
	}
	ret->name = strndup(word, name);
	return ret->name ? 0 : -ENOMEM;
}

static int append(struct gb_arguments *list, size_t *room, const char *line, size_t at, size_t len)
{
	struct gb_argument *argument;

	if (list->arguments == GB_ARGUMENTS_MAX)
		return -E2BIG;
	if (list->arguments == *room) {
		size_t more = *room ? *room * 2 : 16;

		argument = reallocarray(list->argument, more, sizeof(*argument));
		if (!argument)
			return -ENOMEM;
		list->argument = argument;
		*room = more;
	}
	argument = &list->argument[list->arguments++];
	*argument = (struct gb_argument){ .at = at, .len = len };
	return split(line + at, len, argument);
}

int gb_arguments_parse(const char *line, size_t len, struct gb_arguments *ret)
{
	struct gb_arguments list = { .end = len };
	size_t room = 0, at = 0, kernel = SIZE_MAX;
	int r = memchr(line, '\0', len) ? -EINVAL : 0;

	while (!r) {
		size_t n;

		while (at < len && is_blank(line[at]))
			at++;
		if (at == len)
			break;
		n = word_length(line + at, len - at, &list.open);
		r = append(&list, &room, line, at, n);
		/* kernel/params.c, parse_args: the name alone */
		if (!r && kernel == SIZE_MAX && !list.argument[list.arguments - 1].value &&
		    !strcmp(list.argument[list.arguments - 1].name, "--")) {
			kernel = list.arguments - 1;
			list.end = at ? at - 1 : 0; /* before the blank, so that it stays */
		}
		at += n;
	}
	if (r) {
		gb_arguments_clear(&list);
		return r;
	}
	list.kernel = kernel == SIZE_MAX ? list.arguments : kernel;
	*ret = list;
	return 0;
}

void gb_arguments_clear(struct gb_arguments *list)
{
	for (size_t i = 0; i < list->arguments; i++) {
		free(list->argument[i].name);
		free(list->argument[i].value);
	}
	free(list->argument);
	memset(list, 0, sizeof(*list));
}

bool gb_argument_equal(const struct gb_argument *a, const struct gb_argument *b)
{
	if (!gb_text_same_module(a->name, b->name) || !a->value != !b->value)
		return false;
	return !a->value || !strcmp(a->value, b->value);
}

const struct gb_argument *gb_arguments_lacking(const struct gb_arguments *whole,
					       const struct gb_arguments *part)
{
	for (size_t i = 0; i < part->kernel; i++) {
		size_t k = 0;

		while (k < whole->kernel &&
		       !gb_argument_equal(&part->argument[i], &whole->argument[k]))
			k++;
		if (k == whole->kernel)
			return &part->argument[i];
	}
	return NULL;
}

static bool has_blank(const char *text)
{
	for (; *text; text++)
		if (is_blank(*text))
			return true;
	return false;
}

static void render_one(const struct gb_argument *a, struct gb_text *ret)
{
	bool name = has_blank(a->name), value = a->value && has_blank(a->value);

	if (name || !*a->name)
		gb_text_addf(ret, "\"%s%s%s\"", a->name, a->value ? "=" : "", a->value ? a->value : "");
	else if (value)
		gb_text_addf(ret, "%s=\"%s\"", a->name, a->value);
	else
		gb_text_addf(ret, "%s%s%s", a->name, a->value ? "=" : "", a->value ? a->value : "");
}

void gb_arguments_render(const struct gb_arguments *list, struct gb_text *ret)
{
	for (size_t i = 0; i < list->arguments; i++) {
		if (i)
			gb_text_add(ret, " ", 1);
		render_one(&list->argument[i], ret);
	}
}

bool gb_argument_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-.,:=/+@%";

	return *word && !word[strspn(word, plain)];
}
