/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawings hold whatever a device is called. */
#include "fake.h"

#include "svg.h"

static const char *label(struct gb_text *text, const char *said)
{
	struct gb_svg svg = { text };
	char *end;

	gb_text_clear(text);
	gb_svg_label(&svg, "text", 1, 2, "start", "%s", said);
	assert_false(text->failed);
	end = strstr(text->data, "</text>\n");
	assert_non_null(end);
	*end = '\0';
	return strchr(text->data, '>') + 1;
}

static void escaped(void **state)
{
	static const char *const cases[][2] = {
		{ "a<b>&\"c\"'d'", "a&lt;b&gt;&amp;&quot;c&quot;'d'" },
		{ "</text><script>x</script>", "&lt;/text&gt;&lt;script&gt;x&lt;/script&gt;" },
		{ "bell\a\x1b[31m", "bell\xef\xbf\xbd\xef\xbf\xbd[31m" },
		{ "G\xc3\xb6k", "G\xc3\xb6k" },
		{ "cut \xe2\x80", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "over\xc0\xbclong", "over\xef\xbf\xbd\xef\xbf\xbdlong" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
		{ "\xef\xbf\xbe", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* U+FFFE */
		{ "\xf8\x88", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x91\xbb", "\xf0\x9f\x91\xbb" },
	};
	struct gb_text text = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(label(&text, cases[i][0]), cases[i][1]);
	gb_text_clear(&text);
}

static void fits(void **state)
{
	static const char name[] = "GA102 [GeForce RTX 3090 Ti] G\xc3\xb6k\xc3\xb6k\xc3\xb6";
	char cut[64], tiny[16];

	(void)state;
	assert_string_equal(gb_svg_fit("text", name, 1000, cut, sizeof(cut)), name);
	for (double width = 0; width < 300; width += 1) {
		gb_svg_fit("text", name, width, cut, sizeof(cut));
		assert_true(gb_svg_width("text", cut) <= width || !strcmp(cut, "…"));
		/* never half a character */
		assert_true(((unsigned char)cut[strlen(cut) - 3] & 0xc0) != 0x80);
	}
	assert_string_equal(gb_svg_fit("text", name, 1000, tiny, sizeof(tiny)), "GA102 [GeFo…");
	assert_true(gb_svg_width("bold", name) > gb_svg_width("small", name));
}

static void whole(void **state)
{
	struct gb_text text = { 0 };
	struct gb_svg svg = { &text };

	(void)state;
	gb_svg_begin(&svg, 100, 50, "a <title>");
	gb_svg_group(&svg, "%s", "1 < 2");
	gb_svg_box(&svg, "card", 1, 2, -3, 4, 5);
	gb_svg_elbow(&svg, "path", 0, 0, 4, 20);
	gb_svg_group_end(&svg);
	gb_svg_end(&svg);
	assert_false(text.failed);
	assert_non_null(strstr(text.data, "<title>a &lt;title&gt;</title>"));
	assert_non_null(strstr(text.data, "<g><title>1 &lt; 2</title>"));
	assert_non_null(strstr(text.data, "width=\"0.0\""));
	assert_null(strstr(text.data, "script"));
	gb_text_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaped),
		cmocka_unit_test(fits),
		cmocka_unit_test(whole),
	};

	return cmocka_run_group_tests_name("svg", tests, NULL, NULL);
}
