/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "module.h"
#include "root.h"
#include "text.h"
#include "use.h"

const char *gb_result_name(enum gb_result result)
{
	static const char *const names[] = { "planned",	   "bound",  "held",
					     "given-back", "in-use", "failed" };

	return names[result];
}

const char *gb_module_state_name(enum gb_module_state state)
{
	static const char *const names[] = { "ready", "loaded", "missing", "failed" };

	return names[state];
}

double gb_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

__attribute__((format(printf, 3, 4)))
static void end(struct gb_task *task, enum gb_result result, const char *format, ...)
{
	va_list args;

	task->result = result;
	va_start(args, format);
	vsnprintf(task->text, sizeof(task->text), format, args);
	va_end(args);
}

static int write_device(struct gb_root *root, const struct gb_task *task, const char *name,
			const char *data)
{
	char file[GB_SYSFS_MAX];

	return gb_root_write(root, gb_bdf_file(task->device->bdf, name, file), data);
}

static bool has_our_override(struct gb_root *root, const struct gb_task *task)
{
	char file[GB_SYSFS_MAX], text[GB_DRIVER_MAX + 1];

	if (gb_root_read(root, gb_bdf_file(task->device->bdf, "driver_override", file), text,
			 sizeof(text)) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return gb_text_same_module(text, task->line->driver);
}

static void override(struct gb_root *root, struct gb_task *task, bool late)
{
	int r;

	task->ours_before = late && has_our_override(root, task);
	r = write_device(root, task, "driver_override", task->line->driver);
	task->overridden = r == 0;
	if (r)
		end(task, GB_FAILED, "driver_override: %s", strerror(-r));
}

static bool driver_exists(struct gb_root *root, const char *driver)
{
	char folder[sizeof("/sys/bus/pci/drivers/") + GB_DRIVER_MAX];

	snprintf(folder, sizeof(folder), "/sys/bus/pci/drivers/%s", driver);
	return gb_root_exists(root, folder);
}

static const struct gb_module *module_of(const struct gb_claim *claim, const char *driver)
{
	static const struct gb_module one_too_many = {
		.state = GB_MODULE_FAILED,
		.text = "more different drivers than this tool loads",
	};

	for (size_t i = 0; i < claim->modules; i++)
		if (!strcmp(claim->module[i].driver, driver))
			return &claim->module[i];
	return &one_too_many;
}

static void load(const struct gb_loader *loader, const char *options, struct gb_module *module)
{
	struct gb_err err = { "" };
	int r = loader->load(loader->ctx, module->driver, options, &err);

	module->state = r == 0	       ? GB_MODULE_LOADED
			: r > 0	       ? GB_MODULE_READY
			: r == -ENOENT ? GB_MODULE_MISSING
				       : GB_MODULE_FAILED;
	if (r < 0)
		gb_text_copy(module->text, sizeof(module->text), err.text);
}

static void load_driver(struct gb_root *root, const struct gb_loader *loader,
			const struct gb_claims *claims, struct gb_claim *claim,
			const char *driver)
{
	const char *options = gb_claims_options(claims, driver);
	struct gb_module *module;

	if (module_of(claim, driver)->driver[0] || claim->modules == GB_MODULES_MAX)
		return;
	module = &claim->module[claim->modules++];
	gb_text_copy(module->driver, sizeof(module->driver), driver);
	if (driver_exists(root, driver))
		module->state = GB_MODULE_READY;
	else
		load(loader, options, module);
	if (module->state == GB_MODULE_READY && options && *options)
		snprintf(module->text, sizeof(module->text),
			 "was there already: options not applied");
}

/* VFIO needs it to open a container, not to bind: without it nothing is lost yet. */
static void load_type1(struct gb_root *root, const struct gb_loader *loader,
		       const struct gb_claims *claims, struct gb_claim *claim)
{
	static const char name[] = "vfio_iommu_type1";
	struct gb_module *module;

	if (claim->modules == GB_MODULES_MAX)
		return;
	module = &claim->module[claim->modules++];
	strcpy(module->driver, name);
	if (gb_root_exists(root, "/sys/module/vfio_iommu_type1"))
		module->state = GB_MODULE_READY;
	else
		load(loader, gb_claims_options(claims, name), module);
}

/* A module's file may be foo-vfio-pci.ko and its driver foo_vfio_pci (KBUILD_MODNAME has
 * underscores): the kernel compares overrides by strcmp. */
static void correct_name(struct gb_root *root, struct gb_task *task)
{
	char name[GB_DRIVER_MAX];

	if (!strcmp(task->line->driver, GB_DRIVER_DEFAULT) ||
	    driver_exists(root, task->line->driver))
		return;
	gb_text_copy(name, sizeof(name), task->line->driver);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (strcmp(name, task->line->driver) && driver_exists(root, name))
		write_device(root, task, "driver_override", name);
}

static bool on_its_driver(const struct gb_task *task)
{
	return gb_text_same_module(task->driver, task->line->driver);
}

/* The rival that was built in, or won a race. False: it stays. */
static bool take_from_rival(struct gb_root *root, const struct gb_claim *claim,
			    const struct gb_module *module, struct gb_task *task)
{
	char address[GB_BDF_MAX], who[160];
	int r;

	if (claim->live && module->state > GB_MODULE_LOADED) {
		end(task, GB_FAILED, "left with %s: %s", task->before, module->text);
		return false;
	}
	r = claim->live ? gb_use_find(root, task->device->bdf, who, sizeof(who)) : 0;
	if (r) {
		end(task, GB_IN_USE, "left with %s, in use: %s", task->before,
		    r > 0 ? who : strerror(-r));
		return false;
	}
	r = write_device(root, task, "driver/unbind",
			 gb_bdf_format(task->device->bdf, address));
	/* -ENODEV, -ENOENT: it let go by itself meanwhile */
	if (r && r != -ENODEV && r != -ENOENT) {
		end(task, GB_FAILED, "unbind from %s: %s", task->before, strerror(-r));
		return false;
	}
	return true;
}

/* The host's only display must show something: back to whatever driver wants it. */
static void give_back(struct gb_root *root, struct gb_task *task, const char *why)
{
	char address[GB_BDF_MAX];
	int r = write_device(root, task, "driver_override", "\n");

	task->overridden = r != 0;
	if (!r)
		r = gb_root_write(root, "/sys/bus/pci/drivers_probe",
				  gb_bdf_format(task->device->bdf, address));
	if (gb_device_driver(root, task->device->bdf, task->driver))
		task->driver[0] = '\0';
	if (r)
		end(task, GB_FAILED, "the only display can't be given back: %s; %.150s", strerror(-r),
		    why);
	else
		end(task, GB_GIVEN_BACK, "given back, it is the only display: %.150s", why);
}

/* `probe` and `link` say how drivers_probe and reading the driver link went. */
static void not_bound(struct gb_root *root, const struct gb_module *module,
		      struct gb_task *task, int probe, int link)
{
	struct gb_device device = *task->device;
	char why[220];

	gb_device_read_group(root, &device);
	if (link)
		snprintf(why, sizeof(why), "its driver can't be read: %s", strerror(-link));
	else if (module->state > GB_MODULE_LOADED)
		gb_text_copy(why, sizeof(why), module->text);
	else if (probe)
		snprintf(why, sizeof(why), "drivers_probe: %s", strerror(-probe));
	else if (device.group < 0)
		snprintf(why, sizeof(why), "%s did not take it: it has no IOMMU group, the IOMMU "
			 "is off", task->line->driver);
	else
		snprintf(why, sizeof(why), "%s did not take it", task->line->driver);
	if (task->last_display)
		give_back(root, task, why);
	else if (link)
		end(task, GB_FAILED, "%s", why);
	else if (task->driver[0])
		end(task, GB_FAILED, "%s has it: %s", task->driver, why);
	else
		end(task, GB_HELD, "held without a driver: %s", why);
}

static int read_back(struct gb_root *root, struct gb_task *task)
{
	task->driver[0] = '\0';
	return gb_device_driver(root, task->device->bdf, task->driver);
}

/* udev is told of a device before the kernel lets drivers match it: between device_add() and
 * pci_bus_add_device() drivers_probe finds none, and says nothing. */
static int await_driver(struct gb_root *root, struct gb_task *task)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct gb_device device = *task->device;
	char address[GB_BDF_MAX];
	int r = 0;

	gb_device_read_group(root, &device);
	for (int tries = 0; !r && device.group >= 0 && !on_its_driver(task) && tries < 100; tries++) {
		nanosleep(&pause, NULL);
		gb_root_write(root, "/sys/bus/pci/drivers_probe",
			      gb_bdf_format(task->device->bdf, address));
		r = read_back(root, task);
	}
	return r;
}

