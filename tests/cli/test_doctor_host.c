/* SPDX-License-Identifier: MIT */
/* doctor_rules about the daemon and what it needs: options, spool, filter,
 * multiplexor; see test_doctor_rules.c. */
#include "tests/cli/doctorfix.h"

#include <errno.h>

P(no_user, strcpy(f.user_trouble, "there is no user defang (-U)");)
P(assumed, f.assumed = true; f.defaults_file = "/etc/default/mimedefang";)
P(not_root, f.root = false;)
static void
no_mta(void)
{
}
P(from_manager, f.listen_known = false; md.conn = "fd:3";)
P(no_address, f.listen_known = false; md.conn = "bogus:3";)
P(mux_time, md.mux_socket = "/m"; md.mux_answer_s = 119;)
P(spool, strcpy(f.spool_trouble, "/var/spool/MIMEDefang is writable by others "
				 "(mode 0777); chmod 0750 it");)
P(spool_full, f.free_bytes = 65535;)
P(spool_room, f.free_bytes = 200 << 20;)
P(spool_room_disk, f.free_bytes = 200 << 20; f.spool_memory = false;)
P(two_mtas, sendmail()->message_bytes = 20000000; f.free_bytes = 400 << 20;)
P(spool_files, f.total_files = 10000; f.free_files = 7999;)
P(on_disk, f.spool_memory = false;)
P(filter, f.filter = FILTER_BROKEN; f.features = NULL; strcpy(
    f.filter_said, "/usr/bin/mimedefang.pl does not load it: syntax error");)
P(module, f.features = "SpamAssassin                  : no\n";)
P(second_word, f.filter_text = "1;\nsub x { md_spf_verify() }\n";
    f.features = "Net::DNS : no\n";)
P(scanner, f.filter_text =
	       "# spam_assassin_check()\n\tmy @v = message_contains_virus();";)
P(mux, f.mux_free = -1; strcpy(f.mux_why, "Connection refused");)
P(separate_mux, md.mux_socket = "/m"; f.mux_free = -1;
    strcpy(f.mux_why, "Connection refused");)
P(no_worker, f.mux_free = 0;)
P(descriptors, f.descriptors = 100;)
P(memory, f.memory_bytes = 256 << 20;)
P(memory_zygote, f.memory_bytes = 100 << 20; mo.zygote = true;)
P(may_not_look, f.root = false; f.listen_error = EACCES; f.path.error = EACCES;)

