/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value) /* the first that is set counts, locale(7) */
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

void gb_style_detect(FILE *out, struct gb_style *ret)
{
	const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool tty = isatty(fileno(out));
	struct winsize size;

	ret->colour = tty && !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
	ret->utf8 = is_utf8();
	ret->columns = 0;
	if (tty)
		ret->columns = !ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col ? size.ws_col
										     : 80;
}

const char *gb_style_code(const struct gb_style *style, enum gb_colour colour)
{
	static const char *const codes[] = { "\033[0m",	 "\033[1m",  "\033[2m",	 "\033[31m",
					     "\033[32m", "\033[33m", "\033[34m", "\033[36m" };

	return style->colour ? codes[colour] : "";
}

static bool begins(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t gb_style_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += begins(*text);
	return width;
}

size_t gb_style_fit(const char *text, size_t columns)
{
	size_t at = 0;

	for (; text[at]; at++)
		if (begins(text[at]) && columns-- == 0)
			break;
	return at;
}
