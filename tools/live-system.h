/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_LIVE_SYSTEM_H
#define GB_LIVE_SYSTEM_H

struct gb_text;
struct gb_work;

/* The commands that take the claims' word from this machine's boot entries, on a live system, for a
 * person. Nothing where the loader's entries are no text, or their place is not known. */
void gb_live_system_commands(const struct gb_work *work, struct gb_text *ret);

#endif
