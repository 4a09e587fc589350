/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubmenu.h"
#include "grubscript.h"
#include "trialentry.h"

/* A menu entry for custom.cfg. What is between the braces of the usual one stays, line by line, but
 * for the two that load the kernel and its image. */

struct making {
	const struct gb_trialentry *entry;
	struct gb_grubscript script; /* of the line that is looked at */
	const char *line;
	size_t line_len;
	bool linux_done, initrd_done; /* ours in the place of, or beside, its own */
	bool loads_image;	      /* any */
	struct gb_text kernel, image; /* the words that name them, as they will stand */
	struct gb_text words;	      /* what follows the kernel's */
	struct gb_text before;	      /* lines before it */
	struct gb_text command;	      /* "linux", as it is called there */
	struct gb_text after;	      /* lines behind it */
	struct gb_err *err;
};

static bool is_command(const struct making *m, const char *name)
{
	const char *word = m->script.words ? m->script.word[0].text : "";

	word += *word == '$';
	return !strncmp(word, name, strlen(name)) &&
	       (!strcmp(word + strlen(name), "") || !strcmp(word + strlen(name), "16") ||
		!strcmp(word + strlen(name), "efi"));
}

static bool is_called(const struct making *m, const char *name)
{
	return m->script.words && !strcmp(m->script.word[0].text, name);
}

static int bad(struct making *m, const char *why)
{
	return gb_fail(m->err, EINVAL, "GRUB's entry is not one that can be copied: %s", why);
}

static void add_raw(const struct making *m, size_t from, size_t to, struct gb_text *text)
{
	gb_text_add(text, m->line + from, to - from);
}

/* It will stand in quotes and without: nothing that either gives a meaning to, but variables. */
static bool is_plain(const char *path)
{
	return *path && !path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				     "_-.,:=/+@%~(){}$")];
}

/* ---- the kernel ------------------------------------------------------------------------- */

/* A path with the release in its last part gets the variable there. */
static bool add_path(const char *path, const char *release, struct gb_text *text)
{
	const char *at = release ? strstr(gb_text_base(path), release) : NULL;

	if (!at)
		gb_text_addf(text, "%s", path);
	else
		gb_text_addf(text, "%.*s${ghost_release}%s", (int)(at - path), path,
			     at + strlen(release));
	return at;
}

static int take_linux(struct making *m)
{
	const struct gb_grubscript *s = &m->script;
	struct gb_changes changes;
	size_t from, to;
	int r;

	if (m->linux_done || s->words < 2)
		return bad(m, "it loads several kernels, or none");
	m->linux_done = true;
	if (!is_plain(s->word[1].text))
		return bad(m, "its kernel's path has unusual characters");
	from = s->words > 2 ? s->word[2].at : s->word[1].at + s->word[1].len;
	to = s->word[s->words - 1].at + s->word[s->words - 1].len;
	r = gb_arguments_change(m->line + from, to - from, m->entry->want, m->entry->wants, &changes,
				m->err);
	if (r)
		return r;
	add_raw(m, 0, s->word[0].at + s->word[0].len, &m->command);
	gb_text_addf(&m->kernel, "%s", s->word[1].text);
	gb_text_add(&m->words, changes.line, changes.len);
	gb_changes_clear(&changes);
	return 0;
}

/* ---- its image -------------------------------------------------------------------------- */

static void add_image(struct making *m, const char *path)
{
	const struct gb_trialentry *entry = m->entry;

	m->image.len = 0;
	if (entry->image)
		gb_text_addf(&m->image, "%.*s%s", (int)(gb_text_base(path) - path), path, gb_text_base(entry->image));
	else
		gb_text_addf(&m->image, "%s", path);
}

static bool is_own(const struct gb_trialentry *entry, const char *path)
{
	for (size_t i = 0; i < entry->owns; i++)
		if (!strcmp(gb_text_base(entry->own[i]), gb_text_base(path)))
			return true;
	return false;
}

/* Microcode and what else is loaded with it stays. */
static int take_initrd(struct making *m)
{
	const struct gb_grubscript *s = &m->script;
	struct gb_text *text = &m->after;
	bool any = false;

	m->loads_image = m->loads_image || s->words > 1;
	add_raw(m, 0, s->word[0].at + s->word[0].len, text);
	for (size_t i = 1; i < s->words; i++) {
		const char *path = s->word[i].text;

		if (!is_own(m->entry, path)) {
			gb_text_addf(text, " ");
			add_raw(m, s->word[i].at, s->word[i].at + s->word[i].len, text);
			continue;
		}
		if (!is_plain(path))
			return bad(m, "its image's path has unusual characters");
		if (any || m->initrd_done)
			continue;
		any = true;
		add_image(m, path);
		if (m->image.failed)
			return gb_fail(m->err, ENOMEM, "out of memory");
		gb_text_addf(text, " ");
		add_path(m->image.data, m->entry->release, text);
	}
	m->initrd_done = m->initrd_done || any;
	gb_text_addf(text, "\n");
	return 0;
}

