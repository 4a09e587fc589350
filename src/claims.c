/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claims.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define LINE_MAX_LEN 1024

/* One line while it is read. */
struct reader {
	struct gb_claims *claims;
	unsigned number;
	char line[LINE_MAX_LEN];
	const char *at;
	bool no_memory;
};

/* By bit. */
static const char *const allow_names[] = { "storage",  "network",  "last-display", "boot-display",
					   "keyboard", "no-iommu", "no-vfio",	   "unfit",
					   "system-disk" };
#define ALLOW_NAMES (sizeof(allow_names) / sizeof(*allow_names))

const char *gb_allow_name(enum gb_allow bit)
{
	for (size_t i = 0; i < ALLOW_NAMES; i++)
		if (bit == 1u << i)
			return allow_names[i];
	return NULL;
}

unsigned gb_allow_bit(const char *name)
{
	for (size_t i = 0; i < ALLOW_NAMES; i++)
		if (!strcmp(name, allow_names[i]))
			return 1u << i;
	return 0;
}

__attribute__((format(printf, 4, 5)))
static bool problem(struct gb_claims *claims, unsigned line, unsigned column,
		    const char *format, ...)
{
	va_list args;

	if (claims->problems < GB_PROBLEMS_MAX) {
		struct gb_problem *p = &claims->problem[claims->problems];

		p->line = line;
		p->column = column;
		va_start(args, format);
		vsnprintf(p->text, sizeof(p->text), format, args);
		va_end(args);
	}
	claims->problems++;
	return false;
}

#define BAD(reader, at, ...) \
	problem((reader)->claims, (reader)->number, (unsigned)((at) - (reader)->line) + 1, \
		__VA_ARGS__)

/* The next word, copied; a # ends the line. False at its end. */
static bool next_word(struct reader *r, char *word, size_t size, const char **ret_start)
{
	size_t len;

	r->at += strspn(r->at, " \t");
	*ret_start = r->at;
	len = strcspn(r->at, " \t");
	if (!len || *r->at == '#')
		return false;
	r->at += len;
	if (len >= size)
		len = size - 1;
	memcpy(word, *ret_start, len);
	word[len] = '\0';
	return true;
}

static bool id_pair(const char *s, uint16_t *a, uint16_t *b)
{
	uint64_t first, second;

	if (!gb_text_hex(&s, 4, &first) || *s++ != ':' || !gb_text_hex(&s, 4, &second) || *s)
		return false;
	*a = (uint16_t)first;
	*b = (uint16_t)second;
	return true;
}

static bool module_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s);
}

static bool take_allow(struct reader *r, struct gb_line *line, char *list, const char *at)
{
	for (char *save = NULL, *name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		unsigned bit = gb_allow_bit(name);

		if (!bit)
			return BAD(r, at, "allow=%s is not known", name);
		line->allow |= bit;
	}
	return true;
}

enum field { PATH, ID, SUBSYS, CLASS, SERIAL, HOST, DRIVER, ALLOW, FIELDS };
static const char *const field_names[FIELDS] = { "path",   "id",   "subsys", "class",
						 "serial", "host", "driver", "allow" };
static const unsigned needed = 1 << PATH | 1 << ID | 1 << SUBSYS | 1 << CLASS;

static bool take_class(const char *value, struct gb_identity *id)
{
	uint64_t class;

	if (!gb_text_hex(&value, 6, &class) || *value)
		return false;
	id->class = (uint32_t)class;
	return true;
}

/* Eight bytes as lspci writes them: 00-04-25-ff-ff-80-12-34, most significant first. */
static bool take_serial(const char *value, struct gb_identity *id)
{
	uint64_t serial = 0, byte;

	for (int i = 0; i < 8; i++) {
		if (i && *value++ != '-')
			return false;
		if (!gb_text_hex(&value, 2, &byte))
			return false;
		serial = serial << 8 | byte;
	}
	id->serial = serial;
	id->has_serial = true;
	return !*value;
}

static bool take_field(struct reader *r, struct gb_line *line, enum field field, char *value,
		       const char *at)
{
	const char *stop;

	switch (field) {
	case PATH:
		if (gb_path_parse(value, &line->path, &stop))
			return true;
		return BAD(r, at + (stop - value),
			   "path=%.60s is not a path like 0000:00/01.0/00.0", value);
	case ID:
		return id_pair(value, &line->id.vendor, &line->id.device) ||
		       BAD(r, at, "id=%.40s is not vendor:device, four hex digits each", value);
	case SUBSYS:
		return id_pair(value, &line->id.subvendor, &line->id.subdevice) ||
		       BAD(r, at, "subsys=%.40s is not vendor:device, four hex digits each", value);
	case CLASS:
		return take_class(value, &line->id) ||
		       BAD(r, at, "class=%.40s is not six hex digits", value);
	case SERIAL:
		return take_serial(value, &line->id) ||
		       BAD(r, at, "serial=%.40s is not eight hex bytes with dashes", value);
	case HOST:
		return (value[0] == '\\' && gb_text_copy(line->host, sizeof(line->host), value)) ||
		       BAD(r, at, "host=%.40s is not an ACPI path like \\_SB_.PCI0", value);
	case DRIVER:
		return (module_name(value) && strstr(value, "vfio") &&
			gb_text_copy(line->driver, sizeof(line->driver), value)) ||
		       BAD(r, at, "driver=%.40s is not a vfio driver", value);
	case ALLOW:
		return take_allow(r, line, value, at);
	case FIELDS:
		break;
	}
	return false;
}

