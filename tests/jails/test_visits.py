# SPDX-License-Identifier: Apache-2.0
"""Programs executed in a jail that is there are as confined as its own; files of it are opened by nobody but its own user."""
import collections
import contextlib
import json
import os
import pathlib
import signal
import struct
import time

import pytest

from conftest import await_helpers, await_processes, await_true, is_alive
from keeper import EXEC_ALONE, EXEC_TERMINAL, PATIENCE, Refused
from patience import await_rest

SLEEP = ("--", "/bin/sleep", "1000")

# What of a process tells how it is confined; pids and the like apart.
PROBE = r"""
import os, json, resource
s = dict(l.split(":", 1) for l in open("/proc/self/status"))
print(json.dumps({
    "namespaces": {n: os.readlink("/proc/self/ns/" + n) for n in sorted(os.listdir("/proc/self/ns"))},
    "status": {k: s[k].strip() for k in ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters")},
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
    "umask": s["Umask"].strip(), "cwd": os.getcwd(), "environment": dict(os.environ), "cgroup": open("/proc/self/cgroup").read(),
    "root": sorted(os.listdir("/")), "fds": sorted(os.listdir("/proc/self/fd"))[:4],
    "dumpable": os.access("/proc/self/mem", os.R_OK)}))
"""


def kinds(keep):
    every = [(), ("--memory", "64M", "--pids", "40"), ("--net", "host"), ("--seccomp", "strict", "--seccomp-allow", "fork"), ("--user", "root"),
             ("--cap-add", "net_bind_service"), ("--pidns", "host", "--proc", "bind"), ("--overlay", "/opt"), ("--monotonic-offset", "1h"),
             ("--landlock", "off"), ("--nested-userns",), ("--cap-add", "sys_resource")]
    return every


def may_wait(options):
    """The second program enters by a helper that waits; not where nobody is out of the jail's sight, or processes are few."""
    return "--pidns" not in options and "--pids" not in options


def probe(pod, client, *options):
    fits = ("--env", "GREETING=hello", "--workdir", "/tmp")
    client.run(pod.words(*options, *fits, "--", "/usr/bin/python3", "-c", PROBE + "\nimport time, sys; sys.stdout.flush(); time.sleep(100)"), "web")
    late = pod.client()
    late.attach("web")
    own = json.loads(late.hear_until(b"\n"))
    code, out, err = client.execute(pod.words("--", "/usr/bin/python3", "-c", PROBE), "web")
    assert code == 0, err
    first = json.loads(out)
    if may_wait(options):
        await_helpers(client.pid())
    code, out, err = client.execute(pod.words("--", "/usr/bin/python3", "-c", PROBE), "web")
    assert code == 0, err
    return own, first, json.loads(out)


@pytest.mark.parametrize("number", range(12))
def test_a_program_is_as_confined_as_the_jails_own(keep, number):
    options = kinds(keep)[number]
    pod = keep.pod()
    try:
        own, first, second = probe(pod, pod.client(), *options)
    except Refused as refused:
        if "cgroup" in refused.text or "limit" in refused.text or "E-" in refused.identifier and keep.uid:
            pytest.skip(f"{options}: {refused.text}")
        raise
    assert own == first
    assert own == second


def test_it_sees_the_jails_processes_and_the_jail_sees_it(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "sleep 99; :"), "web")
    code, out, _ = client.execute(pod.words("--", "/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo $$"), "web")
    assert code == 0 and "sleep 99" in out
    assert int(out.split()[-1]) > 1


def test_it_may_signal_the_jails_processes(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "trap 'exit 5' TERM; echo set; while :; do sleep 0.05; done"), "web")
    late = pod.client()
    late.attach("web")
    late.hear_until(b"set\n")
    code, _, err = client.execute(pod.words("--", "/bin/sh", "-c", "kill -TERM 2"), "web")
    assert code == 0, err
    assert client.wait("web") == 5


