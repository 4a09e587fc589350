/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small desktop as a folder, and what a judgement says of it. */
#ifndef JUDGED_H
#define JUDGED_H

#include "fake.h"

#include "judge.h"

#define PORT "pci0000:00/0000:00:01.0"
#define GPU PORT "/0000:01:00.0"
#define AUDIO PORT "/0000:01:00.1"
#define IGPU "pci0000:00/0000:00:02.0"
#define HOST "pci0000:00/0000:00:00.0"

static struct tree tree;
static struct gb_survey survey;
static struct gb_checks checks;

typedef void (*judgement)(const struct gb_survey *survey, struct gb_checks *checks);

/* Config space of a PCI Express function with its port type (PCI Express Base Specification
 * 7.5.3.2), with Access Control Services or without. */
static inline void put_config(const char *where, int port, bool acs)
{
	uint8_t space[4096] = { 0x86, 0x80, 1, 0, [6] = 0x10, [0x34] = 0x40, [0x40] = 0x10 };
	char path[128];

	space[0x0e] = port == GB_PORT_ROOT ? 1 : 0x80;
	space[0x42] = (uint8_t)(2 | port << 4);
	if (acs) {
		space[0x100] = 0x0d;
		space[0x102] = 1;
		space[0x104] = 0x1d;
	}
	snprintf(path, sizeof(path), "/sys/devices/%s/config", where);
	tree_put_data(&tree, path, space, sizeof(space));
}

static inline void put_group(const char *where, int group)
{
	char path[128], target[64];

	snprintf(path, sizeof(path), "/sys/devices/%s/iommu_group", where);
	snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%d", group);
	tree_link(&tree, path, target);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d", group);
	tree_folder(&tree, path);
}

/* All of config space, no group: the IOMMU is off, or nothing tells. */
static inline int make(void **state)
{
	(void)state;
	tree_make(&tree);
	tree_pci(&tree, HOST, "8086:a700 8086:7270 060000", 0);
	tree_pci(&tree, PORT, "8086:a70d 8086:7270 060400", 1);
	tree_pci(&tree, GPU, "10de:2203 1462:5054 030000", 0);
	tree_pci(&tree, AUDIO, "10de:1aef 1462:5054 040300", 0);
	tree_pci(&tree, IGPU, "8086:a780 1462:7d91 030000", 0);
	put_config(HOST, GB_PORT_INTEGRATED, true);
	put_config(IGPU, GB_PORT_INTEGRATED, true);
	put_config(PORT, GB_PORT_ROOT, true);
	put_config(GPU, GB_PORT_ENDPOINT, false);
	put_config(AUDIO, GB_PORT_ENDPOINT, false);
	return 0;
}

/* As the kernel would: card together, the rest alone. */
static inline void put_groups(void)
{
	put_group(HOST, 0);
	put_group(PORT, 1);
	put_group(GPU, 2);
	put_group(AUDIO, 2);
	put_group(IGPU, 3);
	tree_folder(&tree, "/sys/class/iommu");
	tree_folder(&tree, "/sys/class/iommu/dmar0");
}

static inline void forget(void)
{
	gb_checks_clear(&checks);
	gb_survey_clear(&survey);
}

static inline int clear(void **state)
{
	(void)state;
	forget();
	tree_clear(&tree);
	return 0;
}

static inline void judge(judgement by)
{
	struct gb_err err;

	forget();
	if (gb_survey_read(tree.root, GB_SURVEY_WAKE | GB_SURVEY_FIRMWARE | GB_SURVEY_SITE, NULL,
			   NULL, 0, &survey, &err))
		fail_msg("%s", err.text);
	by(&survey, &checks);
	assert_false(checks.failed);
}

static inline bool holds(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* There is such a check, and it says so in its text, evidence or mend. */
static inline void says(const char *id, enum gb_mark mark, const char *part)
{
	for (size_t i = 0; i < checks.checks; i++) {
		const struct gb_check *c = &checks.check[i];

		if (!strcmp(c->id, id) && c->mark == mark &&
		    (holds(c->text, part) || holds(c->evidence, part) || holds(c->fix, part)))
			return;
	}
	for (size_t i = 0; i < checks.checks; i++)
		print_error("%s %s %s: %s | %s | %s\n", checks.check[i].id,
			    gb_mark_name(checks.check[i].mark), checks.check[i].subject,
			    checks.check[i].text, checks.check[i].evidence, checks.check[i].fix);
	fail_msg("no %s %s with \"%s\"", id, gb_mark_name(mark), part);
}

static inline size_t count(const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < checks.checks; i++)
		n += !strcmp(checks.check[i].id, id);
	return n;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, clear)

#endif
