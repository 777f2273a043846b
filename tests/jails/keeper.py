# SPDX-License-Identifier: Apache-2.0
"""A client of a keeper, in a few lines: what src/jails/protocol.h says, spoken by a test."""
import array
import contextlib
import ctypes
import json
import os
import pathlib
import socket
import struct
import subprocess
import tempfile

from patience import PATIENCE, await_true, children_of  # noqa: F401

CLIENT = "HELLO RUN EXEC STATUS ATTACH INPUT RESIZE DETACH SIGNAL STOP KILL PAUSE RESUME WAIT REMOVE EVENTS OPEN INSPECT SHARE LIST HEALTHY".split()
KEEPER = "OK ERROR STARTED ENDED OUTPUT LOST DESCRIPTOR STATE EVENT".split()
NUMBERS = {name: number for number, name in enumerate(CLIENT + KEEPER)}
VERSION = 3
SHARES = ("net", "ipc", "uts", "pid", "mounts", "cgroup")
RUN_INPUT, RUN_REMOVE = 1, 2
ATTACH_INPUT, ATTACH_REPLAY = 1, 2
EXEC_TERMINAL, EXEC_ALONE = 1, 2
STOP_POD, REMOVE_FORCE, REMOVE_POD = 1, 1, 2


def in_memory(words):
    """A file in memory."""
    memory = os.memfd_create("words")
    os.write(memory, words)
    return memory


def descendants(pid):
    """Every process below PID, and PID."""
    found = [pid]
    for parent in found:
        found += children_of(parent)
    return found


def state_of(pid):
    """The letter of /proc/PID/stat; "": it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def groups_called(fits):
    """Folders of cgroups whose name FITS. Those of others come and go meanwhile, which pathlib's glob does not bear."""
    return [os.path.join(root, name) for root, names, _ in os.walk("/sys/fs/cgroup") for name in names if fits(name)]


def status_of(pid):
    """A process's /proc/PID/status; empty: it is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def helpers_that_wait(keeper):
    """Of KEEPER's children, those outside the jail's PID namespace that have given everything away and sleep."""
    found = []
    for pid in descendants(keeper):
        status = status_of(pid)
        if status and len(status["NSpid"].split()) == 1 and status["NoNewPrivs"] == "1" and status["State"].startswith("S"):
            found.append(pid)
    return found


def has_scopes():
    """Whether Landlock keeps signals of one jail from another's, ABI 6; without them no pod shares its processes. landlock_create_ruleset(2)"""
    create_ruleset, version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, version) >= 6


class Refused(Exception):
    """The keeper answered with an error."""

    def __init__(self, payload):
        self.errno, self.exit_code, _, _, identifier = struct.unpack_from("=iiII32s", payload)
        self.identifier, self.text = identifier.rstrip(b"\0").decode(), payload[48:].decode(errors="replace")
        super().__init__(self.text)


