# SPDX-License-Identifier: Apache-2.0
"""
Each system call of a live run fails in turn, and each performer is killed before it. Afterwards: the same confinement or no
program; one diagnostic; nothing left; never a hang.
"""
import collections
import errno
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from faults import CANNOT_FAIL, CLOSE, LIBC_START, NOBODY, copy_executables
from patience import PATIENCE, eventually

SAMPLE = 32          # every so manieth call besides the first of each kind
ROLES = ("launcher", "helper", "init", "payload")
ACTIONS = {"EPERM": str(errno.EPERM), "ENOMEM": str(errno.ENOMEM), "EINTR": str(errno.EINTR), "kill": "kill"}
NO_RETURN = {231, 60, 15}
EXECVE, WAIT, DIED_OUTSIDE = 59, 61, 128 + 9
NPROC = 6 # as getrlimit(2) counts

# Name -> user, options of run.
SCENARIOS = {
    "root": (0, []),
    "user": (NOBODY, []),
    "root-rw-limits": (0, ["--rw", "{work}", "--memory", "64M", "--pids", "32"]),
    "user-tree": (NOBODY, ["--ro", "{work}", "--tmpfs", "/scratch:size=1M", "--symlink", "/link=/tmp", "--net", "none", "--seccomp", "off"]),
    "root-no-userns": (0, ["--userns", "host", "--user", "4321"]),
}


class Outcome:
    """What one traced run did."""

    def __init__(self, done, report):
        self.calls, self.words = [], {}
        self.started = self.hit = self.timeout = False
        for line in report.splitlines():
            key, *rest = line.split()
            if key == "call":
                self.calls.append((rest[0], int(rest[1]), int(rest[2]), self.started))
            elif rest:
                self.words[key] = int(rest[0])
            else:
                setattr(self, key, True)
        self.output, self.errors = done.stdout, done.stderr

    def status(self):
        return self.words.get("exit", 128 + self.words.get("signal", 0))


