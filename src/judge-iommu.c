/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "root.h"
#include "text.h"

#define SYSTEM "system"
#define TABLES "/sys/firmware/acpi/tables"
#define UNITS "/sys/class/iommu"

/* ---- the firmware's table ---------------------------------------------------------------- */

/* `length` is 0 where nobody has read it. */
static bool present(int error, uint32_t length)
{
	return error ? error != ENOENT && error != ENOTDIR : length != 0;
}

static bool has_dmar(const struct gb_survey *s)
{
	return present(s->dmar_error, s->dmar.table.length);
}

static bool has_ivrs(const struct gb_survey *s)
{
	return present(s->ivrs_error, s->ivrs.table.length);
}

/* The kernel leaves the IOMMU off for such a unit (drivers/iommu/intel/dmar.c,
 * dmar_validate_one_drhd). */
static bool has_unit_nowhere(const struct gb_dmar *dmar)
{
	for (size_t i = 0; i < dmar->parts; i++)
		if (dmar->part[i].kind == GB_DMAR_UNIT &&
		    (!dmar->part[i].base || dmar->part[i].base == UINT64_MAX))
			return true;
	return false;
}

static void judge_table(const char *name, const char *file, int error, size_t units,
			const struct gb_acpi_table *table, bool nowhere, struct gb_checks *checks)
{
	if (error && error != EBADMSG) {
		gb_check(checks, "firmware-table", GB_PASS, SYSTEM,
			 "the firmware describes an IOMMU (%s)", name);
		gb_check_evidence(checks, "%s is there; what it says can't be read: %s", file,
				  strerror(error));
		return;
	}
	if (error || table->problem[0] || nowhere || !units) {
		gb_check(checks, "firmware-table", GB_WARN, SYSTEM,
			 "the firmware's description of the IOMMU (%s) is damaged", name);
		gb_check_evidence(checks, "%s: %s", file,
				  error ? "it is no such table" :
				  table->problem[0] ? table->problem :
				  nowhere ? "a unit without an address; the kernel then leaves the "
					    "IOMMU off" : "it names no unit");
		gb_check_fix(checks, "look for a newer firmware (BIOS) of this mainboard");
		return;
	}
	gb_check(checks, "firmware-table", GB_PASS, SYSTEM,
		 "the firmware describes an IOMMU (%s)", name);
	gb_check_evidence(checks, "%s: %zu unit%s", file, units, units == 1 ? "" : "s");
	if (!table->checksum)
		gb_check_evidence(checks, "its checksum is wrong, which the kernel overlooks");
}

static void advise_firmware(const struct gb_survey *s, struct gb_checks *checks)
{
	if (s->site.virtual)
		gb_check_fix(checks, "this is a virtual machine: give it an IOMMU where it is defined "
			     "(QEMU: -machine q35,kernel-irqchip=split -device "
			     "intel-iommu,intremap=on,caching-mode=on)");
	else if (s->site.processor == GB_INTEL)
		gb_check_fix(checks, "switch on VT-d in the firmware set-up; virtualization alone "
			     "(VT-x) is another thing");
	else if (s->site.processor == GB_AMD)
		gb_check_fix(checks, "set IOMMU (AMD-Vi) to Enabled, not Auto, in the firmware "
			     "set-up, often below AMD CBS, NBIO; SVM is another thing");
	else
		gb_check_fix(checks, "switch on VT-d (Intel) or IOMMU (AMD) in the firmware set-up");
}

