# SPDX-License-Identifier: Apache-2.0
"""Who lives how long. Lost would be a process that nobody ends, a jail that dies with the wrong one, or a failed start called a success."""
import contextlib
import json
import os
import select
import signal
import subprocess
import time
import uuid

import pytest

from patience import PATIENCE, await_true, words_of


PLACES = {"pidns": [], "host": ["--pidns", "host", "--proc", "bind"]}


def alive(word):
    """Processes that have WORD among their arguments, but for immure's own."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        words = [told.decode(errors="replace") for told in words_of(pid)]
        if word in words and "immure" not in words[0] and "setpriv" not in words[0] and words[0] != "sh" and words[0] != "/bin/sh":
            found.append(int(pid))
    return found


def read_all(fd):
    """Until its end; what has not come by then is a failure."""
    text = b""
    while select.select([fd], [], [], PATIENCE)[0]:
        more = os.read(fd, 65536)
        if not more:
            return text.decode()
        text += more
    pytest.fail(f"no end of file; so far {text!r}")


# Lives until the other end of its standard input is closed, in the background of whoever says it: a shell would give it /dev/null.
LIVES_ON = "exec 3<&0; cat <&3 {} & exit 0"


@pytest.fixture
def word():
    """An argument of sleep that nobody else has; whatever still has it is ended."""
    text = f"{500 + uuid.uuid4().int % 400}.{uuid.uuid4().int % 10**9:09d}"
    yield text
    for pid in alive(text):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def own(immure):
    """The words of a jail that goes on without its launcher, without an init: nothing may be leased."""
    return ["--lifetime", "own", "--pids", "none", *(["--ids", "single", "--allow-host-root"] if immure.uid == 0 else [])]


def launch(immure, *words, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(immure.words("run", *words), cwd="/", **options)


# --- without an init


def test_without_an_init_the_program_is_process_1(immure):
    assert immure.run("run", "--init", "no", "--", "/bin/sh", "-c", "echo $$").stdout == "1\n"
    assert immure.run("run", "--", "/bin/sh", "-c", "echo $$").stdout != "1\n"


def test_without_an_init_the_program_is_an_ordinary_process(immure):
    """Dumpable: its own files in /proc are its own; and nothing of set-up is left to it."""
    script = "cat /proc/self/comm; stat -c %u /proc/self/status; id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ls /proc/self/fd"
    with_init = immure.run("run", "--", "/bin/sh", "-c", script)
    without = immure.run("run", "--init", "no", "--", "/bin/sh", "-c", script)
    assert without.returncode == 0, without.stderr
    assert without.stdout == with_init.stdout
    lines = without.stdout.split("\n")
    assert lines[1] == lines[2]


@pytest.mark.parametrize("script,code", [("exit 0", 0), ("exit 7", 7), ("exit 125", 125), ("exec /bin/sh -c 'kill -s ABRT $$; exit 3'", 3)])
def test_without_an_init_the_status_is_the_programs(immure, script, code):
    assert immure.run("run", "--init", "no", "--", "/bin/sh", "-c", script).returncode == code


def test_without_an_init_a_signals_death_is_told(immure, own):
    done = immure.run("run", "--init", "no", *PLACES["host"], *own, "--", "/bin/sh", "-c", "kill -s KILL $$")
    assert done.returncode == 137
    done = immure.run("run", "--init", "no", *PLACES["host"], *own, "--", "/bin/sh", "-c", "kill -s USR1 $$")
    assert done.returncode == 128 + signal.SIGUSR1


@pytest.mark.parametrize("filter_", ["default", "strict", "off"])
def test_without_an_init_a_failed_exec_is_no_start(immure, filter_):
    for path, code in ("/nowhere/at/all", 127), ("/etc/passwd", 126):
        done = immure.run("run", "--init", "no", "--seccomp", filter_, "--ro", "/etc/passwd", "--", path)
        assert done.returncode == code, done.stderr
        assert "E-EXEC-" in done.stderr
    assert immure.run("run", "--init", "no", "--seccomp", filter_, "--", "/bin/true").returncode == 0


def test_without_an_init_a_filter_that_forbids_to_speak_hides_no_failure(immure):
    """The news of a failed exec goes by memory: no filter is in its way."""
    silent = ["--seccomp-deny", "sendmsg", "--seccomp-deny", "write"]
    done = immure.run("run", "--init", "no", *silent, "--", "/nowhere/at/all")
    assert done.returncode == 127 and "E-EXEC-MISSING" in done.stderr
    assert immure.run("run", "--init", "no", *silent, "--", "/bin/sh", "-c", "exit 9").returncode == 9


def test_without_an_init_limits_still_end_the_jail(immure, word):
    done = immure.run("run", "--init", "no", "--wall-time", "300ms", "--", "/bin/sh", "-c", f"sleep {word} & sleep {word} & wait")
    assert done.returncode == 124, done.stderr
    await_true(lambda: not alive(word))


def test_without_an_init_what_is_in_force_is_told(immure):
    done = immure.run("run", "--init", "no", "--result", "/dev/stdout", "--", "/bin/true")
    found = json.loads(done.stdout)["in_force"]
    assert found["namespaces"]["pid"]["is_own"] and found["no_new_privileges"] and found["seccomp_filters"] == 1


def test_without_an_init_signals_go_to_the_program(immure):
    run = launch(immure, "--init", "no", "--", "/bin/sh", "-c", "trap 'exit 33' USR1; echo ready; while :; do sleep 0.05; done",
                 stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGUSR1)
    assert run.wait(PATIENCE) == 33
    run.stdout.close()


def test_without_an_init_a_signal_during_the_start_does_not_kill_it(immure):
    """It waits until there is a program, which then gets it: ignored here, by who started immure."""
    for delay in (0, 0.001, 0.002, 0.004, 0.008):
        run = launch(immure, "--init", "no", "--", "/bin/sleep", "0.05")
        time.sleep(delay)
        run.send_signal(signal.SIGCONT)
        assert run.wait(PATIENCE) == 0


def test_without_an_init_and_a_pid_namespace_it_must_be_allowed_to_live_on(immure, own):
    done = immure.run("run", "--init", "no", *PLACES["host"], "--", "/bin/true")
    assert done.returncode == 125 and "E-INIT-LIFETIME" in done.stderr
    assert immure.run("run", "--init", "no", *PLACES["host"], *own, "--", "/bin/true").returncode == 0


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
@pytest.mark.parametrize("words", [[], ["--init", "no"]])
def test_who_ignores_the_deaths_of_children_gets_the_status(immure, words, handler):
    for leave in [], ["--leave", "signals"]:
        done = immure.run("run", *words, *leave, "--", "/bin/sh", "-c", "exit 6", preexec_fn=lambda: signal.signal(signal.SIGCHLD, handler))
        assert done.returncode == 6, (leave, done.stderr)


def test_who_blocks_the_deaths_of_children_gets_the_status(immure):
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})

    for words in [], ["--init", "no"]:
        assert immure.run("run", *words, "--", "/bin/sh", "-c", "exit 6", preexec_fn=block).returncode == 6


# --- lifetimes


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("init", ["yes", "no"])
def test_what_the_program_leaves_behind(immure, own, word, place, init):
    """It lives on in a jail of its own life, but not where the program was process 1; it ends with the launcher otherwise."""
    script = f"sleep {word} >/dev/null 2>&1 & exit 5"
    done = immure.run("run", *PLACES[place], "--init", init, *own, "--", "/bin/sh", "-c", script)
    assert done.returncode == 5, done.stderr
    if place == "pidns" and init == "no":
        await_true(lambda: not alive(word))
        return
    await_true(lambda: len(alive(word)) == 1)
    time.sleep(0.2)
    assert len(alive(word)) == 1


@pytest.mark.parametrize("place", PLACES)
def test_what_the_program_leaves_behind_ends_with_the_launcher(immure, word, place):
    assert immure.run("run", *PLACES[place], "--", "/bin/sh", "-c", f"sleep {word} & exit 5").returncode == 5
    await_true(lambda: not alive(word))


def test_the_jail_of_its_own_life_ends_with_its_last_process(immure, own):
    """And init with it: the pipe that both hold ends."""
    run = launch(immure, *own, "--", "/bin/sh", "-c", LIVES_ON.format(""), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.wait(PATIENCE) == 0
    assert not select.select([run.stdout], [], [], 0.2)[0]
    run.stdin.close()
    assert read_all(run.stdout.fileno()) == ""
    run.stdout.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("init", ["yes", "no"])
def test_a_killed_launcher(immure, own, word, place, init):
    def kill_it(*words):
        run = launch(immure, *PLACES[place], "--init", init, *words, "--", "/bin/sh", "-c", f"sleep {word} & sleep {word}; exit 0")
        await_true(lambda: len(alive(word)) == 2)
        time.sleep(0.1)
        run.kill()
        run.wait(PATIENCE)

    kill_it(*own)
    time.sleep(0.3)
    assert len(alive(word)) == 2
    for pid in alive(word):
        os.kill(pid, signal.SIGKILL)
    if place == "host" and init == "no":
        return
    kill_it()
    await_true(lambda: not alive(word))


def orphans(immure):
    """Processes of immure's that nobody waits for."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            if parent == 1 and os.readlink(f"/proc/{pid}/exe").startswith(os.path.dirname(immure.path)):
                found.append(pid)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("attempt", range(10))