class Bench:
    """One scenario: its folder, its reference, its pids."""

    def __init__(self, name, folder):
        self.uid, options = SCENARIOS[name]
        self.folder = folder
        self.options = [option.replace("{work}", str(folder / f"work-{self.uid}")) for option in options]
        self.pids = set()
        self.host_namespaces = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in os.listdir("/proc/self/ns")}
        self.reference = self.run("launcher", 0, "none")
        if self.reference.status() == 125 and "--memory" in options:
            pytest.skip(f"no such limits here: {self.reference.errors}")
        assert self.reference.status() == 0, self.reference.errors
        self.fingerprint = self.normal(self.reference.output)
        assert self.fingerprint[-1] == "end"

    def run(self, role, index, action):
        report = self.folder / f"report-{self.uid}"
        drop = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"] if self.uid != os.geteuid() else []
        words = [*drop, self.folder / "inject", report, str(PATIENCE), role, str(index), action, self.folder / "immure", "run",
                 *self.options, "--", self.folder / "fingerprint"]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, cwd="/", check=False,
                              env={"PATH": "/usr/bin:/bin"}, timeout=3 * PATIENCE)
        assert done.returncode == 0, f"inject itself ended with {done.returncode}: {done.stderr}"
        outcome = Outcome(done, report.read_text(encoding="ascii"))
        self.pids.add(outcome.words["launcher"])
        return outcome

    def normal(self, output):
        """The fingerprint without what differs from run to run: leased ids, pids, numbers of namespaces."""
        lines = []
        for line in output.splitlines():
            kind = re.match(r"namespace (\S+) (\S+)", line)
            if kind:
                line = f"namespace {kind[1]} {'the host' if self.host_namespaces.get(kind[1]) == kind[2] else 'its own'}"
            line = re.sub(r"\b([ug]id=)[1-9]\d{5,}", r"\1N", line)
            line = re.sub(r"\b[1-9]\d{8,}\b(?=\s+65536$)", "N", line)
            line = re.sub(r"^(status [UG]id:).*\d{9,}.*", r"\1 leased", line)
            line = re.sub(r"^(status NStgid:\t)[23]$", r"\1of its own", line) # 3 where a helper of init's could not choose its number
            lines.append(re.sub(r"immure-\d+-[0-9a-f]+", "immure-RUN", line))
        return lines

    def is_as_confined(self, outcome):
        """The same to the last line; or up to where the program was killed."""
        lines = self.normal(outcome.output)
        if self.has_own_root(lines) or self.is_counted_by_id(lines):
            return True
        return lines == self.fingerprint or (outcome.status() != 0 and lines[:-1] == self.fingerprint[:len(lines) - 1])

    def has_own_root(self, lines):
        """The installed skeleton could not be looked at: the root is made from nothing instead, and all else is the same."""
        def others(fingerprint):
            return [line for line in fingerprint if not line.startswith("mount ")]

        def writable(fingerprint):
            return {line.split()[2] for line in fingerprint if line.startswith("mount ") and line.split()[3].startswith("rw")}

        return any("/skeleton / ro," in line for line in self.fingerprint) and others(lines) == others(self.fingerprint) and \
            writable(lines) == writable(self.fingerprint) and any(re.match(r"mount / / ro,.* - tmpfs ", line) for line in lines)

    def is_counted_by_id(self, lines):
        """The group for processes could not be looked at: RLIMIT_NPROC holds as many, in the jail's own namespace, and all else is the same."""
        if "--pids" not in self.options:
            return False
        most = int(self.options[self.options.index("--pids") + 1])
        limits = {f"rlimit {NPROC} {count} {count}" for count in (most, most + 1)} # init counts where it has the program's id
        old, new = ([line for line in fingerprint if not line.startswith(f"rlimit {NPROC} ")] for fingerprint in (self.fingerprint, lines))
        return old == new and bool(limits.intersection(lines))

    def points(self, is_full):
        """(role, index, number) of the calls worth failing."""
        seen = collections.Counter()
        for role, index, number, _ in self.reference.calls:
            if role not in ROLES or number in NO_RETURN | CANNOT_FAIL or (role == "launcher" and number in LIBC_START):
                continue
            seen[role, number] += 1
            if is_full or seen[role, number] == 1 or index % SAMPLE == self.uid % SAMPLE:
                yield role, index, number

    def complaint(self, role, number, action, outcome):
        """What is wrong with the outcome; None: nothing."""
        ran, status = bool(outcome.output), outcome.status()
        if outcome.timeout:
            return "it hung"
        if outcome.words["leftover"]:
            return f"{outcome.words['leftover']} processes were left"
        if ran and not self.is_as_confined(outcome):
            return "the program ran with another confinement:\n" + difference(self.fingerprint, self.normal(outcome.output))
        if status == 0 and not ran:
            return "success without the program"
        if role == "launcher" and action == "kill":
            return None if status == DIED_OUTSIDE or not outcome.hit else f"exit {status}" # one run makes a few calls more than another
        told = len(re.findall(r"^immure: ", outcome.errors, re.MULTILINE))
        if status == 125 and told != 1:
            return f"{told} diagnostics: {outcome.errors!r}"
        if status == 126 and number == EXECVE:
            return None
        if status not in (0, 125, DIED_OUTSIDE):
            return f"exit {status}: {outcome.errors!r}"
        # Once the program is announced, the end of init or launcher is its death by SIGKILL.
        if status == DIED_OUTSIDE and not any(role == "payload" and call == EXECVE for role, _, call, _ in outcome.calls):
            return f"exit {status} without a start"
        return None


def faults_for(index, number, is_full):
    """A sample takes two of the four, in turn. close(2) has closed when it says EINTR, and libc hides it: that is no failure."""
    pairs = (("EPERM", "kill"), ("ENOMEM", "EINTR"))
    return [name for name in (ACTIONS if is_full else pairs[index % 2]) if not (number == CLOSE and name == "EINTR")]


