# SPDX-License-Identifier: Apache-2.0
"""Jails that stay, by the command: each verb, what it refuses, and that names are told the truth."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import Command, reachable
from guard import mark
from patience import PATIENCE, Watched, await_rest, await_true
from test_roots import root  # noqa: F401

SLEEP = ("--", "sleep", "1000")


class Jails(Command):
    """The command, which remembers what it was told to start: others on this machine have jails too."""

    def __init__(self, immure):
        self.path, self.uid, self.jails, self.pods = immure.path, immure.uid, set(), set()

    def words(self, *words):
        words = [str(word) for word in words]
        if words[0] == "run" and "--name" in words:
            self.jails.add(words[words.index("--name") + 1])
        if words[:2] == ["pod", "create"]:
            self.pods.add(words[2])
        return super().words(*words)

    def run(self, *words, **options):
        done = super().run(*words, **options)
        if words[0] == "run" and "-d" in words and "--name" not in words and done.returncode == 0:
            self.jails.add(done.stdout.strip())
        return done

    def clear(self):
        """What was started goes; the names that would not."""
        left = set(names(self))
        for name in self.jails & left:
            self.run("rm", "--force", name)
        for name in self.pods:
            self.run("pod", "rm", "--force", name)
        return self.jails & set(names(self))


@pytest.fixture
def jails(immure):
    """The command; what it started is gone afterwards."""
    command = Jails(immure)
    yield command
    assert not command.clear()


def named(name):
    """A name that no other run of the tests gives."""
    return name + mark()


def names(immure):
    done = immure.run("ps", "--all", "--quiet")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(done, *parts, code=125):
    assert done.returncode == code, (done.stdout, done.stderr)
    for part in parts:
        assert part in done.stderr, done.stderr


def status(immure, name):
    """What is told of it; of one whose keeper is late as well, for ps waits for nobody long."""
    def told():
        jail = next(jail for jail in json.loads(ok(immure.run("ps", "--all", "--json"))) if jail["name"] == name)
        return jail if jail["state"] != "silent" else None

    return await_true(told, f"the keeper of {name} is silent")


def await_state(immure, name, state):
    await_true(lambda: status(immure, name)["state"] == state, lambda: status(immure, name))


def await_log(immure, name, text):
    await_true(lambda: text in immure.run("logs", name).stdout)


def test_one_that_is_started_goes_on_and_is_listed(jails):
    web = named("web")
    assert ok(jails.run("run", "-d", "--name", web, *SLEEP)) == f"{web}\n"
    line = next(line for line in ok(jails.run("ps")).splitlines() if line.startswith(f"{web} "))
    assert re.fullmatch(rf"{web} +{web} +running +\d+ +\S+s +\S+ +\S+ +- +- +sleep 1000", line)
    state = status(jails, web)
    assert state["command"] == ["sleep", "1000"] and state["pids"] >= 1 and state["memory_bytes"] > 0 and state["network"] == "own"
    assert ok(jails.run("rm", "-f", web)) == ""
    assert web not in names(jails)


def test_without_detach_the_exit_code_and_the_streams_are_the_programs(jails):
    once = named("once")
    done = jails.run("run", "--name", once, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert status(jails, once)["exit_code"] == 7
    ok(jails.run("rm", once))


def test_with_rm_nothing_stays_and_nothing_is_lost(jails):
    brief = named("brief")
    for i in range(10):
        done = jails.run("run", "--rm", "--name", brief, "--", "cat", input=f"{i}\n", stdin=None)
        assert (done.returncode, done.stdout) == (0, f"{i}\n")
    assert brief not in names(jails)


def test_a_program_that_is_missing_is_told_and_leaves_no_name(jails):
    none = named("none")
    refused(jails.run("run", "-d", "--name", none, "--", "/no/such"), "/no/such", "E-EXEC-MISSING", code=127)
    assert none not in names(jails)
    ok(jails.run("run", "-d", "--name", none, *SLEEP))


def test_names_are_made_up_and_taken_once(jails):
    made = {ok(jails.run("run", "-d", *SLEEP)).strip() for _ in range(3)}
    assert len(made) == 3 and made <= set(names(jails))
    one = made.pop()
    refused(jails.run("run", "-d", "--name", one, *SLEEP), "taken", "E-STATE-TAKEN")
    for bad in ("", "a/b", "-x", "a b", "x" * 64, ".."):
        refused(jails.run("run", "-d", f"--name={bad}", *SLEEP), "immure: ")


def test_of_two_starts_of_one_name_one_wins(jails):
    for i in range(5):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda _, name=named(f"race{i}"): jails.run("run", "-d", "--name", name, *SLEEP), range(4)))
        assert sorted(each.returncode for each in done) == [0, 125, 125, 125], [each.stderr for each in done]
        assert all("E-STATE-TAKEN" in each.stderr for each in done if each.returncode)


def test_thirty_at_once(jails):
    many = [named(f"many{i}") for i in range(30)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: jails.run("run", "-d", "--name", many[i], *SLEEP), range(30)))
    assert [each.returncode for each in done] == [0] * 30, [each.stderr for each in done]
    states = {jail["name"]: jail["state"] for jail in json.loads(ok(jails.run("ps", "--json")))}
    assert all(states[name] == "running" for name in many)
    ok(jails.run("rm", "--force", *many))
    assert not set(many) & set(names(jails))


@pytest.mark.parametrize("verb", ["attach", "logs", "pause", "resume", "stop", "kill", "wait", "rm", "inspect", "stats"])
def test_a_name_that_is_none_is_told_with_the_nearest(jails, verb):
    website, wrong = named("website"), named("websit")
    ok(jails.run("run", "-d", "--name", website, *SLEEP))
    refused(jails.run(verb, wrong), f'there is no jail "{wrong}"', website, "E-JAIL-UNKNOWN")
    refused(jails.run(verb, "../../etc"), "E-JAIL-UNKNOWN")


def test_of_others_nothing_is_seen(executables, immure):
    mine = named("mine")
    if immure.uid:
        pytest.skip("as root, of an ordinary user")
    other = type(immure)(executables, 65534)
    ok(immure.run("run", "-d", "--name", mine, *SLEEP))
    try:
        refused(other.run("stop", mine), "E-JAIL-UNKNOWN")
        assert mine not in names(other) and mine in names(immure)
    finally:
        ok(immure.run("rm", "-f", mine))


def test_exec_runs_beside_the_program_confined_as_it(jails):
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, "-e", "OF=jail", *SLEEP))
    inside = ok(jails.run("exec", "-e", "MINE=x y", "-C", "/tmp", web, "--", "sh", "-c", "id -u; pwd; echo $OF $MINE; cat /proc/1/comm; readlink /proc/self/ns/net"))
    uid, place, variables, first, network = inside.splitlines()
    outer = jails.run("run", "--", "id", "-u").stdout.strip()
    assert (uid, place, variables) == (outer, "/tmp", "jail x y")
    assert network != os.readlink("/proc/self/ns/net") and first
    refused(jails.run("exec", web, "--", "sh", "-c", "exit 9"), code=9)
    refused(jails.run("exec", web, "--", "/no/such"), "E-EXEC-MISSING", code=127)
    refused(jails.run("exec", web), "usage")
    done = jails.run("exec", web, "cat", input="not passed", stdin=None)
    assert (done.returncode, done.stdout) == (0, "")
    done = jails.run("exec", "-i", web, "cat", input="passed", stdin=None)
    assert (done.returncode, done.stdout) == (0, "passed")
    refused(jails.run("exec", web, "sh", "-c", "kill -TERM $$"), code=128 + signal.SIGTERM)
    ok(jails.run("rm", "-f", web)) # the failed one does not hold it up


def test_exec_refuses_what_run_refuses_and_in_its_words(jails):
    place = named("words")
    ok(jails.run("run", "-d", "--name", place, *SLEEP))
    for words, said, code in [(["-u", "nobody-of-here"], '--user: the jail\'s passwd file has no user "nobody-of-here"', 125),
                              (["-e", "=x"], '--env: "=x": a name must come before', 125),
                              (["-C", "tmp"], '--workdir: "tmp": the place inside must be an absolute path', 125)]:
        refused(jails.run("exec", *words, place, "true"), said, code=code)
        refused(jails.run("run", *words, "--", "true"), said, code=code)
    refused(jails.run("exec", place, ""), "the program's name is empty", code=127)
    refused(jails.run("run", "--", ""), "the program's name is empty", code=127)
    assert ok(jails.run("exec", "-e", "A=x", "-C", "/tmp", place, "sh", "-c", "echo $A; pwd")) == "x\n/tmp\n"


def test_who_waits_in_vain_is_told_so(jails):
    long = named("long")
    ok(jails.run("run", "-d", "--name", long, *SLEEP))
    refused(jails.run("wait", "--timeout", "10ms", long), f"waiting for {long}: the time is over", code=124)
    refused(jails.run("rm", long), "which is running", "E-JAIL-RUNNING")


def test_a_signal_reaches_what_exec_runs_and_not_the_jail(jails):
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, *SLEEP))
    child = subprocess.Popen(jails.words("exec", web, "--", "sh", "-c", "trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.05; done"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out, err) == (3, "got\n", "")
    assert status(jails, web)["state"] == "running"


def test_logs_by_stream_time_and_number(jails):
    talk = named("talk")
    ok(jails.run("run", "-d", "--name", talk, "--", "sh", "-c", "for i in 1 2 3; do echo out$i; done; echo err >&2; printf 'no end'; sleep 1000"))
    await_true(lambda: "no end" in (done := jails.run("logs", talk)).stdout and "err" in done.stderr)
    done = jails.run("logs", talk)
    assert (done.stdout, done.stderr) == ("out1\nout2\nout3\nno end", "err\n")
    assert ok(jails.run("logs", "--stream", "err", talk)) == "" and jails.run("logs", "--stream", "err", talk).stderr == "err\n"
    assert ok(jails.run("logs", "--tail", "2", "--stream", "out", talk)) == "out3\nno end"
    stamped = ok(jails.run("logs", "-t", talk)).splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out out1", stamped[0])
    assert ok(jails.run("logs", "--since", "2999-01-01", talk)) == ""
    assert "out1" in ok(jails.run("logs", "--since", "1h", talk))
    refused(jails.run("logs", "--since", "yesterday", talk), "no time")
    refused(jails.run("logs", "--tail", "many", talk), "no number")
    refused(jails.run("logs", "--stream", "both", talk), "neither")
    refused(jails.run("logs", "--tial", "1", talk), "did you mean \"--tail\"")


def test_logs_follow_until_the_end(jails):
    count = named("count")
    ok(jails.run("run", "-d", "--name", count, "--", "sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done"))
    assert ok(jails.run("logs", "--follow", count)) == "1\n2\n3\n4\n5\n"


def test_a_jail_without_a_log_says_so(jails):
    quiet = named("quiet")
    ok(jails.run("run", "-d", "--name", quiet, "--log-size", "none", "--", "sh", "-c", "echo x; sleep 1000"))
    refused(jails.run("logs", quiet), "has no log")


def test_pause_and_resume(jails):
    clock = named("clock")
    ok(jails.run("run", "-d", "--name", clock, "--", "sh", "-c", "while :; do echo x; sleep 0.02; done"))
    ok(jails.run("pause", clock))
    assert status(jails, clock)["state"] == "paused"

    def size():
        return len(ok(jails.run("logs", clock)))

    before = await_rest(size)
    refused(jails.run("pause", clock), f"{clock} is paused already")
    refused(jails.run("exec", clock, "true"), "which is paused", "E-JAIL-PAUSED")
    time.sleep(0.3)
    assert size() == before
    ok(jails.run("resume", clock))
    await_true(lambda: size() > before)
    refused(jails.run("resume", clock), f"{clock} is not paused")


def test_signals_stop_and_kill(jails):
    polite, other, deaf = named("polite"), named("other"), named("deaf")
    script = "trap 'echo usr' USR1; trap 'echo term; exit 5' TERM; trap 'echo int; exit 6' INT; echo ready; while :; do sleep 0.02; done"
    ok(jails.run("run", "-d", "--name", polite, "--", "sh", "-c", script))
    ok(jails.run("run", "-d", "--name", other, "--stop-signal", "INT", "--", "sh", "-c", script))
    ok(jails.run("run", "-d", "--name", deaf, "--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"))
    for name in (polite, other, deaf):
        await_log(jails, name, "ready")
    ok(jails.run("signal", polite, "USR1"))
    refused(jails.run("signal", polite, "SIGNONE"), "no signal")
    ok(jails.run("stop", "--time", "100s", polite))
    refused(jails.run("wait", polite), code=5)
    assert ok(jails.run("logs", polite)) == "ready\nusr\nterm\n"
    ok(jails.run("stop", "--time", "100s", other))
    refused(jails.run("wait", other), code=6)
    start = time.monotonic()
    ok(jails.run("stop", "--time", "300ms", deaf))
    assert time.monotonic() - start >= 0.3
    refused(jails.run("wait", deaf), code=128 + signal.SIGKILL)
    ok(jails.run("stop", deaf)) # it is as asked
    refused(jails.run("kill", deaf), "has ended")
    refused(jails.run("stop", "--time", "soon", deaf), "no time")
    refused(jails.run("run", "-d", "--stop-signal", "NONE", *SLEEP), "no signal")


def test_wait_waits(jails):
    later = named("later")
    ok(jails.run("run", "-d", "--name", later, "--", "sh", "-c", "until test -e /tmp/over; do sleep 0.05; done; exit 4"))
    with subprocess.Popen(jails.words("wait", later), cwd="/", stdin=subprocess.DEVNULL) as child:
        time.sleep(0.3)
        assert child.poll() is None
        ok(jails.run("exec", later, "touch", "/tmp/over"))
        assert child.wait(PATIENCE) == 4


def test_rm_takes_only_what_has_ended_unless_forced(jails):
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, *SLEEP))
    refused(jails.run("rm", web), "running")
    ok(jails.run("kill", web))
    assert status(jails, web)["state"] == "ended" and web not in ok(jails.run("ps"))
    ok(jails.run("rm", web))
    ok(jails.run("run", "-d", "--name", web, *SLEEP)) # its name is free at once


def test_the_truth_is_told_of_one_whose_keeper_was_killed(jails):
    orphan = named("orphan")
    ok(jails.run("run", "-d", "--name", orphan, "--", "sh", "-c", "echo before; sleep 1000"))
    await_log(jails, orphan, "before")
    state = status(jails, orphan)
    program = Watched(state["pid"])
    os.kill(state["keeper"], signal.SIGKILL)
    await_state(jails, orphan, "lost")
    program.await_end()
    assert ok(jails.run("logs", orphan)) == "before\n"
    refused(jails.run("exec", orphan, "true"), "E-JAIL-LOST")
    refused(jails.run("run", "-d", "--name", orphan, *SLEEP), "E-STATE-LOST")
    ok(jails.run("rm", orphan))
    ok(jails.run("run", "-d", "--name", orphan, *SLEEP))


def test_listening_ports_are_those_of_the_jails_own_network(jails):
    server = "import socket,time; s=socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print('at', s.getsockname()[1], flush=True); time.sleep(1000)"
    own, shared = named("own"), named("shared")
    for name, words in ((own, []), (shared, ["--net", "host"])):
        ok(jails.run("run", "-d", "--name", name, *words, "--", "/usr/bin/python3", "-c", server))
        await_log(jails, name, "at ")
    port = int(ok(jails.run("logs", own)).split()[1])
    assert status(jails, own)["ports"] == [port] and status(jails, shared)["ports"] == []


def test_what_a_command_says_cannot_steer_the_terminal(jails):
    evil = named("evil")
    ok(jails.run("run", "-d", "--name", evil, "--", "sh", "-c", "sleep 1000", "\x1b]0;owned\x07\n\x1b[2J"))
    shown = ok(jails.run("ps"))
    assert "\x1b" not in shown and "\x07" not in shown and "]0;owned" in shown
    assert status(jails, evil)["command"][-1] == "\x1b]0;owned\x07\n\x1b[2J"


def test_stats_and_inspect(jails):
    web = named("web")
    ok(jails.run("run", "-d", "--name", web, *SLEEP))
    assert re.search(rf"^{web} +running +\d+ ", ok(jails.run("stats", web)), re.M)
    assert json.loads(ok(jails.run("stats", "--json", web)))["name"] == web
    told = json.loads(ok(jails.run("inspect", web)))
    assert told["state"]["state"] == "running"


def test_files_go_both_ways_and_links_lead_nowhere(jails, tmp_path):
    web = named("web")
    mine = reachable(tmp_path) / "mine"
    (mine / "folder/sub").mkdir(parents=True)
    (mine / "folder/sub/binary").write_bytes(bytes(range(256)) * 1000)
    (mine / "folder/text").write_text("text\n")
    (mine / "folder/link").symlink_to("/nowhere")
    for path in (mine, *mine.rglob("*")):
        os.chown(path, jails.uid, jails.uid, follow_symlinks=False)
    ok(jails.run("run", "-d", "--name", web, "--", "sh", "-c", "mkdir /tmp/out && ln -s /etc/shadow /tmp/out/evil && mkfifo /tmp/out/fifo && echo x > /tmp/out/f; echo ready; sleep 1000"))
    await_log(jails, web, "ready")
    ok(jails.run("cp", mine / "folder", f"{web}:/tmp"))
    assert ok(jails.run("exec", web, "sh", "-c", "cat /tmp/folder/text; readlink /tmp/folder/link; stat -c %u /tmp/folder/text; id -u")).split() in \
        [["text", "/nowhere", uid, uid] for uid in ("1000", str(jails.uid))]
    ok(jails.run("cp", f"{web}:/tmp/folder", mine / "back"))
    subprocess.run(["diff", "-r", "--no-dereference", mine / "folder", mine / "back"], check=True)
    ok(jails.run("cp", mine / "folder/text", f"{web}:/tmp/other"))
    assert ok(jails.run("exec", web, "cat", "/tmp/other")) == "text\n"
    ok(jails.run("cp", f"{web}:/tmp/out", mine))
    assert sorted(os.listdir(mine / "out")) == ["evil", "f"] and (mine / "out/evil").is_symlink()
    refused(jails.run("cp", f"{web}:/tmp/out/evil", mine / "stolen"), "/tmp/out/evil")
    assert not (mine / "stolen").exists()
    refused(jails.run("cp", f"{web}:/tmp/out/fifo", mine / "fifo"), "/tmp/out/fifo")
    refused(jails.run("cp", mine / "folder/text", f"{web}:/usr/text"), "/usr/text")
    refused(jails.run("cp", f"{web}:/no/such", mine), f"immure: opening {web}:/no/such: No such file or directory")
    refused(jails.run("cp", "a", "b"), "JAIL:PATH")
    refused(jails.run("cp", f"{web}:relative", mine), "absolute")


@pytest.fixture
def mine(jails, tmp_path):
    """A folder of the caller's."""
    folder = reachable(tmp_path) / "mine"
    folder.mkdir()
    os.chown(folder, jails.uid, jails.uid)
    return folder


