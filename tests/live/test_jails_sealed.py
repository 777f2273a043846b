# SPDX-License-Identifier: Apache-2.0
"""A keeper, and whoever it sends into a jail, runs from no file that the jail's user could write to."""
import fcntl
import json
import os
import shutil
import tempfile

import pytest
from test_jails import SLEEP, Jails, ok

SEALED = 0x1 | 0x2 | 0x4 | 0x8 # seal, shrink, grow, write


def jails_of(immure, owner, mode):
    """The command, by an executable of OWNER's in a folder that is removed by the caller."""
    folder = tempfile.mkdtemp(prefix="immure-owned-")
    os.chmod(folder, 0o755)
    for name in ("immure", "immure-full"):
        copy = shutil.copy2(os.path.join(os.path.dirname(immure.path), name), folder)
        os.chmod(copy, mode)
        os.chown(copy, owner, -1)
    jails = Jails(immure)
    jails.path = os.path.join(folder, "immure")
    return jails


def file_of_keeper(jails):
    name = f"sealed-{os.getpid()}"
    ok(jails.run("run", "-d", "--name", name, *SLEEP))
    keeper = json.loads(ok(jails.run("inspect", name)))["state"]["keeper"]
    with open(f"/proc/{keeper}/exe", "rb") as file:
        link = os.readlink(f"/proc/{keeper}/exe")
        try:
            seals = fcntl.fcntl(file, fcntl.F_GET_SEALS)
        except OSError:
            seals = 0
    with open(f"/proc/{keeper}/comm", encoding="utf-8") as file:
        comm = file.read()
    ok(jails.run("exec", name, "true"))
    return link, seals, comm


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to look at a keeper's executable")
@pytest.mark.parametrize("owner, mode, is_sealed", [(0, 0o755, False), (65534, 0o755, True), (0, 0o757, True)])
def test_a_file_that_others_may_write_is_not_what_the_keeper_runs(immure, owner, mode, is_sealed):
    jails = jails_of(immure, owner, mode)
    try:
        link, seals, comm = file_of_keeper(jails)
    finally:
        left = jails.clear()
        shutil.rmtree(os.path.dirname(jails.path))
    assert not left and comm == "immure\n"
    assert (seals & SEALED == SEALED, link == jails.path) == (is_sealed, not is_sealed)
