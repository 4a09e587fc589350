/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"
#include "text.h"

#define SYSTEM "system"
#define LIST_MAX (8u << 20) /* bytes; modules.dep of Debian has 630,000 */
#define PATH_LEN 512

/* ---- vfio modules ------------------------------------------------------------------------ */

struct lists {
	char *files, *built_in; /* modules.dep, modules.builtin; NULL: not read */
	char folder[128];
};

static char *read_list(struct gb_root *root, const char *folder, const char *name)
{
	char path[PATH_LEN], *data;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return gb_root_read_all(root, path, LIST_MAX, &data, &len) ? NULL : data;
}

static void read_lists(struct gb_root *root, const char *release, struct lists *ret)
{
	snprintf(ret->folder, sizeof(ret->folder), "/lib/modules/%s", release);
	if (!gb_root_exists(root, ret->folder))
		snprintf(ret->folder, sizeof(ret->folder), "/usr/lib/modules/%s", release);
	ret->files = read_list(root, ret->folder, "modules.dep");
	ret->built_in = read_list(root, ret->folder, "modules.builtin");
}

static void clear_lists(struct lists *lists)
{
	free(lists->files);
	free(lists->built_in);
}

enum module { MODULE_UNKNOWN, MODULE_MISSING, MODULE_FILE, MODULE_BUILT_IN };

/* The file that a line of modules.dep is about: "kernel/drivers/vfio/pci/vfio-pci.ko.xz: …". */
static bool has_file(struct gb_root *root, const struct lists *lists, const char *name)
{
	char path[PATH_LEN];

	for (const char *at = lists->files, *end; at && *at; at = end + (*end == '\n')) {
		size_t len = strcspn(at, ":\n");
		const char *base = memrchr(at, '/', len);

		end = at + len + strcspn(at + len, "\n");
		base = base ? base + 1 : at;
		if (strncmp(base, name, strlen(name)) ||
		    strncmp(base + strlen(name), ".ko", 3))
			continue;
		snprintf(path, sizeof(path), "%s/%.*s", lists->folder, (int)len, at);
		return gb_root_exists(root, path);
	}
	return false;
}

/* `name` is the file's, as the kernel's Makefiles give it. */
static enum module find_module(struct gb_root *root, const struct lists *lists, const char *name)
{
	char line[64];

	snprintf(line, sizeof(line), "/%s.ko\n", name);
	if (lists->built_in && strstr(lists->built_in, line))
		return MODULE_BUILT_IN;
	if (has_file(root, lists, name))
		return MODULE_FILE;
	return lists->files && lists->built_in ? MODULE_MISSING : MODULE_UNKNOWN;
}

static const char *name_of(enum module module)
{
	static const char *const names[] = { "cannot tell", "missing", "a module", "built in" };

	return names[module];
}

static void judge_modules(const struct gb_survey *s, const char *release, struct gb_checks *checks)
{
	struct lists lists = { 0 };
	enum module driver, type1, fd;
	char subject[80];

	snprintf(subject, sizeof(subject), "kernel %s", release);
	read_lists(s->root, release, &lists);
	driver = find_module(s->root, &lists, "vfio-pci");
	type1 = find_module(s->root, &lists, "vfio_iommu_type1");
	fd = find_module(s->root, &lists, "iommufd");
	if (driver == MODULE_UNKNOWN || type1 == MODULE_UNKNOWN)
		gb_check(checks, "vfio-module", GB_UNKNOWN, subject,
			 "cannot tell whether it has all vfio modules");
	else if (driver == MODULE_MISSING)
		gb_check(checks, "vfio-module", GB_FAIL, subject,
			 "has no vfio-pci: claimed devices stay without a driver");
	else if (type1 == MODULE_MISSING && fd == MODULE_MISSING)
		gb_check(checks, "vfio-module", GB_FAIL, subject,
			 "has neither vfio_iommu_type1 nor iommufd: no program can use what is "
			 "claimed");
	else
		gb_check(checks, "vfio-module", GB_PASS, subject, "has vfio-pci (%s)",
			 name_of(driver));
	gb_check_evidence(checks, "%s: vfio-pci %s, vfio_iommu_type1 %s", lists.folder,
			  name_of(driver), name_of(type1));
	if (driver == MODULE_MISSING || (type1 == MODULE_MISSING && fd == MODULE_MISSING))
		gb_check_fix(checks, "install all modules of this kernel (Ubuntu: "
			     "linux-modules-extra-%s), or boot another", release);
	clear_lists(&lists);
}

/* After an update that removed them (pacman does), or under a kernel from elsewhere. */
static void judge_running_modules(const struct gb_survey *s, struct gb_checks *checks)
{
	char subject[80];

	for (size_t i = 0; i < s->site.kernels; i++)
		if (!strcmp(s->site.kernel[i], s->site.release))
			return;
	if (!s->site.release[0] || gb_root_exists(s->root, "/sys/module/vfio_pci"))
		return;
	snprintf(subject, sizeof(subject), "kernel %s", s->site.release);
	gb_check(checks, "vfio-module", GB_WARN, subject,
		 "runs, and its modules are not installed: vfio-pci can't be loaded now");
	gb_check_evidence(checks, "/lib/modules/%s: not there", s->site.release);
	gb_check_fix(checks, "reboot into an installed kernel");
}

