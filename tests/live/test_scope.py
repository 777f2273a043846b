# SPDX-License-Identifier: Apache-2.0
"""Limits for a user who may make no cgroup where it stands: systemd is asked for a scope. Needs a systemd of the user's own."""
import os
import pathlib
import subprocess
import time

import pytest

pytestmark = [pytest.mark.vm]
RUNTIME = os.environ.get("XDG_RUNTIME_DIR", "")


@pytest.fixture(autouse=True)
def manager():
    if os.geteuid() == 0 or not RUNTIME or not pathlib.Path(RUNTIME, "bus").exists():
        pytest.skip("no systemd of the user's own")


def scopes():
    return sorted(str(path) for path in pathlib.Path("/sys/fs/cgroup/user.slice").rglob("immure-*.scope"))


def in_company(immure, *words):
    """In a group that somebody else is in as well, as in every terminal."""
    script = 'sleep 300 & "$@"; status=$?; kill $!; exit $status'
    return ["systemd-run", "--user", "--scope", "-q", "sh", "-c", script, "-", *immure.words(*words)]


def run(immure, *words):
    return subprocess.run(in_company(immure, "run", *words), capture_output=True, text=True, check=False, timeout=120, cwd="/",
                          stdin=subprocess.DEVNULL)


def test_the_plan_asks_systemd(immure):
    plan = subprocess.run(in_company(immure, "explain", "-m", "64M", "true"), capture_output=True, text=True, check=False, timeout=120)
    assert "ask systemd for the scope" in plan.stdout


def test_a_scope_limits_and_goes(immure):
    assert run(immure, "-m", "64M", "--pids", "20", "--", "echo", "ran").stdout == "ran\n"
    ended = run(immure, "-m", "64M", "--", "/usr/bin/python3", "-c", "bytearray(300 << 20)")
    assert ended.returncode == 137 and "memory" in ended.stderr
    ended = run(immure, "--cpu-time", "1s", "--", "sh", "-c", "while :; do :; done")
    assert ended.returncode == 124 and "processor time" in ended.stderr
    deadline = time.monotonic() + 20
    while scopes():
        assert time.monotonic() < deadline, scopes()
        time.sleep(0.2)


def test_nothing_is_left_when_the_launcher_is_killed(immure):
    script = '"$@" & launcher=$!; sleep 8; ls -d /sys/fs/cgroup/user.slice/*/*/app.slice/immure-*.scope; kill -9 $launcher'
    words = ["systemd-run", "--user", "--scope", "-q", "sh", "-c", script, "-", *immure.words("run", "-m", "64M", "sleep", "300")]
    assert "immure-" in subprocess.run(words, capture_output=True, text=True, check=False, timeout=120).stdout
    deadline = time.monotonic() + 20
    while scopes():
        assert time.monotonic() < deadline, scopes()
        time.sleep(0.2)


def test_a_jail_that_stays_has_a_scope(immure):
    """By the full keeper, which knows the bus though it has no environment; the name is free again for it each time."""
    for turn in range(4):
        name = f"scope-{os.getpid()}-{turn}"
        ended = subprocess.run(in_company(immure, "run", "-d", "-m", "64M", "--name", name, "sleep", "300"), capture_output=True, text=True,
                               check=False, timeout=120, cwd="/", stdin=subprocess.DEVNULL)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert len(scopes()) == 1
        assert immure.run("rm", "--force", name).returncode == 0
        deadline = time.monotonic() + 20
        while scopes():
            assert time.monotonic() < deadline, scopes()
            time.sleep(0.2)
