/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "images.h"
#include "journal.h"
#include "recordtext.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define FIRST_LINE "ghost-boot proved 1\n"
#define NAME "proved"
#define PROVED_MAX (1u << 20)

void gb_proved_clear(struct gb_proved *proved)
{
	for (size_t i = 0; i < proved->lines; i++)
		free(proved->line[i].path);
	free(proved->line);
	memset(proved, 0, sizeof(*proved));
}

static void put(struct gb_proved *proved, struct gb_proved_line line)
{
	struct gb_proved_line *all = line.path ? realloc(proved->line, (proved->lines + 1) *
								       sizeof(*all)) : NULL;

	if (!all) {
		free(line.path);
		return;
	}
	proved->line = all;
	all[proved->lines++] = line;
}

static bool read_time(struct gb_record *record, struct timespec *ret)
{
	ret->tv_sec = gb_record_next_number(record, 10, INT64_MIN, INT64_MAX);
	ret->tv_nsec = gb_record_next_number(record, 10, 0, 999999999);
	return !record->bad;
}

static bool read_line(void *ctx, const char *tag, struct gb_record *record)
{
	struct gb_proved *proved = ctx;
	struct gb_proved_line line = { 0 };
	char *wish = gb_record_next_word(record);
	bool good = !strcmp(tag, "image") && wish &&
		    gb_text_copy(line.wish, sizeof(line.wish), wish);

	free(wish);
	line.size = (unsigned long long)gb_record_next_number(record, 10, 0, INT64_MAX);
	line.device = (unsigned long long)gb_record_next_number(record, 10, 0, INT64_MAX);
	line.inode = (unsigned long long)gb_record_next_number(record, 10, 0, INT64_MAX);
	if (!read_time(record, &line.modified) || !read_time(record, &line.changed) || !good)
		return false;
	line.path = gb_record_next_word(record);
	put(proved, line);
	return true;
}

void gb_proved_read(struct gb_root *root, struct gb_proved *ret)
{
	size_t len;
	char *data;

	memset(ret, 0, sizeof(*ret));
	if (gb_root_read_all(root, GB_PROVED, PROVED_MAX, &data, &len))
		return;
	if (gb_record_parse(data, len, FIRST_LINE, GB_PROVED, read_line, ret, NULL))
		gb_proved_clear(ret);
	free(data);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_of(const struct gb_proved_line *line, const struct gb_file *file, const char *wish)
{
	return !strcmp(line->wish, wish) && line->size == file->size &&
	       line->device == file->device && line->inode == file->inode &&
	       same_time(line->modified, file->modified) && same_time(line->changed, file->changed);
}

bool gb_proved_has(const struct gb_proved *proved, const char *path, const struct gb_file *file,
		   const char *wish)
{
	for (size_t i = 0; i < proved->lines; i++)
		if (!strcmp(proved->line[i].path, path))
			return is_of(&proved->line[i], file, wish);
	return false;
}

static bool is_other(void *ctx, const char *path)
{
	return strcmp(ctx, path);
}

void gb_proved_keep(struct gb_proved *proved, bool (*keep)(void *ctx, const char *path), void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < proved->lines; i++)
		if (keep(ctx, proved->line[i].path))
			proved->line[kept++] = proved->line[i];
		else
			free(proved->line[i].path);
	proved->altered = proved->altered || kept != proved->lines;
	proved->lines = kept;
}

void gb_proved_add(struct gb_proved *proved, const char *path, const struct gb_file *file,
		   const char *wish)
{
	struct gb_proved_line line = { .size = file->size, .device = file->device,
				       .inode = file->inode, .modified = file->modified,
				       .changed = file->changed };

	if (gb_proved_has(proved, path, file, wish))
		return;
	gb_proved_keep(proved, is_other, (void *)path);
	gb_text_copy(line.wish, sizeof(line.wish), wish);
	line.path = strdup(path);
	put(proved, line);
	proved->altered = true;
}

static void add_time(struct gb_text *text, struct timespec time)
{
	gb_text_addf(text, " %lld %ld", (long long)time.tv_sec, time.tv_nsec);
}

static void print(const struct gb_proved *proved, struct gb_text *text)
{
	gb_text_addf(text, FIRST_LINE);
	for (size_t i = 0; i < proved->lines; i++) {
		const struct gb_proved_line *line = &proved->line[i];

		gb_text_addf(text, "image %s %llu %llu %llu", line->wish, line->size, line->device,
			     line->inode);
		add_time(text, line->modified);
		add_time(text, line->changed);
		gb_record_word(text, line->path);
		gb_text_addf(text, "\n");
	}
	gb_record_end(text, 0);
}

int gb_proved_write(struct gb_proved *proved, struct gb_store *store, struct gb_err *err)
{
	struct gb_text text = { 0 };
	int folder, r;

	if (!proved->altered)
		return 0;
	folder = gb_journal_base(store, err);
	if (folder < 0)
		return folder;
	print(proved, &text);
	r = text.failed ? -ENOMEM : gb_store_replace(store, folder, NAME, text.data, text.len);
	close(folder);
	gb_text_clear(&text);
	proved->altered = proved->altered && r;
	return r ? gb_fail(err, -r, GB_PROVED ": %s", strerror(-r)) : 0;
}
