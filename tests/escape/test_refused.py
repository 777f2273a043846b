# SPDX-License-Identifier: Apache-2.0
"""Single attacks: refused by the jail, also when layers are taken away; got through in the positive control.

A row names the attack, the jails in which it must be refused, and its control: options of a jail that permits it, or
the attack unjailed, as the same user or as root.
"""
import pytest

BARE = ("--seccomp", "off", "--landlock", "off")
MIGHTY = ("-u", "root", "--cap-add", "sys_admin,sys_ptrace,dac_override,dac_read_search,mknod,net_admin,net_raw,sys_chroot,"
          "sys_module,sys_boot,sys_time,syslog,sys_rawio,kill,setpcap,sys_resource,sys_nice,sys_tty_config,bpf,perfmon")
JAILS = {
    "default": (),
    "root-inside": ("-u", "root"),
    "no-filter": ("--seccomp", "off"),
    "no-landlock": ("--landlock", "off"),
    "bare": BARE,
    "bare-root": (*BARE, "-u", "root"),
    "mighty": MIGHTY,
    "mighty-no-filter": ("--seccomp", "off", *MIGHTY),
    "mighty-bare": (*BARE, *MIGHTY),
}
ALL = ("default", "bare", "mighty", "mighty-bare")
FILTERED = ("default", "root-inside", "no-landlock", "mighty")
POWERLESS = ("default", "no-filter", "no-landlock", "bare-root")
FREE, ROOT, PERMITTED = "free", "root", ("--seccomp", "off")

INIT = [
    (("trace", "1"), ALL), (("seize", "1"), ALL), (("read-memory", "1"), ALL), (("write-memory", "1"), ALL),
    (("steal-descriptor", "1"), ALL), (("advise", "1"), ALL), (("compare", "1"), ALL),
    (("read", "/proc/1/environ"), ALL), (("read", "/proc/1/auxv"), ALL),
    (("list", "/proc/1/fd"), ALL), (("list", "/proc/1/map_files"), ALL), (("read", "/proc/1/fd/0"), ALL),
    (("read", "/proc/1/maps"), ALL), (("open-for-writing", "/proc/1/mem"), ALL),
    (("read-link", "/proc/1/exe"), ALL), (("read-link", "/proc/1/cwd"), ALL), (("read-link", "/proc/1/root"), ALL),
    (("read-link", "/proc/1/ns/mnt"), ALL), (("read", "/proc/1/root/etc/passwd"), ALL),
    (("open-for-writing", "/proc/1/exe"), ALL),
]

CALLS = [
    *[(("call", name), FILTERED, PERMITTED) for name in
      ("io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "modify_ldt", "personality-exec",
       "move_pages", "userfaultfd")],
    (("call", "io_uring_setup"), FILTERED, PERMITTED),
    *[(("call", name), ALL, ROOT) for name in
      ("kexec_load", "init_module", "finit_module", "delete_module", "swapon", "swapoff", "acct", "ioperm", "iopl")],
    (("call", "quotactl"), FILTERED, ROOT), (("call", "reboot"), POWERLESS, ROOT),
    (("call", "fanotify_init"), FILTERED, ROOT), (("call", "clock_settime"), FILTERED, ROOT), (("call", "syslog"), ALL, ROOT),
    (("call", "sethostname"), POWERLESS, ROOT), (("call", "setdomainname"), POWERLESS, ROOT),
    (("call", "open_by_handle_at"), FILTERED, ROOT),
    *[(("call", f"unshare-{name}"), POWERLESS, ROOT) for name in ("mount", "pid", "net", "uts", "ipc", "cgroup", "time")],
    (("call", "unshare-user"), ALL, ROOT), (("mount-in-new-userns", "/tmp"), ALL, ROOT),
    *[(("new-process", flag), ALL, ROOT) for flag in ("0x10000000", "0x110000000", "0x30000000")],
    *[(("new-process", flag), POWERLESS, ROOT) for flag in ("0x20000000", "0x20000", "0x40000000", "0x2000000", "0x8000000")],
    (("clone3-user",), ALL, ROOT),
    (("load-bpf",), ALL, ROOT), (("measure",), FILTERED, ROOT), (("trace-me",), FILTERED, PERMITTED),
    (("trace-child",), FILTERED, PERMITTED), (("old-gate",), FILTERED, PERMITTED), (("map-zero",), ALL, ROOT),
    (("take-notifications",), FILTERED, PERMITTED),
]

