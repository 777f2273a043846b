# SPDX-License-Identifier: Apache-2.0
"""
Each system call of a keeper that lets somebody into a jail, or runs another, fails in turn, and each who takes part is killed before
it. Afterwards: the same confinement or no program; the other jails and the keeper go on; nobody and nothing is left; never a hang.
A program enters by a helper of its own (exec), or by one that waited for it (waited), which another follows.
"""
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "jails"), str(TESTS)]
from faults import ACTIONS, CANNOT_FAIL, CLOSE, NOBODY, NO_RETURN, PAIRS, WAIT, WAITID, copy_executables  # noqa: E402
from guard import guarded  # noqa: E402
import keeper as protocol  # noqa: E402
from keeper import descendants, helpers_that_wait  # noqa: E402
from patience import PATIENCE, eventually  # noqa: E402

SAMPLE = 90
TIMER, RECEIVE = 286, 47
EXEC = ("exec", "waited")
# Few processes: no helper waits there for the next program, so that each time the calls are the same.
FEW = ("--rlimit", "nproc=50")
OPTIONS = {"plain": (), "rights": ("--user", "root", "--cap-add", "all"), "bare": ("--seccomp", "off", "--landlock", "off")}


def steady(fingerprint):
    """Without what differs from process to process."""
    return "\n".join(line for line in fingerprint.splitlines() if not re.match(r"status (NS\w*|Pid|PPid|Tgid):", line))


