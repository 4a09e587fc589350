/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The claims file: what is read, and what is said about what can't be. */
#include "fake.h"

#define HEADER "ghost-boot claims 1\n"
#define DEVICE "path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000"
#define OTHER "path=0000:00/02.0 id=8086:a780 subsys=1462:7d91 class=030000"

static struct gb_claims claims;
static struct gb_err err;

static int parse_data(const char *data, size_t len)
{
	char *exact = malloc(len ? len : 1); /* so that the sanitizer sees a read past its end */
	int r;

	memcpy(exact, data, len);
	gb_claims_clear(&claims);
	err.text[0] = '\0';
	r = gb_claims_parse(exact, len, &claims, &err);
	free(exact);
	return r;
}

static int parse(const char *text)
{
	return parse_data(text, strlen(text));
}

static int clear(void **state)
{
	(void)state;
	gb_claims_clear(&claims);
	return 0;
}

static void check_problem(size_t n, unsigned line, unsigned column, const char *text)
{
	if (claims.problems <= n)
		fail_msg("no problem %zu, wanted %u:%u: %s", n, line, column, text);
	if (claims.problem[n].line != line || claims.problem[n].column != column ||
	    !strstr(claims.problem[n].text, text))
		fail_msg("%u:%u: %s; wanted %u:%u: %s", claims.problem[n].line,
			 claims.problem[n].column, claims.problem[n].text, line, column, text);
}

static void a_whole_file(void **state)
{
	char path[GB_PATH_MAX];

	(void)state;
	assert_int_equal(parse("# mine\n\n  ghost-boot\tclaims  1  # format\n"
			       "# RTX 3090 Ti in the second slot\n"
			       "claim " DEVICE " # the card\n"
			       "\tclaim class=040300 id=10DE:1aef subsys=1462:5054 "
			       "path=0000:00/01.0/00.1 driver=nvgrace-gpu-vfio-pci "
			       "allow=storage,last-display serial=00-04-25-ff-ff-80-12-34\n"
			       "keep  " OTHER " host=\\_SB_.PC00\n"
			       "options vfio-pci disable_vga=1  nointxmask=1\n"
			       "options vfio_iommu_type1 allow_unsafe_interrupts=1\n"
			       "arm always\n"), 0);
	assert_int_equal(claims.problems, 0);
	assert_int_equal(claims.lines, 3);
	assert_true(claims.arm_always);

	assert_int_equal(claims.line[0].number, 5);
	assert_false(claims.line[0].keep);
	assert_string_equal(gb_path_format(&claims.line[0].path, path), "0000:00/01.0/00.0");
	assert_int_equal(claims.line[0].id.vendor, 0x10de);
	assert_int_equal(claims.line[0].id.device, 0x2203);
	assert_int_equal(claims.line[0].id.subvendor, 0x1462);
	assert_int_equal(claims.line[0].id.subdevice, 0x5054);
	assert_int_equal(claims.line[0].id.class, 0x030000);
	assert_false(claims.line[0].id.has_serial);
	assert_int_equal(claims.line[0].allow, 0);
	assert_string_equal(claims.line[0].driver, "vfio-pci");
	assert_string_equal(claims.line[0].host, "");

	assert_int_equal(claims.line[1].id.vendor, 0x10de);
	assert_int_equal(claims.line[1].id.class, 0x040300);
	assert_true(claims.line[1].id.has_serial);
	assert_int_equal(claims.line[1].id.serial, 0x000425ffff801234);
	assert_int_equal(claims.line[1].allow, GB_ALLOW_STORAGE | GB_ALLOW_LAST_DISPLAY);
	assert_string_equal(claims.line[1].driver, "nvgrace-gpu-vfio-pci");

	assert_true(claims.line[2].keep);
	assert_string_equal(claims.line[2].host, "\\_SB_.PC00");

	assert_string_equal(gb_claims_options(&claims, "vfio-pci"), "disable_vga=1 nointxmask=1");
	assert_string_equal(gb_claims_options(&claims, "vfio_pci"), "disable_vga=1 nointxmask=1");
	assert_string_equal(gb_claims_options(&claims, "vfio_iommu_type1"),
			    "allow_unsafe_interrupts=1");
	assert_null(gb_claims_options(&claims, "nvgrace-gpu-vfio-pci"));
}

