/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "use.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "below.h"
#include "nodes.h"
#include "root.h"
#include "text.h"

struct search {
	struct gb_root *root;
	char *ret;
	size_t size;
	const char *folder; /* looked at */
};

static int found(struct search *s, const char *format, const char *what)
{
	snprintf(s->ret, s->size, format, what);
	return 1;
}

static int is_something(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return 1;
}

static int has_disk(void *ctx, const char *name)
{
	const char *const *search = ctx;

	return !strcmp(name, *search);
}

struct btrfs_search {
	struct gb_root *root;
	const char *disk;
};

static int compare_btrfs(void *ctx, const char *name)
{
	struct btrfs_search *search = ctx;
	char folder[NAME_MAX + sizeof("/sys/fs/btrfs//devices")];
	int r;

	snprintf(folder, sizeof(folder), "/sys/fs/btrfs/%s/devices", name);
	r = gb_root_list(search->root, folder, has_disk, &search->disk);
	return r > 0 ? r : 0; /* features, no file system */
}

/* A mounted btrfs has a device number of its own, and mountinfo names but one of its disks;
 * fs/btrfs/sysfs.c links all of them. */
static bool in_btrfs(struct gb_root *root, const char *disk)
{
	struct btrfs_search search = { root, disk };

	return gb_root_list(root, "/sys/fs/btrfs", compare_btrfs, &search) == 1;
}

static int check_disk(struct search *s, const char *name)
{
	char file[PATH_MAX], number[32], word[40], *text;
	size_t len;
	int used = 0;

	snprintf(file, sizeof(file), "%s/holders", s->folder);
	if (gb_root_list(s->root, file, is_something, NULL) == 1)
		return found(s, "%s carries another block device", name);
	snprintf(file, sizeof(file), "%s/dev", s->folder);
	if (gb_root_read(s->root, file, number, sizeof(number)) <= 0)
		return 0;
	number[strcspn(number, "\n")] = '\0';
	snprintf(word, sizeof(word), " %s ", number);
	if (!gb_root_read_all(s->root, "/proc/self/mountinfo", 8u << 20, &text, &len)) {
		used = strstr(text, word) != NULL;
		free(text);
	}
	if (used || in_btrfs(s->root, name))
		return found(s, "%s is mounted", name);
	snprintf(word, sizeof(word), "/dev/%.30s ", name);
	if (!gb_root_read_all(s->root, "/proc/swaps", 1u << 20, &text, &len)) {
		used = strstr(text, word) != NULL;
		free(text);
	}
	return used ? found(s, "%s is swapped on", name) : 0;
}

static int check_interface(struct search *s, const char *name)
{
	char file[PATH_MAX], text[32];

	snprintf(file, sizeof(file), "%s/flags", s->folder);
	if (gb_root_read(s->root, file, text, sizeof(text)) <= 0)
		return 0;
	return strtoul(text, NULL, 16) & 1 /* IFF_UP */ ? found(s, "%s is up", name) : 0;
}

/* What is below the function: disks and interfaces. */
static int look(void *ctx, const char *parent, const char *name)
{
	struct search *s = ctx;
	const char *above = strrchr(parent, '/') + 1;
	char folder[PATH_MAX];
	int r = 0;

	if (snprintf(folder, sizeof(folder), "%s/%s", parent, name) >= (int)sizeof(folder))
		return 0;
	s->folder = folder;
	if (!strcmp(above, "net"))
		r = check_interface(s, name);
	else if (strstr(folder, "/block/") || strstr(folder, "/nvme/"))
		r = check_disk(s, name);
	s->folder = NULL;
	return r;
}

static int tell(void *ctx, const struct gb_opener *opener)
{
	struct search *s = ctx;
	char name[GB_PROCESS_MAX];

	gb_process_name(s->root, opener->pid, name);
	snprintf(s->ret, s->size, "%s (pid %d) has %.60s open", name, opener->pid, opener->node);
	return 1;
}

int gb_use_find(struct gb_root *root, struct gb_bdf bdf, char *ret, size_t size)
{
	struct search s = { .root = root, .ret = ret, .size = size };
	struct gb_text nodes = { 0 };
	int r = gb_below_walk(root, bdf, look, &s);

	if (!r)
		r = gb_nodes_find(root, bdf, &nodes);
	if (!r && nodes.len)
		r = gb_nodes_openers(root, nodes.data, tell, &s, NULL);
	gb_text_clear(&nodes);
	return r;
}
