/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "grubmenu.h"
#include "grubscript.h"
#include "text.h"

void gb_grubmenu_item_clear(struct gb_grubmenu_item *item)
{
	free(item->title);
	free(item->id);
	free(item->options);
	free(item->body);
}

bool gb_grubmenu_is_ours(const struct gb_grubmenu_item *item)
{
	return !strcmp(item->id, GB_GRUBMENU_TRIAL) || !strcmp(item->id, GB_GRUBMENU_RECOVERY);
}

static bool is_id_option(const char *text)
{
	return !strcmp(text, "--id") || !strcmp(text, "$menuentry_id_option") ||
	       !strcmp(text, "${menuentry_id_option}");
}

/* grub-core/commands/menuentry.c: options that take the next word. */
static bool takes_value(const char *text)
{
	static const char *const options[] = { "--class", "--users", "--hotkey", "--source" };

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(text, options[i]))
			return true;
	return false;
}

static void add_option(const struct gb_grubscript *script, struct gb_text *options, size_t i)
{
	gb_text_addf(options, "%s%.*s", options->len ? " " : "", (int)script->word[i].len,
		     script->data + script->word[i].at);
}

/* The title is the first word that is no option's. */
bool gb_grubmenu_header(const struct gb_grubscript *script, struct gb_grubmenu_item *item)
{
	struct gb_text options = { 0 };
	const size_t words = script->words;
	const char *id = NULL, *title = NULL;

	gb_text_add(&options, "", 0);
	for (size_t i = 1; i < words; i++) {
		const char *text = script->word[i].text;

		if (is_id_option(text)) {
			id = ++i < words ? script->word[i].text : NULL;
		} else if (!strncmp(text, "--id=", 5)) {
			id = text + 5;
		} else if (!strncmp(text, "--", 2)) {
			add_option(script, &options, i);
			if (takes_value(text) && i + 1 < words)
				add_option(script, &options, ++i);
		} else if (!title) {
			title = text;
		} else {
			add_option(script, &options, i);
		}
	}
	item->title = strdup(title ? title : "");
	item->id = strdup(id ? id : title ? title : "");
	item->options = options.data;
	return !options.failed && item->title && item->id;
}
