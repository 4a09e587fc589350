/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claimsfile.h"

#include <string.h>

static void add_allow(unsigned allow, struct gb_text *ret)
{
	const char *before = " allow=";

	for (unsigned bit = 1; bit < GB_ALLOW_END; bit <<= 1) {
		if (!(allow & bit))
			continue;
		gb_text_addf(ret, "%s%s", before, gb_allow_name((enum gb_allow)bit));
		before = ",";
	}
}

void gb_claimsfile_line(const struct gb_line *line, struct gb_text *ret)
{
	char path[GB_PATH_MAX];

	gb_text_addf(ret, "%s path=%s id=%04x:%04x subsys=%04x:%04x class=%06x",
		     line->keep ? "keep " : "claim", gb_path_format(&line->path, path),
		     line->id.vendor, line->id.device, line->id.subvendor, line->id.subdevice,
		     (unsigned)line->id.class);
	for (int i = 7; line->id.has_serial && i >= 0; i--)
		gb_text_addf(ret, "%s%02x", i == 7 ? " serial=" : "-",
			     (unsigned)(line->id.serial >> 8 * i & 0xff));
	if (line->host[0])
		gb_text_addf(ret, " host=%s", line->host);
	if (!line->keep && line->driver[0] && strcmp(line->driver, GB_DRIVER_DEFAULT))
		gb_text_addf(ret, " driver=%s", line->driver);
	if (!line->keep)
		add_allow(line->allow, ret);
}

/* More words of allow= in a line that is there: all else stays as its owner wrote it. */
void gb_claimsfile_allow(const char *line, size_t len, unsigned more, struct gb_text *ret)
{
	const char *end = line + len, *at = line, *behind = line;
	struct gb_text words = { 0 };

	add_allow(more, &words);
	while (at < end) {
		size_t n = 0;

		while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
			at++;
		if (at == end || *at == '#')
			break;
		while (at + n < end && !strchr(" \t\r", at[n]))
			n++;
		behind = at += n;
		if (n > 6 && !strncmp(at - n, "allow=", 6)) {
			if (words.data)
				words.data[0] = ',';
			break;
		}
	}
	gb_text_add(ret, line, (size_t)(behind - line));
	if (words.data && words.data[0] == ',')
		gb_text_addf(ret, ",%s", words.data + strlen(" allow="));
	else if (words.data)
		gb_text_add(ret, words.data, words.len);
	gb_text_add(ret, behind, (size_t)(end - behind));
	ret->failed |= words.failed;
	gb_text_clear(&words);
}