@pytest.mark.parametrize("words", [[], ["--init", "no"]])
def test_a_launcher_killed_at_any_moment_leaves_a_whole_jail_or_none(immure, own, word, words, attempt):
    run = launch(immure, *own, *words, "--", "/bin/sleep", word)
    time.sleep(attempt * 0.0007)
    run.kill()
    run.wait(PATIENCE)
    await_true(lambda: alive(word) or not orphans(immure), lambda: orphans(immure))


@pytest.mark.parametrize("words", [["--wall-time", "5s"], ["--output-size", "1M"]])
def test_what_needs_the_launcher_does_not_go_with_a_life_of_its_own(immure, own, words):
    done = immure.run("run", *own, *words, "--", "/bin/true")
    assert done.returncode == 125 and "E-LIFETIME-OWN" in done.stderr and words[0] in done.stderr
    assert immure.run("run", *words, "--", "/bin/true").returncode == 0
    assert immure.run("run", *own, "--", "/bin/true").returncode == 0


def test_leased_ids_stay_leased_while_the_jail_lives(immure, word):
    if immure.uid:
        pytest.skip("ids are leased for root")
    assert immure.run("run", "--lifetime", "own", "--", "/bin/sh", "-c", f"sleep {word} >/dev/null 2>&1 &").returncode == 0
    (pid,) = await_true(lambda: alive(word))
    first = os.stat(f"/proc/{pid}").st_uid
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        init = int(file.read().rsplit(")", 1)[1].split()[1])
    assert any(os.readlink(f"/proc/{init}/fd/{fd}").endswith("/ids") for fd in os.listdir(f"/proc/{init}/fd"))
    assert first >= 1879048192


