# SPDX-License-Identifier: Apache-2.0
"""What is not in a namespace, or in one that is easily forgotten: names, keys, memory, locks, clocks, terminals, cgroups."""
import contextlib
import ctypes
import os
import pathlib
import pty
import re
import select
import socket
import subprocess
import time

import pytest
from conftest import NOBODY, landlock_abi, verdict

from patience import PATIENCE


BARE = ("--seccomp", "off", "--landlock", "off")
WITHOUT = ("--mountns", "host", "--pidns", "host", "--net", "host", "--ipcns", "host", "--utsns", "host", "--cgroupns", "host")
LIKE_DOCKER = pathlib.Path(__file__).resolve().parents[1] / "kernel" / "like-docker"
NAMESPACES = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup")
JAILS = pytest.mark.parametrize("options", [(), BARE, (*BARE, "-u", "root", "--cap-add", "sys_admin,net_admin,ipc_owner,sys_time")],
                                ids=["default", "bare", "mighty"])


def shell(immure, script, *options, **rest):
    return immure.run("run", "-q", *options, "--", "/bin/sh", "-c", script, **rest)


@pytest.mark.parametrize("name", NAMESPACES)
def test_every_namespace_is_another(immure, name):
    inside = shell(immure, f"readlink /proc/self/ns/{name}").stdout.strip()
    assert re.fullmatch(rf"{name}:\[\d+\]", inside) and inside != os.readlink(f"/proc/self/ns/{name}")


def test_a_namespace_that_is_asked_for_is_the_hosts(immure):
    assert shell(immure, "readlink /proc/self/ns/net", "--net", "host").stdout.strip() == os.readlink("/proc/self/ns/net")


# Abstract names follow the network namespace alone: CVE-2020-15257.
@pytest.fixture
def listener():
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0immure-canary-{os.getpid()}")
        server.listen()
        yield f"immure-canary-{os.getpid()}"


def says(assault, words, options):
    return words in assault.immure.run("explain", *options, "--", "true").stdout


@pytest.mark.parametrize("options", [(), BARE, ("--net", "host"), ("--net", "host", "--seccomp", "off"), ("--net", "host", "-u", "root")],
                         ids=["default", "bare", "host-net", "host-net-no-filter", "host-net-root"])
def test_an_abstract_name_outside_is_out_of_reach(assault, listener, options):
    """With the host's net by Landlock's scopes alone; a kernel without them, before Linux 6.12, lets it through, and explain says so."""
    assert assault.free("connect-abstract", listener) == "THROUGH"
    is_open = "host" in options and landlock_abi() < 6
    assert assault.jailed("connect-abstract", listener, options=options) in (("THROUGH",) if is_open else ("ECONNREFUSED", "EPERM"))
    assert says(assault, "abstract sockets", options) == is_open


def test_an_abstract_name_is_reached_with_the_hosts_net_and_no_landlock(assault, listener):
    options = ("--net", "host", "--landlock", "off")
    assert assault.jailed("connect-abstract", listener, options=options) == "THROUGH"
    assert says(assault, "abstract sockets", options)


@pytest.mark.parametrize("options", [(), ("--pidns", "host", "--proc", "none"), ("--pidns", "host", "--proc", "none", "--landlock", "off")],
                         ids=["default", "host-processes", "host-processes-no-landlock"])
def test_a_signal_that_reaches_the_host_is_told_in_advance(assault, canary, options):
    """It reaches who has the program's id: an ordinary user's own processes. root's program has an id that nobody else has."""
    is_open = "--pidns" in options and landlock_abi() < 6 # the fence around what init kills is there without --landlock, too
    came = assault.jailed("signal", canary.pid, 0, options=options)
    assert (came == "THROUGH") == (is_open and assault.uid != 0), came
    assert says(assault, "may signal", options) == is_open


@pytest.mark.parametrize("options", [("--mountns", "host"), ("--userns", "host", *WITHOUT), (*WITHOUT, "--seccomp", "strict"), ("--docker",)],
                         ids=["no-tree", "no-namespaces", "no-namespaces-strict", "denied-namespaces"])
