# SPDX-License-Identifier: Apache-2.0
"""From the program's start to its end: exit codes, time, output, closed descriptors, and that nothing outlives the launcher."""
import os
import random
import select
import signal
import subprocess
import time

import pytest

from patience import PATIENCE, await_true, children_of, words_of


def processes_with(word):
    """Pids whose command line holds WORD, but not those of this test."""
    pids = map(int, filter(str.isdigit, os.listdir("/proc")))
    return [pid for pid in pids if word.encode() in b" ".join(words_of(pid)) and pid != os.getpid()]


def unique():
    """A number of seconds that no other sleep here has."""
    return f"{random.randrange(10**6, 10**7)}.25"


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("exit 125", 125), ("kill -SEGV $$", 139), ("kill -KILL $$", 137),
                                          ("kill -TERM $$", 143)])
def test_the_exit_code_is_the_programs(immure, script, code):
    assert immure.run("run", "--", "/bin/sh", "-c", script).returncode == code


@pytest.mark.parametrize("words, code", [(["/no/such"], 127), (["nosuch"], 127), (["/etc/passwd"], 126), (["--no-such-option", "true"], 125),
                                         (["--result", "/no/such/folder/r", "true"], 125)])
def test_what_cannot_be_run_has_a_code_of_its_own(immure, words, code):
    done = immure.run("run", *words)
    assert done.returncode == code
    assert len([line for line in done.stderr.splitlines() if line.startswith("immure: ")]) == 1


def test_a_daemon_in_the_jail_dies_with_the_program(immure):
    number = unique()
    done = immure.run("run", "--", "/bin/sh", "-c", f"setsid sleep {number} >/dev/null 2>&1 & exit 4", timeout=PATIENCE)
    assert done.returncode == 4
    assert not processes_with(number)


def test_wall_time_ends_the_jail(immure):
    number = unique()
    start = time.monotonic()
    done = immure.run("run", "--wall-time", "300ms", "--", "/bin/sh", "-c", f"trap '' TERM; sleep {number} & sleep {number}")
    assert done.returncode == 124
    assert time.monotonic() - start >= 0.3
    assert "time was over" in done.stderr
    assert not processes_with(number)


def test_wall_time_leaves_a_quick_program_alone(immure):
    assert immure.run("run", "--wall-time", "100s", "--", "/bin/true").returncode == 0


def test_output_is_delivered_up_to_the_limit(immure):
    done = immure.run("run", "--output-size", "1000", "--", "/bin/sh", "-c", "while :; do echo 123456789; done")
    assert done.returncode == 137
    assert done.stdout == "123456789\n" * 100
    assert "wrote more" in done.stderr


