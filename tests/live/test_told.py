# SPDX-License-Identifier: Apache-2.0
"""Descriptors that others wait at or that init holds, joins by descriptor, filters from descriptors. Lost would be a watcher that
is told of a start that never was, waits for ever, or sees the end too early."""
import ctypes
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import time

import pytest

from conftest import reachable
from patience import PATIENCE, await_true, children_of, words_of
from test_life import LIVES_ON, alive, launch, own, read_all, word  # noqa: F401

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWUTS = 0x10000000, 0x40000000, 0x04000000


class Pipe:
    def __enter__(self):
        self.read, self.write = os.pipe()
        return self

    def close_write(self):
        if self.write >= 0:
            os.close(self.write)
        self.write = -1

    def close_read(self):
        if self.read >= 0:
            os.close(self.read)
        self.read = -1

    def __exit__(self, *_):
        self.close_write()
        self.close_read()


@pytest.fixture
def pipe():
    with Pipe() as one:
        yield one


@pytest.fixture
def other_pipe():
    with Pipe() as one:
        yield one


def namespace(pid, kind):
    return os.stat(f"/proc/{pid}/ns/{kind}").st_ino


# --- what is told


@pytest.mark.parametrize("init", ["yes", "no"])
def test_the_birth_is_told(immure, pipe, word, init):
    run = launch(immure, "--init", init, "--info-fd", pipe.write, "--leave", "limits", "--", "/bin/sleep", word, pass_fds=(pipe.write,))
    pipe.close_write()
    text = read_all(pipe.read)
    assert text.startswith('{\n    "child-pid": ') and text.endswith("\n}\n") and '",\n' not in text.replace('": ', "")
    told = json.loads(text)
    assert told["child-pid"] == children_of(run.pid)[0]
    await_true(lambda: alive(word))
    (pid,) = alive(word)
    for kind in "cgroup", "ipc", "mnt", "net", "pid", "uts":
        assert told.pop(f"{kind}-namespace") == namespace(pid, kind) != namespace("self", kind)
    assert list(told) == ["child-pid"]
    run.kill()
    run.wait(PATIENCE)


def test_only_new_namespaces_are_told(immure, pipe):
    done = immure.run("run", "--net", "host", "--ipcns", "host", "--info-fd", pipe.write, "--", "/bin/true", pass_fds=(pipe.write,))
    pipe.close_write()
    told = json.loads(read_all(pipe.read))
    assert done.returncode == 0 and "net-namespace" not in told and "ipc-namespace" not in told and "uts-namespace" in told


@pytest.mark.parametrize("init", ["yes", "no"])
@pytest.mark.parametrize("script,code", [("exit 0", 0), ("exit 125", 125), ("kill -s KILL $$; exit 1", None)])
def test_the_end_is_told(immure, own, pipe, init, script, code):
    words = ["--init", init, *own, "--pidns", "host", "--proc", "bind"]
    done = immure.run("run", *words, "--status-fd", pipe.write, "--", "/bin/sh", "-c", script, pass_fds=(pipe.write,))
    pipe.close_write()
    lines = [json.loads(line) for line in read_all(pipe.read).splitlines()]
    assert len(lines) == 2 and lines[0]["child-pid"] > 0
    assert lines[1] == {"exit-code": 137 if code is None else code} and done.returncode == lines[1]["exit-code"]


@pytest.mark.parametrize("init", ["yes", "no"])
@pytest.mark.parametrize("program", ["/nowhere/at/all", "/etc/passwd"])
def test_of_a_program_that_was_not_executed_no_end_is_told(immure, pipe, init, program):
    done = immure.run("run", "--init", init, "--ro", "/etc/passwd", "--status-fd", pipe.write, "--", program, pass_fds=(pipe.write,))
    pipe.close_write()
    lines = read_all(pipe.read).splitlines()
    assert done.returncode in (126, 127) and len(lines) == 1 and "exit-code" not in lines[0]


