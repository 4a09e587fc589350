/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "lines.h"
#include "machine.h"
#include "text.h"

#define ADDRESSES_MAX 4

struct reader {
	const char *const *signs; /* what makes a line one about binding */
	unsigned line;		  /* first such line, 0: none */
	char words[128];
	struct gb_bdf address[ADDRESSES_MAX];
	size_t addresses;
};

static const struct gb_device *find(const struct gb_findings *f, struct gb_bdf bdf)
{
	for (size_t i = 0; f->machine && i < f->machine->devices; i++)
		if (gb_bdf_equal(f->machine->device[i].bdf, bdf))
			return &f->machine->device[i];
	return NULL;
}

static bool is_gone(const struct gb_findings *f, struct gb_bdf bdf)
{
	return f->machine && f->machine->complete && f->machine->devices && !find(f, bdf);
}

static void take_address(struct reader *r, struct gb_bdf bdf)
{
	for (size_t i = 0; i < r->addresses; i++)
		if (gb_bdf_equal(r->address[i], bdf))
			return;
	if (r->addresses < ADDRESSES_MAX)
		r->address[r->addresses++] = bdf;
}

/* 0000:01:00.0, and 0000_01_00_0 as libvirt's node devices have it. */
static void find_addresses(struct reader *r, const char *line)
{
	char text[sizeof("0000:01:00.0")];
	struct gb_bdf bdf;

	for (; strlen(line) >= sizeof(text) - 1; line++) {
		if (line[4] != ':' && line[4] != '_')
			continue;
		memcpy(text, line, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		if (text[4] == '_' && text[7] == '_' && text[10] == '_') {
			text[4] = text[7] = ':';
			text[10] = '.';
		}
		if (gb_bdf_parse(text, &bdf))
			take_address(r, bdf);
	}
}

static void read_line(void *ctx, unsigned number, const char *line)
{
	struct reader *r = ctx;

	line += strspn(line, " \t");
	if (*line == '#')
		return;
	find_addresses(r, line);
	for (const char *const *sign = r->signs; !r->line && *sign; sign++)
		if (strstr(line, *sign)) {
			r->line = number;
			gb_text_copy(r->words, sizeof(r->words), line);
		}
}

static void read_all(struct gb_findings *f, enum gb_finding_id id, const char *const *signs,
		     const char *data, size_t len)
{
	struct reader r = { .signs = signs };
	char detail[160] = "", bdf[GB_BDF_MAX];
	size_t n = 0;

	gb_lines_each(data, len, read_line, &r);
	if (!r.line)
		return;
	for (size_t i = 0; i < r.addresses; i++)
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "%s%s%s", i ? ", " : "",
				      gb_bdf_format(r.address[i], bdf),
				      is_gone(f, r.address[i]) ? " (nothing is there now)" : "");
	f->line = r.line;
	gb_foundf(f, id, r.words, "%s", detail);
}

void gb_script_read(struct gb_findings *f, const char *data, size_t len)
{
	static const char *const signs[] = { "driver_override", "/new_id", "/unbind", "/bind",
					     "vfio-pci", "vfio_pci", "driverctl", NULL };

	read_all(f, GB_SCRIPT, signs, data, len);
}

void gb_script_read_hook(struct gb_findings *f, const char *data, size_t len)
{
	static const char *const signs[] = { "nodedev-", "driver_override", "/unbind", "/bind",
					     "vfio", "modprobe", NULL };

	read_all(f, GB_LIBVIRT_HOOK, signs, data, len);
}

void gb_script_read_rules(struct gb_findings *f, const char *data, size_t len)
{
	static const char *const signs[] = { "driver_override", "/new_id", "/unbind", "/bind",
					     "vfio-pci", NULL };

	read_all(f, GB_UDEV_RULE, signs, data, len);
}

/* driverctl names its files SUBSYSTEM-DEVICE and its udev rule looks them up so. */
void gb_script_read_driverctl(struct gb_findings *f, const char *name, const char *data,
			      size_t len)
{
	char driver[GB_DRIVER_MAX], words[128];
	const struct gb_device *device;
	struct gb_bdf bdf;
	size_t n = strnlen(data, len);

	if (strncmp(name, "pci-", 4) || !gb_bdf_parse(name + 4, &bdf))
		return;
	while (n && isspace((unsigned char)data[n - 1]))
		n--;
	if (n >= sizeof(driver))
		n = sizeof(driver) - 1;
	snprintf(driver, sizeof(driver), "%.*s", (int)n, data);
	snprintf(words, sizeof(words), "%s: %s", name + 4, driver);
	device = find(f, bdf);
	f->line = 1;
	if (device)
		gb_foundf(f, GB_DRIVERCTL, words, "%04x:%04x is there now", device->id.vendor,
			  device->id.device);
	else
		gb_foundf(f, GB_DRIVERCTL, words, "%s",
			  is_gone(f, bdf) ? "nothing is there now" : "");
}
