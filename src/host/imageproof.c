/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "imageproof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "err.h"
#include "root.h"
#include "text.h"

#define PROGRAM_MAX (4u << 20)
#define LIST_MAX (4u << 20) /* modules.dep of a whole kernel: 1 MiB */
#define SCRIPT_MAX (32u << 10)
#define ALIASES_MAX 2

static const char *const aliases[ALIASES_MAX] = { "ghost-verify", "ghost-diag" };

static bool begins(const char *path, const char *folder)
{
	return !strncmp(path, folder, strlen(folder));
}

/* What is judged by its text: scripts and units, what they may call, lists of modules. */
static bool is_wanted(void *ctx, const char *path, uint32_t size)
{
	const char *name = gb_text_base(path);

	(void)ctx;
	if (!strcmp(name, "ghost-claim"))
		return size <= PROGRAM_MAX;
	if (!strcmp(path, "etc/ghost-boot/claims"))
		return size <= GB_CLAIMS_SIZE_MAX;
	if (!strcmp(name, "modules.dep") || !strcmp(name, "modules.builtin"))
		return size <= LIST_MAX;
	return size <= SCRIPT_MAX &&
	       (begins(path, "conf/") || begins(path, "scripts/") || begins(path, "etc/conf.d/") ||
		begins(path, "etc/systemd/") || begins(path, "usr/lib/systemd/") ||
		begins(path, "lib/systemd/") || strstr(path, "dracut/hooks/") ||
		begins(path, "usr/bin/") || begins(path, "usr/sbin/") ||
		begins(path, "usr/libexec/"));
}

/* ---- the image as a whole -------------------------------------------------------------------- */

static void add_packings(const struct gb_image *image, struct gb_checks *checks)
{
	size_t shown = image->parts < 4 ? image->parts : 4;

	for (size_t i = 0; i < shown; i++)
		gb_check_evidence(checks, "from byte %" PRIu64 " on %s", image->part[i].offset,
				  gb_packing_name(image->part[i].packing));
	if (image->parts > shown)
		gb_check_evidence(checks, "%zu parts in all", image->parts);
}

static bool check_readable(const struct gb_proof *proof, int r, const struct gb_err *why)
{
	const struct gb_imagetree *tree = &proof->tree;
	const char *image = proof->plan->image;

	if (!r) {
		const bool ours = tree->ours_lost && proof->plan->claims;

		gb_check(proof->checks, "image-readable",
			 ours ? GB_FAIL : tree->lost ? GB_WARN : GB_PASS, image,
			 !tree->lost ? "it can be read to its end" :
			 ours ? "it can be read, but the kernel would leave out files of ours" :
				"it can be read, but the kernel would leave files of it out");
		gb_check_evidence(proof->checks, "%zu files in %zu archives", tree->image.entries,
				  tree->image.archives);
		add_packings(&tree->image, proof->checks);
		if (tree->lost)
			gb_check_evidence(proof->checks, "no folder for %zu files: %.128s",
					  tree->lost, tree->first_lost ? tree->first_lost : "");
		return true;
	}
	gb_check(proof->checks, "image-readable", r == -EBADMSG || r == -ENOENT ? GB_FAIL : GB_UNKNOWN,
		 image, r == -EBADMSG ? "it is damaged" : r == -ENOENT ? "it is not there" :
					"what is in it can't be told");
	gb_check_evidence(proof->checks, "%s", why->text);
	return false;
}

/* An image that lost its drivers is small; one of another set-up may be anything. */
static void check_size(const struct gb_proof *proof)
{
	uint64_t size = proof->tree.image.size, before = proof->plan->previous;
	bool small = before && size < before / 2, large = before && size > before * 2;

	gb_check(proof->checks, "image-size", small ? GB_FAIL : large ? GB_WARN : GB_PASS,
		 proof->plan->image,
		 small ? "it has less than half the size of the one before" :
		 large ? "it is more than twice as large as the one before" :
			 "its size is in proportion");
	gb_check_evidence(proof->checks, "%" PRIu64 " bytes", size);
	if (before)
		gb_check_evidence(proof->checks, "%" PRIu64 " before", before);
	if (small)
		gb_check_fix(proof->checks, "look into the image builder's log for what it left "
					    "out");
}

/* ---- what is ours ---------------------------------------------------------------------------- */

