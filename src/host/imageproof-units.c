/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units start at once unless they are ordered: a unit that loads modules is a rival unless it, or
 * one that it comes after, is ordered after ours. */
#include "imageproof.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "lines.h"
#include "text.h"

#define OURS "ghost-claim.service"
#define UNITS_MAX 1024
#define NAME_SIZE 256

static const char *const folders[] = { "etc/systemd/system", "usr/lib/systemd/system",
				       "lib/systemd/system" };
static const char *const generators[] = { "etc/systemd/system-generators",
					  "usr/lib/systemd/system-generators",
					  "lib/systemd/system-generators" };
#define FOLDERS (sizeof(folders) / sizeof(*folders))

struct unit {
	char *name;
	struct gb_text after, before, pulls; /* words with a space before and behind each */
	bool no_defaults, loads, ours; /* ours: it runs ghost-claim */
	bool later; /* ordered after ours */
};

struct units {
	const struct gb_imagetree *tree;
	struct unit *unit;
	size_t units;
	struct gb_text pulled; /* by links in *.wants and by other units */
	bool failed;
	struct unit *now; /* being parsed */
};

static bool has_word(const struct gb_text *list, const char *word)
{
	char spaced[NAME_SIZE + 3];
	size_t len = strlen(word);

	if (!list->data || len > NAME_SIZE)
		return false;
	spaced[0] = spaced[len + 1] = ' ';
	memcpy(spaced + 1, word, len);
	spaced[len + 2] = '\0';
	return strstr(list->data, spaced);
}

