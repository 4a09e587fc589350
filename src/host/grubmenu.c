/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grubmenu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "grubscript.h"
#include "text.h"

#define DEPTH_MAX 32
#define ITEMS_MAX 4096

enum frame_kind { FRAME_IF, FRAME_LOOP, FRAME_SUBMENU, FRAME_GROUP };

/* What a command is inside of. */
struct frame {
	enum frame_kind kind;
	bool next_entry; /* an if with a branch for it ... */
	bool in_branch;	 /* ... which this is */
	bool in_else;	 /* the last branch */
	bool ours;	 /* it asks for our trial, which is booted once */
};

struct reading {
	struct gb_grubmenu *menu;
	struct gb_grubscript script;
	struct frame frame[DEPTH_MAX];
	size_t frames;
	int above;
	bool loaded, taken; /* the environment was read; next_entry is the default */
	bool is_custom;
	const char *custom; /* what custom.cfg says, until it is read */
	size_t custom_len;
	struct gb_err *err;
};

static int out_of_memory(struct reading *r)
{
	return gb_fail(r->err, ENOMEM, "out of memory");
}

void gb_grubmenu_clear(struct gb_grubmenu *menu)
{
	for (size_t i = 0; i < menu->items; i++)
		gb_grubmenu_item_clear(&menu->item[i]);
	free(menu->item);
	free(menu->usual);
	*menu = (struct gb_grubmenu){ 0 };
}

static const char *word(const struct reading *r, size_t i)
{
	return i < r->script.words ? r->script.word[i].text : "";
}

/* ---- frames ----------------------------------------------------------------------------- */

static int push(struct reading *r, enum frame_kind kind)
{
	if (r->frames == DEPTH_MAX)
		return gb_fail(r->err, EINVAL, "line %u: it is nested deeper than expected",
			       r->script.first);
	r->frame[r->frames++] = (struct frame){ .kind = kind };
	return 0;
}

static int pop(struct reading *r, enum frame_kind kind)
{
	if (!r->frames || r->frame[r->frames - 1].kind != kind)
		return gb_fail(r->err, EINVAL, "line %u: it ends what did not begin",
			       r->script.line + 1);
	r->frames--;
	return 0;
}

static struct frame *innermost_if(struct reading *r)
{
	return r->frames && r->frame[r->frames - 1].kind == FRAME_IF ? &r->frame[r->frames - 1] :
								       NULL;
}

static bool on_condition(const struct reading *r)
{
	for (size_t i = 0; i < r->frames; i++)
		if (r->frame[i].kind == FRAME_IF || r->frame[i].kind == FRAME_LOOP)
			return true;
	return false;
}

/* [ "${next_entry}" ], the condition of if or elif. */
static bool asks_next_entry(const struct reading *r)
{
	for (size_t i = 1; i < r->script.words; i++)
		if (!strcmp(word(r, i), "${next_entry}") || !strcmp(word(r, i), "$next_entry"))
			return true;
	return false;
}

static bool asks_trial(const struct reading *r)
{
	for (size_t i = 1; i < r->script.words; i++)
		if (!strcmp(word(r, i), GB_GRUBMENU_TRIAL))
			return true;
	return false;
}

static bool in_ours(const struct reading *r)
{
	for (size_t i = 0; i < r->frames; i++)
		if (r->frame[i].ours)
			return true;
	return false;
}

static int open_if(struct reading *r)
{
	int rc = push(r, FRAME_IF);
	struct frame *frame = &r->frame[r->frames - 1];

	if (rc)
		return rc;
	frame->in_branch = frame->next_entry = asks_next_entry(r);
	frame->ours = asks_trial(r);
	return 0;
}

static int branch(struct reading *r)
{
	struct frame *frame = innermost_if(r);

	if (!frame)
		return gb_fail(r->err, EINVAL, "line %u: %s without if", r->script.first, word(r, 0));
	frame->in_branch = !strcmp(word(r, 0), "elif") && asks_next_entry(r);
	frame->next_entry = frame->next_entry || frame->in_branch;
	frame->in_else = !strcmp(word(r, 0), "else");
	return 0;
}

/* ---- items ------------------------------------------------------------------------------ */

static int add_item(struct reading *r, struct gb_grubmenu_item *item)
{
	struct gb_grubmenu *menu = r->menu;
	struct gb_grubmenu_item *all;

	if (menu->items == ITEMS_MAX)
		return gb_fail(r->err, EINVAL, "line %u: more entries than expected", r->script.first);
	all = reallocarray(menu->item, menu->items + 1, sizeof(*all));
	if (!all)
		return out_of_memory(r);
	menu->item = all;
	menu->item[menu->items++] = *item;
	*item = (struct gb_grubmenu_item){ 0 };
	return 0;
}

static int read_body(struct reading *r, struct gb_grubmenu_item *item)
{
	size_t at, len;
	int rc;

	if (item->submenu) {
		item->body = strdup("");
	} else {
		rc = gb_grubscript_skip(&r->script, &at, &len, r->err);
		if (rc)
			return rc;
		item->body = strndup(r->script.data + at, len);
	}
	return item->body ? 0 : out_of_memory(r);
}

static int open_item(struct reading *r, bool submenu)
{
	struct gb_grubmenu_item item = { .above = r->above, .submenu = submenu,
					 .maybe = on_condition(r) };
	int rc = gb_grubmenu_header(&r->script, &item) ? 0 : out_of_memory(r);

	if (!rc)
		rc = read_body(r, &item);
	if (!rc)
		rc = add_item(r, &item);
	gb_grubmenu_item_clear(&item);
	if (!rc && submenu) {
		rc = push(r, FRAME_SUBMENU);
		r->above = (int)r->menu->items - 1;
	}
	return rc;
}