NUMBERS = ["-1", "0xffffffff", "0x7fffffff", "100000", "512", "547", "0x40000027", "0x40000209", "0x4000003b", "0x100000000027"]

SOCKETS = [
    (("socket", "40", "1", "0"), FILTERED, PERMITTED),      # vsock
    (("socket", "38", "5", "0"), FILTERED, PERMITTED),      # the kernel's cryptography
    (("socket", "17", "3", "768"), FILTERED, ROOT),         # packets
    (("socket", "16", "3", "9"), FILTERED, PERMITTED),      # netlink: audit
    (("socket", "16", "3", "15"), FILTERED, PERMITTED),     # netlink: uevents
    (("socket", "16", "3", "12"), FILTERED, PERMITTED),     # netlink: netfilter
    (("socket", "16", "3", "16"), FILTERED, PERMITTED),     # netlink: generic
    (("socket", "2", "3", "1"), POWERLESS, ROOT),           # raw
    (("socket-high", "17"), FILTERED, ROOT),                # CVE-2019-10063, for families
]

MOUNTS = [
    (("mount", "tmpfs", "/tmp/x"), ("mighty-no-filter",), ROOT), (("mount", "proc", "/tmp/x"), ("mighty-no-filter",), ROOT),
    (("mount", "sysfs", "/tmp/x"), ("mighty-no-filter",), ROOT), (("mount", "devpts", "/tmp/x"), ("mighty-no-filter",), ROOT),
    (("mount", "cgroup2", "/tmp/x"), ("mighty-no-filter",), ROOT),
    (("bind", "/usr", "/tmp"), ("mighty-no-filter",), ROOT), (("remount-writable", "/proc"), ("mighty-no-filter",), ROOT),
    (("unmount", "/proc"), ("mighty-no-filter",), ROOT), (("set-writable", "/proc"), ("mighty",), ROOT),
    (("clone-tree", "/usr"), ("mighty",), ROOT), (("open-file-system", "tmpfs"), ("mighty",), ROOT),
    (("open-file-system", "proc"), ("mighty",), ROOT), (("pick-file-system", "/proc"), ("mighty",), ROOT),
    (("change-root", "/tmp"), ("mighty",), ROOT),
    (("double-chroot", "etc/shadow"), ALL, ROOT),
]

HOST_SWITCHES = [
    "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hotplug",
    "/proc/sys/fs/binfmt_misc/register", "/proc/sys/kernel/sysrq", "/proc/sys/vm/drop_caches", "/proc/sys/kernel/panic",
    "/proc/sys/user/max_user_namespaces", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/hostname", "/proc/mtrr",
    "/proc/irq/default_smp_affinity", "/proc/latency_stats", "/sys/kernel/uevent_helper", "/sys/power/state",
    "/sys/fs/cgroup/cgroup.procs", "/usr/bin/env", "/etc/passwd", "/etc/ld.so.cache", "/dev/kmsg", "/dev/mem", "/dev/vda",
]

SECRETS = [
    "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/key-users", "/proc/timer_list", "/proc/slabinfo", "/proc/vmallocinfo",
    "/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup", "/proc/sched_debug", "/proc/latency_stats",
    "/etc/shadow", "/etc/machine-id", "/root/.bashrc", "/sys/kernel/notes", "/sys/class/dmi/id/product_uuid", "/dev/kmsg", "/dev/vda",
]


def _cases(rows):
    return [pytest.param(words, jail, id=f"{'-'.join(words)}-{jail}") for words, jails, *_ in rows for jail in jails]


def _controls(rows):
    return [pytest.param(words, control, id="-".join(words)) for words, _, control in rows]


def _control(assault, words, control):
    if control == FREE:
        return assault.free(*words)
    if control == ROOT:
        return assault.as_root(*words)
    return assault.jailed(*words, options=control)


def _expect_through(got):
    if got in ("ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENODEV"):
        pytest.skip("this kernel does not have it: nothing to refuse")
    assert got == "THROUGH"


@pytest.mark.parametrize("words,jail", _cases(INIT))
def test_init_is_out_of_reach(assault, words, jail):
    assert assault.jailed(*words, options=JAILS[jail]) != "THROUGH"


