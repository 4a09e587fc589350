/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imageproof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "lines.h"
#include "text.h"

#define SNIPPET "conf/conf.d/00-ghost-boot"
#define SCRIPT "scripts/init-top/00_ghost_boot"
#define ORDER "scripts/init-top/ORDER"

/* ---- lines that load modules ----------------------------------------------------------------- */

struct search {
	int found;
};

static bool is_word(const char *line, const char *at, size_t len)
{
	return (at == line || !strchr("abcdefghijklmnopqrstuvwxyz0123456789_-.", at[-1])) &&
	       strchr(" \t;&|\"'", at[len]);
}

static void look_at_line(void *ctx, unsigned number, const char *line)
{
	static const char *const words[] = { "modprobe", "insmod", "kmod insert" };
	struct search *search = ctx;
	const char *code = line + strspn(line, " \t");

	if (search->found >= 0 || *code == '#' || *code == ';')
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (const char *at = code; (at = strstr(at, words[i])); at++)
			if (is_word(code, at, strlen(words[i])))
				search->found = (int)number;
}

int gb_imageproof_loads(const char *data, size_t len)
{
	struct search search = { -1 };

	gb_lines_each(data, len, look_at_line, &search);
	return search.found;
}

/* ---- who else -------------------------------------------------------------------------------- */

struct rivals {
	struct gb_text first; /* "a, b": what comes before us */
	struct gb_text loads; /* "a:3": those of them that load modules */
};

static void add(struct gb_text *list, const char *name, int line)
{
	gb_text_addf(list, "%s%s", list->len ? ", " : "", name);
	if (line >= 0)
		gb_text_addf(list, ":%d", line);
}

static void add_rival(const struct gb_imagetree *tree, const char *path, struct rivals *rivals)
{
	size_t len;
	const char *data = gb_imagetree_data(tree, path, &len);
	int line = data ? gb_imageproof_loads(data, len) : -1;

	add(&rivals->first, path, -1);
	if (line >= 0)
		add(&rivals->loads, path, line);
}

/* Sourced or run in the order of their names (C locale: the shell in an image has no other). */
static void find_earlier(const struct gb_imagetree *tree, const char *folder, const char *ours,
			 struct rivals *rivals)
{
	for (size_t i = 0; i < tree->files; i++) {
		const char *name = gb_image_file_in(tree->file[i], folder);

		if (name && strcmp(name, ours) < 0 && !S_ISDIR(tree->file[i]->mode))
			add_rival(tree, tree->file[i]->path, rivals);
	}
}

void gb_imageproof_doubt(const struct gb_proof *proof)
{
	if (!proof->tree.dropped || proof->checks->failed)
		return;
	proof->checks->check[proof->checks->checks - 1].mark = GB_UNKNOWN;
	gb_check_evidence(proof->checks, "it has more scripts and units than are read");
}

/* What comes before us: a warning when it loads modules, else told. */
static void tell(const struct gb_proof *proof, const char *place, struct rivals *rivals)
{
	const char *image = proof->plan->image;

	gb_check(proof->checks, "image-order", GB_PASS, image,
		 rivals->first.len ? "our claim comes before udev, from %s" :
				     "our claim comes before everything else, from %s", place);
	if (rivals->first.len)
		gb_check_evidence(proof->checks, "before it comes %s", rivals->first.data);
	if (rivals->loads.len) {
		gb_check(proof->checks, "image-rivals", GB_FAIL, image,
			 "modules are loaded before our claim, by %s", rivals->loads.data);
		gb_check_fix(proof->checks, "rename or remove what loads them, and build the image "
					    "anew");
	} else {
		gb_check(proof->checks, "image-rivals", GB_PASS, image,
			 "nothing that loads modules comes before our claim");
		gb_imageproof_doubt(proof);
	}
}

static void finish(const struct gb_proof *proof, struct rivals *rivals)
{
	if (rivals->first.failed || rivals->loads.failed)
		proof->checks->failed = true;
	gb_text_clear(&rivals->first);
	gb_text_clear(&rivals->loads);
}

static void tell_missing(const struct gb_proof *proof, const char *what)
{
	gb_check(proof->checks, "image-order", GB_FAIL, proof->plan->image,
		 "nothing in it would run our claim before udev");
	gb_check_evidence(proof->checks, "%s in it: not there", what);
	gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's hook ran");
}

