/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

/* The next word, without its quotes; the kernel's lib/cmdline.c next_arg() treats quotes the
 * same way, and GRUB turns k="a b" into "k=a b". Longer words than `size` are cut: none of
 * ours is that long. */
static bool next_word(const char **at, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;

	while (isspace((unsigned char)**at))
		++*at;
	if (!**at)
		return false;
	for (; **at && (quoted || !isspace((unsigned char)**at)); ++*at) {
		if (**at == '"')
			quoted = !quoted;
		else if (n < size - 1)
			word[n++] = **at;
	}
	word[n] = '\0';
	return true;
}

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

	while (next_word(&text, word, sizeof(word))) {
		if (!strcmp(word, "ghost.debug"))
			line.debug = true;
		else if (!strcmp(word, claim))
			take_switch(&line, "");
		else if (!strncmp(word, claim, strlen(claim)) && word[strlen(claim)] == '=')
			take_switch(&line, word + strlen(claim) + 1);
	}
	*ret = line;
}
