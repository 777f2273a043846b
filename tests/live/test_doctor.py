# SPDX-License-Identifier: Apache-2.0
"""immure doctor: its first line and exit code tell whether immure run works, and each "no" has a cause."""
import json
import os
import pathlib
import subprocess

import pytest

from conftest import reachable
from patience import PATIENCE

LIKE_DOCKER = pathlib.Path(__file__).resolve().parents[1] / "kernel" / "like-docker"
ROWS = 37

# Condition of the outer jail -> a row that must say no (or partly), and a word of its cause.
CONDITIONS = [
    ("", None, None),
    ("--docker", "user-namespace", "filter"),
    ("--docker -u 65534", "user-namespace", "filter"),
    ("--k8s-userns", "mount", "filter"),
    ("--k8s-userns --allow clone --allow mount", "cgroup-delegation", "read-only"),
    ("--k8s-userns --allow clone -u 65534", "mount", "filter"),
    ("--nouserns", "user-namespace", "max_user_namespaces is 0"),
    ("--nouserns -u 65534", "user-namespace", "max_user_namespaces is 0"),
    ("--noproc", "user-namespace", "no /proc"),
    ("--noproc -u 65534", "user-namespace", "no /proc"),
    ("--locked-proc", None, None),
    ("--locked-proc -u 65534", "new-proc", "masked"),
    ("--ro-cgroup", "cgroup-delegation", "read-only"),
    ("--no-cgroup", "cgroup-layout", "cgroup"),
    ("--nosys openat2 ENOSYS", "openat2", "filter"),
    ("--nosys clone3 ENOSYS", "clone3", "filter"),
    ("--nosys mount_setattr ENOSYS", "mount-api", "filter"),
    ("--nosys landlock_create_ruleset ENOSYS", "landlock", "filter"),
    ("--nosys seccomp EPERM", "seccomp-notify", "filter"),
]


def examine(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL, **options)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["works"] else 1), done.stderr
    assert len(told["checks"]) >= ROWS
    for check in told["checks"]:
        assert check["verdict"] in ("yes", "no", "partly") and check["meaning"] and check["found"], check
        assert check["verdict"] == "yes" or check["cause"], check
    return told, {check["name"]: check for check in told["checks"]}


@pytest.mark.container
def test_its_answer_is_what_a_run_does(immure):
    told, checks = examine(immure.words("doctor", "--json"), cwd="/")
    ran = immure.run("run", "/bin/true").returncode
    assert told["works"] == (ran == 0)
    assert checks["run"]["verdict"] == ("yes" if ran == 0 else "no")


def test_the_first_line_says_it(immure):
    done = immure.run("doctor")
    assert done.stdout.startswith("immure run works here" if done.returncode == 0 else "immure run does not work here: ")


def test_an_unknown_option_is_refused(immure):
    done = immure.run("doctor", "--jsno")
    assert done.returncode == 125 and "--jsno" in done.stderr


STATE = "cat /proc/self/mountinfo /proc/sys/user/max_user_namespaces; read children </proc/$$/task/$$/children; echo children: $children"


def test_it_leaves_nothing_and_changes_nothing(immure):
    """Mounts are looked at where nobody else makes any, and of the groups those that have its number in their names: others run immure, too."""
    alone = [] if os.geteuid() else ["unshare", "--mount", "--propagation", "private"]
    shared = "" if os.geteuid() else "mount --make-rshared / && "
    script = shared + f'{{ {STATE}; }}; echo; "$@" >&2 & wait $!; echo code $?; find /sys/fs/cgroup -name "immure-$!-*"; echo; {STATE}'
    done = subprocess.run([*alone, "sh", "-c", script, "-", *immure.words("doctor")], capture_output=True, text=True, check=False, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL)
    before, told, after = done.stdout.strip().split("\n\n")
    assert "immure run" in done.stderr and told in ("code 0", "code 1")
    assert before == after


def test_facts_describe_a_machine_that_can_be_planned_for(immure, tmp_path):
    facts = tmp_path / "host.json"
    facts.write_text(immure.run("doctor", "--facts").stdout, encoding="utf-8")
    reachable(tmp_path)
    assert json.loads(facts.read_text(encoding="utf-8"))["uid"] == immure.uid
    there = immure.run("explain", "--host", facts, "--", "/bin/true")
    here = immure.run("explain", "--", "/bin/true")
    assert there.returncode == 0, there.stderr
    assert there.stdout == here.stdout