static void judge_no_table(const struct gb_survey *s, struct gb_checks *checks)
{
	if (!gb_root_exists(s->root, TABLES)) {
		gb_check(checks, "firmware-table", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether the firmware describes an IOMMU");
		gb_check_evidence(checks, TABLES ": not there");
		return;
	}
	if (s->grouped) {
		gb_check(checks, "firmware-table", GB_PASS, SYSTEM,
			 "the kernel knows an IOMMU that is neither Intel's nor AMD's");
		gb_check_evidence(checks, TABLES ": neither DMAR nor IVRS");
		return;
	}
	gb_check(checks, "firmware-table", GB_FAIL, SYSTEM,
		 "the firmware describes no IOMMU: it is switched off there, or the machine (or "
		 "virtual machine) has none");
	gb_check_evidence(checks, TABLES ": neither DMAR nor IVRS");
	advise_firmware(s, checks);
}

static void judge_firmware(const struct gb_survey *s, struct gb_checks *checks)
{
	if (has_dmar(s))
		judge_table("Intel's DMAR", GB_DMAR_FILE, s->dmar_error,
			    gb_dmar_count(&s->dmar, GB_DMAR_UNIT), &s->dmar.table,
			    has_unit_nowhere(&s->dmar), checks);
	if (has_ivrs(s))
		judge_table("AMD's IVRS", GB_IVRS_FILE, s->ivrs_error, gb_ivrs_units(&s->ivrs),
			    &s->ivrs.table, false, checks);
	if (!has_dmar(s) && !has_ivrs(s))
		judge_no_table(s, checks);
}

/* ---- does it run? ------------------------------------------------------------------------ */

struct units {
	struct gb_text names;
	size_t units;
};

static int add_unit(void *ctx, const char *name)
{
	struct units *units = ctx;

	if (units->units++ < 8)
		gb_text_addf(&units->names, " %s", name);
	return 0;
}

__attribute__((format(printf, 2, 3)))
static void off_because(struct gb_checks *checks, const char *format, ...)
{
	char why[160];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	gb_check(checks, "iommu-running", GB_FAIL, SYSTEM, "the IOMMU does not run: %s", why);
}

/* "" when it is not set, "?" when nobody can tell. */
static void read_setting(const struct gb_survey *s, const char *name, char ret[static 8])
{
	if (!gb_site_kernel_config(s->root, s->site.release, name, ret, 8))
		gb_text_copy(ret, 8, "?");
}

static bool find_off_word(const struct gb_survey *s, char *word, size_t size)
{
	return (!gb_judge_is_amd(s) && gb_cmdline_find(s->cmdline, "intel_iommu", "off", word, size)) ||
	       (!gb_judge_is_intel(s) && gb_cmdline_find(s->cmdline, "amd_iommu", "off", word, size)) ||
	       gb_cmdline_find(s->cmdline, "iommu", "off", word, size);
}

static void blame_nobody(struct gb_checks *checks)
{
	off_because(checks, "cannot tell why");
	gb_check_fix(checks, "look for the reason in the kernel log: dmesg | grep -e DMAR -e AMD-Vi "
		     "-e IOMMU");
}

/* drivers/iommu/intel/iommu.c, dmar_disabled; INTGPU_OFF is Debian's. */
static void blame_intel(const struct gb_survey *s, struct gb_checks *checks)
{
	char built[8], on[8], most[8], word[64];

	read_setting(s, "INTEL_IOMMU", built);
	read_setting(s, "INTEL_IOMMU_DEFAULT_ON", on);
	read_setting(s, "INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF", most);
	if (!built[0]) {
		off_because(checks, "this kernel was built without Intel's (CONFIG_INTEL_IOMMU)");
		gb_check_fix(checks, "boot a kernel of the distribution");
	} else if (gb_cmdline_find(s->cmdline, "intel_iommu", "on", word, sizeof(word)) ||
		   on[0] == 'y' || most[0] == 'y') {
		blame_nobody(checks);
	} else {
		off_because(checks, on[0] == '?' ? "many kernels want the word intel_iommu=on, and it "
						   "is missing"
						 : "this kernel wants the word intel_iommu=on, and it "
						   "is missing");
		gb_judge_add_word(s, "intel_iommu=on", checks);
	}
	if (built[0] != '?')
		gb_check_evidence(checks, "kernel configuration: INTEL_IOMMU=%s "
				  "INTEL_IOMMU_DEFAULT_ON=%s", built[0] ? built : "n",
				  on[0] ? on : most[0] ? "all but the integrated display" : "n");
}

static void blame_amd(const struct gb_survey *s, struct gb_checks *checks)
{
	char built[8];

	read_setting(s, "AMD_IOMMU", built);
	if (built[0]) {
		blame_nobody(checks);
		return;
	}
	off_because(checks, "this kernel was built without AMD's (CONFIG_AMD_IOMMU)");
	gb_check_fix(checks, "boot a kernel of the distribution");
}

static void judge_off(const struct gb_survey *s, struct gb_checks *checks)
{
	char word[64];

	if (find_off_word(s, word, sizeof(word))) {
		off_because(checks, "the kernel command line turns it off");
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
		gb_judge_remove_word(s, word, checks);
	} else if (!has_dmar(s) && !has_ivrs(s) && gb_root_exists(s->root, TABLES)) {
		off_because(checks, "the firmware describes none");
		gb_check_fix(checks, "see above: the firmware set-up comes first");
	} else if (gb_judge_is_intel(s)) {
		blame_intel(s, checks);
	} else if (gb_judge_is_amd(s)) {
		blame_amd(s, checks);
	} else {
		blame_nobody(checks);
	}
}

/* A group that vfio made up for a device without an IOMMU (drivers/vfio/group.c,
 * vfio_noiommu_group_alloc). */
static bool only_pretends(const struct gb_survey *s)
{
	char path[64], name[32];

	for (size_t i = 0; i < s->machine.devices; i++) {
		if (s->machine.device[i].group < 0)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/name",
			 s->machine.device[i].group);
		if (gb_root_read(s->root, path, name, sizeof(name)) > 0 &&
		    !strncmp(name, "vfio-noiommu", 12))
			return true;
	}
	return false;
}

