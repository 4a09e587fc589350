/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "journal.h"
#include "text.h"

#define FIRST_LINE "ghost-boot journal 1\n"
#define COUNT_MAX 4096 /* of steps and of entries: no change comes near */
#define XATTRS_MAX 64

/* ---- writing ----------------------------------------------------------------------- */

static void add_bytes(struct gb_text *text, const void *data, size_t len)
{
	const unsigned char *at = data;

	gb_text_addf(text, " ");
	for (size_t i = 0; i < len; i++)
		if (at[i] > ' ' && at[i] < 0x7f && at[i] != '%')
			gb_text_add(text, (const char *)&at[i], 1);
		else
			gb_text_addf(text, "%%%02x", at[i]);
	if (!len)
		gb_text_addf(text, "%%");
}

static void add_word(struct gb_text *text, const char *word)
{
	add_bytes(text, word ? word : "", word ? strlen(word) : 0);
}

static void add_file(struct gb_text *text, const char *tag, const struct gb_file *file)
{
	gb_text_addf(text, "%s %d %d %o %u %u %llu %d %lld %ld", tag, (int)file->kind, file->fresh,
		     (unsigned)file->mode, (unsigned)file->uid, (unsigned)file->gid,
		     (unsigned long long)file->size, file->timed,
		     (long long)file->modified.tv_sec, file->modified.tv_nsec);
	add_word(text, file->hash);
	add_word(text, file->link);
	gb_text_addf(text, "\n");
	for (size_t i = 0; i < file->xattrs; i++) {
		gb_text_addf(text, "%s-xattr", tag);
		add_word(text, file->xattr[i].name);
		add_bytes(text, file->xattr[i].value, file->xattr[i].size);
		gb_text_addf(text, "\n");
	}
}

void gb_journal_print(const struct gb_journal *journal, struct gb_text *text)
{
	char hash[GB_SHA256_TEXT];
	size_t begin = text->len;

	gb_text_addf(text, FIRST_LINE "time %lld\nreason", (long long)journal->time);
	add_word(text, journal->reason);
	gb_text_addf(text, "\n");
	for (size_t i = 0; i < journal->steps; i++) {
		gb_text_addf(text, "step");
		add_word(text, journal->step[i]);
		gb_text_addf(text, "\n");
	}
	for (size_t i = 0; i < journal->entries; i++) {
		const struct gb_entry *entry = &journal->entry[i];

		gb_text_addf(text, "entry %zu %d", entry->step, entry->built);
		add_word(text, entry->path);
		add_word(text, entry->place);
		gb_text_addf(text, "\n");
		add_file(text, "before", &entry->before);
		add_file(text, "after", &entry->after);
	}
	if (text->failed)
		return;
	gb_sha256_of(text->data + begin, text->len - begin, hash);
	gb_text_addf(text, "end %s\n", hash);
}

/* ---- reading ----------------------------------------------------------------------- */

struct words {
	char *at; /* of the rest of the line; changed as it is read */
	bool bad;
};

static char *next_raw(struct words *w)
{
	char *word = w->at, *end = strchr(word, ' ');

	if (!*word) {
		w->bad = true;
		return word;
	}
	if (end)
		*end = '\0';
	w->at = end ? end + 1 : word + strlen(word);
	return word;
}

static long long next_number(struct words *w, int base, long long least, long long most)
{
	char *word = next_raw(w), *end;
	long long value;

	errno = 0;
	value = strtoll(word, &end, base);
	if (errno || end == word || *end || value < least || value > most) {
		w->bad = true;
		return least;
	}
	return value;
}

/* In place: what is decoded is never longer. Its length; terminated. */
static size_t next_bytes(struct words *w, char **ret)
{
	char *word = next_raw(w), *to = word;
	uint64_t byte;

	*ret = word;
	if (!strcmp(word, "%"))
		word++;
	while (*word) {
		char digits[3] = { 0 };
		const char *at = digits;

		if (*word != '%') {
			*to++ = *word++;
			continue;
		}
		memcpy(digits, word + 1, word[1] ? 2 : 0);
		if (!gb_text_hex(&at, 2, &byte)) {
			w->bad = true;
			break;
		}
		*to++ = (char)byte;
		word += 3;
	}
	*to = '\0';
	return (size_t)(to - *ret);
}

static char *next_word(struct words *w)
{
	char *word;
	size_t len = next_bytes(w, &word);

	if (strlen(word) != len)
		w->bad = true;
	word = strdup(word);
	if (!word)
		w->bad = true;
	return word;
}

