/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "journal.h"
#include "recordtext.h"
#include "text.h"

#define FIRST_LINE "ghost-boot journal 1\n"
#define COUNT_MAX 4096 /* of steps and of entries: no change comes near */
#define XATTRS_MAX 64
#define ARGV_MAX 64

/* ---- writing ----------------------------------------------------------------------- */

static void add_file(struct gb_text *text, const char *tag, const struct gb_file *file)
{
	gb_text_addf(text, "%s %d %d %o %u %u %llu %d %lld %ld", tag, (int)file->kind, file->fresh,
		     (unsigned)file->mode, (unsigned)file->uid, (unsigned)file->gid,
		     (unsigned long long)file->size, file->timed,
		     (long long)file->modified.tv_sec, file->modified.tv_nsec);
	gb_record_word(text, file->hash);
	gb_record_word(text, file->link);
	gb_text_addf(text, "\n");
	for (size_t i = 0; i < file->xattrs; i++) {
		gb_text_addf(text, "%s-xattr", tag);
		gb_record_word(text, file->xattr[i].name);
		gb_record_bytes(text, file->xattr[i].value, file->xattr[i].size);
		gb_text_addf(text, "\n");
	}
}

static void add_home(struct gb_text *text, const struct gb_home *home)
{
	gb_text_addf(text, "home");
	gb_record_word(text, home->point);
	gb_record_word(text, home->type);
	gb_record_word(text, home->source);
	gb_record_word(text, home->uuid);
	gb_text_addf(text, "\n");
}

void gb_journal_print(const struct gb_journal *journal, struct gb_text *text)
{
	size_t begin = text->len;

	gb_text_addf(text, FIRST_LINE "time %lld\nreason", (long long)journal->time);
	gb_record_word(text, journal->reason);
	gb_text_addf(text, "\n");
	for (size_t i = 0; i < journal->steps; i++) {
		gb_text_addf(text, "step");
		gb_record_word(text, journal->step[i]);
		gb_text_addf(text, "\n");
	}
	for (size_t i = 0; i < journal->publishes; i++) {
		const struct gb_published *published = &journal->published[i];

		gb_text_addf(text, "publish %zu", published->step);
		gb_record_word(text, published->path);
		for (char **arg = published->argv; *arg; arg++)
			gb_record_word(text, *arg);
		gb_text_addf(text, "\n");
	}
	for (size_t i = 0; i < journal->entries; i++) {
		const struct gb_entry *entry = &journal->entry[i];

		gb_text_addf(text, "entry %zu %d", entry->step, (int)entry->kind);
		gb_record_word(text, entry->path);
		gb_record_word(text, entry->place);
		gb_text_addf(text, "\n");
		if (entry->boot)
			gb_text_addf(text, "boot %d\n", (int)entry->boot);
		if (entry->home.point)
			add_home(text, &entry->home);
		if (entry->staged) {
			gb_text_addf(text, "staged");
			gb_record_word(text, entry->staged);
			gb_text_addf(text, "\n");
		}
		add_file(text, "before", &entry->before);
		add_file(text, "after", &entry->after);
	}
	gb_record_end(text, begin);
}

/* ---- reading ----------------------------------------------------------------------- */

static void read_file(struct gb_record *w, struct gb_file *file)
{
	char *hash;

	if (file->link || file->hash[0]) {
		w->bad = true; /* said twice */
		return;
	}
	file->kind = (enum gb_file_kind)gb_record_next_number(w, 10, GB_FILE_ABSENT, GB_FILE_FOLDER);
	file->fresh = gb_record_next_number(w, 10, 0, 1);
	file->mode = (mode_t)gb_record_next_number(w, 8, 0, 07777);
	file->uid = (uid_t)gb_record_next_number(w, 10, 0, UINT32_MAX);
	file->gid = (gid_t)gb_record_next_number(w, 10, 0, UINT32_MAX);
	file->size = (uint64_t)gb_record_next_number(w, 10, 0, INT64_MAX);
	file->timed = gb_record_next_number(w, 10, 0, 1);
	file->modified.tv_sec = (time_t)gb_record_next_number(w, 10, INT64_MIN, INT64_MAX);
	file->modified.tv_nsec = (long)gb_record_next_number(w, 10, 0, 999999999);
	hash = gb_record_next_word(w);
	if (!hash || !gb_text_copy(file->hash, sizeof(file->hash), hash) ||
	    strlen(hash) != (file->kind == GB_FILE_REGULAR ? 64 : 0))
		w->bad = true;
	free(hash);
	file->link = gb_record_next_word(w);
	if (file->link && file->kind != GB_FILE_LINK) {
		w->bad |= file->link[0] != '\0';
		free(file->link);
		file->link = NULL;
	}
}

static void read_xattr(struct gb_record *w, struct gb_file *file)
{
	struct gb_xattr *all = realloc(file->xattr, (file->xattrs + 1) * sizeof(*all));
	struct gb_xattr *one;
	char *value;

	if (!all || file->xattrs >= XATTRS_MAX) {
		w->bad = true;
		file->xattr = all ? all : file->xattr;
		return;
	}
	file->xattr = all;
	one = &all[file->xattrs++];
	one->name = gb_record_next_word(w);
	one->size = gb_record_next_bytes(w, &value);
	one->value = malloc(one->size + 1);
	if (one->value)
		memcpy(one->value, value, one->size + 1);
	else
		w->bad = true;
}

