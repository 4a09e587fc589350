/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imagetree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "imagenames.h"

#define LINKED_KEPT (1u << 20)

static int new_body(struct gb_imagetree *tree, struct gb_body **ret, struct gb_err *err)
{
	int r = gb_names_spend(tree, sizeof(**ret) + 16, err);

	if (r)
		return r;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return gb_names_no_memory(err);
	(*ret)->next = tree->body;
	tree->body = *ret;
	return 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

static int lose(struct gb_imagetree *tree, const char *name)
{
	const bool ours = !tree->ours_lost &&
			  (strstr(name, "ghost-") || strstr(name, "ghost_boot"));

	if (!tree->lost++ || ours) {
		free(tree->first_lost);
		tree->first_lost = strdup(name);
	}
	tree->ours_lost |= ours;
	return 0;
}

static void set_size(struct gb_imagetree *tree, struct gb_body *body, uint32_t size)
{
	if (body->data)
		tree->kept -= body->size;
	free(body->data);
	body->data = NULL;
	body->size = size;
}

static bool is_kept(struct gb_imagetree *tree, const struct gb_cpio_entry *entry, const char *path)
{
	bool wanted = tree->keep(tree->ctx, path, entry->size);

	if (entry->size > GB_IMAGETREE_KEPT - tree->kept) {
		tree->dropped |= wanted;
		return false;
	}
	/* of a name that is still to come */
	return wanted || (entry->links > 1 && entry->size <= LINKED_KEPT);
}

/* Data is for the body from here on; an empty file is kept at once. */
static int begin_data(struct gb_imagetree *tree, struct gb_body *body,
		      const struct gb_cpio_entry *entry, const char *path, struct gb_err *err)
{
	set_size(tree, body, entry->size);
	if (!is_kept(tree, entry, path))
		return 0;
	body->data = malloc((size_t)entry->size + 1);
	if (!body->data)
		return gb_names_no_memory(err);
	tree->kept += entry->size;
	body->data[entry->size] = '\0';
	tree->now = body;
	tree->filled = 0;
	return 1;
}

static int put_data(void *ctx, const unsigned char *data, size_t len, struct gb_err *err)
{
	struct gb_imagetree *tree = ctx;

	(void)err;
	memcpy(tree->now->data + tree->filled, data, len);
	tree->filled += (uint32_t)len;
	return 0;
}

/* A regular file: over an old one it writes into that one's body (do_name opens it O_TRUNC). */
static int put_file(struct gb_imagetree *tree, struct gb_image_file *file,
		    const struct gb_cpio_entry *entry, struct gb_err *err)
{
	struct gb_link *link = NULL;
	int r = 0;

	if (entry->links > 1)
		r = gb_names_link(tree, entry, &link, err);
	if (!r && link && link->body) {
		file->body = link->body;
		/* another name without data leaves what is there */
		return entry->size ? begin_data(tree, file->body, entry, file->path, err) : 0;
	}
	if (!r && !file->body)
		r = new_body(tree, &file->body, err);
	if (r)
		return r;
	if (link) {
		link->body = file->body;
		tree->links++;
	}
	return begin_data(tree, file->body, entry, file->path, err);
}

/* The folder it is to be in. */
static struct gb_image_file *parent_of(const struct gb_imagetree *tree, const struct gb_names_path *path)
{
	const char *slash = strrchr(path->done, '/');

	return slash ? gb_names_lookup(tree, path->done, (size_t)(slash - path->done)) : NULL;
}

static void remove_file(const struct gb_imagetree *tree, const struct gb_names_path *path,
			struct gb_image_file *file)
{
	struct gb_image_file *parent = parent_of(tree, path);

	file->gone = true;
	if (parent)
		parent->children--;
}

/* init/initramfs.c: clean_path takes away what is of another kind, or a link; a folder only if it
 * is empty. */
static int put_entry(void *ctx, const struct gb_cpio_entry *entry, struct gb_err *err)
{
	struct gb_imagetree *tree = ctx;
	struct gb_image_file *file, *parent;
	struct gb_names_path path;
	int r;

	if (gb_names_resolve(tree, entry->name, false, &path) < 0)
		return lose(tree, entry->name);
	if (!path.len)
		return 0; /* the root */
	file = gb_names_lookup(tree, path.done, path.len);
	if (file && ((file->mode ^ entry->mode) & S_IFMT || entry->target)) {
		if (file->children)
			return lose(tree, entry->name);
		remove_file(tree, &path, file);
		file = NULL;
	}
	if (!file) {
		r = gb_names_add(tree, path.done, entry->mode, entry->target, &file, err);
		if (r)
			return r;
		parent = parent_of(tree, &path);
		if (parent)
			parent->children++;
	}
	file->mode = entry->mode;
	return S_ISREG(entry->mode) ? put_file(tree, file, entry, err) : 0;
}

/* ---- outside --------------------------------------------------------------------------------- */

static struct gb_cpio_sink begin(gb_keep_fn keep, void *ctx, struct gb_imagetree *tree)
{
	memset(tree, 0, sizeof(*tree));
	tree->keep = keep;
	tree->ctx = ctx;
	return (struct gb_cpio_sink){ put_entry, put_data, gb_names_forget, tree };
}

/* What was cut short is not data. */
static int finish(struct gb_imagetree *tree, int r)
{
	if (r < 0 && tree->now && tree->filled < tree->now->size)
		set_size(tree, tree->now, tree->now->size);
	return r;
}

int gb_imagetree_read(struct gb_root *root, const char *image, gb_keep_fn keep, void *ctx,
		      struct gb_imagetree *ret, struct gb_err *err)
{
	struct gb_cpio_sink sink = begin(keep, ctx, ret);

	return finish(ret, gb_image_read(root, image, &sink, &ret->image, err));
}

int gb_imagetree_read_part(int fd, uint64_t offset, uint64_t length, gb_keep_fn keep, void *ctx,
			   struct gb_imagetree *ret, struct gb_err *err)
{
	struct gb_cpio_sink sink = begin(keep, ctx, ret);

	return finish(ret, gb_image_read_part(fd, offset, length, &sink, &ret->image, err));
}

void gb_imagetree_clear(struct gb_imagetree *tree)
{
	for (struct gb_body *body = tree->body, *next; body; body = next) {
		next = body->next;
		free(body->data);
		free(body);
	}
	for (size_t i = 0; i < tree->files; i++)
		free(tree->file[i]);
	free(tree->file);
	free(tree->slot);
	free(tree->link);
	free(tree->first_lost);
	memset(tree, 0, sizeof(*tree));
}

static const struct gb_image_file *find(const struct gb_imagetree *tree, const char *name, bool follow)
{
	struct gb_names_path path;

	if (gb_names_resolve(tree, name, follow, &path) < 0)
		return NULL;
	return gb_names_lookup(tree, path.done, path.len);
}

const struct gb_image_file *gb_imagetree_find(const struct gb_imagetree *tree, const char *path)
{
	return find(tree, path, true);
}

const struct gb_image_file *gb_imagetree_find_link(const struct gb_imagetree *tree, const char *path)
{
	return find(tree, path, false);
}

const char *gb_imagetree_data(const struct gb_imagetree *tree, const char *path, size_t *ret_len)
{
	const struct gb_image_file *file = gb_imagetree_find(tree, path);

	if (!file || !file->body || !file->body->data)
		return NULL;
	*ret_len = file->body->size;
	return file->body->data;
}

const char *gb_image_file_in(const struct gb_image_file *file, const char *folder)
{
	size_t len = strlen(folder);

	if (file->gone || strncmp(file->path, folder, len) || file->path[len] != '/' ||
	    strchr(file->path + len + 1, '/'))
		return NULL;
	return file->path + len + 1;
}
