# SPDX-License-Identifier: Apache-2.0
"""
Keepers outlive whoever starts them, and so do jails that eat a processor. What a run of the tests leaves is ended by a process that
waits for the end of a pipe the run holds, so it does not matter what ended the run. Whose they are is told by their executable, which
nobody else has; an ordinary user, who may not see that, goes by the sockets of the run's folder and by the mark in the names.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from patience import PATIENCE, words_of

NOBODY = 65534
KEEPER = [b"immure", b"keeper"]


@contextlib.contextmanager
def guarded(folder):
    """FOLDER, with executables that only this run starts; it goes at the end, and all that was started from there before it."""
    with subprocess.Popen([sys.executable, __file__, folder, mark()], stdin=subprocess.PIPE, start_new_session=True) as process:
        yield folder
        process.stdin.close()
        process.wait(timeout=10 * PATIENCE)


def mark():
    """The end of names that only this run gives: all jails of a user are in one folder."""
    return f"-{os.getpid()}"


def is_ours(pid, folder, end):
    try:
        return os.readlink(f"/proc/{pid}/exe").startswith(f"{folder}/")
    except OSError:
        words = words_of(pid)
        return words[:2] == KEEPER and words[2].decode().endswith(end)


def listener(path):
    """Who serves the pod whose folder is PATH; 0: nobody."""
    here = os.open(path, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(10)
            client.connect(f"/proc/self/fd/{here}/socket")
            return struct.unpack("=iII", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    except OSError:
        return 0
    finally:
        os.close(here)


def left(folder, end):
    found = {int(pid) for pid in os.listdir("/proc") if pid.isdigit() and is_ours(pid, folder, end)}
    return found | {listener(path) for path in pathlib.Path(folder).glob("*/pods/*") if path.is_dir()} - {0, os.getpid()}


def end_all(folder, end):
    """The names of the keepers that were ended. Whoever is about to start one more is met by the next look."""
    names, quiet, deadline = set(), 0, time.monotonic() + PATIENCE
    while quiet < 3 and time.monotonic() < deadline:
        found = left(folder, end)
        quiet = 0 if found else quiet + 1
        for pid in found:
            words = words_of(pid)
            names |= {words[2].decode()} if words[:2] == KEEPER else set()
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    return names


def listed(immure, *words):
    done = subprocess.run([*immure, *words, "--json"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return {row["name"] for row in json.loads(done.stdout or "[]")}


def tidy(folder, uid, names, end):
    """Names are free again, and what the killed could not undo on the host is undone."""
    drop = [] if uid == os.geteuid() else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    immure = [*drop, f"{folder}/immure"]
    for kind, ps in (([], ["ps", "--all"]), (["pod"], ["pod", "ps"])):
        for name in listed(immure, *ps):
            if name in names or name.endswith(end):
                subprocess.run([*immure, *kind, "rm", "--force", name], capture_output=True, check=False, timeout=PATIENCE)
    subprocess.run([*immure, "gc"], capture_output=True, check=False, timeout=PATIENCE)


def main(folder, end):
    while sys.stdin.buffer.read(1):
        pass
    names = end_all(folder, end)
    for uid in {os.geteuid(), os.geteuid() or NOBODY}:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired, ValueError):
            tidy(folder, uid, names, end)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
