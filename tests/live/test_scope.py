# SPDX-License-Identifier: Apache-2.0
"""Limits for a user who may make no cgroup where it stands: systemd is asked for a scope. Needs a systemd of the user's own."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

from patience import PATIENCE


pytestmark = [pytest.mark.vm]
RUNTIME = os.environ.get("XDG_RUNTIME_DIR", "")


@pytest.fixture(autouse=True)
def manager():
    if os.geteuid() == 0 or not RUNTIME or not pathlib.Path(RUNTIME, "bus").exists():
        pytest.skip("no systemd of the user's own")


def scopes():
    """By os.walk, which leaves out a folder that goes meanwhile: those of systemd-run do, and the glob of Python before 3.13 fails at one."""
    folders = (pathlib.Path(folder) for folder, _, _ in os.walk("/sys/fs/cgroup/user.slice"))
    return sorted(str(folder) for folder in folders if folder.match("immure-*.scope"))


def await_no_scope():
    deadline = time.monotonic() + 20
    while scopes():
        assert time.monotonic() < deadline, scopes()
        time.sleep(0.2)


def in_company(immure, *words):
    """In a group that somebody else is in as well, as in every terminal."""
    script = 'sleep 300 & "$@"; status=$?; kill $!; exit $status'
    return ["systemd-run", "--user", "--scope", "-q", "sh", "-c", script, "-", *immure.words(*words)]


def run(immure, *words):
    return subprocess.run(in_company(immure, "run", *words), capture_output=True, text=True, check=False, timeout=PATIENCE, cwd="/",
                          stdin=subprocess.DEVNULL)


def test_the_plan_asks_systemd(immure):
    plan = subprocess.run(in_company(immure, "explain", "-m", "64M", "true"), capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert "ask systemd for the scope" in plan.stdout


def test_a_scope_limits_and_goes(immure):
    assert run(immure, "-m", "64M", "--pids", "20", "--", "echo", "ran").stdout == "ran\n"
    ended = run(immure, "-m", "64M", "--", "/usr/bin/python3", "-c", "bytearray(300 << 20)")
    assert ended.returncode == 137 and "memory" in ended.stderr
    ended = run(immure, "--cpu-time", "1s", "--", "sh", "-c", "while :; do :; done")
    assert ended.returncode == 124 and "processor time" in ended.stderr
    await_no_scope()


def test_nothing_is_left_when_the_launcher_is_killed(immure):
    script = '"$@" & launcher=$!; sleep 8; ls -d /sys/fs/cgroup/user.slice/*/*/app.slice/immure-*.scope; kill -9 $launcher'
    words = ["systemd-run", "--user", "--scope", "-q", "sh", "-c", script, "-", *immure.words("run", "-m", "64M", "sleep", "300")]
    assert "immure-" in subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout
    await_no_scope()


def test_a_jail_that_stays_has_a_scope(immure):
    """By the full keeper, which knows the bus though it has no environment; the name is free again for it each time."""
    for turn in range(4):
        name = f"scope-{os.getpid()}-{turn}"
        ended = subprocess.run(in_company(immure, "run", "-d", "-m", "64M", "--name", name, "sleep", "300"), capture_output=True, text=True,
                               check=False, timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert len(scopes()) == 1
        assert immure.run("rm", "--force", name).returncode == 0
        await_no_scope()


def jails_of(immure, pod):
    return {jail["name"]: jail for jail in json.loads(immure.run("ps", "--all", "--json").stdout) if jail["pod"] == pod}


def started(immure, *words):
    done = subprocess.run(in_company(immure, *words), capture_output=True, text=True, check=False, timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def pod(immure):
    name = f"scoped-{os.getpid()}-{time.monotonic_ns() % 1000000}"
    yield name
    immure.run("pod", "rm", "--force", name)


def group_of(pid):
    return pathlib.Path("/sys/fs/cgroup", pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").split("::")[1].strip().lstrip("/"))


HOLD = ("/usr/bin/python3", "-c", "import time; x = bytearray(40 << 20); time.sleep(1000)")


def test_jails_of_a_pod_are_bounded_together_by_a_scope(immure, pod):
    """The keeper stands in it, and makes groups of jails below the pod's; all goes with the pod, and with the keeper."""
    started(immure, "pod", "create", pod, "--share", "cgroup,net", "-m", "64M", "--swap", "0")
    assert len(scopes()) == 1
    started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-one", "-m", "32M", "sleep", "300")
    started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-two", "--", *HOLD)
    assert len(scopes()) == 1
    jails = jails_of(immure, pod)
    one, two = (group_of(jails[f"{pod}-{name}"]["pid"]) for name in ("one", "two"))
    assert one.parent == two.parent and one != two and str(one).startswith(scopes()[0])
    assert [(group / "memory.max").read_text().strip() for group in (one.parent, one, two)] == [str(64 << 20), str(32 << 20), "max"]
    assert immure.run("exec", f"{pod}-one", "--", "true").returncode == 0
    assert jails[f"{pod}-two"]["state"] == "running" # 40 MB are there for one
    started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-three", "--", *HOLD)
    deadline = time.monotonic() + 60
    while [jails_of(immure, pod)[f"{pod}-{name}"]["state"] for name in ("two", "three")].count("ended") == 0:
        assert time.monotonic() < deadline, jails_of(immure, pod) # but not for two
        time.sleep(0.2)
    assert immure.run("pod", "rm", "--force", pod).returncode == 0
    await_no_scope()
    started(immure, "pod", "create", pod, "--share", "cgroup", "--pids", "30")
    started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-one", "sleep", "300")
    os.kill(jails_of(immure, pod)[f"{pod}-one"]["keeper"], signal.SIGKILL)
    await_no_scope()
    assert immure.run("pod", "rm", pod).returncode == 0


def test_a_jail_of_a_pod_that_shares_no_bounds_has_a_scope_of_its_own(immure, pod):
    started(immure, "pod", "create", pod, "--share", "net")
    started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-zero", "sleep", "300") # or the keeper would have its group for itself
    assert not scopes()
    for name in ("one", "two"):
        started(immure, "run", "-d", "--pod", pod, "--name", f"{pod}-{name}", "-m", "32M", "sleep", "300")
    assert len(scopes()) == 2
    assert immure.run("rm", "--force", f"{pod}-one").returncode == 0
    deadline = time.monotonic() + 20
    while len(scopes()) != 1:
        assert time.monotonic() < deadline, scopes()
        time.sleep(0.2)
    assert immure.run("pod", "rm", "--force", pod).returncode == 0
    await_no_scope()