def test_a_service_at_a_path_is_out_of_reach_without_a_tree(assault, folder, options):
    """Landlock does not know connect(2): the session's bus would start whatever it is asked for, outside."""
    path = folder / "bus"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o777)
        server.listen()
        assert assault.free("connect-path", path) == "THROUGH"
        if options == ("--docker",) and os.geteuid():
            pytest.skip("an outer jail needs root")
        if options == ("--docker",):
            outer = [LIKE_DOCKER, "--docker", "-u", str(assault.uid), "--", assault.immure.path, "run", "-q", "--may-lack", "namespaces", "--",
                     assault.path, "connect-path", path]
            assert verdict(subprocess.run(outer, capture_output=True, text=True, timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL, check=False)) == "EPERM"
            return
        assert assault.jailed("connect-path", path, options=options) == "EPERM"
        opened = [*options, "--seccomp-allow", "socket"] if "strict" not in options else [*options[:-2], "--seccomp", "off"]
        assert assault.jailed("connect-path", path, options=opened) == "THROUGH"


def test_nothing_makes_sockets_unseen_without_a_tree(assault):
    """A ring of io_uring makes and connects sockets, and no filter sees it: IORING_OP_SOCKET."""
    assert assault.jailed("call", "io_uring_setup", options=("--seccomp", "enclave", "--net", "host")) == "THROUGH"
    assert assault.jailed("call", "io_uring_setup", options=("--seccomp", "enclave", "--net", "host", "--mountns", "host")) == "ENOSYS"


VSOCK = ("socket", "40", "1", "0")


@pytest.mark.parametrize("net", ["none", "loopback"])
def test_nothing_speaks_past_the_network_namespace(assault, net):
    """AF_VSOCK leads to the hypervisor from every network namespace, and a ring makes such a socket unseen. A profile may permit both."""
    with_host = assault.jailed(*VSOCK, options=("--seccomp", "enclave", "--net", "host"))
    if with_host == "EAFNOSUPPORT":
        pytest.skip("this kernel has no such sockets: nothing to refuse")
    assert with_host == "THROUGH"
    assert assault.jailed(*VSOCK, options=("--seccomp", "enclave", "--net", net)) == "EPERM"
    assert assault.jailed("call", "io_uring_setup", options=("--seccomp", "enclave", "--net", net)) == "ENOSYS"
    assert assault.jailed(*VSOCK, options=("--seccomp", "enclave", "--net", net, "--seccomp-allow", "socket")) == "THROUGH"


def test_no_network_means_no_hypervisor_either(assault, executables):
    """The same by the words of capejail, whose list permits both."""
    if assault.uid:
        pytest.skip("root starts it")
    words = lambda *options: [executables / "immure-capejail", *options, "--", assault.path, *VSOCK]  # noqa: E731
    got = [verdict(subprocess.run(words(*options), capture_output=True, text=True, timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL,
                                  check=False)) for options in ((), ("-n",))]
    if got[0] == "EAFNOSUPPORT":
        pytest.skip("this kernel has no such sockets: nothing to refuse")
    assert got == ["THROUGH", "SIGSYS"]


@JAILS
def test_a_service_on_the_hosts_loopback_is_out_of_reach(assault, options):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert assault.free("connect-loopback", port) == "THROUGH"
        assert assault.jailed("connect-loopback", port, options=options) == "ECONNREFUSED"
        assert assault.jailed("connect-loopback", port, options=("--net", "none", *options)) in ("ENETUNREACH", "EADDRNOTAVAIL")
        assert assault.jailed("connect-loopback", port, options=("--net", "host", *options)) == "THROUGH"


def test_only_the_loopback_is_there(immure):
    lines = shell(immure, "cat /proc/net/dev; cat /proc/net/route").stdout
    assert set(re.findall(r"^\s*(\w+):", lines, re.M)) == {"lo"}


