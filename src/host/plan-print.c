/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "journal.h"
#include "json.h"
#include "plan.h"
#include "style.h"
#include "text.h"

#define WIDTH 80

/* A name in a sentence: what would harm a terminal is shown as \xNN. */
static void add_name(struct gb_text *text, const char *name)
{
	size_t bytes;

	for (; *name; name += bytes ? bytes : 1) {
		bytes = gb_text_character(name);
		if (bytes)
			gb_text_add(text, name, bytes);
		else
			gb_text_addf(text, "\\x%02x", (unsigned char)*name);
	}
}

static void add_argv(struct gb_text *text, char *const *argv)
{
	for (; argv && *argv; argv++) {
		const bool bare = **argv && !strpbrk(*argv, " \t\n\"'\\$`;&|<>()*?[]#~!");

		gb_text_addf(text, " %s", bare ? "" : "'");
		add_name(text, *argv);
		gb_text_addf(text, "%s", bare ? "" : "'");
	}
}

static const char *verb(const struct gb_step *step)
{
	const struct gb_touch *touch = step->touch;

	if (step->kind == GB_STEP_RUN || step->kind == GB_STEP_PUBLISH)
		return "run";
	if (step->kind == GB_STEP_BUILD)
		return "build";
	if (step->kind == GB_STEP_PLACE)
		return step->first ? "put the new" : "copy the new";
	if (step->kind == GB_STEP_REMOVE)
		return touch->before.kind == GB_FILE_FOLDER ? "remove folder" : "remove";
	if (touch->after.kind == GB_FILE_FOLDER)
		return "make folder";
	if (touch->after.kind == GB_FILE_LINK)
		return "link";
	return touch->before.kind == GB_FILE_ABSENT ? "make" : "change";
}

const char *gb_plan_program(const struct gb_step *step)
{
	char **arg = step->argv;

	if (!arg || !arg[0])
		return NULL;
	if (!strcmp(gb_text_base(arg[0]), "env"))
		for (arg++; *arg && strchr(*arg, '=');)
			arg++;
	return gb_text_base(*arg ? *arg : step->argv[0]);
}

void gb_plan_step_text(const struct gb_step *step, struct gb_text *text)
{
	gb_text_addf(text, "%s", verb(step));
	if (step->kind == GB_STEP_RUN || step->kind == GB_STEP_PUBLISH) {
		add_argv(text, step->argv);
		return;
	}
	gb_text_addf(text, " ");
	if (step->kind == GB_STEP_BUILD) {
		add_name(text, step->target ? step->target : step->touch->path);
		gb_text_addf(text, " with ");
		add_name(text, gb_plan_program(step));
		return;
	}
	if (step->kind == GB_STEP_PLACE) {
		add_name(text, step->target);
		gb_text_addf(text, step->first ? " into its place" : " to ");
		if (step->first)
			return;
	}
	add_name(text, step->touch->path);
	if (strcmp(step->touch->path, step->touch->place)) {
		gb_text_addf(text, " (a link to ");
		add_name(text, step->touch->place);
		gb_text_addf(text, ")");
	}
	if (step->touch->after.kind == GB_FILE_LINK) {
		gb_text_addf(text, " to ");
		add_name(text, step->touch->after.link);
	}
}

static bool is_shown(const struct gb_step *step)
{
	const struct gb_touch *touch = step->touch;
	const enum gb_file_kind was = touch->before.kind, is = touch->after.kind;

	/* our own records say what the other steps do, in a form that nobody reads */
	if (!strncmp(touch->path, GB_STATE "/", strlen(GB_STATE "/")))
		return false;
	if (step->kind >= GB_STEP_RUN || (was != GB_FILE_REGULAR && is != GB_FILE_REGULAR))
		return false;
	if (was == GB_FILE_REGULAR && !touch->old)
		return false;
	return is != GB_FILE_REGULAR || (step->data && gb_diff_is_text(step->data, step->len));
}

static void print_attributes(const struct gb_touch *touch, const char *indent,
			     struct gb_text *text)
{
	const struct gb_file *a = &touch->before, *b = &touch->after;

	if (a->kind != b->kind || b->fresh)
		return;
	if (a->mode != b->mode)
		gb_text_addf(text, "%smode %04o becomes %04o\n", indent, (unsigned)a->mode,
			     (unsigned)b->mode);
	if (a->uid != b->uid || a->gid != b->gid)
		gb_text_addf(text, "%sowner %u:%u becomes %u:%u\n", indent, (unsigned)a->uid,
			     (unsigned)a->gid, (unsigned)b->uid, (unsigned)b->gid);
}

/* In as many lines as it takes; a long word is never parted. */
static void print_argv(char *const *argv, const char *indent, struct gb_text *text)
{
	size_t begin = text->len;

	gb_text_addf(text, "%sby", indent);
	for (; *argv; argv++) {
		char *const one[] = { *argv, NULL };
		const size_t at = text->len;

		add_argv(text, one);
		if (text->len - begin <= WIDTH || at - begin <= strlen(indent) * 2)
			continue;
		text->len = at;
		begin = at + 1;
		gb_text_addf(text, "\n%s ", indent);
		add_argv(text, one);
	}
	gb_text_addf(text, "\n");
}