@pytest.mark.parametrize("words", [pytest.param(words, id="-".join(words)) for words, _ in INIT if words[-1] not in
                                   ("/proc/1/exe", "/proc/1/map_files", "/proc/1/fd/0") or words[0] == "read-link"])
def test_a_process_that_does_not_hide_is_within_reach(assault, canary, words):
    if words[0] == "advise" and assault.uid:
        pytest.skip("paging out another's memory wants CAP_SYS_NICE; the control is root's")
    aimed = [word.replace("/proc/1/", f"/proc/{canary.pid}/") if "/" in word else str(canary.pid) if word == "1" else word
             for word in words]
    assert assault.free(*aimed) == "THROUGH"


@pytest.mark.parametrize("words,jail", _cases(CALLS))
def test_a_dangerous_call_is_refused(assault, words, jail):
    assert assault.jailed(*words, options=JAILS[jail]) != "THROUGH"


@pytest.mark.parametrize("words,control", _controls(CALLS))
def test_a_dangerous_call_works_where_it_is_permitted(assault, words, control):
    _expect_through(_control(assault, words, control))


@pytest.mark.parametrize("jail", FILTERED)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_no_call_is_never_run(assault, number, jail):
    if number == "0x100000000027" and assault.free("number", number) == "THROUGH":
        pytest.skip("the kernel looks at the low half only, and that is getpid, which is allowed")
    assert assault.jailed("number", number, options=JAILS[jail]) in ("ENOSYS", "SIGSYS", "EPERM")


def test_a_number_of_an_allowed_call_is_run(assault):
    assert assault.jailed("number", "39") == "THROUGH"


@pytest.mark.parametrize("words,jail", _cases(SOCKETS))
def test_a_socket_of_an_odd_family_is_refused(assault, words, jail):
    assert assault.jailed(*words, options=JAILS[jail]) != "THROUGH"


@pytest.mark.parametrize("words,control", _controls(SOCKETS))
def test_a_socket_of_an_odd_family_works_where_it_is_permitted(assault, words, control):
    _expect_through(_control(assault, words, control))


@pytest.mark.parametrize("jail", POWERLESS + ("mighty",))
@pytest.mark.parametrize("words", [pytest.param(words, id="-".join(words)) for words, *_ in MOUNTS])
def test_the_tree_cannot_be_changed(assault, words, jail):
    assert assault.jailed(*words, options=JAILS[jail]) != "THROUGH"


@pytest.mark.parametrize("words,jail", _cases(MOUNTS))
def test_the_tree_cannot_be_changed_with_capabilities(assault, words, jail):
    assert assault.jailed(*words, options=JAILS[jail]) != "THROUGH"


@pytest.mark.parametrize("words,control", _controls(MOUNTS))
def test_the_tree_can_be_changed_by_root_outside(assault, words, control):
    _expect_through(_control(assault, words, control))


def _through(assault, attack, paths, jail):
    return [line for line in assault.output(attack, *paths, options=JAILS[jail]).splitlines() if line.startswith("/")]


@pytest.mark.parametrize("jail", JAILS)
def test_no_switch_of_the_host_can_be_written(assault, jail):
    assert _through(assault, "open-any", [*HOST_SWITCHES, "/dev/null"], jail) == ["/dev/null"]


@pytest.mark.parametrize("jail", JAILS)
def test_no_secret_of_the_host_can_be_read(assault, jail):
    assert _through(assault, "read-any", [*SECRETS, "/dev/zero"], jail) == ["/dev/zero"]


@pytest.mark.parametrize("path", ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/usr/bin/env", "/etc/passwd"])
def test_root_outside_can_open_the_switches(assault, path):
    got = assault.as_root("open-for-writing", path)
    if got == "ENOENT":
        pytest.skip("this machine does not have it")
    assert got == "THROUGH"


@pytest.mark.parametrize("path", ["/proc/keys", "/proc/slabinfo", "/proc/timer_list", "/etc/shadow"])
def test_root_outside_can_read_the_secrets(assault, path):
    got = assault.as_root("read", path)
    if got in ("ENOENT", "ENODATA"):
        pytest.skip("this machine does not have it")
    assert got == "THROUGH"
