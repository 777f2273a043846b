# SPDX-License-Identifier: Apache-2.0
"""The programs to compare, copied to where every user reaches them."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
import harness  # noqa: E402
from patience import PATIENCE  # noqa: E402

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


class Bwrap:
    """One program as one user, and a folder of that user's. start() gives a Popen, run() what it did."""

    def __init__(self, programs, is_ours, uid, folder):
        self.path, self.uid, self.folder = programs.ours if is_ours else harness.DEBIAN, uid, folder
        self.is_ours, self.probe = is_ours, programs.probe
        os.chown(folder, uid, uid)

    def words(self, *words, start=()):
        return [self.probe, "start", "cwd=/", *start, "uid=%d" % self.uid, "--", self.path, *map(str, words)]

    def start(self, *words, start=(), **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("env", harness.ENVIRONMENT)
        return subprocess.Popen(self.words(*words, start=start), text=True, **options)

    def run(self, *words, start=(), timeout=PATIENCE, **options):
        options.setdefault("env", harness.ENVIRONMENT)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.words(*words, start=start), capture_output=True, text=True, timeout=timeout, check=False, **options)

    def make(self, path, text=None):
        """A file with that text, or a folder, of the user's."""
        path = self.folder / path
        if text is None:
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for one in [path, *path.parents]:
            if one == self.folder:
                break
            os.chown(one, self.uid, self.uid)
        return path


def make_bwrap(request, programs, is_ours):
    own = os.geteuid()
    uid = 0 if request.param.endswith("root") else own or harness.NOBODY
    if uid != own and own != 0:
        pytest.skip("needs root")
    if is_ours and programs.is_self:
        pytest.skip("immure-bwrap is not built")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="immure-compat-", dir="/var/tmp"))
    folder.chmod(0o755)
    request.addfinalizer(lambda: shutil.rmtree(folder, onerror=harness.open_and_retry))
    return Bwrap(programs, is_ours, uid, folder)


@pytest.fixture(params=["root", "user"])
def ours(request, programs):
    """immure-bwrap: for what Debian's bubblewrap 0.8 cannot do."""
    return make_bwrap(request, programs, True)


@pytest.fixture(params=["immure-root", "immure-user", "bubblewrap-root", "bubblewrap-user"])
def either(request, programs):
    """Both programs: what is true of bubblewrap shows that the test asks the right thing."""
    return make_bwrap(request, programs, request.param.startswith("immure"))
