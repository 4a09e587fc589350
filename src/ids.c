/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "text.h"

#define ANY 0xffffffffu /* include/linux/pci_ids.h, PCI_ANY_ID */

bool gb_ids_looks_like(const char *word)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	return strspn(word, digits) == 4 && word[4] == ':' && strspn(word + 5, digits) == 4 &&
	       strchr(",:", word[9]);
}

static bool hex_field(const char **at, uint32_t *ret)
{
	char *end;
	unsigned long value;

	if (!isxdigit((unsigned char)**at))
		return false;
	value = strtoul(*at, &end, 16);
	if (end - *at > 10 || value > 0xffffffffu)
		return false;
	*ret = (uint32_t)value;
	*at = end;
	return true;
}

/* vendor:device[:subvendor[:subdevice[:class[:class_mask]]]]; drivers/vfio/pci/vfio_pci.c,
 * vfio_pci_fill_ids. What it could not read it leaves at "any". */
static bool read_rule(const char *text, struct gb_id_rule *rule)
{
	uint32_t *const fields[] = { &rule->vendor, &rule->device, &rule->subvendor,
				     &rule->subdevice, &rule->class, &rule->class_mask };
	size_t n = 0;

	rule->subvendor = rule->subdevice = ANY;
	while (n < sizeof(fields) / sizeof(*fields) && hex_field(&text, fields[n])) {
		n++;
		if (*text != ':')
			break;
		text++;
	}
	return n >= 2 && !*text;
}

static bool same_rule(const struct gb_id_rule *a, const struct gb_id_rule *b)
{
	return a->vendor == b->vendor && a->device == b->device && a->subvendor == b->subvendor &&
	       a->subdevice == b->subdevice && a->class == b->class &&
	       a->class_mask == b->class_mask;
}

static void find_twin(struct gb_findings *f, const struct gb_id_rule *rule, const char *text)
{
	for (size_t i = 0; i < f->rules; i++) {
		const struct gb_id_rule *other = &f->rule[i];

		if (other->by != rule->by || !same_rule(other, rule))
			continue;
		if (other->statement == rule->statement)
			gb_foundf(f, GB_VFIO_IDS_TWICE, text, "twice in one list");
		else
			gb_foundf(f, GB_VFIO_IDS_TWICE, text, "also at %.140s:%u",
				  f->file[other->file], other->line);
		return;
	}
}

static void add_rule(struct gb_findings *f, const struct gb_id_rule *rule, const char *text)
{
	if (!f->rule)
		f->rule = calloc(GB_ID_RULES_MAX, sizeof(*f->rule));
	if (!f->rule || f->rules == GB_ID_RULES_MAX) {
		f->left_out++;
		return;
	}
	find_twin(f, rule, text);
	f->rule[f->rules++] = *rule;
}

void gb_ids_take(struct gb_findings *f, const char *list, int by)
{
	char text[64];

	f->statements++;
	if (!f->files)
		return;
	for (const char *end; ; list = end + 1) {
		struct gb_id_rule rule = { .by = by, .statement = f->statements, .line = f->line,
					   .file = f->files - 1 };
		size_t len;

		end = list + strcspn(list, ",");
		len = (size_t)(end - list);
		if (len >= sizeof(text))
			len = sizeof(text) - 1;
		memcpy(text, list, len);
		text[len] = '\0';
		if (len && !read_rule(text, &rule)) {
			gb_foundf(f, GB_VFIO_IDS_FORMAT, text, "\"%s\" is skipped", text);
		} else if (len) {
			add_rule(f, &rule, text);
		}
		if (!*end)
			break;
	}
}

bool gb_ids_match(const struct gb_id_rule *rule, const struct gb_device *device)
{
	const struct gb_identity *id = &device->id;

	return rule->vendor == id->vendor && rule->device == id->device &&
	       (rule->subvendor == ANY || rule->subvendor == id->subvendor) &&
	       (rule->subdevice == ANY || rule->subdevice == id->subdevice) &&
	       !((rule->class ^ id->class) & rule->class_mask);
}

/* libkmod joins all options of a module, the command line's last
 * (libkmod/libkmod-config.c, kmod_config_new), and of a string parameter given twice the kernel
 * keeps the last (kernel/params.c, param_set_copystring). */
