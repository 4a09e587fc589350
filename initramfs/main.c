/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file is smaller in an image than three that share most of what they are made of. */
#include <string.h>

#include "text.h"
#include "tool.h"

int main(int argc, char **argv)
{
	const char *name = gb_text_base(argc > 0 && argv[0] ? argv[0] : "");

	if (!strcmp(name, "ghost-verify"))
		return gb_verify_main(argc, argv);
	if (!strcmp(name, "ghost-diag"))
		return gb_diag_main(argc, argv);
	return gb_claim_main(argc, argv);
}
