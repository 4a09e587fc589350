/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trialstate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "recordtext.h"
#include "root.h"
#include "store.h"
#include "text.h"

#define FAMILY "ghost-boot trial "
#define FIRST_LINE FAMILY "1\n"
#define NAME "trial"
#define TRIAL_MAX (1u << 20)
#define SECONDS_MAX 86400

static const char *const state_names[GB_TRIAL_STATES] = {
	[GB_TRIAL_NONE] = "none",	    [GB_TRIAL_PREPARED] = "prepared",
	[GB_TRIAL_ARMED] = "armed",	    [GB_TRIAL_BOOTED] = "booted",
	[GB_TRIAL_CONFIRMED] = "confirmed", [GB_TRIAL_FAILED] = "failed",
};

/* ---- the states ------------------------------------------------------------------------- */

/* All that may happen. What is armed is disarmed before its entry goes: for one that is not there
 * GRUB boots the first of its menu, whatever is the usual one (grub-core/normal/menu.c, run_menu). */
static const struct move {
	enum gb_trial_state from;
	enum gb_trial_event event;
	enum gb_trial_state to;
} moves[] = {
	{ GB_TRIAL_NONE, GB_TRIAL_PREPARE, GB_TRIAL_PREPARED },
	{ GB_TRIAL_NONE, GB_TRIAL_LEAVE, GB_TRIAL_NONE },

	{ GB_TRIAL_PREPARED, GB_TRIAL_PREPARE, GB_TRIAL_PREPARED },
	{ GB_TRIAL_PREPARED, GB_TRIAL_ARM, GB_TRIAL_ARMED },
	{ GB_TRIAL_PREPARED, GB_TRIAL_ENTER, GB_TRIAL_BOOTED }, /* chosen in the boot menu */
	{ GB_TRIAL_PREPARED, GB_TRIAL_LEAVE, GB_TRIAL_PREPARED },
	{ GB_TRIAL_PREPARED, GB_TRIAL_CANCEL, GB_TRIAL_NONE },

	{ GB_TRIAL_ARMED, GB_TRIAL_DISARM, GB_TRIAL_PREPARED },
	{ GB_TRIAL_ARMED, GB_TRIAL_ENTER, GB_TRIAL_BOOTED },
	{ GB_TRIAL_ARMED, GB_TRIAL_LEAVE, GB_TRIAL_FAILED },

	{ GB_TRIAL_BOOTED, GB_TRIAL_PREPARE, GB_TRIAL_PREPARED },
	{ GB_TRIAL_BOOTED, GB_TRIAL_ENTER, GB_TRIAL_BOOTED }, /* chosen in the boot menu */
	{ GB_TRIAL_BOOTED, GB_TRIAL_LEAVE, GB_TRIAL_FAILED },
	{ GB_TRIAL_BOOTED, GB_TRIAL_CONFIRM, GB_TRIAL_CONFIRMED },
	{ GB_TRIAL_BOOTED, GB_TRIAL_CANCEL, GB_TRIAL_NONE },

	{ GB_TRIAL_CONFIRMED, GB_TRIAL_ENTER, GB_TRIAL_CONFIRMED },
	{ GB_TRIAL_CONFIRMED, GB_TRIAL_LEAVE, GB_TRIAL_CONFIRMED },
	{ GB_TRIAL_CONFIRMED, GB_TRIAL_TIDY, GB_TRIAL_NONE },

	{ GB_TRIAL_FAILED, GB_TRIAL_PREPARE, GB_TRIAL_PREPARED },
	{ GB_TRIAL_FAILED, GB_TRIAL_ENTER, GB_TRIAL_BOOTED }, /* chosen in the boot menu */
	{ GB_TRIAL_FAILED, GB_TRIAL_LEAVE, GB_TRIAL_FAILED },
	{ GB_TRIAL_FAILED, GB_TRIAL_CANCEL, GB_TRIAL_NONE },
};

enum gb_trial_state gb_trial_next(enum gb_trial_state state, enum gb_trial_event event)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
		if (moves[i].from == state && moves[i].event == event)
			return moves[i].to;
	return GB_TRIAL_STATES;
}

const char *gb_trial_name(enum gb_trial_state state)
{
	return state_names[state];
}

