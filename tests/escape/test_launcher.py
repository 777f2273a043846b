# SPDX-License-Identifier: Apache-2.0
"""The launcher's own binary, descriptors, working directory and memory; and the processes of the host."""
import array
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess

import pytest
from conftest import landlock_abi, with_descriptor
from patience import PATIENCE, await_true, children_of, words_of

BARE = ("--seccomp", "off", "--landlock", "off")
MAPPED = ("--uid-map", "0:100000:65536", "--gid-map", "0:100000:65536", "-u", "root")
ROOTED = ("-u", "root", "--cap-add", "sys_admin,sys_ptrace,dac_override,kill")


def shell(immure, script, *options, **rest):
    return immure.run("run", "-q", *options, "--", "/bin/sh", "-c", script, **rest)


def test_init_shows_neither_words_nor_variables(immure):
    process = shell(immure, "cat /proc/1/cmdline /proc/1/environ /proc/1/comm", "-e", "NAME=hidden-value",
                    env=dict(os.environ, SECRET="hidden-word"))
    assert "hidden" not in process.stdout and "/bin/sh" not in process.stdout


def test_a_program_shows_its_words(immure):
    assert "hidden" in shell(immure, "tr '\\0' ' ' </proc/2/cmdline; : hidden").stdout


@pytest.mark.parametrize("options", [(), BARE, (*BARE, *ROOTED)], ids=["default", "bare", "mighty"])
def test_only_a_few_variables_come_in(immure, options):
    """CVE-2021-21261 and its kin: what the caller has in its environment decides nothing inside."""
    odd = {"LD_PRELOAD": "/nowhere.so", "LD_LIBRARY_PATH": "/nowhere", "GCONV_PATH": "/nowhere", "BASH_ENV": "/nowhere",
           "TOKEN": "hidden", "SSH_AUTH_SOCK": "/nowhere", "IFS": "x"}
    names = {line.split("=")[0] for line in immure.run("run", *options, "--", "/usr/bin/env", env=dict(os.environ, **odd)).stdout.split("\n")}
    assert names - {""} <= {"PATH", "HOME", "USER", "TERM", "LANG", "LOGNAME", "SHELL"}


def test_a_variable_that_is_asked_for_comes_in(immure):
    assert "TOKEN=hidden" in immure.run("run", "-e", "TOKEN", "--", "/usr/bin/env", env=dict(os.environ, TOKEN="hidden")).stdout


def test_a_value_passed_by_name_is_in_no_command_line(immure, tmp_path):
    """Others see the words of a process: -e NAME and --file keep a secret out of them."""
    drop = immure.words("run", "-e", "TOKEN", "--file", "/etc/token=@/etc/hostname", "--", "/bin/sleep", "1000")
    with subprocess.Popen(drop, env=dict(os.environ, TOKEN="a-secret"), cwd="/", stdin=subprocess.DEVNULL) as process:
        try:
            await_true(lambda: children_of(process.pid))
            seen = b"".join(word for pid in os.listdir("/proc") if pid.isdigit() for word in words_of(pid))
            assert b"a-secret" not in seen
        finally:
            process.terminate()


# CVE-2019-5736: a program that makes the launcher execute itself inside holds a descriptor of the host's binary.
@pytest.fixture
def image(tmp_path, attack, folder):
    for name in ("bin", "proc", "dev", "tmp"):
        (folder / name).mkdir()
    shutil.copy(attack, folder / "bin" / "attack")
    for name, line in (("script", "/proc/self/exe"), ("spaced", " \t/proc/self/exe \tversion"), ("script-of-script", "/bin/script"),
                       ("hidden", "/bin/sh x"), ("honest", "/bin/attack")):
        (folder / "bin" / name).write_text(f"#!{line}\n")
        (folder / "bin" / name).chmod(0o755)
    for name, target in (("sh", "/proc/self/exe"), ("link-to-link", "sh"), ("link", "attack")):
        (folder / "bin" / name).symlink_to(target)
    return folder


LANDLOCK = pytest.mark.parametrize("landlock", ["auto", "off"])


@LANDLOCK
@pytest.mark.parametrize("program", ["/bin/script", "/bin/spaced", "/bin/script-of-script", "/bin/hidden", "/bin/sh", "sh", "/bin/link-to-link",
                                     "/proc/self/exe", "/proc/thread-self/exe", "/proc/2/exe"])
def test_an_image_cannot_make_immure_execute_itself(immure, image, program, landlock):
    """Landlock forbids it; without Landlock immure looks first."""
    process = immure.run("run", "--landlock", landlock, "--root", image, "--", program, "version")
    assert process.returncode == (126 if landlock == "auto" else 125) and process.stdout == ""
    assert ("E-EXEC-DENIED" if landlock == "auto" else "E-EXEC-MAGIC") in process.stderr


