/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imagenames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "imagetree.h"
#include "text.h"

#define LINKS_FOLLOWED 40 /* include/linux/namei.h, MAXSYMLINKS */

static uint32_t hash_of(const void *data, size_t len)
{
	const unsigned char *at = data;
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (len--)
		hash = (hash ^ *at++) * 16777619u;
	return hash ^ hash >> 15;
}

int gb_names_no_memory(struct gb_err *err)
{
	return gb_fail(err, ENOMEM, "out of memory");
}

int gb_names_spend(struct gb_imagetree *tree, size_t bytes, struct gb_err *err)
{
	tree->memory += bytes;
	if (tree->memory > GB_IMAGETREE_MEMORY)
		return gb_fail(err, E2BIG, "it has more files than ghost-boot reads (%zu so far)",
			       tree->files);
	return 0;
}

/* ---- by name --------------------------------------------------------------------------------- */

static uint32_t *slot_of(const struct gb_imagetree *tree, const char *path, size_t len)
{
	uint32_t at = hash_of(path, len);

	for (;; at++) {
		uint32_t *slot = &tree->slot[at & (tree->slots - 1)];
		const struct gb_image_file *file = *slot ? tree->file[*slot - 1] : NULL;

		if (!file || (!strncmp(file->path, path, len) && !file->path[len]))
			return slot;
	}
}

struct gb_image_file *gb_names_lookup(const struct gb_imagetree *tree, const char *path, size_t len)
{
	uint32_t slot = tree->slots ? *slot_of(tree, path, len) : 0;

	return slot && !tree->file[slot - 1]->gone ? tree->file[slot - 1] : NULL;
}

static int grow_slots(struct gb_imagetree *tree, struct gb_err *err)
{
	size_t slots = tree->slots ? tree->slots * 2 : 4096;
	uint32_t *old = tree->slot;
	int r = gb_names_spend(tree, slots * sizeof(*old), err);

	if (r)
		return r;
	tree->slot = calloc(slots, sizeof(*old));
	if (!tree->slot) {
		tree->slot = old;
		return gb_names_no_memory(err);
	}
	free(old);
	tree->slots = slots;
	for (size_t i = 0; i < tree->files; i++) /* later ones of a name take its slot */
		*slot_of(tree, tree->file[i]->path, strlen(tree->file[i]->path)) = (uint32_t)i + 1;
	return 0;
}

static int grow_files(struct gb_imagetree *tree, struct gb_err *err)
{
	size_t room = tree->room ? tree->room * 2 : 1024;
	void *more = realloc(tree->file, room * sizeof(*tree->file));

	if (!more)
		return gb_names_no_memory(err);
	tree->file = more;
	tree->room = room;
	return 0;
}

int gb_names_add(struct gb_imagetree *tree, const char *path, uint32_t mode, const char *target,
		    struct gb_image_file **ret, struct gb_err *err)
{
	size_t len = strlen(path), more = target ? strlen(target) + 1 : 0;
	struct gb_image_file *file;
	int r = gb_names_spend(tree, sizeof(*file) + len + more + 32, err); /* malloc's own */

	if (!r && tree->files == tree->room)
		r = grow_files(tree, err);
	if (!r && tree->files >= tree->slots / 2)
		r = grow_slots(tree, err);
	if (r)
		return r;
	file = calloc(1, sizeof(*file) + len + 1 + more);
	if (!file)
		return gb_names_no_memory(err);
	memcpy(file->path, path, len);
	file->mode = mode;
	if (target)
		file->target = memcpy(file->path + len + 1, target, more);
	*slot_of(tree, path, len) = (uint32_t)tree->files + 1;
	tree->file[tree->files++] = file;
	*ret = file;
	return 0;
}

/* ---- paths ----------------------------------------------------------------------------------- */

static void climb(struct gb_names_path *path)
{
	while (path->len && path->done[--path->len] != '/')
		;
	path->done[path->len] = '\0';
}

