# SPDX-License-Identifier: Apache-2.0
"""Limits of the jail as a whole. Each is shown with a program that stays below it and lives, and one that does not."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from conftest import Command
from patience import PATIENCE, Watched, await_true, children_of, words_of

pytestmark = [pytest.mark.v2, pytest.mark.vm]
GROUPS = pathlib.Path("/sys/fs/cgroup")

EAT = """
import os, sys
kept = [os.urandom(1 << 20) for _ in range(int(sys.argv[1]))]
print("ate", len(kept), flush=True)
"""
# Each child keeps what it has until all have theirs.
EAT_TOGETHER = """
import os, sys
count = int(sys.argv[1])
(has, tell), (wait, end) = os.pipe(), os.pipe()
for i in range(count):
    if os.fork() == 0:
        os.close(end)
        kept = os.urandom(16 << 20)
        os.write(tell, b"x")
        os.read(wait, 1)
        os._exit(0)
for i in range(count):
    os.read(has, 1)
os.close(end)
for i in range(count):
    os.wait()
print("all lived")
"""
# Forks until it may not; the children hold on. At most the number in argv.
FORK = """
import os, sys, time
count = 0
try:
    for count in range(int(sys.argv[1])):
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
    count += 1
except OSError as refusal:
    print(refusal.errno, end=" ")
