# SPDX-License-Identifier: Apache-2.0
"""immure-bwrap with IMMURE_HARDEN=1: each thing that bubblewrap leaves open is closed, and without the variable it is open."""
import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import tempfile

import pytest

from patience import PATIENCE, await_true, words_of


NOBODY = 65534
SEES = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]


class Sandbox:
    def __init__(self, folder, uid):
        self.path, self.uid = str(folder / "immure-bwrap"), uid

    def words(self, *words):
        drop = [] if self.uid == os.geteuid() else ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return [*drop, self.path, *words]

    def run(self, *words, hard=True, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LANG": "C", **({"IMMURE_HARDEN": "1"} if hard else {})}
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=PATIENCE, cwd="/", check=False, env=environment, **options)

    def says(self, script, *words, hard=True, **options):
        done = self.run(*SEES, *words, "--", "sh", "-c", script, hard=hard, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(params=["root", "user"])
def bwrap(request, executables):
    own = os.geteuid()
    if request.param == "root" and own != 0:
        pytest.skip("needs root")
    return Sandbox(executables, 0 if request.param == "root" else own or NOBODY)


def test_the_system_call_filter_is_loaded(bwrap):
    script = "sed -n 's/^Seccomp:\\s*//p' /proc/self/status"
    assert bwrap.says(script, hard=False) == "0"
    assert bwrap.says(script) == "2"


def test_descriptors_are_closed(bwrap):
    with tempfile.TemporaryFile() as file:
        script = f"[ -e /proc/self/fd/{file.fileno()} ] && echo open || echo closed"
        assert bwrap.says(script, hard=False, pass_fds=[file.fileno()]) == "open"
        assert bwrap.says(script, pass_fds=[file.fileno()]) == "closed"


def test_no_user_namespace_can_be_made(bwrap):
    script = "unshare -U true 2>/dev/null && echo made || echo refused"
    assert bwrap.says(script, hard=False) == "made"
    assert bwrap.says(script) == "refused"


def has_scopes(executables):
    facts = subprocess.run([executables / "immure-full", "doctor", "--facts"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return json.loads(facts.stdout)["landlock_abi"] >= 6


def test_abstract_sockets_of_the_host_are_out_of_reach(bwrap, executables):
    """In a network that is shared they belong to whoever knows their names: a session bus, an X server."""
    if not has_scopes(executables):
        pytest.skip("this kernel's Landlock has no scopes")
    script = "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + \"%s\")' 2>/dev/null && echo reached || echo refused"
    with socket.socket(socket.AF_UNIX) as server:
        name = "immure-test-%d" % os.getpid()
        server.bind("\0" + name)
        server.listen(4)
        assert bwrap.says(script % name, hard=False) == "reached"
        assert bwrap.says(script % name) == "refused"


def test_nobody_outside_can_be_signalled(bwrap, executables):
    if not has_scopes(executables):
        pytest.skip("this kernel's Landlock has no scopes")
    words = ["sleep", "60"] if bwrap.uid == os.geteuid() else ["setpriv", f"--reuid={bwrap.uid}", f"--regid={bwrap.uid}", "--clear-groups", "sleep", "60"]
    with subprocess.Popen(words) as other:
        try:
            script = f"kill -0 {other.pid} 2>/dev/null && echo reached || echo refused"
            assert bwrap.says(script, hard=False) == "reached"
            assert bwrap.says(script) == "refused"
            assert bwrap.says("sleep 60 & kill $! && echo reached") == "reached", "within the sandbox signals work"
        finally:
            other.kill()


def test_nobody_outside_can_be_bounded_or_slowed_down(bwrap):
    """No signals, so Landlock's scopes let them pass; a bound of no processor time is as good as SIGKILL."""
    drop = bwrap.words()[:-1]
    with subprocess.Popen([*drop, "/bin/sleep", "60"], stdin=subprocess.DEVNULL, cwd="/") as process:
        await_true(lambda: pathlib.Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii") == "sleep\n")
        script = f"prlimit -p {process.pid} --core=0:0 && renice -n 1 -p {process.pid} >/dev/null && echo done || echo refused"
        assert bwrap.says(f"({script}) 2>/dev/null", hard=False) == "done"
        assert bwrap.says(f"({script}) 2>/dev/null") == "refused"
        process.kill()


def test_the_terminal_is_not_the_callers(bwrap):
    master, slave = pty.openpty()
    try:
        own = str(os.fstat(slave).st_rdev)
        script = "python3 -c 'import os; print(os.fstat(0).st_rdev, os.fstat(0).st_dev)'"
        device = f"{own} {os.fstat(slave).st_dev}"
        assert bwrap.says(script, hard=False, stdin=slave) == device
        assert bwrap.says(script, stdin=slave) != device
    finally:
        os.close(master)
        os.close(slave)


def test_root_is_not_kept(bwrap):
    script = "id -u; sed -n 's/^CapEff:\\s*//p' /proc/self/status; awk '{print $2}' /proc/self/uid_map"
    soft, hard = bwrap.says(script, hard=False).split(), bwrap.says(script).split()
    assert soft[0] == hard[0] == str(bwrap.uid)
    assert int(hard[1], 16) == 0
    if bwrap.uid == 0:
        assert int(soft[1], 16) != 0 and soft[2] == "0"
        assert int(hard[2]) > 100000
    else:
        assert soft[2] == hard[2] == str(bwrap.uid)


def test_a_capability_is_had_when_it_is_asked_for(bwrap):
    script = "sed -n 's/^CapEff:\\s*//p' /proc/self/status"
    assert int(bwrap.says(script, "--cap-add", "CAP_KILL"), 16) == 1 << 5
    assert int(bwrap.says(script), 16) == 0


def test_roots_files_are_not_writable_in_a_writable_bind(bwrap):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-bwrap-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, bwrap.uid, bwrap.uid)
        script = f"touch {folder}/x 2>/dev/null && echo written || echo refused"
        assert bwrap.says(script, "--bind", str(folder), str(folder), hard=False) == "written"
        (folder / "x").unlink()
        hard = bwrap.says(script, "--bind", str(folder), str(folder))
        assert hard == ("refused" if bwrap.uid == 0 else "written")
    finally:
        (folder / "x").unlink(missing_ok=True)
        folder.rmdir()


def test_the_executable_of_immure_is_out_of_reach(bwrap):
    words = [*SEES, "--", "/proc/self/exe", "--version"]
    assert bwrap.run(*words, hard=False).stdout.startswith("bubblewrap")
    done = bwrap.run(*words)
    assert done.returncode == 1 and done.stderr.startswith("bwrap: "), done.stderr


LONG = f"1003.{os.getpid()}"


@pytest.mark.parametrize("is_hard", [False, True])
def test_what_the_program_leaves_behind_ends_with_it(bwrap, is_hard):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-bwrap-"))
    folder.chmod(0o777)
    fifo = folder / "alive"
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # Whoever has the writing end is alive: reading says "nothing yet" instead of the end.
        script = f"exec 3>{fifo}; setsid sleep {LONG} >/dev/null 2>&1 & sleep 0.2"
        bwrap.says(script, "--bind", str(folder), str(folder), hard=is_hard)
        if is_hard:
            assert select.select([reader], [], [], PATIENCE)[0] and os.read(reader, 1) == b""
            return
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        pids = await_true(lambda: [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and words_of(pid) == [b"sleep", LONG.encode()]])
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(reader)
        fifo.unlink()
        folder.rmdir()


def test_signals_are_passed_on(bwrap):
    script = "trap 'echo caught; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    environment = {"PATH": "/usr/bin:/bin", "IMMURE_HARDEN": "1"}
    child = subprocess.Popen(bwrap.words(*SEES, "--", "sh", "-c", script), stdout=subprocess.PIPE, text=True, env=environment, cwd="/")
    try:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=PATIENCE)[0] == "caught\n"
    finally:
        child.kill()
        child.wait()


def test_the_plan_is_shown_and_nothing_run(bwrap):
    for value, start in (("1", "settings\n"), ("json", "{\n")):
        done = subprocess.run(bwrap.words(*SEES, "--", "touch", "/nowhere"), capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/",
                              env={"PATH": "/usr/bin:/bin", "IMMURE_EXPLAIN": value})
        assert done.returncode == 0 and done.stdout.startswith(start), done.stderr


def test_names_of_the_tool_lead_to_it(bwrap, executables):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-bwrap-"))
    folder.chmod(0o755)
    try:
        for executable in ("immure", "immure-full", "immure-bwrap"):
            link = folder / "bwrap"
            link.symlink_to(executables / executable)
            done = subprocess.run([link, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert done.stdout == "bubblewrap 0.11.0\n", done.stderr
            link.unlink()
        lonely = folder / "bwrap"
        lonely.write_bytes((executables / "immure").read_bytes())
        lonely.chmod(0o755)
        done = subprocess.run([lonely, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1 and "cannot run" in done.stderr and "immure-bwrap" in done.stderr
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
