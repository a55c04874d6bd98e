/* SPDX-License-Identifier: MIT */
/* proc: what a worker process is started with, and what is said when it
 * cannot be started. */
#include "multiplexor/proc.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[200], worker[PATH_MAX + 40];

static int
enter_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char top[PATH_MAX];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/proc.XXXXXX", tmp ? tmp : "/tmp");
	if (!getcwd(top, sizeof(top)) || !mkdtemp(dir))
		return -1;
	snprintf(worker, sizeof(worker), "%s/tests/support/worker.pl", top);
	return 0;
}

static int
leave_dir(void **state)
{
	(void)state;
	return fdio_remove_tree(AT_FDCWD, dir);
}

static struct proc_spec
spec(void)
{
	return (struct proc_spec){ .worker = worker, .spool_dir = dir };
}

/* Asks a running worker one thing; the answer without its LF. */
static void
ask(const struct proc *p, const char *line, char *answer, size_t max)
{
	struct pollfd pfd = { .fd = p->out_fd, .events = POLLIN };
	size_t n = 0;

	assert_int_equal(write(p->in_fd, line, strlen(line)), strlen(line));
	while (n == 0 || answer[n - 1] != '\n') {
		ssize_t r;

		assert_int_equal(poll(&pfd, 1, -1), 1);
		r = read(p->out_fd, answer + n, max - n - 1);
		assert_true(r > 0);
		n += (size_t)r;
	}
	answer[n - 1] = '\0';
}

/* End of file; its exit status. */
static int
end(struct proc *p)
{
	int status;

	close(p->in_fd);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	close(p->out_fd);
	close(p->err_fd);
	if (p->status_fd >= 0)
		close(p->status_fd);
	return status;
}

static void
a_worker_gets_what_is_documented(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	char got[300], want[300], real[PATH_MAX];

	(void)state;
	assert_non_null(realpath(dir, real));
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(proc_start(&s, &p, &t), 0);
	ask(&p, "args\n", got, sizeof(got));
	assert_string_equal(got, "ok -server");
	ask(&p, "env\n", got, sizeof(got));
	snprintf(want, sizeof(want), "ok 077 %.200s leader ignored", real);
	assert_string_equal(got, want);
	assert_int_equal(end(&p), 0);
}

static void
options_change_words_descriptors_and_umask(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	char got[300];

	(void)state;
	s.filter = "/etc/passwd";
	s.status_fd = s.group_access = true;
	assert_int_equal(proc_start(&s, &p, &t), 0);
	assert_true(p.status_fd >= 0);
	ask(&p, "args\n", got, sizeof(got));
	assert_string_equal(got, "ok -f /etc/passwd -serveru");
	ask(&p, "env\n", got, sizeof(got));
	assert_memory_equal(got, "ok 027 ", 7);
	assert_int_equal(end(&p), 0);
}

/* The worker reads its own list through one descriptor more. */
static void
nothing_else_is_open_in_a_worker(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	char got[300];
	int extra = dup(0); /* not close-on-exec */

	(void)state;
	assert_int_equal(proc_start(&s, &p, &t), 0);
	ask(&p, "fds\n", got, sizeof(got));
	if (strcmp(got, "ok unknown") != 0)
		assert_string_equal(got, "ok 0 1 2 3");
	assert_int_equal(end(&p), 0);
	close(extra);
}

static void
a_daemon_without_standard_descriptors_can_start_workers(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	char got[300];
	int saved = dup(0), high = fcntl(saved, F_DUPFD_CLOEXEC, 50);

	(void)state;
	close(saved);
	close(0);
	assert_int_equal(proc_start(&s, &p, &t), 0);
	ask(&p, "fds\n", got, sizeof(got));
	assert_int_equal(end(&p), 0);
	dup2(high, 0);
	close(high);
	if (strcmp(got, "ok unknown") != 0)
		assert_string_equal(got, "ok 0 1 2 3");
}

static void
memory_limits_are_set(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct rlimit rl;
	struct proc p;
	char got[300];

	(void)state;
	s.max_as_kb = 1000000;
	assert_int_equal(proc_start(&s, &p, &t), 0);
	assert_int_equal(t.limit_errno, 0);
	ask(&p, "x\n", got, sizeof(got));
	assert_int_equal(prlimit(p.pid, RLIMIT_AS, NULL, &rl), 0);
	assert_int_equal(rl.rlim_max, 1024000000);
	assert_int_equal(prlimit(p.pid, RLIMIT_DATA, NULL, &rl), 0);
	assert_int_equal(rl.rlim_cur, 1024000000);
	assert_int_equal(end(&p), 0);
}