print("forked", count, flush=True)
"""
# Many short children, half of them never waited for, none of which reaches a limit of its own.
BURN = """
import os, sys, time
for i in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | (os.WNOWAIT if i % 2 else 0))
print("burnt", flush=True)
"""


def own_groups(pid="self"):
    return dict(line.split(":", 2)[1:] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines())


def limited_groups():
    """Directories that a run has made and that are still there."""
    found = []
    for folder, names, _ in os.walk(GROUPS):
        found += [os.path.join(folder, name) for name in names if re.match(r"immure-\d+-[0-9a-f]+", name)]
    return found


@pytest.fixture(scope="module", autouse=True)
def aside():
    """On pure version 2, delegated: a group that is to have children may hold no processes, so this one moves into a leaf."""
    own = own_groups().get("")
    here = GROUPS / own.lstrip("/") if own else None
    if "memory" in own_groups() or os.geteuid() == 0 or not here or not os.access(here / "cgroup.procs", os.W_OK):
        yield
        return
    leaf = here / "tests"
    leaf.mkdir(exist_ok=True)
    for pid in (here / "cgroup.procs").read_text().split():
        (leaf / "cgroup.procs").write_text(pid)
    yield


class Delegated(Command):
    """immure as a user to whom root has handed down a group in each hierarchy of version 1."""

    def __init__(self, command, groups):
        self.path, self.uid, self.groups = command.path, command.uid, groups
        self.state = pathlib.Path(command.path).parent / "state"
        self.state.mkdir(exist_ok=True)
        os.chown(self.state, self.uid, self.uid)

    def words(self, *words):
        enter = 'for group in $GROUPS_OF_TEST; do echo $$ >$group/cgroup.procs || exit 99; done; exec "$@"'
        return ["env", "GROUPS_OF_TEST=" + " ".join(map(str, self.groups)), f"XDG_RUNTIME_DIR={self.state}", "sh", "-c", enter, "-", *super().words(*words)]


@contextlib.contextmanager
def delegated(uid):
    groups = [GROUPS / name / own_groups()[name].lstrip("/") / f"test-{os.getpid()}"
              for name in ("cpu", "cpuacct", "memory", "pids", "blkio")]
    for group in groups:
        group.mkdir()
        for path in (group, group / "cgroup.procs", group / "tasks"):
            os.chown(path, uid, uid)
    try:
        yield groups
    finally:
        for group in groups:
            group.rmdir()


@pytest.fixture
def limits(immure):
    """immure, where it can make groups; it leaves none."""
    if immure.uid != 0 and os.geteuid() == 0 and "memory" in own_groups():
        with delegated(immure.uid) as groups:
            yield from limited(Delegated(immure, groups))
    else:
        yield from limited(immure)


def limited(immure):
    probe = immure.run("run", "--memory", "64M", "true")
    if probe.returncode == 125 and re.search(r"E-CGROUP-(DELEGATION|READONLY|NONE|CONTROLLER|COMPANY)", probe.stderr):
        pytest.skip("no cgroup for this user: " + probe.stderr.splitlines()[0])
    assert (probe.returncode, probe.stderr) == (0, "")
    pids = []

    def run(*words, timeout=PATIENCE, cwd="/", **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        with subprocess.Popen(immure.words(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
                              **options) as launcher:
            pids.append(launcher.pid)
            output, errors = launcher.communicate(timeout=timeout)
        return subprocess.CompletedProcess(words, launcher.returncode, output, errors)

    immure.run = run
    yield immure
    # Only what is ours: other runs, and dead ones of other tests, may be on the machine.
    assert not [group for group in limited_groups() if any(f"immure-{pid}-" in group for pid in pids)]


def python(immure, *options, code, argument, **more):
    return immure.run("run", *options, "--", "/usr/bin/python3", "-c", code, str(argument), **more)


def test_a_program_below_its_memory_lives(limits):
    ended = python(limits, "-m", "128M", code=EAT, argument=32)
    assert (ended.returncode, ended.stdout) == (0, "ate 32\n")


def test_a_program_beyond_its_memory_is_ended_and_told_so(limits):
    ended = python(limits, "-m", "64M", code=EAT, argument=200)
    assert ended.returncode == 137 and "memory" in ended.stderr and "ate" not in ended.stdout


def test_where_groups_are_read_only_no_scope_is_asked_for_in_vain(immure):
    """As in a service with ProtectControlGroups=yes: systemd would make a scope, and nobody a group in it."""
    if os.geteuid() != 0 or "memory" in own_groups():
        pytest.skip("needs root, and version 2 alone")
    words = immure.words("run", "-m", "64M", "echo", "ran")
    for how, code, told in (("rw", 0, ""), ("ro", 125, "E-CGROUP-READONLY")):
        inside = ["unshare", "--mount", "sh", "-c", f'mount -o remount,bind,{how} /sys/fs/cgroup && exec "$@"', "-"]
        ended = subprocess.run([*inside, *words], capture_output=True, text=True, check=False, timeout=PATIENCE, cwd="/", stdin=subprocess.DEVNULL)
        if immure.uid == 0 or how == "ro": # an ordinary user without a systemd is refused in both cases, each by its own name
            assert (ended.returncode, ended.stdout) == (code, "" if code else "ran\n") and told in ended.stderr, (how, ended)
        else:
            assert "E-CGROUP-READONLY" not in ended.stderr


def test_the_whole_jail_ends_and_not_one_process(limits):
    """The shell would go on after its child. With version 1 it does, for the instant until the launcher has heard of it."""
    instant = "sleep 1000; " if "memory" in own_groups() else ""
    ended = limits.run("run", "-m", "64M", "--", "sh", "-c", f'python3 -c "$0" 200; {instant}echo went on', EAT)
    assert (ended.returncode, ended.stdout) == (137, "")
    control = limits.run("run", "-m", "64M", "--", "sh", "-c", "sh -c 'kill -9 $$'; echo went on")
    assert (control.returncode, control.stdout) == (0, "went on\n")


def test_memory_over_many_processes_counts_together(limits):
    assert python(limits, "-m", "64M", code=EAT_TOGETHER, argument=8).returncode == 137
    assert python(limits, "-m", "300M", code=EAT_TOGETHER, argument=8).stdout == "all lived\n"


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_files_in_memory_count(limits, place):
    write = f"head -c 60M /dev/zero >{place}/a && head -c 60M /dev/zero >{place}/b; echo done"
    assert limits.run("run", "-m", "40M", "--tmp-size", "256M", "sh", "-c", write).returncode == 137
    assert limits.run("run", "-m", "400M", "--tmp-size", "256M", "sh", "-c", write).stdout == "done\n"


def test_a_kill_from_inside_is_no_exhausted_memory(limits):
    ended = limits.run("run", "-m", "64M", "sh", "-c", "kill -9 $$")
    assert ended.returncode == 137 and "memory" not in ended.stderr


def test_a_fork_bomb_is_bounded_in_its_group(limits):
    ended = python(limits, "-m", "256M", "--pids", "12", code=FORK, argument=40, timeout=PATIENCE)
    assert ended.stdout == "11 forked 11\n"
    assert python(limits, "-m", "256M", "--pids", "12", code=FORK, argument=5).stdout == "forked 5\n"


def test_a_fork_bomb_is_bounded_without_a_group(immure):
    if os.uname().release < "5.14":
        pytest.skip("RLIMIT_NPROC counts per host id")
    ended = python(immure, "--pids", "12", code=FORK, argument=40, timeout=PATIENCE)
    assert ended.stdout == "11 forked 11\n"
    assert python(immure, "--pids", "12", code=FORK, argument=5).stdout == "forked 5\n"
    assert "create cgroup" not in immure.run("explain", "--pids", "12", "true").stdout


def test_the_number_of_processes_is_limited_by_default(immure):
    assert re.search(r"pids +1024 +default", immure.run("explain", "true").stdout)


def test_a_lower_limit_of_the_caller_stays(immure):
    ended = subprocess.run(["prlimit", "--nproc=500:500", *immure.words("run", "sh", "-c", "ulimit -p")], capture_output=True,
                           text=True, check=False, timeout=PATIENCE, cwd="/")
    assert (ended.stdout, ended.returncode) == ("500\n", 0)


def test_processor_time_of_all_processes_together(limits):
    ended = python(limits, "--cpu-time", "600ms", code=BURN, argument=200, timeout=PATIENCE)
    assert ended.returncode == 124 and "processor time" in ended.stderr and "burnt" not in ended.stdout
    assert python(limits, "--cpu-time", "30s", code=BURN, argument=6, timeout=PATIENCE).stdout == "burnt\n"


def test_sleeping_costs_no_processor_time(limits):
    assert limits.run("run", "--cpu-time", "800ms", "sleep", "1.5").returncode == 0


def throttled(limits, processors):
    """How often the kernel held back a program that never rests, by the time it has looked twenty times."""
    with subprocess.Popen(limits.words("run", "--cpus", processors, "--", "sh", "-c", "while :; do :; done"), cwd="/", stdin=subprocess.DEVNULL) as launcher:
        def counted():
            for group in limited_groups():
                file = pathlib.Path(group, "cpu.stat")
                if f"immure-{launcher.pid}-" in group and file.exists() and "nr_periods" in (text := file.read_text()):
                    return {name: int(number) for name, number in map(str.split, text.splitlines())}
            return {"nr_periods": 0}

        try:
            await_true(lambda: counted()["nr_periods"] >= 20, counted)
            return counted()["nr_throttled"]
        finally:
            launcher.terminate()


def test_a_share_of_a_processor(limits):
    """As the kernel tells it, for what a program gets done is a matter of who else is there."""
    assert throttled(limits, "0.05") > 0
    assert throttled(limits, "1000") == 0


def test_a_limit_that_cannot_be_had_stops_the_run(immure):
    """In a mount namespace without cgroups; --may-lack names what may be missing, and the result says so."""
    if os.geteuid() != 0:
        pytest.skip("needs root to hide /sys/fs/cgroup")
    hide = ["unshare", "-m", "sh", "-c", 'umount -R /sys/fs/cgroup; exec "$@"', "-"]
    refused = subprocess.run(hide + immure.words("run", "-m", "64M", "echo", "ran"), capture_output=True, text=True, check=False)
    assert refused.returncode == 125 and refused.stdout == "" and "E-CGROUP-CONTROLLER" in refused.stderr
    lacking = subprocess.run(hide + immure.words("run", "-m", "64M", "--may-lack", "memory", "echo", "ran"), capture_output=True,
                             text=True, check=False)
    assert (lacking.returncode, lacking.stdout) == (0, "ran\n")
    both = subprocess.run(hide + immure.words("run", "-m", "64M", "--may-lack", "memory", "--require", "memory", "echo", "ran"),
                          capture_output=True, text=True, check=False)
    assert both.returncode == 125


def test_mistakes_in_io_max_are_named(immure):
    for text, words in {"/dev/null": "is not DEVICE:rbps", "8:0:rbps=x": '"x" is no rate', "8:0:bps=1": '"bps" is not rbps',
                        "/dev/null:rbps=1M": "/dev/null is no block device", "8:0:rbps=0": '"0" is no rate'}.items():
        ended = immure.run("run", "--io-max", text, "--may-lack", "io", "true")
        assert ended.returncode == 125 and words in ended.stderr, text


def test_a_hard_limit_above_the_callers_is_refused_with_a_remedy(immure):
    words = ["prlimit", "--nofile=100:100", *immure.words("run", "--rlimit", "nofile=200", "true")]
    ended = subprocess.run(["setpriv", "--bounding-set", "-sys_resource", *words] if os.geteuid() == 0 else words, capture_output=True,
                           text=True, check=False, cwd="/")
    assert ended.returncode == 125 and "E-RLIMIT-HARD" in ended.stderr


SMALL = ("--rlimit", "nofile=8", "--")
COUNT = 'import os\ntry:\n while True: last = os.dup(0)\nexcept OSError: print(last)'


@pytest.mark.parametrize("how", [(), ("--tty", "yes"), ("--output-size", "1M"), ("--init", "no"), ("--seccomp", "off"), ("--landlock", "off"),
                                 ("--ordered", "--ro", "/:/", "--new-proc", "/proc", "--new-dev", "/dev"), ("--overlay", "/usr", "--tmpfs", "/v"),
                                 ("--mountns", "host"), ("--pidns", "host", "--proc", "bind"), ("--net", "host", "-u", "1000")], ids=lambda how: " ".join(how[:2]) or "default")
def test_a_small_limit_of_descriptors_is_the_programs_alone(immure, how):
    """A judge gives a program a handful; setting up needs more than that, and the caller may have any number open itself."""
    without = immure.run("run", *how, "--", "true")
    if re.search(r"E-(LANDLOCK-NONE|OVERLAY-MISSING|PROC-BIND|SOURCE-UNMOVABLE)", without.stderr):
        pytest.skip("not to be had here: " + without.stderr.splitlines()[0])
    taken = [os.dup(0) for _ in range(40)]
    for words, most in ((SMALL, 7), (("--rlimit", "nofile=30", "--"), 29)):
        done = immure.run("run", *how, *words, "/usr/bin/python3", "-c", COUNT, pass_fds=taken)
        assert (done.stdout.strip(), done.returncode) == (str(most), 0), done.stderr
    for fd in taken:
        os.close(fd)


def test_it_is_raised_while_that_is_allowed(immure):
    below = ["prlimit", "--nofile=100:100"]
    if immure.uid or subprocess.run([*below, "prlimit", "--nofile=200:200", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs CAP_SYS_RESOURCE")
    words = immure.words("run", "--userns", "host", "--rlimit", "nofile=200", "sh", "-c", "ulimit -n")
    assert subprocess.run([*below, *words], capture_output=True, text=True, check=False).stdout == "200\n"


def test_one_that_leaves_no_number_is_told_so(immure):
    too_few = immure.run("run", "--rlimit", "nofile=3", "true")
    assert too_few.returncode == 125 and "E-RLIMIT-NOFILE" in too_few.stderr
    assert immure.run("run", "--rlimit", "nofile=4", "true").returncode == 0
    assert immure.run("run", "--rlimit", "nofile=3", "--seccomp-action", "trap", "true").returncode == 127  # the program finds no number for libc


@pytest.fixture
def limits_alone(limits):
    """With a state that nobody else has: anybody's next run cleans up what a killed launcher of root's has left."""
    if limits.uid != 0:
        yield limits
        return
    script = "mount --make-rprivate / && mkdir -p -m 700 /run/immure && mount -t tmpfs -o mode=700 none /run/immure && echo ready && exec sleep 1000"
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "ready\n"
            words = limits.words
            limits.words = lambda *given: ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", *words(*given)]
            limits.state = pathlib.Path(f"/proc/{holder.pid}/root/run/immure")
            yield limits
        finally:
            limits.words = words
            holder.kill()


def state_folder(limits):
    runtime = getattr(limits, "state", os.environ.get("XDG_RUNTIME_DIR"))
    if limits.uid == 0:
        return limits.state
    return pathlib.Path(runtime) / "immure" if runtime else pathlib.Path(f"/tmp/immure-{limits.uid}")


def kill_in_the_middle(limits, *options):
    """Kills the launcher while the program sleeps; returns what it leaves."""
    with subprocess.Popen(limits.words("run", "-m", "64M", *options, "sleep", "1000"), cwd="/") as launcher:
        mine = f"immure-{launcher.pid}-"
        await_true(lambda: any(words_of(child)[:1] == [b"sleep"] for init in children_of(launcher.pid) for child in children_of(init)))
        init = Watched(*children_of(launcher.pid))
        held = limits.run("gc")
        assert held.returncode == 0 and any(mine in group for group in limited_groups()), "gc must not touch a living run"
        launcher.send_signal(signal.SIGKILL)
    init.await_end()
    return mine


def test_after_a_kill_of_the_launcher_gc_removes_what_is_left(limits_alone):
    limits = limits_alone
    mine = kill_in_the_middle(limits, "--cpu-time", "50s")
    assert any(mine in group for group in limited_groups()), "the control: something is left"
    assert list(state_folder(limits).glob(f"{mine}*.journal"))
    ended = limits.run("gc")
    assert ended.returncode == 0, ended.stderr
    assert not any(mine in group for group in limited_groups())
    assert not list(state_folder(limits).glob(f"{mine}*"))


def test_the_next_run_with_a_group_cleans_up_as_well(limits_alone):
    limits = limits_alone
    mine = kill_in_the_middle(limits)
    assert any(mine in group for group in limited_groups()), "the control: something is left"
    assert limits.run("run", "-m", "64M", "true").returncode == 0
    assert not any(mine in group for group in limited_groups())


def test_the_group_is_measured(limits):
    """Measured by the group: the processes that nobody waited for are in it."""
    words = "sh -c 'head -c 20M /dev/zero | tail -c 20M >/dev/null' & wait; exec cat"
    ended = limits.run("run", "-m", "128M", "--cpu-time", "50s", "--result", "/dev/stderr", "sh", "-c", words)
    measured = json.loads(ended.stderr)["measured"]
    assert measured["peak_memory_bytes"] > 20 << 20 and measured["oom_kills"] == 0
    assert measured["user_ns"] + measured["system_ns"] > 0


def test_without_a_place_for_its_state_it_says_so(immure):
    if os.geteuid() != 0 or immure.uid != 0:
        pytest.skip("needs root, whose state is in /run")
    hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none /run; exec "$@"', "-"]
    ended = subprocess.run(hide + immure.words("run", "true"), capture_output=True, text=True, check=False)
    assert ended.returncode == 125 and "E-STATE-FOLDER" in ended.stderr
    fresh = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run; "$@" && stat -c %a:%u /run/immure', "-"]
    ended = subprocess.run(fresh + immure.words("run", "true"), capture_output=True, text=True, check=False)
    assert ended.stdout == "700:0\n"


def test_a_state_folder_of_somebody_else_is_not_used(limits):
    if limits.uid != 0:
        pytest.skip("as root, for whom nothing else is in the way")
    foreign = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run; mkdir /run/immure; chmod 777 /run/immure; exec "$@"', "-"]
    ended = subprocess.run(foreign + limits.words("run", "-m", "64M", "true"), capture_output=True, text=True, check=False)
    assert ended.returncode == 125 and "E-STATE-FOLDER" in ended.stderr