static void print_step(const struct gb_step *step, size_t number, const struct gb_style *style,
		       struct gb_text *text)
{
	const char *const indent = "    ";

	gb_text_addf(text, "%s%zu. ", gb_style_code(style, GB_BOLD), number);
	gb_plan_step_text(step, text);
	gb_text_addf(text, "%s\n%s", gb_style_code(style, GB_PLAIN), indent);
	add_name(text, step->reason);
	gb_text_addf(text, "\n");
	if (step->kind == GB_STEP_BUILD)
		print_argv(step->argv, indent, text);
	for (size_t i = 0; step->kind == GB_STEP_RUN && i < step->touches; i++) {
		gb_text_addf(text, "%s%s ", indent,
			     step->touch[i].before.kind == GB_FILE_ABSENT ? "may make"
									  : "may change");
		add_name(text, step->touch[i].path);
		gb_text_addf(text, "\n");
	}
	if (step->kind >= GB_STEP_RUN)
		return;
	print_attributes(step->touch, indent, text);
	if (is_shown(step))
		gb_diff(step->touch->old ? step->touch->old : "",
			step->touch->old ? step->touch->old_len : 0, step->data ? step->data : "",
			step->data ? step->len : 0, indent, style, text);
	else if (step->touch->before.kind == GB_FILE_REGULAR && !step->touch->old)
		gb_text_addf(text, "%s%llu bytes that are no text\n", indent,
			     (unsigned long long)step->touch->before.size);
}

void gb_plan_print(const struct gb_plan *plan, const struct gb_style *style,
		   struct gb_text *text)
{
	for (size_t i = 0; i < plan->steps; i++)
		print_step(&plan->step[i], i + 1, style, text);
}

/* ---- JSON -------------------------------------------------------------------------- */

static void json_file(struct gb_json *json, const char *key, const struct gb_file *file)
{
	static const char *const kinds[] = { "absent", "file", "link", "folder" };
	char mode[8];

	gb_json_open(json, key, '{');
	gb_json_string(json, "kind", kinds[file->kind]);
	gb_json_string(json, "sha256", file->hash[0] ? file->hash : NULL);
	if (file->kind == GB_FILE_LINK)
		gb_json_string(json, "target", file->link);
	if (file->kind != GB_FILE_ABSENT && file->kind != GB_FILE_LINK) {
		snprintf(mode, sizeof(mode), "%04o", (unsigned)file->mode);
		gb_json_string(json, "mode", mode);
	}
	if (file->kind == GB_FILE_REGULAR)
		gb_json_int(json, "size", (long long)file->size);
	gb_json_close(json, '}');
}

static void json_touch(struct gb_json *json, const struct gb_step *step,
		       const struct gb_touch *touch)
{
	gb_json_open(json, NULL, '{');
	gb_json_string(json, "path", touch->path);
	gb_json_string(json, "place", touch->place);
	json_file(json, "before", &touch->before);
	if (step->kind >= GB_STEP_RUN)
		gb_json_null(json, "after"); /* not known before it is there */
	else
		json_file(json, "after", &touch->after);
	gb_json_close(json, '}');
}

static void json_diff(struct gb_json *json, const struct gb_step *step)
{
	const struct gb_style style = { 0 };
	struct gb_text text = { 0 };

	if (is_shown(step))
		gb_diff(step->touch->old ? step->touch->old : "",
			step->touch->old ? step->touch->old_len : 0, step->data ? step->data : "",
			step->data ? step->len : 0, "", &style, &text);
	gb_json_string(json, "diff", text.data);
	gb_text_clear(&text);
}

static void json_step(struct gb_json *json, const struct gb_step *step)
{
	static const char *const kinds[] = { "write", "remove", "run", "build", "place",
					     "publish" };

	gb_json_open(json, NULL, '{');
	gb_json_string(json, "action", kinds[step->kind]);
	gb_json_string(json, "reason", step->reason);
	gb_json_open(json, "files", '[');
	for (size_t i = 0; i < step->touches; i++)
		json_touch(json, step, &step->touch[i]);
	gb_json_close(json, ']');
	if (step->kind == GB_STEP_BUILD)
		gb_json_string(json, "for", step->target);
	if (step->kind == GB_STEP_PLACE)
		gb_json_string(json, "staged", step->staged);
	if (step->argv) {
		gb_json_open(json, "argv", '[');
		for (char **arg = step->argv; *arg; arg++)
			gb_json_string(json, NULL, *arg);
		gb_json_close(json, ']');
	} else if (step->kind != GB_STEP_PLACE) {
		json_diff(json, step);
	}
	gb_json_close(json, '}');
}

void gb_plan_json(const struct gb_plan *plan, const char *key, struct gb_json *json)
{
	gb_json_open(json, key, '[');
	for (size_t i = 0; i < plan->steps; i++)
		json_step(json, &plan->step[i]);
	gb_json_close(json, ']');
}
