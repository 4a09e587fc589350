/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include <ctype.h>
#include <pci/pci.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "root.h"
#include "text.h"

/* libpci makes a table of all 40,000 names, which takes longer than all the rest of a list. Here
 * only the makers are listed, and a device is looked for among its maker's. */

#define IDS_SIZE_MAX (16u << 20) /* bytes; the file has 1.5 MB */
#define CACHE 1024

struct vendor {
	unsigned id;
	const char *line;
};

struct cached {
	bool known;
	uint16_t vendor, device;
	const char *maker, *model; /* in the text, up to the end of their lines; or NULL */
};

struct gb_names {
	struct gb_root *root;
	bool loaded;
	char *text;
	struct vendor *vendor; /* by ID */
	size_t vendors;
	struct cached cache[CACHE];
};

struct gb_names *gb_names_open(struct gb_root *root)
{
	struct gb_names *names = calloc(1, sizeof(*names));

	if (names)
		names->root = root;
	return names;
}

void gb_names_close(struct gb_names *names)
{
	if (!names)
		return;
	free(names->text);
	free(names->vendor);
	free(names);
}

/* "10de  NVIDIA Corporation": the ID at the beginning of a line, or -1. */
static int id_at(const char *line)
{
	int id = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)line[i];

		if (!isxdigit(c))
			return -1;
		id = id << 4 | (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return line[4] == ' ' ? id : -1;
}