void gb_trial_id(uint32_t id, char ret[GB_TRIAL_ID])
{
	snprintf(ret, GB_TRIAL_ID, "%08" PRIx32, id);
}

/* ---- the file --------------------------------------------------------------------------- */

void gb_trial_clear(struct gb_trial *trial)
{
	for (size_t i = 0; i < trial->images; i++)
		free(trial->image[i]);
	free(trial->image);
	free(trial->kernel);
	free(trial->loader);
	free(trial->entry);
	free(trial->entry_file);
	free(trial->usual);
	free(trial->stamp);
	free(trial->reason);
	gb_observation_clear(&trial->before);
	memset(trial, 0, sizeof(*trial));
}

bool gb_trial_set(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return false;
	free(*field);
	*field = copy;
	return true;
}

static void add(struct gb_text *text, const char *tag, const char *word)
{
	gb_text_addf(text, "%s", tag);
	gb_record_word(text, word);
	gb_text_addf(text, "\n");
}

static void print(const struct gb_trial *trial, struct gb_text *text)
{
	gb_text_addf(text, FIRST_LINE "state %s\n", gb_trial_name(trial->state));
	gb_text_addf(text, "id %08" PRIx32 "\n", trial->id);
	if (trial->counted)
		gb_text_addf(text, "counted\n");
	gb_text_addf(text, "time %lld\n", (long long)trial->time);
	if (trial->manual)
		gb_text_addf(text, "confirm manual\n");
	else
		gb_text_addf(text, "confirm auto %u\n", trial->seconds);
	add(text, "boot", trial->boot);
	add(text, "claims", trial->claims);
	add(text, "kernel", trial->kernel);
	add(text, "loader", trial->loader);
	add(text, "entry", trial->entry);
	add(text, "entry-file", trial->entry_file);
	add(text, "usual", trial->usual);
	for (size_t i = 0; i < trial->images; i++)
		add(text, "image", trial->image[i]);
	add(text, "stamp", trial->stamp);
	if (trial->retire)
		gb_text_addf(text, "retire\n");
	if (trial->watchdog)
		gb_text_addf(text, "watchdog\n");
	add(text, "reason", trial->reason);
	gb_observation_print(&trial->before, text);
	gb_record_end(text, 0);
}

static bool read_state(struct gb_trial *trial, const char *name)
{
	size_t i = GB_TRIAL_NONE + 1;

	while (i < GB_TRIAL_STATES && strcmp(state_names[i], name))
		i++;
	if (i == GB_TRIAL_STATES)
		return false;
	trial->state = (enum gb_trial_state)i;
	return true;
}

static bool read_id(struct gb_trial *trial, const char *word)
{
	uint64_t id;

	if (!gb_text_hex(&word, 8, &id) || *word)
		return false;
	trial->id = (uint32_t)id;
	return true;
}

static bool read_confirm(struct gb_trial *trial, struct gb_record *line)
{
	const char *mode = gb_record_next_raw(line);

	trial->manual = !strcmp(mode, "manual");
	if (!trial->manual)
		trial->seconds = (unsigned)gb_record_next_number(line, 10, 0, SECONDS_MAX);
	return trial->manual || !strcmp(mode, "auto");
}

static bool take(char **field, struct gb_record *line)
{
	free(*field);
	*field = gb_record_next_word(line);
	return *field;
}

static bool take_into(char *field, size_t size, struct gb_record *line)
{
	char *word;
	size_t len = gb_record_next_bytes(line, &word);

	return strlen(word) == len && gb_text_copy(field, size, word);
}

static bool take_image(struct gb_trial *trial, struct gb_record *line)
{
	char **all = realloc(trial->image, (trial->images + 1) * sizeof(*all));

	if (!all)
		return false;
	trial->image = all;
	all[trial->images] = gb_record_next_word(line);
	if (!all[trial->images])
		return false;
	trial->images++;
	return true;
}

static char **field_of(struct gb_trial *trial, const char *tag)
{
	const struct {
		const char *tag;
		char **field;
	} fields[] = {
		{ "kernel", &trial->kernel }, { "loader", &trial->loader },
		{ "entry", &trial->entry },   { "entry-file", &trial->entry_file },
		{ "usual", &trial->usual },   { "stamp", &trial->stamp },
		{ "reason", &trial->reason },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcmp(fields[i].tag, tag))
			return fields[i].field;
	return NULL;
}

