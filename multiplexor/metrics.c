/* SPDX-License-Identifier: MIT */
/*
 * metrics: what the multiplexor counts (metrics.h).
 */
#include "metrics.h"

#include "core/base/muxproto.h"

#include <string.h>

const struct metric_row metric_rows[METRIC_N] = {
#define X(id, family, label, value, help) { family, label, value, help },
	METRICS(X)
#undef X
};

static const char *const kinds[KIND_N] = {
	[KIND_SCAN] = "scan",
	[KIND_RELAYOK] = "relayok",
	[KIND_HELOOK] = "helook",
	[KIND_SENDEROK] = "senderok",
	[KIND_RECIPOK] = "recipok",
	[KIND_MAP] = "map",
	[KIND_TICK] = "tick",
	[KIND_OTHER] = "other",
};

const char *
metrics_kind_name(enum request_kind k)
{
	return kinds[k];
}

enum request_kind
metrics_kind(const char *line, size_t n)
{
	const char *word;
	size_t len;

	if (!mux_nth(line, n, 0, &word, &len))
		return KIND_OTHER;
	for (int k = 0; k < KIND_OTHER; k++)
		if (strlen(kinds[k]) == len && memcmp(kinds[k], word, len) == 0)
			return (enum request_kind)k;
	return KIND_OTHER;
}
