/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of files that load modules: a module that is not named is not found. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char modalias[] = "pci:v000010DEd00002203sv00001462sd00005054bc03sc00i00";
	char *line = malloc(size + 1), wants[64], what[200], alias[256];
	bool any;

	memcpy(line, data, size);
	line[size] = '\0';
	any = gb_loads_in_list(line, "nouveau");
	any |= gb_loads_in_script(line, "nouveau");
	any |= gb_loads_in_softdep(line, "nouveau", wants, sizeof(wants));
	any |= gb_loads_in_word(line, "rd.driver.pre=", "nouveau", what, sizeof(what));
	any |= gb_loads_in_dracut(line, "nouveau");
	any |= gb_loads_by_alias(line, modalias, "nouveau", alias, sizeof(alias));
	/* quotes may stand within a word */
	if (any && !strchr(line, '"') && !strstr(line, "nouveau"))
		abort();
	free(line);
	return 0;
}