def test_exit_codes_are_those_of_run(pod, client):
    client.run(pod.words(*SLEEP), "web")
    assert client.execute(pod.words("--", "/bin/sh", "-c", "exit 7"), "web")[0] == 7
    assert client.execute(pod.words("--", "/bin/sh", "-c", "kill -9 $$"), "web")[0] == 137
    for program, code in (("/no/such/program", 127), ("/etc", 126)):
        with pytest.raises(Refused) as refused:
            client.exec(pod.words("--", program), "web")
        assert refused.value.exit_code == code
        assert program in refused.value.text
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0


def test_streams_and_variables_are_the_visitors(pod, client):
    client.run(pod.words("--env", "A=jail", "--env", "B=jail", *SLEEP), "web")
    code, out, err = client.execute(pod.words("--env", "B=visitor", "--workdir", "/usr", "--", "/bin/sh", "-c", "cat; echo $A $B $PWD; echo wrong >&2"),
                                    "web", b"words\n")
    assert (code, out, err) == (0, "words\njail visitor /usr\n", "wrong\n")


def test_a_terminal_is_the_jails_own(pod, client):
    client.run(pod.words(*SLEEP), "web")
    pid, master = client.exec(pod.words("--", "/bin/sh", "-c", "tty; stty size; read line; echo got $line; ps -o tty= -p $$"), "web", EXEC_TERMINAL, (33, 77))
    os.write(master, b"hello\n")
    assert client.ended() == 0
    text = b""
    try:
        while part := os.read(master, 4096):
            text += part
    except OSError:
        pass
    os.close(master)
    assert b"/dev/pts/" in text and b"33 77" in text and b"got hello" in text and b"pts/" in text.split(b"got hello")[1]


def test_a_terminal_that_is_closed_hangs_up(pod, client):
    client.run(pod.words(*SLEEP), "web")
    pid, master = client.exec(pod.words("--", "/bin/sleep", "99"), "web", EXEC_TERMINAL)
    os.close(master)
    assert client.ended() == 128 + signal.SIGHUP


def test_it_ends_with_its_client_and_the_jail_stays(pod, client):
    client.run(pod.words(*SLEEP), "web")
    visitor = pod.client()
    pid, _ = visitor.exec(pod.words("--", "/bin/sleep", "98"), "web")
    assert is_alive(pid)
    visitor.close()
    await_true(lambda: not is_alive(pid))
    assert client.status("web")["state"] == "running"


def test_one_that_is_left_alone_goes_on_without_its_client(pod, client):
    client.run(pod.words(*SLEEP), "web")
    visitor = pod.client()
    pid, _ = visitor.exec(pod.words("--", "/bin/sleep", "97"), "web", EXEC_ALONE)
    visitor.close()
    time.sleep(0.2)
    assert is_alive(pid)
    client.about("KILL", "web")
    await_true(lambda: not is_alive(pid))


def test_a_signal_of_the_visitor_goes_to_its_own_program(pod, client):
    client.run(pod.words(*SLEEP), "web")
    visitor = pod.client()
    ready, out = os.pipe()
    visitor.exec(pod.words("--", "/bin/sh", "-c", "trap 'exit 9' TERM; echo set; while :; do sleep 0.05; done"), "web", fds=(0, out, 2))
    assert os.read(ready, 4) == b"set\n"
    os.close(ready)
    os.close(out)
    visitor.say("SIGNAL", struct.pack("=64sII", b"", signal.SIGTERM, 1))
    assert visitor.ended() == 9
    assert client.status("web")["state"] == "running"


def test_the_jails_end_ends_it(pod, client):
    client.run(pod.words(*SLEEP), "web")
    visitor = pod.client()
    pid, _ = visitor.exec(pod.words("--", "/bin/sleep", "96"), "web")
    client.about("KILL", "web")
    assert visitor.ended() == 137
    assert not is_alive(pid)


def test_no_descriptor_of_the_keeper_is_inside(pod, client):
    client.run(pod.words(*SLEEP), "web")
    code, out, _ = client.execute(pod.words("--", "/bin/ls", "/proc/self/fd"), "web")
    assert code == 0 and out.split() == ["0", "1", "2", "3"]