class Client:
    """One talk with the keeper whose pod has FOLDER."""

    def __init__(self, folder, timeout=PATIENCE, hello=True):
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        here = os.open(folder, os.O_RDONLY)
        try:
            self.socket.connect(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)
        if hello:
            lock = os.open(folder / "lock", os.O_RDWR)
            try:
                assert self.ask("HELLO", struct.pack("=II", VERSION, 0), [lock])[0] == "OK"
            finally:
                os.close(lock)

    def close(self):
        self.socket.close()

    def pid(self):
        """The keeper's: who connects once it has begun sees it as the one that listens. unix(7), SO_PEERCRED"""
        fresh = Client(self.folder)
        number = struct.unpack("=iII", fresh.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        fresh.close()
        return number

    def say(self, kind, payload=b"", fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        number = NUMBERS[kind] if isinstance(kind, str) else kind
        self.socket.sendmsg([struct.pack("=II", number, len(payload)), payload], rights)

    def hear(self):
        """(type, payload, descriptors); type None when the keeper has hung up."""
        try:
            data, rights, _, _ = self.socket.recvmsg(16 * 1024 + 8, socket.CMSG_SPACE(8 * 4))
        except ConnectionResetError:
            data, rights = b"", []
        if not data:
            return None, b"", []
        fds = array.array("i")
        for _, _, bytes_ in rights:
            fds.frombytes(bytes_)
        number, size = struct.unpack_from("=II", data)
        assert len(data) == size + 8
        kind = (CLIENT + KEEPER)[number]
        if kind == "ERROR":
            raise Refused(data[8:])
        return kind, data[8:], list(fds)

    def ask(self, kind, payload=b"", fds=()):
        self.say(kind, payload, fds)
        return self.hear()

    def about(self, kind, name="", rest=b""):
        return self.ask(kind, struct.pack("=64s", name.encode()) + rest)

    def settle(self):
        """What reached the keeper before is served: a packet, or a client's end. It serves all that is there in a turn."""
        for _ in range(2):
            with contextlib.suppress(Refused):
                self.status()

    def run(self, words, name, flags=0, log=1 << 20, size=(0, 0), stop_signal=0):
        """The pid of init as the host sees it."""
        memory = in_memory(words)
        try:
            self.say("RUN", struct.pack("=64sIIQHH4x", name.encode(), flags, stop_signal, log, *size), [memory])
        finally:
            os.close(memory)
        kind, payload, _ = self.hear()
        assert kind == "STARTED", kind
        return struct.unpack_from("=i", payload)[0]

    def share(self, words, pod, kinds):
        memory = os.memfd_create("words")
        try:
            os.write(memory, words)
            bits = sum(1 << SHARES.index(kind) for kind in kinds)
            assert self.ask("SHARE", struct.pack("=64sII", pod.encode(), bits, 0), [memory])[0] == "OK"
        finally:
            os.close(memory)

    def list(self):
        """The pod, with its jails in their order."""
        return self.read_json("LIST", b"")

    def inspect(self, name=""):
        return self.read_json("INSPECT", struct.pack("=64s", name.encode()))

    def read_json(self, kind, payload):
        got, _, fds = self.ask(kind, payload)
        assert got == "DESCRIPTOR", got
        with os.fdopen(fds[0]) as file:
            file.seek(0)
            return json.load(file)

    def say_exec(self, words, name="", flags=0, size=(0, 0), fds=None):
        memory = in_memory(words)
        try:
            given = [memory] if flags & EXEC_TERMINAL else [memory, *(fds or (0, 1, 2))]
            self.say("EXEC", struct.pack("=64sIIHH4x", name.encode(), flags, 0, *size), given)
        finally:
            os.close(memory)

    def exec(self, words, name="", flags=0, size=(0, 0), fds=None):
        """The program's pid as the host sees it, and the master of its terminal. FDS: its standard descriptors; none with a terminal."""
        self.say_exec(words, name, flags, size, fds)
        kind, payload, received = self.hear()
        master = None
        if kind == "DESCRIPTOR":
            master = received[0]
            kind, payload, _ = self.hear()
        assert kind == "STARTED", kind
        return struct.unpack_from("=i", payload)[0], master

    def ended(self):
        kind, payload, _ = self.hear()
        assert kind == "ENDED", kind
        return struct.unpack_from("=i", payload)[0]

    def execute(self, words, name="", stdin=b""):
        """Exit code, standard output and error of a program executed in the jail."""
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            source.write(stdin)
            source.seek(0)
            self.exec(words, name, fds=(source.fileno(), out.fileno(), err.fileno()))
            code = self.ended()
            out.seek(0)
            err.seek(0)
            return code, out.read().decode(errors="replace"), err.read().decode(errors="replace")

    def open(self, path, flags=0, mode=0, name=""):
        kind, _, fds = self.about("OPEN", name, struct.pack("=II", flags, mode) + path.encode())
        assert kind == "DESCRIPTOR", kind
        return fds[0]

    def attach(self, name="", flags=ATTACH_REPLAY, size=(0, 0)):
        assert self.about("ATTACH", name, struct.pack("=IHH", flags, *size))[0] == "OK"

    def hear_until(self, *ends):
        """What is written, until it ends with one of ENDS."""
        text = b""
        while not text.endswith(ends):
            kind, payload, _ = self.hear()
            assert kind == "OUTPUT", (kind, text)
            text += payload[4:]
        return text

    def output(self):
        """All that is written until the jail ends, bytes lost, and the exit code."""
        written, lost = {1: b"", 2: b""}, 0
        while True:
            kind, payload, _ = self.hear()
            if kind == "OUTPUT":
                written[struct.unpack_from("=I", payload)[0]] += payload[4:]
            elif kind == "LOST":
                lost += struct.unpack("=Q", payload)[0]
            else:
                assert kind == "ENDED", kind
                return written, lost, struct.unpack_from("=i", payload)[0]

    def wait(self, name=""):
        kind, payload, _ = self.about("WAIT", name)
        assert kind == "ENDED", kind
        return struct.unpack_from("=i", payload)[0]

    def status(self, name=""):
        kind, payload, _ = self.about("STATUS", name)
        assert kind == "STATE", kind
        return json.loads(payload)

    def stop(self, name="", grace_ms=5000, pod=False):
        return self.about("STOP", name, struct.pack("=IIQ", STOP_POD if pod else 0, 0, grace_ms))[0]

    def signal(self, name, number):
        return self.about("SIGNAL", name, struct.pack("=II", number, 0))[0]

    def remove(self, name="", force=False, pod=False):
        return self.about("REMOVE", name, struct.pack("=II", (REMOVE_FORCE if force else 0) | (REMOVE_POD if pod else 0), 0))[0]


class Pod:
    """A keeper with its folder, started by USER's drive."""

    def __init__(self, folder, drive, name="pod", drop=(), full=False):
        self.pods, self.folder, self.drive, self.drop = folder, folder / "pods" / name, drive, list(drop)
        subprocess.run([*self.drop, drive, "start", folder, name, *(["full"] if full else [])], check=True, timeout=PATIENCE)
        self.clients = []

    def words(self, *words):
        return subprocess.run([*self.drop, self.drive, "words", *map(str, words)], check=True, timeout=PATIENCE, stdout=subprocess.PIPE).stdout

    def client(self, **how):
        client = Client(self.folder, **how)
        self.clients.append(client)
        return client
