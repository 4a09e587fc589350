/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cmdline-state.h"
#include "json.h"
#include "table.h"
#include "text.h"

struct page {
	struct gb_table table;
	bool failed;
};

static void add_line(struct page *page, enum gb_colour colour, const char *indent,
		     const char *text)
{
	struct gb_text line = { 0 };

	gb_text_addf(&line, "%s", indent);
	gb_text_add_harmless(&line, text);
	if (line.failed)
		page->failed = true;
	else
		gb_table_line(&page->table, colour, "%s", line.data);
	gb_text_clear(&line);
}

static void add_words(struct page *page, const char *line)
{
	if (line && line[strspn(line, " \t")])
		add_line(page, GB_PLAIN, "    ", line);
	else
		add_line(page, GB_DIM, "    ", line ? "no words" : "cannot tell");
}

static void add_loader(struct page *page, const struct gb_loader *loader, bool verbose)
{
	char text[1024];

	snprintf(text, sizeof(text), "Booted by %s", loader->family == GB_FAMILY_NONE ?
		 "something that is not known" : loader->info[0] ? loader->info :
		 gb_family_name(loader->family));
	add_line(page, GB_PLAIN, "", text);
	for (size_t i = 0; i < GB_PROOFS && verbose; i++) {
		snprintf(text, sizeof(text), "%s: %s", loader->proof[i].id, loader->proof[i].text);
		add_line(page, loader->proof[i].weight ? GB_PLAIN : GB_DIM, "    ", text);
	}
	if (loader->usable)
		return;
	snprintf(text, sizeof(text), "ghost-boot can't change its command line: %s", loader->why);
	add_line(page, GB_YELLOW, "", text);
	if (loader->hint[0]) {
		snprintf(text, sizeof(text), "what helps: %s", loader->hint);
		add_line(page, GB_PLAIN, "    ", text);
	}
}

/* Entries that say the same share one line. */
static bool is_said(const struct gb_cmdline_state *s, size_t which)
{
	const struct gb_cmdline_place *place = &s->place[which];

	for (size_t i = 0; i < which; i++)
		if (!strcmp(s->place[i].kind, place->kind) && s->place[i].line && place->line &&
		    !s->place[i].left && !strcmp(s->place[i].line, place->line))
			return true;
	return false;
}

static void add_places(struct page *page, const struct gb_cmdline_state *s)
{
	for (size_t i = 0; i < s->places; i++) {
		const struct gb_cmdline_place *place = &s->place[i];

		if (place->left || (!strcmp(place->kind, "entry") && is_said(s, i)))
			continue;
		add_line(page, GB_BOLD, "", place->where);
		for (size_t k = i + 1; k < s->places && !strcmp(place->kind, "entry"); k++)
			if (!s->place[k].left && place->line && s->place[k].line &&
			    !strcmp(s->place[k].kind, "entry") &&
			    !strcmp(s->place[k].line, place->line))
				add_line(page, GB_BOLD, "", s->place[k].where);
		if (place->line)
			add_words(page, place->line);
		else
			add_line(page, GB_YELLOW, "    ", place->why);
	}
	for (size_t i = 0; i < s->places; i++)
		if (s->place[i].left) {
			char text[1024];

			snprintf(text, sizeof(text), "%s: %s", s->place[i].where, s->place[i].why);
			add_line(page, GB_DIM, "", text);
		}
}

static void add_difference(struct page *page, const struct gb_arguments *list,
			   enum gb_colour colour, const char *mark)
{
	for (size_t i = 0; i < list->arguments; i++) {
		struct gb_arguments one = { .argument = &list->argument[i], .arguments = 1,
					    .kernel = 1 };
		struct gb_text text = { 0 };

		gb_arguments_render(&one, &text);
		add_line(page, colour, mark, text.data ? text.data : "");
		page->failed |= text.failed;
		gb_text_clear(&text);
	}
}

static void add_differences(struct page *page, const struct gb_cmdline_state *s)
{
	if (s->stale.data) {
		add_line(page, GB_YELLOW, "", s->stale.data);
	}
	if (!s->next || !s->running) {
		add_line(page, GB_PLAIN, "", "What the next boot gets can't be told.");
		return;
	}
	if (!s->come.arguments && !s->go.arguments) {
		add_line(page, GB_PLAIN, "", "The next boot gets the same.");
		return;
	}
	add_line(page, GB_PLAIN, "", "The next boot differs:");
	add_difference(page, &s->come, GB_GREEN, "  + ");
	add_difference(page, &s->go, GB_RED, "  - ");
}