static void add_words(struct gb_text *list, const char *words)
{
	while (*words) {
		size_t len;

		words += strspn(words, " \t");
		len = strcspn(words, " \t");
		if (len)
			gb_text_addf(list, "%s%.*s ", list->len ? "" : " ", (int)len, words);
		words += len;
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

/* "-@/bin/sh /usr/bin/script": prefixes (systemd.service(5)), then a program, maybe a script. */
static bool command_loads(const struct gb_imagetree *tree, const char *command)
{
	char program[NAME_SIZE];
	const char *data;
	size_t len;

	if (gb_imageproof_loads(command, strlen(command)) >= 0)
		return true;
	command += strspn(command, "-@:+!|");
	while (gb_lines_word(&command, program, sizeof(program))) {
		data = *program == '/' ? gb_imagetree_data(tree, program, &len) : NULL;
		if (data && len > 2 && !memcmp(data, "#!", 2) && gb_imageproof_loads(data, len) >= 0)
			return true;
	}
	return false;
}

static void note_command(const struct units *units, struct unit *unit, const char *command)
{
	unit->loads |= command_loads(units->tree, command);
	unit->ours |= strstr(command, "/ghost-claim") != NULL;
}

static void read_line(void *ctx, unsigned number, const char *line)
{
	static const char *const pulls[] = { "Wants", "Requires", "BindsTo", "Upholds" };
	struct units *units = ctx;
	struct unit *unit = units->now;
	const char *value = strchr(line, '=');
	size_t key = value ? (size_t)(value - line) : 0;

	(void)number;
	while (key && strchr(" \t", line[key - 1]))
		key--;
	if (!key || *line == '#' || *line == ';')
		return;
	value += 1 + strspn(value + 1, " \t");
#define IS(name) (key == strlen(name) && !memcmp(line, name, key))
	if (IS("After"))
		add_words(&unit->after, value);
	else if (IS("Before"))
		add_words(&unit->before, value);
	else if (IS("DefaultDependencies"))
		unit->no_defaults = strchr("nf0", *value); /* no, false, 0 */
	else if (key > 4 && !memcmp(line, "Exec", 4) && !IS("ExecStop") && !IS("ExecStopPost"))
		note_command(units, unit, value);
	for (size_t i = 0; i < sizeof(pulls) / sizeof(*pulls); i++)
		if (IS(pulls[i]))
			add_words(&unit->pulls, value);
#undef IS
}

static struct unit *find_unit(const struct units *units, const char *name)
{
	for (size_t i = 0; i < units->units; i++)
		if (!strcmp(units->unit[i].name, name))
			return &units->unit[i];
	return NULL;
}

static struct unit *add_unit(struct units *units, const char *name)
{
	struct unit *unit = &units->unit[units->units];

	unit->name = units->units < UNITS_MAX ? strdup(name) : NULL;
	if (!unit->name) {
		units->failed |= units->units < UNITS_MAX;
		return NULL;
	}
	units->units++;
	return unit;
}

static void read_text(struct units *units, struct unit *unit, const char *path)
{
	size_t len;
	const char *data = gb_imagetree_data(units->tree, path, &len);

	units->now = unit;
	if (data)
		gb_lines_each(data, len, read_line, units);
}

/* The first folder that has a unit counts; one that is a link to /dev/null is masked, and reads as
 * an empty one. */
static void read_folder(struct units *units, const char *folder)
{
	for (size_t i = 0; i < units->tree->files; i++) {
		const struct gb_image_file *file = units->tree->file[i];
		const char *name = gb_image_file_in(file, folder);
		struct unit *unit;

		if (!name || S_ISDIR(file->mode) || find_unit(units, name))
			continue;
		unit = add_unit(units, name);
		if (unit)
			read_text(units, unit, file->path);
	}
}

/* "usr/lib/systemd/system/NAME.d/x.conf", "…/sysinit.target.wants/NAME". */
static void read_below(struct units *units, const char *folder)
{
	size_t prefix = strlen(folder);

	for (size_t i = 0; i < units->tree->files; i++) {
		const struct gb_image_file *file = units->tree->file[i];
		const char *path = file->path, *slash, *dot;
		char name[NAME_SIZE];
		struct unit *unit;

		if (file->gone || strncmp(path, folder, prefix) || path[prefix] != '/')
			continue;
		slash = strchr(path + prefix + 1, '/');
		if (!slash || (size_t)(slash - path) - prefix > sizeof(name) - 1)
			continue;
		memcpy(name, path + prefix + 1, (size_t)(slash - path) - prefix - 1);
		name[(size_t)(slash - path) - prefix - 1] = '\0';
		dot = strrchr(name, '.');
		if (dot && (!strcmp(dot, ".wants") || !strcmp(dot, ".requires"))) {
			add_words(&units->pulled, slash + 1);
		} else if (dot && !strcmp(dot, ".d")) {
			name[dot - name] = '\0';
			unit = find_unit(units, name);
			if (unit)
				read_text(units, unit, path);
		}
	}
}

/* An instance is its template under another name. What only helps, and drives no PCI device, is
 * no rival. */
static void add_instances(struct units *units)
{
	static const char helpers[] = " configfs dm_mod dm-mod dm_verity drm efi_pstore efivarfs "
				      "fuse loop overlay vsock ";
	char *words = units->pulled.data ? strdup(units->pulled.data) : NULL, *save = NULL;

	for (char *word = words ? strtok_r(words, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save)) {
		char *at = strchr(word, '@'), name[NAME_SIZE];
		struct gb_text known = { (char *)helpers, sizeof(helpers) - 1, 0, false };
		struct unit *template, *unit;

		if (!at || find_unit(units, word) || strlen(word) >= sizeof(name) - 1)
			continue;
		strcpy(name, at + 1);
		if (strchr(name, '.'))
			*strrchr(name, '.') = '\0';
		if (!strncmp(word, "modprobe@", 9) && has_word(&known, name))
			continue;
		memcpy(name, word, (size_t)(at - word) + 1);
		strcpy(name + (at - word) + 1, strrchr(at, '.') ? strrchr(at, '.') : "");
		template = find_unit(units, name);
		unit = template ? add_unit(units, word) : NULL;
		if (!unit)
			continue;
		add_words(&unit->after, template->after.data ? template->after.data : "");
		add_words(&unit->before, template->before.data ? template->before.data : "");
		unit->no_defaults = template->no_defaults;
		unit->loads = template->loads;
	}
	free(words);
}

static void read_units(struct units *units)
{
	for (size_t i = 0; i < FOLDERS; i++)
		read_folder(units, folders[i]);
	for (size_t i = 0; i < FOLDERS; i++)
		read_below(units, folders[i]);
	for (size_t i = 0; i < units->units; i++)
		if (units->unit[i].pulls.data)
			add_words(&units->pulled, units->unit[i].pulls.data);
	add_instances(units);
}

/* ---- order ----------------------------------------------------------------------------------- */

/* systemd.service(5): After=sysinit.target basic.target, unless DefaultDependencies=no. */
static bool has_defaults(const struct unit *unit)
{
	const char *dot = strrchr(unit->name, '.');

	return !unit->no_defaults && dot &&
	       (!strcmp(dot, ".service") || !strcmp(dot, ".socket") || !strcmp(dot, ".timer") ||
		!strcmp(dot, ".path"));
}

static bool becomes_later(const struct units *units, const struct unit *ours,
			  const struct unit *unit)
{
	if (has_word(&ours->before, unit->name) || has_word(&unit->after, ours->name) ||
	    (has_defaults(unit) && has_word(&ours->before, "sysinit.target")))
		return true;
	for (size_t i = 0; i < units->units; i++)
		if (units->unit[i].later && (has_word(&unit->after, units->unit[i].name) ||
					     has_word(&units->unit[i].before, unit->name)))
			return true;
	return false;
}

static void order(struct units *units, const struct unit *ours)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < units->units; i++) {
			struct unit *unit = &units->unit[i];

			if (unit != ours && !unit->later && becomes_later(units, ours, unit))
				more = unit->later = true;
		}
	}
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool is_placed(const struct units *units, const struct unit *ours)
{
	static const char *const needed[] = { "sysinit.target", "systemd-modules-load.service",
					      "systemd-udevd.service" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!ours || !has_word(&ours->before, needed[i]))
			return false;
	return ours->no_defaults && ours->ours && has_word(&units->pulled, OURS);
}

