# SPDX-License-Identifier: Apache-2.0
"""Jails that stay: what their keeper does for them and for its clients, and what it never does."""
import concurrent.futures
import contextlib
import errno
import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import NOBODY, Keep, await_true, descendants, groups_called, is_alive
from keeper import ATTACH_INPUT, ATTACH_REPLAY, NUMBERS, PATIENCE, RUN_INPUT, RUN_REMOVE, VERSION, Client, Refused, in_memory
from patience import await_rest

is_measured = pytest.mark.skipif("IMMURE_SANITIZED" in os.environ, reason="a sanitizer has memory of its own")

SLEEP = ("--", "/bin/sleep", "1000")


def log_of(pod, name):
    return [line.split(b" ", 3) for file in ("log.1", "log") if (path := pod.folder / "jails" / name / file).exists()
            for line in path.read_bytes().splitlines()]


def await_idle(pid):
    """There is half a second in which it does next to nothing, and is not waiting to. One that spins has none. sched-stats.rst"""
    def wanted():
        return sum(map(int, pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[:2]))

    def rests():
        before = wanted()
        time.sleep(0.5)
        return wanted() - before < 250_000_000
    await_true(rests)


def collect(keep, keeper):
    """immure gc, until there are no groups of KEEPER's: who was just being born is still on its way to its death, and its run's lock is held."""
    def is_done():
        done = subprocess.run([*keep.drop, keep.executables / "immure", "gc"], capture_output=True, timeout=PATIENCE, check=False)
        return done.returncode == 0 and not groups_of(keeper)
    await_true(is_done)


def groups_of(keeper):
    return groups_called(lambda name: name.startswith(f"immure-{keeper}-"))


def test_a_jail_starts_writes_and_ends_and_all_is_known_of_it(pod, client):
    pid = client.run(pod.words("--", "/bin/sh", "-c", "echo out; echo error >&2; exit 7"), "web")
    assert pid > 0
    assert client.wait("web") == 7
    state = client.status("web")
    assert (state["state"], state["exit_code"], state["reason"]) == ("ended", 7, "exited")
    assert sorted((stream, tag, text) for _, stream, tag, text in log_of(pod, "web")) == [(b"stderr", b"F", b"error"), (b"stdout", b"F", b"out")]
    late = pod.client()
    late.attach("web")
    assert late.output() == ({1: b"out\n", 2: b"error\n"}, 0, 7)
    assert client.remove("web") == "OK"
    await_true(lambda: not pod.folder.exists())


def test_who_holds_the_names_holds_up_no_jail_that_runs(pod, client):
    """Another immure that was stopped, say. What is about names comes when they are free; all else goes on meanwhile."""
    client.run(pod.words("--", "/bin/sh", "-c", "while echo tick; do sleep 0.02; done"), "clock")
    client.run(pod.words("--", "/bin/true"), "ended")
    assert client.wait("ended") == 0
    starter, remover, reader, other = (pod.client() for _ in range(4))
    client.run(pod.words("--", "/bin/sleep", "0.3"), "brief", RUN_REMOVE)
    reader.attach("clock", 0)
    names = os.open(pod.folder.parent, os.O_RDONLY)
    fcntl.flock(names, fcntl.LOCK_EX)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started, removed = pool.submit(starter.run, pod.words(*SLEEP), "new"), pool.submit(remover.remove, "ended")
        rounds = 0
        while rounds < 20 or other.status("brief")["state"] != "ended":
            rounds += 1
            assert reader.hear()[0] == "OUTPUT"
            assert other.status("clock")["state"] == "running"
        assert not started.done() and not removed.done() and other.status("brief")["state"] == "ended"
        assert {path.name for path in (pod.folder / "jails").iterdir()} == {"clock", "ended", "brief"}
        os.close(names)
        assert started.result(timeout=PATIENCE) > 0 and removed.result(timeout=PATIENCE) == "OK"
    await_true(lambda: {path.name for path in (pod.folder / "jails").iterdir()} == {"clock", "new"})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a mount namespace")