def make_inside(jails, name, script):
    ok(jails.run("run", "-d", "--name", name, "--tmp-size", "16M", "--", "sh", "-c", f"cd /tmp; {script}; echo ready; sleep 1000"))
    await_log(jails, name, "ready")


@pytest.mark.parametrize("planted,second", [("ln -s {victim} out/log", "/tmp/new/log"), ("ln -s {victim}.d out/sub", "/tmp/new/sub")], ids=["file", "folder"])
def test_a_link_that_came_out_of_a_jail_is_not_written_through(jails, mine, planted, second):
    """Docker's and GNU's cp follow it: two innocent copies into the same folder, and the jail has chosen what is written, and where."""
    web, victim = named("web"), mine / "victim"
    victim.write_text("mine")
    (mine / "victim.d").mkdir()
    os.chown(mine / "victim.d", jails.uid, jails.uid)
    make_inside(jails, web, f"mkdir -p out new/sub; {planted.format(victim=victim)}; echo theirs >new/log; echo theirs >new/sub/file")
    ok(jails.run("cp", f"{web}:/tmp/out", mine))
    refused(jails.run("cp", f"{web}:{second}", mine / "out"), "E-CP-LINK")
    refused(jails.run("cp", f"{web}:/tmp/new/.", mine / "out"), "E-CP-LINK")
    assert victim.read_text() == "mine" and not os.listdir(mine / "victim.d")
    (mine / "own").symlink_to(mine / "named")
    os.lchown(mine / "own", jails.uid, jails.uid)
    ok(jails.run("cp", f"{web}:/tmp/new/log", mine / "own")) # the control: what the caller names is followed
    assert (mine / "named").read_text() == "theirs\n"


