# SPDX-License-Identifier: Apache-2.0
"""What the words of immure-capejail become: each option, and each mistake. The library behind it only says what it was told."""
import os
import pathlib
import subprocess

import pytest

from patience import PATIENCE


BUILD = pathlib.Path(os.environ.get("IMMURE_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
SAID = BUILD / "tests" / "capejail-said"

ALWAYS = ["userns=host", "utsns=host", "net=host", "workdir=/", *(f"unset-env={name}" for name in ("PATH", "HOME", "USER", "TERM", "LANG")), "pids=none", "seccomp=enclave",
          "seccomp-action=kill", "leave=owners"]
WITHOUT_ROOT = ["root=/", "root-mode=rw", "proc=new", "dev=minimal"]
WITH_ROOT = ["root-mode=rw-dev", "proc=none", "dev=none"]
OF_ACCOUNT = ["group=@user", "groups=@user"]
PROMPT, ROOT_PROMPT = ["env=PS1=[jail]$ "], ["env=PS1=[jail]# "]
RUN = ["command [prog]", "run"]


def say(*words, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IMMURE_", "RECORDER_"))}
    return subprocess.run([SAID, *words], capture_output=True, text=True, timeout=PATIENCE, env={**environment, **variables}, check=False)


# words: what is set while they are read, and by the end
GOLDEN = [
    (["prog"], [], WITHOUT_ROOT + PROMPT),
    (["--", "prog"], [], WITHOUT_ROOT + PROMPT),
    (["-n", "prog"], ["net=none (-n)"], WITHOUT_ROOT + PROMPT),
    (["-d", "/srv", "prog"], ["workdir=/srv (-d)"], WITHOUT_ROOT + PROMPT),
    (["-d/srv", "prog"], ["workdir=/srv (-d)"], WITHOUT_ROOT + PROMPT),
    (["-r", "/jail", "prog"], ["root=/jail (-r)"], WITH_ROOT + PROMPT),
    (["-r", "empty", "prog"], ["root=./empty (-r)"], WITH_ROOT + PROMPT),
    (["-u", "worker", "prog"], ["user=worker (-u)"], WITHOUT_ROOT + OF_ACCOUNT + PROMPT),
    (["-u", "1234", "prog"], ["user=1234 (-u)"], WITHOUT_ROOT + OF_ACCOUNT + PROMPT),
    (["-u", "root", "prog"], ["user=root (-u)"], WITHOUT_ROOT + OF_ACCOUNT + ["allow-host-root=yes"] + ROOT_PROMPT),
    (["-u", "00", "prog"], ["user=00 (-u)"], WITHOUT_ROOT + OF_ACCOUNT + ["allow-host-root=yes"] + ROOT_PROMPT),
    (["-u", "root", "-u", "worker", "prog"], ["user=root (-u)", "user=worker (-u)"], WITHOUT_ROOT + OF_ACCOUNT + PROMPT),
    (["-e", "A=b", "-e", "C=", "prog"], ["env=A=b (-e)", "env=C= (-e)"], WITHOUT_ROOT + PROMPT),
    (["-e", "PS1=mine", "prog"], ["env=PS1=mine (-e)"], WITHOUT_ROOT),
    (["-I", "prog"], ["seccomp=off (-I)"], WITHOUT_ROOT + PROMPT),
    (["-nIu", "worker", "-r/jail", "prog"], ["net=none (-n)", "seccomp=off (-I)", "user=worker (-u)", "root=/jail (-r)"],
     WITH_ROOT + OF_ACCOUNT + PROMPT),
]


def own(settings):
    return [line if line.endswith(")") else f"{line} (immure-capejail)" for line in settings]


@pytest.mark.parametrize("words, read, settled", GOLDEN, ids=[" ".join(row[0]) for row in GOLDEN])
def test_words_become_settings(words, read, settled):
    done = say(*words)
    assert done.stdout.splitlines() == own(ALWAYS) + read + own(settled) + RUN
    assert done.returncode == 42
    assert done.stderr.endswith("capejail-said: a remark\ncapejail-said: another\n")


def test_every_option_has_a_golden_row():
    letters = {word[1] for words, _, _ in GOLDEN for word in words if word[0] == "-" and word != "--"} | {"h"}
    told = {line.split()[0][1] for line in say("-h").stdout.splitlines() if line.startswith("  -")}
    assert letters == told == set("hndrueI")


def test_what_follows_the_program_is_its_own():
    assert "command [prog] [-n] [--] [-I]" in say("prog", "-n", "--", "-I").stdout
    assert "command [-n]" in say("--", "-n").stdout
    assert "command [-]" in say("-").stdout
    assert "(-n)" not in say("prog", "-n").stdout


@pytest.mark.parametrize("words, story", [
    ([], "there is no program to run"),
    (["-n"], "there is no program to run"),
    (["--"], "there is no program to run"),
    (["-x", "prog"], 'there is no option "-x"'),
    (["-nx", "prog"], 'there is no option "-x"'),
    (["--net", "prog"], 'there is no option "--net"'),
    (["-u"], "-u wants a value: USER"),
    (["-nr"], "-r wants a value: ROOT"),
    (["-u", "", "prog"], "-u: the name is empty"),
    (["-r", "", "prog"], "-r: the name of the directory is empty"),
    (["-e", "HOME", "prog"], "-e HOME: it wants KEY=VALUE"),
    (["-e", "=x", "prog"], "-e =x: it wants KEY=VALUE"),
    (["-e", "", "prog"], "-e : it wants KEY=VALUE"),
])
def test_mistakes_are_told(words, story):
    done = say(*words)
    assert done.returncode == 125 and f"capejail-said: {story}" in done.stderr
    assert "run" not in done.stdout.splitlines()


def test_only_root_may_start_it():
    done = say("prog", RECORDER_UID="1000")
    assert done.returncode == 125 and "only root can start it" in done.stderr and "run" not in done.stdout.splitlines()
    assert say("-h", RECORDER_UID="1000").returncode == 0


@pytest.mark.parametrize("key", ["userns", "net", "user", "root", "root-mode", "groups", "env", "allow-host-root"])
def test_a_setting_that_fails_ends_it(key):
    done = say("-n", "-r", "/x", "-u", "root", "prog", RECORDER_REFUSES=key)
    assert (done.returncode, done.stderr) == (125, "capejail-said: refused by the recorder\n")
    assert "run" not in done.stdout.splitlines()


def test_the_insecure_way_is_loud():
    assert "warning: -I: NO SYSTEM CALL FILTER" in say("-I", "prog").stderr
    assert "warning: -u root" in say("-u", "root", "prog").stderr
    assert "warning" not in say("-u", "worker", "prog").stderr


def test_failures_of_the_run():
    done = say("prog", RECORDER_FAILS="E-OTHER")
    assert (done.returncode, done.stderr) == (127, "capejail-said: the story\n")
    done = say("-u", "toor", "prog", RECORDER_FAILS="E-HOST-ROOT")
    assert done.returncode == 127 and "say -u root, and mean it" in done.stderr and "--allow-host-root" not in done.stderr


def test_explaining_runs_nothing():
    assert say("prog", IMMURE_EXPLAIN="1").stdout.splitlines()[-1] == "explained"
    assert say("prog", IMMURE_EXPLAIN="json").stdout.splitlines()[-1] == "explained as JSON"
    for off in ("", "0"):
        assert say("prog", IMMURE_EXPLAIN=off).stdout.splitlines()[-1] == "run"


def test_a_plan_that_cannot_be_written_is_told():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([SAID, "prog"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False,
                              env={**os.environ, "IMMURE_EXPLAIN": "1"})
    assert (done.returncode, done.stderr) == (125, "capejail-said: the plan cannot be written: No space left on device\n")


def test_help_is_printed_and_nothing_else_done():
    for words in (["-h"], ["--help"], ["-nh", "prog"]):
        done = say(*words)
        assert done.returncode == 0 and "usage: capejail-said [OPTION...]" in done.stdout and not done.stderr
        assert "run" not in done.stdout.splitlines()
