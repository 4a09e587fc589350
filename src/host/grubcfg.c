/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "err.h"
#include "root.h"
#include "text.h"

#define ENTRIES_MAX 4096
#define BEGIN "### BEGIN "
#define END "### END "
#define FOLDER "/etc/grub.d/"

struct reading {
	struct gb_grubcfg *cfg;
	struct gb_grubcfg_entry entry; /* the one that is open */
	bool open, linux_section, ended;
};

static void clear_entry(struct gb_grubcfg_entry *entry)
{
	free(entry->title);
	free(entry->id);
	free(entry->kernel);
	free(entry->line);
	free(entry->initrd);
	*entry = (struct gb_grubcfg_entry){ 0 };
}

void gb_grubcfg_clear(struct gb_grubcfg *cfg)
{
	for (size_t i = 0; i < cfg->entries; i++)
		clear_entry(&cfg->entry[i]);
	free(cfg->entry);
	*cfg = (struct gb_grubcfg){ 0 };
}

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(line, with, strlen(with));
}

/* The next quoted word, as grub_quote writes it: 'it'\''s'. Moves *at behind it. */
static char *next_quoted(const char **at, const char *end)
{
	const char *c = *at;
	char *text, quote;
	size_t len = 0;

	while (c < end && *c != '\'' && *c != '"')
		c++;
	text = malloc((size_t)(end - c) + 1);
	if (!text || c == end) {
		free(text);
		return strdup("");
	}
	quote = *c++;
	while (c < end) {
		if (*c != quote)
			text[len++] = *c++;
		else if (quote == '\'' && end - c >= 4 && !memcmp(c, "'\\''", 4))
			text[len++] = '\'', c += 4;
		else
			break;
	}
	text[len] = '\0';
	*at = c < end ? c + 1 : end;
	return text;
}

static int begin_entry(struct reading *r, const char *line, size_t len)
{
	const char *at = line, *end = line + len, *id;

	clear_entry(&r->entry);
	r->open = true;
	r->entry.title = next_quoted(&at, end);
	id = memmem(at, (size_t)(end - at), "menuentry_id_option", strlen("menuentry_id_option"));
	if (!id)
		id = memmem(at, (size_t)(end - at), "--id", strlen("--id"));
	at = id ? id : end;
	r->entry.id = next_quoted(&at, end);
	if (!r->entry.title || !r->entry.id)
		return -ENOMEM;
	/* util/grub.d/10_linux.in: gnulinux-VERSION-recovery-DEVICE */
	r->entry.recovery = strstr(r->entry.id, "-recovery-");
	return 0;
}

static bool is_initrd(const char *name, size_t len)
{
	static const char *const names[] = { "initrd", "initrd16", "initrdefi" };
	const size_t dollar = begins(name, len, "$");

	name += dollar;
	len -= dollar;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (len == strlen(names[i]) && begins(name, len, names[i]))
			return true;
	return false;
}

static int take_initrd(struct reading *r, const char *line, size_t len)
{
	const char *word = NULL;
	size_t word_len = 0;

	for (size_t at = 0, end; at < len; at = end) {
		for (end = at; end < len && line[end] != ' ' && line[end] != '\t';)
			end++;
		if (at && line[at] != '$') { /* tuned wants a variable behind it */
			word = line + at;
			word_len = end - at;
		}
		while (end < len && (line[end] == ' ' || line[end] == '\t'))
			end++;
	}
	free(r->entry.initrd);
	r->entry.initrd = word ? strndup(word, word_len) : NULL;
	return word && !r->entry.initrd ? -ENOMEM : 0;
}