def links_of(pid):
    """What its descriptors are, but for which of the sockets; they come and go meanwhile."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/{pid}/fd/{name}").split(":[")[0])
    return collections.Counter(links)


def test_many_at_once_and_nothing_is_left(pod, client):
    client.run(pod.words(*SLEEP), "web")
    words = pod.words("--", "/bin/sh", "-c", "echo x")
    assert client.execute(words, "web")[0] == 0
    visitors = [pod.client() for _ in range(20)]
    null = os.open("/dev/null", os.O_RDWR)
    keeper = await_processes(client, 2, 1)
    open_before = await_rest(lambda: links_of(keeper))
    for _ in range(5):
        for visitor in visitors:
            visitor.exec(words, "web", fds=(null, null, null))
        for visitor in visitors:
            assert visitor.ended() == 0
    await_processes(client, 2, 1)
    await_true(lambda: not links_of(keeper) - open_before, lambda: f"left open: {links_of(keeper) - open_before}")
    os.close(null)


def test_the_keepers_descriptors_do_not_count_against_the_jails_limit(pod, client):
    client.run(pod.words("--rlimit", "nofile=64", *SLEEP), "web")
    others = [pod.client() for _ in range(60)]
    assert len(os.listdir(f"/proc/{client.pid()}/fd")) > 64, "the control: the keeper has more than the jail may have"
    code, out, err = client.execute(pod.words("--", "/bin/sh", "-c", "ulimit -n; ls /proc/self/fd | wc -l"), "web")
    assert (code, out.split()) == (0, ["64", "4"]), err
    _, master = client.exec(pod.words("--", "/bin/true"), "web", EXEC_TERMINAL)
    assert client.ended() == 0
    os.close(master)
    assert all(other.status("web")["state"] == "running" for other in others)


def test_a_file_is_opened_as_the_jails_user_and_inside(pod, client):
    client.run(pod.words("--", "/bin/sh", "-c", "echo inside > /tmp/report; ln -s /etc/hostname /tmp/link; ln -s /etc/shadow /tmp/shadow; mkfifo /tmp/fifo; echo ready; sleep 1000"), "web")
    late = pod.client()
    late.attach("web")
    late.hear_until(b"ready\n")
    fd = client.open("/tmp/report")
    assert os.read(fd, 100) == b"inside\n"
    os.close(fd)
    fd = client.open("/tmp/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    os.write(fd, b"brought")
    os.close(fd)
    code, out, _ = client.execute(pod.words("--", "/bin/sh", "-c", "cat /tmp/new; stat -c ' %a %U' /tmp/new"), "web")
    assert (code, out) == (0, "brought 640 user\n")
    for path, flags in (("/tmp/shadow", 0), ("/tmp/fifo", 0), ("/usr/new", os.O_WRONLY | os.O_CREAT), ("/tmp/none", 0), ("/etc/passwd", os.O_WRONLY)):
        with pytest.raises(Refused):
            client.open(path, flags, 0o600)
    with pytest.raises(Refused):
        client.open("/tmp/report", os.O_TMPFILE)
    with pytest.raises(Refused):
        client.open("tmp/report")


def test_a_link_of_the_jails_making_leads_nowhere_else(keep):
    secret = pathlib.Path(keep.folder) / "secret"
    secret.write_text("of the host", encoding="ascii")
    secret.chmod(0o644)
    keep.folder.chmod(0o755)
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words("--", "/bin/sh", "-c", f"ln -s {secret} /tmp/a; ln -s /proc/1/root{secret} /tmp/b; echo ready; sleep 1000"), "web")
    late = pod.client()
    late.attach("web")
    late.hear_until(b"ready\n")
    assert secret.read_text(encoding="ascii") == "of the host"
    for path in ("/tmp/a", "/tmp/b"):
        with pytest.raises(Refused):
            client.open(path)


WATCHER = r"""
import os, signal, json
seen, known, is_over = set(), set(os.listdir("/proc")), []
signal.signal(signal.SIGTERM, lambda number, frame: is_over.append(number))
print("ready", flush=True)
while not is_over:
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid in known:
            continue
        for what in ("mem", "environ", "exe", "cwd", "root", "fd", "maps"):
            path = f"/proc/{pid}/{what}"
            try:
                if what in ("exe", "cwd", "root"):
                    found = os.readlink(path)
                elif what == "fd":
                    found = " ".join(sorted(os.readlink(f"{path}/{n}") for n in os.listdir(path)))
                else:
                    found = " ".join(sorted({w for w in open(path, "rb").read().decode(errors="replace").replace("\0", " ").split() if "/" in w or "=" in w})) if what != "mem" else (os.close(os.open(path, os.O_RDONLY)) or "opened")
                if (what, found) == ("exe", "/usr/bin/sleep") and (what, found) not in seen:
                    print("sleep", flush=True)
                seen.add((what, found))
            except OSError:
                pass
