/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module.h"

#include <errno.h>
#include <libkmod.h>
#include <string.h>

#include "err.h"

/* -EEXIST: there already, by us, by the kernel or by somebody faster. */
static int insert(struct kmod_module *module, const char *options, struct gb_err *err)
{
	int r, state = kmod_module_get_initstate(module);

	/* asked first: the kernel reads and checks the whole file before it says -EEXIST */
	if (state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE)
		return 1;
	r = kmod_module_insert_module(module, 0, options);
	if (r == -EEXIST)
		return 1;
	if (r < 0)
		return gb_fail(err, -r, "module %s: %s", kmod_module_get_name(module),
			       r == -ENOENT ? "unknown symbol, or its file is missing"
					    : strerror(-r));
	return 0;
}

static int insert_all(struct kmod_module *module, const char *options, struct gb_err *err)
{
	struct kmod_list *needed = kmod_module_get_dependencies(module), *item;
	int r = 0;

	kmod_list_foreach(item, needed) { /* in the order of loading */
		struct kmod_module *dependency = kmod_module_get_module(item);

		r = insert(dependency, NULL, err);
		kmod_module_unref(dependency);
		if (r < 0)
			break;
	}
	kmod_module_unref_list(needed);
	/* a module that is listed but can't be linked is no missing module */
	if (r >= 0)
		r = insert(module, options, err);
	return r == -ENOENT ? -ENOEXEC : r;
}

static int load(void *ctx, const char *name, const char *options, struct gb_err *err)
{
	static const char *const no_config[] = { NULL };
	struct kmod_ctx **kmod = ctx;
	struct kmod_list *found = NULL;
	struct kmod_module *module;
	int r;

	if (!*kmod) {
		*kmod = kmod_new(NULL, no_config);
		if (!*kmod)
			return gb_fail(err, ENOMEM, "libkmod can't be used");
		kmod_load_resources(*kmod);
	}
	r = kmod_module_new_from_lookup(*kmod, name, &found);
	if (r < 0)
		return gb_fail(err, -r, "module %s: %s", name, strerror(-r));
	if (!found)
		return gb_fail(err, ENOENT, "module %s is not in this image or kernel", name);
	module = kmod_module_get_module(found);
	if (!kmod_module_get_path(module)) /* known but without a file: built in */
		r = 1;
	else
		r = insert_all(module, options && *options ? options : NULL, err);
	kmod_module_unref(module);
	kmod_module_unref_list(found);
	return r;
}

void gb_loader_open(struct gb_loader *ret)
{
	static struct kmod_ctx *kmod;

	*ret = (struct gb_loader){ load, &kmod };
}

void gb_loader_close(struct gb_loader *loader)
{
	struct kmod_ctx **kmod = loader->ctx;

	if (*kmod)
		kmod_unref(*kmod);
	*kmod = NULL;
}
