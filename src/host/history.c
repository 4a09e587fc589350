/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "journal.h"
#include "root.h"
#include "store.h"

struct numbers {
	unsigned *number;
	size_t count;
	bool failed;
};

void gb_history_path(unsigned number, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%03u", GB_HISTORY, number);
}

static int take_number(void *ctx, const char *name)
{
	struct numbers *all = ctx;
	unsigned number, *more;
	char extra;

	if (!isdigit((unsigned char)*name) || sscanf(name, "%9u%c", &number, &extra) != 1)
		return 0;
	more = realloc(all->number, (all->count + 1) * sizeof(*more));
	if (!more) {
		all->failed = true;
		return 1;
	}
	all->number = more;
	more[all->count++] = number;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int gb_history_list(struct gb_store *store, unsigned **ret, size_t *ret_count)
{
	struct numbers all = { 0 };
	int r = gb_root_list(store->root, GB_HISTORY, take_number, &all);

	if (all.failed)
		r = -ENOMEM;
	if (r && r != -ENOENT) {
		free(all.number);
		return r;
	}
	if (all.count)
		qsort(all.number, all.count, sizeof(*all.number), by_number);
	*ret = all.number;
	*ret_count = all.count;
	return 0;
}

/* The copies of files, which may be whole images; what was done stays known. */
static void drop_copies(struct gb_store *store, int history, unsigned number)
{
	struct dirent *entry;
	char name[16];
	DIR *dir;
	int fd;

	snprintf(name, sizeof(name), "%03u", number);
	fd = openat(history, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && (!strcmp(dot, ".old") || !strcmp(dot, ".new")))
			gb_store_unlink(store, dirfd(dir), entry->d_name);
	}
	closedir(dir);
}

/* Only the last change that was carried out can be taken back. */
static void prune(struct gb_store *store, int history, const unsigned *number, size_t count,
		  bool done, unsigned ours)
{
	if (!done)
		drop_copies(store, history, ours);
	for (size_t i = 0; done && i < count; i++)
		drop_copies(store, history, number[i]);
}

static int move(struct gb_store *store, struct gb_journal *journal, int base, int history)
{
	unsigned *number = NULL, ours;
	size_t count = 0;
	char name[16];
	int r = gb_history_list(store, &number, &count);

	if (r)
		return r;
	ours = count ? number[count - 1] + 1 : 1;
	snprintf(name, sizeof(name), "%03u", ours);
	r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_RENAME, .fd = base,
						    .name = "journal", .fd2 = history,
						    .to = name });
	if (!r)
		r = gb_store_fsync(store, history);
	if (!r)
		r = gb_store_fsync(store, base);
	if (!r)
		prune(store, history, number, count, journal->state == GB_JOURNAL_DONE, ours);
	free(number);
	return r;
}

int gb_journal_file(struct gb_store *store, struct gb_journal *journal, struct gb_err *err)
{
	int history, r, base = gb_journal_base(store, err);

	if (base < 0)
		return base;
	history = gb_store_need_folder(store, base, "history");
	r = history < 0 ? history : move(store, journal, base, history);
	if (history >= 0)
		close(history);
	close(base);
	return r ? gb_fail(err, -r, "%s: %s", GB_HISTORY, strerror(-r)) : 0;
}