static void judge_statements(struct gb_findings *f)
{
	const struct gb_id_rule *last = NULL;

	for (size_t i = 0; i < f->rules; i++)
		if (f->rule[i].by != GB_BY_IMAGE &&
		    (!last || f->rule[i].by > last->by ||
		     (f->rule[i].by == last->by && f->rule[i].statement > last->statement)))
			last = &f->rule[i];
	for (size_t i = 0; last && i < f->rules; i++) {
		const struct gb_id_rule *rule = &f->rule[i];
		char words[32];
		size_t at;

		if (rule->by == GB_BY_IMAGE || rule->statement == last->statement ||
		    (i && rule->statement == f->rule[i - 1].statement))
			continue;
		snprintf(words, sizeof(words), "ids=%04x:%04x…", rule->vendor, rule->device);
		at = f->findings;
		gb_foundf(f, GB_VFIO_IDS_OVERRIDDEN, words, "%.140s:%u comes later",
			  f->file[last->file], last->line);
		if (f->findings > at) {
			f->finding[at].file = rule->file;
			f->finding[at].line = rule->line;
		}
	}
}

static bool passes_through(const char *driver)
{
	return strstr(driver, "vfio") || !strcmp(driver, "pci-stub");
}

/* A companion of a display that may be given away: another function of its slot. */
static bool companion(const struct gb_machine *machine, const struct gb_device *device)
{
	for (size_t i = 0; i < machine->devices; i++) {
		const struct gb_device *other = &machine->device[i];

		if (other != device && gb_device_is_display(other) && !other->boot_vga &&
		    gb_path_same_slot(&other->path, &device->path))
			return true;
	}
	return false;
}

/* Why the host needs this device, or NULL. Its driver, if it has one, goes to `driver`. */
static const char *needed(const struct gb_findings *f, const struct gb_device *device,
			  char driver[static GB_DRIVER_MAX])
{
	if (!f->root || gb_device_driver(f->root, device->bdf, driver))
		driver[0] = '\0';
	if (device->boot_vga)
		return "the display this machine booted with";
	if (gb_device_is_display(device) || passes_through(driver) ||
	    companion(f->machine, device))
		return NULL;
	if (GB_BASE_CLASS(device->id.class) == GB_CLASS_STORAGE)
		return "storage";
	if (GB_BASE_CLASS(device->id.class) == GB_CLASS_NETWORK)
		return driver[0] ? "network" : NULL;
	if (device->id.class >> 8 == 0x0c03)
		return driver[0] ? "USB, perhaps the keyboard's" : NULL;
	return NULL;
}

static void found_at(struct gb_findings *f, enum gb_finding_id id, const struct gb_id_rule *rule,
		     const char *detail)
{
	size_t at = f->findings;
	char words[32];

	snprintf(words, sizeof(words), "%04x:%04x", rule->vendor, rule->device);
	gb_foundf(f, id, words, "%s", detail);
	if (f->findings > at) {
		f->finding[at].file = rule->file;
		f->finding[at].line = rule->line;
	}
}

static void judge_rule(struct gb_findings *f, const struct gb_id_rule *rule)
{
	const struct gb_device *first = NULL;
	char detail[192], bdf[GB_BDF_MAX], driver[GB_DRIVER_MAX];
	bool several = false;
	size_t matches = 0;

	for (size_t i = 0; i < f->machine->devices; i++) {
		const struct gb_device *device = &f->machine->device[i];
		const char *why;

		if (!gb_ids_match(rule, device))
			continue;
		matches++;
		if (!first)
			first = device;
		else if (!gb_path_same_slot(&first->path, &device->path))
			several = true;
		why = needed(f, device, driver);
		if (!why)
			continue;
		snprintf(detail, sizeof(detail), "%s is %s%s%s", gb_bdf_format(device->bdf, bdf),
			 why, driver[0] ? ", driven by " : "", driver);
		found_at(f, GB_VFIO_IDS_HOST, rule, detail);
	}
	if (!matches && f->machine->complete && f->machine->devices)
		found_at(f, GB_VFIO_IDS_ABSENT, rule, "");
	snprintf(detail, sizeof(detail), "%zu devices have it", matches);
	if (several)
		found_at(f, GB_VFIO_IDS_SEVERAL, rule, detail);
}

void gb_ids_judge(struct gb_findings *f)
{
	judge_statements(f);
	for (size_t i = 0; f->machine && i < f->rules; i++)
		judge_rule(f, &f->rule[i]);
}
