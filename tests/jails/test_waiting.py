# SPDX-License-Identifier: Apache-2.0
"""A helper that waits for the next program is seen by nobody in the jail, and whatever becomes of it, the next program is executed."""
import ctypes
import os
import pathlib
import signal
import struct
import time

import pytest

from conftest import await_helpers, await_processes, await_true, descendants, groups_called, helpers_that_wait, is_alive, status_of
from keeper import VERSION, Client, Refused

SLEEP = ("--", "/bin/sleep", "1000")


def begin(pod, client, *options):
    """A jail in which a helper waits: the keeper and that."""
    client.run(pod.words(*options, *SLEEP), "web")
    keeper = client.pid()
    assert not helpers_that_wait(keeper), "nobody has asked for anything yet"
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
    return keeper, await_helpers(keeper)[0]


def echo(pod, client, *words):
    return client.execute(pod.words("--", "/bin/echo", *words), "web")


def test_the_next_program_enters_by_it(pod, client):
    keeper, helper = begin(pod, client)
    assert echo(pod, client, "hello", "you") == (0, "hello you\n", "")
    await_true(lambda: not is_alive(helper))  # it was used
    assert await_helpers(keeper) != [helper]


# tiny forbids what a helper does to let somebody in; strict what one did that opened its child's pidfd itself.
@pytest.mark.parametrize("profile, mode", [("default", "2"), ("strict", "2"), ("tiny", "0"), ("off", "0")])
def test_it_waits_behind_the_jails_filter_where_that_lets_it_work(pod, client, profile, mode):
    keeper, helper = begin(pod, client, "--seccomp", profile)
    assert status_of(helper)["Seccomp"] == mode
    status = dict(line.split(":\t", 1) for line in client.execute(pod.words("--", "/bin/cat", "/proc/self/status"), "web")[1].splitlines())
    await_true(lambda: not is_alive(helper))  # it was used
    filters = "0" if profile == "off" else "1"
    assert (status["Seccomp"], status["Seccomp_filters"]) == ("2" if filters == "1" else "0", filters), "the filter is there, and once"
    assert status["NoNewPrivs"] == "1"
    assert client.execute(pod.words("--", "/bin/cat", "/proc/self/status"), "web")[0] == 0
    assert await_helpers(keeper)


@pytest.mark.parametrize("action, code", [("errno", 1), ("kill", 128 + signal.SIGSYS)])
def test_what_the_filter_denies_is_answered_as_ever(pod, client, action, code):
    keeper, helper = begin(pod, client, "--seccomp", "default", "--seccomp-action", action)
    for _ in range(2):
        assert status_of(helper)["Seccomp"] == "2", "the control: the filter came with it"
        assert client.execute(pod.words("--", "/usr/bin/unshare", "--user", "/bin/true"), "web")[0] == code
        await_true(lambda: not is_alive(helper))
        helper = await_helpers(keeper)[0]
    assert client.execute(pod.words("--", "/usr/bin/unshare", "--fork", "/bin/true"), "web")[0] == 0, "the control"


def test_it_does_not_stay_as_long_as_the_program(pod, client):
    keeper, helper = begin(pod, client)
    visitor = pod.client()
    program, _ = visitor.exec(pod.words("--", "/bin/sleep", "100"), "web", fds=[os.open("/dev/null", os.O_RDWR)] * 3)
    await_true(lambda: not is_alive(helper))
    assert is_alive(program)
    assert client.execute(pod.words("--", "/bin/echo", "hello"), "web")[:2] == (0, "hello\n")
    await_helpers(keeper)
    assert is_alive(program)
    visitor.close()
    await_true(lambda: not is_alive(program))


@pytest.mark.parametrize("pause", [0, 0.3])
def test_with_its_client_goes_what_the_program_began_however_soon(pod, client, pause):
    keeper, _ = begin(pod, client)
    visitor, (ours, theirs) = pod.client(), os.pipe()
    program, _ = visitor.exec(pod.words("--", "/bin/sh", "-c", "sleep 100 & echo $!; wait"), "web", fds=[theirs] * 3)
    assert os.read(ours, 20), "the control: it has begun"
    began = [pid for pid in descendants(keeper) if status_of(pid).get("NSsid", "").split()[:1] == [str(program)]]
    assert len(began) == 2
    time.sleep(pause)
    visitor.close()
    await_true(lambda: not any(map(is_alive, began)))


@pytest.mark.parametrize("is_held_up", [False, True])
def test_who_greets_and_asks_at_once_is_answered_in_that_order_and_before_long(pod, client, is_held_up):
    _, helper = begin(pod, client)
    if is_held_up:
        os.kill(helper, signal.SIGSTOP)
    visitor, null = Client(pod.folder, hello=False), os.open("/dev/null", os.O_RDWR)
    visitor.say("HELLO", struct.pack("=II", VERSION, 0), [os.open(pod.folder / "lock", os.O_RDWR)])
    visitor.say("EXEC", struct.pack("=64s16x", b"web") + b"/bin/true\0", [null] * 3)
    assert visitor.hear()[0] == "OK"
    if is_held_up:
        visitor.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            visitor.hear()
        visitor.socket.settimeout(10)
        os.kill(helper, signal.SIGCONT)
    assert visitor.hear()[0] == "STARTED"
    assert visitor.ended() == 0