class Place:
    """A keeper with two jails, made anew when it was killed."""

    def __init__(self, folder, uid, options, waits):
        self.executables, self.uid, self.options, self.waits, self.count = folder, uid, options, waits, 0
        self.drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"pods-{uid}-", dir=folder)) # names of killed keepers stay taken
        os.chown(self.folder, uid, uid)
        self.pod = None
        self.words = {}

    def open(self):
        self.count += 1
        self.pod = protocol.Pod(self.folder, self.executables / "immure-drive", f"pod{self.count}", self.drop)
        few = () if self.waits else FEW
        self.words = {"sleep": self.pod.words(*few, "--", "/bin/sleep", "1000"), "print": self.pod.words("--", "/show/fingerprint"),
                      "echo": self.pod.words("--", "/bin/echo", "well"),
                      "jail": self.pod.words(*few, *self.options, "--ro", f"{self.executables}:/show", "--", "/bin/sleep", "1000")}
        self.main = self.pod.client(timeout=PATIENCE)
        self.web, self.other, self.new = (f"{name}{self.count}" for name in ("web", "other", "new"))
        self.main.run(self.words["jail"], self.web)
        self.main.run(self.words["sleep"], self.other)
        self.keeper = self.main.pid()
        self.print = steady(self.main.execute(self.words["print"], self.web)[1])
        self.main.execute(self.words["echo"], self.other)
        self.helpers = 2 if self.waits else 0
        self.others = 1 + 2 * 2 # the keeper, and of each jail init and program
        assert eventually(lambda: len(helpers_that_wait(self.keeper)) == self.helpers), "no helper waits"
        assert eventually(lambda: len(descendants(self.keeper)) == self.others + self.helpers), "who entered does not go"
        self.main.settle()
        self.processes, self.files = self.others_than_helpers(), self.open_count()

    def others_than_helpers(self):
        helpers = helpers_that_wait(self.keeper)
        return sorted(pid for pid in descendants(self.keeper) if pid not in helpers)

    def is_settled(self):
        return len(helpers_that_wait(self.keeper)) == self.helpers and self.others_than_helpers() == self.processes

    def settle(self):
        """A helper that was struck makes nothing fail, and none follows it until the next program has been there."""
        if not eventually(self.is_settled, 0.5):
            for name in (self.web, self.other):
                self.main.execute(self.words["echo"], name)
        return eventually(self.is_settled)

    def open_count(self):
        return len(os.listdir(f"/proc/{self.keeper}/fd"))

    def is_killed(self):
        try:
            return pathlib.Path(f"/proc/{self.keeper}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] in "ZX"
        except OSError:
            return True

    def close(self):
        if self.pod:
            for client in self.pod.clients:
                client.close()
            if not self.is_killed():
                os.kill(self.keeper, signal.SIGKILL)
            self.pod = None

    def ask(self, client, what):
        """What came of it, in a word, and what was printed."""
        try:
            if what in EXEC:
                code, out, _ = client.execute(self.words["print"], self.web)
                return f"ended {code}", steady(out)
            if what == "open":
                fd = client.open("/etc/passwd", name=self.web)
                text = os.read(fd, 10)
                os.close(fd)
                return "opened", text.decode()
            client.run(self.words["jail"], self.new)
            return "ran", ""
        except protocol.Refused as refused:
            return "refused", refused.text
        except (AssertionError, BrokenPipeError, ConnectionError):
            return "dropped", ""
        except TimeoutError:
            return "hung", ""

    def fault(self, what, role, index, action):
        if self.pod is None or self.is_killed():
            self.close()
            self.open()
        self.settle()
        self.before = descendants(self.keeper)
        report = self.executables / "report"
        report.write_text("", encoding="ascii")
        client = self.pod.client(timeout=PATIENCE)
        words = [self.executables / "inject", report, str(2 * PATIENCE), role, str(index), action, "-p", str(self.keeper)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tracer:
            assert tracer.stdout.readline() == b"ready\n"
            fate, said = self.ask(client, what)
            tracer.terminate()
        client.close()
        self.pod.clients.remove(client)
        calls, is_hit = [], False
        for line in report.read_text(encoding="ascii").splitlines():
            if line.startswith("call "):
                _, who, at, number = line.split()
                calls.append((who, int(at), int(number)))
            elif line == "hit":
                is_hit = True
        hit = next((number for who, at, number in calls if is_hit and (who, at) == (role, int(index))), None)
        return fate, said, calls, hit

    def remove_new(self):
        try:
            self.main.remove(self.new, True)
        except protocol.Refused:
            pass

    def complaint(self, what, role, action, came):
        fate, said, _, number = came
        if fate == "hung":
            return "it hung"
        if role == "launcher" and (action == "kill" or self.is_killed()):
            if action != "kill":
                return "the keeper ended"
            gone = eventually(lambda: all(not os.path.exists(f"/proc/{pid}") for pid in self.before))
            return None if gone else "killed, and somebody is left"
        if what in EXEC and fate == "ended 0" and said != self.print:
            changed = sorted(set(said.splitlines()) ^ set(self.print.splitlines()))
            return "another confinement: " + " ".join(changed[:4]) if changed else f"it was executed {said.count('Umask')} times"
        if fate.startswith("ended") and fate != "ended 0" and action != "kill":
            return fate
        if fate == "dropped" and role != "launcher":
            return "the client was dropped"
        if fate == "refused" and not said.strip():
            return "no word of why"
        if what == "run":
            self.remove_new()
        if self.main.status(self.web)["state"] != "running" or self.main.execute(self.words["echo"], self.other)[1] != "well\n":
            return "the others do not go on"
        if not self.settle():
            return f"somebody is left: {set(self.others_than_helpers()) ^ set(self.processes)}, {len(helpers_that_wait(self.keeper))} wait"
        if not eventually(lambda: self.open_count() == self.files):
            return f"{self.open_count() - self.files} descriptors are left"
        return None


@pytest.fixture(scope="module")
def executables():
    path = pathlib.Path("/tmp") / f"immure-torture-visits-{os.getpid()}"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    copy_executables(path, "immure-drive")
    with guarded(path):
        yield path


def points(calls, is_full, what):
    seen = collections.Counter()
    for role, index, number in calls: # a newborn's word that was not heard had its program executed twice; without a timer it was killed
        if what == "waited" and not is_full and role == "launcher" and number in (TIMER, RECEIVE):
            yield from ((role, index, number, name) for name in ACTIONS if name != "kill")
    for place, (role, index, number) in enumerate(calls):
        if role not in ("launcher", "init", "payload") or number in NO_RETURN | CANNOT_FAIL:
            continue
        seen[role, number] += 1
        if is_full or (seen[role, number] == 1 and place % 4 == 0) or place % SAMPLE == 0:
            for name in (ACTIONS if is_full else PAIRS[place % len(PAIRS)]):
                if number not in (CLOSE, WAIT, WAITID) or name == "kill": # these do not fail so
                    yield role, index, number, name


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be root and another in turn")
@pytest.mark.parametrize("what", ["exec", "waited", "open", "run"])
@pytest.mark.parametrize("uid", [0, NOBODY])
@pytest.mark.parametrize("kind", OPTIONS)
def test_faults_of_a_keeper(executables, what, uid, kind, request):
    is_full = request.config.getoption("--full", default=False)
    if not is_full and (kind, what, uid) not in (("plain", "exec", 0), ("plain", "waited", 0), ("plain", "run", 0)):
        pytest.skip("with --full")
    place = Place(executables, uid, OPTIONS[kind], what == "waited")
    reference = place.fault(what, "launcher", 0, "none")
    assert reference[0] in ("ended 0", "opened", "ran"), reference[:2]
    if what == "run":
        place.remove_new()
    wrong, reached = [], 0
    for role, index, number, name in points(reference[2], is_full, what):
        came = place.fault(what, role, index, ACTIONS[name])
        if came[3] is None:
            if what == "run" and not place.is_killed():
                place.remove_new()
            continue
        reached += 1
        try:
            complaint = place.complaint(what, role, ACTIONS[name], came)
        except (OSError, AssertionError, protocol.Refused) as error:
            complaint = f"afterwards: {error!r}"
        if complaint and came[3] in (CLOSE, WAIT, WAITID) and name != "kill":
            place.close() # another call stood in this place than the last time, one that does not fail so
        elif complaint:
            wrong.append(f"{role} call {index} (number {came[3]}) {name}: {came[0]} {came[1][:80]!r}: {complaint}")
            place.close()
    place.close()
    subprocess.run([*place.drop, executables / "immure", "gc"], capture_output=True, timeout=2 * PATIENCE, check=False)
    assert reached > 20, "the faults did not happen"
    assert not wrong, f"{len(wrong)} of {reached} faults:\n" + "\n".join(wrong[:60])
