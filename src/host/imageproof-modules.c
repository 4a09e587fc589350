/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imageproof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "root.h"
#include "text.h"

#define LIST_MAX (4u << 20)
#define NAME_SIZE 256

struct modules {
	const struct gb_proof *proof;
	char folder[160];	   /* "usr/lib/modules/6.12.1" in the image */
	const char *dep, *builtin; /* lists in the image */
	size_t dep_len, builtin_len;
	char *host; /* the host's modules.builtin, where the image has none */
};

/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz" is vfio_pci. */
static bool is_module(const char *path, size_t len, const char *name)
{
	const char *base = memrchr(path, '/', len);
	char copy[NAME_SIZE];

	base = base ? base + 1 : path;
	len -= (size_t)(base - path);
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, base, len);
	copy[len] = '\0';
	base = strstr(copy, ".ko");
	if (!base || (base[3] && base[3] != '.'))
		return false;
	copy[base - copy] = '\0';
	return gb_text_same_module(copy, name);
}

/* The line of a list whose first word, up to a colon, is that module. */
static const char *find_line(const char *list, size_t len, const char *name, size_t *ret_len)
{
	const char *end = list + len;

	for (const char *at = list; at && at < end;) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t line = next ? (size_t)(next - at) : (size_t)(end - at);
		const char *colon = memchr(at, ':', line);

		if (is_module(at, colon ? (size_t)(colon - at) : line, name)) {
			*ret_len = line;
			return at;
		}
		at = next ? next + 1 : NULL;
	}
	return NULL;
}

static bool has_path(const struct modules *modules, const char *path, size_t len)
{
	char full[512];

	return snprintf(full, sizeof(full), "%s/%.*s", modules->folder, (int)len, path) <
		       (int)sizeof(full) &&
	       gb_imagetree_find(&modules->proof->tree, full);
}

/* The first file of a line of modules.dep that is not in the image, "a.ko: b.ko c.ko"; 0: none. */
static size_t find_missing(const struct modules *modules, const char *line, size_t len,
			   const char **ret)
{
	for (size_t at = 0; at < len;) {
		size_t word = 0;

		while (at + word < len && !strchr(" :", line[at + word]))
			word++;
		if (word && !has_path(modules, line + at, word)) {
			*ret = line + at;
			return word;
		}
		at += word ? word : 1;
	}
	return 0;
}

static void open_modules(const struct gb_proof *proof, struct modules *ret)
{
	const char *release = proof->plan->release;
	char path[256];
	size_t len;

	memset(ret, 0, sizeof(*ret));
	ret->proof = proof;
	snprintf(ret->folder, sizeof(ret->folder), "usr/lib/modules/%.96s", release);
	if (!gb_imagetree_find(&proof->tree, ret->folder))
		snprintf(ret->folder, sizeof(ret->folder), "lib/modules/%.96s", release);
	snprintf(path, sizeof(path), "%s/modules.dep", ret->folder);
	ret->dep = gb_imagetree_data(&proof->tree, path, &ret->dep_len);
	snprintf(path, sizeof(path), "%s/modules.builtin", ret->folder);
	ret->builtin = gb_imagetree_data(&proof->tree, path, &ret->builtin_len);
	snprintf(path, sizeof(path), "/lib/modules/%.96s/modules.builtin", release);
	if (!ret->builtin && !gb_root_read_all(proof->root, path, LIST_MAX, &ret->host, &len)) {
		ret->builtin = ret->host;
		ret->builtin_len = len;
	}
}

/* True when it is as it should be; else what is wrong is added to `ret`. */
static bool is_there(const struct modules *modules, const char *name, struct gb_text *ret)
{
	const char *line, *missing;
	size_t len, missed;

	if (modules->builtin && find_line(modules->builtin, modules->builtin_len, name, &len))
		return true;
	line = modules->dep ? find_line(modules->dep, modules->dep_len, name, &len) : NULL;
	missed = line ? find_missing(modules, line, len, &missing) : 0;
	if (line && !missed)
		return true;
	if (ret->len)
		gb_text_add(ret, ", ", 2);
	gb_text_addf(ret, "%s", name);
	if (missed)
		gb_text_addf(ret, " (%.*s)", (int)missed, missing);
	return false;
}

static bool is_first(const struct gb_claims *claims, size_t line)
{
	for (size_t i = 0; i < line; i++)
		if (!claims->line[i].keep &&
		    gb_text_same_module(claims->line[i].driver, claims->line[line].driver))
			return false;
	return !claims->line[line].keep;
}

/* kmod reads the index in its binary form (libkmod.c, index_files). */
static bool has_index(const struct modules *modules)
{
	return has_path(modules, "modules.dep.bin", strlen("modules.dep.bin"));
}

static void tell(const struct modules *modules, const char *missing, bool type1)
{
	const struct gb_proof *proof = modules->proof;
	const char *image = proof->plan->image;
	bool index = has_index(modules);

	if (missing || !index) {
		gb_check(proof->checks, "image-modules", GB_FAIL, image,
			 missing ? "modules for kernel %s are not in it: %s" :
				   "the list of modules for kernel %s is not in it%s",
			 proof->plan->release, missing ? missing : "");
		gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's "
					    "hook ran, and whether this kernel has vfio-pci");
	} else if (!type1) {
		gb_check(proof->checks, "image-modules", GB_WARN, image,
			 "vfio_iommu_type1 for kernel %s is not in it: virtual machines need it, "
			 "and it can still be loaded later", proof->plan->release);
	} else {
		gb_check(proof->checks, "image-modules", GB_PASS, image,
			 "it has the vfio modules for kernel %s", proof->plan->release);
	}
	gb_check_evidence(proof->checks, "%s in it", modules->folder);
}

void gb_imageproof_modules(const struct gb_proof *proof)
{
	const struct gb_claims *claims = &proof->claims;
	struct gb_text missing = { 0 }, unused = { 0 };
	struct modules modules;
	bool good = true, type1;

	open_modules(proof, &modules);
	for (size_t i = 0; i < claims->lines; i++)
		if (is_first(claims, i))
			good &= is_there(&modules, claims->line[i].driver, &missing);
	type1 = is_there(&modules, "vfio_iommu_type1", &unused);
	if (missing.failed || unused.failed)
		proof->checks->failed = true;
	else
		tell(&modules, good ? NULL : missing.data, type1);
	gb_text_clear(&missing);
	gb_text_clear(&unused);
	free(modules.host);
}
