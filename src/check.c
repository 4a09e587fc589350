/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "paragraph.h"
#include "style.h"
#include "text.h"

const char *gb_mark_name(enum gb_mark mark)
{
	static const char *const names[] = { "pass", "warn", "fail", "unknown" };

	return names[mark];
}

static struct gb_check *grow(struct gb_checks *checks)
{
	if (checks->checks == checks->room) {
		size_t room = checks->room ? checks->room * 2 : 32;
		struct gb_check *more = realloc(checks->check, room * sizeof(*more));

		if (!more)
			return NULL;
		checks->check = more;
		checks->room = room;
	}
	return &checks->check[checks->checks];
}

void gb_check(struct gb_checks *checks, const char *id, enum gb_mark mark, const char *subject,
	      const char *format, ...)
{
	struct gb_check *check = grow(checks), made = { .id = id, .mark = mark };
	va_list args;

	va_start(args, format);
	if (vasprintf(&made.text, format, args) < 0)
		made.text = NULL;
	va_end(args);
	made.subject = strdup(subject);
	if (!check || !made.text || !made.subject) {
		free(made.text);
		free(made.subject);
		checks->failed = true;
		return;
	}
	*check = made;
	checks->checks++;
}

__attribute__((format(printf, 3, 0)))
static void append(struct gb_checks *checks, char **text, const char *format, va_list args)
{
	char *more, *both;

	if (vasprintf(&more, format, args) < 0) {
		checks->failed = true;
		return;
	}
	if (!*text) {
		*text = more;
		return;
	}
	if (asprintf(&both, "%s; %s", *text, more) < 0) {
		checks->failed = true;
		free(more);
		return;
	}
	free(more);
	free(*text);
	*text = both;
}

void gb_check_evidence(struct gb_checks *checks, const char *format, ...)
{
	va_list args;

	if (checks->failed || !checks->checks)
		return;
	va_start(args, format);
	append(checks, &checks->check[checks->checks - 1].evidence, format, args);
	va_end(args);
}

void gb_check_file(struct gb_checks *checks, const char *bdf, const char *name, const char *value)
{
	gb_check_evidence(checks, "/sys/bus/pci/devices/%s/%s: %s", bdf, name, value);
}

void gb_check_fix(struct gb_checks *checks, const char *format, ...)
{
	va_list args;

	if (checks->failed || !checks->checks)
		return;
	va_start(args, format);
	append(checks, &checks->check[checks->checks - 1].fix, format, args);
	va_end(args);
}

void gb_checks_clear(struct gb_checks *checks)
{
	for (size_t i = 0; i < checks->checks; i++) {
		free(checks->check[i].subject);
		free(checks->check[i].text);
		free(checks->check[i].evidence);
		free(checks->check[i].fix);
	}
	free(checks->check);
	memset(checks, 0, sizeof(*checks));
}

bool gb_checks_have(const struct gb_checks *checks, const char *id, const char *subject)
{
	for (size_t i = 0; i < checks->checks; i++)
		if (!strcmp(checks->check[i].id, id) &&
		    !strcmp(checks->check[i].subject, subject))
			return true;
	return false;
}

size_t gb_checks_count(const struct gb_checks *checks, enum gb_mark mark)
{
	size_t n = 0;

	for (size_t i = 0; i < checks->checks; i++)
		n += checks->check[i].mark == mark;
	return n;
}

/* ---- for a person ---------------------------------------------------------------------- */

#define INDENT 9 /* columns: the mark and a gap */

static void add_words(struct gb_text *ret, const struct gb_style *style, size_t at, const char *text)
{
	gb_paragraph_add(ret, style, at, INDENT + 2, text);
	gb_text_add(ret, "\n", 1);
}

static void add_check(const struct gb_check *check, const struct gb_style *style, bool all,
		      struct gb_text *ret)
{
	static const enum gb_colour colours[] = { GB_GREEN, GB_YELLOW, GB_RED, GB_CYAN };
	bool system = !strcmp(check->subject, "system"), more = all || check->mark != GB_PASS;
	const char *plain = gb_style_code(style, GB_PLAIN);
	struct gb_text text = { 0 };

	gb_text_addf(ret, "%s%-*s%s", gb_style_code(style, colours[check->mark]), INDENT,
		     gb_mark_name(check->mark), plain);
	if (!system)
		gb_text_addf(ret, "%s%s%s ", gb_style_code(style, GB_BOLD), check->subject, plain);
	gb_text_addf(&text, "%s [%s]", check->text, check->id);
	add_words(ret, style, INDENT + (system ? 0 : gb_style_width(check->subject) + 1),
		  text.failed ? check->text : text.data);
	gb_text_clear(&text);
	if (check->evidence && more) {
		gb_text_addf(ret, "%*s%s", INDENT, "", gb_style_code(style, GB_DIM));
		add_words(ret, style, INDENT, check->evidence);
		gb_text_addf(ret, "%s", plain);
	}
	if (check->fix && more) {
		gb_text_addf(ret, "%*s%s", INDENT, "", style->utf8 ? "→ " : "-> ");
		add_words(ret, style, INDENT + (style->utf8 ? 2 : 3), check->fix);
	}
}

void gb_checks_text(const struct gb_checks *checks, const struct gb_style *style, bool all,
		    struct gb_text *ret)
{
	size_t warnings = gb_checks_count(checks, GB_WARN);

	for (size_t i = 0; i < checks->checks; i++)
		add_check(&checks->check[i], style, all, ret);
	gb_text_addf(ret, "%zu passed, %zu warning%s, %zu failed, %zu unknown\n",
		     gb_checks_count(checks, GB_PASS), warnings, warnings == 1 ? "" : "s",
		     gb_checks_count(checks, GB_FAIL), gb_checks_count(checks, GB_UNKNOWN));
	if (checks->failed)
		ret->failed = true;
}

void gb_checks_json(const struct gb_checks *checks, struct gb_json *json)
{
	gb_json_open(json, "checks", '[');
	for (size_t i = 0; i < checks->checks; i++) {
		const struct gb_check *check = &checks->check[i];

		gb_json_open(json, NULL, '{');
		gb_json_string(json, "id", check->id);
		gb_json_string(json, "result", gb_mark_name(check->mark));
		gb_json_string(json, "subject", check->subject);
		gb_json_string(json, "text", check->text);
		gb_json_string(json, "evidence", check->evidence);
		gb_json_string(json, "fix", check->fix);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	if (checks->failed)
		json->text->failed = true;
}
