# SPDX-License-Identifier: Apache-2.0
"""
The same command lines under Debian's bubblewrap and under immure-bwrap, as root and as an ordinary user: what the program is
told, what it leaves and how it ends must be the same. Without immure-bwrap, bubblewrap is compared with itself.
"""
import concurrent.futures
import os

import pytest

import harness
from known import RULES
from rows import ROWS

WORKERS = 6
CASES = [(row, uid) for row in ROWS for uid in row.who]


def name_of(case):
    return "%s as %s" % (case[0].name, "root" if case[1] == 0 else "user")


@pytest.fixture(scope="session")
def results(request, programs):
    """What is selected, run a few at once; each case's future."""
    cases = [item.callspec.params["case"] for item in request.session.items if "case" in getattr(item, "callspec", _none).params]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        def pair(case):
            row, uid = case
            if os.geteuid() and not uid:
                return None
            return [harness.run(program, programs.probe, row, os.geteuid() or uid) for program in (harness.DEBIAN, programs.ours)]
        yield {name_of(case): pool.submit(pair, case) for case in cases}


class _none:  # pylint: disable=invalid-name,too-few-public-methods
    params = ()


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_command_line_does_the_same(case, results, programs):
    row, uid = case
    pair = results[name_of(case)].result()
    if pair is None:
        pytest.skip("needs root")
    lines = harness.difference(*pair, () if programs.is_self else RULES.values())
    if row.is_different(uid) and not programs.is_self:
        assert lines, "equal now, though listed as different: %s" % row.differs
    else:
        assert not lines, "\n" + "\n".join(lines[:60]) + "\n" + "\n".join("%s says: %s" % (who, one.errors) for who, one in zip("-+", pair))


@pytest.mark.parametrize("reason", RULES)
def test_a_known_difference_is_still_one(reason, results, programs):
    if programs.is_self or len(results) < len(CASES) or os.geteuid():
        pytest.skip("asked of the whole table, with immure-bwrap, by root")
    others = [rule for name, rule in RULES.items() if name != reason]
    assert any(pair and harness.difference(*pair, others) and not harness.difference(*pair, RULES.values())
               for pair in (future.result() for future in results.values())), "no row needs it any more"


SPOILED = {
    "a variable more": "--setenv SPOILED 1",
    "a folder more": "--dir /spoiled",
    "a link more": "--symlink x /spoiled",
    "a mount more": "--tmpfs /dev",
    "another root mode": "--chmod 0700 /",
    "a read-only root": "--remount-ro /",
    "a session of its own": "--new-session",
    "one namespace more": "--unshare-ipc",
    "a reaper": "--unshare-pid",
    "a death signal": "--die-with-parent",
    "a host name": "--unshare-uts --hostname spoiled",
    "a capability": "--unshare-user --cap-add CAP_CHOWN",
    "another user": "--unshare-user --uid 5",
    "another start": "--chdir /dir",
    "a made folder on the host": "--bind {s} {s} --dir {s}/spoiled",
    "a mode on the host": "--bind {s} {s} --chmod 0755 {s}/narrow",
    "a failure": "--chdir /absent",
}


@pytest.mark.parametrize("what", SPOILED)
def test_the_comparison_sees(what, programs):
    """Each kind of difference, made on purpose: otherwise the equal rows would say nothing."""
    plain, spoiled = (harness.run(harness.DEBIAN, programs.probe, harness.Row("spoiled", "--dir /dir " + more), uid)
                      for uid in [harness.NOBODY if os.geteuid() == 0 else os.geteuid()] for more in ("", SPOILED[what]))
    assert harness.difference(plain, spoiled)


STARTS = {"umask": "umask=000", "a signal ignored": "ignore=1", "a signal blocked": "block=10", "a limit": "files=64"}


@pytest.mark.parametrize("what", STARTS)
def test_the_comparison_sees_what_is_inherited(what, programs):
    plain, other = (harness.run(harness.DEBIAN, programs.probe, harness.Row("start", "", start=start), os.geteuid()) for start in ("", STARTS[what]))
    assert harness.difference(plain, other)


def test_the_comparison_sees_a_descriptor(programs):
    plain, other = (harness.run(harness.DEBIAN, programs.probe, harness.Row("start", "", fds=fds), os.geteuid())
                    for fds in ({}, {40: "file:{s}/file"}))
    assert any("descriptors 40" in line for line in harness.difference(plain, other))
