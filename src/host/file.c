/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "err.h"
#include "store.h"

#define XATTRS_MAX 64
#define NAMES_MAX (64 << 10) /* XATTR_LIST_MAX (include/uapi/linux/limits.h) */

void gb_file_clear(struct gb_file *file)
{
	for (size_t i = 0; i < file->xattrs; i++) {
		free(file->xattr[i].name);
		free(file->xattr[i].value);
	}
	free(file->xattr);
	free(file->link);
	memset(file, 0, sizeof(*file));
}

static bool add_xattr(struct gb_file *file, const char *name, const void *value, size_t size)
{
	struct gb_xattr *all = realloc(file->xattr, (file->xattrs + 1) * sizeof(*all));
	struct gb_xattr *one;

	if (!all)
		return false;
	file->xattr = all;
	one = &all[file->xattrs];
	one->name = strdup(name);
	one->value = malloc(size ? size : 1);
	one->size = size;
	if (!one->name || !one->value) {
		free(one->name);
		free(one->value);
		return false;
	}
	if (size)
		memcpy(one->value, value, size);
	file->xattrs++;
	return true;
}

bool gb_file_copy(const struct gb_file *from, struct gb_file *ret)
{
	struct gb_file copy = *from;
	bool good = true;

	copy.xattr = NULL;
	copy.xattrs = 0;
	copy.link = from->link ? strdup(from->link) : NULL;
	if (from->link && !copy.link)
		good = false;
	for (size_t i = 0; i < from->xattrs && good; i++)
		good = add_xattr(&copy, from->xattr[i].name, from->xattr[i].value,
				 from->xattr[i].size);
	if (!good) {
		gb_file_clear(&copy);
		return false;
	}
	*ret = copy;
	return true;
}

/* Those of other "system." names are made by file systems from what they know otherwise, and
 * security.evm is the kernel's signature over inode and label (security/integrity/evm). */
static bool is_kept(const char *name)
{
	return (strncmp(name, "system.", 7) || !strncmp(name, "system.posix_acl_", 17)) &&
	       strcmp(name, "security.evm");
}

/* The list of names, each terminated; its length, or a negative errno. */
static ssize_t list_names(int fd, char **ret)
{
	char *names = malloc(NAMES_MAX + 1);
	ssize_t n;

	if (!names)
		return -ENOMEM;
	n = flistxattr(fd, names, NAMES_MAX);
	if (n < 0) {
		n = errno == ENOTSUP || errno == ENOSYS ? 0 : -errno;
	}
	names[n > 0 ? n : 0] = '\0';
	*ret = names;
	return n;
}

static int read_xattrs(int fd, struct gb_file *file)
{
	char *names = NULL, *value = malloc(NAMES_MAX);
	ssize_t n = value ? list_names(fd, &names) : -ENOMEM, size;
	int r = n < 0 ? (int)n : 0;

	for (char *at = names; !r && at < names + n; at += strlen(at) + 1) {
		if (!is_kept(at))
			continue;
		size = fgetxattr(fd, at, value, NAMES_MAX);
		if (size < 0)
			r = errno == ENODATA ? 0 : -errno;
		else if (file->xattrs == XATTRS_MAX)
			r = -E2BIG;
		else if (!add_xattr(file, at, value, (size_t)size))
			r = -ENOMEM;
	}
	free(names);
	free(value);
	return r;
}

int gb_file_hash(int fd, char ret[GB_SHA256_TEXT])
{
	char chunk[64 << 10];
	struct gb_sha256 sum;
	ssize_t n;

	gb_sha256_begin(&sum);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			gb_sha256_add(&sum, chunk, (size_t)n);
	}
	gb_sha256_end(&sum, ret);
	return 0;
}

static void take_stat(const struct stat *st, struct gb_file *file)
{
	file->mode = st->st_mode & 07777;
	file->uid = st->st_uid;
	file->gid = st->st_gid;
	file->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	file->modified = st->st_mtim;
	file->timed = true;
	file->device = st->st_dev;
	file->inode = st->st_ino;
	file->names = st->st_nlink;
	file->changed = st->st_ctim;
}

static int look_link(const struct gb_place *place, struct gb_file *file)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(place->folder, place->name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	file->kind = GB_FILE_LINK;
	file->link = strndup(text, (size_t)n);
	return file->link ? 0 : -ENOMEM;
}

static int look_open(const struct gb_place *place, bool folder, bool hash, struct gb_file *file)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int r = 0, fd = openat(place->folder, place->name, flags);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		r = -EINVAL; /* changed hands since it was looked at */
	if (!r) {
		take_stat(&st, file);
		file->kind = folder ? GB_FILE_FOLDER : GB_FILE_REGULAR;
		r = read_xattrs(fd, file);
	}
	if (!r && !folder && hash)
		r = gb_file_hash(fd, file->hash);
	close(fd);
	return r;
}

