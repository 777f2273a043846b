# SPDX-License-Identifier: Apache-2.0
"""What the tortures have in common: executables to be struck, faults, and calls (x86-64's numbers) that a fault says nothing about."""
import os
import pathlib
import shutil
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests")) # for patience.py
BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))
NOBODY = 65534
ACTIONS = {"EPERM": "1", "ENOMEM": "12", "EINTR": "4", "EMFILE": "24", "kill": "kill"}
PAIRS = (("EPERM", "kill"), ("ENOMEM", "EINTR"), ("EMFILE", "kill"))
CLOSE, WAIT, WAITID = 3, 61, 247
LIBC_START = {158, 218, 334, 302}                         # a failure of these ends libc's own start, before main
NO_RETURN = {231, 60, 15, 219}
CANNOT_FAIL = {63, 95, 39, 102, 104, 107, 108, 110, 186}  # uname, umask, getpid and the like


def copy_executables(folder, *more):
    """Into FOLDER, where every user may execute them: those that all tortures need, and MORE of the tests'."""
    for source in (BUILD / "immure", BUILD / "immure-full", *(BUILD / "tests" / name for name in ("inject", "fingerprint", *more))):
        if not source.exists():
            pytest.skip(f"{source} is not built")
        shutil.copy2(source, folder / source.name)
        (folder / source.name).chmod(0o755)
