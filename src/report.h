/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_REPORT_H
#define GB_REPORT_H

#include "diag.h"

/* A diagnosis fit for an issue tracker: everything, masked (src/mask.h). `more`, if not NULL, adds
 * sections before the kernel log's. */
typedef void (*gb_report_fn)(const struct gb_diag *diag, struct gb_text *text);
void gb_report_write(const struct gb_diag *diag, gb_report_fn more, struct gb_text *ret);
/* Earlier passthrough set-ups: for the host, whose files they are, and 28 KiB too much for an
 * image. (report-recipes.c) */
void gb_report_recipes(const struct gb_diag *diag, struct gb_text *text);

#endif