def test_nobody_inside_sees_it_or_has_less_because_of_it(keep):
    pod = keep.pod()
    client = pod.client()
    _, helper = begin(pod, client)
    assert status_of(helper)["NSpid"].split() == [str(helper)], "it is outside the jail's PID namespace"
    names = client.execute(pod.words("--workdir", "/", "--", "/bin/sh", "-c", "cat /proc/[0-9]*/comm"), "web")[1].split()
    assert is_alive(helper), "the control: it waited meanwhile"
    assert sorted(names) == ["immure", "sh", "sleep"], "the one of immure's is init"


def test_it_has_given_everything_away(keep):
    pod = keep.pod()
    client = pod.client()
    _, helper = begin(pod, client)
    status, program = status_of(helper), status_of(next(pid for pid in descendants(client.pid()) if status_of(pid).get("Name") == "sleep"))
    assert [status[key] for key in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd")] == ["0" * 16] * 5
    assert status["Uid"] == program["Uid"] and status["Gid"] == program["Gid"] and status["Groups"] == program["Groups"]
    assert os.stat(f"/proc/{helper}/fd").st_uid == 0, "it is undumpable"
    if os.geteuid() == 0:
        links = [os.readlink(f"/proc/{helper}/fd/{number}") for number in os.listdir(f"/proc/{helper}/fd")]
        assert not [link for link in links if link.startswith("/") and link not in ("/", "/dev/null")], links


@pytest.mark.parametrize("limit", [("--rlimit", "nproc=50"), ("--pids", "50")])
def test_there_is_none_where_processes_are_few(pod, client, limit):
    try:
        client.run(pod.words(*limit, *SLEEP), "web")
    except Refused as refused:
        pytest.skip(refused.text)
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
    keeper = await_processes(client, 2) # who let the program in is gone: now the next would be made
    assert len(descendants(keeper)) == 3 and not helpers_that_wait(keeper), "test_the_next_program_enters_by_it is the control"


def test_it_is_in_the_jails_groups_and_they_go_with_it(pod, client):
    try:
        client.run(pod.words("--memory", "64M", *SLEEP), "web")
    except Refused as refused:
        pytest.skip(refused.text)
    keeper = client.pid()
    own = pathlib.Path(f"/proc/{keeper}/cgroup").read_text(encoding="utf-8")
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
    helper = await_helpers(keeper)[0]
    groups = pathlib.Path(f"/proc/{helper}/cgroup").read_text(encoding="utf-8")
    program = next(pid for pid in descendants(keeper) if status_of(pid).get("Name") == "sleep")
    assert groups == pathlib.Path(f"/proc/{program}/cgroup").read_text(encoding="utf-8") != own, "the control: the jail has groups of its own"
    names = {name for name in groups.replace("/", "\n").splitlines() if name.startswith("immure-")}
    assert names and names <= {os.path.basename(path) for path in groups_called(names.__contains__)}
    client.about("KILL", "web")
    client.remove("web")
    await_true(lambda: not groups_called(names.__contains__))


IN_ACCESS, IN_MODIFY = 1, 2


def watch(paths):
    """A descriptor that has something to read once one of PATHS is read or written. inotify(7)"""
    libc = ctypes.CDLL(None, use_errno=True)
    notes = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    for path in paths:
        assert libc.inotify_add_watch(notes, str(path).encode(), IN_ACCESS | IN_MODIFY) >= 0, path
    return notes


@pytest.mark.parametrize("was_used", [False, True])
def test_it_has_left_the_groups_when_they_go(pod, client, was_used):
    """Or their end would hang on how soon it dies: the keeper kills who is in them, but does not wait for long."""
    try:
        client.run(pod.words("--memory", "64M", *SLEEP), "web")
    except Refused as refused:
        pytest.skip(refused.text)
    assert client.execute(pod.words("--", "/bin/true"), "web")[0] == 0
    helper = await_helpers(await_processes(client, 2, 1))[0]
    names = set(pathlib.Path(f"/proc/{helper}/cgroup").read_text(encoding="utf-8").replace("/", "\n").splitlines())
    members = [pathlib.Path(path) / "cgroup.procs" for path in groups_called(lambda name: name.startswith("immure-") and name in names)]
    assert members and str(helper) in members[0].read_text(encoding="ascii").split(), "the control: it is in there"
    notes = watch(path for member in members for path in (member, member.with_name("cgroup.kill")) if path.exists())
    members[0].read_bytes()
    assert os.read(notes, 4096), "the control: who looks for somebody to kill is seen"
    if was_used:
        pod.client().exec(pod.words(*SLEEP), "web", fds=[os.open("/dev/null", os.O_RDWR)] * 3)
    client.about("KILL", "web")
    assert not any(path.exists() for path in members)
    if not was_used:  # otherwise the next may have been on its way in, which is written there
        with pytest.raises(BlockingIOError):
            while not notes_of_use(os.read(notes, 4096)):
                pass
    os.close(notes)


def notes_of_use(events):
    """How many of EVENTS are of that; others tell that a file is gone."""
    return sum(1 for _, mask, _, _ in struct.iter_unpack("=iIII", events) if mask & (IN_ACCESS | IN_MODIFY))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_was_killed_or_stopped_makes_nothing_fail(pod, client, number):
    _, helper = begin(pod, client)
    os.kill(helper, number)
    if number == signal.SIGKILL:
        await_true(lambda: not is_alive(helper))
    else:
        os.kill(helper, signal.SIGCONT)
    assert echo(pod, client, "hello")[:2] == (0, "hello\n")


def test_one_that_was_taken_is_not_followed_by_another_into_a_jail_that_has_ended(pod, client):
    """What that jail held is closed, and the memory of it free."""
    _, helper = begin(pod, client)
    os.kill(helper, signal.SIGSTOP)
    visitor = pod.client()
    visitor.say_exec(pod.words("--", "/bin/true"), "web")
    client.list() # the keeper has read what came before
    client.about("KILL", "web")
    with pytest.raises(Refused) as refused:
        visitor.hear()
    assert "killed on the way" in refused.value.text
    client.run(pod.words(*SLEEP), "other")
    assert client.execute(pod.words("--", "/bin/echo", "well"), "other")[1] == "well\n"


def test_it_ends_with_the_jail_and_with_the_keeper(keep):
    pod = keep.pod()
    client = pod.client()
    client.run(pod.words(*SLEEP), "other")
    keeper, helper = begin(pod, client)
    client.about("KILL", "web")
    assert not is_alive(helper), "it is gone before that is told"
    client.remove("web")
    assert client.execute(pod.words("--", "/bin/true"), "other")[0] == 0
    helper = await_helpers(keeper)[0]
    os.kill(keeper, signal.SIGKILL)
    await_true(lambda: not is_alive(helper))


def test_other_wishes_are_met_beside_it(pod, client):
    keeper, helper = begin(pod, client)
    assert client.execute(pod.words("--workdir", "/tmp", "--", "/bin/pwd"), "web")[1] == "/tmp\n"
    assert is_alive(helper), "it is not for those"
    assert client.execute(pod.words("--env", "A=b c", "--", "/bin/sh", "-c", 'echo "$A"; pwd'), "web")[1] == "b c\n" + "/home/user\n"
    await_true(lambda: not is_alive(helper))
    await_helpers(keeper)
    with pytest.raises(Refused) as refused:
        echo_missing = pod.words("--", "/bin/nosuch")
        client.execute(echo_missing, "web")
    assert "execute /bin/nosuch" in refused.value.text and refused.value.identifier == "E-EXEC-MISSING"


def test_the_place_to_start_at_is_looked_at_again(pod, client):
    client.run(pod.words("--workdir", "/tmp/here", "--dir", "/tmp/here", "--", "/bin/sleep", "1000"), "web")
    assert client.execute(pod.words("--", "/bin/pwd"), "web")[1] == "/tmp/here\n"
    await_helpers(client.pid())
    assert client.execute(pod.words("--workdir", "/tmp", "--", "/bin/sh", "-c", "mv here there && mkdir here && touch here/new"), "web")[0] == 0
    await_helpers(client.pid())
    assert client.execute(pod.words("--", "/bin/sh", "-c", "pwd; ls"), "web")[1] == "/tmp/here\nnew\n"


@pytest.mark.parametrize("size", [10, 5000, 60000, 200000])
def test_long_words_arrive_whole(pod, client, size):
    begin(pod, client)
    words = [str(number) * 100 for number in range(size // 300)] + ["x" * min(size, 100000), ""]
    assert echo(pod, client, *words)[1] == " ".join(words) + "\n"


def test_a_script_without_a_first_line_is_refused_as_ever(pod, client):
    begin(pod, client)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            client.execute(pod.words("--", "/etc/passwd"), "web")
        assert "execute /etc/passwd" in refused.value.text


FREEZER, UNIFIED = "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/unified"


def test_one_that_nobody_came_for_in_a_paused_jail_holds_up_nobody(keep):
    """Version 1 keeps the frozen from dying, so who has been told to end may not be waited for: nobody else could let it go on."""
    if keep.uid or not all(map(os.path.ismount, (UNIFIED, FREEZER))):
        pytest.skip("needs root and both versions of cgroups")
    pod = keep.pod(prefix=["unshare", "-m", "sh", "-c", f'umount -l {UNIFIED} && exec "$@"', "sh"])
    client = pod.client()
    _, helper = begin(pod, client)
    assert client.about("PAUSE")[0] == "OK"
    assert client.status()["paused_by"] == "freezer"
    await_true(lambda: (int(status_of(helper)["ShdPnd"], 16) | int(status_of(helper)["SigPnd"], 16)) & 1 << signal.SIGKILL - 1)
    assert is_alive(helper), "the control: it has been told, and is there"
    assert client.about("RESUME")[0] == "OK"
    await_true(lambda: not is_alive(helper))
    assert echo(pod, client, "hello")[:2] == (0, "hello\n")
