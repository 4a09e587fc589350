/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recipe.h"
#include "report.h"

void gb_report_recipes(const struct gb_diag *diag, struct gb_text *text)
{
	struct gb_findings findings;

	if (!gb_recipe_read(diag->root, &diag->survey.machine, &findings, NULL) &&
	    findings.findings)
		gb_text_addf(text, "\n## Other passthrough set-ups\n\n");
	for (size_t i = 0; i < findings.findings; i++) {
		const struct gb_finding *finding = &findings.finding[i];
		const struct gb_finding_kind *kind = gb_finding_kind(finding->id);

		gb_text_addf(text, "%s:%u: %s\n    %s: %s%s%s%s%s\n",
			     gb_finding_file(&findings, finding), finding->line, finding->words,
			     gb_weight_name(kind->weight), kind->means, kind->wrong ? "; " : "",
			     kind->wrong ? kind->wrong : "", finding->detail[0] ? "; " : "",
			     finding->detail);
	}
	gb_findings_clear(&findings);
}
