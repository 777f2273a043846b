# SPDX-License-Identifier: Apache-2.0
"""
Words that were changed on the way, and descriptors of all kinds, said to a live keeper: it neither dies nor waits nor keeps a descriptor;
whatever is executed in the jail is confined as before. IMMURE_MUTATIONS: how many of each, by seeds that are always the same.
"""
import ctypes
import os
import pathlib
import random
import shutil
import socket
import struct
import threading
import time

import pytest

from conftest import BUILD, await_processes, await_true, descendants, helpers_that_wait, is_alive
from keeper import PATIENCE, Refused, in_memory
from patience import await_rest

MUTATIONS = int(os.environ.get("IMMURE_MUTATIONS", "120"))
SLEEP = ("--", "/bin/sleep", "1000")
INTERESTING = [0, 1, 2, 7, 8, 255, 4095, 4096, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def mutate(words, other, dice):
    """One to four changes: bytes, the numbers that say lengths and kinds, and pieces moved, doubled, taken out, or of other words."""
    words = bytearray(words)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(words))
        length = dice.choice((1, 8, 16, 40, 200))
        way = dice.randrange(8)
        if way == 0:
            words[at] ^= 1 << dice.randrange(8)
        elif way == 1:
            words[at] = dice.randrange(256)
        elif way == 2:
            words[at:at + 8] = struct.pack("=Q", dice.choice(INTERESTING))
        elif way == 3 and at + 8 <= len(words):
            number = struct.unpack_from("=Q", words, at)[0]
            words[at:at + 8] = struct.pack("=Q", (number + dice.choice((-8, -1, 1, 8))) % (1 << 64))
        elif way == 4:
            del words[at:at + length]
        elif way == 5:
            words[at:at] = words[at:at + length]
        elif way == 6:
            start = dice.randrange(len(other))
            words[at:at + length] = other[start:start + length]
        else:
            del words[at:]
        words = words or bytearray(1)
    return bytes(words)


def files_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Ward:
    """A keeper with a jail, and how both are when nobody asks for anything."""

    def __init__(self, keep):
        keep.folder.chmod(0o755)
        shown = pathlib.Path(keep.folder) / "shown"
        shown.mkdir()
        shown.chmod(0o755)
        shutil.copy2(BUILD / "tests" / "fingerprint", shown / "fingerprint")
        self.pod = keep.pod()
        self.client = self.pod.client()
        self.client.run(self.pod.words("--ro", f"{shown}:/show", "--env", "A=b", *SLEEP), "web")
        self.words = self.pod.words("--env", "GREETING=hello", "--workdir", "/tmp", "--", "/show/fingerprint", "one", "two")
        self.print = self.confinement(self.client.execute(self.words, "web")[1])
        self.keeper = await_processes(self.client, 2, 1)
        self.files, self.processes = await_rest(lambda: files_of(self.keeper)), self.own_processes()

    @staticmethod
    def confinement(text):
        """Without what one who asks may choose."""
        return [line for line in text.splitlines() if line.split(" ")[0] in ("status", "mount", "namespace", "limit") and "NStgid" not in line]

    def own_processes(self):
        """Without who waits for the next program: each time another."""
        return sorted(set(descendants(self.keeper)) - set(helpers_that_wait(self.keeper)))

    def check(self):
        assert self.client.pid() == self.keeper
        assert self.confinement(self.client.execute(self.words, "web")[1]) == self.print
        await_processes(self.client, 2, 1)
        await_true(lambda: self.own_processes() == self.processes, lambda: f"processes {self.own_processes()}, were {self.processes}")
        await_true(lambda: files_of(self.keeper) <= self.files, lambda: f"descriptors {files_of(self.keeper)}, were {self.files}")


@pytest.fixture
def ward(keep):
    return Ward(keep)


