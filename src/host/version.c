/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version.h"

#include <stdbool.h>
#include <string.h>

static int sign(long difference)
{
	return (difference > 0) - (difference < 0);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits_at(const char *s)
{
	size_t n = 0;

	while (is_digit(s[n]))
		n++;
	return n;
}

static size_t letters_at(const char *s)
{
	size_t n = 0;

	while (is_letter(s[n]))
		n++;
	return n;
}

/* Numbers of any length, without their leading zeros. */
static int compare_numbers(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (; a_len && *a == '0'; a++)
		a_len--;
	for (; b_len && *b == '0'; b++)
		b_len--;
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return sign(strncmp(a, b, a_len));
}

static int compare_letters(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = sign(strncmp(a, b, a_len < b_len ? a_len : b_len));

	return order ? order : sign((long)a_len - (long)b_len);
}

static const char *skip_others(const char *s, const char *marks)
{
	while (*s && !is_digit(*s) && !is_letter(*s) && !strchr(marks, *s))
		s++;
	return s;
}

/* The marks that make what follows older than its absence, or than a longer segment, in the order
 * in which the specification looks at them. Both move behind one that both have. */
static int compare_marks(const char **a, const char **b)
{
	for (const char *mark = "-^."; *mark; mark++) {
		bool a_has = **a == *mark, b_has = **b == *mark;

		if (a_has != b_has)
			return a_has ? -1 : 1;
		*a += a_has;
		*b += b_has;
	}
	return 0;
}

int gb_version_compare(const char *a, const char *b)
{
	for (;;) {
		size_t a_len, b_len;
		int order;

		a = skip_others(a, "~-^.");
		b = skip_others(b, "~-^.");
		if ((*a == '~') != (*b == '~'))
			return *a == '~' ? -1 : 1;
		if (*a == '~') {
			a++;
			b++;
		}
		if (!*a || !*b)
			return !!*a - !!*b;
		order = compare_marks(&a, &b);
		if (order)
			return order;
		a_len = digits_at(a);
		b_len = digits_at(b);
		if (a_len || b_len) {
			if (!a_len || !b_len) /* a number is newer than letters */
				return a_len ? 1 : -1;
			order = compare_numbers(a, a_len, b, b_len);
		} else {
			a_len = letters_at(a);
			b_len = letters_at(b);
			order = compare_letters(a, a_len, b, b_len);
		}
		if (order)
			return order;
		a += a_len;
		b += b_len;
	}
}

int gb_version_compare_rpm(const char *a, const char *b)
{
	for (;;) {
		size_t a_len, b_len;
		int order;

		a = skip_others(a, "~");
		b = skip_others(b, "~");
		if (*a == '~' || *b == '~') {
			if (*a != *b)
				return *a == '~' ? -1 : 1;
			a++;
			b++;
			continue;
		}
		if (!*a || !*b)
			return !!*a - !!*b;
		if (is_digit(*a)) {
			a_len = digits_at(a);
			b_len = digits_at(b);
			if (!b_len)
				return 1;
			order = compare_numbers(a, a_len, b, b_len);
		} else {
			a_len = letters_at(a);
			b_len = letters_at(b);
			if (!b_len)
				return -1;
			order = compare_letters(a, a_len, b, b_len);
		}
		if (order)
			return order;
		a += a_len;
		b += b_len;
	}
}