static void check_claims(const struct gb_proof *proof)
{
	const struct gb_imageplan *plan = proof->plan;
	const struct gb_image_file *file = gb_imagetree_find(&proof->tree, GB_CLAIMS_FILE);
	const char *data;
	size_t len = 0;

	data = gb_imagetree_data(&proof->tree, GB_CLAIMS_FILE, &len);
	if (!plan->claims) {
		gb_check(proof->checks, "image-claims", file ? GB_FAIL : GB_PASS, plan->image,
			 file ? "it still has claims" : "it has no claims");
		return;
	}
	if (data && len == plan->claims_len && !memcmp(data, plan->claims, len)) {
		gb_check(proof->checks, "image-claims", GB_PASS, plan->image,
			 "its claims are the planned ones");
		gb_check_evidence(proof->checks, "%s in it: %zu bytes", file->path, len);
		return;
	}
	gb_check(proof->checks, "image-claims", GB_FAIL, plan->image,
		 file ? "its claims are not the planned ones" : "it has no claims");
	if (data)
		gb_check_evidence(proof->checks, "%s in it: %zu bytes, planned were %zu", file->path,
				  len, plan->claims_len);
	gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's hook ran");
}

/* Every name leads to the one program. */
static void check_aliases(const struct gb_proof *proof, const struct gb_image_file *program)
{
	struct gb_text missing = { 0 };

	for (size_t i = 0; i < ALIASES_MAX; i++) {
		char path[64] = "/usr/sbin/";

		strcat(path, aliases[i]);
		if (gb_imagetree_find(&proof->tree, path) != program)
			gb_text_addf(&missing, "%s%s", missing.len ? ", " : "", aliases[i]);
	}
	gb_check(proof->checks, "image-tools", missing.len ? GB_FAIL : GB_PASS, proof->plan->image,
		 missing.len ? "ghost-claim in it is the installed one, but %s is missing" :
			       "the boot tools in it are the installed ones",
		 missing.len && missing.data ? missing.data : "");
	gb_check_evidence(proof->checks, "%s in it is equal to %s", program->path,
			  proof->plan->program);
	if (missing.len)
		gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's "
					    "hook ran, and build it anew");
	gb_text_clear(&missing);
}

static void check_tools(const struct gb_proof *proof)
{
	const struct gb_imageplan *plan = proof->plan;
	const struct gb_image_file *file = gb_imagetree_find(&proof->tree, plan->program);
	size_t len = 0, installed = 0;
	const char *data = gb_imagetree_data(&proof->tree, plan->program, &len);
	char *program = NULL;
	int r = gb_root_read_all(proof->root, plan->program, PROGRAM_MAX, &program, &installed);

	if (r < 0) {
		gb_check(proof->checks, "image-tools", GB_UNKNOWN, plan->image,
			 "whether its tools are the installed ones can't be told");
		gb_check_evidence(proof->checks, "%s: %s", plan->program, strerror(-r));
	} else if (data && len == installed && !memcmp(data, program, len) && file->mode & S_IXUSR) {
		check_aliases(proof, file);
	} else {
		gb_check(proof->checks, "image-tools", GB_FAIL, plan->image,
			 !file		       ? "ghost-claim is not in it" :
			 !(file->mode & S_IXUSR) ? "ghost-claim in it can't be executed" :
						 "ghost-claim in it is not the installed one");
		gb_check_evidence(proof->checks, "%s: %zu bytes, installed %zu", plan->program, len,
				  installed);
		gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's "
					    "hook ran, and build it anew");
	}
	free(program);
}

static int judge(struct gb_proof *proof, struct gb_err *err)
{
	check_claims(proof);
	if (proof->plan->claims) {
		int r = gb_claims_parse(proof->plan->claims, proof->plan->claims_len, &proof->claims,
					err);

		if (r == -ENOMEM)
			return r;
		check_tools(proof);
		gb_imageproof_modules(proof);
		gb_imageproof_order(proof);
	}
	check_size(proof);
	return proof->checks->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_tree(struct gb_proof *proof, struct gb_err *why)
{
	uint64_t offset, length;
	int fd, r;

	if (!proof->plan->unified)
		return gb_imagetree_read(proof->root, proof->plan->image, is_wanted, NULL,
					 &proof->tree, why);
	fd = gb_imageproof_unified(proof, &offset, &length, why);
	if (fd < 0)
		return fd;
	r = gb_imagetree_read_part(fd, offset, length, is_wanted, NULL, &proof->tree, why);
	close(fd);
	return r;
}

int gb_imageproof(struct gb_root *root, const struct gb_imageplan *plan, struct gb_checks *checks,
		  struct gb_err *err)
{
	struct gb_proof proof = { .root = root, .plan = plan, .checks = checks };
	struct gb_err why = { 0 };
	int r = read_tree(&proof, &why);

	if (r == -ENOMEM)
		gb_fail(err, ENOMEM, "%s", why.text);
	else if (check_readable(&proof, r, &why))
		r = judge(&proof, err);
	else
		r = checks->failed ? gb_fail(err, ENOMEM, "out of memory") : 0;
	gb_claims_clear(&proof.claims);
	gb_imagetree_clear(&proof.tree);
	return r;
}