def test_changed_words_of_a_program_run_it_as_confined_or_not_at_all(ward):
    dice, ran, refused = random.Random(1), 0, 0
    other = ward.pod.words("--memory", "32M", "--rw", "/tmp:/data", "--seccomp", "strict", *SLEEP)
    for _ in range(MUTATIONS):
        try:
            code, out, _ = ward.client.execute(mutate(ward.words, other, dice), "web")
        except Refused as told:
            assert told.text
            refused += 1
            continue
        if code == 0:
            assert ward.confinement(out) == ward.print
        ran += 1
    assert ran > MUTATIONS / 30 and refused > MUTATIONS / 20, "the control: some changes are harmless, and some are not"
    ward.check()


def test_changed_words_of_a_jail_cost_nobody_but_who_said_them(ward):
    dice, ran = random.Random(2), 0
    words = ward.pod.words("--rlimit", "nofile=64", "--file", "/etc/motd=hello", "--tmpfs", "/data", "--env", "A=b", "--", "/bin/true")
    for number in range(MUTATIONS):
        try:
            ward.client.run(mutate(words, ward.words, dice), f"m{number}")
        except Refused as told:
            assert told.text
            continue
        ran += 1
        ward.client.remove(f"m{number}", True)
    assert ran, "the control: some changes are harmless"
    assert ward.client.list()["jails"][0]["name"] == "web"
    assert len(ward.client.list()["jails"]) == 1
    ward.check()


