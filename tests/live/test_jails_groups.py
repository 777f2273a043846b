# SPDX-License-Identifier: Apache-2.0
"""The cgroup of a jail that stays: who is in it, what it says, how it stops, and that it goes."""
import json
import os
import re
import signal
import time

import pytest
from conftest import Command
from patience import await_rest, await_true, words_of
from test_limits import EAT, GROUPS, aside, limited_groups, own_groups  # noqa: F401 # pylint: disable=unused-import

pytestmark = [pytest.mark.v2, pytest.mark.vm]
IS_OLD = "memory" in own_groups()
LIMITED = ("run", "-d", "-m", "64M", "--name")
# What exec runs takes its session along when it ends; this has one of its own by then.
STAY = 'setsid sh -c "echo >/dev/shm/up; exec sleep $1" >/dev/null 2>&1 & until test -e /dev/shm/up; do sleep 0.05; done'


class Jails(Command):
    """The command, with names that nobody else uses here."""

    def __init__(self, immure):
        self.path, self.uid = immure.path, immure.uid
        self.name = f"group-{os.getpid()}-{time.monotonic_ns() % 1000000}"

    def ok(self, *words, **options):
        done = self.run(*words, **options)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def start(self, *program):
        self.ok(*LIMITED, self.name, "--", *program)
        return self.state()

    def state(self):
        """None: there is no such jail. One whose keeper is late is asked for again, for ps waits for nobody long."""
        def told():
            found = [jail for jail in json.loads(self.ok("ps", "--all", "--json")) if jail["name"] == self.name] or [None]
            return found if not found[0] or found[0]["state"] != "silent" else None

        return await_true(told)[0]

    def await_state(self, *states):
        return await_true(lambda: (state := self.state())["state"] in states and state, self.state)


@pytest.fixture
def jails(immure):
    command = Jails(immure)
    probe = command.run("run", "--memory", "64M", "true")
    if probe.returncode == 125 and re.search(r"E-CGROUP-(DELEGATION|READONLY|NONE|CONTROLLER|COMPANY)", probe.stderr):
        pytest.skip("no cgroup for this user: " + probe.stderr.splitlines()[0])
    assert (probe.returncode, probe.stderr) == (0, "")
    yield command
    command.run("rm", "--force", command.name)


def group_of(pid):
    """Where PID stands in the hierarchy that counts memory."""
    return GROUPS / ("memory" if IS_OLD else "") / own_groups(pid)["memory" if IS_OLD else ""].lstrip("/")


def commands_in(group):
    pids = (group / "cgroup.procs").read_text().split()
    return {b" ".join(words_of(pid)).decode() for pid in pids}


def await_commands(group, *wanted):
    await_true(lambda: set(wanted) <= commands_in(group), lambda: (wanted, commands_in(group)))


def processes(*argv):
    wanted = [os.fsencode(word) for word in argv]
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and words_of(pid) == wanted]


def long_sleep():
    """How long a sleep lasts that is found among all processes of the machine."""
    return f"1002.{os.getpid()}"


def await_gone(group):
    await_true(lambda: not group.exists(), f"{group} is left")
    assert str(group) not in limited_groups()


def test_what_exec_runs_stands_in_the_jails_group(jails):
    group = group_of(jails.start("sleep", "1001")["pid"])
    assert group != group_of("self")
    jails.ok("exec", jails.name, "--", "sh", "-c", STAY, "-", long_sleep())
    await_commands(group, "sleep 1001", f"sleep {long_sleep()}")
    assert [group_of(pid) for pid in processes("sleep", long_sleep())] == [group]


def test_the_limit_is_the_groups_and_stats_are_read_there(jails):
    state = jails.start("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000")
    group = group_of(state["pid"])
    limit = group / ("memory.limit_in_bytes" if IS_OLD else "memory.max")
    assert int(limit.read_text()) == 64 << 20

    def measured():
        told = json.loads(jails.ok("stats", "--json", jails.name))
        told = told[0] if isinstance(told, list) else told
        return told if told["cpu_ns"] else None

    told = await_true(measured)
    assert told["memory_limit_bytes"] == 64 << 20 and 0 < told["memory_bytes"] < 64 << 20
    if not IS_OLD:
        used = int(re.search(r"usage_usec (\d+)", (group / "cpu.stat").read_text())[1]) * 1000
        assert told["cpu_ns"] <= used


