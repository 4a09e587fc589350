/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_VERSION_ORDER_H
#define GB_VERSION_ORDER_H

/* Negative, 0 or positive: a is older than, as old as, newer than b. */

/* As systemd-boot sorts versions and entry names: the UAPI Group's Version Format Specification. */
int gb_version_compare(const char *a, const char *b);

/* As Fedora's GRUB does (rpm's rpmvercmp, without its caret). */
int gb_version_compare_rpm(const char *a, const char *b);

#endif