void gb_cmdline_print(const struct gb_cmdline_state *s, bool verbose, const struct gb_style *style,
		      struct gb_text *text)
{
	struct page page = { 0 };

	add_loader(&page, s->loader, verbose);
	add_line(&page, GB_BOLD, "", "Running now");
	add_words(&page, s->running);
	add_places(&page, s);
	if (s->loader->usable)
		add_differences(&page, s);
	gb_table_text(&page.table, style, text);
	gb_table_clear(&page.table);
	text->failed |= page.failed || s->failed;
}

/* ---- JSON -------------------------------------------------------------------------- */

static void json_loader(const struct gb_loader *loader, struct gb_json *json)
{
	static const char *const families[] = {
		[GB_FAMILY_NONE] = NULL, [GB_FAMILY_GRUB] = "grub", [GB_FAMILY_SYSTEMD] = "systemd-boot",
		[GB_FAMILY_STUB] = "firmware", [GB_FAMILY_OTHER] = "other",
	};

	gb_json_open(json, "loader", '{');
	gb_json_string(json, "family", families[loader->family]);
	gb_json_string(json, "info", loader->info[0] ? loader->info : NULL);
	gb_json_string(json, "backend", loader->backend == GB_BACKEND_UNKNOWN ? NULL :
		       gb_backend_name(loader->backend));
	gb_json_bool(json, "usable", loader->usable);
	gb_json_string(json, "why", loader->why[0] ? loader->why : NULL);
	gb_json_string(json, "hint", loader->hint[0] ? loader->hint : NULL);
	gb_json_open(json, "proofs", '[');
	for (size_t i = 0; i < GB_PROOFS; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "id", loader->proof[i].id);
		gb_json_string(json, "says", families[loader->proof[i].says]);
		gb_json_int(json, "weight", loader->proof[i].weight);
		gb_json_string(json, "text", loader->proof[i].text);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	gb_json_close(json, '}');
}

static void json_words(const struct gb_arguments *list, const char *key, bool known,
		       struct gb_json *json)
{
	if (!known) {
		gb_json_null(json, key);
		return;
	}
	gb_json_open(json, key, '[');
	for (size_t i = 0; i < list->arguments; i++) {
		struct gb_arguments one = { .argument = &list->argument[i], .arguments = 1,
					    .kernel = 1 };
		struct gb_text text = { 0 };

		gb_arguments_render(&one, &text);
		gb_json_string(json, NULL, text.data);
		json->text->failed |= text.failed;
		gb_text_clear(&text);
	}
	gb_json_close(json, ']');
}

/* An empty line is no words, and not unknown. */
static void json_line(struct gb_json *json, const char *key, const char *line)
{
	struct gb_arguments all = { 0 };

	if (line && gb_arguments_parse(line, strlen(line), &all))
		line = NULL;
	json_words(&all, key, line, json);
	gb_arguments_clear(&all);
}

void gb_cmdline_json(const struct gb_cmdline_state *s, struct gb_text *text)
{
	struct gb_json json = { .text = text, .first = true };
	const bool known = s->next && s->running;

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	json_loader(s->loader, &json);
	json_line(&json, "running", s->running);
	gb_json_open(&json, "sources", '[');
	for (size_t i = 0; i < s->places; i++) {
		const struct gb_cmdline_place *place = &s->place[i];

		gb_json_open(&json, NULL, '{');
		gb_json_string(&json, "path", place->path);
		gb_json_string(&json, "kind", place->kind);
		gb_json_string(&json, "where", place->where);
		json_line(&json, "words", place->line);
		gb_json_bool(&json, "left_alone", place->left);
		gb_json_string(&json, "why", place->why[0] ? place->why : NULL);
		gb_json_close(&json, '}');
	}
	gb_json_close(&json, ']');
	json_words(&s->come, "next_boot_adds", known, &json);
	json_words(&s->go, "next_boot_drops", known, &json);
	gb_json_string(&json, "stale", s->stale.data);
	gb_json_close(&json, '}');
	gb_text_addf(text, "\n");
	text->failed |= s->failed;
}