def test_a_hole_stays_one_in_both_directions(jails, mine):
    """A jail with 16 MB makes a file of any size; who copied it had a full disk."""
    web = named("web")
    make_inside(jails, web, "printf begin >holes; printf middle | dd of=holes bs=1 seek=2000000000 conv=notrunc 2>/dev/null; truncate -s 4G holes; "
                "truncate -s 5M only; printf 'no hole' >none")
    ok(jails.run("cp", f"{web}:/tmp/holes", mine))
    copied = (mine / "holes").stat()
    assert copied.st_size == 4 << 30 and copied.st_blocks * 512 < 1 << 20
    with open(mine / "holes", "rb") as file:
        assert file.read(7) == b"begin\0\0"
        file.seek(2000000000)
        assert file.read(7) == b"middle\0"
    ok(jails.run("cp", f"{web}:/tmp/only", mine))
    assert (mine / "only").stat().st_size == 5 << 20 and (mine / "only").stat().st_blocks == 0
    ok(jails.run("cp", mine / "holes", f"{web}:/tmp/back"))
    assert ok(jails.run("exec", web, "sh", "-c", "stat -c %s /tmp/back; head -c 5 /tmp/back; tail -c +2000000001 /tmp/back | head -c 6")) == \
        f"{4 << 30}\nbeginmiddle"
    ok(jails.run("cp", f"{web}:/tmp/none", mine))
    assert (mine / "none").read_text() == "no hole"
    ok(jails.run("cp", f"{web}:/proc/version", mine)) # of no size, and not empty
    assert "Linux" in (mine / "version").read_text()


