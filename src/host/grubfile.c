/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "root.h"
#include "shell.h"

#define FILE_MAX (256u << 10) /* bytes */
#define VALUES_MAX 1024

static struct gb_grub_value *find(const struct gb_grub *grub, const char *name)
{
	for (size_t i = 0; i < grub->values; i++)
		if (!strcmp(grub->value[i].name, name))
			return &grub->value[i];
	return NULL;
}

static void forget(struct gb_grub_value *value)
{
	free(value->text);
	free(value->file);
	value->text = value->file = NULL;
	value->len = 0;
}

static struct gb_grub_value *find_or_add(struct gb_grub *grub, const char *name)
{
	struct gb_grub_value *value = find(grub, name), *more;

	if (value || grub->values == VALUES_MAX)
		return value;
	more = reallocarray(grub->value, grub->values + 1, sizeof(*more));
	if (!more)
		return NULL;
	grub->value = more;
	value = &more[grub->values];
	*value = (struct gb_grub_value){ .name = strdup(name) };
	if (!value->name)
		return NULL;
	grub->values++;
	return value;
}

void gb_grub_clear(struct gb_grub *grub)
{
	for (size_t i = 0; i < grub->values; i++) {
		forget(&grub->value[i]);
		free(grub->value[i].name);
	}
	free(grub->value);
	memset(grub, 0, sizeof(*grub));
}

/* Nobody sets these but the files; of others, the environment may know more. */
static bool starts_empty(const struct gb_grub *grub, const char *name)
{
	return !grub->lost && !strncmp(name, "GRUB_CMDLINE_", strlen("GRUB_CMDLINE_"));
}

static const char *get(const struct gb_grub *grub, const char *name, size_t *ret_len)
{
	const struct gb_grub_value *value = find(grub, name);

	*ret_len = value ? value->len : 0;
	if (value)
		return value->text;
	return starts_empty(grub, name) ? "" : NULL;
}

const char *gb_grub_get(const struct gb_grub *grub, const char *name,
			const struct gb_grub_value **ret_value)
{
	size_t len;

	if (ret_value)
		*ret_value = find(grub, name);
	return get(grub, name, &len);
}

/* ---- reading ------------------------------------------------------------------------- */

struct reading {
	struct gb_grub *grub;
	const char *file;
	gb_grub_each_fn each;
	void *ctx;
};

static const char *get_variable(void *ctx, const char *name, size_t *ret_len)
{
	struct reading *reading = ctx;

	return get(reading->grub, name, ret_len);
}

static int set(struct gb_grub_value *value, const char *file,
	       const struct gb_shell_assignment *a)
{
	forget(value);
	value->line = a->line;
	value->why = a->unknown;
	value->file = strdup(file);
	if (!value->file)
		return -ENOMEM;
	if (a->unknown)
		return 0;
	value->text = malloc(a->bytes + 1);
	if (!value->text)
		return -ENOMEM;
	for (size_t i = 0; i < a->bytes; i++)
		value->text[i] = a->byte[i].byte;
	value->text[a->bytes] = '\0';
	value->len = a->bytes;
	return 0;
}

static int take(void *ctx, const struct gb_shell_assignment *a)
{
	struct reading *reading = ctx;
	struct gb_grub_value *value = find_or_add(reading->grub, a->name);
	int r = value ? set(value, reading->file, a) : -ENOMEM;

	return r || !reading->each ? r : reading->each(reading->ctx, a);
}

static void lose(struct gb_grub *grub)
{
	for (size_t i = 0; i < grub->values; i++) {
		free(grub->value[i].text);
		grub->value[i].text = NULL;
		grub->value[i].len = 0;
		grub->value[i].why = "a file that was read later is not understood";
	}
	grub->lost = true;
}

int gb_grub_read_each(struct gb_grub *grub, const char *file, const char *data, size_t len,
		      gb_grub_each_fn each, void *ctx, struct gb_err *err)
{
	struct reading reading = { grub, file, each, ctx };
	struct gb_shell_reader reader = { &reading, get_variable, take };
	int r;

	if (len > FILE_MAX)
		r = gb_fail(err, EINVAL, "it is too long to be one");
	else
		r = gb_shell_read(data, len, &reader, err);
	if (r == -ENOMEM)
		gb_fail(err, ENOMEM, "out of memory, or too many variables");
	if (r) {
		gb_wrap(err, "%s", file);
		lose(grub);
	}
	return r;
}

int gb_grub_read(struct gb_grub *grub, const char *file, const char *data, size_t len,
		 struct gb_err *err)
{
	return gb_grub_read_each(grub, file, data, len, NULL, NULL, err);
}