def test_changed_words_of_a_pod_leave_it_as_it_was(ward):
    dice = random.Random(3)
    words = ward.pod.words("--memory", "32M", "--hostname", "pod", "--", "/bin/true")
    for _ in range(MUTATIONS // 4):
        with pytest.raises(Refused): # it is there
            ward.client.share(mutate(words, ward.words, dice), "pod", ["net", "uts"])
    ward.check()


def test_changed_words_of_a_pod_that_is_made_are_refused_or_make_it(keep):
    dice, made = random.Random(4), 0
    words = keep.pod("sample").words("--hostname", "pod", "--", "/bin/true")
    for number in range(max(MUTATIONS // 20, 6)):
        pod = keep.pod(f"p{number}")
        client = pod.client()
        pid = client.pid()
        try:
            client.share(mutate(words, words[::-1], dice) if number else words, f"p{number}", ["net", "uts"])
            made += 1
            client.remove(f"p{number}", True, True)
        except Refused as told:
            assert told.text
        await_true(lambda: not is_alive(pid))
        assert not pod.folder.exists()
    assert made


def test_packets_of_any_size_and_number_of_descriptors_are_no_danger(ward):
    dice = random.Random(5)
    for _ in range(MUTATIONS):
        stranger = ward.pod.client()
        payload = struct.pack("=64sIIHH4x", b"web", dice.choice((0, 1, 2, 3, 1 << 31)), dice.choice((0, 1)), 0, 0)
        payload = payload[:dice.choice((len(payload), dice.randrange(200)))] + bytes(dice.choice((0, 0, 1, 8000, 16000)))
        fds = [os.open("/dev/null", os.O_RDWR)] * dice.choice((0, 1, 2, 3, 4, 5, 8, 9, 40, 253))
        stranger.socket.settimeout(1)
        try:
            stranger.say(dice.choice(("EXEC", "RUN", "SHARE", "OPEN", "ATTACH", dice.randrange(40))), payload, fds)
            stranger.hear()
        except (Refused, BrokenPipeError):
            pass
        except TimeoutError:
            pass # a question whose answer is the jail's end
        if fds:
            os.close(fds[0])
        stranger.close()
        ward.pod.clients.remove(stranger)
    ward.check()


def of_syscall(number, *words):
    fd = ctypes.CDLL(None, use_errno=True).syscall(number, *words)
    return fd if fd >= 0 else None


def every_kind(folder, words):
    """Descriptors that are no sealed words in memory: (name, number)."""
    kinds = [("pipe", os.pipe()[0]), ("socket", socket.socketpair()[0].detach()), ("folder", os.open("/", os.O_RDONLY)), ("path", os.open("/", os.O_PATH)),
             ("epoll", of_syscall(291, 0)), ("pidfd", os.pidfd_open(os.getpid())),
             ("terminal", os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)), ("eventfd", of_syscall(290, 0, 0)), ("inotify", of_syscall(294, 0)),
             ("secret", of_syscall(447, 0)), ("fifo", None)]
    os.mkfifo(folder / "fifo")
    kinds[-1] = ("fifo", os.open(folder / "fifo", os.O_RDWR))
    for path, flags in (("/dev/zero", os.O_RDWR), ("/dev/full", os.O_RDWR), ("/dev/null", os.O_RDWR), ("/proc/self/mem", os.O_RDONLY),
                        ("/proc/kmsg", os.O_RDONLY | os.O_NONBLOCK), ("/proc/self/environ", os.O_RDONLY), ("/proc/self/ns/net", os.O_RDONLY)):
        try:
            kinds.append((path, os.open(path, flags)))
        except OSError:
            pass
    memory = in_memory(words)
    kinds += [("memory, by its path", os.open(f"/proc/self/fd/{memory}", os.O_PATH)), ("memory, to write", os.open(f"/proc/self/fd/{memory}", os.O_WRONLY))]
    huge, empty = os.memfd_create("huge"), os.memfd_create("empty")
    os.ftruncate(huge, 1 << 42)
    some = os.memfd_create("sparse")
    os.ftruncate(some, 1 << 20)
    return [*[kind for kind in kinds if kind[1] is not None], ("huge", huge), ("empty", empty), ("sparse", some)]


def test_words_in_descriptors_of_any_kind_are_refused_at_once(ward, tmp_path):
    for name, fd in every_kind(tmp_path, ward.words):
        for kind, payload in (("RUN", struct.pack("=64sIIQHH4x", b"two", 0, 0, 1 << 20, 0, 0)), ("EXEC", struct.pack("=64sIIHH4x", b"web", 0, 0, 0, 0))):
            ward.client.say(kind, payload, [fd])
            with pytest.raises(Refused) as refused: # and not waited for
                ward.client.hear()
            assert refused.value.text, name
        os.close(fd)
    ward.check()


def test_streams_of_any_kind_hold_up_nobody(ward, tmp_path):
    words = ward.pod.words("--", "/bin/true")
    for name, fd in every_kind(tmp_path, ward.words):
        try:
            ward.client.exec(words, "web", fds=(fd, fd, fd))
            assert ward.client.ended() == 0, name
        except Refused as refused:
            assert refused.text, name
        os.close(fd)
    ward.check()


@pytest.mark.parametrize("gets_short", [False, True])
def test_words_that_change_while_they_are_read_are_read_once(ward, gets_short):
    """Between two programs, and between whole and half: one of the two is executed, or none; what was judged is what is done."""
    first, second = (ward.pod.words("--", "/bin/sh", "-c", f"exit {number}") for number in (11, 12))
    assert len(first) == len(second)
    places = [at for at in range(len(first)) if first[at] != second[at]]
    memory, null = in_memory(first), os.open("/dev/null", os.O_RDWR)
    stop, seen = threading.Event(), set()

    def flip():
        while not stop.is_set():
            for words in (second, first):
                for at in places:
                    os.pwrite(memory, words[at:at + 1], at)
                if gets_short:
                    os.ftruncate(memory, len(first) // 2)
                    os.pwrite(memory, words, 0)

    flipper = threading.Thread(target=flip)
    flipper.start()
    count, deadline = 0, time.monotonic() + PATIENCE

    def is_shown():
        return "refused" in seen if gets_short else len(seen) > 1
    try:
        while count < MUTATIONS or (not is_shown() and time.monotonic() < deadline): # who changes them must have been on a processor
            count += 1
            ward.client.say("EXEC", struct.pack("=64sIIHH4x", b"web", 0, 0, 0, 0), [memory, null, null, null])
            try:
                assert ward.client.hear()[0] == "STARTED"
                seen.add(ward.client.ended())
            except Refused:
                seen.add("refused")
    finally:
        stop.set()
        flipper.join()
    assert seen <= {11, 12, "refused"} and is_shown(), seen
    for fd in (memory, null):
        os.close(fd)
    ward.check()