static void bind(struct gb_root *root, struct gb_claim *claim, struct gb_task *task)
{
	const struct gb_module *module = module_of(claim, task->line->driver);
	char address[GB_BDF_MAX];
	int r, link;

	correct_name(root, task);
	/* only after the override: before it, a driver may still come and go */
	link = gb_device_driver(root, task->device->bdf, task->before);
	if (link) {
		not_bound(root, module, task, 0, link);
		return;
	}
	gb_text_copy(task->driver, sizeof(task->driver), task->before);
	if (on_its_driver(task)) {
		/* a driver takes what waits for it as it is loaded, and the kernel gives it what has
		 * just appeared: then nobody was there before */
		if (module->state == GB_MODULE_LOADED || (claim->late && !task->ours_before))
			task->before[0] = '\0';
		end(task, GB_BOUND, "is on %s", task->driver);
		return;
	}
	if (task->before[0] && !take_from_rival(root, claim, module, task))
		return;
	r = gb_root_write(root, "/sys/bus/pci/drivers_probe",
			  gb_bdf_format(task->device->bdf, address));
	link = read_back(root, task);
	if (!link && !on_its_driver(task) && claim->late && module->state <= GB_MODULE_LOADED)
		link = await_driver(root, task);
	if (link || !on_its_driver(task))
		not_bound(root, module, task, r, link);
	else if (task->before[0])
		end(task, GB_BOUND, "taken back from %s after %.0f ms", task->before,
		    gb_now_ms() - claim->start_ms);
	else
		end(task, GB_BOUND, "is on %s", task->driver);
}

void gb_claim_run(struct gb_root *root, const struct gb_loader *loader,
		  const struct gb_claims *claims, struct gb_claim *claim)
{
	/* all of them first: a driver that loading drags in can then bind none of ours */
	for (size_t i = 0; i < claim->tasks; i++)
		override(root, &claim->task[i], claim->late);
	for (size_t i = 0; i < claim->tasks; i++)
		load_driver(root, loader, claims, claim, claim->task[i].line->driver);
	if (claim->tasks)
		load_type1(root, loader, claims, claim);
	for (size_t i = 0; i < claim->tasks; i++)
		if (claim->task[i].overridden)
			bind(root, claim, &claim->task[i]);
}
