/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a power cut leaves of a tree: surely what was synced, of the rest any part. Names live in
 * their folders and are on the disk when the folder was synced; bytes, owners and modes when the
 * file was. syncfs() counts for nothing here, so that no missing fsync() hides behind it.
 *
 * FAT is different: the name that a rename gives is on the disk when the file was synced, and a
 * file that was replaced loses its bytes as soon as nobody has it open, though its name may still
 * be there after a cut. */
#ifndef SHADOW_H
#define SHADOW_H

#include "change.h"

#include <dirent.h>

struct content {
	struct stat st;
	char *data; /* of a file, or what a link says */
	size_t len;
	char kept[64]; /* user.kept */
};

struct name {
	char name[64];
	size_t node;
};

struct node {
	ino_t inode;
	struct content sure, seen; /* on the disk; in memory */
	bool dirty, written; /* since it was synced: anything of it; its bytes */
	bool freed; /* FAT: the bytes may be somebody else's */
	struct name name[64]; /* a folder's, on the disk */
	size_t names;
};

/* A change of names that no fsync has reached yet. */
struct pending {
	enum gb_call_kind kind;
	size_t folder, folder2, node;
	char from[64], to[64];
	bool fat; /* waits for its node and not for a folder */
	size_t old; /* then: what had that name, or SIZE_MAX */
};

struct shadow {
	struct node *node[2048];
	size_t nodes;
	struct pending pending[256];
	size_t waiting;
	size_t replaced; /* by the call that is made now, or SIZE_MAX */
	unsigned seed;
};

static inline struct node *add_node(struct shadow *shadow, ino_t inode)
{
	struct node *node = calloc(1, sizeof(*node));

	assert_true(shadow->nodes < COUNT(shadow->node));
	node->inode = inode;
	shadow->node[shadow->nodes++] = node;
	return node;
}

static inline size_t find_node(const struct shadow *shadow, ino_t inode)
{
	for (size_t i = shadow->nodes; i-- > 0;)
		if (shadow->node[i]->inode == inode)
			return i;
	return SIZE_MAX;
}

static inline void read_content(const char *path, struct content *ret)
{
	static char data[IMAGE_BYTES * 2];
	struct content now = { .len = 0 };
	ssize_t n = 0;
	int fd = -1;

	assert_int_equal(lstat(path, &now.st), 0);
	if (S_ISLNK(now.st.st_mode)) {
		n = readlink(path, data, sizeof(data));
	} else if (S_ISREG(now.st.st_mode)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		n = read(fd, data, sizeof(data));
		if (fgetxattr(fd, "user.kept", now.kept, sizeof(now.kept) - 1) < 0)
			now.kept[0] = '\0';
		close(fd);
	}
	assert_true(n >= 0 && n < (ssize_t)sizeof(data));
	now.data = malloc((size_t)n + 1);
	memcpy(now.data, data, (size_t)n);
	now.len = (size_t)n;
	free(ret->data);
	*ret = now;
}

static inline void copy_content(struct content *to, const struct content *from)
{
	char *data = malloc(from->len + 1);

	memcpy(data, from->data, from->len);
	free(to->data);
	*to = *from;
	to->data = data;
}

/* A descriptor's file, also one that is open for writing only or has no name any more. */
static inline void read_open(int fd, struct content *ret)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	read_content(path, ret);
}

/* ---- the start: all of it is on the disk ------------------------------------------- */

static inline size_t load(struct shadow *shadow, const char *path)
{
	struct content content = { .len = 0 };
	struct node *node;
	size_t index;
	DIR *dir;

	read_content(path, &content);
	node = add_node(shadow, content.st.st_ino);
	index = shadow->nodes - 1;
	node->sure = content;
	copy_content(&node->seen, &content);
	if (!S_ISDIR(content.st.st_mode))
		return index;
	dir = opendir(path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char below[PATH_MAX];
		size_t child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		child = load(shadow, below);
		snprintf(node->name[node->names].name, sizeof(node->name->name), "%s",
			 entry->d_name);
		node->name[node->names++].node = child;
	}
	closedir(dir);
	return index;
}

static inline void unload(struct shadow *shadow)
{
	for (size_t i = 0; i < shadow->nodes; i++) {
		free(shadow->node[i]->sure.data);
		free(shadow->node[i]->seen.data);
		free(shadow->node[i]);
	}
}

/* ---- names ------------------------------------------------------------------------- */

static inline struct name *find_name(struct node *folder, const char *name)
{
	for (size_t i = 0; i < folder->names; i++)
		if (!strcmp(folder->name[i].name, name))
			return &folder->name[i];
	return NULL;
}