static void
open_files_are_bounded_but_may_be_raised(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct rlimit old, many, rl;
	struct proc p;
	char got[300];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	many = (struct rlimit){ old.rlim_max, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
	assert_int_equal(proc_start(&s, &p, &t), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	ask(&p, "x\n", got, sizeof(got));
	assert_int_equal(prlimit(p.pid, RLIMIT_NOFILE, NULL, &rl), 0);
	assert_true(rl.rlim_cur <= 1024);
	assert_int_equal(rl.rlim_max, old.rlim_max);
	assert_int_equal(end(&p), 0);
}

static void
a_process_is_a_worker_if_it_is_ours_and_leads(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;

	(void)state;
	assert_int_equal(proc_start(&s, &p, &t), 0);
	assert_true(proc_is_worker(p.pid));
	assert_false(proc_is_worker(1));
	assert_false(proc_is_worker(0));
	assert_false(proc_is_worker(-1));
	assert_false(proc_is_worker(getpid()));
	assert_int_equal(end(&p), 0);
	assert_false(proc_is_worker(p.pid));
}

static void
the_dead_are_found_before_they_are_reaped(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc_exit e;
	struct proc p;
	siginfo_t i;

	(void)state;
	assert_int_equal(proc_dead(), 0); /* no child at all */
	assert_int_equal(proc_start(&s, &p, &t), 0);
	proc_signal(p.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)p.pid, &i, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_dead(), p.pid);
	assert_int_equal(proc_dead(), p.pid);
	proc_reap(p.pid, &e);
	assert_int_equal(e.pid, p.pid);
	assert_true(WIFSIGNALED(e.status));
	assert_int_equal(proc_dead(), 0);
	proc_close(&p.in_fd, 1);
	proc_close(&p.out_fd, 1);
	proc_close(&p.err_fd, 1);
}

static void
pipes_with_names_can_be_opened_by_others(void **state)
{
	struct proc_spec s = spec();
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int theirs[PROC_FDS], fd;
	struct proc p;
	char c;

	(void)state;
	s.status_fd = true;
	assert_int_equal(proc_named_pipes(&s, dir_fd, "w", &p, theirs), 0);
	/* one name is taken: nothing of the new ones stays */
	proc_unlink_pipes(dir_fd, "w");
	assert_int_equal(mkfifoat(dir_fd, "w.2", 0600), 0);
	{
		struct proc q;
		int none[PROC_FDS];

		assert_int_equal(
		    proc_named_pipes(&s, dir_fd, "w", &q, none), -EEXIST);
		assert_int_equal(faccessat(dir_fd, "w.0", F_OK, 0), -1);
	}
	proc_close(theirs, PROC_FDS);
	/* nobody has opened it: the end, as of any pipe */
	assert_int_equal(read(p.out_fd, &c, 1), 0);
	assert_int_equal(read(p.status_fd, &c, 1), 0);
	proc_close(&p.in_fd, 1);
	proc_close(&p.out_fd, 1);
	proc_close(&p.err_fd, 1);
	proc_close(&p.status_fd, 1);
	assert_int_equal(proc_named_pipes(&s, dir_fd, "v", &p, theirs), 0);
	fd = openat(dir_fd, "v.1", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	proc_close(theirs, PROC_FDS);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(p.out_fd, &c, 1), 1);
	assert_int_equal(read(p.out_fd, &c, 1), -1); /* it is open still */
	close(fd);
	assert_int_equal(read(p.out_fd, &c, 1), 0);
	proc_unlink_pipes(dir_fd, "v");
	proc_close(&p.in_fd, 1);
	proc_close(&p.out_fd, 1);
	proc_close(&p.err_fd, 1);
	proc_close(&p.status_fd, 1);
	close(dir_fd);
}

static void
a_missing_program_is_an_error_and_no_death(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	int before = dup(0), after;

	(void)state;
	close(before);
	s.worker = "/nonexistent/worker";
	assert_int_equal(proc_start(&s, &p, &t), -ENOENT);
	assert_string_equal(t.what, "exec");
	s = spec();
	s.spool_dir = "/nonexistent";
	assert_int_equal(proc_start(&s, &p, &t), -ENOENT);
	assert_string_equal(t.what, "chdir");
	/* no zombie, no descriptor left */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	after = dup(0);
	assert_int_equal(before, after);
	close(after);
}

static void
too_many_open_files_is_an_error_without_leaks(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct rlimit old, few;
	struct proc p;
	int next = dup(0), again;

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (rlim_t room = 0; room < 6; room++) {
		few = (struct rlimit){ (rlim_t)next + room, old.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(proc_start(&s, &p, &t), -EMFILE);
		assert_string_equal(t.what, "pipe");
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	again = dup(0);
	assert_int_equal(again, next);
	close(again);
}

static pid_t self;
static volatile sig_atomic_t heard, heard_elsewhere;

static void
hear(int sig)
{
	(void)sig;
	if (getpid() == self)
		heard = 1;
	else
		heard_elsewhere = 1; /* a vforked child's memory is ours */
}

/* Sends SIGTERM to our process group again and again. */
static pid_t
start_shouting(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			kill(0, SIGTERM);
	}
	assert_true(pid > 0);
	return pid;
}

static void
a_signal_that_comes_early_is_the_workers(void **state)
{
	struct sigaction sa = { .sa_handler = hear, .sa_flags = SA_RESTART },
			 old;
	struct proc_spec s = spec();
	struct proc_trouble t;
	pid_t shouting;
	struct proc p;

	(void)state;
	self = getpid();
	assert_int_equal(setpgid(0, 0), 0);
	assert_int_equal(sigaction(SIGTERM, &sa, &old), 0);
	shouting = start_shouting();
	while (!heard)
		;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(proc_start(&s, &p, &t), 0);
		end(&p);
	}
	assert_int_equal(kill(shouting, SIGKILL), 0);
	assert_int_equal(waitpid(shouting, NULL, 0), shouting);
	assert_int_equal(sigaction(SIGTERM, &old, NULL), 0);
	assert_false(heard_elsewhere);
}

static void
signals_reach_the_group(void **state)
{
	struct proc_spec s = spec();
	struct proc_trouble t;
	struct proc p;
	char got[300];
	int status;

	(void)state;
	assert_int_equal(proc_start(&s, &p, &t), 0);
	ask(&p, "x\n", got, sizeof(got));
	proc_signal(p.pid, SIGTERM);
	status = end(&p);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void
the_check_says_what_to_do(void **state)
{
	struct proc_spec s = spec();
	char err[300];

	(void)state;
	assert_int_equal(proc_check(&s, err, sizeof(err)), 0);
	s.worker = "/nonexistent/w";
	assert_int_equal(proc_check(&s, err, sizeof(err)), -1);
	assert_string_equal(err,
	    "worker program /nonexistent/w: No such file or directory; install "
	    "it or give the right path with -f");
	s.worker = "/";
	assert_int_equal(proc_check(&s, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "not a file"));
	s = spec();
	s.filter = "/nonexistent/filter";
	assert_int_equal(proc_check(&s, err, sizeof(err)), -1);
	assert_string_equal(err,
	    "filter file /nonexistent/filter: No such file or directory; "
	    "create it, make it readable or give the right path with -F");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_gets_what_is_documented),
		cmocka_unit_test(options_change_words_descriptors_and_umask),
		cmocka_unit_test(nothing_else_is_open_in_a_worker),
		cmocka_unit_test(
		    a_daemon_without_standard_descriptors_can_start_workers),
		cmocka_unit_test(memory_limits_are_set),
		cmocka_unit_test(open_files_are_bounded_but_may_be_raised),
		cmocka_unit_test(a_process_is_a_worker_if_it_is_ours_and_leads),
		cmocka_unit_test(the_dead_are_found_before_they_are_reaped),
		cmocka_unit_test(pipes_with_names_can_be_opened_by_others),
		cmocka_unit_test(a_missing_program_is_an_error_and_no_death),
		cmocka_unit_test(too_many_open_files_is_an_error_without_leaks),
		cmocka_unit_test(signals_reach_the_group),
		cmocka_unit_test(a_signal_that_comes_early_is_the_workers),
		cmocka_unit_test(the_check_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
