/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootdefault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bls.h"
#include "cmdplan.h"
#include "err.h"
#include "grubcfg.h"
#include "grubcustom.h"
#include "grubenv.h"
#include "grubmenu.h"
#include "host.h"
#include "root.h"
#include "text.h"

/* ---- GRUB ------------------------------------------------------------------------------- */

static void sibling(const char *cfg, const char *name, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s/%s", (int)(strrchr(cfg, '/') - cfg), cfg, name);
}

static int read_text(struct gb_host *host, const char *path, size_t max, char **ret,
		     size_t *ret_len, struct gb_err *err)
{
	int r = gb_root_read_all(host->root, path, max, ret, ret_len);

	return r ? gb_fail(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

int gb_bootdefault_menu(struct gb_host *host, const struct gb_bootdefault_with *with,
			struct gb_grubmenu *ret, struct gb_err *err)
{
	const char *cfg = gb_cmdplan_grub_cfg(host), *custom = with ? with->custom : NULL;
	char path[64], *own = NULL, *text = NULL;
	size_t custom_len = custom ? with->custom_len : 0, len = 0;
	int r;

	if (!cfg)
		return gb_fail(err, ENOENT, "GRUB's configuration is not to be found; is /boot mounted?");
	sibling(cfg, "custom.cfg", path, sizeof(path));
	if (!custom && gb_root_exists(host->root, path)) {
		r = read_text(host, path, GB_GRUBCUSTOM_MAX, &own, &custom_len, err);
		if (r)
			return r;
		custom = own;
	}
	r = read_text(host, cfg, GB_GRUBCFG_MAX, &text, &len, err);
	if (!r) {
		r = gb_grubmenu_read(text, len, custom, custom_len, ret, err);
		if (r)
			gb_wrap(err, "%s", cfg);
	}
	free(text);
	free(own);
	return r;
}

static bool is_variable(const char *value, const char *name)
{
	const size_t len = strlen(name);

	if (*value++ != '$')
		return false;
	if (*value == '{')
		return !strncmp(value + 1, name, len) && !strcmp(value + 1 + len, "}");
	return !strcmp(value, name);
}

/* "" without an environment, or when it says nothing of it. */
static int saved_entry(struct gb_host *host, char *ret, size_t size, struct gb_err *err)
{
	char path[64], *env;
	size_t len;
	int r;

	ret[0] = '\0';
	sibling(gb_cmdplan_grub_cfg(host), "grubenv", path, sizeof(path));
	r = gb_root_read_all(host->root, path, GB_GRUBENV_SIZE, &env, &len);
	if (r)
		return r == -ENOENT ? 0 : gb_fail(err, -r, "%s: %s", path, strerror(-r));
	r = gb_grubenv_get(env, len, "saved_entry", ret, size);
	free(env);
	if (r == -E2BIG)
		return gb_fail(err, ENOTUNIQ, "the saved_entry of GRUB's environment is too long");
	if (r && r != -ENOENT)
		return gb_fail(err, ENOTUNIQ, "%s is no environment block of GRUB's", path);
	return 0;
}

/* "${saved_entry}" is what grubenv says; other variables nobody knows. */
static int usual_value(struct gb_host *host, const struct gb_grubmenu *menu, char *ret,
		       size_t size, struct gb_err *err)
{
	const char *value = menu->usual ? menu->usual : "";

	if (is_variable(value, "saved_entry"))
		return saved_entry(host, ret, size, err);
	if (strchr(value, '$') || !gb_text_copy(ret, size, value))
		return gb_fail(err, ENOTUNIQ, "GRUB's default is %s, and what that is can't be told", value);
	return 0;
}

static int describe_item(const struct gb_grubmenu *menu, int item, struct gb_bootdefault *ret,
			 struct gb_err *err)
{
	const struct gb_grubmenu_item *is = &menu->item[item];
	struct gb_bootdefault found = { .grub = true, .item = item };

	if (!gb_grubmenu_path(menu, item, found.id, sizeof(found.id)))
		return gb_fail(err, ENOTUNIQ, "the id of GRUB's default entry is too long");
	gb_text_copy(found.title, sizeof(found.title), is->title);
	found.ours = gb_grubmenu_is_ours(is);
	*ret = found;
	return 0;
}

static int find_item(const struct gb_grubmenu *menu, const char *value,
		     struct gb_bootdefault *ret, struct gb_err *err)
{
	int item = gb_grubmenu_find(menu, value);

	if (item == -ENOTUNIQ)
		return gb_fail(err, ENOTUNIQ, "GRUB's default, \"%.80s\", depends on entries that are there "
			       "on a condition", value);
	if (item < 0)
		return gb_fail(err, ENOENT, "GRUB's menu has no entries");
	return describe_item(menu, item, ret, err);
}

static int find_grub(struct gb_host *host, const struct gb_bootdefault_with *with,
		     struct gb_bootdefault *ret, struct gb_err *err)
{
	struct gb_grubmenu menu;
	char value[256];
	int r = gb_bootdefault_menu(host, with, &menu, err);

	if (r)
		return r;
	if (menu.odd)
		r = gb_fail(err, ENOTUNIQ, "line %u of %s sets GRUB's default anew", menu.odd,
			    menu.odd_custom ? "custom.cfg" : gb_cmdplan_grub_cfg(host));
	if (!r)
		r = usual_value(host, &menu, value, sizeof(value), err);
	if (!r && menu.entries)
		r = gb_bootdefault_entries(host, with, value, ret, err);
	else if (!r)
		r = find_item(&menu, value, ret, err);
	gb_grubmenu_clear(&menu);
	return r;
}

/* ---- all -------------------------------------------------------------------------------- */

int gb_bootdefault_find(struct gb_host *host, const struct gb_bootdefault_with *with,
			struct gb_bootdefault *ret, struct gb_err *err)
{
	switch (host->loader->backend) {
	case GB_BACKEND_GRUB_DROP_IN:
	case GB_BACKEND_GRUB_FILE:
	case GB_BACKEND_GRUB_BLS: return find_grub(host, with, ret, err);
	case GB_BACKEND_SYSTEMD: return gb_bootdefault_entries(host, with, NULL, ret, err);
	default: return gb_fail(err, EOPNOTSUPP, "which entry %s boots by itself is not known",
				host->loader->usable ? gb_backend_name(host->loader->backend)
						     : "this machine's boot loader");
	}
}
