/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "json.h"
#include "root.h"

/* Kernel log levels (include/linux/kern_levels.h); "quiet" still shows errors. */
enum { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

const char *gb_outcome_name(enum gb_outcome outcome)
{
	static const char *const names[] = { "claimed",	  "partly", "nothing",
					     "not-armed", "off",    "failed" };

	return names[outcome];
}

const struct gb_task *gb_report_task(const struct gb_report *report, size_t line)
{
	for (size_t i = 0; report->claim && i < report->claim->tasks; i++)
		if (report->claim->task[i].line == &report->claims->line[line])
			return &report->claim->task[i];
	return NULL;
}

const char *gb_report_text(const struct gb_report *report, size_t line)
{
	const struct gb_task *task = gb_report_task(report, line);

	return task && task->text[0] ? task->text : report->verdict[line].text;
}

enum gb_outcome gb_report_outcome(const struct gb_report *report, int *ret_exit)
{
	size_t bound = 0, touched = 0, refused = 0, wrong = report->claims->problems;

	for (size_t i = 0; report->verdict && i < report->claims->lines; i++) {
		const struct gb_task *task = gb_report_task(report, i);
		enum gb_decision decision = report->verdict[i].decision;

		if (task) {
			bound += task->result == GB_BOUND || task->result == GB_PLANNED;
			touched += task->result == GB_HELD;
			refused += task->result == GB_IN_USE;
			wrong += task->result != GB_BOUND && task->result != GB_PLANNED;
		} else if (decision != GB_KEEP && decision != GB_ABSENT) {
			refused++;
			wrong++;
		}
	}
	*ret_exit = !wrong ? 0 : bound || touched ? 6 : refused ? 3 : 1;
	if (!bound && !touched)
		return GB_NOTHING;
	return wrong ? GB_PARTLY : GB_CLAIMED;
}

static void add_id(struct gb_json *json, const char *key, uint16_t a, uint16_t b)
{
	char text[10];

	snprintf(text, sizeof(text), "%04x:%04x", a, b);
	gb_json_string(json, key, text);
}

static void add_number(struct gb_json *json, const char *key, int value)
{
	if (value < 0)
		gb_json_null(json, key);
	else
		gb_json_int(json, key, value);
}

static void add_device(struct gb_json *json, const struct gb_report *report, size_t i)
{
	const struct gb_verdict *verdict = &report->verdict[i];
	const struct gb_line *line = &report->claims->line[i];
	const struct gb_task *task = gb_report_task(report, i);
	const struct gb_device *device =
		verdict->device == GB_NOWHERE ? NULL : &report->machine->device[verdict->device];
	char path[GB_PATH_MAX], address[GB_BDF_MAX];

	gb_json_string(json, "path", gb_path_format(&line->path, path));
	add_id(json, "id", line->id.vendor, line->id.device);
	gb_json_string(json, "bdf", device ? gb_bdf_format(device->bdf, address) : NULL);
	add_number(json, "group", device ? device->group : -1);
	gb_json_string(json, "decision", gb_decision_name(verdict->decision));
	gb_json_string(json, "reason", verdict->reason);
	gb_json_string(json, "text", gb_report_text(report, i));
	gb_json_string(json, "driver_before", task && task->before[0] ? task->before : NULL);
	gb_json_string(json, "driver", task && task->driver[0] ? task->driver : NULL);
	gb_json_string(json, "result", task ? gb_result_name(task->result) : "none");
}

static void add_problems(struct gb_json *json, const struct gb_report *report)
{
	gb_json_open(json, "problems", '[');
	for (size_t i = 0; i < report->claims->problems && i < GB_PROBLEMS_MAX; i++) {
		const struct gb_problem *problem = &report->claims->problem[i];

		gb_json_open(json, NULL, '{');
		gb_json_string(json, "file", report->file);
		gb_json_int(json, "line", problem->line);
		gb_json_int(json, "column", problem->column);
		gb_json_string(json, "text", problem->text);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
	gb_json_int(json, "problem_count", (long long)report->claims->problems);
}

static void add_modules(struct gb_json *json, const struct gb_claim *claim)
{
	gb_json_open(json, "modules", '[');
	for (size_t i = 0; claim && i < claim->modules; i++) {
		gb_json_open(json, NULL, '{');
		gb_json_string(json, "driver", claim->module[i].driver);
		gb_json_string(json, "state", gb_module_state_name(claim->module[i].state));
		gb_json_string(json, "text",
			       claim->module[i].text[0] ? claim->module[i].text : NULL);
		gb_json_close(json, '}');
	}
	gb_json_close(json, ']');
}

static void add_head(struct gb_json *json, const struct gb_report *report)
{
	struct utsname name;

	gb_json_open(json, NULL, '{');
	gb_json_int(json, "version", 1);
	gb_json_string(json, "tool", GB_VERSION);
	gb_json_string(json, "kernel", uname(&name) ? NULL : name.release);
	gb_json_fixed(json, "at", report->at, 3);
	gb_json_fixed(json, "took_ms", report->took_ms, 1);
}

static void add_trial(struct gb_json *json, const struct gb_report *report)
{
	const struct gb_counter *counter = report->counter;

	if (!report->said->trial[0]) {
		gb_json_null(json, "trial");
		return;
	}
	gb_json_open(json, "trial", '{');
	gb_json_string(json, "id", report->said->trial);
	gb_json_bool(json, "counted", report->said->counted);
	gb_json_string(json, "counter", counter->state ? gb_count_name(counter->state) : NULL);
	gb_json_string(json, "text", counter->state ? counter->text : NULL);
	gb_json_close(json, '}');
}

void gb_record_json(const struct gb_report *report, struct gb_text *ret)
{
	struct gb_json json = { .text = ret };

	add_head(&json, report);
	gb_json_bool(&json, "armed", report->armed);
	gb_json_string(&json, "arming", report->arming);
	add_trial(&json, report);
	gb_json_string(&json, "outcome", gb_outcome_name(report->outcome));
	gb_json_string(&json, "error", report->error[0] ? report->error : NULL);
	gb_json_string(&json, "claims_file", report->file);
	add_problems(&json, report);
	add_modules(&json, report->claim);
	gb_json_open(&json, "devices", '[');
	for (size_t i = 0; report->verdict && i < report->claims->lines; i++) {
		if (report->verdict[i].decision == GB_KEEP)
			continue;
		gb_json_open(&json, NULL, '{');
		gb_json_int(&json, "line", report->claims->line[i].number);
		add_device(&json, report, i);
		gb_json_close(&json, '}');
	}
	gb_json_close(&json, ']');
	gb_json_close(&json, '}');
}

void gb_record_late_json(const struct gb_report *report, size_t line, struct gb_text *ret)
{
	struct gb_json json = { .text = ret };

	add_head(&json, report);
	gb_json_int(&json, "line", report->claims->line[line].number);
	add_device(&json, report, line);
	add_modules(&json, report->claim);
	gb_json_close(&json, '}');
}

struct log {
	struct gb_root *root;
	const struct gb_report *report;
	int fd;
	unsigned lines;
};

static void end_log(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

/* One write is one line. Opening takes as long as ten lines do, but each open file has a rate
 * limit of 10 lines (kernel/printk/printk.c devkmsg_open). */
static void log_text(struct log *log, int level, const char *text)
{
	char line[512];

	if (++log->lines % 10 == 0)
		end_log(log);
	snprintf(line, sizeof(line), "<%d>ghost-boot: %s\n", level, text);
	gb_root_write_on(log->root, "/dev/kmsg", &log->fd, line);
}

static int level_of(const struct gb_report *report, size_t line)
{
	const struct gb_task *task = gb_report_task(report, line);

	if (!task)
		return report->verdict[line].decision == GB_ABSENT ? LOG_NOTICE : LOG_ERROR;
	if (task->result == GB_BOUND)
		return LOG_INFO;
	return task->result == GB_HELD ? LOG_WARNING : LOG_ERROR;
}

static void log_line(struct log *log, size_t i)
{
	const struct gb_report *report = log->report;
	const struct gb_verdict *verdict = &report->verdict[i];
	const struct gb_line *line = &report->claims->line[i];
	char path[GB_PATH_MAX], address[GB_BDF_MAX] = "", text[400];
	const struct gb_task *task = gb_report_task(report, i);

	if (verdict->device != GB_NOWHERE)
		gb_bdf_format(report->machine->device[verdict->device].bdf, address);
	snprintf(text, sizeof(text), "%s%s%04x:%04x %s%s%s", address, *address ? " " : "",
		 line->id.vendor, line->id.device,
		 verdict->decision == GB_MOVED ? verdict->text : "",
		 verdict->decision == GB_MOVED ? ", " : "", gb_report_text(report, i));
	if (!task) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, " (line %u, %s)", line->number,
			 gb_path_format(&line->path, path));
	}
	log_text(log, level_of(report, i), text);
}

static void log_problems(struct log *log)
{
	const struct gb_report *report = log->report;
	char text[400];
	size_t n = report->claims->problems;

	for (size_t i = 0; i < n && i < 8; i++) {
		const struct gb_problem *problem = &report->claims->problem[i];

		snprintf(text, sizeof(text), "%s:%u:%u: %s", report->file, problem->line,
			 problem->column, problem->text);
		log_text(log, LOG_ERROR, text);
	}
	if (n > 8) {
		snprintf(text, sizeof(text), "%s: %zu more lines can't be read", report->file,
			 n - 8);
		log_text(log, LOG_ERROR, text);
	}
}

/* What stops the claims is said at the end. */
static void log_trial(struct log *log)
{
	const struct gb_counter *counter = log->report->counter;
	const struct gb_cmdline *said = log->report->said;
	char text[100];

	if (said->bad_trial) {
		snprintf(text, sizeof(text), GB_BAD_TRIAL, said->odd_trial);
		log_text(log, LOG_WARNING, text);
	}
	if (!said->trial[0] || gb_counter_stops(counter->state))
		return;
	snprintf(text, sizeof(text), "trial %s", said->trial);
	log_text(log, LOG_INFO, counter->state ? counter->text : text);
}

/* What ghost.debug adds: each module, and each device before and after. */
static void log_debug(struct log *log)
{
	const struct gb_report *report = log->report;
	char text[400], address[GB_BDF_MAX];

	for (size_t i = 0; report->claim && i < report->claim->modules; i++) {
		const struct gb_module *module = &report->claim->module[i];

		snprintf(text, sizeof(text), "debug: module %s: %s %s", module->driver,
			 gb_module_state_name(module->state), module->text);
		log_text(log, LOG_INFO, text);
	}
	for (size_t i = 0; report->claim && i < report->claim->tasks; i++) {
		const struct gb_task *task = &report->claim->task[i];

		snprintf(text, sizeof(text), "debug: %s line %u, group %d: %s -> %s, %s",
			 gb_bdf_format(task->device->bdf, address), task->line->number,
			 task->device->group, task->before[0] ? task->before : "no driver",
			 task->driver[0] ? task->driver : "no driver",
			 gb_result_name(task->result));
		log_text(log, LOG_INFO, text);
	}
}

void gb_record_log(struct gb_root *root, const struct gb_report *report)
{
	struct log log = { root, report, -1, 0 };
	size_t bound = 0, all = 0;
	char text[400];
	int code;

	log_problems(&log);
	log_trial(&log);
	if (report->debug)
		log_debug(&log);
	for (size_t i = 0; report->verdict && i < report->claims->lines; i++) {
		const struct gb_task *task = gb_report_task(report, i);

		if (report->claims->line[i].keep)
			continue;
		all++;
		bound += task && task->result == GB_BOUND;
		log_line(&log, i);
	}
	if (report->error[0])
		snprintf(text, sizeof(text), "%s: nothing claimed", report->error);
	else if (!report->armed)
		snprintf(text, sizeof(text), "%s: nothing claimed", report->arming);
	else
		snprintf(text, sizeof(text), "%s: %zu of %zu functions claimed in %.0f ms",
			 report->arming, bound, all, report->took_ms);
	gb_report_outcome(report, &code);
	/* installed but not in use is nothing that a quiet console must show */
	log_text(&log, report->outcome == GB_ERROR || gb_counter_stops(report->counter->state)
			       ? LOG_ERROR
		       : report->armed && code ? LOG_WARNING
					       : LOG_INFO, text);
	end_log(&log);
}

void gb_record_log_line(struct gb_root *root, const struct gb_report *report, size_t i)
{
	struct log log = { root, report, -1, 0 };

	log_line(&log, i);
	end_log(&log);
}

void gb_record_log_warning(struct gb_root *root, const char *text)
{
	struct log log = { root, NULL, -1, 0 };

	log_text(&log, LOG_WARNING, text);
	end_log(&log);
}
