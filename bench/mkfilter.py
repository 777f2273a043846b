#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the floor's seccomp program, as C or with --raw as bytes: a deny-list merged into ranges of system
call numbers and searched as a binary tree. It stands for the size and shape of a default profile; it is no
policy of immure's."""
import re
import struct
import sys

DENIED = """
acct add_key adjtimex bpf clock_adjtime clock_settime clone3 create_module delete_module fanotify_init
finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module io_uring_enter
io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind
migrate_pages modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
open_by_handle_at open_tree perf_event_open personality pivot_root process_madvise process_vm_readv
process_vm_writev ptrace query_module quotactl quotactl_fd reboot request_key set_mempolicy
set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff swapon syslog sysfs _sysctl
umount2 unshare uselib userfaultfd ustat vhangup vmsplice chroot memfd_secret pidfd_getfd tuxcall
afs_syscall security getpmsg putpmsg vserver remap_file_pages epoll_ctl_old mknod mknodat semtimedop
set_thread_area get_thread_area restart_syscall msgget shmget ioprio_set sched_setattr landlock_add_rule
""".split()
LAST_KNOWN = 462
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
LD_W_ABS, JEQ, JGE, RET = 0x20, 0x15, 0x35, 0x06
ARCH_X86_64, X32_BIT = 0xC000003E, 0x40000000


def numbers(header):
    return {name: int(nr) for name, nr in re.findall(r"#define __NR_(\w+)\s+(\d+)", open(header).read())}


def ranges(denied):
    """[(first number, action)], sorted; neighbours with one action are one range."""
    action = {nr: EPERM for nr in denied}
    found = []
    for nr in range(LAST_KNOWN + 1):
        wanted = action.get(nr, ALLOW)
        if not found or found[-1][1] != wanted:
            found.append((nr, wanted))
    return found + [(LAST_KNOWN + 1, ENOSYS), (X32_BIT, KILL)]


def tree(found):
    """Emits inner nodes as (first, left, right); a leaf is its action."""
    if len(found) == 1:
        return found[0][1]
    middle = len(found) // 2
    return (found[middle][0], tree(found[:middle]), tree(found[middle:]))


def flatten(node, lines):
    """Depth first, the left branch next; returns the place of the node. Leaves are shared returns."""
    if isinstance(node, int):
        return ("leaf", node)
    place = len(lines)
    lines.append(None)
    left = flatten(node[1], lines)
    right = flatten(node[2], lines)
    lines[place] = (node[0], left, right)
    return place


def main():
    known = numbers("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    lines = []
    flatten(tree(ranges({known[name] for name in DENIED if name in known})), lines)
    leaves = [ALLOW, EPERM, ENOSYS, KILL]
    head = [(LD_W_ABS, 0, 0, 4), (JEQ, 1, 0, ARCH_X86_64), (RET, 0, 0, KILL), (LD_W_ABS, 0, 0, 0)]

    def jump(place, target):
        where = len(lines) + leaves.index(target[1]) if isinstance(target, tuple) else target
        return where - place - 1

    body = [(JGE, jump(i, right), jump(i, left), number) for i, (number, left, right) in enumerate(lines)]
    program = head + body + [(RET, 0, 0, value) for value in leaves]
    if sys.argv[1:] == ["--raw"]:
        for line in program:
            sys.stdout.buffer.write(struct.pack("=HBBI", *line))
        return
    print("/* Made by mkfilter.py; %d instructions. */" % len(program))
    print("#include <linux/filter.h>\nstatic const struct sock_filter filter[] = {")
    for code, jt, jf, k in program:
        assert 0 <= jt < 256 and 0 <= jf < 256, (jt, jf)
        print("\t{ 0x%02x, %d, %d, 0x%08x }," % (code, jt, jf, k))
    print("};")


if __name__ == "__main__":
    sys.exit(main())
