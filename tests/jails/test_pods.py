# SPDX-License-Identifier: Apache-2.0
"""Pods: what members share is one and works; what they do not share is not; and the pod's life, order and end."""
import errno
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import pytest

from conftest import await_true, descendants, groups_called, is_alive, needs_scopes, state_of
from keeper import PATIENCE, REMOVE_FORCE, REMOVE_POD, STOP_POD, Refused, has_scopes, in_memory
from test_visits import LONG, sleepers

KINDS = {"net": "net", "ipc": "ipc", "uts": "uts", "pid": "pid", "mounts": "mnt"}
SLEEP = ("--", "/bin/sleep", "1000")


def make(keep, share, *options, name="lab"):
    needs_scopes(share)
    pod = keep.pod(name)
    client = pod.client()
    client.share(pod.words(*options, "--", "/bin/true"), name, share)
    return pod, client


def namespaces(pid):
    """Of the program: init's child."""
    return {kind: os.readlink(f"/proc/{program(pid)}/ns/{kind}") for kind in ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup")}


def program(pid):
    children = []

    def has_child():
        children[:] = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return children
    await_true(has_child)
    return int(children[0])


def shell(pod, client, name, script, *options, flags=0):
    return client.run(pod.words(*options, "--", "/bin/sh", "-c", script), name, flags)


def output(pod, name):
    reader = pod.client()
    reader.attach(name)
    return reader.output()[0][1].decode()


@pytest.mark.parametrize("share", [(), ("net",), ("ipc",), ("uts",), ("net", "ipc", "uts"), ("pid",), ("pid", "ipc"), ("pid", "mounts"),
                                   ("net", "ipc", "uts", "pid", "mounts")], ids=",".join)
def test_what_is_shared_is_one_namespace_and_nothing_else_is(keep, share):
    pod, client = make(keep, share)
    first, second = (namespaces(client.run(pod.words(*SLEEP), name)) for name in ("one", "two"))
    own = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in first}
    shared = {KINDS[kind] for kind in share}
    assert {kind for kind in first if first[kind] == second[kind]} == shared
    assert not [kind for kind in first if own[kind] in (first[kind], second[kind])]


def test_a_network_that_is_shared_carries_and_one_that_is_not_does_not(keep):
    pod, client = make(keep, ["net"])
    listen = "import socket; s = socket.create_server(('127.0.0.1', 80)); print('ready', flush=True); c = s.accept()[0]; c.sendall(b'hello'); c.close()"
    ask = "import socket; print(socket.create_connection(('127.0.0.1', 80), 60).recv(5).decode())"
    client.run(pod.words("--", "/usr/bin/python3", "-c", listen), "server")
    reader = pod.client()
    reader.attach("server")
    assert b"ready" in reader.hear()[1]
    client.run(pod.words("--", "/usr/bin/python3", "-c", ask), "client")
    assert client.wait("client") == 0, output(pod, "client")
    assert output(pod, "client") == "hello\n"
    other = keep.pod("other") # a jail that is in no pod does not reach it
    stranger = other.client()
    stranger.run(other.words("--", "/usr/bin/python3", "-c", ask), "stranger")
    assert stranger.wait("stranger") == 1


SEGMENT = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
at = libc.shmget(77, 4096, 0o1666 if sys.argv[1] == 'make' else 0)
if at < 0: sys.exit(3)
text = ctypes.c_void_p(libc.shmat(at, None, 0))
if sys.argv[1] == 'make':
    ctypes.memmove(text, b'queue', 6)
    open('/dev/shm/note', 'w').write('posix')
else:
    print(ctypes.string_at(text).decode(), open('/dev/shm/note').read())
