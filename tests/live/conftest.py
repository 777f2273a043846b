# SPDX-License-Identifier: Apache-2.0
"""The built command for live tests: `immure` runs it as root and as an ordinary user, in turn."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
from guard import guarded  # noqa: E402
from patience import PATIENCE  # noqa: E402

BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))
NOBODY = 65534


def pytest_configure(config):
    """
    The folders of pytest are in one of this run's: the one that all runs of a user share is closed to others whenever another run begins.
    """
    if config.option.basetemp is None:
        own = tempfile.mkdtemp(prefix="immure-pytest-")
        config.option.basetemp = os.path.join(own, "tmp")
        config.add_cleanup(lambda: shutil.rmtree(own, ignore_errors=True))
    for marker in ("container: also run inside an outer jail", "v2: also run on cgroup v2 alone", "vm: also run in a virtual machine with systemd"):
        config.addinivalue_line("markers", marker)


def reachable(folder):
    """Every user comes to FOLDER, whose parents pytest made for this one alone; what lies above is the host's."""
    top = pathlib.Path(tempfile.gettempdir())
    for part in (folder, *folder.parents):
        if top in part.parents:
            part.chmod(part.stat().st_mode | 0o755)
    return folder


class Command:
    """immure as one user. run() gives a CompletedProcess with text output."""

    def __init__(self, folder, uid):
        self.path, self.uid = str(folder / "immure"), uid

    def words(self, *words):
        own = os.geteuid()
        drop = [] if self.uid == own else ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return [*drop, self.path, *map(str, words)]

    def run(self, *words, timeout=PATIENCE, cwd="/", **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False, **options)


@pytest.fixture(scope="session")
def executables():
    """Copies that every user may reach."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-test-"))
    folder.chmod(0o755)
    for name in ("immure", "immure-full", "immure-console", "immure-bwrap", "immure-capejail"):
        if (BUILD / name).exists():
            shutil.copy2(BUILD / name, folder / name)
            (folder / name).chmod(0o755)
    with guarded(folder):
        yield folder


@pytest.fixture(params=["root", "user"])
def immure(request, executables):
    own = os.geteuid()
    if request.param == "root" and own != 0:
        pytest.skip("needs root")
    return Command(executables, 0 if request.param == "root" else own or NOBODY)
