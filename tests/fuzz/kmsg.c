/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel log, where any process may write: texts stay within their bounds, and printable. */
#include <stdlib.h>
#include <string.h>

#include "kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
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
			for (; *text; text++)
				if (*text < ' ' || *text > '~')
					abort();
		}
	}
	gb_log_clear(&log);
	return 0;
}