@pytest.mark.parametrize("leave", [[], ["--leave", "signals"]])
def test_a_reader_that_is_gone_harms_nobody(immure, pipe, other_pipe, leave):
    for one in pipe, other_pipe:
        one.close_read()
    done = immure.run("run", *leave, "--info-fd", pipe.write, "--status-fd", other_pipe.write, "--", "/bin/sh", "-c", "exit 3",
                      pass_fds=(pipe.write, other_pipe.write), restore_signals=True)
    assert done.returncode == 3, done.stderr


def test_descriptors_that_are_not_open_are_refused(immure):
    for option in "--info-fd", "--status-fd", "--block-fd", "--hold-fd":
        done = immure.run("run", option, "77", "--", "/bin/true")
        assert done.returncode == 125 and "E-MONITOR-FD" in done.stderr, (option, done.stderr)
    assert immure.run("run", "--info-fd", "x", "--", "/bin/true").returncode == 125
    assert immure.run("run", "--info-fd", "5", "--status-fd", "5", "--", "/bin/true").returncode == 125


@pytest.mark.parametrize("leave", [[], ["--leave", "descriptors"]])
def test_none_of_these_descriptors_reaches_the_program(immure, pipe, other_pipe, leave):
    words = ["--info-fd", pipe.write, "--block-fd", other_pipe.read, "--hold-fd", other_pipe.write]
    os.write(other_pipe.write, b"x")
    done = immure.run("run", *leave, *words, "--", "/bin/sh", "-c", "ls /proc/self/fd", pass_fds=(pipe.write, *[other_pipe.read, other_pipe.write]))
    assert done.returncode == 0, done.stderr
    left = set(done.stdout.split())
    assert not left & {str(pipe.write), str(other_pipe.read), str(other_pipe.write)}
    # the control: those that are left do reach it
    if leave:
        assert str(pipe.write) in immure.run("run", *leave, "--", "/bin/sh", "-c", "ls /proc/self/fd", pass_fds=(pipe.write,)).stdout.split()


# --- what waits


@pytest.mark.parametrize("init", ["yes", "no"])
@pytest.mark.parametrize("how", ["byte", "end"])
def test_the_program_waits_until_it_is_let_go(immure, pipe, word, init, how):
    run = launch(immure, "--init", init, "--block-fd", pipe.read, "--", "/bin/sleep", word, pass_fds=(pipe.read,))
    time.sleep(0.4)
    assert not alive(word) and run.poll() is None
    if how == "byte":
        os.write(pipe.write, b"x")
    else:
        pipe.close_write()
    await_true(lambda: alive(word))
    run.kill()
    run.wait(PATIENCE)


@pytest.mark.parametrize("words", [[], ["--init", "no"], ["--lifetime", "own"], ["--pidns", "host", "--proc", "bind", "--lifetime", "own"],
                                   ["--leave", "signals"]])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_wait_ends_with_the_launcher(immure, pipe, other_pipe, word, words, number):
    """Told by the pipe whose other end all of immure's processes hold."""
    limits = ["--pids", "none"] if "own" in words else []
    run = launch(immure, *words, *limits, "--block-fd", pipe.read, "--hold-fd", other_pipe.write, "--", "/bin/sleep", word,
                 pass_fds=(pipe.read, other_pipe.write), stderr=subprocess.DEVNULL)
    other_pipe.close_write()
    time.sleep(0.3)
    assert run.poll() is None
    run.send_signal(number)
    assert run.wait(PATIENCE) != 0
    assert read_all(other_pipe.read) == ""
    assert not alive(word)


def write_maps(pid, inside, uid):
    for name in "uid_map", "gid_map":
        with open(f"/proc/{pid}/{name}", "w", encoding="ascii") as file:
            file.write(f"{inside} {uid} 1")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("words,expected", [(["--user", "7", "--group", "7"], "7"), ([], "7")])