def test_what_grows_while_it_is_copied_is_copied_as_long_as_it_was(jails, mine):
    web = named("web")
    make_inside(jails, web, "printf begin >log; (while :; do truncate -s +256M log; done) & sleep 0.1")
    ok(jails.run("cp", f"{web}:/tmp/log", mine))
    with open(mine / "log", "rb") as file:
        assert file.read(5) == b"begin"


def test_links_come_in_from_a_folder_that_is_closed_to_others(jails, mine):
    """Root makes them by the ids of the folder's owner inside, to whom the caller's own folder is closed."""
    web, closed = named("web"), mine / "closed"
    closed.mkdir()
    (closed / "link").symlink_to("target")
    for path in (closed / "link", closed):
        os.lchown(path, jails.uid, jails.uid)
    closed.chmod(0o700)
    make_inside(jails, web, "id -u")
    ok(jails.run("cp", closed, f"{web}:/tmp"))
    assert ok(jails.run("exec", web, "readlink", "/tmp/closed/link")) == "target\n"


def test_dots_name_a_folder_and_not_the_one_above_it(jails, mine):
    web = named("web")
    make_inside(jails, web, "mkdir -p a/b; echo text >a/file")
    (mine / "in").mkdir()
    os.chown(mine / "in", jails.uid, jails.uid)
    for path in ("/tmp/a/b/..", "/tmp/a/."):
        ok(jails.run("cp", f"{web}:{path}", mine / "in"))
        assert sorted(os.listdir(mine / "in")) == ["b", "file"] and os.listdir(mine) == ["in"]
        shutil.rmtree(mine / "in/b")
        (mine / "in/file").unlink()


