# SPDX-License-Identifier: Apache-2.0
"""Signals to the launcher reach the program, whatever state the caller left them in."""
import os
import signal
import subprocess
import time

import pytest

from patience import PATIENCE, await_rest, await_true


TRAPS = "trap 'echo got {0}; exit 9' {0}; echo ready; while :; do sleep 0.05; done"


def start(immure, script, prefix=(), words=()):
    child = subprocess.Popen([*prefix, *immure.words("run", *words, "--", "/bin/bash", "-c", script)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/", process_group=0)
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "URG", "IO", "PWR", "XCPU",
                                  "RTMIN+3"])
def test_signals_are_forwarded(immure, name):
    child = start(immure, TRAPS.format(name))
    number = signal.SIGRTMIN + 3 if name == "RTMIN+3" else getattr(signal, "SIG" + name)
    child.send_signal(number)
    assert child.communicate(timeout=PATIENCE) == (f"got {name}\n", "")
    assert child.returncode == 9


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_without_a_handler_ends_the_program(immure, name):
    child = start(immure, "echo ready; exec sleep 1000")
    number = getattr(signal, "SIG" + name)
    child.send_signal(number)
    child.communicate(timeout=PATIENCE)
    assert child.returncode == 128 + number


@pytest.mark.parametrize("state", ["IGN", "block"])
@pytest.mark.parametrize("name", ["CHLD", "TERM", "HUP", "PIPE"])
def test_what_the_caller_ignores_or_blocks_changes_nothing(immure, name, state):
    setting = f"signal.signal(signal.SIG{name}, signal.SIG_IGN)" if state == "IGN" else \
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIG{name}])"
    prefix = ["/usr/bin/python3", "-c", f"import os, signal, sys; {setting}; os.execvp(sys.argv[1], sys.argv[1:])"]
    show = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
    done = subprocess.run([*prefix, *immure.words("run", "--", "/bin/sh", "-c", f"{show}; /bin/false; exit $(($? + 4))")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, cwd="/", check=False)
    assert done.returncode == 5
    assert [int(line.split()[1], 16) for line in done.stdout.splitlines()] == [0, 0]


def read_now(child):
    try:
        return os.read(child.stdout.fileno(), 1 << 20)
    except BlockingIOError:
        return b""


def test_stop_and_continue_reach_the_whole_jail(immure):
    child = start(immure, "echo ready; (while :; do echo tick; sleep 0.02; done) & wait")
    os.set_blocking(child.stdout.fileno(), False)
    child.send_signal(signal.SIGTSTP)
    assert os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    seen = bytearray()
    await_rest(lambda: seen.extend(read_now(child)) or len(seen))
    time.sleep(0.3)
    assert read_now(child) == b"" # nothing in the jail runs
    child.send_signal(signal.SIGCONT)
    await_true(lambda: b"tick" in read_now(child))
    child.send_signal(signal.SIGTERM)
    assert child.wait(PATIENCE) == 143


def test_a_stopped_launcher_keeps_the_time_once_it_is_continued(immure):
    child = start(immure, "echo ready; sleep 1000", words=["--wall-time", "1s"])
    child.send_signal(signal.SIGSTOP)
    time.sleep(1.2)
    child.send_signal(signal.SIGCONT)
    child.communicate(timeout=PATIENCE)
    assert child.returncode == 124


def test_signals_from_inside_do_not_reach_init(immure):
    done = immure.run("run", "--", "/bin/sh", "-c", "kill -TERM 1; kill -KILL 1; kill -INT 1; sleep 0.2; exit 6")
    assert done.returncode == 6


def test_a_signal_during_setup_ends_the_run(immure):
    codes = set()
    for delay in (0, 0.001, 0.002, 0.004, 0.008):
        child = subprocess.Popen(immure.words("run", "--", "/bin/sleep", "1000"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, cwd="/")
        time.sleep(delay)
        child.send_signal(signal.SIGTERM)
        codes.add(child.wait(PATIENCE))
    assert codes <= {143, -15} # -15: before immure had come to block it


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the system call's number is that of x86_64")
@pytest.mark.parametrize("number", [32, 33, 34])
def test_what_libc_keeps_for_itself_is_reset_too(immure, number):
    ignore = f"act = (ctypes.c_ulong * 4)(1, 0, 0, 0); ctypes.CDLL(None).syscall(13, {number}, act, None, 8)"  # SIG_IGN
    prefix = ["/usr/bin/python3", "-c", f"import ctypes, os, sys; {ignore}; os.execvp(sys.argv[1], sys.argv[1:])"]
    show = ["grep", "SigIgn", "/proc/self/status"]
    for words, is_control in ((show, True), (immure.words("run", "--", *show), False)):
        done = subprocess.run([*prefix, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, cwd="/", check=False)
        mask = int(done.stdout.split()[1], 16)
        assert mask & 1 << (number - 1) if is_control else mask == 0