def parent_and_child(immure, *words):
    """A process that starts immure and does nothing else; returns it."""
    quoted = " ".join("'" + one + "'" for one in immure.words("run", *words))
    return subprocess.Popen(["/bin/sh", "-c", f"{quoted}; exit"], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [[], ["--init", "no"]])
def test_die_with_parent(immure, word, words):
    for flag, is_ended in ([], False), (["--die-with-parent"], True):
        parent = parent_and_child(immure, *words, *flag, "--", "/bin/sleep", word)
        await_true(lambda: alive(word))
        time.sleep(0.1)
        parent.kill()
        parent.wait(PATIENCE)
        if is_ended:
            await_true(lambda: not alive(word))
        else:
            time.sleep(0.3)
            (pid,) = alive(word)
            os.kill(pid, signal.SIGKILL)
            await_true(lambda: not alive(word))


def test_die_with_parent_reaches_a_program_that_nothing_else_ends(immure, own, word):
    parent = parent_and_child(immure, "--init", "no", *PLACES["host"], *own, "--die-with-parent", "--", "/bin/sleep", word)
    await_true(lambda: alive(word))
    time.sleep(0.1)
    parent.kill()
    parent.wait(PATIENCE)
    await_true(lambda: not alive(word))


# --- signals that are left alone


def test_a_launcher_that_leaves_signals_alone_dies_of_them(immure, own, word):
    script = f"trap 'exit 44' TERM; sleep {word} & wait; exit 0"
    run = launch(immure, *own, "--leave", "signals", "--", "/bin/sh", "-c", script)
    await_true(lambda: alive(word))
    time.sleep(0.1)
    run.terminate()
    assert run.wait(PATIENCE) == -signal.SIGTERM
    assert alive(word)
    for pid in alive(word):
        os.kill(pid, signal.SIGKILL)
    # the control: otherwise it is passed on
    run = launch(immure, *own, "--", "/bin/sh", "-c", script)
    await_true(lambda: alive(word))
    time.sleep(0.1)
    run.terminate()
    assert run.wait(PATIENCE) == 44


def test_a_launcher_that_dies_of_a_signal_takes_a_jail_without_own_life_along(immure, word):
    run = launch(immure, "--leave", "signals", "--", "/bin/sleep", word)
    await_true(lambda: alive(word))
    run.send_signal(signal.SIGINT)
    assert run.wait(PATIENCE) == -signal.SIGINT
    await_true(lambda: not alive(word))
