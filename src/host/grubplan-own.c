/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubplan-parts.h"
#include "root.h"
#include "wordtrace.h"

/* ---- our own drop-in ----------------------------------------------------------------- */

#define OURS "\n" GB_GRUB_DEFAULT "=\"$" GB_GRUB_DEFAULT

/* Our words in its text: `len` bytes at `at`, with the blank before them. */
static bool find_ours(const char *text, size_t *ret_at, size_t *ret_len)
{
	const char *at = strstr(text, OURS), *end;

	if (!at && !strncmp(text, OURS + 1, strlen(OURS) - 1))
		at = text - 1;
	if (!at)
		return false;
	at += strlen(OURS);
	end = at + strcspn(at, "\"'\\$`\n");
	*ret_at = (size_t)(at - text);
	*ret_len = (size_t)(end - at);
	return *end == '"' && (at == end || *at == ' ');
}

/* With these words in it; none: without its line, or not there if nothing else was in it. */
static int put_ours(struct gb_grubwork *w, const char *words, size_t len)
{
	struct gb_text bare = { 0 }, text = { 0 };
	size_t at, ours;
	int r = gb_grub_drop_in(NULL, 0, &bare, w->err);

	if (r)
		return r;
	if (!w->text)
		w->text = strdup(bare.data);
	if (w->text && find_ours(w->text, &at, &ours)) {
		gb_text_add(&text, w->text, at);
		gb_text_add(&text, len ? " " : "", len != 0);
		gb_text_add(&text, words, len);
		gb_text_addf(&text, "%s", w->text + at + ours);
	}
	if (!text.data || text.failed) {
		r = gb_grubwork_memory(w);
		gb_text_clear(&text);
	} else {
		free(w->text);
		w->text = text.data;
		if (!strcmp(text.data, bare.data)) {
			free(w->text);
			w->text = NULL;
		}
	}
	gb_text_clear(&bare);
	return r;
}

int gb_grubwork_our_words(struct gb_grubwork *w, char **ret)
{
	size_t at = 0, len = 0;

	if (w->text && !find_ours(w->text, &at, &len))
		return gb_fail(w->err, EINVAL, "%s: it was changed by hand and is not understood; remove it, "
			       "and run this again", w->file->path);
	at += len != 0;
	len -= len != 0;
	*ret = strndup(w->text ? w->text + at : "", len);
	return *ret ? 0 : gb_grubwork_memory(w);
}

int gb_grubwork_change_ours(struct gb_grubwork *w, const struct gb_want *want)
{
	struct gb_changes changes;
	char *words;
	int r = gb_grubwork_our_words(w, &words);

	if (r)
		return r;
	r = gb_arguments_change(words, strlen(words), want, 1, &changes, w->err);
	free(words);
	if (r)
		return r;
	if (changes.differs)
		r = put_ours(w, changes.line, changes.len);
	gb_changes_clear(&changes);
	return r;
}

/* ---- /etc/default/grub ---------------------------------------------------------------- */

static bool sets(const struct gb_grub *grub, const char *name)
{
	for (size_t i = 0; i < grub->values; i++)
		if (!strcmp(grub->value[i].name, name))
			return true;
	return false;
}

/* The variable that gets words. */
const char *gb_grubwork_variable(const struct gb_grubwork *w)
{
	if (w->always_first && !sets(&w->after, GB_GRUB_DEFAULT) && sets(&w->after, GB_GRUB_ALWAYS))
		return GB_GRUB_ALWAYS;
	return GB_GRUB_DEFAULT;
}

static int change_variable(struct gb_grubwork *w, const char *variable, const struct gb_want *want,
			   bool *ret_differs)
{
	const char *old = w->text ? w->text : "";
	struct gb_grub_change change;
	char *text;
	size_t len;
	int r = gb_grub_change(NULL, w->file->path, old, strlen(old), variable, want, 1, &change,
			       w->err);

	if (r)
		return r;
	*ret_differs = change.changes.differs;
	if (change.changes.differs) {
		r = gb_edit_apply(old, strlen(old), &change.edit, &text, &len);
		if (!r) {
			free(w->text);
			w->text = text;
		}
	}
	gb_grub_change_clear(&change);
	return r ? gb_grubwork_memory(w) : gb_grubwork_after(w);
}

int gb_grubwork_change_main(struct gb_grubwork *w, const struct gb_want *want)
{
	const char *own = gb_grubwork_variable(w);
	const char *other = strcmp(own, GB_GRUB_ALWAYS) ? GB_GRUB_ALWAYS : GB_GRUB_DEFAULT;
	const bool adds = want->mode == GB_WANT_ALSO || want->mode == GB_WANT_ONLY ||
			  want->mode == GB_WANT_PIECE;
	bool differs = false;
	int r = change_variable(w, own, want, &differs);

	if (r || adds || (want->mode == GB_WANT_SWAP && differs))
		return r;
	return change_variable(w, other, want, &differs);
}
