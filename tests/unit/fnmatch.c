/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static build's fnmatch against this system's, on a million random pairs. */
#include "fake.h"

#include <fnmatch.h>

int small_fnmatch(const char *pattern, const char *text, int flags);
#define fnmatch small_fnmatch
#include "../../tools/build/fnmatch.c"
#undef fnmatch

static uint64_t state = 88172645463325252u;

static unsigned dice(unsigned sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % sides;
}

static void make(char *text, const char *letters, unsigned max)
{
	unsigned len = dice(max + 1);

	for (unsigned i = 0; i < len; i++)
		text[i] = letters[dice((unsigned)strlen(letters))];
	text[len] = '\0';
}

static void agrees(void **unused)
{
	char pattern[16], text[16];
	unsigned hits = 0;

	(void)unused;
	for (unsigned n = 0; n < 1000000; n++) {
		make(pattern, dice(2) ? "ab*?_" : "ab*?[a-c]!c", 9);
		make(text, "abc-_", 7);
		if (strstr(pattern, "[") && strpbrk(pattern, "-") &&
		    (strstr(pattern, "--") || strstr(pattern, "[!-") || strstr(pattern, "[-")))
			continue; /* ranges between odd ends: libraries differ */
		if (!fnmatch(pattern, text, 0) != !small_fnmatch(pattern, text, 0))
			fail_msg("%s against %s: %d", pattern, text,
				 small_fnmatch(pattern, text, 0));
		hits += !fnmatch(pattern, text, 0);
	}
	assert_true(hits > 50000);
}

static void by_name(void **unused)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "vfio_pci", "vfio_pci", true },	  { "vfio_pci", "vfio_pci_core", false },
		{ "pci:v000010DEd*sv*sd*bc03sc[0-8]0i00*", "pci:v000010DEd00002203sv1sd2bc03sc00i00",
		  true },
		{ "pci:v*bc03sc[0-8]0*", "pci:v1bc03sc90", false },
		{ "a\\*b", "a*b", true },		  { "a\\*b", "axb", false },
		{ "[!a]*", "b", true },			  { "[!a]*", "a", false },
		{ "[", "[", true },			  { "*", "", true },
		{ "", "", true },			  { "?", "", false },
		{ "[]a]", "]", true },			  { "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaac",
							    false },
	};

	(void)unused;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(!small_fnmatch(cases[i].pattern, cases[i].text, 0), cases[i].match);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees),
		cmocka_unit_test(by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
