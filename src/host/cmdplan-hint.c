/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the command line can't be changed: why, and what to type instead. */
#include <errno.h>
#include <string.h>

#include "cmdplan-parts.h"
#include "err.h"
#include "host.h"
#include "text.h"

/* One word of a hint, with the words that are wanted in the place of WORD: an option once for each. */
static void add_hint_word(const struct gb_cmdwork *w, const char *word, int len, struct gb_text *ret)
{
	const char *here = memmem(word, (size_t)len, GB_LOADER_WORD, strlen(GB_LOADER_WORD));
	const int before = here ? (int)(here - word) : len, after = len - before - (int)strlen(GB_LOADER_WORD);
	const bool option = !strncmp(word, "--", 2);
	bool first = true;

	gb_text_add(ret, word, (size_t)before);
	for (size_t i = 0; i < w->wants && here; i++) {
		if (!gb_want_adds(&w->want[i]))
			continue;
		gb_text_addf(ret, "%s%.*s%s", first ? "" : " ", first || !option ? 0 : before, word,
			     w->want[i].word);
		first = false;
	}
	if (here)
		gb_text_add(ret, here + strlen(GB_LOADER_WORD), (size_t)after);
}

static void add_hint(const struct gb_cmdwork *w, const char *hint, struct gb_text *ret)
{
	gb_text_addf(ret, GB_CMDPLAN_HELPS);
	while (*hint) {
		const size_t len = strcspn(hint, " ");

		add_hint_word(w, hint, (int)len, ret);
		hint += len;
		if (*hint)
			gb_text_add(ret, hint++, 1);
	}
}

/* A hint says how to add words, and is of no use for others. */
static bool can_help(const struct gb_cmdwork *w)
{
	const char *hint = w->host->loader->hint;
	bool any = !strstr(hint, GB_LOADER_WORD);

	for (size_t i = 0; i < w->wants && !any; i++)
		any = gb_want_adds(&w->want[i]);
	return hint[0] && any;
}

int gb_cmdwork_usable(struct gb_cmdwork *w)
{
	const struct gb_loader *loader = w->host->loader;
	const char *why = loader->why[0] ? loader->why : "what booted this machine can't be told";
	struct gb_text hint = { 0 };

	if (loader->usable)
		return 0;
	if (can_help(w))
		add_hint(w, loader->hint, &hint);
	if (!hint.len || hint.failed)
		gb_fail(w->err, EINVAL, "%s", why);
	else if (strlen(why) + hint.len < GB_CMDPLAN_WHOLE)
		gb_fail(w->err, EINVAL, "%s%s", why, hint.data);
	else
		gb_fail(w->err, EINVAL, "%s" GB_CMDPLAN_HELPS "%s", why, loader->hint);
	gb_text_clear(&hint);
	return -EINVAL;
}