def test_exec_in_all_of_a_pod_and_in_all_but_one(jails):
    pod = named("pod")
    ok(jails.run("pod", "create", pod))
    members = [f"{pod}-{name}" for name in "cab"] # the order of the start is not that of the names
    for name in members:
        ok(jails.run("run", "-d", "--pod", pod, "--name", name, "--env", f"WHO={name}", *SLEEP))
    ok(jails.run("run", "-d", "--name", named("alone"), *SLEEP))
    done = jails.run("exec", "--pod", pod, "--all", "--", "sh", "-c", "echo $WHO")
    assert (done.returncode, done.stdout.split()) == (0, members), done.stderr
    assert done.stderr.splitlines() == [f"== {name}" for name in members]
    done = jails.run("exec", "--pod", pod, "--all-but", members[1], "--", "sh", "-c", f"echo $WHO; test $WHO != {members[0]} || exit 7")
    assert (done.returncode, done.stdout.split()) == (7, [members[0], members[2]]), done.stderr
    refused(jails.run("exec", "--pod", pod, "--", "true"), "--all")
    refused(jails.run("exec", "--all", members[0], "true"), "--pod")
    refused(jails.run("exec", "-t", "--pod", pod, "--all", "--", "true"), "terminal")
    refused(jails.run("exec", "--pod", "no-such-pod", "--all", "--", "true"), "no jail of pod no-such-pod runs")
    refused(jails.run("exec", "--pod", pod, "--all"), "usage")