@LANDLOCK
@pytest.mark.parametrize("program", ["/bin/attack", "/bin/honest", "/bin/link"])
def test_an_image_can_execute_its_own(immure, image, program, landlock):
    process = immure.run("run", "--landlock", landlock, "--root", image, "--", program, "number", "39")
    assert process.stdout == "THROUGH\n" or program == "/bin/honest" and "no such attack" in process.stderr


@pytest.mark.parametrize("options", [(), BARE, (*BARE, *ROOTED)], ids=["default", "bare", "mighty"])
def test_the_binary_of_its_own_user_stays_whole(immure, attack, tmp_path, folder, options):
    """A user who owns the executable could be robbed of it through /proc/PID/exe."""
    own = folder / "own"
    shutil.copytree(pathlib.Path(immure.path).parent, own)
    for path in (own, *own.iterdir()):
        os.chown(path, immure.uid, immure.uid)
    before = (own / "immure").read_bytes()
    words = immure.words("run", "-q", *options, "--", "/bin/sh", "-c",
                         "for p in /proc/[0-9]*; do echo x >>$p/exe; for f in $p/fd/*; do echo x >>$f/immure; done; done; true")
    words[words.index(immure.path)] = str(own / "immure")
    process = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, cwd="/", timeout=PATIENCE, check=False)
    assert process.returncode == 0
    assert (own / "immure").read_bytes() == before


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_directory_is_no_standard_descriptor(assault, number):
    """CVE-2024-21626's lesson: fchdir and fchmod through it ask neither the mounts nor Landlock."""
    fd = os.open("/", os.O_RDONLY)
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    streams[("stdin", "stdout", "stderr")[number]] = fd
    process = subprocess.run(assault.immure.words("run", "--", assault.path, "enter-descriptor", str(number)), text=True,
                             cwd="/", timeout=PATIENCE, check=False, **streams)
    os.close(fd)
    assert process.returncode == 125 and "THROUGH" not in (process.stdout or "")


def test_a_directory_that_is_kept_on_purpose_is_a_road(assault):
    kept = ("--keep-fd", "9")
    assert assault.jailed_with(9, "/", "enter-descriptor", "9", options=kept) == "THROUGH"
    assert assault.jailed_with(9, "/", "walk-from-descriptor", "9", "etc/passwd", options=kept) == "EACCES"


@pytest.mark.parametrize("options", [(), BARE, (*BARE, *ROOTED)], ids=["default", "bare", "mighty"])
@pytest.mark.parametrize("number", [3, 9, 63, 64, 200, 1023])
def test_an_inherited_descriptor_does_not_come_in(assault, number, options):
    """CVE-2016-8649, CVE-2024-21626: whatever the caller has open."""
    def jailed(*words):
        return assault.jailed_with(number, "/", *words, options=options)

    assert assault.free("enter-descriptor", str(number), wrap=lambda words: with_descriptor(number, "/", words)) == "THROUGH"
    assert jailed("enter-descriptor", str(number)) == "EBADF"
    assert jailed("walk-from-descriptor", str(number), ".") == "EBADF"
    assert jailed("read-link", "/proc/1/fd/0") in ("EACCES", "EPERM")


@pytest.mark.parametrize("place", ["/proc/self/fd/0", "/proc/self/fd/7", "/proc/1/root", "/proc/1/cwd", "/proc/self/root/../..", "/../.."])
def test_the_working_directory_stays_inside(immure, place):
    words = immure.words("run", "-C", place, "--", "/bin/sh", "-c", "pwd -P; test ! -e etc/shadow")
    process = subprocess.run(with_descriptor(7, "/etc", words), capture_output=True, text=True, timeout=PATIENCE, cwd="/",
                             stdin=subprocess.DEVNULL, check=False)
    assert process.returncode == 125 or process.stdout.strip() == "/" and process.returncode == 0


def test_nothing_but_three_descriptors_is_open(immure):
    process = shell(immure, "ls /proc/self/fd | tr '\\n' ' '")
    assert process.stdout == "0 1 2 3 "  # 3 is the folder that ls reads


# Reading becomes writing through /proc/self/fd. The second wall, Landlock, stands alone here when the file is the user's own.
@pytest.mark.parametrize("options", [(), ("--seccomp", "off")], ids=["default", "no-filter"])
def test_standard_input_cannot_be_opened_for_writing(assault, folder, options):
    path = folder / "input"
    path.write_text("honest")
    os.chown(path, assault.uid, assault.uid)
    with open(path, "rb") as source:
        assert assault.jailed("reopen-for-writing", "0", options=options, stdin=source) == "EACCES"
    with open(path, "rb") as source:
        assert assault.free("reopen-for-writing", "0", stdin=source) == "THROUGH"