static bool read_line(void *ctx, const char *tag, struct gb_record *line)
{
	struct gb_trial *trial = ctx;
	char **field = field_of(trial, tag);

	if (field)
		return take(field, line);
	if (!strcmp(tag, "state"))
		return read_state(trial, gb_record_next_raw(line));
	if (!strcmp(tag, "id"))
		return read_id(trial, gb_record_next_raw(line));
	if (!strcmp(tag, "counted"))
		return trial->counted = true;
	if (!strcmp(tag, "retire"))
		return trial->retire = true;
	if (!strcmp(tag, "watchdog"))
		return trial->watchdog = true;
	if (!strcmp(tag, "time")) {
		trial->time = gb_record_next_number(line, 10, 0, INT64_MAX);
		return true;
	}
	if (!strcmp(tag, "confirm"))
		return read_confirm(trial, line);
	if (!strcmp(tag, "boot"))
		return take_into(trial->boot, sizeof(trial->boot), line);
	if (!strcmp(tag, "claims"))
		return take_into(trial->claims, sizeof(trial->claims), line);
	if (!strcmp(tag, "image"))
		return take_image(trial, line);
	return gb_observation_take(&trial->before, tag, line);
}

static bool is_newer(const char *data, size_t len)
{
	return len > strlen(FAMILY) && !memcmp(data, FAMILY, strlen(FAMILY)) &&
	       (len < strlen(FIRST_LINE) || memcmp(data, FIRST_LINE, strlen(FIRST_LINE)));
}

int gb_trial_parse(const char *data, size_t len, struct gb_trial *ret, struct gb_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	if (is_newer(data, len))
		return gb_fail(err, EPROTONOSUPPORT, GB_TRIAL " was written by another version of ghost-boot");
	r = gb_record_parse(data, len, FIRST_LINE, GB_TRIAL, read_line, ret, err);
	if (!r && (!ret->state || ret->before.failed))
		r = gb_fail(err, ret->before.failed ? ENOMEM : EBADMSG, GB_TRIAL " says no state");
	if (r)
		gb_trial_clear(ret);
	return r;
}

int gb_trial_read(struct gb_root *root, struct gb_trial *ret, struct gb_err *err)
{
	size_t len;
	char *data;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = gb_root_read_all(root, GB_TRIAL, TRIAL_MAX, &data, &len);
	if (r == -ENOENT)
		return 0;
	if (r)
		return gb_fail(err, -r, GB_TRIAL ": %s", strerror(-r));
	r = gb_trial_parse(data, len, ret, err);
	free(data);
	return r;
}

int gb_trial_print(const struct gb_trial *trial, struct gb_text *ret, struct gb_err *err)
{
	struct gb_err why = { "" };
	struct gb_trial again;
	int r;

	print(trial, ret);
	if (ret->failed)
		return gb_fail(err, ENOMEM, "out of memory");
	if (ret->len > TRIAL_MAX)
		return gb_fail(err, EFBIG, GB_TRIAL " would be too large to be read again");
	r = gb_trial_parse(ret->data, ret->len, &again, &why);
	gb_trial_clear(&again);
	return r ? gb_fail(err, -r, "it could not be read again: %s", why.text) : 0;
}

static int replace(struct gb_store *store, int folder, const struct gb_trial *trial,
		   struct gb_err *err)
{
	struct gb_text text = { 0 };
	int r = gb_trial_print(trial, &text, err);

	if (!r) {
		r = gb_store_replace(store, folder, NAME, text.data, text.len);
		if (r)
			gb_fail(err, -r, GB_TRIAL ": %s", strerror(-r));
	}
	gb_text_clear(&text);
	return r;
}

static int remove_it(struct gb_store *store, int folder, struct gb_err *err)
{
	int r = gb_store_unlink(store, folder, NAME);

	if (!r)
		r = gb_store_fsync(store, folder);
	return r ? gb_fail(err, -r, GB_TRIAL ": %s", strerror(-r)) : 0;
}

int gb_trial_write(struct gb_store *store, const struct gb_trial *trial, struct gb_err *err)
{
	int r, folder = gb_journal_base(store, err);

	if (folder < 0)
		return folder;
	r = trial->state ? replace(store, folder, trial, err) : remove_it(store, folder, err);
	close(folder);
	return r;
}