def test_pause_freezes_the_group_and_a_frozen_jail_can_be_killed(jails):
    script = 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'
    group = group_of(jails.start("sh", "-c", script)["pid"])

    def lines():
        return len(jails.ok("logs", jails.name).splitlines())

    def frozen():
        return "frozen 1" in (group / "cgroup.events").read_text()

    await_true(lambda: lines() > 2)  # the control
    jails.ok("pause", jails.name)
    assert jails.state()["state"] == "paused"
    if not IS_OLD:
        assert jails.state()["paused_by"] == "cgroup" and frozen()
    before = await_rest(lines)
    time.sleep(0.5)
    assert lines() == before
    jails.ok("resume", jails.name)
    assert jails.state()["state"] == "running"
    await_true(lambda: (IS_OLD or not frozen()) and lines() > before)
    jails.ok("pause", jails.name)
    jails.ok("kill", jails.name)
    assert jails.await_state("ended")["exit_code"] == 137
    await_gone(group)


@pytest.mark.parametrize("by_exec", [False, True])
def test_memory_that_runs_out_is_told(jails, by_exec):
    eat = ("/usr/bin/python3", "-c", EAT, "200")
    group = group_of(jails.start("sleep", "1000")["pid"]) if by_exec else None
    done = jails.run("exec", jails.name, "--", *eat) if by_exec else jails.run(*LIMITED, jails.name, "--", *eat)
    assert done.returncode == (137 if by_exec else 0) and "ate" not in done.stdout
    state = jails.await_state("ended")
    assert (state["exit_code"], state["reason"]) == (137, "memory")
    if group:
        await_gone(group)


def test_memory_that_suffices_is_no_event(jails):
    jails.start("/usr/bin/python3", "-c", EAT, "5")
    state = jails.await_state("ended")
    assert (state["exit_code"], state["reason"]) == (0, "exited"), state


@pytest.mark.parametrize("words", [("stop", "--time", "1s"), ("kill",), ("rm", "--force")])
def test_no_group_is_left(jails, words):
    group = group_of(jails.start("sleep", "1000")["pid"])
    jails.ok("exec", jails.name, "--", "sh", "-c", STAY, "-", long_sleep())
    await_commands(group, f"sleep {long_sleep()}")
    jails.ok(*words, jails.name)
    await_gone(group)
    assert not processes("sleep", long_sleep())


def test_gc_removes_the_group_of_one_whose_keeper_was_killed(jails):
    state = jails.start("sleep", "1000")
    group = group_of(state["pid"])
    os.kill(state["keeper"], signal.SIGKILL)
    assert jails.await_state("lost")
    jails.ok("gc")
    await_gone(group)
    jails.ok("rm", jails.name)
    assert jails.state() is None


def test_one_that_could_not_be_started_leaves_its_name_at_once(jails):
    for _ in range(5):
        done = jails.run(*LIMITED, jails.name, "--io-max", "/dev/null,rbps=1M", "--", "true")
        assert done.returncode == 125 and "E-STATE-TAKEN" not in done.stderr, done.stderr
    jails.start("sleep", "1000")  # the control


@pytest.fixture
def pod(jails):
    """A name of a pod that limits its jails together."""
    yield f"pod-{jails.name}"
    jails.run("pod", "rm", "--force", f"pod-{jails.name}")


def test_a_pod_whose_keeper_was_killed_is_removed_with_its_names_and_groups(jails, pod):
    jails.ok("pod", "create", pod, "--share", "cgroup", "-m", "64M")
    jails.ok("run", "-d", "--pod", pod, "--name", jails.name, "--", "sleep", "1000")
    state = jails.state()
    group = group_of(state["pid"])
    os.kill(state["keeper"], signal.SIGKILL)
    assert jails.await_state("lost")
    done = jails.run("pod", "stop", pod)
    assert done.returncode == 125 and "E-JAIL-LOST" in done.stderr
    jails.ok("pod", "rm", pod)
    assert jails.state() is None and pod not in jails.ok("pod", "ps")
    await_gone(group.parent)
    jails.ok("pod", "create", pod)  # the names are free
    jails.start("sleep", "1000")
