# SPDX-License-Identifier: Apache-2.0
"""Being attached to jails that stay, through real terminals."""
import hashlib
import os
import select
import shutil
import signal
import subprocess
import termios
import time

import pexpect
import pytest

from conftest import BUILD
from patience import PATIENCE, await_true
from test_jails import jails, named, ok, status # noqa: F401  (a fixture)

PROMPT = "jail> "
# It says that it has begun and that it goes on; what is typed is spelt otherwise, for the terminal shows that too. It bears nobody: where a
# child by vfork is stopped before it has executed anything, its parent cannot be, and nobody hears of either.
JOB = "sh -c 'trap \"echo cont\\inued\" CONT; echo be\\gun; while :; do read line; done'"
SHELL = ("-t", "yes", "-e", "PS1=" + PROMPT, "--", "/bin/bash", "--norc", "--noprofile", "--noediting", "-i")


def spawn(immure, *words, timeout=PATIENCE, **options):
    line = immure.words(*words)
    return pexpect.spawn(line[0], line[1:], timeout=timeout, encoding="utf-8", cwd="/", **options)


def ask(shell, line, answer):
    shell.sendline(line)
    shell.expect(answer)
    shell.expect(PROMPT)


def ask_until(shell, line, answer):
    """Asks again until that is the answer: what it is about comes by another way than the keys."""
    def is_answered():
        shell.sendline(line)
        shell.expect(PROMPT)
        return answer in shell.before

    await_true(is_answered, lambda: shell.before)


def stop_and_end_a_job(shell):
    """By the keys, each when the job has the terminal."""
    shell.sendline(JOB)
    shell.expect("begun\r\n")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect(PROMPT)
    shell.sendline("fg")
    shell.expect("continued\r\n")
    shell.send("\x03")
    shell.expect(PROMPT)


@pytest.fixture
def shell(jails): # noqa: F811
    """A shell in a jail that stays, and a client attached to it."""
    sh = named("sh")
    ok(jails.run("run", "-d", "--name", sh, *SHELL))
    child = spawn(jails, "attach", sh)
    child.expect(PROMPT)
    yield child
    child.close(force=True)


def leave(child):
    child.send("\x10\x11")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_detached_it_goes_on_and_what_was_written_is_shown_again(shell, jails): # noqa: F811
    ask(shell, "kept=here; echo mark$((40+2))", "mark42")
    assert leave(shell) == 0
    assert status(jails, named("sh"))["state"] == "running"
    again = spawn(jails, "attach", named("sh"))
    again.expect("mark42")
    ask(again, "echo $kept", "here\r\n")
    assert leave(again) == 0


def test_the_keys_can_be_others_or_none(shell, jails): # noqa: F811
    other = spawn(jails, "attach", "--detach-keys", "ctrl-x,x", named("sh"))
    other.expect(PROMPT)
    other.send("\x10\x11\x15") # these are the shell's now
    ask(other, "echo still", "still")
    other.send("\x18x")
    other.expect(pexpect.EOF)
    none = spawn(jails, "attach", "--detach-keys", "none", named("sh"))
    none.expect(PROMPT)
    none.send("\x10\x11\x15")
    ask(none, "echo attached", "attached")
    none.close(force=True)
    assert "no keys" in jails.run("attach", "--detach-keys", "ctrl-", named("sh")).stderr


def test_control_c_and_control_z_are_the_programs(shell):
    stop_and_end_a_job(shell)
    ask(shell, "echo code=$?", "code=130")


def test_the_screen_has_the_size_of_the_smallest_who_looks(shell, jails): # noqa: F811
    ask(shell, "stty size", "24 80")
    shell.setwinsize(40, 132)
    ask_until(shell, "stty size", "40 132")
    small = spawn(jails, "attach", named("sh"), dimensions=(30, 140))
    small.expect(PROMPT)
    ask_until(shell, "stty size", "30 132")
    assert leave(small) == 0
    ask_until(shell, "stty size", "40 132")


