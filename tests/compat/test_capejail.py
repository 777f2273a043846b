# SPDX-License-Identifier: Apache-2.0
"""immure-capejail as an operator uses it: a root with one static program, which tells what it finds."""
import ctypes
import fcntl
import json
import os
import pathlib
import platform
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios

import pytest

from patience import PATIENCE, await_true, words_of


TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))
EPERM, ENOENT, ESRCH, EACCES = 1, 2, 3, 13
SIGSYS_CODE = 128 + signal.SIGSYS
NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it")


class Jail:
    def __init__(self, folder):
        self.path, self.root = folder / "immure-capejail", folder / "root"

    def words(self, *words, root=True):
        return [str(self.path), *(["-r", str(self.root)] if root else []), *map(str, words)]

    def run(self, *words, root=True, timeout=PATIENCE, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", "/")
        return subprocess.run(self.words(*words, root=root), capture_output=True, text=True, timeout=timeout, check=False, **options)

    def tell(self, *words, **options):
        done = self.run(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def jail():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-capejail-"))
    folder.chmod(0o755)
    shutil.copy2(BUILD / "immure-capejail", folder)
    root = folder / "root"
    for name in ("bin", "etc", "dev", "proc", "drop", "home/worker"):
        (root / name).mkdir(parents=True)
    shutil.copy2(BUILD / "tests" / "inside", root / "bin")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"
                                     "worker:x:7001:7002::/home/worker:/bin/sh\nnumber:x:7003:7004::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nworkers:x:7002:\nextra:x:7005:worker,other\nmore:x:7006:number\n")
    (root / "etc/text").write_text("not a program\n")
    (root / "drop").chmod(0o1777)
    os.mknod(root / "dev/null", 0o666 | 0o020000, os.makedev(1, 3))
    (root / "dev/null").chmod(0o666)
    for path in [root, *root.rglob("*")]:
        if path.is_dir() and path.name != "drop":
            path.chmod(0o755)
    yield Jail(folder)
    shutil.rmtree(folder)


def numbers():
    """Name -> number on this machine, of the shipped profile: what it allows, and what it kills."""
    resolve = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name
    kinds, kind = {"allow": {}, "kill": {}}, None
    for line in (TOP / "profiles/enclave.yaml").read_text().splitlines():
        start = re.match(r"  - (allow|kill): *(.*)", line)
        if re.match(r"\w|    reason| *#", line):
            kind = None
        kind = start.group(1) if start else kind
        for name in re.findall(r"\b[_a-z][_a-z0-9]+\b", start.group(2) if start else line) if kind and "(" not in line else []:
            number = resolve(name.encode())
            if number >= 0:
                kinds[kind][name] = number
    return kinds


CALLS = numbers() if platform.machine() == "x86_64" else {"allow": {}, "kill": {}}
# What is not made with senseless arguments in the middle of a program: it ends, sleeps for ever, or returns on another stack.
NOT_TRIED = {"exit", "exit_group", "pause", "rt_sigreturn", "vfork", "ioctl"}


# ---- who the program is ----

def test_a_user_has_the_ids_of_its_account(jail):
    assert jail.tell("-u", "worker", "--", "inside", "who") == ["uid 7001 7001 gid 7002 7002 groups 7005"]


def test_a_number_finds_its_account(jail):
    assert jail.tell("-u", "7003", "--", "inside", "who") == ["uid 7003 7003 gid 7004 7004 groups 7006"]


def test_a_number_without_account_is_in_no_group_of_anybody_s(jail):
    assert jail.tell("-u", "7777", "--", "inside", "who") == [f"uid 7777 7777 gid {NOBODY} {NOBODY} groups"]


def test_without_a_user_it_is_nobody_else_and_never_root(jail):
    first, second = (jail.tell("--", "inside", "who", "privileges") for _ in range(2))
    for told in (first, second):
        uid = int(told[0].split()[1])
        assert uid >= 1 << 20 and told[0].split()[2] == str(uid)
        assert told[1] == "capabilities 0 0 no-new-privileges 1"


def test_an_unknown_user_is_an_error(jail):
    done = jail.run("-u", "stranger", "--", "inside", "who")
    assert done.returncode == 125 and "-u: the jail's passwd file has no user \"stranger\"" in done.stderr and not done.stdout


def test_host_root_only_by_name(jail):
    done = jail.run("-u", "root", "--", "inside", "who", "privileges")
    assert done.stdout.splitlines() == ["uid 0 0 gid 0 0 groups", "capabilities 0 0 no-new-privileges 1"]
    assert "warning: -u root" in done.stderr
    assert jail.run("-u", "0", "--", "inside", "who").stdout.startswith("uid 0 0 ")
    other_name = jail.run("-u", "toor", "--", "inside", "who")
    assert other_name.returncode == 125 and "E-HOST-ROOT" in other_name.stderr and not other_name.stdout


# ---- the root ----

def test_the_root_is_shown_as_it_is(jail):
    told = jail.tell("-u", "worker", "--", "inside", "look", "/etc/text", "look", "/usr", "look", "/proc/self", "write", "/drop/new",
                     "write", "/etc/new", "write", "/dev/null")
    assert told == ["look /etc/text 0", f"look /usr {ENOENT}", f"look /proc/self {ENOENT}", "write /drop/new 0", f"write /etc/new {EACCES}",
                    "write /dev/null 0"]
    made = jail.root / "drop/new"
    assert (made.stat().st_uid, made.stat().st_gid, made.read_text()) == (7001, 7002, "line\n")
    made.unlink()
    assert (jail.root / "dev/null").is_char_device()


def test_owners_stay_strangers_to_an_id_of_its_own(jail):
    assert jail.tell("--", "inside", "write", "/etc/text", "write", "/drop/stranger")[0] == f"write /etc/text {EACCES}"
    assert (jail.root / "drop/stranger").stat().st_uid >= 1 << 20
    (jail.root / "drop/stranger").unlink()


def test_without_a_root_it_is_the_host_s_with_its_own_processes(jail):
    done = jail.run("-u", str(NOBODY), "--", "/bin/sh", "-c", "echo $$; ls -d /proc/[0-9]* | wc -l; echo x >/dev/null && ls /dev/mem /dev/kmsg",
                    root=False)
    first, second, *more = done.stdout.splitlines()
    assert int(first) < 5 and int(second) < 10 and not more
    assert jail.run("-u", str(NOBODY), "--", "/bin/cat", "/etc/passwd", root=False).stdout == pathlib.Path("/etc/passwd").read_text()


def test_the_start_directory(jail):
    assert jail.tell("--", "inside", "folder") == ["folder /"]
    assert jail.tell("-d", "/home/worker", "--", "inside", "folder") == ["folder /home/worker"]
    missing = jail.run("-d", "/nowhere", "--", "inside", "folder")
    outside = jail.run("-d", "..", "--", "inside", "folder")
    assert (missing.returncode, outside.returncode) == (125, 125) and not missing.stdout and not outside.stdout


def test_a_missing_root_is_an_error(jail):
    done = jail.run("-r", "/nowhere/at/all", "--", "inside", root=False)
    assert done.returncode == 125 and "/nowhere/at/all" in done.stderr


# ---- the environment ----

def test_mistakes_are_told_with_its_own_options(jail):
    """Found with a misspelt root: that the root had no such user was said, and of options that are immure's."""
    for words, said in [(["-r", jail.root / "nowhere", "-u", "worker"], f'-r: there is no directory "{jail.root}/nowhere"'),
                        (["-u", "99999999999"], '-u: "99999999999" is no id'), (["-d", "drop"], '-d: "drop": the place inside'),
                        (["-u", "worker"], "execute missing: No such file")]:
        done = jail.run(*words, "missing")
        assert done.returncode in (125, 127) and said in done.stderr and not done.stdout, done.stderr
        assert not re.search(r"--\w", done.stderr), done.stderr


def test_the_environment_is_the_prompt_and_what_was_given(jail):
    outside = {**os.environ, "SECRET": "of the caller"}
    assert sorted(jail.tell("-u", "worker", "--", "inside", "environment", env=outside)) == ["env PS1=[jail]$ "]
    assert sorted(jail.tell("-e", "A=b", "-e", "E=", "-u", "root", "--", "inside", "environment")) == ["env A=b", "env E=", "env PS1=[jail]# "]
    assert jail.tell("-e", "PS1=> ", "--", "inside", "environment") == ["env PS1=> "]


# ---- the network, processes ----

def test_the_network_is_the_host_s_unless_it_is_switched_off(jail):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert jail.tell("-u", "worker", "--", "inside", "connect", port) == ["connect 0"]
        assert jail.tell("-n", "-u", "worker", "--", "inside", "connect", port) != ["connect 0"]


def test_it_sees_only_its_own_processes(jail):
    bystander = subprocess.Popen(["sleep", "1000"], user=7001)
    try:
        assert jail.tell("-u", "worker", "--", "inside", "pid", "kill", bystander.pid) == ["pid 2 parent 1", f"kill {bystander.pid} {ESRCH}"]
        free = subprocess.run([jail.root / "bin/inside", "kill", str(bystander.pid)], user=7001, capture_output=True, text=True, check=True)
        assert free.stdout == f"kill {bystander.pid} 0\n"
    finally:
        bystander.kill()
        bystander.wait()


# ---- the filter ----

@pytest.mark.skipif(not CALLS["kill"], reason="calls are given by their x86_64 numbers")
def test_each_refused_call_kills(jail):
    assert len(CALLS["kill"]) > 100
    alive = {}
    for name, number in CALLS["kill"].items():
        done = jail.run("-n", "-u", "worker", "--", "inside", "call", number)
        if (done.returncode, done.stdout) != (SIGSYS_CODE, ""):
            alive[name] = (done.returncode, done.stdout)
    assert not alive


@pytest.mark.skipif(not CALLS["kill"], reason="calls are given by their x86_64 numbers")
def test_each_refused_call_is_made_without_the_filter(jail):
    words = [word for number in CALLS["kill"].values() for word in ("call", number)]
    done = jail.run("-n", "-I", "-u", "worker", "--", "inside", *words)
    assert done.returncode == 0 and "NO SYSTEM CALL FILTER" in done.stderr
    assert done.stdout.count("made ") == len(CALLS["kill"])


@pytest.mark.skipif(not CALLS["allow"], reason="calls are given by their x86_64 numbers")
def test_each_allowed_call_is_made(jail):
    tried = {name: number for name, number in CALLS["allow"].items() if name not in NOT_TRIED}
    assert len(tried) > 240
    words = [word for number in tried.values() for word in ("call", number)]
    done = jail.run("-n", "-u", "worker", "--", "inside", *words)
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    assert {line.split()[1] for line in done.stdout.splitlines()} == set(map(str, tried.values()))


def test_another_architecture_s_calls_kill(jail):
    if platform.machine() != "x86_64":
        pytest.skip("x32 is of x86_64")
    done = jail.run("-u", "worker", "--", "inside", "call", 0x40000000 | 39)
    assert (done.returncode, done.stdout) == (SIGSYS_CODE, "")


# ---- ends ----

def test_exit_codes(jail):
    assert jail.run("--", "inside", "end", 7).returncode == 7
    assert jail.run("--", "inside", "die", 9).returncode == 137
    assert jail.run("--", "inside", "die", 11).returncode == 139
    assert jail.run("--", "nothing-of-the-kind").returncode == 127
    assert jail.run("--", "/bin/nothing-of-the-kind").returncode == 127
    assert jail.run("--", "/etc/text").returncode == 126
    assert jail.run("-x").returncode == 125


def started(jail, *words):
    child = subprocess.Popen(jail.words(*words, "--", "inside", "pid", "wait"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd="/")
    assert child.stdout.readline() == "pid 2 parent 1\n" and child.stdout.readline() == "ready\n"
    return child


def test_signals_reach_the_program(jail):
    child = started(jail, "-u", "worker")
    child.send_signal(signal.SIGTERM)
    assert child.wait(PATIENCE) == 42


def test_the_jail_dies_with_its_launcher(jail):
    child = started(jail, "-u", "worker")
    child.kill()
    child.wait(PATIENCE)
    assert select.select([child.stdout], [], [], PATIENCE)[0] and child.stdout.read() == ""  # the end of the file: nobody holds the pipe any more


def test_no_descriptor_is_inherited(jail):
    reader, writer = os.pipe()
    try:
        assert jail.tell("-u", "worker", "--", "inside", "descriptors", pass_fds=(reader, writer)) == ["descriptors 0 1 2"]
        free = subprocess.run([jail.root / "bin/inside", "descriptors"], pass_fds=(reader, writer), capture_output=True, text=True, check=True)
        assert str(writer) in free.stdout.split()
    finally:
        os.close(reader)
        os.close(writer)


# ---- the terminal ----

def on_terminal(words):
    """Runs WORDS on a terminal of their own; what they said, their code, and that terminal's device."""
    fd, slave = pty.openpty()
    device, said = f"{os.fstat(slave).st_rdev:x}", b""
    child = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, cwd="/", start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    try:
        while chunk := os.read(fd, 4096):
            said += chunk
    except OSError:  # EIO: all have closed it
        pass
    os.close(fd)
    return said.decode().replace("\r\n", "\n"), child.wait(PATIENCE), device


def test_the_terminal_is_not_the_caller_s(jail):
    said, code, device = on_terminal(jail.words("-u", "worker", "--", "inside", "terminal"))
    told = said.split()
    assert code == 0 and told[:3] == ["terminal", "1", "device"] and told[3] != device
    said, code, device = on_terminal([str(jail.root / "bin/inside"), "terminal"])
    assert said.split() == ["terminal", "1", "device", device]


def test_nothing_can_be_typed_into_the_terminal(jail):
    _, code, _ = on_terminal(jail.words("-u", "worker", "--", "inside", "type", "x"))
    assert code == SIGSYS_CODE
    said, code, _ = on_terminal(jail.words("-I", "-u", "worker", "--", "inside", "type", "x"))
    assert code == 0 and "typed " in said  # the control: the call is made, on a terminal that is the jail's own


def test_where_no_terminal_can_be_made_there_are_pipes(jail):
    hide = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", 'mount -t tmpfs none /dev/pts && exec "$@"', "sh"]
    said, code, _ = on_terminal([*hide, *jail.words("-u", "worker", "--", "inside", "terminal", "end", 5)])
    assert (code, said.split()[:2]) == (5, ["terminal", "0"])


# ---- who may start it, and where ----

def test_an_ordinary_user_is_told(jail):
    done = subprocess.run(jail.words("--", "inside", "who"), user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False)
    assert done.returncode == 125 and "only root can start it" in done.stderr and not done.stdout


def test_explaining_runs_nothing(jail):
    done = jail.run("-u", "worker", "--", "inside", "write", "/drop/explained", env={**os.environ, "IMMURE_EXPLAIN": "json"})
    assert done.returncode == 0 and json.loads(done.stdout)["settings"] and not (jail.root / "drop/explained").exists()
    text = jail.tell("-u", "worker", "--", "inside", "who", env={**os.environ, "IMMURE_EXPLAIN": "1"})
    assert "plan" in text and any("enclave" in line for line in text)


def test_without_proc_on_the_host(jail):
    words = " ".join(jail.words("-u", "worker", "--", "inside", "who", "privileges"))
    done = subprocess.run(["unshare", "-m", "sh", "-c", f"umount -l /proc && test ! -e /proc/self && {words}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=PATIENCE)
    assert done.stdout.splitlines() == ["uid 7001 7001 gid 7002 7002 groups 7005", "capabilities 0 0 no-new-privileges 1"], done.stderr


def test_where_no_user_namespace_can_be_made(jail):
    """Inside a user namespace whose own limit is 0: as a kernel that has none."""
    inner = "echo 0 >/proc/sys/user/max_user_namespaces && ! unshare -U true 2>/dev/null && "
    words = " ".join(jail.words("-u", "worker", "--", "inside", "who")) + " && " + " ".join(jail.words("--", "inside", "privileges"))
    with subprocess.Popen(["unshare", "-U", "sh", "-c", f"read go; exec setpriv --reuid=0 --regid=0 --clear-groups unshare -m sh -c '{inner}{words}'"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        await_true(lambda: words_of(child.pid)[:1] == [b"sh"])  # it is in its namespace
        for kind in ("uid", "gid"):
            pathlib.Path(f"/proc/{child.pid}/{kind}_map").write_text("0 0 4294967295\n")
        said, errors = child.communicate("go\n", timeout=PATIENCE)
    assert said.splitlines() == ["uid 7001 7001 gid 7002 7002 groups 7005", "capabilities 0 0 no-new-privileges 1"], errors
