/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_BOOTWORDS_H
#define GB_BOOTWORDS_H

struct gb_findings;

/* What a kernel command line says about passthrough. */
void gb_bootwords_read(struct gb_findings *f, const char *text);

#endif