static void read_file(struct words *w, struct gb_file *file)
{
	char *hash;

	if (file->link || file->hash[0]) {
		w->bad = true; /* said twice */
		return;
	}
	file->kind = (enum gb_file_kind)next_number(w, 10, GB_FILE_ABSENT, GB_FILE_FOLDER);
	file->fresh = next_number(w, 10, 0, 1);
	file->mode = (mode_t)next_number(w, 8, 0, 07777);
	file->uid = (uid_t)next_number(w, 10, 0, UINT32_MAX);
	file->gid = (gid_t)next_number(w, 10, 0, UINT32_MAX);
	file->size = (uint64_t)next_number(w, 10, 0, INT64_MAX);
	file->timed = next_number(w, 10, 0, 1);
	file->modified.tv_sec = (time_t)next_number(w, 10, INT64_MIN, INT64_MAX);
	file->modified.tv_nsec = (long)next_number(w, 10, 0, 999999999);
	hash = next_word(w);
	if (!hash || !gb_text_copy(file->hash, sizeof(file->hash), hash) ||
	    strlen(hash) != (file->kind == GB_FILE_REGULAR ? 64 : 0))
		w->bad = true;
	free(hash);
	file->link = next_word(w);
	if (file->link && file->kind != GB_FILE_LINK) {
		w->bad |= file->link[0] != '\0';
		free(file->link);
		file->link = NULL;
	}
}

static void read_xattr(struct words *w, struct gb_file *file)
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
	one->name = next_word(w);
	one->size = next_bytes(w, &value);
	one->value = malloc(one->size + 1);
	if (one->value)
		memcpy(one->value, value, one->size + 1);
	else
		w->bad = true;
}

static void read_entry(struct words *w, struct gb_journal *journal)
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
	entry->step = (size_t)next_number(w, 10, 0, COUNT_MAX);
	entry->built = next_number(w, 10, 0, 1);
	entry->path = next_word(w);
	entry->place = next_word(w);
	if (!entry->place || entry->place[0] != '/')
		w->bad = true;
}

static void read_step(struct words *w, struct gb_journal *journal)
{
	char **all = realloc(journal->step, (journal->steps + 1) * sizeof(*all));

	if (!all || journal->steps == COUNT_MAX) {
		w->bad = true;
		journal->step = all ? all : journal->step;
		return;
	}
	journal->step = all;
	all[journal->steps++] = next_word(w);
}

static bool read_line(char *line, struct gb_journal *journal)
{
	struct words w = { .at = line };
	const char *tag = next_raw(&w);
	struct gb_entry *last = journal->entries ? &journal->entry[journal->entries - 1] : NULL;

	if (!strcmp(tag, "time")) {
		journal->time = next_number(&w, 10, INT64_MIN, INT64_MAX);
	} else if (!strcmp(tag, "reason") && !journal->reason) {
		journal->reason = next_word(&w);
	} else if (!strcmp(tag, "step")) {
		read_step(&w, journal);
	} else if (!strcmp(tag, "entry")) {
		read_entry(&w, journal);
	} else if (last && !strcmp(tag, "before")) {
		read_file(&w, &last->before);
	} else if (last && !strcmp(tag, "after")) {
		read_file(&w, &last->after);
	} else if (last && !strcmp(tag, "before-xattr")) {
		read_xattr(&w, &last->before);
	} else if (last && !strcmp(tag, "after-xattr")) {
		read_xattr(&w, &last->after);
	} else {
		return false;
	}
	return !w.bad && !*w.at;
}

/* The last line holds the hash of all before it. */
static bool is_whole(const char *data, size_t len)
{
	const size_t last = strlen("end \n") + GB_SHA256_TEXT - 1;
	char hash[GB_SHA256_TEXT], expected[80];

	if (len < last + strlen(FIRST_LINE) || memcmp(data, FIRST_LINE, strlen(FIRST_LINE)))
		return false;
	gb_sha256_of(data, len - last, hash);
	snprintf(expected, sizeof(expected), "end %s\n", hash);
	return !memcmp(data + len - last, expected, last);
}

int gb_journal_parse(const char *data, size_t len, struct gb_journal *ret, struct gb_err *err)
{
	struct gb_journal journal = { .folder = -1 };
	char *copy, *at, *end;
	unsigned number = 1;

	if (!is_whole(data, len))
		return gb_fail(err, EBADMSG, "the journal's record is cut or was changed");
	len -= strlen("end \n") + GB_SHA256_TEXT - 1;
	copy = malloc(len + 1);
	if (!copy)
		return gb_fail(err, ENOMEM, "out of memory");
	memcpy(copy, data, len);
	copy[len] = '\0';
	for (at = copy + strlen(FIRST_LINE); (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		number++;
		if (!read_line(at, &journal))
			break;
	}
	if (end || *at || at != copy + len || !journal.reason) {
		free(copy);
		gb_journal_clear(&journal);
		return gb_fail(err, EBADMSG, "line %u of the journal's record says nothing known",
			       number);
	}
	free(copy);
	*ret = journal;
	return 0;
}
