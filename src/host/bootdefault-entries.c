/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "bootdefault.h"
#include "efi.h"
#include "err.h"
#include "host.h"
#include "lines.h"
#include "root.h"
#include "text.h"

/* Entries of type 1, and those that systemd-boot finds by itself. */

#define ENTRIES_MAX 256
#define CONF_MAX (64u << 10)

struct found {
	char file[320]; /* "" for what lies in no file that we read */
	struct gb_bls bls;
};

struct search {
	struct gb_host *host;
	const char *folder; /* the partition that is looked at, as it is mounted */
	struct gb_bls_entry entry[ENTRIES_MAX];
	struct found found[ENTRIES_MAX];
	size_t entries;
	bool more;
	int error; /* the first thing that can't be read, and may decide */
	struct gb_err *err;
};

static void tell(struct search *s, int r, const char *what)
{
	if (r && r != -ENOENT && !s->error)
		s->error = gb_fail(s->err, -r, "%s: %s", what, strerror(-r));
}

static void clear(struct search *s)
{
	for (size_t i = 0; i < s->entries; i++)
		gb_bls_clear(&s->found[i].bls);
	free(s);
}

/* systemd-boot leaves out an entry whose kernel it can't find (src/boot/boot.c,
 * boot_entry_add_type1). GRUB shows it all the same. */
static bool is_bootable(const struct search *s, const struct gb_bls *bls)
{
	const char *file = bls->kernel ? bls->kernel : bls->efi;
	char path[512];

	if (s->host->loader->backend == GB_BACKEND_GRUB_BLS)
		return true;
	if (!file || snprintf(path, sizeof(path), "%s%s%s", s->folder,
			      *file == '/' || *file == '\\' ? "" : "/", file) >= (int)sizeof(path))
		return false;
	for (char *c = path; (c = strchr(c, '\\')); )
		*c = '/';
	return gb_root_exists(s->host->root, path);
}

static void add(struct search *s, const struct gb_bls_name *name, const char *path,
		struct gb_bls *bls)
{
	struct gb_bls_entry *entry = &s->entry[s->entries];
	struct found *found = &s->found[s->entries];

	if (s->entries == ENTRIES_MAX) {
		s->more = true;
		gb_bls_clear(bls);
		return;
	}
	gb_text_copy(found->file, sizeof(found->file), path);
	found->bls = *bls;
	*entry = (struct gb_bls_entry){ .name = *name, .title = bls->title, .sort_key = bls->sort_key,
					.version = bls->version, .machine_id = bls->machine_id };
	s->entries++;
}

static void look_at_text(struct search *s, const struct gb_bls_name *name, const char *path,
			 const char *data, size_t len)
{
	struct gb_bls bls = { 0 };
	struct gb_err why = { "" };
	int r = gb_bls_parse(data, len, &bls, &why);

	if (r && !s->error)
		s->error = gb_fail(s->err, -r, "%s: %s", path, why.text);
	if (!r && is_bootable(s, &bls))
		add(s, name, path, &bls);
	else if (!r)
		gb_bls_clear(&bls);
}

static int look_at(void *ctx, const char *file)
{
	struct search *s = ctx;
	struct gb_bls_name name;
	char path[512], *data;
	size_t len;
	int r;

	if (!gb_bls_name(file, &name))
		return 0;
	snprintf(path, sizeof(path), "%s/loader/entries/%s", s->folder, file);
	r = gb_root_read_all(s->host->root, path, GB_BLS_MAX, &data, &len);
	if (r == -EISDIR)
		return 0; /* both pass over folders, whatever they are called */
	tell(s, r, path);
	if (!r) {
		look_at_text(s, &name, path, data, len);
		free(data);
	}
	return 0;
}

static void look_in(struct search *s, const char *folder)
{
	char path[96];

	s->folder = folder;
	snprintf(path, sizeof(path), "%s/loader/entries", folder);
	tell(s, gb_root_list(s->host->root, path, look_at, s), path);
}

static bool is_known(const struct search *s, const char *id)
{
	for (size_t i = 0; i < s->entries; i++)
		if (!strcmp(s->entry[i].name.id, id))
			return true;
	return false;
}

/* What the loader found and no file of ours tells of: images of type 2, whose order is not known
 * here, and is taken to be the first, and what it calls automatic. */
static int look_at_listed(void *ctx, const char *id)
{
	struct search *s = ctx;
	const size_t len = strlen(id);
	struct gb_bls_name name = { .left = -1, .done = -1 };
	struct gb_bls none = { 0 };
	const bool automatic = !strncmp(id, "auto-", 5);

	if ((!automatic && (len < 4 || strcmp(id + len - 4, ".efi"))) || is_known(s, id) ||
	    !gb_text_copy(name.id, sizeof(name.id), id))
		return 0;
	gb_text_copy(name.file, sizeof(name.file), id);
	add(s, &name, "", &none);
	if (!s->more) {
		s->entry[s->entries - 1].automatic = automatic;
		s->entry[s->entries - 1].sort_key = automatic ? NULL : "";
	}
	return 0;
}

