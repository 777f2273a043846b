# SPDX-License-Identifier: Apache-2.0
"""Who lives, dies, waits and is told when: both programs, as root and as an ordinary user."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import time

import pytest

import harness
from patience import PATIENCE, await_true, words_of

USR = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--dev", "/dev"]


def is_there(pid):
    """Alive, and no zombie."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def named(mark):
    """pids, as the host numbers them, of processes whose command line holds the mark."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if mark.encode() in words_of(pid) and is_there(pid)]


@pytest.fixture
def sleeper():
    """The argument of a `sleep` that is found again, and stopped in the end."""
    mark = "7%03d.%06d" % (os.getpid() % 1000, time.monotonic_ns() // 1000 % 1000000)
    yield mark
    for pid in named(mark):
        harness.kill(pid)


def asleep(mark):
    """The pid of the sleep itself, once it runs."""
    def find():
        return [pid for pid in named(mark) if words_of(pid)[:1] == [b"sleep"]]

    return await_true(find, "the program starts")[0]


SHAPES = {"plain": [], "pid": ["--unshare-pid"], "alone": ["--unshare-pid", "--as-pid-1"], "all": ["--unshare-all"]}


@pytest.fixture(params=SHAPES)
def shape(request):
    return SHAPES[request.param]


def test_it_dies_with_its_parent(either, shape, sleeper):
    words = either.words(*USR, *shape, "--die-with-parent", "sleep", sleeper)
    parent = subprocess.Popen(["sh", "-c", '"$@" & wait', "sh", *words], stdin=subprocess.DEVNULL)
    asleep(sleeper)
    parent.kill()
    parent.wait()
    await_true(lambda: not named(sleeper), "all of it ends")


def test_it_dies_with_the_launcher(either, shape, sleeper):
    with either.start(*USR, *shape, "--die-with-parent", "sleep", sleeper) as launcher:
        asleep(sleeper)
        launcher.kill()
    await_true(lambda: not named(sleeper), "all of it ends")


def test_without_that_it_outlives_the_launcher(either, shape, sleeper):
    with either.start(*USR, *shape, "sleep", sleeper) as launcher:
        pid = asleep(sleeper)
        launcher.kill()
    time.sleep(0.2)
    assert is_there(pid)
    os.kill(pid, signal.SIGKILL)
    await_true(lambda: not named(sleeper), "its init ends after it")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_ends_the_launcher_alone(either, number, sleeper):
    """Nothing is passed on."""
    with either.start(*USR, "--unshare-pid", "sleep", sleeper) as launcher:
        pid = asleep(sleeper)
        launcher.send_signal(number)
        assert launcher.wait(PATIENCE) == -number
    time.sleep(0.1)
    assert is_there(pid)


def test_what_the_program_leaves_behind_lives_on(either, sleeper):
    done = either.start(*USR, "--unshare-pid", "sh", "-c", "sleep %s & exit 4" % sleeper, stdout=subprocess.DEVNULL)
    assert done.wait(PATIENCE) == 4
    pid = asleep(sleeper)
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        parent = int(next(line for line in file if line.startswith("PPid:")).split()[1])
    with open("/proc/%d/status" % parent, encoding="utf-8") as file:
        assert next(line for line in file if line.startswith("NSpid:")).split()[-1] == "1", "its init stays with it"
    os.kill(pid, signal.SIGKILL)
    await_true(lambda: not is_there(parent), "the init ends with the last one")


def test_what_the_program_leaves_behind_dies_where_parents_count(either, sleeper):
    done = either.start(*USR, "--unshare-pid", "--die-with-parent", "sh", "-c", "sleep %s & sleep 0.1; exit 4" % sleeper, stdout=subprocess.DEVNULL)
    assert done.wait(PATIENCE) == 4
    await_true(lambda: not named(sleeper), "the init dies with the launcher")


def test_orphans_are_reaped(either):
    done = either.run(*USR, "--unshare-pid", "--proc", "/proc", "sh", "-c",
                      "for i in 1 2 3 4 5; do (sh -c 'sleep 0.05 & exit 0'); done; while grep -qs '^Name:.sleep' /proc/[0-9]*/status; do sleep 0.05; done; "
                      "echo none left, and no zombie")
    assert (done.returncode, done.stdout) == (0, "none left, and no zombie\n"), done.stderr


def lock_is_held(path):
    """By somebody else: asked as for a write lock."""
    with open(path, "a", encoding="utf-8") as file:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))[0] == fcntl.F_RDLCK


@pytest.mark.parametrize("shape", [[], ["--unshare-pid"]], ids=["plain", "pid"])
def test_a_lock_is_held_while_it_lives(either, shape, sleeper):
    path, other = either.make("lock", ""), either.make("other", "")
    words = ["--bind", either.folder, "/w", "--lock-file", "/w/lock", "--lock-file", "/w/other", "sh", "-c", "exec sleep %s" % sleeper]
    assert not lock_is_held(path)
    with either.start(*USR, *shape, *words) as launcher:
        pid = asleep(sleeper)
        assert lock_is_held(path) and lock_is_held(other)
        os.kill(pid, signal.SIGTERM)
        assert launcher.wait(PATIENCE) == 128 + signal.SIGTERM
    await_true(lambda: not lock_is_held(path) and not lock_is_held(other), "the locks are gone")


def test_a_lock_is_held_for_those_left_behind(either, sleeper):
    path = either.make("lock", "")
    done = either.start(*USR, "--unshare-pid", "--bind", either.folder, "/w", "--lock-file", "/w/lock", "sh", "-c", "sleep %s & exit 0" % sleeper,
                        stdout=subprocess.DEVNULL)
    assert done.wait(PATIENCE) == 0
    pid = asleep(sleeper)
    assert lock_is_held(path)
    os.kill(pid, signal.SIGKILL)
    await_true(lambda: not lock_is_held(path), "the lock is gone")


def test_the_sync_descriptor_tells_the_end_of_the_whole(either, sleeper):
    reader, writer = os.pipe()
    done = either.start(*USR, "--unshare-pid", "--sync-fd", writer, "sh", "-c", "sleep %s & exit 0" % sleeper, stdout=subprocess.DEVNULL,
                        pass_fds=[writer])
    os.close(writer)
    assert done.wait(PATIENCE) == 0
    pid = asleep(sleeper)
    assert str(reader) and not select.select([reader], [], [], 0.1)[0], "somebody still has it"
    os.kill(pid, signal.SIGKILL)
    assert select.select([reader], [], [], PATIENCE)[0] and os.read(reader, 1) == b""
    os.close(reader)


def test_the_program_waits_for_a_byte_when_all_is_made(either, sleeper):
    reader, writer = os.pipe()
    told, tell = os.pipe()
    either.make("w")
    with either.start(*USR, "--unshare-pid", "--bind", either.folder / "w", "/w", "--dir", "/w/made", "--info-fd", tell, "--block-fd", reader,
                      "sh", "-c", "echo ran > /w/ran; exec sleep %s" % sleeper, pass_fds=[reader, tell]) as launcher:
        os.close(reader)
        os.close(tell)
        with os.fdopen(told) as file:
            pid = json.load(file)["child-pid"]
        await_true((either.folder / "w/made").exists, "the set-up goes on")
        time.sleep(0.2)
        assert not (either.folder / "w/ran").exists() and is_there(pid)
        os.write(writer, b"x")
        await_true((either.folder / "w/ran").exists, "the program runs")
        os.kill(asleep(sleeper), signal.SIGKILL)
        assert launcher.wait(PATIENCE) == 128 + signal.SIGKILL
    os.close(writer)


def test_somebody_else_writes_the_maps(either):
    """As flatpak-builder and others do with newuidmap; here root does."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to map what is not one's own")
    block, go = os.pipe()
    told, tell = os.pipe()
    with either.start(*USR, "--proc", "/proc", "--unshare-user", "--uid", 0, "--gid", 0, "--info-fd", tell, "--userns-block-fd", block,
                      "sh", "-c", "id -u; cat /proc/self/uid_map", pass_fds=[block, tell], stdout=subprocess.PIPE) as launcher:
        os.close(block)
        os.close(tell)
        with os.fdopen(told) as file:
            pid = json.load(file)["child-pid"]
        assert open("/proc/%d/uid_map" % pid, encoding="utf-8").read() == "", "nothing is mapped yet"
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (pid, name), "w", encoding="utf-8") as file:
                file.write("0 %d 1\n1 100001 9\n" % either.uid)
        os.write(go, b"1")
        output = launcher.communicate(timeout=PATIENCE)[0]
        assert launcher.returncode == 0
    os.close(go)
    assert [line.split() for line in output.splitlines()] == [["0"], ["0", str(either.uid), "1"], ["1", "100001", "9"]]


