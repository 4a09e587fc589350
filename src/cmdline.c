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

static void take_trial(struct gb_cmdline *line, const char *value)
{
	size_t digits = strspn(value, "0123456789abcdef");
	bool counted = digits == GB_TRIAL_ID; /* c is a digit, too */

	if ((digits != GB_TRIAL_ID - 1 && !counted) || value[digits] ||
	    (counted && value[digits - 1] != 'c')) {
		line->bad_trial = true;
		gb_text_copy(line->odd_trial, sizeof(line->odd_trial), value);
		for (char *c = line->odd_trial; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		return;
	}
	gb_text_copy(line->trial, sizeof(line->trial), value);
	line->counted = counted;
}

/* What is said with a word, "" without a value; NULL when it is another word. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len) || (word[len] && word[len] != '='))
		return NULL;
	return word + len + (word[len] == '=');
}

void gb_cmdline_read(const char *text, struct gb_cmdline *ret)
{
	struct gb_cmdline line = { .claim = GB_SWITCH_SILENT };
	char word[64];

	while (gb_lines_word(&text, word, sizeof(word))) {
		const char *value;

		if (!strcmp(word, "ghost.debug"))
			line.debug = true;
		else if ((value = value_of(word, "ghost.claim")))
			take_switch(&line, value);
		else if ((value = value_of(word, GB_TRIAL_WORD)))
			take_trial(&line, value);
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