static void look_at_list(struct search *s)
{
	uint8_t *data;
	size_t len;
	int r = s->host->efi ? s->host->efi->read(s->host->efi, "LoaderEntries" GB_EFI_LOADER, &data,
						  &len) : -ENOENT;

	tell(s, r, "the EFI variable LoaderEntries");
	if (r)
		return;
	gb_efi_texts(data, len, look_at_listed, s);
	free(data);
}

/* Those that are not written yet. */
static void add_wanted(struct search *s, const struct gb_bootdefault_with *with)
{
	for (const char *const *file = with ? with->entry : NULL; file && *file; file++) {
		struct gb_bls_name name;
		struct gb_bls none = { 0 };

		if (gb_bls_name(*file, &name) && !is_known(s, name.id))
			add(s, &name, *file, &none);
	}
}

/* ---- what is said about it ---------------------------------------------------------------- */

struct conf {
	char usual[256], preferred[256];
};

static void take_default(void *ctx, unsigned number, const char *line)
{
	struct conf *conf = ctx;
	char name[256], word[256];

	(void)number;
	if (!gb_lines_word(&line, name, sizeof(name)) || !gb_lines_word(&line, word, sizeof(word)))
		return;
	if (!strcmp(name, "default"))
		strcpy(conf->usual, word);
	else if (!strcmp(name, "preferred"))
		strcpy(conf->preferred, word);
}

static void read_conf(struct search *s, struct conf *conf)
{
	const struct gb_loader *loader = s->host->loader;
	char path[96], *data;
	size_t len;
	int r;

	*conf = (struct conf){ .usual = "" };
	snprintf(path, sizeof(path), "%s/loader/loader.conf", loader->esp[0] ? loader->esp : loader->boot);
	r = gb_root_read_all(s->host->root, path, CONF_MAX, &data, &len);
	tell(s, r, path);
	if (r)
		return;
	gb_lines_each(data, len, take_default, conf);
	free(data);
}

static const char *read_variable(struct search *s, const char *name, char ret[256])
{
	int r = s->host->efi ? gb_efi_get_text(s->host->efi, name, ret, 256) : -ENOENT;

	tell(s, r, name);
	return r ? NULL : ret;
}

static size_t choose(struct search *s, const char *saved)
{
	char variable[256], preferred[256], last[256];
	struct conf conf;
	struct gb_bls_defaults defaults = { .saved_entry = saved };

	if (saved)
		return gb_bls_default(s->entry, s->entries, GB_BLS_GRUB, &defaults);
	read_conf(s, &conf);
	defaults.file = conf.usual[0] ? conf.usual : NULL;
	defaults.preferred[0] = read_variable(s, "LoaderEntryPreferred" GB_EFI_LOADER, preferred);
	defaults.preferred[1] = conf.preferred[0] ? conf.preferred : NULL;
	defaults.variable = read_variable(s, "LoaderEntryDefault" GB_EFI_LOADER, variable);
	defaults.last_booted = read_variable(s, "LoaderEntryLastBooted" GB_EFI_LOADER, last);
	return gb_bls_default(s->entry, s->entries, GB_BLS_SYSTEMD, &defaults);
}

/* Sorting has parted the entries from what was found of them. */
static void describe(const struct search *s, size_t chosen, struct gb_bootdefault *ret)
{
	const struct gb_bls_entry *entry = &s->entry[chosen];
	struct gb_bootdefault is = { .ours = gb_bls_is_ours(entry->name.file) };

	gb_text_copy(is.id, sizeof(is.id), entry->name.id);
	gb_text_copy(is.title, sizeof(is.title), entry->title ? entry->title : "");
	for (size_t i = 0; i < s->entries; i++) {
		const char *slash = strrchr(s->found[i].file, '/');

		if (slash && !strcmp(slash + 1, entry->name.file))
			gb_text_copy(is.file, sizeof(is.file), s->found[i].file);
	}
	*ret = is;
}

int gb_bootdefault_entries(struct gb_host *host, const struct gb_bootdefault_with *with,
			   const char *saved, struct gb_bootdefault *ret, struct gb_err *err)
{
	const struct gb_loader *loader = host->loader;
	struct search *s = calloc(1, sizeof(*s));
	size_t chosen;
	int r = 0;

	if (!s)
		return gb_fail(err, ENOMEM, "out of memory");
	s->host = host;
	s->err = err;
	look_in(s, loader->boot);
	if (!saved && loader->esp[0] && strcmp(loader->esp, loader->boot))
		look_in(s, loader->esp);
	if (!saved)
		look_at_list(s);
	add_wanted(s, with);
	chosen = choose(s, saved);
	if (s->error)
		r = s->error;
	else if (s->more)
		r = gb_fail(err, ENOTUNIQ, "there are more boot entries than expected");
	else if (chosen == GB_BLS_NONE)
		r = gb_fail(err, ENOTUNIQ, "the boot loader has no entry that it would boot by itself");
	else
		describe(s, chosen, ret);
	clear(s);
	return r;
}