"""


@pytest.mark.parametrize("share", [["ipc"], ["net"]], ids=",".join)
def test_shared_memory_of_system_v_and_posix_is_seen_where_it_is_shared(keep, share):
    pod, client = make(keep, share)
    for name in ("make", "take"):
        client.run(pod.words("--umask", "0", "--", "/usr/bin/python3", "-c", SEGMENT, name), name)
        code = client.wait(name)
        assert code == (3 if name == "take" and share == ["net"] else 0), output(pod, name)
    assert output(pod, "take") == ("queue posix\n" if share == ["ipc"] else "")


def test_the_host_name_is_the_pod_s(keep):
    pod, client = make(keep, ["uts"], "--hostname", "laboratory")
    shell(pod, client, "one", "hostname")
    client.wait("one")
    assert output(pod, "one") == "laboratory\n"
    with pytest.raises(Refused) as refused:
        shell(pod, client, "two", "hostname", "--hostname", "other")
    assert refused.value.identifier == "E-POD-SHARED"
    lone = keep.pod("lone")
    talk = lone.client()
    shell(lone, talk, "lone", "hostname", "--hostname", "other")
    talk.wait("lone")
    assert output(lone, "lone") == "other\n"


def test_processes_are_seen_but_not_traced_nor_read_nor_signalled_nor_bounded(keep):
    pod, client = make(keep, ["pid"])
    client.run(pod.words("--", "/bin/sleep", "4321"), "victim")
    attack = r"""
for p in /proc/[0-9]*; do
  if tr '\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^/bin/sleep 4321'; then pid=${p#/proc/}; fi
done
echo seen=${pid:+yes}
kill -9 $pid 2>/dev/null && echo killed
cat /proc/$pid/environ >/dev/null 2>&1 && echo read
readlink /proc/$pid/fd/0 >/dev/null 2>&1 && echo descriptor
cat /proc/$pid/maps >/dev/null 2>&1 && echo maps
cd /proc/$pid/root 2>/dev/null && echo root
for n in net mnt user; do readlink /proc/$pid/ns/$n >/dev/null 2>&1 && echo ns; done
prlimit -p $pid --nofile=10:10 2>/dev/null && echo bounded
renice -n 5 -p $pid >/dev/null 2>&1 && echo slowed
{ echo 1000 >/proc/$pid/oom_score_adj; } 2>/dev/null && echo doomed
sleep 1000 & mine=$!
cat /proc/$mine/environ >/dev/null && kill -9 $mine && echo own
"""
    shell(pod, client, "attacker", attack)
    client.wait("attacker")
    assert output(pod, "attacker").split() == ["seen=yes", "own"]
    assert client.status("victim")["state"] == "running"


TRACE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
own = os.fork()
if not own:
    import time
    time.sleep(100)
found = [int(p) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (os.getpid(), own)]
for pid in found + [own]:
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    rc = libc.ptrace(16, pid, 0, 0)
    print('own' if pid == own else 'other', rc, flush=True)
os.kill(own, 9)
"""


def test_ptrace_stays_within_a_member_even_without_filter_and_landlock_of_its_own(keep):
    pod, client = make(keep, ["pid"])
    client.run(pod.words(*SLEEP), "victim")
    client.run(pod.words("--seccomp", "off", "--", "/usr/bin/python3", "-c", TRACE), "tracer")
    assert client.wait("tracer") == 0, output(pod, "tracer")
    lines = output(pod, "tracer").split("\n")
    assert "own 0" in lines, lines
    assert [line for line in lines if line.startswith("other")], lines
    assert not [line for line in lines if line == "other 0"], lines


def test_files_are_seen_where_the_tree_is_shared(keep):
    pod, client = make(keep, ["mounts", "pid"], "--tmpfs", "/shared:mode=1777")
    shell(pod, client, "one", "echo text > /shared/file; chmod 644 /shared/file")
    assert client.wait("one") == 0
    shell(pod, client, "two", "cat /shared/file; stat -c %u /shared/file", "--user", "1234")
    assert client.wait("two") == 0
    owner = output(pod, "two").split()
    assert owner[0] == "text"
    if keep.uid == 0: # numbers mean the same in all members
        assert owner[1] == "1000"
        shell(pod, client, "three", "echo more >> /shared/file", "--user", "1234")
        assert client.wait("three") != 0 # it is another user
    with pytest.raises(Refused) as refused:
        shell(pod, client, "four", ":", "--tmpfs", "/own")
    assert refused.value.identifier == "E-POD-SHARED"
    apart, talk = make(keep, ["net"], name="apart")
    shell(apart, talk, "made", "echo text > /tmp/file", "--ro", "/usr")
    shell(apart, talk, "none", "cat /tmp/file")
    assert (talk.wait("made"), talk.wait("none")) == (0, 1)


def test_members_have_ids_filters_and_limits_of_their_own(keep):
    pod, client = make(keep, ["net", "ipc", "uts", "pid"])
    one = client.run(pod.words("--user", "1111", "--rlimit", "nofile=1000", *SLEEP), "one")
    two = client.run(pod.words("--user", "2222", "--seccomp", "off", *SLEEP), "two")
    status = [dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{program(pid)}/status").read_text(encoding="ascii").splitlines()
                   if ":\t" in line) for pid in (one, two)]
    assert [one["Seccomp"] for one in status] == ["2", "0"]
    uids = [one["Uid"].split()[0] for one in status]
    assert (uids[0] != uids[1]) == (keep.uid == 0), uids # an ordinary user has but one number
    limits = [pathlib.Path(f"/proc/{program(pid)}/limits").read_text(encoding="ascii") for pid in (one, two)]
    assert [" 1000 " in next(line for line in text.splitlines() if line.startswith("Max open files")) for text in limits] == [True, False]
    for name, uid in (("one", "1111\n"), ("two", "2222\n")):
        assert client.execute(pod.words("--", "/usr/bin/id", "-u"), name) == (0, uid, "")