def test_standard_output_cannot_be_opened_for_reading(assault, folder):
    path = folder / "log"
    path.write_text("somebody else's line\n")
    os.chown(path, assault.uid, assault.uid)
    with open(path, "ab") as log:
        process = subprocess.run(assault.immure.words("run", "-q", "--", assault.path, "reopen-for-reading", "1"), stdout=log,
                                 stdin=subprocess.DEVNULL, cwd="/", timeout=PATIENCE, check=False)
    assert process.returncode == 1 and path.read_text().endswith("REFUSED EACCES\n")


# crun gives away whatever is on 0, 1 and 2, were it the machine's /dev/null. Here a terminal that immure made is all that changes hands.
@pytest.mark.parametrize("kind", ["file", "null"])
@pytest.mark.parametrize("ids", [("-u", "4321"), ("--userns", "host", "-u", "4321"), MAPPED], ids=["leased", "no-namespace", "mapped"])
def test_a_standard_descriptor_keeps_its_owner(immure, tmp_path, kind, ids):
    if immure.uid or os.geteuid():
        pytest.skip("an ordinary user can give nothing away")
    path, name = tmp_path / "stream", f"owner-{os.getpid()}"
    path.touch() if kind == "file" else os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    before = os.stat(path)

    def call(*words):
        with open(path, "r+b", buffering=0) as stream:
            return subprocess.run(immure.words(*words), stdin=stream, stdout=stream, stderr=stream, timeout=PATIENCE, cwd="/", check=False).returncode

    status = [call("run", *ids, *how, "--", "true") for how in ((), ("--tty", "yes"), ("--output-size", "1M"))]
    try:
        status += [call("run", "-d", "--name", name, "--tty", tty, *ids, "--", "sleep", "1000") or call("exec", *how, name, "--", "true")
                   or call("rm", "--force", name) for tty, how in (("no", ()), ("yes", ("-i", "-t")))]
    finally:
        immure.run("rm", "--force", name)
    after = os.stat(path)
    assert status == [0] * 5
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_a_terminal_that_immure_made_is_its_users(immure):
    """What the above would see: the positive control."""
    who = immure.run("run", "--tty", "yes", "-u", "4321", "--", "sh", "-c", "stat -c %u $(tty)", stdin=subprocess.DEVNULL)
    assert who.stdout.split() == ["4321"]


@pytest.mark.parametrize("options", [(), ("--landlock", "off")], ids=["default", "no-landlock"])
def test_a_descriptor_sent_through_an_inherited_socket_leads_nowhere(assault, options):
    """Whoever sends it lets the program in; Landlock still asks for the path."""
    inner, outer = socket.socketpair()
    folder = os.open("/", os.O_RDONLY)
    with inner, outer:
        outer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [folder]))])
        got = assault.jailed("receive-descriptor", "0", "etc/hostname", options=options, stdin=inner)
    os.close(folder)
    assert got == ("THROUGH" if options else "EACCES")


@pytest.mark.parametrize("options", [(), BARE, (*BARE, *ROOTED), ("--net", "host", *BARE)], ids=["default", "bare", "mighty", "host-net"])
@pytest.mark.parametrize("words", [("signal", "{pid}", "0"), ("signal", "{pid}", "9"), ("signal-by-descriptor", "{pid}"), ("limit", "{pid}"),
                                   ("prioritise", "{pid}"), ("trace", "{pid}"), ("steal-descriptor", "{pid}"), ("read-memory", "{pid}"),
                                   ("list", "/proc/{pid}/fd"), ("read-link", "/proc/{pid}/root")], ids=lambda words: words[0])
def test_a_process_of_the_host_is_out_of_reach(assault, canary, words, options):
    aimed = [word.format(pid=canary.pid) for word in words]
    if words != ("signal", "{pid}", "9"):
        assert assault.free(*aimed) == "THROUGH" or words[0] == "limit"
    assert assault.jailed(*aimed, options=options) in ("ESRCH", "ENOENT", "EPERM", "EINVAL")


BESIDE = [("--pidns", "host", "--proc", "none"), ("--pidns", "host", "--mountns", "host"), ("--pidns", "host", "--proc", "none", "--seccomp", "strict")]


@pytest.mark.parametrize("words", [("set-limit", "{pid}"), ("prioritise", "{pid}"), ("prioritise-storage", "{pid}"), ("set-processors", "{pid}"),
                                   ("set-scheduler", "{pid}"), ("prioritise-user", "4321321")], ids=lambda words: words[0])
