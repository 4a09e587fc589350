/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "passphrase.h"

#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "crypttab.h"
#include "disks.h"
#include "lines.h"
#include "root.h"
#include "survey.h"

struct asked {
	const char *name; /* of a device below /dev/mapper, or NULL: any that the image unlocks */
	struct gb_crypttab_line line;
};

static bool is_named(void *ctx, const struct gb_crypttab_line *line)
{
	struct asked *asked = ctx;

	asked->line = *line;
	return asked->name ? !strcmp(line->name, asked->name) :
			     line->in_image && !line->has_key && !line->has_token;
}

/* One that nobody asks about makes the search go on. */
static bool asks_for(struct gb_root *root, const char *name, const char *what, const char *how,
		     char *ret, size_t size)
{
	struct asked asked = { .name = name };

	if (!gb_crypttab_find(root, is_named, &asked)) {
		snprintf(ret, size, "%s is on %s: %.20s…", what, name, how);
		return true;
	}
	snprintf(ret, size, "%s is on %s: " GB_CRYPTTAB_FILE ", line %u", what, name, asked.line.number);
	return !asked.line.has_key && !asked.line.has_token;
}

/* drivers/md/dm-ioctl.c; cryptsetup names its devices CRYPT-LUKS2-… */
static bool is_encrypted(struct gb_root *root, const struct gb_disk *disk, char *ret, size_t size)
{
	char uuid[64], name[128];

	for (size_t i = 0; i < disk->parts; i++) {
		gb_disk_dm(root, disk->part[i].name, "uuid", uuid, sizeof(uuid));
		if (strncmp(uuid, "CRYPT-", 6))
			continue;
		gb_disk_dm(root, disk->part[i].name, "name", name, sizeof(name));
		if (asks_for(root, name[0] ? name : disk->part[i].name, disk->what, uuid, ret, size))
			return true;
	}
	return false;
}

/* "/dev/mapper/root", said in /etc/fstab or on the command line, where nothing is to be seen of it. */
static bool is_to_be(struct gb_root *root, const struct gb_disk *disk, char *ret, size_t size)
{
	static const char folder[] = "/dev/mapper/";
	struct asked asked = { 0 };

	if (disk->parts || !disk->source || strncmp(disk->source, folder, strlen(folder)))
		return false;
	asked.name = disk->source + strlen(folder);
	if (!gb_crypttab_find(root, is_named, &asked))
		return false;
	snprintf(ret, size, "%s is %s: " GB_CRYPTTAB_FILE ", line %u", disk->what, disk->source,
		 asked.line.number);
	return !asked.line.has_key && !asked.line.has_token;
}

static bool is_on_cmdline(const struct gb_survey *survey, char *ret, size_t size)
{
	static const char *const names[] = { "rd.luks.uuid", "rd.luks.name", "cryptdevice" };
	char word[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (gb_cmdline_find(survey->cmdline, names[i], NULL, word, sizeof(word))) {
			snprintf(ret, size, "/proc/cmdline: %s", word);
			return true;
		}
	return false;
}

bool gb_passphrase_is_asked(const struct gb_survey *survey, const struct gb_disks *disks, char *ret,
			    size_t size)
{
	struct asked any = { 0 };

	for (size_t i = 0; i < disks->disks; i++) {
		const struct gb_disk *disk = &disks->disk[i];

		if ((!strcmp(disk->what, "/") || !strcmp(disk->what, "root=")) &&
		    (is_encrypted(survey->root, disk, ret, size) ||
		     is_to_be(survey->root, disk, ret, size)))
			return true;
	}
	if (gb_crypttab_find(survey->root, is_named, &any)) {
		snprintf(ret, size, GB_CRYPTTAB_FILE ", line %u: %s", any.line.number, any.line.name);
		return true;
	}
	/* what the TPM unlocks is on the command line, too */
	return !gb_passphrase_is_sealed(survey, ret, size) && is_on_cmdline(survey, ret, size);
}

/* ---- sealed ---------------------------------------------------------------------------------- */

static bool is_sealed(void *ctx, const struct gb_crypttab_line *line)
{
	struct asked *asked = ctx;

	asked->line = *line;
	return line->has_tpm;
}

/* systemd-cryptsetup-generator(8): rd.luks.options=[UUID=]OPTIONS, and luks.options= */
static bool is_sealed_by_words(const struct gb_survey *survey, char *ret, size_t size)
{
	const char *at = survey->cmdline;
	char word[512];

	while (gb_lines_word(&at, word, sizeof(word)))
		if (strstr(word, "luks.options=") && strstr(word, "tpm2-device=")) {
			snprintf(ret, size, "/proc/cmdline: %.120s", word);
			return true;
		}
	return false;
}

bool gb_passphrase_is_sealed(const struct gb_survey *survey, char *ret, size_t size)
{
	struct asked asked = { 0 };

	if (!gb_crypttab_find(survey->root, is_sealed, &asked))
		return is_sealed_by_words(survey, ret, size);
	snprintf(ret, size, GB_CRYPTTAB_FILE ", line %u: %s", asked.line.number, asked.line.name);
	return true;
}
