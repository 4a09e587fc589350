/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static bool domain(const char **at, uint32_t *ret)
{
	size_t digits = strspn(*at, "0123456789abcdefABCDEF");
	uint64_t value;

	if (digits < 4 || digits > 8 || !gb_text_hex(at, (unsigned)digits, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool byte(const char **at, uint8_t *ret)
{
	uint64_t value;

	if (!gb_text_hex(at, 2, &value))
		return false;
	*ret = (uint8_t)value;
	return true;
}

static bool literal(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool devfn(const char **at, uint8_t *ret)
{
	uint64_t function;
	uint8_t device;

	if (!byte(at, &device) || !literal(at, '.') || !gb_text_hex(at, 1, &function))
		return false;
	if (device > 0x1f || function > 7)
		return false;
	*ret = (uint8_t)(device << 3 | function);
	return true;
}

static bool bdf(const char **at, struct gb_bdf *ret)
{
	return domain(at, &ret->domain) && literal(at, ':') && byte(at, &ret->bus) &&
	       literal(at, ':') && devfn(at, &ret->devfn);
}

bool gb_bdf_parse(const char *s, struct gb_bdf *ret)
{
	struct gb_bdf value;

	if (!bdf(&s, &value) || *s)
		return false;
	*ret = value;
	return true;
}

static char *put_hex(char *to, uint32_t value, int digits)
{
	while (digits--)
		*to++ = "0123456789abcdef"[value >> 4 * digits & 15];
	return to;
}

/* By hand, for every file of sysfs is named by it: printf was a third of a claim's time. */
const char *gb_bdf_format(struct gb_bdf value, char buf[static GB_BDF_MAX])
{
	char *at = buf;
	int digits = 4;

	while (digits < 8 && value.domain >> 4 * digits)
		digits++;
	at = put_hex(at, value.domain, digits);
	*at++ = ':';
	at = put_hex(at, value.bus, 2);
	*at++ = ':';
	at = put_hex(at, GB_DEVICE(value.devfn), 2);
	*at++ = '.';
	at = put_hex(at, GB_FUNCTION(value.devfn), 1);
	*at = '\0';
	return buf;
}

bool gb_bdf_equal(struct gb_bdf a, struct gb_bdf b)
{
	return a.domain == b.domain && a.bus == b.bus && a.devfn == b.devfn;
}

const char *gb_bdf_file(struct gb_bdf bdf, const char *name, char buf[static GB_SYSFS_MAX])
{
	static const char folder[] = "/sys/bus/pci/devices/";
	char *at = buf + sizeof(folder) - 1;

	memcpy(buf, folder, sizeof(folder));
	gb_bdf_format(bdf, at);
	if (*name) {
		at += strlen(at);
		*at++ = '/';
		gb_text_copy(at, (size_t)(buf + GB_SYSFS_MAX - at), name);
	}
	return buf;
}

bool gb_path_parse(const char *s, struct gb_path *ret, const char **ret_at)
{
	struct gb_path path = { 0 };
	bool good = domain(&s, &path.domain) && literal(&s, ':') && byte(&s, &path.bus);

	while (good && *s && path.hops < GB_HOPS_MAX)
		good = literal(&s, '/') && devfn(&s, &path.hop[path.hops++]);
	if (ret_at)
		*ret_at = s;
	if (!good || *s || !path.hops)
		return false;
	*ret = path;
	return true;
}

const char *gb_path_format(const struct gb_path *path, char buf[static GB_PATH_MAX])
{
	int n = snprintf(buf, GB_PATH_MAX, "%04x:%02x", path->domain, path->bus);

	for (unsigned i = 0; i < path->hops; i++)
		n += snprintf(buf + n, GB_PATH_MAX - (size_t)n, "/%02x.%x",
			      GB_DEVICE(path->hop[i]), GB_FUNCTION(path->hop[i]));
	return buf;
}

static bool same_bus(const struct gb_path *a, const struct gb_path *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->hops == b->hops &&
	       !memcmp(a->hop, b->hop, a->hops - 1u);
}

bool gb_path_equal(const struct gb_path *a, const struct gb_path *b)
{
	return same_bus(a, b) && a->hop[a->hops - 1] == b->hop[b->hops - 1];
}

bool gb_path_same_slot(const struct gb_path *a, const struct gb_path *b)
{
	return same_bus(a, b) &&
	       GB_DEVICE(a->hop[a->hops - 1]) == GB_DEVICE(b->hop[b->hops - 1]);
}

bool gb_path_from_sysfs(const char *link, struct gb_path *ret)
{
	struct gb_path path = { 0 };
	struct gb_bdf hop;
	const char *at = NULL;

	/* the innermost root bus counts: a VMD domain's lies below another one */
	for (const char *s = link; (s = strstr(s, "/pci")); s++)
		at = s + strlen("/pci");
	if (!at || !domain(&at, &path.domain) || !literal(&at, ':') || !byte(&at, &path.bus))
		return false;
	while (*at && strcmp(at, "/")) { /* a copied folder's links may end in a slash */
		if (path.hops == GB_HOPS_MAX || !literal(&at, '/') || !bdf(&at, &hop))
			return false;
		path.hop[path.hops++] = hop.devfn;
	}
	if (!path.hops)
		return false;
	*ret = path;
	return true;
}

bool gb_bdf_in_link(const char *link, struct gb_bdf *ret)
{
	bool found = false;

	while (*link) {
		size_t len = strcspn(link, "/");
		char name[GB_BDF_MAX];

		if (len < sizeof(name)) {
			memcpy(name, link, len);
			name[len] = '\0';
			found |= gb_bdf_parse(name, ret);
		}
		link += len + (link[len] == '/');
	}
	return found;
}
