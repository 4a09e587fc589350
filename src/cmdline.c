/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline.h"

#include <string.h>

#include "lines.h"
#include "text.h"

static void take_switch(struct gb_cmdline *line, const char *value)
{
	enum gb_switch said = !strcmp(value, "off")  ? GB_SWITCH_OFF
			      : !strcmp(value, "on") ? GB_SWITCH_ON
						     : GB_SWITCH_ODD;

	if (line->claim == GB_SWITCH_OFF)
		return;
	if (said == GB_SWITCH_ON && line->claim == GB_SWITCH_ODD)
		return;
	line->claim = said;
	if (said == GB_SWITCH_ODD)
		gb_text_copy(line->odd, sizeof(line->odd), value);
}

void gb_cmdline_read(const char *text, struct gb_cmdline *ret)
{
	static const char claim[] = "ghost.claim";
	struct gb_cmdline line = { .claim = GB_SWITCH_SILENT };
	char word[64];

	while (gb_lines_word(&text, word, sizeof(word))) {
		if (!strcmp(word, "ghost.debug"))
			line.debug = true;
		else if (!strcmp(word, claim))
			take_switch(&line, "");
		else if (!strncmp(word, claim, strlen(claim)) && word[strlen(claim)] == '=')
			take_switch(&line, word + strlen(claim) + 1);
	}
	*ret = line;
}

static bool has_piece(const char *list, const char *piece)
{
	size_t len = strlen(piece);

	for (; list; list = strchr(list, ','), list += list != NULL)
		if (!strncmp(list, piece, len) && (!list[len] || list[len] == ','))
			return true;
	return false;
}

bool gb_cmdline_find(const char *text, const char *name, const char *piece, char *word,
		     size_t size)
{
	while (gb_lines_word(&text, word, size)) {
		const char *value = gb_lines_after(word, name);

		/* what follows is for init (init/main.c) */
		if (!strcmp(word, "--"))
			return false;
		if (!value || (*value && *value != '='))
			continue;
		if (!piece || has_piece(value + (*value == '='), piece))
			return true;
	}
	return false;
}