# System V and POSIX objects: openai/codex #20240.
@JAILS
def test_shared_memory_of_the_host_is_out_of_reach(assault, options):
    key = 0x1e550000 + os.getpid() % 0xffff
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(key, 4096, 0o1666)
    assert segment >= 0
    try:
        assert assault.free("attach-shared-memory", hex(key)) == "THROUGH"
        assert assault.jailed("attach-shared-memory", hex(key), options=options) == "ENOENT"
    finally:
        libc.shmctl(segment, 0, None)


def test_shared_memory_of_the_jail_does_not_outlive_it(immure):
    process = shell(immure, "ipcmk -M 4096 >&2 && tail -n +2 /proc/sysvipc/shm")
    (key,) = (line.split()[0] for line in process.stdout.splitlines())  # any number, by ipcmk
    assert key != "0" and key not in [line.split()[0] for line in open("/proc/sysvipc/shm", encoding="ascii")]


@JAILS
def test_a_message_queue_of_the_host_is_out_of_reach(assault, options):
    name = f"/immure-canary-{os.getpid()}".encode()
    rt = ctypes.CDLL("librt.so.1", use_errno=True)
    old = os.umask(0)
    queue = rt.mq_open(name, os.O_CREAT | os.O_RDWR, 0o666, None)
    os.umask(old)
    assert queue >= 0
    try:
        assert assault.free("open-queue", name.decode()) == "THROUGH"
        assert assault.jailed("open-queue", name.decode(), options=options) in ("ENOENT", "EPERM", "EACCES")
    finally:
        rt.mq_unlink(name)
        os.close(queue)


@pytest.mark.parametrize("place", ["/dev/shm", "/tmp", "/var/tmp", "/run"])
@JAILS
def test_temporary_folders_are_not_the_hosts(assault, place, options):
    path = pathlib.Path(place) / f"immure-canary-{os.getpid()}"
    if not os.access(place, os.W_OK):
        pytest.skip("the control writes there")
    path.write_text("sings")
    path.chmod(0o666)
    try:
        assert assault.free("read", path) == "THROUGH"
        assert assault.jailed("read", path, options=options) == "ENOENT"
        assert assault.jailed("see-lock", path, options=options) in ("ENOENT", "EACCES")
    finally:
        path.unlink()
    shell(assault.immure, f"echo x >{place}/left-{os.getpid()}", *options)
    assert not (pathlib.Path(place) / f"left-{os.getpid()}").exists()


@pytest.mark.parametrize("profile", ["default", "strict", "judge"])
def test_who_opens_a_file_that_is_shown_is_not_held_up(assault, folder, profile):
    """By a lease on it, which asks for no more than reading and owning it: for 45 seconds each time. fcntl(2), F_SETLEASE"""
    path = folder / "document"
    path.write_text("text")
    os.chown(path, assault.uid or NOBODY, assault.uid or NOBODY)
    assert assault.free("take-lease", path, "0") == "THROUGH"
    for high in ("0", "1"):
        assert assault.jailed("take-lease", "/document", high, options=("--seccomp", profile, "--ro", f"{path}:/document")) == "EPERM"
    if assault.uid: # of root's jails the file is nobody's who is in them
        assert assault.jailed("take-lease", "/document", "0", options=("--seccomp", "off", "--ro", f"{path}:/document")) == "THROUGH"


# Keys belong to users: flatpak #299, moby #36368.
@pytest.fixture
def key(immure):
    """A key in the user's and the session's keyring; the caller must be a process that holds them."""
    name = f"immure-canary-{os.getpid()}"
    return name, [f"import ctypes,os,sys\nlibc=ctypes.CDLL(None)\nlibc.syscall(250,1,None)\n"
                  f"for ring in (-3,-4): assert libc.syscall(248,b'user',b'{name}',b'x',1,ring) > 0\n"
                  "os.execvp(sys.argv[1], sys.argv[1:])"]


