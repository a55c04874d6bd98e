/* SPDX-License-Identifier: MIT */
#include "base64.h"

enum {
	NO = 64,
	LINE_IN = 45
}; /* no letter; octets that make a line of 60 letters */

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The other way round. */
#define R8(x) x, x, x, x, x, x, x, x
static const unsigned char values[256] = {
	R8(NO), R8(NO), R8(NO), R8(NO),                                 /* 00 */
	R8(NO), NO, NO, NO, 62, NO, NO, NO, 63,                         /* 20 */
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO, /* 30 */
	NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,           /* 40 */
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO, /* 50 */
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, /* 60 */
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO, /* 70 */
	R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), /* 80 */
	R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), R8(NO), /* c0 */
};

size_t
base64_room(size_t n)
{
	return n / 4 * 3 + 3;
}

size_t
base64_decode(const unsigned char *in, size_t n, unsigned char *out)
{
	const unsigned char *end = in + n;
	unsigned char *o = out;
	unsigned bits = 0; /* of the letters that make no group of four yet */
	unsigned have = 0;

	while (in < end) {
		while (have == 0 && end - in >= 4) {
			unsigned a = values[in[0]], b = values[in[1]];
			unsigned c = values[in[2]], d = values[in[3]];
			if ((a | b | c | d) & NO)
				break;
			*o++ = (unsigned char)(a << 2 | b >> 4);
			*o++ = (unsigned char)((b << 4 | c >> 2) & 255);
			*o++ = (unsigned char)((c << 6 | d) & 255);
			in += 4;
		}
		if (in == end)
			break;
		unsigned v = values[*in++];
		if (v == NO)
			continue;
		bits = bits << 6 | v;
		if (++have < 4)
			continue;
		*o++ = (unsigned char)(bits >> 16 & 255);
		*o++ = (unsigned char)(bits >> 8 & 255);
		*o++ = (unsigned char)(bits & 255);
		bits = have = 0;
	}
	if (have == 2)
		*o++ = (unsigned char)(bits >> 4 & 255);
	if (have == 3) {
		*o++ = (unsigned char)(bits >> 10 & 255);
		*o++ = (unsigned char)(bits >> 2 & 255);
	}
	return (size_t)(o - out);
}

size_t
base64_lines_size(size_t n)
{
	return (n + 2) / 3 * 4 + (n + LINE_IN - 1) / LINE_IN;
}

/* The letters of one line; n is not 0. */
static unsigned char *
encode_line(const unsigned char *in, size_t n, unsigned char *o)
{
	for (; n >= 3; in += 3, n -= 3) {
		*o++ = (unsigned char)letters[in[0] >> 2];
		*o++ = (unsigned char)letters[(in[0] & 3) << 4 | in[1] >> 4];
		*o++ = (unsigned char)letters[(in[1] & 15) << 2 | in[2] >> 6];
		*o++ = (unsigned char)letters[in[2] & 63];
	}
	if (n > 0) {
		unsigned second = n > 1 ? in[1] : 0;
		*o++ = (unsigned char)letters[in[0] >> 2];
		*o++ = (unsigned char)letters[(in[0] & 3u) << 4 | second >> 4];
		*o++ =
		    (unsigned char)(n > 1 ? letters[(second & 15) << 2] : '=');
		*o++ = '=';
	}
	*o++ = '\n';
	return o;
}

void
base64_encode_lines(const unsigned char *in, size_t n, unsigned char *out)
{
	while (n > 0) {
		size_t line = n < LINE_IN ? n : LINE_IN;
		out = encode_line(in, line, out);
		in += line;
		n -= line;
	}
}