@pytest.mark.parametrize("text, word", [('{"uidd": 1}', "uidd"), ('{"uid": "x"}', "uid"), ('[1]', "object"), ('{"paths": [{}]}', "path"),
                                        ('{"cgroup_way": "no"}', "cgroup_way"), ('{"capabilities": "0xzz"}', "capabilities")])
def test_facts_that_do_not_fit_are_refused_with_their_place(executables, tmp_path, text, word):
    facts = tmp_path / "host.json"
    facts.write_text(text, encoding="utf-8")
    done = subprocess.run([executables / "immure", "explain", "--host", facts, "--", "/bin/true"], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 125
    assert word in done.stderr and "host.json:1" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("condition, row, word", CONDITIONS, ids=lambda value: str(value or "none").replace(" ", "_"))
def test_in_an_outer_jail(executables, condition, row, word):
    outer = [LIKE_DOCKER, *condition.split(), "--"]
    told, checks = examine([*outer, executables / "immure", "doctor", "--json"])
    ran = subprocess.run([*outer, executables / "immure", "run", "/bin/true"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert told["works"] == (ran.returncode == 0), ran.stderr
    if row:
        assert checks[row]["verdict"] != "yes"
        assert word in checks[row]["cause"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("knows, lingers, verdict", [(True, False, "partly"), (True, True, "yes"), (False, False, "yes")])
def test_a_user_whose_jails_end_with_the_login_is_told(executables, knows, lingers, verdict):
    """A login manager's files, in a mount namespace of the test's own."""
    script = """mount --make-rprivate / && mount -t tmpfs t /run && mount -t tmpfs t /var/lib && mkdir -p /run/user/65534 /run/systemd/users /var/lib/systemd/linger
        chown 65534 /run/user/65534; chmod 700 /run/user/65534
        $1 && printf '# private\\nNAME=nobody\\n' > /run/systemd/users/65534
        $2 && touch /var/lib/systemd/linger/nobody
        exec env XDG_RUNTIME_DIR=/run/user/65534 setpriv --reuid=65534 --regid=65534 --clear-groups "$3" doctor --json"""
    words = ["unshare", "-m", "sh", "-c", script, "sh", str(knows).lower(), str(lingers).lower(), executables / "immure"]
    row = examine(words)[1]["lingering"]
    assert row["verdict"] == verdict, row
    assert verdict == "yes" or ("/run/user/65534/immure" in row["cause"] and row["remedy"] == "loginctl enable-linger")


@pytest.mark.vm
@pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists("/run/systemd/system"), reason="needs root and systemd")
def test_root_of_a_user_namespace_is_not_sent_to_systemd(executables):
    """That is another root's, and makes no group for this one: the plan named a scope that was never made."""
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "--map-root-user", executables / "immure"]
    told = subprocess.run([*nobody, "explain", "--memory", "64M", "true"], capture_output=True, text=True, timeout=60, check=False)
    assert "scope" not in told.stdout and told.returncode == 125 and "E-CGROUP-READONLY" in told.stderr, told
    assert examine([*nobody, "doctor", "--json"])[1]["systemd"]["verdict"] == "no"


def test_groups_are_found_among_any_number_of_mounts(immure, tmp_path):
    """Where /proc/self/mountinfo is longer than 64 KiB it was taken for empty, and the machine for one without groups."""
    if os.geteuid():
        pytest.skip("needs root")
    script = ('mount -t tmpfs none "$1" && shift && cd "$0" && long=$(printf "%0200d" 0) && for i in $(seq 400); do mkdir $long$i && '
              'mount --bind $long$i $long$i || exit 9; done; [ $(wc -c </proc/self/mountinfo) -gt 65536 ] || exit 9; exec "$@"')
    many = ["unshare", "--mount", "sh", "-c", script, tmp_path, tmp_path]
    _, checks = examine(immure.words("doctor", "--json"), cwd="/")
    _, among_many = examine([*many, *immure.words("doctor", "--json")], cwd="/")
    names = ("cgroup-layout", "cgroup-delegation", "cgroup-controllers", "cgroup-kill", "pause")
    assert [among_many[name] for name in names] == [checks[name] for name in names]


@pytest.mark.v2
def test_what_can_be_limited_is_what_runs_can_limit(immure):
    """Where root's groups of version 2 are not below its own, doctor tried there, and said that none could be had."""
    _, checks = examine(immure.words("doctor", "--json"), cwd="/")
    said = checks["cgroup-controllers"]["found"].split()
    for option, value in (("--memory", "64M"), ("--cpus", "0.5")): # these can be had by groups alone
        done = subprocess.run(immure.words("run", option, value, "--", "/bin/true"), cwd="/", capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert (done.returncode == 0) == (option in said), (said, done.stderr)