print(json.dumps(sorted(seen)))
"""


def test_the_jail_never_sees_the_launcher_in_who_enters(pod, client):
    """A program of the same user, with nothing of immure's filters in the way, looks at whatever appears as fast as it can.
    To open mem, environ or maps takes the same right as to trace. ptrace(2), "Ptrace access mode checking" """
    client.run(pod.words("--seccomp", "off", "--landlock", "off", "--", "/usr/bin/python3", "-c", WATCHER), "web")
    late = pod.client()
    late.attach("web")
    words = pod.words("--seccomp", "off", "--landlock", "off", "--", "/bin/sleep", "0.01")
    visitor = pod.client()
    null = os.open("/dev/null", os.O_RDWR)
    late.hear_until(b"ready\n")
    count, deadline = 0, time.monotonic() + PATIENCE
    while count < 100 or (client.status("web")["output_bytes"] < len("ready\nsleep\n") and time.monotonic() < deadline):
        visitor.exec(words, "web", fds=(null, null, null))
        assert visitor.ended() in (0, 137, 128 + 19)
        count += 1
    client.signal("web", signal.SIGTERM)
    word, seen = late.output()[0][1].decode().split("\n", 1)
    assert word == "sleep", "the control: it was fast enough to see the program"
    seen = json.loads(seen)
    os.close(null)
    for what, found in seen:
        text = json.dumps(found)
        assert "immure" not in text and "socket:" not in text and "seqpacket" not in text.lower(), (what, found)
        if what == "root":
            assert found == "/"


LONG = f"1234.{os.getpid()}" # others may run these tests as well
DAEMON = f"setsid sh -c 'setsid sleep {LONG} & exec sleep {LONG}' </dev/null >/dev/null 2>&1 & sleep 0.2"


def are_asleep(seconds):
    """On the whole machine, by their words: they leave their parents, their groups and the keeper."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and f"sleep\0{seconds}\0".encode() in pathlib.Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
    return found


def sleepers():
    return are_asleep(LONG)


# In a PID namespace of its own what a program leaves behind lives as long as the jail; elsewhere it ends with that program.
@pytest.mark.parametrize("end", ["removed", "killed"])
@pytest.mark.parametrize("options, stays", [((), True), (("--pidns", "host", "--proc", "bind"), False),
                                            (("--pidns", "host", "--proc", "bind", "--landlock", "off"), False)])
