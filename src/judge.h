/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_JUDGE_H
#define GB_JUDGE_H

#include <stdbool.h>

#include "check.h"
#include "survey.h"
#include "vfio.h"

/* What a survey means. Each adds its checks; none changes anything, or wakes or opens a device. */

/* The machine: the firmware's tables, and whether an IOMMU runs. (judge-iommu.c) */
void gb_judge_iommu(const struct gb_survey *survey, struct gb_checks *checks);
void gb_judge_interrupts(const struct gb_survey *survey, struct gb_checks *checks);
/* What the running kernel's command line says about all this. (judge-words.c) */
void gb_judge_words(const struct gb_survey *survey, struct gb_checks *checks);
/* The kernel's groups against the rules of gb_predict: the ACS override lie, a display left out,
 * and what could not be read. (judge-rules.c) */
void gb_judge_rules(const struct gb_survey *survey, struct gb_checks *checks);
/* The system: drivers and vfio modules of each kernel, Secure Boot, lockdown. (judge-system.c) */
void gb_judge_system(const struct gb_survey *survey, struct gb_checks *checks);
/* Earlier passthrough set-ups, by src/recipe; not in an image, for want of room.
 * (judge-recipe.c) */
void gb_judge_recipe(const struct gb_survey *survey, struct gb_checks *checks);
/* What a device's group and the way to it mean: members, isolation, bridges, the ACS override
 * lie, reserved memory. (judge-group.c; the next two are part of it) */
void gb_judge_group(const struct gb_survey *survey, int node, struct gb_checks *checks);
void gb_judge_path(const struct gb_survey *survey, int node, struct gb_checks *checks);
void gb_judge_reserved(const struct gb_survey *survey, int node, struct gb_checks *checks);
/* What would be lost with it: the last display, the boot display, root, swap, boot or network
 * behind its group. Walks /sys; opens no device. (judge-loss.c) */
void gb_judge_loss(const struct gb_survey *survey, int node, struct gb_checks *checks);
/* The device itself: driver, framebuffer, power, virtual functions (judge-device.c), and, as part
 * of it, what its registers say: resets, BARs, link (judge-hardware.c). */
void gb_judge_device(const struct gb_survey *survey, int node, struct gb_checks *checks);
void gb_judge_hardware(const struct gb_survey *survey, int node, struct gb_checks *checks);
/* Asks VFIO itself (VFIO_GROUP_GET_STATUS). Opens /dev/vfio/N, which may make a virtual machine
 * that starts just now fail: only for an explicit verify. (judge-viable.c, src/vfio) */
void gb_judge_viable(const struct gb_survey *survey, int node, struct gb_checks *checks);
void gb_judge_answer(int group, enum gb_vfio_answer answer, int error, struct gb_checks *checks);

/* Whose processor, or at least IOMMU, this is: neither where nobody can tell. (judge-words.c) */
bool gb_judge_is_intel(const struct gb_survey *survey);
bool gb_judge_is_amd(const struct gb_survey *survey);
/* The mend of the last check: how a word gets onto this machine's command line, or off it.
 * (judge-words.c) */
void gb_judge_add_word(const struct gb_survey *survey, const char *word, struct gb_checks *checks);
void gb_judge_remove_word(const struct gb_survey *survey, const char *word,
			  struct gb_checks *checks);

/* Whether a GPU may be given away, for a list: the worst of group and loss. */
enum gb_fitness { GB_FIT, GB_UNFIT, GB_FITNESS_UNKNOWN };
enum gb_fitness gb_judge_fitness(const struct gb_survey *survey, int node,
				 struct gb_checks *reasons); /* those that did not pass */
const char *gb_fitness_name(enum gb_fitness fitness); /* "ok", "refused", "unknown" */

#endif
