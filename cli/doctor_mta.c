/* SPDX-License-Identifier: MIT */
#include "cli/doctor_mta.h"

#include "cli/mta_postfix.h"
#include "cli/mta_sendmail.h"
#include "core/base/fdio.h"
#include "core/base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTCONF_WAIT_MS 20000
#define POSTCONF_ARGS    40
#define CF_MAX           (1024 * 1024)

static const char *const postconfs[] = { "/usr/sbin/postconf",
	"/usr/local/sbin/postconf", "/usr/bin/postconf" };
static const char *const postfix_dirs[] = { "/etc/postfix",
	"/usr/local/etc/postfix" };
static const char *const sendmail_cfs[] = { "/etc/mail/sendmail.cf" };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- whose process connects ------------------------------------------------------- */

static void
find_user(struct mta_user *u, const char *given)
{
	int n = MTA_GROUPS_MAX;
	const struct passwd *pw;

	if (given)
		mta_copy(u->name, sizeof(u->name), given, strlen(given));
	pw = getpwnam(u->name);
	u->known = pw != NULL;
	if (!pw)
		return;
	u->uid = pw->pw_uid;
	if (getgrouplist(u->name, pw->pw_gid, u->gid, &n) < 0)
		n = MTA_GROUPS_MAX;
	u->n_gids = (size_t)n;
}

/* ---- Postfix ----------------------------------------------------------------------- */

static const char *
find_postconf(const char *given)
{
	if (given)
		return given;
	for (size_t i = 0; i < COUNT(postconfs); i++)
		if (access(postconfs[i], X_OK) == 0)
			return postconfs[i];
	return NULL;
}

/* Its line that says why it gave up; else the last one. */
static void
say_why(struct mta *m, struct buf *said, int status, const char *program)
{
	const char *text = buf_cstr(said),
		   *at = text ? strstr(text, "fatal: ") : NULL;

	if (status == -ETIMEDOUT)
		snprintf(m->trouble, sizeof(m->trouble),
		    "%s did not end within %d s", program,
		    POSTCONF_WAIT_MS / 1000);
	else if (at)
		snprintf(m->trouble, sizeof(m->trouble), "%.*s",
		    (int)strcspn(at, "\n"), at);
	else
		snprintf(m->trouble, sizeof(m->trouble),
		    "%s cannot be used: %.*s", program,
		    (int)(text ? strcspn(text, "\n") : 0), text ? text : "");
}

/* One run: `postconf -c DIR FLAG... WORD...`, appended to out. */
static int
ask_postconf(struct mta *m, const char *program, const char *const *flags,
    const char *const *words, struct buf *out)
{
	const char *argv[POSTCONF_ARGS] = { program, "-c", m->config };
	struct buf said;
	size_t n = 3;
	int status, rc = -1;

	while (*flags && n < COUNT(argv) - 1)
		argv[n++] = *flags++;
	while (*words && n < COUNT(argv) - 1)
		argv[n++] = *words++;
	buf_init(&said, 0);
	status = run_program(argv, POSTCONF_WAIT_MS, &said);
	if (status == 0)
		rc = buf_add(out, buf_data(&said), buf_len(&said));
	else
		say_why(m, &said, status, program);
	buf_fini(&said);
	return rc;
}

static void
read_postfix(struct mta *m, const struct mta_addr *ours, const char *dir,
    const char *program)
{
	static const char *const main_cf[] = { "-x", NULL };
	static const char *const overrides[] = { "-x", "-P", NULL };
	static const char *const columns[] = { "-F", NULL };
	struct buf text;

	*m = (struct mta){ .postfix = true };
	mta_copy(m->config, sizeof(m->config), dir, strlen(dir));
	if (!program) {
		snprintf(m->trouble, sizeof(m->trouble),
		    "there is no postconf in /usr/sbin; --postconf names it");
		return;
	}
	buf_init(&text, 0);
	if (ask_postconf(m, program, main_cf, postfix_parameters, &text) == 0 &&
	    ask_postconf(m, program, overrides, postfix_overrides, &text) ==
		0 &&
	    ask_postconf(m, program, columns, postfix_services, &text) == 0)
		mta_postfix_read(m, ours, buf_data(&text), buf_len(&text));
	buf_fini(&text);
}

/* ---- Sendmail ------------------------------------------------------------------------ */

static void
read_sendmail(struct mta *m, const struct mta_addr *ours, const char *file)
{
	struct buf text;
	int rc;

	*m = (struct mta){ .postfix = false };
	mta_copy(m->config, sizeof(m->config), file, strlen(file));
	buf_init(&text, 0);
	rc = fdio_read_file(AT_FDCWD, file, CF_MAX, &text);
	if (rc == 0)
		mta_sendmail_read(m, ours, buf_data(&text), buf_len(&text));
	else
		snprintf(m->trouble, sizeof(m->trouble), "%s: %s", file,
		    strerror(-rc));
	buf_fini(&text);
}

/* ---- all ------------------------------------------------------------------------------- */

static const char *
usual_postfix(void)
{
	static char file[256];

	for (size_t i = 0; i < COUNT(postfix_dirs); i++) {
		snprintf(file, sizeof(file), "%s/main.cf", postfix_dirs[i]);
		if (access(file, F_OK) == 0)
			return postfix_dirs[i];
	}
	return NULL;
}

static const char *
usual_sendmail(void)
{
	for (size_t i = 0; i < COUNT(sendmail_cfs); i++)
		if (access(sendmail_cfs[i], F_OK) == 0)
			return sendmail_cfs[i];
	return NULL;
}

void
doctor_find_mtas(struct doctor_facts *f, const struct doctor_where *where)
{
	const char *postfix = where->postfix_config,
		   *sendmail = where->sendmail_cf;

	if (!postfix && !sendmail) {
		postfix = usual_postfix();
		sendmail = usual_sendmail();
	}
	f->n_mtas = 0;
	if (postfix)
		read_postfix(&f->mta[f->n_mtas++], &f->listen, postfix,
		    find_postconf(where->postconf));
	if (sendmail)
		read_sendmail(&f->mta[f->n_mtas++], &f->listen, sendmail);
	for (size_t i = 0; i < f->n_mtas; i++)
		if (!f->mta[i].trouble[0])
			find_user(&f->mta[i].user, where->mta_user);
}
