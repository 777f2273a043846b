# SPDX-License-Identifier: Apache-2.0
"""The jail's own terminal, driven as a person would."""
import os
import shlex
import signal
import subprocess
import termios
import time

import pexpect
import pytest

from patience import PATIENCE, await_true, children_of
from test_attach import PROMPT, ask, ask_until, read_until, stop_and_end_a_job


def settings(fd):
    return termios.tcgetattr(fd)


def spawn(immure, *words, timeout=PATIENCE, **options):
    line = immure.words("run", *words)
    return pexpect.spawn(line[0], line[1:], timeout=timeout, encoding="utf-8", cwd="/", **options)


@pytest.fixture
def shell(immure):
    child = spawn(immure, "-e", "PS1=" + PROMPT, "--", "/bin/bash", "--norc", "--noprofile", "--noediting", "-i")
    child.expect(PROMPT)
    yield child
    child.close(force=True)


def test_the_terminal_is_another_one(shell):
    ask(shell, "tty", "/dev/pts/0\r\n")
    ask(shell, "ls /dev/pts; test -w $(tty) && echo mine", "mine")


def test_job_control(shell):
    stop_and_end_a_job(shell)
    ask(shell, "echo code=$?", "code=130")
    ask(shell, "jobs; echo none", "jobs; echo none\r\nnone\r\n")


def test_window_size_is_passed_on(shell):
    ask(shell, "stty size", "24 80")
    shell.setwinsize(40, 132)
    ask_until(shell, "stty size", "40 132")


def test_utf8_and_eof(shell):
    ask(shell, "echo zażółć-日本", "zażółć-日本\r\n")
    shell.sendline("cat | wc -l; echo counted")
    shell.send("one\rtwo\r")
    time.sleep(0.2)
    shell.send("\x04")
    shell.expect("2\r\n")
    shell.expect("counted")
    shell.sendline("exit 5")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 5


def test_yes_into_head(shell):
    ask(shell, "yes | head -20000 | tail -1; echo ended", "ended")


@pytest.fixture
def pty():
    """Both sides of a terminal that is nobody's yet."""
    master, slave = os.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def popen(immure, slave, *words):
    return subprocess.Popen(immure.words("run", *words), stdin=slave, stdout=slave, stderr=slave, cwd="/", start_new_session=True,
                            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))


@pytest.mark.parametrize("way", ["exit", "signal", "TERM", "wall-time", "setup"])
def test_settings_are_as_before_on_every_way_out(immure, pty, way):
    master, slave = pty
    before = settings(slave)
    script = {"exit": "echo ready; exit 0", "signal": "echo ready; kill -SEGV $$"}.get(way, "echo ready; sleep 1000")
    words = ["--wall-time", "500ms"] if way == "wall-time" else []
    program = ["/no/such"] if way == "setup" else ["/bin/sh", "-c", script]
    child = popen(immure, slave, *words, "--", *program)
    if way != "setup":
        read_until(master, b"ready")
    if way == "TERM":
        assert settings(slave) != before # the control: it was raw meanwhile
        child.send_signal(signal.SIGTERM)
    child.wait(PATIENCE)
    assert settings(slave) == before


def test_suspending_the_launcher_gives_the_terminal_back(immure):
    words = shlex.join(immure.words("run", "--", "/bin/sh", "-c", "echo started; read x; echo got $x"))
    bash = pexpect.spawn("/bin/bash", ["--norc", "--noediting", "-i"], timeout=PATIENCE, encoding="utf-8", cwd="/", env={**os.environ, "PS1": "host> "})
    bash.expect("host> ")
    before = settings(bash.child_fd)
    bash.sendline(words)
    bash.expect("started\r+\n")
    assert settings(bash.child_fd) != before
    os.kill(await_true(lambda: children_of(bash.pid))[0], signal.SIGTSTP)
    bash.expect("host> ")
    assert settings(bash.child_fd) == before
    bash.sendline("fg")
    await_true(lambda: not settings(bash.child_fd)[1] & termios.OPOST)
    bash.sendline("word")
    bash.expect("got word")
    bash.close(force=True)


def test_where_the_kernel_lets_no_launcher_stop_the_jail_goes_on(immure, pty):
    master, slave = pty
    child = popen(immure, slave, "--", "/bin/sh", "-c", "echo ready; while read x; do echo got $x; done")
    read_until(master, b"ready")
    raw = settings(slave)
    for word in (b"one", b"two"): # its group is orphaned
        child.send_signal(signal.SIGTSTP)
        os.write(master, word + b"\n")
        read_until(master, b"got " + word)
        await_true(lambda: settings(slave) == raw)
    child.send_signal(signal.SIGTERM)
    assert child.wait(PATIENCE) == 143


