# SPDX-License-Identifier: Apache-2.0
"""
Tests wait for a fact, never for a time in which it should have come about: a machine that is slow, or serves others as well, is late and
not wrong. PATIENCE is for what will never be; nothing is measured by it, and whatever holds out longer says so by sleeping longer.
"""
import os
import select
import time

PATIENCE = 120  # seconds


def eventually(condition, seconds=PATIENCE):
    """What CONDITION says as soon as that is true; or what it said last."""
    end = time.monotonic() + seconds
    while not (said := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return said


def await_true(condition, what="it did not come to pass"):
    """The same for what must come: WHAT is told otherwise, or, if it can be called, what it says then."""
    said = eventually(condition)
    assert said, what() if callable(what) else what
    return said


def await_rest(measure, seconds=0.3):
    """What MEASURE says once it has said the same for so long: what was on its way has arrived."""
    end, said, since = time.monotonic() + PATIENCE, measure(), time.monotonic()
    while time.monotonic() < since + seconds:
        assert time.monotonic() < end, f"it goes on: {said}"
        time.sleep(0.02)
        now = measure()
        if now != said:
            said, since = now, time.monotonic()
    return said


class Watched:
    """Processes that are known to live, by descriptors: their numbers may be another's as soon as they have ended."""

    def __init__(self, *pids):
        self.fds = [os.pidfd_open(pid) for pid in pids]

    def await_end(self):
        for fd in self.fds:
            assert select.select([fd], [], [], PATIENCE)[0], "it lives on"
            os.close(fd)


def words_of(pid):
    """The words of a process; none of one that has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return []


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []
