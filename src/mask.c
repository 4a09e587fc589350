/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mask.h"

#include <ctype.h>
#include <string.h>

#include "root.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t hex_run(const char *at)
{
	size_t n = 0;

	while (isxdigit((unsigned char)at[n]))
		n++;
	return n;
}

/* ---- what is known by its form: the length of it at the beginning of a word, or 0 ---- */

/* RFC 9562: 8-4-4-4-12. */
static size_t is_uuid(const char *at)
{
	static const size_t lengths[] = { 8, 4, 4, 4, 12 };
	const char *start = at;

	for (size_t i = 0; i < 5; i++) {
		if (hex_run(at) != lengths[i])
			return 0;
		at += lengths[i];
		if (i < 4 && *at++ != '-')
			return 0;
	}
	return (size_t)(at - start);
}

/* Pairs of digits, six for a MAC address, eight for a device serial number; Infiniband has more. */
static size_t is_pairs(const char *at)
{
	const char *start = at;
	char between = at[0] && at[1] ? at[2] : '\0';
	size_t pairs = 0;

	if (between != ':' && between != '-')
		return 0;
	while (hex_run(at) == 2) {
		pairs++;
		at += 2;
		if (*at != between)
			break;
		at++;
	}
	return pairs >= 6 && !is_word(*at) ? (size_t)(at - start) : 0;
}

static size_t is_ipv4(const char *at)
{
	size_t len = strspn(at, "0123456789."), dots = 0, digits = 0, value = 0;

	while (len && at[len - 1] == '.') /* it ends a sentence */
		len--;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && at[i] != '.') {
			value = value * 10 + (size_t)(at[i] - '0');
			if (++digits > 3)
				return 0;
			continue;
		}
		if (!digits || value > 255)
			return 0;
		dots += i < len;
		digits = value = 0;
	}
	if (is_word(at[len]) || (at[len] == '.' && is_word(at[len + 1])))
		return 0;
	return dots == 3 ? len : 0;
}

/* "fe80::1", or eight groups. A PCI address has three, and a dot behind. */
static size_t is_ipv6(const char *at)
{
	size_t len = strspn(at, "0123456789abcdefABCDEF:"), colons = 0;
	bool gap = false, digits = false;

	for (size_t i = 0; i < len; i++) {
		colons += at[i] == ':';
		gap |= at[i] == ':' && i + 1 < len && at[i + 1] == ':';
		digits |= at[i] != ':';
	}
	return digits && !is_word(at[len]) && ((gap && colons >= 2) || colons == 7) ? len : 0;
}

/* World-wide names: 16 digits or 32, after 0x only where the first says who gave them out (IEEE:
 * 2, 3, 5, 6); others are addresses in memory. */
static size_t is_wwn(const char *at)
{
	size_t prefix = at[0] == '0' && (at[1] == 'x' || at[1] == 'X') ? 2 : 0;
	size_t digits = hex_run(at + prefix);

	if (digits < 16 || is_word(at[prefix + digits]))
		return 0;
	return prefix && !strchr("2356", at[2]) ? 0 : prefix + digits;
}

static const struct {
	size_t (*is)(const char *at);
	const char *shown;
} forms[] = {
	{ is_uuid, "[uuid]" }, { is_pairs, "[serial or MAC]" }, { is_ipv4, "[IP]" },
	{ is_ipv6, "[IP]" },   { is_wwn, "[id]" },
};

/* ---- what is known by what stands before it ---------------------------------------- */

