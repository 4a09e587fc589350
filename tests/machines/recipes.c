/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what is found below a root, one finding a line, for tests/machines/recipes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "machine.h"
#include "recipe.h"
#include "root.h"

static void print(const struct gb_findings *f)
{
	for (size_t i = 0; i < f->findings; i++) {
		const struct gb_finding *finding = &f->finding[i];
		const struct gb_finding_kind *kind = gb_finding_kind(finding->id);

		printf("%s:%u\t%s\t%s\t%s\t%s\n", gb_finding_file(f, finding), finding->line,
		       gb_weight_name(kind->weight), kind->id, finding->words, finding->detail);
	}
}

int main(int argc, char **argv)
{
	struct gb_claims claims = { 0 };
	struct gb_machine machine = { 0 };
	struct gb_findings findings;
	struct gb_root *root;
	struct gb_err err;

	if (argc != 2 || gb_root_open(argv[1], &root, &err))
		return EXIT_FAILURE;
	gb_machine_scan(root, &claims, &machine, &err);
	if (gb_recipe_read(root, &machine, &findings, &err))
		return EXIT_FAILURE;
	print(&findings);
	printf("files %zu, left out %zu\n", findings.files, findings.left_out);
	gb_findings_clear(&findings);
	gb_machine_clear(&machine);
	gb_root_close(root);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