def test_output_of_just_the_limit_is_no_offence(immure):
    done = immure.run("run", "--output-size", "10", "--", "/bin/sh", "-c", "echo 12345; echo 789 >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "12345\n", "789\n")


def test_both_streams_count_together(immure):
    done = immure.run("run", "--output-size", "10", "-q", "--", "/bin/sh", "-c", "echo 12345; echo 78901 >&2; sleep 1000; echo never")
    assert done.returncode == 137
    assert len(done.stdout) + len(done.stderr) == 10


def test_one_file_for_both_streams_keeps_their_order(immure, tmp_path):
    path = tmp_path / "out"
    with open(path, "wb") as file:
        done = subprocess.run(immure.words("run", "--output-size", "1M", "--", "/bin/sh", "-c",
                                           "for i in 1 2 3 4 5 6 7 8; do echo o$i; echo e$i >&2; done"),
                              stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=PATIENCE, cwd="/", check=False)
    assert done.returncode == 0
    assert path.read_text() == "".join(f"o{i}\ne{i}\n" for i in range(1, 9))


def test_a_flood_is_held_back_not_stored(immure):
    """A reader that reads nothing: the launcher must not grow."""
    child = subprocess.Popen(immure.words("run", "--output-size", "1G", "--", "/usr/bin/yes"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/")
    try:
        await_true(lambda: select.select([child.stdout], [], [], 0)[0])
        time.sleep(0.5)
        with open(f"/proc/{child.pid}/statm", encoding="ascii") as file:
            assert int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") < 4 << 20
        assert child.stdout.read(1 << 20) == b"y\n" * (1 << 19)
    finally:
        child.stdout.close()
        assert child.wait(PATIENCE) == 141 # SIGPIPE reached the program, as without immure


def test_a_held_output_does_not_hold_the_launcher(immure):
    """The pipe's other end survives in a process outside; the jail itself is dead."""
    done = immure.run("run", "--output-size", "1M", "--", "/bin/sh", "-c", "sleep 1000 & echo done")
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.parametrize("limit", [[], ["--output-size", "1M"]])
def test_a_full_disk_is_never_a_success(immure, limit):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(immure.words("run", *limit, "--", "/bin/cat", "/etc/passwd"), stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, cwd="/", check=False)
    assert done.returncode != 0
    assert "No space left" in done.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_closed_descriptors_become_dev_null(immure, closed):
    closes = " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed)
    keep = next((fd for fd in (1, 2) if fd not in closed), None)
    program = f"for i in 0 1 2; do echo $(readlink /proc/$$/fd/$i) >&{keep or 1}; done; exit 3"
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in immure.words("run", "--", "/bin/sh", "-c", program))
    done = subprocess.run(["/bin/sh", "-c", f"{words} {closes}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
                          cwd="/", check=False)
    assert done.returncode == 3
    if keep:
        lines = (done.stdout + done.stderr).splitlines()
        assert [lines[fd] for fd in closed] == ["/dev/null"] * len(closed)


def test_descriptors_of_the_caller_do_not_leak(immure):
    read, write = os.pipe()
    try:
        done = immure.run("run", "--", "/bin/sh", "-c", "ls /proc/self/fd", pass_fds=(read, write))
        assert done.stdout.split() == ["0", "1", "2", "3"] # 3: ls's own
    finally:
        os.close(read)
        os.close(write)


def test_the_launchers_words_are_not_shown_inside(immure):
    done = immure.run("run", "-e", "TOKEN=very-secret", "--", "/bin/sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; cat /proc/1/environ",
                      env={"SECRET": "very-secret", "PATH": os.environ["PATH"]})
    assert "secret" not in done.stdout
    # the control: the program's own variable is there
    assert "very-secret" in immure.run("run", "-e", "TOKEN=very-secret", "--", "/bin/sh", "-c", "echo $TOKEN").stdout


@pytest.mark.parametrize("attempt", range(12))
def test_killing_the_launcher_at_any_moment_leaves_no_process(immure, attempt):
    number = unique()
    child = subprocess.Popen(immure.words("run", "--", "/bin/sh", "-c", f"sleep {number} & exec sleep {number}"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    time.sleep(random.Random(attempt).uniform(0, 0.02) if attempt else 0.5)
    child.send_signal(signal.SIGKILL)
    child.wait(PATIENCE)
    await_true(lambda: not processes_with(number))


def test_init_killed_from_outside_is_no_success(immure):
    number = unique()
    script = f"trap 'echo here' USR1; echo begun; while :; do sleep 0.05; : {number}; done"
    child = subprocess.Popen(immure.words("run", "--", "/bin/sh", "-c", script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd="/")
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGUSR1)
    assert child.stdout.readline() == "here\n"  # the launcher knows by now that the program was executed
    os.kill(children_of(child.pid)[0], signal.SIGKILL)
    assert child.wait(PATIENCE) == 137
    assert not processes_with(number)
    child.stdout.close()


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def test_launcher_and_init_give_back_what_waiting_does_not_need(immure):
    """Hundreds of idle jails fit where each holds pages for its own words only; nothing given back, it was over 250 kB."""
    with open(immure.path, "rb") as file:
        if b"/ld-linux" in file.read(4096):
            pytest.skip("the quick executable is not built here: this one shares its libraries with others")
    jail = subprocess.Popen(immure.words("run", "--", "sh", "-c", "echo begun; exec sleep 1000"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert jail.stdout.readline() == "begun\n"
        (init,) = children_of(jail.pid)
        await_true(lambda: 20 < pss(jail.pid) + pss(init) <= 112, lambda: pss(jail.pid) + pss(init))
    finally:
        jail.terminate()
        jail.wait(timeout=PATIENCE)
        jail.stdout.close()
    assert jail.returncode == 143