def test_a_group_that_will_not_go_holds_up_nobody(executables):
    """A mount on it, which only this keeper sees, keeps the kernel from removing it. Its journal names it to immure gc."""
    keep = Keep(executables, 0)
    pod = keep.pod(prefix=["unshare", "--mount", "--propagation", "private"])
    client, held = pod.client(), []

    def hold_and_kill(name):
        """Seconds until the end was told."""
        try:
            init = client.run(pod.words("--memory", "64M", *SLEEP), name)
        except Refused as refused:
            pytest.skip(f"no cgroup here: {refused.text}")
        groups = [f"/sys/fs/cgroup/{name}{path}" for _, name, path in (line.split(":", 2) for line in pathlib.Path(f"/proc/{init}/cgroup").read_text().splitlines())]
        held.append(next(path for path in groups if "immure" in path and os.path.isdir(path)))
        subprocess.run(["nsenter", "-t", str(client.pid()), "-m", "mount", "--bind", held[-1], held[-1]], check=True)
        start = time.monotonic()
        client.about("KILL", name)
        seconds = time.monotonic() - start
        assert os.path.isdir(held[-1]) # or nothing was in the way
        return seconds
    try: # who waits for groups waits each time, and longer; a busy machine does not
        assert any(hold_and_kill(f"web{turn}") < 1.5 for turn in range(6))
    finally:
        keep.close()
    assert not [group for group in held if os.path.isdir(group)]


def test_who_never_lets_the_names_go_is_told_of(keep):
    if not keep.uid:
        pytest.skip("once is enough: it takes its time")
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*SLEEP), "web")
    names = os.open(pod.folder.parent, os.O_RDONLY)
    fcntl.flock(names, fcntl.LOCK_EX)
    start, late = time.monotonic(), pod.client()
    with pytest.raises(Refused) as refused:
        late.run(pod.words(*SLEEP), "new")
    assert "waiting for another immure" in refused.value.text and time.monotonic() - start > 5
    os.close(names)
    late.run(pod.words(*SLEEP), "new")


def test_a_program_that_is_missing_is_told_as_by_run_and_leaves_nothing(pod, client):
    with pytest.raises(Refused) as refused:
        client.run(pod.words("--", "/no/such/program"), "web")
    assert refused.value.exit_code == 127
    assert "/no/such/program" in refused.value.text
    await_true(lambda: not pod.folder.exists())


def test_members_are_independent(pod, client):
    client.run(pod.words(*SLEEP), "one")
    with pytest.raises(Refused):
        client.run(pod.words("--", "/no/such/program"), "two")
    with pytest.raises(Refused):
        client.run(b"these are no words", "two")
    with pytest.raises(Refused) as twice:
        client.run(pod.words(*SLEEP), "one")
    assert "exists" in twice.value.text
    client.run(pod.words("--", "/bin/sh", "-c", "exit 3"), "two")
    assert client.wait("two") == 3
    assert client.status("one")["state"] == "running"
    with pytest.raises(Refused): # "" is the only one, and there are two
        client.status()


def test_words_whose_reading_might_never_end_are_not_read(pod, client):
    client.run(pod.words(*SLEEP), "web")
    read, write = os.pipe()
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        file.write(pod.words(*SLEEP))
        file.flush()
        for fd in (read, file.fileno()):
            client.say("RUN", struct.pack("=64sIIQHH4x", b"two", 0, 0, 1 << 20, 0, 0), [fd])
            with pytest.raises(Refused) as refused:
                client.hear()
            assert "in memory" in refused.value.text
    os.close(read)
    os.close(write)
    assert client.status("web")["state"] == "running"


def test_without_descriptors_for_more_clients_a_keeper_neither_spins_nor_fails(keep):
    pod = keep.pod(prefix=["prlimit", "--nofile=60:60"])
    client = pod.client()
    client.run(pod.words("--", "/bin/sh", "-c", "read go; echo out"), "web", RUN_INPUT)
    pid = client.status()["keeper"]
    waiting = []
    for _ in range(60):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        one.connect(str(pod.folder / "socket"))
        waiting.append(one)
    await_idle(pid)
    for one in waiting:
        one.close()
    client.attach("web", ATTACH_INPUT)
    client.say("INPUT", b"go\n")
    assert client.output()[0][1] == b"out\n"
    assert pod.client().status("web")["state"] == "ended"