/* ---- initramfs-tools ------------------------------------------------------------------------- */

struct order {
	const struct gb_imagetree *tree;
	struct rivals *rivals; /* before us */
	unsigned ours, udev;   /* line numbers, 0: none */
};

/* "/scripts/init-top/udev "$@"", written when all hooks have run. */
static void read_order(void *ctx, unsigned number, const char *line)
{
	struct order *order = ctx;
	size_t len = strcspn(line, " ");
	char path[256];

	if (*line != '/' || len >= sizeof(path))
		return;
	memcpy(path, line + 1, len - 1);
	path[len - 1] = '\0';
	if (!strcmp(path, SCRIPT))
		order->ours = number;
	else if (!strcmp(path, "scripts/init-top/udev") && !order->udev)
		order->udev = number;
	else if (!order->ours && order->rivals)
		add_rival(order->tree, path, order->rivals);
}

static bool runs_us(const struct gb_imagetree *tree, const char *path)
{
	size_t len;
	const char *data = gb_imagetree_data(tree, path, &len);

	return data && memmem(data, len, "/ghost-claim ", strlen("/ghost-claim "));
}

static void check_snippet(const struct gb_proof *proof)
{
	struct rivals rivals = { 0 };

	find_earlier(&proof->tree, "conf/conf.d", "00-ghost-boot", &rivals);
	tell(proof, SNIPPET, &rivals);
	finish(proof, &rivals);
}

/* Without the snippet, only scripts by their order. */
static void check_initramfs_tools(const struct gb_proof *proof)
{
	const struct gb_imagetree *tree = &proof->tree;
	struct rivals rivals = { 0 };
	struct order order = { .tree = tree, .rivals = &rivals };
	const struct gb_image_file *script = gb_imagetree_find(tree, SCRIPT);
	size_t len = 0;
	const char *data = gb_imagetree_data(tree, ORDER, &len);
	bool runs;

	if (data)
		gb_lines_each(data, len, read_order, &order);
	runs = order.ours && (!order.udev || order.ours < order.udev) && script &&
	       script->mode & S_IXUSR && runs_us(tree, SCRIPT);
	if (runs_us(tree, SNIPPET) && runs)
		check_snippet(proof);
	else if (runs)
		tell(proof, SCRIPT, &rivals);
	else /* the script publishes the records, and is what is left when the snippet failed */
		tell_missing(proof, SCRIPT " before udev in " ORDER);
	finish(proof, &rivals);
}

/* ---- dracut ---------------------------------------------------------------------------------- */

/* dracut 110, in Debian since 106, moved them. */
static const char *const hook_folders[] = { "var/lib/dracut/hooks", "usr/lib/dracut/hooks",
					    "lib/dracut/hooks" };

static const struct gb_image_file *find_hook(const struct gb_imagetree *tree)
{
	const struct gb_image_file *file = NULL;
	char path[128];

	for (size_t i = 0; !file && i < sizeof(hook_folders) / sizeof(*hook_folders); i++) {
		snprintf(path, sizeof(path), "%s/cmdline/00-ghost-claim.sh", hook_folders[i]);
		file = gb_imagetree_find(tree, path);
	}
	return file;
}

/* Before the hooks, dracut's init sources etc/conf.d (dracut-lib.sh, source_conf). */
static void check_hook(const struct gb_proof *proof)
{
	const struct gb_image_file *hook = find_hook(&proof->tree);
	struct rivals rivals = { 0 };
	const char *slash;
	char folder[256];

	if (!hook || !runs_us(&proof->tree, hook->path)) {
		tell_missing(proof, "cmdline/00-ghost-claim.sh of dracut's hooks");
		return;
	}
	slash = strrchr(hook->path, '/');
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - hook->path), hook->path);
	find_earlier(&proof->tree, "etc/conf.d", "\xff", &rivals);
	find_earlier(&proof->tree, folder, slash + 1, &rivals);
	tell(proof, hook->path, &rivals);
	finish(proof, &rivals);
}

void gb_imageproof_order(const struct gb_proof *proof)
{
	const struct gb_imagetree *tree = &proof->tree;

	if (gb_imagetree_find(tree, "scripts/init-top"))
		check_initramfs_tools(proof);
	else if (gb_imagetree_find(tree, "usr/lib/systemd/systemd"))
		gb_imageproof_units(proof);
	else
		check_hook(proof);
}
