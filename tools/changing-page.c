/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changing.h"

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "command.h"
#include "json.h"
#include "plan.h"

#define MIB (1 << 20)

static void json_rooms(const struct gb_changing *c, struct gb_json *json)
{
	gb_json_open(json, "space", '[');
	for (size_t i = 0; i < c->rooms; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "path", c->room[i].path);
		gb_json_int(json, "needed", (long long)c->room[i].needed);
		gb_json_int(json, "free", (long long)c->room[i].there);
		gb_json_bool(json, "read_only", c->room[i].read_only);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void json_part(struct gb_json *json, const char *key, const char *from, const char *end)
{
	struct gb_text text = { 0 };

	gb_text_add(&text, from, (size_t)(end - from));
	gb_json_string(json, key, text.data);
	gb_text_clear(&text);
}

static void json_left(const struct gb_changing *c, struct gb_json *json)
{
	const char *line = c->options->left ? c->options->left : "";

	gb_json_open(json, "left_alone", '[');
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		const char *why = memmem(line, (size_t)(end - line), ": ", 2);

		if (!why)
			continue;
		gb_json_open(json, NULL, '{');
		json_part(json, "path", line, why);
		json_part(json, "reason", why + 2, end);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

int gb_changing_json(struct gb_changing *c, const char *result, int code)
{
	struct gb_text text = { 0 };
	struct gb_json json = { .text = &text, .first = true };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	if (c->options->more)
		c->options->more(c->options->ctx, &json);
	gb_json_string(&json, "reason", c->plan->reason);
	gb_plan_json(c->plan, "steps", &json);
	json_left(c, &json);
	json_rooms(c, &json);
	gb_json_string(&json, "result", result);
	gb_json_string(&json, "error", c->err.text[0] ? c->err.text : NULL);
	gb_json_string(&json, "differences", c->details.data);
	gb_json_close(&json, '}');
	gb_text_addf(&text, "\n");
	code = gb_command_print(c->context, &text, code);
	gb_text_clear(&text);
	return code;
}

static void add_size(struct gb_text *text, uint64_t bytes, bool up)
{
	gb_text_addf(text, "%llu MiB", (unsigned long long)((bytes + (up ? MIB - 1 : 0)) / MIB));
}

static void add_rooms(const struct gb_changing *c, struct gb_text *text)
{
	gb_text_addf(text, "Space while it is made:\n");
	for (size_t i = 0; i < c->rooms; i++) {
		const struct gb_room *room = &c->room[i];

		gb_text_addf(text, "    %s: ", room->path);
		add_size(text, room->needed, true);
		gb_text_addf(text, " needed, ");
		add_size(text, room->there, false);
		gb_text_addf(text, " free%s\n", room->read_only ? ", but mounted read-only" : "");
	}
}

static void add_left(const struct gb_changing *c, struct gb_text *text)
{
	const char *line = c->options->left ? c->options->left : "";

	if (*line)
		gb_text_addf(text, "Left alone:\n");
	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		gb_text_addf(text, "    %.*s\n", (int)(end - line), line);
}

int gb_changing_page(struct gb_changing *c)
{
	struct gb_text text = { 0 };
	int code;

	gb_plan_print(c->plan, &c->style, &text);
	add_left(c, &text);
	add_rooms(c, &text);
	code = gb_command_print(c->context, &text, GB_EXIT_DONE);
	gb_text_clear(&text);
	return code;
}
