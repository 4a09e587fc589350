/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "use.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "root.h"
#include "text.h"

#define DEPTH_MAX 24 /* a USB stick behind seven hubs is 18 folders deep */

/* The nodes below one function, as "/dev/dri/card1\n/dev/dri/renderD129\n". */
struct search {
	struct gb_root *root;
	struct gb_text nodes;
	char *ret;
	size_t size;
	const char *folder; /* being listed */
	unsigned depth;
	int pid;
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

/* DEVNAME= in uevent names the node below /dev (drivers/base/core.c dev_uevent). */
static void note_node(struct search *s)
{
	char file[PATH_MAX], text[1024], *name;

	snprintf(file, sizeof(file), "%s/uevent", s->folder);
	if (gb_root_read(s->root, file, text, sizeof(text)) <= 0)
		return;
	name = strstr(text, "DEVNAME=");
	if (!name)
		return;
	name += strlen("DEVNAME=");
	name[strcspn(name, "\n")] = '\0';
	gb_text_addf(&s->nodes, "/dev/%s\n", name);
}

static int walk(void *ctx, const char *name)
{
	struct search *s = ctx;
	const char *parent = s->folder, *above;
	char folder[PATH_MAX], target[8];
	int r;

	if (!strcmp(name, "dev"))
		note_node(s);
	if (s->depth == DEPTH_MAX ||
	    snprintf(folder, sizeof(folder), "%s/%s", parent, name) >= (int)sizeof(folder) ||
	    gb_root_readlink(s->root, folder, target, sizeof(target)) >= 0)
		return 0;
	s->folder = folder;
	s->depth++;
	r = gb_root_list(s->root, folder, walk, s);
	above = strrchr(parent, '/') + 1;
	if (r == 0 && !strcmp(above, "net"))
		r = check_interface(s, name);
	else if (r == 0 && (strstr(folder, "/block/") || strstr(folder, "/nvme/")))
		r = check_disk(s, name);
	s->folder = parent;
	s->depth--;
	return r > 0 ? r : 0; /* -ENOTDIR: an attribute */
}

static int compare_fd(void *ctx, const char *name)
{
	struct search *s = ctx;
	char link[64], target[PATH_MAX], comm[32], *at;
	size_t len;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%.10s", s->pid, name);
	n = gb_root_readlink(s->root, link, target, sizeof(target) - 1);
	if (n <= 0 || strncmp(target, "/dev/", 5))
		return 0;
	target[n] = '\n';
	len = (size_t)n + 1;
	for (at = s->nodes.data; at && *at; at = strchr(at, '\n') + 1)
		if (!strncmp(at, target, len)) {
			target[n] = '\0';
			snprintf(link, sizeof(link), "/proc/%d/comm", s->pid);
			n = gb_root_read(s->root, link, comm, sizeof(comm));
			comm[n > 0 ? strcspn(comm, "\n") : 0] = '\0';
			snprintf(s->ret, s->size, "%s (pid %d) has %.60s open", comm, s->pid,
				 target);
			return 1;
		}
	return 0;
}

static int check_process(void *ctx, const char *name)
{
	struct search *s = ctx;
	char folder[64];
	int r;

	if (!isdigit((unsigned char)name[0]) || strlen(name) > 9)
		return 0;
	s->pid = atoi(name);
	snprintf(folder, sizeof(folder), "/proc/%d/fd", s->pid);
	r = gb_root_list(s->root, folder, compare_fd, s);
	return r > 0 ? r : 0; /* it may be gone by now */
}

int gb_use_find(struct gb_root *root, struct gb_bdf bdf, char *ret, size_t size)
{
	struct search s = { .root = root, .ret = ret, .size = size };
	char folder[GB_SYSFS_MAX];
	int r;

	s.folder = gb_bdf_file(bdf, "", folder);
	r = gb_root_list(root, s.folder, walk, &s);
	if (!r && s.nodes.failed)
		r = -ENOMEM;
	if (!r && s.nodes.len)
		r = gb_root_list(root, "/proc", check_process, &s);
	gb_text_clear(&s.nodes);
	return r;
}