def streams(either, *words, program):
    """(status, info, lines of status) of a run."""
    info, status = os.pipe(), os.pipe()
    launcher = either.start(*USR, *words, "--info-fd", info[1], "--json-status-fd", status[1], *program, pass_fds=[info[1], status[1]],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.close(info[1])
    os.close(status[1])
    with os.fdopen(info[0]) as file:
        told = file.read()
    with os.fdopen(status[0]) as file:
        lines = file.read().splitlines()
    output = launcher.communicate(timeout=PATIENCE)[0]
    return launcher.returncode, told, lines, output


def test_what_is_told_of_namespaces_is_true(either):
    code, info, status, output = streams(either, "--unshare-all", "--unshare-user", "--proc", "/proc",
                                         program=["sh", "-c", "stat -Lc '%n %i' /proc/self/ns/*; exit 42"])
    inside = {line.split()[0].rpartition("/")[2]: int(line.split()[1]) for line in output.splitlines()}
    told = json.loads(info)
    assert code == 42 and json.loads(status[-1]) == {"exit-code": 42}
    names = {name[:-len("-namespace")]: number for name, number in told.items() if name.endswith("-namespace")}
    assert {"ipc", "mnt", "net", "pid", "uts", "cgroup"} <= set(names)
    assert all(inside[name] == number for name, number in names.items())
    assert json.loads(status[0]) == told


def test_the_child_that_is_told_is_the_jails_first_process(either, sleeper):
    told, tell = os.pipe()
    with either.start(*USR, "--unshare-pid", "--info-fd", tell, "sleep", sleeper, pass_fds=[tell]) as launcher:
        os.close(tell)
        with os.fdopen(told) as file:
            child = json.load(file)["child-pid"]
        pid = asleep(sleeper)
        with open("/proc/%d/status" % child, encoding="utf-8") as file:
            lines = dict(line.split(":", 1) for line in file)
        assert lines["NSpid"].split()[-1] == "1" and int(lines["PPid"]) == launcher.pid
        os.kill(pid, signal.SIGKILL)


def test_its_owner_may_join_it_later(either, sleeper):
    """By the pid that is told: `flatpak enter` and others do."""
    told, tell = os.pipe()
    with either.start(*USR[:-2], "--unshare-user", "--unshare-pid", "--info-fd", tell, "sleep", sleeper, pass_fds=[tell]):
        os.close(tell)
        with os.fdopen(told) as file:
            child = json.load(file)["child-pid"]
        pid = asleep(sleeper)
        join = ["nsenter", "--preserve-credentials", "--user=/proc/%d/ns/user" % child, "--pid=/proc/%d/ns/pid" % child, "sh", "-c", "echo joined"]
        done = subprocess.run([either.probe, "start", "cwd=/", "uid=%d" % either.uid, "--", *join], capture_output=True, text=True, check=False,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL)
        os.kill(pid, signal.SIGKILL)
    assert done.stdout == "joined\n", done.stderr


def test_no_exit_code_is_told_of_a_program_that_never_ran(either):
    assert streams(either, program=["/usr"])[2][1:] == []
    assert streams(either, "--chdir", "/absent", program=["true"])[2][1:] == []
    assert json.loads(streams(either, program=["false"])[2][-1]) == {"exit-code": 1}


def test_the_status_is_told_of_a_killed_program(either):
    code, _, lines, _ = streams(either, program=["sh", "-c", "kill -9 $$"])
    assert code == 128 + 9 and json.loads(lines[-1]) == {"exit-code": 128 + 9}


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, harness.ENVIRONMENT)

    def read_until(self, *marks):
        """All that is said until each of the marks was; less where it ends before."""
        text, end = "", time.monotonic() + PATIENCE
        while not all(mark in text for mark in marks) and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    text += os.read(self.master, 4096).decode()
                except OSError:
                    break
        return text

    def status(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.master)
        return status