static int count(void *ctx, const char *name)
{
	(void)name;
	++*(size_t *)ctx;
	return 0;
}

static void judge_running(const struct gb_survey *s, struct gb_checks *checks)
{
	struct units units = { 0 };
	int r = gb_root_list(s->root, UNITS, add_unit, &units);
	size_t groups = 0;

	if (!units.units && s->grouped && only_pretends(s)) {
		off_because(checks, "vfio only pretends (enable_unsafe_noiommu_mode), and a guest can "
			    "reach all memory");
		gb_check_evidence(checks, "/sys/kernel/iommu_groups: named vfio-noiommu");
		gb_check_fix(checks, "take enable_unsafe_noiommu_mode away, and switch a real IOMMU on");
	} else if (s->grouped) {
		gb_root_list(s->root, "/sys/kernel/iommu_groups", count, &groups);
		gb_check(checks, "iommu-running", GB_PASS, SYSTEM,
			 "the IOMMU runs, and the kernel has made %zu groups", groups);
		if (units.units)
			gb_check_evidence(checks, UNITS ":%s", units.names.data);
		else
			gb_check_evidence(checks, "/sys/kernel/iommu_groups: %zu", groups);
	} else if (units.units) {
		gb_check(checks, "iommu-running", GB_FAIL, SYSTEM,
			 "an IOMMU runs, and none of the devices looked at has a group");
		gb_check_evidence(checks, UNITS ":%s", units.names.data);
	} else if (!r) {
		judge_off(s, checks);
		gb_check_evidence(checks, UNITS ": empty");
	} else if (gb_root_is_real(s->root) && gb_root_exists(s->root, "/sys/class/pci_bus")) {
		off_because(checks, "this kernel was built without any");
		gb_check_fix(checks, "boot a kernel of the distribution");
	} else {
		gb_check(checks, "iommu-running", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether an IOMMU runs");
		gb_check_evidence(checks, UNITS ": not there, and no device has a group");
	}
	gb_text_clear(&units.names);
}

void gb_judge_iommu(const struct gb_survey *survey, struct gb_checks *checks)
{
	judge_firmware(survey, checks);
	judge_running(survey, checks);
}