def test_what_is_shared_lives_without_any_member(keep):
    pod, client = make(keep, ["net", "ipc", "uts", "pid"])
    first = namespaces(client.run(pod.words(*SLEEP), "one"))
    shell(pod, client, "note", "echo kept > /dev/shm/note; chmod 644 /dev/shm/note")
    client.wait("note")
    client.remove("one", force=True)
    client.remove("note")
    await_true(lambda: client.list()["jails"] == [])
    second = namespaces(client.run(pod.words(*SLEEP), "two"))
    assert [second[kind] for kind in ("net", "ipc", "uts", "pid")] == [first[kind] for kind in ("net", "ipc", "uts", "pid")]
    assert client.execute(pod.words("--", "/bin/cat", "/dev/shm/note"), "two") == (0, "kept\n", "")


def test_only_a_pid_namespace_needs_a_process(keep):
    for share in (["net", "ipc", "uts"], ["pid"]):
        pod, client = make(keep, share, name=share[0])
        keeper = client.pid()
        children = pathlib.Path(f"/proc/{keeper}/task/{keeper}/children")
        await_true(lambda: len(children.read_text(encoding="ascii").split()) == len(share) % 3)
        assert ("pid" in client.status(share[0])) == (share == ["pid"])


def test_the_pod_is_told_apart_from_its_jails_and_lists_them_in_order(keep):
    pod, client = make(keep, ["net"])
    for name in ("zeta", "alpha", "middle"):
        client.run(pod.words(*SLEEP), name)
    state = client.status("lab")
    assert (state["state"], state["pod"], state["share"]) == ("running", "lab", ["net"])
    listed = client.list()
    assert [jail["name"] for jail in listed["jails"]] == ["zeta", "alpha", "middle"]
    assert {key: listed[key] for key in state} == state
    assert json.loads((pod.folder / "pod.json").read_text(encoding="utf-8")) == state
    plan = client.inspect("lab")
    assert plan["state"] == state
    assert not [step for step in plan["plan"] if step["op"] in ("exec", "fork")]
    with pytest.raises(Refused):
        client.run(pod.words(*SLEEP), "lab")
    assert sorted(os.listdir(pod.folder / "jails")) == ["alpha", "middle", "zeta"]


POLITE = "trap 'sleep 0.1; exit 0' TERM; echo set; while :; do sleep 0.05; done"
DEAF = "trap '' TERM; echo set; while :; do sleep 0.05; done"


def shell_with_trap(pod, client, name, script):
    shell(pod, client, name, script)
    reader = pod.client()
    reader.attach(name)
    reader.hear_until(b"set\n")


def test_jails_are_stopped_in_reverse_order_each_with_its_grace_and_then_the_pod_goes(keep):
    pod, client = make(keep, ["net"])
    listener = pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    for name, script in (("one", POLITE), ("two", DEAF), ("three", POLITE)):
        shell_with_trap(pod, client, name, script)
    begin = time.monotonic()
    assert client.stop("lab", 3000, pod=True) == "OK"
    assert time.monotonic() - begin > 3 # and those who end at once wait for their turn, or they were not in this order
    ended = []
    while len(ended) < 3:
        event = json.loads(listener.hear()[1])
        if event["event"] == "exit":
            ended.append((event["jail"], event["exit_code"]))
    assert ended == [("three", 0), ("two", 137), ("one", 0)]
    assert client.status("lab")["state"] == "running"
    client.run(pod.words(*SLEEP), "again") # it was stopped, not removed
    with pytest.raises(Refused) as busy:
        client.remove("lab", pod=True)
    assert "jails that live, such as again" in busy.value.text
    assert client.remove("lab", force=True, pod=True) == "OK"
    await_true(lambda: not pod.folder.exists())
    assert not os.listdir(keep.folder / "names")


