# SPDX-License-Identifier: Apache-2.0
"""Health checks: what they tell is true, one that hangs or floods harms nobody, and they are as confined as the jail."""
import json
import os
import signal
import struct
import time

import pytest

from conftest import await_processes, await_true
from keeper import PATIENCE, Refused
from test_visits import PROBE, are_asleep

SLEEP = ("--", "/bin/sleep", "1000")
OFTEN = ("--health-interval", "100ms", "--health-start", "none")


def health(client, name="web"):
    return client.status(name).get("health")


def words_of(client, name="web"):
    return client.inspect(name).get("health_output")


def sleepers(client, pod, seconds, name="web"):
    """How many processes in the jail sleep that long. Their shells have these words too, and so has who is not yet sleep."""
    code, out, _ = client.execute(pod.words("--", "/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; :"), name)
    assert code == 0
    return out.count(f"sleep\0{seconds}\0")


def test_it_follows_what_the_command_finds(pod, client):
    listener = pod.client()
    listener.ask("EVENTS")
    client.run(pod.words("--health", "test -f /tmp/ok", *OFTEN, *SLEEP), "web")
    await_true(lambda: health(client) == "unhealthy")
    assert client.status("web")["health_exit_code"] == 1
    client.execute(pod.words("--", "/bin/touch", "/tmp/ok"), "web")
    await_true(lambda: health(client) == "healthy")
    state = client.status("web")
    assert state["health_exit_code"] == 0 and state["health_failures"] == 0 and state["health_checks"] > 3
    client.execute(pod.words("--", "/bin/rm", "/tmp/ok"), "web")
    await_true(lambda: health(client) == "unhealthy")
    told = []
    while len(told) < 3:
        event = json.loads(listener.hear()[1])
        if event["event"] == "health":
            told.append((event["jail"], event["status"]))
    assert told == [("web", "unhealthy"), ("web", "healthy"), ("web", "unhealthy")]


def test_a_jail_without_one_says_nothing_of_health(pod, client):
    client.run(pod.words(*SLEEP), "web")
    assert "health" not in client.status("web")
    with pytest.raises(Refused) as refused:
        client.about("HEALTHY", "web")
    assert refused.value.identifier == "E-HEALTH-NONE" and refused.value.exit_code == 125


def test_so_many_must_fail_one_after_the_other(pod, client):
    """Of each four checks one succeeds: three failures are not four."""
    count = "sh -c 'n=$(cat /tmp/n 2>/dev/null || echo 0); echo $((n + 1)) > /tmp/n; exit $((n % 4 != 0))'"
    client.run(pod.words("--health", count, "--health-retries", "4", *OFTEN, *SLEEP), "patient")
    client.run(pod.words("--health", count, "--health-retries", "3", *OFTEN, *SLEEP), "strict")
    await_true(lambda: health(client, "strict") == "unhealthy")
    await_true(lambda: client.status("patient")["health_checks"] > 12)
    assert health(client, "patient") == "healthy"


def test_while_it_starts_failures_do_not_count_and_success_is_seen_soon(pod, client):
    client.run(pod.words("--health", "test -f /tmp/ok", "--health-interval", "1h", "--health-retries", "1", *SLEEP), "web")
    await_true(lambda: client.status("web")["health_checks"] >= 3)
    assert health(client) == "starting" and client.status("web")["health_failures"] == 0
    client.execute(pod.words("--", "/bin/touch", "/tmp/ok"), "web")
    await_true(lambda: health(client) == "healthy") # the next check but for that is an hour away


def test_when_the_time_to_start_is_over_failures_count(pod, client):
    begun = time.monotonic()
    client.run(pod.words("--health", "false", "--health-interval", "50ms", "--health-start", "700ms", "--health-retries", "2", *SLEEP), "web")
    await_true(lambda: client.status("web")["health_checks"] >= 3)
    early = client.status("web")
    assert time.monotonic() - begun > 0.7 or early["health"] == "starting"
    await_true(lambda: health(client) == "unhealthy")


def test_what_it_wrote_last_is_kept_and_escaped(pod, client):
    client.run(pod.words("--health", "sh -c 'seq 3000; printf \"end \\033[31m \\\\0 \\377\" >&2; exit 4'", *OFTEN, *SLEEP), "web")
    await_true(lambda: client.status("web").get("health_exit_code") == 4)
    text = words_of(client)
    assert 4000 < len(text) <= 4096 and text.endswith("end \x1b[31m ? \ufffd") and "2999\n3000\n" in text and "\n1000\n" not in text


def test_one_that_hangs_is_killed_with_what_it_started(pod, client):
    client.run(pod.words("--health", "sh -c 'echo slow; sleep 3333 & sleep 4444'", "--health-timeout", "400ms", *OFTEN, *SLEEP), "web")
    await_true(lambda: client.status("web").get("health_checks", 0) >= 3)
    assert client.status("web")["health_exit_code"] == 124
    await_true(lambda: words_of(client) == "slow\n") # or it had no time to say so
    # who was killed takes a moment to die; who was not would stay, and there would be ever more
    await_true(lambda: sleepers(client, pod, 3333) <= 1 and sleepers(client, pod, 4444) <= 1)


def test_what_a_check_leaves_behind_is_killed(pod, client):
    client.run(pod.words("--health", "sh -c 'sleep 3333 & exit 0'", *OFTEN, *SLEEP), "web")
    await_true(lambda: client.status("web").get("health_checks", 0) >= 5)
    assert health(client) == "healthy"
    await_true(lambda: sleepers(client, pod, 3333) <= 1)


def test_there_is_one_at_a_time(pod, client):
    client.run(pod.words("--health", "sh -c 'sleep 0.7777; exit 0'", "--health-interval", "1ms", "--health-start", "none", *SLEEP), "web")
    for _ in range(10):
        assert sleepers(client, pod, "0.7777") <= 1
        time.sleep(0.05)