static const struct {
	const char *before;
	const char *shown;
} keys[] = {
	{ "PARTUUID=", "[uuid]" },
	{ "UUID=", "[uuid]" },
	{ "PARTLABEL=", "[label]" },
	{ "LABEL=", "[label]" },
	{ "luks-", "[uuid]" },
	{ "luks.uuid=", "[uuid]" },
	{ "luks.name=", "[name]" },
	{ "machine_id=", "[id]" },
	{ "machine-id=", "[id]" },
	{ "serial=", "[serial]" },
	{ "SerialNumber: ", "[serial]" },
	{ "serial number ", "[serial]" },
	{ "serial number: ", "[serial]" },
	{ "S/N: ", "[serial]" },
	{ "hostname=", "[name]" },
	{ "Hostname: ", "[name]" },
	{ "Set hostname to ", "[name]" },
	{ "ip=", "[network]" },
	{ "nameserver=", "[network]" },
	{ "ifname=", "[network]" },
	{ "nfsroot=", "[network]" },
	{ "netroot=", "[network]" },
	{ "iscsi_initiator=", "[network]" },
	{ "cryptdevice=", "[disk]" },
	{ "rd.lvm.lv=", "[disk]" },
	{ "rd.lvm.vg=", "[disk]" },
	{ "rd.md.uuid=", "[uuid]" },
	{ "password=", "[secret]" },
	{ "iscsi_password=", "[secret]" },
	{ "iscsi_in_password=", "[secret]" },
	{ "iscsi_username=", "[secret]" },
	{ "username=", "[secret]" },
	{ "passwd=", "[secret]" },
	{ "token=", "[secret]" },
	{ "/dev/disk/by-id/", "[disk]" },
	{ "/dev/disk/by-uuid/", "[uuid]" },
	{ "/dev/disk/by-partuuid/", "[uuid]" },
	{ "/dev/disk/by-label/", "[label]" },
	{ "/dev/disk/by-partlabel/", "[label]" },
	{ "/dev/disk/by-path/", "[disk]" },
	{ "/dev/mapper/", "[disk]" },
	{ "/home/", "[user]" },
	{ "wwn-", "[id]" },
	{ "eui.", "[id]" },
	{ "naa.", "[id]" },
	{ "nvme-", "[disk]" },
	{ "ata-", "[disk]" },
	{ "nqn.", "[id]" },
	{ "iqn.", "[id]" },
};

/* The key that begins here, its length, and what to show for what follows it. */
static size_t find_key(const char *at, const char **ret_shown)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		size_t len = strlen(keys[i].before);

		if (!strncasecmp(at, keys[i].before, len)) {
			*ret_shown = keys[i].shown;
			return len;
		}
	}
	return 0;
}

/* A value with spaces in quotes goes as a whole. */
static size_t value_length(const char *at, bool secret)
{
	const char *end;

	if (*at == '"' && (end = strpbrk(at + 1, "\"\n")) && *end == '"')
		return (size_t)(end - at) + 1;
	/* a word of the kernel's ends at white space only, and a password may hold anything */
	return strcspn(at, secret ? " \t\n" : " \t\n\"',;()<>");
}

static bool is_host(const struct gb_mask *mask, const char *at)
{
	size_t len = strlen(mask->host);

	return len && !strncasecmp(at, mask->host, len) && !is_word(at[len]);
}

void gb_mask_read(struct gb_root *root, struct gb_mask *ret)
{
	static const char *const files[] = { "/proc/sys/kernel/hostname", "/etc/hostname" };

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; !ret->host[0] && i < sizeof(files) / sizeof(*files); i++) {
		if (gb_root_read(root, files[i], ret->host, sizeof(ret->host)) <= 0)
			ret->host[0] = '\0';
		ret->host[strcspn(ret->host, " \t\r\n")] = '\0';
		/* of a kernel or an image that was given none */
		if (!strcmp(ret->host, "(none)") || !strncmp(ret->host, "localhost", 9) ||
		    strlen(ret->host) < 2)
			ret->host[0] = '\0';
	}
}

/* What is at the beginning of a word; how much of the text that is, or 0. */
static size_t mask_word(const struct gb_mask *mask, const char *at, struct gb_text *ret)
{
	const char *shown = NULL;
	size_t len = find_key(at, &shown), value;

	if (len && (value = value_length(at + len, !strcmp(shown, "[secret]")))) {
		gb_text_addf(ret, "%.*s%s", (int)len, at, shown);
		return len + value;
	}
	if (is_host(mask, at)) {
		gb_text_addf(ret, "[host]");
		return strlen(mask->host);
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if ((len = forms[i].is(at))) {
			gb_text_addf(ret, "%s", forms[i].shown);
			return len;
		}
	return 0;
}

void gb_mask_text(const struct gb_mask *mask, const char *text, struct gb_text *ret)
{
	const char *begin = text;

	gb_text_add(ret, "", 0);
	while (*text) {
		bool inside = text > begin && is_word(text[-1]);
		size_t len = 0;

		if (!inside && (is_word(*text) || *text == '/' || *text == ':'))
			len = mask_word(mask, text, ret);
		else if (inside && !isxdigit((unsigned char)text[-1]) && (len = is_uuid(text)))
			gb_text_addf(ret, "[uuid]");
		if (!len)
			gb_text_add(ret, text, len = 1);
		text += len;
	}
}