@pytest.mark.parametrize("options", [(), ("--landlock", "off"), ("-u", "root")], ids=["default", "no-landlock", "root-inside"])
def test_a_key_of_the_caller_is_out_of_reach(assault, key, options):
    name, script = key
    words = assault.immure.words("run", "-q", *options, "--", assault.path, "find-key", name)
    drop, words = words[:words.index(assault.immure.path)], words[words.index(assault.immure.path):]

    def run(words):
        return subprocess.run([*drop, "/usr/bin/python3", "-c", *script, *words], capture_output=True, text=True, cwd="/",
                              stdin=subprocess.DEVNULL, check=False).stdout
    assert run([assault.path, "find-key", name]) == "THROUGH\n"
    assert run(words).startswith("REFUSED")


@pytest.mark.parametrize("options", [("--seccomp", "off"), (*BARE, "-u", "root")], ids=["no-filter", "bare-root"])
def test_a_key_of_the_session_is_out_of_reach_without_a_filter(assault, key, options):
    name, script = key
    script = [script[0].replace("(-3,-4)", "(-3,)")]
    words = assault.immure.words("run", "-q", *options, "--", assault.path, "find-key", name)
    drop, words = words[:words.index(assault.immure.path)], words[words.index(assault.immure.path):]
    process = subprocess.run([*drop, "/usr/bin/python3", "-c", *script, *words], capture_output=True, text=True, cwd="/",
                             stdin=subprocess.DEVNULL, check=False)
    assert process.stdout.startswith("REFUSED")


# Terminals.
@contextlib.contextmanager
def terminal(words, wraps=False):
    """WORDS with a terminal on 0, 1 and 2, which is theirs to control: as a user's shell starts them."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execvp(words[0], words)
    try:
        yield master
    finally:
        os.close(master)
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def read_all(master):
    text = b""
    while select.select([master], [], [], PATIENCE)[0]:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        text += part
    return text.decode(errors="replace")


TYPING = [("sti", "0"), ("sti", "1"), ("sti", "0xffffffff"), ("linux", "0"), ("linux", "1")]


@pytest.mark.parametrize("tty", ["auto", "no", "yes"])
@pytest.mark.parametrize("kind,high", TYPING)
def test_nothing_is_typed_into_a_terminal(assault, kind, high, tty):
    """CVE-2017-5226, CVE-2019-10063, CVE-2023-28100: TIOCSTI and TIOCLINUX, with any high half."""
    with terminal(assault.immure.words("run", "-q", "-t", tty, "--", assault.path, "type-into-terminal", kind, high)) as master:
        assert "REFUSED EPERM" in read_all(master)


@pytest.mark.parametrize("high", ["0", "1"])
def test_it_is_typed_into_a_terminal_that_is_ones_own(assault, high):
    switch = pathlib.Path("/proc/sys/dev/tty/legacy_tiocsti") # since Linux 6.2
    if switch.exists() and switch.read_text(encoding="ascii") != "1\n":
        pytest.skip("this kernel forbids TIOCSTI to everybody")
    with terminal([assault.path, "type-into-terminal", "sti", high]) as master:
        assert "THROUGH" in read_all(master)


@pytest.mark.parametrize("tty", ["auto", "no"])
@pytest.mark.parametrize("options", [(), BARE, (*BARE, "-u", "root", "--cap-add", "sys_admin,sys_tty_config")], ids=["default", "bare", "mighty"])
def test_the_callers_terminal_cannot_be_taken(assault, options, tty):
    for force in ("0", "1"):
        with terminal(assault.immure.words("run", "-q", "-t", tty, *options, "--", assault.path, "take-terminal", force)) as master:
            text = read_all(master)
        # With -t no a relay stands in between; the one of its own it may have.
        assert "REFUSED" in text or tty == "auto" and "THROUGH" in text


@pytest.mark.parametrize("options", [(), BARE], ids=["default", "bare"])
def test_the_callers_terminal_cannot_be_typed_into_even_without_a_filter(assault, options):
    """The jail is in a session of its own, so the kernel refuses what the filter would have."""
    with terminal(assault.immure.words("run", "-q", "-t", "no", *options, "--", assault.path, "type-into-terminal", "sti", "0")) as master:
        assert "REFUSED" in read_all(master)


@pytest.mark.parametrize("path", ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/pts/0"])
@JAILS
def test_no_terminal_is_there_to_open(assault, path, options):
    with terminal(assault.immure.words("run", "-q", "-t", "no", *options, "--", assault.path, "open-terminal", path)) as master:
        assert "REFUSED" in read_all(master)


def test_the_controlling_terminal_is_there_outside(assault):
    with terminal([assault.path, "open-terminal", "/dev/tty"]) as master:
        assert "THROUGH" in read_all(master)


@pytest.mark.parametrize("where", ["program", "workdir", "option", "file"])
def test_names_are_shown_without_escape_sequences(immure, folder, where):
    """CVE-2023-28101: a name is data, not a command to the terminal."""
    odd = "a\x1b]0;title\x07b\x1b[2Jc\r\x9b2J"
    words = {"program": ("--", f"/tmp/{odd}"), "workdir": ("-C", f"/{odd}", "--", "/bin/true"), "option": (f"--{odd}", "--", "/bin/true"),
             "file": ("--ro", f"/tmp/{odd}", "--", "/bin/true")}[where]
    for verb in ("run", "explain"):
        process = immure.run(verb, *words)
        assert process.stderr or "?" in process.stdout
        assert not set(process.stderr + process.stdout) & {"\x1b", "\x07", "\r", "\x9b"}


# Cgroups: CVE-2022-0492, CVE-2023-25809.
@JAILS
def test_the_cgroup_tree_is_not_there(immure, options):
    process = shell(immure, "ls /sys/fs/cgroup; grep cgroup /proc/mounts; cat /proc/self/cgroup | grep -v ':/$'; true", *options)
    assert process.stdout == ""


def test_with_sys_the_cgroup_tree_is_hidden(immure):
    process = shell(immure, "ls /sys/fs/cgroup; echo x >/sys/fs/cgroup/release_agent; find /sys -name release_agent; "
                    "find /sys -xdev -type f -writable | while read f; do [ -f $f ] && echo $f; done; true", "--sys", "ro")
    assert process.stdout == ""


def test_mounts_tell_nothing_of_the_callers_folders(immure, folder):
    """A bind shows its own folder's path on its disk, and no other."""
    text = shell(immure, "cat /proc/self/mountinfo /proc/self/mounts", "--ro", f"{folder}:/w").stdout
    for secret in ("/root", "/etc/passwd", "overlay", "/work", "cgroup"):
        assert secret not in text.replace(str(folder), "")


