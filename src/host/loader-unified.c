/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "efi.h"
#include "pe.h"
#include "root.h"

#define LINE_MAX (64u << 10)

/* Looking for the unified image that was booted: its name is what systemd-boot selected, or what the
 * firmware started; that its command line is in /proc/cmdline proves it. */
struct search {
	struct gb_root *root;
	struct gb_loader *loader;
	struct gb_arguments running;
	struct gb_bls_name name; /* wanted */
	const char *folder;	 /* the one looked at */
	char at[64];		 /* the folder of the image that was found */
	char found[320];
	unsigned proved, seen;	 /* folders with such images */
	bool has, is;		 /* the one looked at */
	char lacking[128]; /* of /proc/cmdline, in one that was seen */
};

/* "\EFI\Linux\x.efi" */
static bool name_of_path(const char *path, struct gb_bls_name *ret)
{
	const char *base = strrchr(path, '\\');

	return gb_bls_name_unified(base ? base + 1 : path, ret);
}

/* systemd-stub(7) tells the file that it lies in, from 256 on. */
static bool find_name(struct search *s, struct gb_efi *efi)
{
	char path[256] = "";

	if (name_of_path(s->loader->selected, &s->name))
		return true;
	if (!gb_efi_get_text(efi, "StubImageIdentifier" GB_EFI_LOADER, path, sizeof(path)) &&
	    name_of_path(path, &s->name))
		return true;
	return name_of_path(s->loader->started, &s->name);
}

static bool has_line(struct search *s, const char *path, bool *ret_is)
{
	const struct gb_pe_section *section;
	char *line = NULL;
	struct gb_pe pe;
	bool has = false;
	int fd = gb_pe_open(s->root, path, &pe, NULL);

	*ret_is = fd >= 0;
	if (fd < 0)
		return false;
	section = gb_pe_find(&pe, ".cmdline");
	if (section && !gb_pe_text(fd, section, LINE_MAX, &line))
		has = gb_loader_has_options(&s->running, line, s->lacking, sizeof(s->lacking));
	free(line);
	close(fd);
	return has;
}

static int look_at_image(void *ctx, const char *file)
{
	struct search *s = ctx;
	struct gb_bls_name name;
	bool is, has;
	char path[400];

	/* FAT knows no case, and the counter changes with each boot */
	if (!gb_bls_name_unified(file, &name) || strcasecmp(name.stem, s->name.stem))
		return 0;
	if (snprintf(path, sizeof(path), "%s/EFI/Linux/%s", s->folder, file) >=
	    (int)sizeof(s->found))
		return 0;
	has = has_line(s, path, &is);
	s->seen += is && !s->is;
	s->proved += has && !s->has;
	s->is = s->is || is;
	s->has = s->has || has;
	if (!has && (!is || s->proved))
		return 0;
	strcpy(s->found, path);
	gb_text_copy(s->at, sizeof(s->at), s->folder);
	return 0;
}

/* Another ESP may have a copy of it. */
static bool may_be_in(const struct gb_loader *loader, const char *folder)
{
	return !loader->esp_away && (!loader->esp[0] || !strcmp(folder, loader->esp) ||
				     !strcmp(folder, "/boot"));
}

static void look_in_folders(struct search *s)
{
	static const char *const folders[] = { "/efi", "/boot", "/boot/efi", "/boot/esp" };
	char path[96];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (!may_be_in(s->loader, folders[i]))
			continue;
		s->folder = folders[i];
		s->has = s->is = false;
		snprintf(path, sizeof(path), "%s/EFI/Linux", s->folder);
		gb_root_list(s->root, path, look_at_image, s);
	}
}

/* One that was built anew since has another line: then its name must do. */
static void conclude(struct search *s)
{
	struct gb_loader *loader = s->loader;
	struct gb_loader_proof *proof = &loader->proof[GB_PROOF_ENTRY];

	if (s->proved == 1 || (s->seen == 1 && !s->proved)) {
		gb_text_copy(loader->entry, sizeof(loader->entry), s->found);
		gb_text_copy(loader->boot, sizeof(loader->boot), s->at);
	}
	if (s->proved == 1 && loader->selected[0]) {
		proof->says = GB_FAMILY_SYSTEMD;
		proof->weight = 4;
	}
	if (s->proved == 1)
		snprintf(proof->text, sizeof(proof->text), "/proc/cmdline has all of %.150s",
			 loader->entry);
	else if (s->seen > 1)
		snprintf(proof->text, sizeof(proof->text), "%u unified images may be the booted one",
			 s->proved ? s->proved : s->seen);
	else if (s->seen)
		snprintf(proof->text, sizeof(proof->text), "%.120s was booted by that name, and "
			 "/proc/cmdline lacks its %.60s", loader->entry, s->lacking);
	else
		snprintf(proof->text, sizeof(proof->text), "the unified image %.80s.efi was booted, but "
			 "is not to be found", s->name.stem);
}

void gb_loader_find_unified(struct gb_root *root, struct gb_efi *efi, const char *cmdline,
			    struct gb_loader *loader)
{
	struct search s = { .root = root, .loader = loader };

	if (loader->entry[0] || !find_name(&s, efi) ||
	    gb_arguments_parse(cmdline, strlen(cmdline), &s.running))
		return;
	look_in_folders(&s);
	conclude(&s);
	gb_arguments_clear(&s.running);
}