def test_the_maps_are_written_by_somebody_else(immure, pipe, other_pipe, words, expected):
    """As newuidmap does it: with more rights than the caller has."""
    run = launch(immure, *words, "--maps-fd", other_pipe.read, "--info-fd", pipe.write, "--", "/bin/sh", "-c", "id -u; id -g; cat /proc/self/uid_map",
                 pass_fds=(pipe.write, other_pipe.read), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pipe.close_write()
    pid = json.loads(read_all(pipe.read))["child-pid"]
    assert run.poll() is None
    write_maps(pid, 7, immure.uid)
    other_pipe.close_write()
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, err
    assert out.split() == [expected, expected, "7", str(immure.uid), "1"]


def test_maps_that_nobody_writes_are_no_start(immure, pipe):
    pipe.close_write()
    done = immure.run("run", "--user", "7", "--group", "7", "--maps-fd", pipe.read, "--", "/bin/true", pass_fds=(pipe.read,))
    assert done.returncode == 125
    done = immure.run("run", "--userns", "host", "--maps-fd", "5", "--", "/bin/true")
    assert done.returncode == 125


def test_the_wait_for_maps_ends_with_the_launcher(immure, pipe, other_pipe):
    run = launch(immure, "--maps-fd", pipe.read, "--info-fd", other_pipe.write, "--", "/bin/true", pass_fds=(pipe.read, other_pipe.write),
                 stderr=subprocess.PIPE, text=True)
    other_pipe.close_write()
    assert "child-pid" in read_all(other_pipe.read)
    run.terminate()
    assert "signal 15" in run.communicate(timeout=PATIENCE)[1]
    assert run.returncode == 128 + signal.SIGTERM


# --- what is held


@pytest.mark.parametrize("init", ["yes", "no"])
def test_a_held_descriptor_ends_with_the_last_process(immure, own, pipe, init):
    words = ["--init", init, *own, *(["--pidns", "host", "--proc", "bind"] if init == "no" else [])]
    run = launch(immure, *words, "--hold-fd", pipe.write, "--", "/bin/sh", "-c", LIVES_ON.format(""), stdin=subprocess.PIPE, pass_fds=(pipe.write,))
    pipe.close_write()
    assert run.wait(PATIENCE) == 0
    assert not select.select([pipe.read], [], [], 0.2)[0]
    run.stdin.close()
    assert read_all(pipe.read) == ""


def is_locked(path):
    """Whether somebody else holds a lock; F_GETLK says so without taking one."""
    with open(path, "r+", encoding="ascii") as file:
        answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK


@pytest.fixture
def locked_file(tmp_path_factory):
    file = reachable(tmp_path_factory.mktemp("lock")) / "file"
    file.write_text("x")
    file.chmod(0o666)
    return file


@pytest.mark.parametrize("lifetime", ["launcher", "own"])
def test_the_lock_is_held_while_the_jail_lives(immure, locked_file, lifetime):
    words = ["--lifetime", lifetime, "--pids", "none", "--ro", f"{locked_file}:/file", "--lock-file", "/file"]
    assert not is_locked(locked_file)
    run = launch(immure, *words, "--", "/bin/sh", "-c", f"cat /file; read go; {LIVES_ON.format('>/dev/null')}", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert run.stdout.read(1) == "x"
    assert is_locked(locked_file)
    print("go", file=run.stdin, flush=True)
    assert run.wait(PATIENCE) == 0
    assert is_locked(locked_file) == (lifetime == "own")
    run.stdin.close()
    await_true(lambda: not is_locked(locked_file))
    run.stdout.close()


def test_a_lock_that_cannot_be_had_is_no_start(immure, locked_file):
    words = ["--ro", f"{locked_file}:/file", "--lock-file"]
    done = immure.run("run", *words, "/missing", "--", "/bin/true")
    assert done.returncode == 125 and "/missing" in done.stderr and "E-LOCK-FILE" in done.stderr
    assert "E-LOCK-INIT" in immure.run("run", "--init", "no", *words, "/file", "--", "/bin/true").stderr
    with open(locked_file, "r+", encoding="ascii") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        done = immure.run("run", *words, "/file", "--", "/bin/true")
        assert done.returncode == 125 and "E-LOCK-FILE" in done.stderr
    assert immure.run("run", *words, "/file", "--", "/bin/true").returncode == 0


# --- joins by descriptor


LIBC = ctypes.CDLL(None, use_errno=True)


class Holder:
    """A process in new namespaces, made by the user of IMMURE, and descriptors of them."""

    def __init__(self, immure, flags):
        reading, writing = os.pipe()
        end_reading, self.end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.end)
                if immure.uid:
                    os.setgroups([])
                    os.setresgid(immure.uid, immure.uid, immure.uid)
                    os.setresuid(immure.uid, immure.uid, immure.uid)
                    LIBC.prctl(4, 1)  # PR_SET_DUMPABLE
                os.write(writing, b"y" if LIBC.unshare(flags) == 0 else b"n")
                os.read(end_reading, 1)
            finally:
                os._exit(0)
        os.close(writing)
        os.close(end_reading)
        assert os.read(reading, 1) == b"y"
        os.close(reading)
        if flags & CLONE_NEWUSER:
            with open(f"/proc/{self.pid}/setgroups", "w", encoding="ascii") as file:
                file.write("deny")
            write_maps(self.pid, 5, immure.uid)
        self.fds = []

    def open(self, kind):
        self.fds.append(os.open(f"/proc/{self.pid}/ns/{kind}", os.O_RDONLY))
        os.set_inheritable(self.fds[-1], True)
        return self.fds[-1]

    def close(self):
        os.close(self.end)
        os.kill(self.pid, signal.SIGKILL)  # another one may hold that end as well
        os.waitpid(self.pid, 0)
        for fd in self.fds:
            os.close(fd)


@pytest.fixture
def holder(request, immure):
    made = []

    def make(flags):
        made.append(Holder(immure, flags))
        return made[-1]

    yield make
    for one in made:
        one.close()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@needs_root
def test_namespaces_are_joined_by_descriptor(immure, holder):
    there = holder(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS)
    fds = {kind: there.open(kind) for kind in ("user", "net", "uts")}
    joins = [word for option, kind in (("--userns", "user"), ("--net", "net"), ("--utsns", "uts"))
             for word in (option, f"join:/proc/self/fd/{fds[kind]}")]
    done = immure.run("run", *joins, "--leave", "groups", "--user", "5", "--group", "5", "--", "/bin/sh", "-c",
                      "id -u; for k in user net uts; do readlink /proc/self/ns/$k; done", pass_fds=tuple(fds.values()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["5", *[f"{kind}:[{namespace(there.pid, kind)}]" for kind in ("user", "net", "uts")]]


@needs_root
def test_root_joins_a_network_that_the_user_namespace_does_not_own(immure, holder):
    if immure.uid:
        pytest.skip("only root may")
    user, net = holder(CLONE_NEWUSER).open("user"), holder(CLONE_NEWNET).open("net")
    words = ["--userns", f"join:/proc/self/fd/{user}", "--net", f"join:/proc/self/fd/{net}", "--user", "5", "--group", "5", "--leave", "groups"]
    done = immure.run("run", *words, "--", "/bin/sh", "-c", "readlink /proc/self/ns/net", pass_fds=(user, net))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"net:[{os.fstat(net).st_ino}]"


@needs_root
def test_an_inner_user_namespace_is_entered_in_the_end(immure, holder):
    outer = holder(CLONE_NEWUSER)
    fd = outer.open("user")
    inner = subprocess.Popen(["nsenter", f"--user=/proc/self/fd/{fd}", "--preserve-credentials", "unshare", "--user", "--map-user=9", "--map-group=9",
                              "sleep", "1000"], pass_fds=(fd,), user=immure.uid or None, group=immure.uid or None,
                             extra_groups=[] if immure.uid else None)
    try:
        await_true(lambda: words_of(inner.pid)[:1] == [b"sleep"])  # the maps are written
        assert namespace(inner.pid, "user") not in (namespace("self", "user"), os.fstat(fd).st_ino)
        second = os.open(f"/proc/{inner.pid}/ns/user", os.O_RDONLY)
        words = ["--userns", f"join:/proc/self/fd/{fd}", "--inner-userns", f"/proc/self/fd/{second}", "--leave", "groups", "--user", "9", "--group", "9"]
        done = immure.run("run", *words, "--", "/bin/sh", "-c", "id -u; readlink /proc/self/ns/user", pass_fds=(fd, second))
        os.close(second)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["9", f"user:[{namespace(inner.pid, 'user')}]"]
    finally:
        inner.kill()
        inner.wait()


@needs_root
def test_the_pid_namespace_is_made_below_another(immure):
    if immure.uid:
        pytest.skip("only root may")
    outer = subprocess.Popen(["unshare", "--pid", "--fork", "sleep", "1000"])
    try:
        await_true(lambda: children_of(outer.pid))  # until the first process of it is born there is nothing to open
        assert namespace(outer.pid, "pid_for_children") != namespace("self", "pid")
        path = f"/proc/{outer.pid}/ns/pid_for_children"
        with open(path, "rb") as file:
            done = immure.run("run", "--pidns-parent", f"/proc/self/fd/{file.fileno()}", "--", "/bin/sh", "-c", "grep NSpid /proc/self/status; readlink /proc/self/ns/pid",
                              pass_fds=(file.fileno(),))
            assert done.returncode == 0, done.stderr
            assert done.stdout.split()[-1] != f"pid:[{os.fstat(file.fileno()).st_ino}]"
        done = immure.run("run", "--pidns", "host", "--proc", "bind", "--pidns-parent", "/proc/self/ns/pid", "--", "/bin/true")
        assert done.returncode == 125 and "--pidns-parent" in done.stderr
    finally:
        for child in children_of(outer.pid):
            os.kill(child, signal.SIGKILL)
        outer.wait(PATIENCE)


# --- no user namespaces


NEST = "unshare --user true 2>/dev/null && echo nested || echo denied"
ALL_OPEN = ["--seccomp", "off", "--landlock", "off", "--securebits", "none"]


def test_user_namespaces_stay_forbidden_whatever_the_program_may(immure):
    """With every capability; even where /proc/sys may be written, as where /proc is the caller's own."""
    if immure.uid == 0:
        pytest.skip("the host's /proc cannot be shown writable to a range of ids")
    names = "chown,dac_override,fowner,setgid,setuid,setpcap,net_admin,sys_chroot,sys_ptrace,sys_admin,sys_resource"
    script = "echo 1000 > /proc/sys/user/max_user_namespaces; cat /proc/sys/user/max_user_namespaces; " + NEST
    words = ["--cap-add", names, *ALL_OPEN, "--proc", "none", "--rw", "/proc"]
    done = immure.run("run", *words, "--", "/bin/sh", "-c", script)
    assert done.stdout.split() == ["1000", "denied"], done
    done = immure.run("run", *words, "--nested-userns", "--", "/bin/sh", "-c", script)
    assert done.stdout.split() == ["1000", "nested"], done


def test_the_nested_namespace_has_the_same_ids(immure):
    words = ["--cap-add", "sys_resource", "--", "/bin/sh", "-c", "cut -c1-10 /proc/self/uid_map; tr -s ' ' < /proc/self/uid_map; id -u; id -G"]
    with_nest = immure.run("run", *words)
    assert with_nest.returncode == 0, with_nest.stderr
    plain = immure.run("run", *words[2:])
    assert with_nest.stdout.split()[-2:] == plain.stdout.split()[-2:]
    fields = with_nest.stdout.splitlines()[1].split()
    assert fields[0] == fields[1] and fields[2] == plain.stdout.splitlines()[1].split()[2]


def test_that_there_are_none_is_tried_out(immure):
    done = immure.run("run", "--assert-no-userns", *ALL_OPEN, "--", "/bin/true")
    assert done.returncode == 0, done.stderr
    for init in "yes", "no":
        done = immure.run("run", "--init", init, "--assert-no-userns", "--nested-userns", *ALL_OPEN, "--", "/bin/true")
        assert done.returncode == 125 and "E-ASSERT-USERNS" in done.stderr


# --- filters that somebody else compiled


def instruction(code, k, jt=0, jf=0):
    return struct.pack("HBBI", code, jt, jf, k)


def program(number, verdict):
    """Denies one call of x86_64 by its number."""
    return instruction(0x20, 0) + instruction(0x15, number, 0, 1) + instruction(0x06, verdict) + instruction(0x06, ALLOW)


UMASK, GETPGRP, SECCOMP, CHROOT, PRCTL = 95, 111, 317, 161, 157
CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for call in %r:
    print(ctypes.get_errno() if libc.syscall(call, 0, 0, 0) == -1 else 'done')
    ctypes.set_errno(0)
"""


@pytest.fixture
def filters():
    opened = []

    def make(*contents):
        for content in contents:
            opened.append(os.memfd_create("filter"))
            os.write(opened[-1], content)
            os.lseek(opened[-1], 0, os.SEEK_SET)
        return opened[-len(contents):]

    yield make
    for fd in opened:
        os.close(fd)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
@pytest.mark.parametrize("init", ["yes", "no"])
@pytest.mark.parametrize("own_filter", [["--seccomp", "off"], ["--seccomp-allow", "seccomp"]])
def test_filters_are_loaded_in_their_order(immure, filters, init, own_filter):
    """The second forbids to load any: had it been loaded first, there would be no second one."""
    fds = filters(program(UMASK, ERRNO | 71), program(PRCTL, ERRNO | 72))
    words = ["--init", init, *own_filter, *[w for fd in fds for w in ("--seccomp-fd", fd)]]
    script = CALLS % [UMASK, GETPGRP]
    done = immure.run("run", *words, "--", "/usr/bin/python3", "-c", script, pass_fds=fds)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["71", "done"]
    assert immure.run("run", *own_filter, "--", "/usr/bin/python3", "-c", script).stdout.split() == ["done", "done"]
    for fd in fds:
        os.lseek(fd, 0, os.SEEK_SET)
    fds.reverse()
    done = immure.run("run", "--init", init, *own_filter, *[w for fd in fds for w in ("--seccomp-fd", fd)], "--", "/bin/true", pass_fds=fds)
    assert done.returncode == 125 and "E-SECCOMP-NEXT" in done.stderr


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86_64")
def test_where_descriptors_are_left_those_of_many_filters_are_not(immure, filters):
    fds = filters(*[program(UMASK, ERRNO | 71)] * 24)
    words = [w for fd in fds for w in ("--seccomp-fd", fd)]
    done = immure.run("run", "--leave", "descriptors", "--seccomp", "off", *words, "--", "/bin/ls", "/proc/self/fd", pass_fds=fds)
    assert done.returncode == 0 and not set(done.stdout.split()) & set(map(str, fds)), done


@pytest.mark.parametrize("content,words", [(b"", "no filter"), (b"1234567", "multiple of 8"), (b"\0" * 8 * 4097, "too long")],
                         ids=["empty", "odd", "long"])
def test_what_is_no_filter_is_refused(immure, filters, content, words):
    (fd,) = filters(content)
    done = immure.run("run", "--seccomp", "off", "--seccomp-fd", fd, "--", "/bin/true", pass_fds=(fd,))
    assert done.returncode == 125 and words in done.stderr and "E-SECCOMP-FD" in done.stderr


def test_what_the_kernel_refuses_as_a_filter_is_told(immure, filters):
    (fd,) = filters(b"\xff" * 8)
    done = immure.run("run", "--seccomp", "off", "--seccomp-fd", fd, "--", "/bin/true", pass_fds=(fd,))
    assert done.returncode == 125 and "E-SECCOMP-FD" in done.stderr
    assert immure.run("run", "--seccomp", "off", "--seccomp-fd", "78", "--", "/bin/true").returncode == 125


def test_a_profile_that_forbids_to_load_filters_is_named(immure, filters):
    (fd,) = filters(program(UMASK, ERRNO | 71))
    done = immure.run("run", "--seccomp-fd", fd, "--seccomp-deny", "seccomp", "--", "/bin/true", pass_fds=(fd,))
    assert done.returncode == 125 and "E-SECCOMP-NEXT" in done.stderr