def test_a_terminal_stays_the_programs(either):
    terminal = Terminal(either.words(*USR, "--dev-bind", "/dev", "/dev", "sh", "-c", "read line </dev/tty; echo got $line; ps -o tty= 2>/dev/null; echo end"))
    os.write(terminal.master, b"words\n")
    assert "got words" in terminal.read_until("end")
    assert terminal.status() == 0


def test_a_new_session_has_no_terminal(either):
    terminal = Terminal(either.words(*USR, "--new-session", "--dev-bind", "/dev", "/dev", "sh", "-c", "true </dev/tty || echo none; echo end"))
    assert "none" in terminal.read_until("end\r\n")
    assert terminal.status() == 0


def test_control_c_reaches_the_program_on_its_terminal(either):
    """And the launcher, which is of the same group; the shell before it survives to tell."""
    words = either.words(*USR, "sh", "-c", "trap 'kill $!; echo caught; exit 3' INT; echo ready; sleep 1000 & wait")
    terminal = Terminal(["sh", "-c", "trap : INT; \"$@\"; echo status $?; read line; echo end", "sh", *words])
    assert "ready" in terminal.read_until("ready")
    os.write(terminal.master, b"\x03")
    status = "status %d" % (128 + signal.SIGINT)
    said = terminal.read_until("caught", status)
    assert "caught" in said and status in said
    os.write(terminal.master, b"\n")
    assert "end" in terminal.read_until("end\r\n")
    assert terminal.status() == 0