static void find_generators(const struct gb_imagetree *tree, struct gb_text *ret)
{
	for (size_t i = 0; i < FOLDERS; i++)
		for (size_t k = 0; k < tree->files; k++) {
			const struct gb_image_file *file = tree->file[k];
			size_t len;
			const char *data = gb_image_file_in(file, generators[i]) ?
						   gb_imagetree_data(tree, file->path, &len) : NULL;

			if (data && len > 2 && !memcmp(data, "#!", 2) &&
			    gb_imageproof_loads(data, len) >= 0)
				gb_text_addf(ret, "%s%s", ret->len ? ", " : "", file->path);
		}
}

static void tell_rivals(const struct gb_proof *proof, const struct units *units)
{
	const char *image = proof->plan->image;
	struct gb_text names = { 0 };

	find_generators(units->tree, &names);
	for (size_t i = 0; i < units->units; i++) {
		const struct unit *unit = &units->unit[i];

		if (unit->loads && !unit->later && strcmp(unit->name, OURS) &&
		    has_word(&units->pulled, unit->name))
			gb_text_addf(&names, "%s%s", names.len ? ", " : "", unit->name);
	}
	gb_check(proof->checks, "image-rivals", names.len ? GB_WARN : GB_PASS, image,
		 names.len ? "modules may be loaded before our claim, by %s" :
			     "nothing that loads modules comes before our claim%s",
		 names.len && names.data ? names.data : "");
	if (!names.len)
		gb_imageproof_doubt(proof);
	else
		gb_check_fix(proof->checks, "have it come after " OURS " (After=), and build the "
					    "image anew");
	proof->checks->failed |= names.failed;
	gb_text_clear(&names);
}

static void judge(const struct gb_proof *proof, struct units *units)
{
	const char *image = proof->plan->image;
	struct unit *ours;

	read_units(units);
	ours = find_unit(units, OURS);
	if (!is_placed(units, ours)) {
		gb_check(proof->checks, "image-order", GB_FAIL, image,
			 "nothing in it would run our claim before udev");
		gb_check_evidence(proof->checks, !ours ? OURS " in it: not there" :
							 OURS " in it: masked, changed, or in no "
							      "sysinit.target.wants");
		gb_check_fix(proof->checks, "see in the image builder's log whether ghost-boot's "
					    "module was included, and whether the unit is masked");
		return;
	}
	order(units, ours);
	gb_check(proof->checks, "image-order", GB_PASS, image,
		 "our claim comes before udev and systemd's own loading of modules, from " OURS);
	tell_rivals(proof, units);
}

void gb_imageproof_units(const struct gb_proof *proof)
{
	struct units units = { .tree = &proof->tree };

	units.unit = calloc(UNITS_MAX, sizeof(*units.unit));
	if (units.unit)
		judge(proof, &units);
	if (!units.unit || units.failed || units.pulled.failed)
		proof->checks->failed = true;
	for (size_t i = 0; i < units.units; i++) {
		free(units.unit[i].name);
		gb_text_clear(&units.unit[i].after);
		gb_text_clear(&units.unit[i].before);
		gb_text_clear(&units.unit[i].pulls);
	}
	free(units.unit);
	gb_text_clear(&units.pulled);
}