def test_a_start_that_fails_leaves_the_pod_as_it_was(keep):
    pod, client = make(keep, ["net", "ipc", "pid", "uts"])
    one = namespaces(client.run(pod.words(*SLEEP), "one"))
    before = client.list()
    descriptors = len(os.listdir(f"/proc/{client.pid()}/fd"))
    for words in (("--", "/no/such/program"), ("--ro", "/no/such/file", *SLEEP), ("--pidns", "host", *SLEEP), ("--hostname", "x", *SLEEP)):
        with pytest.raises(Refused):
            client.run(pod.words(*words), "bad")
    after = client.list()
    for state in (before, after):
        state["jails"] = [(jail["name"], jail["state"], jail["pid"]) for jail in state["jails"]]
    assert after == before
    assert sorted(os.listdir(pod.folder / "jails")) == ["one"]
    await_true(lambda: len(os.listdir(f"/proc/{client.pid()}/fd")) <= descriptors)
    two = namespaces(client.run(pod.words(*SLEEP), "two"))
    assert two["net"] == one["net"]


@pytest.mark.parametrize("options, identifier", [
    (["--hostname", "x"], "E-POD-SHARE"), (["--tmpfs", "/x"], "E-POD-SHARE"), (["--memory", "100M"], "E-POD-SHARE"), (["--wall-time", "3s"], ""),
])
def test_what_the_pod_does_not_share_cannot_be_shaped(keep, options, identifier):
    with pytest.raises(Refused) as refused:
        make(keep, ["net"], *options)
    assert refused.value.identifier == identifier
    await_true(lambda: not (keep.folder / "pods" / "lab").exists())
    assert not os.listdir(keep.folder / "names")


def test_shared_mounts_want_shared_processes_for_their_proc(keep):
    with pytest.raises(Refused) as refused:
        make(keep, ["mounts"])
    assert refused.value.identifier == "E-POD-PROC"
    pod, client = make(keep, ["mounts"], "--proc", "none", name="bare")
    shell(pod, client, "one", "test ! -e /proc/self")
    assert client.wait("one") == 0
    client.run(pod.words(*SLEEP), "two")
    assert client.execute(pod.words("--", "/bin/echo", "entered"), "two") == (0, "entered\n", "")


@pytest.mark.skipif(has_scopes(), reason="Landlock has scopes here")
def test_without_scopes_of_landlock_s_no_pod_shares_its_processes(keep):
    pod = keep.pod()
    with pytest.raises(Refused) as refused:
        pod.client().share(pod.words("--", "/bin/true"), "pod", ["pid"])
    assert refused.value.identifier == "E-PIDNS-JOIN"


@pytest.mark.parametrize("share", [["net"], ["net", "ipc", "uts", "pid"], ["pid", "mounts"], ["net", "ipc", "uts", "pid", "mounts"]], ids=",".join)
def test_members_are_entered_like_any_jail(keep, share):
    pod, client = make(keep, share)
    pids = {name: client.run(pod.words(*SLEEP), name) for name in ("one", "two")}
    for name, pid in pids.items():
        code, out, err = client.execute(pod.words("--", "/bin/sh", "-c", "readlink /proc/self/ns/*; echo $$ > /tmp/mine; chmod 644 /tmp/mine"), name)
        assert (code, err) == (0, "")
        seen = set(out.split())
        own = namespaces(pid)
        assert {own[kind] for kind in own} <= seen, (own, seen)
        with os.fdopen(client.open("/tmp/mine", name=name)) as file:
            assert int(file.read()) > 0