int gb_grub_copy(const struct gb_grub *grub, struct gb_grub *ret)
{
	*ret = (struct gb_grub){ .value = calloc(grub->values + 1, sizeof(*ret->value)),
				 .lost = grub->lost };
	while (ret->value && ret->values < grub->values) {
		const struct gb_grub_value *from = &grub->value[ret->values];
		struct gb_grub_value *to = &ret->value[ret->values++];

		*to = *from;
		to->name = strdup(from->name);
		to->text = from->text ? strdup(from->text) : NULL;
		to->file = from->file ? strdup(from->file) : NULL;
		if (!to->name || !to->text != !from->text || !to->file != !from->file)
			return -ENOMEM;
	}
	return ret->value ? 0 : -ENOMEM;
}

/* ---- files --------------------------------------------------------------------------- */

struct names {
	char **name;
	size_t names;
	bool failed;
};

static int add_name(void *ctx, const char *name)
{
	struct names *names = ctx;
	size_t len = strlen(name);
	char **more;

	if (name[0] == '.' || len < 5 || strcmp(name + len - 4, ".cfg"))
		return 0;
	more = reallocarray(names->name, names->names + 1, sizeof(*more));
	if (more) {
		names->name = more;
		more[names->names] = strdup(name);
	}
	if (!more || !more[names->names]) {
		names->failed = true;
		return -ENOMEM;
	}
	names->names++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int load(struct gb_root *root, const char *path, struct gb_grub *ret, struct gb_err *err)
{
	size_t len;
	char *data;
	int r = gb_root_read_all(root, path, FILE_MAX, &data, &len);

	if (r == -ENOENT)
		return 0;
	if (r) {
		lose(ret);
		return gb_fail(err, -r, "%s: %s", path, strerror(-r));
	}
	r = gb_grub_read(ret, path, data, len, err);
	free(data);
	return r;
}

int gb_grub_load(struct gb_root *root, bool drop_ins, const char *skip, struct gb_grub *ret,
		 struct gb_err *err)
{
	struct gb_grub grub = { 0 };
	struct names names = { 0 };
	struct gb_err late = { "" };
	int r = load(root, GB_GRUB_FILE, &grub, err);

	if (drop_ins)
		gb_root_list(root, GB_GRUB_FOLDER, add_name, &names);
	if (names.failed && !r) {
		r = gb_fail(err, ENOMEM, "out of memory");
		lose(&grub);
	}
	if (names.names)
		qsort(names.name, names.names, sizeof(*names.name), compare_names);
	for (size_t i = 0; i < names.names; i++) {
		char path[sizeof(GB_GRUB_FOLDER) + 256];
		int bad = 0;

		snprintf(path, sizeof(path), GB_GRUB_FOLDER "/%s", names.name[i]);
		if (!skip || strcmp(skip, path))
			bad = load(root, path, &grub, r ? &late : err);
		r = r ? r : bad;
		free(names.name[i]);
	}
	free(names.name);
	*ret = grub;
	return r;
}

/* ---- our own drop-in ----------------------------------------------------------------- */

int gb_grub_drop_in(const char *const *word, size_t words, struct gb_text *ret,
		    struct gb_err *err)
{
	struct gb_text text = { 0 };

	gb_text_addf(&text, "# Written by ghost-boot, which takes it away again with \"ghost-boot "
		     "disable\".\n" GB_GRUB_DEFAULT "=\"$" GB_GRUB_DEFAULT);
	for (size_t i = 0; i < words; i++) {
		if (!gb_argument_is_plain(word[i])) {
			gb_text_clear(&text);
			return gb_fail(err, EINVAL, "\"%s\" would not reach the kernel unchanged "
				       "through GRUB's script", word[i]);
		}
		gb_text_addf(&text, " %s", word[i]);
	}
	gb_text_addf(&text, "\"\n");
	if (text.failed) {
		gb_text_clear(&text);
		return gb_fail(err, ENOMEM, "out of memory");
	}
	*ret = text;
	return 0;
}

/* Locales other than C pass over punctuation and case. */
static int compare_loosely(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a && !isalnum((unsigned char)*a))
			a++;
		while (*b && !isalnum((unsigned char)*b))
			b++;
		if (!*a || !*b || tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return tolower((unsigned char)*a) - tolower((unsigned char)*b);
	}
}

bool gb_grub_is_after_drop_in(const char *name)
{
	const char *ours = strrchr(GB_GRUB_DROP_IN, '/') + 1;
	size_t len = strlen(name);

	if (len < 5 || strcmp(name + len - 4, ".cfg") || name[0] == '.' || !strcmp(name, ours))
		return false;
	return strcmp(name, ours) > 0 || compare_loosely(name, ours) >= 0;
}