static bool read_fields(struct reader *r, struct gb_line *line)
{
	char word[256];
	const char *start;
	unsigned seen = 0;

	while (next_word(r, word, sizeof(word), &start)) {
		char *equals = strchr(word, '=');
		unsigned f;

		if (!equals || !equals[1])
			return BAD(r, start, "\"%.40s\" is not key=value", word);
		*equals = '\0';
		for (f = 0; f < FIELDS && strcmp(word, field_names[f]); f++)
			;
		if (f == FIELDS || (line->keep && f >= DRIVER))
			return BAD(r, start, "%.40s= has no place in this line", word);
		if (seen & 1u << f)
			return BAD(r, start, "%s= stands twice", word);
		seen |= 1u << f;
		if (!take_field(r, line, (enum field)f, equals + 1, start + (equals + 1 - word)))
			return false;
	}
	for (unsigned f = 0; f < FIELDS; f++)
		if (needed & ~seen & 1u << f)
			return BAD(r, start, "%s= is missing", field_names[f]);
	return true;
}

static bool grow(struct reader *r, void **array, size_t n, size_t size)
{
	void *more;

	if (n & (n - 1) || (n == 0 && *array))
		return true;
	more = realloc(*array, (n ? n * 2 : 1) * size);
	if (!more) {
		r->no_memory = true;
		return false;
	}
	*array = more;
	return true;
}

static void read_device(struct reader *r, bool keep, const char *start)
{
	struct gb_line line = { .number = r->number, .keep = keep, .driver = GB_DRIVER_DEFAULT };
	struct gb_claims *claims = r->claims;

	if (!read_fields(r, &line))
		return;
	for (size_t i = 0; i < claims->lines; i++) {
		const struct gb_line *other = &claims->line[i];

		if (other->keep == keep && gb_path_equal(&other->path, &line.path) &&
		    !strcmp(other->host, line.host)) {
			BAD(r, start, "line %u is about the same path", other->number);
			return;
		}
	}
	if (claims->lines == GB_LINES_MAX) {
		BAD(r, start, "more than %d lines", GB_LINES_MAX);
		return;
	}
	if (grow(r, (void **)&claims->line, claims->lines, sizeof(line)))
		claims->line[claims->lines++] = line;
}

static bool option_word(struct reader *r, const char *word, const char *start)
{
	size_t key = strcspn(word, "=");
	bool named = key && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_") >= key;

	/* ids= would make vfio-pci take every card of that ID, the host's too */
	if (key == 3 && !strncmp(word, "ids", 3))
		return BAD(r, start, "ids= takes every card of that ID: write a claim line");
	return named || BAD(r, start, "\"%.40s\" is not a module option", word);
}

static void read_options(struct reader *r)
{
	struct gb_claims *claims = r->claims;
	struct gb_options options = { .number = r->number };
	const char *start;
	char word[sizeof(options.text)];
	size_t len = 0;

	if (!next_word(r, word, sizeof(word), &start) || !module_name(word) ||
	    !gb_text_copy(options.driver, sizeof(options.driver), word)) {
		BAD(r, start, "options needs a driver's name");
		return;
	}
	if (gb_claims_options(claims, options.driver)) {
		BAD(r, start, "options for %s stand twice", options.driver);
		return;
	}
	while (next_word(r, word, sizeof(word), &start)) {
		if (!option_word(r, word, start))
			return;
		if (len + strlen(word) + 2 > sizeof(options.text)) {
			BAD(r, start, "options are longer than %zu bytes", sizeof(options.text));
			return;
		}
		len += (size_t)snprintf(options.text + len, sizeof(options.text) - len, "%s%s",
					len ? " " : "", word);
	}
	if (grow(r, (void **)&claims->option, claims->options, sizeof(options)))
		claims->option[claims->options++] = options;
}

static void read_arm(struct reader *r)
{
	const char *start;
	char word[16], more[2];

	if (next_word(r, word, sizeof(word), &start) && !strcmp(word, "always") &&
	    !next_word(r, more, sizeof(more), &start))
		r->claims->arm_always = true;
	else
		BAD(r, start, "arm takes one word, \"always\"");
}