def test_a_want_of_descriptors_that_passes_makes_no_keeper_deaf(keep):
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*SLEEP), "web")
    pid = client.pid()
    client.settle()

    def bound(files):
        subprocess.run([*keep.drop, "prlimit", f"--pid={pid}", f"--nofile={files}:"], check=True)

    used = await_rest(lambda: {int(number) for number in os.listdir(f"/proc/{pid}/fd")})
    bound(next(number for number in range(1024) if number not in used))
    late = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    late.settimeout(PATIENCE)
    late.connect(str(pod.folder / "socket"))
    late.send(struct.pack("=IIII", 0, 8, 1, 0))
    time.sleep(0.5)
    late.setblocking(False)
    with pytest.raises(BlockingIOError): # the control: there is no room for it
        late.recv(100)
    bound(512)
    late.settimeout(PATIENCE)
    assert late.recv(100)
    late.close()
    client.close()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a b", "ü"])
def test_a_name_that_is_none_is_refused(pod, client, name):
    with pytest.raises(Refused):
        client.run(pod.words(*SLEEP), name)
    assert not (pod.folder / "jails").exists() or not os.listdir(pod.folder / "jails")


def test_the_jail_does_not_wait_for_one_who_does_not_read(pod, client):
    size = 10 << 20
    client.run(pod.words("--", "/bin/sh", "-c", f"read go; head -c {size} /dev/zero | tr '\\0' x; echo; echo end"), "flood", RUN_INPUT)
    lazy = pod.client()
    lazy.attach("flood", ATTACH_INPUT)
    lazy.say("INPUT", b"go\n")
    assert client.wait("flood") == 0
    written, lost, code = lazy.output()
    assert code == 0
    assert len(written[1]) + lost == size + 5
    assert lost > 0 and written[1].endswith(b"x\nend\n")
    records = log_of(pod, "flood")
    assert all(tag == b"P" for _, _, tag, _ in records[:-2]) and records[-1][3] == b"end"
    for file in ("log", "log.1"):
        assert 0 < (pod.folder / "jails" / "flood" / file).stat().st_size <= 1 << 20


def test_one_who_reads_gets_everything_in_order(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "read go; seq 1 20000"), "seq", RUN_INPUT)
    client.attach("seq", ATTACH_INPUT)
    client.say("INPUT", b"go\n")
    written, lost, code = client.output()
    assert (lost, code) == (0, 0)
    assert written[1].split() == [b"%d" % i for i in range(1, 20001)]


def test_twenty_clients_at_once(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "read go; seq 1 3000; exit 5"), "busy", RUN_INPUT)
    others = [pod.client() for _ in range(20)]
    results = [None] * len(others)

    def talk(at):
        for _ in range(20):
            assert others[at].status("busy")["state"] == "running"
        others[at].attach("busy")
        ready.release()
        results[at] = others[at].output()

    ready = threading.Semaphore(0)
    threads = [threading.Thread(target=talk, args=(at,)) for at in range(len(others))]
    for thread in threads:
        thread.start()
    for _ in others:
        assert ready.acquire(timeout=PATIENCE)
    client.attach("busy", ATTACH_INPUT)
    client.say("INPUT", b"go\n")
    for thread in threads:
        thread.join(PATIENCE)
    expected = b"".join(b"%d\n" % i for i in range(1, 3001))
    assert results == [({1: expected, 2: b""}, 0, 5)] * len(others)


def test_ten_megabytes_typed_arrive_whole(pod, client):
    size = 10 << 20
    client.run(pod.words("--", "/bin/sh", "-c", "sleep 0.3; md5sum"), "sum", RUN_INPUT)
    client.attach("sum", ATTACH_INPUT)
    data = os.urandom(16000)
    for _ in range(size // len(data)):
        client.say("INPUT", data)
    client.say("INPUT")
    written, _, code = client.output()
    expected = subprocess.run(["md5sum"], input=data * (size // len(data)), capture_output=True, check=True).stdout
    assert (written[1], code) == (expected, 0)


def test_what_is_typed_while_the_jail_ends_is_no_mistake(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "read go"), "web", RUN_INPUT)
    client.attach("web", ATTACH_INPUT)
    for _ in range(50):
        client.say("INPUT", b"more\n")
        client.say("RESIZE", struct.pack("=HH", 10, 10))
    assert client.output()[2] == 0
    client.say("INPUT", b"more\n")
    assert client.ask("DETACH")[0] == "OK"
    assert client.status("web")["state"] == "ended"


def test_an_oom_is_an_event(keep):
    if keep.uid != 0:
        pytest.skip("groups are root's here")
    pod = keep.pod()
    client, listener = pod.client(), pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    client.run(pod.words("--memory", "20M", "--", "/usr/bin/python3", "-c", "b = bytearray(100 << 20)"), "greedy")
    assert client.wait() == 137
    assert client.status()["reason"] == "memory"
    events = [listener.hear()[1].split(b'"event":"')[1].split(b'"')[0] for _ in range(3)]
    assert events == [b"start", b"oom", b"exit"]


@pytest.mark.parametrize("options", [("--pidns", "host", "--proc", "none"), ("--init", "no"), ("--net", "host"), ("--ids", "range")])
def test_every_kind_of_jail_can_be_kept(keep, options):
    if options == ("--ids", "range") and keep.uid:
        pytest.skip("a range is root's to give")
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*options, "--", "/bin/sh", "-c", "echo out; sleep 100 & wait"), "web")
    await_true(lambda: client.status()["output_bytes"] == 4)
    client.run(pod.words(*options, "--", "/bin/sh", "-c", "exit 4"), "two")
    assert client.wait("two") == 4
    processes = descendants(client.pid())[1:]
    assert client.about("KILL", "web")[0] == "OK"
    await_true(lambda: not any(map(is_alive, processes)))
    assert client.status("web")["exit_code"] == 137