/* ---- all -------------------------------------------------------------------------------- */

/* savedefault would make of this entry the usual one; what is said of a kernel may be wrong. */
static bool is_dropped(const struct making *m)
{
	return is_called(m, "savedefault") || (m->entry->release && is_called(m, "echo"));
}

static bool is_other_system(const struct making *m)
{
	static const char *const commands[] = { "multiboot", "multiboot2", "module", "module2",
						"xen_hypervisor", "chainloader", "configfile" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (is_called(m, commands[i]))
			return true;
	return false;
}

static int read_line(struct making *m)
{
	struct gb_text *text = m->linux_done ? &m->after : &m->before;
	enum gb_grubscript_end end;
	int r;

	m->script = (struct gb_grubscript){ .data = m->line, .len = m->line_len };
	r = gb_grubscript_next(&m->script, &end, m->err);
	if (r)
		return r;
	if (is_other_system(m))
		return bad(m, "it boots something other than a Linux kernel");
	if (is_command(m, "linux") || is_command(m, "initrd")) {
		if (end != GB_GRUBSCRIPT_OVER)
			return bad(m, "a line has more than one command");
		return is_command(m, "linux") ? take_linux(m) : take_initrd(m);
	}
	if (is_dropped(m))
		return 0;
	if (m->script.words)
		gb_text_addf(text, "%.*s\n", (int)m->line_len, m->line);
	return 0;
}

static int read_commands(struct making *m, const char *body)
{
	int r = 0;

	while (!r && *body) {
		m->line = body;
		m->line_len = strcspn(body, "\n");
		if (m->line_len && body[m->line_len - 1] == '\\')
			return bad(m, "a line goes on in the next");
		r = read_line(m);
		gb_grubscript_clear(&m->script);
		body += m->line_len + (body[m->line_len] != '\0');
	}
	return r;
}

static int read_body(struct making *m, const char *body)
{
	int r = read_commands(m, body);

	if (!r && (!m->linux_done || !m->initrd_done))
		r = bad(m, m->linux_done ? "it loads no image of its kernel" : "it loads no kernel");
	return r;
}

static void add_quoted(struct gb_text *text, const char *word)
{
	gb_text_addf(text, "'");
	for (; *word; word++) {
		if (*word == '\'')
			gb_text_addf(text, "'\\''");
		else
			gb_text_add(text, word, 1);
	}
	gb_text_addf(text, "'");
}

static bool is_both(const struct making *m)
{
	const char *release = m->entry->release;

	return release && strstr(gb_text_base(m->kernel.data), release) &&
	       strstr(gb_text_base(m->image.data), release);
}

/* Any kernel that is there and has its image: GRUB lists a folder in the order of the disk. */
static void add_search(const struct making *m, struct gb_text *ret)
{
	const char *release = m->entry->release, *kernel = m->kernel.data, *image = m->image.data;
	const char *kernel_at = strstr(gb_text_base(kernel), release);
	const char *image_at = strstr(gb_text_base(image), release);
	const int folder = (int)(kernel_at - kernel), start = (int)(image_at - image);

	gb_text_addf(ret, "\tset ghost_release='%s'\n", release);
	gb_text_addf(ret, "\tif [ ! -f \"%.*s${ghost_release}%s\" ]; then\n", folder, kernel,
		     kernel_at + strlen(release));
	gb_text_addf(ret, "\t\tinsmod regexp\n\t\tfor ghost_file in %.*s*%s; do\n", folder, kernel,
		     kernel_at + strlen(release));
	gb_text_addf(ret, "\t\t\tregexp --set=1:ghost_found '%.*s(.*)%s$' \"$ghost_file\"\n",
		     (int)(kernel_at - gb_text_base(kernel)), gb_text_base(kernel), kernel_at + strlen(release));
	gb_text_addf(ret, "\t\t\tif [ -f \"%.*s${ghost_found}%s\" ]; then\n"
			  "\t\t\t\tset ghost_release=\"$ghost_found\"\n\t\t\tfi\n\t\tdone\n\tfi\n",
		     start, image, image_at + strlen(release));
}

/* Nobody may be there: what can't be loaded ends in the menu as it is without a one-shot. There
 * `chosen`, which is passed on, would put this entry before what savedefault saves. */
static void add_check(const struct making *m, struct gb_text *ret)
{
	const struct gb_text *file[] = { &m->kernel, &m->image };

	for (size_t i = 0; i < 2; i++)
		gb_text_addf(ret, "\tif [ ! -f \"%s\" ]; then unset chosen; configfile $prefix/grub.cfg; "
				  "fi\n",
			     file[i]->data);
}

static void put_together(const struct making *m, const struct gb_grubmenu_item *item,
			 struct gb_text *ret)
{
	const struct gb_trialentry *entry = m->entry;
	const bool any = is_both(m);
	struct gb_text title = { 0 };

	gb_text_addf(&title, "%s%s", item->title, entry->title);
	gb_text_addf(ret, "menuentry ");
	add_quoted(ret, title.failed ? item->title : title.data);
	gb_text_clear(&title);
	gb_text_addf(ret, " %s%s--id '%s' {\n", item->options, *item->options ? " " : "", entry->id);
	gb_text_add(ret, m->before.data ? m->before.data : "", m->before.len);
	if (any)
		add_search(m, ret);
	else if (!entry->release)
		add_check(m, ret);
	gb_text_addf(ret, "%s ", m->command.data);
	add_path(m->kernel.data, any ? entry->release : NULL, ret);
	gb_text_addf(ret, " %s\n%s}\n", m->words.data, m->after.data);
}

static bool has_failed(const struct making *m)
{
	return m->kernel.failed || m->image.failed || m->words.failed || m->before.failed ||
	       m->command.failed || m->after.failed;
}

static void clear(struct making *m)
{
	gb_text_clear(&m->kernel);
	gb_text_clear(&m->image);
	gb_text_clear(&m->words);
	gb_text_clear(&m->before);
	gb_text_clear(&m->command);
	gb_text_clear(&m->after);
}

int gb_trialentry_grub(const struct gb_grubmenu_item *item, const struct gb_trialentry *entry,
		       struct gb_text *ret, struct gb_err *err)
{
	struct making m = { .entry = entry, .err = err };
	int r = read_body(&m, item->body);

	if (!r && has_failed(&m))
		r = gb_fail(err, ENOMEM, "out of memory");
	if (!r)
		put_together(&m, item, ret);
	if (!r && ret->failed)
		r = gb_fail(err, ENOMEM, "out of memory");
	clear(&m);
	return r;
}

bool gb_trialentry_boots(const struct gb_grubmenu_item *item, struct gb_text *ret_kernel,
			 struct gb_text *ret_words)
{
	const struct gb_trialentry as_it_is = { .id = "" };
	struct making m = { .entry = &as_it_is };
	bool boots;

	/* whatever images it loads, none of them is to be replaced */
	boots = !item->submenu && !read_commands(&m, item->body) && m.linux_done && m.loads_image;
	gb_text_addf(ret_kernel, "%s", m.kernel.data ? m.kernel.data : "");
	gb_text_addf(ret_words, "%s", m.words.data ? m.words.data : "");
	boots = boots && !ret_kernel->failed && !ret_words->failed && !has_failed(&m);
	clear(&m);
	return boots;
}

/* GRUB keeps next_entry out of its own memory from here on, not off the disk: whether that was
 * written is read back from there. With a menu inside a menu, `default` has the rest of the way
 * behind the '>' (grub-core/normal/menu.c). */
void gb_trialentry_guard(const char *usual, int fallback, struct gb_text *ret)
{
	const char *rest = strchr(usual, '>');

	gb_text_addf(ret, "if [ \"${default}\" = " GB_GRUBMENU_TRIAL " ]; then\n"
			  "\tset ghost_kept=y\n"
			  "\tif save_env next_entry; then\n\t\tload_env next_entry\n"
			  "\t\tif [ -z \"${next_entry}\" ]; then set ghost_kept=; fi\n\tfi\n"
			  "\tset fallback=%d\n", fallback);
	if (rest && rest[1] && rest[1] != '>')
		gb_text_addf(ret, "\tset default='" GB_GRUBMENU_TRIAL "%s'\n", rest);
	gb_text_addf(ret, "\tif [ \"${ghost_kept}\" ]; then set default=");
	if (*usual == '$')
		gb_text_addf(ret, "\"%s\"", usual);
	else
		add_quoted(ret, usual);
	gb_text_addf(ret, "; fi\nfi\n");
}
