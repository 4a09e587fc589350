/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_NAMES_H
#define GB_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct gb_identity;
struct gb_root;

/* What devices are called: pci.ids, the root's own or else the system's. The file is read when
 * the first name is asked for. */
struct gb_names;

/* NULL when out of memory, which is allowed below: then there are no names. */
struct gb_names *gb_names_open(struct gb_root *root);
void gb_names_close(struct gb_names *names);

/* "NVIDIA GeForce RTX 3090 Ti (GA102)", the maker's name shortened and what a person knows it by
 * first. What is in no list is called by its class and IDs. Printable UTF-8 in any case. */
#define GB_NAME_MAX 160
const char *gb_names_device(struct gb_names *names, const struct gb_identity *id,
			    char ret[static GB_NAME_MAX]);

/* "VGA controller": what kind of device a class of 24 bits is. */
const char *gb_class_text(uint32_t class);

#endif