static int look(const struct gb_place *place, bool hash, struct gb_file *ret, struct gb_err *err)
{
	struct gb_file file = { 0 };
	struct stat st;
	int r = 0;

	if (place->folder < 0) {
		*ret = file;
		return 0;
	}
	if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		r = errno == ENOENT ? 0 : -errno;
	} else if (S_ISLNK(st.st_mode)) {
		take_stat(&st, &file);
		r = look_link(place, &file);
	} else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		r = look_open(place, S_ISDIR(st.st_mode), hash, &file);
	} else {
		return gb_fail(err, EINVAL, "%s is no ordinary file", place->path);
	}
	if (r) {
		gb_file_clear(&file);
		return gb_fail(err, -r, "%s: %s", place->path, strerror(-r));
	}
	*ret = file;
	return 0;
}

int gb_file_look(const struct gb_place *place, struct gb_file *ret, struct gb_err *err)
{
	return look(place, true, ret, err);
}

int gb_file_glance(const struct gb_place *place, struct gb_file *ret, struct gb_err *err)
{
	return look(place, false, ret, err);
}

bool gb_file_find(struct gb_store *store, const char *path, bool hash, struct gb_file *ret)
{
	struct gb_place place;
	struct gb_file file = { 0 };
	bool is;

	if (gb_store_place(store, path, true, &place, NULL))
		return false;
	is = place.folder >= 0 && !look(&place, hash, &file, NULL) && file.kind == GB_FILE_REGULAR;
	gb_place_clear(&place);
	if (is)
		*ret = file;
	else
		gb_file_clear(&file);
	return is;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool gb_file_untouched(const struct gb_place *place, const struct gb_file *file)
{
	struct stat st;

	if (place->folder < 0 ||
	    fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return file->kind == GB_FILE_ABSENT && (place->folder < 0 || errno == ENOENT);
	return file->kind != GB_FILE_ABSENT && file->inode == st.st_ino &&
	       file->device == st.st_dev && same_time(&file->modified, &st.st_mtim) &&
	       same_time(&file->changed, &st.st_ctim);
}

static const struct gb_xattr *find_xattr(const struct gb_file *file, const char *name)
{
	for (size_t i = 0; i < file->xattrs; i++)
		if (!strcmp(file->xattr[i].name, name))
			return &file->xattr[i];
	return NULL;
}

static bool same_value(const struct gb_xattr *a, const struct gb_xattr *b)
{
	return b && a->size == b->size && !memcmp(a->value, b->value, a->size);
}

static bool same_xattrs(const struct gb_file *a, const struct gb_file *b)
{
	bool same = a->xattrs == b->xattrs;

	for (size_t i = 0; i < a->xattrs && same; i++)
		same = same_value(&a->xattr[i], find_xattr(b, a->xattr[i].name));
	return same;
}

bool gb_file_same(const struct gb_file *a, const struct gb_file *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == GB_FILE_ABSENT)
		return true;
	if (strcmp(a->hash, b->hash) || (a->kind == GB_FILE_LINK && strcmp(a->link, b->link)))
		return false;
	if (a->fresh || b->fresh)
		return true;
	if (a->uid != b->uid || a->gid != b->gid)
		return false;
	return a->kind == GB_FILE_LINK || (a->mode == b->mode && same_xattrs(a, b));
}

static int dress_xattrs(struct gb_store *store, int fd, const struct gb_file *file)
{
	struct gb_file now = { 0 };
	int r = read_xattrs(fd, &now);

	/* the folder's default ACL may have given it one; a label can't be taken away */
	for (size_t i = 0; i < now.xattrs && !r; i++)
		if (!find_xattr(file, now.xattr[i].name) &&
		    strncmp(now.xattr[i].name, "security.", 9))
			r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_XATTR, .fd = fd,
								    .name = now.xattr[i].name });
	for (size_t i = 0; i < file->xattrs && !r; i++) {
		const struct gb_xattr *one = &file->xattr[i];

		if (!same_value(one, find_xattr(&now, one->name)))
			r = gb_store_call(store, &(struct gb_call){
				.kind = GB_CALL_XATTR, .fd = fd, .name = one->name,
				.data = one->value, .len = one->size });
	}
	gb_file_clear(&now);
	return r;
}

int gb_file_dress(struct gb_store *store, int fd, const struct gb_file *file)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* the owner first: changing it takes set-user-ID away (chown(2)); and an ACL is an
	 * attribute whose mask chmod would change (acl(5)) */
	if (!file->fresh && (st.st_uid != file->uid || st.st_gid != file->gid))
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_CHOWN, .fd = fd,
							    .uid = file->uid, .gid = file->gid });
	if (!r && fstat(fd, &st) < 0)
		r = -errno;
	if (!r && (st.st_mode & 07777) != file->mode)
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_CHMOD, .fd = fd,
							    .len = file->mode });
	if (!r && !file->fresh)
		r = dress_xattrs(store, fd, file);
	if (!r && file->timed)
		r = gb_store_call(store, &(struct gb_call){ .kind = GB_CALL_TIME, .fd = fd,
							    .data = &file->modified });
	return r;
}
