/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fnmatch(3) for libkmod, which compares the names of modules. musl's knows every script's
 * letters, 16 KiB of them. Neither slashes nor dots are special here, as with flags 0. */
#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>

/* One bracket expression, from behind its "[": where it ends, or NULL when it is not closed. */
static const char *bracket(const char *p, char c, bool *ret)
{
	bool inverted = *p == '!', found = false;
	const char *first;

	p += inverted;
	for (first = p; *p && (*p != ']' || p == first); p++) {
		if (*p == '\\' && p[1])
			p++;
		if (p[1] == '-' && p[2] && p[2] != ']') {
			const char *to = p + 2 + (p[2] == '\\' && p[3]);

			found |= (unsigned char)*p <= (unsigned char)c &&
				 (unsigned char)c <= (unsigned char)*to;
			p = to;
		} else {
			found |= *p == c;
		}
	}
	*ret = found != inverted;
	return *p ? p + 1 : NULL;
}

/* Whether one pattern element, not a star, takes the character; *p moves behind it. */
static bool takes(const char **p, char c)
{
	const char *end;
	bool found;

	if (!c)
		return false;
	switch (**p) {
	case '?': ++*p; return true;
	case '[':
		end = bracket(*p + 1, c, &found);
		if (!end)
			break; /* a plain bracket */
		*p = end;
		return found;
	case '\\': *p += (*p)[1] != '\0'; break;
	}
	if (**p != c)
		return false;
	++*p;
	return true;
}

int fnmatch(const char *p, const char *s, int flags)
{
	const char *star = NULL, *again = NULL;

	if (flags)
		return FNM_NOSYS;
	while (*s || *p) {
		if (*p == '*') {
			star = ++p;
			again = s;
		} else if (!takes(&p, *s)) {
			/* the last star takes one more */
			if (!star || !*again)
				return FNM_NOMATCH;
			p = star;
			s = ++again;
		} else {
			s++;
		}
	}
	return 0;
}