static void read_statement(struct reader *r)
{
	const char *start;
	char word[32];

	if (!next_word(r, word, sizeof(word), &start))
		return;
	if (!strcmp(word, "claim"))
		read_device(r, false, start);
	else if (!strcmp(word, "keep"))
		read_device(r, true, start);
	else if (!strcmp(word, "options"))
		read_options(r);
	else if (!strcmp(word, "arm"))
		read_arm(r);
	else
		BAD(r, start, "\"%.20s\" is not claim, keep, options or arm", word);
}

/* Only what a person can see in an editor: a NUL or a control character hides things. */
static bool clean(struct reader *r, const char *data, size_t len)
{
	bool comment = false;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '#' && (!i || data[i - 1] == ' ' || data[i - 1] == '\t'))
			comment = true;
		if (c == '\t' || (c >= 0x20 && c < 0x7f) || (comment && c >= 0x80))
			continue;
		return problem(r->claims, r->number, (unsigned)i + 1,
			       "byte 0x%02x has no place in this file", c);
	}
	return true;
}

static bool load_line(struct reader *r, const char *data, size_t len)
{
	if (len && data[len - 1] == '\r')
		len--;
	if (!clean(r, data, len))
		return false;
	if (len >= sizeof(r->line))
		return problem(r->claims, r->number, (unsigned)sizeof(r->line),
			       "the line is longer than %zu bytes", sizeof(r->line) - 1);
	memcpy(r->line, data, len);
	r->line[len] = '\0';
	r->at = r->line;
	return true;
}

/* The first line that is neither blank nor a comment must be the header. */
static int read_header(struct reader *r, bool *ret_found, struct gb_err *err)
{
	char word[32], version[8], more[2], *end;
	const char *start;
	unsigned long number;

	if (!next_word(r, word, sizeof(word), &start))
		return 0;
	if (!strcmp(word, "ghost-boot") && next_word(r, word, sizeof(word), &start) &&
	    !strcmp(word, "claims") && next_word(r, version, sizeof(version), &start) &&
	    isdigit((unsigned char)version[0]) && !next_word(r, more, sizeof(more), &start)) {
		number = strtoul(version, &end, 10);
		if (!*end && number == GB_CLAIMS_VERSION) {
			*ret_found = true;
			return 0;
		}
		problem(r->claims, r->number, 1, "version %s, this tool reads version %d", version,
			GB_CLAIMS_VERSION);
		return gb_fail(err, EINVAL, "line %u: version %s, this tool reads version %d",
			       r->number, version, GB_CLAIMS_VERSION);
	}
	problem(r->claims, r->number, 1, "the first line must be \"ghost-boot claims %d\"",
		GB_CLAIMS_VERSION);
	return gb_fail(err, EINVAL, "line %u: the first line must be \"ghost-boot claims %d\"",
		       r->number, GB_CLAIMS_VERSION);
}

static int read_lines(struct reader *r, const char *data, size_t len, struct gb_err *err)
{
	const char *end = data + len;
	bool header = false;

	while (data < end && !r->no_memory) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ? newline : end) - data);
		int code = 0;

		r->number++;
		if (!header) {
			if (load_line(r, data, n))
				code = read_header(r, &header, err);
			else
				code = gb_fail(err, EINVAL, "line %u is not a claims file's first",
					       r->number);
		} else if (!newline) {
			/* every line ghost-boot writes is ended: what follows is lost */
			problem(r->claims, r->number, (unsigned)n + 1,
				"the line is not ended: the file was cut short");
		} else if (load_line(r, data, n)) {
			read_statement(r);
		}
		if (code)
			return code;
		data += n + 1;
	}
	if (r->no_memory)
		return gb_fail(err, ENOMEM, "out of memory");
	if (!header) {
		problem(r->claims, 0, 0, "the file is empty");
		return gb_fail(err, EINVAL, "the file is empty");
	}
	return 0;
}

/* Not the problems themselves: three pages that mostly nobody touches. */
static void reset(struct gb_claims *claims)
{
	claims->line = NULL;
	claims->option = NULL;
	claims->lines = claims->options = claims->problems = 0;
	claims->arm_always = false;
}

int gb_claims_parse(const char *data, size_t len, struct gb_claims *ret, struct gb_err *err)
{
	struct reader r = { .claims = ret };
	int code;

	reset(ret);
	code = read_lines(&r, data, len, err);
	if (code) {
		ret->lines = 0;
		ret->options = 0;
		ret->arm_always = false;
	}
	return code;
}

void gb_claims_clear(struct gb_claims *claims)
{
	free(claims->line);
	free(claims->option);
	reset(claims);
}

const char *gb_claims_options(const struct gb_claims *claims, const char *driver)
{
	for (size_t i = 0; i < claims->options; i++)
		if (gb_text_same_module(claims->option[i].driver, driver))
			return claims->option[i].text;
	return NULL;
}
