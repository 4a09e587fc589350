/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpio archives made in memory. */
#ifndef MADE_H
#define MADE_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake.h"
#include "text.h"

#define FOLDER (S_IFDIR | 0755)
#define PLAIN (S_IFREG | 0644)
#define PROGRAM (S_IFREG | 0755)

static inline void made_pad(struct gb_text *to)
{
	gb_text_add(to, "\0\0\0", -to->len & 3);
}

/* Everything that a header says of a file can be a lie. */
static inline void made_entry(struct gb_text *to, const char *name, unsigned mode, unsigned inode,
			      unsigned links, const void *data, size_t len)
{
	gb_text_addf(to, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", inode, mode,
		     0, 0, links, 0, len, 8, 1, 0, 0, strlen(name) + 1, 0);
	gb_text_add(to, name, strlen(name) + 1);
	made_pad(to);
	gb_text_add(to, data, len);
	made_pad(to);
}

static inline void made_file(struct gb_text *to, const char *name, unsigned mode, const char *text)
{
	static unsigned inode;

	made_entry(to, name, mode, ++inode, 1, text, strlen(text));
}

static inline void made_link(struct gb_text *to, const char *name, const char *target)
{
	made_file(to, name, S_IFLNK | 0777, target);
}

static inline void made_folders(struct gb_text *to, const char *names)
{
	char copy[1024], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		made_file(to, s, FOLDER, "");
}

static inline void made_end(struct gb_text *to)
{
	made_entry(to, "TRAILER!!!", 0, 0, 1, "", 0);
}

#endif
