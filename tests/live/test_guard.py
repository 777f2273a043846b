# SPDX-License-Identifier: Apache-2.0
"""What a run of these tests started does not outlive it, however it ended."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from conftest import TOP
from patience import await_true, words_of
from test_jails import names

RUN = """
import pathlib, shutil, subprocess, sys, tempfile
sys.path.insert(0, sys.argv[1])
from guard import guarded, mark
with guarded(pathlib.Path(tempfile.mkdtemp(prefix="immure-guard-"))) as folder:
    for name in ("immure", "immure-full"):
        shutil.copy2(pathlib.Path(sys.argv[1]) / name, folder)
    started = [folder / "immure", "run", "-d", "--name"]
    subprocess.run([*started, "busy" + mark(), "--", "sh", "-c", "while :; do :; done"], check=True, stdout=subprocess.DEVNULL)
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_jail_ends_with_the_run_that_was_killed(immure, executables):
    for name in ("guard.py", "patience.py"):
        shutil.copy2(TOP / "tests" / name, executables)
        (executables / name).chmod(0o644)
    drop = immure.words()[:-1]
    with subprocess.Popen([*drop, sys.executable, "-B", "-c", RUN, executables], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/") as run:
        folder, name = pathlib.Path(run.stdout.readline().strip()), f"busy-{run.pid}"
        await_true(lambda: name in names(immure) and folder.is_dir()) # the positive control
        keeper = next(pid for pid in os.listdir("/proc") if pid.isdigit() and name.encode() in command_of(pid))
        run.send_signal(signal.SIGKILL)
    await_true(lambda: not (name in names(immure) or folder.exists() or name.encode() in command_of(keeper)))


def command_of(pid):
    """The words of a keeper; nothing of anybody else, or of one that has ended."""
    words = words_of(pid)
    return words if words[:2] == [b"immure", b"keeper"] else []