/* "linux", and what came with the years: "linux16", "linuxefi", "$linux"; "initrd" likewise. */
static int take_command(struct reading *r, const char *line, size_t len)
{
	size_t name = 0, path;

	while (name < len && line[name] != ' ' && line[name] != '\t')
		name++;
	if (is_initrd(line, name))
		return take_initrd(r, line, len);
	if (!begins(line, name, "linux") && !begins(line, name, "$linux"))
		return 0;
	while (name < len && (line[name] == ' ' || line[name] == '\t'))
		name++;
	for (path = name; path < len && line[path] != ' ' && line[path] != '\t';)
		path++;
	free(r->entry.kernel);
	free(r->entry.line);
	r->entry.kernel = strndup(line + name, path - name);
	path += path < len;
	r->entry.line = strndup(line + path, len - path);
	return r->entry.kernel && r->entry.line ? 0 : -ENOMEM;
}

static int end_entry(struct reading *r)
{
	struct gb_grubcfg_entry *more;

	r->open = false;
	if (!r->entry.kernel || !r->linux_section) {
		clear_entry(&r->entry);
		return 0;
	}
	if (r->cfg->entries == ENTRIES_MAX)
		return -E2BIG;
	more = reallocarray(r->cfg->entry, r->cfg->entries + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->cfg->entry = more;
	more[r->cfg->entries++] = r->entry;
	r->entry = (struct gb_grubcfg_entry){ 0 };
	return 0;
}

static int read_line(struct reading *r, const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	if (!len)
		return 0;
	r->ended = begins(line, len, END FOLDER) && line[len - 1] == '#';
	if (begins(line, len, BEGIN FOLDER)) {
		r->cfg->made = true;
		r->linux_section = begins(line, len, BEGIN FOLDER "10_linux");
	} else if (r->ended) {
		r->linux_section = false;
	} else if (begins(line, len, "menuentry ")) {
		return begin_entry(r, line, len);
	} else if (r->open && len == 1 && *line == '}') {
		return end_entry(r);
	} else if (r->open) {
		return take_command(r, line, len);
	}
	return 0;
}

int gb_grubcfg_parse(const char *data, size_t len, struct gb_grubcfg *ret, struct gb_err *err)
{
	struct gb_grubcfg cfg = { 0 };
	struct reading reading = { .cfg = &cfg };
	int r = 0;

	if (memchr(data, '\0', len))
		return gb_fail(err, EINVAL, "it has a NUL byte, as a file cut short by a crash has");
	for (size_t at = 0; at < len && !r;) {
		const char *newline = memchr(data + at, '\n', len - at);
		size_t end = newline ? (size_t)(newline - data) : len;

		r = read_line(&reading, data + at, end - at);
		at = end + 1;
	}
	cfg.whole = reading.ended && !reading.open && len && data[len - 1] == '\n';
	clear_entry(&reading.entry);
	if (r) {
		gb_grubcfg_clear(&cfg);
		return gb_fail(err, -r, r == -E2BIG ? "it has too many entries" : "out of memory");
	}
	*ret = cfg;
	return 0;
}

/* ---- checks -------------------------------------------------------------------------- */

/* The first plain word of `words` that the line has, or lacks; or NULL. Points into *hold, which
 * the caller clears. */
static const struct gb_argument *first_word(const char *line, const char *words, bool has,
					    struct gb_arguments *hold, int *ret)
{
	struct gb_arguments all = { 0 };
	const struct gb_argument *found = NULL;

	*hold = (struct gb_arguments){ 0 };
	*ret = gb_arguments_parse(line, strlen(line), &all);
	if (!*ret)
		*ret = gb_arguments_parse(words, strlen(words), hold);
	for (size_t i = 0; !*ret && i < hold->kernel && !found; i++) {
		const struct gb_argument *a = &hold->argument[i];
		struct gb_arguments one = { .argument = &hold->argument[i], .arguments = 1, .kernel = 1 };

		if (gb_argument_is_plain(a->name) && (!a->value || !*a->value ||
						      gb_argument_is_plain(a->value)) &&
		    has == !gb_arguments_lacking(&all, &one))
			found = a;
	}
	gb_arguments_clear(&all);
	return found;
}

static int check_words(const struct gb_grubcfg_entry *entry, const char *words, bool has,
		       struct gb_err *err)
{
	const struct gb_argument *word;
	struct gb_arguments hold;
	int r = 0;

	if (!words)
		return 0;
	word = first_word(entry->line, words, has, &hold, &r);
	if (r)
		r = gb_fail(err, EBADMSG, "\"%.80s\": its command line can't be read", entry->title);
	else if (word)
		r = gb_fail(err, EBADMSG, "\"%.80s\" %s %.80s%s%.80s", entry->title,
			    has ? "still has" : "lacks", word->name, word->value ? "=" : "",
			    word->value ? word->value : "");
	gb_arguments_clear(&hold);
	return r;
}

int gb_grubcfg_check(const struct gb_grubcfg *cfg, const struct gb_grubcfg_goal *goal,
		     struct gb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < cfg->entries && !r; i++) {
		const struct gb_grubcfg_entry *entry = &cfg->entry[i];

		r = check_words(entry, entry->recovery ? goal->clean : goal->carry, entry->recovery,
				err);
		if (!r)
			r = check_words(entry, goal->gone, true, err);
	}
	return r;
}