static void allow_has_names(void **state)
{
	(void)state;
	assert_string_equal(gb_allow_name(GB_ALLOW_STORAGE), "storage");
	assert_string_equal(gb_allow_name(GB_ALLOW_NETWORK), "network");
	assert_string_equal(gb_allow_name(GB_ALLOW_LAST_DISPLAY), "last-display");
	assert_string_equal(gb_allow_name(GB_ALLOW_UNFIT), "unfit");
	assert_string_equal(gb_allow_name(GB_ALLOW_SYSTEM_DISK), "system-disk");
	for (unsigned bit = 1; bit < GB_ALLOW_END; bit <<= 1)
		assert_int_equal(gb_allow_bit(gb_allow_name((enum gb_allow)bit)), bit);
	assert_null(gb_allow_name(GB_ALLOW_END));
	assert_int_equal(gb_allow_bit("bridge"), 0);
	assert_null(gb_allow_name(1 << 20));
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* The @ stands where the problem is, and is not part of the line. */
static const struct {
	const char *line, *text;
} bad_lines[] = {
	{ "@frobnicate", "\"frobnicate\" is not claim, keep, options or arm" },
	{ "  @Claim " DEVICE, "is not claim" },
	{ "@claimed " DEVICE, "is not claim" },
	{ "claim @path " OTHER, "\"path\" is not key=value" },
	{ "claim @path= id=10de:2203", "is not key=value" },
	{ "claim " DEVICE " @bogus=1", "bogus= has no place" },
	{ "claim " DEVICE " @id=10de:2203", "id= stands twice" },
	{ "claim @", "path= is missing" },
	{ "claim @# " DEVICE, "path= is missing" },
	{ "claim path=0000:00/01.0 subsys=1462:5054 class=030000@", "id= is missing" },
	{ "claim path=0000:00/01.0 id=10de:2203 class=030000 @", "subsys= is missing" },
	{ "claim path=0000:00/01.0 id=10de:2203 subsys=1462:5054@", "class= is missing" },
	{ "claim path=@01:00.0 id=10de:2203", "is not a path" },
	{ "claim path=0000:00/01.0/20.0@ id=10de:2203", "is not a path" },
	{ "claim path=0000:00/01.0@x id=10de:2203", "is not a path" },
	{ "claim path=0000:00@ id=10de:2203", "is not a path" },
	{ "claim id=@10de:22033", "is not vendor:device" },
	{ "claim id=@10de2203", "is not vendor:device" },
	{ "claim id=@10de:", "is not vendor:device" },
	{ "claim id=@0x10de:2203", "is not vendor:device" },
	{ "claim subsys=@1462:505", "is not vendor:device" },
	{ "claim class=@0300", "is not six hex digits" },
	{ "claim class=@0300000", "is not six hex digits" },
	{ "claim serial=@00-04-25-ff-ff-80-12", "eight hex bytes" },
	{ "claim serial=@00-04-25-ff-ff-80-12-34-56", "eight hex bytes" },
	{ "claim serial=@000425ffff801234", "eight hex bytes" },
	{ "claim host=@PCI0", "is not an ACPI path" },
	{ "claim host=@\\" X64 X64, "is not an ACPI path" },
	{ "claim driver=@nouveau", "is not a vfio driver" },
	{ "claim driver=@pci-stub", "is not a vfio driver" },
	{ "claim driver=@VFIO-pci", "is not a vfio driver" },
	{ "claim driver=@../vfio", "is not a vfio driver" },
	{ "claim driver=@vfio" X64, "is not a vfio driver" },
	{ "claim allow=@everything", "allow=everything is not known" },
	{ "claim allow=@storage,root", "allow=root is not known" },
	{ "keep " OTHER " @driver=vfio-pci", "driver= has no place" },
	{ "keep " OTHER " @allow=storage", "allow= has no place" },
	{ "options @", "options needs a driver's name" },
	{ "options @../x a=1", "options needs a driver's name" },
	{ "options vfio-pci disable_vga=1 @ids=10de:2203", "ids= takes every card" },
	{ "options vfio-pci @ids", "ids= takes every card" },
	{ "options vfio-pci @vfio-pci.ids=1:2", "is not a module option" },
	{ "options vfio-pci @=1", "is not a module option" },
	{ "options vfio-pci a=" X64 X64 X64 " @b=" X64, "options are longer" },
	{ "options vfio-pci @a=" X64 X64 X64 X64, "options are longer" },
	{ "arm@", "arm takes one word" },
	{ "arm @sometimes", "arm takes one word" },
	{ "arm always @now", "arm takes one word" },
};

/* The line without its @, and where that was. */
static unsigned take_mark(const char *marked, char *line)
{
	const char *mark = strchr(marked, '@');

	sprintf(line, "%.*s%s", (int)(mark - marked), marked, mark + 1);
	return (unsigned)(mark - marked) + 1;
}

static void a_bad_line_is_told_and_skipped(void **state)
{
	char line[1024], text[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(bad_lines); i++) {
		unsigned column = take_mark(bad_lines[i].line, line);

		snprintf(text, sizeof(text), HEADER "claim " DEVICE "\n%s\nkeep " OTHER "\n", line);
		assert_int_equal(parse(text), 0);
		assert_int_equal(claims.problems, 1);
		check_problem(0, 3, column, bad_lines[i].text);
		assert_int_equal(claims.lines, 2);
		assert_int_equal(claims.options, 0);
		assert_false(claims.arm_always);
		assert_true(claims.line[1].keep);
	}
}

static void twice_the_same(void **state)
{
	(void)state;
	assert_int_equal(parse(HEADER "claim " DEVICE "\n  claim " DEVICE "\n"
			       "keep " DEVICE "\n"
			       "claim " DEVICE " host=\\_SB_.PC01\n"
			       "options vfio-pci a=1\noptions vfio_pci b=1\n"), 0);
	assert_int_equal(claims.problems, 2);
	check_problem(0, 3, 3, "line 2 is about the same path");
	check_problem(1, 7, 9, "options for vfio_pci stand twice");
	/* a path may be claimed and kept (keep wins), or be below two host bridges */
	assert_int_equal(claims.lines, 3);
	assert_string_equal(gb_claims_options(&claims, "vfio-pci"), "a=1");
}

static void bytes_that_hide_things(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		unsigned column;
	} bad[] = {
#define BYTES(literal, column) { literal, sizeof(literal) - 1, column }
		BYTES("claim \0" DEVICE, 7),
		BYTES("\0", 1),
		BYTES("claim " DEVICE "\r\r", sizeof("claim " DEVICE)),
		BYTES("claim\v" DEVICE, 6),
		BYTES("# \x1b[2J", 3),
		BYTES("# \0", 3),
		BYTES("# \x7f", 3),
		BYTES("\xc3\xa4", 1),
		BYTES("claim\xc2\xa0" DEVICE, 6),
		/* a # within a word begins no comment; the kernel takes 0xa0 for a blank */
		BYTES("options vfio-pci a=1#\xa0ids=10de:2203", 22),
#undef BYTES
	};
	char data[512];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t n = sizeof(HEADER) - 1;

		memcpy(data, HEADER, n);
		memcpy(data + n, bad[i].text, bad[i].len);
		n += bad[i].len;
		data[n++] = '\n';
		memcpy(data + n, "keep " OTHER "\n", sizeof("keep " OTHER));
		assert_int_equal(parse_data(data, n + sizeof("keep " OTHER)), 0);
		assert_int_equal(claims.problems, 1);
		check_problem(0, 2, bad[i].column, "has no place in this file");
		assert_int_equal(claims.lines, 1);
		assert_int_equal(claims.options, 0);
	}
	assert_int_equal(parse(HEADER "# \xc3\xa4\xf0\x9f\x91\xbb\nclaim " DEVICE " # \xc3\xb6\n"),
			 0);
	assert_int_equal(claims.problems, 0);
	assert_int_equal(claims.lines, 1);
}