def test_without_input_the_program_sees_its_end(pod, client):
    client.run(pod.words("--", "/bin/cat"), "cat")
    assert client.wait("cat") == 0


def test_a_terminal_is_as_large_as_the_smallest_screen(pod, client):
    program = "trap 'stty size' WINCH; stty size; echo ready; while :; do sleep 0.02; done"
    client.run(pod.words("--tty", "yes", "--", "/bin/sh", "-c", program), "term", size=(40, 100))
    seen = b""
    first, second = pod.client(), pod.client()

    def await_size(size):
        nonlocal seen
        while size not in seen.split(b"ready", 1)[-1]:
            seen += client.hear()[1][4:]
        seen = b"ready"

    client.attach("term")
    while b"ready" not in seen:
        seen += client.hear()[1][4:]
    assert b"40 100" in seen
    first.attach("term", size=(30, 120))
    await_size(b"30 120")
    second.attach("term", size=(50, 80))
    await_size(b"30 80")
    first.say("RESIZE", struct.pack("=HH", 60, 200))
    await_size(b"50 80")
    second.close()
    await_size(b"60 200")


def test_typing_into_a_terminal_and_interrupting(pod, client):
    client.run(pod.words("--tty", "yes", "--", "/bin/sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done"), "term")
    client.attach("term", ATTACH_INPUT | ATTACH_REPLAY)
    seen = b""
    while b"ready" not in seen:
        seen += client.hear()[1][4:]
    client.say("INPUT", b"\3")
    written, _, code = client.output()
    assert (b"caught" in written[1], code) == (True, 9)


def test_a_terminal_that_nobody_has_open_costs_no_processor(pod, client):
    client.run(pod.words("--tty", "yes", "--", "/bin/sh", "-c", "exec >/dev/null 2>&1 </dev/null; exec sleep 100"), "dark")
    pid = client.status()["keeper"]
    await_true(lambda: any(name_of(one) == "sleep\n" for one in descendants(pid)))
    await_idle(pid)


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii")
    return ""


NOTICE = """
import os, signal, time
def note(number, frame):
    os.write(1, b'noticed\\n')
child = os.fork()
if not child:
    time.sleep(100)
signal.signal(signal.SIGCHLD, note) # a child of its was stopped
signal.signal(signal.SIGCONT, note)
print('ready', flush=True)
time.sleep(100)
"""
FREEZER, UNIFIED = "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/unified"


@pytest.mark.parametrize("hidden, way", [((), "cgroup"), ((UNIFIED,), "freezer"), ((UNIFIED, FREEZER), "signals")], ids=["v2", "v1", "none"])
def test_who_is_paused_by_a_group_does_not_notice_and_by_signals_can(keep, hidden, way):
    if keep.uid or not all(map(os.path.ismount, (UNIFIED, FREEZER))):
        pytest.skip("needs root and both versions of cgroups")
    hide = "".join(f"umount -l {folder} && " for folder in hidden) + 'exec "$@"'
    pod = keep.pod(prefix=["unshare", "-m", "sh", "-c", hide, "sh"])
    client = pod.client()
    pid = client.run(pod.words("--", "/usr/bin/python3", "-c", NOTICE), "jail")
    reader = pod.client()
    reader.attach()
    assert reader.hear()[1][4:] == b"ready\n"
    assert client.status()["pauses_by"] == way
    groups = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    assert ("immure-" in groups) == (way != "signals")
    code, inside, _ = client.execute(pod.words("--", "/bin/cat", "/proc/self/cgroup")) # who is brought in is in there as well
    assert code == 0 and (":/.." in inside) is False, inside
    assert client.about("PAUSE")[0] == "OK"
    state = client.status()
    assert (state["state"], state["paused_by"]) == ("paused", way)
    time.sleep(0.3)
    assert client.about("RESUME")[0] == "OK"
    reader.socket.settimeout(1 if way != "signals" else PATIENCE)
    if way == "signals":
        assert reader.hear()[1][4:].startswith(b"noticed\n")
    else:
        with pytest.raises(TimeoutError):
            reader.hear()
    assert client.about("PAUSE")[0] == "OK"
    client.remove(force=True) # the frozen can be killed
    await_true(lambda: not groups_called(lambda name: name.startswith("immure-") and name in groups))


