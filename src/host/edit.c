/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void gb_edit_clear(struct gb_edit *edit)
{
	free(edit->put);
	memset(edit, 0, sizeof(*edit));
}

int gb_edit_between(const char *old, size_t old_len, const char *new, size_t new_len,
		    struct gb_edit *ret)
{
	size_t least = old_len < new_len ? old_len : new_len, head = 0, tail = 0;
	struct gb_edit edit = { 0 };

	while (head < least && old[head] == new[head])
		head++;
	while (tail < least - head && old[old_len - 1 - tail] == new[new_len - 1 - tail])
		tail++;
	edit.at = head;
	edit.cut = old_len - head - tail;
	edit.len = new_len - head - tail;
	if (edit.len) {
		edit.put = malloc(edit.len);
		if (!edit.put)
			return -ENOMEM;
		memcpy(edit.put, new + head, edit.len);
	}
	*ret = edit;
	return 0;
}

int gb_edit_apply(const char *text, size_t len, const struct gb_edit *edit, char **ret,
		  size_t *ret_len)
{
	size_t behind;
	char *data;

	if (edit->at > len || edit->cut > len - edit->at)
		return -EINVAL;
	behind = edit->at + edit->cut;
	data = malloc(len - edit->cut + edit->len + 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, text, edit->at);
	if (edit->len)
		memcpy(data + edit->at, edit->put, edit->len);
	memcpy(data + edit->at + edit->len, text + behind, len - behind);
	*ret_len = len - edit->cut + edit->len;
	data[*ret_len] = '\0';
	*ret = data;
	return 0;
}