/* What a link says comes before what is left. */
static int follow_link(struct gb_names_path *path, const char *target)
{
	size_t len = strlen(target), left = strlen(path->at);

	if (++path->links > LINKS_FOLLOWED)
		return -ELOOP;
	if (len + 1 + left + 1 > sizeof(path->rest))
		return -ENAMETOOLONG;
	climb(path);
	if (*target == '/')
		path->done[path->len = 0] = '\0';
	memmove(path->rest + len + 1, path->at, left + 1);
	memcpy(path->rest, target, len);
	path->rest[len] = '/';
	path->at = path->rest;
	return 0;
}

static int go_into(const struct gb_imagetree *tree, struct gb_names_path *path, size_t len,
		   bool follow)
{
	const char *name = path->at;
	const struct gb_image_file *file;
	bool last;

	path->at += len;
	last = !path->at[strspn(path->at, "/")];
	if (len == 1 && *name == '.')
		return 0;
	if (len == 2 && !memcmp(name, "..", 2)) {
		climb(path);
		return 0;
	}
	if (len > NAME_MAX || path->len + 1 + len >= sizeof(path->done))
		return -ENAMETOOLONG;
	if (path->len)
		path->done[path->len++] = '/';
	memcpy(path->done + path->len, name, len);
	path->len += len;
	path->done[path->len] = '\0';
	file = gb_names_lookup(tree, path->done, path->len);
	if (file && file->target && (!last || follow))
		return follow_link(path, file->target);
	return last ? 0 : !file ? -ENOENT : S_ISDIR(file->mode) ? 0 : -ENOTDIR;
}

/* To the path without links, whether its last part is there or not; "" is the root. */
int gb_names_resolve(const struct gb_imagetree *tree, const char *name, bool follow,
		     struct gb_names_path *ret)
{
	int r = 0;

	ret->len = ret->links = 0;
	ret->done[0] = '\0';
	ret->at = ret->rest;
	if (!gb_text_copy(ret->rest, sizeof(ret->rest), name))
		return -ENAMETOOLONG;
	while (!r) {
		size_t len;

		ret->at += strspn(ret->at, "/");
		len = strcspn(ret->at, "/");
		if (!len)
			break;
		r = go_into(tree, ret, len, follow);
	}
	return r;
}

/* ---- hard links ------------------------------------------------------------------------------ */

static struct gb_link *link_slot(struct gb_link *link, size_t room, const uint32_t key[static 4])
{
	uint32_t at = hash_of(key, 4 * sizeof(*key));

	while (link[at & (room - 1)].body &&
	       memcmp(link[at & (room - 1)].key, key, 4 * sizeof(*key)))
		at++;
	return &link[at & (room - 1)];
}

static int grow_links(struct gb_imagetree *tree, struct gb_err *err)
{
	size_t room = tree->link_room ? tree->link_room * 2 : 64;
	struct gb_link *more;
	int r = gb_names_spend(tree, room * sizeof(*more), err);

	if (r)
		return r;
	more = calloc(room, sizeof(*more));
	if (!more)
		return gb_names_no_memory(err);
	for (size_t i = 0; i < tree->link_room; i++)
		if (tree->link[i].body)
			*link_slot(more, room, tree->link[i].key) = tree->link[i];
	free(tree->link);
	tree->link = more;
	tree->link_room = room;
	return 0;
}

/* Of all names that one archive gives an inode; it has data with one of them. */
int gb_names_link(struct gb_imagetree *tree, const struct gb_cpio_entry *entry,
		     struct gb_link **ret, struct gb_err *err)
{
	const uint32_t key[4] = { entry->inode, entry->major, entry->minor, entry->mode };

	if (tree->links >= tree->link_room / 2) {
		int r = grow_links(tree, err);

		if (r)
			return r;
	}
	*ret = link_slot(tree->link, tree->link_room, key);
	if (!(*ret)->body)
		memcpy((*ret)->key, key, sizeof(key));
	return 0;
}

void gb_names_forget(void *ctx)
{
	struct gb_imagetree *tree = ctx;

	free(tree->link);
	tree->link = NULL;
	tree->links = tree->link_room = 0;
}
