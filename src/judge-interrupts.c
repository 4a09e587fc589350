/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "root.h"

#define SYSTEM "system"
#define UNITS "/sys/class/iommu"
#define INTERRUPTS_MAX (8u << 20) /* bytes; a line takes ten a processor */

enum { IR_UNREAD, IR_OFF, IR_ON };

/* Chips behind a remapping unit are named IR-… (drivers/iommu/intel/irq_remapping.c). */
static int read_interrupts(const struct gb_survey *s)
{
	char *data;
	size_t len;
	int r = IR_UNREAD;

	if (gb_root_read_all(s->root, "/proc/interrupts", INTERRUPTS_MAX, &data, &len))
		return r;
	if (strstr(data, " IR-"))
		r = IR_ON;
	else if (strstr(data, "IO-APIC")) /* always there on x86; others have other ways */
		r = IR_OFF;
	free(data);
	return r;
}

static int find_unable(void *ctx, const char *name)
{
	const struct gb_survey *s = ctx;
	char path[128], text[32];

	snprintf(path, sizeof(path), UNITS "/%s/intel-iommu/ecap", name);
	/* Virtualization Technology for Directed I/O 11.4.3: bit 3 is IR */
	return gb_root_read(s->root, path, text, sizeof(text)) > 0 &&
	       !(strtoull(text, NULL, 16) & 8);
}

static void blame_for_interrupts(const struct gb_survey *s, struct gb_checks *checks)
{
	char word[64];

	gb_check_evidence(checks, "/proc/interrupts: no IR- chips");
	if (gb_cmdline_find(s->cmdline, "nointremap", NULL, word, sizeof(word)) ||
	    gb_cmdline_find(s->cmdline, "intremap", "off", word, sizeof(word))) {
		gb_check_evidence(checks, "/proc/cmdline: %s", word);
		gb_judge_remove_word(s, word, checks);
	} else if (!s->dmar_error && s->dmar.table.length && !s->dmar.interrupt_remapping) {
		gb_check_evidence(checks, GB_DMAR_FILE ": interrupt remapping is not offered");
		gb_check_fix(checks, "look in the firmware set-up for interrupt remapping or x2APIC, or "
			     "for a newer firmware");
	} else if (gb_root_list(s->root, UNITS, find_unable, (void *)s) > 0) {
		gb_check_evidence(checks, UNITS ": ecap without bit 3, the hardware can't");
	} else {
		gb_check_fix(checks, "look for the reason in the kernel log: dmesg | grep -i remapping");
	}
}

void gb_judge_interrupts(const struct gb_survey *survey, struct gb_checks *checks)
{
	static const char parameter[] =
		"/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
	int read = read_interrupts(survey);
	char allowed[4] = "";
	bool unsafe = gb_root_read(survey->root, parameter, allowed, sizeof(allowed)) > 0 &&
		      allowed[0] == 'Y';

	if (read == IR_ON) {
		gb_check(checks, "interrupt-remapping", unsafe ? GB_WARN : GB_PASS, SYSTEM,
			 "interrupts are remapped: a guest can't send the host any%s",
			 unsafe ? ", so allow_unsafe_interrupts serves nothing" : "");
		gb_check_evidence(checks, "/proc/interrupts: IR- chips");
	} else if (read == IR_OFF) {
		gb_check(checks, "interrupt-remapping", GB_WARN, SYSTEM,
			 "interrupts are not remapped: VFIO %s", unsafe ?
			 "gives devices away all the same, and a guest can send the host any" :
			 "refuses devices, unless it is told to let guests send the host any");
		blame_for_interrupts(survey, checks);
	} else {
		gb_check(checks, "interrupt-remapping", GB_UNKNOWN, SYSTEM,
			 "cannot tell whether interrupts are remapped");
		gb_check_evidence(checks, "/proc/interrupts: not there, or without device "
				  "interrupts");
	}
	if (unsafe) {
		gb_check_evidence(checks, "%s: Y", parameter);
		gb_check_fix(checks, "take allow_unsafe_interrupts away");
	}
}