static int close_brace(struct reading *r)
{
	if (r->frames && r->frame[r->frames - 1].kind == FRAME_GROUP)
		return pop(r, FRAME_GROUP);
	if (r->above != GB_GRUBMENU_TOP)
		r->above = r->menu->item[r->above].above;
	return pop(r, FRAME_SUBMENU);
}

/* ---- commands --------------------------------------------------------------------------- */

/* util/grub.d/00_header.in: next_entry's branch, and the else of the same if. */
static int set_default(struct reading *r, const char *value)
{
	const struct frame *frame = innermost_if(r);
	char *copy;

	if (frame && frame->in_branch) {
		r->taken = !strcmp(value, "${next_entry}") || !strcmp(value, "$next_entry");
		return 0;
	}
	if (in_ours(r))
		return 0;
	/* a button's own branch comes before */
	if (frame && !frame->next_entry && !r->taken)
		return 0;
	if (r->taken && !(frame && frame->next_entry && frame->in_else)) {
		r->menu->odd = r->script.first;
		r->menu->odd_custom = r->is_custom;
		return 0;
	}
	copy = strdup(value);
	if (!copy)
		return out_of_memory(r);
	free(r->menu->usual);
	r->menu->usual = copy;
	return 0;
}

static int read_custom(struct reading *r);

static int simple_command(struct reading *r)
{
	const char *name = word(r, 0), *first = word(r, 1);

	if (!strcmp(name, "set") && !strncmp(first, "default=", 8))
		return set_default(r, first + 8);
	if (!strncmp(name, "default=", 8))
		return set_default(r, name + 8);
	if (!strcmp(name, "load_env") && r->script.words == 1)
		r->loaded = true;
	else if (!strcmp(name, "save_env") && !strcmp(first, "next_entry") && r->taken && r->loaded)
		r->menu->once = true;
	else if (!strcmp(name, "blscfg"))
		r->menu->entries = true;
	else if ((!strcmp(name, "source") || !strcmp(name, ".")) && strstr(first, "/custom.cfg"))
		return read_custom(r);
	return 0;
}

static int command(struct reading *r)
{
	const char *name = word(r, 0);

	if (!strcmp(name, "if"))
		return open_if(r);
	if (!strcmp(name, "elif") || !strcmp(name, "else"))
		return branch(r);
	if (!strcmp(name, "fi"))
		return pop(r, FRAME_IF);
	if (!strcmp(name, "for") || !strcmp(name, "while") || !strcmp(name, "until"))
		return push(r, FRAME_LOOP);
	if (!strcmp(name, "done"))
		return pop(r, FRAME_LOOP);
	return simple_command(r);
}

static int open_brace(struct reading *r)
{
	const char *name = word(r, 0);
	size_t at, len;

	if (!strcmp(name, "menuentry") || !strcmp(name, "submenu"))
		return open_item(r, *name == 's');
	/* what is in it, is only done where it is called */
	if (!strcmp(name, "function"))
		return gb_grubscript_skip(&r->script, &at, &len, r->err);
	return push(r, FRAME_GROUP);
}

static int read_all(struct reading *r)
{
	enum gb_grubscript_end end = GB_GRUBSCRIPT_LINE;
	int rc = 0;

	while (!rc && end != GB_GRUBSCRIPT_OVER) {
		rc = gb_grubscript_next(&r->script, &end, r->err);
		if (!rc && end == GB_GRUBSCRIPT_OPEN)
			rc = open_brace(r);
		else if (!rc && r->script.words)
			rc = command(r);
		if (!rc && end == GB_GRUBSCRIPT_CLOSE)
			rc = close_brace(r);
	}
	return rc;
}

/* Where it is sourced: its entries come before those behind it. 41_custom has two such lines, of
 * which one is carried out, and only if there is such a file. */
static int read_custom(struct reading *r)
{
	struct reading custom = *r;
	int rc;

	r->menu->custom = true;
	if (!r->custom)
		return 0;
	custom.script = (struct gb_grubscript){ .data = r->custom, .len = r->custom_len };
	custom.frames = 0;
	custom.is_custom = true;
	custom.custom = r->custom = NULL;
	rc = read_all(&custom);
	gb_grubscript_clear(&custom.script);
	if (!rc && custom.frames)
		rc = gb_fail(r->err, EINVAL, "its end is missing");
	r->taken = custom.taken;
	r->loaded = custom.loaded;
	if (rc)
		gb_wrap(r->err, "custom.cfg");
	return rc;
}

int gb_grubmenu_read(const char *data, size_t len, const char *custom, size_t custom_len,
		     struct gb_grubmenu *ret, struct gb_err *err)
{
	struct gb_grubmenu menu = { 0 };
	struct reading r = { .menu = &menu, .script = { .data = data, .len = len },
			     .above = GB_GRUBMENU_TOP, .custom = custom, .custom_len = custom_len,
			     .err = err };
	int rc = read_all(&r);

	gb_grubscript_clear(&r.script);
	if (!rc && r.frames)
		rc = gb_fail(err, EINVAL, "its end is missing");
	if (rc)
		gb_grubmenu_clear(&menu);
	else
		*ret = menu;
	return rc;
}