@pytest.mark.parametrize("share, stays", [([], True), (["pid"], False), (["pid", "mounts"], False), (["pid", "net", "ipc"], False)])
def test_what_a_visitor_leaves_behind_outlives_no_member(keep, share, stays):
    """The pod's PID namespace goes on without the member; one of the member's own would end it, and so it may stay until then."""
    pod, client = make(keep, share)
    for name in ("one", "two"):
        client.run(pod.words(*SLEEP), name)
    before = set(sleepers())
    code, out, err = client.execute(pod.words("--", "/bin/sh", "-c", f"setsid sleep {LONG} </dev/null >/dev/null 2>&1 & sleep 0.2; echo well"), "one")
    assert (code, out, err) == (0, "well\n", "")
    await_true(lambda: bool(set(sleepers()) - before) == stays)
    client.remove("one", True)
    await_true(lambda: not set(sleepers()) - before)
    assert client.status("two")["state"] == "running"


@pytest.mark.parametrize("share", [["net", "ipc"], ["pid", "mounts"]], ids=",".join)
def test_kill_9_of_the_keeper_ends_all(keep, share):
    pod, client = make(keep, share)
    pids = [program(client.run(pod.words(*SLEEP), name)) for name in ("one", "two")]
    keeper = client.pid()
    os.kill(keeper, signal.SIGKILL)
    await_true(lambda: not any(map(is_alive, [keeper, *pids])))


def test_the_death_of_the_pid_namespace_is_told_and_the_pod_can_go(keep):
    pod, client = make(keep, ["pid", "net"])
    client.run(pod.words(*SLEEP), "one")
    os.kill(client.status("lab")["pid"], signal.SIGKILL)
    assert client.wait("one") == 137
    await_true(lambda: client.status("lab")["state"] == "ended")
    with pytest.raises(Refused):
        client.run(pod.words(*SLEEP), "two")
    assert client.remove("lab", pod=True) == "OK"
    await_true(lambda: not pod.folder.exists())


def test_sigterm_to_the_keeper_ends_the_jails_in_reverse_order(keep):
    pod, client = make(keep, ["net"])
    listener = pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    for name in ("one", "two"):
        client.run(pod.words(*SLEEP), name)
    os.kill(client.pid(), signal.SIGTERM)
    ended = []
    while len(ended) < 2:
        event = json.loads(listener.hear()[1])
        if event["event"] == "exit":
            ended.append(event["jail"])
    assert ended == ["two", "one"]


def groups(pid):
    return [line.split(":", 2) for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()]


