/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Plain selectors and colours, no variables: many viewers know no more. */
static const char sheet[] =
	"text{font:13px system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif;"
	"fill:#1c2430}\n"
	".mono{font-family:ui-monospace,\"SF Mono\",Consolas,\"DejaVu Sans Mono\",monospace;"
	"font-size:12px}\n"
	".title{font-size:20px;font-weight:650}.bold{font-weight:650}.small{font-size:11px}\n"
	"rect,circle{stroke:none}line,path{fill:none;stroke-width:1.5;stroke-linecap:round}\n"
	".dashed{stroke-dasharray:3 3}\n";

struct role {
	const char *name;
	/* by day, by night: fill and edge of a box, a text or line */
	const char *day[3], *night[3];
};

static const struct role roles[] = {
	{ "page", { "#fbfcfe", NULL, NULL }, { "#11161d", NULL, NULL } },
	{ "card", { "#ffffff", "#c9d2de", NULL }, { "#1b232d", "#394656", NULL } },
	{ "soft", { "#eef2f7", NULL, NULL }, { "#232d39", NULL, NULL } },
	{ "dim", { NULL, NULL, "#64707f" }, { NULL, NULL, "#94a1b1" } },
	{ "edge", { NULL, NULL, "#aeb9c7" }, { NULL, NULL, "#4d5b6c" } },
	{ "rule", { NULL, NULL, "#dfe5ec" }, { NULL, NULL, "#2a3541" } },
	{ "none", { "#e6eaf0", "#aab5c3", "#64707f" }, { "#2b3642", "#566475", "#9aa7b6" } },
	{ "good", { "#d5f1df", "#2f9e64", "#156b3f" }, { "#123b28", "#37a56d", "#7fdba9" } },
	{ "warn", { "#fdecc4", "#d08a12", "#875403" }, { "#43310c", "#c98d22", "#f3c76a" } },
	{ "bad", { "#fbdcd9", "#d2463c", "#a3231b" }, { "#4a1a1b", "#d9584f", "#ff9d95" } },
	{ "info", { "#dbe9fc", "#3f7fd0", "#1d559d" }, { "#15304f", "#4d8ddd", "#94c2fb" } },
	{ "accent", { "#5b3fd6", "#5b3fd6", "#5b3fd6" }, { "#8b76f5", "#8b76f5", "#b3a4ff" } },
	{ "path", { NULL, NULL, "#5b3fd6" }, { NULL, NULL, "#8b76f5" } },
	{ "strong", { NULL, NULL, "#ffffff" }, { NULL, NULL, "#14101f" } },
	{ "a0", { "#e9e3ff", "#9c86ef", "#4a33b5" }, { "#2a2350", "#7a66d6", "#b9abff" } },
	{ "a1", { "#d6f3ef", "#52b3a6", "#14675c" }, { "#11403b", "#3a998c", "#7fdccf" } },
	{ "a2", { "#ffe6d3", "#e5975a", "#93490c" }, { "#4a2c14", "#c47a3e", "#ffbd8a" } },
	{ "a3", { "#ffe0ee", "#de7fa9", "#96305f" }, { "#491f33", "#c26390", "#ffa9cd" } },
	{ "a4", { "#e4f4cf", "#8ab854", "#476c16" }, { "#2c3f14", "#78a445", "#bde38b" } },
	{ "a5", { "#dceafb", "#7aa5da", "#2a5a97" }, { "#1a3149", "#5b8cc4", "#a3cbf8" } },
	{ "a6", { "#fbf1c7", "#cdb044", "#715c08" }, { "#403711", "#ab9337", "#e9d47c" } },
	{ "a7", { "#ece6e1", "#b4a190", "#665040" }, { "#372f29", "#8d7b6b", "#d3c1b0" } },
};

static void add_colours(struct gb_text *text, bool night)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		const struct role *role = &roles[i];
		const char *const *colour = night ? role->night : role->day;

		if (colour[0])
			gb_text_addf(text, "rect.%s,circle.%s{fill:%s%s%s}\n", role->name,
				     role->name, colour[0], colour[1] ? ";stroke:" : "",
				     colour[1] ? colour[1] : "");
		if (colour[2])
			gb_text_addf(text, "text.%s{fill:%s}line.%s,path.%s{stroke:%s}\n",
				     role->name, colour[2], role->name, role->name, colour[2]);
	}
}

static void add_sheet(struct gb_text *text)
{
	gb_text_addf(text, "<style>\n%s", sheet);
	add_colours(text, false);
	gb_text_addf(text, "line.path,path.path{stroke-width:3.5}\n"
			   "@media (prefers-color-scheme:dark){\ntext{fill:#e3e9f0}\n");
	add_colours(text, true);
	gb_text_addf(text, "}\n</style>\n");
}

static void add_escaped(struct gb_text *text, const char *s)
{
	while (*s) {
		size_t bytes = gb_text_character(s);

		if (*s == '&')
			gb_text_addf(text, "&amp;");
		else if (*s == '<')
			gb_text_addf(text, "&lt;");
		else if (*s == '>')
			gb_text_addf(text, "&gt;");
		else if (*s == '"')
			gb_text_addf(text, "&quot;");
		else if (bytes)
			gb_text_add(text, s, bytes);
		else
			gb_text_addf(text, "\xef\xbf\xbd"); /* U+FFFD */
		s += bytes ? bytes : 1;
	}
}