static inline void set_name(struct node *folder, const char *name, size_t node)
{
	struct name *entry = find_name(folder, name);

	if (!entry) {
		assert_true(folder->names < COUNT(folder->name));
		entry = &folder->name[folder->names++];
		snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	entry->node = node;
}

static inline void drop_name(struct node *folder, const char *name)
{
	struct name *entry = find_name(folder, name);

	if (entry)
		*entry = folder->name[--folder->names];
}

static inline void settle_name(struct shadow *shadow, const struct pending *p)
{
	struct node *folder = shadow->node[p->folder];
	struct name *from = find_name(folder, p->from), *to;
	size_t node = from ? from->node : 0;

	switch (p->kind) {
	case GB_CALL_RENAME:
		if (from) {
			drop_name(folder, p->from);
			set_name(shadow->node[p->folder2], p->to, node);
		}
		break;
	case GB_CALL_EXCHANGE:
		to = find_name(folder, p->to);
		if (from && to) {
			from->node = to->node;
			to->node = node;
		}
		break;
	case GB_CALL_LINK:
		if (p->fat)
			set_name(folder, p->to, p->node);
		else if (from)
			set_name(shadow->node[p->folder2], p->to, node);
		break;
	case GB_CALL_UNLINK:
	case GB_CALL_RMDIR:
		drop_name(folder, p->from);
		break;
	default:
		set_name(folder, p->from, p->node);
	}
}

static inline void sync_names(struct shadow *shadow, size_t index)
{
	size_t left = 0;

	for (size_t i = 0; i < shadow->waiting; i++) {
		const struct pending p = shadow->pending[i];

		if (p.fat ? p.node == index : p.folder == index || p.folder2 == index)
			settle_name(shadow, &p);
		else
			shadow->pending[left++] = p;
	}
	shadow->waiting = left;
}

/* ---- FAT --------------------------------------------------------------------------- */

static inline bool on_fat(int fd)
{
	struct statfs fs;

	tell_disk(fd, &fs);
	return fs.f_type == MSDOS_SUPER_MAGIC;
}

static inline bool is_open(ino_t inode)
{
	DIR *dir = opendir("/proc/self/fd");
	struct stat st;
	bool is = false;

	for (struct dirent *entry; !is && (entry = readdir(dir));)
		is = !fstatat(dirfd(dir), entry->d_name, &st, 0) && st.st_ino == inode;
	closedir(dir);
	return is;
}

static inline void free_replaced(struct shadow *shadow)
{
	for (size_t i = 0; i < shadow->waiting; i++) {
		const struct pending *p = &shadow->pending[i];

		if (p->fat && p->old != SIZE_MAX && !is_open(shadow->node[p->old]->inode))
			shadow->node[p->old]->freed = true;
	}
}

/* Another call has the name now: what waited for it is never written. */
static inline void forget_waiting(struct shadow *shadow, size_t folder, const char *name)
{
	size_t left = 0;

	for (size_t i = 0; i < shadow->waiting; i++) {
		const struct pending p = shadow->pending[i];

		if (!p.fat || p.folder != folder || strcmp(p.to, name))
			shadow->pending[left++] = p;
	}
	shadow->waiting = left;
}

/* Before a call: what it is about to replace. */
static inline void note_before(struct shadow *shadow, const struct gb_call *call)
{
	struct stat st;

	shadow->replaced = SIZE_MAX;
	if (call->kind == GB_CALL_RENAME && on_fat(call->fd2) &&
	    !fstatat(call->fd2, call->to, &st, AT_SYMLINK_NOFOLLOW))
		shadow->replaced = find_node(shadow, st.st_ino);
}

/* ---- calls as they happen ---------------------------------------------------------- */

static inline size_t node_of(const struct shadow *shadow, int fd)
{
	struct stat st;
	size_t node;

	assert_int_equal(fstat(fd, &st), 0);
	node = find_node(shadow, st.st_ino);
	assert_true(node != SIZE_MAX);
	return node;
}

/* Two changes, of which either may be on the disk alone. */
static inline void note_rename_on_fat(struct shadow *shadow, const struct gb_call *call)
{
	struct pending *gone, *come;
	struct stat st;

	forget_waiting(shadow, node_of(shadow, call->fd2), call->to);
	gone = &shadow->pending[shadow->waiting++];
	come = &shadow->pending[shadow->waiting++];
	assert_true(shadow->waiting < COUNT(shadow->pending));
	*gone = (struct pending){ .kind = GB_CALL_UNLINK, .folder = node_of(shadow, call->fd) };
	gone->folder2 = gone->folder;
	snprintf(gone->from, sizeof(gone->from), "%s", call->name);
	assert_int_equal(fstatat(call->fd2, call->to, &st, AT_SYMLINK_NOFOLLOW), 0);
	*come = (struct pending){ .kind = GB_CALL_LINK, .folder = node_of(shadow, call->fd2),
				  .node = find_node(shadow, st.st_ino), .fat = true,
				  .old = shadow->replaced };
	snprintf(come->to, sizeof(come->to), "%s", call->to);
}

static inline void note_name(struct shadow *shadow, const struct gb_call *call)
{
	struct pending *p = &shadow->pending[shadow->waiting++];
	char path[64], full[PATH_MAX];
	struct node *node;
	ssize_t n;

	assert_true(shadow->waiting < COUNT(shadow->pending));
	*p = (struct pending){ .kind = call->kind, .folder = node_of(shadow, call->fd) };
	p->folder2 = call->kind == GB_CALL_RENAME || call->kind == GB_CALL_EXCHANGE ||
				     call->kind == GB_CALL_LINK
			     ? node_of(shadow, call->fd2) : p->folder;
	snprintf(p->from, sizeof(p->from), "%s", call->name);
	snprintf(p->to, sizeof(p->to), "%s", call->to ? call->to : "");
	if (call->kind != GB_CALL_CREATE && call->kind != GB_CALL_MKDIR &&
	    call->kind != GB_CALL_SYMLINK)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", call->fd);
	n = readlink(path, full, sizeof(full) - 1);
	assert_true(n > 0);
	snprintf(full + n, sizeof(full) - (size_t)n, "/%s", call->name);
	node = add_node(shadow, 0);
	read_content(full, &node->sure);
	copy_content(&node->seen, &node->sure);
	node->inode = node->sure.st.st_ino;
	p->node = shadow->nodes - 1;
}

static inline void note(struct shadow *shadow, const struct gb_call *call)
{
	struct node *node;
	size_t index;

	free_replaced(shadow);
	if (call->kind == GB_CALL_UNLINK || call->kind == GB_CALL_RENAME)
		forget_waiting(shadow, node_of(shadow, call->fd), call->name);
	switch (call->kind) {
	case GB_CALL_SYNCFS:
	case GB_CALL_CHECKPOINT:
		return;
	case GB_CALL_WRITE:
	case GB_CALL_CHOWN:
	case GB_CALL_CHMOD:
	case GB_CALL_XATTR:
	case GB_CALL_TIME:
		node = shadow->node[node_of(shadow, call->fd)];
		if (call->name && call->kind == GB_CALL_CHOWN)
			return; /* of a link: with its name */
		read_open(call->fd, &node->seen);
		node->dirty = true;
		node->written |= call->kind == GB_CALL_WRITE;
		return;
	case GB_CALL_FSYNC:
		index = node_of(shadow, call->fd);
		node = shadow->node[index];
		read_open(call->fd, &node->seen);
		copy_content(&node->sure, &node->seen);
		node->dirty = node->written = false;
		sync_names(shadow, index);
		return;
	case GB_CALL_RENAME:
		if (on_fat(call->fd2))
			note_rename_on_fat(shadow, call);
		else
			note_name(shadow, call);
		return;
	default:
		note_name(shadow, call);
	}
}

/* ---- a cut ------------------------------------------------------------------------- */

enum cut { CUT_SURE, CUT_NAMES, CUT_ALL, CUT_SOME, CUT_OTHERS, CUT_MORE, CUTS };

static inline bool happens(struct shadow *shadow, enum cut cut, bool name)
{
	if (cut < CUT_SOME)
		return cut == CUT_ALL || (cut == CUT_NAMES && name);
	shadow->seed = shadow->seed * 1103515245 + 12345;
	return shadow->seed >> 16 & 1;
}

static inline void write_node(struct shadow *shadow, size_t index, const char *path, enum cut cut)
{
	struct node *node = shadow->node[index];
	const struct content *c = node->dirty && happens(shadow, cut, false) ? &node->seen
									     : &node->sure;
	/* of what was not synced, the first half may be there alone */
	size_t len = node->written && cut >= CUT_SOME && happens(shadow, cut, false) ? c->len / 2
										  : c->len;
	int fd;

	if (node->freed && happens(shadow, cut, false))
		len = 0;
	if (S_ISLNK(c->st.st_mode)) {
		c->data[c->len] = '\0';
		assert_int_equal(symlink(c->data, path), 0);
		return;
	}
	if (S_ISDIR(c->st.st_mode)) {
		assert_int_equal(mkdir(path, 0700), 0);
		for (size_t i = 0; i < node->names; i++) {
			char below[PATH_MAX];

			snprintf(below, sizeof(below), "%s/%s", path, node->name[i].name);
			write_node(shadow, node->name[i].node, below, cut);
		}
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, c->data, len), len);
		if (c->kept[0])
			fsetxattr(fd, "user.kept", c->kept, strlen(c->kept), 0);
		close(fd);
	}
	if (!geteuid())
		assert_int_equal(chown(path, c->st.st_uid, c->st.st_gid), 0);
	assert_int_equal(chmod(path, c->st.st_mode & 07777), 0);
}

/* The tree that a cut of this kind leaves, at `path`, which must not exist. */
static inline void cut_power(struct shadow *shadow, enum cut cut, const char *path)
{
	struct name (*kept)[COUNT(shadow->node[0]->name)] = calloc(shadow->nodes, sizeof(*kept));
	size_t *names = calloc(shadow->nodes, sizeof(*names));

	for (size_t i = 0; i < shadow->nodes; i++) {
		memcpy(kept[i], shadow->node[i]->name, sizeof(kept[i]));
		names[i] = shadow->node[i]->names;
	}
	for (size_t i = 0; i < shadow->waiting; i++)
		if (happens(shadow, cut, true))
			settle_name(shadow, &shadow->pending[i]);
	write_node(shadow, 0, path, cut);
	for (size_t i = 0; i < shadow->nodes; i++) {
		memcpy(shadow->node[i]->name, kept[i], sizeof(kept[i]));
		shadow->node[i]->names = names[i];
	}
	free(kept);
	free(names);
}

#endif