def test_exec_in_a_pod_tells_who_could_not_be_entered_and_goes_on(jails):
    pod = named("pod")
    ok(jails.run("pod", "create", pod))
    first, paused, ended, last = members = [f"{pod}-{name}" for name in "abcd"]
    for name in members:
        ok(jails.run("run", "-d", "--pod", pod, "--name", name, *SLEEP))
    ok(jails.run("pause", paused))
    ok(jails.run("kill", ended))
    done = jails.run("exec", "--pod", pod, "--all", "--", "echo", "in")
    assert (done.returncode, done.stdout) == (125, "in\nin\n"), done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("==")] == [f"== {name}" for name in (first, paused, last)]
    assert f"in {paused}, which is paused" in done.stderr and ended not in done.stderr
    done = jails.run("exec", "--pod", pod, "--all-but", paused, "--", "echo", "in")
    assert (done.returncode, done.stdout) == (0, "in\nin\n"), done.stderr
    assert f"{paused} " in ok(jails.run("ps")) and "paused (" in ok(jails.run("ps"))
    ok(jails.run("pod", "stop", "--time", "5s", pod)) # the paused as well
    refused(jails.run("exec", "--pod", pod, "--all", "--", "true"), f"no jail of pod {pod} runs")
    refused(jails.run("pod", "create", "--share", "net", pod), "the pod's name comes first")


def test_pods(jails):
    db, web, x, lab = named("db"), named("web"), named("x"), named("lab")
    ok(jails.run("pod", "create", lab))
    refused(jails.run("pod", "create", lab), "taken")
    ok(jails.run("run", "-d", "--pod", lab, "--name", db, *SLEEP))
    ok(jails.run("run", "-d", "--pod", lab, "--name", web, *SLEEP))
    refused(jails.run("run", "-d", "--pod", "none", "--name", x, *SLEEP), "none")
    assert {jail["name"]: jail["pod"] for jail in json.loads(ok(jails.run("ps", "--json"))) if jail["pod"] == lab} == {db: lab, web: lab}
    assert {"name": lab, "state": "running", "jails": 2} in json.loads(ok(jails.run("pod", "ps", "--json")))
    refused(jails.run("pod", "rm", lab), "jails that live")
    ok(jails.run("pod", "stop", "--time", "200ms", lab))
    assert {status(jails, name)["state"] for name in (db, web)} == {"ended"}
    ok(jails.run("pod", "rm", lab))
    assert not {db, web} & set(names(jails))
    ok(jails.run("run", "-d", "--name", db, *SLEEP)) # the names are free
    refused(jails.run("pod", "stop", lab), "there is no pod")


# A number of a descriptor would name one of the keeper's: its lock, its socket.
@pytest.mark.parametrize("words", [["--lifetime", "own"], ["--die-with-parent"], ["--result", "/tmp/x"], ["--hold-fd", "4"], ["--info-fd", "3"],
                                   ["--status-fd", "4"], ["--block-fd", "6"], ["--maps-fd", "6"]])
def test_what_is_the_callers_cannot_be_had_from_a_keeper(jails, words):
    x = named("x")
    refused(jails.run("run", "-d", "--name", x, *words, *SLEEP), "a jail that stays cannot have " + words[0])
    assert jails.run("run", "--die-with-parent", "--", "true").returncode == 0