def test_who_floods_or_never_ends_holds_up_nobody(pod, client):
    client.run(pod.words("--health", "cat /dev/zero", "--health-timeout", "3s", *SLEEP), "web")
    for _ in range(20):
        assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
    await_true(lambda: client.status("web").get("health_exit_code") == 124)
    assert len(words_of(client)) <= 4096


def test_none_is_made_in_a_paused_jail_and_one_that_was_paused_tells_nothing(pod, client):
    client.run(pod.words("--health", "sleep 0.6", "--health-timeout", "3s", *OFTEN, *SLEEP), "web")
    await_true(lambda: health(client) == "healthy")
    checks = client.status("web")["health_checks"]
    await_true(lambda: client.status("web")["health_checks"] > checks)
    time.sleep(0.3)  # one is under way
    checks = client.status("web")["health_checks"]
    client.about("PAUSE", "web")
    time.sleep(3.3) # longer than it may take
    state = client.status("web")
    assert state["health_checks"] <= checks + 1 and state["health"] == "healthy" and state["health_exit_code"] == 0
    client.about("RESUME", "web")
    await_true(lambda: client.status("web")["health_checks"] > checks + 1)
    assert health(client) == "healthy" and client.status("web")["health_failures"] == 0


def test_a_program_that_is_missing_is_told(pod, client):
    client.run(pod.words("--health", "/no/such/program", *OFTEN, *SLEEP), "web")
    await_true(lambda: client.status("web").get("health_exit_code") == 127)
    assert "/no/such/program" in words_of(client)


def test_a_check_is_as_confined_as_the_jail(keep):
    pod = keep.pod()
    client = pod.client()
    probe = PROBE.replace('"fds": sorted(os.listdir("/proc/self/fd"))[:4],', "")
    script = "exec(open('/tmp/probe').read())"
    client.run(pod.words("--file", "/opt/probe=" + probe, "--health", "python3 -c \"exec(open('/opt/probe').read())\"", *OFTEN, "--workdir", "/tmp",
                         "--", "/usr/bin/python3", "-c", script.replace("/tmp", "/opt") + "\nimport time, sys; sys.stdout.flush(); time.sleep(100)"), "web")
    late = pod.client()
    late.attach("web")
    own = json.loads(late.hear_until(b"\n"))
    await_true(lambda: "health_exit_code" in client.status("web"))
    assert client.status("web")["health_exit_code"] == 0, words_of(client)
    assert json.loads(words_of(client)) == own


def test_it_keeps_no_jail_alive_and_ends_with_it(pod, client):
    client.run(pod.words("--health", "sleep 4444", *OFTEN, "--", "/bin/sh", "-c", "sleep 0.5; exit 3"), "web")
    assert client.wait("web") == 3
    await_processes(client, 0)
    assert client.remove("web") == "OK"


def test_without_a_pid_namespace_it_ends_with_the_jail_too(pod, client):
    first, second = (f"{seconds}.{os.getpid()}" for seconds in (4445, 4446)) # others may run this test as well
    client.run(pod.words("--pidns", "host", "--proc", "bind", "--health", f"sh -c 'sleep {first} & sleep {second}'", *OFTEN, *SLEEP), "web")
    await_true(lambda: are_asleep(first) and are_asleep(second))
    client.signal("web", signal.SIGTERM)
    assert client.wait("web") == 128 + signal.SIGTERM
    await_processes(client, 0)
    await_true(lambda: not are_asleep(first) and not are_asleep(second))


def test_who_waits_for_health_is_answered_once_it_is_known(pod, client):
    client.run(pod.words("--health", "test -f /tmp/ok", "--health-interval", "100ms", *SLEEP), "web")
    waiting = pod.client()
    waiting.say("HEALTHY", struct.pack("=64s", b"web"))
    waiting.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        waiting.hear()
    waiting.socket.settimeout(PATIENCE)
    client.execute(pod.words("--", "/bin/touch", "/tmp/ok"), "web")
    assert waiting.hear()[0] == "OK"
    assert waiting.about("HEALTHY", "web")[0] == "OK"  # at once


@pytest.mark.parametrize("end", ["unhealthy", "ended", "removed"])
def test_who_waits_in_vain_is_told(pod, client, end):
    options = OFTEN if end == "unhealthy" else ("--health-interval", "100ms")
    client.run(pod.words("--health", "false", *options, *SLEEP), "web")
    waiting = pod.client()
    waiting.say("HEALTHY", struct.pack("=64s", b"web"))
    if end != "unhealthy":
        time.sleep(0.3)
        client.about("KILL", "web") if end == "ended" else client.remove("web", force=True)
    with pytest.raises(Refused) as refused:
        waiting.hear()
    assert refused.value.exit_code == (1 if end == "unhealthy" else 125)
    assert end in refused.value.text or end == "removed"
    if end != "removed":
        with pytest.raises(Refused) as refused:
            pod.client().about("HEALTHY", "web")
        assert refused.value.exit_code == (1 if end == "unhealthy" else 125)


def test_a_keeper_that_checks_rests_in_between_and_leaks_nothing(pod, client):
    client.run(pod.words("--health", "true", "--health-interval", "20ms", *SLEEP), "web")
    await_true(lambda: client.status("web")["health_checks"] > 5)
    keeper = client.pid()
    opened = len(os.listdir(f"/proc/{keeper}/fd"))
    checks = client.status("web")["health_checks"]
    await_true(lambda: client.status("web")["health_checks"] > checks + 40)
    await_true(lambda: len(os.listdir(f"/proc/{keeper}/fd")) <= opened)
    os.kill(keeper, signal.SIGTERM)