def test_two_see_the_same_and_one_may_only_look(shell, jails): # noqa: F811
    looker = spawn(jails, "attach", "--no-input", named("sh"))
    looker.expect(PROMPT)
    looker.sendline("echo from-the-looker")
    ask(shell, "echo both-$((1+1))", "both-2")
    looker.expect("both-2")
    time.sleep(0.2)
    assert "from-the-looker\r\njail" not in shell.before
    looker.kill(signal.SIGTERM)
    looker.expect(pexpect.EOF)
    looker.close()
    assert looker.exitstatus == 128 + signal.SIGTERM


def test_utf8_is_untouched(shell):
    ask(shell, "echo zażółć-日本-🦆", "zażółć-日本-🦆\r\n")


def test_ten_megabytes_are_pasted_whole(jails): # noqa: F811
    sink = named("sink")
    size = 10 << 20
    ok(jails.run("run", "-d", "--name", sink, "-t", "yes", "--", "sh", "-c", f"stty raw -echo; echo ready; head -c {size} | sha256sum; sleep 1000"))
    child = spawn(jails, "attach", "--detach-keys", "none", sink, timeout=PATIENCE)
    child.expect("ready")
    child.delaybeforesend = None
    block = "".join(chr(33 + i % 90) for i in range(4096))
    for _ in range(size // len(block)):
        child.send(block)
    child.expect(hashlib.sha256((block * (size // len(block))).encode()).hexdigest())
    child.close(force=True)


def test_a_reader_who_goes_ends_the_talk_and_not_the_jail(jails): # noqa: F811
    flood = named("flood")
    ok(jails.run("run", "-d", "--name", flood, "--", "yes"))
    line = " ".join(jails.words("attach", "--no-input", flood))
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line} | head -n 3"], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
    assert (done.stdout, done.returncode) == ("y\ny\ny\n", 0)
    assert status(jails, flood)["state"] == "running"


def test_yes_into_head_inside(shell):
    ask(shell, "yes | head -20000 | tail -1; echo ended", "ended")


def test_one_leaves_while_output_floods(jails): # noqa: F811
    flood = named("flood")
    ok(jails.run("run", "-d", "--name", flood, "-t", "yes", "--", "yes"))
    child = spawn(jails, "attach", flood)
    child.expect("y\r\ny\r\n")
    assert leave(child) == 0
    assert status(jails, flood)["state"] == "running"


def read_until(master, wanted):
    seen = b""
    while wanted not in seen:
        assert select.select([master], [], [], PATIENCE)[0], seen
        seen += os.read(master, 65536)
    return seen


def popen(immure, slave, *words):
    return subprocess.Popen(immure.words(*words), stdin=slave, stdout=slave, stderr=slave, cwd="/", start_new_session=True,
                            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))


@pytest.mark.parametrize("way", ["keys", "exit", "TERM", "HUP", "kill"])
def test_settings_are_as_before_on_every_way_out(jails, way): # noqa: F811
    sh = named("sh")
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    ok(jails.run("run", "-d", "--name", sh, *SHELL))
    child = popen(jails, slave, "attach", sh)
    await_true(lambda: termios.tcgetattr(slave) != before)
    if way == "keys":
        os.write(master, b"\x10\x11")
    elif way == "exit":
        os.write(master, b"exit 3\r")
    elif way == "kill":
        ok(jails.run("kill", sh))
    else:
        child.send_signal(getattr(signal, "SIG" + way))
    code = child.wait(timeout=PATIENCE)
    assert code == {"keys": 0, "exit": 3, "TERM": 143, "HUP": 129, "kill": 137}[way]
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)


def test_a_terminal_that_is_closed_detaches(jails): # noqa: F811
    sh = named("sh")
    master, slave = os.openpty()
    ok(jails.run("run", "-d", "--name", sh, *SHELL))
    before = termios.tcgetattr(slave)
    child = popen(jails, slave, "attach", sh)
    await_true(lambda: termios.tcgetattr(slave) != before)
    os.close(slave)
    os.close(master)
    child.wait(timeout=PATIENCE)
    assert status(jails, sh)["state"] == "running"
    again = spawn(jails, "attach", sh)
    ask(again, "echo alive", "alive\r\n")
    leave(again)


def test_stopped_and_continued_the_client_takes_its_terminal_again(jails): # noqa: F811
    sh = named("sh")
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    ok(jails.run("run", "-d", "--name", sh, *SHELL))
    child = popen(jails, slave, "attach", sh)
    await_true(lambda: termios.tcgetattr(slave) != before)
    for number, line, answer in ((signal.SIGTSTP, b"echo st''ill\r", b"still\r\n"), (signal.SIGCONT, b"echo ag''ain\r", b"again\r\n")):
        child.send_signal(number) # its group is orphaned: it goes on at once
        os.write(master, line)
        read_until(master, answer) # by now it has heard the signal
    assert termios.tcgetattr(slave) != before
    os.write(master, b"\x10\x11")
    assert child.wait(timeout=PATIENCE) == 0
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)


def test_a_shell_of_ones_own_by_exec(jails): # noqa: F811
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, "--", "sleep", "1000"))
    child = spawn(jails, "exec", "-it", "-e", "PS1=" + PROMPT, web, "--", "/bin/bash", "--norc", "--noprofile", "--noediting", "-i")
    child.expect(PROMPT)
    ask(child, "stty size", "24 80")
    child.setwinsize(50, 100)
    ask_until(child, "stty size", "50 100")
    child.sendline(JOB)
    child.expect("begun\r\n")
    child.send("\x03")
    child.expect(PROMPT)
    ask(child, "echo zażółć", "zażółć\r\n")
    child.sendline("exit 6")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 6
    assert status(jails, web)["state"] == "running"