def test_a_process_that_is_seen_is_neither_bounded_nor_slowed_down(assault, canary, words):
    """Landlock's scopes know signals alone; a program with the id of the caller may do all of this, and RLIMIT_CPU of 0 kills."""
    aimed = [word.format(pid=canary.pid) for word in words]
    assert assault.free(*aimed) == "THROUGH"
    for options in BESIDE:
        assert assault.jailed(*aimed, options=options) == "EPERM"
    if assault.uid: # root's jails have ids of their own
        assert assault.jailed(*aimed, options=(*BESIDE[0], "--seccomp", "off")) == "THROUGH"
    assert assault.jailed("set-own", options=BESIDE[0]) == "THROUGH"


def test_the_launcher_is_out_of_reach(immure):
    """It has the same uid as a rootless program, and the same number may be somebody else's inside."""
    process = shell(immure, "kill -9 -1; kill -9 $PPID; kill -9 1; kill -STOP 1; kill -TERM 0", "--pids", "20")
    assert process.returncode in (137, 143)


@pytest.mark.parametrize("options", [(), BARE], ids=["default", "bare"])
def test_init_cannot_be_killed_or_stopped(immure, options):
    signals = "for s in KILL STOP TSTP TERM INT HUP QUIT USR1 CHLD CONT SEGV PIPE ALRM IO; do kill -$s 1; done"
    process = shell(immure, f"{signals}; sleep 0.05; kill -0 1 && exit 7", *options)
    is_asked = immure.uid and (options or landlock_abi() < 6)  # Landlock's scopes keep even the question away
    assert process.returncode == (7 if is_asked else 1)


def test_init_that_is_cut_short_still_reports(immure):
    """prlimit on init is permitted to a rootless program, which has its uid: it may only hurt itself by it."""
    process = shell(immure, "prlimit -p 1 --nofile=0:0 --fsize=0:0 --stack=0:0; prlimit -p 1 --cpu=0:0; exit 7")
    assert process.returncode in (7, 137, 125)


@pytest.mark.parametrize("script,code", [("exit 3", 3), ("kill -9 $$", 137), ("(sleep 0.05; exit 9) & exit 4", 4),
                                         ("sh -c 'exit 0' & wait; exit 5", 5), ("exec 0<&- 1>&- 2>&-; exit 6", 6)])
def test_the_exit_status_is_the_programs_own(immure, script, code):
    assert shell(immure, script).returncode == code


def test_children_given_to_init_do_not_forge_the_status(assault):
    """CLONE_PARENT makes a sibling, which init reaps as if it were its own."""
    assert assault.free("child-of-parent") == "THROUGH"
    process = shell(assault.immure, f"{assault.path} child-of-parent; for i in 1 2 3 4 5; do (sh -c 'exit 0' &); done; sleep 0.05; exit 8",
                    "--ro", assault.path)
    assert process.returncode == 8


def alive(*words):
    """Processes of just these words, wherever on the machine."""
    wanted = [word.encode() for word in words]
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and words_of(pid) == wanted]


def test_a_daemon_does_not_survive(immure):
    mark = f"10030.{os.getpid()}1"
    process = shell(immure, f"setsid sh -c '(trap \"\" HUP TERM; sleep {mark}) &' & sleep 0.1; exit 0")
    assert process.returncode == 0
    await_true(lambda: not alive("sleep", mark))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_survives_the_launcher(immure, number):
    mark = f"10031.{os.getpid()}{int(number)}"
    with subprocess.Popen(immure.words("run", "--", "/bin/sh", "-c", f"setsid sleep {mark} & sleep {mark}"), cwd="/",
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        await_true(lambda: len(alive("sleep", mark)) >= 2)
        process.send_signal(number)
        process.wait(PATIENCE)
        await_true(lambda: not alive("sleep", mark))


def test_a_daemon_survives_where_nobody_ends_it():
    mark = f"10032.{os.getpid()}"
    subprocess.run(["/bin/sh", "-c", f"setsid sleep {mark} >/dev/null 2>&1 &"], check=True)
    left = await_true(lambda: alive("sleep", mark))
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)


def test_two_jails_of_one_user_do_not_see_each_other(assault):
    mark = f"10033.{os.getpid()}"
    with subprocess.Popen(assault.immure.words("run", "--", "/bin/sleep", mark), cwd="/", stdin=subprocess.DEVNULL) as other:
        try:
            await_true(lambda: alive("/bin/sleep", mark))
            pid = alive("/bin/sleep", mark)[-1]
            for options in ((), BARE, (*BARE, *ROOTED)):
                assert assault.jailed("signal", pid, "0", options=options) == "ESRCH"
                assert assault.jailed("read-link", f"/proc/{pid}/root", options=options) == "ENOENT"
                assert mark not in shell(assault.immure, "cat /proc/[0-9]*/cmdline", *options).stdout
        finally:
            other.terminate()