static bool is_in_boot(struct gb_root *root, const char *file)
{
	char path[300];

	snprintf(path, sizeof(path), "/boot/%.250s", gb_text_base(file));
	return gb_root_exists(root, path);
}

/* One that `old` boots this kernel with; another where all of those are gone from /boot. */
static bool has_initrd(const struct gb_grubcfg_entry *entry, const struct gb_grubcfg *old,
		       struct gb_root *root)
{
	bool there = false;

	for (size_t i = 0; i < old->entries && entry->initrd; i++) {
		const struct gb_grubcfg_entry *other = &old->entry[i];

		if (!other->initrd || strcmp(other->kernel, entry->kernel))
			continue;
		if (!strcmp(other->initrd, entry->initrd))
			return true;
		there |= is_in_boot(root, other->initrd);
	}
	return entry->initrd && !there;
}

/* Does every entry of `cfg` for this kernel that must have an initrd have it? All must where all of
 * `old` have one; else one of them. */
static bool has_initrds(const struct gb_grubcfg *cfg, const struct gb_grubcfg *old,
			const char *kernel, struct gb_root *root)
{
	bool any = false, all = true, good = false, whole = true;

	for (size_t i = 0; i < old->entries; i++)
		if (!strcmp(old->entry[i].kernel, kernel)) {
			any |= old->entry[i].initrd != NULL;
			all &= old->entry[i].initrd != NULL;
		}
	for (size_t i = 0; i < cfg->entries; i++)
		if (!strcmp(cfg->entry[i].kernel, kernel)) {
			const bool one = has_initrd(&cfg->entry[i], old, root);

			good |= one;
			whole &= one;
		}
	return !any || (all ? whole : good);
}

static bool boots(const struct gb_grubcfg *cfg, const char *kernel)
{
	for (size_t i = 0; i < cfg->entries; i++)
		if (!strcmp(cfg->entry[i].kernel, kernel))
			return true;
	return false;
}

int gb_grubcfg_replaces(const struct gb_grubcfg *cfg, const struct gb_grubcfg *old,
			struct gb_root *root, struct gb_err *err)
{
	if (!cfg->made || !cfg->whole)
		return gb_fail(err, EBADMSG, "it is cut short");
	if (!cfg->entries)
		return gb_fail(err, EBADMSG, "it boots no kernel");
	for (size_t i = 0; i < old->entries; i++) {
		const char *kernel = old->entry[i].kernel;

		if (boots(cfg, kernel)) {
			if (!has_initrds(cfg, old, kernel, root))
				return gb_fail(err, EBADMSG, "it boots %.200s without its initrd",
					       kernel);
		} else if (is_in_boot(root, kernel)) {
			return gb_fail(err, EBADMSG, "it does not boot %.200s any more", kernel);
		}
	}
	return 0;
}