static const char *next_line(const char *line)
{
	line = strchrnul(line, '\n');
	return *line ? line + 1 : NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct vendor *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

static void list_vendors(struct gb_names *names)
{
	size_t room = 0;

	for (const char *line = names->text; line; line = next_line(line)) {
		int id = *line == '\t' || *line == '#' ? -1 : id_at(line);
		struct vendor *more;

		if (id < 0)
			continue;
		if (names->vendors == room) {
			room = room ? room * 2 : 4096;
			more = realloc(names->vendor, room * sizeof(*more));
			if (!more)
				break;
			names->vendor = more;
		}
		names->vendor[names->vendors++] = (struct vendor){ (unsigned)id, line };
	}
	if (names->vendors)
		qsort(names->vendor, names->vendors, sizeof(*names->vendor), by_id);
}

static bool read_ids(struct gb_names *names, struct gb_root *root, const char *path)
{
	size_t len;

	return !gb_root_read_all(root, path, IDS_SIZE_MAX, &names->text, &len);
}

/* Where this system's libpci expects them, then where other distributions have them. */
static void read_hosts(struct gb_names *names)
{
	struct pci_access *access = pci_alloc();
	const char *places[] = { access->id_file_name, "/usr/share/misc/pci.ids",
				 "/usr/share/hwdata/pci.ids" };
	struct gb_root *host;

	if (!gb_root_open("/", &host, NULL)) {
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
			if (places[i] && places[i][0] == '/' && read_ids(names, host, places[i]))
				break;
		gb_root_close(host);
	}
	pci_cleanup(access);
}

static void load(struct gb_names *names)
{
	names->loaded = true;
	if (gb_root_is_real(names->root) ||
	    !read_ids(names, names->root, "/usr/share/misc/pci.ids"))
		read_hosts(names);
	if (names->text)
		list_vendors(names);
}

static const char *find_model(const char *vendor, unsigned device)
{
	for (const char *line = next_line(vendor); line; line = next_line(line)) {
		if (*line == '#' || *line == '\n')
			continue;
		if (*line != '\t') /* the next maker */
			break;
		if (line[1] != '\t' && id_at(line + 1) == (int)device)
			return line + 5 + strspn(line + 5, " ");
	}
	return NULL;
}

static const struct cached *find(struct gb_names *names, const struct gb_identity *id)
{
	struct cached *entry = &names->cache[(id->vendor * 31u + id->device) % CACHE];
	const struct vendor key = { .id = id->vendor }, *vendor = NULL;

	if (!names->loaded)
		load(names);
	if (entry->known && entry->vendor == id->vendor && entry->device == id->device)
		return entry;
	if (names->vendors)
		vendor = bsearch(&key, names->vendor, names->vendors, sizeof(key), by_id);
	*entry = (struct cached){ .known = true, .vendor = id->vendor, .device = id->device };
	if (vendor) {
		entry->maker = vendor->line + 4 + strspn(vendor->line + 4, " ");
		entry->model = find_model(vendor->line, id->device);
	}
	return entry;
}

/* The rest of a line. What a terminal might take as an order becomes a question mark. */
static void copy_line(const char *line, char *ret, size_t size)
{
	size_t len = strcspn(line, "\n");

	if (len >= size)
		len = size - 1;
	memcpy(ret, line, len);
	ret[len] = '\0';
	for (size_t at = 0, bytes; ret[at]; at += bytes) {
		bytes = gb_text_character(ret + at);
		if (!bytes) {
			ret[at] = '?';
			bytes = 1;
		}
	}
}

/* "Realtek Semiconductor Co., Ltd." is called Realtek, "Advanced Micro Devices, Inc. [AMD/ATI]"
 * AMD. */
static void shorten_maker(char *maker)
{
	static const char *const forms[] = { "Corporation", "Corp.", "Corp", "Inc.", "Inc", "Co.",
					     "Co", "Ltd.", "Ltd", "Limited", "Company", "LLC",
					     "GmbH", "AG", "Technology", "Technologies",
					     "Electronics", "Semiconductor", "Systems" };
	char *bracket = strchr(maker, '['), *word;
	bool again = true;

	if (bracket && bracket[1] && bracket[1] != ']') {
		memmove(maker, bracket + 1, strlen(bracket + 1) + 1);
		maker[strcspn(maker, "]/")] = '\0';
		return;
	}
	while (again && (word = strrchr(maker, ' '))) {
		again = false;
		for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
			again |= !strcmp(word + 1, forms[i]);
		if (!again)
			break;
		while (word > maker && strchr(" ,", *word))
			*word-- = '\0';
	}
}

/* "GA102 [GeForce RTX 3090 Ti]" is known as GeForce RTX 3090 Ti (GA102). */
static void turn_model(char *model, size_t size)
{
	char chip[GB_NAME_MAX], *bracket = strstr(model, " ["), *end = strrchr(model, ']');

	if (!bracket || bracket == model || !end || end < bracket + 3 || end[1])
		return;
	gb_text_copy(chip, sizeof(chip), model);
	chip[bracket - model] = '\0';
	*end = '\0';
	memmove(model, bracket + 2, strlen(bracket + 2) + 1);
	snprintf(model + strlen(model), size - strlen(model), " (%s)", chip);
}

const char *gb_names_device(struct gb_names *names, const struct gb_identity *id,
			    char ret[static GB_NAME_MAX])
{
	const struct cached *entry = names ? find(names, id) : NULL;
	char maker[64] = "", model[GB_NAME_MAX / 2];

	if (entry && entry->maker)
		copy_line(entry->maker, maker, sizeof(maker));
	shorten_maker(maker);
	if (!entry || !entry->model) {
		snprintf(ret, GB_NAME_MAX, "%s%s%s %04x:%04x", maker, maker[0] ? " " : "",
			 gb_class_text(id->class), id->vendor, id->device);
		return ret;
	}
	copy_line(entry->model, model, sizeof(model));
	if (GB_BASE_CLASS(id->class) == GB_CLASS_DISPLAY)
		turn_model(model, sizeof(model));
	if (strncasecmp(model, maker, strlen(maker))) /* "ASPEED", "ASPEED Graphics Family" */
		snprintf(ret, GB_NAME_MAX, "%s %s", maker, model);
	else
		gb_text_copy(ret, GB_NAME_MAX, model);
	return ret;
}

/* PCI Code and ID Assignment Specification 1.11. A subclass 0xff stands for all others. */
static const struct {
	uint8_t base, sub;
	const char *text;
} classes[] = {
	{ 0x01, 0x00, "SCSI controller" },	{ 0x01, 0x01, "IDE controller" },
	{ 0x01, 0x04, "RAID controller" },	{ 0x01, 0x06, "SATA controller" },
	{ 0x01, 0x07, "SAS controller" },	{ 0x01, 0x08, "NVMe controller" },
	{ 0x01, 0xff, "storage controller" },	{ 0x02, 0x00, "Ethernet controller" },
	{ 0x02, 0x07, "InfiniBand controller" }, { 0x02, 0xff, "network controller" },
	{ 0x03, 0x00, "VGA controller" },	{ 0x03, 0x02, "3D controller" },
	{ 0x03, 0xff, "display controller" },	{ 0x04, 0x01, "audio" },
	{ 0x04, 0x03, "audio" },		{ 0x04, 0xff, "multimedia controller" },
	{ 0x05, 0xff, "memory controller" },	{ 0x06, 0x00, "host bridge" },
	{ 0x06, 0x01, "ISA bridge" },		{ 0x06, 0x04, "PCI bridge" },
	{ 0x06, 0xff, "bridge" },		{ 0x07, 0x00, "serial port" },
	{ 0x07, 0xff, "communication controller" }, { 0x08, 0x05, "SD host controller" },
	{ 0x08, 0x06, "IOMMU" },		{ 0x08, 0xff, "system peripheral" },
	{ 0x09, 0xff, "input controller" },	{ 0x0b, 0xff, "processor" },
	{ 0x0c, 0x03, "USB controller" },	{ 0x0c, 0x05, "SMBus" },
	{ 0x0c, 0x80, "serial bus controller" }, { 0x0c, 0xff, "serial bus controller" },
	{ 0x0d, 0xff, "wireless controller" },	{ 0x10, 0xff, "encryption controller" },
	{ 0x11, 0xff, "signal processing controller" }, { 0x12, 0xff, "accelerator" },
};

const char *gb_class_text(uint32_t class)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (classes[i].base == class >> 16 &&
		    (classes[i].sub == (class >> 8 & 0xff) || classes[i].sub == 0xff))
			return classes[i].text;
	return "device";
}
