/* SPDX-License-Identifier: MIT */
#include "cli/prcap.h"

#include <stdio.h>

int
prcap_print(void)
{
	static const char *const capabilities[] = { "CHGFROM", "CHGHDRS",
		"DATA", "INSHEADER", "NEGOTIATE", "OPENSOCKET", "PROGRESS",
		"QUARANTINE", "SETMLREPLY", "SETSYMLIST", "UNKNOWN",
		"VERSION" };

	printf("%-30s %s\n", "SMFI_VERSION", "1.0.1 (New-Style)");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]);
	     i++) {
		char label[64];
		snprintf(label, sizeof(label), "MILTER_BUILDLIB_HAS_%s",
		    capabilities[i]);
		printf("%-30s %d\n", label, 1);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