def test_the_callers_terminal_is_the_console(either):
    said = "tty < /dev/console; test -c /dev/console && echo console; echo end" if either.uid == os.geteuid() else "test -c /dev/console && echo console; echo end"
    terminal = Terminal(either.words(*USR, "sh", "-c", said))
    assert "console" in terminal.read_until("end\r\n")
    assert terminal.status() == 0
    assert either.run(*USR, "test", "-e", "/dev/console").returncode == 1


def test_mounts_of_the_host_are_followed(either):
    """What is mounted below a bound folder later is seen, for the mounts stay slaves; and nothing goes the other way."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount on the host's side")
    if either.uid != 0:
        pytest.skip("asked of root's; the user's are the same code")
    either.make("s/later")
    either.make("go", "")
    script = ('mount --bind "$1" "$1" && mount --make-shared "$1" && shift && { "$@" & } && '
              'until test -e "$S/s/started"; do sleep 0.05; done; mount -t tmpfs t "$S/s/later" && touch "$S/s/later/seen" "$S/s/mounted"; wait')
    words = [either.path, *USR, "--bind", str(either.folder / "s"), "/s", "sh", "-c",
             "touch /s/started; until test -e /s/mounted; do sleep 0.05; done; ls /s/later"]
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", str(either.folder / "s"), *words],
                          capture_output=True, text=True, timeout=PATIENCE, check=False, env={**harness.ENVIRONMENT, "S": str(either.folder)})
    assert done.stdout == "seen\n", done.stderr


def test_many_at_once(either):
    runs = [either.start(*USR, "--unshare-all", "--proc", "/proc", "--dev", "/dev", "sh", "-c", "exit %d" % number) for number in range(24)]
    assert [one.wait(PATIENCE) for one in runs] == list(range(24))


def test_a_set_user_id_program_stays_the_callers(either):
    if either.uid == 0:
        pytest.skip("root is root")
    done = either.run("--ro-bind", "/", "/", "sh", "-c", "su -c id </dev/null; id -u")
    assert done.stdout == "%d\n" % either.uid