def test_nothing_that_it_leaves_behind_outlives_the_jail(keep, options, stays, end):
    if keep.uid and "--landlock" in options:
        pytest.skip("the combination is refused")
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*options, *SLEEP), "web")
    before = set(sleepers())
    visitor = pod.client()
    visitor.exec(pod.words("--", "/bin/sh", "-c", DAEMON + "; sleep 100"), "web", fds=(0, 1, 2))
    await_true(lambda: len(set(sleepers()) - before) >= 2)
    left = set(sleepers()) - before
    visitor.close()
    if stays:
        time.sleep(0.3)
        assert len(left & set(sleepers())) == 2, "the control: they live beside the jail's program"
    else:
        await_true(lambda: not left & set(sleepers()))
    assert client.execute(pod.words("--", "/bin/sh", "-c", DAEMON), "web")[0] == 0
    await_true(lambda: bool(set(sleepers()) - before) == stays)
    visitor = pod.client()
    visitor.exec(pod.words("--", "/bin/sh", "-c", DAEMON + "; sleep 100"), "web", fds=(0, 1, 2))
    await_true(lambda: len(set(sleepers()) - before) >= 2)
    if end == "removed":
        client.remove("web", True)
    else:
        os.kill(client.pid(), signal.SIGKILL)
    await_true(lambda: not set(sleepers()) - before)


@pytest.mark.parametrize("number", [0, 1], ids=["first", "next"])
def test_what_a_program_leaves_in_its_own_group_stays_too(pod, client, number):
    """However soon whoever let it in has gone: the first is let in by a helper that goes, the next by one that has waited."""
    client.run(pod.words(*SLEEP), "web")
    if number:
        assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
        await_helpers(client.pid())
    before = set(sleepers())
    assert client.execute(pod.words("--", "/bin/sh", "-c", f"sleep {LONG} > /dev/null 2>&1 & sleep 0.5"), "web")[0] == 0
    time.sleep(0.3)
    assert len(set(sleepers()) - before) == 1
    client.remove("web", True)
    await_true(lambda: not set(sleepers()) - before)


# CVE-2019-5736: who gets hold of immure's executable by /proc could write to it, should its user be the owner.
LOOK = r"""
import os, signal
found, is_over = set(), []
signal.signal(signal.SIGTERM, lambda number, frame: is_over.append(number))
print("ready", flush=True)
while not is_over:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                fd = os.open(f"/proc/{name}/exe", os.O_PATH)
            except OSError:
                continue
            file = os.fstat(fd).st_ino
            if file not in found:
                print(file, flush=True)
            found.add(file)
            os.close(fd)
"""


def test_nobody_inside_gets_hold_of_immures_executable(pod, client):
    client.run(pod.words("--landlock", "off", "--seccomp", "off", "--", "/usr/bin/python3", "-c", LOOK), "web")
    late = pod.client()
    late.attach("web")
    late.hear_until(b"ready\n")
    program, words, log = os.stat("/bin/sleep").st_ino, pod.words("--", "/bin/sleep", "0.01"), pod.folder / "jails" / "web" / "log"
    count, deadline = 0, time.monotonic() + PATIENCE
    while count < 150 or (f" {program}\n" not in log.read_text(encoding="utf-8") and time.monotonic() < deadline):
        assert client.execute(words, "web")[0] == 0
        count += 1
    client.signal("web", signal.SIGTERM)
    found = {int(word) for word in late.output()[0][1].split()}
    assert program in found, "the control: the programs themselves are found"
    ours = os.stat(f"/proc/{client.pid()}/exe").st_ino
    assert ours not in found


@pytest.mark.parametrize("landlock", ["auto", "off"])
def test_a_script_cannot_make_who_enters_execute_itself(pod, client, landlock):
    make = "printf '#!/proc/self/exe\\n' >/tmp/script; chmod 755 /tmp/script; ln -s /proc/self/exe /tmp/link; echo ready; sleep 1000"
    client.run(pod.words("--landlock", landlock, "--", "/bin/sh", "-c", make), "web")
    late = pod.client()
    late.attach("web")
    assert late.hear()[1][4:] == b"ready\n"
    for _ in range(2): # the second time, a helper waits
        for program in ("/tmp/script", "/tmp/link", "/proc/self/exe"):
            with pytest.raises(Refused) as refused:
                client.execute(pod.words("--", program), "web")
            assert refused.value.identifier == ("E-EXEC-DENIED" if landlock == "auto" else "E-EXEC-MAGIC"), program
        assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
        await_helpers(client.pid())
