/* SPDX-License-Identifier: MIT */
/* reply: any code, DSN and text.  What is accepted leaves as one frame that
 * obeys an independent reading of the grammar below (spec:reply-text); what is
 * refused leaves nothing. */
#include "milterproto/replytext.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line without its line end: CODE SEP [DSN SP] TEXT. */
static void
judge_line(const char *p, size_t n, const char *code, char sep, bool multi)
{
	assert(n >= 4 && memcmp(p, code, 3) == 0 && p[3] == sep);
	assert(n <= 4 + 10 + 2 * MLT_REPLY_LINE_MAX);
	if ((n > 4 && isdigit((unsigned char)p[4])) || multi)
		assert(n > 8 && p[4] == code[0] && p[5] == '.');
	for (size_t i = 4; i < n; i++) {
		assert(p[i] >= ' ' && p[i] < 0x7f);
		if (p[i] == '%') {
			i++;
			assert(i < n && p[i] == '%');
		}
	}
}

static void
judge(const char *p, size_t n)
{
	const char *end = p + n, *code = p;
	bool multi = memchr(p, '\n', n) != NULL;
	size_t lines = 0;

	assert(n >= 4 && (p[0] == '4' || p[0] == '5'));
	assert(isdigit((unsigned char)p[1]) && isdigit((unsigned char)p[2]));
	for (const char *nl; p < end; p = nl + 1, lines++) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl) {
			judge_line(p, (size_t)(end - p), code, ' ', multi);
			lines++;
			break;
		}
		assert(nl > p && nl[-1] == '\r' && nl + 1 < end);
		judge_line(p, (size_t)(nl - 1 - p), code, '-', multi);
	}
	assert(lines >= 1 && lines <= MLT_REPLY_LINES_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char code[8] = "", dsn[16] = "";
	struct mlt_reply r = { .type = MLT_REPLY_CODE, .code = code };
	struct mlt_buf *b = NULL;
	size_t n_code, n_dsn;

	if (size < 2)
		return 0;
	n_code = data[0] % sizeof(code);
	n_dsn = data[1] % sizeof(dsn);
	if (size < 2 + n_code + n_dsn)
		return 0;
	memcpy(code, data + 2, n_code);
	memcpy(dsn, data + 2 + n_code, n_dsn);
	r.dsn = n_dsn ? dsn : NULL;
	r.text = (struct mlt_bytes){ (const char *)data + 2 + n_code + n_dsn,
		size - 2 - n_code - n_dsn };
	if (mlt_put_code(&b, &r, MLT_DATA_MAX) == 0) {
		const uint8_t *p = b->data + b->off;
		size_t n = mlt_buf_len(b);

		assert(n > 6 && p[4] == MLT_SMFIR_REPLYCODE && p[n - 1] == 0);
		assert(strlen((const char *)p + 5) == n - 6);
		judge((const char *)p + 5, n - 6);
		assert(mlt_code_valid(
		    (struct mlt_bytes){ (const char *)p + 5, n - 6 }));
	} else {
		assert(mlt_buf_len(b) == 0);
	}
	mlt_buf_free(&b);
	return 0;
}