def difference(old, new):
    return "\n".join([f"- {line}" for line in old if line not in new] + [f"+ {line}" for line in new if line not in old])


@pytest.fixture(scope="module")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="immure-torture-"))
    path.chmod(0o777)
    copy_executables(path)
    for uid in (0, NOBODY):
        (path / f"work-{uid}").mkdir()
        os.chown(path / f"work-{uid}", uid or 1000, uid or 1000)
    yield path
    shutil.rmtree(path)


def left_on_the_host(pids, folder):
    """What a killed launcher could not undo, the next immure does."""
    subprocess.run([folder / "immure", "gc"], capture_output=True, timeout=2 * PATIENCE, check=False)
    found = []
    names = re.compile(r"immure-(\d+)-")
    for place in ("/sys/fs/cgroup", "/run/immure"):
        for root, folders, files in os.walk(place):
            found += [os.path.join(root, name) for name in folders + files if (match := names.match(name)) and int(match[1]) in pids
                      and not os.path.exists(f"/proc/{match[1]}")] # who lives has the number of a dead one
    mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return found + [line for line in mounts.splitlines() if str(folder) in line]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be root and another in turn")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_faults(scenario, folder, request):
    bench = Bench(scenario, folder)
    wrong, reached = [], 0
    is_full = request.config.getoption("--full", default=False)
    for role, index, number in bench.points(is_full):
        for name in faults_for(index, number, is_full):
            action = ACTIONS[name]
            outcome = bench.run(role, index, action)
            struck = next((call for who, at, call, _ in outcome.calls if (who, at) == (role, index)), number)
            if name not in faults_for(index, struck, True):
                continue # what is looked at of others' jails differs, so another call stood in this place than the first time
            reached += outcome.hit
            complaint = bench.complaint(role, struck, action, outcome)
            if complaint:
                wrong.append(f"{role} call {index} (number {struck}) {name}: {complaint}")
    assert reached > 100, "the faults did not happen"
    assert eventually(lambda: not left_on_the_host(bench.pids, folder)), left_on_the_host(bench.pids, folder)
    assert not wrong, f"{len(wrong)} of {reached} faults:\n" + "\n".join(complaint[:300] for complaint in wrong[:40])


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_fault_is_noticed_at_all(folder):
    """The control: failing the mount of the new root must be told, at that step."""
    bench = Bench("root", folder)
    number = 430  # fsopen(2)
    index = next(index for role, index, nr, _ in bench.reference.calls if role == "init" and nr == number)
    outcome = bench.run("init", index, ACTIONS["EPERM"])
    assert outcome.hit and outcome.status() == 125 and not outcome.output
    assert "make a file system" in outcome.errors and os.strerror(errno.EPERM) in outcome.errors


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a mount with ids of its own")
def test_who_holds_a_user_namespace_is_not_waited_for_for_ever(folder):
    """It hears by a pipe's end that it may go: where an outer filter forbids the close of that, it is ended."""
    bench = Bench("root-rw-limits", folder)
    for _ in range(20): # what is looked at before, of others' jails, differs from run to run
        mine = [(index, number) for role, index, number, _ in bench.reference.calls if role == "launcher"]
        index = next((index for (index, number), (_, next_one) in zip(mine, mine[1:]) if (number, next_one) == (CLOSE, WAIT)), None)
        assert index is not None, "there is no such wait any more"
        outcome = bench.run("launcher", index, ACTIONS["EPERM"])
        after = [number for role, at, number, _ in outcome.calls if role == "launcher" and at >= index]
        assert not outcome.timeout
        if outcome.hit and after[0] == CLOSE and WAIT in after[1:3]:
            assert outcome.status() == 0 and bench.is_as_confined(outcome)
            return
        bench.reference = outcome
    pytest.fail("the call was not met")
