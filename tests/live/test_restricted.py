# SPDX-License-Identifier: Apache-2.0
"""Inside outer jails: the right behaviour, or the right error."""
import os
import subprocess

import pytest

from conftest import NOBODY, TOP
from patience import PATIENCE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an outer jail needs root")
LIKE_DOCKER = TOP / "tests" / "kernel" / "like-docker"
PROBE = "echo ok; ls /root >/dev/null 2>&1 && echo sees-root; touch /var/immure-x 2>/dev/null && echo writes; exit 4"
NO_LANDLOCK = ["--nosys", "landlock_create_ruleset", "ENOSYS"]
FORBIDDEN = ["--nosys", "clone3,clone:0x10000000,unshare", "EPERM"]
# conditions, options, what is expected: 4 it works, or the identifier of the refusal
CASES = [
    ([], [], 4),
    (["--docker"], [], "E-USERNS-DENIED"),
    (["--docker"], ["--may-lack", "namespaces"], 4),
    (["--k8s-userns"], [], "E-MOUNT-DENIED"),
    (["--k8s-userns"], ["--mountns", "host"], 4),
    (["--k8s-userns"], ["--may-lack", "namespaces"], 4),
    (["--nouserns"], [], "E-USERNS-LIMIT"),
    (["--nouserns"], ["--may-lack", "namespaces"], 4),
    (["--noproc"], [], "E-PROC-MISSING"),
    (["--noproc"], ["--may-lack", "namespaces"], 4),
    (["--locked-proc"], [], "E-PROC-MASKED"),
    (["--locked-proc"], ["--proc", "none"], 4),
    (["--locked-proc"], ["--mountns", "host"], 4),
    (FORBIDDEN, ["--may-lack", "namespaces"], 4),
    (["--nosys", "setns", "EPERM"], [], 4),
    ([*NO_LANDLOCK], ["--mountns", "host"], "E-LANDLOCK-NONE"),
    ([*NO_LANDLOCK, "--nouserns"], ["--may-lack", "namespaces"], "E-LANDLOCK-NONE"),
]


@pytest.mark.parametrize("uid", [0, NOBODY])
@pytest.mark.parametrize("conditions,options,expected", CASES)
def test_in_an_outer_jail(executables, uid, conditions, options, expected):
    user = ["-u", str(uid)] if uid else []
    done = subprocess.run([LIKE_DOCKER, *conditions, *user, "--", executables / "immure", "run", *options, "--", "/bin/sh", "-c", PROBE],
                          capture_output=True, text=True, timeout=PATIENCE, check=False, cwd="/", stdin=subprocess.DEVNULL)
    if expected == 4:
        assert (done.returncode, done.stdout) == (4, "ok\n"), done.stderr
    else:
        assert done.returncode == 125 and expected in done.stderr, (done.stdout, done.stderr)