def test_events_tell_what_was_and_what_happens(jails):
    early, late = named("early"), named("late")
    ok(jails.run("run", "-d", "--name", early, *SLEEP))
    past = [json.loads(line) for line in ok(jails.run("events")).splitlines()]
    assert [event["event"] for event in past if event["jail"] == early] == ["start"]
    child = subprocess.Popen(jails.words("events", "--follow"), stdout=subprocess.PIPE, text=True, cwd="/")
    try:
        while json.loads(child.stdout.readline())["jail"] != early:
            pass
        ok(jails.run("pause", early))
        ok(jails.run("resume", early))
        ok(jails.run("kill", early))
        seen = []
        while "exit" not in seen:
            event = json.loads(child.stdout.readline())
            seen += [event["event"]] if event["jail"] == early else []
        assert seen == ["freeze", "thaw", "exit"]
        ok(jails.run("run", "-d", "--name", late, *SLEEP))
        while (event := json.loads(child.stdout.readline()))["jail"] != late:
            pass
        assert event["event"] == "start"
    finally:
        child.kill()
        child.wait()


def test_a_script_waits_until_one_is_healthy(jails):
    db = named("db")
    ok(jails.run("run", "-d", "--name", db, "--health", "test -f /tmp/ok", "--health-interval", "100ms", "--health-start", "100s", *SLEEP))
    assert "starting" in next(line for line in ok(jails.run("ps")).splitlines() if line.startswith(f"{db} "))
    refused(jails.run("wait", "--healthy", "--timeout", "50ms", db), f"waiting for {db}", code=124)
    ok(jails.run("exec", db, "touch", "/tmp/ok"))
    assert ok(jails.run("wait", "--healthy", "--timeout", "100s", db)) == ""
    assert re.search(rf"^{db} .* healthy +- +sleep 1000", ok(jails.run("ps")), re.M)
    assert status(jails, db)["health"] == "healthy"
    assert json.loads(ok(jails.run("inspect", db)))["health_output"] == ""
    ok(jails.run("exec", db, "rm", "/tmp/ok"))
    await_true(lambda: status(jails, db)["health"] != "healthy")
    refused(jails.run("wait", "--healthy", db), f"{db} is unhealthy", "exit code 1", code=1)
    ok(jails.run("kill", db))
    refused(jails.run("wait", "--healthy", db), f"{db} has ended")
    assert re.search(rf"^{db} .* - +- +sleep 1000", ok(jails.run("ps", "--all")), re.M)


def test_waiting_has_an_end_where_one_is_given(jails):
    long = named("long")
    ok(jails.run("run", "-d", "--name", long, *SLEEP))
    refused(jails.run("wait", "--timeout", "100ms", long), f"waiting for {long}", code=124)
    refused(jails.run("wait", "--healthy", long), "no health check", "E-HEALTH-NONE")
    refused(jails.run("wait", "--timeout", "soon", long), "no time")
    ok(jails.run("kill", long))
    assert jails.run("wait", "--timeout", "100s", long).returncode == 137


@pytest.mark.parametrize("words, parts", [
    (["--health", "a || b"], ["--health", "a shell only", "sh -c"]), (["--health", "a 'b"], ["open '"]), (["--health", ""], ["empty"]),
    (["--health", "  "], ["names no program"]), (["--health-interval", "none"], ["more than 0"]), (["--health-timeout", "0"], ["more than 0"]),
    (["--health-retries", "none"], ["not none"]), (["--health-retries", "0"], ["from 1"])])
def test_a_health_check_that_cannot_be_is_refused_before_anything_runs(jails, words, parts):
    sick = named("sick")
    refused(jails.run("run", "-d", "--name", sick, *words, *SLEEP), *parts)
    assert sick not in names(jails)
    ok(jails.run("run", "-d", "--name", sick, words[0], {"--health": "true"}.get(words[0], "1"), *SLEEP))


def test_a_health_check_may_come_from_a_policy_file(jails, tmp_path):
    db = named("db")
    policy = tmp_path / "db.yaml"
    policy.write_text("health: test -f /tmp/ok\nhealth-interval: 100ms\nhealth-start: none\ncommand: [sh, -c, touch /tmp/ok; exec sleep 1000]\n")
    policy.chmod(0o644)
    reachable(tmp_path)
    ok(jails.run("run", "-d", "--name", db, "-f", policy))
    ok(jails.run("wait", "--healthy", "--timeout", "100s", db))


def test_exec_takes_another_user_by_name_and_by_number(jails, root):  # noqa: F811
    many = named("many")
    if jails.uid:
        ok(jails.run("run", "-d", "--name", many, *SLEEP))
        refused(jails.run("exec", "--user", "5", many, "id"), "uid 5", "holds 1000", "E-ID-UNMAPPED")
        assert ok(jails.run("exec", "--user", "1000", many, "id", "-u")) == "1000\n"
        return
    ok(jails.run("run", "-d", "-i", "--name", many, "--root", root, "--", "/bin/cat"))
    show = (many, "--", "/bin/sh", "-c", "echo $(id -u) $(id -g) $(id -G) $HOME $(pwd)")
    for user, seen in (("worker", "1234 77 77 /home/worker /home/worker"), ("worker:extra", "1234 88 88 /home/worker /home/worker"), ("1234", "1234 1000 1000 / /"),
                       ("root", "0 0 0 / /"), ("7:9", "7 9 9 / /")):
        assert ok(jails.run("exec", "-u", user, *show)) == seen + "\n"
    assert ok(jails.run("exec", "-u", "worker", "--groups", "@user,5", *show)).startswith("1234 77 77 5 88 ")
    (root / "etc/passwd").write_text("late:x:55:66::/:/bin/sh\n")
    assert ok(jails.run("exec", "-u", "late", *show)).startswith("55 66 66 ")
    refused(jails.run("exec", "-u", "worker", *show), "E-USER-UNKNOWN")
    refused(jails.run("exec", "-u", "late:none", *show), "E-GROUP-UNKNOWN")
    for bad in ("", ":5", "5:", "x" * 300):
        refused(jails.run("exec", "-u", bad, *show))


