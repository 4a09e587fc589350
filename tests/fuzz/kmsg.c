/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel log, where any process may write: texts stay within their bounds, and printable, and
 * what is read out of them too. */
#include <stdlib.h>
#include <string.h>

#include "kmsg.h"
#include "story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const struct gb_log_line *line)
{
	char module[GB_DRIVER_MAX];
	struct gb_event event;
	enum gb_moment moment;

	if (gb_event_read(line, (struct gb_bdf){ 0, 1, 0 }, &event) &&
	    (strlen(event.driver) >= GB_DRIVER_MAX || event.text < line->text ||
	     event.text > line->text + strlen(line->text)))
		abort();
	if (gb_moment_read(line, &moment, module) && strlen(module) >= GB_DRIVER_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gb_log log;

	if (!gb_log_parse((const char *)data, size, &log)) {
		if (log.lines > size + 1)
			abort();
		for (size_t i = 0; i < log.lines; i++) {
			const char *text = log.line[i].text;

			if (strlen(text) >= GB_LOG_LINE_MAX)
				abort();
			tell(&log.line[i]);
			for (; *text; text++)
				if (*text < ' ' || *text > '~')
					abort();
		}
	}
	gb_log_clear(&log);
	return 0;
}