def test_exec_never_gives_the_callers_terminal(jails): # noqa: F811
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, "--", "sleep", "1000"))
    child = spawn(jails, "exec", web, "--", "sh", "-c", "for i in 0 1 2; do test -t $i && echo tty; done; echo none; exit 4")
    child.expect(pexpect.EOF)
    child.close()
    assert child.before == "none\r\n" and child.exitstatus == 4


def test_run_with_a_name_is_as_run(jails): # noqa: F811
    sh = named("sh")
    child = spawn(jails, "run", "--name", sh, *SHELL[2:])
    child.expect(PROMPT)
    ask(child, "tty", "/dev/pts/0\r\n")
    child.send("\x10\x11")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and status(jails, sh)["state"] == "running"


def test_signals_to_a_client_that_started_it_are_the_programs(jails): # noqa: F811
    polite = named("polite")
    child = subprocess.Popen(jails.words("run", "--name", polite, "--", "sh", "-c", "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done"),
                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd="/")
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out) == (5, "got\n")


HOSTILE = r"printf '\033]0;title\007\033[6n\033[31mred\033[0m \302\233\r2J\n'; printf 'end\n'"


@pytest.mark.parametrize("words", [(), ("-t",), ("--follow",)])
def test_a_log_does_not_drive_the_terminal_that_shows_it(jails, words): # noqa: F811
    """It would set titles and have the terminal type its answers; colours are harmless. A file gets what was written."""
    name = named("driver")
    ok(jails.run("run", "-d", "--name", name, "--", "/bin/sh", "-c", HOSTILE))
    ok(jails.run("wait", name))
    raw = "\x1b]0;title\x07\x1b[6n\x1b[31mred\x1b[0m \u009b\r2J"
    assert raw.replace("\r", "\n") in ok(jails.run("logs", name)) # as text is read here
    shown = spawn(jails, "logs", *words, name).read()
    assert "^[]0;title^G^[[6n\x1b[31mred\x1b[0m \\xc2\\x9b^M2J\r\n" in shown
    assert raw in spawn(jails, "logs", "--raw", *words, name).read() # the control


@pytest.mark.parametrize("first", ["wait", "exec"])
def test_who_has_given_a_question_up_can_still_be_attached(jails, executables, first): # noqa: F811
    """By one handle of the library: the talk in which that was asked is not taken for an attachment."""
    name, drive = named("twice"), executables / "immure-drive"
    shutil.copy2(BUILD / "tests" / "immure-drive", drive)
    ok(jails.run("run", "-d", "--name", name, "--", "sh", "-c", "echo written; exec sleep 1000"))
    await_true(lambda: "written" in jails.run("logs", name).stdout)
    words = [str(drive) if word == jails.path else word for word in jails.words("attach", name, first)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as attached:
        try:
            assert select.select([attached.stdout], [], [], PATIENCE)[0], "nothing is shown"
            assert attached.stdout.readline() == "written\n"
            ok(jails.run("kill", name))
            assert attached.wait(PATIENCE) == 137
        finally:
            attached.kill()
