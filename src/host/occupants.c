/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "occupants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"
#include "text.h"

#define PASSWD_MAX (4u << 20)
#define OCCUPANTS_MAX 4096

struct node {
	const char *name; /* in `lines` */
	size_t function;
};

struct search {
	struct gb_root *root;
	struct gb_occupants *ret;
	struct node *node;
	size_t nodes;
	char *passwd; /* or NULL */
	bool failed;
};

/* ---- one process --------------------------------------------------------------------- */

/* "name:x:1000:…", the line whose third field is this number. */
static bool user_name(const char *passwd, unsigned long uid, char *ret, size_t size)
{
	for (const char *line = passwd; line && *line; line = strchr(line, '\n'), line += !!line) {
		const size_t len = strcspn(line, ":\n");
		const char *field = line + len;
		unsigned long number;

		if (*field != ':' || !(field = strpbrk(field + 1, ":\n")) || *field != ':' ||
		    sscanf(field, ":%lu:", &number) != 1 || number != uid || !len || len >= size)
			continue;
		memcpy(ret, line, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static void read_user(struct search *s, int pid, char *ret, size_t size)
{
	char file[32], text[2048], *line;
	unsigned long uid;

	ret[0] = '\0';
	snprintf(file, sizeof(file), "/proc/%d/status", pid);
	if (gb_root_read(s->root, file, text, sizeof(text)) <= 0)
		return;
	line = strstr(text, "\nUid:"); /* the first of four: the real one */
	if (!line || sscanf(line, "\nUid: %lu", &uid) != 1)
		return;
	if (!user_name(s->passwd, uid, ret, size))
		snprintf(ret, size, "%lu", uid);
	for (char *c = ret; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static struct gb_occupant *find(struct search *s, size_t function, int pid)
{
	struct gb_occupants *all = s->ret;
	struct gb_occupant *more, *one;

	for (size_t i = all->occupants; i-- > 0 && all->occupant[i].pid == pid;)
		if (all->occupant[i].function == function)
			return &all->occupant[i];
	if (all->occupants == OCCUPANTS_MAX) {
		all->all = false;
		return NULL;
	}
	more = realloc(all->occupant, (all->occupants + 1) * sizeof(*more));
	if (!more) {
		s->failed = true;
		return NULL;
	}
	all->occupant = more;
	one = &more[all->occupants++];
	*one = (struct gb_occupant){ .function = function, .pid = pid };
	gb_process_name(s->root, pid, one->name);
	read_user(s, pid, one->user, sizeof(one->user));
	return one;
}

static int take(void *ctx, const struct gb_opener *opener)
{
	struct search *s = ctx;

	for (size_t i = 0; i < s->nodes && !s->failed; i++) {
		struct gb_occupant *one;
		size_t len;

		if (strcmp(s->node[i].name, opener->node))
			continue;
		one = find(s, s->node[i].function, opener->pid);
		if (!one)
			continue;
		len = strlen(one->nodes);
		snprintf(one->nodes + len, sizeof(one->nodes) - len, "%s%s", len ? ", " : "",
			 opener->node);
	}
	return s->failed;
}

/* ---- all ------------------------------------------------------------------------------- */

static bool add_node(struct search *s, const char *name, size_t function)
{
	struct node *more = realloc(s->node, (s->nodes + 1) * sizeof(*more));

	if (!more)
		return false;
	s->node = more;
	more[s->nodes++] = (struct node){ name, function };
	return true;
}

/* Splits the text that the lines are in: what it was joined from is not needed any more. */
static bool index_nodes(struct search *s, char *lines, const size_t *ends, size_t functions)
{
	char *at = lines;

	for (size_t i = 0; i < functions; i++)
		while (at < lines + ends[i]) {
			char *end = strchr(at, '\n');

			*end = '\0';
			if (!add_node(s, at, i))
				return false;
			s->ret->reachable[i] = true;
			at = end + 1;
		}
	return true;
}

static int by_function(const void *a, const void *b)
{
	const struct gb_occupant *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int search(struct search *s, const struct gb_text *lines, const size_t *ends,
		  size_t functions)
{
	char *split = strdup(lines->data ? lines->data : "");
	size_t len;
	int r = 0;

	if (!split || !index_nodes(s, split, ends, functions)) {
		free(split);
		return -ENOMEM;
	}
	if (gb_root_read_all(s->root, "/etc/passwd", PASSWD_MAX, &s->passwd, &len))
		s->passwd = NULL;
	if (s->nodes)
		r = gb_nodes_openers(s->root, lines->data, take, s, &s->ret->all);
	free(s->passwd);
	free(split);
	return s->failed || r == -ENOMEM ? -ENOMEM : 0;
}

int gb_occupants_find(struct gb_root *root, const struct gb_bdf *function, size_t functions,
		      struct gb_occupants *ret)
{
	struct search s = { .root = root, .ret = ret };
	size_t *ends = calloc(functions + 1, sizeof(*ends));
	struct gb_text lines = { 0 };
	int r = 0;

	*ret = (struct gb_occupants){ .all = true };
	ret->reachable = calloc(functions + 1, sizeof(*ret->reachable));
	if (!ends || !ret->reachable)
		r = -ENOMEM;
	for (size_t i = 0; i < functions && !r; i++) {
		/* what has gone meanwhile has no nodes */
		if (gb_nodes_find(root, function[i], &lines) == -ENOMEM)
			r = -ENOMEM;
		ends[i] = lines.len;
	}
	if (!r)
		r = search(&s, &lines, ends, functions);
	if (ret->occupants)
		qsort(ret->occupant, ret->occupants, sizeof(*ret->occupant), by_function);
	gb_text_clear(&lines);
	free(s.node);
	free(ends);
	return r;
}

void gb_occupants_clear(struct gb_occupants *occupants)
{
	free(occupants->occupant);
	free(occupants->reachable);
	*occupants = (struct gb_occupants){ 0 };
}

enum gb_known gb_occupants_any(const struct gb_occupants *occupants, size_t function)
{
	for (size_t i = 0; i < occupants->occupants; i++)
		if (occupants->occupant[i].function == function)
			return GB_YES;
	return occupants->all || !occupants->reachable[function] ? GB_NO : GB_CANNOT_TELL;
}