@pytest.mark.parametrize("limits", [(), ("--memory", "64M")])
def test_a_paused_jail_stands_still_and_goes_on(keep, limits):
    if limits and keep.uid:
        pytest.skip("groups are root's here")
    pod = keep.pod()
    client, other = pod.client(), pod.client()
    client.run(pod.words(*limits, "--", "/bin/sh", "-c", "while :; do echo x; sleep 0.01; done"), "tick")
    await_true(lambda: client.status()["output_bytes"] > 20)
    assert client.about("PAUSE")[0] == "OK"
    state = client.status()
    assert state["state"] == "paused" and state["paused_by"] in ("cgroup", "freezer", "signals")
    before = 0

    def stands_still(): # what it had written is read first
        nonlocal before
        before = client.status()["output_bytes"]
        time.sleep(0.3)
        return client.status()["output_bytes"] == before
    await_true(stands_still)
    with pytest.raises(Refused):
        other.about("PAUSE")
    assert client.about("RESUME")[0] == "OK"
    await_true(lambda: client.status()["output_bytes"] > before)
    assert client.about("PAUSE")[0] == "OK"
    assert client.stop(grace_ms=5000) == "OK" # the paused can be ended
    assert client.status()["exit_code"] == 128 + signal.SIGTERM


def test_stop_asks_then_kills(pod, client):
    polite = "trap 'exit 4' TERM; echo ready; while :; do sleep 0.02; done"
    stubborn = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    custom = "trap 'exit 6' USR1; echo ready; while :; do sleep 0.02; done"
    for name, program, how in (("polite", polite, 0), ("stubborn", stubborn, 0), ("custom", custom, signal.SIGUSR1)):
        client.run(pod.words("--", "/bin/sh", "-c", program), name, stop_signal=how)
        await_true(lambda jail=name: client.status(jail)["output_bytes"])
    assert client.stop("polite") == "OK"
    assert client.status("polite")["exit_code"] == 4
    assert client.stop("custom") == "OK"
    assert client.status("custom")["exit_code"] == 6
    start = time.monotonic()
    assert client.stop("stubborn", grace_ms=300) == "OK"
    assert time.monotonic() - start >= 0.3
    assert client.status("stubborn")["exit_code"] == 128 + signal.SIGKILL


def test_signals_reach_the_program_and_kill_ends_it(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "trap 'echo hup' HUP; echo ready; while :; do sleep 0.02; done"), "web")
    await_true(lambda: client.status()["output_bytes"] == 6)
    assert client.signal("web", signal.SIGHUP) == "OK"
    await_true(lambda: client.status()["output_bytes"] == 10)
    with pytest.raises(Refused):
        client.signal("web", 65)
    assert client.about("KILL")[0] == "OK"
    assert client.status()["exit_code"] == 137
    with pytest.raises(Refused):
        client.signal("web", signal.SIGHUP)


def test_several_wait_and_all_are_told(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "read go; exit 3"), "web", RUN_INPUT)
    waiting = [pod.client() for _ in range(5)]
    for one in waiting:
        one.say("WAIT", struct.pack("=64s", b"web"))
    client.attach("web", ATTACH_INPUT)
    client.say("INPUT", b"\n")
    for one in waiting:
        kind, payload, _ = one.hear()
        assert (kind, struct.unpack_from("=i", payload)[0]) == ("ENDED", 3)
        assert one.status("web")["state"] == "ended"