def test_a_file_of_accounts_that_the_jail_has_spoiled_holds_up_nobody(jails, root):  # noqa: F811
    if jails.uid:
        pytest.skip("its map has one id")
    spoilt = named("spoilt")
    ok(jails.run("run", "-d", "-i", "--name", spoilt, "--root", root, "--", "/bin/cat"))
    (root / "etc/passwd").unlink()
    os.mkfifo(root / "etc/passwd")
    refused(jails.run("exec", "-u", "worker", spoilt, "/bin/id"), "not a regular file")
    (root / "etc/passwd").unlink()
    (root / "etc/passwd").write_text("x" * (2 << 20))
    refused(jails.run("exec", "-u", "worker", spoilt, "/bin/id"), "E-ACCOUNTS-SIZE")
    assert jails.run("exec", "-u", "1234", spoilt, "/bin/id").returncode == 0


def test_what_was_asked_is_kept_and_can_be_run_again(jails, tmp_path):
    old, new = named("asked"), named("again")
    secret = tmp_path / "secret"
    secret.write_text("PASSWORD")
    reachable(tmp_path)
    secret.chmod(0o644)
    words = ("--ro", "/usr/share:/data", "--env", "A=b \"c\"", "--file", f"/etc/secret=@{secret}", "--rlimit", "cpu=100", "--health", "test -d /data")
    ok(jails.run("run", "-d", "--name", old, *words, "--", "sh", "-c", "cat /etc/secret; exec sleep 1000"))
    text = ok(jails.run("inspect", "--spec", old))
    asked = json.loads(text)
    assert asked["env"] == ['A=b "c"'] and asked["command"] == ["sh", "-c", "cat /etc/secret; exec sleep 1000"] and asked["health"] == "test -d /data"
    assert "PASSWORD" not in text and asked["file"] == [f"/etc/secret=@{secret}"] and "name" not in asked
    assert json.loads(ok(jails.run("inspect", old)))["spec"] == asked
    policy = tmp_path / "asked.json"
    policy.write_text(text)
    policy.chmod(0o644)
    plans = [json.loads(ok(jails.run("explain", "--json", *more)))["plan"] for more in ((*words, "--", *asked["command"]), ("-f", policy))]
    for step in plans[0] + plans[1]:
        step.pop("origin", None)
    assert plans[0] == plans[1] and len(plans[0]) > 20
    ok(jails.run("run", "-d", "--name", new, "-f", policy))
    assert ok(jails.run("inspect", "--spec", new)) == text
    ok(jails.run("wait", "--healthy", "--timeout", "100s", new))
    await_log(jails, new, "PASSWORD")
    assert ok(jails.run("logs", new)) == "PASSWORD"
    ok(jails.run("kill", old))
    assert ok(jails.run("inspect", "--spec", old)) == text and json.loads(ok(jails.run("inspect", old)))["spec"] == asked


def test_one_that_is_lost_still_tells_what_it_was(jails):
    name = named("gone")
    ok(jails.run("run", "-d", "--name", name, "--memory", "64M", "--may-lack", "memory", *SLEEP))
    asked = ok(jails.run("inspect", "--spec", name))
    os.kill(status(jails, name)["keeper"], signal.SIGKILL)
    await_state(jails, name, "lost")
    assert ok(jails.run("inspect", "--spec", name)) == asked
    told = json.loads(ok(jails.run("inspect", name)))
    assert told["state"]["state"] == "lost" and told["spec"] == json.loads(asked) and told["spec"]["memory"] == "64M"


def test_what_was_asked_is_read_by_nobody_else_and_never_told_wrongly(jails, tmp_path):
    name = named("latin")
    done = subprocess.run([*jails.words("run", "-d", "--name", name, "--env"), b"A=\xe4", "--", "sleep", "100"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    refused(jails.run("inspect", "--spec", name), "no UTF-8", "E-RECORD-BYTES")
    assert json.loads(ok(jails.run("inspect", name)))["spec"]["env"] == ["A=\ufffd"]
    if not jails.uid:
        assert os.stat(f"/run/immure/pods/{name}/jails/{name}/spec.json").st_mode & 0o7777 == 0o600
