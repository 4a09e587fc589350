/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A diagnosis for programs. */
#include <stdio.h>

#include "diag.h"
#include "json.h"
#include "story.h"

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void add_record(struct gb_json *json, const struct gb_account *account)
{
	if (!account->file || account->broken) {
		gb_json_null(json, "record");
		return;
	}
	gb_json_open(json, "record", '{');
	gb_json_string(json, "file", account->file);
	gb_json_fixed(json, "at", account->at, 3);
	gb_json_fixed(json, "took_ms", account->took_ms, 1);
	gb_json_string(json, "outcome", or_null(account->outcome));
	gb_json_string(json, "error", or_null(account->error));
	gb_json_string(json, "claims_file", or_null(account->claims_file));
	gb_json_close(json, '}');
}

static void add_trial(struct gb_json *json, const struct gb_diag *diag)
{
	if (!diag->cmdline.trial[0]) {
		gb_json_null(json, "trial");
		return;
	}
	gb_json_open(json, "trial", '{');
	gb_json_string(json, "id", diag->cmdline.trial);
	gb_json_bool(json, "counted", diag->cmdline.counted);
	gb_json_string(json, "counter", or_null(diag->account.counter));
	gb_json_string(json, "text", or_null(diag->account.counter_text));
	gb_json_close(json, '}');
}

static void add_channels(struct gb_json *json, const struct gb_channels *channels)
{
	gb_json_open(json, "channels", '[');
	for (size_t i = 0; i < channels->channels; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "channel", gb_channel_name(channels->channel[i].kind));
		gb_json_string(json, "where", channels->channel[i].where);
		gb_json_string(json, "what", or_null(channels->channel[i].what));
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_events(struct gb_json *json, const struct gb_diag *diag,
		       const struct gb_diag_device *device)
{
	struct gb_event event;
	size_t at = 0, n = 0;

	gb_json_open(json, "events", '[');
	while (device->placed && n++ < 64 && gb_story_next(&diag->log, device->bdf, &at, &event)) {
		gb_json_open(json, NULL, '{');
		if (event.us == GB_LOG_NO_TIME)
			gb_json_null(json, "at");
		else
			gb_json_fixed(json, "at", (double)event.us / 1e6, 6);
		gb_json_string(json, "driver", or_null(event.driver));
		gb_json_string(json, "text", event.text);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_device(struct gb_json *json, const struct gb_diag *diag,
		       const struct gb_diag_device *device)
{
	const struct gb_account_device *account = device->account;
	char address[GB_BDF_MAX];

	gb_json_open(json, NULL, '{');
	gb_json_string(json, "bdf", device->placed ? gb_bdf_format(device->bdf, address) : NULL);
	gb_json_string(json, "path", or_null(device->path));
	gb_json_string(json, "id", or_null(device->id));
	gb_json_string(json, "standing", gb_standing_name(device->standing));
	gb_json_string(json, "planned_driver", device->wants);
	gb_json_string(json, "driver", or_null(device->driver));
	gb_json_string(json, "result", account ? or_null(account->result) : NULL);
	gb_json_string(json, "text", account ? or_null(account->text) : NULL);
	add_channels(json, &device->channels);
	add_events(json, diag, device);
	gb_json_close(json, '}');
}

static void add_next(void *ctx, const char *text)
{
	gb_json_string(ctx, NULL, text);
}

void gb_diag_json(const struct gb_diag *diag, struct gb_text *ret)
{
	static const char *const armings[] = { "armed", "not-armed", "off", NULL };
	struct gb_json json = { .text = ret };
	struct gb_text back = { 0 };

	gb_json_open(&json, NULL, '{');
	gb_json_int(&json, "version", 1);
	gb_json_string(&json, "tool", GB_VERSION);
	gb_json_string(&json, "arming", armings[diag->arming]);
	add_trial(&json, diag);
	add_record(&json, &diag->account);
	gb_json_open(&json, "devices", '[');
	for (size_t i = 0; i < diag->devices; i++)
		add_device(&json, diag, &diag->device[i]);
	gb_json_close(&json, ']');
	gb_json_string(&json, "checks_file", diag->checks_file);
	gb_checks_json(&diag->checks, &json);
	gb_json_open(&json, "next", '[');
	gb_diag_next(diag, add_next, &json);
	gb_json_close(&json, ']');
	gb_diag_back(diag, &back);
	gb_json_string(&json, "back", back.data);
	gb_text_clear(&back);
	gb_json_close(&json, '}');
	gb_text_add(ret, "\n", 1);
}
