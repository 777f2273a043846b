# SPDX-License-Identifier: Apache-2.0
"""Programs in a jail that wish those ill who enter it: they get nothing of the keeper's, and hold up nobody but themselves."""
import fcntl
import contextlib
import os
import pathlib
import shutil
import signal
import struct
import time

import pytest

from conftest import await_processes, await_true, descendants, is_alive, state_of
from keeper import PATIENCE, Refused, children_of, status_of

SLEEP = ("--", "/bin/sleep", "1000")
# Nothing of immure's but namespaces and ids stands in the way.
BARE = ("--seccomp", "off", "--landlock", "off")
INSIDE = "/hostile"


@pytest.fixture
def hostile(keep):
    """Its folder, and options that show it inside."""
    keep.folder.chmod(0o755)
    folder = pathlib.Path(keep.folder) / "hostile"
    folder.mkdir()
    folder.chmod(0o755)
    shutil.copy2(keep.executables / "hostile", folder / "hostile")
    return ("--ro", f"{folder}:{INSIDE}")


def open_files(pid):
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{number}").split(":[")[0])
        except FileNotFoundError:
            pass
    return sorted(found)


def null():
    return os.open("/dev/null", os.O_RDWR)


def start_enters(pod, words, count, open_too=False):
    """Clients that are on their way in."""
    visitors = []
    for number in range(count):
        visitor = pod.client()
        if open_too and number % 2:
            visitor.say("OPEN", struct.pack("=64sII", b"web", 0, 0) + b"/etc/passwd")
        else:
            memory = os.memfd_create("words", os.MFD_ALLOW_SEALING)
            os.write(memory, words)
            fcntl.fcntl(memory, 1033, 15)
            visitor.say("EXEC", struct.pack("=64sIIHH4x", b"web", 0, 0, 0, 0), [memory, *[null()] * 3])
            os.close(memory)
        visitors.append(visitor)
    return visitors


def is_on_the_way(pid):
    """It has not yet executed its program."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").startswith("immure")
    return False


def stopped_on_the_way(pod, keeper):
    """Visitors of whom some are stopped, and these. The program must be on a processor when they come."""
    deadline = time.monotonic() + PATIENCE
    words = pod.words("--", "/bin/true")
    while time.monotonic() < deadline:
        visitors = start_enters(pod, words, 6, True)
        for _ in range(50):
            stopped = [pid for pid in descendants(keeper) if state_of(pid) == "T" and is_on_the_way(pid)]
            if stopped:
                return visitors, stopped
            time.sleep(0.01)
        for visitor in visitors:
            visitor.close()
    pytest.fail("the control: it is fast enough to stop them")


def test_who_is_stopped_on_the_way_in_holds_up_nobody(keep, hostile):
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*BARE, *hostile, "--", f"{INSIDE}/hostile", "stop"), "web")
    client.run(pod.words(*SLEEP), "other")
    keeper = client.pid()
    assert client.execute(pod.words("--", "/bin/echo", "well"), "other")[1] == "well\n"
    first, = start_enters(pod, pod.words("--", "/bin/true"), 1)
    time.sleep(0.3)
    first.close()
    await_processes(client, 4, 2) # of each jail init and program, and a helper
    files = open_files(keeper)
    visitors, stopped = stopped_on_the_way(pod, keeper)
    assert client.execute(pod.words("--", "/bin/echo", "well"), "other")[1] == "well\n"
    for visitor in visitors:
        visitor.close()
    await_processes(client, 4, 2)
    await_true(lambda: open_files(keeper) == files)
    left = start_enters(pod, pod.words("--", "/bin/true"), 4)
    time.sleep(0.3)
    client.settle() # it has heard them
    client.about("KILL", "web")
    for visitor in left:
        try:
            visitor.hear()
        except Refused as refused:
            assert "killed on the way" in refused.text
    client.remove("web")
    await_true(lambda: not [pid for pid in stopped if is_alive(pid)])
    assert client.execute(pod.words("--", "/bin/echo", "well"), "other")[1] == "well\n"


def test_who_is_stopped_on_the_way_in_is_given_up(keep, hostile):
    if not keep.uid:
        pytest.skip("once is enough: it takes its time")
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*BARE, *hostile, "--", f"{INSIDE}/hostile", "stop"), "web")
    visitors, _ = stopped_on_the_way(pod, client.pid())
    told = []
    for visitor in visitors:
        try:
            visitor.hear()
        except Refused as refused:
            told.append(refused.text)
    assert [text for text in told if "kept from going on" in text], told


def test_no_one_enters_a_paused_jail(pod, client):
    client.run(pod.words(*SLEEP), "web")
    client.about("PAUSE", "web")
    for enter in (lambda: client.exec(pod.words("--", "/bin/true"), "web"), lambda: client.open("/etc/passwd", name="web")):
        with pytest.raises(Refused) as refused:
            enter()
        assert "paused" in refused.value.text
    client.about("RESUME", "web")
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0


def hear_lines(client, seconds):
    """What was written meanwhile."""
    written = b""
    client.socket.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while True:
            written += client.hear()[1][4:]
    client.socket.settimeout(PATIENCE)
    return written


@pytest.mark.parametrize("rights", [(), ("--user", "root", "--cap-add", "all"), ("--user", "root", "--cap-add", "all", "--nested-userns"),
                                    ("--pidns", "host", "--proc", "bind")])
def test_nothing_is_to_be_had_of_who_enters(keep, hostile, rights):
    """The program looks only at what has not yet executed anything of the jail's: so whatever is found is the keeper's."""
    pod = keep.pod()
    client = pod.client()
    if "host" in rights and keep.uid:
        pytest.skip("a jail of the same user, in the same PID namespace, may see all that it has")
    client.run(pod.words(*BARE, *rights, *hostile, "--", f"{INSIDE}/hostile", "peek"), "web")
    late = pod.client()
    late.attach("web")
    words = pod.words("--", "/bin/true")
    visitors = [pod.client() for _ in range(4)]
    count, written, deadline = 0, b"", time.monotonic() + PATIENCE
    while count < 400 or (b"met" not in written and time.monotonic() < deadline):
        for visitor in visitors:
            visitor.exec(words, "web", fds=(0, 1, 2))
            count += 1
        for visitor in visitors:
            assert visitor.ended() in (0, 137)
        written += hear_lines(late, 0.001)
    client.signal("web", signal.SIGTERM)
    lines = (written + late.output()[0][1]).decode().splitlines()
    assert int(lines[-1].removeprefix("met ")) > 0, "the control: it has met them"
    assert [line for line in lines if not line.startswith("met ")] == []


def test_the_one_that_looks_can_see(keep, hostile):
    """The control of the test above: of a program that may be read it gets everything. It goes on tracing one that is dead, which
    nobody else can reap then: the keeper goes on all the same."""
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*SLEEP), "other")
    client.run(pod.words(*BARE, *hostile, "--", f"{INSIDE}/hostile", "look"), "web")
    late = pod.client()
    late.attach("web")
    wanted = {b"mem", b"environ", b"maps", b"fd", b"exe", b"cwd", b"root", b"memory", b"getfd", b"seize"}
    visitors, written, deadline = [], b"", time.monotonic() + PATIENCE
    while not wanted <= (roads := {line.split()[0] for line in written.splitlines()}) and time.monotonic() < deadline:
        visitors.append(pod.client())
        visitors[-1].exec(pod.words("--", "/bin/sleep", "0.2"), "web", fds=(0, 1, 2))
        written += hear_lines(late, 0.5)
    assert wanted <= roads, roads
    assert client.execute(pod.words("--", "/bin/echo", "well"), "other")[1] == "well\n"
    assert client.status("web")["state"] == "running"
    client.signal("web", signal.SIGTERM)
    for visitor in visitors:
        assert visitor.ended() in (0, 137)


LINKS = "for n in $(seq 0 60); do ln -s /proc/self/fd/$n /tmp/l$n; done; ln -s /proc/self/root /tmp/root; ln -s /proc/self/cwd /tmp/cwd; echo ready; sleep 1000"


@pytest.mark.parametrize("options", [(), ("--pidns", "host", "--proc", "bind")])
def test_links_to_descriptors_of_who_enters_lead_nowhere(keep, options):
    """CVE-2024-21626: where the jail has the host's PID namespace, /proc/self is the helper that fetches, or enters."""
    pod = keep.pod()
    client = pod.client()
    bare = () if keep.uid and options else BARE # the combination is refused
    client.run(pod.words(*bare, *options, "--", "/bin/sh", "-c", LINKS), "web")
    late = pod.client()
    late.attach("web")
    assert late.hear()[1][4:] == b"ready\n"
    for name in [*(f"l{number}" for number in range(61)), "root", "cwd"]:
        for path in (f"/tmp/{name}", f"/tmp/{name}/", f"/tmp/{name}/../pod.json", f"/tmp/{name}/lock"):
            with pytest.raises(Refused):
                client.open(path, name="web")
        with pytest.raises(Refused):
            client.open(f"/tmp/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600, name="web")
        try:
            code, out, _ = client.execute(pod.words("--workdir", f"/tmp/{name}", "--", "/bin/sh", "-c", "/bin/pwd; ls -id . /proc/self/cwd/."), "web")
        except Refused:
            continue
        assert code == 0 and out.startswith("/\n"), (name, out)
    fd = client.open("/tmp", os.O_DIRECTORY, name="web")
    assert "l1" in os.listdir(fd)
    os.close(fd)


def test_deep_and_circular_links_are_refused(keep):
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words("--", "/bin/sh", "-c", "cd /tmp; ln -s a b; ln -s b a; echo x > f0; for n in $(seq 1 60); do ln -s f$((n-1)) f$n; done; "
                         "truncate -s 1000000000000 huge; mkfifo p; echo ready; sleep 1000"), "web")
    late = pod.client()
    late.attach("web")
    assert late.hear()[1][4:] == b"ready\n"
    for path in ("/tmp/a", "/tmp/f60", "/tmp/p", "/dev/null", "/dev/zero", "/tmp/" + "x" * 300, "/" + "a/" * 2000):
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
            with pytest.raises(Refused): # and not waited for
                client.open(path, flags, name="web")
    os.close(client.open("/tmp/f30", name="web"))
    os.close(client.open("/tmp/huge", name="web"))


def test_children_that_a_program_gives_to_the_keeper_hold_up_nobody(keep, hostile):
    """Who executes a program in a jail is its parent, and so that of whom it bears by CLONE_PARENT. clone(2)"""
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*hostile, *SLEEP), "web")
    keeper = client.pid()

    def given():
        """Letters of their states."""
        return sorted(state_of(pid) for pid in children_of(keeper) if status_of(pid).get("Name") == "hostile")
    for _ in range(3):
        assert client.execute(pod.words("--", f"{INSIDE}/hostile", "siblings", "8"), "web")[0] == 0
    await_true(lambda: given() == ["S"] * 12) # the control: those that live are its children; those that have ended are reaped
    assert client.execute(pod.words("--", "/bin/echo", "hello"), "web")[:2] == (0, "hello\n")
    client.remove("web", force=True) # its PID namespace ends when all in it are reaped
    await_true(lambda: not is_alive(keeper))


def test_more_of_them_than_one_turn_reaps(keep, hostile):
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*hostile, *SLEEP), "web")
    keeper = client.pid()
    assert client.execute(pod.words("--", f"{INSIDE}/hostile", "siblings", "400"), "web")[0] == 0
    await_true(lambda: [state_of(pid) for pid in children_of(keeper)].count("Z") == 0)
    client.remove("web", force=True)
    await_true(lambda: not is_alive(keeper))
