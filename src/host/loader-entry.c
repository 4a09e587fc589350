/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"

/* Looking for the entry that was booted: its name by LoaderEntrySelected or its kernel by
 * BOOT_IMAGE, and its options, which must be in /proc/cmdline. */
struct search {
	struct gb_root *root;
	struct gb_loader *loader;
	struct gb_arguments running;
	struct gb_bls_name name; /* wanted; name.id "" for any */
	char kernel[256];	 /* wanted, or "" */
	const char *folder;	 /* the one looked at */
	char at[64];		 /* the folder of the entry that was proved */
	unsigned proved, seen;
	char lacking[128]; /* why one that was seen is not it */
};

/* Words with a '$' are replaced by GRUB; nobody can say by what. */
bool gb_loader_has_options(const struct gb_arguments *running, const char *options, char *lacking,
			   size_t size)
{
	const struct gb_argument *word = NULL;
	struct gb_arguments all, one;

	if (gb_arguments_parse(options, strlen(options), &all))
		return false;
	one = all;
	for (size_t i = 0; i < all.kernel && !word; i++) {
		one.argument = &all.argument[i];
		one.arguments = one.kernel = 1;
		if (!strchr(all.argument[i].name, '$'))
			word = gb_arguments_lacking(running, &one);
	}
	if (word)
		snprintf(lacking, size, "%s%s%s", word->name, word->value ? "=" : "",
			 word->value ? word->value : "");
	gb_arguments_clear(&all);
	return !word;
}

static bool is_kernel(const char *kernel, const char *wanted)
{
	return kernel && (!strcmp(kernel, wanted) || (wanted[0] == '/' && !strcmp(kernel, wanted + 1)));
}

static int look_at_entry(void *ctx, const char *file)
{
	struct search *s = ctx;
	struct gb_bls_name name;
	struct gb_bls bls;
	char path[512], *data;
	size_t len;

	if (!gb_bls_name(file, &name) ||
	    (s->name.id[0] && strcasecmp(name.stem, s->name.stem)))
		return 0;
	snprintf(path, sizeof(path), "%s/loader/entries/%s", s->folder, file);
	if (gb_root_read_all(s->root, path, GB_BLS_MAX, &data, &len))
		return 0;
	if (!gb_bls_parse(data, len, &bls, NULL)) {
		if (!s->kernel[0] || is_kernel(bls.kernel, s->kernel)) {
			const char *options = s->kernel[0] ? bls.grub_options : bls.options;

			s->seen++;
			if (options && gb_loader_has_options(&s->running, options, s->lacking,
							     sizeof(s->lacking))) {
				s->proved++;
				snprintf(s->loader->entry, sizeof(s->loader->entry), "%.*s",
					 (int)sizeof(s->loader->entry) - 1, path);
				gb_text_copy(s->at, sizeof(s->at), s->folder);
			}
		}
		gb_bls_clear(&bls);
	}
	free(data);
	return 0;
}

static void look_in_folders(struct search *s)
{
	static const char *const folders[] = { "/boot", "/efi", "/boot/efi", "/boot/esp" };
	char path[96];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		s->folder = folders[i];
		snprintf(path, sizeof(path), "%s/loader/entries", s->folder);
		gb_root_list(s->root, path, look_at_entry, s);
	}
}

/* "(hd0,gpt2)/vmlinuz-6.1" without the device. */
static void read_kernel(struct search *s)
{
	for (size_t i = 0; i < s->running.kernel; i++) {
		const struct gb_argument *a = &s->running.argument[i];
		const char *path = a->value;

		if (strcmp(a->name, "BOOT_IMAGE") || !path)
			continue;
		if (*path == '(' && strchr(path, ')'))
			path = strchr(path, ')') + 1;
		gb_text_copy(s->kernel, sizeof(s->kernel), path);
	}
}

static void conclude(struct search *s, enum gb_family says)
{
	struct gb_loader *loader = s->loader;
	struct gb_loader_proof *proof = &loader->proof[GB_PROOF_ENTRY];

	if (s->proved == 1) {
		proof->says = says;
		proof->weight = 4;
		gb_text_copy(loader->boot, sizeof(loader->boot), s->at);
		snprintf(proof->text, sizeof(proof->text), "/proc/cmdline has all options of %.150s",
			 loader->entry);
		return;
	}
	loader->entry[0] = '\0';
	if (s->proved)
		snprintf(proof->text, sizeof(proof->text), "%u entries may be the booted one", s->proved);
	else if (s->seen)
		snprintf(proof->text, sizeof(proof->text), "the entry %.80s is there, but /proc/cmdline "
			 "lacks its %.80s", loader->selected[0] ? loader->selected : s->kernel, s->lacking);
	else
		snprintf(proof->text, sizeof(proof->text), loader->selected[0] ?
			 "the entry %.150s was booted, but is not to be found" :
			 "no LoaderEntrySelected", loader->selected);
}

void gb_loader_find_entry(struct gb_root *root, const char *cmdline, struct gb_loader *loader)
{
	struct search s = { .root = root, .loader = loader };
	bool grub = loader->proof[GB_PROOF_INFO].says == GB_FAMILY_GRUB;
	char file[sizeof(loader->selected) + 8];

	if (gb_arguments_parse(cmdline, strlen(cmdline), &s.running))
		return;
	/* GRUB names entries without the suffix */
	snprintf(file, sizeof(file), "%s", loader->selected);
	if (loader->selected[0] && !gb_bls_name(file, &s.name)) {
		snprintf(file, sizeof(file), "%s.conf", loader->selected);
		if (!gb_bls_name(file, &s.name))
			s.name.id[0] = '\0';
	}
	if (!s.name.id[0])
		read_kernel(&s);
	if (s.name.id[0] || s.kernel[0])
		look_in_folders(&s);
	conclude(&s, grub || s.kernel[0] ? GB_FAMILY_GRUB : GB_FAMILY_SYSTEMD);
	gb_arguments_clear(&s.running);
}
