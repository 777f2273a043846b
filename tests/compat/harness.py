# SPDX-License-Identifier: Apache-2.0
"""
Runs one command line under two programs that claim to be bwrap, each in its own fresh folder, and tells what differs: status,
output (by tests/compat/probe.c, which tells how it is confined), what is left in the folder, JSON streams.
"""
import dataclasses
import difflib
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time

from patience import PATIENCE

NOBODY = 65534
DEBIAN = "/usr/bin/bwrap"
HOST_PROC = 20
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/home", "LANG": "C", "TERM": "dumb", "EMPTY": "", "KEPT": "from the caller"}
NAMESPACES = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")


@dataclasses.dataclass
class Row:
    """
    One command line. `options` and `run` are split like a shell's words; {s} is the scratch folder, {probe} the probe's path.
    The probe is shown as /probe first, unless `run` names another program. `fds`: number -> what it is (see Side.open).
    """
    name: str
    options: str
    run: str = "/probe"
    fds: dict = dataclasses.field(default_factory=dict)
    who: tuple = (0, NOBODY)
    start: str = ""                      # words for `probe start`
    env: dict = dataclasses.field(default_factory=dict)
    raw: bool = False                    # the whole command line is `options`: no probe is added
    differs: str = ""                    # the reason of a deliberate difference; the row must differ then
    differs_for: tuple = (0, NOBODY)     # for whom

    def is_different(self, uid):
        return bool(self.differs) and uid in self.differs_for


@dataclasses.dataclass
class Outcome:
    status: int
    output: str
    errors: str
    streams: dict
    left: list
    is_late: bool = False

    def lines(self):
        """What is compared."""
        told = ["status %s" % self.status, "error %s" % ("told" if re.search(r"^bwrap: ", self.errors, re.M) else "none")]
        told += self.output.splitlines()
        for number, text in sorted(self.streams.items()):
            told += ["stream %d %s" % (number, line) for line in text.splitlines()]
        return told + self.left + (["did not end"] if self.is_late else [])


def allow_but(number, code):
    """A compiled filter: call `number` fails with `code`, all else is allowed."""
    rows = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | code), (0x06, 0, 0, 0x7FFF0000)]
    return b"".join(struct.pack("HBBI", *row) for row in rows)


def furnish(folder, uid):
    """What each run finds in its folder."""
    (folder / "dir/sub").mkdir(parents=True)
    (folder / "dir/hello").write_text("hello\n")
    (folder / "dir/sub/deep").write_text("deep\n")
    (folder / "other").mkdir()
    (folder / "other/world").write_text("world\n")
    (folder / "private").mkdir(mode=0o700)
    (folder / "private/secret").write_text("secret\n")
    (folder / "sticky").mkdir()
    (folder / "sticky").chmod(0o1777)
    (folder / "narrow").mkdir()
    (folder / "narrow").chmod(0o710)
    (folder / "file").write_text("file\n")
    (folder / "secret").write_text("secret\n")
    (folder / "secret").chmod(0o600)
    (folder / "script").write_text("#!/bin/sh\necho script \"$0\" \"$@\"\n")
    (folder / "script").chmod(0o755)
    (folder / "plain-script").write_text("echo plain \"$0\" \"$@\"\n")
    (folder / "plain-script").chmod(0o755)
    (folder / "not-executable").write_text("#!/bin/sh\necho no\n")
    (folder / "broken").write_bytes(b"\x7fELF broken")
    (folder / "broken").chmod(0o755)
    (folder / "link").symlink_to("dir")
    (folder / "file-link").symlink_to("file")
    (folder / "absolute-link").symlink_to(str(folder / "dir"))
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe", 0o644)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, uid, uid, follow_symlinks=False)


