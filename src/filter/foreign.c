/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 32-bit architectures have several generations of the same calls. A profile speaks of the meaning, so that a
 * denied umount2 denies umount too, and an allowed mmap allows mmap2.
 */
#include "filter/foreign.h"

#include <string.h>

#include "base/own.h"
#include "filter/syscalls.h"

static const struct { char name[32], twin[24]; } twins[] = {
	{ "_llseek", "lseek" },
	{ "_newselect", "select" },
	{ "chown32", "chown" },
	{ "clock_adjtime64", "clock_adjtime" },
	{ "clock_getres_time64", "clock_getres" },
	{ "clock_gettime64", "clock_gettime" },
	{ "clock_nanosleep_time64", "clock_nanosleep" },
	{ "clock_settime64", "clock_settime" },
	{ "fadvise64_64", "fadvise64" },
	{ "arm_fadvise64_64", "fadvise64" },
	{ "fchown32", "fchown" },
	{ "fcntl64", "fcntl" },
	{ "fstat64", "fstat" },
	{ "fstatat64", "newfstatat" },
	{ "fstatfs64", "fstatfs" },
	{ "ftruncate64", "ftruncate" },
	{ "futex_time64", "futex" },
	{ "getegid32", "getegid" },
	{ "geteuid32", "geteuid" },
	{ "getgid32", "getgid" },
	{ "getgroups32", "getgroups" },
	{ "getresgid32", "getresgid" },
	{ "getresuid32", "getresuid" },
	{ "getuid32", "getuid" },
	{ "io_pgetevents_time64", "io_pgetevents" },
	{ "lchown32", "lchown" },
	{ "lstat64", "lstat" },
	{ "mmap2", "mmap" },
	{ "mq_timedreceive_time64", "mq_timedreceive" },
	{ "mq_timedsend_time64", "mq_timedsend" },
	{ "nice", "setpriority" },
	{ "oldfstat", "fstat" },
	{ "oldlstat", "lstat" },
	{ "oldolduname", "uname" },
	{ "oldstat", "stat" },
	{ "olduname", "uname" },
	{ "ppoll_time64", "ppoll" },
	{ "pselect6_time64", "pselect6" },
	{ "readdir", "getdents" },
	{ "recvmmsg_time64", "recvmmsg" },
	{ "rt_sigtimedwait_time64", "rt_sigtimedwait" },
	{ "sched_rr_get_interval_time64", "sched_rr_get_interval" },
	{ "semtimedop_time64", "semtimedop" },
	{ "sendfile64", "sendfile" },
	{ "setfsgid32", "setfsgid" },
	{ "setfsuid32", "setfsuid" },
	{ "setgid32", "setgid" },
	{ "setgroups32", "setgroups" },
	{ "setregid32", "setregid" },
	{ "setresgid32", "setresgid" },
	{ "setresuid32", "setresuid" },
	{ "setreuid32", "setreuid" },
	{ "setuid32", "setuid" },
	{ "sgetmask", "rt_sigprocmask" },
	{ "sigaction", "rt_sigaction" },
	{ "signal", "rt_sigaction" },
	{ "sigpending", "rt_sigpending" },
	{ "sigprocmask", "rt_sigprocmask" },
	{ "sigreturn", "rt_sigreturn" },
	{ "sigsuspend", "rt_sigsuspend" },
	{ "ssetmask", "rt_sigprocmask" },
	{ "stat64", "stat" },
	{ "statfs64", "statfs" },
	{ "stime", "clock_settime" },
	{ "sync_file_range2", "sync_file_range" },
	{ "timer_gettime64", "timer_gettime" },
	{ "timer_settime64", "timer_settime" },
	{ "timerfd_gettime64", "timerfd_gettime" },
	{ "timerfd_settime64", "timerfd_settime" },
	{ "truncate64", "truncate" },
	{ "ugetrlimit", "getrlimit" },
	{ "umount", "umount2" },
	{ "utimensat_time64", "utimensat" },
	{ "waitpid", "wait4" },
};

int foreign_twin(const char *name)
{
	if (!name)
		return SYSCALL_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		if (strcmp(twins[i].name, name) == 0)
			return syscall_number(twins[i].twin);
	return syscall_number(name);
}

bool foreign_hides_arguments(const char *name)
{
	return strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0;
}
