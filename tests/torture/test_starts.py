# SPDX-License-Identifier: Apache-2.0
"""
Each system call by which a jail that stays, or a pod, is started fails in turn, in the client, in who goes between and in the keeper, its
init and its program, and each is killed before it. Afterwards: the same confinement or no program; one diagnostic; the name is free, and
nobody and nothing is left.
"""
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
from faults import ACTIONS, CANNOT_FAIL, CLOSE, LIBC_START, NOBODY, NO_RETURN, PAIRS, WAIT, WAITID, copy_executables
from patience import PATIENCE, eventually

SAMPLE = 90
ROLES = ("client", "between", "launcher", "init", "payload")
READ, WRITEV, SENDMSG = 0, 20, 46
SLEEP = ("--", "/bin/sleep", "1000")


def processes(name):
    """Keepers of NAME, and whoever has not yet got words of its own."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().split(b"\0")[1:3] == [b"keeper", name.encode()]:
                found.append(int(entry.name))
        except OSError:
            pass
    return found


class Start:
    """One way of starting, by one user."""

    def __init__(self, what, uid, folder):
        self.what, self.uid, self.folder, self.count = what, uid, folder, 0
        self.drop = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        runtime = folder / f"runtime-{uid}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.chown(runtime, uid, uid)
        self.environment = {"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(runtime)}
        self.state = pathlib.Path("/run/immure") if uid == 0 else runtime / "immure"
        self.words = ["run", "-d", "--name", "NAME", "--ro", str(folder), "--", str(folder / "fingerprint")] if what == "run" else \
                     ["pod", "create", "NAME", "--share", "net,ipc,pid"]
        self.reference = None

    def immure(self, *words):
        return subprocess.run([*self.drop, self.folder / "immure", *words], capture_output=True, text=True, errors="replace", cwd="/",
                              check=False, env=self.environment, timeout=3 * PATIENCE, stdin=subprocess.DEVNULL)

    def fault(self, role, index, action):
        self.count += 1
        self.name = f"torture-{self.what}-{os.getpid()}-{self.count}"
        report = self.folder / f"report-{self.uid}"
        report.write_text("", encoding="ascii")
        os.chown(report, self.uid, self.uid)
        words = [*self.drop, self.folder / "inject", report, str(PATIENCE), role, str(index), action, "-k", self.folder / "immure",
                 *(self.name if word == "NAME" else word for word in self.words)]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", cwd="/", check=False, env=self.environment,
                              timeout=3 * PATIENCE, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"inject itself ended with {done.returncode}: {done.stderr}"
        calls, facts = [], {}
        for line in report.read_text(encoding="ascii").splitlines():
            key, *rest = line.split()
            if key == "call":
                calls.append((rest[0], int(rest[1]), int(rest[2])))
            else:
                facts[key] = int(rest[0]) if rest else True
        return calls, facts, done

    def normal(self, text):
        """Without what differs from run to run."""
        lines = []
        for line in text.splitlines():
            line = re.sub(r"^(namespace \S+) .*", r"\1", line)
            line = re.sub(r"\b([ug]id=)[1-9]\d{5,}", r"\1N", line)
            line = re.sub(r"\b[1-9]\d{8,}\b(?=\s+65536$)", "N", line)
            lines.append(re.sub(r"^(status [UG]id:).*\d{9,}.*", r"\1 leased", line))
        return [line for line in lines if not re.match(r"mount / / ro,|time|clock", line)]

    def is_listed(self):
        words = ("ps", "--all") if self.what == "run" else ("pod", "ps")
        return bool(re.search(rf"^{re.escape(self.name)} ", self.immure(*words).stdout, re.M))

    def remove(self):
        return self.immure("rm", "--force", self.name) if self.what == "run" else self.immure("pod", "rm", "--force", self.name)

    def is_gone(self):
        places = [self.state / place / self.name for place in ("pods", "names")]
        return not processes(self.name) and not [place for place in places if os.path.lexists(place)]

    def is_well(self, may_lose):
        """What was started is there and as it should be. MAY_LOSE: the keeper could not read what it prints, or not keep it."""
        if self.what == "run":
            code = self.immure("wait", self.name).returncode
            printed = self.normal(self.immure("logs", self.name).stdout)
            if self.reference is None:
                self.reference = printed
            if printed != self.reference and not (code and printed[:-1] == self.reference[:max(len(printed) - 1, 0)]) \
               and not (may_lose and all(any(line in whole for whole in self.reference) for line in printed)): # it was killed, or cut
                return f"exit {code}, another confinement: {sorted(set(printed) ^ set(self.reference))[:4]}"
            return None
        member = self.immure("run", "-d", "--name", self.name + "m", "--pod", self.name, *SLEEP)
        return None if member.returncode == 0 else f"no member: {member.stderr}"

    def is_waiting(self):
        """A keeper whom nobody told what to keep leaves by itself, half a minute later or when it is asked to."""
        for pid in processes(self.name):
            os.kill(pid, signal.SIGTERM)
        return eventually(self.is_gone)

    def complaint(self, role, action, facts, done, struck=None):
        if facts.get("timeout"):
            return "it hung"
        status = facts.get("exit", 128 + facts.get("signal", 0))
        if status == 0:
            wrong = self.is_well(role == "launcher" and struck in (READ, WRITEV))
            if wrong and (role in ("launcher", "init", "payload") and (action == "kill" or "has ended" in wrong)):
                wrong = None # it ended as soon as it was there, and that is told to who asks
            if wrong:
                return wrong
            if self.is_listed():
                removed = self.remove()
                if removed.returncode:
                    return f"it cannot be removed: {removed.stderr!r}"
        elif role == "client" and action == "kill":
            self.remove()
        elif status == 127 and role == "client" and "shared libraries" in done.stderr:
            return None # it never came to its own beginning
        elif status == 125 and processes(self.name) and self.is_listed():
            return None if self.remove().returncode == 0 else "it runs unheard, and cannot be removed" # whoever asks finds it
        elif status != 125 and not (status in (126, 127, 137) and role in ("payload", "init")):
            return f"exit {status}: {done.stderr[:200]!r}"
        elif len(re.findall(r"^immure: ", done.stderr, re.M)) != 1:
            return f"not one diagnostic: {done.stderr[:200]!r}"
        if not eventually(lambda: not processes(self.name), 0.5) and not self.is_waiting():
            return f"exit {status}, and a keeper is left"
        if not self.is_gone():
            again = self.immure("run", "-d", "--name", self.name, *SLEEP)
            if again.returncode:
                return f"exit {status}: {done.stderr[:100]!r}; the name is taken: {again.stderr[:100]!r}"
            self.immure("rm", "--force", self.name)
        return None

    def tidy(self):
        for pid in processes(self.name):
            os.kill(pid, signal.SIGKILL)
        self.remove()


@pytest.fixture(scope="module")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="immure-starts-"))
    path.chmod(0o755)
    copy_executables(path)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def points(calls, is_full):
    seen = collections.Counter()
    said = [call for call in calls if call[0] == "init" and call[2] == SENDMSG]
    yield *said[-1], "EPERM" # that all is there: unheard, it was waited for for ever
    for place, (role, index, number) in enumerate(calls):
        if role not in ROLES or number in NO_RETURN | CANNOT_FAIL or (role in ("client", "launcher") and number in LIBC_START):
            continue
        seen[role, number] += 1
        if is_full or (seen[role, number] == 1 and place % 4 == 0) or place % SAMPLE == 0:
            for name in (ACTIONS if is_full else PAIRS[place % len(PAIRS)]):
                if number not in (CLOSE, WAIT, WAITID) or name == "kill": # these do not fail so
                    yield role, index, number, name


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be root and another in turn")
@pytest.mark.parametrize("what", ["run", "pod"])
@pytest.mark.parametrize("uid", [0, NOBODY])
def test_faults_of_a_start(what, uid, folder, request):
    is_full = request.config.getoption("--full", default=False)
    if not is_full and uid:
        pytest.skip("with --full")
    start = Start(f"{what}", uid, folder)
    calls, facts, done = start.fault("client", 0, "none")
    assert facts["exit"] == 0, done.stderr
    assert start.complaint("client", "none", facts, done) is None
    wrong, reached = [], 0
    for role, index, number, name in points(calls, is_full):
        calls, facts, done = start.fault(role, index, ACTIONS[name])
        if not facts.get("hit"):
            start.tidy()
            continue
        reached += 1
        struck = next((call for who, at, call in calls if (who, at) == (role, index)), None)
        complaint = start.complaint(role, name, facts, done, struck)
        if complaint and not (struck in (CLOSE, WAIT, WAITID) and name != "kill"):
            wrong.append(f"{role} call {index} (number {struck}) {name}: {complaint}")
        if complaint:
            start.tidy()
    assert reached > 30, "the faults did not happen"
    assert not wrong, f"{len(wrong)} of {reached} faults:\n" + "\n".join(line[:400] for line in wrong[:60])