__attribute__((format(printf, 2, 0)))
static void add_format(struct gb_text *text, const char *format, va_list args)
{
	char *said;

	if (vasprintf(&said, format, args) < 0) {
		text->failed = true;
		return;
	}
	add_escaped(text, said);
	free(said);
}

void gb_svg_begin(struct gb_svg *svg, double width, double height, const char *title)
{
	gb_text_addf(svg->text,
		     "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		     "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
		     width, height, width, height);
	add_escaped(svg->text, title);
	gb_text_addf(svg->text, "</title>\n");
	add_sheet(svg->text);
	gb_svg_box(svg, "page", 0, 0, width, height, 0);
}

void gb_svg_end(struct gb_svg *svg)
{
	gb_text_addf(svg->text, "</svg>\n");
}

void gb_svg_box(struct gb_svg *svg, const char *class, double x, double y, double width,
		double height, double radius)
{
	gb_text_addf(svg->text,
		     "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
		     class, x, y, width > 0 ? width : 0, height > 0 ? height : 0);
	if (radius > 0)
		gb_text_addf(svg->text, " rx=\"%.1f\"", radius);
	gb_text_addf(svg->text, "/>\n");
}

void gb_svg_line(struct gb_svg *svg, const char *class, double x1, double y1, double x2, double y2)
{
	gb_text_addf(svg->text,
		     "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		     class, x1, y1, x2, y2);
}

void gb_svg_elbow(struct gb_svg *svg, const char *class, double x1, double y1, double x2,
		  double y2)
{
	double bend = x2 - x1 < 8 ? x2 - x1 : 8;

	gb_text_addf(svg->text,
		     "<path class=\"%s\" d=\"M%.1f %.1fV%.1fQ%.1f %.1f %.1f %.1fH%.1f\"/>\n", class,
		     x1, y1, y2 - bend, x1, y2, x1 + bend, y2, x2);
}

void gb_svg_dot(struct gb_svg *svg, const char *class, double x, double y, double radius)
{
	gb_text_addf(svg->text, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n",
		     class, x, y, radius);
}

void gb_svg_label(struct gb_svg *svg, const char *class, double x, double y, const char *anchor,
		  const char *format, ...)
{
	va_list args;

	gb_text_addf(svg->text, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"", class, x, y);
	if (strcmp(anchor, "start"))
		gb_text_addf(svg->text, " text-anchor=\"%s\"", anchor);
	gb_text_addf(svg->text, ">");
	va_start(args, format);
	add_format(svg->text, format, args);
	va_end(args);
	gb_text_addf(svg->text, "</text>\n");
}

void gb_svg_group(struct gb_svg *svg, const char *tooltip, ...)
{
	va_list args;

	gb_text_addf(svg->text, "<g>");
	if (tooltip) {
		gb_text_addf(svg->text, "<title>");
		va_start(args, tooltip);
		add_format(svg->text, tooltip, args);
		va_end(args);
		gb_text_addf(svg->text, "</title>");
	}
	gb_text_addf(svg->text, "\n");
}

void gb_svg_group_end(struct gb_svg *svg)
{
	gb_text_addf(svg->text, "</g>\n");
}

static bool has_word(const char *class, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = class; (s = strstr(s, word)); s += len)
		if ((s == class || s[-1] == ' ') && (!s[len] || s[len] == ' '))
			return true;
	return false;
}

/* In units of the font's size; of the wider sans-serif faces, so that nothing touches. */
static double letter(unsigned char c, bool mono)
{
	if (mono)
		return 0.61;
	if (strchr("ijlI.,:;'|!()[] ftr/-", c))
		return 0.38;
	if (strchr("mwMW@%", c))
		return 0.92;
	return c >= 'A' && c <= 'Z' ? 0.69 : 0.6;
}

static double scale(const char *class)
{
	double size = has_word(class, "title") ? 20 :
		      has_word(class, "small") ? 11 :
		      has_word(class, "mono")  ? 12 :
						 13;

	return has_word(class, "bold") || has_word(class, "title") ? size * 1.06 : size;
}

double gb_svg_width(const char *class, const char *text)
{
	bool mono = has_word(class, "mono");
	double width = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			width += letter((unsigned char)*text, mono);
	return width * scale(class);
}

const char *gb_svg_fit(const char *class, const char *text, double width, char *ret, size_t size)
{
	static const char more[] = "…";
	size_t end;

	if (gb_text_copy(ret, size - sizeof(more), text) && gb_svg_width(class, ret) <= width)
		return ret;
	end = strlen(ret);
	while (end && gb_svg_width(class, ret) + 0.7 * scale(class) > width) {
		do
			end--;
		while (end && ((unsigned char)ret[end] & 0xc0) == 0x80);
		ret[end] = '\0';
	}
	while (end && ret[end - 1] == ' ')
		ret[--end] = '\0';
	memcpy(ret + end, more, sizeof(more));
	return ret;
}