static void read_entry(struct gb_record *w, struct gb_journal *journal)
{
	struct gb_entry *all = realloc(journal->entry, (journal->entries + 1) * sizeof(*all));
	struct gb_entry *entry;

	if (!all || journal->entries == COUNT_MAX) {
		w->bad = true;
		journal->entry = all ? all : journal->entry;
		return;
	}
	journal->entry = all;
	entry = &all[journal->entries++];
	memset(entry, 0, sizeof(*entry));
	entry->step = (size_t)gb_record_next_number(w, 10, 0, COUNT_MAX);
	entry->kind = (enum gb_entry_kind)gb_record_next_number(w, 10, 0, GB_ENTRY_SPARED);
	entry->path = gb_record_next_word(w);
	entry->place = gb_record_next_word(w);
	if (!entry->place || entry->place[0] != '/')
		w->bad = true;
}

static void read_home(struct gb_record *w, struct gb_home *home)
{
	home->point = gb_record_next_word(w);
	home->type = gb_record_next_word(w);
	home->source = gb_record_next_word(w);
	home->uuid = gb_record_next_word(w);
}

static void read_step(struct gb_record *w, struct gb_journal *journal)
{
	char **all = realloc(journal->step, (journal->steps + 1) * sizeof(*all));

	if (!all || journal->steps == COUNT_MAX) {
		w->bad = true;
		journal->step = all ? all : journal->step;
		return;
	}
	journal->step = all;
	all[journal->steps++] = gb_record_next_word(w);
}

static void read_argv(struct gb_record *w, struct gb_published *published)
{
	size_t count = 0;

	do {
		char **all = realloc(published->argv, (count + 2) * sizeof(*all));

		if (!all || count == ARGV_MAX) {
			w->bad = true;
			published->argv = all ? all : published->argv;
			return;
		}
		published->argv = all;
		all[count++] = gb_record_next_word(w);
		all[count] = NULL;
	} while (!w->bad && *w->at);
	if (!published->argv[0] || published->argv[0][0] != '/')
		w->bad = true;
}

static void read_published(struct gb_record *w, struct gb_journal *journal)
{
	struct gb_published *all = realloc(journal->published,
					   (journal->publishes + 1) * sizeof(*all));

	if (!all || journal->publishes == COUNT_MAX) {
		w->bad = true;
		journal->published = all ? all : journal->published;
		return;
	}
	journal->published = all;
	all = &all[journal->publishes++];
	*all = (struct gb_published){ .step = (size_t)gb_record_next_number(w, 10, 0, COUNT_MAX),
				      .path = gb_record_next_word(w) };
	read_argv(w, all);
}

static bool read_line(void *ctx, const char *tag, struct gb_record *line)
{
	struct gb_journal *journal = ctx;
	struct gb_entry *last = journal->entries ? &journal->entry[journal->entries - 1] : NULL;

	if (!strcmp(tag, "time"))
		journal->time = gb_record_next_number(line, 10, INT64_MIN, INT64_MAX);
	else if (!strcmp(tag, "reason") && !journal->reason)
		journal->reason = gb_record_next_word(line);
	else if (!strcmp(tag, "step"))
		read_step(line, journal);
	else if (!strcmp(tag, "publish"))
		read_published(line, journal);
	else if (!strcmp(tag, "entry"))
		read_entry(line, journal);
	else if (last && !strcmp(tag, "boot"))
		last->boot = (enum gb_boot)gb_record_next_number(line, 10, 0, GB_BOOT_POINTER);
	else if (last && !last->home.point && !strcmp(tag, "home"))
		read_home(line, &last->home);
	else if (last && !last->staged && !strcmp(tag, "staged"))
		last->staged = gb_record_next_word(line);
	else if (last && !strcmp(tag, "before"))
		read_file(line, &last->before);
	else if (last && !strcmp(tag, "after"))
		read_file(line, &last->after);
	else if (last && !strcmp(tag, "before-xattr"))
		read_xattr(line, &last->before);
	else if (last && !strcmp(tag, "after-xattr"))
		read_xattr(line, &last->after);
	else
		return false;
	return true;
}

int gb_journal_parse(const char *data, size_t len, struct gb_journal *ret, struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	int r = gb_record_parse(data, len, FIRST_LINE, "the journal's record", read_line, &journal,
				err);

	for (size_t i = 0; i < journal.entries && !r; i++)
		if (!journal.entry[i].staged != (journal.entry[i].kind != GB_ENTRY_PLACED))
			r = gb_fail(err, EBADMSG, "the journal's record lacks a staged file");
	if (!r && !journal.reason)
		r = gb_fail(err, EBADMSG, "the journal's record gives no reason");
	if (r)
		gb_journal_clear(&journal);
	else
		*ret = journal;
	return r;
}