static const struct rule_case cases[] = {
	{ "user", no_user, "there is no user defang (-U)",
	    "adduser --system --group --home /var/spool/MIMEDefang defang; -U "
	    "defang (MX_USER)" },
	{ "options-assumed", assumed,
	    "no options were given, and there is no /etc/default/mimedefang",
	    "mimedefang doctor OPTIONS, those of the daemon" },
	{ "not-root", not_root, "this is not run by root",
	    "sudo mimedefang doctor" },
	{ "not-root", may_not_look, "this is not run by root",
	    "sudo mimedefang doctor" },
	{ "no-mta", no_mta,
	    "there is neither a configuration of Postfix nor one of Sendmail",
	    "--postfix-config DIR, or --sendmail-cf FILE" },
	{ "address-unknown", from_manager,
	    "the service manager opens the socket (-p fd:3)",
	    "-p with /path, inet:PORT@HOST or inet6:PORT@HOST; ListenStream= "
	    "of a socket unit says which" },
	{ "address-unknown", no_address, "-p bogus:3 is no address",
	    "-p with /path, inet:PORT@HOST or inet6:PORT@HOST; ListenStream= "
	    "of a socket unit says which" },
	{ "multiplexor-timeout", mux_time,
	    "--mux-timeout is 119 s, an answer may take 120 s",
	    "--mux-timeout 130" },
	{ "spool", spool,
	    "/var/spool/MIMEDefang is writable by others (mode 0777); chmod "
	    "0750 it",
	    "install -d -o defang -m 0750 /var/spool/MIMEDefang" },
	{ "spool-full", spool_full,
	    "/var/spool/MIMEDefang: 63 KiB are free, --min-free is 64",
	    "make room there; md-mx-ctrl status shows what is in progress" },
	{ "spool-room", spool_room,
	    "/var/spool/MIMEDefang: 200 MiB are free; 8 workers with messages "
	    "of 10240000 octets need 3 times as much for each",
	    "mount -o remount,size=1059M /var/spool/MIMEDefang, and in "
	    "/etc/fstab" },
	{ "spool-room", spool_room_disk,
	    "/var/spool/MIMEDefang: 200 MiB are free; 8 workers with messages "
	    "of 10240000 octets need 3 times as much for each",
	    "a file system with 1059 MiB for /var/spool/MIMEDefang; or a "
	    "smaller limit of the MTA" },
	{ "spool-room", two_mtas,
	    "/var/spool/MIMEDefang: 400 MiB are free; 8 workers with messages "
	    "of 20000000 octets need 3 times as much for each",
	    "mount -o remount,size=1082M /var/spool/MIMEDefang, and in "
	    "/etc/fstab" },
	{ "spool-inodes", spool_files,
	    "/var/spool/MIMEDefang: 7999 inodes are free for 8 workers",
	    "mount -o remount,nr_inodes=18000 /var/spool/MIMEDefang, and in "
	    "/etc/fstab" },
	{ "spool-disk", on_disk, "/var/spool/MIMEDefang is on a disk",
	    "/etc/fstab: tmpfs /var/spool/MIMEDefang tmpfs "
	    "rw,nosuid,nodev,noexec,mode=0750,uid=defang,size=1G 0 0" },
	{ "filter", filter,
	    "/usr/bin/mimedefang.pl does not load it: syntax error",
	    "/usr/bin/mimedefang.pl -f /etc/mail/mimedefang-filter -test" },
	{ "module", module,
	    "the filter has spam_assassin_, and there is no SpamAssassin",
	    "apt-get install spamassassin, and reread" },
	{ "module", scanner,
	    "the filter has message_contains_virus, and there is no scanner",
	    "apt-get install clamav-daemon, and reread" },
	{ "module", second_word,
	    "the filter has md_spf_verify, and there is no Net::DNS",
	    "apt-get install libnet-dns-perl, and reread" },
	{ "multiplexor", mux,
	    "/var/spool/MIMEDefang/mimedefang-multiplexor.sock: Connection "
	    "refused",
	    "systemctl restart mimedefang" },
	{ "multiplexor", separate_mux, "/m: Connection refused",
	    "start it, or give its socket with -m" },
	{ "no-free-worker", no_worker,
	    "/var/spool/MIMEDefang/mimedefang-multiplexor.sock: none of 8 "
	    "workers is free",
	    "more of them (-x), or a queue (-q); md-mx-ctrl load shows how it "
	    "was" },
	{ "descriptors", descriptors,
	    "the limit is 100, 32 sessions and 8 workers need 136",
	    "LimitNOFILE=136 in the unit, or ulimit -Hn" },
	{ "memory", memory,
	    "8 workers (-x) of about 60 MiB each, on a host with 256 MiB",
	    "-x 4; or -E, with which workers share most of it" },
	{ "memory", memory_zygote,
	    "8 workers (-x) of about 15 MiB each, on a host with 100 MiB",
	    "-x 6" },
};

static void
each_finding_is_provoked(void **state)
{
	(void)state;
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

P(other_worker, f.features = "who knows\n";)
P(scanner_there, f.filter_text = "message_contains_virus()";
    f.features = "Virus:CLAMD   : no\nVirus:CLAMAV  : yes (/x)\n";)
P(in_comment, f.filter_text = "1; # spam_assassin_check\n";
    f.features = "SpamAssassin : no\n";)
P(not_asked, f.mux_known = false; f.mux_free = -1;)
P(unlimited, f.descriptors = 0; f.memory_bytes = 0;)

static void
what_is_meant_is_not_found(void **state)
{
	static void (*const right[])(void) = { other_worker, scanner_there,
		in_comment, not_asked, unlimited };

	(void)state;
	check_nothing(right, sizeof(right) / sizeof(right[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_finding_is_provoked),
		cmocka_unit_test(what_is_meant_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
