/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_PRELOAD_H
#define GB_PRELOAD_H

#include <stddef.h>

struct gb_findings;

/* Lists of modules to load or to put into the image, by who reads them. */

void gb_preload_systemd(struct gb_findings *f, const char *data, size_t len);
void gb_preload_initramfs_tools(struct gb_findings *f, const char *data, size_t len);
void gb_preload_dracut(struct gb_findings *f, const char *data, size_t len);
void gb_preload_mkinitcpio(struct gb_findings *f, const char *data, size_t len);

#endif