def left_in(folder):
    """What stands there afterwards, in lines."""
    lines = []
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        what = os.readlink(path).replace(str(folder), "{s}") if path.is_symlink() else ""
        if stat.S_ISREG(seen.st_mode):
            what = repr(path.read_bytes()[:200])
        lines.append("left %s %o %d:%d %s" % (path.relative_to(folder), seen.st_mode, seen.st_uid, seen.st_gid, what))
    return lines


class Side:
    """One program and its scratch folder for one run."""

    def __init__(self, program, probe, row, uid):
        self.program, self.probe, self.row, self.uid = program, probe, row, uid
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-compat-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        furnish(self.folder, uid)
        self.held, self.passed, self.helpers, self.collected = [], {}, [], {}
        self.names = {os.stat("/proc/self/ns/" + kind).st_ino: "host" for kind in NAMESPACES}

    def hold(self, fd):
        """Numbers from 100 on never collide with those that the program gets."""
        import fcntl
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)
        os.close(fd)
        self.held.append(high)
        return high

    def open(self, number, what):
        """data:TEXT | filter:CALL:ERRNO | out | eof | file:PATH | write:PATH | path:PATH | userns | inner-userns | pidns"""
        kind, _, rest = what.partition(":")
        rest = rest.replace("{s}", str(self.folder))
        if kind in ("data", "filter", "eof", "args"):
            content = {"data": lambda: rest.encode(), "eof": lambda: b"", "args": lambda: b"".join(
                word.encode() + b"\0" for word in shlex.split(rest)),
                "filter": lambda: allow_but(*map(int, rest.split(":")))}[kind]()
            reader, writer = os.pipe()
            os.write(writer, content)
            os.close(writer)
            self.passed[number] = self.hold(reader)
        elif kind == "out":
            reader, writer = os.pipe()
            self.collected[number] = self.hold(reader)
            self.passed[number] = self.hold(writer)
        elif kind in ("file", "write", "path"):
            flags = {"file": os.O_RDONLY, "write": os.O_RDWR, "path": os.O_PATH}[kind]
            self.passed[number] = self.hold(os.open(rest, flags))
        else:
            pid = self.helper(kind == "inner-userns")
            self.passed[number] = self.hold(os.open("/proc/%d/ns/%s" % (pid, "pid" if kind == "pidns" else "user"), os.O_RDONLY))
            self.names[os.fstat(self.passed[number]).st_ino] = kind

    def helper(self, is_inner):
        """
        Processes in namespaces of their own, by the caller's rights: the outer one, and its child in a user namespace below it.
        Both have told their pids before the row is run.
        """
        if not self.helpers:
            words = [self.probe, "start", "uid=%d" % self.uid, "--", "unshare", "--user", "--map-current-user", "--pid", "--fork", "--kill-child",
                     "sh", "-c", "unshare --user --map-current-user sh -c 'echo; exec sleep 1000' & wait"]
            helper = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            helper.stdout.readline()
            self.helpers.append(helper)
        return family(self.helpers[0].pid)[1 if not is_inner else 2]

    def words(self):
        row, fill = self.row, lambda text: [word.replace("{s}", str(self.folder)).replace("{probe}", self.probe) for word in shlex.split(text)]
        start = [self.probe, "start", "session", "keyring", "umask=022", *([] if "cwd=" in row.start else ["cwd=/"]), *fill(row.start), "uid=%d" % self.uid, "--"]
        shown = ["--ro-bind", self.probe, "/probe"] if row.run.split()[:1] == ["/probe"] and not row.raw else []
        return start + [self.program] + shown + fill(row.options) + ([] if row.raw else fill(row.run))

    def run(self):
        for number, what in self.row.fds.items():
            self.open(number, what)
        self.passed[HOST_PROC] = self.hold(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY))
        for number in (1, 2):
            reader, writer = os.pipe()
            self.collected[number] = self.hold(reader)
            self.passed[number] = self.hold(writer)
        self.passed[0] = self.hold(os.open("/dev/null", os.O_RDONLY))
        words = self.words()
        pid = os.posix_spawn(words[0], words, {**ENVIRONMENT, **self.row.env}, setsigdef=range(1, 32), setsigmask=[],
                             file_actions=[(os.POSIX_SPAWN_DUP2, here, there) for there, here in self.passed.items()])
        for fd in self.passed.values():
            os.close(fd)
            self.held.remove(fd)
        texts, is_late = self.collect(pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return Outcome(status, self.normal(texts.pop(1)), self.normal(texts.pop(2)),
                       {number: self.stream(text) for number, text in texts.items()}, left_in(self.folder), is_late)

    def collect(self, pid):
        """All streams to their ends; where PATIENCE ends first, the family is killed."""
        texts, open_ones, until = dict.fromkeys(self.collected, b""), {fd: number for number, fd in self.collected.items()}, time.monotonic() + PATIENCE
        is_late = False
        while open_ones:
            ready = select.select(list(open_ones), [], [], max(0, until - time.monotonic()))[0]
            if not ready and is_late:
                break
            if not ready:
                is_late, until = True, time.monotonic() + 5
                for one in {*family(pid), *session(pid)}:
                    kill(one)
            for fd in ready:
                chunk = os.read(fd, 65536)
                texts[open_ones[fd]] += chunk
                if not chunk:
                    del open_ones[fd]
        return {number: text.decode(errors="replace") for number, text in texts.items()}, is_late

    def normal(self, text):
        """Without what differs between two runs of the same program."""
        text = text.replace(str(self.folder), "{s}").replace(self.probe, "{probe}").replace(str(pathlib.Path(self.probe).parent), "{probes}")
        text = re.sub(r":\[(\d+)\]", lambda found: ":" + self.names.get(int(found[1]), "new"), text)
        text = re.sub(r"^(mounts \S+ tmpfs \S+) from (?:/bindfile\S+//deleted|/file) of.*", r"\1 from data", text, flags=re.M)
        return re.sub(r"^mounts / tmpfs (\S+) from \S+ of \S+ (r[wo])\S*", r"mounts / tmpfs \1 from - of - \2", text, flags=re.M)

    def stream(self, text):
        """JSON by lines: pids are any number, namespaces are the host's or new."""
        def one(found):
            return found[1] + (self.names.get(int(found[2]), "new") if "namespace" in found[1] else "N")
        return re.sub(r'("(?:child-pid|[a-z]+-namespace)": )(\d+)', one, text)

    def close(self):
        for fd in self.held:
            os.close(fd)
        for helper in self.helpers:
            for one in reversed(family(helper.pid)):
                kill(one)
            helper.wait()
            helper.stdout.close()
        shutil.rmtree(self.folder, onerror=open_and_retry)


def open_and_retry(function, path, _):
    os.chmod(os.path.dirname(path), 0o700)
    os.chmod(path, 0o700, follow_symlinks=False) if not os.path.islink(path) else None
    (function if function in (os.unlink, os.rmdir) else shutil.rmtree)(path)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children(pid):
    try:
        return [int(word) for task in os.listdir("/proc/%d/task" % pid)
                for word in pathlib.Path("/proc/%d/task/%s/children" % (pid, task)).read_text().split()]
    except OSError:
        return []


def family(pid):
    """pid and its descendants, parents first."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def session(pid):
    """All of the session that pid began, orphans too."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = pathlib.Path("/proc/%s/stat" % name).read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if int(words[3]) == pid:
            found.append(int(name))
    return found


def run(program, probe, row, uid):
    side = Side(program, probe, row, uid)
    try:
        return side.run()
    finally:
        side.close()


def difference(left, right, rules=()):
    """Lines that differ, as a unified difference without context; [] when none do. `rules` mend what is known to differ."""
    sides = left.lines(), right.lines()
    for rule in rules:
        sides = rule(*sides)
    return [line for line in difflib.unified_diff(*sides, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))]
