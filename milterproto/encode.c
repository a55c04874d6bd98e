/* SPDX-License-Identifier: MIT */
/*
 * encode: frames built; see codec.h.
 *
 * Each function first finds the length of the payload, then makes room once,
 * so that a failure leaves nothing behind.
 */
#include "codec.h"

#include <string.h>

static bool
has_nul(struct mlt_bytes s)
{
	return s.n > 0 && memchr(s.p, 0, s.n);
}

int
mlt_put_strings(struct mlt_buf **b, uint8_t cmd, struct mlt_bytes head,
    const struct mlt_bytes *v, size_t n, size_t max)
{
	size_t len = head.n;
	uint8_t *p;

	for (size_t i = 0; i < n; i++) {
		if (len > max || v[i].n >= max - len || has_nul(v[i]))
			return MLT_E_ARG;
		len += v[i].n + 1;
	}
	p = mlt_put_frame(b, cmd, len);
	if (!p)
		return MLT_E_NOMEM;
	p = mlt_put_octets(p, head);
	for (size_t i = 0; i < n; i++)
		p = mlt_put_cstr(p, v[i]);
	return 0;
}

int
mlt_put_raw(
    struct mlt_buf **b, uint8_t cmd, struct mlt_bytes payload, size_t max)
{
	uint8_t *p;

	if (payload.n > max)
		return MLT_E_ARG;
	p = mlt_put_frame(b, cmd, payload.n);
	if (!p)
		return MLT_E_NOMEM;
	mlt_put_octets(p, payload);
	return 0;
}

int
mlt_put_connect(struct mlt_buf **b, struct mlt_bytes host, char family,
    uint16_t port, struct mlt_bytes addr, size_t max)
{
	size_t len;
	uint8_t *p;

	if (!family || !strchr("UL46", family) || has_nul(host) ||
	    has_nul(addr) || host.n > max || addr.n > max)
		return MLT_E_ARG;
	len = host.n + 2 + (family == 'U' ? 0 : 2 + addr.n + 1);
	if (len > max)
		return MLT_E_ARG;
	p = mlt_put_frame(b, MLT_SMFIC_CONNECT, len);
	if (!p)
		return MLT_E_NOMEM;
	p = mlt_put_cstr(p, host);
	*p++ = (uint8_t)family;
	if (family != 'U')
		mlt_put_cstr(mlt_put_u16(p, port), addr);
	return 0;
}

int
mlt_put_options(struct mlt_buf **b, const struct mlt_agreement *a,
    const char *const *macros, size_t max)
{
	size_t len = 12;
	uint8_t *p;

	for (uint32_t i = 0; macros && i < MLT_STAGE_N; i++) {
		if (macros[i])
			len += 4 + strlen(macros[i]) + 1;
	}
	if (len > max)
		return MLT_E_ARG;
	p = mlt_put_frame(b, MLT_SMFIC_OPTNEG, len);
	if (!p)
		return MLT_E_NOMEM;
	p = mlt_put_u32(p, a->version);
	p = mlt_put_u32(p, a->actions);
	p = mlt_put_u32(p, a->protocol);
	for (uint32_t i = 0; macros && i < MLT_STAGE_N; i++) {
		if (!macros[i])
			continue;
		p = mlt_put_u32(p, i);
		p = mlt_put_cstr(
		    p, (struct mlt_bytes){ macros[i], strlen(macros[i]) });
	}
	return 0;
}