# Clocks.
@pytest.mark.parametrize("options", [(), BARE, (*BARE, "-u", "root", "--cap-add", "sys_time,sys_admin")], ids=["default", "bare", "mighty"])
def test_clocks_cannot_be_set(immure, options):
    process = shell(immure, "date -s 2001-01-01; echo 'monotonic 86400 0' >/proc/self/timens_offsets; unshare -T true && echo new; "
                    "cat /proc/uptime | cut -d. -f1", *options)
    inside, outside = int(process.stdout.split()[-1]), float(open("/proc/uptime", encoding="ascii").read().split()[0])
    assert abs(inside - outside) < 3600 and time.time() > 1e9 + 5e8


@JAILS
def test_mounts_do_not_come_out(immure, options):
    """In a mount namespace where nobody else mounts anything, and where all is passed on that can be."""
    alone = [] if os.geteuid() else ["unshare", "--mount", "--propagation", "private"]
    shared = "" if os.geteuid() else "mount --make-rshared / && "
    script = shared + 'cat /proc/self/mountinfo; echo; "$@"; echo; cat /proc/self/mountinfo'
    words = immure.words("run", "-q", *options, "--", "/bin/sh", "-c", "mkdir /tmp/m; mount -t tmpfs none /tmp/m; sleep 0.02; echo ran >&2")
    done = subprocess.run([*alone, "sh", "-c", script, "-", *words], capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False, timeout=PATIENCE)
    before, after = done.stdout.split("\n\n")
    assert before.strip() == after.strip() != "" and "ran" in done.stderr
