/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonread.h"
#include "record.h"
#include "root.h"

#define RECORD_MAX (4u << 20)

#define TEXT(object, key, field) \
	gb_value_text(gb_value_member(object, key), field, sizeof(field))

static double number_of(struct gb_value object, const char *key)
{
	double number = 0;

	gb_value_number(gb_value_member(object, key), &number);
	return number;
}

static unsigned line_of(struct gb_value object)
{
	double number = number_of(object, "line");

	return number > 0 && number < 1e9 ? (unsigned)number : 0;
}

static bool add_device(struct gb_account *account, struct gb_value object, bool late)
{
	struct gb_account_device *device, *more;
	char bdf[GB_BDF_MAX];

	if (account->devices == GB_ACCOUNT_DEVICES_MAX)
		return true;
	more = realloc(account->device, (account->devices + 1) * sizeof(*more));
	if (!more)
		return false;
	account->device = more;
	device = &more[account->devices++];
	memset(device, 0, sizeof(*device));
	device->line = line_of(object);
	TEXT(object, "path", device->path);
	TEXT(object, "id", device->id);
	TEXT(object, "decision", device->decision);
	TEXT(object, "result", device->result);
	TEXT(object, "text", device->text);
	TEXT(object, "driver_before", device->before);
	TEXT(object, "driver", device->driver);
	device->placed = TEXT(object, "bdf", bdf) && gb_bdf_parse(bdf, &device->bdf);
	device->late = late;
	device->at = late ? number_of(object, "at") : account->at;
	return true;
}

static void add_modules(struct gb_account *account, struct gb_value list)
{
	struct gb_value item = { NULL, NULL };

	while (account->modules < GB_ACCOUNT_MODULES_MAX && gb_value_next(list, &item)) {
		struct gb_account_module *module = &account->module[account->modules++];

		TEXT(item, "driver", module->driver);
		TEXT(item, "state", module->state);
		TEXT(item, "text", module->text);
	}
}

static void take_problems(struct gb_account *account, struct gb_value record)
{
	struct gb_value item = { NULL, NULL };
	char file[100], text[160];
	double count = number_of(record, "problem_count");

	account->problems = count > 0 && count < 1e9 ? (size_t)count : 0;
	if (!gb_value_next(gb_value_member(record, "problems"), &item))
		return;
	TEXT(item, "file", file);
	TEXT(item, "text", text);
	snprintf(account->problem, sizeof(account->problem), "%s:%u: %s", file, line_of(item),
		 text);
}

static bool take_record(struct gb_account *account, struct gb_value record)
{
	struct gb_value item = { NULL, NULL }, devices = gb_value_member(record, "devices");
	struct gb_value trial = gb_value_member(record, "trial");

	account->at = number_of(record, "at");
	account->took_ms = number_of(record, "took_ms");
	account->armed = gb_value_is_true(gb_value_member(record, "armed"));
	TEXT(record, "arming", account->arming);
	account->broken = !TEXT(record, "outcome", account->outcome);
	TEXT(record, "error", account->error);
	TEXT(record, "claims_file", account->claims_file);
	TEXT(trial, "counter", account->counter);
	TEXT(trial, "text", account->counter_text);
	take_problems(account, record);
	add_modules(account, gb_value_member(record, "modules"));
	while (gb_value_next(devices, &item))
		if (!add_device(account, item, false))
			return false;
	return true;
}

struct late {
	struct gb_root *root;
	struct gb_account *account;
	const char *folder;
	size_t files;
};

static int read_late(void *ctx, const char *name)
{
	struct late *late = ctx;
	char path[PATH_MAX], *data;
	struct gb_value record;
	size_t len;
	bool good = true;

	snprintf(path, sizeof(path), "%s/%s", late->folder, name);
	if (name[0] == '.' || late->files++ == GB_ACCOUNT_DEVICES_MAX ||
	    gb_root_read_all(late->root, path, RECORD_MAX, &data, &len))
		return 0;
	if (gb_value_parse(data, len, &record))
		good = add_device(late->account, record, true);
	free(data);
	return good ? 0 : -ENOMEM;
}

int gb_account_read(struct gb_root *root, struct gb_account *ret)
{
	static const char *const files[] = { GB_RECORDS "/claim.json",
					     GB_RECORDS_WAIT "/claim.json" };
	struct late late = { root, ret, GB_RECORDS "/late", 0 };
	struct gb_value record;
	bool good = true;
	size_t len;
	char *data;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; !ret->file && i < sizeof(files) / sizeof(*files); i++) {
		int r = gb_root_read_all(root, files[i], RECORD_MAX, &data, &len);

		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		ret->file = files[i];
		ret->waits = i;
		ret->broken = r || !gb_value_parse(data, len, &record);
		if (!ret->broken)
			good = take_record(ret, record);
		if (!r)
			free(data);
	}
	if (ret->waits)
		late.folder = GB_RECORDS_WAIT "/late";
	if (good)
		good = gb_root_list(root, late.folder, read_late, &late) != -ENOMEM;
	return good ? 0 : -ENOMEM;
}

void gb_account_clear(struct gb_account *account)
{
	free(account->device);
	memset(account, 0, sizeof(*account));
}