static void windows_line_ends(void **state)
{
	(void)state;
	assert_int_equal(parse("ghost-boot claims 1\r\n\r\n# c\r\nclaim " DEVICE "\r\n"
			       "arm always\r\n"), 0);
	assert_int_equal(claims.problems, 0);
	assert_int_equal(claims.lines, 1);
	assert_true(claims.arm_always);
}

static void what_is_no_claims_file(void **state)
{
	static const struct {
		const char *text, *err;
		unsigned line;
	} bad[] = {
		{ "", "the file is empty", 0 },
		{ "\n# only a comment\n\n", "the file is empty", 0 },
		{ "claim " DEVICE "\n", "the first line must be", 1 },
		{ "\n\nghost-boot claim 1\n", "the first line must be", 3 },
		{ "ghost-boot claims\nclaim " DEVICE "\n", "the first line must be", 1 },
		{ "ghost-boot claims x\nclaim " DEVICE "\n", "the first line must be", 1 },
		{ "ghost-boot claims -1\nclaim " DEVICE "\n", "the first line must be", 1 },
		{ "ghost-boot claims 1 1\nclaim " DEVICE "\n", "the first line must be", 1 },
		{ "ghost-boot claims 2\nclaim " DEVICE "\narm always\n", "version 2", 1 },
		{ "ghost-boot claims 0\nclaim " DEVICE "\n", "version 0", 1 },
		{ "ghost-boot claims 1.1\nclaim " DEVICE "\n", "version 1.1", 1 },
		{ "ghost-boot claims 11111111111111111111\nclaim " DEVICE "\n", "version 1", 1 },
		{ "ghost-boot claims 18446744073709551617\nclaim " DEVICE "\n", "version 1", 1 },
		{ "\xef\xbb\xbfghost-boot claims 1\nclaim " DEVICE "\n", "not a claims file", 1 },
		{ "\x7f" "ELF\x02\x01\n", "not a claims file", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		if (!strstr(err.text, bad[i].err))
			fail_msg("%s: %s", bad[i].text, err.text);
		assert_int_equal(claims.lines, 0);
		assert_int_equal(claims.options, 0);
		assert_false(claims.arm_always);
		assert_int_equal(claims.problems, 1);
		assert_int_equal(claims.problem[0].line, bad[i].line);
	}
	assert_int_equal(parse_data("\0\0\0\0", 4), -EINVAL);
	assert_int_equal(parse_data(HEADER, 0), -EINVAL);
	/* a header alone is a whole file: nothing is claimed, and nothing is wrong */
	assert_int_equal(parse("ghost-boot claims 1"), 0);
	assert_int_equal(claims.problems, 0);
}

/* Cut anywhere: a prefix never claims what the whole file does not. */
static void a_file_cut_short(void **state)
{
	static const char whole[] = HEADER "# c\nclaim " DEVICE "\nclaim " OTHER
					   " allow=last-display\noptions vfio-pci a=11\n"
					   "arm always\n";
	size_t ends[8], lines = 0, len = sizeof(whole) - 1;

	(void)state;
	for (size_t n = 0; n < len; n++)
		if (whole[n] == '\n')
			ends[lines++] = n + 1;
	for (size_t n = sizeof(HEADER) - 1; n <= len; n++) {
		bool at_end = false;
		unsigned line = 0;

		while (line < lines && ends[line] <= n)
			at_end = ends[line++] == n;
		assert_int_equal(parse_data(whole, n), 0);
		assert_int_equal(claims.lines, line < 3 ? 0 : line < 4 ? 1 : 2);
		assert_int_equal(claims.options, line >= 5);
		assert_int_equal(claims.arm_always, line >= 6);
		assert_int_equal(claims.problems, !at_end);
		if (!at_end)
			check_problem(0, line + 1, (unsigned)(n - ends[line - 1]) + 1, "cut short");
	}
}

static void long_and_many(void **state)
{
	size_t size = 200000, n;
	char *text = malloc(size);

	(void)state;
	/* 1023 bytes are a line, 1024 are not */
	n = (size_t)sprintf(text, HEADER "%-1023s\n%-1024s\n", "claim " DEVICE, "claim " OTHER);
	assert_int_equal(parse_data(text, n), 0);
	assert_int_equal(claims.lines, 1);
	assert_int_equal(claims.problems, 1);
	check_problem(0, 3, 1024, "longer than 1023 bytes");

	n = (size_t)sprintf(text, HEADER);
	for (int i = 0; i < 513; i++)
		n += (size_t)sprintf(text + n, "claim path=0000:%02x/%02x.%d id=10de:2203 "
				     "subsys=1462:5054 class=030000\n", i >> 8, i >> 3 & 31, i & 7);
	assert_int_equal(parse_data(text, n), 0);
	assert_int_equal(claims.lines, 512);
	assert_int_equal(claims.problems, 1);
	check_problem(0, 514, 1, "more than 512 lines");

	/* problems beyond the table are counted */
	n = (size_t)sprintf(text, HEADER);
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, "bad\n");
	n += (size_t)sprintf(text + n, "claim " DEVICE "\n");
	assert_int_equal(parse_data(text, n), 0);
	assert_int_equal(claims.problems, 1000);
	assert_int_equal(claims.lines, 1);
	free(text);
}

static void noise(void **state)
{
	enum { SIZE = 1 << 20 };
	char *data = malloc(SIZE);
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (char)(x >> 24);
	}
	assert_int_equal(parse_data(data, SIZE), -EINVAL);
	assert_int_equal(claims.lines, 0);
	/* and noise behind a good beginning */
	memcpy(data, HEADER "claim " DEVICE "\n", sizeof(HEADER "claim " DEVICE));
	assert_int_equal(parse_data(data, SIZE), 0);
	assert_int_equal(claims.lines, 1);
	assert_true(claims.problems > 1000);
	free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clear)
	static const struct CMUnitTest tests[] = {
		TEST(a_whole_file),	     TEST(allow_has_names),
		TEST(a_bad_line_is_told_and_skipped), TEST(twice_the_same),
		TEST(bytes_that_hide_things), TEST(windows_line_ends),
		TEST(what_is_no_claims_file), TEST(a_file_cut_short),
		TEST(long_and_many),	     TEST(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
