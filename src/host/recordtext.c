/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recordtext.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "sha256.h"
#include "text.h"

#define LAST_LINE (strlen("end \n") + GB_SHA256_TEXT - 1)

/* ---- writing ----------------------------------------------------------------------- */

void gb_record_bytes(struct gb_text *text, const void *data, size_t len)
{
	const unsigned char *at = data;

	gb_text_addf(text, " ");
	for (size_t i = 0; i < len; i++)
		if (at[i] > ' ' && at[i] < 0x7f && at[i] != '%')
			gb_text_add(text, (const char *)&at[i], 1);
		else
			gb_text_addf(text, "%%%02x", at[i]);
	if (!len)
		gb_text_addf(text, "%%");
}

void gb_record_word(struct gb_text *text, const char *word)
{
	gb_record_bytes(text, word ? word : "", word ? strlen(word) : 0);
}

void gb_record_end(struct gb_text *text, size_t begin)
{
	char hash[GB_SHA256_TEXT];

	if (text->failed)
		return;
	gb_sha256_of(text->data + begin, text->len - begin, hash);
	gb_text_addf(text, "end %s\n", hash);
}

/* ---- reading ----------------------------------------------------------------------- */

char *gb_record_next_raw(struct gb_record *line)
{
	char *word = line->at, *end = strchr(word, ' ');

	if (!*word) {
		line->bad = true;
		return word;
	}
	if (end)
		*end = '\0';
	line->at = end ? end + 1 : word + strlen(word);
	return word;
}

long long gb_record_next_number(struct gb_record *line, int base, long long least, long long most)
{
	char *word = gb_record_next_raw(line), *end;
	long long value;

	errno = 0;
	value = strtoll(word, &end, base);
	if (errno || end == word || *end || value < least || value > most) {
		line->bad = true;
		return least;
	}
	return value;
}

/* What is decoded is never longer. */
size_t gb_record_next_bytes(struct gb_record *line, char **ret)
{
	char *word = gb_record_next_raw(line), *to = word;
	uint64_t byte;

	*ret = word;
	if (!strcmp(word, "%"))
		word++;
	while (*word) {
		char digits[3] = { 0 };
		const char *at = digits;

		if (*word != '%') {
			*to++ = *word++;
			continue;
		}
		memcpy(digits, word + 1, word[1] ? 2 : 0);
		if (!gb_text_hex(&at, 2, &byte)) {
			line->bad = true;
			break;
		}
		*to++ = (char)byte;
		word += 3;
	}
	*to = '\0';
	return (size_t)(to - *ret);
}

char *gb_record_next_word(struct gb_record *line)
{
	char *word;
	size_t len = gb_record_next_bytes(line, &word);

	if (strlen(word) != len)
		line->bad = true;
	word = strdup(word);
	if (!word)
		line->bad = true;
	return word;
}

static bool is_whole(const char *data, size_t len, const char *first)
{
	char hash[GB_SHA256_TEXT], expected[80];

	if (len < LAST_LINE + strlen(first) || memcmp(data, first, strlen(first)))
		return false;
	gb_sha256_of(data, len - LAST_LINE, hash);
	snprintf(expected, sizeof(expected), "end %s\n", hash);
	return !memcmp(data + len - LAST_LINE, expected, LAST_LINE);
}

int gb_record_parse(const char *data, size_t len, const char *first, const char *what,
		    bool (*each)(void *ctx, const char *tag, struct gb_record *line), void *ctx,
		    struct gb_err *err)
{
	char *copy, *at, *end;
	unsigned number = 1;

	if (!is_whole(data, len, first))
		return gb_fail(err, EBADMSG, "%s is cut or was changed", what);
	len -= LAST_LINE;
	copy = malloc(len + 1);
	if (!copy)
		return gb_fail(err, ENOMEM, "out of memory");
	memcpy(copy, data, len);
	copy[len] = '\0';
	for (at = copy + strlen(first); (end = strchr(at, '\n')); at = end + 1) {
		struct gb_record line = { .at = at };

		*end = '\0';
		number++;
		if (!each(ctx, gb_record_next_raw(&line), &line) || line.bad || *line.at)
			break;
	}
	if (end || *at || at != copy + len) {
		free(copy);
		return gb_fail(err, EBADMSG, "line %u of %s says nothing known", number, what);
	}
	free(copy);
	return 0;
}