def test_removal_needs_the_end_or_force(pod, client):
    client.run(pod.words(*SLEEP), "web")
    with pytest.raises(Refused) as busy:
        client.remove("web")
    assert "running" in busy.value.text
    keeper = client.pid()
    jail = descendants(keeper)[1:]
    assert jail
    assert client.remove("web", force=True) == "OK"
    await_true(lambda: not pod.folder.exists() and not is_alive(keeper))
    assert not any(map(is_alive, jail))


def test_one_that_goes_at_its_end_goes_and_its_last_words_are_heard(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "read go; seq 1 1000; exit 2"), "brief", RUN_INPUT | RUN_REMOVE)
    client.attach("brief", ATTACH_INPUT)
    client.say("INPUT", b"\n")
    written, lost, code = client.output()
    assert (written[1].split()[-1], lost, code) == (b"1000", 0, 2)
    await_true(lambda: not pod.folder.exists())


def test_events_are_told(pod, client):
    listener = pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    client.run(pod.words(*SLEEP), "web")
    client.about("PAUSE")
    client.about("RESUME")
    client.about("KILL")
    lines = [listener.hear()[1] for _ in range(4)]
    assert [line.split(b'"event":"')[1].split(b'"')[0] for line in lines] == [b"start", b"freeze", b"thaw", b"exit"]
    assert b'"exit_code":137' in lines[3]


def test_inspect_gives_the_plan(pod, client):
    client.run(pod.words(*SLEEP), "web")
    kind, _, (fd,) = client.about("INSPECT", "web")
    assert kind == "DESCRIPTOR"
    with os.fdopen(fd, "rb") as file:
        file.seek(0)
        text = file.read()

    inspected = json.loads(text)
    assert inspected["state"]["name"] == "web" and any(step["op"] == "exec" for step in inspected["plan"])


def test_the_death_of_the_keeper_is_the_death_of_its_jails(keep):
    pod = keep.pod()
    client = pod.client()
    limits = ("--memory", "64M") if keep.uid == 0 else ()
    client.run(pod.words(*limits, "--", "/bin/sh", "-c", "trap '' TERM HUP; setsid sleep 100 & sleep 1000"), "web")
    client.run(pod.words(*SLEEP), "two")
    keeper = client.pid()
    await_true(lambda: len(descendants(keeper)) >= 6)
    processes = descendants(keeper)
    assert bool(groups_of(keeper)) == bool(limits)
    os.kill(keeper, signal.SIGKILL)
    await_true(lambda: not any(map(is_alive, processes)))
    collect(keep, keeper)
    names = keep.folder / "names"
    assert sorted(os.listdir(names)) == ["pod", "two", "web"] # lost, but listed until they are removed


def test_asked_to_end_it_ends_its_jails_and_leaves_their_states(pod, client):
    client.run(pod.words(*SLEEP), "web")
    keeper = client.pid()
    os.kill(keeper, signal.SIGTERM)
    await_true(lambda: not is_alive(keeper))
    state = (pod.folder / "jails" / "web" / "state.json").read_text(encoding="utf-8")
    assert state.startswith('{"state": "ended", "name": "web", "pod": "pod"') and json.loads(state)["exit_code"] == 143


def test_who_breaks_the_protocol_is_dropped_and_the_rest_go_on(pod, client):
    client.run(pod.words(*SLEEP), "web")
    name = struct.pack("=64s", b"web")
    forged = [(250, b""), ("STATUS", name[:-1]), ("STATUS", b"x" * 64), ("OK", b""), ("HELLO", struct.pack("=II", VERSION, 0)),
              ("ATTACH", name + struct.pack("=IHH", 1 << 20, 0, 0)), ("RUN", name + bytes(24))]
    for kind, payload in forged:
        bad = pod.client()
        assert bad.status("web")["state"] == "running"
        bad.say(kind, payload)
        assert bad.hear()[0] is None, kind
    bad = pod.client()
    bad.attach("web")
    bad.say("STATUS", name)
    assert bad.hear()[0] is None
    bad = pod.client()
    bad.say("STATUS", name, [0] * 3)
    assert bad.hear()[0] is None
    raw = pod.client()
    raw.socket.send(b"abc")
    assert raw.hear()[0] is None
    stranger = pod.client(hello=False)
    stranger.say("STATUS", name)
    assert stranger.hear()[0] is None
    other = pod.client(hello=False)
    with pytest.raises(Refused):
        other.ask("HELLO", struct.pack("=II", 99, 0))
    assert other.hear()[0] is None
    assert client.status("web")["state"] == "running"


