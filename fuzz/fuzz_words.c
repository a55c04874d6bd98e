/* SPDX-License-Identifier: MIT */
/* words: whatever a peer said, its words are printable, of one line, and not
 * much longer than it; the same for a transcript of it, in pieces. */
#include "cli/check/transcript.h"
#include "cli/check/words.h"
#include "cli/ctl_safe.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
is_fit(const struct buf *b, bool lines)
{
	const char *p = buf_data(b);

	assert(!b->failed);
	for (size_t n = buf_len(b), len; n > 0; p += len, n -= len) {
		len = lines && *p == '\n' ? 1 : ctl_printable(p, n);
		assert(len > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transcript t, copy;
	struct buf words, printed;
	size_t cut;

	if (size < 2)
		return 0;
	cut = data[0] * (size - 1) / 255;
	buf_init(&words, 0);
	words_octets(&words, data[0] & 1, data + 1, size - 1);
	is_fit(&words, false);
	assert(buf_len(&words) <= 64 + 100 * size);

	transcript_init(&t);
	transcript_init(&copy);
	transcript_add(&t, TRANSCRIPT_SAID, 1, 0, false, data + 1, cut);
	transcript_add(
	    &t, TRANSCRIPT_HEARD, 1, 1, true, data + 1 + cut, size - 1 - cut);
	transcript_note(&t, 2, 2, "%.*s", (int)size, (const char *)data);
	transcript_copy(&copy, &t);
	buf_reset(&words);
	buf_init(&printed, 0);
	transcript_print(&t, "# ", &words);
	transcript_print(&copy, "# ", &printed);
	is_fit(&words, true);
	assert(
	    buf_len(&words) == buf_len(&printed) &&
	    memcmp(buf_data(&words), buf_data(&printed), buf_len(&words)) == 0);
	buf_fini(&words);
	buf_fini(&printed);
	transcript_fini(&t);
	transcript_fini(&copy);
	return 0;
}