static void judge_kernels(const struct gb_survey *s, struct gb_checks *checks)
{
	if (!s->site.kernels) {
		gb_check(checks, "vfio-module", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether there are vfio modules");
		gb_check_evidence(checks, "/lib/modules: no kernel");
		return;
	}
	for (size_t i = 0; i < s->site.kernels; i++)
		judge_modules(s, s->site.kernel[i], checks);
	judge_running_modules(s, checks);
}

/* ---- Secure Boot and lockdown -------------------------------------------------------------- */

static void judge_secure_boot(const struct gb_survey *s, struct gb_checks *checks)
{
	if (s->site.secure_boot == GB_YES)
		gb_check(checks, "secure-boot", GB_PASS, SYSTEM,
			 "Secure Boot is on: vfio modules of the distribution load, drivers built "
			 "elsewhere only when they are signed with an enrolled key");
	else if (s->site.secure_boot == GB_NO)
		gb_check(checks, "secure-boot", GB_PASS, SYSTEM, "Secure Boot is off%s",
			 s->site.efi == GB_NO ? ": this machine was not booted by UEFI" : "");
	else
		gb_check(checks, "secure-boot", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether Secure Boot is on");
	gb_check_evidence(checks, "/sys/firmware/efi%s",
			  s->site.efi != GB_YES			 ? ": not there"
			  : s->site.secure_boot == GB_CANNOT_TELL ? "/efivars: no SecureBoot"
			  : s->site.secure_boot == GB_YES	 ? "/efivars: SecureBoot 1"
								 : "/efivars: SecureBoot 0");
	if (s->site.secure_boot == GB_CANNOT_TELL && s->site.efi == GB_YES) {
		gb_check_fix(checks, "mount -t efivarfs efivarfs /sys/firmware/efi/efivars");
	}
}

static void judge_lockdown(const struct gb_survey *s, struct gb_checks *checks)
{
	if (!s->site.lockdown[0])
		gb_check(checks, "lockdown", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether the kernel is locked down");
	else if (!strcmp(s->site.lockdown, "none"))
		gb_check(checks, "lockdown", GB_PASS, SYSTEM, "the kernel is not locked down");
	else
		gb_check(checks, "lockdown", GB_PASS, SYSTEM,
			 "the kernel is locked down (%s): vfio works, but unsigned modules don't load "
			 "and setpci can't write", s->site.lockdown);
	gb_check_evidence(checks, "/sys/kernel/security/lockdown: %s",
			  s->site.lockdown[0] ? s->site.lockdown : "not there");
}

/* ---- drivers that are there before anybody loads one ---------------------------------------- */

/* Writes the name of the driver whose entry "NAME.alias=PATTERN" fits, and says whether one does.
 * Entries end with a NUL byte (scripts/mod, since 5.2). */
static bool find_built_in(const char *info, size_t len, const char *modalias, char *name,
			  size_t size)
{
	const char *end = info + len;

	for (; info < end; info += strlen(info) + 1) {
		const char *alias = strstr(info, ".alias=pci:");

		if (!alias || fnmatch(alias + strlen(".alias="), modalias, 0))
			continue;
		snprintf(name, size, "%.*s", (int)(alias - info), info);
		return true;
	}
	return false;
}

static bool read_modalias(const struct gb_survey *s, int node, char *ret, size_t size)
{
	char bdf[GB_BDF_MAX], path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/modalias",
		 gb_bdf_format(s->topology.node[node].device->bdf, bdf));
	if (gb_root_read(s->root, path, ret, size) <= 0)
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

static void judge_built_in(const struct gb_survey *s, struct gb_checks *checks)
{
	char path[PATH_LEN], modalias[128], name[64], bdf[GB_BDF_MAX], *info;
	size_t len;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin.modinfo", s->site.release);
	if (!s->site.release[0] || gb_root_read_all(s->root, path, LIST_MAX, &info, &len))
		return;
	for (int i = 0; i < (int)s->topology.nodes; i++) {
		if (!gb_survey_is_claimed(s, i) || !read_modalias(s, i, modalias, sizeof(modalias)) ||
		    !find_built_in(info, len, modalias, name, sizeof(name)))
			continue;
		gb_check(checks, "drivers-early", GB_PASS,
			 gb_bdf_format(s->topology.node[i].device->bdf, bdf),
			 "its driver %s is built into this kernel and has it first; ghost-claim takes "
			 "it back", name);
		gb_check_evidence(checks, "%s", path);
	}
	free(info);
}

void gb_judge_system(const struct gb_survey *survey, struct gb_checks *checks)
{
	judge_kernels(survey, checks);
	judge_secure_boot(survey, checks);
	judge_lockdown(survey, checks);
	judge_built_in(survey, checks);
}