def test_a_keeper_has_nothing_of_those_who_started_it(keep):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        pod = keep.pod()
        client = pod.client()
        client.run(pod.words(*SLEEP), "web")
        keeper = client.pid()
        own = pathlib.Path(f"/proc/{keeper}")
        assert (own / "environ").read_bytes() == b""
        assert os.readlink(own / "cwd") == "/"
        client.settle()
        links = [os.readlink(path) for path in (own / "fd").iterdir()]
        assert not any(link == os.readlink(f"/proc/self/fd/{write}") for link in links)
        assert [os.readlink(own / "fd" / str(fd)) for fd in range(3)] == ["/dev/null"] * 3
        assert os.getsid(keeper) != os.getsid(0)
        assert "immure" in (own / "comm").read_text(encoding="ascii")
    finally:
        os.close(read)
        os.close(write)


@is_measured
def test_a_keeper_is_small(pod, client):
    client.run(pod.words(*SLEEP), "web")
    keeper = client.pid()
    client.close()

    def pss():
        with open(f"/proc/{keeper}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    await_true(lambda: pss() <= 150) # once it has rested


@is_measured
def test_a_keeper_does_not_grow_with_its_clients(pod, client):
    client.run(pod.words(*SLEEP), "web")
    keeper = client.pid()

    def anonymous():
        with open(f"/proc/{keeper}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))

    def come_and_go(times):
        for _ in range(times):
            one = pod.client()
            one.attach("web")
            one.close()
            client.run(pod.words("--", "/bin/true"), "brief")
            client.wait("brief")
            client.remove("brief")

    come_and_go(10)
    before = anonymous()
    come_and_go(40)
    await_true(lambda: anonymous() - before < 200)


def test_when_the_disk_is_full_the_log_loses_and_the_jail_goes_on(keep):
    pod = keep.pod(prefix=["prlimit", "--fsize=100000:unlimited"])
    client, listener = pod.client(), pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    client.run(pod.words("--", "/bin/sh", "-c", "head -c 300000 /dev/zero | tr '\\0' y; exit 3"), "web")
    assert client.wait("web") == 3
    state = client.status("web")
    assert state["output_bytes"] == 300000
    assert 200000 <= state["log_lost_bytes"] < 300000
    assert any(b'"log-lost"' in listener.hear()[1] for _ in range(3))
    assert (pod.folder / "jails" / "web" / "log").stat().st_size <= 100000


def test_another_user_cannot_reach_a_keeper(keep):
    if keep.uid != 0:
        pytest.skip("root's keeper")
    pod = keep.pod()
    for folder in (keep.folder, keep.folder / "pods", pod.folder):
        folder.chmod(0o755)
    (pod.folder / "socket").chmod(0o777) # the credentials are looked at all the same
    script = f"""
import socket, os
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout({PATIENCE})
s.connect({str(pod.folder / 'socket')!r})
try: s.send(bytes([0,0,0,0,8,0,0,0,1,0,0,0,0,0,0,0])); got = s.recv(100)
except (ConnectionResetError, BrokenPipeError): got = b''
print(len(got))
"""
    got = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert got.stdout.strip() == "0", got.stderr
    assert pod.client().pid() > 0


@pytest.mark.parametrize("shown", ["nothing", "for reading", "as a place", "another file"])
def test_who_does_not_show_the_pods_lock_is_not_greeted(pod, keep, shown):
    (keep.folder / "other").touch()
    path, flags = {"for reading": ("lock", os.O_RDONLY), "as a place": ("lock", os.O_PATH), "another file": ("../../other", os.O_RDWR)}.get(
        shown, (None, 0))
    stranger = pod.client(hello=False)
    fds = [os.open(pod.folder / path, flags)] if path else []
    with pytest.raises(Refused) as refused:
        stranger.ask("HELLO", struct.pack("=II", VERSION, 0), fds)
    assert refused.value.errno == errno.EACCES and stranger.hear()[0] is None
    for fd in fds:
        os.close(fd)


INSIDE = """
import array, os, socket, struct
folder = os.environ['FOLDER']
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.settimeout(5)
try: s.connect(folder + '/socket')
except OSError as refused: raise SystemExit(f'not even connected: {refused.errno}')
try: lock = os.open(folder + '/lock', os.O_RDWR); print('for writing')
except OSError: lock = os.open(folder + '/lock', os.O_RDONLY)
s.sendmsg([struct.pack('=IIII', 0, 8, VERSION, 0)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [lock]))])
print('answer', struct.unpack_from('=I', s.recv(4096))[0])
"""


@pytest.mark.parametrize("options", [("--ro",), ("--rw",), ("--mountns", "host", "--seccomp-allow", "socket", "--ro")], ids=["ro", "rw", "no-tree"])
def test_a_program_that_may_only_read_does_not_ask_the_keeper(keep, options):
    """A folder shown read-only has its sockets, and who is greeted may have anything run, outside."""
    if not keep.uid:
        pytest.skip("root's jails have ids of their own, on which its keepers hang up")
    pod = keep.pod()
    pod.client()
    folder = pod.folder if "--mountns" in options else "/pod"
    binding = f"{pod.folder}" if "--mountns" in options else f"{pod.folder}:/pod"
    done = subprocess.run([*keep.drop, keep.executables / "immure", "run", "-q", "-e", f"FOLDER={folder}", *options, binding, "--", "/usr/bin/python3", "-c",
                           INSIDE.replace("VERSION", str(VERSION))], capture_output=True, text=True, check=False, timeout=20, cwd="/")
    if options == ("--rw",): # the control, and what SECURITY.md says of what is given away
        assert done.stdout == f"for writing\nanswer {NUMBERS['OK']}\n", done
    else:
        assert done.stdout == f"answer {NUMBERS['ERROR']}\n", done


def test_the_full_executable_can_be_the_keeper(keep):
    pod = keep.pod(full=True)
    client = pod.client()
    client.run(pod.words("--", "/bin/sh", "-c", "exit 8"), "web")
    assert client.wait() == 8
    assert pathlib.Path(f"/proc/{client.pid()}/exe").resolve().name == "immure-full"


def test_a_second_keeper_of_a_pod_is_not_started(keep):
    pod = keep.pod()
    second = subprocess.run([*keep.drop, pod.drive, "start", pod.pods, "pod"], check=False, timeout=PATIENCE)
    assert second.returncode == 125
    assert pod.client().pid() > 0


def test_the_library_s_own_client_asks_and_is_answered(pod, client):
    with tempfile.TemporaryFile() as file:
        file.write(pod.words("--", "/bin/sh", "-c", "exit 9"))
        file.seek(0)
        asked = [*pod.drop, pod.drive, "run", pod.pods, "pod"]
        done = subprocess.run([*asked, "web"], stdin=file, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert (done.returncode, done.stdout) == (0, "started\nended 9\n"), done.stderr
        file.seek(0)
        again = subprocess.run([*asked, "web"], stdin=file, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert again.returncode == 125 and "File exists" in again.stderr
    client.remove("web")
    await_true(lambda: not pod.folder.exists())


def test_killed_at_any_moment_a_keeper_leaves_nothing_that_gc_does_not_find(keep):
    limits = ("--memory", "64M") if keep.uid == 0 else ()
    for attempt in range(12):
        pod = keep.pod(f"pod{attempt}")
        client = pod.client()
        client.run(pod.words(*limits, *SLEEP), f"first{attempt}")
        keeper = client.pid()
        words = pod.words(*limits, *SLEEP)
        memory = in_memory(words)
        client.say("RUN", struct.pack("=64sIIQHH4x", b"second%d" % attempt, 0, 0, 1 << 20, 0, 0), [memory])
        os.close(memory)
        time.sleep(attempt * 0.0015)
        processes = descendants(keeper)
        os.kill(keeper, signal.SIGKILL)
        await_true(lambda all_of_them=processes: not any(map(is_alive, all_of_them)))
        collect(keep, keeper)


def test_clients_that_are_killed_cost_nobody_anything(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "while :; do seq 1 1000; done"), "flood", log=0)
    keeper = client.pid()
    for attempt in range(20):
        child = os.fork()
        if child == 0:
            try:
                one = Client(pod.folder)
                one.attach("flood", ATTACH_INPUT)
                while True:
                    one.hear()
                    one.say("INPUT", b"x" * 1000)
            finally:
                os._exit(0)
        time.sleep(0.01 + attempt * 0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert client.status()["state"] == "running"
    assert is_alive(keeper)
    assert client.about("KILL")[0] == "OK"
    await_true(lambda: len(os.listdir(f"/proc/{keeper}/fd")) < 20)
