/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_WARNING_H
#define GB_WARNING_H

#include <stdbool.h>

#include "check.h"

struct gb_disks;
struct gb_target;

/* What will be otherwise once a target is claimed, and does not stand against it: programs that
 * look for the device, a prompt that nobody sees, who has it open now. Each is a warning with what
 * is said where, and what to do. What has no trace here adds nothing. */
void gb_warnings_read(const struct gb_target *target, const struct gb_disks *disks,
		      struct gb_checks *checks);

/* Does this unit fail when no display of NVIDIA's is left to the host? */
bool gb_warning_fails_without_nvidia(const char *unit);

#endif