def test_a_large_paste_arrives_whole(immure, pty):
    master, slave = pty
    child = popen(immure, slave, "--", "/bin/sh", "-c", "stty raw -echo; echo ready; head -c 10000000 | md5sum; sleep 0.2")
    read_until(master, b"ready")
    os.set_blocking(master, False)
    data = b"0123456789" * 1_000_000
    sent, seen, end = 0, b"", time.monotonic() + PATIENCE
    while b"-" not in seen and time.monotonic() < end:
        try:
            if sent < len(data):
                sent += os.write(master, data[sent:sent + 4096])
        except BlockingIOError:
            pass
        try:
            seen += os.read(master, 65536)
        except (BlockingIOError, OSError):
            time.sleep(0.0005)
    assert __import__("hashlib").md5(data).hexdigest().encode() in seen
    child.wait(PATIENCE)


def test_a_closed_terminal_hangs_up(immure):
    child = spawn(immure, "--", "/bin/sh", "-c", "echo ready; sleep 1000")
    child.expect("ready")
    pid = child.pid
    os.close(child.child_fd)
    try:
        await_true(lambda: os.waitpid(pid, os.WNOHANG)[0], "the jail outlived its terminal")
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise
    child.child_fd = -1
    child.closed = True


def test_in_the_background_the_terminal_is_left_alone(immure):
    words = shlex.join(immure.words("run", "--", "/bin/sh", "-c", "trap 'echo over; exit' TERM; echo started; while :; do sleep 0.1; done"))
    bash = pexpect.spawn("/bin/bash", ["--norc", "--noediting", "-i"], timeout=PATIENCE, encoding="utf-8", cwd="/", env={**os.environ, "PS1": "host> "})
    bash.expect("host> ")
    bash.sendline(words + " &")
    bash.expect("started\r+\n")
    bash.sendline("stty -a | grep -o -- '-*icanon'; echo as''ked")
    assert "-icanon" not in bash.before
    bash.expect("asked\r\n")
    assert "\r\nicanon" in bash.before
    bash.sendline("kill %1")
    bash.expect("over\r+\n")
    bash.close(force=True)


def test_a_background_job_brought_to_the_foreground_gets_what_is_typed(immure):
    words = shlex.join(immure.words("run", "--", "/bin/sh", "-c", "echo started; read x; echo got $x"))
    bash = pexpect.spawn("/bin/bash", ["--norc", "--noediting", "-i"], timeout=PATIENCE, encoding="utf-8", cwd="/", env={**os.environ, "PS1": "host> "})
    bash.expect("host> ")
    bash.sendline(words + " &")
    bash.expect("started\r+\n")
    bash.sendline("fg")
    await_true(lambda: not settings(bash.child_fd)[1] & termios.OPOST)  # immure's by now, and neither the shell's nor the line editor's
    bash.sendline("word")
    bash.expect("got word")
    bash.close(force=True)


def test_output_to_a_terminal_does_not_give_it_away(immure, pty):
    master, slave = pty
    script = "test -t 1 && echo is-a-tty; tty <&1; echo line1; echo line2"
    done = subprocess.run(immure.words("run", "--", "/bin/sh", "-c", script), stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, cwd="/",
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0
    seen = read_until(master, b"line2")
    assert b"is-a-tty\r\n/dev/pts/0\r\nline1\r\nline2" in seen # the caller's would have another name, and no doubled \r


def test_without_a_terminal_pipes_stand_in(immure, pty):
    master, slave = pty
    child = subprocess.Popen(immure.words("run", "--tty", "no", "--", "/bin/sh", "-c", "test -t 0 || echo no-tty; read x; echo got $x; cat"),
                             stdin=slave, stdout=slave, stderr=slave, cwd="/")
    read_until(master, b"no-tty")
    os.write(master, b"hello\n")
    read_until(master, b"got hello")
    os.write(master, b"\x04")
    assert child.wait(PATIENCE) == 0


def test_a_terminal_can_be_asked_for(immure):
    done = immure.run("run", "--tty", "yes", "--", "/bin/sh", "-c", "tty; read x; echo got $x; cat; echo over", stdin=None, input="word\n")
    assert done.returncode == 0
    assert "/dev/pts/0" in done.stdout
    assert "got word" in done.stdout
    assert "over" in done.stdout


def test_a_jail_without_devpts_still_gets_a_terminal(immure):
    child = spawn(immure, "--dev", "none", "--", "/bin/sh", "-c", "test -t 0 && test -t 1 && echo two-ttys")
    child.expect("two-ttys")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