def has_groups(executables, drop):
    done = subprocess.run([*drop, executables / "immure", "run", "--memory", "100M", "--", "/bin/true"], capture_output=True, timeout=PATIENCE, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode == 0


@pytest.fixture
def grouped(keep):
    if not has_groups(keep.executables, keep.drop):
        pytest.skip("no group can be made by this user")
    return keep


def test_the_pod_s_memory_bounds_all_members_together(grouped):
    pod, client = make(grouped, ["cgroup"], "--memory", "60M", "--swap", "0")
    shell(pod, client, "one", "sleep 100")
    one = client.status("one")["pid"]
    hog = "import time; x = bytearray(40 << 20); print('there', flush=True); time.sleep(100)"
    client.run(pod.words("--", "/usr/bin/python3", "-c", hog), "hog")
    reader = pod.client()
    reader.attach("hog")
    assert b"there" in reader.hear()[1] # 40 MB are there for one
    client.run(pod.words("--", "/usr/bin/python3", "-c", hog), "second")
    await_true(lambda: "ended" in (client.status("hog")["state"], client.status("second")["state"])) # but not for two
    assert client.status("lab")["state"] == "running"
    assert is_alive(one)


def test_the_pod_s_count_of_processes_bounds_all_members_together(grouped):
    pod, client = make(grouped, ["cgroup", "net"], "--pids", "20")
    many = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 & done; echo all; wait"
    shell(pod, client, "one", many)
    reader = pod.client()
    reader.attach("one")
    assert reader.hear()[1][4:] == b"all\n"
    shell(pod, client, "two", many)
    assert client.wait("two") == 2 # the shell cannot fork
    assert "all" not in output(pod, "two")
    client.remove("one", force=True)
    shell(pod, client, "three", many)
    reader = pod.client()
    reader.attach("three")
    assert reader.hear()[1][4:] == b"all\n"


def test_members_groups_lie_below_the_pod_s_and_all_go(grouped):
    pod, client = make(grouped, ["cgroup"])
    pids = [client.run(pod.words("--memory", "50M", *SLEEP), name) for name in ("one", "two")]
    plan = client.inspect("lab")
    made = [pathlib.Path(step["words"].split()[-1]) for step in plan["plan"] if step["op"] == "cgroup-create"]
    assert made
    assert all(folder.is_dir() for folder in made)
    name = made[0].name
    for pid in pids:
        below = [path for _, _, path in groups(pid) if f"/{name}/" in path]
        assert len(below) >= len(made), groups(pid)
        assert not [path for _, _, path in groups(pid) if path.endswith(name)]
    assert not {path for _, _, path in groups(pids[0])} & {path for _, _, path in groups(pids[1]) if name in path}
    client.remove("lab", force=True, pod=True)
    await_true(lambda: not any(folder.exists() for folder in made))


def test_gc_undoes_the_pod_s_group_after_kill_9(grouped):
    pod, client = make(grouped, ["cgroup", "ipc"], "--memory", "100M")
    client.run(pod.words(*SLEEP), "one")
    made = [pathlib.Path(step["words"].split()[-1]) for step in client.inspect("lab")["plan"] if step["op"] == "cgroup-create"]
    keeper = client.pid()
    os.kill(keeper, signal.SIGKILL)
    await_true(lambda: not is_alive(keeper))
    assert made

    def is_clean():
        subprocess.run([*grouped.drop, grouped.executables / "immure", "gc"], check=False, capture_output=True, timeout=PATIENCE)
        return not any(folder.exists() for folder in made)
    await_true(is_clean)


def test_an_ordinary_user_s_range_is_the_members_as_well(keep, tmp_path):
    if keep.uid == 0 or os.geteuid() != 0:
        pytest.skip("a range for this user can only be pretended by root")
    needs_scopes(["pid"])
    ranges = tmp_path / "ranges"
    ranges.write_text(f"{keep.uid}:700000:65536\nnobody:700000:65536\n", encoding="ascii")
    tmp_path.chmod(0o755)
    show = f"mount --bind {ranges} /etc/subuid && mount --bind {ranges} /etc/subgid && exec \"$@\""
    pod = keep.pod("lab", prefix=["unshare", "-m", "sh", "-c", show, "sh"])
    client = pod.client()
    client.share(pod.words("--ids", "subid", "--", "/bin/true"), "lab", ["net", "ipc", "pid"])
    one, two = (client.run(pod.words("--user", user, *SLEEP), user) for user in ("1111", "2222"))
    assert [os.stat(f"/proc/{program(pid)}").st_uid for pid in (one, two)] == [701111, 702222]
    assert client.execute(pod.words("--", "/usr/bin/id", "-u"), "2222") == (0, "2222\n", "")
    with pytest.raises(Refused) as refused:
        client.run(pod.words("--ids", "single", *SLEEP), "three")
    assert refused.value.identifier == "E-POD-IDS"


def states(client):
    return {jail["name"]: jail["state"] for jail in client.list()["jails"]}


def ask_and_leave(pod, kind, payload):
    """A client that is killed as soon as it has asked."""
    client = pod.client()
    client.say(kind, payload)
    client.close()


@pytest.mark.parametrize("removes", [False, True])
def test_a_stop_goes_on_when_who_asked_for_it_is_gone(keep, removes):
    pod, client = make(keep, ["net"])
    for name in ("one", "two"):
        shell_with_trap(pod, client, name, POLITE)
    if removes:
        ask_and_leave(pod, "REMOVE", struct.pack("=64sII", b"lab", REMOVE_POD | REMOVE_FORCE, 0))
        await_true(lambda: not pod.folder.exists())
        assert not os.listdir(keep.folder / "names")
        return
    ask_and_leave(pod, "STOP", struct.pack("=64sIIQ", b"lab", STOP_POD, 0, 5000))
    await_true(lambda: states(client) == {"one": "ended", "two": "ended"})
    assert client.wait("one") == 0


def test_of_two_who_stop_at_once_the_shorter_grace_holds_and_both_are_told(keep):
    pod, client = make(keep, ["net"])
    shell_with_trap(pod, client, "one", DEAF)
    patient, hurried = pod.client(), pod.client()
    patient.say("STOP", struct.pack("=64sIIQ", b"lab", STOP_POD, 0, 600000)) # longer than any client here listens
    begin = time.monotonic()
    assert hurried.stop("lab", 300, pod=True) == "OK"
    assert patient.hear()[0] == "OK"
    assert time.monotonic() - begin >= 0.3
    shell_with_trap(pod, client, "two", DEAF)
    patient.say("STOP", struct.pack("=64sIIQ", b"lab", STOP_POD, 0, 1000))
    client.settle() # it is asked first
    assert hurried.stop("lab", 600000, pod=True) == "OK" # a longer one gives no more
    assert patient.hear()[0] == "OK"


def test_a_pod_that_is_being_stopped_is_removed_by_force_at_once_and_not_without(keep):
    pod, client = make(keep, ["net"])
    for name in ("one", "two"):
        shell_with_trap(pod, client, name, DEAF)
    stopper = pod.client()
    stopper.say("STOP", struct.pack("=64sIIQ", b"lab", STOP_POD, 0, 600000))
    client.settle()
    with pytest.raises(Refused) as busy:
        client.remove("lab", pod=True)
    assert busy.value.errno == errno.EBUSY
    with pytest.raises(Refused) as refused:
        client.run(pod.words(*SLEEP), "three")
    assert "is being stopped" in refused.value.text
    assert client.remove("lab", force=True, pod=True) == "OK"
    assert stopper.hear()[0] == "OK"
    await_true(lambda: not pod.folder.exists())


def start_two_and_stop(keep, name):
    """Whether the jail was stopped before its program ran: it may have been quicker than the keeper."""
    pod, client = make(keep, ["net"], name=name)
    client.run(pod.words(*SLEEP), "one")
    stopper, keeper = pod.client(), client.pid()
    memory = in_memory(pod.words(*SLEEP))
    os.kill(keeper, signal.SIGSTOP) # so that it hears both in one turn, in the order of its clients
    await_true(lambda: state_of(keeper) == "T") # before, it may be hearing one already
    client.say("RUN", struct.pack("=64sIIQHH4x", b"two", 0, 0, 1 << 20, 0, 0), [memory])
    stopper.say("STOP", struct.pack("=64sIIQ", name.encode(), STOP_POD, 0, 5000))
    os.kill(keeper, signal.SIGCONT)
    os.close(memory)
    try:
        was_cut_short = client.hear()[0] != "STARTED"
    except Refused as refused:
        assert "two was stopped before" in refused.text
        was_cut_short = True
    assert stopper.hear()[0] == "OK"
    assert states(client) == ({"one": "ended"} if was_cut_short else {"one": "ended", "two": "ended"})
    assert client.remove(name, pod=True) == "OK"
    await_true(lambda: not pod.folder.exists())
    return was_cut_short


def test_a_jail_that_is_just_starting_is_stopped_as_well(keep):
    tries = map(str, range(100))
    assert any(start_two_and_stop(keep, "lab" + number) for number in tries)


def test_who_is_attached_when_the_pod_is_removed_is_told_all(keep):
    pod, client = make(keep, ["net"])
    shell_with_trap(pod, client, "one", POLITE)
    reader = pod.client()
    reader.attach("one")
    assert client.remove("lab", force=True, pod=True) == "OK"
    assert reader.output() == ({1: b"set\n", 2: b""}, 0, 137)
    await_true(lambda: not pod.folder.exists())


def test_a_pod_in_which_a_stranger_left_a_file_says_so_and_is_removed_when_that_is_gone(keep):
    pod, client = make(keep, ["net"])
    client.run(pod.words(*SLEEP), "one")
    strange = pod.folder / "jails" / "one" / "strange"
    strange.write_text("mine", encoding="ascii")
    with pytest.raises(Refused) as refused:
        client.remove("lab", force=True, pod=True)
    assert refused.value.identifier == "E-STATE-STRANGE"
    assert strange.exists() and "lab" in os.listdir(keep.folder / "names")


def fingerprint(keep, client, pid):
    """All that a start could leave: groups, names and files, mounts, and the keeper's descriptors and children."""
    targets = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            targets.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{fd}")))
        except OSError:
            pass
    own = groups_called(lambda name: name.startswith(f"immure-{pid}-"))
    every = [os.path.join(root, name) for root, folders, names in os.walk(keep.folder) for name in folders + names]
    files = sorted(path for path in every if not path.endswith(".journal"))
    journals = len(every) - len(files)
    return {"groups": sorted(own), "files": files, "journals": journals, "mounts": len(pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()),
            "descriptors": sorted(targets), "children": sorted(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()),
            "jails": [(jail["name"], jail["state"], jail["pid"]) for jail in client.list()["jails"]]}


FAILS = [("--", "/no/such/program"), ("--ro", "/no/such/file", *SLEEP), ("--pidns", "host", *SLEEP), ("--tmpfs", "/proc/x", *SLEEP),
         ("--workdir", "/no/such/folder", *SLEEP), ("--rlimit", "nofile=2", *SLEEP), ("--io-max", "/dev/null:rbps=1M", *SLEEP)]


@pytest.mark.parametrize("share", [["net"], ["net", "ipc", "pid", "uts"], ["cgroup", "net"]], ids=",".join)
def test_a_start_that_fails_leaves_nothing_anywhere(keep, share):
    if "cgroup" in share and not has_groups(keep.executables, keep.drop):
        pytest.skip("no group can be made by this user")
    pod, client = make(keep, share)
    client.run(pod.words(*SLEEP), "one")
    pid = client.pid()
    client.run(pod.words(*SLEEP), "warm") # what is opened once stays
    client.remove("warm", force=True)
    before = []

    def is_settled():
        before[:] = [*before[-9:], fingerprint(keep, client, pid)]
        time.sleep(0.03)
        return len(before) == 10 and all(one == before[0] for one in before)
    await_true(is_settled)
    failed = 0
    for _ in range(3):
        for words in FAILS:
            try:
                client.run(pod.words(*words), "bad")
                client.remove("bad", force=True)
            except (Refused, subprocess.CalledProcessError):
                failed += 1
    assert failed >= 3 * 3
    await_true(lambda: fingerprint(keep, client, pid) == before[-1])
    client.run(pod.words(*SLEEP), "bad") # the control: the name is free, and what a start makes is seen
    assert fingerprint(keep, client, pid) != before[-1]


def processor_ns(pid):
    """What it has had of processors, however long it waited for them."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0])


def test_twenty_members_start_and_stop_in_reverse_order(keep):
    pod, client = make(keep, ["net", "ipc"])
    listener = pod.client()
    assert listener.ask("EVENTS")[0] == "OK"
    words, names = pod.words(*SLEEP), [f"m{i}" for i in range(20)]
    keeper, costs = client.pid(), []
    for name in names:
        begin = processor_ns(keeper)
        client.run(words, name)
        costs.append(processor_ns(keeper) - begin)
    # the last is started like the first: no step of a start looks at all others
    assert min(costs[10:]) < 5 * min(costs[:10]) + 1000000, costs
    assert client.stop("lab", 20000, pod=True) == "OK" # none has to be killed
    ended = []
    while len(ended) < 20:
        event = json.loads(listener.hear()[1])
        ended += [(event["jail"], event["exit_code"])] if event["event"] == "exit" else []
    assert ended == [(name, 143) for name in reversed(names)]
    assert client.remove("lab", pod=True) == "OK"
    await_true(lambda: not pod.folder.exists())


def test_names_of_jails_are_unique_across_pods(keep):
    pod, client = make(keep, ["net"])
    other, talk = make(keep, ["net"], name="other")
    client.run(pod.words(*SLEEP), "one")
    for name in ("one", "lab", "other"): # a jail's, and pods'
        with pytest.raises(Refused) as refused:
            talk.run(other.words(*SLEEP), name)
        assert refused.value.errno == errno.EEXIST, refused.value.text
    assert talk.list()["jails"] == []
    client.remove("one", force=True)
    talk.run(other.words(*SLEEP), "one")
    with pytest.raises(Refused):
        client.run(pod.words(*SLEEP), "one")


def test_a_pod_whose_processes_have_ended_says_so_to_who_enters_or_stops(keep):
    pod, client = make(keep, ["pid", "net"])
    client.run(pod.words(*SLEEP), "one")
    os.kill(client.status("lab")["pid"], signal.SIGKILL)
    assert client.wait("one") == 137
    await_true(lambda: client.status("lab")["state"] == "ended")
    with pytest.raises(Refused) as refused:
        client.run(pod.words(*SLEEP), "two")
    assert "remove the pod" in refused.value.text
    with pytest.raises(Refused):
        client.execute(pod.words("--", "/bin/true"), "one")
    assert json.loads((pod.folder / "pod.json").read_text(encoding="utf-8"))["state"] == "ended"
    assert client.stop("lab", 100, pod=True) == "OK"
    assert client.remove("lab", pod=True) == "OK"
    await_true(lambda: not pod.folder.exists())
