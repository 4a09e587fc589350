/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has device nodes open: /proc/PID/fd and /proc/PID/maps. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"
#include "root.h"
#include "text.h"

#define NODES_MAX 512
#define MAPS_MAX (32u << 20) /* bytes of one process's */
#define INIT_PID_NAMESPACE "pid:[4026531836]" /* include/linux/proc_ns.h PROC_PID_INIT_INO */

struct search {
	struct gb_root *root;
	const char *node[NODES_MAX];
	bool seen[NODES_MAX]; /* of this process */
	size_t nodes;
	gb_opener_fn each;
	void *ctx;
	int pid;
	bool hidden, any, first; /* some can't be looked into; there are processes; also the first */
};

static void note_node(struct search *s, const char *path)
{
	for (size_t i = 0; i < s->nodes; i++)
		s->seen[i] |= !strcmp(s->node[i], path);
}

static void note_hidden(struct search *s, int r)
{
	/* a process that ended meanwhile has nothing open */
	s->hidden |= r < 0 && r != -ENOENT && r != -ESRCH;
}

static int look_at_fd(void *ctx, const char *name)
{
	struct search *s = ctx;
	char link[64], target[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%.10s", s->pid, name);
	n = gb_root_readlink(s->root, link, target, sizeof(target) - 1);
	if (n < 0)
		note_hidden(s, (int)n);
	if (n <= 0 || strncmp(target, "/dev/", 5))
		return 0;
	target[n] = '\0';
	note_node(s, target);
	return 0;
}

/* "7f00-7f01 rw-s 00000000 00:06 512      /dev/dri/card1" (fs/proc/task_mmu.c). */
static void look_at_maps(struct search *s)
{
	char file[32], *text;
	size_t len;
	bool more;
	int r;

	snprintf(file, sizeof(file), "/proc/%d/maps", s->pid);
	r = gb_root_read_all(s->root, file, MAPS_MAX, &text, &len);
	note_hidden(s, r);
	if (r)
		return;
	for (char *line = text; (line = strchr(line, '/'));) {
		char *end = strchrnul(line, '\n');

		more = *end;
		*end = '\0';
		if (!strncmp(line, "/dev/", 5))
			note_node(s, line);
		line = end + more;
	}
	free(text);
}

static int look_at_process(void *ctx, const char *name)
{
	struct search *s = ctx;
	char folder[64];
	int r = 0;

	if (!isdigit((unsigned char)name[0]) || strlen(name) > 9)
		return 0;
	s->pid = atoi(name);
	s->any = true;
	s->first |= s->pid == 1;
	memset(s->seen, 0, sizeof(s->seen));
	snprintf(folder, sizeof(folder), "/proc/%d/fd", s->pid);
	note_hidden(s, gb_root_list(s->root, folder, look_at_fd, s));
	look_at_maps(s);
	for (size_t i = 0; i < s->nodes && !r; i++)
		if (s->seen[i])
			r = s->each(s->ctx, &(struct gb_opener){ s->pid, s->node[i] });
	return r;
}

/* hidepid= leaves out the processes of others, the first one too; a container has some of its
 * own. */
static bool are_shown(struct search *s)
{
	char target[64];
	ssize_t n = gb_root_readlink(s->root, "/proc/self/ns/pid", target, sizeof(target) - 1);

	if (n > 0) {
		target[n] = '\0';
		if (strcmp(target, INIT_PID_NAMESPACE))
			return false;
	}
	return s->any && (s->first || !gb_root_is_real(s->root));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool split(struct search *s, char *lines)
{
	size_t different = 0;
	char *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (s->nodes == NODES_MAX)
			return false;
		s->node[s->nodes++] = line;
	}
	qsort(s->node, s->nodes, sizeof(*s->node), by_name);
	for (size_t i = 0; i < s->nodes; i++)
		if (!i || strcmp(s->node[i], s->node[different - 1]))
			s->node[different++] = s->node[i];
	s->nodes = different;
	return true;
}

int gb_nodes_openers(struct gb_root *root, const char *nodes, gb_opener_fn each, void *ctx,
		     bool *ret_all)
{
	struct search s = { .root = root, .each = each, .ctx = ctx };
	char *lines = strdup(nodes);
	bool whole;
	int r;

	if (!lines)
		return -ENOMEM;
	whole = split(&s, lines);
	r = gb_root_list(root, "/proc", look_at_process, &s);
	if (ret_all)
		*ret_all = whole && r >= 0 && !s.hidden && are_shown(&s);
	free(lines);
	return r;
}

void gb_process_name(struct gb_root *root, int pid, char ret[static GB_PROCESS_MAX])
{
	char file[32];
	ssize_t n;

	snprintf(file, sizeof(file), "/proc/%d/comm", pid);
	n = gb_root_read(root, file, ret, GB_PROCESS_MAX);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	for (char *c = ret; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}
