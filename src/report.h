/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_REPORT_H
#define GB_REPORT_H

#include "diag.h"

/* A diagnosis fit for an issue tracker: everything, masked (src/mask.h). */
void gb_report_write(const struct gb_diag *diag, struct gb_text *ret);

#endif
