# SPDX-License-Identifier: Apache-2.0
"""The programs to compare, copied to where every user reaches them."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import harness

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", TOP / "build"))


class Programs:
    """`ours` is immure-bwrap, or bubblewrap itself while that is not built (is_self)."""

    def __init__(self, folder):
        self.probe = str(folder / "probe")
        shutil.copy2(BUILD / "tests/compat-probe", self.probe)
        own = pathlib.Path(os.environ.get("IMMURE_BWRAP", BUILD / "immure-bwrap"))
        self.is_self = not own.exists()
        self.ours = harness.DEBIAN if self.is_self else str(folder / "bwrap")
        if not self.is_self:
            shutil.copy2(own, self.ours)
        for path in folder.iterdir():
            path.chmod(0o755)


@pytest.fixture(scope="session")
def programs():
    if not os.access(harness.DEBIAN, os.X_OK):
        pytest.skip("no %s to compare with" % harness.DEBIAN)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2:
            try:
                os.set_inheritable(fd, False)
            except OSError:
                pass  # that of the listing itself
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-compat-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield Programs(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def debian_works():
    return subprocess.run([harness.DEBIAN, "--ro-bind", "/", "/", "true"], check=False).returncode == 0
